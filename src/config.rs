//! The one place that reads the environment, the config file, the clock and random bits.
//!
//! What it finds is handed down as plain values: `Settings` for what the user set, `Env` for the variables that tell
//! where a process runs. It knows neither commands nor stores.

#![expect(clippy::disallowed_methods, reason = "this is the one place that they are read in")]

#[cfg(any(test, fuzzing))]
pub(crate) mod fuzz;
mod web;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt::Display;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

pub use self::web::Web;
use crate::error::{Error, Kind, Result};
use crate::model::{AgentName, Millis};
use crate::private;
use crate::store::Policy;

/// What may stand in `config.toml`: each variable's name without `POSTINO_`, in lower case.
const CONFIG_KEYS: [&str; 18] = [
    "valkey_url",
    "web_host",
    "web_port",
    "web_enabled",
    "web_names",
    "api_token",
    "api_token_file",
    "cors_origin",
    "agent_name",
    "client_pid",
    "msg_ttl",
    "message_lease",
    "key_prefix",
    "max_inbox",
    "max_broadcasts",
    "max_deliveries",
    "max_body_bytes",
    "probe_url",
];

/// The one of them whose value is never shown; addresses hide their passwords themselves.
const NEVER_SHOWN: &str = "api_token";

/// Where a server is looked for at first use.
const PROBE_URL: &str = "redis://127.0.0.1:6379";

/// The variables of a process.
#[derive(Clone, Debug, Default)]
pub struct Env(BTreeMap<String, String>);

impl Env {
    /// This process's variables; one that is not UTF-8 is left out, except that one of postino's own is an error.
    pub fn of_process() -> Result<Env> {
        let mut env = BTreeMap::new();
        for (name, value) in std::env::vars_os() {
            match (name.into_string(), value.into_string()) {
                (Ok(name), Ok(value)) => drop(env.insert(name, value)),
                (Ok(name), Err(_)) if name.starts_with("POSTINO_") => {
                    return Err(
                        Error::new(Kind::Usage, format!("{name} is not valid UTF-8")).hint("set it anew, or unset it")
                    );
                }
                (Ok(_) | Err(_), _) => {}
            }
        }
        Ok(Env(env))
    }

    /// A made-up environment.
    #[cfg(test)]
    pub fn of(pairs: &[(&str, &str)]) -> Env {
        Env(pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect())
    }

    /// A variable; an empty one counts as unset.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }
}

/// Variables by their names.
pub type Variables = Vec<(String, String)>;
/// The store's address as a variable.
pub const STORE_VARIABLE: &str = "POSTINO_VALKEY_URL";
/// The key prefix as a variable.
pub const PREFIX_VARIABLE: &str = "POSTINO_KEY_PREFIX";
/// Variables that hold paths.
pub const PATH_VARIABLES: [&str; 2] = ["POSTINO_HOME", "POSTINO_API_TOKEN_FILE"];
/// Variables of postino that tell who an agent is: a server is none.
const OF_AGENT: [&str; 2] = ["POSTINO_AGENT_NAME", "POSTINO_CLIENT_PID"];
/// Variables of postino that may hold a secret.
const SECRET: [&str; 3] = [STORE_VARIABLE, "POSTINO_API_TOKEN", "POSTINO_PROBE_URL"];
/// What else a server may need to find its files, its certificates and the user's language.
const OF_MACHINE: [&str; 5] = ["HOME", "PATH", "LANG", "SSL_CERT_DIR", "SSL_CERT_FILE"];

impl Env {
    /// The same with further variables.
    pub fn with(mut self, further: BTreeMap<String, String>) -> Env {
        self.0.extend(further);
        self
    }

    /// The variables that a server keeps which outlives who started it: those that may stand in its environment, and those that may
    /// hold a secret.
    pub fn for_server(&self) -> (Variables, Variables) {
        let own = |name: &str| name.starts_with("POSTINO_") && !OF_AGENT.contains(&name);
        let of_machine = |name: &str| OF_MACHINE.contains(&name) || name.starts_with("LC_") || name.starts_with("XDG_");
        let kept = self.0.iter().filter(|(name, _)| own(name) || of_machine(name));
        kept.map(|(name, value)| (name.clone(), value.clone())).partition(|(name, _)| !SECRET.contains(&name.as_str()))
    }
}

