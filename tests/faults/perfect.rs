//! A mailbox that keeps every promise, played through by chance, and the history that its clients would have written:
//! what a judge must find nothing wrong with. It knows no store.

use std::collections::BTreeMap;

use crate::chance::Chance;
use crate::history::{Call, Moment, Op, Said, Seen};
use crate::judge::Rest;

/// How long a lease holds, and how often mail is delivered before it is dead.
const HOLD_MS: u64 = 1_000;
const MAX_DELIVERIES: u64 = 3;

/// Where a message is.
#[derive(Clone, Debug, PartialEq)]
enum Place {
    Ready,
    Leased { until: Moment, nonce: u64 },
    Taken,
    Dead,
}

struct Mail {
    id: String,
    body: String,
    deliveries: u64,
    place: Place,
}

/// The play: a queue, the time, and what was written down so far.
struct Play {
    chance: Chance,
    now: Moment,
    queue: Vec<Mail>,
    keys: BTreeMap<String, usize>,
    held: Vec<String>,
    ops: Vec<Op>,
}

/// A history of the mailbox `inbox`, with everything in it that a store may do, and what is left at its end.
pub(crate) fn history(seed: u64) -> (Vec<Op>, Rest) {
    let chance = Chance::seeded(seed);
    let mut play =
        Play { chance, now: 1_000, queue: Vec::new(), keys: BTreeMap::new(), held: Vec::new(), ops: Vec::new() };
    for n in 0..60 {
        play.send(n);
        for _ in 0..play.chance.below(3) {
            match play.chance.below(10) {
                0..5 => play.read(),
                5..9 => play.settle(),
                _ => play.now += HOLD_MS * 1_100,
            }
        }
    }
    // All is well again: drain.
    while play.queue.iter().any(|mail| matches!(mail.place, Place::Ready | Place::Leased { .. })) {
        play.read();
        play.settle();
        play.now += 10_000;
    }
    let count = |place: &Place| play.queue.iter().filter(|mail| mail.place == *place).count() as u64;
    let dead = play.queue.iter().filter(|mail| mail.place == Place::Dead);
    let rest = Rest {
        sent: play.queue.len() as u64,
        taken: count(&Place::Taken),
        dead: dead.map(|mail| (mail.id.clone(), mail.body.clone())).collect(),
        ..Rest::default()
    };
    (play.ops, rest)
}

impl Play {
    /// Writes a call down that took some time.
    fn op(&mut self, call: Call, said: Said) {
        let begin = self.now;
        self.now += 1_000;
        self.ops.push(Op { begin, end: self.now, call, said });
        self.now += 100;
    }

    /// Whether this time the answer is lost.
    fn is_lost(&mut self) -> bool {
        self.chance.below(8) == 0
    }

    /// Sends a message; when the answer is lost, again with the same key, or without one not at all.
    fn send(&mut self, n: usize) {
        let (body, key) = (format!("message {n}"), (!n.is_multiple_of(3)).then(|| format!("key {n}")));
        let call = Call::Send { from: "ann".to_owned(), to: "inbox".to_owned(), body: body.clone(), key: key.clone() };
        loop {
            let lost = self.is_lost();
            let reaches = !lost || self.chance.below(2) == 0;
            let known = key.as_ref().and_then(|key| self.keys.get(key).copied());
            let at = known.or_else(|| reaches.then_some(self.queue.len()));
            if let (Some(at), None) = (at, known) {
                let id = format!("id-{at}");
                self.queue.push(Mail { id, body: body.clone(), deliveries: 0, place: Place::Ready });
                self.keys.extend(key.clone().map(|key| (key, at)));
            }
            let said = match at {
                Some(at) if !lost => Said::Sent { id: format!("id-{at}"), created: known.is_none() },
                Some(_) | None => Said::Unknown { why: "the answer was lost".to_owned() },
            };
            self.op(call.clone(), said);
            if !lost || key.is_none() {
                return;
            }
        }
    }

    /// Leases up to three messages from the head.
    fn read(&mut self) {
        self.run_out();
        let (mut messages, until) = (Vec::new(), self.now + HOLD_MS * 1_000);
        for mail in self.queue.iter_mut().filter(|mail| mail.place == Place::Ready).take(3) {
            mail.deliveries += 1;
            let nonce = mail.deliveries;
            mail.place = Place::Leased { until, nonce };
            let receipt = Some(format!("{}.{nonce}", mail.id));
            messages.push(Seen { id: mail.id.clone(), body: mail.body.clone(), deliveries: mail.deliveries, receipt });
        }
        let call = Call::Read { mailbox: "inbox".to_owned(), hold_ms: HOLD_MS, takes: false };
        if self.is_lost() {
            return self.op(call, Said::Unknown { why: "the reader was killed".to_owned() });
        }
        self.held.extend(messages.iter().filter_map(|seen| seen.receipt.clone()));
        self.op(call, Said::Mail { messages, sure: true });
    }

    /// Acknowledges or gives back what some reader holds, in time or late.
    fn settle(&mut self) {
        if self.held.is_empty() {
            return;
        }
        let receipt = self.held.swap_remove(self.chance.below(self.held.len() as u64) as usize);
        self.run_out();
        let (acks, lost) = (self.chance.below(5) > 0, self.is_lost());
        let reaches = !lost || self.chance.below(2) == 0;
        let (id, nonce) = receipt.split_once('.').unwrap();
        let nonce: u64 = nonce.parse().unwrap();
        let mail = self.queue.iter_mut().find(|mail| mail.id == id).unwrap();
        let holds = matches!(mail.place, Place::Leased { nonce: now, .. } if now == nonce);
        if holds && reaches {
            mail.place = if acks { Place::Taken } else { given_back(mail.deliveries) };
        }
        let said = match (lost, holds) {
            (true, _) => Said::Unknown { why: "the answer was lost".to_owned() },
            (false, true) => Said::Settled { done: vec![receipt.clone()], stale: Vec::new() },
            (false, false) => Said::Settled { done: Vec::new(), stale: vec![receipt.clone()] },
        };
        self.op(Call::Settle { mailbox: "inbox".to_owned(), receipts: vec![receipt], acks }, said);
    }

    /// Ends the leases that ran out.
    fn run_out(&mut self) {
        let now = self.now;
        for mail in &mut self.queue {
            if matches!(mail.place, Place::Leased { until, .. } if until <= now) {
                mail.place = given_back(mail.deliveries);
            }
        }
    }
}

fn given_back(deliveries: u64) -> Place {
    if deliveries >= MAX_DELIVERIES { Place::Dead } else { Place::Ready }
}
