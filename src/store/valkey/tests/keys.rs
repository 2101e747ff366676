//! What lies on the server: under one hash tag, within the rights of a limited user, bounded in time.

use std::time::Duration;

use super::desk::{ask, check, lease, mail, name, on_each, open, send, word};
use crate::error::Kind;
use crate::model::{Generation, Millis};
use crate::store::server::Server;
use crate::store::valkey::{Options, Valkey};
use crate::store::{
    BroadcastQuery, CLAIM, Claim, DEAD_TTL, HistoryQuery, Holder, MAX_DEAD, MAX_EVENTS, MoveToken, Once, PRESENCE,
    Pick, Scope, Settle, Store,
};

/// The commands that postino needs: scripts, what they call, the blocking read of waiters, and a look at the server.
const COMMANDS: &str = "+eval +evalsha +time +type +exists +del +unlink +pexpire +pttl +scan +get +set \
    +hget +hset +hmget +hdel +hincrby +hlen +hkeys \
    +zadd +zrem +zcard +zcount +zscore +zrange +zrevrange +zrangebyscore +zrevrangebyscore +zrangebylex \
    +zremrangebyrank +zremrangebyscore \
    +xadd +xrange +xrevrange +xread";

/// Uses the store in every way there is.
fn use_all(store: &Valkey) {
    let once = |text: &str| Some(Once { key: text.parse().unwrap(), fingerprint: "0123456789abcdef".repeat(2) });
    let mut waiter = store.waiter(&Scope::Mail(name("bob"))).unwrap();
    ask(store, "ann", |store, step| {
        let first = store.send(step, &crate::store::NewMail { once: once("k"), ..mail("bob", "hello") }).unwrap();
        let reply = crate::store::NewMail { reply_to: Some(first.id), urgent: true, ..mail("bob", "again") };
        store.send(step, &reply).unwrap();
        store.send(step, &mail("cem", "waits")).unwrap();
        store.broadcast(step, &crate::store::NewBroadcast { once: once("k"), ..word("hear this") }).unwrap();
    });
    waiter.wait(std::time::Instant::now() + Duration::from_secs(5)).unwrap();
    check(store, "bob").unwrap();
    let leased = lease(store, "bob");
    let receipts: Vec<_> = leased.iter().filter_map(|message| message.receipt).collect();
    assert_eq!(receipts.len(), 2);
    ask(store, "bob", |store, step| {
        store.settle(step, &receipts, Settle::Extend(Duration::from_secs(90))).unwrap();
        store.settle(step, &receipts[..1], Settle::Ack).unwrap();
        let strict = crate::store::Policy { max_deliveries: 1, ..*step.policy };
        let strict = crate::store::Step { policy: &strict, ..*step };
        store.settle(&strict, &receipts[1..], Settle::Release).unwrap();
        assert_eq!(store.dead(step, 10).unwrap().len(), 1);
        assert_eq!(store.dead_retry(step, None).unwrap(), 1);
        store.broadcasts(step, &BroadcastQuery { all: false, advance: true, limit: 10, room: None }).unwrap();
        store.history(step, &HistoryQuery { limit: 10, ..HistoryQuery::default() }).unwrap();
        store.agents(step, 10, None).unwrap();
        store.stats(step).unwrap();
        store.events(step, None, 10).unwrap();
        let holder = Holder { generation: Generation(0), host_id: "host".to_owned(), pid: 1, started: 1 };
        let Claim::Granted(claim) = store.claim(step, &name("dan"), &holder, None).unwrap() else { panic!() };
        store.release(step, claim).unwrap();
        store.rename(step, &name("cem"), None).unwrap();
        store.lease(step, Pick::Head(1), Duration::from_secs(60), 9).unwrap();
        store.cleanup(step, &[], None).unwrap();
    });
}

/// Moves the store out to another prefix and counts on both sides.
fn use_moves(store: &Valkey, other: &Valkey) {
    let token = MoveToken("token".to_owned());
    store.move_mark(Millis(0), &token, Duration::from_secs(60)).unwrap();
    other.fill_start(&token).unwrap();
    let mut page = store.export(None).unwrap();
    loop {
        other.fill(&token, &page.parcels).unwrap();
        let Some(next) = page.next else { break };
        page = store.export(Some(&next)).unwrap();
    }
    assert_eq!(store.census().unwrap(), other.census().unwrap());
    store.move_done(Millis(0), &token, "redis://elsewhere").unwrap();
    other.fill_done(&token).unwrap();
}

