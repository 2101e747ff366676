//! What deleting, clearing, cleaning up and listing promise.

use super::words::{generation, ids, name, process, receipts, record_ids, seen};
use super::world::World;
use crate::model::{EventType, MessageId, Recipient, Standing, State};
use crate::store::{From, HistoryQuery, Listing, Pick, Settle};

/// Deletes one message of `who`.
fn delete(w: &World, who: &str, id: MessageId) -> bool {
    w.ask(who, |store, step| store.delete(step, id)).unwrap()
}

/// Clears the mailbox of `who`.
fn clear(w: &World, who: &str) -> u64 {
    w.ask(who, |store, step| store.clear(step)).unwrap()
}

/// Cleans up and gives the names that are gone, sorted.
fn cleanup(w: &World) -> Vec<String> {
    let cleaned = w.ask("auditor", |store, step| store.cleanup(step, &[], None)).unwrap();
    let mut names: Vec<String> = cleaned.removed.iter().map(ToString::to_string).collect();
    names.sort();
    names
}

/// Lists the mailbox of `who`.
fn list(w: &World, who: &str, limit: u32, from: From) -> Listing {
    w.ask(who, |store, step| store.list(step, limit, from)).unwrap()
}

pub(super) fn a_waiting_message_can_be_deleted_with_its_history(w: World) {
    let sent = w.send_many("ann", "bob", 3);
    let mark = w.mark();
    assert!(delete(&w, "bob", sent[1]));
    assert_eq!(w.find(sent[1]), None);
    assert!(!delete(&w, "bob", sent[1]), "it is not there any more");
    assert_eq!(w.check("bob").unread, 2);
    assert_eq!(ids(&w.lease("bob", 10)), [sent[0], sent[2]]);
    let query = HistoryQuery { agent: Some(name("ann")), limit: 10, ..HistoryQuery::default() };
    assert_eq!(record_ids(&w.history(&query)), [sent[2], sent[0]]);
    assert_eq!(w.events(&mark).iter().filter(|event| event.kind == EventType::Cleared).count(), 1);
    assert_eq!((w.stats().deleted, w.stats().expired), (1, 0));
}

pub(super) fn a_leased_message_can_be_deleted_and_its_receipt_is_stale(w: World) {
    w.send("ann", "bob", "hello");
    let leased = w.lease("bob", 1);
    assert!(delete(&w, "bob", leased[0].id));
    assert_eq!(w.settle("bob", &receipts(&leased), Settle::Ack).stale, receipts(&leased));
    w.pass(61);
    assert!(w.lease("bob", 1).is_empty());
    assert_eq!(w.stats().leased, 0);
}

pub(super) fn only_waiting_and_leased_mail_of_the_own_mailbox_is_deleted(w: World) {
    let taken = w.send("ann", "bob", "taken");
    w.take("bob");
    let dead = w.send("ann", "bob", "poison");
    w.kill_all("bob");
    let foreign = w.send("ann", "cem", "foreign");
    for id in [taken, dead, foreign, MessageId::at(w.now(), w.random())] {
        assert!(!delete(&w, "bob", id));
        assert!(!delete(&w, "nobody", id));
    }
    assert!(w.find(taken).is_some());
    assert_eq!((w.dead("bob"), w.check("cem").unread, w.stats().deleted), (vec![dead], 1, 0));
}

pub(super) fn clearing_deletes_waiting_and_leased_mail(mut w: World) {
    let dead = w.send("ann", "bob", "poison");
    w.kill_all("bob");
    let sent = w.send_many("ann", "bob", 5);
    let leased = w.lease("bob", 2);
    let foreign = w.send("ann", "cem", "foreign");
    let mark = w.mark();
    assert_eq!(clear(&w, "bob"), 5);
    assert!(sent.iter().all(|id| w.find(*id).is_none()));
    let event = w.events(&mark).into_iter().find(|event| event.kind == EventType::Cleared).unwrap();
    assert_eq!(event.agent, Some(name("bob")));
    assert_eq!(w.settle("bob", &receipts(&leased), Settle::Ack).stale, receipts(&leased));
    assert_eq!((w.check("bob").unread, w.check("bob").newest_message), (0, None));
    assert_eq!((w.dead("bob"), ids(&w.lease("cem", 1))), (vec![dead], vec![foreign]));
    assert_eq!((w.stats().deleted, w.stats().waiting), (5, 0));
    w.policy.max_inbox = 1;
    w.send("ann", "bob", "there is room");
    assert_eq!((clear(&w, "bob"), clear(&w, "bob"), clear(&w, "nobody")), (1, 0, 0));
}

pub(super) fn clearing_counts_only_what_was_alive(mut w: World) {
    w.send("ann", "bob", "alive");
    w.policy.ttl = std::time::Duration::from_secs(60);
    w.send_many("ann", "bob", 150);
    w.pass(61);
    assert_eq!(clear(&w, "bob"), 1);
    w.check("bob");
    let stats = w.stats();
    assert_eq!((stats.deleted, stats.expired), (1, 150));
}

pub(super) fn clean_up_removes_who_is_offline_with_nothing_left(w: World) {
    for who in ["empty", "has-mail", "holds", "has-dead", "back", "taken"] {
        w.check(seen(who, State::Idle));
    }
    let kept = w.send("ann", "has-mail", "hello");
    w.send("ann", "has-dead", "poison");
    w.kill_all("has-dead");
    w.send("ann", "taken", "hello");
    let taken = w.take("taken").id;
    w.pass(31);
    w.send("ann", "holds", "hello");
    let leased = w.lease("holds", 1);
    w.check(seen("back", State::Idle));
    let gone = cleanup(&w);
    assert!(gone.contains(&"empty".to_owned()) && gone.contains(&"taken".to_owned()));
    for who in ["has-mail", "holds", "has-dead", "back"] {
        assert!(!gone.contains(&who.to_owned()) && w.agent(who).is_some(), "{who}");
    }
    assert_eq!((w.agent("empty"), w.agent("taken")), (None, None));
    assert_eq!(w.find(taken).unwrap().standing, Standing::Taken, "history stays until its ttl");
    assert_eq!(ids(&w.lease("has-mail", 1)), [kept]);
    w.ack("holds", &leased);
    assert_eq!(w.post("ann", &w.mail("empty", "hello")).unwrap().recipient, Recipient::Unknown);
}

