//! Signs of life: one small file an agent, whose modification time is when it was last seen. No
//! transaction and no sync; what is lost here comes again with the next sign. It knows no mailbox.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{Read, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use rustix::fs::{AtFlags, Mode, OFlags, Timespec, Timestamps};
use rustix::io::Errno;
use serde::{Deserialize, Serialize};

use super::memory;
use crate::model::{AgentName, Millis, State};
use crate::store::{PRESENCE, Sighting};

/// The longest file that is read, in bytes.
const MAX_FILE: usize = 4_096;

/// What a file says.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Told {
    state: Option<State>,
    client: String,
    host: String,
    project: String,
}

/// The last sign of life of an agent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Seen {
    /// When.
    pub(super) at: Millis,
    told: Told,
}

impl Seen {
    /// Whether it keeps the agent online at `now`.
    pub(super) fn is_fresh(&self, now: Millis) -> bool {
        self.told.state != Some(State::Offline) && now.since(self.at) <= PRESENCE
    }

    /// What the agent is doing at `now`.
    pub(super) fn state(&self, now: Millis) -> State {
        if self.is_fresh(now) { self.told.state.unwrap_or(State::Idle) } else { State::Offline }
    }

    /// Client, host and project, where they are known.
    pub(super) fn place(&self) -> [Option<String>; 3] {
        [&self.told.client, &self.told.host, &self.told.project]
            .map(|text| Some(text.clone()).filter(|t| !t.is_empty()))
    }
}

/// The directory of signs of life.
pub(super) struct Presence {
    dir: PathBuf,
    /// Two threads that write for one name would share one unfinished file.
    writing: Mutex<()>,
}

impl Presence {
    /// Signs of life in `dir`, which need not exist yet.
    pub(super) fn new(dir: PathBuf) -> Presence {
        Presence { dir, writing: Mutex::new(()) }
    }

    /// The last sign of `name`; `None` when there was none.
    pub(super) fn seen(&self, name: &AgentName) -> Option<Seen> {
        open(&self.dir.join(encode(name))).map(|(_, seen)| seen)
    }

    /// When `name` was last seen.
    pub(super) fn last_seen(&self, name: &AgentName) -> Option<Millis> {
        let meta = std::fs::symlink_metadata(self.dir.join(encode(name))).ok()?;
        Some(modified(&meta))
    }

    /// Records a sign like the last one; false, and nothing is done, when that says something else or is old.
    pub(super) fn touch(&self, name: &AgentName, sighting: &Sighting, now: Millis) -> bool {
        open(&self.dir.join(encode(name)))
            .filter(|(_, seen)| seen.is_fresh(now) && seen.told == told(sighting, Some(seen)))
            .is_some_and(|(file, _)| rustix::fs::futimens(&file, &times(now)).is_ok())
    }

    /// Records a sign at `now`. A failure costs a line in a list of agents, so it is no failure of the step.
    pub(super) fn record(&self, name: &AgentName, sighting: &Sighting, now: Millis) {
        if self.touch(name, sighting, now) {
            return;
        }
        let _writing = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        let _ = self.write(name, &told(sighting, self.seen(name).as_ref()), now);
    }

    /// Records that `name` was seen at `at`, and is no more; nothing when it was seen later.
    pub(super) fn record_past(&self, name: &AgentName, at: Millis) {
        if self.last_seen(name).is_some_and(|seen| seen >= at) {
            return;
        }
        let _writing = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        let _ = self.write(name, &Told { state: Some(State::Offline), ..Told::default() }, at);
    }

