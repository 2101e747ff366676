//! That memory never tells anything else than a look at the database, and that it spares that look.

use std::fs::OpenOptions;
use std::os::unix::fs::FileExt;
use std::time::Duration;

use proptest::prop_assert_eq;
use proptest::test_runner::{Config, TestRunner};
use tempfile::TempDir;

use super::*;
use crate::model::Via;
use crate::store::conformance::walk::{NOW, Walk, actor, any_walk, step};
use crate::store::embedded::Embedded;
use crate::store::{Actor, NewMail, Store};

/// A store, seen by several short processes.
struct World {
    home: TempDir,
    walk: Walk,
}

impl World {
    fn new() -> World {
        World { home: tempfile::tempdir().unwrap(), walk: Walk::new() }
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

    fn send(&mut self, from: usize, to: usize, urgent: bool) {
        let store = self.store();
        self.walk.send(&store, from, to, urgent);
    }

    fn check(&self, by: &Actor) -> std::result::Result<News, crate::error::Kind> {
        self.store().check(&step(by, self.walk.now)).map_err(|error| error.kind)
    }

    /// Whether the next check of this actor needs no look.
    fn remembers(&self, by: &Actor) -> bool {
        let memory = Memory::new(&self.place());
        self.place().trace().is_some_and(|trace| memory.recall(&trace, &step(by, self.walk.now)).is_some())
    }
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
    bell::Bell::take(&world.place(), Duration::ZERO).unwrap().ring(&world.place(), 1_000).unwrap();
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
    assert!(world.store().send(&step(&bob, world.walk.now), &mail).is_err());
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
    world.walk.now = Millis(NOW.0 - 1);
    assert!(!world.remembers(&bob), "the clock was set back");
    world.walk.now = NOW;
    let sql = rusqlite::Connection::open(world.path()).unwrap();
    sql.execute_batch("UPDATE mailboxes SET ready = 3").unwrap();
    assert_eq!(world.check(&bob).unwrap().unread, 3);
}

#[test]
fn memory_tells_nothing_else_than_a_look() {
    let remembered = std::cell::Cell::new(0);
    let mut runner = TestRunner::new(Config { cases: 24, failure_persistence: None, ..Config::default() });
    let played = runner.run(&any_walk(), |ops| {
        let mut world = World::new();
        for op in &ops {
            let store = world.store();
            world.walk.play(&store, op);
            for by in world.walk.onlookers() {
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
