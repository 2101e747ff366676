//! How often the server is asked: one script a verb, credentials in the same write, scripts sent anew when forgotten.

use std::time::Duration;

use super::desk::{ask, check, lease, mail, name, on_each, open, patient, send, try_send, word};
use super::fake::{Act, Fake};
use crate::error::Kind;
use crate::model::{Generation, Millis};
use crate::store::server::Server;
use crate::store::valkey::Valkey;
use crate::store::{BroadcastQuery, From, HistoryQuery, Holder, Pick, Settle, Store};

const MINUTE: Duration = Duration::from_secs(60);

/// A verb that can be run on a store.
type Verb = Box<dyn Fn(&Valkey)>;

/// Every verb of an actor once, each by its name.
fn verbs() -> Vec<(&'static str, Verb)> {
    let holder = Holder { generation: Generation(0), host_id: "host".to_owned(), pid: 1, started: 1 };
    let query = BroadcastQuery { all: false, advance: true, limit: 10, room: None };
    let history = HistoryQuery { limit: 10, ..HistoryQuery::default() };
    macro_rules! verb {
        ($store:ident, $step:ident => $call:expr) => {
            Box::new(move |store: &Valkey| ask(store, "bob", |$store, $step| assert!($call.is_ok())))
        };
    }
    vec![
        ("send", verb!(store, step => store.send(step, &mail("bob", "hello")))),
        ("check", verb!(store, step => store.check(step))),
        ("peek", verb!(store, step => store.peek(step, 10))),
        ("lease", verb!(store, step => store.lease(step, Pick::Head(10), MINUTE, 1))),
        ("settle", verb!(store, step => store.settle(step, &[], Settle::Ack))),
        ("dead", verb!(store, step => store.dead(step, 10))),
        ("dead_retry", verb!(store, step => store.dead_retry(step, None))),
        ("dead_purge", verb!(store, step => store.dead_purge(step, None))),
        ("broadcast", verb!(store, step => store.broadcast(step, &word("hear this")))),
        ("broadcasts", verb!(store, step => store.broadcasts(step, &query))),
        ("agents", verb!(store, step => store.agents(step, 1_000, None))),
        ("list", verb!(store, step => store.list(step, 10, From::Offset(0)))),
        ("history", verb!(store, step => store.history(step, &history))),
        ("find", verb!(store, step => store.find(step, crate::model::MessageId::at(Millis(0), 1)))),
        ("events", verb!(store, step => store.events(step, None, 10))),
        ("stats", verb!(store, step => store.stats(step))),
        ("claim", verb!(store, step => store.claim(step, &name("cem"), &holder, None))),
        ("holder", verb!(store, step => store.holder(step, &name("cem")))),
        ("holders", verb!(store, step => store.holders(step))),
        ("release", verb!(store, step => store.release(step, Generation(1)))),
        ("rename", verb!(store, step => store.rename(step, &name("rob"), None))),
        ("delete", verb!(store, step => store.delete(step, crate::model::MessageId::at(Millis(0), 1)))),
        ("clear", verb!(store, step => store.clear(step))),
        ("clear_broadcasts", verb!(store, step => store.clear_broadcasts(step))),
        ("cleanup", verb!(store, step => store.cleanup(step, &[], None))),
        ("phase", Box::new(|store| assert!(store.phase(Millis(0)).is_ok()))),
    ]
}

/// The commands that clients sent while `work` ran, without those of scripts.
fn watched(server: &Server, work: impl FnOnce()) -> Vec<String> {
    let mut monitor = server.connection();
    assert_eq!(monitor.ask(&["MONITOR"]), "OK");
    work();
    server.cli(&["ECHO", "that was all"]);
    let mut commands = Vec::new();
    loop {
        let line = monitor.reply().unwrap();
        if line.contains("that was all") {
            return commands;
        }
        if !line.contains(" lua] ") {
            commands.push(line.split('"').nth(1).unwrap().to_uppercase());
        }
    }
}

