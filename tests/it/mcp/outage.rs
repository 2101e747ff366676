//! A store that is slow, silent or away: nothing else waits for it, and the model is told what to do.

use std::time::{Duration, Instant};

use serde_json::json;

use super::client::{Client, failed};
use crate::server::{Flavor, Server, available, until};
use crate::support::{NOWHERE, Postino};

/// How long a model waits at most, and some time for a machine that is busy.
const IN_TIME: Duration = Duration::from_millis(5_500);

#[test]
fn a_store_that_is_away_is_told_in_time() {
    let mut me = Client::named(&Postino::on(NOWHERE), "me");
    for (tool, arguments) in
        [("msg_whoami", json!({})), ("msg_read", json!({})), ("msg_send", json!({"to": "bob", "body": "hi"}))]
    {
        let begin = Instant::now();
        let text = me.fails(tool, &arguments);
        assert!(text.contains("connection refused") && text.contains("\ntry: "), "{text}");
        assert!(begin.elapsed() < IN_TIME, "{:?}", begin.elapsed());
    }
    // What needs no store is there all the same.
    assert_eq!(me.ask("resources/list", &json!({}))["result"]["resources"].as_array().unwrap().len(), 1);
    assert!(
        me.ask("resources/read", &json!({"uri": "postino://agents"}))["error"]["message"]
            .as_str()
            .unwrap()
            .contains("\ntry: ")
    );
    me.finish();
}

#[test]
fn a_silent_store_holds_up_nothing_but_calls_and_those_not_for_long() {
    for flavor in available() {
        silent(flavor);
    }
}

fn silent(flavor: Flavor) {
    let server = Server::start(flavor, &[]);
    let postino = Postino::on(&server.url());
    let mut me = Client::named(&postino, "me");
    me.tool("msg_check", &json!({}));
    server.stop();
    let begin = Instant::now();
    let calls: Vec<u64> = (0..5).map(|n| me.call("msg_send", &json!({"to": "bob", "body": n.to_string()}))).collect();
    // One that waits is cancelled: it gets no answer, and is never carried out.
    let cancelled = me.call("msg_send", &json!({"to": "bob", "body": "cancelled"}));
    me.write(&json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": cancelled}}));
    me.ask("ping", &json!({}));
    me.ask("tools/list", &json!({}));
    assert!(begin.elapsed() < Duration::from_secs(2), "a ping waited {:?}", begin.elapsed());
    assert!(calls.iter().all(|id| me.answered(*id).is_none()));
    let texts: Vec<String> = calls.iter().map(|id| failed(&me.answer(*id))).collect();
    assert!(begin.elapsed() < IN_TIME, "{:?}", begin.elapsed());
    assert!(texts[0].contains("outcome is unknown") || texts[0].contains("may or may not"), "{}", texts[0]);
    assert!(texts[1..].iter().all(|text| text.contains("this one was not carried out")), "{texts:?}");
    server.cont();
    // The next call works; of the others only the first may have been carried out.
    until("an answer", || me.call_succeeds("msg_check"));
    let bodies = postino.json("bob", &["read"])["messages"].as_array().unwrap().clone();
    assert!(bodies.iter().all(|message| message["body"] == "0"), "{bodies:?}");
    assert_eq!(me.answered(cancelled), None);
    me.finish();
}

#[test]
fn when_the_store_is_back_the_next_call_works_and_presence_is_right() {
    for flavor in available() {
        back(flavor);
    }
}

fn back(flavor: Flavor) {
    let mut server = Server::start(flavor, &[]);
    let postino = Postino::on(&server.url());
    let mut me = Client::named(&postino, "me");
    me.tool("msg_check", &json!({}));
    server.kill();
    assert!(me.fails("msg_check", &json!({})).contains("\ntry: "));
    // It comes back empty: what it knew of the session is lost.
    server.restart();
    let begin = Instant::now();
    until("presence", || {
        let agents = postino.json("bob", &["agents"]);
        agents["items"].as_array().unwrap().iter().any(|agent| agent["name"] == "me" && agent["online"] == true)
    });
    assert!(begin.elapsed() < Duration::from_secs(16), "{:?}", begin.elapsed());
    me.tool("msg_send", &json!({"to": "me", "body": "to myself"}));
    assert_eq!(me.tool("msg_read", &json!({}))["messages"][0]["body"], "to myself");
    me.finish();
}

impl Client {
    fn call_succeeds(&mut self, tool: &str) -> bool {
        let id = self.call(tool, &json!({}));
        self.answer(id)["result"]["isError"] == false
    }
}
