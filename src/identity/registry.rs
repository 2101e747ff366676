//! The registry of sessions: one small file per live client process, and the name last bound to a session id.
//!
//! It lies in the state directory under boot id and pid namespace, so that containers that share a HOME never read or
//! sweep each other's files. Files are 0600, replaced whole. It knows processes and files, not stores or rules.

mod desk;
mod failures;
#[cfg(any(test, fuzzing))]
pub(crate) mod fuzz;
mod sweep;
#[cfg(test)]
pub(super) mod tests;

use std::fs;
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::client::{self, CLIENTS, Client};
use super::process::{self, Process};
use crate::config::Env;
use crate::error::{Error, Kind, Result};
use crate::model::{AgentName, Generation, MessageId, State};
use crate::private;

/// More of a file of the registry is not read, in bytes.
const MOST: usize = 8 << 10;

/// What is known of one client process.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Registration {
    /// The client, e.g. `claude`.
    pub client: String,
    /// Its process id.
    pub pid: u32,
    /// Its start time, as `process::look` tells it.
    pub started: u64,
    /// The conversation it is in.
    #[serde(default)]
    pub session_id: Option<String>,
    /// The name it holds, or the one it wishes when `generation` is missing.
    #[serde(default)]
    pub name: Option<AgentName>,
    /// The name it asked for first, or took last.
    #[serde(default)]
    pub wish: Option<AgentName>,
    /// Whether the wish was given by somebody: a variable, a rename, an earlier run of the conversation.
    #[serde(default)]
    pub explicit: bool,
    /// Its claim on that name.
    #[serde(default)]
    pub generation: Option<Generation>,
    /// The store that the claim is in.
    #[serde(default)]
    pub store: Option<String>,
    /// The key prefix there.
    #[serde(default)]
    pub prefix: Option<String>,
    /// The project's name.
    #[serde(default)]
    pub project: Option<String>,
    /// What it is doing.
    #[serde(default = "idle")]
    pub state: State,
    /// What it has been told of.
    #[serde(default)]
    pub marks: Marks,
    /// How many ends of a turn in a row went on because of mail.
    #[serde(default)]
    pub continued: u32,
    /// Whether a hook of the client has run in it: then a hook will end it.
    #[serde(default)]
    pub hooked: bool,
    /// The name that it was last told to have.
    #[serde(default)]
    pub announced: Option<AgentName>,
}

fn idle() -> State {
    State::Idle
}

/// How far a session has been told what is new.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Marks {
    /// How often it was told something; it only grows.
    pub hints: u64,
    /// The mailbox's count of arrivals at that time.
    pub arrivals: u64,
    /// The newest broadcast it was told of.
    pub broadcast: Option<MessageId>,
}

/// A client process that this process runs in.
#[derive(Clone, Debug)]
pub struct Found {
    /// The process.
    pub process: Process,
    /// What is known of its program.
    pub client: Option<&'static Client>,
    /// Its registration, when it has one.
    pub registration: Option<Registration>,
}

/// What tells a process which client it runs in, apart from its ancestors.
#[derive(Clone, Copy, Debug)]
pub struct Clues<'a> {
    /// `POSTINO_CLIENT_PID`: the client outright; 0 means that there is none.
    pub outright: Option<u32>,
    /// The client that the caller says it is, which then is the nearest ancestor that is no shell.
    pub said: Option<&'static Client>,
    /// The variables.
    pub env: &'a Env,
}

/// The registry in a state directory.
#[derive(Clone, Debug)]
pub struct Registry {
    state: PathBuf,
}

impl Registry {
    /// The registry in this state directory.
    pub fn new(state: &Path) -> Registry {
        Registry { state: state.to_owned() }
    }

    fn sessions(&self) -> PathBuf {
        self.state.join("sessions").join(process::host_id())
    }

    fn path(&self, pid: u32, started: u64) -> PathBuf {
        self.sessions().join(format!("{pid}-{started}.json"))
    }

    /// The registration of the client this process runs in; `None` when there is no client or it has not registered.
    pub fn find(&self, clues: &Clues<'_>) -> Option<Registration> {
        // Most shells never had a session: without the folder there is nothing to look for.
        if !self.sessions().exists() {
            return None;
        }
        self.client(clues)?.registration
    }

