//! The protocol as raw lines: both eras, what is no request, and that stdout carries nothing but JSON-RPC.

use serde_json::{Value, json};

use super::client::{Client, succeeded};
use crate::support::Postino;

fn start(postino: &Postino) -> Client {
    let mut command = postino.command(&["mcp"]);
    command.env("POSTINO_AGENT_NAME", "me");
    Client::start(command)
}

#[test]
fn every_version_with_a_handshake_is_spoken() {
    let postino = Postino::new();
    for version in ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"] {
        let mut me = start(&postino);
        let said = me.initialize(version);
        assert_eq!(said["protocolVersion"], version);
        assert_eq!(said["serverInfo"], json!({"name": "postino", "version": env!("CARGO_PKG_VERSION")}));
        let instructions = said["instructions"].as_str().unwrap();
        assert!(instructions.contains("msg_read") && instructions.chars().count() <= 2_000);
        assert_eq!(me.ask("ping", &json!({}))["result"], json!({}));
        assert_eq!(me.tool("msg_whoami", &json!({}))["agent"], "me");
        me.finish();
    }
    // A version that nobody knows is answered with one that the server knows.
    assert_eq!(start(&postino).initialize("2099-01-01")["protocolVersion"], "2025-11-25");
}

/// What each request of the newest version carries.
fn meta() -> Value {
    json!({
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientInfo": {"name": "test", "version": "1"},
        "io.modelcontextprotocol/clientCapabilities": {},
    })
}

#[test]
fn the_version_without_a_handshake_is_spoken() {
    let postino = Postino::new();
    let mut me = start(&postino);
    let found = me.ask("server/discover", &json!({"_meta": meta()}))["result"].clone();
    assert!(found["supportedVersions"].as_array().unwrap().contains(&json!("2026-07-28")), "{found}");
    assert!(found.to_string().contains("\"postino\"") && found["instructions"].is_string(), "{found}");
    let list = me.ask("tools/list", &json!({"_meta": meta()}))["result"].clone();
    assert_eq!((list["tools"].as_array().unwrap().len(), &list["resultType"]), (10, &json!("complete")));
    let call = me.ask("tools/call", &json!({"_meta": meta(), "name": "msg_whoami", "arguments": {}}));
    assert_eq!((&succeeded(&call)["agent"], &call["result"]["resultType"]), (&json!("me"), &json!("complete")));
    // Mail is taken here as well when the answer is out.
    postino.send("alice", "me", "hello");
    let call = me.ask("tools/call", &json!({"_meta": meta(), "name": "msg_read"}));
    assert_eq!(succeeded(&call)["messages"][0]["body"], "hello");
    me.finish();
    assert_eq!(postino.json("me", &["history"])["items"][0]["standing"], "taken");
}

#[test]
fn an_arrival_is_told_to_who_listens_in_the_newest_version() {
    let postino = Postino::new();
    let mut me = start(&postino);
    let wanted =
        json!({"_meta": meta(), "notifications": {"resourceSubscriptions": ["postino://inbox/me", "file:///x"]}});
    let listening = me.send("subscriptions/listen", &wanted);
    let told = me.hears("an acknowledgement", |said| said["method"] == "notifications/subscriptions/acknowledged");
    assert_eq!(told["params"]["notifications"]["resourceSubscriptions"], json!(["postino://inbox/me"]));
    let call = me.ask("tools/call", &json!({"_meta": meta(), "name": "msg_check"}));
    succeeded(&call);
    let mut sent = 0;
    let told = loop {
        // The first look may come after the first message, which then is no news.
        postino.send("alice", "me", "hello");
        sent += 1;
        std::thread::sleep(std::time::Duration::from_millis(500));
        if let Some(told) = me.said().into_iter().find(|said| said["method"] == "notifications/resources/updated") {
            break told;
        }
        assert!(sent < 60, "{:?}", me.said());
    };
    assert_eq!(told["params"]["uri"], "postino://inbox/me");
    assert_eq!(me.answered(listening), None);
    assert!(me.said().iter().all(|said| said["method"] != "notifications/message"), "not legal in this version");
    me.finish();
}

#[test]
fn what_is_no_request_does_no_harm() {
    let postino = Postino::new();
    let mut me = start(&postino);
    me.write_text("\n\r\nnot json\n{\"jsonrpc\":\"2.0\",\"method\":\"notifications/initialized\"}\n[]\n{}\n");
    me.write_text("{\"jsonrpc\":\"2.0\",\"id\":77,\"result\":{}}\n");
    assert_eq!(me.ask("ping", &json!({}))["result"], json!({}));
    me.initialize("2025-11-25");
    me.write_text(
        "\u{feff}{\"jsonrpc\":\"2.0\",\"method\":\"notifications/unknown\"}\n{\"jsonrpc\":\"2.0\",\"id\":1.5}\n",
    );
    let unknown = me.ask("no/such", &json!({}));
    assert_eq!((&unknown["error"]["code"], &unknown["error"]["data"]["method"]), (&json!(-32601), &json!("no/such")));
    for (method, params) in [
        ("resources/read", json!({ "uri": 7 })),
        ("resources/subscribe", json!({})),
        ("prompts/get", json!({ "name": [] })),
        ("completion/complete", json!({ "ref": 1 })),
        ("logging/setLevel", json!({ "level": "loud" })),
    ] {
        let refused = me.ask(method, &params);
        assert_eq!((&refused["error"]["code"], &refused["error"]["data"]["method"]), (&json!(-32602), &json!(method)));
    }
    assert_eq!(me.tool("msg_whoami", &json!({}))["agent"], "me");
    me.finish();
    for said in me.said() {
        assert_eq!(said["jsonrpc"], "2.0", "{said}");
    }
}

#[test]
fn half_a_character_is_no_reason_to_be_silent() {
    let postino = Postino::new();
    let mut me = start(&postino);
    me.initialize("2025-11-25");
    me.write_text(concat!(
        r#"{"jsonrpc":"2.0","id":900,"method":"tools/call","params":{"name":"msg_send","#,
        r#""arguments":{"to":"me","body":"cut \ud83d, whole \ud83d\ude00"}}}"#,
        "\n"
    ));
    assert_eq!(me.answer(900)["result"]["isError"], json!(false));
    let read = me.tool("msg_read", &json!({}));
    assert_eq!(read["messages"][0]["body"], "cut \u{fffd}, whole \u{1f600}");
    me.finish();
}
