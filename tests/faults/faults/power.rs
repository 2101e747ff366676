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
