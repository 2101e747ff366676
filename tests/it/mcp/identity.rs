//! Under which name the server acts: the session's, as it is at each call.

use serde_json::json;

use super::client::Client;
use crate::hook::session::{Session, registered};
use crate::support::Postino;

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