#[test]
fn every_verb_is_one_evalsha() {
    on_each(|server| {
        let store = open(&server.url());
        verbs().iter().for_each(|(_, verb)| verb(&store));
        server.cli(&["FLUSHALL"]);
        for (verb_name, verb) in verbs() {
            assert_eq!(watched(&server, || verb(&store)), ["EVALSHA"], "{verb_name}");
        }
        // A connection that is not open yet costs no command more.
        let fresh = open(&server.url());
        assert_eq!(watched(&server, || assert!(check(&fresh, "bob").is_ok())), ["EVALSHA"]);
    });
}

#[test]
fn a_thousand_agents_and_a_full_mailbox_are_one_trip_still() {
    on_each(|server| {
        let store = open(&server.url());
        for n in 0..1_000 {
            send(&store, &format!("agent-{n}"), "hello");
        }
        let agents = || ask(&store, "ann", |store, step| store.agents(step, 1_000, None)).unwrap();
        lease(&store, "agent-0");
        assert_eq!(agents().total, 1_001);
        assert_eq!(watched(&server, || drop(agents())), ["EVALSHA"]);
        assert_eq!(watched(&server, || drop(lease(&store, "agent-1"))), ["EVALSHA"]);
    });
}

#[test]
fn health_is_one_write() {
    on_each(|server| {
        let store = open(&server.url());
        check(&store, "bob").unwrap();
        let commands = watched(&server, || assert!(store.health(Millis(0)).is_ok()));
        assert_eq!(commands, ["EVAL", "INFO"], "and CONFIG, which a monitor does not see");
    });
}

#[test]
fn credentials_database_and_script_travel_in_one_write() {
    // The fake answers nothing before it has read all three.
    let answer = "+OK\r\n+OK\r\n*2\r\n$2\r\nok\r\n:3\r\n";
    let fake = Fake::start("meta", vec![vec![Act::Answer(answer), Act::Answer("*2\r\n$2\r\nok\r\n:4\r\n")]]);
    let store = patient(&(fake.url("me:secret@") + "/2"), Duration::from_secs(2));
    assert_eq!(ask(&store, "bob", |store, step| store.clear(step)).unwrap(), 3);
    assert_eq!(ask(&store, "bob", |store, step| store.clear(step)).unwrap(), 4);
    let requests = fake.requests();
    for word in ["AUTH", "me", "secret", "SELECT", "EVALSHA"] {
        assert!(requests[0].contains(&format!("\r\n{word}\r\n")), "{word}: {}", requests[0]);
    }
    assert!(!requests[1].contains("AUTH") && !requests[1].contains("SELECT"), "{}", requests[1]);
}

#[test]
fn a_server_that_forgot_the_scripts_is_told_them_again() {
    on_each(|server| {
        let store = open(&server.url());
        send(&store, "bob", "one");
        server.cli(&["SCRIPT", "FLUSH"]);
        send(&store, "bob", "two");
        let commands = watched(&server, || assert!(try_send(&store, "bob", "three").is_ok()));
        assert_eq!(commands, ["EVALSHA"]);
        assert_eq!(lease(&store, "bob").len(), 3);
    });
}

#[test]
fn a_wrong_password_and_a_wrong_database_are_said_to_be_wrong() {
    on_each(|server| {
        let with = |credentials: &str, rest: &str| {
            let store = open(&format!("redis://{credentials}127.0.0.1:{}{rest}", server.port()));
            check(&store, "bob").map(drop)
        };
        assert_eq!(with("", "/99").unwrap_err().kind, Kind::Usage);
        let asked_for_none = with(":secret@", "").unwrap_err();
        assert_eq!(asked_for_none.kind, Kind::Denied, "{}", asked_for_none.message);
        server.cli(&["CONFIG", "SET", "requirepass", "sesame"]);
        for credentials in ["", ":secret@", "me:secret@"] {
            let error = with(credentials, "").unwrap_err();
            assert_eq!(error.kind, Kind::Denied, "{error:?}");
            assert!(!error.message.contains("secret"), "{}", error.message);
        }
        with(":sesame@", "/3").unwrap();
        with("default:sesame@", "").unwrap();
    });
}
