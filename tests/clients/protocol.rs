//! The MCP server under clients of the protocol's makers: their Inspector, their TypeScript SDK, their conformance suite.

use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use crate::bridge::Bridge;
use crate::fetch::{Script, script};
use crate::world::{Ran, World};

const POSTINO: &str = env!("CARGO_BIN_EXE_postino");

/// The ten tools, as they are listed.
const TOOLS: [&str; 10] = [
    "msg_whoami",
    "msg_check",
    "msg_send",
    "msg_read",
    "msg_ack",
    "msg_broadcast",
    "msg_broadcasts",
    "msg_list_agents",
    "msg_rename",
    "msg_cleanup",
];

/// Runs a script under its Node, with a server that is called `me`.
fn run(world: &World, node: &Path, args: &[&str]) -> Ran {
    let mut env = world.env();
    let path = format!("{}:{}", node.parent().unwrap().display(), env["PATH"]);
    for (name, value) in [("PATH", path.as_str()), ("POSTINO_AGENT_NAME", "me"), ("POSTINO_CLIENT_PID", "0")] {
        env.insert(name.to_owned(), value.to_owned());
    }
    let command: Vec<String> = [node.to_str().unwrap()].iter().chain(args).map(|arg| (*arg).to_owned()).collect();
    world.run(&command, &env, &world.path("project"))
}

#[test]
fn the_inspector_lists_reads_and_calls_in_both_eras() {
    let world = World::new();
    let Some((node, inspector)) = script(Script::Inspector) else { return };
    // It hands its servers no variables but those that it is told to.
    let env = world.env().into_iter().filter(|(name, _)| name.starts_with("POSTINO_"));
    let handed: Vec<String> = env.flat_map(|(name, value)| ["-e".to_owned(), format!("{name}={value}")]).collect();
    let handed: Vec<&str> = handed.iter().map(String::as_str).collect();
    let inspect = |args: &[&str]| {
        let all = [&[inspector.to_str().unwrap(), "--cli", POSTINO, "mcp", "--quiet"], &handed[..], args].concat();
        let ran = run(&world, node, &all);
        assert_eq!(ran.code, Some(0), "{args:?}: {ran:?}");
        serde_json::from_str::<Value>(&ran.stdout).unwrap()
    };
    for era in ["legacy", "modern"] {
        // Strictly: a schema that a client could not take is a failure.
        let listed = inspect(&["--protocol-era", era, "--method", "tools/list", "--strict"]);
        let names: Vec<&Value> = listed["tools"].as_array().unwrap().iter().map(|tool| &tool["name"]).collect();
        assert_eq!(names, TOOLS, "{era}");
        let given = json!({"to": "bob", "body": format!("hello in {era}")}).to_string();
        let call = ["--method", "tools/call", "--tool-name", "msg_send", "--tool-args-json", &given];
        let sent = inspect(&[&["--protocol-era", era], &call[..]].concat());
        assert_eq!((&sent["isError"], &sent["structuredContent"]["created"]), (&json!(false), &json!(true)), "{sent}");
    }
    let agents = inspect(&["--method", "resources/read", "--uri", "postino://agents"]);
    assert!(agents["contents"][0]["text"].as_str().unwrap().contains("\"bob\""), "{agents}");
    let prompts = inspect(&["--method", "prompts/list"]);
    assert_eq!(prompts["prompts"][0]["name"], "check-messages");
    let read = world.postino(&["--agent", "bob", "read"]);
    assert!(read.contains("hello in legacy") && read.contains("hello in modern"), "{read}");
}

#[test]
fn the_sdk_uses_everything_in_every_version() {
    let Some((node, sdk)) = script(Script::Sdk) else { return };
    let walk = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/clients/scripts/sdk.mjs");
    for version in ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25", "2026-07-28", "auto"] {
        let world = World::new();
        let ran = run(&world, node, &[walk, sdk.to_str().unwrap(), POSTINO, version]);
        assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""), "{version}: {ran:?}");
        let got: Value = serde_json::from_str(&ran.stdout).unwrap();
        let spoken = if version == "auto" { "2026-07-28" } else { version };
        assert_eq!((&got["version"], &got["complaints"]), (&json!(spoken), &json!([])));
        assert_eq!(got["era"], if spoken == "2026-07-28" { "modern" } else { "legacy" });
        describes_itself(&got);
        carries_mail(&got);
        refuses_what_is_wrong(&got);
        // What the calls did is in the store, and names stay there as they were written.
        let history = world.postino(&["--agent", "me", "history", "--json"]);
        assert!(history.contains("\"held\"") && history.contains("\"mcp\""), "{version}: {history}");
    }
}

