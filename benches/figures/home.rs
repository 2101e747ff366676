//! A postino of its own: a folder, a store, and the command line run in it. It knows the commands' words, nothing of
//! what they do.

use std::cell::RefCell;
use std::fs::{self, File};
use std::io::Write;
use std::panic::resume_unwind;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use tempfile::TempDir;

/// Nothing listens there, so that the first use chooses the embedded store.
const NOWHERE: &str = "redis://127.0.0.1:1";
/// How many agents a full workspace has; each of them sends its share of the mail.
const AGENTS: usize = 1_000;
/// How many messages each agent sends to the reader.
const MAIL_EACH: usize = 10;
/// How many of the agents broadcast once.
const BROADCASTS: usize = 500;
/// How many processes fill a workspace at once.
const FILLERS: usize = 4;

/// A folder with everything postino keeps, and the store it uses.
pub(crate) struct Home {
    binary: PathBuf,
    folder: TempDir,
    store: Option<(String, String)>,
}

impl Home {
    /// One with the embedded store, chosen as on a fresh machine.
    pub(crate) fn embedded(binary: &Path) -> Result<Home> {
        Home::new(binary, None)
    }

    /// One with the server at this address, under a key prefix of its own.
    pub(crate) fn valkey(binary: &Path, url: &str, prefix: &str) -> Result<Home> {
        Home::new(binary, Some((url.to_owned(), format!("{prefix}:"))))
    }

    /// One whose server is down.
    pub(crate) fn down(binary: &Path) -> Result<Home> {
        let mut home = Home::embedded(binary)?;
        home.store = Some((NOWHERE.to_owned(), "down:".to_owned()));
        Ok(home)
    }

    fn new(binary: &Path, store: Option<(String, String)>) -> Result<Home> {
        let folder = TempDir::new_in(env!("CARGO_TARGET_TMPDIR")).context("making a folder")?;
        let home = Home { binary: binary.to_owned(), folder, store };
        home.answer("nobody", &["check"]).context("the first use of a store")?;
        Ok(home)
    }

    /// Where it lies; on the same disk as its store.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Runs a command that must succeed; what it prints is thrown away.
    pub(crate) fn run(&self, agent: &str, words: &[&str]) -> Result<()> {
        let status = self.command(agent, words).stdout(Stdio::null()).stderr(Stdio::null()).status()?;
        ensure!(status.success(), "`postino {}` ended with {status}", words.join(" "));
        Ok(())
    }

