//! The harness itself, proved with a toy plugin: what its hooks print reaches the model, and nothing reaches anybody else.

use std::path::PathBuf;

use crate::claude::Claude;
use crate::codex::Codex;
use crate::mock::{shell, text};
use crate::tab::Tab;
use crate::world::World;

/// A plugin whose hooks print a fixed line.
fn toy(world: &World) -> PathBuf {
    world.write("toy/.claude-plugin/plugin.json", r#"{"name": "toy", "version": "1.0.0", "description": "A toy"}"#);
    let hook = |line: &str| format!(r#"[{{"hooks": [{{"type": "command", "command": "echo", "args": ["{line}"]}}]}}]"#);
    let hooks = format!(
        r#"{{"hooks": {{"SessionStart": {}, "UserPromptSubmit": {}}}}}"#,
        hook("toy at the start"),
        hook("toy at the prompt")
    );
    world.write("toy/hooks/hooks.json", &hooks);
    world.path("toy")
}

const START: &str = "SessionStart:startup hook success: toy at the start";
const PROMPT: &str = "UserPromptSubmit hook success: toy at the prompt";

#[test]
fn a_hook_is_heard_in_a_one_shot_run() {
    let world = World::new();
    let Some(claude) = Claude::new(&world) else { return };
    let claude = claude.plugin(&toy(&world));
    claude.mock.answers([shell("echo $((6 * 7)) from the shell"), text("done")]);
    let run = claude.print(&[], "count");
    assert_eq!((run.text.as_str(), run.stderr.as_str()), ("done", ""));
    let turns = claude.mock.turns();
    assert_eq!(turns.len(), 2);
    assert_eq!(turns[0].lines("toy at"), [START, PROMPT]);
    assert!(turns[1].says("42 from the shell"));
    assert_eq!(claude.mock.strangers(), [""; 0]);
}

#[test]
fn a_hook_is_heard_by_codex() {
    let world = World::new();
    let Some(codex) = Codex::new(&world) else { return };
    let hook = |line: &str| format!(r#"[{{"hooks": [{{"type": "command", "command": "echo {line}"}}]}}]"#);
    codex.hooks(&format!(
        r#"{{"hooks": {{"SessionStart": {}, "UserPromptSubmit": {}}}}}"#,
        hook("toy at the start"),
        hook("toy at the prompt")
    ));
    codex.mock.answers([shell("echo $((6 * 7)) from the shell"), text("done")]);
    assert_eq!(codex.exec("count").trim(), "done");
    assert_eq!(codex.mock.last().lines("toy at"), ["toy at the start", "toy at the prompt"]);
    assert!(codex.mock.last().says("42 from the shell"));
}

#[test]
fn a_hook_is_heard_in_a_terminal() {
    let world = World::new();
    let Some(claude) = Claude::new(&world) else { return };
    let claude = claude.plugin(&toy(&world));
    let tab = Tab::open(&claude, &[]);
    claude.mock.answers([shell("echo $((6 * 7)) from the shell"), text("the first answer"), text("the second answer")]);
    tab.asks("count", "the first answer");
    assert_eq!(claude.mock.last().lines("toy at"), [START, PROMPT]);
    assert!(claude.mock.last().says("42 from the shell"));
    tab.asks("again", "the second answer");
    assert_eq!(claude.mock.last().lines("toy at"), [START, PROMPT, PROMPT]);
    assert_eq!(claude.mock.strangers(), [""; 0]);
}
