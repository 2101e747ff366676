//! One name in every process of a session, and no name in two sessions.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use serde_json::json;

use super::session::{Session, feed, registered};
use crate::support::{Postino, Ran};

fn cleared<'a>(mut session: Session<'a>, id: &str) -> Session<'a> {
    session.hook("session-end", &json!({"reason": "clear"}));
    session.id = id.to_owned();
    session.hook("session-start", &json!({"source": "clear"}));
    session
}

#[test]
fn clear_keeps_the_name_and_resume_brings_it_back() {
    let postino = Postino::new();
    let first = Session::start(&postino, "s-1");
    let second = Session::start(&postino, "s-2");
    assert_eq!((first.name(), second.name()), ("webshop".into(), "webshop-2".into()));
    assert_eq!(second.run(&["rename", "reviewer"]).code, 0);
    let second = cleared(second, "s-2b");
    assert_eq!(second.name(), "reviewer");
    second.hook("session-end", &json!({"reason": "other"}));
    drop(second);
    for id in ["s-2", "s-2b"] {
        let again = Session::open(&postino, id);
        let told = again.hook("session-start", &json!({"source": "resume"}));
        assert!(told.starts_with("[postino] You are \"reviewer\"."), "{told}");
        again.hook("session-end", &json!({"reason": "other"}));
    }
}

#[test]
fn another_conversation_in_the_same_process_brings_its_name_and_leaves_the_old_one_free() {
    let postino = Postino::new();
    let before = Session::start(&postino, "s-old");
    assert_eq!(before.run(&["rename", "reviewer"]).code, 0);
    before.hook("session-end", &json!({"reason": "other"}));
    postino.send("alice", "reviewer", "for the old conversation");
    // `--continue`: the MCP server, with an id of its own, or the monitor came before the hook.
    let mut session = Session::start(&postino, "s-mcp");
    assert_eq!(session.name(), "webshop");
    session.id = "s-old".into();
    let told = session.hook("session-start", &json!({"source": "resume"}));
    assert!(told.contains("\"reviewer\"") && told.contains("newest from alice"), "{told}");
    assert_eq!(session.name(), "reviewer");
    let next = Session::start(&postino, "s-next");
    assert_eq!(next.name(), "webshop");
    // A fork has a new id: it keeps the process's name, or gets the next free one in a process of its own.
    session.id = "s-fork".into();
    session.hook("session-start", &json!({"source": "fork"}));
    assert_eq!(session.name(), "reviewer");
    let fork = Session::start(&postino, "s-fork-elsewhere");
    assert_eq!(fork.name(), "webshop-2");
}

#[test]
fn a_name_given_to_any_process_is_the_sessions_until_it_is_renamed() {
    let postino = Postino::new();
    let given = [("POSTINO_AGENT_NAME", "researcher")];
    let session = Session::start(&postino, "s-1");
    assert_eq!(session.name(), "webshop");
    postino.send("alice", "webshop", "to the first name");
    // A process that carries the name comes later.
    session.hook_with("post-tool-use", &json!({}), &given);
    assert_eq!(session.name(), "researcher");
    let told = session.prompt();
    assert!(told.starts_with("[postino] You are \"researcher\".\n[postino] 1 unread"), "{told}");
    assert!(!session.prompt().contains("You are"), "told once");
    assert_eq!(session.run(&["rename", "writer"]).code, 0);
    session.hook_with("post-tool-use", &json!({}), &given);
    assert_eq!((session.name().as_str(), session.prompt().contains("You are")), ("writer", false));

    let second = Session::open(&postino, "s-2");
    second.hook_with("session-start", &json!({}), &given);
    let third = Session::open(&postino, "s-3");
    let told = third.hook_with("session-start", &json!({}), &given);
    assert_eq!(
        (second.name(), third.name()),
        ("researcher-2".into(), "researcher-3".into()),
        "held while `writer` lives"
    );
    assert!(
        told.starts_with("[postino] You are \"researcher-3\" (researcher was held by another live session)."),
        "{told}"
    );
}

#[test]
fn a_dead_clients_name_is_free_and_its_files_are_swept() {
    let postino = Postino::new();
    let mut dead = Session::start(&postino, "s-1");
    assert_eq!(dead.run(&["rename", "reviewer"]).code, 0);
    dead.kill();
    assert_eq!(registered(&postino).len(), 2);
    let next = Session::start(&postino, "s-1");
    assert_eq!(next.name(), "reviewer");
    let pid = next.process.id().to_string();
    assert!(registered(&postino).iter().all(|file| file.starts_with(&pid)), "{:?}", registered(&postino));
}

