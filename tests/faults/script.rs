//! One client that does one thing after the other, for faults that strike at a certain step instead of at any moment.
//! It writes its history like every client.

use std::time::Instant;

use tempfile::TempDir;

use crate::field::{LEASE, Post};
use crate::front::{Cli, Front};
use crate::history::{self, Call, Pen, Said};
use crate::judge::{Rest, Terms, Verdict, judge};

/// The mailbox that it sends to and reads.
const INBOX: &str = "inbox-0";

/// One thing to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// To send a message with a key of its own.
    Send,
    /// To take mail.
    Take,
    /// To lease mail.
    Lease,
    /// To acknowledge what was leased.
    Ack,
}

/// The client.
pub(crate) struct Script {
    logs: TempDir,
    pen: Pen,
    sent: u64,
    last: Option<Call>,
    held: Vec<String>,
}

impl Script {
    pub(crate) fn new() -> Script {
        let logs = tempfile::tempdir().unwrap();
        let pen = Pen::new(logs.path(), "script", Instant::now());
        Script { logs, pen, sent: 0, last: None, held: Vec::new() }
    }

    /// Makes a call and keeps what it was handed.
    fn call(&mut self, post: &Post, call: Call) -> Said {
        let said = self.pen.note(call.clone(), |call| Cli(post).call(call, None));
        if let Said::Mail { messages, .. } = &said {
            self.held.extend(messages.iter().filter_map(|seen| seen.receipt.clone()));
        }
        self.last = Some(call);
        said
    }

    /// Sends a message that no other one is like.
    pub(crate) fn send(&mut self, post: &Post, body: &str, key: Option<String>) -> Said {
        self.sent += 1;
        let body = format!("{body} {}", self.sent);
        self.call(post, Call::Send { from: "ann".to_owned(), to: INBOX.to_owned(), body, key })
    }

    /// Does one thing, if there is something to do.
    pub(crate) fn step(&mut self, post: &Post, step: Step) -> Option<Said> {
        let read = |takes| Call::Read { mailbox: INBOX.to_owned(), hold_ms: LEASE * 1000, takes };
        match step {
            Step::Send => Some(self.send(post, "message", Some(format!("key-{}", self.sent)))),
            Step::Take => Some(self.call(post, read(true))),
            Step::Lease => Some(self.call(post, read(false))),
            Step::Ack => {
                let receipts = std::mem::take(&mut self.held);
                let ack = |receipts| Call::Settle { mailbox: INBOX.to_owned(), receipts, acks: true };
                (!receipts.is_empty()).then(|| self.call(post, ack(receipts)))
            }
        }
    }

    /// Makes sure that a step has something to do.
    pub(crate) fn prepare(&mut self, post: &Post, step: Step) {
        self.held.clear();
        match step {
            Step::Send => {}
            Step::Take | Step::Lease => drop(self.send(post, "something", None)),
            Step::Ack => {
                self.send(post, "something", None);
                self.step(post, Step::Lease);
            }
        }
    }

    /// Makes the last call once more, as a client does that got no answer. Only what does no harm twice.
    pub(crate) fn again(&mut self, post: &Post) {
        match self.last.clone() {
            Some(call @ (Call::Send { key: Some(_), .. } | Call::Settle { .. })) => drop(self.call(post, call)),
            Some(Call::Send { key: None, .. } | Call::Read { .. }) | None => {}
        }
    }

    /// Takes what is left, until there is nothing.
    pub(crate) fn drain(&mut self, post: &Post) {
        for _ in 0..2_000 {
            if post.left() == Some(0) {
                return;
            }
            self.step(post, Step::Take);
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
        panic!("the mailbox could not be drained");
    }

    /// Drains, and judges what was done.
    pub(crate) fn judge(mut self, post: &Post, terms: &Terms) -> Verdict {
        self.drain(post);
        let rest: Rest = post.rest(&[INBOX.to_owned()]);
        judge(&history::read(self.logs.path()), &rest, terms)
    }
}
