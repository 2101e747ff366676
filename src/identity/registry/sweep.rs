//! Tidying the registry: what belongs to processes that are gone, and what nobody has used for long.

use std::fs::{self, DirEntry};
use std::os::unix::fs::MetadataExt;
use std::path::Path;
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

impl Registry {
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
