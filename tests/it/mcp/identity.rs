//! Under which name the server acts: the session's, as it is at each call.

use serde_json::{Value, json};

use super::client::Client;
use crate::hook::names::shell_called;
use crate::hook::session::{Session, registered};
use crate::support::{Postino, Ran};

fn name(client: &mut Client) -> String {
    client.tool("msg_whoami", &json!({}))["agent"].as_str().unwrap().to_owned()
}

#[test]
fn the_server_has_the_sessions_name_whoever_came_first_and_whatever_becomes_of_it() {
    let postino = Postino::new();
    // Before the session's hook.
    let mut session = Session::open(&postino, "s-1");
    let mut server = Client::initialized(session.command(&["mcp"]));
    assert_eq!(name(&mut server), "webshop");
    session.hook("session-start", &json!({"source": "startup"}));
    assert_eq!((session.name(), name(&mut server)), ("webshop".into(), "webshop".into()));
    // Renamed from a shell of the session, and by the server.
    assert_eq!(session.run(&["rename", "reviewer"]).code, 0);
    assert_eq!(name(&mut server), "reviewer");
    server.tool("msg_rename", &json!({"name": "writer"}));
    assert_eq!((session.name(), name(&mut server)), ("writer".into(), "writer".into()));
    // Another conversation in the same process; the server's own session id is now an old one.
    session.hook("session-end", &json!({"reason": "clear"}));
    session.id = "s-2".into();
    session.hook("session-start", &json!({"source": "clear"}));
    assert_eq!(name(&mut server), "writer");
    // Mail goes to the name of the moment, and what the server sends comes from it.
    server.tool("msg_send", &json!({"to": "writer", "body": "to myself"}));
    let read = server.tool("msg_read", &json!({}));
    assert_eq!([&read["messages"][0]["from"], &read["messages"][0]["to"]], ["writer", "writer"]);
    server.finish();
    // The session goes on: its own hook ends it.
    assert_eq!((session.name(), registered(&postino).is_empty()), ("writer".into(), false));
}

#[test]
fn a_client_that_only_its_hook_makes_known_shares_its_name_with_a_server_that_came_before() {
    let postino = Postino::new();
    // A program that postino does not know starts its server, then calls a hook that says whose it is.
    let script = r#"
        mkfifo to from
        "$postino" mcp <to >from &
        exec 3>to 4<from
        ask() { echo "{\"jsonrpc\":\"2.0\",\"id\":$1,\"method\":\"$2\",\"params\":$3}" >&3; }
        answer() { while read -r line <&4; do case $line in *"\"id\":$1,"*) echo "$line"; return;; esac; done; }
        ask 1 initialize '{"protocolVersion":"2025-06-18","capabilities":{},"clientInfo":{"name":"x","version":"1"}}'
        answer 1 >initialized
        echo '{"jsonrpc":"2.0","method":"notifications/initialized"}' >&3
        echo '{"session_id":"s"}' | "$postino" hook session-start codex >started
        ask 2 tools/call '{"name":"msg_rename","arguments":{"name":"reviewer"}}'
        answer 2 >renamed
        "$postino" whoami --json
        ask 3 tools/call '{"name":"msg_whoami","arguments":{}}'
        answer 3
        true
    "#;
    let ran = Ran::of(&mut shell_called(&postino, "some-agent", &[], script));
    let answers: Vec<Value> = ran.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let [shell, server] = &answers[..] else { panic!("{ran:?}") };
    assert_eq!([&shell["agent"], &server["result"]["structuredContent"]["agent"]], ["reviewer", "reviewer"], "{ran:?}");
}

#[test]
fn another_conversation_brings_its_name_to_a_server_that_runs() {
    let postino = Postino::new();
    let before = Session::start(&postino, "s-old");
    assert_eq!(before.run(&["rename", "reviewer"]).code, 0);
    before.hook("session-end", &json!({"reason": "other"}));
    let mut session = Session::open(&postino, "s-new");
    let mut server = Client::initialized(session.command(&["mcp"]));
    assert_eq!(name(&mut server), "webshop");
    session.id = "s-old".into();
    session.hook("session-start", &json!({"source": "resume"}));
    assert_eq!((name(&mut server), session.name()), ("reviewer".into(), "reviewer".into()));
}

