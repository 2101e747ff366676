//! What befalls the disk's power: it goes, and with it all that was not synced.

use super::Case;
use crate::clients::run;
use crate::disk::{Disk, Unsynced};
use crate::field::Post;
use crate::judge::{Terms, Verdict};
use crate::tools;

/// Runs the clients while the power is cut again and again.
fn cut(case: &Case, unsynced: Unsynced) -> Option<Verdict> {
    if !tools::may_fuse() {
        return None;
    }
    let disk = Disk::mount();
    let post = Post::at(&format!("sqlite:{}", disk.path().join("data/postino.db").display()));
    let mut chance = case.chance();
    let mut cuts = chance.fork();
    Some(run(&post, case.plan(), &mut chance, |stage| {
        for n in 1..if case.full { 20 } else { 5 } {
            stage.wait(n * if case.full { 5 } else { 20 });
            disk.cut(unsynced, &mut cuts);
        }
        // What was acknowledged was synced: nothing may be forgotten.
        Terms::default()
    }))
}

pub(super) fn lost(case: &Case) -> Option<Verdict> {
    cut(case, Unsynced::Lost)
}

pub(super) fn torn(case: &Case) -> Option<Verdict> {
    cut(case, Unsynced::Torn)
}

#[test]
fn the_first_message_of_a_store_or_of_a_log_outlives_a_power_cut() {
    if !tools::may_fuse() {
        return;
    }
    let disk = Disk::mount();
    let file = disk.path().join("data/postino.db");
    let post = Post::at(&format!("sqlite:{}", file.display()));
    let mut chance = crate::chance::Chance::seeded(1);
    for sent in 1..=2 {
        post.json("ann", &["send", "bob", "It is done."]);
        disk.cut(Unsynced::Lost, &mut chance);
        assert_eq!(post.left(), Some(sent));
        // SQLite's own programs take the log away when they leave.
        rusqlite::Connection::open(&file).unwrap().execute_batch("PRAGMA wal_checkpoint(TRUNCATE)").unwrap();
        assert!(!file.with_extension("db-wal").exists());
        std::fs::File::open(file.parent().unwrap()).unwrap().sync_all().unwrap();
    }
}