    /// Ends the presence of `name`; when it was last seen stays known.
    pub(super) fn end(&self, name: &AgentName) {
        let _writing = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, seen)) = open(&self.dir.join(encode(name))) {
            let _ = self.write(name, &Told { state: Some(State::Offline), ..seen.told }, seen.at);
        }
    }

    /// Hands the presence of `from` over to `to`.
    pub(super) fn rename(&self, from: &AgentName, to: &AgentName) {
        let _ = std::fs::rename(self.dir.join(encode(from)), self.dir.join(encode(to)));
        let _ = std::fs::remove_file(self.dir.join(memory::file_of(from)));
    }

    /// Forgets `name`.
    pub(super) fn remove(&self, name: &AgentName) {
        let _ = std::fs::remove_file(self.dir.join(encode(name)));
        let _ = std::fs::remove_file(self.dir.join(memory::file_of(name)));
    }

    /// Every name that was ever seen, and when.
    pub(super) fn all(&self) -> BTreeMap<AgentName, Millis> {
        let Ok(entries) = std::fs::read_dir(&self.dir) else { return BTreeMap::new() };
        let named = entries.flatten().filter_map(|entry| {
            let name = decode(entry.file_name().to_str()?)?;
            let meta = entry.metadata().ok().filter(std::fs::Metadata::is_file)?;
            Some((name, modified(&meta)))
        });
        named.collect()
    }

    /// Every name that was ever seen, in byte order: a look at one directory, and at none of its files.
    pub(super) fn names(&self) -> BTreeSet<AgentName> {
        let Ok(entries) = std::fs::read_dir(&self.dir) else { return BTreeSet::new() };
        let files = entries.flatten().filter(|entry| entry.file_type().is_ok_and(|sort| sort.is_file()));
        files.filter_map(|entry| decode(entry.file_name().to_str()?)).collect()
    }

    /// Writes a file anew: beside it first, so that no reader sees half of it.
    fn write(&self, name: &AgentName, told: &Told, at: Millis) -> std::io::Result<()> {
        let text = serde_json::to_vec(told)?;
        let unfinished = self.dir.join(format!(".{}.{}", encode(name), std::process::id()));
        let mut file = match create(&unfinished) {
            Err(Errno::NOENT) => {
                make_directory(&self.dir)?;
                create(&unfinished)?
            }
            Err(Errno::EXIST) => {
                std::fs::remove_file(&unfinished)?;
                create(&unfinished)?
            }
            made => made?,
        };
        rustix::fs::fchmod(&file, Mode::from_raw_mode(0o600))?;
        file.write_all(&text)?;
        rustix::fs::futimens(&file, &times(at))?;
        std::fs::rename(&unfinished, self.dir.join(encode(name)))
    }
}

/// What a file says after a sighting: a state that is not told stays, unless that was the end.
fn told(sighting: &Sighting, before: Option<&Seen>) -> Told {
    let before = before.and_then(|seen| seen.told.state).filter(|state| *state != State::Offline);
    Told {
        state: Some(sighting.state.or(before).unwrap_or(State::Idle)),
        client: sighting.client.clone(),
        host: sighting.host.clone(),
        project: sighting.project.clone(),
    }
}

fn open(path: &Path) -> Option<(File, Seen)> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let mut file = File::from(rustix::fs::open(path, flags, Mode::empty()).ok()?);
    let meta = file.metadata().ok().filter(std::fs::Metadata::is_file)?;
    let mut text = [0; MAX_FILE];
    let length = file.read(&mut text).ok()?;
    let told = serde_json::from_slice(&text[..length]).unwrap_or_default();
    Some((file, Seen { at: modified(&meta), told }))
}

fn create(path: &Path) -> Result<File, Errno> {
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    rustix::fs::open(path, flags, Mode::from_raw_mode(0o600)).map(File::from)
}

fn make_directory(dir: &Path) -> rustix::io::Result<()> {
    match rustix::fs::mkdir(dir, Mode::from_raw_mode(0o700)) {
        Ok(()) => rustix::fs::chmodat(rustix::fs::CWD, dir, Mode::from_raw_mode(0o700), AtFlags::empty()),
        Err(Errno::EXIST) => Ok(()),
        Err(error) => Err(error),
    }
}

fn modified(meta: &std::fs::Metadata) -> Millis {
    Millis(meta.mtime().saturating_mul(1_000).saturating_add(meta.mtime_nsec() / 1_000_000))
}

fn times(at: Millis) -> Timestamps {
    let time = Timespec { tv_sec: at.0.div_euclid(1_000), tv_nsec: at.0.rem_euclid(1_000) * 1_000_000 };
    Timestamps { last_access: time, last_modification: time }
}

