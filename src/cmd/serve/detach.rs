//! A server in the background: it outlives who started it, so it gets nothing of that process but what it needs. Its environment
//! is cleared, its streams lead nowhere, it is in no terminal's session, and it is nobody's agent.

use std::collections::BTreeMap;
use std::io::Write;
use std::process::{Command, Stdio};

use super::{Place, Server, is_older};
use crate::cmd::app::App;
use crate::config;
use crate::error::{Error, Kind, Result};

/// Starts the web server for the store that this app uses, unless one runs or it is not wanted. It does not wait for it, and
/// nobody is told when it fails: `doctor` finds out. The store must have been opened.
pub fn ensure(app: &App) {
    let Ok(chosen) = app.chosen() else { return };
    if !app.settings.web.enabled {
        return;
    }
    let server = Server::of(app.env().clone(), app.settings.clone(), chosen.clone());
    if !is_served(&server.place) {
        let _ = start(&server);
    }
}

/// Whether a server runs, and of a version that need not make room.
fn is_served(place: &Place) -> bool {
    place.is_held() && place.running().is_none_or(|record| !is_older(&record.version))
}

/// Starts a parent in the background.
pub fn start(server: &Server) -> Result<()> {
    let failed = |error: std::io::Error| {
        Error::new(Kind::Other, format!("cannot start the web server: {}", error.kind())).because(error)
    };
    let (plain, secret) = server.variables();
    let mut command = Command::new(config::executable().unwrap_or_else(|| "postino".into()));
    command.args(["serve", "--part", "parent"]).env_clear().envs(plain).current_dir("/");
    command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
    let mut process = command.spawn().map_err(failed)?;
    let handed = pack(&secret);
    process.stdin.take().map_or(Ok(()), |mut stdin| writeln!(stdin, "{handed}")).map_err(failed)
}

/// What is handed to a process outside of its environment, which others can look at: variables that may hold a secret.
pub fn pack(variables: &[(String, String)]) -> String {
    let map: BTreeMap<&str, &str> = variables.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    serde_json::to_string(&map).unwrap_or_default()
}

/// The variables that `pack` packed.
pub fn unpack(handed: &str) -> Result<BTreeMap<String, String>> {
    serde_json::from_str(handed)
        .map_err(|error| Error::new(Kind::Other, "what was handed over cannot be read").because(error))
}

/// Starts a program that shows an address, without its words.
pub fn quietly(program: &str, url: &str) -> std::io::Result<()> {
    let mut command = Command::new(program);
    command.arg(url).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.spawn().map(drop)
}
