//! That memory never tells anything else than a look at the database, and that it spares that look.

use std::fs::OpenOptions;
use std::os::unix::fs::FileExt;
use std::time::Duration;

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use tempfile::TempDir;

use super::*;
use crate::model::{BroadcastKind, State, Via};
use crate::store::embedded::Embedded;
use crate::store::{Actor, Claim, Holder, NewBroadcast, NewMail, Pick, Policy, Settle, Sighting, Store};

const NOW: Millis = Millis(1_800_000_000_000);
const POLICY: Policy =
    Policy { ttl: Duration::from_secs(600), max_inbox: 1_000, max_broadcasts: 500, max_deliveries: 2 };
const NAMES: [&str; 3] = ["ann", "bob", "cem"];

/// A store, seen by several short processes.
struct World {
    home: TempDir,
    now: Millis,
    random: u128,
    /// The claims that were granted, with their names.
    claims: Vec<(usize, Generation)>,
    /// Receipts with the names they belong to.
    receipts: Vec<(usize, crate::model::Receipt)>,
}

impl World {
    fn new() -> World {
        World { home: tempfile::tempdir().unwrap(), now: NOW, random: 1, claims: Vec::new(), receipts: Vec::new() }
    }

    fn path(&self) -> PathBuf {
        self.home.path().join("data/postino.db")
    }

    fn store(&self) -> Embedded {
        Embedded::open(&self.path()).unwrap()
    }

    fn place(&self) -> Place {
        Place::new(&self.path()).unwrap()
    }

    fn finding(&self, name: &str) -> PathBuf {
        self.place().presence().join(format!(".{name}.news"))
    }

    fn random(&mut self) -> u128 {
        self.random = self.random.wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835).wrapping_add(1);
        self.random
    }

    fn send(&mut self, from: usize, to: usize, urgent: bool) {
        let (to, random) = (NAMES[to].parse().unwrap(), self.random());
        let body = "hello".parse().unwrap();
        let mail = NewMail { to, body, reply_to: None, once: None, urgent, via: Via::Cli, random };
        self.store().send(&step(&actor(NAMES[from], Standing::Named), self.now), &mail).unwrap();
    }

    fn check(&self, by: &Actor) -> std::result::Result<News, crate::error::Kind> {
        self.store().check(&step(by, self.now)).map_err(|error| error.kind)
    }

    /// Whether the next check of this actor needs no look.
    fn remembers(&self, by: &Actor) -> bool {
        let memory = Memory::new(&self.place());
        self.place().trace().is_some_and(|trace| memory.recall(&trace, &step(by, self.now)).is_some())
    }
}

fn actor(name: &str, standing: Standing) -> Actor {
    let sighting = Sighting { state: Some(State::Idle), client: "c".into(), host: "h".into(), project: "p".into() };
    Actor { name: name.parse().unwrap(), standing, sighting: Some(sighting) }
}

fn step(by: &Actor, now: Millis) -> Step<'_> {
    Step { by, now, policy: &POLICY }
}

/// A world in which bob has one message, and has looked.
fn looked() -> (World, Actor) {
    let (mut world, bob) = (World::new(), actor("bob", Standing::Named));
    world.send(0, 1, false);
    // The first look makes him seen, which is a change.
    for _ in 0..2 {
        assert_eq!(world.check(&bob).unwrap().unread, 1);
    }
    assert!(world.remembers(&bob));
    (world, bob)
}

#[test]
fn nothing_is_opened_while_nothing_changes() {
    let (world, bob) = looked();
    let base = OpenOptions::new().write(true).open(world.path()).unwrap();
    let log = OpenOptions::new().write(true).open(world.path().with_extension("db-wal")).unwrap();
    for file in [&base, &log] {
        let written = file.metadata().unwrap().modified().unwrap();
        file.write_all_at(&[0xff; 100], 0).unwrap();
        file.set_modified(written).unwrap();
    }
    assert_eq!(world.check(&bob).unwrap().unread, 1);
    // With another time the damage is seen, so the answer above was from memory.
    base.set_modified(std::time::UNIX_EPOCH).unwrap();
    assert!(world.check(&bob).is_err());
}

#[test]
fn a_change_that_did_not_come_about_makes_everybody_look() {
    let (mut world, bob) = looked();
    bell::ring(&world.place(), 1_000).unwrap();
    assert!(!world.remembers(&bob));
    assert_eq!(world.check(&bob).unwrap().unread, 1);
    world.send(0, 1, false);
    assert_eq!(world.check(&bob).unwrap().unread, 2);
    assert!(world.remembers(&bob));
}

#[test]
fn nothing_is_committed_that_the_bell_cannot_show() {
    let (world, bob) = looked();
    let bell = world.place().bell();
    std::fs::remove_file(&bell).unwrap();
    std::fs::create_dir(&bell).unwrap();
    let body = "hello".parse().unwrap();
    let mail =
        NewMail { to: bob.name.clone(), body, reply_to: None, once: None, urgent: false, via: Via::Cli, random: 5 };
    assert!(world.store().send(&step(&bob, world.now), &mail).is_err());
    assert_eq!(world.check(&bob).unwrap().unread, 1);
}

