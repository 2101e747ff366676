//! Random sequences of sessions that come, are renamed and end, against a model of who has which name and which mail.
//!
//! Sessions end by `release` here; what silence and death do to a claim stands in `claims`.

use std::collections::BTreeMap;

use proptest::prelude::*;
use proptest::test_runner::TestRunner;

use super::words::{kind, name, process, record_ids, session};
use super::world::World;
use crate::error::Kind;
use crate::model::{Generation, MessageId};
use crate::store::{Claim, From};

/// The names that are wished for.
const NAMES: [&str; 5] = ["ann", "bob", "cem", "dan", "eve"];

/// One step.
#[derive(Clone, Debug)]
enum Op {
    Claim { pid: u32, wish: usize },
    Rename { pid: u32, to: usize },
    End { pid: u32 },
    Send { to: usize },
    Take { who: usize },
}

/// Any step.
fn any_op() -> impl Strategy<Value = Op> {
    let (pid, any_name) = (|| 0..3u32, || 0..NAMES.len());
    prop_oneof![
        4 => (pid(), any_name()).prop_map(|(pid, wish)| Op::Claim { pid, wish }),
        5 => (pid(), any_name()).prop_map(|(pid, to)| Op::Rename { pid, to }),
        2 => pid().prop_map(|pid| Op::End { pid }),
        6 => any_name().prop_map(|to| Op::Send { to }),
        1 => any_name().prop_map(|who| Op::Take { who }),
    ]
}

/// What a name points to.
#[derive(Clone, Copy, Debug)]
struct Pointer {
    mailbox: usize,
    forwards: bool,
    holder: Option<u32>,
}

/// Who has which name and which mail.
#[derive(Default)]
struct Town {
    names: BTreeMap<&'static str, Pointer>,
    mail: Vec<Vec<MessageId>>,
    sessions: BTreeMap<u32, (Generation, &'static str)>,
}

impl Town {
    /// What a name points to; a new mailbox when it is new.
    fn point(&mut self, name: &'static str) -> Pointer {
        let mail = &mut self.mail;
        *self.names.entry(name).or_insert_with(|| {
            mail.push(vec![]);
            Pointer { mailbox: mail.len() - 1, forwards: false, holder: None }
        })
    }

    /// Who holds a name.
    fn holder(&self, name: &str) -> Option<u32> {
        self.names.get(name).and_then(|pointer| pointer.holder)
    }

    /// The mail that lies under a name.
    fn mail(&self, name: &str) -> Vec<MessageId> {
        self.names.get(name).map_or(vec![], |pointer| self.mail[pointer.mailbox].clone())
    }

    /// A free name gets a holder; what only forwarded gets a mailbox of its own.
    fn claim(&mut self, pid: u32, wish: &'static str, generation: Generation) {
        if self.point(wish).forwards {
            self.names.remove(wish);
        }
        let pointer = Pointer { holder: Some(pid), ..self.point(wish) };
        self.names.insert(wish, pointer);
        self.sessions.insert(pid, (generation, wish));
    }

    /// A session takes a name that nobody else holds; gives how many messages joined.
    fn rename(&mut self, pid: u32, to: &'static str) -> u64 {
        let (generation, old) = self.sessions[&pid];
        let (mine, target) = (self.point(old).mailbox, self.names.get(to).copied());
        let mut merged = vec![];
        if let Some(theirs) = target.filter(|target| !target.forwards).map(|target| target.mailbox) {
            merged = std::mem::take(&mut self.mail[theirs]);
            self.names.values_mut().filter(|pointer| pointer.mailbox == theirs).for_each(|pointer| {
                pointer.mailbox = mine;
                pointer.forwards = true;
            });
        }
        let count = merged.len() as u64;
        merged.append(&mut self.mail[mine]);
        self.mail[mine] = merged;
        self.names.insert(old, Pointer { mailbox: mine, forwards: true, holder: Some(pid) });
        self.names.insert(to, Pointer { mailbox: mine, forwards: false, holder: Some(pid) });
        self.sessions.insert(pid, (generation, to));
        count
    }

