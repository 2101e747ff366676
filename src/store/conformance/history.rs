//! What history promises: what was read stays readable until its TTL, with who took it and when.

use super::words::{name, process, receipts, record_ids, session};
use super::world::World;
use crate::model::{MessageId, Millis, Standing};
use crate::store::{HOURS, HistoryQuery, Settle};

/// A query for one agent.
fn of(agent: &str) -> HistoryQuery {
    HistoryQuery { agent: Some(name(agent)), limit: 200, ..HistoryQuery::default() }
}

pub(super) fn history_is_newest_first_and_has_every_standing(w: World) {
    let dead = w.send("ann", "bob", "poison");
    w.kill_all("bob");
    let taken = w.send("ann", "bob", "taken");
    w.take("bob");
    let leased = w.send("ann", "bob", "leased");
    w.lease("bob", 1);
    let waiting = w.send("ann", "bob", "waiting");
    let records = w.history(&HistoryQuery { limit: 200, ..HistoryQuery::default() });
    let story: Vec<(MessageId, Standing)> = records.iter().map(|record| (record.message.id, record.standing)).collect();
    let expected =
        [(waiting, Standing::Waiting), (leased, Standing::Leased), (taken, Standing::Taken), (dead, Standing::Dead)];
    assert_eq!(story, expected);
    for record in &records {
        assert_eq!(w.find(record.message.id).as_ref(), Some(record), "find and history tell the same");
    }
}

pub(super) fn a_record_says_who_took_it_and_when(w: World) {
    let id = w.send("ann", "bob", "hello");
    let sent = w.now();
    let fresh = w.find(id).unwrap();
    assert_eq!((fresh.taken_at, &fresh.taken_by, fresh.acked_at), (None, &None, None));
    w.pass(10);
    w.give_back("bob", &w.lease("bob", 1));
    w.pass(10);
    let leased = w.lease("bob", 1);
    let taken = w.now();
    w.pass(10);
    w.ack("bob", &leased);
    let acked = w.now();
    w.pass(10);
    w.ack("bob", &leased);
    let record = w.find(id).unwrap();
    assert_eq!((record.message.timestamp, record.standing), (sent, Standing::Taken));
    assert_eq!((record.taken_at, record.taken_by, record.acked_at), (Some(taken), Some(name("bob")), Some(acked)));
}

pub(super) fn history_of_an_agent_is_what_it_sent_and_got(w: World) {
    let one = w.send("ann", "bob", "one");
    let two = w.send("bob", "ann", "two");
    let three = w.send("cem", "bob", "three");
    let four = w.send("ann", "cem", "four");
    let note = w.send("ann", "ann", "a note to myself");
    assert_eq!(record_ids(&w.history(&of("ann"))), [note, four, two, one]);
    assert_eq!(record_ids(&w.history(&of("bob"))), [three, two, one]);
    assert!(w.history(&of("nobody")).is_empty());
    let with = |agent, with| HistoryQuery { with: Some(name(with)), ..of(agent) };
    assert_eq!(record_ids(&w.history(&with("ann", "bob"))), [two, one]);
    assert_eq!(record_ids(&w.history(&with("bob", "ann"))), [two, one]);
    assert_eq!(record_ids(&w.history(&with("cem", "ann"))), [four]);
    assert_eq!(record_ids(&w.history(&with("ann", "ann"))), [note]);
    assert!(w.history(&with("bob", "nobody")).is_empty());
}

pub(super) fn history_of_a_thread_is_its_messages(w: World) {
    let first = w.send("ann", "bob", "question");
    w.send("ann", "bob", "another thing");
    let answer = w.reply("bob", "ann", first);
    let aside = w.reply("bob", "cem", first);
    let thread = HistoryQuery { thread: Some(first), limit: 200, ..HistoryQuery::default() };
    assert_eq!(record_ids(&w.history(&thread)), [aside, answer, first]);
    assert_eq!(record_ids(&w.history(&HistoryQuery { thread: Some(first), ..of("ann") })), [answer, first]);
    let between = HistoryQuery { thread: Some(first), with: Some(name("cem")), ..of("bob") };
    assert_eq!(record_ids(&w.history(&between)), [aside]);
}

