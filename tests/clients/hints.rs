//! What reaches the model and when: the greeting, hints at a prompt, after a tool call, at the end of a turn and while
//! idle; and nothing when there is nothing.

use std::net::TcpListener;

use crate::claude::Claude;
use crate::codex::Codex;
use crate::mock::{shell, text};
use crate::postino::{claude, claude_in, greeted, shell_name, told};
use crate::tab::Tab;
use crate::world::{World, until};

const TERMINAL: &str = "w0t0p0:A1B2C3D4-0000-0000-0000-000000000000";
const ME: &str = "agent-A1B2C3D4";
const HINT: &str = "[postino] 1 unread message(s) (newest from api). msg_read shows them.";

/// Sends mail to the session of `TERMINAL` from somebody called `api`.
fn mail(world: &World, body: &str) {
    world.postino(&["--agent", "api", "send", ME, body]);
}

#[test]
fn a_session_hears_its_name_and_nothing_more() {
    let world = World::new();
    let Some(claude) = claude_in(&world, TERMINAL) else { return };
    // The very first use says which store it chose; this is not it.
    world.postino(&["store"]);
    let tab = Tab::open(&claude, &[]);
    claude.mock.answers([shell("true"), text("the first answer"), text("the second answer")]);
    tab.asks("hello", "the first answer");
    tab.asks("and again", "the second answer");
    let heard = claude.mock.last();
    assert_eq!(greeted(&heard), ME);
    assert_eq!(told(&heard)[0], format!("[postino] You are \"{ME}\"."));
    // Two prompts, a tool call and a whole turn later nothing has been added to what was told at the start.
    assert_eq!(told(&heard), told(&claude.mock.turns()[0]));
    assert!(!heard.says("unread") && !heard.says("UserPromptSubmit hook") && !heard.says("Stop hook"));
    assert!(!tab.screen().contains("hook error"), "{}", tab.screen());
}

#[test]
fn mail_is_hinted_at_the_prompt_without_its_body() {
    let world = World::new();
    let Some(claude) = claude_in(&world, TERMINAL) else { return };
    mail(&world, "the parser is yours");
    claude.mock.answers([text("done")]);
    claude.print(&[], "hello");
    let heard = claude.mock.last();
    assert!(told(&heard).contains(&HINT.to_owned()), "{:?}", told(&heard));
    assert!(!heard.says("the parser is yours"));
}

#[test]
fn mail_during_a_turn_is_hinted_after_the_tool_call() {
    let world = World::new();
    let Some(claude) = claude_in(&world, TERMINAL) else { return };
    let during = format!("postino --agent api send {ME} 'stop, please'");
    claude.mock.answers([shell(&during), shell("true"), text("done")]);
    claude.print(&[], "hello");
    let hints: Vec<usize> =
        claude.mock.turns().iter().map(|turn| told(turn).iter().filter(|line| *line == HINT).count()).collect();
    // Before the call, after it, and after a second one, for which nothing is newer.
    assert_eq!(hints, [0, 1, 1]);
}

#[test]
fn mail_at_the_end_of_a_turn_continues_it_once() {
    let world = World::new();
    let Some(claude) = claude_in(&world, TERMINAL) else { return };
    let tell = sender(&world);
    claude.mock.answers_after(tell, text("done"));
    claude.mock.answers([text("I saw it")]);
    let answer = claude.print(&[], "hello");
    assert_eq!(answer.text, "I saw it");
    let turns = claude.mock.turns();
    assert_eq!(turns.len(), 2, "the turn went on {} times", turns.len() - 1);
    assert!(turns[1].says(&format!("Stop hook additional context: {HINT}")), "{:?}", told(&turns[1]));
}

/// Something that sends mail to the session from another thread.
fn sender(world: &World) -> impl FnOnce() + Send + 'static {
    let (env, folder) = (world.env(), world.path("project"));
    move || {
        assert_cmd::Command::new(env!("CARGO_BIN_EXE_postino"))
            .env_clear()
            .envs(env)
            .env("POSTINO_CLIENT_PID", "0")
            .current_dir(folder)
            .args(["--agent", "api", "send", ME, "one more thing"])
            .assert()
            .success();
    }
}

#[test]
fn in_a_terminal_each_mail_is_told_once_too() {
    let world = World::new();
    let Some(claude) = claude_in(&world, TERMINAL) else { return };
    let tab = Tab::open(&claude, &[]);
    claude.mock.answers([shell(&format!("postino --agent api send {ME} 'stop, please'")), text("the first answer")]);
    tab.asks("hello", "the first answer");
    assert_eq!(claude.mock.last().lines("unread message").len(), 1);
    claude.mock.answers_after(sender(&world), text("the second answer"));
    claude.mock.answers([text("I saw it")]);
    tab.asks("and again", "I saw it");
    // The prompt told of the first one again, and then the end of the turn, or the monitor, of the second one.
    let lines = claude.mock.last().lines("unread message");
    assert_eq!(lines.len(), 3, "{lines:?}");
    assert!(lines[1].contains("hook success: [postino] 1 unread") && lines[2].contains("2 unread"), "{lines:?}");
}