    /// A session ends: its name stays with the mail, the names that forwarded for it end.
    fn end(&mut self, pid: u32) {
        self.sessions.remove(&pid);
        self.names.retain(|_, pointer| pointer.holder != Some(pid) || !pointer.forwards);
        let held = self.names.values_mut().filter(|pointer| pointer.holder == Some(pid));
        held.for_each(|pointer| pointer.holder = None);
    }
}

/// A store and the model, side by side.
struct Pair {
    w: World,
    town: Town,
}

impl Pair {
    /// Does one step to both, and compares.
    fn step(&mut self, op: &Op) {
        match *op {
            Op::Claim { pid, wish } => self.claim(pid, NAMES[wish]),
            Op::Rename { pid, to } => self.rename(pid, NAMES[to]),
            Op::End { pid } => {
                if let Some((generation, name)) = self.town.sessions.get(&pid).copied() {
                    self.w.end(session(name, generation));
                    self.town.end(pid);
                }
            }
            Op::Send { to } => {
                let (id, mailbox) = (self.w.send("post", NAMES[to], "hello"), self.town.point(NAMES[to]).mailbox);
                self.town.mail[mailbox].push(id);
            }
            Op::Take { who } => {
                let mail = self.town.mail(NAMES[who]);
                let leased = self.w.lease(NAMES[who], 1);
                self.w.ack(NAMES[who], &leased);
                assert_eq!(leased.first().map(|message| message.id), mail.first().copied());
                if !mail.is_empty() {
                    let mailbox = self.town.point(NAMES[who]).mailbox;
                    self.town.mail[mailbox].remove(0);
                }
            }
        }
        self.compare();
    }

    fn claim(&mut self, pid: u32, wish: &'static str) {
        // What it means that one process claims two names is nobody's promise.
        match (self.town.sessions.get(&pid).copied(), self.town.holder(wish)) {
            (Some((generation, name)), _) => {
                assert_eq!(self.w.claim(name, &process(pid)), Claim::Granted(generation), "the same claim again");
            }
            (None, Some(other)) => {
                let Claim::Held(holder) = self.w.claim(wish, &process(pid)) else { panic!("{wish} is held") };
                assert_eq!((holder.pid, holder.generation), (other, self.town.sessions[&other].0));
            }
            (None, None) => {
                let Claim::Granted(generation) = self.w.claim(wish, &process(pid)) else { panic!("{wish} is free") };
                assert!(self.town.sessions.values().all(|(older, _)| *older < generation));
                self.town.claim(pid, wish, generation);
            }
        }
    }

    fn rename(&mut self, pid: u32, to: &'static str) {
        let Some((generation, name)) = self.town.sessions.get(&pid).copied() else { return };
        let renamed = self.w.rename(session(name, generation), to);
        if name == to {
            assert_eq!(kind(renamed), Some(Kind::Conflict));
        } else if self.town.holder(to).is_some_and(|holder| holder != pid) {
            assert_eq!(kind(renamed), Some(Kind::NameHeld));
        } else {
            assert_eq!(renamed.unwrap().merged, self.town.rename(pid, to));
        }
    }

    /// Each name has its holder and its mail; each session can act.
    fn compare(&self) {
        for who in NAMES {
            let holder = self.w.ask("auditor", |store, step| store.holder(step, &name(who))).unwrap();
            assert_eq!(holder.map(|holder| holder.pid), self.town.holder(who), "the holder of {who}");
            let listing = self.w.ask(who, |store, step| store.list(step, 200, From::Offset(0))).unwrap();
            assert_eq!(record_ids(&listing.items), self.town.mail(who), "the mail of {who}");
        }
        for (generation, name) in self.town.sessions.values() {
            let unread = self.w.check(session(name, *generation)).unread;
            assert_eq!(unread, self.town.mail(name).len() as u64, "{name} acts");
        }
    }
}

pub(super) fn any_sequence_of_sessions_agrees_with_the_model(w: World) {
    let config = ProptestConfig { cases: 40, failure_persistence: None, ..ProptestConfig::default() };
    let result = TestRunner::new(config).run(&prop::collection::vec(any_op(), 1..40), |ops| {
        let mut pair = Pair { w: (w.makers.same)().unwrap(), town: Town::default() };
        ops.iter().for_each(|op| pair.step(op));
        Ok(())
    });
    if let Err(failure) = result {
        panic!("{failure}");
    }
}
