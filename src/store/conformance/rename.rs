//! What a rename promises: mail, leases and cursor go along, the old name forwards, nothing is lost.

use super::words::{generation, guessed, ids, kind, name, process, receipts, seen, session};
use super::world::World;
use crate::error::Kind;
use crate::model::{EventType, Recipient, State};
use crate::store::{Claim, Renamed, Settle};

pub(super) fn a_rename_points_the_new_name_at_the_mailbox(w: World) {
    let sent = w.send_many("ann", "bob", 3);
    assert_eq!(w.rename("bob", "rob").unwrap(), Renamed { merged: 0 });
    assert_eq!(w.check("rob").unread, 3);
    let leased = w.lease("rob", 10);
    assert_eq!(ids(&leased), sent);
    assert!(leased.iter().all(|message| message.to == name("bob")), "the address stays as it was written");
    w.ack("rob", &leased);
}

pub(super) fn the_old_name_forwards(w: World) {
    w.rename("bob", "rob").unwrap();
    let old = w.send("ann", "bob", "to the old name");
    let new = w.send("ann", "rob", "to the new name");
    let read = w.lease("rob", 10);
    assert_eq!(ids(&read), [old, new]);
    assert_eq!((read[0].to.as_str(), read[1].to.as_str()), ("bob", "rob"));
}

pub(super) fn a_forwarded_recipient_is_the_renamed_one(w: World) {
    w.check(seen("bob", State::Working));
    w.rename(seen("bob", State::Working), "rob").unwrap();
    w.check(seen("rob", State::Working));
    for to in ["bob", "rob"] {
        assert_eq!(w.post("ann", &w.mail(to, "hello")).unwrap().recipient, Recipient::Working, "{to}");
    }
}

pub(super) fn leases_stay_valid_across_a_rename(w: World) {
    w.send_many("ann", "bob", 2);
    let leased = w.lease("bob", 2);
    w.rename("bob", "rob").unwrap();
    assert!(w.lease("rob", 1).is_empty());
    w.ack("rob", &leased[..1]);
    w.pass(61);
    assert_eq!(ids(&w.lease("rob", 10)), ids(&leased[1..]));
}

pub(super) fn mail_that_waits_under_the_new_name_comes_first(w: World) {
    let mine = w.send_many("ann", "bob", 3);
    let theirs = w.send_many("ann", "rob", 3);
    assert_eq!(w.rename("bob", "rob").unwrap(), Renamed { merged: 3 });
    let late = w.send("ann", "rob", "late");
    let all = [theirs, mine, vec![late]].concat();
    assert_eq!(w.check("rob").unread, 7);
    assert_eq!(ids(&w.lease("rob", 10)), all);
}

pub(super) fn merged_mail_keeps_its_leases_and_deliveries(w: World) {
    let mine = w.send("ann", "bob", "mine");
    w.send_many("ann", "rob", 2);
    let leased = w.lease("rob", 2);
    assert_eq!(w.rename("bob", "rob").unwrap(), Renamed { merged: 2 });
    assert_eq!(ids(&w.peek("rob", 10).messages), [mine]);
    w.ack("rob", &leased[..1]);
    w.pass(61);
    let again = w.lease("rob", 10);
    assert_eq!(ids(&again), [leased[1].id, mine]);
    assert_eq!(again[0].deliveries, Some(2));
}

pub(super) fn a_repeated_ack_is_known_after_a_merge(w: World) {
    w.send("ann", "bob", "mine");
    w.send("ann", "rob", "theirs");
    let (mine, theirs) = (w.lease("bob", 1), w.lease("rob", 1));
    w.ack("bob", &mine);
    w.ack("rob", &theirs);
    w.rename("bob", "rob").unwrap();
    w.rename("rob", "bert").unwrap();
    w.ack("bert", &mine);
    w.ack("bert", &theirs);
    assert_eq!(w.stats().taken, 2);
}

