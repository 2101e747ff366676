//! Random sequences of steps, done to a store and to the model side by side; each answer must be the same.
//!
//! Clock steps are whole tens of seconds, leases end at fives and TTLs at sevens: what happens when two of
//! them fall on the same millisecond is nobody's promise.

use std::time::Duration;

use proptest::prelude::*;
use proptest::test_runner::TestRunner;

use super::counts::assert_conserved;
use super::model::{Heard, Mail, Model, Place};
use super::words::{broadcast_ids, ids, kind, name, once, record_ids};
use super::world::World;
use crate::error::Kind;
use crate::model::{MessageId, Receipt, Standing};
use crate::store::{From, HistoryQuery, NewMail, Pick, Policy, Settle, Settled};

/// The names that act.
const NAMES: [&str; 4] = ["ann", "bob", "cem", "dan"];

/// One step.
#[derive(Clone, Debug)]
enum Op {
    Send { from: usize, to: usize, urgent: bool, key: Option<(u8, u8)> },
    Lease { who: usize, limit: u32, hold: u64 },
    Settle { who: usize, receipts: Vec<prop::sample::Index>, what: Settle },
    Peek { who: usize },
    Check { who: usize },
    Announce { who: usize },
    Listen { who: usize, all: bool, limit: u32 },
    Rename { who: usize, to: usize },
    Retry { who: usize },
    Delete { who: usize, which: prop::sample::Index },
    Clear { who: usize },
    Pass { tens: u64 },
}

/// Any name.
fn any_name() -> impl Strategy<Value = usize> {
    0..NAMES.len()
}

/// Any fate of a delivery.
fn any_fate() -> impl Strategy<Value = Settle> {
    prop_oneof![
        3 => Just(Settle::Ack),
        2 => Just(Settle::Release),
        1 => (1..5u64).prop_map(|n| Settle::Extend(Duration::from_secs(n * 10 + 5))),
    ]
}

/// Any step; those that make mail and take it more often than those that clear it away.
fn any_op() -> impl Strategy<Value = Op> {
    let who = any_name;
    let key = || prop::option::weighted(0.2, (0..3u8, 0..2u8));
    let receipts = prop::collection::vec(any::<prop::sample::Index>(), 1..4);
    prop_oneof![
        10 => (who(), who(), any::<bool>(), key())
            .prop_map(|(from, to, urgent, key)| Op::Send { from, to, urgent, key }),
        8 => (who(), 1..5u32, 0..5u64).prop_map(|(who, limit, n)| Op::Lease { who, limit, hold: n * 10 + 5 }),
        8 => (who(), receipts, any_fate()).prop_map(|(who, receipts, what)| Op::Settle { who, receipts, what }),
        2 => who().prop_map(|who| Op::Peek { who }),
        4 => who().prop_map(|who| Op::Check { who }),
        3 => who().prop_map(|who| Op::Announce { who }),
        3 => (who(), prop::bool::weighted(0.2), 1..4u32)
            .prop_map(|(who, all, limit)| Op::Listen { who, all, limit }),
        2 => (who(), who()).prop_map(|(who, to)| Op::Rename { who, to }),
        1 => who().prop_map(|who| Op::Retry { who }),
        1 => (who(), any::<prop::sample::Index>()).prop_map(|(who, which)| Op::Delete { who, which }),
        1 => who().prop_map(|who| Op::Clear { who }),
        6 => (1..5u64).prop_map(|tens| Op::Pass { tens }),
    ]
}

/// A store and the model, side by side.
struct Pair {
    w: World,
    model: Model,
    receipts: Vec<Receipt>,
}

/// The ids of the model's mail.
fn mail_ids(mail: &[&Mail]) -> Vec<MessageId> {
    mail.iter().map(|mail| mail.id).collect()
}

impl Pair {
    /// Does one step to both, and compares.
    fn step(&mut self, op: &Op) {
        match op {
            Op::Send { from, to, urgent, key } => self.send(NAMES[*from], NAMES[*to], *urgent, *key),
            Op::Lease { who, limit, hold } => self.lease(NAMES[*who], *limit, *hold),
            Op::Settle { who, receipts, what } => self.settle(NAMES[*who], receipts, *what),
            Op::Peek { who } => self.peek(NAMES[*who]),
            Op::Check { who } => self.check(NAMES[*who]),
            Op::Announce { who } => {
                let id = self.w.announce(NAMES[*who], "hear this");
                self.model.announce(NAMES[*who], id);
            }
            Op::Listen { who, all, limit } => self.listen(NAMES[*who], *all, *limit),
            Op::Rename { who, to } => self.rename(NAMES[*who], NAMES[*to]),
            Op::Retry { who } => {
                let retried = self.w.ask(NAMES[*who], |store, step| store.dead_retry(step, None)).unwrap();
                assert_eq!(retried, self.model.retry(NAMES[*who]));
            }
            Op::Delete { who, which } => self.delete(NAMES[*who], which),
            Op::Clear { who } => {
                let cleared = self.w.ask(NAMES[*who], |store, step| store.clear(step)).unwrap();
                let present = |mail: &Mail| matches!(mail.place, Place::Waiting | Place::Leased(..));
                assert_eq!(cleared, self.model.delete(NAMES[*who], present));
            }
            Op::Pass { tens } => {
                self.w.pass(tens * 10);
                self.model.pass(Duration::from_secs(tens * 10));
            }
        }
    }