    /// Runs a command that must succeed; returns what it printed.
    pub(crate) fn answer(&self, agent: &str, words: &[&str]) -> Result<String> {
        let output = self.command(agent, words).output()?;
        let complaint = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "`postino {}` ended with {}: {complaint}", words.join(" "), output.status);
        Ok(String::from_utf8(output.stdout)?)
    }

    /// Starts a session whose client is this process, so that hooks have somebody to tell.
    pub(crate) fn session(&self) -> Result<()> {
        fs::write(
            self.folder().join("event.json"),
            r#"{"session_id":"bench","hook_event_name":"any","prompt":"go on"}"#,
        )?;
        self.hook("session-start")?;
        ensure!(fs::read_dir(self.folder().join("sessions"))?.count() == 1, "the session is not registered");
        Ok(())
    }

    /// Calls a hook of the session.
    pub(crate) fn hook(&self, event: &str) -> Result<()> {
        let mut command = Command::new(&self.binary);
        command.env_clear().envs(self.variables()).env("POSTINO_CLIENT_PID", std::process::id().to_string());
        command.current_dir(self.folder()).stdin(File::open(self.folder().join("event.json"))?);
        let status = command.args(["hook", event]).stdout(Stdio::null()).stderr(Stdio::null()).status()?;
        ensure!(status.success(), "the hook ended with {status}");
        Ok(())
    }

    /// Fills the workspace: agents, mail waiting for the reader, broadcasts it has not seen; and looks that they are there.
    pub(crate) fn fill(&self, reader: &str) -> Result<()> {
        let share = |first: usize| (first..AGENTS).step_by(FILLERS).try_for_each(|number| self.agent(number, reader));
        thread::scope(|scope| {
            let fillers: Vec<_> = (0..FILLERS).map(|first| scope.spawn(move || share(first))).collect();
            fillers.into_iter().try_for_each(|filler| filler.join().unwrap_or_else(|panic| resume_unwind(panic)))
        })?;
        let news: Value = serde_json::from_str(&self.answer(reader, &["check", "--json"])?)?;
        ensure!(news["unreadMessages"] == AGENTS * MAIL_EACH, "not all mail arrived: {news}");
        ensure!(news["unseenBroadcasts"] == BROADCASTS.min(AGENTS), "not all broadcasts arrived: {news}");
        let agents: Value = serde_json::from_str(&self.answer(reader, &["agents", "--json"])?)?;
        ensure!(agents["total"].as_u64() >= Some(AGENTS as u64), "not all agents are there: {}", agents["total"]);
        Ok(())
    }

    /// What one of the many agents does.
    fn agent(&self, number: usize, reader: &str) -> Result<()> {
        let name = format!("agent-{number}");
        for count in 0..MAIL_EACH {
            self.answer(&name, &["send", reader, &format!("message {count} of {name}: the build is green")])?;
        }
        if number < BROADCASTS {
            self.answer(&name, &["broadcast", &format!("{name} is here")])?;
        }
        self.answer("nobody", &["send", &name, "welcome"]).map(drop)
    }

    /// How many system calls a command makes; `None` when strace is not here or may not look.
    pub(crate) fn system_calls(&self, agent: &str, words: &[&str]) -> Result<Option<u64>> {
        system_calls(&self.command(agent, words), self.folder())
    }

    /// A command line of an agent.
    pub(crate) fn command(&self, agent: &str, words: &[&str]) -> Command {
        let mut command = Command::new(&self.binary);
        command.env_clear().envs(self.variables()).current_dir(self.folder()).stdin(Stdio::null());
        command.args(["--agent", agent]).args(words);
        command
    }

    fn variables(&self) -> Vec<(&str, String)> {
        let folder = self.folder().display().to_string();
        let mut variables = vec![("POSTINO_HOME", folder), ("POSTINO_PROBE_URL", NOWHERE.to_owned())];
        variables.extend([("POSTINO_MAX_INBOX", "100000".to_owned()), ("POSTINO_WEB_ENABLED", "false".to_owned())]);
        variables.push(("POSTINO_WEB_PORT", "0".to_owned()));
        if let Some((url, prefix)) = &self.store {
            variables.extend([("POSTINO_VALKEY_URL", url.clone()), ("POSTINO_KEY_PREFIX", prefix.clone())]);
        }
        variables
    }
}

/// Runs `/bin/true` in the same way.
pub(crate) fn nothing() -> Result<()> {
    let mut command = Command::new("/bin/true");
    let status = command.env_clear().stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status()?;
    ensure!(status.success(), "/bin/true ended with {status}");
    Ok(())
}

/// How many system calls `/bin/true` makes; `None` as above.
pub(crate) fn system_calls_of_nothing(folder: &Path) -> Result<Option<u64>> {
    let mut command = Command::new("/bin/true");
    command.env_clear();
    system_calls(&command, folder)
}

fn system_calls(of: &Command, folder: &Path) -> Result<Option<u64>> {
    let counts = folder.join("strace.txt");
    let mut strace = Command::new("strace");
    strace
        .args(["-c", "-f", "-o"])
        .arg(&counts)
        .env_clear()
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    strace.envs(of.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let done = strace.arg(of.get_program()).args(of.get_args()).status();
    if !done.is_ok_and(|status| status.success()) {
        return Ok(None);
    }
    let text = fs::read_to_string(&counts)?;
    let total = text.lines().rfind(|line| line.ends_with("total"));
    Ok(total.and_then(|line| line.split_whitespace().nth(3)?.parse().ok()))
}

/// A file to which a block is appended and synced: the least that a durable store must do.
pub(crate) struct Sync(RefCell<File>);

impl Sync {
    /// A file in this folder, so that it lies on the store's disk.
    pub(crate) fn beside(folder: &Path) -> Result<Sync> {
        Ok(Sync(RefCell::new(tempfile::tempfile_in(folder)?)))
    }

    /// Appends 4 KiB and waits until they are on the disk.
    pub(crate) fn once(&self) -> Result<()> {
        let mut file = self.0.borrow_mut();
        file.write_all(&[b'.'; 4096])?;
        Ok(file.sync_all()?)
    }
}
