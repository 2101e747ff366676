//! A session has one name in its hooks, its shell, its MCP server and its monitor, through everything that a client does to
//! sessions.

use serde_json::json;

use crate::claude::Claude;
use crate::mock::{shell, text, tool};
use crate::postino::{asks_its_name, claude, greeted, name_of_run, name_of_tab, own_name, shell_name, told, wakes};
use crate::tab::Tab;
use crate::world::World;

#[test]
fn resume_and_continue_bring_the_name_back() {
    let world = World::new();
    let Some(claude) = claude(&world) else { return };
    let (name, first) = name_of_run(&claude, &[]);
    assert_eq!(name, "project");
    rename(&claude, &["--resume", &first], "keeper");
    let (other, _) = name_of_run(&claude, &[]);
    assert_eq!(other, "project");
    assert_eq!(name_of_run(&claude, &["--resume", &first]), ("keeper".to_owned(), first.clone()));
    // The latest conversation is the resumed one.
    assert_eq!(name_of_run(&claude, &["--continue"]), ("keeper".to_owned(), first));
}

/// Renames a session in one run.
fn rename(claude: &Claude, args: &[&str], name: &str) {
    claude.mock.answers([shell(&format!("postino rename {name}")), text("renamed")]);
    claude.print(args, "take another name");
}

#[test]
fn a_fork_has_one_name_everywhere() {
    let world = World::new();
    let Some(claude) = claude(&world) else { return };
    let (_, first) = name_of_run(&claude, &[]);
    let (_, forked) = name_of_run(&claude, &["--resume", &first, "--fork-session"]);
    assert_ne!(first, forked);
}

#[test]
fn a_name_outlives_clear_and_a_rename_wins() {
    let world = World::new();
    let Some(claude) = claude(&world) else { return };
    let tab = Tab::open(&claude, &[]);
    assert_eq!(name_of_tab(&tab, "the first answer"), "project");
    claude.mock.answers([shell("postino rename reviewer"), text("I am renamed")]);
    tab.asks("take another name", "I am renamed");
    assert_eq!(name_of_tab(&tab, "the second answer"), "reviewer");
    tab.types("/clear");
    tab.forgets("the second answer");
    assert_eq!(name_of_tab(&tab, "the third answer"), "reviewer");
    let heard = claude.mock.last();
    assert!(!heard.says("the second answer"), "the conversation was cleared");
    assert_eq!(greeted(&heard), "reviewer");
    // The monitor was started before all this, and knows it too.
    wakes(&tab, "reviewer");
}

#[test]
fn a_given_name_is_the_first_one_and_held_by_one_session() {
    let world = World::new();
    let (Some(one), Some(two)) = (claude(&world), claude(&world)) else { return };
    let [one, two] = [one, two].map(|claude| claude.env("POSTINO_AGENT_NAME", "researcher"));
    let tab = Tab::open(&one, &[]);
    assert_eq!(name_of_tab(&tab, "the first answer"), "researcher");
    assert_eq!(name_of_run(&two, &[]).0, "researcher-2");
    let greeting = told(&two.mock.last()).remove(0);
    assert!(greeting.contains("(researcher was held by another live session)"), "{greeting}");
    one.mock.answers([shell("postino rename reviewer"), text("I am renamed")]);
    tab.asks("take another name", "I am renamed");
    assert_eq!(name_of_tab(&tab, "the second answer"), "reviewer");
    wakes(&tab, "reviewer");
}

#[test]
fn a_name_given_to_the_mcp_server_alone_is_the_sessions() {
    let world = World::new();
    let Some(claude) = claude(&world) else { return };
    let add = ["mcp", "add", "postino", "-e", "POSTINO_AGENT_NAME=researcher", "--", "postino", "mcp"];
    let added = claude.run(&add);
    assert_eq!(added.code, Some(0), "{added:?}");
    let tab = Tab::open(&claude, &[]);
    let asks = |words: &str| {
        let who = tool("mcp__postino__msg_whoami", json!({}));
        claude.mock.answers([who, shell("postino whoami --json"), text(words)]);
        tab.asks("who are you?", words);
        own_name(&claude.mock.last())
    };
    assert_eq!(asks("the first answer"), "researcher");
    // A hook that came before the server greeted with another name, and says the new one at the next prompt.
    assert_eq!(asks("the second answer"), "researcher");
    assert_eq!(greeted(&claude.mock.last()), "researcher");
    wakes(&tab, "researcher");
    claude.mock.answers([tool("mcp__postino__msg_rename", json!({"name": "reviewer"})), text("I am renamed")]);
    tab.asks("take another name", "I am renamed");
    assert_eq!(asks("the third answer"), "reviewer");
    wakes(&tab, "reviewer");
}

#[test]
fn two_sessions_in_one_directory_have_two_names() {
    let world = World::new();
    let (Some(one), Some(two)) = (claude(&world), claude(&world)) else { return };
    let (first, second) = (Tab::open(&one, &[]), Tab::open(&two, &[]));
    let mut names = [name_of_tab(&first, "the first answer"), name_of_tab(&second, "the second answer")];
    assert_eq!(names, [greeted(&one.mock.last()), greeted(&two.mock.last())]);
    wakes(&first, &names[0]);
    wakes(&second, &names[1]);
    names.sort();
    assert_eq!(names, ["project", "project-2"]);
}

#[test]
fn a_nested_client_has_a_name_of_its_own() {
    let world = World::new();
    let (Some(outer), Some(inner)) = (claude(&world), claude(&world)) else { return };
    let nested = inner.command(&["-p", "who are you?"]).join("' '");
    asks_its_name(&inner.mock, "that is me");
    let run = format!("ANTHROPIC_BASE_URL={} '{}' </dev/null", inner.mock.url, nested);
    outer.mock.answers([shell(&run), shell("postino whoami --json"), text("done")]);
    outer.print(&[], "run another one");
    let (around, within) = (outer.mock.last(), inner.mock.last());
    assert_eq!((greeted(&around).as_str(), shell_name(&around).as_str()), ("project", "project"));
    assert_eq!((greeted(&within).as_str(), own_name(&within).as_str()), ("project-2", "project-2"));
}