    fn send(&mut self, from: &str, to: &str, urgent: bool, key: Option<(u8, u8)>) {
        // The same key has the same recipient, urgency and body only when all that goes into the fingerprint agrees.
        let key = key
            .map(|(key, body)| (key, u128::from(body) * 100 + u128::from(to.as_bytes()[0]) * 10 + u128::from(urgent)));
        let plain = self.w.mail(to, "hello");
        let mail = NewMail {
            urgent,
            once: key.and_then(|(key, fingerprint)| once(&format!("key-{key}"), fingerprint)),
            ..plain
        };
        let id = MessageId::at(self.w.now(), mail.random);
        let sent = self.w.post(from, &mail);
        let expected = self.model.send(from, to, id, urgent, key);
        match (&sent, expected) {
            (Ok(sent), Ok(expected)) => {
                assert_eq!((sent.id, sent.created), expected);
                assert_eq!(sent.waiting, self.model.waiting(to).len() as u64);
            }
            (_, expected) => {
                let refusal = |kind| if kind == Kind::Full { "full" } else { "conflict" };
                assert_eq!(kind(sent).map(refusal), expected.err());
            }
        }
    }

    fn lease(&mut self, who: &str, limit: u32, hold: u64) {
        let batch = self.w.try_lease(who, Pick::Head(limit), hold).unwrap();
        let nonce = batch.messages.first().and_then(|message| message.receipt).map_or(0, |receipt| receipt.nonce);
        self.receipts.extend(batch.messages.iter().filter_map(|message| message.receipt));
        let got: Vec<_> = batch.messages.iter().map(|message| (message.id, message.deliveries.unwrap())).collect();
        assert_eq!(got, self.model.lease(who, limit as usize, Duration::from_secs(hold), nonce));
        assert_eq!(batch.remaining, self.model.waiting(who).len() as u64);
        let held = self.model.present(who).into_iter().filter_map(|mail| match mail.place {
            Place::Leased(_, until) => Some(until),
            Place::Waiting | Place::Taken(_) | Place::Dead | Place::Expired | Place::Deleted => None,
        });
        assert_eq!(batch.next_due, held.min());
    }

    fn settle(&mut self, who: &str, chosen: &[prop::sample::Index], what: Settle) {
        if self.receipts.is_empty() {
            return;
        }
        // Of the last few receipts, each at most once: what a doubled receipt in one call means is nobody's promise.
        let recent = &self.receipts[self.receipts.len().saturating_sub(8)..];
        let mut receipts: Vec<Receipt> = Vec::new();
        for index in chosen {
            let receipt = *index.get(recent);
            if !receipts.contains(&receipt) {
                receipts.push(receipt);
            }
        }
        let mut expected = Settled::default();
        for (receipt, done) in receipts.iter().zip(self.model.settle(who, &receipts, what)) {
            if done { expected.done.push(*receipt) } else { expected.stale.push(*receipt) }
        }
        assert_eq!(self.w.settle(who, &receipts, what), expected);
    }

    fn peek(&mut self, who: &str) {
        let (waiting, batch) = (self.model.waiting(who), self.w.peek(who, 3));
        assert_eq!(ids(&batch.messages), mail_ids(&waiting[..waiting.len().min(3)]));
        assert_eq!(batch.remaining, waiting.len().saturating_sub(3) as u64);
    }

    fn check(&mut self, who: &str) {
        let (news, waiting, unseen) = (self.w.check(who), self.model.waiting(who), self.model.unseen(who));
        assert_eq!(news.unread, waiting.len() as u64);
        assert_eq!(news.urgent, waiting.iter().filter(|mail| mail.urgent).count() as u64);
        assert_eq!(news.newest_message.map(|newest| newest.id), waiting.last().map(|mail| mail.id));
        assert_eq!(news.unseen, unseen.len() as u64);
        assert_eq!(news.newest_broadcast.map(|newest| newest.id), unseen.last().map(|(_, id)| *id));
    }

