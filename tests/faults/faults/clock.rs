//! What befalls the clock: processes whose clock is an hour ahead or behind.

use std::time::Duration;

use super::Case;
use crate::field::{LEASE, Post};
use crate::judge::{Terms, Verdict};
use crate::script::{Script, Step};
use crate::tools;

/// One client whose clock is turned before each thing it does. Leases may run out early or late by as much as the clock
/// was turned; nothing is lost, doubled or acknowledged by a receipt that does not hold.
pub(super) fn turned(case: &Case) -> Option<Verdict> {
    let library = tools::faketime()?;
    let (mut post, _server) = case.post();
    let mut script = Script::new();
    let mut chance = case.chance();
    let mut turn = |post: &mut Post| {
        let offset = ["-3600", "-60", "+0", "+60", "+3600"][chance.below(5) as usize];
        post.env.insert("LD_PRELOAD".to_owned(), library.clone());
        post.env.insert("FAKETIME".to_owned(), offset.to_owned());
        post.env.insert("FAKETIME_DONT_FAKE_MONOTONIC".to_owned(), "1".to_owned());
    };
    for _ in 0..if case.full { 100 } else { 12 } {
        for step in [Step::Send, Step::Send, Step::Lease, Step::Ack, Step::Take] {
            turn(&mut post);
            script.step(&post, step);
        }
    }
    // An hour ahead of whatever was, so that every lease is over.
    post.env.insert("FAKETIME".to_owned(), "+8000".to_owned());
    let verdict = script.judge(&post, &Terms { clock_turned: true, ..Terms::default() });
    Some(verdict)
}

/// A server's own clock decides: clients that are an hour off agree on a lease.
pub(super) fn turned_clients(case: &Case) -> Option<Verdict> {
    let library = tools::faketime()?;
    let (mut post, _server) = case.post();
    let mut script = Script::new();
    post.env.insert("LD_PRELOAD".to_owned(), library);
    for offset in ["+3600", "-3600", "+0"].repeat(if case.full { 20 } else { 2 }) {
        post.env.insert("FAKETIME".to_owned(), offset.to_owned());
        script.prepare(&post, Step::Ack);
        post.env.insert("FAKETIME".to_owned(), format!("+{}", 7_200));
        // Another reader an hour or two ahead is handed nothing that is held.
        script.step(&post, Step::Lease);
        script.step(&post, Step::Ack);
    }
    std::thread::sleep(Duration::from_millis(LEASE * 1000 + 100));
    Some(script.judge(&post, &Terms::default()))
}
