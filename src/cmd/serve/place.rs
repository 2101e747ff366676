//! Where a workspace's server is known: its lock, its record, the pipe it is called by, and its log, in the state directory.
//!
//! Whoever holds the lock is the server; everything else is only what it says of itself. It knows nothing of HTTP.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::Write;
use std::os::unix::fs::{FileTypeExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, Mode, OFlags, mkfifoat};
use serde::{Deserialize, Serialize};

use crate::error::{Error, Kind, Result};
use crate::identity::{hashed, process};
use crate::model::Millis;
use crate::private::{self, Purpose};

/// More of a record is not read, in bytes.
const MOST: usize = 8 << 10;

/// What a server says of itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Record {
    /// Where it is reached.
    pub url: String,
    /// The parent's process id.
    pub pid: u32,
    /// When that process started, in the system's own units.
    pub started: u64,
    /// Its version.
    pub version: String,
    /// Since when it serves.
    pub since: Millis,
}

/// The files of the server of one store and prefix on this host.
#[derive(Clone, Debug)]
pub struct Place {
    folder: PathBuf,
    name: String,
}

/// The right to be the server, until dropped.
pub struct Lock(File);

impl Lock {
    /// The open file, to hand the right to another program.
    pub fn into_file(self) -> File {
        self.0
    }

    /// The right that another program handed over.
    pub fn of(file: File) -> Lock {
        Lock(file)
    }
}

impl Place {
    /// The place for a store and a key prefix. Process ids mean something on one host only, so each has its own.
    pub fn of(state: &Path, store: &str, prefix: &str) -> Place {
        Place { folder: state.join("serve"), name: hashed(&[process::host_id(), store, prefix], 16) }
    }

    fn file(&self, extension: &str) -> PathBuf {
        self.folder.join(format!("{}.{extension}", self.name))
    }

    /// The log file.
    pub fn log(&self) -> PathBuf {
        self.file("log")
    }

    /// The lock; `None` while a server holds it.
    pub fn lock(&self) -> Result<Option<Lock>> {
        let path = self.file("lock");
        let file = private::open(&path, Purpose::Write)?;
        match file.try_lock() {
            Ok(()) => Ok(Some(Lock(file))),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(failed("lock", &path, error)),
        }
    }

    /// Whether a server holds the lock. Looking shares it for a moment, so a starter that is refused has to try again.
    pub fn is_held(&self) -> bool {
        let Ok(file) = private::open(&self.file("lock"), Purpose::Read) else { return false };
        matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock))
    }

    /// What the server that runs says of itself; `None` when none runs, or when it has said nothing yet.
    pub fn running(&self) -> Option<Record> {
        let record = self.is_held().then(|| private::read(&self.file("json"), MOST).ok()).flatten()??;
        let record: Record = serde_json::from_slice(&record).ok()?;
        let process = process::look(record.pid)?;
        (process.started == record.started).then_some(record)
    }

    /// Writes the record, whole, 0600. For who holds the lock.
    pub fn write(&self, record: &Record) -> Result<()> {
        let (path, fresh) = (self.file("json"), self.file("json.new"));
        let text = serde_json::to_vec(record)
            .map_err(|error| Error::new(Kind::Other, "cannot write the server's record").because(error))?;
        let write = || {
            // Left behind by one that was cut off, or put there by somebody else.
            let _ = fs::remove_file(&fresh);
            let mut file = OpenOptions::new().create_new(true).write(true).mode(0o600).open(&fresh)?;
            file.write_all(&text)?;
            fs::rename(&fresh, &path)
        };
        write().map_err(|error| failed("write", &path, error))
    }

    /// Removes what a server left behind. For who holds the lock.
    pub fn clear(&self) {
        for extension in ["json", "call"] {
            let _ = fs::remove_file(self.file(extension));
        }
    }

    /// The pipe that others call by, made anew. For who holds the lock.
    pub fn calls(&self) -> Result<File> {
        let path = self.file("call");
        let _ = fs::remove_file(&path);
        mkfifoat(CWD, &path, Mode::from_raw_mode(0o600)).map_err(|error| failed("make", &path, error.into()))?;
        // Open for writing too, so that it never ends when a caller hangs up.
        OpenOptions::new().read(true).write(true).open(&path).map_err(|error| failed("open", &path, error))
    }

    /// Calls the server that runs; false when nobody listens.
    pub fn call(&self, line: &str) -> bool {
        let flags = i32::try_from((OFlags::NONBLOCK | OFlags::NOFOLLOW).bits()).unwrap_or_default();
        let file = OpenOptions::new().write(true).custom_flags(flags).open(self.file("call"));
        file.and_then(|mut file| {
            if !file.metadata()?.file_type().is_fifo() {
                return Err(std::io::ErrorKind::InvalidInput.into());
            }
            file.write_all(format!("{line}\n").as_bytes())
        })
        .is_ok()
    }
}

fn failed(doing: &str, path: &Path, error: std::io::Error) -> Error {
    Error::new(Kind::Other, format!("cannot {doing} {}: {}", path.display(), error.kind()))
        .hint("check that the folder is yours and not full")
        .because(error)
}
