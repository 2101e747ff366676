//! Servers of a test's own: on free loopback ports, in a folder of their own, in memory only, gone when dropped. It
//! knows how to start and to talk to one, and nothing of what is kept there.

#[path = "server/topologies.rs"]
pub(crate) mod topologies;

use std::fs;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Once;
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// How long a server may take to start, to answer, to agree with others.
const PATIENCE: Duration = Duration::from_secs(30);

/// A make of server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flavor {
    Redis,
    Valkey,
}

impl Flavor {
    fn program(self) -> &'static str {
        match self {
            Flavor::Redis => "redis-server",
            Flavor::Valkey => "valkey-server",
        }
    }
}

/// The makes that are installed. A missing one fails the test under CI, and is said loudly elsewhere.
pub(crate) fn available() -> Vec<Flavor> {
    static SAID: Once = Once::new();
    let (found, missing): (Vec<_>, Vec<_>) = [Flavor::Redis, Flavor::Valkey].into_iter().partition(|f| is_there(*f));
    #[expect(clippy::disallowed_methods, reason = "whether this is CI is told to the tests, not to postino")]
    let is_ci = std::env::var_os("CI").is_some();
    for flavor in missing {
        let program = flavor.program();
        assert!(!is_ci, "{program} is not installed, and under CI nothing is skipped");
        SAID.call_once(|| eprintln!("\n*** {program} IS NOT INSTALLED: its tests prove nothing in this run ***\n"));
    }
    found
}

