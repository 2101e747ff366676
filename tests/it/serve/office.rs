//! A web server to test, on a port of its own, and clients for it: plain requests over a socket, and a listener to live events.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::server::free_port;
use crate::support::{Postino, Ran};

/// How long something may take; generous, for a busy machine. Only a failure waits that long.
pub(super) const PATIENCE: Duration = Duration::from_secs(30);

/// Waits until something is there, looking often.
#[track_caller]
pub(super) fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let end = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < end, "in vain: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// The web server of a workspace, ended when dropped.
pub(super) struct Office<'a> {
    pub(super) postino: &'a Postino,
    pub(super) port: u16,
    more: Vec<(&'static str, String)>,
    foreground: Option<Child>,
}

impl<'a> Office<'a> {
    /// A place for one; nothing runs yet.
    pub(super) fn closed(postino: &'a Postino) -> Office<'a> {
        Office { postino, port: free_port(), more: Vec::new(), foreground: None }
    }

    /// One that serves in the background.
    pub(super) fn open(postino: &'a Postino) -> Office<'a> {
        Office::closed(postino).start()
    }

    /// The same with a further variable.
    pub(super) fn with(mut self, name: &'static str, value: &str) -> Office<'a> {
        self.more.push((name, value.to_owned()));
        self
    }

    /// Starts it in the background.
    pub(super) fn start(self) -> Office<'a> {
        let ran = self.run(&["serve", "--detach"]);
        assert_eq!((ran.code, ran.err.as_str()), (0, ""), "{ran:?}");
        self
    }

    /// Starts it as a child of this process, by a shell that does something first.
    pub(super) fn start_by(mut self, shell: &str) -> Office<'a> {
        let plain = self.command(&["serve"]);
        let mut command = Command::new("/bin/sh");
        command.args(["-c", &format!("{shell}; exec \"$0\" serve")]).arg(plain.get_program()).env_clear();
        command.envs(plain.get_envs().filter_map(|(name, value)| Some((name, value?))));
        command.current_dir(self.postino.home()).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        self.foreground = Some(command.spawn().unwrap());
        until("the server serves", || self.record());
        self
    }

    /// A command line that may start this server.
    pub(super) fn command(&self, args: &[&str]) -> Command {
        let mut command = self.postino.command(args);
        command.env("POSTINO_WEB_ENABLED", "true").env("POSTINO_WEB_PORT", self.port.to_string());
        command.envs(self.more.iter().map(|(name, value)| (*name, value.as_str())));
        command
    }

    pub(super) fn run(&self, args: &[&str]) -> Ran {
        Ran::of(&mut self.command(args))
    }

    /// What the server says of itself; `None` while none runs.
    pub(super) fn record(&self) -> Option<Value> {
        let ran = self.run(&["serve", "status", "--json"]);
        (ran.code == 0).then(|| ran.json())
    }

    /// The parent's process id.
    pub(super) fn parent(&self) -> u32 {
        until("a server runs", || self.record())["pid"].as_u64().unwrap().try_into().unwrap()
    }

    /// The child's process id, once there is one.
    pub(super) fn child(&self) -> u32 {
        let parent = self.parent();
        until("a child runs", || children(parent).first().copied())
    }

    /// A request's status and body.
    pub(super) fn ask(&self, head: &str, body: &str) -> (u16, String) {
        self.try_ask(head, body).unwrap_or_else(|| panic!("no answer to {head}"))
    }

    /// The same; `None` when the connection ended before an answer.
    pub(super) fn try_ask(&self, head: &str, body: &str) -> Option<(u16, String)> {
        let mut stream = self.connect();
        let more = if body.is_empty() {
            String::new()
        } else {
            format!("Content-Type: application/json\r\nContent-Length: {}\r\n", body.len())
        };
        let host = self.port;
        let text = format!("{head} HTTP/1.1\r\nHost: 127.0.0.1:{host}\r\nConnection: close\r\n{more}\r\n{body}");
        stream.write_all(text.as_bytes()).ok()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).ok()?;
        let (head, body) = answer.split_once("\r\n\r\n")?;
        Some((head.split(' ').nth(1)?.parse().ok()?, body.to_owned()))
    }

    pub(super) fn get(&self, path: &str) -> (u16, String) {
        self.ask(&format!("GET {path}"), "")
    }

    /// Sends a message by a request; it must be accepted.
    pub(super) fn post(&self, to: &str, body: &str) {
        let (status, answer) = self
            .ask("POST /api/messages", &serde_json::json!({ "to": to, "body": body, "from": "poster" }).to_string());
        assert_eq!(status, 200, "{answer}");
    }

    /// A connection; it is never refused while a parent lives.
    pub(super) fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream
    }

    /// The log, line by line.
    pub(super) fn log(&self) -> Vec<Value> {
        let folder = self.postino.home().join("postino/serve");
        let files = std::fs::read_dir(folder).into_iter().flatten().map(|entry| entry.unwrap().path());
        let logs = files.filter(|path| path.extension().is_some_and(|extension| extension == "log"));
        logs.flat_map(|path| std::fs::read_to_string(path).unwrap().lines().map(str::to_owned).collect::<Vec<_>>())
            .map(|line| serde_json::from_str(&line).unwrap())
            .collect()
    }

    /// How often something is in the log.
    pub(super) fn logged(&self, event: &str) -> usize {
        self.log().iter().filter(|line| line["event"] == event).count()
    }
}

