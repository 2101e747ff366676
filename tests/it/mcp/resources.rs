//! Resources, prompts, completion, and what a client is told of arrivals.

use serde_json::{Value, json};

use super::client::Client;
use crate::server::until;
use crate::support::{Postino, on_each_store};

fn read(client: &mut Client, uri: &str) -> Value {
    let answer = client.ask("resources/read", &json!({"uri": uri}));
    let content = &answer["result"]["contents"][0];
    assert_eq!((&content["uri"], &content["mimeType"]), (&json!(uri), &json!("application/json")), "{answer}");
    serde_json::from_str(content["text"].as_str().unwrap()).unwrap()
}

#[test]
fn the_own_inbox_can_be_looked_at_and_no_other() {
    let postino = Postino::new();
    postino.send("alice", "me", "hello");
    let mut me = Client::named(&postino, "me");
    let listed = me.ask("resources/list", &json!({}))["result"]["resources"].clone();
    let uris: Vec<&Value> = listed.as_array().unwrap().iter().map(|resource| &resource["uri"]).collect();
    assert_eq!(uris, ["postino://agents", "postino://inbox/me"]);
    let templates = me.ask("resources/templates/list", &json!({}));
    assert_eq!(templates["result"]["resourceTemplates"][0]["uriTemplate"], "postino://inbox/{agent}");
    for _ in 0..2 {
        let inbox = read(&mut me, "postino://inbox/me");
        assert_eq!((&inbox["messages"][0]["body"], &inbox["remaining"]), (&json!("hello"), &json!(0)));
        assert!(inbox["note"].as_str().unwrap().contains("other agents"));
    }
    let agents = read(&mut me, "postino://agents");
    assert_eq!(agents["items"][1]["name"], "me");
    for (uri, code, said) in [
        ("postino://inbox/alice", -32002, "the inbox of alice is not yours\ntry: read your own: postino://inbox/me"),
        ("postino://inbox/../x", -32002, "there is no resource"),
        ("file:///etc/passwd", -32002, "there is no resource"),
    ] {
        let error = me.ask("resources/read", &json!({"uri": uri}))["error"].clone();
        assert_eq!(error["code"], code, "{error}");
        assert!(error["message"].as_str().unwrap().starts_with(said), "{error}");
    }
    // A long inbox is cut, and says so; nothing was taken by all that.
    for _ in 0..9 {
        postino.send("alice", "me", &"x".repeat(9_000));
    }
    let inbox = read(&mut me, "postino://inbox/me");
    let (shown, remaining) = (inbox["messages"].as_array().unwrap().len(), inbox["remaining"].as_u64().unwrap());
    assert!(shown > 1 && shown < 10 && remaining + shown as u64 == 10, "{shown} and {remaining}");
    assert_eq!(me.tool("msg_check", &json!({}))["unreadMessages"], 10);
}

#[test]
fn prompts_say_what_to_do_now() {
    let postino = Postino::new();
    let mut me = Client::named(&postino, "me");
    let listed = me.ask("prompts/list", &json!({}))["result"]["prompts"].clone();
    assert_eq!([&listed[0]["name"], &listed[1]["name"]], ["check-messages", "send-message"]);
    assert_eq!([&listed[1]["arguments"][0]["name"], &listed[1]["arguments"][1]["name"]], ["to", "body"]);
    let mut text = |name: &str, arguments: Value| {
        let answer = me.ask("prompts/get", &json!({"name": name, "arguments": arguments}));
        match answer.get("error") {
            Some(error) => error["message"].as_str().unwrap().to_owned(),
            None => answer["result"]["messages"][0]["content"]["text"].as_str().unwrap().to_owned(),
        }
    };
    assert!(text("check-messages", json!({})).ends_with("Tell me that there is nothing new."));
    postino.send("alice", "me", "secret words");
    let check = text("check-messages", json!({}));
    assert!(
        check.starts_with("You are me; 1 message(s) and 0 broadcast(s) wait for you. Read the messages with msg_read")
    );
    assert!(!check.contains("secret"));
    let send = text("send-message", json!({"to": "bob", "body": "say \"hi\""}));
    let call: Value = serde_json::from_str(send.split("\n\n").nth(1).unwrap()).unwrap();
    assert_eq!(call, json!({"to": "bob", "body": "say \"hi\""}));
    assert!(
        text("send-message", json!({"to": "bob"})).starts_with("the prompt send-message needs the argument \"body\"")
    );
    assert!(text("send-message", json!({"to": "a b", "body": "x"})).starts_with("\"a b\" is not a legal agent name"));
    assert!(text("other", json!({})).starts_with("there is no prompt \"other\""));
    // What the prompt asks for works.
    me.tool("msg_send", &call);
    assert_eq!(postino.json("bob", &["read"])["messages"][0]["body"], "say \"hi\"");
}