pub(super) fn merged_urgent_mail_and_dead_letters_come_along(w: World) {
    let dead = w.send("ann", "rob", "poison");
    w.kill_all("rob");
    let urgent = w.urge("ann", "rob", "urgent");
    w.send("ann", "bob", "mine");
    w.rename("bob", "rob").unwrap();
    let news = w.check("rob");
    assert_eq!((news.unread, news.urgent), (2, 1));
    assert_eq!(w.dead("rob"), [dead]);
    assert_eq!(w.ask("rob", |store, step| store.dead_retry(step, None)).unwrap(), 1);
    let read = ids(&w.lease("rob", 10));
    assert_eq!((read.len(), read[..2].contains(&urgent)), (3, true));
}

pub(super) fn a_merge_may_exceed_the_cap_and_then_fills_the_mailbox(mut w: World) {
    w.policy.max_inbox = 3;
    w.send_many("ann", "bob", 3);
    w.send_many("ann", "rob", 2);
    w.rename("bob", "rob").unwrap();
    assert_eq!(w.check("rob").unread, 5);
    for to in ["bob", "rob"] {
        assert_eq!(kind(w.post("ann", &w.mail(to, "x"))), Some(Kind::Full), "{to}");
    }
}

pub(super) fn an_agent_can_be_renamed_back(w: World) {
    let first = w.send("ann", "bob", "one");
    w.rename("bob", "rob").unwrap();
    let second = w.send("ann", "rob", "two");
    assert_eq!(w.rename("rob", "bob").unwrap(), Renamed { merged: 0 });
    let third = w.send("ann", "rob", "three");
    assert_eq!(ids(&w.lease("bob", 10)), [first, second, third]);
    assert!(w.agent("bob").is_some() && w.agent("rob").is_none());
}

pub(super) fn a_chain_of_renames_forwards_from_every_name(w: World) {
    let names = ["bob", "rob", "bert", "robert"];
    for pair in names.windows(2) {
        w.rename(pair[0], pair[1]).unwrap();
    }
    let sent = names.map(|to| w.send("ann", to, "hello"));
    assert_eq!(ids(&w.lease("robert", 10)), sent);
}

pub(super) fn names_that_forward_to_a_merged_mailbox_go_on_forwarding(w: World) {
    w.rename("old", "rob").unwrap();
    let waiting = w.send("ann", "old", "waits under rob");
    w.rename("bob", "rob").unwrap();
    let later = w.send("ann", "old", "to a name that forwarded to rob");
    assert_eq!(ids(&w.lease("rob", 10)), [waiting, later]);
}

pub(super) fn a_rename_to_the_own_name_is_a_conflict(w: World) {
    w.send("ann", "bob", "hello");
    assert_eq!(kind(w.rename("bob", "bob")), Some(Kind::Conflict));
    assert_eq!(w.check("bob").unread, 1);
}

pub(super) fn an_agent_without_mail_can_be_renamed(w: World) {
    assert_eq!(w.rename("bob", "rob").unwrap(), Renamed { merged: 0 });
    let id = w.send("ann", "bob", "hello");
    assert_eq!(ids(&w.lease("rob", 10)), [id]);
}

pub(super) fn a_rename_to_a_held_name_is_refused(w: World) {
    let rob = w.session("rob", &process(1));
    w.send("ann", "rob", "for rob");
    w.send("ann", "bob", "for bob");
    let mark = w.mark();
    for who in ["bob".to_owned(), "nobody".to_owned()] {
        assert_eq!(kind(w.rename(who.as_str(), "rob")), Some(Kind::NameHeld));
    }
    let bob = w.session("bob", &process(2));
    assert_eq!(kind(w.rename(&bob, "rob")), Some(Kind::NameHeld));
    assert!(w.events_of(&mark, EventType::Renamed).is_empty());
    assert_eq!((w.check(&rob).unread, w.check(&bob).unread), (1, 1));
}

