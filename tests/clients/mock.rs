//! A model that answers from a script and remembers what it was asked, over HTTP on loopback.
//!
//! It is also the proxy of the clients under test: whatever they ask of another host ends here, refused and recorded.
//! It knows no client; how an answer is worded for which API stands in `dialect`.

mod dialect;

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::thread;

use serde_json::{Value, json};
use tiny_http::{Header, Method, Request, Response, Server};

use crate::world::until;

/// What the model answers.
#[derive(Clone, Debug)]
pub enum Reply {
    /// Words, which end the turn.
    Text(String),
    /// A command for the client's shell tool.
    Shell(String),
    /// A call of a tool of this name, with these arguments.
    Tool(String, Value),
}

/// Words, which end the turn.
pub fn text(words: &str) -> Reply {
    Reply::Text(words.to_owned())
}

/// A command for the client's shell tool.
pub fn shell(command: &str) -> Reply {
    Reply::Shell(command.to_owned())
}

/// A call of a tool.
pub fn tool(name: &str, given: Value) -> Reply {
    Reply::Tool(name.to_owned(), given)
}

/// An answer that is worked out, and may do something first, when its turn comes.
type Step = Box<dyn FnOnce() -> Reply + Send>;

/// What was asked and what will be answered.
#[derive(Default)]
struct Shared {
    turns: Mutex<Vec<Turn>>,
    script: Mutex<VecDeque<Step>>,
    strangers: Mutex<Vec<String>>,
}

/// A model on loopback; it ends when it is dropped.
pub struct Mock {
    /// Its address, without a path.
    pub url: String,
    server: Arc<Server>,
    shared: Arc<Shared>,
}

impl Mock {
    /// Starts one on a free port.
    pub fn start() -> Mock {
        let server = Arc::new(Server::http("127.0.0.1:0").unwrap());
        let url = format!("http://{}", server.server_addr().to_ip().unwrap());
        let shared = Arc::new(Shared::default());
        let (ears, mind) = (Arc::clone(&server), Arc::clone(&shared));
        thread::spawn(move || {
            for request in ears.incoming_requests() {
                let mind = Arc::clone(&mind);
                // One thread a request: an answer may take its time while another request comes in.
                thread::spawn(move || mind.answer(request));
            }
        });
        Mock { url, server, shared }
    }

    /// The next answers, in order; when none are left the model says `ok`.
    pub fn answers(&self, replies: impl IntoIterator<Item = Reply>) {
        for reply in replies {
            self.answers_after(|| {}, reply);
        }
    }

    /// The next answer, given when something has been done first.
    pub fn answers_after(&self, first: impl FnOnce() + Send + 'static, reply: Reply) {
        self.shared.script.lock().unwrap().push_back(Box::new(move || {
            first();
            reply
        }));
    }

    /// What the model was asked so far.
    pub fn turns(&self) -> Vec<Turn> {
        self.shared.turns.lock().unwrap().clone()
    }

    /// The latest thing it was asked.
    pub fn last(&self) -> Turn {
        self.turns().pop().expect("the model was asked")
    }

    /// Waits for a request that holds these words.
    pub fn hears(&self, words: &str) -> Turn {
        until(&format!("the model hears {words:?}"), || self.turns().into_iter().find(|turn| turn.says(words)))
    }

    /// The variables that put every other host out of a client's reach.
    pub fn proxy(&self) -> [(String, String); 3] {
        [("HTTP_PROXY", self.url.as_str()), ("HTTPS_PROXY", &self.url), ("NO_PROXY", "127.0.0.1")]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
    }

    /// Other hosts that the client tried to reach, and could not.
    pub fn strangers(&self) -> Vec<String> {
        self.shared.strangers.lock().unwrap().clone()
    }
}

impl Drop for Mock {
    fn drop(&mut self) {
        self.server.unblock();
    }
}

impl Shared {
    fn answer(&self, mut request: Request) {
        let path = request.url().split('?').next().unwrap_or_default().to_owned();
        if *request.method() == Method::Connect || !path.starts_with('/') {
            self.strangers.lock().unwrap().push(path);
            return drop(request.respond(Response::empty(403)));
        }
        let mut body = String::new();
        let _ = request.as_reader().read_to_string(&mut body);
        let body: Value = serde_json::from_str(&body).unwrap_or_default();
        let (kind, content) = match path.as_str() {
            "/v1/messages" | "/v1/responses" => self.think(&path, body),
            "/v1/messages/count_tokens" => ("application/json", json!({"input_tokens": 1}).to_string()),
            _ => ("application/json", json!({"data": [], "models": []}).to_string()),
        };
        let kind = Header::from_bytes("Content-Type", kind).unwrap();
        let _ = request.respond(Response::from_string(content).with_header(kind));
    }

    /// Records a request and takes the next answer; small questions on the side, which offer no tools, get a word.
    fn think(&self, path: &str, body: Value) -> (&'static str, String) {
        let offers_tools = body["tools"].as_array().is_some_and(|tools| !tools.is_empty());
        let reply = if offers_tools {
            self.turns.lock().unwrap().push(Turn { body: body.clone() });
            let step = self.script.lock().unwrap().pop_front();
            step.map_or_else(|| text("ok"), |step| step())
        } else {
            text("aside")
        };
        match path {
            "/v1/messages" if body["stream"] == true => ("text/event-stream", dialect::messages_stream(&reply)),
            "/v1/messages" => ("application/json", dialect::message(&reply).to_string()),
            _ => ("text/event-stream", dialect::responses_stream(&reply)),
        }
    }
}

/// One request to the model.
#[derive(Clone, Debug)]
pub struct Turn {
    body: Value,
}

impl Turn {
    /// Every text in what the model was told: system, messages, results of tools.
    pub fn texts(&self) -> Vec<String> {
        let mut found = Vec::new();
        for part in ["system", "instructions", "messages", "input"] {
            collect(&self.body[part], &mut found);
        }
        found
    }

    /// The names of the tools that the model was offered.
    pub fn tools(&self) -> Vec<String> {
        let tools = self.body["tools"].as_array().into_iter().flatten();
        tools.filter_map(|tool| tool["name"].as_str().map(str::to_owned)).collect()
    }

    /// Whether these words were among it.
    pub fn says(&self, words: &str) -> bool {
        self.texts().iter().any(|text| text.contains(words))
    }

    /// The lines that hold these words, in order.
    pub fn lines(&self, words: &str) -> Vec<String> {
        let texts = self.texts();
        texts.iter().flat_map(|text| text.lines()).filter(|line| line.contains(words)).map(str::to_owned).collect()
    }
}

fn collect(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::String(text) => found.push(text.clone()),
        Value::Array(items) => items.iter().for_each(|item| collect(item, found)),
        Value::Object(fields) => fields.values().for_each(|field| collect(field, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}
