//! One registration under its lock: read, changed, written or removed by one process at a time.
//!
//! The lock is a file beside the registration. It goes with it, so whoever got a lock looks whether the file that it locked is
//! still the one in the folder.

use std::fs::{self, File};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rustix::fs::{FlockOperation, flock};

use super::{Registration, Registry, cannot_write, replace};
use crate::error::Result;
use crate::private::{Purpose, open};

/// How long who has a limit waits between two looks at a lock.
const PAUSE: Duration = Duration::from_millis(1);

/// A locked registration; the lock ends with this value.
pub struct Desk<'a> {
    registry: &'a Registry,
    path: PathBuf,
    lock: PathBuf,
    _held: File,
    /// The registration as it stands.
    pub registration: Option<Registration>,
}

impl Registry {
    /// Waits for the lock of this client process's registration, and reads it.
    pub fn desk(&self, pid: u32, started: u64) -> Result<Desk<'_>> {
        let lock = self.path(pid, started).with_extension("lock");
        Ok(self.at(pid, started, hold(&lock)?))
    }

    /// The same, but waits no longer than the limit; `None` when somebody else had the lock all the time. Without a limit it waits.
    pub fn desk_within(&self, pid: u32, started: u64, limit: Option<Duration>) -> Result<Option<Desk<'_>>> {
        let Some(limit) = limit else { return self.desk(pid, started).map(Some) };
        let lock = self.path(pid, started).with_extension("lock");
        let end = Instant::now() + limit;
        loop {
            let file = open(&lock, Purpose::Write)?;
            let is_held = flock(&file, FlockOperation::NonBlockingLockExclusive).is_ok();
            if is_held && is_same(&file, &lock) {
                return Ok(Some(self.at(pid, started, file)));
            }
            if Instant::now() >= end {
                return Ok(None);
            }
            std::thread::sleep(PAUSE);
        }
    }

    fn at(&self, pid: u32, started: u64, held: File) -> Desk<'_> {
        let path = self.path(pid, started);
        let (lock, registration) = (path.with_extension("lock"), self.read(pid, started));
        Desk { registry: self, path, lock, _held: held, registration }
    }

    /// The lock of the one monitor of this client process; `None` while another one has it.
    pub fn monitor_lock(&self, pid: u32, started: u64) -> Result<Option<MonitorLock>> {
        let path = self.path(pid, started).with_extension("monitor");
        let file = open(&path, Purpose::Write)?;
        let is_ours = flock(&file, FlockOperation::NonBlockingLockExclusive).is_ok() && is_same(&file, &path);
        Ok(is_ours.then_some(MonitorLock { path, _held: file }))
    }
}

/// The right to be the monitor of a client process, until dropped.
pub struct MonitorLock {
    path: PathBuf,
    _held: File,
}

impl Drop for MonitorLock {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.path);
    }
}

impl Desk<'_> {
    /// Writes the registration, and binds its session id to its name when either is new. A spare name that it got because another
    /// session holds the one it wished takes the place of none: when the conversation comes back, so does its own name.
    pub fn write(&mut self, registration: &Registration) -> Result<()> {
        if self.registration.as_ref() == Some(registration) {
            return Ok(());
        }
        let text = serde_json::to_vec(registration).map_err(|error| cannot_write(&self.path).because(error))?;
        replace(&self.path, &text)?;
        let bond = |of: &Registration| Some((of.session_id.clone()?, of.name.clone()?));
        let (old, new) = (self.registration.as_ref().and_then(bond), bond(registration));
        self.registration = Some(registration.clone());
        match new {
            Some(new) if old.as_ref() != Some(&new) => {
                let (session, name) = new;
                let is_spare = registration.wish.as_ref().is_some_and(|wish| *wish != name);
                if is_spare && self.registry.bound(&session).is_some() {
                    return Ok(());
                }
                replace(&self.registry.bound_path(&session), name.as_str().as_bytes())
            }
            Some(_) | None => Ok(()),
        }
    }

    /// Removes the registration with its locks; the name stays bound to the session id.
    pub fn remove(self) {
        let _ = fs::remove_file(self.path.with_extension("monitor"));
        let _ = fs::remove_file(&self.path);
        let _ = fs::remove_file(&self.lock);
    }
}

/// Locks the file at this path; once more when it was removed meanwhile.
fn hold(path: &Path) -> Result<File> {
    loop {
        let file = open(path, Purpose::Write)?;
        flock(&file, FlockOperation::LockExclusive).map_err(|error| cannot_write(path).because(error))?;
        if is_same(&file, path) {
            return Ok(file);
        }
    }
}

/// Whether an open file is still the one at this path.
fn is_same(file: &File, path: &Path) -> bool {
    let there = fs::metadata(path).map(|there| (there.dev(), there.ino()));
    let here = file.metadata().map(|here| (here.dev(), here.ino()));
    matches!((here, there), (Ok(here), Ok(there)) if here == there)
}
