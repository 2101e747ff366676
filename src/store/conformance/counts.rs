//! What `stats`, `health` and `census` promise: every accepted message is counted in exactly one place.

use super::words::{name, seen};
use super::world::World;
use crate::model::State;
use crate::store::{Census, Stats};

/// Every accepted message waits, is held, was taken, expired, died or was deleted.
pub(super) fn assert_conserved(stats: &Stats) {
    let places =
        stats.waiting + stats.leased + stats.taken + stats.expired + stats.dead + stats.dead_trimmed + stats.deleted;
    assert_eq!(stats.sent, places, "{stats:?}");
}

pub(super) fn a_new_store_counts_nothing(w: World) {
    assert_eq!(w.stats(), Stats::default());
    assert_eq!(w.store.census().unwrap(), Census::default());
}

pub(super) fn every_message_is_in_one_place(mut w: World) {
    w.send_many("ann", "bob", 12);
    let leased = w.lease("bob", 6);
    w.ack("bob", &leased[..3]);
    w.give_back("bob", &leased[3..4]);
    w.send_many("ann", "cem", 4);
    w.kill_all("cem");
    w.ask("cem", |store, step| store.dead_retry(step, Some(&w.dead("cem")[..1]))).unwrap();
    w.ask("cem", |store, step| store.dead_purge(step, Some(&w.dead("cem")[..1]))).unwrap();
    w.policy.ttl = std::time::Duration::from_secs(60);
    w.send_many("ann", "dan", 5);
    w.pass(30);
    w.send_many("ann", "eve", 2);
    w.ask("eve", |store, step| store.clear(step)).unwrap();
    w.pass(30);
    w.pass_millis(-500);
    let leased = w.lease("dan", 1);
    w.pass_millis(1_500);
    let stats = w.stats();
    let expected = Stats {
        waiting: 12 - 3 + 1,
        leased: 1,
        taken: 3,
        expired: 4,
        died: 4,
        dead: 2,
        deleted: 1 + 2,
        sent: 12 + 4 + 5 + 2,
        ..stats.clone()
    };
    assert_eq!(stats, expected);
    assert_conserved(&stats);
    w.ack("dan", &leased);
    w.pass(8 * 24 * 3_600);
    for who in ["bob", "cem", "dan", "eve"] {
        w.check(who);
        w.dead(who);
    }
    let end = w.stats();
    assert_eq!((end.waiting, end.leased, end.dead, end.sent, end.taken), (0, 0, 0, 23, 4));
    assert_conserved(&end);
}

pub(super) fn counts_hold_when_hundreds_are_due_in_many_mailboxes(mut w: World) {
    w.policy.max_deliveries = 1;
    for who in ["bob", "cem", "dan"] {
        w.send_many("ann", who, 120);
        w.lease_all(who);
    }
    w.pass(61);
    for who in ["bob", "cem", "dan"] {
        assert_eq!(w.check(who).unread, 0);
        while !w.lease(who, 100).is_empty() {}
        w.lease(who, 100);
    }
    let stats = w.stats();
    assert_eq!((stats.died, stats.dead, stats.leased, stats.waiting), (360, 360, 0, 0));
    assert_conserved(&stats);
}

pub(super) fn stats_see_what_is_due_without_being_told(w: World) {
    w.send_many("ann", "bob", 3);
    w.send_many("ann", "cem", 2);
    w.lease("cem", 2);
    w.pass(61);
    let stats = w.stats();
    assert_eq!((stats.waiting, stats.leased), (5, 0), "run-out leases wait again");
    w.pass(24 * 3_600);
    let stats = w.stats();
    assert_eq!((stats.waiting, stats.expired), (0, 5));
}

pub(super) fn agents_and_broadcasts_are_counted(mut w: World) {
    for who in ["ann", "bob", "cem"] {
        w.check(seen(who, State::Idle));
    }
    w.pass(31);
    w.check(seen("ann", State::Working));
    w.rename(seen("ann", State::Working), "ada").unwrap();
    w.policy.max_broadcasts = 2;
    for _ in 0..3 {
        w.announce("bob", "hear this");
        w.notice("bob", "not counted");
    }
    let stats = w.stats();
    assert_eq!((stats.agents, stats.online, stats.broadcasts, stats.trimmed), (3, 1, 2, 1));
}

pub(super) fn the_census_counts_each_sort(w: World) {
    w.send("ann", "bob", "hello");
    w.take("bob");
    w.send("ann", "cem", "hello");
    w.kill_all("cem");
    let mail = crate::store::NewMail { once: super::words::once("k", 1), ..w.mail("bob", "hello") };
    w.post("ann", &mail).unwrap();
    w.announce("ann", "hear this");
    w.notice("ann", "ann is here");
    let census = w.store.census().unwrap();
    assert_eq!((census.messages, census.broadcasts, census.keys), (3, 2, 1));
    w.rename("bob", "rob").unwrap();
    assert_eq!(w.store.census().unwrap().names, census.names + 1, "forwarding names included");
}

pub(super) fn health_names_the_server(w: World) {
    let health = w.store.health(w.now()).unwrap();
    let server = health.server.to_lowercase();
    assert!(["sqlite ", "redis ", "valkey "].iter().any(|known| server.starts_with(known)), "{server}");
    assert!(server.contains(|c: char| c.is_ascii_digit()), "{server} has no version");
    assert_eq!(health.eviction, None);
    assert_eq!(w.agent(name("nobody").as_str()), None, "asking makes nobody known");
}