#[test]
fn a_conversation_that_is_open_twice_keeps_its_own_name() {
    let postino = Postino::new();
    for day in 1..=3 {
        let tabs = [Session::start(&postino, "s-1"), Session::start(&postino, "s-1")];
        assert_eq!(tabs.each_ref().map(Session::name), ["webshop", "webshop-2"], "day {day}");
        for tab in tabs {
            tab.hook("session-end", &json!({"reason": "other"}));
        }
    }
    // One that was never alone comes back under the name that it got, and takes a new one when it is renamed.
    let first = Session::start(&postino, "s-1");
    let second = Session::start(&postino, "s-2");
    assert_eq!(second.name(), "webshop-2");
    second.hook("session-end", &json!({"reason": "other"}));
    first.hook("session-end", &json!({"reason": "other"}));
    let second = Session::start(&postino, "s-2");
    assert_eq!(second.name(), "webshop-2");
    assert_eq!(second.run(&["rename", "writer"]).code, 0);
    second.hook("session-end", &json!({"reason": "other"}));
    assert_eq!(Session::start(&postino, "s-2").name(), "writer");
}

#[test]
fn a_session_that_lost_its_name_is_told_at_the_next_prompt() {
    let postino = Postino::new();
    let start = |id| {
        let session = Session::open(&postino, id);
        session.hook_with("session-start", &json!({}), &[("POSTINO_AGENT_NAME", "reviewer")]);
        session
    };
    start("s-1").kill();
    let winner = start("s-2");
    // The first session, alive after all: its claim in a process that runs.
    let sleeper = start("s-3");
    let own = |name: &String| name.starts_with(&format!("{}-", sleeper.process.id())) && name.ends_with(".json");
    let sessions = std::fs::read_dir(postino.home().join("postino/sessions")).unwrap().next().unwrap().unwrap();
    let file = sessions.path().join(registered(&postino).into_iter().find(own).unwrap());
    let mut registration: serde_json::Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
    for (field, value) in [("generation", json!(1)), ("name", json!("reviewer")), ("announced", json!("reviewer"))] {
        registration[field] = value;
    }
    std::fs::write(&file, registration.to_string()).unwrap();
    assert_eq!(sleeper.tool(), "");
    assert_eq!((winner.name(), sleeper.name()), ("reviewer".into(), "reviewer-2".into()));
    let told = sleeper.prompt();
    assert!(
        told.starts_with("[postino] You are \"reviewer-2\" (reviewer was held by another live session)."),
        "{told}"
    );
}

/// A shell that is called like a client, for a script in it.
fn shell(postino: &Postino, wrapped_by: &[&str], script: &str) -> Command {
    shell_called(postino, "claude", wrapped_by, script)
}

/// A shell under another name, for a script in it.
pub(crate) fn shell_called(postino: &Postino, name: &str, wrapped_by: &[&str], script: &str) -> Command {
    let program = postino.home().join(name);
    if !program.exists() {
        std::fs::copy("/bin/sh", &program).unwrap();
    }
    let mut command = match wrapped_by {
        [] => Command::new(program),
        [first, rest @ ..] => {
            let mut command = Command::new(first);
            command.args(rest).arg(program);
            command
        }
    };
    let plain = postino.command::<&str>(&[]);
    command.env_clear().envs(plain.get_envs().filter_map(|(name, value)| Some((name, value?))));
    command.env_remove("POSTINO_CLIENT_PID").env("POSTINO_HOOK_MS", "30000").env("PATH", "/usr/bin:/bin");
    command.env("postino", env!("CARGO_BIN_EXE_postino")).env("home", postino.home());
    let dir = postino.home().join("webshop");
    std::fs::create_dir_all(&dir).unwrap();
    command.current_dir(dir).args(["-c", script]).stdin(Stdio::null());
    command
}

/// What a script in a client prints.
fn within(postino: &Postino, script: &str) -> String {
    let ran = Ran::of(&mut shell(postino, &[], script));
    assert_eq!((ran.code, ran.err.as_str()), (0, ""), "{script}");
    ran.out
}

#[test]
fn the_nearest_client_among_the_ancestors_counts_and_a_nested_one_is_its_own() {
    let postino = Postino::new();
    // The nested client is another process of the same program, in a shell in a client; the environment it gets is the outer's.
    let script = r#"
        start() { echo "{\"session_id\":\"$1\",\"hook_event_name\":\"SessionStart\"}" | "$postino" hook session-start; }
        start outer
        export CLAUDE_PID=$$ CLAUDE_CODE_SESSION_ID=outer
        sh -c '"$postino" whoami --json'
        sh -c '"$home/claude" -c "\"\$postino\" whoami --json; true"'
        sh -c '"$home/claude" -c "echo {\\\"session_id\\\":\\\"inner\\\"} | \"\$postino\" hook session-start; \"\$postino\" whoami --json; true"'
        "$postino" whoami --json
        true
    "#;
    let out = within(&postino, script);
    let names: Vec<String> = out.lines().filter(|line| line.starts_with('{')).map(name_in).collect();
    // Before it registers, the nested one has no session, only the guess that any shell has.
    assert_eq!(names, ["webshop", "webshop", "webshop-2", "webshop"], "{out}");
    let said: Vec<&str> = out.lines().filter(|line| line.contains("You are")).collect();
    assert_eq!(said[0], "[postino] You are \"webshop\".");
    assert!(said[1].starts_with("[postino] You are \"webshop-2\"."), "{said:?}");
}