#[test]
fn a_half_written_number_is_none() {
    let (world, bob) = looked();
    let bell = world.place().bell();
    std::fs::write(&bell, "0000000000000002000000000000000").unwrap();
    assert_eq!(bell::last(&bell), None);
    std::fs::write(&bell, "00000000000000020000000000000003").unwrap();
    assert_eq!(bell::last(&bell), None);
    assert!(!world.remembers(&bob));
}

#[test]
fn what_another_boot_or_another_program_left_is_not_trusted() {
    let (mut world, bob) = looked();
    let found = std::fs::read_to_string(world.finding("bob")).unwrap();
    let elsewhere = found.replacen(&boot().unwrap(), "00000000-0000-0000-0000-000000000000", 1);
    std::fs::write(world.finding("bob"), elsewhere).unwrap();
    assert!(!world.remembers(&bob));
    std::fs::write(world.finding("bob"), found).unwrap();
    assert!(world.remembers(&bob));
    world.now = Millis(NOW.0 - 1);
    assert!(!world.remembers(&bob), "the clock was set back");
    world.now = NOW;
    let sql = rusqlite::Connection::open(world.path()).unwrap();
    sql.execute_batch("UPDATE mailboxes SET ready = 3").unwrap();
    assert_eq!(world.check(&bob).unwrap().unread, 3);
}

/// One step of anybody.
#[derive(Clone, Debug)]
enum Op {
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

/// Does one step; refusals are as good as anything.
fn play(world: &mut World, op: &Op) {
    let (store, now) = (world.store(), world.now);
    match op {
        Op::Send(from, to, urgent) => world.send(*from, *to, *urgent),
        Op::Announce(who) => {
            let (body, kind, random) = ("hear".parse().unwrap(), BroadcastKind::Announcement, world.random());
            let words = NewBroadcast { body, kind, once: None, via: Via::Cli, random };
            let _ = store.broadcast(&step(&actor(NAMES[*who], Standing::Named), now), &words);
        }
        Op::Listen(who) => {
            let query = crate::store::BroadcastQuery { all: false, limit: 1, advance: true, room: None };
            let _ = store.broadcasts(&step(&actor(NAMES[*who], Standing::Named), now), &query);
        }
        Op::Lease(who, secs) => {
            let by = actor(NAMES[*who], Standing::Named);
            let batch = store.lease(&step(&by, now), Pick::Head(1), Duration::from_secs(*secs), now.0.cast_unsigned());
            let receipts = batch.into_iter().flat_map(|batch| batch.messages).filter_map(|message| message.receipt);
            world.receipts.extend(receipts.map(|receipt| (*who, receipt)));
        }
        Op::Settle(which, what) if !world.receipts.is_empty() => {
            let (who, receipt) = *which.get(&world.receipts);
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
                Holder { generation: Generation(0), host_id: "h".into(), pid: 7, started: world.random as u64 >> 1 };
            let by = actor(NAMES[*who], Standing::Guessed { gone: None });
            let claim = store.claim(&step(&by, now), &by.name, &holder, None);
            if let Ok(Claim::Granted(claim)) = claim {
                world.claims.push((*who, claim));
            }
        }
        Op::Leave(which) if !world.claims.is_empty() => {
            let (who, claim) = *which.get(&world.claims);
            let _ = store.release(&step(&actor(NAMES[who], Standing::Session(claim)), now), claim);
        }
        Op::Settle(..) | Op::Leave(_) => {}
        Op::Pass(millis) => world.now = Millis(world.now.0 + millis),
    }
}

/// Everybody who may look: under a name, by a guess, and each session that ever held one.
fn onlookers(world: &World) -> Vec<Actor> {
    let named = NAMES.iter().map(|name| actor(name, Standing::Named));
    let guessed = NAMES.iter().map(|name| actor(name, Standing::Guessed { gone: None }));
    let sessions = world.claims.iter().rev().take(3).map(|(who, claim)| actor(NAMES[*who], Standing::Session(*claim)));
    named.chain(guessed).chain(sessions).collect()
}

#[test]
fn memory_tells_nothing_else_than_a_look() {
    let remembered = std::cell::Cell::new(0);
    let mut runner = TestRunner::new(Config { cases: 24, failure_persistence: None, ..Config::default() });
    let script = prop::collection::vec(any_op(), 1..25);
    let played = runner.run(&script, |ops| {
        let mut world = World::new();
        for op in &ops {
            play(&mut world, op);
            for by in onlookers(&world) {
                remembered.set(remembered.get() + u32::from(world.remembers(&by)));
                let told = world.check(&by);
                let _ = std::fs::remove_file(world.finding(by.name.as_str()));
                prop_assert_eq!(told, world.check(&by), "{} at {:?}", by.name, op);
            }
        }
        Ok(())
    });
    assert!(played.is_ok(), "{played:?}");
    assert!(remembered.get() > 100, "memory was of use only {} times", remembered.get());
}
