//! What `send`, `lease` and `peek` promise about order, content and the full mailbox.

use super::words::{ids, kind, name, seen};
use super::world::World;
use crate::error::Kind;
use crate::model::{MessageId, Millis, Recipient, State, Via};
use crate::store::{NewMail, Pick, Policy};

pub(super) fn mail_is_first_in_first_out(w: World) {
    let sent: Vec<MessageId> =
        (0..25).map(|n| w.send(if n % 2 == 0 { "ann" } else { "bea" }, "bob", "hello")).collect();
    let first = w.try_lease("bob", Pick::Head(10), 60).unwrap();
    assert_eq!((ids(&first.messages), first.remaining), (sent[..10].to_vec(), 15));
    assert_eq!(ids(&w.lease("bob", 10)), sent[10..20]);
    let last = w.try_lease("bob", Pick::Head(10), 60).unwrap();
    assert_eq!((ids(&last.messages), last.remaining), (sent[20..].to_vec(), 0));
    assert!(w.lease("bob", 10).is_empty());
}

pub(super) fn order_is_by_arrival_also_when_the_clock_goes_back(w: World) {
    let first = w.send("ann", "bob", "first");
    w.pass_millis(-5_000);
    let second = w.send("ann", "bob", "second");
    assert!(second < first, "the ids alone would give the other order");
    assert_eq!(ids(&w.lease("bob", 10)), [first, second]);
}

pub(super) fn a_message_goes_to_its_addressee_alone(w: World) {
    let (to_bob, to_cem) = (w.send("ann", "bob", "for bob"), w.send("ann", "cem", "for cem"));
    assert_eq!(ids(&w.lease("bob", 10)), [to_bob]);
    assert_eq!(ids(&w.lease("cem", 10)), [to_cem]);
    assert!(w.lease("ann", 10).is_empty());
}

pub(super) fn names_differ_by_case(w: World) {
    let (lower, upper) = (w.send("ann", "bob", "lower"), w.send("ann", "Bob", "upper"));
    assert_eq!(ids(&w.lease("bob", 10)), [lower]);
    assert_eq!(ids(&w.lease("Bob", 10)), [upper]);
}

pub(super) fn an_agent_can_write_to_itself(w: World) {
    let note = w.send("ann", "ann", "for tomorrow");
    assert_eq!(ids(&w.lease("ann", 10)), [note]);
}

pub(super) fn mail_to_a_name_nobody_has_is_kept(w: World) {
    let sent = w.post("ann", &w.mail("nobody", "wait for me")).unwrap();
    assert_eq!((sent.created, sent.recipient, sent.waiting), (true, Recipient::Unknown, 1));
    w.pass(3_600);
    let read = w.take("nobody");
    assert_eq!((read.id, read.body.as_str()), (sent.id, "wait for me"));
}

pub(super) fn a_body_is_kept_byte_for_byte(w: World) {
    let longest: String = "\u{1f4ec}".repeat(32_768);
    let bodies = ["a\0b", "\u{1b}[31mred\r\n\ttab\u{7f}", " \u{202e}bidi\u{200b} ", "\"\\u0000\"", "'); --", &longest];
    for body in bodies {
        let id = w.send("ann", "bob", body);
        assert_eq!(w.peek("bob", 1).messages[0].body.as_str(), body);
        let read = w.take("bob");
        assert_eq!((read.id, read.body.as_str()), (id, body));
        assert_eq!(w.find(id).unwrap().message.body.as_str(), body);
    }
}

pub(super) fn a_message_says_who_what_when_and_how(w: World) {
    for via in [Via::Cli, Via::Hook, Via::Mcp, Via::Http, Via::Gui] {
        w.pass_millis(1_234);
        let sent = w.post("ann", &NewMail { via, urgent: via == Via::Gui, ..w.mail("bob", "hello") }).unwrap();
        let at = w.now();
        w.pass(5);
        let read = w.take("bob");
        assert_eq!((read.id, read.from.as_str(), read.to.as_str()), (sent.id, "ann", "bob"));
        assert_eq!((read.timestamp, read.via, read.urgent), (at, via, via == Via::Gui));
        assert_eq!((read.reply_to, read.thread), (None, sent.id));
    }
}

pub(super) fn an_id_is_a_uuid_v7_of_the_stores_time_and_the_given_bits(w: World) {
    let mails = [w.mail("bob", "one"), w.mail("bob", "two")];
    let sent: Vec<MessageId> = mails.iter().map(|mail| w.post("ann", mail).unwrap().id).collect();
    assert_eq!(sent, mails.map(|mail| MessageId::at(w.now(), mail.random)));
    assert_ne!(sent[0], sent[1]);
}

