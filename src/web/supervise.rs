//! The parent: it holds the listening socket, starts the child that serves, and starts another one when that child dies or wants
//! to be relieved. Connections wait in the socket's backlog meanwhile, so none is refused.
//!
//! It runs on one thread, sleeps until something happens and knows nothing of HTTP, of stores, or of settings.

pub mod child;

use std::fs::File;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use serde_json::{Value, json};

use crate::error::{Error, Kind, Result};

/// Parent to child: take no more connections, end soon.
const STOP: u8 = b's';
/// Child to parent: I serve.
const READY: u8 = b'r';
/// Child to parent: I take no more connections; start another one.
const RELIEVED: u8 = b'd';

/// A child that lived this long did not die of its start.
const SETTLED: Duration = Duration::from_secs(5);
/// How often a child may die young before the next one has to wait.
const QUICK: u32 = 3;
/// The first wait and the longest one.
const PAUSES: (Duration, Duration) = (Duration::from_millis(200), Duration::from_secs(10));
/// How long a child may take to end once it was told to.
const FAREWELL: Duration = Duration::from_secs(8);
/// How often old children are looked at while there are any.
const LOOK: Duration = Duration::from_millis(500);

/// What a parent needs to do its work.
pub struct Parent<'a> {
    /// The socket that every child accepts from.
    pub listener: TcpListener,
    /// The command line and variables of a child; its streams are set here.
    pub command: &'a dyn Fn() -> Command,
    /// One line that each child gets first, for what must not stand in its environment.
    pub handed: String,
    /// Where another process may call: `heir PATH` in a line, to be relieved by that program.
    pub calls: File,
    /// Writes an event to the log.
    pub log: &'a dyn Fn(&str, Value),
    /// Called once, when a child serves for the first time.
    pub ready: &'a dyn Fn(),
}

/// A child and the wire to it.
struct Serving {
    process: Child,
    wire: UnixStream,
    since: Instant,
}

/// The children at work.
#[derive(Default)]
struct Shift {
    current: Option<Serving>,
    /// Those that were relieved and finish what they have begun.
    leaving: Vec<Serving>,
    /// How many died young in a row.
    young: u32,
    /// When the next one starts, if none serves.
    next: Option<Instant>,
    announced: bool,
}

/// What woke the parent.
enum Woken {
    Current,
    Call,
    Nothing,
}

