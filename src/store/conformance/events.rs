//! What the event stream promises: every change once, in order, complete from a cursor, or `reset`.

use std::time::Duration;

use super::words::{kind, name, process, seen};
use super::world::World;
use crate::error::Kind;
use crate::model::{AgentName, Cursor, Event, EventType, MessageId, State};
use crate::store::{EventPage, MAX_EVENTS, Settle};

/// A page of events.
fn page(w: &World, after: Option<&Cursor>, limit: u32) -> EventPage {
    w.ask("auditor", |store, step| store.events(step, after, limit)).unwrap()
}

/// What an event says, without place and time.
type Said = (EventType, Option<MessageId>, Option<AgentName>, Option<AgentName>);

/// Types, ids, senders and recipients of message events.
fn said(events: &[Event]) -> Vec<Said> {
    events.iter().map(|event| (event.kind, event.id, event.from.clone(), event.to.clone())).collect()
}

/// The types alone.
fn kinds(events: &[Event]) -> Vec<EventType> {
    events.iter().map(|event| event.kind).collect()
}

pub(super) fn the_stream_starts_behind_the_newest(w: World) {
    let empty = page(&w, None, 10);
    assert!(empty.events.is_empty() && !empty.reset);
    w.send("ann", "bob", "hello");
    let start = page(&w, None, 10);
    assert!(start.events.is_empty() && !start.reset);
    assert_eq!(page(&w, Some(&empty.cursor), 10).events.len(), 1);
    let again = page(&w, Some(&start.cursor), 10);
    assert_eq!((again.events.len(), again.cursor, again.reset), (0, start.cursor, false));
}

pub(super) fn every_step_in_the_life_of_a_message_is_an_event(mut w: World) {
    w.policy.max_deliveries = 3;
    let mark = w.mark();
    let id = w.send("ann", "bob", "hello");
    w.give_back("bob", &w.lease("bob", 1));
    w.lease("bob", 1);
    w.pass(61);
    w.ack("bob", &w.lease("bob", 1));
    let events = w.events(&mark);
    use EventType::{Leased, Released, Sent, Taken};
    assert_eq!(kinds(&events), [Sent, Leased, Released, Leased, Released, Leased, Taken]);
    assert!(events.iter().all(|event| event.id == Some(id)));
    assert_eq!(said(&events[..1]), [(Sent, Some(id), Some(name("ann")), Some(name("bob")))]);
    assert!(events[1..].iter().all(|event| event.agent == Some(name("bob"))), "the reader: {events:?}");
    assert_eq!((events[0].at.0 + 61_000, events[6].at), (events[6].at.0, w.now()));
}

pub(super) fn expiry_and_death_are_events(mut w: World) {
    let expires = w.send("ann", "bob", "expires");
    let mark = w.mark();
    w.pass(24 * 3_600 + 1);
    w.lease("bob", 1);
    assert_eq!(w.events_of(&mark, EventType::Expired), [expires]);
    let dies = w.send("ann", "bob", "dies");
    w.policy.max_deliveries = 1;
    w.lease("bob", 1);
    w.pass(61);
    w.lease("bob", 1);
    assert_eq!(w.events_of(&mark, EventType::Dead), [dies]);
    assert_eq!(w.events_of(&mark, EventType::Released), [], "what is dead or expired is not ready");
    assert_eq!(w.ask("bob", |store, step| store.dead_retry(step, None)).unwrap(), 1);
    let readers: Vec<_> =
        w.events(&mark).into_iter().filter(|event| event.id == Some(dies)).map(|event| event.agent).collect();
    let bob = Some(name("bob"));
    assert_eq!(readers, [None, bob.clone(), bob.clone(), bob], "sent, leased, dead, released");
}

