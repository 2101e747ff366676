//! The tools: how they are listed, what each does, and what is said about calls that are wrong.

use serde_json::{Value, json};

use super::client::Client;
use crate::support::{Postino, on_each_store, plain};

/// What a model sees of the list, and the whole answer, at most; in bytes.
const MODEL_SEES: usize = 6_000;
const WHOLE: usize = 16_000;

fn listed() -> Value {
    Client::named(&Postino::new(), "me").ask("tools/list", &json!({}))["result"].clone()
}

#[test]
fn the_list_is_as_it_was() {
    let now = serde_json::to_string_pretty(&listed()).unwrap() + "\n";
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/mcp/tools.json");
    #[expect(clippy::disallowed_methods, reason = "whether to write the snapshot is told to the test, not to postino")]
    let is_new = std::env::var_os("POSTINO_SNAPSHOTS").is_some_and(|value| value == "write");
    if is_new {
        std::fs::write(path, &now).unwrap();
    }
    let kept = std::fs::read_to_string(path).unwrap_or_default();
    let differs = now.lines().zip(kept.lines()).find(|(now, before)| now != before);
    assert!(now == kept, "the tools have changed, first at {differs:?}; POSTINO_SNAPSHOTS=write cargo test mcp");
}

#[test]
fn the_list_is_short_and_every_tool_says_what_it_does() {
    let list = listed();
    let tools = list["tools"].as_array().unwrap();
    let seen = |tool: &Value| json!([tool["name"], tool["description"], tool["inputSchema"]]);
    let seen: Vec<Value> = tools.iter().map(seen).collect();
    assert!(json!(seen).to_string().len() <= MODEL_SEES, "a model sees {} bytes", json!(seen).to_string().len());
    assert!(list.to_string().len() <= WHOLE, "the whole list has {} bytes", list.to_string().len());
    assert_eq!(tools.len(), 10);
    for tool in tools {
        for hint in ["readOnlyHint", "destructiveHint", "idempotentHint", "openWorldHint"] {
            assert!(tool["annotations"][hint].is_boolean(), "{tool}");
        }
        assert!(tool["title"].as_str().is_some_and(|title| !title.is_empty()), "{tool}");
        assert_eq!(tool["inputSchema"]["additionalProperties"], false, "{tool}");
        for (name, property) in tool["inputSchema"]["properties"].as_object().into_iter().flatten() {
            assert!(property["description"].is_string() && property["type"].is_string(), "{name} of {tool}");
        }
    }
    let readers = tools.iter().filter(|tool| tool["annotations"]["readOnlyHint"] == true).map(|tool| &tool["name"]);
    assert_eq!(readers.collect::<Vec<_>>(), ["msg_whoami", "msg_check", "msg_list_agents"]);
}

/// Whether a value fits a schema, as far as ours go.
fn fits(value: &Value, schema: &Value) -> bool {
    let is = |kind: &Value| match kind.as_str() {
        Some("object") => value.is_object(),
        Some("array") => value.is_array(),
        Some("string") => value.is_string(),
        Some("integer") => value.is_i64() || value.is_u64(),
        Some("boolean") => value.is_boolean(),
        Some("null") => value.is_null(),
        Some(_) | None => false,
    };
    let kind = &schema["type"];
    let typed = kind.as_array().map_or_else(|| is(kind), |kinds| kinds.iter().any(is));
    let chosen = schema["enum"].as_array().is_none_or(|choices| choices.contains(value));
    let empty = serde_json::Map::new();
    let properties = schema["properties"].as_object().unwrap_or(&empty);
    let known = value.as_object().is_none_or(|object| {
        object.iter().all(|(name, value)| properties.get(name).is_some_and(|schema| fits(value, schema)))
    });
    let whole =
        schema["required"].as_array().into_iter().flatten().all(|name| value.get(name.as_str().unwrap()).is_some());
    let items = value.as_array().is_none_or(|items| items.iter().all(|item| fits(item, &schema["items"])));
    typed && chosen && known && whole && items
}

/// Two agents, the schemas of what tools answer, and calls whose answers must fit these.
struct Pair {
    alice: Client,
    bob: Client,
    list: Value,
}

impl Pair {
    fn on(postino: &Postino) -> Pair {
        let mut alice = Client::named(postino, "alice");
        let list = alice.ask("tools/list", &json!({}))["result"]["tools"].clone();
        Pair { alice, bob: Client::named(postino, "bob"), list }
    }

