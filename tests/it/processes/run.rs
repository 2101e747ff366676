//! Processes that may be killed at any moment.

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// How a process ended.
#[derive(Debug)]
pub(super) struct Run {
    /// Its exit code; none when a signal ended it.
    pub(super) code: Option<i32>,
    /// Whether it was meant to be killed.
    pub(super) killed: bool,
    /// How long it took.
    pub(super) took: Duration,
    /// What it wrote.
    pub(super) stdout: Vec<u8>,
    /// What it complained about.
    #[expect(dead_code, reason = "it is shown by Debug when a test fails")]
    stderr: String,
}

impl Run {
    /// Runs a command, and kills it after a while when one is given.
    pub(super) fn of(command: Command, kill_after: Option<Duration>) -> Run {
        let begin = Instant::now();
        let mut child = Run::start(command);
        if let Some(delay) = kill_after {
            // The moment is chance on purpose: whatever it hits must do no harm.
            std::thread::sleep(delay);
            child.kill().unwrap();
        }
        Run::end(child, kill_after.is_some(), begin)
    }

    /// Starts a command with its streams kept.
    pub(super) fn start(mut command: Command) -> Child {
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    }

    /// Waits for the end of a process.
    pub(super) fn end(child: Child, killed: bool, begin: Instant) -> Run {
        let output = child.wait_with_output().unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        Run { code: output.status.code(), killed, took: begin.elapsed(), stdout: output.stdout, stderr }
    }
}