#[test]
fn names_are_completed() {
    let postino = Postino::new();
    for n in 0..120 {
        postino.meet(&format!("worker-{n}"));
    }
    let mut me = Client::named(&postino, "me");
    let mut complete = |reference: Value, argument: &str, typed: &str| {
        let argument = json!({"name": argument, "value": typed});
        me.ask("completion/complete", &json!({"ref": reference, "argument": argument}))["result"]["completion"].clone()
    };
    let prompt = json!({"type": "ref/prompt", "name": "send-message"});
    let inbox = json!({"type": "ref/resource", "uri": "postino://inbox/{agent}"});
    assert_eq!(complete(prompt.clone(), "to", "WORKER-7")["values"][0], "worker-7");
    let many = complete(prompt.clone(), "to", "w");
    assert_eq!(
        (many["values"].as_array().unwrap().len(), &many["total"], &many["hasMore"]),
        (100, &json!(120), &json!(true))
    );
    assert_eq!(complete(prompt, "body", "w")["values"], json!([]));
    assert_eq!(complete(inbox.clone(), "agent", "")["values"], json!(["me"]));
    assert_eq!(complete(inbox, "agent", "w")["values"], json!([]));
}

/// What the client was told by log messages.
fn logged(client: &Client) -> Vec<Value> {
    client.said().into_iter().filter(|said| said["method"] == "notifications/message").collect()
}

fn an_arrival_is_told_soon_and_without_its_words(postino: &Postino) {
    postino.send("alice", "me", "before");
    let mut me = Client::named(postino, "me");
    me.ask("resources/subscribe", &json!({"uri": "postino://inbox/me"}));
    me.ask("resources/subscribe", &json!({"uri": "postino://inbox/alice"}));
    me.tool("msg_check", &json!({}));
    until("presence", || postino.json("alice", &["agents"])["items"].to_string().contains("\"mcp\""));
    // The first look may come after the first message, which then is no news.
    let mut sent = 0;
    until("an arrival", || {
        postino.send("alice", "me", "secret words");
        sent += 1;
        std::thread::sleep(std::time::Duration::from_millis(300));
        !logged(&me).is_empty() || sent > 100
    });
    let told = logged(&me)[0]["params"].clone();
    assert_eq!((&told["level"], &told["logger"]), (&json!("info"), &json!("postino")));
    assert!(told["data"]["unreadMessages"].as_u64().unwrap() >= 2, "{told}");
    assert_eq!(told["data"]["newestMessage"]["from"], "alice");
    assert!(!json!(logged(&me)).to_string().contains("secret"));
    let updates: Vec<Value> =
        me.said().into_iter().filter(|said| said["method"] == "notifications/resources/updated").collect();
    assert!(updates.iter().all(|update| update["params"]["uri"] == "postino://inbox/me") && !updates.is_empty());
    // No more than was asked for.
    me.ask("logging/setLevel", &json!({"level": "error"}));
    me.ask("resources/unsubscribe", &json!({"uri": "postino://inbox/me"}));
    let before = me.said().len();
    postino.send("alice", "me", "unheard");
    postino.run("alice", &["broadcast", "unheard too"]);
    std::thread::sleep(std::time::Duration::from_secs(2));
    assert_eq!(me.said().len(), before, "{:?}", &me.said()[before..]);
    me.ask("logging/setLevel", &json!({"level": "debug"}));
    postino.run("alice", &["broadcast", "to all"]);
    until("news", || logged(&me).iter().any(|told| told["params"]["data"]["newestBroadcast"]["from"] == "alice"));
}

on_each_store!(an_arrival_is_told_soon_and_without_its_words);
