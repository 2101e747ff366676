//! A read takes mail when its answer is out, not before: a client that is killed before gets it again.

use std::io::Write;
use std::process::Stdio;

use serde_json::{Value, json};

use super::client::Client;
use crate::server::{Server, available, until};
use crate::support::{Postino, on_each_store};

/// A body that no pipe holds, and a command line just so.
fn long() -> String {
    "\u{1f4ee}".repeat(32_000)
}

/// Where a message stands.
fn standing(postino: &Postino, id: &str) -> Value {
    postino.json("onlooker", &["show", id])["standing"].clone()
}

fn a_client_that_dies_before_the_answer_is_out_gets_the_mail_again(postino: &Postino) {
    let id = postino.send("alice", "bob", &long());
    // It never reads: the answer does not fit into the pipe.
    let mut command = postino.command(&["mcp"]);
    command.env("POSTINO_AGENT_NAME", "bob").env("POSTINO_MESSAGE_LEASE", "2");
    let mut deaf = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let info =
        json!({"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}});
    let lines = [
        json!({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": info}),
        json!({"jsonrpc": "2.0", "id": 2, "method": "tools/call", "params": {"name": "msg_read", "arguments": {}}}),
    ];
    let stdin = deaf.stdin.as_mut().unwrap();
    lines.iter().for_each(|line| writeln!(stdin, "{line}").unwrap());
    until("a lease", || standing(postino, &id) == "leased");
    deaf.kill().unwrap();
    deaf.wait().unwrap();
    let mut again = Client::named(postino, "bob");
    let mut read = json!(null);
    until("the mail again", || {
        read = again.tool("msg_read", &json!({}));
        read["messages"].as_array().is_some_and(|messages| !messages.is_empty())
    });
    assert_eq!((&read["messages"][0]["body"], &read["messages"][0]["deliveries"]), (&json!(long()), &json!(2)));
    again.finish();
    assert_eq!(standing(postino, &id), "taken");
}

fn a_client_that_dies_after_the_answer_was_out_finds_the_mail_in_history(postino: &Postino) {
    let id = postino.send("alice", "bob", &long());
    let mut bob = Client::named(postino, "bob");
    assert_eq!(bob.tool("msg_read", &json!({}))["messages"][0]["body"], json!(long()));
    until("an ack", || standing(postino, &id) == "taken");
    bob.kill();
    let mut again = Client::named(postino, "bob");
    assert_eq!(again.tool("msg_read", &json!({}))["messages"], json!([]));
    assert_eq!(postino.json("bob", &["history"])["items"][0]["takenBy"], "bob");
}

fn an_answer_that_nobody_reads_gives_the_mail_back(postino: &Postino) {
    let id = postino.send("alice", "bob", &long());
    let mut command = postino.command(&["mcp"]);
    let mut child =
        command.env("POSTINO_AGENT_NAME", "bob").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let info =
        json!({"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}});
    let stdin = child.stdin.as_mut().unwrap();
    writeln!(stdin, "{}", json!({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": info})).unwrap();
    let call =
        json!({"jsonrpc": "2.0", "id": 2, "method": "tools/call", "params": {"name": "msg_read", "arguments": {}}});
    writeln!(stdin, "{call}").unwrap();
    until("a lease", || standing(postino, &id) == "leased");
    drop(child.stdout.take());
    // Its lease would hold for five minutes.
    until("the mail", || standing(postino, &id) == "waiting");
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn a_read_that_is_cancelled_gives_the_mail_back() {
    for flavor in available() {
        let server = Server::start(flavor, &[]);
        let postino = Postino::on(&server.url());
        let id = postino.send("alice", "bob", "hello");
        let mut bob = Client::named(&postino, "bob");
        bob.tool("msg_check", &json!({}));
        server.stop();
        let read = bob.call("msg_read", &json!({}));
        // It is on its way to the server when it is cancelled: messages are looked at in their order.
        bob.ask("ping", &json!({}));
        bob.write(&json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": read}}));
        bob.ask("ping", &json!({}));
        server.cont();
        until("the mail again", || {
            let record = postino.json("onlooker", &["show", &id]);
            record["standing"] == "waiting" && record["takenBy"] == "bob"
        });
        assert_eq!(bob.answered(read), None);
        assert_eq!(bob.tool("msg_read", &json!({}))["messages"][0]["deliveries"], 2);
    }
}

fn what_was_leased_is_the_readers_to_acknowledge(postino: &Postino) {
    let id = postino.send("alice", "bob", "hello");
    let mut bob = Client::named(postino, "bob");
    let leased = bob.tool("msg_read", &json!({"lease": 60}));
    let receipt = leased["messages"][0]["receipt"].clone();
    assert!(leased["messages"][0]["leaseUntil"].is_string());
    bob.finish();
    assert_eq!(standing(postino, &id), "leased");
    let mut again = Client::named(postino, "bob");
    assert_eq!(again.tool("msg_ack", &json!({"receipts": [receipt]}))["done"], json!([receipt]));
    assert_eq!(standing(postino, &id), "taken");
}

on_each_store!(
    a_client_that_dies_before_the_answer_is_out_gets_the_mail_again,
    a_client_that_dies_after_the_answer_was_out_finds_the_mail_in_history,
    an_answer_that_nobody_reads_gives_the_mail_back,
    what_was_leased_is_the_readers_to_acknowledge,
);