pub(super) fn clean_up_of_one_name_leaves_the_others(w: World) {
    for who in ["bob", "cem"] {
        w.check(seen(who, State::Idle));
    }
    w.pass(31);
    let only = |who: &str| w.ask("auditor", |store, step| store.cleanup(step, &[], Some(&name(who)))).unwrap().removed;
    assert_eq!(only("nobody"), []);
    assert_eq!(only("bob"), [name("bob")]);
    assert!(w.agent("bob").is_none() && w.agent("cem").is_some());
    w.send("ann", "cem", "hello");
    assert_eq!(only("cem"), []);
}

pub(super) fn clean_up_leaves_what_a_live_session_holds(w: World) {
    let bob = w.session("bob", &process(1));
    let cem = w.session("cem", &process(2));
    w.rename(&cem, "cat").unwrap();
    w.pass(3_600);
    let gone = cleanup(&w);
    assert!(!gone.contains(&"bob".to_owned()) && !gone.contains(&"cat".to_owned()));
    w.send("ann", "cem", "still forwarded");
    assert_eq!(w.check("cat").unread, 1);
    w.ack("cat", &w.lease("cat", 1));
    let dead = [generation(&bob), generation(&cem)];
    let cleaned = w.ask("auditor", |store, step| store.cleanup(step, &dead, None)).unwrap();
    assert!(cleaned.removed.contains(&name("bob")) && cleaned.removed.contains(&name("cat")));
    assert_eq!((w.agent("bob"), w.agent("cat"), w.agent("cem")), (None, None, None));
}

pub(super) fn clean_up_removes_forwarding_names_with_their_agent(w: World) {
    w.send("ann", "bob", "hello");
    w.take("bob");
    w.rename("bob", "rob").unwrap();
    assert!(cleanup(&w).contains(&"rob".to_owned()));
    let sent = w.post("ann", &w.mail("bob", "for a new bob")).unwrap();
    assert_eq!((sent.recipient, sent.waiting), (Recipient::Unknown, 1));
    assert_eq!(w.check("rob").unread, 0, "bob no longer forwards");
    assert_eq!(ids(&w.lease("bob", 1)), [sent.id]);
}

pub(super) fn expired_mail_keeps_nobody_from_clean_up(w: World) {
    w.send_many("ann", "bob", 3);
    w.pass(24 * 3_600 + 1);
    assert!(cleanup(&w).contains(&"bob".to_owned()));
    assert_eq!((w.stats().expired, w.stats().waiting), (3, 0));
}

pub(super) fn a_listing_shows_the_mailbox_as_it_is(w: World) {
    let sent = w.send_many("ann", "bob", 4);
    w.try_lease("bob", Pick::One(sent[1]), 60).unwrap();
    let picked = w.try_lease("bob", Pick::One(sent[2]), 60).unwrap();
    w.ack("bob", &picked.messages);
    let before = (w.stats(), w.mark());
    let listing = list(&w, "bob", 200, From::Offset(0));
    assert_eq!((record_ids(&listing.items), listing.total), (vec![sent[0], sent[1], sent[3]], 3));
    let standings: Vec<Standing> = listing.items.iter().map(|record| record.standing).collect();
    assert_eq!(standings, [Standing::Waiting, Standing::Leased, Standing::Waiting]);
    assert_eq!(listing.items[1].taken_by, Some(name("bob")));
    assert_eq!((w.stats(), w.mark()), before, "nothing is consumed");
}

pub(super) fn a_listing_goes_in_pages(w: World) {
    let sent = w.send_many("ann", "bob", 250);
    let page = list(&w, "bob", 200, From::Offset(0));
    assert_eq!((record_ids(&page.items), page.total), (sent[..200].to_vec(), 250));
    assert_eq!(record_ids(&list(&w, "bob", 200, From::Offset(200)).items), sent[200..]);
    assert_eq!(record_ids(&list(&w, "bob", 3, From::Offset(7)).items), sent[7..10]);
    assert_eq!(record_ids(&list(&w, "bob", 3, From::After(sent[7])).items), sent[8..11]);
    assert_eq!(record_ids(&list(&w, "bob", 200, From::After(sent[199])).items), sent[200..]);
    let end = list(&w, "bob", 3, From::Offset(250));
    assert_eq!((end.items.len(), end.total), (0, 250));
    let far = list(&w, "bob", 200, From::Offset(u64::MAX));
    assert_eq!((far.items.len(), far.total), (0, 250));
    assert!(list(&w, "bob", 3, From::After(sent[249])).items.is_empty());
    assert_eq!(list(&w, "nobody", 3, From::Offset(0)), Listing::default());
}

pub(super) fn a_listing_leaves_out_what_expired(mut w: World) {
    let kept = w.send("ann", "bob", "alive");
    w.policy.ttl = std::time::Duration::from_secs(60);
    w.send_many("ann", "bob", 130);
    w.pass(61);
    let listing = list(&w, "bob", 200, From::Offset(0));
    assert_eq!((record_ids(&listing.items), listing.total), (vec![kept], 1));
}
