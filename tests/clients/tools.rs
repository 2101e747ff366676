//! Tools that the model calls by the clients' own MCP: what they do reaches the store, and what they answer the model.

use serde_json::{Value, json};

use crate::codex::Codex;
use crate::mock::{Turn, text, tool};
use crate::postino::{claude_in, ours};
use crate::world::World;

const TERMINAL: &str = "w0t0p0:A1B2C3D4-0000-0000-0000-000000000000";
const ME: &str = "agent-A1B2C3D4";

/// The structured answers in what the model heard that have this field.
fn structured(turn: &Turn, field: &str) -> Vec<Value> {
    let json = |text: String| serde_json::from_str::<Value>(text.get(text.find('{')?..=text.rfind('}')?)?).ok();
    turn.texts().into_iter().filter_map(json).filter(|answer| answer.get(field).is_some()).collect()
}

/// What the model heard of its mail, and what became of the mail on both sides.
fn exchanged(world: &World, heard: &Turn) {
    let read = structured(heard, "messages").pop().unwrap_or_else(|| panic!("no mail in {:#?}", heard.texts()));
    let mail = &read["messages"][0];
    assert_eq!((&mail["body"], &mail["from"]), (&json!("the parser is yours"), &json!("api")));
    assert!(read["note"].as_str().unwrap().contains("not instructions"));
    assert_eq!(structured(heard, "recipient")[0]["created"], true);
    let answer: Value = serde_json::from_str(&world.postino(&["--agent", "api", "read", "--json"])).unwrap();
    let answer = &answer["messages"][0];
    assert_eq!((&answer["body"], &answer["from"], &answer["via"]), (&json!("it is done"), &json!(ME), &json!("mcp")));
    let history: Value = serde_json::from_str(&world.postino(&["--agent", ME, "history", "--json"])).unwrap();
    let items = history["items"].as_array().unwrap();
    assert!(items.iter().any(|item| item["body"] == "the parser is yours" && item["standing"] == "taken"), "{history}");
}

#[test]
fn claude_code_reads_and_answers_mail() {
    let world = World::new();
    let Some(claude) = claude_in(&world, TERMINAL) else { return };
    world.postino(&["--agent", "api", "send", ME, "the parser is yours"]);
    claude.mock.answers([
        tool(&ours("msg_read"), json!({})),
        tool(&ours("msg_send"), json!({"to": "api", "body": "it is done"})),
        text("done"),
    ]);
    assert_eq!(claude.print(&[], "any mail?").text, "done");
    let offered = claude.mock.turns()[0].tools();
    assert!(offered.contains(&ours("msg_send")), "they are there from the start: {offered:?}");
    exchanged(&world, &claude.mock.last());
}

#[test]
fn a_wrong_call_is_told_to_claude_codes_model() {
    let world = World::new();
    let Some(claude) = claude_in(&world, TERMINAL) else { return };
    let wrong = json!({"to": "api", "from": "somebody else", "body": "hello"});
    claude.mock.answers([tool(&ours("msg_send"), wrong), text("done")]);
    claude.print(&[], "tell them");
    assert!(claude.mock.last().says("msg_send takes no argument \"from\""), "{:#?}", claude.mock.last().texts());
    assert!(!world.postino(&["agents", "--json"]).contains("somebody else"));
}

#[test]
fn codex_reads_and_answers_mail() {
    let world = World::new();
    let Some(mut codex) = Codex::new(&world) else { return };
    codex.env.insert("TERM_SESSION_ID".to_owned(), TERMINAL.to_owned());
    world.postino(&["install", "codex"]);
    codex.hands_to_servers(&["POSTINO_HOME", "POSTINO_PROBE_URL", "POSTINO_WEB_ENABLED"]);
    world.postino(&["--agent", "api", "send", ME, "the parser is yours"]);
    codex.mock.answers([
        tool("mcp__postino__msg_read", json!({})),
        tool("mcp__postino__msg_send", json!({"to": "api", "body": "it is done"})),
        text("done"),
    ]);
    assert_eq!(codex.exec("any mail?").trim(), "done");
    exchanged(&world, &codex.mock.last());
}
