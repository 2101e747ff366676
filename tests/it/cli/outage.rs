//! A store that is away, silent or broken: a clear error, in time.

use std::net::TcpListener;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::running::{Running, first_line, watching};
use crate::server::{Flavor, Server, available, until};
use crate::support::{NOWHERE, Postino, Ran};

/// Every command that asks the store something.
const LINES: [&[&str]; 20] = [
    &["send", "web", "hi"],
    &["ask", "web", "hi", "--timeout", "1"],
    &["read"],
    &["read", "--wait", "1"],
    &["ack", "0190b2c4-8a31-7c3e-9f10-2b6f0f5d9a11.0123456789abcdef"],
    &["extend", "0190b2c4-8a31-7c3e-9f10-2b6f0f5d9a11.0123456789abcdef"],
    &["release", "0190b2c4-8a31-7c3e-9f10-2b6f0f5d9a11.0123456789abcdef"],
    &["check"],
    &["broadcast", "hi"],
    &["broadcasts"],
    &["agents"],
    &["whoami"],
    &["rename", "other"],
    &["history"],
    &["show", "0190b2c4-8a31-7c3e-9f10-2b6f0f5d9a11"],
    &["dead", "list"],
    &["clear", "--yes"],
    &["cleanup"],
    &["stats"],
    &["watch"],
];

#[test]
fn a_store_that_is_away_is_an_error_that_says_what_to_do() {
    let postino = Postino::on(NOWHERE);
    for line in LINES {
        let begin = Instant::now();
        let ran = postino.run("api", line);
        assert_eq!((ran.code, ran.out.as_str()), (7, ""), "{line:?}: {}", ran.err);
        assert!(ran.err.starts_with("postino: ") && ran.err.contains("\n  try: "), "{line:?}: {}", ran.err);
        assert!(ran.err.contains(NOWHERE) && begin.elapsed() < Duration::from_secs(6), "{line:?}: {}", ran.err);
    }
}

#[test]
fn a_server_that_never_answers_is_given_up() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let postino = Postino::on(&format!("redis://:secret@{}", silent.local_addr().unwrap()));
    for line in [&["send", "web", "hi", "--json"][..], &["whoami", "--json"], &["cleanup", "--json"]] {
        let begin = Instant::now();
        let ran = postino.run("api", line);
        assert_eq!((ran.code, ran.out.as_str()), (7, ""), "{line:?}: {}", ran.err);
        assert!(ran.err.starts_with("{\"ok\":false,\"error\":{\"kind\":\"unreachable\","), "{}", ran.err);
        assert!(!ran.err.contains("secret") && begin.elapsed() < Duration::from_millis(6_500), "{}", ran.err);
    }
}

#[test]
fn a_broken_database_is_said_to_be_broken() {
    let postino = Postino::new();
    postino.send("api", "web", "hi");
    let file = postino.home().join("data/postino.db");
    std::fs::write(&file, "this is no database, and longer than its first page would be: ".repeat(100)).unwrap();
    for side in ["data/postino.db-wal", "data/postino.db-shm"] {
        let _ = std::fs::remove_file(postino.home().join(side));
    }
    let ran = postino.run("web", &["read"]);
    assert!([1, 7].contains(&ran.code) && ran.out.is_empty(), "{ran:?}");
    assert!(ran.err.starts_with("postino: ") && ran.err.contains("postino.db"), "{}", ran.err);
}

#[test]
fn the_cause_of_an_error_is_told_on_demand() {
    let postino = Postino::on(NOWHERE);
    let ran = Ran::of(postino.command(&["check", "--agent", "api"]).env("POSTINO_DEBUG", "1"));
    assert!(ran.err.contains("\n  cause: "), "{}", ran.err);
}

/// Servers that keep everything over a restart.
fn lasting_servers() -> Vec<Server> {
    let keep = ["--appendonly", "yes", "--appendfsync", "always"];
    available().into_iter().map(|flavor: Flavor| Server::start(flavor, &keep)).collect()
}

/// Reads a watcher's events until one is about this message.
fn events_until(watch: &mut Running, id: &str) -> Vec<Value> {
    let mut events = Vec::new();
    while events.last().is_none_or(|event: &Value| event["id"] != id) {
        events.push(watch.json());
    }
    events
}