impl Parent<'_> {
    /// Serves until another program is to take over; gives its path. Fails when a child cannot be started at all.
    pub fn run(&self) -> Result<PathBuf> {
        let mut calls = BufReader::new(self.calls.try_clone().map_err(|error| failed("listen for calls", error))?);
        let mut shift = Shift { current: Some(self.start()?), ..Shift::default() };
        loop {
            match self.wait(&mut shift) {
                Woken::Current => self.heard(&mut shift),
                Woken::Call => {
                    let mut line = String::new();
                    let _ = calls.read_line(&mut line);
                    if let Some(heir) = line.trim_end().strip_prefix("heir ") {
                        self.leave(shift);
                        return Ok(PathBuf::from(heir));
                    }
                }
                Woken::Nothing => {}
            }
            shift.leaving.retain_mut(|old| !old.has_ended());
            if shift.current.is_none() && shift.next.is_none_or(|next| next <= Instant::now()) {
                // A system that is out of processes for a moment may have one later.
                match self.start() {
                    Ok(child) => shift.current = Some(child),
                    Err(error) => {
                        (self.log)("start failed", json!({ "why": error.message }));
                        shift.next = Some(Instant::now() + PAUSES.1);
                    }
                }
            }
        }
    }

    /// Starts a child: the listening socket is its stdin, the wire its stdout.
    fn start(&self) -> Result<Serving> {
        let doing = "start the process that serves";
        let listener = self.listener.try_clone().map_err(|error| failed(doing, error))?;
        let (mut wire, end) = UnixStream::pair().map_err(|error| failed(doing, error))?;
        let mut command = (self.command)();
        command.stdin(OwnedFd::from(listener)).stdout(OwnedFd::from(end)).stderr(Stdio::null());
        let process = command.spawn().map_err(|error| failed(doing, error))?;
        // A child that died at once is noticed by its wire.
        let _ = writeln!(wire, "{}", self.handed);
        Ok(Serving { process, wire, since: Instant::now() })
    }

    /// Sleeps until the child, a caller or a time wakes it.
    fn wait(&self, shift: &mut Shift) -> Woken {
        let until = shift.next.filter(|_| shift.current.is_none());
        let look = (!shift.leaving.is_empty()).then(|| Instant::now() + LOOK);
        let left = until.into_iter().chain(look).min().map(|until| until.saturating_duration_since(Instant::now()));
        let left = left.and_then(|left| Timespec::try_from(left).ok());
        let mut watched = vec![PollFd::new(&self.calls, PollFlags::IN)];
        if let Some(current) = &shift.current {
            watched.push(PollFd::from_borrowed_fd(current.wire.as_fd(), PollFlags::IN));
        }
        match poll(&mut watched, left.as_ref()) {
            Ok(0) | Err(Errno::INTR) => Woken::Nothing,
            Ok(_) if watched.get(1).is_some_and(|wire| !wire.revents().is_empty()) => Woken::Current,
            Ok(_) => Woken::Call,
            Err(_) => {
                // Nothing sensible is left to wait on; what the children do is found out by looking.
                std::thread::sleep(LOOK);
                Woken::Current
            }
        }
    }

    /// Reads what the child said; silence for good means that it died.
    fn heard(&self, shift: &mut Shift) {
        let Some(mut child) = shift.current.take() else { return };
        let mut byte = [0];
        match child.wire.read(&mut byte) {
            Ok(1) if byte[0] == RELIEVED => {
                (self.log)("relieved", json!({ "child": child.process.id() }));
                child.since = Instant::now();
                shift.leaving.push(child);
                shift.next = None;
            }
            Ok(1) => {
                if byte[0] == READY && !std::mem::replace(&mut shift.announced, true) {
                    (self.ready)();
                }
                shift.current = Some(child);
            }
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => shift.current = Some(child),
            Ok(_) | Err(_) => self.died(shift, child),
        }
    }

    /// A child that died is followed by another one at once; in a row of early deaths, after a pause.
    fn died(&self, shift: &mut Shift, mut child: Serving) {
        let lived = child.since.elapsed();
        let _ = child.process.kill();
        let how = child.process.wait().map(|status| status.to_string()).unwrap_or_default();
        shift.young = if lived < SETTLED { shift.young + 1 } else { 0 };
        shift.next = pause(shift.young).map(|pause| Instant::now() + pause);
        (self.log)("died", json!({ "child": child.process.id(), "how": how, "lived": lived.as_millis() as u64 }));
    }

    /// Lets every child finish what it has begun, and ends those that do not.
    fn leave(&self, shift: Shift) {
        let mut leaving = shift.leaving;
        if let Some(mut current) = shift.current {
            let _ = current.wire.write_all(&[STOP]);
            current.since = Instant::now();
            leaving.push(current);
        }
        while !leaving.is_empty() {
            leaving.retain_mut(|child| !child.has_ended());
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

impl Serving {
    /// Whether it has ended; one that takes too long is ended.
    fn has_ended(&mut self) -> bool {
        if self.since.elapsed() > FAREWELL {
            let _ = self.process.kill();
        }
        !matches!(self.process.try_wait(), Ok(None))
    }
}

/// How long the next child has to wait after so many died young in a row.
fn pause(young: u32) -> Option<Duration> {
    let doubled = young.checked_sub(QUICK)?.min(16);
    Some((PAUSES.0 * 2u32.pow(doubled)).min(PAUSES.1))
}

fn failed(doing: &str, error: std::io::Error) -> Error {
    Error::new(Kind::Other, format!("cannot {doing}: {}", error.kind())).because(error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_row_of_early_deaths_makes_the_next_one_wait() {
        assert_eq!((pause(0), pause(1), pause(2)), (None, None, None));
        assert_eq!(pause(3), Some(PAUSES.0));
        assert_eq!(pause(4), Some(2 * PAUSES.0));
        assert_eq!(pause(60), Some(PAUSES.1));
    }
}