fn describes_itself(got: &Value) {
    assert_eq!((&got["server"]["name"], &got["listed"]), (&json!("postino"), &json!(TOOLS)));
    assert!(got["instructions"].as_str().unwrap().contains("msg_read"));
    assert_eq!(got["resources"], json!(["postino://agents", "postino://inbox/me"]));
    assert_eq!(got["templates"], json!(["postino://inbox/{agent}"]));
    assert_eq!(got["people"]["items"][0]["name"], "me");
    assert_eq!(got["prompts"], json!(["check-messages", "send-message"]));
    assert!(got["prompt"][0]["content"]["text"].as_str().unwrap().contains("by a prompt"));
    assert!(got["checked"][0]["content"]["text"].is_string());
    assert_eq!(got["completion"], json!(["me"]));
}

fn carries_mail(got: &Value) {
    assert_eq!((&got["whoami"]["agent"], &got["check"]["unreadMessages"]), (&json!("me"), &json!(0)));
    assert_ne!(got["arrivals"], json!([]), "an arrival is told of");
    let sent = got["sent"].as_u64().unwrap();
    for mail in [&got["inbox"], &got["read"]] {
        let first = &mail["messages"][0];
        assert_eq!((&first["body"], &first["from"]), (&json!("to myself 1"), &json!("me")));
        assert_eq!(mail["messages"].as_array().unwrap().len() as u64, sent);
    }
    assert_eq!(got["held"]["messages"][0]["body"], "held");
    assert_eq!(got["ack"], json!({"done": [got["held"]["messages"][0]["receipt"]], "stale": []}));
    assert_eq!(got["broadcasts"]["items"][0]["id"], got["broadcast"]["id"]);
    assert_eq!(got["agents"]["items"][0]["name"], "me");
    assert_eq!((&got["rename"]["name"], &got["renamed"]["agent"]), (&json!("somebody"), &json!("somebody")));
    assert_eq!(got["cleanup"]["removed"], json!([]));
}

fn refuses_what_is_wrong(got: &Value) {
    assert!(got["wrong"]["refused"].as_str().unwrap().contains("takes no argument \"from\""), "{}", got["wrong"]);
    assert!(got["unknown"]["refused"].as_str().unwrap().contains("there is no tool"), "{}", got["unknown"]);
}

/// What the conformance suite asks of a server that was made for it, with tools, prompts and resources of its own; and, as the
/// last, of a server's HTTP, which is the bridge's here. The suite also fails when one of these begins to pass.
const BEYOND: [&str; 20] = [
    "tools-call-image",
    "tools-call-audio",
    "tools-call-embedded-resource",
    "tools-call-mixed-content",
    "tools-call-with-logging",
    "tools-call-with-progress",
    "tools-call-sampling",
    "tools-call-elicitation",
    "elicitation-sep1034-defaults",
    "elicitation-sep1330-enums",
    "resources-read-text",
    "resources-read-binary",
    "resources-templates-read",
    "resources-subscribe",
    "resources-unsubscribe",
    "prompts-get-simple",
    "prompts-get-with-args",
    "prompts-get-embedded-resource",
    "prompts-get-with-image",
    "dns-rebinding-protection",
];

#[test]
fn the_conformance_suite_passes_as_far_as_it_reaches() {
    let world = World::new();
    let Some((node, suite)) = script(Script::Conformance) else { return };
    let (env, folder) = (world.env(), world.path("project"));
    let bridge = Bridge::start(move || {
        let mut command = Command::new(POSTINO);
        command.arg("mcp").env_clear().envs(&env).current_dir(&folder);
        command.env("POSTINO_AGENT_NAME", "me").env("POSTINO_CLIENT_PID", "0");
        command
    });
    let beyond = world.write("beyond.yml", &format!("server: [{}]", BEYOND.join(", ")));
    let args = ["server", "--url", &bridge.url, "--expected-failures", beyond.to_str().unwrap()];
    let ran = run(&world, node, &[&[suite.to_str().unwrap()], &args[..]].concat());
    assert_eq!(ran.code, Some(0), "{}{}", ran.stdout, ran.stderr);
}
