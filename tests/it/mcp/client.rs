//! A small MCP client: it writes requests as lines and waits for their answers. It knows no tool.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::server::until;
use crate::support::Postino;

/// Long enough for anything on a busy machine.
pub(super) const PATIENCE: Duration = Duration::from_secs(60);

/// A server that runs, and what it has said.
pub(super) struct Client {
    pub(super) process: Child,
    stdin: Option<ChildStdin>,
    said: Arc<Mutex<Vec<Value>>>,
    next: u64,
}

impl Client {
    /// Starts a server; nothing is asked yet.
    pub(super) fn start(mut command: Command) -> Client {
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut process = command.spawn().unwrap();
        let said: Arc<Mutex<Vec<Value>>> = Arc::default();
        let (out, lines) = (BufReader::new(process.stdout.take().unwrap()), Arc::clone(&said));
        std::thread::spawn(move || {
            for line in out.lines().map_while(Result::ok) {
                // Whatever is no JSON-RPC is kept as it is, so that tests fail over it.
                let message = serde_json::from_str(&line).unwrap_or_else(|_| json!({ "garbage": line }));
                lines.lock().unwrap().push(message);
            }
        });
        let stdin = process.stdin.take();
        Client { process, stdin, said, next: 0 }
    }

    /// A server of an agent without a client, initialized.
    pub(super) fn named(postino: &Postino, agent: &str) -> Client {
        let mut command = postino.command(&["mcp"]);
        command.env("POSTINO_AGENT_NAME", agent);
        Client::initialized(command)
    }

    /// A server that has been initialized.
    pub(super) fn initialized(command: Command) -> Client {
        let mut client = Client::start(command);
        client.initialize("2025-06-18");
        client
    }

    /// Speaks the older protocol in this version; what the server says of itself.
    pub(super) fn initialize(&mut self, version: &str) -> Value {
        let info = json!({ "name": "test", "version": "1" });
        let params = json!({ "protocolVersion": version, "capabilities": {}, "clientInfo": info });
        let answer = self.ask("initialize", &params);
        self.write(&json!({ "jsonrpc": "2.0", "method": "notifications/initialized" }));
        answer["result"].clone()
    }

    /// Writes a message as a line.
    pub(super) fn write(&mut self, message: &Value) {
        self.write_text(&format!("{message}\n"));
    }

    /// Writes text as it is.
    pub(super) fn write_text(&mut self, text: &str) {
        let stdin = self.stdin.as_mut().unwrap();
        stdin.write_all(text.as_bytes()).and_then(|()| stdin.flush()).unwrap();
    }

    /// Sends a request without waiting; its id.
    pub(super) fn send(&mut self, method: &str, params: &Value) -> u64 {
        self.next += 1;
        self.write(&json!({ "jsonrpc": "2.0", "id": self.next, "method": method, "params": params }));
        self.next
    }

    /// Calls a tool without waiting; the request's id.
    pub(super) fn call(&mut self, tool: &str, arguments: &Value) -> u64 {
        self.send("tools/call", &json!({ "name": tool, "arguments": arguments }))
    }

    /// Everything that the server has said so far.
    pub(super) fn said(&self) -> Vec<Value> {
        self.said.lock().unwrap().clone()
    }

    /// The answer to a request, if it is there.
    pub(super) fn answered(&self, id: u64) -> Option<Value> {
        self.said.lock().unwrap().iter().find(|message| message["id"] == id).cloned()
    }

    /// The answer to a request.
    #[track_caller]
    pub(super) fn answer(&self, id: u64) -> Value {
        let start = Instant::now();
        loop {
            if let Some(answer) = self.answered(id) {
                assert_eq!(answer["jsonrpc"], "2.0");
                return answer;
            }
            assert!(start.elapsed() < PATIENCE, "no answer to {id} among {:?}", self.said());
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    /// Sends a request and waits for the answer.
    #[track_caller]
    pub(super) fn ask(&mut self, method: &str, params: &Value) -> Value {
        let id = self.send(method, params);
        self.answer(id)
    }

    /// Calls a tool, which must succeed; its structured answer, which the text says too.
    #[track_caller]
    pub(super) fn tool(&mut self, tool: &str, arguments: &Value) -> Value {
        let id = self.call(tool, arguments);
        succeeded(&self.answer(id))
    }

    /// Calls a tool, which must fail; the text that the model sees.
    #[track_caller]
    pub(super) fn fails(&mut self, tool: &str, arguments: &Value) -> String {
        let id = self.call(tool, arguments);
        failed(&self.answer(id))
    }

    /// Waits for a message that fits.
    #[track_caller]
    pub(super) fn hears(&self, what: &str, fits: impl Fn(&Value) -> bool) -> Value {
        until(what, || self.said().iter().any(&fits));
        self.said().into_iter().find(fits).unwrap()
    }

    /// Closes stdin.
    pub(super) fn close(&mut self) {
        drop(self.stdin.take());
    }

    /// Closes stdin and waits for the end, which must be a success.
    #[track_caller]
    pub(super) fn finish(&mut self) {
        self.close();
        assert_eq!(self.ends(), Some(0));
    }

    /// Waits for the end; the exit code.
    #[track_caller]
    pub(super) fn ends(&mut self) -> Option<i32> {
        let start = Instant::now();
        loop {
            if let Some(status) = self.process.try_wait().unwrap() {
                return status.code();
            }
            assert!(start.elapsed() < PATIENCE, "the server does not end");
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Kills the server at once.
    pub(super) fn kill(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        self.kill();
    }
}

/// The structured answer of a call that must have succeeded.
#[track_caller]
pub(super) fn succeeded(answer: &Value) -> Value {
    let result = &answer["result"];
    assert_eq!(result["isError"], false, "{answer}");
    let text: Value = serde_json::from_str(result["content"][0]["text"].as_str().unwrap()).unwrap();
    assert_eq!(text, result["structuredContent"]);
    text
}

/// The text of a call that must have failed.
#[track_caller]
pub(super) fn failed(answer: &Value) -> String {
    let result = &answer["result"];
    assert_eq!((&result["isError"], result.get("structuredContent")), (&json!(true), None), "{answer}");
    result["content"][0]["text"].as_str().unwrap().to_owned()
}
