//! MCP as a front end: a server process a client, which speaks for one agent as long as it lives.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

use super::{Front, mail, sent, settled};
use crate::field::{LEASE, Mishap, Post};
use crate::history::{Call, Said};

/// A client with a server of its own; started again when it has died.
pub(crate) struct Mcp<'a> {
    post: &'a Post,
    server: Option<Server>,
}

struct Server {
    process: Child,
    stdin: ChildStdin,
    stdout: BufReader<ChildStdout>,
    agent: String,
    last: u64,
}

impl<'a> Mcp<'a> {
    pub(crate) fn new(post: &'a Post) -> Mcp<'a> {
        Mcp { post, server: None }
    }
}

impl Front for Mcp<'_> {
    fn takes(&self) -> bool {
        false
    }

    fn call(&mut self, call: &Call, mishap: Option<Mishap>) -> Said {
        let (agent, tool, arguments) = match call {
            Call::Send { from, to, body, key } => {
                let mut mail = json!({ "to": to, "body": body });
                if let Some(key) = key {
                    mail["key"] = json!(key);
                }
                (from, "msg_send", mail)
            }
            Call::Read { mailbox, .. } => (mailbox, "msg_read", json!({ "limit": 3, "lease": LEASE })),
            Call::Settle { mailbox, receipts, acks } => {
                let action = if *acks { "ack" } else { "release" };
                (mailbox, "msg_ack", json!({ "receipts": receipts, "action": action }))
            }
        };
        if self.server.as_ref().is_none_or(|server| server.agent != *agent) {
            self.server = Server::start(self.post, agent);
        }
        let Some(server) = &mut self.server else { return Said::Refused { why: "it does not start".to_owned() } };
        let answer = std::thread::scope(|scope| {
            let pid = Pid::from_child(&server.process);
            if let Some(mishap) = mishap {
                scope.spawn(move || befall(pid, mishap));
            }
            server.ask("tools/call", &json!({ "name": tool, "arguments": arguments }))
        });
        let Some(answer) = answer else {
            self.server = None;
            return Said::Unknown { why: "the server died".to_owned() };
        };
        let result = &answer["result"];
        let structured = &result["structuredContent"];
        if result["isError"] == true || structured.is_null() {
            let why = answer.to_string();
            let unknown = why.contains("outcome is unknown");
            return if unknown { Said::Unknown { why } } else { Said::Refused { why } };
        }
        match call {
            Call::Send { .. } => sent(structured),
            Call::Read { .. } => mail(structured, true),
            Call::Settle { .. } => settled(structured),
        }
    }
}

/// Lets the process meet its mishap; it is not waited for before its client is, so the id is still its own.
fn befall(pid: Pid, mishap: Mishap) {
    match mishap {
        Mishap::Kill(after) => {
            std::thread::sleep(after);
            let _ = kill_process(pid, Signal::KILL);
        }
        Mishap::Stop(after, pause) => {
            std::thread::sleep(after);
            let _ = kill_process(pid, Signal::STOP);
            std::thread::sleep(pause);
            let _ = kill_process(pid, Signal::CONT);
        }
    }
}

impl Server {
    /// Starts a server for this agent; `None` when it ends at once.
    fn start(post: &Post, agent: &str) -> Option<Server> {
        let mut command = post.command(agent, &["mcp"]);
        command.env("POSTINO_AGENT_NAME", agent).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut process = command.spawn().unwrap();
        let (stdin, stdout) = (process.stdin.take().unwrap(), BufReader::new(process.stdout.take().unwrap()));
        let mut server = Server { process, stdin, stdout, agent: agent.to_owned(), last: 0 };
        let info = json!({ "name": "faults", "version": "1" });
        server
            .ask("initialize", &json!({ "protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": info }))?;
        server.write(&json!({ "jsonrpc": "2.0", "method": "notifications/initialized" }))?;
        Some(server)
    }

    fn write(&mut self, message: &Value) -> Option<()> {
        self.stdin.write_all(format!("{message}\n").as_bytes()).and_then(|()| self.stdin.flush()).ok()
    }

    /// The answer to a request; `None` when the server died over it.
    fn ask(&mut self, method: &str, params: &Value) -> Option<Value> {
        self.last += 1;
        self.write(&json!({ "jsonrpc": "2.0", "id": self.last, "method": method, "params": params }))?;
        loop {
            let mut line = String::new();
            if self.stdout.read_line(&mut line).ok()? == 0 {
                return None;
            }
            let message: Value = serde_json::from_str(&line).ok()?;
            if message["id"] == self.last && (message["result"].is_object() || message["error"].is_object()) {
                return Some(message);
            }
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
