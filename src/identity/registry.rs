//! The registry of sessions: one small file per live client process, and the name last bound to a session id.
//!
//! It lies in the state directory under boot id and pid namespace, so that containers that share a HOME never read or
//! sweep each other's files. Files are 0600, replaced whole. It knows processes and files, not stores or rules.

use std::fs;
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::process::{self, Process};
use crate::error::{Error, Kind, Result};
use crate::model::{AgentName, Generation};

/// Short names of the programs that agents run in. A process below one that has not registered inherits no name from further up.
const CLIENTS: [&str; 6] = ["claude", "codex", "gemini", "opencode", "cursor-agent", "cursor"];

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
    /// Its claim on that name.
    #[serde(default)]
    pub generation: Option<Generation>,
    /// The store that the claim is in.
    #[serde(default)]
    pub store: Option<String>,
    /// The key prefix there.
    #[serde(default)]
    pub prefix: Option<String>,
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

    /// The registration of the client this process runs in: the one `client_pid` names (0: none), else that of the nearest ancestor
    /// that is registered, unless an unregistered client stands before it.
    pub fn find(&self, client_pid: Option<u32>) -> Option<Registration> {
        match client_pid {
            Some(0) => return None,
            Some(pid) => return process::look(pid).and_then(|client| self.load(&client)),
            None => {}
        }
        // Most shells never had a session: without the folder there is nothing to look for.
        if !self.sessions().exists() {
            return None;
        }
        for ancestor in process::ancestors() {
            let found = self.load(&ancestor);
            if found.is_some() || CLIENTS.contains(&ancestor.name.as_str()) {
                return found;
            }
        }
        None
    }

    /// A damaged file counts as none: the next hook writes it anew.
    fn load(&self, client: &Process) -> Option<Registration> {
        let text = fs::read(self.path(client.pid, client.started)).ok()?;
        let found: Registration = serde_json::from_slice(&text).ok()?;
        (found.pid == client.pid && found.started == client.started).then_some(found)
    }

    /// Writes a registration, and binds its session id to its name.
    pub fn save(&self, registration: &Registration) -> Result<()> {
        let text = serde_json::to_vec(registration).map_err(|error| cannot_write(&self.state).because(error))?;
        replace(&self.path(registration.pid, registration.started), &text)?;
        match (&registration.session_id, &registration.name) {
            (Some(session), Some(name)) => replace(&self.bound_path(session), name.as_str().as_bytes()),
            (Some(_) | None, _) => Ok(()),
        }
    }

    fn bound_path(&self, session: &str) -> PathBuf {
        // A session id comes from outside: only its hash becomes part of a path.
        self.state.join("bound").join(super::hashed(&[session], 32))
    }

    /// The name that a session id was last bound to.
    pub fn bound(&self, session: &str) -> Option<AgentName> {
        fs::read_to_string(self.bound_path(session)).ok()?.parse().ok()
    }
}

/// Replaces a file whole, 0600 in folders 0700.
fn replace(path: &Path, content: &[u8]) -> Result<()> {
    let parent = path.parent().unwrap_or(Path::new("/"));
    let fail = |error: std::io::Error| cannot_write(path).because(error);
    fs::DirBuilder::new().recursive(true).mode(0o700).create(parent).map_err(fail)?;
    let fresh = path.with_extension(format!("{}.new", std::process::id()));
    let _ = fs::remove_file(&fresh);
    let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&fresh).map_err(fail)?;
    file.write_all(content).map_err(fail)?;
    fs::rename(&fresh, path).map_err(fail)
}

fn cannot_write(path: &Path) -> Error {
    Error::new(Kind::Other, format!("cannot write {}", path.display()))
        .hint("check that the folder is yours and not full")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn registration(process: &Process) -> Registration {
        Registration {
            client: "claude".into(),
            pid: process.pid,
            started: process.started,
            session_id: Some("../../etc/passwd".into()),
            name: Some("reviewer".parse().unwrap()),
            generation: Some(Generation(3)),
            store: None,
            prefix: None,
        }
    }

    #[test]
    fn an_ancestor_is_found_and_its_session_id_is_bound() {
        let state = tempfile::tempdir().unwrap();
        let registry = Registry::new(state.path());
        assert_eq!(registry.find(None), None);
        let parent = process::ancestors().next().unwrap();
        registry.save(&registration(&parent)).unwrap();
        assert_eq!(registry.find(None), Some(registration(&parent)));
        assert_eq!(registry.find(Some(parent.pid)), Some(registration(&parent)));
        assert_eq!(registry.find(Some(0)), None);
        assert_eq!(registry.bound("../../etc/passwd").unwrap().as_str(), "reviewer");
        assert_eq!(registry.bound("other"), None);
    }

    #[test]
    fn a_reused_pid_and_a_damaged_file_are_nobody() {
        let state = tempfile::tempdir().unwrap();
        let registry = Registry::new(state.path());
        let parent = process::ancestors().next().unwrap();
        registry.save(&registration(&Process { started: parent.started + 1, ..parent.clone() })).unwrap();
        assert_eq!(registry.find(None), None);
        registry.save(&registration(&parent)).unwrap();
        fs::write(registry.path(parent.pid, parent.started), b"{").unwrap();
        assert_eq!(registry.find(None), None);
    }

    #[test]
    fn files_are_private() {
        use std::os::unix::fs::PermissionsExt;
        let state = tempfile::tempdir().unwrap();
        let registry = Registry::new(state.path());
        let parent = process::ancestors().next().unwrap();
        registry.save(&registration(&parent)).unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&registry.path(parent.pid, parent.started)), 0o600);
        assert_eq!(mode(&registry.sessions()), 0o700);
    }
}
