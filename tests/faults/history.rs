//! What the clients of a run did, as they wrote it down themselves: a line before each call and a line after it, each
//! client in a file of its own that it only appends to. It knows the words of messaging and nothing of postino.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::Path;
use std::time::Instant;

use serde::{Deserialize, Serialize};

/// Microseconds since the run began, by the steady clock.
pub(crate) type Moment = u64;

/// What a client asks.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Call {
    /// To store a message.
    Send { from: String, to: String, body: String, key: Option<String> },
    /// To be handed mail and hold it for so long; `takes` when the answer is to be acknowledged by itself.
    Read { mailbox: String, hold_ms: u64, takes: bool },
    /// To end deliveries: done with (`acks`), or given back.
    Settle { mailbox: String, receipts: Vec<String>, acks: bool },
}

/// One message as a reader saw it.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Seen {
    pub(crate) id: String,
    pub(crate) body: String,
    pub(crate) deliveries: u64,
    pub(crate) receipt: Option<String>,
}

/// What came of a call.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Said {
    /// The message is stored under this id, by this call or by an earlier one with its key.
    Sent { id: String, created: bool },
    /// Mail; `sure` when what the reader owes for it was done too.
    Mail { messages: Vec<Seen>, sure: bool },
    /// These deliveries are ended, these receipts were refused.
    Settled { done: Vec<String>, stale: Vec<String> },
    /// Nothing happened, for certain.
    Refused { why: String },
    /// It may have happened or not.
    Unknown { why: String },
}

/// One line of a client's file.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Line {
    at: Moment,
    op: u64,
    phase: Phase,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    call: Option<Call>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    said: Option<Said>,
}

/// Before a call, or how it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Phase {
    Invoke,
    Ok,
    Fail,
    Info,
}

impl Said {
    /// How a call ended that was answered so.
    pub(crate) fn phase(&self) -> Phase {
        match self {
            Said::Sent { .. } | Said::Settled { .. } | Said::Mail { sure: true, .. } => Phase::Ok,
            Said::Refused { .. } => Phase::Fail,
            Said::Unknown { .. } | Said::Mail { sure: false, .. } => Phase::Info,
        }
    }
}

/// One call with its end.
#[derive(Clone, Debug)]
pub(crate) struct Op {
    pub(crate) begin: Moment,
    /// When the answer came; the end of time when none did.
    pub(crate) end: Moment,
    pub(crate) call: Call,
    pub(crate) said: Said,
}

/// A client's file.
pub(crate) struct Pen {
    file: File,
    start: Instant,
    ops: u64,
}

impl Pen {
    /// A new file of this name in the folder of the run that began at `start`.
    pub(crate) fn new(folder: &Path, client: &str, start: Instant) -> Pen {
        let path = folder.join(format!("{client}.ndjson"));
        Pen { file: OpenOptions::new().append(true).create_new(true).open(path).unwrap(), start, ops: 0 }
    }

    /// Makes a call with a line before it and one after it.
    pub(crate) fn note(&mut self, call: Call, make: impl FnOnce(&Call) -> Said) -> Said {
        self.ops += 1;
        self.line(Phase::Invoke, Some(&call), None);
        let said = make(&call);
        self.line(said.phase(), None, Some(&said));
        said
    }

    fn line(&mut self, phase: Phase, call: Option<&Call>, said: Option<&Said>) {
        let at = u64::try_from(self.start.elapsed().as_micros()).unwrap();
        let line = Line { at, op: self.ops, phase, call: call.cloned(), said: said.cloned() };
        let mut text = serde_json::to_string(&line).unwrap();
        text.push('\n');
        self.file.write_all(text.as_bytes()).unwrap();
    }
}

/// All calls that the files of a folder tell of.
pub(crate) fn read(folder: &Path) -> Vec<Op> {
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    files.flat_map(|path| calls(&std::fs::read_to_string(path).unwrap())).collect()
}

/// The calls of one client. One without an end may have happened or not.
fn calls(text: &str) -> Vec<Op> {
    let mut ops: BTreeMap<u64, Op> = BTreeMap::new();
    for line in text.lines() {
        let line: Line = serde_json::from_str(line).unwrap();
        match (line.phase, line.call, line.said) {
            (Phase::Invoke, Some(call), None) => {
                let said = Said::Unknown { why: "the client's file ends here".to_owned() };
                ops.insert(line.op, Op { begin: line.at, end: Moment::MAX, call, said });
            }
            (Phase::Ok | Phase::Fail | Phase::Info, None, Some(said)) => {
                let op = ops.get_mut(&line.op).expect("an end has a beginning");
                (op.end, op.said) = (line.at, said);
            }
            (phase, call, said) => panic!("no line of a history: {phase:?} {call:?} {said:?}"),
        }
    }
    ops.into_values().collect()
}
