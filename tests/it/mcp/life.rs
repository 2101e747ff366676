//! How long the server lives: as long as its client, and the session as long as whatever it ends with.

use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::json;

use super::client::Client;
use crate::hook::session::{Session, registered};
use crate::server::until;
use crate::support::{Postino, Ran};

#[test]
fn it_ends_when_stdin_is_closed_and_answers_what_was_asked_before() {
    let postino = Postino::new();
    postino.send("alice", "me", "hello");
    let mut me = Client::named(&postino, "me");
    let begin = Instant::now();
    let calls = [me.call("msg_read", &json!({})), me.call("msg_send", &json!({"to": "alice", "body": "bye"}))];
    me.finish();
    assert!(begin.elapsed() < Duration::from_secs(10), "{:?}", begin.elapsed());
    assert!(calls.iter().all(|id| me.answer(*id)["result"]["isError"] == false));
    assert_eq!(postino.json("alice", &["read"])["messages"][0]["body"], "bye");
    assert_eq!(postino.json("me", &["check"])["unreadMessages"], 0);
    // Before anything was asked, too.
    let mut other = Client::start(postino.command(&["mcp"]));
    other.finish();
    // It may end while it takes the lock for a registration; what that leaves is swept, and is no session.
    assert!(!registered(&postino).iter().any(|file| file.ends_with(".json")));
    assert!(other.said().is_empty());
}

#[test]
fn without_hooks_the_session_ends_with_the_server() {
    let postino = Postino::new();
    let session = Session::open(&postino, "s-1");
    let mut server = Client::initialized(session.command(&["mcp"]));
    server.tool("msg_whoami", &json!({}));
    assert_eq!(registered(&postino).iter().filter(|file| file.ends_with(".json")).count(), 1);
    server.finish();
    assert_eq!(registered(&postino), [""; 0]);
    let agents = postino.json("alice", &["agents"])["items"].clone();
    let agent = agents.as_array().unwrap().iter().find(|agent| agent["name"] == "webshop").unwrap();
    assert_eq!(agent["online"], false);
}

#[test]
fn it_ends_soon_after_its_client_was_killed_and_takes_leave_for_it() {
    let postino = Postino::new();
    let mut session = Session::start(&postino, "s-1");
    let mut server = Client::initialized(session.command(&["mcp"]));
    server.tool("msg_whoami", &json!({}));
    // stdin stays open: this test holds it.
    session.kill();
    let begin = Instant::now();
    assert_eq!(server.ends(), Some(0));
    assert!(begin.elapsed() < Duration::from_secs(6), "{:?}", begin.elapsed());
    assert_eq!(registered(&postino), [""; 0]);
    assert_eq!(postino.json("alice", &["broadcasts", "--all"])["items"][0]["body"], "webshop left");
}

#[test]
fn it_does_not_outlive_a_parent_that_is_no_known_client() {
    let postino = Postino::new();
    // A shell that starts the server in the background of its own and is killed; the pipe's other end stays open here.
    let script = format!("exec 3<&0; '{}' mcp <&3 & echo $!; wait", env!("CARGO_BIN_EXE_postino"));
    let plain = postino.command::<&str>(&[]);
    let mut command = Command::new("/bin/sh");
    command.env_clear().envs(plain.get_envs().filter_map(|(name, value)| Some((name, value?))));
    command.args(["-c", &script]).stdin(Stdio::piped()).stdout(Stdio::piped()).process_group(0);
    let mut parent = command.spawn().unwrap();
    let mut line = String::new();
    std::io::BufRead::read_line(&mut std::io::BufReader::new(parent.stdout.as_mut().unwrap()), &mut line).unwrap();
    let server = std::path::PathBuf::from(format!("/proc/{}", line.trim()));
    assert!(server.exists());
    // It has found its parent once it reads: three threads at least.
    until("a server", || std::fs::read_dir(server.join("task")).is_ok_and(|tasks| tasks.count() > 2));
    let stdin = parent.stdin.take();
    parent.kill().unwrap();
    parent.wait().unwrap();
    until("its end", || !server.exists());
    drop(stdin);
}

#[test]
fn settings_that_cannot_be_read_are_told_by_each_call_until_they_are_mended() {
    let postino = Postino::new();
    std::fs::create_dir_all(postino.home().join("postino")).unwrap();
    let config = postino.home().join("postino/config.toml");
    std::fs::write(&config, "msg_ttl = \"long\"\n").unwrap();
    let mut me = Client::named(&postino, "me");
    assert!(me.fails("msg_check", &json!({})).contains("msg_ttl"));
    std::fs::write(&config, "msg_ttl = 60\n").unwrap();
    assert_eq!(me.tool("msg_whoami", &json!({}))["agent"], "me");
    me.finish();
}

/// Ends the web server of a home.
struct Ended<'a>(&'a Postino);

impl Drop for Ended<'_> {
    fn drop(&mut self) {
        Ran::of(&mut self.0.command(&["serve", "stop"]));
    }
}

#[test]
fn it_starts_the_web_server_unless_that_is_not_wanted() {
    let postino = Postino::new();
    let _ended = Ended(&postino);
    let command = |words: &[&str], wanted: &str| {
        let mut command = postino.command(words);
        command.env("POSTINO_WEB_ENABLED", wanted).env("POSTINO_WEB_PORT", "0").env("POSTINO_AGENT_NAME", "me");
        command
    };
    let runs = || Ran::of(&mut command(&["serve", "status"], "true")).code == 0;
    let seen = || postino.json("alice", &["agents"])["items"].to_string().contains("\"mcp\"");
    let mut without = Client::initialized(command(&["mcp"], "false"));
    until("presence", seen);
    assert!(!runs());
    without.finish();
    let mut with = Client::initialized(command(&["mcp"], "true"));
    until("a web server", runs);
    // It outlives who started it.
    with.finish();
    assert!(runs());
}

#[test]
fn presence_is_written_anew_while_it_runs() {
    let postino = Postino::new();
    let me = Client::named(&postino, "me");
    let seen = || {
        let agents = postino.json("alice", &["agents"])["items"].clone();
        agents.as_array().unwrap().iter().find(|agent| agent["name"] == "me").map(|agent| agent["lastSeen"].to_string())
    };
    until("presence", || seen().is_some());
    let first = seen();
    let begin = Instant::now();
    until("presence anew", || seen() != first);
    assert!(begin.elapsed() < Duration::from_secs(16), "{:?}", begin.elapsed());
    drop(me);
}
