//! The MCP server: how soon it answers, and how much memory it takes while nobody asks. It knows three lines of the protocol.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, ensure};

use crate::home::Home;
use crate::table::{missing, row, size};
use crate::timing::{Pair, times};

/// How soon the first answer has to be there.
const SOON: Duration = Duration::from_millis(10);
/// How much memory an idle server may take, in bytes.
const MEMORY: u64 = 12_000_000;
/// How long it is left alone before that is looked at: presence and a wait or two fall into it.
const IDLE: Duration = Duration::from_secs(5);

const INITIALIZE: &str = r#"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"bench","version":"1"}}}"#;
const LIST: &str = r#"{"jsonrpc":"2.0","id":2,"method":"tools/list"}"#;
const WHOAMI: &str = r#"{"jsonrpc":"2.0","id":3,"method":"tools/call","params":{"name":"msg_whoami"}}"#;

/// Prints what there is to say about the server.
pub(crate) fn figures(home: &Home, rounds: usize) -> Result<()> {
    let ours = times(rounds, |_| Running::start(home)?.ask(INITIALIZE))?.ours;
    row("mcp: initialize answered ÷ 10 ms", "embedded", &Pair { ours, base: Some(SOON) }, Some(1.0));
    let mut server = Running::start(home)?;
    for line in [INITIALIZE, LIST, WHOAMI] {
        server.ask(line)?;
    }
    std::thread::sleep(IDLE);
    match server.memory()? {
        Some(bytes) => size("mcp: idle memory (RSS)", bytes, MEMORY),
        None => missing("mcp: idle memory (RSS)", "the system has no /proc"),
    }
    Ok(())
}

/// A server that runs.
struct Running {
    process: Child,
    stdin: ChildStdin,
    stdout: BufReader<ChildStdout>,
}

impl Running {
    fn start(home: &Home) -> Result<Running> {
        let mut command = home.command("bench", &["mcp"]);
        let mut process = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let stdin = process.stdin.take().context("no stdin")?;
        let stdout = BufReader::new(process.stdout.take().context("no stdout")?);
        Ok(Running { process, stdin, stdout })
    }

    /// Writes a request and reads its answer.
    fn ask(&mut self, line: &str) -> Result<()> {
        writeln!(self.stdin, "{line}")?;
        let mut answer = String::new();
        self.stdout.read_line(&mut answer)?;
        ensure!(answer.contains("\"result\""), "the server said {answer:?}");
        Ok(())
    }

    /// How much memory it takes, in bytes.
    fn memory(&self) -> Result<Option<u64>> {
        let Ok(status) = fs::read_to_string(format!("/proc/{}/status", self.process.id())) else { return Ok(None) };
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("no VmRSS")?;
        let kilobytes: u64 = line.trim().trim_end_matches(" kB").parse().context("reading VmRSS")?;
        Ok(Some(kilobytes * 1024))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It ends by itself when its stdin closes; the next round need not wait for that.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