fn keys(server: &Server) -> Vec<String> {
    server.cli(&["KEYS", "*"]).lines().map(str::to_owned).collect()
}

#[test]
fn a_user_with_one_prefix_and_few_commands_can_do_all() {
    on_each(|server| {
        let rights =
            format!("ACL SETUSER limited on >secret resetkeys resetchannels ~{{po:}}* &{{po:}}* -@all {COMMANDS}");
        assert_eq!(server.cli(&rights.split_whitespace().collect::<Vec<_>>()), "OK");
        let store = open(&format!("redis://limited:secret@127.0.0.1:{}", server.port()));
        let other = open(&format!("redis://limited:secret@127.0.0.1:{}/1", server.port()));
        assert_eq!(ask(&other, "bob", |store, step| store.check(step)).unwrap_err().kind, Kind::Denied, "no SELECT");
        server.cli(&["ACL", "LOG", "RESET"]);
        use_all(&store);
        assert_eq!(server.cli(&["ACL", "LOG"]), "");
    });
}

#[test]
fn what_a_user_may_not_do_is_denied() {
    on_each(|server| {
        let rights = format!("ACL SETUSER limited on >secret ~{{other:}}* -@all {COMMANDS}");
        assert_eq!(server.cli(&rights.split_whitespace().collect::<Vec<_>>()), "OK");
        let store = open(&format!("redis://limited:secret@127.0.0.1:{}", server.port()));
        let error = check(&store, "bob").unwrap_err();
        assert_eq!(error.kind, Kind::Denied, "{}", error.message);
        let health = store.health(Millis(0));
        assert_eq!(health.unwrap_err().kind, Kind::Denied);
    });
}

#[test]
fn health_is_told_as_far_as_the_user_may_ask() {
    on_each(|server| {
        let rights = format!("ACL SETUSER limited on >secret ~{{po:}}* -@all {COMMANDS}");
        assert_eq!(server.cli(&rights.split_whitespace().collect::<Vec<_>>()), "OK");
        let limited = open(&format!("redis://limited:secret@127.0.0.1:{}", server.port()));
        let health = limited.health(Millis(0)).unwrap();
        assert_eq!(health.durability, crate::store::Durability::Unknown);
        let full = open(&server.url());
        assert_eq!(full.health(Millis(0)).unwrap().durability, crate::store::Durability::None);
        server.cli(&["CONFIG", "SET", "appendonly", "yes"]);
        server.cli(&["CONFIG", "SET", "appendfsync", "always"]);
        server.cli(&["CONFIG", "SET", "maxmemory", "100mb"]);
        server.cli(&["CONFIG", "SET", "maxmemory-policy", "volatile-lru"]);
        let health = full.health(Millis(0)).unwrap();
        assert_eq!(health.durability, crate::store::Durability::Always);
        assert_eq!(health.eviction.as_deref(), Some("volatile-lru"));
        let now = i64::try_from(std::time::UNIX_EPOCH.elapsed().unwrap().as_millis()).unwrap();
        let skew = full.health(Millis(now)).unwrap().clock_skew_ms;
        assert!(skew.abs() < 5_000, "{skew}");
    });
}

#[test]
fn all_keys_lie_under_one_tag_and_mail_goes_away_by_itself() {
    on_each(|server| {
        let store = open(&server.url());
        use_all(&store);
        let keys = keys(&server);
        assert!(keys.len() > 20, "{keys:?}");
        for key in keys {
            assert!(key.starts_with("{po:}"), "{key}");
            // What there is one of a workspace or a name stays; of what is said nothing does.
            let lasts =
                ["meta", "names", "idx", "claims", "sight", "on", "due", "ev"].map(|name| format!("{{po:}}{name}"));
            let is_box = key.starts_with("{po:}m:") && key.ends_with(":meta");
            let life: i64 = server.cli(&["PTTL", &key]).parse().unwrap();
            if lasts.contains(&key) || is_box {
                assert_eq!(life, -1, "{key}");
            } else {
                let longest = DEAD_TTL + Duration::from_secs(24 * 3600);
                assert!(life > 0 && u128::try_from(life).unwrap() <= longest.as_millis(), "{key} lives {life} ms");
            }
        }
    });
}

