//! Commands that stay, and what they say line by line.

use std::io::{BufRead, BufReader};
use std::os::fd::OwnedFd;
use std::process::{Child, ChildStderr, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use serde_json::Value;

use crate::support::Postino;

/// A command that runs until it is dropped.
pub(super) struct Running {
    child: Child,
    lines: BufReader<ChildStdout>,
    complaints: BufReader<ChildStderr>,
}

impl Running {
    /// Starts a command line.
    pub(super) fn start(postino: &Postino, args: &[&str]) -> Running {
        Running::of(&mut postino.command(args))
    }

    /// Starts a command.
    pub(super) fn of(command: &mut Command) -> Running {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap());
        let complaints = BufReader::new(child.stderr.take().unwrap());
        Running { child, lines, complaints }
    }

    /// The next line of its answer; empty at the end.
    pub(super) fn line(&mut self) -> String {
        let mut line = String::new();
        if self.lines.buffer().is_empty() {
            let mut said = [PollFd::new(self.lines.get_ref(), PollFlags::IN)];
            let patience = Timespec { tv_sec: 60, tv_nsec: 0 };
            assert!(poll(&mut said, Some(&patience)).unwrap() > 0, "nothing was said for a minute");
        }
        self.lines.read_line(&mut line).unwrap();
        line
    }

    /// The next line of its answer as JSON.
    pub(super) fn json(&mut self) -> Value {
        let line = self.line();
        serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line:?}"))
    }

    /// The next line of what else it says.
    pub(super) fn complaint(&mut self) -> String {
        let mut line = String::new();
        self.complaints.read_line(&mut line).unwrap();
        line
    }

    /// Reads no more, and gives the exit code with which it ends by itself.
    pub(super) fn end_without_reader(mut self) -> Option<i32> {
        // Another pipe takes the place of its own, which is closed by that.
        let (reader, _) = std::io::pipe().unwrap();
        self.lines = BufReader::new(ChildStdout::from(OwnedFd::from(reader)));
        let begin = Instant::now();
        while begin.elapsed() < Duration::from_secs(20) {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status.code();
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        None
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A watcher that is known to watch, and the first line that it told.
pub(super) fn watching(postino: &Postino, args: &[&str]) -> (Running, String) {
    let mut watch = Running::start(postino, &[&["--agent", "auditor", "watch"], args].concat());
    let line = first_line(postino, &mut watch);
    (watch, line)
}

/// The first event that a watcher tells. Until it watches, nothing that happens is told: something is sent until it does.
pub(super) fn first_line(postino: &Postino, watch: &mut Running) -> String {
    let seen = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !seen.load(Ordering::SeqCst) {
                postino.send("api", "tick", "tick");
            }
        });
        let line = watch.line();
        seen.store(true, Ordering::SeqCst);
        line
    })
}
