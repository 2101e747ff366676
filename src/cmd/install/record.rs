//! What an installation put into which file, so that removing it gives back each file as it was. One small file in the
//! state directory; without it, what equals the templates is removed. It knows no formats.

use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::edit::Made;
use crate::error::{Error, Kind, Result};
use crate::private::{self, Purpose};

/// What was done to one file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Entry {
    /// The file.
    pub path: PathBuf,
    /// Whether it did not exist before.
    pub created: bool,
    /// The folders that did not exist before, the outermost first.
    pub folders: Vec<PathBuf>,
    /// The places in it that were put in.
    pub made: Made,
}

/// All that installations did on this machine.
#[derive(Debug, Default)]
pub struct Record {
    file: PathBuf,
    entries: Vec<Entry>,
    /// Held until dropped, so that two installations do not meet in one file; `None` for looking only.
    _lock: Option<fs::File>,
}

impl Record {
    /// Reads the record in a state directory for looking only: it makes nothing and holds no lock.
    pub fn look(state: &Path) -> Result<Record> {
        let file = state.join("installed.json");
        Ok(Record { entries: read(&file)?, file, _lock: None })
    }

    /// Reads the record in a state directory, under its lock.
    pub fn open(state: &Path) -> Result<Record> {
        let file = state.join("installed.json");
        let fail = |error: std::io::Error| unusable(&file).because(error);
        let lock = private::open(&file.with_extension("lock"), Purpose::Write)?;
        lock.lock().map_err(fail)?;
        Ok(Record { entries: read(&file)?, file, _lock: Some(lock) })
    }

    /// What was done to a file; `None` when nothing is known.
    pub fn find(&self, path: &Path) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.path == path)
    }

    /// Writes down what was done to a file.
    pub fn put(&mut self, entry: Entry) -> Result<()> {
        self.entries.retain(|known| known.path != entry.path);
        self.entries.push(entry);
        self.save()
    }

    /// Forgets a file.
    pub fn forget(&mut self, path: &Path) -> Result<()> {
        self.entries.retain(|known| known.path != path);
        self.save()
    }

    fn save(&self) -> Result<()> {
        let fail = |error: std::io::Error| unusable(&self.file).because(error);
        if self.entries.is_empty() {
            return match fs::remove_file(&self.file) {
                Err(error) if error.kind() != ErrorKind::NotFound => Err(fail(error)),
                Ok(()) | Err(_) => Ok(()),
            };
        }
        let text = serde_json::to_vec_pretty(&self.entries).map_err(|error| unusable(&self.file).because(error))?;
        let fresh = self.file.with_extension("new");
        let _ = fs::remove_file(&fresh);
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&fresh).map_err(fail)?;
        file.write_all(&text).and_then(|()| file.sync_all()).map_err(fail)?;
        fs::rename(&fresh, &self.file).map_err(fail)
    }
}

fn read(file: &Path) -> Result<Vec<Entry>> {
    let mut found = match private::open(file, Purpose::Read) {
        Ok(found) => found,
        Err(error) if error.kind == Kind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut text = Vec::new();
    found.read_to_end(&mut text).map_err(|error| unusable(file).because(error))?;
    serde_json::from_slice(&text).map_err(|error| unusable(file).because(error))
}

fn unusable(file: &Path) -> Error {
    Error::new(Kind::Other, format!("cannot use {}, where installations are written down", file.display()))
        .hint("if it is damaged, remove it: installed entries are then told by what they say")
}
