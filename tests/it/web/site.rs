//! A running web server of a test's own, and a client that sends bytes as they are.

use std::fs::File;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::Value;

use crate::server::until;
use crate::support::Postino;

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// A web server that runs until dropped.
pub(super) struct Site {
    process: Child,
    /// Its port on 127.0.0.1.
    pub(super) port: u16,
    /// What it said when it started.
    pub(super) said: String,
}

impl Site {
    /// Serves this postino's store.
    pub(super) fn of(postino: &Postino) -> Site {
        Site::with(postino, &[])
    }

    /// Serves it with further variables.
    pub(super) fn with(postino: &Postino, variables: &[(&str, &str)]) -> Site {
        let mut command = postino.command(&["serve"]);
        command.envs(variables.iter().copied());
        Site::start(command, postino)
    }

    /// Runs a command line that serves, on a free port.
    pub(super) fn start(mut command: Command, postino: &Postino) -> Site {
        let path = postino.home().join("said");
        let file = File::create(&path).unwrap();
        command.env("POSTINO_WEB_PORT", "0");
        command.stdin(Stdio::null()).stdout(file.try_clone().unwrap()).stderr(file);
        let mut site = Site { process: command.spawn().unwrap(), port: 0, said: String::new() };
        until("the server says where it is", || {
            site.said = std::fs::read_to_string(&path).unwrap();
            let url = site.said.split("http://").nth(1).and_then(|rest| rest.split_once('/'));
            site.port = url.and_then(|(host, _)| host.rsplit(':').next()?.parse().ok()).unwrap_or(0);
            assert!(site.port != 0 || site.process.try_wait().unwrap().is_none(), "it ended: {}", site.said);
            site.port != 0
        });
        site
    }

    /// A connection.
    pub(super) fn connect(&self) -> Wire {
        Wire::to(self.port)
    }

    /// The answer to a request that is written out; `PORT` stands for the port, a newline for CRLF.
    pub(super) fn raw(&self, request: &str) -> Reply {
        let mut wire = self.connect();
        wire.send(request.replace("PORT", &self.port.to_string()).replace('\n', "\r\n").as_bytes());
        wire.reply()
    }

    /// The answer to a plain request with these headers.
    pub(super) fn ask(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Reply {
        let mut wire = self.connect();
        wire.ask(self.port, method, path, headers, body);
        wire.reply()
    }

    /// The answer to a GET.
    pub(super) fn get(&self, path: &str) -> Reply {
        self.ask("GET", path, &[], "")
    }

    /// The answer to a POST of JSON.
    pub(super) fn post(&self, path: &str, body: &Value) -> Reply {
        self.ask("POST", path, &[("Content-Type", "application/json")], &body.to_string())
    }

    /// The answer to a DELETE.
    pub(super) fn delete(&self, path: &str) -> Reply {
        self.ask("DELETE", path, &[], "")
    }

    /// The process's id.
    pub(super) fn pid(&self) -> u32 {
        self.process.id()
    }

    /// Whether the process still runs.
    pub(super) fn lives(&mut self) -> bool {
        self.process.try_wait().unwrap().is_none()
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A connection to a server.
pub(super) struct Wire {
    stream: BufReader<TcpStream>,
    /// Whether the last request was one that is answered without a body.
    is_head: bool,
}

impl Wire {
    /// A connection to a port of this machine.
    pub(super) fn to(port: u16) -> Wire {
        let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.set_write_timeout(Some(PATIENCE)).unwrap();
        Wire { stream: BufReader::new(stream), is_head: false }
    }

    /// Sends bytes. The server may have closed already: the answer tells.
    pub(super) fn send(&mut self, bytes: &[u8]) {
        self.is_head = bytes.starts_with(b"HEAD ");
        let _ = self.stream.get_mut().write_all(bytes);
    }

    /// Sends a plain request.
    pub(super) fn ask(&mut self, port: u16, method: &str, path: &str, headers: &[(&str, &str)], body: &str) {
        let mut head = format!("{method} {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n");
        for (name, value) in headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        if !body.is_empty() || method == "POST" {
            head.push_str(&format!("Content-Length: {}\r\n", body.len()));
        }
        self.send(format!("{head}\r\n{body}").as_bytes());
    }

    /// The next answer.
    pub(super) fn reply(&mut self) -> Reply {
        self.try_reply().expect("an answer")
    }

    /// The next answer; `None` when the server closed instead.
    pub(super) fn try_reply(&mut self) -> Option<Reply> {
        let mut line = String::new();
        if self.stream.read_line(&mut line).ok()? == 0 {
            return None;
        }
        let status = line.split(' ').nth(1)?.parse().ok()?;
        let mut headers = Vec::new();
        loop {
            let mut line = String::new();
            self.stream.read_line(&mut line).ok()?;
            match line.trim_end().split_once(": ") {
                Some((name, value)) => headers.push((name.to_ascii_lowercase(), value.to_owned())),
                None => break,
            }
        }
        let mut reply = Reply { status, headers, body: Vec::new() };
        let length = reply.header("content-length").map_or(0, |length| length.parse().unwrap());
        reply.body = vec![0; if self.is_head { 0 } else { length }];
        self.stream.read_exact(&mut reply.body).ok()?;
        Some(reply)
    }
}

/// An answer.
#[derive(Debug)]
pub(super) struct Reply {
    /// Its status.
    pub(super) status: u16,
    headers: Vec<(String, String)>,
    /// Its body.
    pub(super) body: Vec<u8>,
}

impl Reply {
    /// A header by its name in lower case.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The body as text.
    pub(super) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON.
    pub(super) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }

    /// The body of an answer that says that it went well.
    #[track_caller]
    pub(super) fn good(&self) -> Value {
        assert_eq!(self.status, 200, "{}", self.text());
        let json = self.json();
        assert_eq!(json["ok"], true, "{json}");
        json
    }

    /// Fails unless the answer is a failure of this status and kind; gives the message.
    #[track_caller]
    pub(super) fn bad(&self, status: u16, kind: &str) -> String {
        assert_eq!(self.status, status, "{}", self.text());
        let json = self.json();
        assert_eq!((&json["ok"], json["error"]["kind"].as_str()), (&Value::Bool(false), Some(kind)), "{json}");
        json["error"]["message"].as_str().unwrap().to_owned()
    }
}
