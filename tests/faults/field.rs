//! Where a run takes place: a store, and postino's command line pointed at it with short leases. It knows how to start
//! and to ask, and nothing of histories.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::judge::Rest;
use crate::server::{Flavor, Server, available};
use crate::support::Postino;

/// How long a lease holds, in seconds.
pub(crate) const LEASE: u64 = 1;
/// How long a command may take that nobody stops; it promises 6 seconds, the rest is for a busy machine.
const PATIENCE: Duration = Duration::from_secs(25);

/// A kind of store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum On {
    Embedded,
    Redis,
    Valkey,
}

impl On {
    /// As the table calls it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            On::Embedded => "embedded",
            On::Redis => "redis",
            On::Valkey => "valkey",
        }
    }

    /// The make of server, where it is one.
    pub(crate) fn flavor(self) -> Option<Flavor> {
        match self {
            On::Embedded => None,
            On::Redis => Some(Flavor::Redis),
            On::Valkey => Some(Flavor::Valkey),
        }
    }

    /// Whether it can be had on this machine; said loudly when not.
    pub(crate) fn is_there(self) -> bool {
        self.flavor().is_none_or(|flavor| available().contains(&flavor))
    }

    /// A server of this make that syncs each write, unless the arguments say otherwise; none for the embedded store.
    pub(crate) fn server(self, args: &[&str]) -> Option<Server> {
        let durable = ["--appendonly", "yes", "--appendfsync", "always"];
        self.flavor().map(|flavor| Server::start(flavor, &[&durable[..], args].concat()))
    }
}

/// What may befall a process.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Mishap {
    /// Killed after so long.
    Kill(Duration),
    /// Stopped after so long, for so long.
    Stop(Duration, Duration),
}

/// How a process ended.
#[derive(Debug)]
pub(crate) struct Ended {
    /// Its exit code; none when a signal ended it.
    pub(crate) code: Option<i32>,
    pub(crate) stdout: Vec<u8>,
    pub(crate) stderr: String,
}

/// postino on a store, as a run's clients call it.
pub(crate) struct Post {
    postino: Postino,
    /// What stands before the program: `strace` and the like.
    pub(crate) before: Vec<OsString>,
    /// Further variables.
    pub(crate) env: BTreeMap<String, String>,
    /// After how many deliveries a message is dead.
    pub(crate) max_deliveries: u64,
}

impl Post {
    /// On an embedded store of its own.
    pub(crate) fn embedded() -> Post {
        Post::of(Postino::new())
    }

    /// On the store at this address.
    pub(crate) fn at(url: &str) -> Post {
        Post::of(Postino::on(url))
    }

    fn of(postino: Postino) -> Post {
        Post { postino, before: Vec::new(), env: BTreeMap::new(), max_deliveries: 100 }
    }

    /// The folder of its own.
    pub(crate) fn home(&self) -> &std::path::Path {
        self.postino.home()
    }

    /// A command line as this agent, behind `before`.
    pub(crate) fn command(&self, agent: &str, args: &[&str]) -> Command {
        let plain = self.plain(agent, args);
        let Some((program, rest)) = self.before.split_first() else { return plain };
        let mut command = Command::new(program);
        command.args(rest).arg(plain.get_program()).args(plain.get_args()).env_clear().stdin(Stdio::null());
        command.current_dir(self.home());
        for (name, value) in plain.get_envs() {
            if let Some(value) = value {
                command.env(name, value);
            }
        }
        command
    }

    /// The same without what stands before it.
    pub(crate) fn plain(&self, agent: &str, args: &[&str]) -> Command {
        let mut command = self.postino.command(args);
        command.args(["--agent", agent]).env("POSTINO_MESSAGE_LEASE", LEASE.to_string());
        command.env("POSTINO_MAX_DELIVERIES", self.max_deliveries.to_string());
        command.envs(&self.env);
        command
    }

    /// An answer as JSON from a command that must succeed.
    pub(crate) fn json(&self, agent: &str, args: &[&str]) -> Value {
        let ended = end(self.plain(agent, &[args, &["--json"]].concat()), None);
        assert_eq!(ended.code, Some(0), "{args:?}: {}", ended.stderr);
        serde_json::from_slice(&ended.stdout).unwrap()
    }

    /// How much waits or is held; `None` while the store does not answer.
    pub(crate) fn left(&self) -> Option<u64> {
        let ended = end(self.plain("auditor", &["stats", "--json"]), None);
        let stats: Value = serde_json::from_slice(&ended.stdout).ok()?;
        Some(stats["waiting"].as_u64()? + stats["leased"].as_u64()?)
    }

    /// What the store holds, with the dead letters of these mailboxes.
    pub(crate) fn rest(&self, mailboxes: &[String]) -> Rest {
        let stats = self.json("auditor", &["stats"]);
        let count = |field: &str| stats[field].as_u64().unwrap();
        let mut rest = Rest {
            sent: count("sent"),
            taken: count("taken"),
            waiting: count("waiting"),
            leased: count("leased"),
            expired: count("expired"),
            deleted: count("deleted") + count("deadTrimmed"),
            ..Rest::default()
        };
        for mailbox in mailboxes {
            let dead = self.json(mailbox, &["dead", "list"]);
            let letters = dead["items"].as_array().unwrap();
            assert!(letters.len() < 100, "more dead letters than one list shows");
            let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
            rest.dead.extend(letters.iter().map(|letter| (text(&letter["id"]), text(&letter["message"]["body"]))));
        }
        rest
    }
}

/// Runs a process to its end, whatever befalls it. One that hangs or panics is a failure of the test.
pub(crate) fn end(mut command: Command, mishap: Option<Mishap>) -> Ended {
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let pid = Pid::from_child(&child);
    // A process that was quicker than its mishap has escaped it; it is not waited for before, so the id is still its own.
    let mut patience = PATIENCE;
    match mishap {
        // The moment is chance on purpose: whatever it hits must do no harm.
        Some(Mishap::Kill(after)) => {
            std::thread::sleep(after);
            let _ = kill_process(pid, Signal::KILL);
        }
        Some(Mishap::Stop(after, pause)) => {
            std::thread::sleep(after);
            let _ = kill_process(pid, Signal::STOP);
            std::thread::sleep(pause);
            let _ = kill_process(pid, Signal::CONT);
            patience += pause;
        }
        None => {}
    }
    let ended = wait(child, patience).unwrap_or_else(|| panic!("it hangs: {command:?}"));
    assert!(!ended.stderr.contains("panicked at"), "{command:?}: {}", ended.stderr);
    ended
}

/// Waits for a process whose answers fit into a pipe; `None` and its end when it takes too long.
fn wait(mut child: Child, patience: Duration) -> Option<Ended> {
    let until = Instant::now() + patience;
    let hangs = loop {
        match child.try_wait().unwrap() {
            Some(_) => break false,
            None if Instant::now() > until => break true,
            None => std::thread::sleep(Duration::from_millis(1)),
        }
    };
    if hangs {
        child.kill().unwrap();
    }
    let output = child.wait_with_output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    (!hangs).then(|| Ended { code: output.status.code(), stdout: output.stdout, stderr })
}
