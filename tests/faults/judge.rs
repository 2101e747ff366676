//! The judge of a history: what was promised, held against what the clients wrote down and what the store holds in the
//! end. It knows no store and no fault, only which of their consequences are allowed.

mod evidence;
mod rules;

use std::collections::BTreeMap;

use crate::history::{Moment, Op, Phase};
use evidence::Evidence;

/// What the promises of a run were.
#[derive(Clone, Debug)]
pub(crate) struct Terms {
    /// How far the clock that leases go by may differ from ours.
    pub(crate) slack_ms: u64,
    /// Spans whose accepted writes the store was free to forget, for it promised no more.
    pub(crate) undone: Vec<(Moment, Moment)>,
    /// Whether the clock that leases go by was turned, so that when one ran out cannot be judged.
    pub(crate) clock_turned: bool,
}

impl Default for Terms {
    fn default() -> Terms {
        Terms { slack_ms: 50, undone: Vec::new(), clock_turned: false }
    }
}

/// What the store holds when the run is over.
#[derive(Clone, Debug, Default)]
pub(crate) struct Rest {
    /// Its counts: accepted, taken, waiting, leased, expired, dead, deleted.
    pub(crate) sent: u64,
    pub(crate) taken: u64,
    pub(crate) waiting: u64,
    pub(crate) leased: u64,
    pub(crate) expired: u64,
    pub(crate) deleted: u64,
    /// Its dead letters: id and body.
    pub(crate) dead: BTreeMap<String, String>,
}

/// Which promise was broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Rule {
    /// Accepted, and neither delivered nor kept.
    Lost,
    /// Delivered, but nobody sent it so.
    Unexpected,
    /// Stored twice, or one delivery given to two readers.
    Doubled,
    /// Delivered after it was acknowledged, or acknowledged twice.
    AfterAck,
    /// Delivered again before its lease ran out and without a reason.
    Early,
    /// Delivered for the first time out of order.
    Order,
    /// A receipt worked whose delivery was over, or one was refused whose delivery was not.
    Receipt,
    /// The counts do not add up.
    Count,
    /// Something a run saw that is no matter of its history.
    Seen,
}

/// One broken promise.
#[derive(Clone, Debug)]
pub(crate) struct Breach {
    pub(crate) rule: Rule,
    pub(crate) what: String,
}

/// What came of a run.
#[derive(Clone, Debug, Default)]
pub(crate) struct Verdict {
    pub(crate) attempts: u64,
    pub(crate) ok: u64,
    pub(crate) fail: u64,
    pub(crate) info: u64,
    /// Deliveries beyond the first of a message, all of them explained unless a breach says otherwise.
    pub(crate) duplicates: u64,
    /// Messages accepted and gone, without a right to forget them.
    pub(crate) lost: u64,
    /// Messages accepted and gone where the store had promised no more.
    pub(crate) forgotten: u64,
    pub(crate) breaches: Vec<Breach>,
}

impl Verdict {
    /// Whether a promise of this sort was broken.
    pub(crate) fn breaks(&self, rule: Rule) -> bool {
        self.breaches.iter().any(|breach| breach.rule == rule)
    }

    /// Adds a broken promise.
    pub(crate) fn breach(&mut self, rule: Rule, what: impl Into<String>) {
        self.breaches.push(Breach { rule, what: what.into() });
    }

    /// Adds what came of another run.
    pub(crate) fn join(&mut self, other: Verdict) {
        self.attempts += other.attempts;
        self.ok += other.ok;
        self.fail += other.fail;
        self.info += other.info;
        self.duplicates += other.duplicates;
        self.lost += other.lost;
        self.forgotten += other.forgotten;
        self.breaches.extend(other.breaches);
    }
}

/// Judges a run by its history and what is left in the store.
pub(crate) fn judge(history: &[Op], rest: &Rest, terms: &Terms) -> Verdict {
    let evidence = Evidence::gather(history, rest, terms);
    let count = |phase| history.iter().filter(|op| op.said.phase() == phase).count() as u64;
    let mut verdict = Verdict {
        attempts: history.len() as u64,
        ok: count(Phase::Ok),
        fail: count(Phase::Fail),
        info: count(Phase::Info),
        ..Verdict::default()
    };
    rules::apply(&evidence, &mut verdict);
    verdict
}
