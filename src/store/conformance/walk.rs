//! A random walk through a store's verbs, for tests that ask one question in two ways after every step. It judges nothing.

use std::time::Duration;

use proptest::prelude::*;

use crate::model::{BroadcastKind, Generation, Millis, Receipt, State, Via};
use crate::store::{
    Actor, BroadcastQuery, Claim, Holder, NewBroadcast, NewMail, Pick, Policy, Settle, Sighting, Standing, Step, Store,
};

pub(in crate::store) const NOW: Millis = Millis(1_800_000_000_000);
const POLICY: Policy =
    Policy { ttl: Duration::from_secs(600), max_inbox: 1_000, max_broadcasts: 500, max_deliveries: 2 };
const NAMES: [&str; 3] = ["ann", "bob", "cem"];

/// Where a walk has come to.
pub(in crate::store) struct Walk {
    pub(in crate::store) now: Millis,
    random: u128,
    /// The claims that were granted, with their names.
    claims: Vec<(usize, Generation)>,
    /// Receipts with the names they belong to.
    receipts: Vec<(usize, Receipt)>,
}

/// One step of anybody.
#[derive(Clone, Debug)]
pub(in crate::store) enum Op {
    Send(usize, usize, bool),
    Announce(usize),
    Listen(usize),
    Lease(usize, u64),
    Settle(prop::sample::Index, Settle),
    Rename(usize, usize),
    Clear(usize),
    Claim(usize),
    Leave(prop::sample::Index),
    Pass(i64),
}

/// Any step.
fn any_op() -> impl Strategy<Value = Op> {
    let who = || 0..NAMES.len();
    let fate = prop_oneof![Just(Settle::Ack), Just(Settle::Release), Just(Settle::Extend(Duration::from_secs(90)))];
    prop_oneof![
        4 => (who(), who(), any::<bool>()).prop_map(|(from, to, urgent)| Op::Send(from, to, urgent)),
        1 => who().prop_map(Op::Announce),
        1 => who().prop_map(Op::Listen),
        3 => (who(), 1..200u64).prop_map(|(who, hold)| Op::Lease(who, hold)),
        2 => (any::<prop::sample::Index>(), fate).prop_map(|(which, what)| Op::Settle(which, what)),
        1 => (who(), who()).prop_map(|(who, to)| Op::Rename(who, to)),
        1 => who().prop_map(Op::Clear),
        1 => who().prop_map(Op::Claim),
        1 => any::<prop::sample::Index>().prop_map(Op::Leave),
        4 => (-20_000..300_000i64).prop_map(Op::Pass),
    ]
}

/// Some steps.
pub(in crate::store) fn any_walk() -> impl Strategy<Value = Vec<Op>> {
    prop::collection::vec(any_op(), 1..25)
}

pub(in crate::store) fn actor(name: &str, standing: Standing) -> Actor {
    let sighting = Sighting { state: Some(State::Idle), client: "c".into(), host: "h".into(), project: "p".into() };
    Actor { name: name.parse().unwrap(), standing, sighting: Some(sighting) }
}

pub(in crate::store) fn step(by: &Actor, now: Millis) -> Step<'_> {
    Step { by, now, policy: &POLICY }
}

impl Walk {
    pub(in crate::store) fn new() -> Walk {
        Walk { now: NOW, random: 1, claims: Vec::new(), receipts: Vec::new() }
    }

    fn random(&mut self) -> u128 {
        self.random = self.random.wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835).wrapping_add(1);
        self.random
    }

    /// Sends a message from one of the three names to another.
    pub(in crate::store) fn send(&mut self, store: &dyn Store, from: usize, to: usize, urgent: bool) {
        let (to, random) = (NAMES[to].parse().unwrap(), self.random());
        let body = "hello".parse().unwrap();
        let mail = NewMail { to, body, reply_to: None, once: None, urgent, via: Via::Cli, random };
        store.send(&step(&actor(NAMES[from], Standing::Named), self.now), &mail).unwrap();
    }

    /// Does one step; refusals are as good as anything.
    pub(in crate::store) fn play(&mut self, store: &dyn Store, op: &Op) {
        let now = self.now;
        match op {
            Op::Send(from, to, urgent) => self.send(store, *from, *to, *urgent),
            Op::Announce(who) => {
                let (body, kind, random) = ("hear".parse().unwrap(), BroadcastKind::Announcement, self.random());
                let words = NewBroadcast { body, kind, once: None, via: Via::Cli, random };
                let _ = store.broadcast(&step(&actor(NAMES[*who], Standing::Named), now), &words);
            }
            Op::Listen(who) => {
                let query = BroadcastQuery { all: false, limit: 1, advance: true, room: None };
                let _ = store.broadcasts(&step(&actor(NAMES[*who], Standing::Named), now), &query);
            }
            Op::Lease(who, secs) => {
                let by = actor(NAMES[*who], Standing::Named);
                let batch =
                    store.lease(&step(&by, now), Pick::Head(1), Duration::from_secs(*secs), now.0.cast_unsigned());
                let receipts = batch.into_iter().flat_map(|batch| batch.messages).filter_map(|message| message.receipt);
                self.receipts.extend(receipts.map(|receipt| (*who, receipt)));
            }
            Op::Settle(which, what) if !self.receipts.is_empty() => {
                let (who, receipt) = *which.get(&self.receipts);
                let _ = store.settle(&step(&actor(NAMES[who], Standing::Named), now), &[receipt], *what);
            }
            Op::Rename(who, to) => {
                let to = NAMES[*to].parse().unwrap();
                let _ = store.rename(&step(&actor(NAMES[*who], Standing::Named), now), &to, None);
            }
            Op::Clear(who) => {
                let _ = store.clear(&step(&actor(NAMES[*who], Standing::Named), now));
            }
            Op::Claim(who) => {
                let holder =
                    Holder { generation: Generation(0), host_id: "h".into(), pid: 7, started: self.random as u64 >> 1 };
                let by = actor(NAMES[*who], Standing::Guessed { gone: None });
                let claim = store.claim(&step(&by, now), &by.name, &holder, None);
                if let Ok(Claim::Granted(claim)) = claim {
                    self.claims.push((*who, claim));
                }
            }
            Op::Leave(which) if !self.claims.is_empty() => {
                let (who, claim) = *which.get(&self.claims);
                let _ = store.release(&step(&actor(NAMES[who], Standing::Session(claim)), now), claim);
            }
            Op::Settle(..) | Op::Leave(_) => {}
            Op::Pass(millis) => self.now = Millis(self.now.0 + millis),
        }
    }

    /// Everybody who may look: under a name, by a guess, and each session that ever held one.
    pub(in crate::store) fn onlookers(&self) -> Vec<Actor> {
        let named = NAMES.iter().map(|name| actor(name, Standing::Named));
        let guessed = NAMES.iter().map(|name| actor(name, Standing::Guessed { gone: None }));
        let sessions =
            self.claims.iter().rev().take(3).map(|(who, claim)| actor(NAMES[*who], Standing::Session(*claim)));
        named.chain(guessed).chain(sessions).collect()
    }
}