#[test]
fn mail_wakes_an_idle_session() {
    let world = World::new();
    let Some(claude) = claude_in(&world, TERMINAL) else { return };
    let tab = Tab::open(&claude, &[]);
    claude.mock.answers([text("now I am idle"), text("I am awake")]);
    tab.asks("hello", "now I am idle");
    idle(&world);
    mail(&world, "wake up");
    let heard = claude.mock.hears("1 unread message");
    assert!(heard.says("<task-notification>") && !heard.says("wake up"));
    // One push, and no second hint for it from the prompt that the client makes of it.
    assert_eq!(heard.lines("unread message").len(), 1, "{:?}", heard.lines("unread message"));
    tab.shows("I am awake");
    if cfg!(target_os = "linux") {
        // A client that is killed takes its monitor with it, in the end.
        assert_eq!(world.monitors(), 1);
        tab.kill();
        until("the monitor is gone", || (world.monitors() == 0).then_some(()));
    }
}

/// Waits until the session's last turn is over for postino too.
fn idle(world: &World) {
    until("the session is idle", || world.postino(&["agents", "--json"]).contains("\"idle\"").then_some(()));
}

#[test]
fn a_store_that_is_gone_costs_nothing() {
    let world = World::new();
    let Some(claude) = claude(&world) else { return };
    let claude = claude.env("POSTINO_VALKEY_URL", "redis://127.0.0.1:1");
    works_unharmed(&claude);
    // The start, the prompt and the tool call found no store, so the next start says so.
    claude.print(&[], "hello");
    assert_eq!(told(&claude.mock.last()), ["[postino] store unreachable; run postino doctor"]);
}

#[test]
fn a_store_that_never_answers_costs_nothing() {
    let world = World::new();
    let Some(claude) = claude(&world) else { return };
    // The system takes connections for it, and nobody ever looks at them.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let claude = claude.env("POSTINO_VALKEY_URL", &format!("redis://{}", silent.local_addr().unwrap()));
    works_unharmed(&claude.env("POSTINO_HOOK_MS", "260"));
}

/// A turn in a terminal goes as if there were no postino.
fn works_unharmed(claude: &Claude) {
    let tab = Tab::open(claude, &[]);
    claude.mock.answers([shell("echo it works"), text("the first answer")]);
    tab.asks("hello", "the first answer");
    let heard = claude.mock.last();
    assert!(heard.says("it works"));
    assert_eq!(told(&heard), [""; 0]);
    assert!(!tab.screen().contains("hook error"), "{}", tab.screen());
}

/// Codex with postino's hooks, in the terminal.
fn codex(world: &World) -> Option<Codex<'_>> {
    let mut codex = Codex::new(world)?;
    codex.hooks(include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/hooks/codex/hooks.json")));
    codex.env.insert("TERM_SESSION_ID".to_owned(), TERMINAL.to_owned());
    // The very first use says which store it chose.
    world.postino(&["store"]);
    Some(codex)
}

#[test]
fn codex_hears_nothing_more_when_nothing_is_new_and_of_mail_after_the_tool_call() {
    let world = World::new();
    let Some(codex) = codex(&world) else { return };
    codex.mock.answers([shell("true"), text("done")]);
    codex.exec("hello");
    let turns = codex.mock.turns();
    assert_eq!(told(&turns[1])[0], format!("[postino] You are \"{ME}\"."));
    assert_eq!((told(&turns[1]), turns[1].says("unread")), (told(&turns[0]), false));
    let during = format!("postino --agent api send {ME} 'stop, please'");
    codex.mock.answers([shell(&during), shell("true"), text("done")]);
    codex.exec("go on");
    let hints: Vec<usize> =
        codex.mock.turns()[2..].iter().map(|turn| told(turn).iter().filter(|line| *line == HINT).count()).collect();
    assert_eq!(hints, [0, 1, 1]);
}

#[test]
fn mail_at_the_end_of_a_turn_continues_codex_once() {
    let world = World::new();
    let Some(codex) = codex(&world) else { return };
    codex.mock.answers_after(sender(&world), text("done"));
    codex.mock.answers([text("I saw it")]);
    assert_eq!(codex.exec("hello").trim(), "I saw it");
    let turns = codex.mock.turns();
    assert_eq!(turns.len(), 2, "the turn went on {} times", turns.len() - 1);
    assert!(!turns[0].says(HINT) && turns[1].says(HINT));
}

#[test]
fn a_store_that_is_down_costs_codex_nothing() {
    let world = World::new();
    let Some(mut codex) = codex(&world) else { return };
    codex.env.insert("POSTINO_VALKEY_URL".to_owned(), "redis://127.0.0.1:1".to_owned());
    codex.mock.answers([shell("true"), text("done")]);
    assert_eq!(codex.exec("hello").trim(), "done");
    assert_eq!(told(&codex.mock.last()), [""; 0]);
}

#[test]
fn a_conversation_of_codex_that_is_resumed_has_its_name_again() {
    let world = World::new();
    let Some(codex) = codex(&world) else { return };
    codex.mock.answers([shell("postino rename keeper"), text("done")]);
    codex.exec("take another name");
    codex.mock.answers([shell("postino whoami --json"), text("done")]);
    codex.resume("who are you?");
    let heard = codex.mock.last();
    assert_eq!((greeted(&heard).as_str(), shell_name(&heard).as_str()), ("keeper", "keeper"));
}

#[test]
fn codex_hears_its_name_and_a_hint() {
    let world = World::new();
    let Some(codex) = codex(&world) else { return };
    let during = format!("postino --agent api send {ME} 'stop, please'");
    codex.mock.answers([shell("postino whoami --json"), shell(&during), text("done")]);
    codex.exec("hello");
    let heard = codex.mock.last();
    assert_eq!((greeted(&heard).as_str(), shell_name(&heard).as_str()), (ME, ME));
    mail(&world, "the parser is yours");
    codex.exec("hello again");
    assert!(told(&codex.mock.last()).contains(&HINT.replace("1 unread", "2 unread")));
}
