//! A call of a history, made through one of postino's front ends, and what its answer means. It knows no promise.

pub(crate) mod http;
pub(crate) mod mcp;

use serde_json::Value;

use crate::field::{Ended, LEASE, Mishap, Post, end};
use crate::history::{Call, Said, Seen};

/// How a client reaches postino.
pub(crate) trait Front: Send {
    /// Makes a call; the mishap befalls the process that carries it out, where there is one of its own.
    fn call(&mut self, call: &Call, mishap: Option<Mishap>) -> Said;

    /// Whether what a read without a lease was handed can be seen by its client whatever happens. Elsewhere an answer that is
    /// lost on its way was flushed, and so acknowledged, and only history tells what was in it.
    fn takes(&self) -> bool;
}

/// A front end to choose.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Way {
    /// The command line.
    Cli,
    /// The web server: the port to connect to, and the one that it believes to be asked at.
    Http { port: u16, host: u16 },
    /// MCP.
    Mcp,
}

impl Way {
    /// A client that goes this way.
    pub(crate) fn front(self, post: &Post) -> Box<dyn Front + '_> {
        match self {
            Way::Cli => Box::new(Cli(post)),
            Way::Http { port, host } => Box::new(http::Http { port, host }),
            Way::Mcp => Box::new(mcp::Mcp::new(post)),
        }
    }
}

/// The command line: a process a call.
pub(crate) struct Cli<'a>(pub(crate) &'a Post);

impl Front for Cli<'_> {
    fn takes(&self) -> bool {
        true
    }

    fn call(&mut self, call: &Call, mishap: Option<Mishap>) -> Said {
        let lease = LEASE.to_string();
        let (agent, mut args) = match call {
            Call::Send { from, to, body, .. } => (from, vec!["send", to, body]),
            Call::Read { mailbox, takes: true, .. } => (mailbox, vec!["read", "--limit", "3"]),
            Call::Read { mailbox, takes: false, .. } => (mailbox, vec!["read", "--limit", "3", "--lease", &lease]),
            Call::Settle { mailbox, acks, .. } => (mailbox, vec![if *acks { "ack" } else { "release" }]),
        };
        match call {
            Call::Send { key: Some(key), .. } => args.extend(["--key", key]),
            Call::Settle { receipts, .. } => args.extend(receipts.iter().map(String::as_str)),
            Call::Send { key: None, .. } | Call::Read { .. } => {}
        }
        args.push("--json");
        meaning(call, &end(self.0.command(agent, &args), mishap))
    }
}

/// What a process says by its end and its answer. What it wrote before it was cut off has been seen.
fn meaning(call: &Call, ended: &Ended) -> Said {
    let answer: Option<Value> = serde_json::from_slice(&ended.stdout).ok();
    let unknown = ended.code.is_none() || ended.stderr.contains("outcome is unknown");
    match (call, answer) {
        (Call::Read { .. }, Some(answer)) => mail(&answer, ended.code == Some(0)),
        (Call::Settle { .. }, Some(answer)) => settled(&answer),
        (Call::Send { .. }, Some(answer)) if ended.code == Some(0) => sent(&answer),
        // A lease may have been given where its answer was lost, also when that is told as a failure.
        _ if unknown || (matches!(call, Call::Read { .. }) && ended.code == Some(7)) => {
            Said::Unknown { why: format!("{:?} {}", ended.code, ended.stderr) }
        }
        _ => Said::Refused { why: format!("{:?} {}", ended.code, ended.stderr) },
    }
}

/// The answer to a send.
pub(crate) fn sent(answer: &Value) -> Said {
    let id = answer["id"].as_str().expect("a send answers with an id").to_owned();
    Said::Sent { id, created: answer["created"] == true }
}

/// The answer to a read.
pub(crate) fn mail(answer: &Value, sure: bool) -> Said {
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let seen = |message: &Value| Seen {
        id: text(&message["id"]).unwrap(),
        body: text(&message["body"]).unwrap(),
        deliveries: message["deliveries"].as_u64().unwrap(),
        receipt: text(&message["receipt"]),
    };
    let messages = answer["messages"].as_array().map(|messages| messages.iter().map(seen).collect());
    Said::Mail { messages: messages.unwrap_or_default(), sure }
}

/// The answer to an ack or a release.
pub(crate) fn settled(answer: &Value) -> Said {
    let receipts = |field: &str| {
        let list = answer[field].as_array().cloned().unwrap_or_default();
        list.iter().map(|receipt| receipt.as_str().unwrap().to_owned()).collect()
    };
    Said::Settled { done: receipts("done"), stale: receipts("stale") }
}
