//! What a lease promises: exclusive, one receipt a delivery, ready again in its order, dead in time.

use std::time::Duration;

use super::words::{ids, receipts};
use super::world::World;
use crate::model::{EventType, MessageId, Receipt, Standing};
use crate::store::{Pick, Settle, Settled};

/// All of these are refused.
fn stale(receipts: &[Receipt]) -> Settled {
    Settled { done: vec![], stale: receipts.to_vec() }
}

/// All of these are carried out.
fn done(receipts: &[Receipt]) -> Settled {
    Settled { done: receipts.to_vec(), stale: vec![] }
}

/// Whatever is done with these, it is refused.
fn assert_stale(w: &World, who: &str, receipts: &[Receipt]) {
    for what in [Settle::Ack, Settle::Extend(Duration::from_secs(60)), Settle::Release] {
        assert_eq!(w.settle(who, receipts, what), stale(receipts), "{what:?}");
    }
}

pub(super) fn a_leased_message_is_with_one_reader_at_a_time(w: World) {
    let sent = w.send_many("ann", "bob", 3);
    let other = w.again();
    assert_eq!(ids(&w.lease("bob", 2)), sent[..2]);
    assert_eq!(ids(&other.lease("bob", 3)), sent[2..]);
    w.pass(59);
    assert!(other.lease("bob", 3).is_empty());
    assert!(w.peek("bob", 3).messages.is_empty());
}

pub(super) fn run_out_mail_is_ready_again_within_a_second_with_one_delivery_more(w: World) {
    let id = w.send("ann", "bob", "hello");
    let first = w.lease("bob", 1);
    w.pass_millis(59_999);
    assert!(w.lease("bob", 1).is_empty());
    w.pass_millis(1_001);
    let second = w.lease("bob", 1);
    assert_eq!((ids(&second), second[0].deliveries), (vec![id], Some(2)));
    assert_ne!(first[0].receipt, second[0].receipt, "a receipt belongs to one delivery");
}

pub(super) fn ready_again_mail_goes_to_the_head_in_its_order(w: World) {
    let sent = w.send_many("ann", "bob", 6);
    for seconds in [50, 10, 30] {
        w.try_lease("bob", Pick::Head(1), seconds).unwrap();
    }
    let late = w.send("ann", "bob", "late");
    w.pass(31);
    assert_eq!(ids(&w.peek("bob", 10).messages), [sent[1], sent[2], sent[3], sent[4], sent[5], late]);
    w.pass(20);
    let all: Vec<MessageId> = sent.iter().copied().chain([late]).collect();
    assert_eq!(ids(&w.lease("bob", 10)), all);
}

pub(super) fn released_mail_is_ready_at_once_at_its_place(w: World) {
    let sent = w.send_many("ann", "bob", 4);
    let leased = w.lease("bob", 3);
    w.give_back("bob", &[leased[2].clone(), leased[0].clone()]);
    let again = w.lease("bob", 10);
    assert_eq!(ids(&again), [sent[0], sent[2], sent[3]]);
    let deliveries: Vec<_> = again.iter().map(|message| message.deliveries).collect();
    assert_eq!(deliveries, [Some(2), Some(2), Some(1)], "every lease counts as a delivery");
}

pub(super) fn extending_holds_from_now_and_is_no_delivery(w: World) {
    let id = w.send("ann", "bob", "hello");
    let leased = w.lease("bob", 1);
    w.pass(50);
    assert_eq!(w.settle("bob", &receipts(&leased), Settle::Extend(Duration::from_secs(100))), done(&receipts(&leased)));
    w.pass(99);
    assert!(w.lease("bob", 1).is_empty());
    w.pass(2);
    let again = w.lease("bob", 1);
    assert_eq!((ids(&again), again[0].deliveries), (vec![id], Some(2)));
}

pub(super) fn extending_can_shorten_a_lease(w: World) {
    w.send("ann", "bob", "hello");
    let leased = w.lease("bob", 1);
    w.settle("bob", &receipts(&leased), Settle::Extend(Duration::from_secs(5)));
    w.pass(6);
    assert_eq!(ids(&w.lease("bob", 1)), ids(&leased));
}

pub(super) fn an_extended_delivery_can_still_be_acked(w: World) {
    w.send("ann", "bob", "hello");
    let leased = w.lease("bob", 1);
    w.settle("bob", &receipts(&leased), Settle::Extend(Duration::from_secs(600)));
    w.pass(300);
    w.ack("bob", &leased);
    w.pass(600);
    assert!(w.lease("bob", 1).is_empty());
}

