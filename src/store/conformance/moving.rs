//! What a move promises: everything goes along, nobody writes meanwhile, a crash in the middle harms nothing.

use super::carrying::{HOLD, NAMES, carry, copy, furnish, look, others, token};
use super::verbs::{assert_each, claiming};
use super::words::{Who, generation, ids, kind, once, process, receipts, session};
use super::world::World;
use crate::error::Kind;
use crate::model::MessageId;
use crate::store::{Claim, NewMail, Phase, Settle};

pub(super) fn everything_goes_along_to_every_sort_of_store_and_back(w: World) {
    furnish(&w);
    let bob = w.session("bob", &process(1));
    w.rename(&bob, "rob").unwrap();
    let held = w.lease("cem", 4);
    let before = look(&w);
    let first = w;
    let stores = others(&first);
    let mut from = &first;
    for (n, to) in stores.iter().enumerate() {
        carry(from, to, &format!("move-{n}"));
        assert_eq!(look(to), before);
        from = to;
    }
    carry(from, &first, "home");
    assert_eq!(look(&first), before);
    first.ack("cem", &held);
}

pub(super) fn leases_and_receipts_survive_a_move(w: World) {
    let sent = w.send_many("ann", "bob", 5);
    let done = w.lease("bob", 1);
    w.ack("bob", &done);
    let leased = w.lease("bob", 3);
    w.give_back("bob", &leased[2..]);
    for to in others(&w).into_iter().take(1) {
        carry(&w, &to, "move");
        to.ack("bob", &done);
        to.ack("bob", &leased[..1]);
        assert_eq!(to.settle("bob", &receipts(&leased[2..]), Settle::Ack).stale, receipts(&leased[2..]));
        assert_eq!(ids(&to.lease("bob", 1)), [sent[3]]);
        to.pass(61);
        let late = to.send("ann", "bob", "after the move");
        let again = to.lease("bob", 10);
        assert_eq!(ids(&again), [sent[2], sent[3], sent[4], late]);
        assert_eq!(again.iter().map(|m| m.deliveries.unwrap()).collect::<Vec<_>>(), [2, 3, 1, 1]);
    }
}

pub(super) fn claims_names_and_their_numbers_survive_a_move(w: World) {
    let bob = w.session("bob", &process(1));
    let cem = w.session("cem", &process(2));
    w.rename(&bob, "rob").unwrap();
    let rob = session("rob", generation(&bob));
    for to in others(&w).into_iter().take(1) {
        carry(&w, &to, "move");
        let id = to.send("ann", "bob", "still forwarded");
        assert_eq!(ids(&to.lease(&rob, 1)), [id]);
        assert_eq!(to.claim("cem", &process(2)), Claim::Granted(generation(&cem)));
        assert!(matches!(to.claim("bob", &process(3)), Claim::Held(_)));
        let later = to.session("new", &process(3));
        assert!(generation(&later) > generation(&cem));
        to.end(&rob);
        assert!(matches!(to.claim("bob", &process(3)), Claim::Granted(_)));
    }
}

pub(super) fn cursors_and_keys_survive_a_move(mut w: World) {
    w.policy.max_broadcasts = 3;
    w.announce("ann", "seen");
    w.listen("bob");
    let words: Vec<MessageId> = (0..4).map(|_| w.announce("ann", "word")).collect();
    w.announce("bob", "own");
    let mail = NewMail { once: once("k", 1), ..w.mail("cem", "hello") };
    let sent = w.post("ann", &mail).unwrap();
    w.take("cem");
    for mut to in others(&w).into_iter().take(1) {
        to.policy = w.policy;
        carry(&w, &to, "move");
        let later = to.announce("ann", "later");
        let feed = to.listen("bob");
        assert_eq!(super::words::broadcast_ids(&feed.items), [words[3], later]);
        assert_eq!(feed.missed, 3);
        let again = to.post("ann", &mail).unwrap();
        assert_eq!((again.created, again.id), (false, sent.id));
        let other = NewMail { once: once("k", 2), ..w.mail("cem", "hello") };
        assert_eq!(kind(to.post("ann", &other)), Some(Kind::Conflict));
        to.pass(24 * 3_600 + 1);
        assert!(to.post("ann", &other).unwrap().created);
    }
}