/// The folders in use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dirs {
    /// `config.toml` and the choice of the store.
    pub config: PathBuf,
    /// The embedded store.
    pub data: PathBuf,
    /// The registry of sessions.
    pub state: PathBuf,
}

impl Dirs {
    fn find(env: &Env) -> Result<Dirs> {
        if let Some(home) = env.get("POSTINO_HOME") {
            let home = std::path::absolute(home)
                .map_err(|error| Error::new(Kind::Usage, "POSTINO_HOME is not a usable path").because(error))?;
            // The store wants a folder of its own, for nobody else may enter it.
            return Ok(Dirs { config: home.clone(), data: home.join("data"), state: home });
        }
        let dirs = directories::ProjectDirs::from("", "", "postino").ok_or_else(|| {
            Error::new(Kind::Usage, "no home directory is known")
                .hint("set HOME, or POSTINO_HOME to a folder of your own")
        })?;
        let state = dirs.state_dir().unwrap_or_else(|| dirs.data_local_dir());
        Ok(Dirs { config: dirs.config_dir().into(), data: dirs.data_dir().into(), state: state.into() })
    }
}

/// What the user set, read once at the start.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The folders in use.
    pub dirs: Dirs,
    /// The store's address from `POSTINO_VALKEY_URL` or the config file, and which of them said it.
    pub store: Option<(String, String)>,
    /// Where a server is looked for at first use.
    pub probe_url: String,
    /// The key prefix, when it was set.
    pub key_prefix: Option<String>,
    /// `POSTINO_AGENT_NAME`.
    pub agent_name: Option<AgentName>,
    /// `POSTINO_CLIENT_PID`; 0 means that there is no client.
    pub client_pid: Option<u32>,
    /// The limits.
    pub policy: Policy,
    /// The usual lease.
    pub lease: Duration,
    /// The web server's.
    pub web: Web,
}

impl Settings {
    /// Reads the environment and the config file. A bad value is a `Usage` error that names it.
    pub fn read(env: &Env) -> Result<Settings> {
        let file = read_config(&Dirs::find(env)?.config.join("config.toml"))?;
        Settings::from(env, &file)
    }

    fn from(env: &Env, file: &BTreeMap<String, String>) -> Result<Settings> {
        let dirs = Dirs::find(env)?;
        let source = Source { env, file };
        Ok(Settings {
            store: source.get("valkey_url"),
            probe_url: source.get("probe_url").map_or_else(|| PROBE_URL.to_owned(), |(url, _)| url),
            key_prefix: source.parse("key_prefix", "1 to 64 letters, digits or :._-", parse_prefix)?,
            agent_name: source.parse("agent_name", "a legal name", |text| text.parse().ok())?,
            client_pid: source.parse("client_pid", "a process id, or 0 for none", |text| text.parse().ok())?,
            policy: Policy {
                ttl: Duration::from_secs(source.number("msg_ttl", 86_400, 1, 366 * 86_400)?),
                max_inbox: source.number("max_inbox", 1_000, 1, 1_000_000)?,
                max_broadcasts: source.number("max_broadcasts", 500, 1, 100_000)?,
                max_deliveries: u32::try_from(source.number("max_deliveries", 5, 1, 1_000)?).unwrap_or(1_000),
            },
            lease: Duration::from_secs(source.number("message_lease", 300, 1, 86_400)?),
            web: Web::read(&source)?,
            dirs,
        })
    }
}

/// A key prefix is part of every key and stands inside braces there.
fn parse_prefix(text: &str) -> Option<String> {
    let legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, ':' | '.' | '_' | '-');
    (text.len() <= 64 && text.chars().all(legal)).then(|| text.to_owned())
}

