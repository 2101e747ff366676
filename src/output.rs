//! Every write to stdout and stderr: the answer as JSON or text, notices, errors, questions; colour, escaping, closed pipes.
//!
//! It says what it is given and does not choose what to say. It knows no operation and reads no environment.

mod escape;
#[cfg(any(test, fuzzing))]
pub(crate) mod fuzz;
mod json;
mod style;
mod wrap;

use std::collections::BTreeMap;
use std::io::{self, BufRead, IsTerminal, Write};

use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;
use rustix::termios::tcgetwinsize;
use serde::Serialize;
use serde_json::json;

pub use self::style::{Look, Style, When};
use crate::error::{Error, Failure, Kind, Result};

/// Why a command ends early.
#[derive(Debug)]
pub enum Stop {
    /// Nobody reads the answer any more: a success.
    Closed,
    /// It failed.
    Failed(Error),
}

impl From<Error> for Stop {
    fn from(error: Error) -> Stop {
        Stop::Failed(error)
    }
}

/// The two streams, and how to write to them.
#[derive(Clone, Copy, Debug)]
pub struct Output {
    json: bool,
    quiet: bool,
    when: When,
    look: Look,
}

impl Output {
    /// Streams for JSON or people, with or without notices, in colour when `when` and `look` say so.
    pub fn new(json: bool, quiet: bool, when: When, look: Look) -> Output {
        Output { json, quiet, when, look }
    }

    /// How text looks on stdout.
    pub fn out(&self) -> Style {
        let colour = self.look.colour(self.when, || self.is_terminal());
        Style::new(colour, self.look.actions, columns())
    }

    /// How text looks on stderr.
    fn err(&self) -> Style {
        let colour = self.look.colour(self.when, || io::stderr().is_terminal());
        Style::new(colour, self.look.actions, None)
    }

    /// Whether notices are left out.
    pub fn is_quiet(&self) -> bool {
        self.quiet
    }

    /// Whether the answer is JSON.
    pub fn is_json(&self) -> bool {
        self.json
    }

    /// Whether stdout is a terminal.
    pub fn is_terminal(&self) -> bool {
        io::stdout().is_terminal()
    }

    /// The answer, flushed: one line of JSON, or what `text` makes of it. `Closed` when nobody reads it.
    pub fn answer<T: Serialize>(
        &self,
        response: &T,
        text: impl FnOnce(&T, &Style) -> String,
    ) -> std::result::Result<(), Stop> {
        if !self.json {
            return self.text(&text(response, &self.out()));
        }
        let line = json::line(response)
            .map_err(|error| Error::new(Kind::Other, "the answer could not be written as JSON").because(error))?;
        self.text(&(line + "\n"))
    }

    /// Text that is safe as it is, flushed.
    pub fn text(&self, text: &str) -> std::result::Result<(), Stop> {
        self.bytes(text.as_bytes())
    }

    /// Bytes as they are, flushed.
    pub fn bytes(&self, bytes: &[u8]) -> std::result::Result<(), Stop> {
        let mut stdout = io::stdout().lock();
        match stdout.write_all(bytes).and_then(|()| stdout.flush()) {
            Ok(()) => Ok(()),
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Err(Stop::Closed),
            Err(error) => {
                let message = format!("the answer could not be written to stdout: {}", error.kind());
                Err(Error::new(Kind::Other, message).because(error).into())
            }
        }
    }

    /// Fails when stdout is a terminal: raw bodies can steer it.
    pub fn raw_allowed(&self) -> Result<()> {
        let refused = if self.is_terminal() {
            "raw bodies are not printed on a terminal, because they could steer it"
        } else if self.json {
            "raw bodies and JSON exclude each other"
        } else {
            return Ok(());
        };
        Err(Error::new(Kind::Usage, refused).hint("leave --raw out, or send the output to a file or a pipe"))
    }

    /// Something worth knowing that is not the answer; nothing with `--quiet`.
    pub fn notice(&self, text: &str) {
        if self.quiet {
            return;
        }
        if self.json {
            to_stderr(&json::line(&json!({ "notice": text })).unwrap_or_default());
        } else {
            to_stderr(&format!("postino: {}", self.err().safe(text)));
        }
    }

    /// A failure, with what to do next.
    pub fn error(&self, error: &Error) {
        to_stderr(&if self.json { error_json(error) } else { self.error_text(error) });
        if self.look.debug {
            let source = error.source.as_ref().map(|source| format!("{source:#}"));
            to_stderr(&format!("  cause: {}", self.err().safe(source.as_deref().unwrap_or("none known"))));
        }
    }

    fn error_text(&self, error: &Error) -> String {
        let style = self.err();
        let mut text = format!("{} {}", style.bad("postino:"), style.safe(&error.message));
        if let Some(hint) = &error.hint {
            text.push_str(&format!("\n  {} {}", style.dim("try:"), style.safe(hint)));
        }
        text
    }

    /// Text of the command line's own, for stderr.
    pub fn usage(&self, text: &str) {
        to_stderr(escape::lines(text).trim_end());
    }

    /// Asks on the terminal. `Usage` when there is nobody to ask; false is a no.
    pub fn confirm(&self, question: &str, instead: &str) -> Result<bool> {
        if !io::stdin().is_terminal() || !io::stderr().is_terminal() {
            return Err(
                Error::new(Kind::Usage, "this deletes for good, and there is no terminal to ask on").hint(instead)
            );
        }
        let mut stderr = io::stderr().lock();
        let mut line = String::new();
        // In one piece, or what is typed early would stand in the middle of the question.
        let text = format!("{} [y/N] ", self.err().safe(question));
        let asked = stderr.write_all(text.as_bytes()).and_then(|()| stderr.flush());
        let answered = asked.and_then(|()| io::stdin().lock().read_line(&mut line));
        Ok(answered.is_ok() && matches!(line.trim().to_ascii_lowercase().as_str(), "y" | "yes"))
    }

    /// Ends the process, as a success, once nobody reads stdout: a command that only waits would not notice.
    pub fn end_when_closed(&self) {
        // Without the thread the command ends a little later: when it writes.
        let _ = std::thread::Builder::new().spawn(|| {
            if is_closed() {
                #[expect(
                    clippy::disallowed_methods,
                    reason = "the main thread is blocked in a wait and nothing is open"
                )]
                std::process::exit(0);
            }
        });
    }
}

/// How wide the terminal is that stdout is; `None` when it is none, or does not tell.
fn columns() -> Option<usize> {
    let size = tcgetwinsize(io::stdout()).ok()?;
    Some(usize::from(size.ws_col)).filter(|columns| *columns > 0)
}

/// Waits until stdout has lost its reader; false when the system cannot tell.
fn is_closed() -> bool {
    let stdout = io::stdout();
    loop {
        let mut watched = [PollFd::new(&stdout, PollFlags::empty())];
        match poll(&mut watched, None) {
            Ok(_) => return watched[0].revents().intersects(PollFlags::ERR | PollFlags::HUP),
            Err(Errno::INTR) => {}
            Err(_) => return false,
        }
    }
}

fn error_json(error: &Error) -> String {
    json::line(&Failure::of(error, &BTreeMap::new())).unwrap_or_default()
}

/// Writes a line to stderr; when even that fails there is nobody left to tell.
fn to_stderr(line: &str) {
    let _ = io::stderr().lock().write_all(format!("{line}\n").as_bytes());
}
