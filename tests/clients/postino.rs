//! What the tests of the plugin share: a client that has it, and how its words and names are found in what the model heard.

use std::path::Path;

use serde_json::{Value, json};

use crate::claude::{Claude, OURS};
use crate::mock::{Mock, Turn, shell, text, tool};
use crate::tab::Tab;
use crate::world::{World, until};

/// The plugin in this tree.
pub fn plugin() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/plugin"))
}

/// Claude Code with the plugin; `None` when the client cannot be had.
pub fn claude(world: &World) -> Option<Claude<'_>> {
    Some(Claude::new(world)?.plugin(plugin()))
}

/// The same in the terminal tab that this id tells.
pub fn claude_in<'a>(world: &'a World, terminal: &str) -> Option<Claude<'a>> {
    Some(claude(world)?.env("TERM_SESSION_ID", terminal))
}

/// What postino's hooks told the model so far, line by line, without what the client puts before it. A description of the
/// plugin that speaks of such lines is none.
pub fn told(turn: &Turn) -> Vec<String> {
    let lines = turn.lines("[postino]").into_iter();
    lines
        .filter_map(|line| {
            let (before, told) = line.split_at(line.find("[postino]")?);
            (before.is_empty() || before.ends_with(" hook success: ") || before.ends_with(" hook additional context: "))
                .then(|| told.to_owned())
        })
        .collect()
}

/// The name that the latest greeting gave the session.
pub fn greeted(turn: &Turn) -> String {
    let greetings: Vec<String> = told(turn).into_iter().filter(|line| line.contains("You are \"")).collect();
    let greeting = greetings.last().unwrap_or_else(|| panic!("no greeting in {:?}", told(turn)));
    greeting.split('"').nth(1).unwrap().to_owned()
}

/// What Claude Code calls a tool of the plugin's MCP server.
pub fn ours(tool: &str) -> String {
    format!("{OURS}__{tool}")
}

/// The script for a turn in which the session asks its shell and its MCP server who it is.
pub fn asks_its_name(mock: &Mock, last_words: &str) {
    mock.answers([shell("postino whoami --json"), tool(&ours("msg_whoami"), json!({})), text(last_words)]);
}

/// The names in the answers to that so far. A client may say more around what a command printed.
fn names_said(turn: &Turn) -> Vec<String> {
    let json = |text: String| serde_json::from_str::<Value>(text.get(text.find('{')?..=text.rfind('}')?)?).ok();
    let answers = turn.texts().into_iter().filter_map(json);
    answers.filter_map(|answer| answer["agent"].as_str().map(str::to_owned)).collect()
}

/// The name that the shell gave, in the latest answer.
pub fn shell_name(turn: &Turn) -> String {
    let latest = || turn.texts().into_iter().rev().take(6).collect::<Vec<_>>();
    names_said(turn).pop().unwrap_or_else(|| panic!("no whoami lately in {:#?}", latest()))
}

/// The one name that the shell and the MCP server gave, in the latest answers.
pub fn own_name(turn: &Turn) -> String {
    let mut names = names_said(turn);
    let (served, typed) = (names.pop(), names.pop());
    assert!(served.is_some() && served == typed, "shell {typed:?}, MCP server {served:?} in {:#?}", turn.texts());
    served.unwrap_or_default()
}

/// The one name of a one-shot run in its hooks, its shell and its MCP server, and the run's session id.
pub fn name_of_run(claude: &Claude, args: &[&str]) -> (String, String) {
    asks_its_name(&claude.mock, "that is me");
    let answer = claude.print(args, "who are you?");
    let heard = claude.mock.last();
    assert_eq!(greeted(&heard), own_name(&heard), "the hook and the others disagree after {args:?}");
    (own_name(&heard), answer.session)
}

/// The one name of a tab in its shell and its MCP server.
pub fn name_of_tab(tab: &Tab, last_words: &str) -> String {
    asks_its_name(&tab.claude.mock, last_words);
    tab.asks("who are you?", last_words);
    own_name(&tab.claude.mock.last())
}

/// Shows that a tab's monitor goes by this name: mail to it wakes the session.
pub fn wakes(tab: &Tab, name: &str) {
    let idle = || {
        let agents: Value = serde_json::from_str(&tab.claude.world.postino(&["agents", "--json"])).unwrap();
        let mut agents = agents["items"].as_array().into_iter().flatten();
        agents.any(|agent| agent["name"] == name && agent["state"] == "idle").then_some(())
    };
    until("the session is idle", idle);
    let pushed = |turn: &Turn| turn.lines("newest from waker").len();
    let before = pushed(&tab.claude.mock.last());
    tab.claude.world.postino(&["--agent", "waker", "send", name, "are you there?"]);
    until(&format!("mail to {name} wakes the session"), || (pushed(&tab.claude.mock.last()) > before).then_some(()));
    assert!(tab.claude.mock.last().says("<task-notification>"));
}
