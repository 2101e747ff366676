//! What an idempotency key promises, and what a reply belongs to.

use std::time::Duration;

use super::words::{guessed, ids, kind, once, process};
use super::world::World;
use crate::error::{Error, Kind};
use crate::model::{EventType, MessageId};
use crate::store::{HistoryQuery, NewBroadcast, NewMail, Pick, Settle};

pub(super) fn the_same_key_gives_the_first_id_and_stores_nothing(w: World) {
    let first = w.post("ann", &NewMail { once: once("k", 1), ..w.mail("bob", "hello") }).unwrap();
    let mark = w.mark();
    w.pass(60);
    let again = w.post("ann", &NewMail { once: once("k", 1), ..w.mail("bob", "hello") }).unwrap();
    assert_eq!((first.created, again.created, again.id, again.waiting), (true, false, first.id, 1));
    assert_eq!(w.stats().sent, 1);
    assert!(w.events_of(&mark, EventType::Sent).is_empty());
    assert_eq!(ids(&w.lease("bob", 10)), [first.id]);
}

pub(super) fn a_key_used_for_something_else_is_a_conflict(w: World) {
    w.post("ann", &NewMail { once: once("k", 1), ..w.mail("bob", "hello") }).unwrap();
    let mark = w.mark();
    for to in ["bob", "cem"] {
        let other = w.post("ann", &NewMail { once: once("k", 2), ..w.mail(to, "other") });
        assert_eq!(kind(other), Some(Kind::Conflict));
    }
    assert_eq!((w.stats().sent, w.events(&mark).len()), (1, 0));
    assert!(w.peek("cem", 1).messages.is_empty());
}

pub(super) fn a_key_is_per_sender_and_operation(w: World) {
    let mine = w.post("ann", &NewMail { once: once("k", 1), ..w.mail("bob", "hello") }).unwrap();
    let other = w.post("bea", &NewMail { once: once("k", 2), ..w.mail("bob", "hello") }).unwrap();
    let word = NewBroadcast { once: once("k", 3), ..w.word("hello") };
    let (spoken, created) = w.ask("ann", |store, step| store.broadcast(step, &word)).unwrap();
    assert!(mine.created && other.created && created);
    assert!(mine.id != other.id && mine.id != spoken);
    let another = w.post("ann", &NewMail { once: once("K", 4), ..w.mail("bob", "hello") }).unwrap();
    assert!(another.created, "keys differ by case");
}

pub(super) fn a_key_may_hold_any_characters(w: World) {
    let keys = ["a b", "{x}", "a:b", "\u{1f511}", "*", "'", &"k".repeat(128), "\u{e9}", "e\u{301}"];
    let sent: Vec<MessageId> = (1..)
        .zip(keys)
        .map(|(n, key)| {
            let sent = w.post("ann", &NewMail { once: once(key, n), ..w.mail("bob", "hello") }).unwrap();
            assert!(sent.created, "{key:?}");
            sent.id
        })
        .collect();
    for (n, key) in (1..).zip(keys) {
        let again = w.post("ann", &NewMail { once: once(key, n), ..w.mail("bob", "hello") }).unwrap();
        assert_eq!((again.created, again.id), (false, sent[usize::try_from(n).unwrap() - 1]));
    }
}

pub(super) fn a_key_is_remembered_when_the_message_was_read_or_deleted(w: World) {
    let first = w.post("ann", &NewMail { once: once("read", 1), ..w.mail("bob", "hello") }).unwrap();
    w.take("bob");
    let second = w.post("ann", &NewMail { once: once("deleted", 1), ..w.mail("bob", "hello") }).unwrap();
    assert!(w.ask("bob", |store, step| store.delete(step, second.id)).unwrap());
    for (key, sent) in [("read", first), ("deleted", second)] {
        let again = w.post("ann", &NewMail { once: once(key, 1), ..w.mail("bob", "hello") }).unwrap();
        assert_eq!((again.created, again.id, again.waiting), (false, sent.id, 0));
    }
}

pub(super) fn a_key_is_forgotten_after_the_ttl(mut w: World) {
    w.policy.ttl = Duration::from_secs(3_600);
    let first = w.post("ann", &NewMail { once: once("k", 1), ..w.mail("bob", "hello") }).unwrap();
    w.pass(3_599);
    assert!(!w.post("ann", &NewMail { once: once("k", 1), ..w.mail("bob", "hello") }).unwrap().created);
    w.pass(2);
    let second = w.post("ann", &NewMail { once: once("k", 2), ..w.mail("bob", "other") }).unwrap();
    assert!(second.created && second.id != first.id);
}

pub(super) fn a_refused_send_leaves_no_key(mut w: World) {
    w.policy.max_inbox = 1;
    w.send("ann", "bob", "fills it");
    let mail = NewMail { once: once("k", 1), ..w.mail("bob", "hello") };
    assert_eq!(kind(w.post("ann", &mail)), Some(Kind::Full));
    w.take("bob");
    assert!(w.post("ann", &mail).unwrap().created);
    let again = w.post("ann", &mail).unwrap();
    assert!(!again.created, "a known key is answered also when the mailbox is full");
}