pub(super) fn acked_mail_never_comes_back(w: World) {
    w.send_many("ann", "bob", 3);
    let leased = w.lease("bob", 3);
    w.ack("bob", &leased);
    w.pass(3_600);
    assert!(w.lease("bob", 10).is_empty());
    let stats = w.stats();
    assert_eq!((stats.taken, stats.waiting, stats.leased), (3, 0, 0));
}

pub(super) fn an_ack_is_idempotent(w: World) {
    w.send_many("ann", "bob", 2);
    let leased = w.lease("bob", 2);
    w.ack("bob", &leased);
    let mark = w.mark();
    w.ack("bob", &leased);
    w.pass(3_600);
    w.ack("bob", &leased);
    assert_eq!(w.stats().taken, 2, "an ack counts once");
    assert!(w.events(&mark).is_empty(), "a repeated ack is not announced");
}

pub(super) fn a_receipt_is_stale_when_its_lease_ran_out(w: World) {
    let id = w.send("ann", "bob", "hello");
    let leased = w.lease("bob", 1);
    w.pass(61);
    assert_stale(&w, "bob", &receipts(&leased));
    assert_eq!(ids(&w.lease("bob", 1)), [id], "a refused receipt changes nothing");
}

pub(super) fn a_receipt_is_stale_when_it_was_released(w: World) {
    w.send("ann", "bob", "hello");
    let leased = w.lease("bob", 1);
    w.give_back("bob", &leased);
    assert_stale(&w, "bob", &receipts(&leased));
}

pub(super) fn a_receipt_is_stale_when_a_later_delivery_replaced_it(w: World) {
    w.send("ann", "bob", "hello");
    let first = w.lease("bob", 1);
    w.give_back("bob", &first);
    let second = w.lease("bob", 1);
    assert_stale(&w, "bob", &receipts(&first));
    w.ack("bob", &second);
    assert_stale(&w, "bob", &receipts(&first));
}

pub(super) fn a_receipt_is_stale_in_a_foreign_mailbox(w: World) {
    w.send("ann", "bob", "hello");
    w.send("ann", "cem", "hello");
    let leased = w.lease("bob", 1);
    assert_stale(&w, "cem", &receipts(&leased));
    assert_stale(&w, "nobody", &receipts(&leased));
    w.ack("bob", &leased);
    assert_stale(&w, "cem", &receipts(&leased));
}

pub(super) fn a_receipt_that_was_never_given_is_stale(w: World) {
    let waiting = w.send("ann", "bob", "waiting");
    let unknown = MessageId::at(w.now(), w.random());
    assert_stale(&w, "bob", &[Receipt { id: waiting, nonce: 0 }, Receipt { id: unknown, nonce: 7 }]);
    let leased = w.lease("bob", 1);
    let forged = Receipt { id: waiting, nonce: leased[0].receipt.unwrap().nonce ^ 1 };
    assert_stale(&w, "bob", &[forged]);
    w.ack("bob", &leased);
    assert_stale(&w, "bob", &[forged]);
}

pub(super) fn a_done_receipt_cannot_be_extended_or_released(w: World) {
    w.send("ann", "bob", "hello");
    let leased = w.lease("bob", 1);
    w.ack("bob", &leased);
    let receipts = receipts(&leased);
    assert_eq!(w.settle("bob", &receipts, Settle::Extend(Duration::from_secs(60))), stale(&receipts));
    assert_eq!(w.settle("bob", &receipts, Settle::Release), stale(&receipts));
    assert!(w.lease("bob", 1).is_empty());
}

pub(super) fn receipts_are_judged_one_by_one_in_the_order_given(w: World) {
    w.send_many("ann", "bob", 5);
    let leased = receipts(&w.lease("bob", 5));
    w.settle("bob", &[leased[1], leased[3]], Settle::Release);
    let mixed = [leased[4], leased[3], leased[0], leased[1], leased[2]];
    assert_eq!(
        w.settle("bob", &mixed, Settle::Ack),
        Settled { done: vec![leased[4], leased[0], leased[2]], stale: vec![leased[3], leased[1]] }
    );
    assert_eq!(w.settle("bob", &[], Settle::Ack), Settled::default());
}

pub(super) fn a_hundred_receipts_are_settled_in_one_step(w: World) {
    w.send_many("ann", "bob", 100);
    let leased = w.lease("bob", 100);
    w.give_back("bob", &leased);
    w.ack("bob", &w.lease("bob", 100));
    assert_eq!(w.stats().taken, 100);
}