/// Where one setting is looked up: the environment, then the config file.
struct Source<'a> {
    env: &'a Env,
    file: &'a BTreeMap<String, String>,
}

impl Source<'_> {
    /// A setting and what it is called where it was found.
    fn get(&self, key: &str) -> Option<(String, String)> {
        let name = format!("POSTINO_{}", key.to_ascii_uppercase());
        if let Some(value) = self.env.get(&name) {
            return Some((value.to_owned(), name));
        }
        self.file.get(key).map(|value| (value.clone(), format!("{key} in config.toml")))
    }

    fn parse<T>(&self, key: &str, wanted: &str, parse: impl Fn(&str) -> Option<T>) -> Result<Option<T>> {
        let Some((value, name)) = self.get(key) else { return Ok(None) };
        match parse(&value) {
            Some(parsed) => Ok(Some(parsed)),
            None if key == NEVER_SHOWN => Err(bad_value(&name, None, wanted)),
            None => Err(bad_value(&name, Some(&value), wanted)),
        }
    }

    fn number<T>(&self, key: &str, default: T, least: T, most: T) -> Result<T>
    where
        T: FromStr + PartialOrd + Display + Copy,
    {
        let wanted = format!("a whole number from {least} to {most}");
        let fits = |text: &str| text.parse().ok().filter(|n| (least..=most).contains(n));
        Ok(self.parse(key, &wanted, fits)?.unwrap_or(default))
    }
}

/// A setting's value that is not what it should be; `None` for one that must not be shown.
fn bad_value(name: &str, value: Option<&str>, wanted: &str) -> Error {
    let shown = value.map(|value| value.chars().take(64).collect::<String>());
    let shown = shown.map(|shown| format!("{shown:?}, which is ")).unwrap_or_default();
    Error::new(Kind::Usage, format!("{name} is {shown}not {wanted}"))
        .hint(format!("set {name} to {wanted}, or unset it"))
}

/// The config file as text values; empty when there is none.
fn read_config(path: &Path) -> Result<BTreeMap<String, String>> {
    private::read_kept(path)?.map_or_else(|| Ok(BTreeMap::new()), |text| parse_config(path, &text))
}

fn parse_config(path: &Path, text: &str) -> Result<BTreeMap<String, String>> {
    let table: toml::Table = text.parse().map_err(|error: toml::de::Error| {
        let line = error.span().map_or(1, |span| text[..span.start].lines().count().max(1));
        Error::new(Kind::Usage, format!("{} is not valid TOML near line {line}", path.display()))
            .hint("mend the file, or move it away")
            .because(error)
    })?;
    table.into_iter().map(|(key, value)| config_value(path, key, &value)).collect()
}

fn config_value(path: &Path, key: String, value: &toml::Value) -> Result<(String, String)> {
    if !CONFIG_KEYS.contains(&key.as_str()) {
        return Err(Error::new(Kind::Usage, format!("{} has an unknown key {key:?}", path.display()))
            .hint(format!("known keys: {}", CONFIG_KEYS.join(", "))));
    }
    let text = match value {
        toml::Value::String(text) => text.clone(),
        toml::Value::Integer(number) => number.to_string(),
        toml::Value::Boolean(flag) => flag.to_string(),
        toml::Value::Float(_) | toml::Value::Datetime(_) | toml::Value::Array(_) | toml::Value::Table(_) => {
            return Err(Error::new(Kind::Usage, format!("{key} in {} has the wrong type", path.display()))
                .hint("write a text in quotes, a whole number, or true/false"));
        }
    };
    Ok((key, text))
}

/// The current directory; the root when it is gone.
pub fn current_dir() -> PathBuf {
    std::env::current_dir().unwrap_or_else(|_| PathBuf::from("/"))
}

/// The arguments of this process.
pub fn args() -> Vec<OsString> {
    std::env::args_os().collect()
}

/// The file that settings are read from, whether it exists or not.
pub fn settings_file(env: &Env) -> Result<PathBuf> {
    Ok(Dirs::find(env)?.config.join("config.toml"))
}