pub(super) fn send_tells_how_many_wait_without_the_leased(w: World) {
    let waiting = |w: &World| w.post("ann", &w.mail("bob", "hello")).unwrap().waiting;
    assert_eq!([waiting(&w), waiting(&w), waiting(&w)], [1, 2, 3]);
    w.lease("bob", 2);
    assert_eq!(waiting(&w), 2);
    w.pass(61);
    assert_eq!(waiting(&w), 5);
}

pub(super) fn send_tells_what_is_known_of_the_recipient(w: World) {
    let recipient = |w: &World| w.post("ann", &w.mail("bob", "hello")).unwrap().recipient;
    assert_eq!(recipient(&w), Recipient::Unknown);
    assert_eq!(recipient(&w), Recipient::Unknown, "mail alone makes nobody known");
    w.check(seen("bob", None));
    assert_eq!(recipient(&w), Recipient::Idle, "idle when nothing else is known");
    w.check(seen("bob", State::Working));
    assert_eq!(recipient(&w), Recipient::Working);
    w.check(seen("bob", None));
    assert_eq!(recipient(&w), Recipient::Working, "a sighting without a state keeps what was known");
    w.check(seen("bob", State::Idle));
    assert_eq!(recipient(&w), Recipient::Idle);
    w.pass(29);
    assert_eq!(recipient(&w), Recipient::Idle);
    w.pass(2);
    assert_eq!(recipient(&w), Recipient::Offline);
    w.pass(30 * 24 * 3_600);
    assert_eq!(recipient(&w), Recipient::Offline, "seen once is known for good");
}

pub(super) fn a_sender_is_seen_by_sending(w: World) {
    w.send(seen("ann", State::Working), "bob", "hello");
    assert_eq!(w.post("bob", &w.mail("ann", "hi")).unwrap().recipient, Recipient::Working);
}

pub(super) fn a_lease_carries_receipt_deadline_and_count(w: World) {
    let id = w.send("ann", "bob", "hello");
    let batch = w.ask("bob", |store, step| store.lease(step, Pick::Head(1), std::time::Duration::from_secs(90), 77));
    let batch = batch.unwrap();
    let read = &batch.messages[0];
    let receipt = read.receipt.unwrap();
    assert_eq!((receipt.id, receipt.nonce, read.deliveries), (id, 77, Some(1)));
    assert_eq!(read.lease_until, Some(Millis(w.now().0 + 90_000)));
    assert_eq!((batch.next_due, batch.store_now), (read.lease_until, w.now()));
}

pub(super) fn a_batch_says_when_the_next_lease_runs_out(w: World) {
    w.send_many("ann", "bob", 3);
    assert_eq!(w.peek("bob", 10).next_due, None);
    w.try_lease("bob", Pick::Head(1), 60).unwrap();
    let second = w.try_lease("bob", Pick::Head(1), 20).unwrap();
    assert_eq!(second.next_due, Some(Millis(w.now().0 + 20_000)));
    w.pass(5);
    assert_eq!(w.peek("bob", 10).next_due, second.next_due);
    w.ack("bob", &second.messages);
    assert_eq!(w.peek("bob", 10).next_due, Some(Millis(w.now().0 + 55_000)));
}

pub(super) fn a_lease_gives_what_there_is_up_to_a_hundred(w: World) {
    let sent = w.send_many("ann", "bob", 130);
    let batch = w.try_lease("bob", Pick::Head(100), 60).unwrap();
    assert_eq!((ids(&batch.messages), batch.remaining), (sent[..100].to_vec(), 30));
    assert_eq!(ids(&w.lease("bob", 100)), sent[100..]);
}

pub(super) fn one_message_can_be_picked_wherever_it_stands(w: World) {
    let sent = w.send_many("ann", "bob", 4);
    let picked = w.try_lease("bob", Pick::One(sent[2]), 60).unwrap();
    assert_eq!(ids(&picked.messages), [sent[2]]);
    assert!(picked.messages[0].receipt.is_some());
    assert_eq!(ids(&w.lease("bob", 10)), [sent[0], sent[1], sent[3]]);
}

pub(super) fn a_pick_of_what_is_not_ready_gives_nothing(w: World) {
    let (foreign, leased, taken) = (w.send("ann", "cem", "x"), w.send("ann", "bob", "x"), w.send("ann", "bob", "x"));
    let pick = |id| w.try_lease("bob", Pick::One(id), 60).unwrap().messages;
    w.ack("bob", &pick(taken));
    pick(leased);
    let unknown = MessageId::at(w.now(), w.random());
    for id in [foreign, leased, taken, unknown] {
        assert!(pick(id).is_empty());
    }
    w.pass(61);
    assert_eq!(ids(&pick(leased)), [leased]);
}

