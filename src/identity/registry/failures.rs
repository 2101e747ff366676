//! How many hooks in a row could not reach the store: the length of a small file, for all sessions of this host.

use std::fs;
use std::io::Write;
use std::path::PathBuf;

use super::Registry;
use crate::private::{Purpose, open};

/// More than this is not counted.
const ENOUGH: u64 = 3;

impl Registry {
    fn failures_path(&self) -> PathBuf {
        self.sessions().join("failures")
    }

    /// Notes that a hook could not reach the store. True when that has happened three times in a row before.
    pub fn failed(&self) -> bool {
        let path = self.failures_path();
        if fs::metadata(&path).is_ok_and(|metadata| metadata.len() >= ENOUGH) {
            return true;
        }
        // What cannot be noted is not counted.
        if let Ok(mut file) = open(&path, Purpose::Append) {
            let _ = file.write_all(b".");
        }
        false
    }

    /// Notes that a hook reached the store.
    pub fn worked(&self) {
        let _ = fs::remove_file(self.failures_path());
    }
}
