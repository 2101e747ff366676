//! The monitor: a line soon after an arrival, few lines, presence, and a life that is the client's.

use std::io::{BufRead, BufReader};
use std::process::{Child, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::json;

use super::session::{Session, registered};
use crate::server::{Flavor, Server, available, until};
use crate::support::{NOWHERE, Postino, on_each_store};

/// Long enough for anything on a busy machine.
const PATIENCE: Duration = Duration::from_secs(30);

/// A monitor that runs, and what it has said.
struct Monitor {
    process: Child,
    lines: Arc<Mutex<Vec<(Instant, String)>>>,
    taken: usize,
}

impl Monitor {
    fn start(session: &Session<'_>) -> Monitor {
        let mut process = session.command(&["monitor"]).stdout(Stdio::piped()).spawn().unwrap();
        let lines: Arc<Mutex<Vec<_>>> = Arc::default();
        let (out, said) = (BufReader::new(process.stdout.take().unwrap()), Arc::clone(&lines));
        std::thread::spawn(move || {
            for line in out.lines().map_while(Result::ok) {
                said.lock().unwrap().push((Instant::now(), line));
            }
        });
        Monitor { process, lines, taken: 0 }
    }

    fn count(&self) -> usize {
        self.lines.lock().unwrap().len()
    }

    /// The next line, and when it came.
    #[track_caller]
    fn line(&mut self) -> (Instant, String) {
        until("a line", || self.count() > self.taken);
        self.taken += 1;
        self.lines.lock().unwrap()[self.taken - 1].clone()
    }

    #[track_caller]
    fn is_silent_for(&self, time: Duration) {
        std::thread::sleep(time);
        assert_eq!(self.lines.lock().unwrap()[self.taken..].to_vec(), []);
    }

    /// Waits for its end; how long that took.
    #[track_caller]
    fn ends(&mut self) -> Duration {
        let start = Instant::now();
        loop {
            if let Some(status) = self.process.try_wait().unwrap() {
                assert_eq!(status.code(), Some(0));
                return start.elapsed();
            }
            assert!(start.elapsed() < PATIENCE, "the monitor does not end");
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Monitor {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Whether a monitor has its lock: it is at its post.
fn is_posted(postino: &Postino) -> bool {
    registered(postino).iter().any(|file| file.ends_with(".monitor"))
}

fn arrivals_are_told_once_and_soon_in_few_lines(postino: &Postino) {
    let session = Session::start(postino, "s-1");
    let mut monitor = Monitor::start(&session);
    until("a post", || is_posted(postino));
    let sent = Instant::now();
    postino.send("alice", "webshop", "secret words");
    postino.send("bob", "webshop", "more");
    let (at, line) = monitor.line();
    assert!(
        line.starts_with("postino: 2 unread messages (newest from bob, #") && line.ends_with("msg_read shows them."),
        "{line}"
    );
    assert!(at - sent < Duration::from_secs(2), "{:?}", at - sent);
    // The prompt that the line becomes is told nothing again, nor are the hooks of the turn.
    let wake = format!("<task-notification>\n<event>{line}</event>");
    assert_eq!(session.hook("user-prompt-submit", &json!({"prompt": wake})), "");
    assert_eq!([session.tool(), session.stop()], ["", ""]);
    // More mail while the first waits: one line, not before five seconds; the first may have been seen late.
    postino.send("carol", "webshop", "and more");
    let (again, other) = monitor.line();
    assert!(again - at >= Duration::from_millis(4_500), "{:?}", again - at);
    assert!(other.starts_with("postino: 3 unread messages (newest from carol, #") && other != line, "{other}");
    // What a hook has told, the monitor does not tell.
    session.read();
    postino.send("alice", "webshop", "to the hook");
    assert_ne!(session.tool(), "");
    monitor.is_silent_for(Duration::from_secs(3));
}

on_each_store!(arrivals_are_told_once_and_soon_in_few_lines);

#[test]
fn it_ends_with_its_client_and_takes_leave_for_it() {
    let postino = Postino::new();
    let mut session = Session::start(&postino, "s-1");
    let mut monitor = Monitor::start(&session);
    let mut second = Monitor::start(&session);
    until("a post", || is_posted(&postino));
    // Both have found the client: they watch it, in threads of their own.
    let threads =
        |monitor: &Monitor| std::fs::read_dir(format!("/proc/{}/task", monitor.process.id())).unwrap().count();
    until("watchers", || threads(&monitor) > 2 && threads(&second) > 2);
    session.kill();
    assert!(monitor.ends() < Duration::from_secs(5));
    assert!(second.ends() < Duration::from_secs(5));
    assert_eq!(registered(&postino), [""; 0]);
    let feed = postino.json("alice", &["broadcasts", "--all"]);
    assert_eq!(feed["items"][0]["body"], "webshop left");
    assert_eq!(monitor.count(), 0);
}

#[test]
fn one_of_two_monitors_speaks_and_the_other_takes_over() {
    let postino = Postino::new();
    let session = Session::start(&postino, "s-1");
    let mut monitors = [Monitor::start(&session), Monitor::start(&session)];
    until("a post", || is_posted(&postino));
    postino.send("alice", "webshop", "hello");
    until("a line", || monitors.iter().any(|monitor| monitor.count() > 0));
    let speaker = usize::from(monitors[1].count() > 0);
    monitors[1 - speaker].is_silent_for(Duration::from_secs(2));
    monitors[speaker].process.kill().unwrap();
    session.read();
    postino.send("alice", "webshop", "hello again");
    monitors[1 - speaker].line();
}

#[test]
fn it_registers_a_session_that_no_hook_has_and_follows_its_name() {
    let postino = Postino::new();
    let session = Session::open(&postino, "s-1");
    let mut monitor = Monitor::start(&session);
    until("a registration", || registered(&postino).iter().any(|file| file.ends_with(".json")));
    until("a name", || session.name() == "webshop");
    assert_eq!(session.run(&["rename", "reviewer"]).code, 0);
    postino.send("alice", "reviewer", "hello");
    assert!(monitor.line().1.contains("newest from alice"));
    // An ended session is not made again by its monitor.
    session.hook("session-end", &json!({"reason": "other"}));
    postino.send("alice", "reviewer", "hello");
    monitor.is_silent_for(Duration::from_secs(3));
    assert_eq!(registered(&postino), [""; 0]);
}

#[test]
fn it_is_quiet_while_the_store_is_down_and_writes_presence_anew() {
    for flavor in available() {
        outage(flavor);
    }
}

fn outage(flavor: Flavor) {
    let mut server = Server::start(flavor, &[]);
    let postino = Postino::on(&server.url());
    let session = Session::start(&postino, "s-1");
    let mut monitor = Monitor::start(&session);
    until("a post", || is_posted(&postino));
    session.prompt();
    server.kill();
    monitor.is_silent_for(Duration::from_secs(4));
    assert!(monitor.process.try_wait().unwrap().is_none(), "it lives");
    // The server comes back empty: it has lost the session's presence and its claim.
    server.restart();
    let seen = || {
        let agents = postino.json("alice", &["agents"]);
        agents["items"]
            .as_array()
            .unwrap()
            .iter()
            .any(|agent| agent["name"] == "webshop" && agent["state"] == "working")
    };
    until("presence", seen);
    postino.send("alice", "webshop", "hello");
    assert!(monitor.line().1.contains("newest from alice"));
}

#[test]
fn it_lives_without_a_store_or_with_bad_settings_and_ends_when_nobody_reads() {
    let postino = Postino::on(NOWHERE);
    let mut session = Session::open(&postino, "s-1");
    let mut monitor = Monitor::start(&session);
    std::fs::create_dir_all(postino.home().join("postino")).unwrap();
    monitor.is_silent_for(Duration::from_secs(2));
    std::fs::write(postino.home().join("postino/config.toml"), "max_inbox = [").unwrap();
    let mut other = Monitor::start(&session);
    other.is_silent_for(Duration::from_secs(2));
    assert!(monitor.process.try_wait().unwrap().is_none() && other.process.try_wait().unwrap().is_none());
    let mut command = session.command(&["monitor"]);
    let mut unread = command.stdout(Stdio::piped()).spawn().unwrap();
    drop(unread.stdout.take());
    until("an end", || unread.try_wait().unwrap().is_some());
    session.kill();
    monitor.ends();
    other.ends();
}

#[test]
fn without_a_client_it_says_so() {
    let postino = Postino::new();
    let ran = postino.run("x", &["monitor"]);
    assert_eq!((ran.code, ran.out.as_str()), (2, ""));
    assert!(ran.err.contains("no agent client") && ran.err.contains("postino watch"), "{}", ran.err);
}