#[test]
fn a_dead_letter_keeps_its_history_as_long_as_itself() {
    on_each(|server| {
        let store = open(&server.url());
        send(&store, "bob", "poison");
        let receipts: Vec<_> = lease(&store, "bob").iter().filter_map(|message| message.receipt).collect();
        ask(&store, "bob", |store, step| {
            let strict = crate::store::Policy { max_deliveries: 1, ..*step.policy };
            let strict = crate::store::Step { policy: &strict, ..*step };
            store.settle(&strict, &receipts, Settle::Release).unwrap();
        });
        for key in ["{po:}h:all", "{po:}h:a:ann", "{po:}h:a:bob", "{po:}h:p:ann:bob", "{po:}m:2:dead"] {
            let life: u64 = server.cli(&["PTTL", key]).parse().unwrap();
            assert!(Duration::from_millis(life) > DEAD_TTL, "{key} lives {life} ms");
        }
    });
}

#[test]
fn renaming_to_and_fro_leaves_no_heap_of_old_names() {
    on_each(|server| {
        let store = open(&server.url());
        send(&store, "bob", "hello");
        for _ in 0..10 {
            ask(&store, "bob", |store, step| store.rename(step, &name("rob"), None)).unwrap();
            ask(&store, "rob", |store, step| store.rename(step, &name("bob"), None)).unwrap();
        }
        assert_eq!(server.cli(&["HGET", "{po:}m:2:meta", "old"]), "rob");
        assert_eq!(server.cli(&["HLEN", "{po:}names"]), "3");
        assert_eq!(check(&store, "rob").unwrap().unread, 1);
    });
}

#[test]
fn a_move_within_one_server_carries_all_and_wipes_what_was_half_done() {
    on_each(|server| {
        let store = open(&server.url());
        use_all(&store);
        let with = |prefix: &str| {
            Valkey::open(&server.url(), Options { prefix: prefix.to_owned(), ..Options::default() }).unwrap()
        };
        let other = with("p[o]*:");
        server.cli(&["SET", "{p[o]*:}", "not a key of ours"]);
        other.fill_start(&MoveToken("earlier".to_owned())).unwrap();
        for n in 0..3_000 {
            server.cli(&["SET", &format!("{{p[o]*:}}x:{n}"), "half"]);
        }
        server.cli(&["SET", "{po*:}x", "a foreign key that the pattern must not match"]);
        use_moves(&store, &other);
        assert!(
            keys(&server).iter().all(|key| server.cli(&["TYPE", key]) != "string" || !key.starts_with("{p[o]*:}x:"))
        );
        assert_eq!(server.cli(&["EXISTS", "{po*:}x"]), "1");
        assert_eq!(check(&store, "bob").unwrap_err().kind, Kind::Moving);
        assert_eq!(check(&other, "cem").unwrap().unread, 1);
    });
}

#[test]
fn a_prefix_that_breaks_the_tag_is_refused() {
    for prefix in ["", "a{b}", "}", "{", "a\n", &"x".repeat(65)] {
        let options = Options { prefix: prefix.to_owned(), ..Options::default() };
        assert_eq!(Valkey::open("redis://127.0.0.1:1", options).err().map(|error| error.kind), Some(Kind::Usage));
    }
}

#[test]
fn prefixes_share_nothing() {
    on_each(|server| {
        let here = open(&server.url());
        let there = Valkey::open(&server.url(), Options { prefix: "other:".to_owned(), ..Options::default() }).unwrap();
        send(&here, "bob", "hello");
        assert_eq!((check(&here, "bob").unwrap().unread, check(&there, "bob").unwrap().unread), (1, 0));
    });
}

#[test]
fn the_scripts_know_the_same_limits_as_the_contract() {
    let (base, step, mail) = (include_str!("../base.lua"), include_str!("../step.lua"), include_str!("../mail.lua"));
    assert!(base.contains(&format!("PRESENCE = {}\n", PRESENCE.as_millis())));
    assert!(base.contains(&format!("DAY = 1, 3600000, {}\n", CLAIM.as_millis())));
    assert_eq!(DEAD_TTL, CLAIM * 7, "`WEEK` in mail.lua");
    assert!(mail.contains(&format!("7 * DAY, {MAX_DEAD}, 100\n")));
    assert!(step.contains(&format!("'~', {MAX_EVENTS}, ")));
}
