//! Servers that are gone, hang, restart, lie or are full: a clear word in bounded time, and nothing done twice.

use std::net::{Ipv4Addr, TcpListener};
use std::time::{Duration, Instant};

use super::desk::{ask, check, for_each, lease, mail, on_each, open, patient, send, try_send};
use super::fake::{Act, Fake};
use crate::error::Kind;
use crate::store::server::{Server, free_port};
use crate::store::valkey::{Options, Valkey};
use crate::store::{NewMail, Once, Scope, Settle, Store};

#[test]
fn a_server_that_is_not_there_is_said_to_be_unreachable() {
    let port = free_port();
    let error = check(&open(&format!("redis://u:secret@127.0.0.1:{port}")), "bob").unwrap_err();
    assert_eq!(error.kind, Kind::Unreachable);
    assert_eq!(error.message, format!("cannot reach Valkey at redis://u:***@127.0.0.1:{port}: connection refused"));
    assert!(error.hint.unwrap().contains("POSTINO_VALKEY_URL"));
}

#[test]
fn a_name_that_cannot_be_resolved_takes_no_longer_than_a_connection() {
    let options = Options { connect: Duration::from_millis(500), ..Options::default() };
    let begin = Instant::now();
    let error = check(&Valkey::open("redis://no-such-host.invalid", options).unwrap(), "bob").unwrap_err();
    assert_eq!(error.kind, Kind::Unreachable);
    assert!(begin.elapsed() < Duration::from_millis(1_500), "{:?}", begin.elapsed());
}

#[test]
fn a_name_is_resolved() {
    on_each(|server| {
        let store = open(&format!("redis://localhost:{}", server.port()));
        send(&store, "bob", "hello");
    });
}

#[test]
fn a_server_that_accepts_and_never_answers_ends_after_the_limit() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let url = format!("redis://:secret@127.0.0.1:{}/1", listener.local_addr().unwrap().port());
    let begin = Instant::now();
    let error = check(&patient(&url, Duration::from_millis(300)), "bob").unwrap_err();
    assert_eq!(error.kind, Kind::Unreachable);
    assert!(error.message.ends_with("no answer in time"), "{}", error.message);
    let waited = begin.elapsed();
    assert!(waited >= Duration::from_millis(300) && waited < Duration::from_secs(2), "{waited:?}");
}

#[test]
fn a_deadline_cuts_every_limit() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let url = format!("redis://127.0.0.1:{}", listener.local_addr().unwrap().port());
    let begin = Instant::now();
    let options = Options { deadline: Some(begin + Duration::from_millis(200)), ..Options::default() };
    let store = Valkey::open(&url, options).unwrap();
    for _ in 0..3 {
        assert_eq!(check(&store, "bob").unwrap_err().kind, Kind::Unreachable);
    }
    assert!(begin.elapsed() < Duration::from_secs(1), "{:?}", begin.elapsed());
}

#[test]
fn a_server_that_stands_still_and_goes_on_is_used_again() {
    on_each(|server| {
        let store = patient(&server.url(), Duration::from_millis(300));
        send(&store, "bob", "hello");
        server.stop();
        let error = check(&store, "bob").unwrap_err();
        assert_eq!(error.kind, Kind::Unreachable);
        server.cont();
        let store = open(&server.url());
        assert_eq!(check(&store, "bob").unwrap().unread, 1);
    });
}

#[test]
fn a_lost_connection_is_opened_again() {
    on_each(|mut server| {
        server.cli(&["CONFIG", "SET", "appendonly", "no"]);
        let store = open(&server.url());
        check(&store, "bob").unwrap();
        server.restart();
        assert_eq!(check(&store, "bob").unwrap().unread, 0);
        server.cli(&["CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"]);
        assert_eq!(check(&store, "bob").unwrap().unread, 0);
        server.kill();
        assert_eq!(check(&store, "bob").unwrap_err().kind, Kind::Unreachable);
        server.restart();
        send(&store, "bob", "hello");
    });
}

/// A script's answer that is a number.
const NUMBER: &str = "*2\r\n$2\r\nok\r\n:1\r\n";
/// A script's answer that is an empty list.
const NONE: &str = "*2\r\n$2\r\nok\r\n*0\r\n";

