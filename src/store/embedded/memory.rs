//! What the last look for news found, kept for the next one: as long as nothing has changed, it need not open the database. It
//! knows no table.
//!
//! A finding holds while the bell shows the number of the change that the look saw, up to the moment at which something comes due by
//! itself, and no earlier than it was made. That alone would do; boot and files are compared as well, because after a power cut the
//! bell may be older than the database, and because somebody may put another database in its place.

#[cfg(test)]
mod tests;

use std::fs::File;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use rustix::fs::{Mode, OFlags};
use serde::{Deserialize, Serialize};

use super::bell;
use super::place::{Place, Trace};
use super::presence::encode;
use crate::model::{AgentName, Generation, Millis};
use crate::store::{Newest, News, Standing, Step};

/// The longest finding that is read, in bytes.
const MAX_FILE: usize = 2_048;

/// How long a finding holds, as the look that made it can tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Hold {
    /// The last change in the database.
    pub(super) change: i64,
    /// The claim on the name; `None` when nobody holds it.
    pub(super) claim: Option<Generation>,
    /// When something comes due.
    pub(super) until: Millis,
}

/// A finding as it is written down.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Finding {
    boot: String,
    trace: Trace,
    change: i64,
    claim: Option<Generation>,
    from: i64,
    until: i64,
    unread: u64,
    urgent: u64,
    unseen: u64,
    newest_message: Option<Newest>,
    newest_broadcast: Option<Newest>,
    arrivals: u64,
}

/// The findings: a hidden file a name, beside the signs of life.
pub(super) struct Memory {
    dir: PathBuf,
    bell: PathBuf,
    /// Two threads that write for one name would share one unfinished file.
    writing: Mutex<()>,
}

impl Memory {
    /// The findings of the store at this place.
    pub(super) fn new(place: &Place) -> Memory {
        Memory { dir: place.presence(), bell: place.bell(), writing: Mutex::new(()) }
    }

    /// What this actor found last, if it would find the same now.
    pub(super) fn recall(&self, trace: &Trace, step: &Step<'_>) -> Option<News> {
        let found = read(&self.dir.join(file_of(&step.by.name)))?;
        let same_claim = match step.by.standing {
            Standing::Session(claim) => found.claim == Some(claim),
            Standing::Named | Standing::Guessed { .. } => found.claim.is_none(),
        };
        let in_time = (found.from..found.until).contains(&step.now.0);
        let holds = same_claim && in_time && found.trace == *trace && Some(&found.boot) == boot().as_ref();
        // The bell comes last: what it shows now is what the answer is true of.
        (holds && bell::last(&self.bell) == Some(found.change)).then_some(News {
            unread: found.unread,
            urgent: found.urgent,
            unseen: found.unseen,
            newest_message: found.newest_message,
            newest_broadcast: found.newest_broadcast,
            arrivals: found.arrivals,
        })
    }

    /// Keeps what an actor found; the trace is from before the look. A failure costs the next one a look, so it is none.
    pub(super) fn keep(&self, trace: Trace, step: &Step<'_>, news: &News, hold: Hold) {
        let Some(boot) = boot() else { return };
        let Ok(_writing) = self.writing.try_lock() else { return };
        let _ = self.write(
            &step.by.name,
            &Finding {
                boot,
                trace,
                change: hold.change,
                claim: hold.claim,
                from: step.now.0,
                until: hold.until.0,
                unread: news.unread,
                urgent: news.urgent,
                unseen: news.unseen,
                newest_message: news.newest_message.clone(),
                newest_broadcast: news.newest_broadcast.clone(),
                arrivals: news.arrivals,
            },
        );
    }

    /// Writes a finding beside the old one first, so that no reader sees half of it.
    fn write(&self, name: &AgentName, found: &Finding) -> std::io::Result<()> {
        let text = serde_json::to_vec(found)?;
        let file = file_of(name);
        let unfinished = self.dir.join(format!("{file}.{}", std::process::id()));
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::TRUNC | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        File::from(rustix::fs::open(&unfinished, flags, Mode::from_raw_mode(0o600))?).write_all(&text)?;
        std::fs::rename(&unfinished, self.dir.join(file))
    }
}

/// The file of a name's finding.
pub(super) fn file_of(name: &AgentName) -> String {
    format!(".{}.news", encode(name))
}

fn read(path: &Path) -> Option<Finding> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let mut file = File::from(rustix::fs::open(path, flags, Mode::empty()).ok()?);
    let mut text = [0; MAX_FILE];
    let length = file.read(&mut text).ok()?;
    serde_json::from_slice(&text[..length]).ok()
}

/// What no other run of this system has in common with this one; `None` where it does not tell.
fn boot() -> Option<String> {
    let mut text = [0; 64];
    let length = File::open("/proc/sys/kernel/random/boot_id").ok()?.read(&mut text).ok()?;
    let id = std::str::from_utf8(&text[..length]).ok()?.trim();
    (!id.is_empty()).then(|| id.to_owned())
}
