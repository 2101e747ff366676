//! Whatever happens, a hook exits with 0, in time, and prints nothing.

use std::net::TcpListener;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::json;

use super::session::{Session, feed};
use crate::support::{NOWHERE, Postino, Ran};

const EVENTS: [&str; 5] = ["session-start", "user-prompt-submit", "post-tool-use", "stop", "session-end"];
/// What a hook may take in all.
const LIMIT: Duration = Duration::from_millis(300);

/// Runs something until it was quick enough once: what a busy machine adds is not the hook's. What it took last.
fn quickest(run: impl Fn()) -> Duration {
    let timed = || {
        let start = Instant::now();
        run();
        start.elapsed()
    };
    (0..20).map(|_| timed()).find(|took| *took < LIMIT).unwrap_or_else(timed)
}

/// A command line of the session with the time that users get.
fn in_time(session: &Session<'_>, args: &[&str]) -> Command {
    let mut command = session.command(args);
    command.env_remove("POSTINO_HOOK_MS");
    command
}

#[test]
fn broken_json_is_nothing() {
    let postino = Postino::new();
    let session = Session::start(&postino, "s-1");
    postino.send("alice", "webshop", "hello");
    let half = &session.payload("stop", &json!({}))[..40];
    for stdin in ["", "{", "null", "[]", "7", "\u{0}\u{0}", half, &"{".repeat(200_000)] {
        for event in EVENTS {
            feed(session.command(&["hook", event]), stdin.as_bytes()).is(0, "", "");
        }
    }
    feed(session.command(&["hook", "stop"]), b"{\"session_id\":\"\xff\"}").is(0, "", "");
    let odd = feed(session.command(&["hook", "post-tool-use"]), br#"{"session_id":"s-1","reason":3,"prompt":["x"]}"#);
    assert!(odd.out.contains("1 unread"), "a field that nobody here knows so silences nothing: {odd:?}");
    assert_ne!(session.prompt(), "", "the session is as it was");
}

#[test]
fn a_store_that_is_down_costs_nothing_and_is_said_at_a_start_after_three_failures() {
    let postino = Postino::on(NOWHERE);
    let session = Session::open(&postino, "s-1");
    let hook = |event: &str| session.hook(event, &json!({}));
    assert_eq!(hook("session-start"), "");
    assert_eq!([hook("user-prompt-submit"), hook("post-tool-use")], ["", ""]);
    for event in ["user-prompt-submit", "post-tool-use", "stop"] {
        assert_eq!(hook(event), "", "only a start may say so");
    }
    assert_eq!(hook("session-start"), "[postino] store unreachable; run postino doctor\n");
    let payload = session.payload("stop", &json!({}));
    let took = quickest(|| feed(in_time(&session, &["hook", "stop"]), payload.as_bytes()).is(0, "", ""));
    assert!(took < LIMIT, "{took:?}");
    assert_eq!(hook("session-end"), "");
}

#[test]
fn a_success_ends_the_row_of_failures() {
    let postino = Postino::new();
    let down = [("POSTINO_VALKEY_URL", NOWHERE)];
    // A session whose registration names no store follows the settings of each hook.
    let session = Session::open(&postino, "s-1");
    let fail = || session.hook_with("session-start", &json!({}), &down);
    assert_eq!([fail(), fail()], ["", ""]);
    let other = Session::start(&postino, "s-2");
    assert_eq!([fail(), fail(), fail()], ["", "", ""]);
    assert_eq!(fail(), "[postino] store unreachable; run postino doctor\n");
    other.tool();
    assert_eq!(fail(), "");
}

#[test]
fn a_server_that_never_answers_and_a_stdin_that_stays_open_are_given_up_in_time() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let postino = Postino::on(&format!("redis://{}", listener.local_addr().unwrap()));
    let session = Session::open(&postino, "s-1");
    for event in EVENTS {
        let payload = session.payload(event, &json!({}));
        let took = quickest(|| {
            let ran = feed(in_time(&session, &["hook", event]), payload.as_bytes());
            let may_complain = event == "session-start" && ran.out.contains("store unreachable");
            assert!(ran.code == 0 && ran.err.is_empty() && (ran.out.is_empty() || may_complain), "{event}: {ran:?}");
        });
        assert!(took < LIMIT, "{event}: {took:?}");
    }

    let postino = Postino::new();
    let session = Session::open(&postino, "s-1");
    let open_stdin = |args: &[&str], sent: &str| {
        let mut command = in_time(&session, args);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        let _ = std::io::Write::write_all(&mut stdin, sent.as_bytes());
        let ran = Ran::from(child.wait_with_output().unwrap());
        drop(stdin);
        ran
    };
    for sent in ["", "{\"session_id\":", "{}{"] {
        let took = quickest(|| open_stdin(&["hook", "stop"], sent).is(0, "", ""));
        assert!(took < LIMIT, "{sent:?}: {took:?}");
    }
    // One that has been sent all its JSON needs no end of the stream. It may take longer here, but not for ever.
    let mut command = session.command(&["hook", "session-start"]);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    std::io::Write::write_all(&mut stdin, session.payload("session-start", &json!({})).as_bytes()).unwrap();
    let ran = Ran::from(child.wait_with_output().unwrap());
    assert!(ran.out.starts_with("[postino] You are \"webshop\"."), "{ran:?}");
}

