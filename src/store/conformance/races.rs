//! What holds when many act at once, each through a handle of its own, as processes do.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Barrier;
use std::time::{Duration, Instant};

use super::counts::assert_conserved;
use super::words::{ids, once, process, receipts};
use super::world::World;
use crate::error::Kind;
use crate::model::{EventType, MessageId};
use crate::store::{Claim, NewMail, Settle};

/// Runs `act` in `count` threads that start together, each with a handle of its own.
fn race<T: Send>(w: &World, count: usize, act: impl Fn(usize, &World) -> T + Sync) -> Vec<T> {
    let (start, act) = (Barrier::new(count), &act);
    let handles: Vec<World> = (0..count).map(|_| w.again()).collect();
    // The first call opens the connection; the race is about the second.
    handles.iter().for_each(|own| drop(own.check("warm-up")));
    std::thread::scope(|scope| {
        let runner = |(n, own): (usize, World)| {
            let start = &start;
            move || {
                start.wait();
                act(n, &own)
            }
        };
        let threads: Vec<_> = handles.into_iter().enumerate().map(|each| scope.spawn(runner(each))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    })
}

pub(super) fn four_senders_and_four_readers_lose_and_double_nothing(mut w: World) {
    const EACH: usize = 60;
    w.policy.max_deliveries = 1_000;
    let end = Instant::now() + Duration::from_secs(60);
    let taken = race(&w, 8, |n, own| {
        if n < 4 {
            own.send_many(format!("sender-{n}").as_str(), "bob", EACH);
            return Vec::new();
        }
        let mut mine = Vec::new();
        while own.stats().taken < u64::try_from(4 * EACH).unwrap() {
            assert!(Instant::now() < end, "mail was lost: {:?}", own.stats());
            let batch = own.lease("bob", 7);
            let (kept, back) = batch.split_at(batch.len().min(5));
            own.give_back("bob", back);
            own.ack("bob", kept);
            mine.extend(ids(kept));
        }
        mine
    });
    let all: Vec<MessageId> = taken.into_iter().flatten().collect();
    let distinct: BTreeSet<MessageId> = all.iter().copied().collect();
    assert_eq!((all.len(), distinct.len()), (4 * EACH, 4 * EACH));
    assert_conserved(&w.stats());
}

pub(super) fn mail_of_one_sender_stays_in_order_among_many(w: World) {
    let sent = race(&w, 4, |n, own| own.send_many(format!("sender-{n}").as_str(), "bob", 40));
    let read = ids(&w.lease_all("bob"));
    assert_eq!(read.len(), 160);
    for mine in sent {
        assert_eq!(read.iter().copied().filter(|id| mine.contains(id)).collect::<Vec<_>>(), mine);
    }
}

pub(super) fn racers_at_a_nearly_full_mailbox_fill_it_to_the_cap_exactly(mut w: World) {
    w.policy.max_inbox = 20;
    w.send_many("ann", "bob", 15);
    w.lease("bob", 4);
    let outcomes = race(&w, 64, |n, own| own.post(format!("racer-{n}").as_str(), &own.mail("bob", "hello")));
    let accepted = outcomes.iter().filter(|outcome| outcome.is_ok()).count();
    let full = outcomes.iter().filter(|outcome| outcome.as_ref().is_err_and(|error| error.kind == Kind::Full)).count();
    assert_eq!((accepted, full), (5, 59));
    assert_eq!((w.stats().waiting, w.stats().leased, w.stats().sent), (16, 4, 20));
}

pub(super) fn a_hundred_racers_with_one_key_make_one_message(w: World) {
    let sent =
        race(&w, 100, |_, own| own.post("ann", &NewMail { once: once("k", 1), ..own.mail("bob", "hello") }).unwrap());
    assert_eq!(sent.iter().filter(|sent| sent.created).count(), 1);
    assert_eq!(sent.iter().map(|sent| sent.id).collect::<BTreeSet<_>>().len(), 1);
    assert_eq!(ids(&w.lease("bob", 100)), [sent[0].id]);
}

pub(super) fn racers_for_a_name_get_it_once(w: World) {
    let claims = race(&w, 24, |n, own| own.claim("bob", &process(u32::try_from(n).unwrap())));
    let granted: Vec<_> = claims.iter().filter(|claim| matches!(claim, Claim::Granted(_))).collect();
    assert_eq!(granted.len(), 1);
    for claim in &claims {
        let number = match claim {
            Claim::Granted(generation) => *generation,
            Claim::Held(holder) => holder.generation,
        };
        assert_eq!(granted, [&Claim::Granted(number)]);
    }
}

pub(super) fn racers_for_one_receipt_settle_it_once(w: World) {
    w.send_many("ann", "bob", 30);
    let leased = receipts(&w.lease("bob", 30));
    let released = race(&w, 8, |_, own| own.settle("bob", &leased, Settle::Release).done.len());
    assert_eq!(released.iter().sum::<usize>(), 30);
    assert_eq!(w.check("bob").unread, 30);
}

pub(super) fn mail_sent_while_its_agent_is_renamed_arrives(w: World) {
    let names = ["bob", "rob", "bert", "robert"];
    let sent = race(&w, 5, |n, own| {
        if n == 0 {
            for pair in names.windows(2) {
                own.rename(pair[0], pair[1]).unwrap();
            }
            return Vec::new();
        }
        own.send_many("ann", "bob", 40)
    });
    let mut sent: Vec<MessageId> = sent.into_iter().flatten().collect();
    let mut read = ids(&w.lease_all("robert"));
    sent.sort();
    read.sort();
    assert_eq!(read, sent);
}

pub(super) fn readers_of_broadcasts_under_one_name_share_one_cursor(w: World) {
    let words: Vec<MessageId> = (0..60).map(|_| w.announce("ann", "hear this")).collect();
    let heard = race(&w, 6, |_, own| {
        let mut mine = Vec::new();
        loop {
            let items = own.feed("bob", false, true, 3).items;
            if items.is_empty() {
                return mine;
            }
            mine.extend(super::words::broadcast_ids(&items));
        }
    });
    let mut heard: Vec<MessageId> = heard.into_iter().flatten().collect();
    heard.sort();
    let mut words = words;
    words.sort();
    assert_eq!(heard, words, "each once");
}

pub(super) fn events_of_racers_have_one_order(w: World) {
    let mark = w.mark();
    let sent = race(&w, 4, |n, own| own.send_many("ann", &format!("reader-{n}"), 30));
    let sent: BTreeSet<MessageId> = sent.into_iter().flatten().collect();
    let events = w.events(&mark);
    assert!(events.windows(2).all(|pair| pair[0].cursor.number < pair[1].cursor.number));
    let told: BTreeMap<MessageId, EventType> =
        events.iter().filter_map(|event| event.id.map(|id| (id, event.kind))).collect();
    assert_eq!((events.len(), told.len()), (120, 120));
    assert!(sent.iter().all(|id| told.get(id) == Some(&EventType::Sent)));
}
