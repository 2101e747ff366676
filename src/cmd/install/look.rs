//! Looking at what installations did, for the doctor: it changes nothing.

use std::path::{Path, PathBuf};

use serde_json::Value;

use super::claude::Claude;
use super::clients::{CLAUDE, CODEX, Client, Part};
use super::plan;
use super::plugin;
use super::record::Record;
use super::site::Site;
use crate::config::Settings;
use crate::error::Result;

/// How far a client knows postino.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Registered {
    /// Everything is there; in which files, or with Claude Code in which scope.
    Whole(Vec<PathBuf>),
    /// Something is missing from this file.
    Part(PathBuf),
    /// The plugin is there, and turned off.
    Off,
    /// Nothing is there.
    Not,
}

/// How far a client knows postino in the site's scope. `Other` when one of its files cannot be read.
pub fn registered(site: &Site<'_>, settings: &Settings, client: &Client) -> Result<Registered> {
    if client.name == CLAUDE.name {
        return Claude::new(site, settings).registered();
    }
    let wanted = site.wanted(client);
    // Without the record of this machine: what others put there by hand counts, too.
    let steps = plan::put(&wanted, &Record::default())?;
    let paths = || steps.iter().map(|step| step.file.path.clone()).collect();
    let Some(missing) = steps.iter().find(|step| step.changes()) else { return Ok(Registered::Whole(paths())) };
    let some = plan::take(&wanted, &Record::default())?.iter().any(plan::Step::changes);
    Ok(if some { Registered::Part(missing.file.path.clone()) } else { Registered::Not })
}

/// Whether the plugin that Claude Code reads is this version's: its version where it is another's copy, all of its files where it
/// is the one that postino laid out. `None` when it is not registered.
pub fn plugin_is_current(site: &Site<'_>, settings: &Settings) -> Option<std::result::Result<String, String>> {
    let claude = Claude::new(site, settings);
    let place = claude.marketplace()?;
    let manifest = std::fs::read(place.join("plugin/.claude-plugin/plugin.json")).unwrap_or_default();
    let manifest: Value = serde_json::from_slice(&manifest).unwrap_or_default();
    let found = manifest["version"].as_str().unwrap_or("of no version").to_owned();
    let ours = env!("CARGO_PKG_VERSION");
    Some(if found != ours {
        Err(format!("it is {found}, read from {}; this postino is {ours}", place.display()))
    } else if place == claude.market() && !plugin::is_laid_out(&place) {
        Err(format!("its files in {} are not those of this postino", place.display()))
    } else {
        Ok(format!("{found}, read from {}", place.display()))
    })
}

/// The hooks of postino that Codex has not been told to trust, as far as it writes that down: under the file, the event and the
/// number of a hook, with a hash that only Codex can check. `None` when none of the hooks are there.
pub fn codex_trusts(site: &Site<'_>) -> Option<Vec<String>> {
    let document = CODEX.documents.iter().find(|document| document.part == Part::Hooks)?;
    let file = site.path(&CODEX, document);
    let hooks: Value = serde_json::from_slice(&std::fs::read(&file).ok()?).ok()?;
    let wanted: Value = serde_json::from_str(document.template).ok()?;
    let config = std::fs::read_to_string(site.folder(&CODEX).join("config.toml")).unwrap_or_default();
    let config: toml::Table = config.parse().unwrap_or_default();
    let known = config.get("hooks").and_then(|hooks| hooks.get("state"));
    let files = [file.clone(), std::fs::canonicalize(&file).unwrap_or(file)];
    let mut untrusted = Vec::new();
    let mut found = false;
    for (event, groups) in wanted["hooks"].as_object()? {
        let place =
            hooks["hooks"][event].as_array().and_then(|there| there.iter().position(|group| *group == groups[0]));
        let Some(number) = place else { continue };
        found = true;
        let trusted = |file: &PathBuf| is_trusted(known, file, event, number);
        untrusted.extend((!files.iter().any(trusted)).then(|| event.clone()));
    }
    found.then_some(untrusted)
}

fn is_trusted(known: Option<&toml::Value>, file: &Path, event: &str, number: usize) -> bool {
    let key = format!("{}:{}:{number}:0", file.display(), snake(event));
    let entry = known.and_then(|known| known.get(&key));
    let on = |entry: &toml::Value| entry.get("enabled").and_then(toml::Value::as_bool) != Some(false);
    entry.is_some_and(|entry| entry.get("trusted_hash").is_some() && on(entry))
}

/// `SessionStart` as `session_start`.
fn snake(name: &str) -> String {
    let mut snake = String::new();
    for c in name.chars() {
        if c.is_ascii_uppercase() && !snake.is_empty() {
            snake.push('_');
        }
        snake.push(c.to_ascii_lowercase());
    }
    snake
}