pub(super) fn a_refusal_is_told_in_the_same_words(mut w: World) {
    let told = |error: Error| (error.message, error.hint.unwrap());
    w.policy.max_inbox = 1;
    w.send("ann", "bob", "fills it");
    let full = told(w.post("ann", &w.mail("bob", "hello")).unwrap_err());
    assert_eq!(full.0, "the mailbox of bob is full: 1 messages wait or are held");
    assert_eq!(full.1, "try again when bob has read some");
    let keyed = |w: &World, print| w.post("ann", &NewMail { once: once("k", print), ..w.mail("cat", "hello") });
    keyed(&w, 1).unwrap();
    let conflict = told(keyed(&w, 2).unwrap_err());
    assert_eq!(conflict.0, "the key k was already used for something else");
    assert_eq!(conflict.1, "use a new key for a new message");
    w.claim("dog", &process(1));
    let held = told(w.rename("ann", "dog").unwrap_err());
    assert_eq!(held.0, "a live session holds the name dog");
    assert_eq!(held.1, "choose another name, or end that session first");
    let guess = guessed("dog", None);
    let taken = w.ask(&guess, |store, step| store.lease(step, Pick::Head(1), Duration::from_secs(1), 1));
    assert_eq!(told(taken.unwrap_err()).1, "say who you are with --agent NAME");
}

pub(super) fn a_broadcast_key_works_like_a_message_key(mut w: World) {
    w.policy.ttl = Duration::from_secs(3_600);
    let say = |w: &World, fingerprint| {
        let word = NewBroadcast { once: once("k", fingerprint), ..w.word("hello") };
        w.ask("ann", |store, step| store.broadcast(step, &word))
    };
    let (id, created) = say(&w, 1).unwrap();
    assert!(created);
    let mark = w.mark();
    assert_eq!(say(&w, 1).unwrap(), (id, false));
    assert_eq!(kind(say(&w, 2)), Some(Kind::Conflict));
    assert!(w.events(&mark).is_empty());
    assert_eq!(w.listen("bob").items.len(), 1);
    w.pass(3_601);
    assert!(say(&w, 2).unwrap().1);
}

pub(super) fn a_reply_joins_the_thread_of_its_message(w: World) {
    let first = w.send("ann", "bob", "question");
    let second = w.reply("bob", "ann", first);
    let third = w.reply("ann", "bob", second);
    let aside = w.reply("cem", "bob", first);
    for (id, reply_to) in [(second, first), (third, second), (aside, first)] {
        let message = w.find(id).unwrap().message;
        assert_eq!((message.reply_to, message.thread), (Some(reply_to), first));
    }
    let query = HistoryQuery { thread: Some(first), limit: 10, ..HistoryQuery::default() };
    let thread: Vec<MessageId> = w.history(&query).iter().map(|record| record.message.id).collect();
    assert_eq!(thread, [aside, third, second, first]);
}

pub(super) fn a_reply_to_taken_mail_joins_its_thread(w: World) {
    let first = w.send("ann", "bob", "question");
    let answer = w.reply("bob", "ann", first);
    w.take("bob");
    w.take("ann");
    assert_eq!(w.find(w.reply("ann", "bob", answer)).unwrap().message.thread, first);
}

pub(super) fn a_thread_outlives_its_first_message(w: World) {
    let first = w.send("ann", "bob", "question");
    let second = w.reply("cem", "ann", first);
    assert!(w.ask("bob", |store, step| store.delete(step, first)).unwrap());
    let message = w.find(w.reply("ann", "cem", second)).unwrap().message;
    assert_eq!((message.reply_to, message.thread), (Some(second), first));
}

pub(super) fn a_reply_to_what_the_store_no_longer_has_starts_a_thread_of_that_id(w: World) {
    let first = w.send("ann", "bob", "question");
    let second = w.reply("bob", "ann", first);
    assert!(w.ask("ann", |store, step| store.delete(step, second)).unwrap());
    let unknown = MessageId::at(w.now(), w.random());
    for gone in [second, unknown] {
        let message = w.find(w.reply("ann", "bob", gone)).unwrap().message;
        assert_eq!((message.reply_to, message.thread), (Some(gone), gone));
    }
}

pub(super) fn a_reply_after_the_ttl_keeps_the_id_it_answers(w: World) {
    let first = w.send("ann", "bob", "question");
    w.settle("bob", &super::words::receipts(&w.lease("bob", 1)), Settle::Ack);
    w.pass(24 * 3_600 + 1);
    let message = w.find(w.reply("bob", "ann", first)).unwrap().message;
    assert_eq!((message.reply_to, message.thread), (Some(first), first));
}