    fn listen(&mut self, who: &str, all: bool, limit: u32) {
        let feed = self.w.feed(who, all, true, limit);
        let heard =
            Heard { items: broadcast_ids(&feed.items), unseen: feed.unseen, total: feed.total, missed: feed.missed };
        assert_eq!(heard, self.model.listen(who, all, limit as usize));
    }

    fn rename(&mut self, who: &str, to: &str) {
        // What a name that only forwards may be renamed to, and where dead letters stand after a merge, is nobody's
        // promise.
        let has_dead = |name: &str| !self.model.at(name, |place| place == Place::Dead).is_empty();
        if !self.model.forwards(who) && !has_dead(who) && !has_dead(to) {
            let renamed = self.w.rename(who, to);
            let expected = self.model.rename(who, to);
            assert_eq!(renamed.as_ref().ok().map(|renamed| renamed.merged), expected.ok());
            assert_eq!(kind(renamed).map(|kind| kind == Kind::Conflict), expected.err().map(|_| true));
        }
    }

    fn delete(&mut self, who: &str, which: &prop::sample::Index) {
        let present = mail_ids(&self.model.present(who));
        if !present.is_empty() {
            let id = *which.get(&present);
            assert!(self.w.ask(who, |store, step| store.delete(step, id)).unwrap());
            self.model.delete(who, |mail| mail.id == id);
        }
    }

    /// Compares all that is left.
    fn finish(&self) {
        let count = |place: fn(Place) -> bool| self.model.mail.iter().filter(|mail| place(mail.place)).count() as u64;
        let stats = self.w.stats();
        assert_conserved(&stats);
        assert_eq!(stats.sent, count(|_| true));
        assert_eq!(stats.waiting, count(|place| place == Place::Waiting));
        assert_eq!(stats.leased, count(|place| matches!(place, Place::Leased(..))));
        assert_eq!(stats.taken, count(|place| matches!(place, Place::Taken(_))));
        assert_eq!(stats.expired, count(|place| place == Place::Expired));
        assert_eq!(stats.dead, count(|place| place == Place::Dead));
        for who in NAMES {
            let listing = self.w.ask(who, |store, step| store.list(step, 200, From::Offset(0))).unwrap();
            assert_eq!(record_ids(&listing.items), mail_ids(&self.model.present(who)), "{who}");
            let (mut dead, mut expected) =
                (self.w.dead(who), mail_ids(&self.model.at(who, |place| place == Place::Dead)));
            dead.sort();
            expected.sort();
            assert_eq!(dead, expected, "{who}");
            let info = self.w.agent(who).map_or(0, |agent| agent.message_count);
            let shown = if self.model.forwards(who) { 0 } else { self.model.waiting(who).len() as u64 };
            assert_eq!(info, shown, "{}", name(who));
        }
        self.compare_history();
    }

    /// What is alive and what was read is in the history; how long a dead letter is, is nobody's promise.
    fn compare_history(&self) {
        let records = self.w.history(&HistoryQuery { limit: 200, ..HistoryQuery::default() });
        let known = records.iter().filter(|record| record.standing != Standing::Dead).map(|record| record.message.id);
        let mut known: Vec<MessageId> = known.collect();
        let readable = |mail: &&Mail| match mail.place {
            Place::Leased(..) | Place::Waiting => true,
            Place::Taken(_) => mail.expires > self.model.now,
            Place::Dead | Place::Expired | Place::Deleted => false,
        };
        let mut expected: Vec<MessageId> = self.model.mail.iter().filter(readable).map(|mail| mail.id).collect();
        known.sort();
        expected.sort();
        assert_eq!(known, expected);
    }
}

pub(super) fn any_sequence_of_steps_agrees_with_the_model(w: World) {
    let config = ProptestConfig { cases: 40, failure_persistence: None, ..ProptestConfig::default() };
    let policy = Policy { ttl: Duration::from_secs(137), max_inbox: 6, max_broadcasts: 4, max_deliveries: 3 };
    let result = TestRunner::new(config).run(&prop::collection::vec(any_op(), 1..70), |ops| {
        let mut w = (w.makers.same)().unwrap();
        w.policy = policy;
        let model = Model::new(w.now(), policy);
        let mut pair = Pair { w, model, receipts: vec![] };
        ops.iter().for_each(|op| pair.step(op));
        pair.finish();
        Ok(())
    });
    if let Err(failure) = result {
        panic!("{failure}");
    }
}