pub(super) fn broadcasts_renames_presence_and_clearing_are_events(w: World) {
    let mark = w.mark();
    let word = w.announce("ann", "hear this");
    let notice = w.notice("ann", "ann is here");
    let bob = w.session("bob", &process(1));
    w.check(seen(&bob, State::Idle));
    w.rename(&bob, "rob").unwrap();
    w.end(super::words::session("rob", super::words::generation(&bob)));
    w.send("ann", "cem", "hello");
    w.ask("cem", |store, step| store.clear(step)).unwrap();
    w.ask("ann", |store, step| store.clear_broadcasts(step)).unwrap();
    let events = w.events(&mark);
    use EventType::{Broadcast, Cleared, Offline, Online, Renamed, Sent};
    assert_eq!(kinds(&events), [Broadcast, Broadcast, Online, Renamed, Offline, Sent, Cleared, Cleared]);
    assert_eq!((events[0].id, events[1].id, &events[0].from), (Some(word), Some(notice), &Some(name("ann"))));
    assert_eq!((&events[2].agent, &events[4].agent), (&Some(name("bob")), &Some(name("rob"))));
    assert_eq!(events[6].agent, Some(name("cem")));
}

pub(super) fn the_stream_is_complete_in_pages(w: World) {
    let mark = w.mark();
    let sent = w.send_many("ann", "bob", 95);
    let (mut after, mut got) = (mark.clone(), Vec::new());
    loop {
        let part = page(&w, Some(&after), 10);
        assert!(!part.reset && part.events.len() <= 10);
        let Some(last) = part.events.last() else { break };
        assert_eq!(part.cursor, last.cursor, "a page goes on behind its last event");
        after = part.cursor;
        got.extend(part.events);
    }
    assert_eq!(got.iter().filter_map(|event| event.id).collect::<Vec<_>>(), sent);
    assert!(got.windows(2).all(|pair| pair[0].cursor.number < pair[1].cursor.number));
    let middle = page(&w, Some(&got[40].cursor), 1_000);
    assert_eq!(middle.events, got[41..]);
}

pub(super) fn a_refused_or_repeated_step_is_no_event(mut w: World) {
    w.policy.max_inbox = 1;
    w.send("ann", "bob", "fills it");
    let mark = w.mark();
    assert_eq!(kind(w.post("ann", &w.mail("bob", "x"))), Some(Kind::Full));
    assert_eq!(kind(w.rename("bob", "bob")), Some(Kind::Conflict));
    w.peek("bob", 10);
    w.check("bob");
    w.lease("cem", 10);
    assert_eq!(w.events(&mark), []);
}

pub(super) fn a_cursor_of_another_epoch_is_reset(w: World) {
    w.send("ann", "bob", "hello");
    let here = w.mark();
    let epoch = if here.epoch == "00000000" { "ffffffff" } else { "00000000" };
    for number in [0, here.number, here.number + 100] {
        let foreign = page(&w, Some(&Cursor { epoch: epoch.to_owned(), number }), 10);
        assert!(foreign.reset);
        assert_eq!(foreign.cursor.epoch, here.epoch);
        let next = w.send("ann", "bob", "next");
        assert!(w.events_of(&foreign.cursor, EventType::Sent).contains(&next), "one can go on from there");
    }
}

pub(super) fn the_last_ten_thousand_events_are_kept_and_older_cursors_are_reset(mut w: World) {
    w.policy.max_deliveries = 1_000;
    let old = w.mark();
    w.send_many("ann", "bob", 100);
    let first = w.mark();
    let mut recent = None;
    for round in 0..55 {
        if round == 6 {
            recent = Some(w.mark());
        }
        w.give_back("bob", &w.lease("bob", 100));
    }
    let kept = w.events(&recent.unwrap());
    assert_eq!(kept.len(), 49 * 200, "49 rounds of a lease and a release of a hundred");
    for lost in [old, first] {
        let reset = page(&w, Some(&lost), 10);
        assert!(reset.reset, "11,000 events ago; {MAX_EVENTS} are kept");
        let after = page(&w, Some(&reset.cursor), 10);
        assert!(!after.reset);
    }
}

pub(super) fn events_come_in_the_order_of_the_steps(w: World) {
    let mark = w.mark();
    let one = w.send("ann", "bob", "one");
    let word = w.announce("ann", "word");
    let two = w.send("ann", "cem", "two");
    let leased = w.lease("cem", 1);
    w.settle("cem", &super::words::receipts(&leased), Settle::Extend(Duration::from_secs(60)));
    w.ack("cem", &leased);
    let got: Vec<_> = w.events(&mark).into_iter().map(|event| (event.kind, event.id.unwrap())).collect();
    use EventType::{Broadcast, Leased, Sent, Taken};
    assert_eq!(got, [(Sent, one), (Broadcast, word), (Sent, two), (Leased, two), (Taken, two)]);
}