pub(super) fn history_goes_in_pages_without_gap(w: World) {
    let mut sent = Vec::new();
    for n in 0..60 {
        sent.push(w.send("ann", if n % 3 == 0 { "cem" } else { "bob" }, "hello"));
        w.pass_millis(n % 2);
    }
    sent.reverse();
    let to_bob: Vec<MessageId> =
        sent.iter().copied().filter(|id| w.find(*id).unwrap().message.to == name("bob")).collect();
    for (query, expected) in [(HistoryQuery::default(), sent), (of("bob"), to_bob)] {
        let (mut shown, mut before) = (Vec::new(), None);
        loop {
            let page = record_ids(&w.history(&HistoryQuery { before, limit: 7, ..query.clone() }));
            assert!(page.len() <= 7);
            let Some(last) = page.last() else { break };
            before = Some(*last);
            shown.extend(page);
        }
        assert_eq!(shown, expected);
    }
}

pub(super) fn what_was_read_stays_readable_until_its_ttl(w: World) {
    let taken = w.send("ann", "bob", "taken");
    w.take("bob");
    let waiting = w.send("ann", "bob", "waiting");
    w.pass(24 * 3_600 - 1);
    assert_eq!(record_ids(&w.history(&of("bob"))), [waiting, taken]);
    w.pass(2);
    assert!(w.history(&of("bob")).is_empty() && w.history(&of("ann")).is_empty());
    assert_eq!((w.find(taken), w.find(waiting)), (None, None));
}

pub(super) fn history_keeps_names_as_they_were_written(w: World) {
    let bob = w.session("bob", &process(1));
    let before = w.send("ann", "bob", "before");
    w.ack(&bob, &w.lease(&bob, 1));
    let own = w.send(&bob, "ann", "by bob");
    w.rename(&bob, "rob").unwrap();
    let rob = session("rob", super::words::generation(&bob));
    let after = w.send("ann", "bob", "to the old name");
    w.ack(&rob, &w.lease(&rob, 1));
    assert_eq!(record_ids(&w.history(&of("bob"))), [after, own, before]);
    assert!(w.history(&of("rob")).is_empty());
    assert_eq!(w.find(before).unwrap().taken_by, Some(name("bob")));
    let after = w.find(after).unwrap();
    assert_eq!((after.taken_by, after.message.to), (Some(name("rob")), name("bob")));
    assert_eq!(w.find(own).unwrap().message.from, name("bob"));
}

pub(super) fn unknown_ids_are_not_found(w: World) {
    w.send("ann", "bob", "hello");
    assert_eq!(w.find(MessageId::at(w.now(), w.random())), None);
    assert_eq!(w.find(w.announce("ann", "a broadcast is no message")), None);
    let unknown = MessageId::at(Millis(w.now().0 + 1), w.random());
    let query = HistoryQuery { thread: Some(unknown), limit: 10, ..HistoryQuery::default() };
    assert!(w.history(&query).is_empty());
}

pub(super) fn a_record_shows_no_receipt_of_a_live_lease_to_others(w: World) {
    let id = w.send("ann", "bob", "hello");
    let leased = w.lease("bob", 1);
    let record = w.ask("cem", |store, step| store.find(step, id)).unwrap().unwrap();
    assert_eq!(record.standing, Standing::Leased);
    assert_eq!(w.settle("cem", &receipts(&leased), Settle::Ack).stale, receipts(&leased));
    assert_eq!(w.find(id).unwrap().standing, Standing::Leased);
}

pub(super) fn a_dead_letter_is_found_as_long_as_it_is_kept(w: World) {
    let id = w.send("ann", "bob", "poison");
    w.kill_all("bob");
    for days in [0, 2, 4] {
        w.pass(days * 24 * 3_600);
        assert_eq!(w.find(id).unwrap().standing, Standing::Dead, "after {days} more days");
        assert_eq!(record_ids(&w.history(&of("bob"))), [id]);
    }
    w.pass(2 * 24 * 3_600);
    assert_eq!((w.find(id), w.history(&of("bob")).len()), (None, 0));
}

pub(super) fn activity_counts_history_by_the_hour(w: World) {
    let hours = |w: &World| w.ask("auditor", |store, step| store.activity(step)).unwrap();
    assert_eq!(hours(&w), [0; HOURS]);
    w.send("ann", "bob", "a message");
    w.pass(3_600);
    let second = w.send("ann", "bob", "an hour later, to the millisecond");
    w.pass_millis(3_599_999);
    w.send("cem", "ann", "just within the hour after that");
    w.take("bob");
    let mut expected = [0; HOURS];
    expected[HOURS - 1] = 2;
    expected[HOURS - 2] = 1;
    assert_eq!(hours(&w), expected, "read mail counts too");
    w.pass_millis(1);
    (expected[HOURS - 1], expected[HOURS - 2], expected[HOURS - 3]) = (1, 1, 1);
    assert_eq!(hours(&w), expected, "an hour ends with its last millisecond");
    assert!(w.find(second).is_some());
}
