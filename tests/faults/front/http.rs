//! The web server as a front end: a connection a request, so that whatever befalls one befalls no other.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::{Front, mail, sent, settled};
use crate::field::{LEASE, Mishap, Post};
use crate::history::{Call, Said};

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// A web server that runs until dropped.
pub(crate) struct Site {
    parent: Child,
    port: u16,
}

impl Site {
    /// Serves this store on a free port.
    pub(crate) fn of(post: &Post) -> Site {
        let said = post.home().join("said");
        let file = std::fs::File::create(&said).unwrap();
        let mut command = post.plain("web-ui", &["serve"]);
        command.env("POSTINO_WEB_PORT", "0").stdout(file.try_clone().unwrap()).stderr(file).stdin(Stdio::null());
        // It ends with the site, whatever happens from here on.
        let mut site = Site { parent: command.spawn().unwrap(), port: 0 };
        let until = Instant::now() + PATIENCE;
        loop {
            let said = std::fs::read_to_string(&said).unwrap();
            let place = said.split("http://").nth(1).and_then(|rest| rest.split_once('/'));
            if let Some(port) = place.and_then(|(host, _)| host.rsplit(':').next()?.parse().ok()) {
                site.port = port;
                return site;
            }
            assert!(Instant::now() < until, "the web server does not start: {said}");
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Its port.
    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// Kills the process that answers; the parent starts another one.
    pub(crate) fn kill_child(&self) {
        let parent = self.parent.id();
        let children = std::fs::read_to_string(format!("/proc/{parent}/task/{parent}/children")).unwrap_or_default();
        for child in children.split_ascii_whitespace().filter_map(|pid| pid.parse().ok()) {
            // It may be ending by itself.
            let pid = rustix::process::Pid::from_raw(child).unwrap();
            let _ = rustix::process::kill_process(pid, rustix::process::Signal::KILL);
        }
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        // The child ends when its parent does.
        let _ = self.parent.kill();
        let _ = self.parent.wait();
    }
}

/// A client of a server.
pub(crate) struct Http {
    /// Where it connects.
    pub(crate) port: u16,
    /// The server's own port.
    pub(crate) host: u16,
}

impl Front for Http {
    fn takes(&self) -> bool {
        false
    }

    fn call(&mut self, call: &Call, _: Option<Mishap>) -> Said {
        let (path, body) = match call {
            Call::Send { from, to, body, key } => {
                let mut mail = json!({ "from": from, "to": to, "body": body });
                if let Some(key) = key {
                    mail["key"] = json!(key);
                }
                ("/api/messages".to_owned(), mail)
            }
            Call::Read { mailbox, .. } => {
                (format!("/api/messages/{mailbox}/read"), json!({ "limit": 3, "lease": LEASE }))
            }
            Call::Settle { mailbox, receipts, acks } => {
                let what = if *acks { "ack" } else { "release" };
                (format!("/api/messages/{mailbox}/{what}"), json!({ "receipts": receipts }))
            }
        };
        match ask(self, &path, &body) {
            Asked::Nobody(why) => Said::Refused { why },
            Asked::Lost(why) => Said::Unknown { why },
            Asked::Answer(200 | 201, answer) => match call {
                Call::Send { .. } => sent(&answer),
                Call::Read { .. } => mail(&answer, true),
                Call::Settle { .. } => settled(&answer),
            },
            // Some receipts were stale: the answer says which.
            Asked::Answer(_, answer) if answer["stale"].is_array() => settled(&answer),
            Asked::Answer(status, answer) => {
                let why = format!("{status} {answer}");
                if why.contains("outcome is unknown") { Said::Unknown { why } } else { Said::Refused { why } }
            }
        }
    }
}

/// What came of a request.
enum Asked {
    /// Nobody took it.
    Nobody(String),
    /// It was sent, and its answer did not come whole.
    Lost(String),
    /// Status and body.
    Answer(u16, Value),
}

fn ask(http: &Http, path: &str, body: &Value) -> Asked {
    let body = body.to_string();
    let head = format!(
        "POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\
         Connection: close\r\n\r\n",
        http.host,
        body.len()
    );
    let mut stream = match TcpStream::connect((Ipv4Addr::LOCALHOST, http.port)) {
        Ok(stream) => stream,
        Err(error) => return Asked::Nobody(error.to_string()),
    };
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let mut answer = Vec::new();
    let done = stream.write_all(format!("{head}{body}").as_bytes()).and_then(|()| stream.read_to_end(&mut answer));
    whole(&String::from_utf8_lossy(&answer)).unwrap_or_else(|| Asked::Lost(format!("{done:?}")))
}

/// A whole answer.
fn whole(answer: &str) -> Option<Asked> {
    let (head, body) = answer.split_once("\r\n\r\n")?;
    let status = head.split(' ').nth(1)?.parse().ok()?;
    Some(Asked::Answer(status, serde_json::from_str(body).ok()?))
}
