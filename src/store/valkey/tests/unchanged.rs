//! That a check which repeats the last answer tells nothing else than one that looks, and that it spares that look.

use std::time::Duration;

use proptest::prop_assert_eq;
use proptest::test_runner::{Config, TestRunner};

use super::desk::{check, on_each, open, send};
use crate::model::Millis;
use crate::store::conformance::walk::{NOW, Walk, actor, any_walk, step};
use crate::store::server::{Server, Wire};
use crate::store::valkey::{Options, Valkey};
use crate::store::{Pick, Standing, Store};

/// How often the server has run each command, as it tells it.
fn runs(wire: &mut Wire, command: &str) -> u32 {
    let stats = wire.ask(&["INFO", "commandstats"]);
    let count = stats.split_once(&format!("cmdstat_{command}:calls=")).and_then(|(_, rest)| rest.split_once(','));
    count.map_or(0, |(count, _)| count.parse().unwrap())
}

/// A store that has told bob of a message.
fn told(server: &Server) -> Valkey {
    let store = open(&server.url());
    send(&store, "bob", "hello");
    check(&store, "bob").unwrap();
    store
}

/// A store that goes by the time that it is given.
fn timed(server: &Server) -> Valkey {
    Valkey::open(&server.url(), Options { given_clock: true, ..Options::default() }).unwrap()
}

/// Whether this check of bob's looked at his mailbox.
fn looks(server: &Server, store: &Valkey, unread: u64) -> bool {
    let mut wire = server.connection();
    let before = runs(&mut wire, "zcount");
    assert_eq!(check(store, "bob").unwrap().unread, unread);
    runs(&mut wire, "zcount") > before
}

#[test]
fn a_second_check_runs_six_commands_and_looks_at_no_mailbox() {
    on_each(|server| {
        let store = told(&server);
        let mut wire = server.connection();
        wire.ask(&["CONFIG", "RESETSTAT"]);
        assert_eq!(check(&store, "bob").unwrap().unread, 1);
        let commands = ["evalsha", "get", "hmget", "time", "zscore", "hset", "zadd"];
        let counts = commands.map(|command| (command, runs(&mut wire, command)));
        assert_eq!(counts, commands.map(|command| (command, 1)));
        let stats = wire.ask(&["INFO", "commandstats"]);
        let others = stats
            .lines()
            .filter(|line| line.starts_with("cmdstat_") && !line.contains("config|") && !line.contains("info"));
        assert_eq!(others.count(), commands.len(), "{stats}");
        assert!(!looks(&server, &store, 1));
        send(&store, "ann", "to somebody else");
        assert!(looks(&server, &store, 1));
    });
}

#[test]
fn an_answer_of_another_life_of_the_store_or_half_of_one_is_not_told() {
    on_each(|server| {
        let store = told(&server);
        assert!(!looks(&server, &store, 1));
        let mut wire = server.connection();
        let kept = wire.ask(&["GET", "{po:}f:bob"]);
        for other in ["", "x", &kept[..kept.len() / 2], &kept.replacen(char::is_alphanumeric, "x", 1)] {
            wire.ask(&["SET", "{po:}f:bob", other]);
            assert!(looks(&server, &store, 1), "{other}");
        }
        assert!(!looks(&server, &store, 1));
        wire.ask(&["DEL", "{po:}f:bob"]);
        wire.ask(&["SADD", "{po:}f:bob", "a"]);
        assert!(looks(&server, &store, 1));
    });
}

#[test]
fn a_repeated_answer_is_what_a_look_would_find() {
    on_each(|server| {
        let store = timed(&server);
        let mut runner = TestRunner::new(Config { cases: 40, failure_persistence: None, ..Config::default() });
        let repeated = std::cell::Cell::new(0);
        let played = runner.run(&any_walk(), |ops| {
            let mut wire = server.connection();
            wire.ask(&["FLUSHALL"]);
            let mut walk = Walk::new();
            for op in &ops {
                walk.play(&store, op);
                for by in walk.onlookers() {
                    let before = runs(&mut wire, "zcount");
                    let told = store.check(&step(&by, walk.now)).map_err(|error| error.kind);
                    repeated.set(repeated.get() + u32::from(told.is_ok() && runs(&mut wire, "zcount") == before));
                    wire.ask(&["DEL", &format!("{{po:}}f:{}", by.name)]);
                    let found = store.check(&step(&by, walk.now)).map_err(|error| error.kind);
                    prop_assert_eq!(told, found, "{} at {:?}", by.name, op);
                }
            }
            Ok(())
        });
        assert!(played.is_ok(), "{played:?}");
        assert!(repeated.get() > 100, "an answer was repeated only {} times", repeated.get());
    });
}

#[test]
fn what_came_due_is_told_also_after_the_clock_was_set_back() {
    on_each(|server| {
        let store = timed(&server);
        let (ann, bob) = (actor("ann", Standing::Named), actor("bob", Standing::Named));
        let mut walk = Walk::new();
        walk.send(&store, 0, 1, false);
        let hold = Duration::from_secs(1);
        assert_eq!(store.lease(&step(&bob, NOW), Pick::Head(1), hold, 7).unwrap().messages.len(), 1);
        let unread = |by, now| store.check(&step(by, now)).unwrap().unread;
        assert_eq!(unread(&bob, NOW), 0);
        assert_eq!(unread(&ann, Millis(NOW.0 + 2_000)), 0);
        assert_eq!(unread(&bob, NOW), 1);
    });
}