    /// The client this process runs in: the one named outright, else the nearest ancestor that is registered or known. A known
    /// one that has not registered ends the search: its session inherits no name from further up.
    pub fn client(&self, clues: &Clues<'_>) -> Option<Found> {
        let found = match clues.outright {
            Some(0) => None,
            Some(pid) => process::look(pid).map(|process| self.found(process)),
            None => self.nearest(clues).or_else(|| self.orphaned(clues)),
        }?;
        // What the caller says tells which program it is, and never whether a process is one.
        Some(Found { client: clues.said.or(found.client), ..found })
    }

    fn nearest(&self, clues: &Clues<'_>) -> Option<Found> {
        let told = told_by(clues.env);
        process::ancestors()
            .map(|process| self.found(process))
            .find(|found| {
                let is_told = told.is_some_and(|(pid, _)| pid == found.process.pid);
                let is_said = clues.said.is_some() && !found.process.is_shell();
                found.registration.is_some() || found.client.is_some() || is_told || is_said
            })
            .map(|found| Found { client: found.client.or(told.map(|(_, client)| client)), ..found })
    }

    /// The client of a process that lost its parents: the one that the environment tells, when its conversation is the same.
    fn orphaned(&self, clues: &Clues<'_>) -> Option<Found> {
        let (pid, client) = told_by(clues.env)?;
        let found = self.found(process::look(pid)?);
        let session = clues.env.get(client.session_variable?)?;
        (found.registration.as_ref()?.session_id.as_deref() == Some(session)).then_some(found)
    }

    fn found(&self, process: Process) -> Found {
        let registration = self.load(&process);
        let client = match &registration {
            Some(registration) => client::named(&registration.client),
            None => client::of_program(&process.program()),
        };
        Found { client, process, registration }
    }

    /// The registration of this process. A damaged file counts as none: the next hook writes it anew.
    pub fn load(&self, client: &Process) -> Option<Registration> {
        self.read(client.pid, client.started)
    }

    fn read(&self, pid: u32, started: u64) -> Option<Registration> {
        // One that is not ours to trust counts as none too; who writes it anew is told why that cannot be.
        let text = private::read(&self.path(pid, started), MOST).ok()??;
        let found: Registration = serde_json::from_slice(&text).ok()?;
        (found.pid == pid && found.started == started).then_some(found)
    }

    /// Changes a registration under its lock; nothing when it is gone. Gives back what stands there now.
    pub fn update(&self, of: &Registration, change: impl FnOnce(&mut Registration)) -> Result<Option<Registration>> {
        let mut desk = self.desk(of.pid, of.started)?;
        let Some(mut registration) = desk.registration.clone() else { return Ok(None) };
        change(&mut registration);
        desk.write(&registration)?;
        Ok(Some(registration))
    }

    fn bound_path(&self, session: &str) -> PathBuf {
        // A session id comes from outside: only its hash becomes part of a path.
        self.state.join("bound").join(super::hashed(&[session], 32))
    }

    /// The name that a session id was last bound to.
    pub fn bound(&self, session: &str) -> Option<AgentName> {
        let text = private::read(&self.bound_path(session), MOST).ok()??;
        std::str::from_utf8(&text).ok()?.parse().ok()
    }
}

/// The client's process id as the environment tells it. An inherited one is told apart by its place: it must be an ancestor with no
/// other client before it.
fn told_by(env: &Env) -> Option<(u32, &'static Client)> {
    CLIENTS.into_iter().find_map(|client| Some((env.get(client.pid_variable?)?.parse().ok()?, client)))
}

/// Makes a folder and those above it, 0700.
fn make_folder(path: &Path) -> Result<()> {
    fs::DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(|error| cannot_write(path).because(error))
}

/// Replaces a file whole, 0600 in folders 0700.
fn replace(path: &Path, content: &[u8]) -> Result<()> {
    let fail = |error: std::io::Error| cannot_write(path).because(error);
    let fresh = path.with_extension(format!("{}.new", std::process::id()));
    let create = || fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&fresh);
    let mut file = match create() {
        Ok(file) => file,
        Err(_) => {
            // The folder is missing, or a run with the same id was cut off here.
            make_folder(path.parent().unwrap_or(Path::new("/")))?;
            let _ = fs::remove_file(&fresh);
            create().map_err(fail)?
        }
    };
    file.write_all(content).map_err(fail)?;
    fs::rename(&fresh, path).map_err(fail)
}

fn cannot_write(path: &Path) -> Error {
    Error::new(Kind::Other, format!("cannot write {}", path.display()))
        .hint("check that the folder is yours and not full")
}
