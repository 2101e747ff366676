//! A server of our own: on a free port, in memory only, gone when dropped. It knows how to start and to talk to one,
//! nothing of what postino keeps there.

use std::io::{BufRead, BufReader, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use tempfile::TempDir;

/// How long a server may take to start, and to answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// A running server.
pub(crate) struct Server {
    /// The program's name.
    pub name: &'static str,
    port: u16,
    process: Child,
    _folder: TempDir,
}

impl Server {
    /// Starts a Valkey, or else a Redis; `None` when neither is installed.
    pub(crate) fn start() -> Result<Option<Server>> {
        for name in ["valkey-server", "redis-server"] {
            let folder = TempDir::new_in(env!("CARGO_TARGET_TMPDIR"))?;
            let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port();
            let mut command = Command::new(name);
            command.args(["--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--port", &port.to_string()]);
            command.current_dir(folder.path()).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
            if let Ok(process) = command.spawn() {
                let mut server = Server { name, port, process, _folder: folder };
                server.await_start()?;
                return Ok(Some(server));
            }
        }
        Ok(None)
    }

    /// Its address with a database number.
    pub(crate) fn url(&self, database: u8) -> String {
        format!("redis://127.0.0.1:{}/{database}", self.port)
    }

    /// A connection that speaks the protocol's inline form.
    pub(crate) fn connect(&self) -> Result<Connection> {
        let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port))?;
        stream.set_read_timeout(Some(PATIENCE))?;
        Ok(Connection(BufReader::new(stream)))
    }

    fn await_start(&mut self) -> Result<()> {
        let until = Instant::now() + PATIENCE;
        while Instant::now() < until {
            if let Some(status) = self.process.try_wait()? {
                bail!("{} ended at once with {status}", self.name);
            }
            if self.connect().and_then(|mut connection| connection.ask("PING")).is_ok_and(|reply| reply == "+PONG") {
                return Ok(());
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        bail!("{} does not answer", self.name)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself; there is nothing to do about it then.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A connection to the server, a line at a time.
pub(crate) struct Connection(BufReader<TcpStream>);

impl Connection {
    /// Sends a command and returns the first line of the reply.
    pub(crate) fn ask(&mut self, command: &str) -> Result<String> {
        self.0.get_mut().write_all(format!("{command}\r\n").as_bytes())?;
        self.line()
    }

    /// The next line from the server.
    pub(crate) fn line(&mut self) -> Result<String> {
        let mut line = String::new();
        let length = self.0.read_line(&mut line).context("reading from the server")?;
        ensure!(length > 0, "the server closed the connection");
        Ok(line.trim_end().to_owned())
    }
}
