//! What others did to postino's keys: one thing fails with a clear word, everything else goes on.

use super::desk::{ask, check, lease, on_each, open, send, try_send};
use crate::error::Kind;
use crate::store::server::Server;
use crate::store::{From, Store};

/// The number of a mailbox.
fn mailbox(server: &Server, name: &str) -> String {
    server.cli(&["HGET", "{po:}names", name]).split(' ').next().unwrap().to_owned()
}

#[test]
fn a_key_of_the_wrong_type_stops_its_mailbox_alone() {
    on_each(|server| {
        let store = open(&server.url());
        send(&store, "bob", "hello");
        send(&store, "cem", "hello");
        for queue in ["all", "ready", "rexp", "urg", "lease", "dead"] {
            let key = format!("{{po:}}m:{}:{queue}", mailbox(&server, "bob"));
            server.cli(&["RENAME", &key, "{po:}aside"]);
            server.cli(&["SET", &key, "x"]);
            let before = server.cli(&["DBSIZE"]);
            let sent = if queue == "dead" { None } else { Some(try_send(&store, "bob", "lost?").unwrap_err()) };
            let peeked = ask(&store, "bob", |store, step| store.peek(step, 1)).unwrap_err();
            for error in sent.into_iter().chain([peeked]) {
                assert_eq!(error.kind, Kind::Other);
                assert!(error.message.contains(&key) && error.hint.is_some(), "{}", error.message);
            }
            assert_eq!(server.cli(&["DBSIZE"]), before, "a refused send leaves nothing");
            let agents = ask(&store, "ann", |store, step| store.agents(step, 10, None)).unwrap();
            assert_eq!(agents.items.len(), 3);
            assert!(ask(&store, "ann", |store, step| store.stats(step)).is_ok());
            assert_eq!(check(&store, "cem").unwrap().unread, 1);
            server.cli(&["DEL", &key]);
            server.cli(&["RENAME", "{po:}aside", &key]);
        }
        assert_eq!(lease(&store, "bob").len(), 1);
    });
}

#[test]
fn a_shared_key_of_the_wrong_type_is_named_before_anything_is_written() {
    on_each(|server| {
        let store = open(&server.url());
        send(&store, "bob", "hello");
        for key in ["{po:}h:all", "{po:}h:a:bob", "{po:}ev", "{po:}names", "{po:}w:2"] {
            server.cli(&["RENAME", key, "{po:}aside"]);
            server.cli(&["SET", key, "x"]);
            let error = try_send(&store, "bob", "lost?").unwrap_err();
            assert!(error.message.contains(key), "{key}: {}", error.message);
            server.cli(&["DEL", key]);
            server.cli(&["RENAME", "{po:}aside", key]);
        }
        assert_eq!(check(&store, "bob").unwrap().unread, 1);
    });
}

#[test]
fn records_that_cannot_be_read_are_shown_and_become_dead_letters() {
    on_each(|server| {
        let store = open(&server.url());
        let ids: Vec<_> = (0..7).map(|n| send(&store, "bob", &format!("message {n}"))).collect();
        let key = |n: usize| format!("{{po:}}x:{}", ids[n]);
        server.cli(&["HSET", &key(1), "from", "no legal name"]);
        server.cli(&["DEL", &key(2)]);
        server.cli(&["DEL", &key(3)]);
        server.cli(&["SET", &key(3), "x"]);
        server.cli(&["HSET", &key(4), "body", " "]);
        server.cli(&["HSET", &key(5), "rank", "x"]);
        let bad = |unreadable: &[crate::store::Unreadable]| {
            let mut ids: Vec<_> = unreadable.iter().map(|entry| entry.id).collect();
            ids.sort();
            ids
        };
        let mut expected = ids[1..6].to_vec();
        expected.sort();
        let peek = ask(&store, "bob", |store, step| store.peek(step, 10)).unwrap();
        assert_eq!((peek.messages.len(), bad(&peek.unreadable), peek.remaining), (2, expected.clone(), 0));
        let list = ask(&store, "bob", |store, step| store.list(step, 10, From::Offset(0))).unwrap();
        assert_eq!((list.items.len(), bad(&list.unreadable)), (2, expected.clone()));
        assert_eq!(check(&store, "bob").unwrap().unread, 7);

        let hold = std::time::Duration::from_secs(60);
        let batch = ask(&store, "bob", |store, step| store.lease(step, crate::store::Pick::Head(10), hold, 1)).unwrap();
        assert_eq!(batch.messages.iter().map(|message| message.id).collect::<Vec<_>>(), [ids[0], ids[6]]);
        assert_eq!((bad(&batch.unreadable), batch.remaining), (expected.clone(), 0));
        let dead = ask(&store, "bob", |store, step| store.dead(step, 10)).unwrap();
        let mut dead_ids: Vec<_> = dead.iter().map(|letter| letter.id).collect();
        dead_ids.sort();
        assert_eq!(dead_ids, expected);
        assert!(dead.iter().all(|letter| letter.message.is_none() && !letter.reason.is_empty()), "{dead:?}");
        assert_eq!(ask(&store, "bob", |store, step| store.dead_retry(step, None)).unwrap(), 0, "they stay dead");
        assert_eq!(ask(&store, "bob", |store, step| store.dead_purge(step, None)).unwrap(), 5);
        assert_eq!(store.census().unwrap().messages, 2);
    });
}

#[test]
fn a_store_of_a_newer_postino_is_left_alone() {
    on_each(|server| {
        let store = open(&server.url());
        send(&store, "bob", "hello");
        server.cli(&["HSET", "{po:}meta", "schema", "2"]);
        let error = try_send(&store, "bob", "hello").unwrap_err();
        assert!(error.kind == Kind::Other && error.message.contains("schema 2"), "{}", error.message);
        server.cli(&["HSET", "{po:}meta", "schema", "1"]);
        send(&store, "bob", "hello");
    });
}

#[test]
fn a_garbled_name_is_named() {
    on_each(|server| {
        let store = open(&server.url());
        send(&store, "bob", "hello");
        server.cli(&["HSET", "{po:}names", "bob", "nonsense"]);
        let error = check(&store, "bob").unwrap_err();
        assert!(error.message.contains("bob") && error.message.contains("{po:}names"), "{}", error.message);
        assert_eq!(check(&store, "cem").unwrap().unread, 0);
    });
}