/// The file that this process was started from.
pub fn executable() -> Option<PathBuf> {
    std::env::current_exe().ok()
}

/// The host's wall clock.
pub fn now() -> Millis {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Millis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

/// 128 fresh random bits.
pub fn random() -> u128 {
    let mut bytes = [0u8; 16];
    if getrandom::fill(&mut bytes).is_err() {
        // Without the system's generator ids must still differ: clock and process id do.
        let mixed = now().0.unsigned_abs().rotate_left(32) ^ u64::from(std::process::id());
        bytes[..8].copy_from_slice(&mixed.to_be_bytes());
        bytes[8..].copy_from_slice(&mixed.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_be_bytes());
    }
    u128::from_be_bytes(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pairs: &[(&str, &str)]) -> Result<Settings> {
        let home = tempfile::tempdir().unwrap();
        let mut pairs = pairs.to_vec();
        let path = home.path().to_str().unwrap().to_owned();
        pairs.push(("POSTINO_HOME", &path));
        Settings::read(&Env::of(&pairs))
    }

    #[test]
    fn defaults_are_those_of_the_contract() {
        let settings = read(&[]).unwrap();
        assert_eq!(settings.policy.ttl, Duration::from_secs(86_400));
        assert_eq!(settings.policy.max_inbox, 1_000);
        assert_eq!(settings.policy.max_broadcasts, 500);
        assert_eq!(settings.policy.max_deliveries, 5);
        assert_eq!(settings.lease, Duration::from_secs(300));
        assert_eq!(settings.probe_url, "redis://127.0.0.1:6379");
        assert!(settings.store.is_none() && settings.agent_name.is_none() && settings.key_prefix.is_none());
    }

    #[test]
    fn a_bad_value_is_named() {
        for (name, value) in [
            ("POSTINO_MSG_TTL", "soon"),
            ("POSTINO_MSG_TTL", "0"),
            ("POSTINO_MAX_INBOX", "-1"),
            ("POSTINO_MAX_DELIVERIES", "2.5"),
            ("POSTINO_AGENT_NAME", "x');alert(1)//"),
            ("POSTINO_KEY_PREFIX", "po:{x}"),
            ("POSTINO_CLIENT_PID", "self"),
        ] {
            let error = read(&[(name, value)]).unwrap_err();
            assert_eq!(error.kind, Kind::Usage);
            assert!(error.message.contains(name), "{}", error.message);
            assert!(error.hint.is_some());
        }
    }

    #[test]
    fn a_bad_token_is_named_and_not_shown() {
        let error = read(&[("POSTINO_API_TOKEN", "geheim;geheim,geheim")]).unwrap_err();
        assert_eq!(error.kind, Kind::Usage);
        assert!(error.message.contains("POSTINO_API_TOKEN") && !error.message.contains("geheim"), "{}", error.message);
    }

    #[test]
    fn the_environment_wins_over_the_file() {
        let home = tempfile::tempdir().unwrap();
        std::fs::write(home.path().join("config.toml"), "max_inbox = 7\nmsg_ttl = \"60\"\n").unwrap();
        let path = home.path().to_str().unwrap();
        let settings = Settings::read(&Env::of(&[("POSTINO_HOME", path), ("POSTINO_MAX_INBOX", "9")])).unwrap();
        assert_eq!(settings.policy.max_inbox, 9);
        assert_eq!(settings.policy.ttl, Duration::from_secs(60));
    }

    #[test]
    fn a_broken_config_file_is_named() {
        for text in ["max_inbox = ", "max_inbux = 3", "max_inbox = [1]", "max_inbox = 0"] {
            let home = tempfile::tempdir().unwrap();
            std::fs::write(home.path().join("config.toml"), text).unwrap();
            let error = Settings::read(&Env::of(&[("POSTINO_HOME", home.path().to_str().unwrap())])).unwrap_err();
            assert_eq!(error.kind, Kind::Usage);
            assert!(error.message.contains("config.toml"), "{}", error.message);
        }
    }
}