pub(super) fn a_large_store_is_carried_in_pages(w: World) {
    let sent: Vec<MessageId> = ["bob", "cem", "dan"].iter().flat_map(|who| w.send_many("ann", who, 170)).collect();
    for _ in 0..150 {
        w.announce("ann", "hear this");
    }
    for to in others(&w).into_iter().take(2) {
        to.follow(&w);
        w.store.move_mark(w.now(), &token("move"), HOLD).unwrap();
        to.store.fill_start(&token("move")).unwrap();
        copy(&w, &to, "move", usize::MAX);
        to.store.fill_done(&token("move")).unwrap();
        assert_eq!(to.store.census().unwrap(), w.store.census().unwrap());
        let read: Vec<MessageId> = ["bob", "cem", "dan"].iter().flat_map(|who| ids(&to.lease_all(*who))).collect();
        assert_eq!(read, sent);
    }
}

pub(super) fn writers_are_refused_while_a_store_is_moved(w: World) {
    w.send_many("ann", "bob", 2);
    w.kill_all("bob");
    w.send("ann", "bob", "waits");
    let before = look(&w);
    w.store.move_mark(w.now(), &token("move"), HOLD).unwrap();
    assert_eq!(w.store.phase(w.now()).unwrap(), Phase::Moving(token("move")));
    assert_each(&w, &"bob".actor(), |verb| verb.writes.then_some(Kind::Moving));
    assert_eq!(claiming(&w, "new"), [Some(Kind::Moving); 2]);
    assert_eq!(look(&w), before, "a refused step changes nothing");
    w.store.move_unmark(&token("another")).unwrap();
    assert_eq!(w.store.phase(w.now()).unwrap(), Phase::Moving(token("move")), "not its mark");
    w.store.move_unmark(&token("move")).unwrap();
    assert_eq!(w.store.phase(w.now()).unwrap(), Phase::Open);
    w.send("ann", "bob", "open again");
}

pub(super) fn a_mark_runs_out_and_can_be_renewed(w: World) {
    w.store.move_mark(w.now(), &token("move"), HOLD).unwrap();
    w.pass(50);
    w.store.move_mark(w.now(), &token("move"), HOLD).unwrap();
    w.pass(50);
    assert_eq!(kind(w.post("ann", &w.mail("bob", "hello"))), Some(Kind::Moving));
    assert_eq!(kind(w.store.move_mark(w.now(), &token("another"), HOLD)), Some(Kind::Moving));
    w.pass(11);
    assert_eq!(w.store.phase(w.now()).unwrap(), Phase::Open);
    w.send("ann", "bob", "a crashed move harms nobody");
    assert_eq!(kind(w.store.move_done(w.now(), &token("move"), "redis://x")), Some(Kind::Moving));
    w.store.move_mark(w.now(), &token("another"), HOLD).unwrap();
    assert_eq!(kind(w.store.move_done(w.now(), &token("move"), "redis://x")), Some(Kind::Moving));
    assert_eq!(w.store.phase(w.now()).unwrap(), Phase::Moving(token("another")));
}

pub(super) fn only_a_marked_store_is_exported(w: World) {
    w.send("ann", "bob", "hello");
    assert!(w.store.export(None).is_err());
    w.store.move_mark(w.now(), &token("move"), HOLD).unwrap();
    assert!(!w.store.export(None).unwrap().parcels.is_empty());
}

pub(super) fn a_moved_store_refuses_everybody_and_says_where_it_went(w: World) {
    w.send("ann", "bob", "hello");
    w.store.move_mark(w.now(), &token("move"), HOLD).unwrap();
    w.store.move_done(w.now(), &token("move"), "redis://elsewhere:6379").unwrap();
    let moved = Phase::Moved(token("move"), "redis://elsewhere:6379".to_owned());
    assert_eq!(w.store.phase(w.now()).unwrap(), moved);
    for w in [&w, &w.again()] {
        assert_each(w, &"bob".actor(), |_| Some(Kind::Moving));
        assert_eq!(claiming(w, "new"), [Some(Kind::Moving); 2]);
        let refused = w.post("ann", &w.mail("bob", "hello")).unwrap_err();
        assert!(refused.hint.unwrap().contains("redis://elsewhere:6379"));
    }
    w.pass(365 * 24 * 3_600);
    assert_eq!(w.store.phase(w.now()).unwrap(), moved, "for good");
}

/// A store that holds something is left alone, and open.
fn assert_kept(w: &World) {
    assert_eq!(kind(w.store.fill_start(&token("move"))), Some(Kind::Conflict));
    assert_eq!(w.store.phase(w.now()).unwrap(), Phase::Open);
    w.send("ann", "bob", "still open");
}