#[test]
fn a_step_that_does_no_harm_twice_is_repeated_on_a_new_connection() {
    let fake = Fake::start("meta", vec![vec![Act::Answer(NONE), Act::Close], vec![Act::Answer(NONE)]]);
    let store = open(&fake.url(""));
    for _ in 0..2 {
        assert!(ask(&store, "bob", |store, step| store.holders(step)).unwrap().is_empty());
    }
    drop(store);
    assert_eq!(fake.requests().len(), 3);
}

#[test]
fn a_step_whose_answer_is_lost_is_not_repeated_and_said_to_be_unknown() {
    let fake = Fake::start("meta", vec![vec![Act::Answer(NUMBER), Act::Close]]);
    let store = open(&fake.url(""));
    ask(&store, "bob", |store, step| store.clear(step)).unwrap();
    let error = try_send(&store, "bob", "hello").unwrap_err();
    assert_eq!(error.kind, Kind::Unreachable);
    assert!(error.message.contains("the outcome is unknown: the message may or may not have been stored"));
    assert!(error.hint.unwrap().contains("--key"));
    assert_eq!(fake.requests().len(), 2);
}

#[test]
fn a_lost_answer_is_told_as_unknown_also_where_a_repetition_does_no_harm() {
    let lost = || Fake::start("meta", vec![vec![Act::Close]]);
    let unknown = |error: crate::error::Error, words: &str| {
        assert_eq!(error.kind, Kind::Unreachable);
        assert!(error.message.contains("the outcome is unknown") && error.message.contains(words), "{}", error.message);
        assert!(error.hint.unwrap().contains("no harm"));
    };
    let fake = lost();
    let once = Some(Once { key: "k".parse().unwrap(), fingerprint: "00".repeat(16) });
    let mail = NewMail { once, ..mail("bob", "hello") };
    let sent = ask(&open(&fake.url("")), "ann", |store, step| store.send(step, &mail));
    unknown(sent.unwrap_err(), "may or may not have been stored");
    let fake = lost();
    let receipt = "0190b2c4-0000-7000-8000-000000000000.0000000000000001".parse().unwrap();
    let acked = ask(&open(&fake.url("")), "bob", |store, step| store.settle(step, &[receipt], Settle::Ack));
    unknown(acked.unwrap_err(), "may or may not have been acknowledged");
}

#[test]
fn a_lost_answer_stays_unknown_when_the_repetition_fails_too() {
    let number = || Act::Answer(NUMBER);
    let no_script = || Act::Answer("-NOSCRIPT No matching script.\r\n");
    let loading = || Act::Answer("-LOADING Redis is loading the dataset in memory\r\n");
    for connections in [
        // The server is gone, when the script was known and when it was not.
        vec![vec![number(), Act::Close]],
        vec![vec![number(), no_script(), Act::Close]],
        // It is back, and says that it cannot.
        vec![vec![number(), Act::Close], vec![loading()]],
        vec![vec![number(), Act::Close], vec![no_script(), Act::Close]],
    ] {
        let fake = Fake::start("meta", connections);
        let store = open(&fake.url(""));
        ask(&store, "bob", |store, step| store.clear(step)).unwrap();
        let once = Some(Once { key: "k".parse().unwrap(), fingerprint: "00".repeat(16) });
        let mail = NewMail { once, ..mail("bob", "hello") };
        let error = ask(&store, "ann", |store, step| store.send(step, &mail)).unwrap_err();
        assert_eq!(error.kind, Kind::Unreachable);
        assert!(error.message.contains("the outcome is unknown"), "{}", error.message);
    }
}

#[test]
fn a_send_with_a_key_is_repeated() {
    let sent =
        "*2\r\n$2\r\nok\r\n*5\r\n$36\r\n0190b2c4-0000-7000-8000-000000000000\r\n:1\r\n$7\r\nunknown\r\n:1\r\n$-1\r\n";
    let fake = Fake::start("meta", vec![vec![Act::Answer(NUMBER), Act::Close], vec![Act::Answer(sent)]]);
    let store = open(&fake.url(""));
    ask(&store, "bob", |store, step| store.clear(step)).unwrap();
    let once = Some(Once { key: "k".parse().unwrap(), fingerprint: "00".repeat(16) });
    let mail = NewMail { once, ..mail("bob", "hello") };
    assert!(ask(&store, "ann", |store, step| store.send(step, &mail)).unwrap().created);
    assert_eq!(fake.requests().len(), 3);
}

