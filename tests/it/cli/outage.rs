//! A store that is away, silent or broken: a clear error, in time.

use std::net::TcpListener;
use std::time::{Duration, Instant};

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