pub(super) fn a_store_that_holds_mail_is_not_overwritten(w: World) {
    w.send("ann", "bob", "hello");
    assert_kept(&w);
    assert_eq!(w.check("bob").unread, 2);
}

pub(super) fn a_store_that_holds_a_broadcast_is_not_overwritten(w: World) {
    w.announce("ann", "hello");
    assert_kept(&w);
    assert_eq!(w.check("bob").unseen, 1);
}

pub(super) fn a_store_that_holds_a_name_is_not_overwritten(w: World) {
    let bob = w.session("bob", &process(1));
    assert_kept(&w);
    assert_eq!(w.check(&bob).unread, 1);
}

pub(super) fn nobody_uses_a_store_while_it_is_filled(w: World) {
    w.store.fill_start(&token("move")).unwrap();
    assert_eq!(w.store.phase(w.now()).unwrap(), Phase::Filling(token("move")));
    assert_each(&w, &"bob".actor(), |_| Some(Kind::Moving));
    assert_eq!(claiming(&w, "new"), [Some(Kind::Moving); 2]);
    assert!(w.store.fill(&token("another"), &[]).is_err());
    assert!(w.store.fill_done(&token("another")).is_err());
    w.store.fill_done(&token("move")).unwrap();
    w.store.fill_done(&token("move")).unwrap();
    assert_eq!(w.store.phase(w.now()).unwrap(), Phase::Open);
    assert!(w.store.fill(&token("move"), &[]).is_err(), "only between start and done");
    w.send("ann", "bob", "open");
}

pub(super) fn a_move_that_broke_off_starts_over_from_scratch(w: World) {
    furnish(&w);
    w.send_many("ann", "bob", 300);
    let before = look(&w);
    for to in others(&w).into_iter().take(1) {
        to.follow(&w);
        w.store.move_mark(w.now(), &token("first"), HOLD).unwrap();
        to.store.fill_start(&token("first")).unwrap();
        copy(&w, &to, "first", 2);
        w.pass(61);
        assert_eq!(look(&w).mailboxes[3].0, before.mailboxes[3].0, "the source is whole and open");
        w.send("ann", "eve", "written between the moves");
        let before = look(&w);
        carry(&w, &to, "second");
        assert_eq!(look(&to), before);
    }
}

pub(super) fn event_cursors_of_the_old_store_are_reset_by_the_new(w: World) {
    w.send("ann", "bob", "hello");
    let mark = w.mark();
    for to in others(&w).into_iter().take(2) {
        to.follow(&w);
        w.store.move_mark(w.now(), &token("move"), HOLD).unwrap();
        to.store.fill_start(&token("move")).unwrap();
        copy(&w, &to, "move", usize::MAX);
        to.store.fill_done(&token("move")).unwrap();
        to.send("ann", "bob", "after");
        assert!(to.ask("ann", |s, step| s.events(step, Some(&mark), 10)).unwrap().reset);
    }
}

pub(super) fn what_is_accepted_while_a_move_begins_is_moved(mut w: World) {
    w.policy.max_inbox = 1_000_000;
    let Some(to) = others(&w).into_iter().next() else { panic!("there is always a store of the same sort") };
    let accepted: Vec<MessageId> = std::thread::scope(|scope| {
        let sender = |n: usize| {
            let own = w.again();
            move || {
                let mut sent = Vec::new();
                for _ in 0..100_000 {
                    match own.post("ann", &own.mail(NAMES[n], "hello")) {
                        Ok(done) => sent.push(done.id),
                        Err(refused) => {
                            assert_eq!(refused.kind, Kind::Moving);
                            break;
                        }
                    }
                }
                sent
            }
        };
        let senders: Vec<_> = (0..3).map(|n| scope.spawn(sender(n))).collect();
        while w.stats().sent < 30 {}
        carry(&w, &to, "move");
        senders.into_iter().flat_map(|sender| sender.join().unwrap()).collect()
    });
    assert!(accepted.len() >= 30);
    assert_eq!(to.stats().sent, u64::try_from(accepted.len()).unwrap());
    let mut moved: Vec<MessageId> = NAMES[..3].iter().flat_map(|who| ids(&to.lease_all(*who))).collect();
    let mut accepted = accepted;
    accepted.sort();
    moved.sort();
    assert_eq!(moved, accepted);
}