/// The file of a name. Some file systems do not tell `Ann` from `ann`, so capitals are spelled `+a`.
pub(super) fn encode(name: &AgentName) -> String {
    let mut file = String::new();
    for c in name.as_str().chars() {
        if c.is_ascii_uppercase() {
            file.push('+');
        }
        file.push(c.to_ascii_lowercase());
    }
    file
}

/// The name of a file; `None` when it is no sign of life.
pub(super) fn decode(file: &str) -> Option<AgentName> {
    let mut name = String::new();
    let mut chars = file.chars();
    while let Some(c) = chars.next() {
        name.push(if c == '+' { chars.next()?.to_ascii_uppercase() } else { c });
    }
    name.parse().ok().filter(|name| encode(name) == file)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> AgentName {
        text.parse().unwrap()
    }

    fn sighting(state: Option<State>) -> Sighting {
        Sighting { state, client: "claude".into(), host: "laptop".into(), project: "webshop".into() }
    }

    #[test]
    fn names_survive_a_file_system_without_capitals() {
        for text in ["ann", "Ann", "aNN", "A.b-C_9", "agent-A1B2C3D4"] {
            assert_eq!(decode(&encode(&name(text))), Some(name(text)));
            assert_eq!(encode(&name(text)), encode(&name(text)).to_lowercase());
        }
        for file in [".ann.77", "+", "Ann", "a+", "../ann"] {
            assert_eq!(decode(file), None);
        }
    }

    #[test]
    fn a_sign_is_known_until_it_is_old_or_ended() {
        let dir = tempfile::tempdir().unwrap();
        let presence = Presence::new(dir.path().join("presence"));
        assert_eq!(presence.seen(&name("Ann")), None);
        presence.record(&name("Ann"), &sighting(None), Millis(50_000));
        let state = |now| presence.seen(&name("Ann")).unwrap().state(Millis(now));
        assert_eq!((state(50_000), state(80_000), state(80_001)), (State::Idle, State::Idle, State::Offline));
        presence.record(&name("Ann"), &sighting(Some(State::Working)), Millis(60_000));
        presence.record(&name("Ann"), &sighting(None), Millis(70_123));
        assert_eq!((state(71_000), presence.last_seen(&name("Ann"))), (State::Working, Some(Millis(70_123))));
        presence.end(&name("Ann"));
        assert_eq!((state(71_000), presence.last_seen(&name("Ann"))), (State::Offline, Some(Millis(70_123))));
        presence.record(&name("Ann"), &sighting(None), Millis(72_000));
        assert_eq!(state(72_000), State::Idle);
        assert_eq!(presence.all(), BTreeMap::from([(name("Ann"), Millis(72_000))]));
        assert_eq!(presence.names(), BTreeSet::from([name("Ann")]));
    }

    #[test]
    fn an_unchanged_sign_only_touches_the_file() {
        let dir = tempfile::tempdir().unwrap();
        let presence = Presence::new(dir.path().join("presence"));
        let inode = || std::fs::metadata(dir.path().join("presence/ann")).unwrap().ino();
        presence.record(&name("ann"), &sighting(None), Millis(1_000));
        let first = inode();
        presence.record(&name("ann"), &sighting(None), Millis(2_000));
        assert_eq!((inode(), presence.last_seen(&name("ann"))), (first, Some(Millis(2_000))));
        presence.record(&name("ann"), &sighting(Some(State::Working)), Millis(3_000));
        assert_ne!(inode(), first);
    }

    #[test]
    fn a_broken_or_unfinished_file_harms_nobody() {
        let dir = tempfile::tempdir().unwrap();
        let presence = Presence::new(dir.path().to_owned());
        std::fs::write(dir.path().join("ann"), b"{\"state\":").unwrap();
        std::fs::write(dir.path().join(format!(".bob.{}", std::process::id())), b"left over").unwrap();
        presence.record(&name("bob"), &sighting(None), Millis(5_000));
        presence.record(&name("ann"), &sighting(None), Millis(6_000));
        assert!(presence.seen(&name("bob")).unwrap().is_fresh(Millis(6_000)));
        assert!(presence.seen(&name("ann")).unwrap().is_fresh(Millis(6_000)));
        assert_eq!(presence.all().len(), 2);
    }
}