#[test]
fn a_name_given_to_the_server_alone_is_the_sessions() {
    let postino = Postino::new();
    let session = Session::start(&postino, "s-1");
    let mut command = session.command(&["mcp"]);
    command.env("POSTINO_AGENT_NAME", "researcher");
    let mut server = Client::initialized(command);
    assert_eq!(name(&mut server), "researcher");
    assert_eq!(session.name(), "researcher");
    assert!(session.prompt().starts_with("[postino] You are \"researcher\"."));
    assert_eq!(session.run(&["rename", "writer"]).code, 0);
    assert_eq!((name(&mut server), session.name()), ("writer".into(), "writer".into()));
}

#[test]
fn a_terminal_that_the_server_was_not_told_of_names_the_session_all_the_same() {
    let postino = Postino::new();
    postino.send("me", "agent-A1B2C3D4", "for whoever sits here next");
    let session = Session::open(&postino, "s-1");
    // Some clients start their servers with an emptied environment, and before any hook.
    let mut server = Client::initialized(session.command(&["mcp"]));
    assert_eq!(name(&mut server), "webshop");
    postino.send("me", "webshop", "for the folder");
    let terminal = [("TERM_SESSION_ID", "w0t0p0:A1B2C3D4-0000")];
    let told = session.hook_with("session-start", &json!({"source": "startup"}), &terminal);
    assert!(told.starts_with("[postino] You are \"agent-A1B2C3D4\"."), "{told}");
    assert_eq!((name(&mut server), session.name()), ("agent-A1B2C3D4".into(), "agent-A1B2C3D4".into()));
    let read = server.tool("msg_read", &json!({}));
    assert_eq!(read["messages"].as_array().unwrap().len(), 2, "{read}");
    // From then on no other terminal changes it.
    let other = [("TERM_SESSION_ID", "w0t0p0:FFFFFFFF-0000")];
    session.hook_with("user-prompt-submit", &json!({"prompt": "go on"}), &other);
    assert_eq!(name(&mut server), "agent-A1B2C3D4");
}

#[test]
fn servers_without_a_client_are_agents_of_their_own() {
    let postino = Postino::new();
    let start = || Client::initialized(postino.command(&["mcp"]));
    let mut first = start();
    let one = name(&mut first);
    let mut second = start();
    assert_eq!(name(&mut second), format!("{one}-2"));
    // A plain shell in the same folder takes none of their mail.
    first.tool("msg_send", &json!({"to": one, "body": "mine"}));
    let shell = crate::support::Ran::of(&mut postino.command(&["read"]));
    assert_eq!((shell.code, shell.out.as_str()), (5, ""), "{shell:?}");
    assert_eq!(first.tool("msg_read", &json!({}))["messages"][0]["body"], "mine");
    // The name is free, and presence gone, when the server has ended.
    first.finish();
    let agents = postino.json("alice", &["agents"]);
    let agent = agents["items"].as_array().unwrap().iter().find(|agent| agent["name"] == one.as_str()).unwrap().clone();
    assert_eq!((&agent["online"], &agent["client"]), (&json!(false), &json!("mcp")));
    let mut third = start();
    assert_eq!(name(&mut third), one);
    // Also when it was killed.
    third.kill();
    assert_eq!(name(&mut start()), one);
}

#[test]
fn a_name_on_the_command_line_is_for_this_server_alone() {
    let postino = Postino::new();
    let session = Session::start(&postino, "s-1");
    let mut server = Client::initialized(session.command(&["mcp", "--agent", "assistant"]));
    assert_eq!((name(&mut server), session.name()), ("assistant".into(), "webshop".into()));
    server.finish();
    assert_eq!(session.name(), "webshop");
}
