//! A history sorted by what it tells of each message: who sent it, who was handed it when, who said that it was done.
//! Where the store was free to forget, certainty is taken back here. It judges nothing.

use std::collections::{BTreeMap, BTreeSet};

use super::{Rest, Terms};
use crate::history::{Call, Moment, Op, Phase, Said, Seen};

/// One message, known by its body, which no two sends share.
#[derive(Default)]
pub(super) struct Letter {
    /// Who it is for.
    pub(super) to: String,
    /// The ids under which it was accepted for certain.
    pub(super) ids: BTreeSet<String>,
    /// How many calls were told that they created it.
    pub(super) created: u64,
    /// Whether a call may have stored it.
    pub(super) possible: bool,
    /// Whether it was accepted, and the store was free to forget it.
    pub(super) forgettable: bool,
    /// When the first call began, and when the first one that was accepted ended.
    pub(super) begin: Moment,
    pub(super) accepted: Option<Moment>,
}

/// One message in one reader's hand.
#[derive(Clone, Debug)]
pub(super) struct Delivery {
    pub(super) seen: Seen,
    pub(super) mailbox: String,
    /// The place among the messages of its answer.
    pub(super) place: usize,
    /// The call that got it.
    pub(super) begin: Moment,
    pub(super) end: Moment,
    pub(super) hold: Moment,
    /// Whether the store was free to forget that it handed it out.
    pub(super) undone: bool,
}

/// One receipt that was used.
#[derive(Clone, Debug)]
pub(super) struct Use {
    pub(super) begin: Moment,
    pub(super) end: Moment,
    pub(super) acks: bool,
    pub(super) result: Used,
}

/// What came of a receipt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Used {
    Done,
    Stale,
    Unknown,
}

/// What a history tells.
pub(super) struct Evidence<'a> {
    pub(super) letters: BTreeMap<String, Letter>,
    /// By id, in the order of their numbers.
    pub(super) deliveries: BTreeMap<String, Vec<Delivery>>,
    /// By receipt.
    pub(super) uses: BTreeMap<String, Vec<Use>>,
    /// Ids that a plain read took, with when it was done and whether that is certain.
    pub(super) takes: BTreeMap<String, Vec<(Moment, bool)>>,
    /// By mailbox: when reads began of which nobody knows what they were handed.
    pub(super) blind: BTreeMap<String, Vec<Moment>>,
    pub(super) rest: &'a Rest,
    pub(super) terms: &'a Terms,
}

impl<'a> Evidence<'a> {
    pub(super) fn gather(history: &[Op], rest: &'a Rest, terms: &'a Terms) -> Evidence<'a> {
        let mut all = Evidence {
            letters: BTreeMap::new(),
            deliveries: BTreeMap::new(),
            uses: BTreeMap::new(),
            takes: BTreeMap::new(),
            blind: BTreeMap::new(),
            rest,
            terms,
        };
        for op in history {
            let undone = terms.undone.iter().any(|(from, till)| (*from..=*till).contains(&op.end));
            match &op.call {
                Call::Send { to, body, .. } => all.sending(op, to, body, undone),
                Call::Read { mailbox, hold_ms, takes } => all.reading(op, mailbox, *hold_ms, *takes, undone),
                Call::Settle { receipts, acks, .. } => all.settling(op, receipts, *acks, undone),
            }
        }
        for deliveries in all.deliveries.values_mut() {
            deliveries.sort_by_key(|delivery| (delivery.seen.deliveries, delivery.end));
        }
        all
    }

    fn sending(&mut self, op: &Op, to: &str, body: &str, undone: bool) {
        let letter = self.letters.entry(body.to_owned()).or_insert_with(|| Letter {
            to: to.to_owned(),
            begin: op.begin,
            ..Letter::default()
        });
        letter.begin = letter.begin.min(op.begin);
        letter.possible |= op.said.phase() != Phase::Fail;
        let Said::Sent { id, created } = &op.said else { return };
        if undone {
            letter.forgettable = true;
            return;
        }
        letter.created += u64::from(*created);
        letter.ids.insert(id.clone());
        letter.accepted = Some(letter.accepted.map_or(op.end, |first| first.min(op.end)));
    }

    fn reading(&mut self, op: &Op, mailbox: &str, hold_ms: u64, takes: bool, undone: bool) {
        let (messages, sure) = match &op.said {
            Said::Mail { messages, sure } => (messages.as_slice(), *sure),
            Said::Unknown { .. } => (&[][..], false),
            Said::Sent { .. } | Said::Settled { .. } | Said::Refused { .. } => return,
        };
        if !sure && messages.is_empty() {
            self.blind.entry(mailbox.to_owned()).or_default().push(op.begin);
        }
        for (place, seen) in messages.iter().enumerate() {
            let (mailbox, hold) = (mailbox.to_owned(), hold_ms * 1000);
            let delivery = Delivery { seen: seen.clone(), mailbox, place, begin: op.begin, end: op.end, hold, undone };
            self.deliveries.entry(seen.id.clone()).or_default().push(delivery);
            // An ack that came after the lease is refused, and such a read is told nothing of it.
            let in_time = op.end - op.begin + self.terms.slack_ms * 1000 < hold && !self.terms.clock_turned;
            if takes {
                self.takes.entry(seen.id.clone()).or_default().push((op.end, sure && in_time && !undone));
            }
        }
    }

    fn settling(&mut self, op: &Op, receipts: &[String], acks: bool, undone: bool) {
        for receipt in receipts {
            let result = match &op.said {
                Said::Settled { .. } if undone => Used::Unknown,
                Said::Settled { done, .. } if done.contains(receipt) => Used::Done,
                Said::Settled { .. } => Used::Stale,
                Said::Unknown { .. } => Used::Unknown,
                Said::Sent { .. } | Said::Mail { .. } | Said::Refused { .. } => continue,
            };
            let used = Use { begin: op.begin, end: op.end, acks, result };
            self.uses.entry(receipt.clone()).or_default().push(used);
        }
    }

    /// The uses of a delivery's receipt.
    pub(super) fn uses_of(&self, delivery: &Delivery) -> &[Use] {
        let uses = delivery.seen.receipt.as_ref().and_then(|receipt| self.uses.get(receipt));
        uses.map_or(&[], Vec::as_slice)
    }

    /// When a message was acknowledged for certain: each time with its receipt, if it was one.
    pub(super) fn acks(&self, id: &str) -> Vec<(Moment, String)> {
        let mut acks = Vec::new();
        for (receipt, uses) in self.uses_for(id) {
            let first = uses.iter().filter(|used| used.acks && used.result == Used::Done).map(|used| used.end).min();
            acks.extend(first.map(|end| (end, receipt.clone())));
        }
        let takes = self.takes.get(id).into_iter().flatten().filter(|(_, sure)| *sure);
        acks.extend(takes.map(|(end, _)| (*end, format!("the plain read that ended at {end}"))));
        acks
    }

    /// Whether somebody may have acknowledged a message.
    pub(super) fn may_be_acked(&self, id: &str) -> bool {
        self.takes.contains_key(id)
            || self.uses_for(id).any(|(_, uses)| uses.iter().any(|used| used.acks && used.result != Used::Stale))
    }

    /// The uses of all receipts of a message.
    fn uses_for(&self, id: &str) -> impl Iterator<Item = (&String, &Vec<Use>)> {
        // A receipt is the message's id, a dot, and more.
        self.uses.range(format!("{id}.")..format!("{id}/"))
    }
}

/// The message that a receipt is for: what stands before the dot.
pub(super) fn id_of(receipt: &str) -> &str {
    receipt.split('.').next().unwrap_or(receipt)
}