pub(super) fn a_rename_to_the_name_of_one_that_is_gone_is_granted(w: World) {
    let rob = w.session("rob", &process(1));
    let waiting = w.send("ann", "rob", "waits");
    let bob = w.session("bob", &process(2));
    let renamed = w.ask(&bob, |store, step| store.rename(step, &name("rob"), Some(generation(&rob))));
    assert_eq!(renamed.unwrap(), Renamed { merged: 1 });
    let bob = session("rob", generation(&bob));
    assert_eq!(ids(&w.lease(&bob, 10)), [waiting]);
    assert_eq!(kind(w.ask(&rob, |store, step| store.check(step))), Some(Kind::NameLost));
}

pub(super) fn a_renamed_session_goes_on_under_its_new_name(w: World) {
    let bob = w.session("bob", &process(1));
    w.send("ann", "bob", "one");
    w.rename(&bob, "rob").unwrap();
    let rob = session("rob", generation(&bob));
    w.ack(&rob, &w.lease(&rob, 1));
    assert_eq!(w.claim("rob", &process(1)), Claim::Granted(generation(&bob)), "the same process, the same claim");
    assert!(matches!(w.claim("rob", &process(2)), Claim::Held(_)));
    let holder = w.ask("ann", |store, step| store.holder(step, &name("rob"))).unwrap().unwrap();
    assert_eq!((holder.generation, holder.pid), (generation(&bob), 1));
}

pub(super) fn the_old_name_of_a_session_is_held_while_it_lives(w: World) {
    let bob = w.session("bob", &process(1));
    w.rename(&bob, "rob").unwrap();
    let rob = session("rob", generation(&bob));
    assert!(matches!(w.claim("bob", &process(2)), Claim::Held(_)));
    assert_eq!(kind(w.rename("cem", "bob")), Some(Kind::NameHeld));
    let stolen = w.ask(guessed("bob", None), |store, step| {
        store.lease(step, crate::store::Pick::Head(1), std::time::Duration::from_secs(60), 1)
    });
    assert_eq!(kind(stolen), Some(Kind::NameHeld));
    let kept = w.send("ann", "bob", "forwarded while it lives");
    w.end(&rob);
    let fresh = w.post("ann", &w.mail("bob", "for the next bob")).unwrap();
    assert_eq!(fresh.waiting, 1, "the forwarding ended with the session");
    let next = w.session("bob", &process(2));
    assert_eq!(ids(&w.lease(&next, 10)), [fresh.id]);
    assert_eq!(ids(&w.lease("rob", 10)), [kept]);
}

pub(super) fn a_session_can_be_renamed_back(w: World) {
    let bob = w.session("bob", &process(1));
    let id = w.send("ann", "bob", "hello");
    w.rename(&bob, "rob").unwrap();
    w.rename(session("rob", generation(&bob)), "bob").unwrap();
    assert_eq!(ids(&w.lease(&bob, 10)), [id]);
    assert!(matches!(w.claim("rob", &process(2)), Claim::Held(_)), "both names are its own");
}

pub(super) fn a_rename_is_announced(w: World) {
    let mark = w.mark();
    w.rename("bob", "rob").unwrap();
    let event = w.events(&mark).into_iter().find(|event| event.kind == EventType::Renamed).unwrap();
    assert_eq!((event.agent, event.to, event.at), (Some(name("bob")), Some(name("rob")), w.now()));
}

pub(super) fn receipts_of_before_a_merge_are_still_refused_when_stale(w: World) {
    w.send("ann", "rob", "hello");
    let old = w.lease("rob", 1);
    w.give_back("rob", &old);
    w.rename("bob", "rob").unwrap();
    assert_eq!(w.settle("rob", &receipts(&old), Settle::Ack).stale, receipts(&old));
    w.ack("rob", &w.lease("rob", 1));
    assert_eq!(w.settle("rob", &receipts(&old), Settle::Ack).stale, receipts(&old));
}