pub(super) fn a_peek_shows_what_a_lease_would_hand_out_and_consumes_nothing(w: World) {
    let sent = w.send_many("ann", "bob", 5);
    w.try_lease("bob", Pick::One(sent[1]), 60).unwrap();
    for _ in 0..2 {
        let batch = w.peek("bob", 3);
        assert_eq!(ids(&batch.messages), [sent[0], sent[2], sent[3]]);
        assert_eq!((batch.remaining, batch.store_now), (1, w.now()));
        assert!(batch.messages.iter().all(|message| message.receipt.is_none() && message.lease_until.is_none()));
    }
    let leased = w.lease("bob", 10);
    assert_eq!(ids(&leased), [sent[0], sent[2], sent[3], sent[4]]);
    assert!(leased.iter().all(|message| message.deliveries == Some(1)), "a peek is no delivery");
}

pub(super) fn reading_an_empty_mailbox_gives_nothing_and_makes_nothing(w: World) {
    for batch in [w.peek("bob", 10), w.try_lease("bob", Pick::Head(10), 60).unwrap()] {
        assert!(batch.messages.is_empty() && batch.unreadable.is_empty());
        assert_eq!((batch.remaining, batch.next_due, batch.store_now), (0, None, w.now()));
    }
    assert_eq!(w.post("ann", &w.mail("bob", "hello")).unwrap().recipient, Recipient::Unknown);
}

pub(super) fn a_full_mailbox_refuses_and_drops_nothing(mut w: World) {
    w.policy.max_inbox = 3;
    let sent = w.send_many("ann", "bob", 3);
    let mark = w.mark();
    let refused = w.post("ann", &w.mail("bob", "one too many")).unwrap_err();
    assert_eq!(refused.kind, Kind::Full);
    assert!(w.events(&mark).is_empty(), "a refused message is not announced");
    assert_eq!(w.stats().sent, 3, "a refused message is not counted");
    w.send("ann", "cem", "another mailbox has room");
    assert_eq!(ids(&w.lease("bob", 10)), sent);
}

pub(super) fn leased_mail_fills_a_mailbox_until_it_is_acked(mut w: World) {
    w.policy.max_inbox = 3;
    w.send_many("ann", "bob", 3);
    let leased = w.lease("bob", 2);
    assert_eq!(kind(w.post("ann", &w.mail("bob", "x"))), Some(Kind::Full));
    w.ack("bob", &leased[..1]);
    w.send("ann", "bob", "there is room for one");
    assert_eq!(kind(w.post("ann", &w.mail("bob", "x"))), Some(Kind::Full));
    w.pass(61);
    assert_eq!(kind(w.post("ann", &w.mail("bob", "x"))), Some(Kind::Full), "mail that is ready again counts");
}

pub(super) fn a_full_mailbox_moves_what_is_due_before_it_refuses(mut w: World) {
    w.policy.max_inbox = 150;
    w.send_many("ann", "bob", 150);
    w.pass(24 * 3_600 + 1);
    assert_eq!(w.post("ann", &w.mail("bob", "after the expiry of all")).unwrap().waiting, 1);
    w.policy = Policy { max_inbox: 1, max_deliveries: 1, ..w.policy };
    w.lease("bob", 1);
    assert_eq!(kind(w.post("ann", &w.mail("bob", "x"))), Some(Kind::Full));
    w.pass(61);
    assert_eq!(w.post("ann", &w.mail("bob", "after a death")).unwrap().waiting, 1);
}

pub(super) fn a_larger_cap_lets_more_in(mut w: World) {
    w.policy.max_inbox = 1;
    w.send("ann", "bob", "one");
    assert_eq!(kind(w.post("ann", &w.mail("bob", "x"))), Some(Kind::Full));
    w.policy.max_inbox = 2;
    w.send("ann", "bob", "two");
}

pub(super) fn an_expired_message_is_never_delivered_and_is_counted(mut w: World) {
    let long = w.send("ann", "bob", "long");
    w.policy.ttl = std::time::Duration::from_secs(60);
    w.send_many("ann", "bob", 3);
    w.pass(59);
    assert_eq!(w.peek("bob", 10).messages.len(), 4);
    w.pass(2);
    let peek = w.peek("bob", 10);
    assert_eq!((ids(&peek.messages), peek.remaining), (vec![long], 0));
    assert_eq!(ids(&w.lease("bob", 10)), [long]);
    let stats = w.stats();
    assert_eq!((stats.expired, stats.waiting, stats.leased), (3, 0, 1));
    assert_eq!(w.post("ann", &w.mail("bob", "x")).unwrap().waiting, 1);
}

pub(super) fn many_handles_see_one_store(w: World) {
    let other = w.again();
    let id = w.send("ann", "bob", "hello");
    assert_eq!(other.agent("bob").unwrap().name, name("bob"));
    let leased = other.lease("bob", 10);
    assert_eq!(ids(&leased), [id]);
    assert!(w.lease("bob", 10).is_empty());
    w.ack("bob", &leased);
}
