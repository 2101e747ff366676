//! What becomes of dead letters: listed with reason, retried, purged, bounded in number and age.

use super::words::{ids, receipts};
use super::world::World;
use crate::model::{MessageId, Standing};
use crate::store::Settle;

const DAY: u64 = 24 * 3_600;

pub(super) fn a_dead_letter_says_why_and_when_it_died(w: World) {
    let id = w.send("ann", "bob", "poison");
    for _ in 0..5 {
        w.pass(7);
        w.give_back("bob", &w.lease("bob", 1));
    }
    let died = w.now();
    w.pass(60);
    let dead = w.ask("bob", |store, step| store.dead(step, 10)).unwrap();
    assert_eq!(dead.len(), 1);
    assert_eq!((dead[0].id, dead[0].died_at), (id, died));
    assert!(dead[0].reason.contains("5 deliveries"), "{:?}", dead[0].reason);
    let message = dead[0].message.as_ref().unwrap();
    assert_eq!((message.id, message.body.as_str(), message.from.as_str()), (id, "poison", "ann"));
    assert_eq!(w.find(id).unwrap().standing, Standing::Dead);
}

pub(super) fn dead_letters_are_listed_newest_first(w: World) {
    let mut sent = Vec::new();
    for _ in 0..4 {
        sent.push(w.send("ann", "bob", "poison"));
        w.kill_all("bob");
        w.pass(1);
    }
    sent.reverse();
    assert_eq!(w.dead("bob"), sent);
    let page = w.ask("bob", |store, step| store.dead(step, 2)).unwrap();
    assert_eq!(page.iter().map(|letter| letter.id).collect::<Vec<_>>(), sent[..2]);
    assert!(w.dead("ann").is_empty() && w.dead("nobody").is_empty());
}

pub(super) fn dead_letters_are_not_mail(mut w: World) {
    w.policy.max_inbox = 2;
    w.send_many("ann", "bob", 2);
    w.kill_all("bob");
    assert_eq!(w.check("bob").unread, 0);
    assert!(w.peek("bob", 10).messages.is_empty());
    w.send_many("ann", "bob", 2);
    assert_eq!(w.stats().dead, 2);
}

pub(super) fn a_retried_letter_is_back_at_its_place_with_no_deliveries(w: World) {
    let sent = w.send_many("ann", "bob", 2);
    w.kill_all("bob");
    let late = w.send("ann", "bob", "late");
    assert_eq!(w.ask("bob", |store, step| store.dead_retry(step, None)).unwrap(), 2);
    let leased = w.lease("bob", 10);
    assert_eq!(ids(&leased), [sent[0], sent[1], late]);
    assert!(leased.iter().all(|message| message.deliveries == Some(1)));
    assert!(w.dead("bob").is_empty());
    w.give_back("bob", &leased);
    assert_eq!(w.check("bob").unread, 3);
}

pub(super) fn single_letters_can_be_retried_and_purged(w: World) {
    let sent = w.send_many("ann", "bob", 4);
    w.kill_all("bob");
    assert_eq!(w.ask("bob", |store, step| store.dead_retry(step, Some(&[sent[1]]))).unwrap(), 1);
    assert_eq!(w.ask("bob", |store, step| store.dead_purge(step, Some(&[sent[2]]))).unwrap(), 1);
    assert_eq!(ids(&w.lease("bob", 10)), [sent[1]]);
    let left = w.dead("bob");
    assert!(left.len() == 2 && left.contains(&sent[0]) && left.contains(&sent[3]));
}

pub(super) fn only_own_dead_letters_are_retried_or_purged(w: World) {
    let foreign = w.send("ann", "cem", "poison");
    w.kill_all("cem");
    let waiting = w.send("ann", "bob", "fine");
    let unknown = MessageId::at(w.now(), w.random());
    let ids = [foreign, waiting, unknown];
    assert_eq!(w.ask("bob", |store, step| store.dead_retry(step, Some(&ids))).unwrap(), 0);
    assert_eq!(w.ask("bob", |store, step| store.dead_purge(step, Some(&ids))).unwrap(), 0);
    assert_eq!(w.ask("nobody", |store, step| store.dead_purge(step, None)).unwrap(), 0);
    assert_eq!(w.dead("cem"), [foreign]);
    assert_eq!(w.check("bob").unread, 1);
}

pub(super) fn a_retried_letter_lives_a_whole_ttl_anew(w: World) {
    let id = w.send("ann", "bob", "poison");
    w.kill_all("bob");
    w.pass(3 * DAY);
    assert_eq!(w.ask("bob", |store, step| store.dead_retry(step, None)).unwrap(), 1);
    w.pass(DAY - 1);
    assert_eq!(ids(&w.peek("bob", 1).messages), [id]);
    w.pass(2);
    assert!(w.peek("bob", 1).messages.is_empty());
}

pub(super) fn a_retry_may_exceed_the_cap(mut w: World) {
    w.send_many("ann", "bob", 3);
    w.kill_all("bob");
    w.policy.max_inbox = 1;
    w.send("ann", "bob", "fills it");
    assert_eq!(w.ask("bob", |store, step| store.dead_retry(step, None)).unwrap(), 3);
    assert_eq!(w.check("bob").unread, 4);
}

pub(super) fn a_purged_letter_is_gone_for_good(w: World) {
    let sent = w.send_many("ann", "bob", 3);
    w.kill_all("bob");
    assert_eq!(w.ask("bob", |store, step| store.dead_purge(step, None)).unwrap(), 3);
    assert!(w.dead("bob").is_empty());
    assert_eq!(w.ask("bob", |store, step| store.dead_retry(step, None)).unwrap(), 0);
    assert!(w.find(sent[0]).is_none_or(|record| record.standing != Standing::Dead));
    let stats = w.stats();
    assert_eq!((stats.died, stats.dead, stats.deleted, stats.dead_trimmed), (3, 0, 3, 0));
}

pub(super) fn a_dead_letter_is_kept_seven_days(w: World) {
    let id = w.send("ann", "bob", "poison");
    w.kill_all("bob");
    w.pass(7 * DAY - 1);
    assert_eq!(w.dead("bob"), [id], "longer than its TTL as mail");
    w.pass(2);
    assert!(w.dead("bob").is_empty());
    assert_eq!(w.ask("bob", |store, step| store.dead_retry(step, None)).unwrap(), 0);
    let stats = w.stats();
    assert_eq!((stats.dead, stats.dead_trimmed, stats.died), (0, 1, 1));
}

pub(super) fn a_mailbox_keeps_a_thousand_dead_letters(mut w: World) {
    w.policy.max_inbox = 2_000;
    let first = w.send("ann", "bob", "the oldest");
    w.kill_all("bob");
    w.send_many("ann", "cem", 1);
    w.kill_all("cem");
    w.pass(1);
    w.send_many("ann", "bob", 1_002);
    w.kill_all("bob");
    let stats = w.stats();
    assert_eq!((stats.died, stats.dead, stats.dead_trimmed), (1_004, 1_001, 3), "a cap a mailbox, counted");
    assert!(!w.dead("bob").contains(&first), "the oldest goes first");
    assert_eq!(w.dead("cem").len(), 1);
}

pub(super) fn receipts_of_dead_letters_are_stale(mut w: World) {
    w.policy.max_deliveries = 1;
    w.send("ann", "bob", "poison");
    let leased = w.lease("bob", 1);
    w.pass(61);
    assert_eq!(w.settle("bob", &receipts(&leased), Settle::Ack).stale, receipts(&leased));
    assert_eq!(w.dead("bob").len(), 1);
}