#[test]
fn a_watch_lives_through_an_outage_without_gap_or_double() {
    for mut server in lasting_servers() {
        let postino = Postino::on(&server.url());
        let (mut watch, first) = watching(&postino, &["--json"]);
        let before = postino.send("api", "web", "before");
        let mut told = events_until(&mut watch, &before);
        server.kill();
        assert!(watch.complaint().contains("trying again"));
        server.restart();
        let after: Vec<String> = (0..3).map(|n| postino.send("api", "web", &n.to_string())).collect();
        told.extend(events_until(&mut watch, &after[2]));
        let first: Value = serde_json::from_str(&first).unwrap();
        let cursor = first["cursor"].as_str().unwrap();
        let mut later = Running::start(&postino, &["--agent", "auditor", "watch", "--json", "--after", cursor]);
        assert_eq!(told, events_until(&mut later, &after[2]));
    }
}

#[test]
fn who_waits_for_an_answer_or_a_receipt_lives_through_an_outage() {
    for mut server in lasting_servers() {
        let postino = Postino::on(&server.url());
        postino.meet("web");
        postino.meet("cat");
        let mut ask = Running::start(&postino, &["--agent", "ci", "ask", "web", "may I?", "--timeout", "60", "--json"]);
        let send = ["--agent", "ci", "send", "cat", "hi", "--wait-taken", "60", "--json"];
        let mut send = Running::start(&postino, &send);
        send.json();
        let waiting = || server.cli(&["CLIENT", "LIST"]).matches("flags=b").count() == 2;
        until("both wait", waiting);
        server.kill();
        assert!(ask.complaint().contains("trying again") && send.complaint().contains("trying again"));
        server.restart();
        let question = postino.json("web", &["read"])["messages"][0]["id"].as_str().unwrap().to_owned();
        assert_eq!(postino.run("web", &["send", "ci", "you may", "--reply-to", &question]).code, 0);
        assert_eq!(ask.json()["body"], "you may");
        assert_eq!(postino.run("cat", &["read"]).code, 0);
        assert_eq!(send.json()["standing"], "taken");
    }
}

#[test]
fn a_waiting_read_lives_through_an_outage() {
    for mut server in lasting_servers() {
        let postino = Postino::on(&server.url());
        let mut read = Running::start(&postino, &["--agent", "web", "read", "--wait", "60", "--json"]);
        until("the reader waits", || server.cli(&["CLIENT", "LIST"]).contains("flags=b"));
        server.kill();
        assert!(read.complaint().contains("trying again"));
        server.restart();
        let id = postino.send("api", "web", "hi");
        assert_eq!(read.json()["messages"][0]["id"], id);
    }
}

#[test]
fn commands_that_wait_follow_a_store_that_moves() {
    let postino = Postino::new();
    let chosen = |args: &[&str]| {
        let mut command = postino.command(args);
        command.env_remove("POSTINO_VALKEY_URL");
        command
    };
    let run = |args: &[&str]| {
        let ran = Ran::of(&mut chosen(args));
        assert_eq!(ran.code, 0, "{args:?}: {}", ran.err);
        ran
    };
    run(&["check", "--agent", "api"]);
    let mut watch = Running::of(&mut chosen(&["--agent", "auditor", "watch", "--json"]));
    let here = Postino::on(&format!("sqlite:{}", postino.home().join("postino/postino.db").display()));
    first_line(&here, &mut watch);
    let mut read = Running::of(&mut chosen(&["--agent", "web", "read", "--wait", "60", "--json"]));
    let there = format!("sqlite:{}", postino.home().join("there/postino.db").display());
    run(&["--agent", "api", "store", "move", &there]);
    run(&["--agent", "api", "send", "web", "hi"]);
    assert_eq!(read.json()["messages"][0]["body"], "hi");
    let mut told = watch.json();
    while told["type"] != "reset" {
        told = watch.json();
    }
    let sent = run(&["--agent", "api", "send", "web", "again", "--json"]).json();
    events_until(&mut watch, sent["id"].as_str().unwrap());
}