#[test]
fn what_a_server_cannot_do_now_is_said_in_clear_words() {
    for (answer, kind, words) in [
        ("-LOADING Redis is loading the dataset in memory\r\n", Kind::Unreachable, "loading"),
        ("-READONLY You can't write against a read only replica.\r\n", Kind::Unreachable, "replica"),
        ("-CLUSTERDOWN The cluster is down\r\n", Kind::Unreachable, "cluster"),
        ("-MASTERDOWN Link with MASTER is down\r\n", Kind::Unreachable, "lost its primary"),
        ("-NOREPLICAS Not enough good replicas to write.\r\n", Kind::Other, "nothing was stored"),
        ("-MISCONF Errors writing to the AOF file\r\n", Kind::Other, "nothing was stored"),
        ("-BUSY Redis is busy running a script.\r\n", Kind::Unreachable, "busy"),
        ("-NOPERM this user has no permissions\r\n", Kind::Denied, "may not"),
        ("-@user_script: 7: -OOM command not allowed\r\n", Kind::Other, "out of memory"),
        ("-@user_script: 7: The user executing the script can't run this command\r\n", Kind::Denied, "may not"),
        ("-DENIED Redis is running in protected mode\r\n", Kind::Denied, "protected mode"),
        ("-UNBLOCKED force unblock\r\n", Kind::Unreachable, "another role"),
        ("-ERR max number of clients reached\r\n", Kind::Unreachable, "no more clients"),
        ("-WEIRD something\r\n", Kind::Other, "refused"),
        ("+what\r\n", Kind::Other, "cannot be understood"),
        ("HTTP/1.1 400 Bad Request\r\n\r\n", Kind::Unreachable, "no answer of a Valkey or Redis"),
    ] {
        let fake = Fake::start("meta", vec![vec![Act::Answer(answer)]]);
        let error = check(&open(&fake.url("")), "bob").unwrap_err();
        assert_eq!(error.kind, kind, "{answer}: {}", error.message);
        assert!(error.message.contains(words) && error.hint.is_some(), "{answer}: {}", error.message);
        fake.requests();
    }
}

#[test]
fn a_full_server_stores_nothing_and_says_so() {
    on_each(|server| {
        let store = open(&server.url());
        send(&store, "bob", "hello");
        server.cli(&["CONFIG", "SET", "maxmemory", "1"]);
        let error = try_send(&store, "bob", "too much").unwrap_err();
        assert_eq!(error.kind, Kind::Other);
        assert!(error.message.contains("out of memory; nothing was stored"), "{error:?}");
        server.cli(&["CONFIG", "SET", "maxmemory", "0"]);
        assert_eq!(store.census().unwrap().messages, 1);
        assert_eq!(lease(&store, "bob").len(), 1);
    });
}

#[test]
fn a_waiter_says_that_its_server_is_gone() {
    on_each(|mut server| {
        let store = open(&server.url());
        let mut waiter = store.waiter(&Scope::Events).unwrap();
        let gone = std::thread::spawn(move || waiter.wait(Instant::now() + Duration::from_secs(60)));
        crate::store::server::until("the waiter blocks", || server.cli(&["CLIENT", "LIST"]).contains("cmd=xread"));
        server.kill();
        assert_eq!(gone.join().unwrap().unwrap_err().kind, Kind::Unreachable);
    });
}

#[test]
fn a_socket_is_as_good_as_a_port() {
    for_each(|flavor| {
        let folder = tempfile::tempdir().unwrap();
        let socket = folder.path().join("server.sock");
        let path = socket.to_str().unwrap();
        let server = Server::start(flavor, &["--unixsocket", path, "--requirepass", "secret"]);
        for url in [format!("unix://:secret@{path}?db=2"), format!("redis+unix://{path}?pass=secret&db=2")] {
            let store = open(&url);
            let id = send(&store, "bob", "hello");
            assert_eq!(lease(&store, "bob")[0].id, id);
        }
        drop(server);
        let error = check(&open(&format!("unix://{path}-gone")), "bob").unwrap_err();
        assert!(error.message.ends_with("there is no such socket"), "{}", error.message);
    });
}