    #[track_caller]
    fn checked(&self, tool: &str, answer: Value) -> Value {
        let listed = self.list.as_array().unwrap().iter().find(|listed| listed["name"] == tool).unwrap();
        assert!(
            fits(&answer, &listed["outputSchema"]),
            "{tool} says {answer}, and promises {}",
            listed["outputSchema"]
        );
        answer
    }

    #[track_caller]
    fn alice(&mut self, tool: &str, arguments: Value) -> Value {
        let answer = self.alice.tool(tool, &arguments);
        self.checked(tool, answer)
    }

    #[track_caller]
    fn bob(&mut self, tool: &str, arguments: Value) -> Value {
        let answer = self.bob.tool(tool, &arguments);
        self.checked(tool, answer)
    }
}

fn each_tool_does_its_operation(postino: &Postino) {
    let mut pair = Pair::on(postino);
    pair.bob("msg_check", json!({}));
    let sent = pair.alice("msg_send", json!({"to": "bob", "body": "hello", "urgent": true, "key": "k"}));
    assert_eq!((&sent["created"], &sent["recipient"], &sent["waiting"]), (&json!(true), &json!("idle"), &json!(1)));
    let again = pair.alice("msg_send", json!({"to": "bob", "body": "hello", "urgent": true, "key": "k"}));
    assert_eq!((&again["created"], &again["id"]), (&json!(false), &sent["id"]));
    pair.alice("msg_broadcast", json!({"body": "to all"}));

    let news = pair.bob("msg_check", json!({}));
    assert_eq!([&news["unreadMessages"], &news["urgent"], &news["unseenBroadcasts"]], [1, 1, 1]);
    assert_eq!((&news["agent"], &news["newestMessage"]["from"]), (&json!("bob"), &json!("alice")));
    let read = pair.bob("msg_read", json!({}));
    assert_eq!((&read["messages"][0]["body"], &read["messages"][0]["via"]), (&json!("hello"), &json!("mcp")));
    assert_eq!((read["remaining"].clone(), read["messages"][0].get("receipt")), (json!(0), None));
    assert!(read["note"].as_str().unwrap().contains("other agents, not from your user"));
    let reply = pair.bob("msg_send", json!({"to": "alice", "body": "and to you", "replyTo": sent["id"]}));
    let said = pair.bob("msg_broadcasts", json!({}));
    assert_eq!((&said["items"][0]["body"], &said["remaining"]), (&json!("to all"), &json!(0)));
    assert_eq!(pair.bob("msg_broadcasts", json!({}))["items"], json!([]));
    assert_eq!(pair.bob("msg_broadcasts", json!({"all": true}))["items"].as_array().unwrap().len(), 1);

    let leased = pair.alice("msg_read", json!({"lease": 60, "limit": 5}));
    assert_eq!((&leased["messages"][0]["thread"], &leased["messages"][0]["id"]), (&sent["id"], &reply["id"]));
    let receipt = &leased["messages"][0]["receipt"];
    let settle =
        |action: &str, seconds: Option<u32>| json!({"receipts": [receipt], "action": action, "seconds": seconds});
    assert_eq!(pair.alice("msg_ack", settle("extend", Some(90)))["done"], json!([receipt]));
    assert_eq!(pair.alice("msg_ack", settle("release", None))["done"], json!([receipt]));
    assert_eq!(pair.alice("msg_ack", json!({"receipts": [receipt]}))["stale"], json!([receipt]));
    assert_eq!(pair.alice("msg_read", json!({}))["messages"][0]["deliveries"], 2);

    postino.send("carol", "nobody-yet", "for later");
    let whoami = pair.alice("msg_whoami", json!({}));
    assert_eq!((&whoami["agent"], &whoami["agentsTotal"]), (&json!("alice"), &json!(4)));
    let people = pair.alice("msg_list_agents", json!({"limit": 2, "after": "alice"}));
    assert_eq!(
        [&people["items"][0]["name"], &people["items"][1]["name"], &people["remaining"]],
        [&json!("bob"), &json!("carol"), &json!(1)]
    );
    let renamed = pair.bob("msg_rename", json!({"name": "robert"}));
    assert_eq!([&renamed["from"], &renamed["name"]], ["bob", "robert"]);
    assert_eq!(pair.bob("msg_whoami", json!({}))["agent"], "robert");
    pair.alice("msg_send", json!({"to": "bob", "body": "by the old name"}));
    assert_eq!(pair.bob("msg_read", json!({}))["messages"][0]["to"], "bob");
    assert_eq!(pair.alice("msg_cleanup", json!({})), json!({"removed": [], "remaining": 0}));
}

