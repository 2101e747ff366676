//! Live events: how long after a message was posted the last of many listeners has heard of it, and how much memory a server takes
//! that has nothing to do. It knows server-sent events from outside.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

/// How long an event may take.
const PATIENCE: Duration = Duration::from_secs(30);
/// A listener needs little room.
const STACK: usize = 128 << 10;

/// Many that listen to the server at a port; each says when it has heard of a message.
pub(crate) struct Listeners {
    port: u16,
    count: usize,
    heard: Receiver<Instant>,
}

impl Listeners {
    /// So many, all of whom are told what happens from now on.
    pub(crate) fn new(port: u16, count: usize) -> Result<Listeners> {
        let (tell, heard) = channel();
        let (settled, ready) = channel();
        for _ in 0..count {
            let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
            write!(stream, "GET /api/events HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n")?;
            let (tell, settled) = (tell.clone(), settled.clone());
            thread::Builder::new().stack_size(STACK).spawn(move || listen(stream, &tell, &settled))?;
        }
        for _ in 0..count {
            ready.recv_timeout(PATIENCE).context("a listener is not told where it is")?;
        }
        Ok(Listeners { port, count, heard })
    }

    /// Posts a message, and waits until the last one has heard of it.
    pub(crate) fn post(&self) -> Result<Duration> {
        let body = r#"{"to":"bench","body":"The build is green."}"#;
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port))?;
        let begin = Instant::now();
        write!(
            stream,
            "POST /api/messages HTTP/1.1\r\nHost: 127.0.0.1:{}\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}",
            self.port,
            body.len()
        )?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        ensure!(answer.starts_with("HTTP/1.1 200 "), "a message was refused: {answer}");
        let mut last = begin;
        for _ in 0..self.count {
            last = last.max(self.heard.recv_timeout(PATIENCE).context("a listener heard nothing")?);
        }
        Ok(last - begin)
    }
}

fn listen(stream: TcpStream, tell: &Sender<Instant>, settled: &Sender<()>) {
    let mut is_settled = false;
    for line in BufReader::new(stream).lines() {
        let Ok(line) = line else { return };
        if line == "event: message.sent" && tell.send(Instant::now()).is_err() {
            return;
        }
        if line.starts_with("id: ") && !std::mem::replace(&mut is_settled, true) && settled.send(()).is_err() {
            return;
        }
    }
}

/// The resident memory of a process and of those that it started, in bytes (Linux).
pub(crate) fn memory(parent: u32) -> Result<u64> {
    let children = fs::read_to_string(format!("/proc/{parent}/task/{parent}/children"))?;
    let all = children.split_ascii_whitespace().map(str::to_owned).chain([parent.to_string()]);
    let resident = |pid: String| -> Result<u64> {
        let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("no VmRSS")?;
        Ok(line.trim().trim_end_matches(" kB").parse::<u64>()? << 10)
    };
    all.map(resident).sum()
}