pub(super) fn mail_is_dead_when_its_last_lease_runs_out(mut w: World) {
    w.policy.max_deliveries = 3;
    let id = w.send("ann", "bob", "poison");
    for delivery in 1..=3 {
        let leased = w.lease("bob", 1);
        assert_eq!((ids(&leased), leased[0].deliveries), (vec![id], Some(delivery)));
        assert!(w.dead("bob").is_empty());
        w.pass(61);
    }
    assert!(w.lease("bob", 1).is_empty());
    assert_eq!(w.dead("bob"), [id]);
    let stats = w.stats();
    assert_eq!((stats.died, stats.dead, stats.waiting, stats.leased), (1, 1, 0, 0));
}

pub(super) fn mail_is_dead_in_the_step_of_its_last_release(mut w: World) {
    w.policy.max_deliveries = 2;
    let id = w.send("ann", "bob", "poison");
    w.give_back("bob", &w.lease("bob", 1));
    let leased = w.lease("bob", 1);
    let mark = w.mark();
    w.give_back("bob", &leased);
    assert_eq!(w.events_of(&mark, EventType::Dead), [id]);
    assert!(w.peek("bob", 1).messages.is_empty());
    assert_eq!(w.dead("bob"), [id]);
    assert_eq!(w.find(id).unwrap().standing, Standing::Dead);
}

pub(super) fn the_last_delivery_can_still_be_acked(mut w: World) {
    w.policy.max_deliveries = 1;
    w.send("ann", "bob", "hello");
    let leased = w.lease("bob", 1);
    w.pass(59);
    w.ack("bob", &leased);
    w.pass(60);
    assert!(w.dead("bob").is_empty());
}

pub(super) fn leased_mail_past_its_ttl_can_be_acked_while_the_lease_holds(w: World) {
    w.send("ann", "bob", "hello");
    w.pass(24 * 3_600 - 10);
    let leased = w.lease("bob", 1);
    w.pass(30);
    w.ack("bob", &leased);
    let stats = w.stats();
    assert_eq!((stats.taken, stats.expired), (1, 0));
}

pub(super) fn leased_mail_past_its_ttl_expires_when_the_lease_runs_out(w: World) {
    w.send("ann", "bob", "hello");
    w.pass(24 * 3_600 - 10);
    let leased = w.lease("bob", 1);
    w.pass(61);
    assert!(w.lease("bob", 1).is_empty());
    assert_eq!(w.settle("bob", &receipts(&leased), Settle::Ack), stale(&receipts(&leased)));
    let stats = w.stats();
    assert_eq!((stats.taken, stats.expired, stats.leased), (0, 1, 0));
}

pub(super) fn leased_mail_past_its_ttl_expires_when_it_is_released(w: World) {
    w.send("ann", "bob", "hello");
    w.pass(24 * 3_600 - 10);
    let leased = w.lease("bob", 1);
    w.pass(30);
    w.give_back("bob", &leased);
    assert!(w.lease("bob", 1).is_empty());
    let stats = w.stats();
    assert_eq!((stats.expired, stats.leased, stats.waiting), (1, 0, 0));
}

pub(super) fn more_than_a_hundred_run_out_leases_come_back_in_order(mut w: World) {
    w.policy.max_inbox = 250;
    let sent = w.send_many("ann", "bob", 250);
    assert_eq!(w.lease_all("bob").len(), 250);
    w.pass(61);
    assert_eq!(w.check("bob").unread, 250);
    let again = w.lease_all("bob");
    assert_eq!(ids(&again), sent);
    assert!(again.iter().all(|message| message.deliveries == Some(2)));
}

pub(super) fn receipts_are_stale_also_when_more_than_a_hundred_leases_ran_out(w: World) {
    w.send_many("ann", "bob", 250);
    let leased = receipts(&w.lease_all("bob"));
    w.pass(61);
    for part in leased.rchunks(100) {
        assert_eq!(w.settle("bob", part, Settle::Ack), stale(part));
    }
    assert_eq!((w.check("bob").unread, w.stats().taken), (250, 0));
}

pub(super) fn what_is_due_elsewhere_delays_nobody(w: World) {
    w.send_many("ann", "cem", 250);
    w.lease_all("cem");
    w.pass(1);
    let sent = w.send_many("ann", "bob", 3);
    w.lease("bob", 3);
    w.pass(61);
    assert_eq!(ids(&w.lease("bob", 10)), sent);
    assert_eq!(w.stats().waiting, 250);
}