fn is_there(flavor: Flavor) -> bool {
    let mut command = Command::new(flavor.program());
    command.arg("--version").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

/// A server that runs.
pub(crate) struct Server {
    flavor: Flavor,
    args: Vec<String>,
    port: u16,
    process: Child,
    folder: TempDir,
}

impl Server {
    /// Starts one with further arguments; keeps nothing on disk unless these say so.
    pub(crate) fn start(flavor: Flavor, args: &[&str]) -> Server {
        // Between looking for a free port and listening on it another program may take it: then the next one.
        for _ in 0..20 {
            let folder = tempfile::tempdir().unwrap();
            let args: Vec<String> = args.iter().map(|arg| (*arg).to_owned()).collect();
            let port = free_port();
            let process = launch(flavor, port, &args, folder.path());
            let mut server = Server { flavor, args, port, process, folder };
            if server.answers() {
                return server;
            }
        }
        panic!("{} does not start with {args:?}", flavor.program());
    }

    /// Its address.
    pub(crate) fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// Its port.
    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// Sends one command and returns the reply: a line for a simple one, lines for a list. An error begins with `-`.
    pub(crate) fn cli(&self, words: &[&str]) -> String {
        self.connection().ask(words)
    }

    /// A connection of its own, for `MONITOR` and the like.
    pub(crate) fn connection(&self) -> Wire {
        Wire::to(self.port).unwrap()
    }

    /// Makes it stand still: it accepts and never answers.
    pub(crate) fn stop(&self) {
        self.signal("-STOP");
    }

    /// Lets it go on.
    pub(crate) fn cont(&self) {
        self.signal("-CONT");
    }

    /// Kills it at once.
    pub(crate) fn kill(&mut self) {
        // It may have ended by itself.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }

    /// Kills it and starts it again on its port and in its folder.
    pub(crate) fn restart(&mut self) {
        self.kill();
        self.process = launch(self.flavor, self.port, &self.args, self.folder.path());
        assert!(self.answers(), "{} does not start again", self.flavor.program());
    }

    fn signal(&self, signal: &str) {
        let status = Command::new("kill").args([signal, &self.process.id().to_string()]).status().unwrap();
        assert!(status.success());
    }

    /// Waits until it answers; false when it ended instead.
    fn answers(&mut self) -> bool {
        let tls = self.args.iter().any(|arg| arg == "--tls-port");
        let until = Instant::now() + PATIENCE;
        while Instant::now() < until && self.process.try_wait().unwrap().is_none() {
            // A server that speaks TLS alone does not understand a plain word; that it listens is what can be seen.
            let wire = Wire::to(self.port);
            if wire.is_ok_and(|mut wire| tls || wire.try_ask(&["PING"]).is_ok_and(|answer| !answer.contains("LOADING")))
            {
                return true;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        false
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}

fn launch(flavor: Flavor, port: u16, args: &[String], folder: &Path) -> Child {
    let sentinel = args.iter().any(|arg| arg == "--sentinel");
    let tls = args.iter().any(|arg| arg == "--tls-port");
    let mut command = Command::new(flavor.program());
    if sentinel {
        command.arg(folder.join("sentinel.conf"));
        if !folder.join("sentinel.conf").exists() {
            fs::write(folder.join("sentinel.conf"), "").unwrap();
        }
    }
    let ports = if tls { ["0".to_owned(), port.to_string()] } else { [port.to_string(), "0".to_owned()] };
    command.args(["--bind", "127.0.0.1", "--port", &ports[0]]);
    let args = args.iter().map(|arg| if arg == "TLS-PORT" { ports[1].clone() } else { arg.clone() });
    command.args(args).arg("--dir").arg(folder);
    if !sentinel {
        command.args(["--save", ""]);
    }
    command.current_dir(folder).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.spawn().unwrap()
}

/// A loopback port that nothing listened on just now; below 50,000, so that a cluster's bus has its own above it.
pub(crate) fn free_port() -> u16 {
    loop {
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port();
        if port < 50_000
            && port != 6_379
            && port != 3_333
            && TcpListener::bind((Ipv4Addr::LOCALHOST, port + 10_000)).is_ok()
        {
            return port;
        }
    }
}

/// A connection to a server, a command at a time.
pub(crate) struct Wire(std::io::BufReader<TcpStream>);

impl Wire {
    /// Connects to a loopback port.
    pub(crate) fn to(port: u16) -> std::io::Result<Wire> {
        let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
        stream.set_read_timeout(Some(PATIENCE))?;
        Ok(Wire(std::io::BufReader::new(stream)))
    }

    /// Sends a command and returns its reply as `Server::cli` does.
    pub(crate) fn ask(&mut self, words: &[&str]) -> String {
        self.try_ask(words).unwrap()
    }

    /// The same, where the server may be gone.
    pub(crate) fn try_ask(&mut self, words: &[&str]) -> std::io::Result<String> {
        let mut packed = format!("*{}\r\n", words.len()).into_bytes();
        for word in words {
            packed.extend(format!("${}\r\n{word}\r\n", word.len()).into_bytes());
        }
        self.0.get_mut().write_all(&packed)?;
        self.reply()
    }

    /// The next reply.
    pub(crate) fn reply(&mut self) -> std::io::Result<String> {
        let line = self.line()?;
        let (sort, rest) = line.split_at_checked(1).ok_or(std::io::ErrorKind::UnexpectedEof)?;
        match sort {
            "*" => {
                let count: i64 = rest.parse().unwrap();
                let items: std::io::Result<Vec<_>> = (0..count).map(|_| self.reply()).collect();
                Ok(items?.join("\n"))
            }
            "$" => {
                let Ok(length) = rest.parse::<usize>() else { return Ok(String::new()) };
                let mut bytes = vec![0; length + 2];
                self.0.read_exact(&mut bytes)?;
                bytes.truncate(length);
                Ok(String::from_utf8_lossy(&bytes).into_owned())
            }
            "-" => Ok(line),
            _ => Ok(rest.to_owned()),
        }
    }

    fn line(&mut self) -> std::io::Result<String> {
        let mut line = Vec::new();
        std::io::BufRead::read_until(&mut self.0, b'\n', &mut line)?;
        Ok(String::from_utf8_lossy(&line).trim_end().to_owned())
    }
}

/// Waits until something holds; panics with `what` when it never does.
pub(crate) fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let end = Instant::now() + PATIENCE;
    while !holds() {
        assert!(Instant::now() < end, "waited in vain until {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}
