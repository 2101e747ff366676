//! A postino to test: the built binary with a home and a store of its own, knowing nothing of the machine that runs the test.

mod terminal;

use std::ffi::OsStr;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::Value;

use crate::server::{Flavor, Server, available};

pub(crate) use self::terminal::on_terminal;

/// An address where nothing listens.
pub(crate) const NOWHERE: &str = "redis://127.0.0.1:1";

/// A home and a store.
pub(crate) struct Postino {
    home: tempfile::TempDir,
    store: String,
    _server: Option<Server>,
}

impl Postino {
    /// On an embedded store.
    pub(crate) fn new() -> Postino {
        let home = tempfile::tempdir().unwrap();
        let store = format!("sqlite:{}", home.path().join("data/postino.db").display());
        Postino { home, store, _server: None }
    }

    /// On a store that is somewhere.
    pub(crate) fn on(store: &str) -> Postino {
        Postino { store: store.to_owned(), ..Postino::new() }
    }

    /// On a Redis of its own, when it is installed.
    pub(crate) fn redis() -> Option<Postino> {
        Postino::on_server(Flavor::Redis)
    }

    /// On a Valkey of its own, when it is installed.
    pub(crate) fn valkey() -> Option<Postino> {
        Postino::on_server(Flavor::Valkey)
    }

    fn on_server(flavor: Flavor) -> Option<Postino> {
        // A missing server is said loudly by `available`.
        let server = available().contains(&flavor).then(|| Server::start(flavor, &[]))?;
        Some(Postino { store: server.url(), _server: Some(server), ..Postino::new() })
    }

    /// A folder of its own.
    pub(crate) fn home(&self) -> &Path {
        self.home.path()
    }

    /// A command line with a cleared environment.
    pub(crate) fn command<A: AsRef<OsStr>>(&self, args: &[A]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_postino"));
        command.args(args).env_clear().current_dir(self.home()).stdin(Stdio::null());
        command.env("HOME", self.home()).env("POSTINO_HOME", self.home().join("postino"));
        command.env("POSTINO_PROBE_URL", NOWHERE).env("POSTINO_CLIENT_PID", "0");
        command.env("POSTINO_VALKEY_URL", &self.store).env("POSTINO_WEB_ENABLED", "false");
        command
    }

    /// Runs a command line as this agent.
    pub(crate) fn run(&self, agent: &str, args: &[&str]) -> Ran {
        Ran::of(self.command(args).args(["--agent", agent]))
    }

    /// Runs it with these bytes on stdin.
    pub(crate) fn feed(&self, agent: &str, args: &[&str], stdin: &[u8]) -> Ran {
        let path = self.home().join("stdin");
        std::fs::write(&path, stdin).unwrap();
        Ran::of(self.command(args).args(["--agent", agent]).stdin(std::fs::File::open(path).unwrap()))
    }

    /// Runs it and gives the answer as JSON. It must succeed and say nothing else.
    pub(crate) fn json(&self, agent: &str, args: &[&str]) -> Value {
        let ran = self.run(agent, &[args, &["--json"]].concat());
        assert_eq!((ran.code, ran.err.as_str()), (0, ""), "{args:?}");
        ran.json()
    }

    /// Sends a message and gives its id.
    pub(crate) fn send(&self, from: &str, to: &str, body: &str) -> String {
        let sent = self.run(from, &["send", to, body, "--json", "-q"]);
        assert_eq!(sent.code, 0, "{}", sent.err);
        sent.json()["id"].as_str().unwrap().to_owned()
    }

    /// Has an agent act once, so that its name is known.
    pub(crate) fn meet(&self, agent: &str) {
        assert_eq!(self.run(agent, &["check"]).code, 0);
    }
}

/// How a command ended.
#[derive(Debug)]
pub(crate) struct Ran {
    /// Its exit code; -1 when a signal ended it.
    pub(crate) code: i32,
    /// What it answered.
    pub(crate) bytes: Vec<u8>,
    /// The answer as text, with ids, receipts and times replaced by `<id>`, `<receipt>` and `<time>`.
    pub(crate) out: String,
    /// What else it said, likewise.
    pub(crate) err: String,
}

impl Ran {
    /// Runs a command to its end.
    pub(crate) fn of(command: &mut Command) -> Ran {
        Ran::from(command.output().unwrap())
    }

    /// The answer as JSON.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.bytes).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// Fails unless the command ended and said exactly this.
    #[track_caller]
    pub(crate) fn is(&self, code: i32, out: &str, err: &str) {
        assert_eq!((self.code, self.out.as_str(), self.err.as_str()), (code, out, err));
    }
}

impl From<Output> for Ran {
    fn from(output: Output) -> Ran {
        let plain = |bytes: &[u8]| plain(&String::from_utf8_lossy(bytes));
        let code = output.status.code().unwrap_or(-1);
        Ran { code, out: plain(&output.stdout), err: plain(&output.stderr), bytes: output.stdout }
    }
}

/// The text with what differs from run to run replaced: ids, receipts, cursors, times.
pub(crate) fn plain(text: &str) -> String {
    let shapes = [
        ("hhhhhhhh-hhhh-hhhh-hhhh-hhhhhhhhhhhh.hhhhhhhhhhhhhhhh", "<receipt>"),
        ("hhhhhhhh-hhhh-hhhh-hhhh-hhhhhhhhhhhh", "<id>"),
        ("dddd-dd-ddTdd:dd:dd.dddZ", "<time>"),
        ("dddd-dd-dd dd:dd:ddZ", "<time>"),
    ];
    let mut plain = String::new();
    let mut rest = text;
    'text: while let Some(c) = rest.chars().next() {
        for (shape, name) in shapes {
            if fits(rest, shape) {
                plain.push_str(name);
                rest = &rest[shape.len()..];
                continue 'text;
            }
        }
        plain.push(c);
        rest = &rest[c.len_utf8()..];
    }
    plain
}

/// Whether a text begins with a shape: `h` stands for a hexadecimal digit, `d` for a decimal one.
fn fits(text: &str, shape: &str) -> bool {
    let bytes = text.as_bytes();
    shape.bytes().enumerate().all(|(at, wanted)| match (wanted, bytes.get(at)) {
        (b'h', Some(byte)) => byte.is_ascii_hexdigit(),
        (b'd', Some(byte)) => byte.is_ascii_digit(),
        (wanted, Some(byte)) => wanted == *byte,
        (_, None) => false,
    })
}

/// Makes a test of each function for each store.
macro_rules! on_each_store {
    ($($test:ident),+ $(,)?) => {
        mod on_embedded {
            $(#[test]
            fn $test() {
                super::$test(&crate::support::Postino::new());
            })+
        }
        mod on_redis {
            $(#[test]
            fn $test() {
                crate::support::Postino::redis().iter().for_each(super::$test);
            })+
        }
        mod on_valkey {
            $(#[test]
            fn $test() {
                crate::support::Postino::valkey().iter().for_each(super::$test);
            })+
        }
    };
}
pub(crate) use on_each_store;