on_each_store!(each_tool_does_its_operation);

#[test]
fn a_call_that_is_wrong_is_told_so_in_words_that_help() {
    let postino = Postino::new();
    let mut me = Client::named(&postino, "me");
    for (tool, arguments, said) in [
        (
            "msg_send",
            json!({"to": "bob", "body": "hi", "from": "eve"}),
            "msg_send takes no argument \"from\"; it takes body, key, replyTo, to, urgent",
        ),
        (
            "msg_send",
            json!({"body": "hi"}),
            "msg_send needs the argument \"to\"; it takes body, key, replyTo, to, urgent",
        ),
        (
            "msg_send",
            json!({"to": null, "body": "hi"}),
            "msg_send needs the argument \"to\"; it takes body, key, replyTo, to, urgent",
        ),
        ("msg_send", json!({"to": 5, "body": "hi"}), "the argument \"to\" of msg_send must be a text"),
        ("msg_send", json!({"to": "../x", "body": "hi"}), "\"../x\" is not a legal agent name"),
        ("msg_send", json!({"to": "bob", "body": " "}), "the body is blank"),
        ("msg_send", json!({"to": "bob", "body": "hi", "replyTo": "x"}), "\"x\" is not a message id"),
        (
            "msg_send",
            json!({"to": "bob", "body": "hi", "urgent": "yes"}),
            "the argument \"urgent\" of msg_send must be true or false",
        ),
        ("msg_read", json!({"peek": true}), "msg_read takes no argument \"peek\"; it takes lease, limit"),
        ("msg_read", json!({"agent": "bob"}), "msg_read takes no argument \"agent\"; it takes lease, limit"),
        ("msg_read", json!({"limit": 1.5}), "the argument \"limit\" of msg_read must be a whole number"),
        ("msg_read", json!({"limit": 1e30}), "the argument \"limit\" of msg_read must be a whole number"),
        ("msg_read", json!({"limit": 101}), "limit 101 is out of range"),
        ("msg_read", json!({"lease": 0}), "a lease of 0 seconds is out of range"),
        ("msg_ack", json!({"receipts": "all"}), "the argument \"receipts\" of msg_ack must be a list of texts"),
        ("msg_ack", json!({"receipts": [5]}), "the argument \"receipts\" of msg_ack must be a list of texts"),
        ("msg_ack", json!({"receipts": ["x"]}), "\"x\" is not a receipt"),
        ("msg_ack", json!({"receipts": []}), "0 receipts were given"),
        (
            "msg_ack",
            json!({"receipts": ["x"], "action": "eat"}),
            "the argument \"action\" of msg_ack must be one of ack, extend, release",
        ),
        (
            "msg_broadcast",
            json!({"body": "hi", "kind": "notice"}),
            "msg_broadcast takes no argument \"kind\"; it takes body, key",
        ),
        ("msg_broadcasts", json!({"limit": 1}), "msg_broadcasts takes no argument \"limit\"; it takes all"),
        ("msg_whoami", json!({"agent": "bob"}), "msg_whoami takes no argument \"agent\"; it takes none"),
        ("msg_rename", json!({"name": "me"}), "the name is me already"),
        ("msg_delete", json!({}), "there is no tool \"msg_delete\""),
    ] {
        let text = me.fails(tool, &arguments);
        assert_eq!(text.lines().next(), Some(said), "{tool} {arguments}");
        assert!(text.contains("\ntry: ") || tool == "msg_rename", "{text}");
        assert!(
            !["line 1", "column", "serde", "invalid type", "expected"].iter().any(|leak| text.contains(leak)),
            "{text}"
        );
    }
    // Not even an object: the client is told as a failure of the tool, too.
    let answer = me.ask("tools/call", &json!({"name": "msg_read", "arguments": "all"}));
    assert!(super::client::failed(&answer).starts_with("the call has no legal form\ntry: "), "{answer}");
    // Nothing of all that did anything.
    assert_eq!(
        plain(&postino.json("bob", &["check"]).to_string()),
        plain(&postino.json("bob", &["check"]).to_string())
    );
    assert_eq!(postino.json("bob", &["stats"])["sent"], 0);
}
