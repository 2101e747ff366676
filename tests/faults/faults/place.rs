//! What befalls the place of a store's file while it is in use: it fills up, becomes read-only, goes away.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use super::Case;
use crate::clients::run;
use crate::field::Post;
use crate::judge::{Terms, Verdict};
use crate::tools;

/// A file system in memory; unmounted when dropped.
struct Memory(tempfile::TempDir);

impl Memory {
    fn mount(size: &str) -> Memory {
        let folder = tempfile::tempdir().unwrap();
        let options = format!("size={size},mode=0700");
        assert!(mount(&["-t", "tmpfs", "-o", &options, "postino-test"], folder.path()));
        Memory(folder)
    }

    fn post(&self) -> Post {
        Post::at(&format!("sqlite:{}", self.0.path().join("data/postino.db").display()))
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        // A process may still have a file open: then it goes when that ends.
        let _ = Command::new("umount").arg("--lazy").arg(self.0.path()).status();
    }
}

fn mount(args: &[&str], place: &Path) -> bool {
    Command::new("mount").args(args).arg(place).stderr(std::process::Stdio::null()).status().unwrap().success()
}

fn pause(case: &Case) {
    std::thread::sleep(Duration::from_millis(if case.full { 3_000 } else { 1_000 }));
}

pub(super) fn full_disk(case: &Case) -> Option<Verdict> {
    if !tools::may_mount() {
        return None;
    }
    let memory = Memory::mount("2m");
    Some(run(&memory.post(), case.plan(), &mut case.chance(), |stage| {
        for percent in [30, 60] {
            stage.wait(percent);
            let ballast = memory.0.path().join("ballast");
            // The write that no longer fits is the aim.
            let _ = std::fs::write(&ballast, vec![0; 4 << 20]);
            pause(case);
            std::fs::remove_file(&ballast).unwrap();
        }
        Terms::default()
    }))
}

pub(super) fn read_only(case: &Case) -> Option<Verdict> {
    if !tools::may_mount() {
        return None;
    }
    let memory = Memory::mount("16m");
    Some(run(&memory.post(), case.plan(), &mut case.chance(), |stage| {
        stage.wait(40);
        // The system waits for a moment in which nobody has a file open for writing.
        let until = Instant::now() + Duration::from_secs(30);
        while !mount(&["-o", "remount,ro"], memory.0.path()) {
            assert!(Instant::now() < until, "the file system stays busy");
        }
        pause(case);
        assert!(mount(&["-o", "remount,rw"], memory.0.path()));
        Terms::default()
    }))
}

pub(super) fn removed(case: &Case) -> Option<Verdict> {
    let (post, _) = case.post();
    let data = post.home().join("data");
    Some(run(&post, case.plan(), &mut case.chance(), |stage| {
        stage.wait(50);
        std::fs::rename(&data, post.home().join("gone")).unwrap();
        std::fs::remove_dir_all(post.home().join("gone")).unwrap();
        // Who was just then writing into a file that is no more may learn of it too late.
        Terms { undone: vec![(0, stage.now() + 500_000)], ..Terms::default() }
    }))
}
