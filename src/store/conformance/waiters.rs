//! What a waiter promises: it wakes when something changed since it was made, and ends in time.
//!
//! These tests go by the host's clock: each change is made by another handle, as another process would.

use std::time::{Duration, Instant};

use super::words::{Who, ids, name, receipts};
use super::world::World;
use crate::store::{Scope, Settle, Waiter};

/// Longer than any waiter may take to notice a change; a waiter that reaches this did not wake.
const LONG: Duration = Duration::from_secs(8);

/// Waits once, and fails if the waiter slept through.
fn assert_wakes(waiter: &mut dyn Waiter, why: &str) {
    let begin = Instant::now();
    waiter.wait(begin + LONG).unwrap();
    assert!(begin.elapsed() < LONG / 2, "the waiter slept through: {why}");
}

/// A waiter for the mail of `who`.
fn mail_of(w: &World, who: &str) -> Box<dyn Waiter> {
    w.store.waiter(&Scope::Mail(name(who))).unwrap()
}

pub(super) fn a_waiter_wakes_on_what_changed_since_it_was_made(w: World) {
    w.send("ann", "bob", "makes the mailbox");
    let mut waiter = mail_of(&w, "bob");
    w.again().send("ann", "bob", "hello");
    assert_wakes(&mut *waiter, "mail");
    w.again().send("ann", "bob", "again");
    assert_wakes(&mut *waiter, "mail since it last returned");
}

pub(super) fn a_waiter_wakes_on_mail_to_a_name_without_a_mailbox(w: World) {
    let mut waiter = mail_of(&w, "nobody-yet");
    w.again().send("ann", "nobody-yet", "hello");
    assert_wakes(&mut *waiter, "the first mail to a name");
}

pub(super) fn a_waiter_wakes_on_a_broadcast(w: World) {
    let mut waiter = mail_of(&w, "bob");
    w.again().announce("ann", "hear this");
    assert_wakes(&mut *waiter, "a broadcast");
}

pub(super) fn a_waiter_wakes_on_mail_that_is_released(w: World) {
    w.send("ann", "bob", "hello");
    let leased = w.lease("bob", 1);
    let mut waiter = mail_of(&w, "bob");
    w.again().settle("bob", &receipts(&leased), Settle::Release);
    assert_wakes(&mut *waiter, "a release");
}

pub(super) fn a_waiter_wakes_on_mail_to_a_forwarding_name(w: World) {
    w.rename("bob", "rob").unwrap();
    let mut waiter = mail_of(&w, "rob");
    w.again().send("ann", "bob", "hello");
    assert_wakes(&mut *waiter, "mail by the old name");
    let mut waiter = mail_of(&w, "bob");
    w.again().send("ann", "rob", "hello");
    assert_wakes(&mut *waiter, "mail by the new name");
}

pub(super) fn a_waiter_wakes_on_mail_that_a_rename_brings(w: World) {
    w.send("ann", "bob", "hello");
    let mut waiter = mail_of(&w, "rob");
    w.again().rename("bob", "rob").unwrap();
    assert_wakes(&mut *waiter, "a rename");
}

pub(super) fn a_waiter_goes_on_after_its_mailbox_was_renamed(w: World) {
    w.send("ann", "bob", "hello");
    w.lease("bob", 1);
    let mut waiter = mail_of(&w, "bob");
    let other = w.again();
    other.rename("bob", "rob").unwrap();
    let id = other.send("ann", "rob", "after");
    let begin = Instant::now();
    while ids(&w.peek("bob", 10).messages) != [id] {
        waiter.wait(begin + LONG).unwrap();
        assert!(begin.elapsed() < LONG / 2, "the waiter slept through");
    }
    other.send("ann", "bob", "and again");
    assert_wakes(&mut *waiter, "mail after a rename");
}

pub(super) fn a_waiter_wakes_on_a_retried_dead_letter(w: World) {
    w.send("ann", "bob", "poison");
    w.kill_all("bob");
    let mut waiter = mail_of(&w, "bob");
    w.again().ask("bob", |store, step| store.dead_retry(step, None)).unwrap();
    assert_wakes(&mut *waiter, "a retry");
}

pub(super) fn an_event_waiter_wakes_on_any_event(w: World) {
    let other = w.again();
    let mut waiter = w.store.waiter(&Scope::Events).unwrap();
    other.send("ann", "bob", "hello");
    assert_wakes(&mut *waiter, "message.sent");
    let leased = other.lease("bob", 1);
    assert_wakes(&mut *waiter, "message.leased");
    other.ack("bob", &leased);
    assert_wakes(&mut *waiter, "message.taken");
    other.announce("ann", "hear this");
    assert_wakes(&mut *waiter, "broadcast.created");
    other.rename("bob", "rob").unwrap();
    assert_wakes(&mut *waiter, "agent.renamed");
    other.check(super::words::seen("cem", None));
    assert_wakes(&mut *waiter, "agent.online");
}

pub(super) fn a_blocked_waiter_is_woken(w: World) {
    let mut waiter = mail_of(&w, "bob");
    let (ready, go) = std::sync::mpsc::channel();
    let reader = w.again();
    let waiting = std::thread::spawn(move || {
        ready.send(()).unwrap();
        let begin = Instant::now();
        while reader.peek("bob", 1).messages.is_empty() {
            waiter.wait(begin + LONG).unwrap();
            assert!(begin.elapsed() < LONG / 2, "the waiter slept through");
        }
        reader.take("bob").body
    });
    go.recv().unwrap();
    w.send("ann", "bob", "wake up");
    assert_eq!(waiting.join().unwrap().as_str(), "wake up");
}

pub(super) fn a_waiter_ends_when_its_time_is_over(w: World) {
    let mut waiter = mail_of(&w, "bob");
    for millis in [0, 50, 700] {
        let begin = Instant::now();
        waiter.wait(begin + Duration::from_millis(millis)).unwrap();
        assert!(begin.elapsed() < Duration::from_millis(millis + 1_000), "late by more than a second");
    }
    waiter.wait(Instant::now()).unwrap();
}

pub(super) fn a_quiet_waiter_does_not_spin(w: World) {
    let mut waiter = mail_of(&w, "bob");
    let until = Instant::now() + Duration::from_millis(1_500);
    let mut rounds = 0;
    while Instant::now() < until {
        waiter.wait(until).unwrap();
        rounds += 1;
    }
    assert!(rounds < 20, "{rounds} early returns without any change");
}

pub(super) fn many_waiters_wake_on_one_message(w: World) {
    let mut waiters: Vec<Box<dyn Waiter>> =
        (0..8).map(|_| w.again().store.waiter(&Scope::Mail(name("bob"))).unwrap()).collect();
    w.send("ann".actor(), "bob", "hello");
    for waiter in &mut waiters {
        assert_wakes(&mut **waiter, "mail for many");
    }
}
