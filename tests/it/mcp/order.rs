//! The order of calls: as they came in, also when they do not wait for each other.

use serde_json::json;

use super::client::{Client, succeeded};
use crate::support::{Postino, on_each_store};

/// How many calls are on their way at once.
const CALLS: usize = 300;

fn pipelined_sends_arrive_in_order(postino: &Postino) {
    let mut alice = Client::named(postino, "alice");
    let lines: Vec<String> = (0..CALLS)
        .map(|n| {
            let params = json!({"name": "msg_send", "arguments": {"to": "bob", "body": n.to_string()}});
            json!({"jsonrpc": "2.0", "id": 1_000 + n, "method": "tools/call", "params": params}).to_string() + "\n"
        })
        .collect();
    alice.write_text(&lines.concat());
    for n in 0..CALLS {
        succeeded(&alice.answer(1_000 + n as u64));
    }
    let mut bodies = Vec::new();
    while bodies.len() < CALLS {
        let page = postino.run("bob", &["read", "--limit", "100", "--json", "-q"]).json();
        let page = page["messages"].as_array().unwrap().clone();
        assert!(!page.is_empty(), "{} of {CALLS} arrived", bodies.len());
        bodies.extend(page.iter().map(|message| message["body"].as_str().unwrap().parse::<usize>().unwrap()));
    }
    assert_eq!(bodies, (0..CALLS).collect::<Vec<_>>());
}

on_each_store!(pipelined_sends_arrive_in_order);
