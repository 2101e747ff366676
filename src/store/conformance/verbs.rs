//! Every verb that takes a step, as a table: for the promises that hold for each of them.

use std::time::Duration;

use super::words::{kind, name, process};
use super::world::World;
use crate::error::{Kind, Result};
use crate::model::{MessageId, Receipt};
use crate::store::{Actor, BroadcastQuery, From, HistoryQuery, Pick, Settle, Step, Store};

/// One verb.
pub(super) struct Verb {
    /// Its name, for a failing test.
    pub(super) name: &'static str,
    /// Whether it takes mail or changes the name, so that a guessed name is not enough while a session holds it.
    pub(super) takes: bool,
    /// Whether it is refused while the store is being moved.
    pub(super) writes: bool,
    /// Runs it on little: what it gives back does not matter.
    run: fn(&dyn Store, &Step<'_>, &World) -> Result<()>,
}

/// A verb that takes mail or changes the name.
const fn taking(name: &'static str, run: fn(&dyn Store, &Step<'_>, &World) -> Result<()>) -> Verb {
    Verb { name, takes: true, writes: true, run }
}

/// A verb that writes, but takes nothing of the actor's.
const fn writing(name: &'static str, run: fn(&dyn Store, &Step<'_>, &World) -> Result<()>) -> Verb {
    Verb { name, takes: false, writes: true, run }
}

/// A verb that looks.
const fn looking(name: &'static str, run: fn(&dyn Store, &Step<'_>, &World) -> Result<()>) -> Verb {
    Verb { name, takes: false, writes: false, run }
}

/// An id that no store knows.
fn unknown(step: &Step<'_>, w: &World) -> MessageId {
    MessageId::at(step.now, w.random())
}

/// Every verb but `claim` and `release`; `rename` comes last, because the actor then has another name.
pub(super) const VERBS: [Verb; 24] = [
    taking("lease", |s, step, w| s.lease(step, Pick::Head(1), Duration::from_secs(60), w.fresh()).map(drop)),
    taking("settle", |s, step, w| s.settle(step, &[Receipt { id: unknown(step, w), nonce: 1 }], Settle::Ack).map(drop)),
    taking("dead_retry", |s, step, _| s.dead_retry(step, None).map(drop)),
    taking("dead_purge", |s, step, _| s.dead_purge(step, None).map(drop)),
    taking("broadcasts, advancing", |s, step, _| {
        s.broadcasts(step, &BroadcastQuery { all: false, advance: true, limit: 1, room: None }).map(drop)
    }),
    taking("delete", |s, step, w| s.delete(step, unknown(step, w)).map(drop)),
    taking("clear", |s, step, _| s.clear(step).map(drop)),
    writing("send", |s, step, w| s.send(step, &w.mail("cem", "hello")).map(drop)),
    writing("broadcast", |s, step, w| s.broadcast(step, &w.word("hello")).map(drop)),
    writing("clear_broadcasts", |s, step, _| s.clear_broadcasts(step).map(drop)),
    writing("cleanup", |s, step, _| s.cleanup(step, &[], None).map(drop)),
    looking("peek", |s, step, _| s.peek(step, 1).map(drop)),
    looking("dead", |s, step, _| s.dead(step, 1).map(drop)),
    looking("check", |s, step, _| s.check(step).map(drop)),
    looking("broadcasts", |s, step, _| {
        s.broadcasts(step, &BroadcastQuery { all: true, advance: false, limit: 1, room: None }).map(drop)
    }),
    looking("agents", |s, step, _| s.agents(step, 1, None).map(drop)),
    looking("list", |s, step, _| s.list(step, 1, From::Offset(0)).map(drop)),
    looking("history", |s, step, _| s.history(step, &HistoryQuery { limit: 1, ..HistoryQuery::default() }).map(drop)),
    looking("find", |s, step, w| s.find(step, unknown(step, w)).map(drop)),
    looking("events", |s, step, _| s.events(step, None, 1).map(drop)),
    looking("stats", |s, step, _| s.stats(step).map(drop)),
    looking("holder", |s, step, _| s.holder(step, &step.by.name).map(drop)),
    looking("holders", |s, step, _| s.holders(step).map(drop)),
    taking("rename", |s, step, w| s.rename(step, &name(&format!("new-{}", w.fresh())), None).map(drop)),
];

impl Verb {
    /// Runs it as `who`.
    pub(super) fn run(&self, w: &World, who: &Actor) -> Result<()> {
        w.ask(who, |store, step| (self.run)(store, step, w))
    }
}

/// Runs every verb for `who`; each must end as `expected` says.
pub(super) fn assert_each(w: &World, who: &Actor, expected: impl Fn(&Verb) -> Option<Kind>) {
    for verb in &VERBS {
        let outcome = kind(verb.run(w, who));
        assert_eq!(outcome, expected(verb), "{} as {who:?}", verb.name);
    }
}

/// How claiming and ending a claim end.
pub(super) fn claiming(w: &World, who: &str) -> [Option<Kind>; 2] {
    [
        kind(w.ask(who, |store, step| store.claim(step, &name(who), &process(4_242), None))),
        kind(w.ask(who, |store, step| store.release(step, crate::model::Generation(4_242)))),
    ]
}
