//! Tidying the registry: what belongs to processes that are gone, and what nobody has used for long.

use std::fs::{self, DirEntry};
use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::Registry;
use crate::identity::process;
use crate::model::Millis;

/// How long the folder of another boot or container is kept after its last change.
const ELSEWHERE: Duration = Duration::from_secs(30 * 24 * 3600);
/// How long a name stays bound to a session id that nobody came back to.
const BOUND: Duration = Duration::from_secs(180 * 24 * 3600);
/// After how long a half-written file is nobody's any more.
const HALF_WRITTEN: Duration = Duration::from_secs(60);

/// What lies in the registry of this host.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Survey {
    /// How many live client processes are registered.
    pub live: usize,
    /// Files of processes that are gone; the next session start sweeps them.
    pub stale: Vec<PathBuf>,
    /// Files that cannot be read.
    pub damaged: Vec<PathBuf>,
}

impl Registry {
    /// Looks at every registration of this host and changes nothing.
    pub fn survey(&self) -> Survey {
        let mut survey = Survey::default();
        if fs::read_dir(self.sessions()).is_err_and(|error| error.kind() != ErrorKind::NotFound) {
            survey.damaged.push(self.sessions());
        }
        for entry in entries(&self.sessions()) {
            let is_registration = entry.path().extension().is_some_and(|extension| extension == "json");
            let Some((pid, started)) = owner(&entry).filter(|_| is_registration) else { continue };
            if process::look(pid).is_none_or(|process| process.started != started) {
                survey.stale.push(entry.path());
            } else if self.read(pid, started).is_none() {
                survey.damaged.push(entry.path());
            } else {
                survey.live += 1;
            }
        }
        survey
    }

    /// Removes what belongs to client processes of this host that are gone, and what is older than anybody remembers.
    pub fn sweep(&self, now: Millis) {
        for entry in entries(&self.sessions()) {
            let gone = owner(&entry)
                .is_some_and(|(pid, started)| process::look(pid).is_none_or(|process| process.started != started));
            if gone {
                let _ = fs::remove_file(entry.path());
            }
        }
        for entry in entries(&self.state.join("sessions")) {
            if entry.file_name() != process::host_id() && age(&entry, now) > ELSEWHERE {
                let _ = fs::remove_dir_all(entry.path());
            }
        }
        for entry in entries(&self.state.join("bound")) {
            let half = entry.path().extension().is_some_and(|extension| extension == "new");
            if age(&entry, now) > if half { HALF_WRITTEN } else { BOUND } {
                let _ = fs::remove_file(entry.path());
            }
        }
    }
}

fn entries(folder: &Path) -> impl Iterator<Item = DirEntry> {
    fs::read_dir(folder).into_iter().flatten().flatten()
}

/// The client process that a file belongs to, from its name: `PID-START.…`.
fn owner(entry: &DirEntry) -> Option<(u32, u64)> {
    let name = entry.file_name();
    let (pid, started) = name.to_str()?.split('.').next()?.split_once('-')?;
    Some((pid.parse().ok()?, started.parse().ok()?))
}

/// How long ago an entry was changed; zero when that is not known.
fn age(entry: &DirEntry, now: Millis) -> Duration {
    let changed = entry.metadata().map_or(i64::MAX, |metadata| metadata.mtime().saturating_mul(1_000));
    now.since(Millis(changed))
}