impl Drop for Office<'_> {
    fn drop(&mut self) {
        let stopped = self.run(&["serve", "stop"]);
        if let Some(mut process) = self.foreground.take() {
            let _ = process.kill();
            let _ = process.wait();
        }
        if !std::thread::panicking() {
            assert_eq!(stopped.code, 0, "{stopped:?}");
        }
    }
}

/// The processes that a process has started (Linux).
pub(crate) fn children(parent: u32) -> Vec<u32> {
    let tasks = format!("/proc/{parent}/task/{parent}/children");
    let text = std::fs::read_to_string(tasks).unwrap_or_default();
    text.split_ascii_whitespace().map(|pid| pid.parse().unwrap()).collect()
}

/// Whether a process is there, and no corpse.
pub(super) fn lives(pid: u32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit(')').next().is_some_and(|rest| !rest.is_empty() && !rest.trim_start().starts_with('Z'))
}

/// Sends a signal to one process.
pub(super) fn signal(pid: u32, signal: &str) {
    assert!(Command::new("kill").args([signal, &pid.to_string()]).status().unwrap().success());
}

/// A number from `/proc/PID/status`, in its own unit.
pub(super) fn status_of(pid: u32, key: &str) -> u64 {
    let text = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = text.lines().find(|line| line.starts_with(key)).unwrap();
    line.split_ascii_whitespace().nth(1).unwrap().parse().unwrap()
}

/// What a listener was told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Told {
    pub(super) id: Option<String>,
    pub(super) event: String,
    pub(super) data: Value,
}

/// The content of an answer in chunks.
struct Chunks {
    inner: BufReader<TcpStream>,
    left: usize,
}

impl Read for Chunks {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        if self.left == 0 {
            let mut size = String::new();
            self.inner.read_line(&mut size)?;
            // An end of the connection is an end like the empty chunk.
            self.left = usize::from_str_radix(size.trim_end(), 16).unwrap_or(0);
            if self.left == 0 {
                return Ok(0);
            }
        }
        let most = into.len().min(self.left);
        let read = self.inner.read(&mut into[..most])?;
        self.left = if read == 0 { 0 } else { self.left - read };
        if read > 0 && self.left == 0 {
            self.inner.read_exact(&mut [0; 2])?;
        }
        Ok(read)
    }
}

/// Somebody who listens to live events.
pub(super) struct Listener {
    reader: BufReader<Chunks>,
    pub(super) head: String,
    /// The last id heard, as a browser keeps it.
    pub(super) last: Option<String>,
}

impl Listener {
    /// Listens; behind `last`, if there is one.
    pub(super) fn of(office: &Office<'_>, query: &str, last: Option<&str>) -> Listener {
        Listener::over(office.connect(), office.port, query, last).unwrap()
    }

    /// The same over a connection that is there.
    pub(super) fn over(mut stream: TcpStream, port: u16, query: &str, last: Option<&str>) -> Option<Listener> {
        let last_line = last.map(|id| format!("Last-Event-ID: {id}\r\n")).unwrap_or_default();
        let text = format!("GET /api/events{query} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n{last_line}\r\n");
        stream.write_all(text.as_bytes()).ok()?;
        let mut reader = BufReader::new(stream);
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            if reader.read_line(&mut head).ok()? == 0 {
                return None;
            }
        }
        assert!(head.contains("\r\nTransfer-Encoding: chunked\r\n"), "{head}");
        Some(Listener {
            reader: BufReader::new(Chunks { inner: reader, left: 0 }),
            head,
            last: last.map(str::to_owned),
        })
    }

    /// The next block: its lines. `None` when the stream has ended.
    pub(super) fn block(&mut self) -> Option<Vec<String>> {
        let mut lines = Vec::new();
        loop {
            let mut line = String::new();
            match self.reader.read_line(&mut line) {
                Ok(0) | Err(_) => return None,
                Ok(_) if line == "\n" => return Some(lines),
                Ok(_) => lines.push(line.trim_end().to_owned()),
            }
        }
    }

    /// The next event; `None` when the stream has ended. Comments are no events, and not waited for without end.
    #[track_caller]
    pub(super) fn next(&mut self) -> Option<Told> {
        let end = Instant::now() + PATIENCE;
        loop {
            let block = self.block()?;
            assert!(Instant::now() < end, "nothing happens");
            let field = |name: &str| block.iter().find_map(|line| line.strip_prefix(name)).map(str::to_owned);
            let id = field("id: ");
            if id.is_some() {
                self.last.clone_from(&id);
            }
            if let Some(data) = field("data: ") {
                return Some(Told { id, event: field("event: ").unwrap(), data: serde_json::from_str(&data).unwrap() });
            }
        }
    }

    /// The next event that is in the stream, so has an id.
    #[track_caller]
    pub(super) fn event(&mut self) -> Told {
        loop {
            let told = self.next().expect("the stream goes on");
            if told.id.is_some() {
                return told;
            }
        }
    }

    /// The recipients of the next messages sent, whatever else is told between them.
    #[track_caller]
    pub(super) fn sent(&mut self, count: usize) -> Vec<String> {
        let mut to = Vec::new();
        while to.len() < count {
            let told = self.event();
            if told.event == "message.sent" {
                to.push(told.data["to"].as_str().unwrap().to_owned());
            }
        }
        to
    }

    /// Waits until the stream's place is known, so that everything from now on is told.
    #[track_caller]
    pub(super) fn settle(&mut self) {
        while self.last.is_none() {
            let block = self.block().expect("the stream goes on");
            assert!(block.iter().all(|line| !line.starts_with(':')), "its place is not told");
            self.last = block.iter().find_map(|line| line.strip_prefix("id: ")).map(str::to_owned);
        }
    }
}
