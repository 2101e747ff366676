//! Answers stay below 60 KB, whatever waits; leases and cursors cover no more than an answer shows.

use serde_json::{Value, json};

use super::client::{Client, succeeded};
use crate::support::{Postino, on_each_store};

/// How long an answer may be, in bytes.
const LONGEST: usize = 60_000;

/// Calls a tool; its answer, which must not be too long, unless it holds one item alone.
#[track_caller]
fn bounded(client: &mut Client, tool: &str, arguments: &Value, list: &str) -> Value {
    let id = client.call(tool, arguments);
    let answer = client.answer(id);
    let (result, said) = (answer["result"].to_string().len(), succeeded(&answer));
    let count = said[list].as_array().unwrap().len();
    assert!(result <= LONGEST || count == 1, "{count} items in {result} bytes");
    said
}

/// Reads until nothing remains; all bodies, and how many were in each answer.
#[track_caller]
fn drained(client: &mut Client, tool: &str, list: &str) -> (Vec<String>, Vec<usize>) {
    let (mut bodies, mut counts) = (Vec::new(), Vec::new());
    loop {
        let arguments = if tool == "msg_read" { json!({"limit": 100}) } else { json!({}) };
        let said = bounded(client, tool, &arguments, list);
        let page = said[list].as_array().unwrap();
        assert!(page.iter().all(|message| message["deliveries"].as_u64().unwrap_or(1) == 1), "counted as delivered");
        bodies.extend(page.iter().map(|message| message["body"].as_str().unwrap().to_owned()));
        counts.push(page.len());
        if said["remaining"] == 0 {
            return (bodies, counts);
        }
    }
}

fn mail_comes_in_answers_that_are_short_enough_and_nothing_is_lost(postino: &Postino) {
    let mut alice = Client::named(postino, "alice-with-a-name-as-long-as-names-may-be-0123456789-0123456789");
    let mut sent: Vec<String> = (0..150).map(|n| format!("short {n}")).collect();
    sent.extend((0..10).map(|n| format!("{n}{}", "x".repeat(9_000))));
    sent.extend((0..6).map(|n| format!("{n}{}", "\"\\\n\u{1}".repeat(1_500))));
    sent.push("\u{1f4ee}".repeat(32_768));
    sent.push(format!("{}x", "\0".repeat(32_767)));
    sent.push("the last".to_owned());
    for body in &sent {
        alice.call("msg_send", &json!({"to": "bob", "body": body}));
    }
    alice.tool("msg_check", &json!({}));
    let mut bob = Client::named(postino, "bob");
    assert_eq!(bob.tool("msg_check", &json!({}))["unreadMessages"], sent.len());
    let (got, counts) = drained(&mut bob, "msg_read", "messages");
    assert!(got == sent, "{} of {} came, in order or not", got.len(), sent.len());
    assert!(counts[0] > 20, "{counts:?}");
    assert_eq!(&counts[counts.len() - 3..], [1, 1, 1], "{counts:?}");
}

fn a_lease_covers_what_the_answer_shows(postino: &Postino) {
    for n in 0..5 {
        postino.send("alice", "bob", &format!("{n}{}", "x".repeat(9_000)));
    }
    let mut bob = Client::named(postino, "bob");
    let leased = bounded(&mut bob, "msg_read", &json!({"lease": 60}), "messages");
    assert_eq!((leased["messages"].as_array().unwrap().len(), &leased["remaining"]), (2, &json!(3)));
    assert_eq!(bob.tool("msg_check", &json!({}))["unreadMessages"], 3);
    assert_eq!(postino.json("bob", &["stats"])["leased"], 2);
}

fn broadcasts_come_in_answers_that_are_short_enough_and_none_is_skipped(postino: &Postino) {
    let mut alice = Client::named(postino, "alice");
    let said: Vec<String> =
        (0..60).map(|n| if n % 2 == 0 { n.to_string() } else { format!("{n}{}", "x".repeat(32_000)) }).collect();
    for body in &said {
        alice.call("msg_broadcast", &json!({"body": body}));
    }
    alice.tool("msg_check", &json!({}));
    let mut bob = Client::named(postino, "bob");
    let all = bounded(&mut bob, "msg_broadcasts", &json!({"all": true}), "items");
    assert_eq!((&all["items"][0]["body"], &all["remaining"]), (&json!(said[59]), &json!(59)));
    let (got, _) = drained(&mut bob, "msg_broadcasts", "items");
    assert!(got == said, "{} of {} came, in order or not", got.len(), said.len());
    assert_eq!(bob.tool("msg_broadcasts", &json!({}))["items"], json!([]));
}

fn names_come_in_answers_that_are_short_enough(postino: &Postino) {
    let mut alice = Client::named(postino, "alice");
    let names: Vec<String> = (0..400).map(|n| format!("agent-{n:03}-{}", "n".repeat(50))).collect();
    for name in &names {
        alice.call("msg_send", &json!({"to": name, "body": "hi"}));
    }
    alice.tool("msg_check", &json!({}));
    let mut got: Vec<String> = Vec::new();
    loop {
        let page = bounded(&mut alice, "msg_list_agents", &json!({"after": got.last()}), "items");
        got.extend(page["items"].as_array().unwrap().iter().map(|agent| agent["name"].as_str().unwrap().to_owned()));
        if page["remaining"] == 0 {
            break;
        }
    }
    assert_eq!(got.iter().filter(|name| names.contains(name)).count(), 400);
    let resource = alice.ask("resources/read", &json!({"uri": "postino://agents"}));
    assert!(resource["result"].to_string().len() <= LONGEST);
}

on_each_store!(
    mail_comes_in_answers_that_are_short_enough_and_nothing_is_lost,
    a_lease_covers_what_the_answer_shows,
    broadcasts_come_in_answers_that_are_short_enough_and_none_is_skipped,
    names_come_in_answers_that_are_short_enough,
);
