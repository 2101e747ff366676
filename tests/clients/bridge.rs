//! A bridge from HTTP to servers on stdin and stdout, for clients that cannot start one: a request is a line, and its answer the
//! line with its id. Of MCP it knows only that `initialize` begins a session.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;

use serde_json::Value;
use tiny_http::{Header, Method, Request, Response, Server};

use crate::world::until;

/// The header that carries a session's number.
const SESSION: &str = "Mcp-Session-Id";

/// A bridge on a free port; it ends, with its servers, when it is dropped.
pub struct Bridge {
    /// Where it is.
    pub url: String,
    ears: Arc<Server>,
    servers: Arc<Mutex<Vec<Arc<OnStdio>>>>,
}

impl Bridge {
    /// A bridge to what `command` starts, once a session.
    pub fn start(command: impl Fn() -> Command + Send + Sync + 'static) -> Bridge {
        let ears = Arc::new(Server::http("127.0.0.1:0").unwrap());
        let servers: Arc<Mutex<Vec<Arc<OnStdio>>>> = Arc::default();
        let url = format!("http://{}/mcp", ears.server_addr().to_ip().unwrap());
        let (heard, known, command) = (Arc::clone(&ears), Arc::clone(&servers), Arc::new(command));
        thread::spawn(move || {
            for request in heard.incoming_requests() {
                let (known, command) = (Arc::clone(&known), Arc::clone(&command));
                thread::spawn(move || carry(request, &known, &*command));
            }
        });
        Bridge { url, ears, servers }
    }
}

impl Drop for Bridge {
    fn drop(&mut self) {
        self.ears.unblock();
        self.servers.lock().unwrap().clear();
    }
}

/// Carries one request over and its answer back.
fn carry(mut request: Request, servers: &Mutex<Vec<Arc<OnStdio>>>, command: &dyn Fn() -> Command) {
    // What a server says unasked is not carried, so there is no stream to listen to.
    if *request.method() != Method::Post {
        return drop(request.respond(Response::empty(405)));
    }
    let mut body = String::new();
    let read = request.as_reader().read_to_string(&mut body);
    let (Ok(_), Ok(message)) = (read, serde_json::from_str::<Value>(&body)) else {
        return drop(request.respond(Response::empty(400)));
    };
    if message["method"] == "initialize" {
        servers.lock().unwrap().push(Arc::new(OnStdio::start(command())));
    }
    let named = request.headers().iter().find(|header| header.field.equiv(SESSION));
    let named = named.and_then(|header| header.value.as_str().parse::<usize>().ok());
    let (number, server) = {
        let servers = servers.lock().unwrap();
        let number = named.unwrap_or(servers.len().saturating_sub(1));
        (number, servers.get(number).cloned())
    };
    let Some(server) = server else { return drop(request.respond(Response::empty(404))) };
    server.write(&message);
    let is_request = message.get("id").is_some() && message.get("method").is_some();
    if !is_request {
        return drop(request.respond(Response::empty(202)));
    }
    let answer = server.answer(&message["id"]);
    let headers = [("Content-Type", "application/json".to_owned()), (SESSION, number.to_string())];
    let response = headers.iter().fold(Response::from_string(answer.to_string()), |response, (name, value)| {
        response.with_header(Header::from_bytes(*name, value.as_str()).unwrap())
    });
    let _ = request.respond(response);
}

/// A server that runs, and what it has said; killed when it is dropped.
struct OnStdio {
    process: Mutex<Child>,
    stdin: Mutex<ChildStdin>,
    said: Arc<Mutex<Vec<Value>>>,
}

impl OnStdio {
    fn start(mut command: Command) -> OnStdio {
        let mut process = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let said: Arc<Mutex<Vec<Value>>> = Arc::default();
        let (out, heard) = (BufReader::new(process.stdout.take().unwrap()), Arc::clone(&said));
        thread::spawn(move || {
            for line in out.lines().map_while(Result::ok) {
                heard.lock().unwrap().push(serde_json::from_str(&line).unwrap_or_default());
            }
        });
        let stdin = Mutex::new(process.stdin.take().unwrap());
        OnStdio { process: Mutex::new(process), stdin, said }
    }

    fn write(&self, message: &Value) {
        let mut stdin = self.stdin.lock().unwrap();
        let _ = stdin.write_all(format!("{message}\n").as_bytes()).and_then(|()| stdin.flush());
    }

    /// Takes the answer with this id out of what was said.
    fn answer(&self, id: &Value) -> Value {
        until(&format!("an answer to {id}"), || {
            let mut said = self.said.lock().unwrap();
            let at = said.iter().position(|message| message["id"] == *id && message.get("method").is_none())?;
            Some(said.remove(at))
        })
    }
}

impl Drop for OnStdio {
    fn drop(&mut self) {
        let mut process = self.process.lock().unwrap();
        let _ = process.kill();
        let _ = process.wait();
    }
}