#[test]
fn a_shell_between_the_client_and_a_hook_that_names_it_is_not_the_client() {
    let postino = Postino::new();
    // The shells stay until the hook has ended, as some do for any command.
    let script = r#"
        hook() { echo '{"session_id":"s","prompt":"x"}' | sh -c "\"\$postino\" hook $1 codex; true"; }
        hook session-start
        "$postino" --agent bob send webshop hello --quiet
        hook post-tool-use
        hook post-tool-use
        "$postino" whoami --json
        true
    "#;
    let out = within(&postino, script);
    let told: Vec<&str> = out.lines().filter(|line| line.contains("hookSpecificOutput")).collect();
    assert_eq!(told.len(), 2, "{out}");
    assert!(told[0].contains("SessionStart") && told[1].contains("PostToolUse"), "{out}");
    assert_eq!(name_in(out.lines().last().unwrap()), "webshop");
    let files = registered(&postino);
    assert_eq!(files.iter().filter(|name| name.ends_with(".json")).count(), 1, "{files:?}");
}

#[test]
fn without_a_client_a_hook_does_nothing() {
    let postino = Postino::new();
    let payload = br#"{"session_id":"s-1","hook_event_name":"SessionStart"}"#;
    feed(postino.command(&["hook", "session-start"]), payload).is(0, "", "");
    let mut gone = Session::open(&postino, "s-1");
    gone.kill();
    feed(gone.command(&["hook", "session-start"]), payload).is(0, "", "");
    assert_eq!(registered(&postino), [""; 0]);
}

/// How to run something among processes of its own, as in a container; said loudly where that is not allowed.
fn container() -> Option<&'static [&'static str]> {
    const WAYS: [&[&str]; 2] = [
        &["unshare", "--pid", "--fork", "--mount-proc", "--kill-child"],
        &["unshare", "--user", "--map-root-user", "--pid", "--fork", "--mount-proc", "--kill-child"],
    ];
    let works = |way: &&[&str]| {
        let mut command = Command::new(way[0]);
        command.args(&way[1..]).arg("true").stdin(Stdio::null()).stderr(Stdio::null());
        command.status().is_ok_and(|status| status.success())
    };
    let way = WAYS.into_iter().find(works);
    if way.is_none() {
        eprintln!("\n*** NO PID NAMESPACE CAN BE MADE HERE: containers were not tested ***\n");
    }
    way
}

#[test]
fn containers_that_share_a_home_keep_to_their_own_sessions() {
    let Some(way) = container() else { return };
    let postino = Postino::new();
    // In both, the client is process 1.
    let script = r#"
        start() { echo "{\"session_id\":\"$1\",\"hook_event_name\":\"SessionStart\"}" | "$postino" hook session-start >/dev/null; }
        start "$0"
        "$postino" whoami --json
        read line
        start "$0"
        "$postino" whoami --json
        true
    "#;
    let begin = |id: &str| {
        let mut command = shell(&postino, way, script);
        let mut child = command.arg(id).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let name = name_in(&lines.next().unwrap().unwrap());
        (child, lines, name)
    };
    let (mut first, mut of_first, name_of_first) = begin("s-1");
    let (mut second, mut of_second, name_of_second) = begin("s-2");
    assert_eq!((name_of_first.as_str(), name_of_second.as_str()), ("webshop", "webshop-2"));
    // Each has started, and swept, once more: both are as they were.
    drop((first.stdin.take(), second.stdin.take()));
    assert_eq!(name_in(&of_first.next().unwrap().unwrap()), "webshop");
    assert_eq!(name_in(&of_second.next().unwrap().unwrap()), "webshop-2");
    assert!(first.wait().unwrap().success() && second.wait().unwrap().success());
    assert_eq!(std::fs::read_dir(postino.home().join("postino/sessions")).unwrap().count(), 2);
}

fn name_in(whoami: &str) -> String {
    let whoami: serde_json::Value = serde_json::from_str(whoami).unwrap();
    whoami["agent"].as_str().unwrap().to_owned()
}
