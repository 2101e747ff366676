//! Which store: what was set, what this session uses, or what was chosen at the first use and written down.
//!
//! The choice is one line in the config directory, made under a lock: a server that answers without a password and evicts
//! nothing, else the embedded store. An address that was set is used or fails; nothing falls back.

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::time::Duration;

use crate::config::Settings;
use crate::error::{Error, Kind, Result};
use crate::identity::registry::Registration;
use crate::model::Millis;
use crate::private::{self, Purpose};
use crate::store::Durability;
use crate::store::address::{Address, Patience, open};

/// How long the first use waits for a server that may not be there.
const PROBE: Duration = Duration::from_millis(300);
/// More of the choice's line is not read, in bytes.
const MOST: usize = 64 << 10;
/// The key prefix when nothing is set.
pub const KEY_PREFIX: &str = "po:";

/// What decided about the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    /// `--store`, the environment or the config file.
    Setting,
    /// The session that this process belongs to.
    Session,
    /// The choice made at first use, this time or earlier.
    Choice,
}

/// The store to use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chosen {
    /// Where it is.
    pub address: Address,
    /// The key prefix there.
    pub prefix: String,
    /// What decided.
    pub by: By,
    /// Why, for people.
    pub reason: String,
    /// True when the choice was made just now: it is said once.
    pub fresh: bool,
}

/// Decides which store to use.
pub fn choose(flag: Option<&str>, settings: &Settings, session: Option<&Registration>, now: Millis) -> Result<Chosen> {
    let of_session = session.and_then(|session| session.prefix.clone());
    let prefix = settings.key_prefix.clone().or(of_session).unwrap_or_else(|| KEY_PREFIX.to_owned());
    let chosen = |address, by, reason: &str| Chosen {
        address,
        prefix: prefix.clone(),
        by,
        reason: reason.to_owned(),
        fresh: false,
    };
    if let Some(url) = flag {
        return Ok(chosen(Address::parse(url)?, By::Setting, "--store says so"));
    }
    if let Some((url, source)) = &settings.store {
        return Ok(chosen(Address::parse(url)?, By::Setting, &format!("{source} says so")));
    }
    if let Some(url) = session.and_then(|session| session.store.as_deref()) {
        return Ok(chosen(Address::parse(url)?, By::Session, "this session uses it"));
    }
    let path = settings.dirs.config.join("store");
    let (line, fresh) = match read(&path)? {
        Some(line) => (line, false),
        None => first_use(&path, settings, &prefix, now)?,
    };
    Ok(Chosen { fresh, ..chosen(line.0, By::Choice, &line.1) })
}

/// Whether a store was set or chosen before, so that using it now is no first use.
pub fn is_made(settings: &Settings) -> bool {
    settings.store.is_some() || settings.dirs.config.join("store").exists()
}

/// Writes down another store, for everybody who uses the choice.
pub fn switch(settings: &Settings, address: &Address, reason: &str) -> Result<()> {
    let path = settings.dirs.config.join("store");
    let _lock = lock(&path)?;
    write(&path, address, reason)
}

/// Makes the choice, unless another process made it meanwhile.
fn first_use(path: &Path, settings: &Settings, prefix: &str, now: Millis) -> Result<((Address, String), bool)> {
    let _lock = lock(path)?;
    if let Some(line) = read(path)? {
        return Ok((line, false));
    }
    let probe = Address::parse(&settings.probe_url)?;
    let (address, reason) = match suits(&probe, prefix, now) {
        Ok(server) => (probe, format!("{server} answered there at first use")),
        Err(why) => (Address::file(settings.dirs.data.join("postino.db"))?, why),
    };
    write(path, &address, &reason)?;
    Ok(((address, reason), true))
}

/// The server's name when it may be chosen; else why not.
fn suits(probe: &Address, prefix: &str, now: Millis) -> std::result::Result<String, String> {
    let patience = Patience { connect: PROBE, command: PROBE, deadline: None };
    let health =
        open(probe, prefix, patience).and_then(|store| store.health(now)).map_err(|error| match error.kind {
            Kind::Denied => format!("the server at {probe} wants a password"),
            Kind::Unreachable => format!("no server answered at {probe} at first use"),
            Kind::Usage
            | Kind::NotFound
            | Kind::TimedOut
            | Kind::Full
            | Kind::Conflict
            | Kind::Stale
            | Kind::NameHeld
            | Kind::NameLost
            | Kind::Moving
            | Kind::Other => format!("the server at {probe} cannot be used: {error}"),
        })?;
    match health.eviction {
        Some(policy) => Err(format!("the server at {probe} may drop mail (maxmemory-policy {policy})")),
        None if health.durability == Durability::Unknown => {
            Err(format!("the server at {probe} does not say whether it may drop mail"))
        }
        None => Ok(health.server),
    }
}

/// The choice that was written down: an address, a tab, the reason.
fn read(path: &Path) -> Result<Option<(Address, String)>> {
    let Some(text) = private::read(path, MOST)? else { return Ok(None) };
    let text = String::from_utf8(text).map_err(|error| damaged(path).because(error))?;
    let (url, reason) = text.trim_end().split_once('\t').ok_or_else(|| damaged(path))?;
    let address = Address::parse(url).map_err(|error| damaged(path).because(error))?;
    Ok(Some((address, reason.to_owned())))
}

fn damaged(path: &Path) -> Error {
    Error::new(Kind::Other, format!("cannot read which store was chosen from {}", path.display()))
        .hint("remove that file, and the store is chosen anew; or set POSTINO_VALKEY_URL")
}

fn unwritable(path: &Path) -> Error {
    Error::new(Kind::Other, format!("cannot write {}", path.display()))
        .hint("make the folder writable, or set POSTINO_HOME to one that is")
}

fn write(path: &Path, address: &Address, reason: &str) -> Result<()> {
    let fail = |error: std::io::Error| unwritable(path).because(error);
    let fresh = path.with_extension("new");
    let _ = fs::remove_file(&fresh);
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&fresh).map_err(fail)?;
    writeln!(file, "{}\t{}", address.secret(), reason.replace(['\n', '\t'], " ")).map_err(fail)?;
    file.sync_all().map_err(fail)?;
    fs::rename(&fresh, path).map_err(fail)
}

/// Holds the lock beside `path` until dropped.
fn lock(path: &Path) -> Result<File> {
    let file = private::open(&path.with_extension("lock"), Purpose::Write)?;
    rustix::fs::flock(&file, rustix::fs::FlockOperation::LockExclusive)
        .map_err(|error| unwritable(path).because(error))?;
    Ok(file)
}