#[test]
fn bad_settings_a_missing_home_and_an_unwritable_one_are_nothing() {
    let postino = Postino::new();
    let session = Session::open(&postino, "s-1");
    let payload = session.payload("session-start", &json!({}));
    let silent = |change: &dyn Fn(&mut Command)| {
        let mut command = session.command(&["hook", "session-start"]);
        change(&mut command);
        feed(command, payload.as_bytes()).is(0, "", "");
    };
    std::fs::write(postino.home().join("file"), "").unwrap();
    let no_folder = format!("sqlite:{}", postino.home().join("file/postino.db").display());
    for (variable, value) in [
        ("POSTINO_AGENT_NAME", "not a name"),
        ("POSTINO_MSG_TTL", "soon"),
        ("POSTINO_VALKEY_URL", "http://x"),
        ("POSTINO_VALKEY_URL", &no_folder),
        ("POSTINO_HOME", "/dev/null/x"),
        ("POSTINO_HOME", "/proc"),
    ] {
        silent(&|command| _ = command.env(variable, value));
    }
    // No file of a real home is in reach: there is none that anybody may write.
    silent(&|command| _ = command.env_clear().env("POSTINO_HOOK_MS", "30000").env("HOME", "/dev/null"));
    std::fs::create_dir_all(postino.home().join("postino")).unwrap();
    std::fs::write(postino.home().join("postino/config.toml"), "max_inbox = [").unwrap();
    silent(&|_| ());
}

#[test]
fn debugging_says_one_short_line_on_stderr() {
    let postino = Postino::new();
    let session = Session::open(&postino, "s-1");
    let debug = |event: &str, stdin: &str| {
        let mut command = session.command(&["hook", event]);
        command.env("POSTINO_DEBUG", "1");
        let ran = feed(command, stdin.as_bytes());
        assert_eq!((ran.code, ran.err.lines().count()), (0, 1), "{ran:?}");
        assert!(ran.err.starts_with(&format!("postino: hook {event}: ")) && ran.err.len() < 200, "{ran:?}");
        (ran.out, ran.err)
    };
    assert!(debug("stop", "").1.contains("no JSON"));
    assert!(debug("pre-compact", "{}").1.contains("nothing to do"));
    assert!(!debug("session-start", &session.payload("session-start", &json!({}))).0.is_empty());
    let (out, err) = debug("stop", &session.payload("stop", &json!({})));
    assert!(out.is_empty() && err.contains("nothing new"), "{err}");
}
