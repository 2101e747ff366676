//! What a session is told and when, and that it is told nothing when there is nothing.

use serde_json::json;

use super::session::{Session, context, hint, registered};
use crate::support::{Postino, on_each_store};

fn a_session_learns_its_name_and_hears_of_mail_at_each_moment(postino: &Postino) {
    postino.meet("alice");
    let session = Session::open(postino, "s-1");
    let start = session.hook("session-start", &json!({"source": "startup"}));
    let lines: Vec<&str> = start.lines().collect();
    assert_eq!(lines[0], "[postino] You are \"webshop\". 1 other agent(s) online.");
    assert!(lines.len() == 2 && lines[1].contains("msg_read") && lines[1].contains("postino"), "{start}");
    assert_eq!([session.prompt(), session.tool(), session.stop()], ["", "", ""]);

    postino.send("alice", "webshop", "secret words");
    let told = session.tool();
    assert_eq!(context(&told, "PostToolUse") + "\n", hint("alice"));
    assert!(!told.contains("secret"));
    assert_eq!([session.tool(), session.stop()], ["", ""], "told once");
    assert_eq!(session.prompt(), hint("alice"), "repeated at the user's prompt");
    assert_eq!([session.tool(), session.stop()], ["", ""]);

    postino.send("bob", "webshop", "more");
    let goes_on = context(&session.stop(), "Stop");
    assert_eq!(goes_on, "[postino] 2 unread message(s) (newest from bob). msg_read shows them.");
    assert_eq!(session.stop(), "", "never twice for the same mail");
    session.read();
    assert_eq!([session.prompt(), session.tool(), session.stop()], ["", "", ""]);
}

fn broadcasts_are_told_like_mail(postino: &Postino) {
    let session = Session::start(postino, "s-1");
    assert_eq!(postino.run("ci-bot", &["broadcast", "freeze", "-q"]).code, 0);
    let told = "[postino] 1 new broadcast(s) (newest from ci-bot). msg_broadcasts shows them.";
    assert_eq!(context(&session.tool(), "PostToolUse"), told);
    assert_eq!([session.tool(), session.stop()], ["", ""]);
    assert_eq!(session.prompt(), format!("{told}\n"));
    assert_eq!(session.run(&["send", "webshop", "note to self", "--urgent", "-q"]).code, 0);
    let mail = "[postino] 1 unread message(s) (1 urgent, newest from webshop). msg_read shows them.";
    assert_eq!(context(&session.stop(), "Stop"), mail, "only what is new");
    assert_eq!(session.run(&["broadcasts", "-q"]).code, 0);
    assert_eq!(session.prompt(), format!("{mail}\n"));
}

fn mail_that_was_given_back_is_told_again(postino: &Postino) {
    let session = Session::start(postino, "s-1");
    postino.send("alice", "webshop", "hello");
    assert_ne!(session.tool(), "");
    let leased = session.run(&["read", "--lease", "60", "--json"]).json();
    let receipt = leased["messages"][0]["receipt"].as_str().unwrap();
    assert_eq!([session.tool(), session.prompt()], ["", ""], "held mail is not unread");
    assert_eq!(session.run(&["release", receipt]).code, 0);
    assert_eq!(context(&session.tool(), "PostToolUse") + "\n", hint("alice"));
    assert_eq!(session.tool(), "");
}

on_each_store!(
    a_session_learns_its_name_and_hears_of_mail_at_each_moment,
    broadcasts_are_told_like_mail,
    mail_that_was_given_back_is_told_again,
);

#[test]
fn a_turn_goes_on_three_times_at_most_until_the_next_prompt() {
    let postino = Postino::new();
    let session = Session::start(&postino, "s-1");
    let stops = |n: u32| -> Vec<bool> {
        let stop = |_| {
            postino.send("alice", "webshop", "again");
            !session.stop().is_empty()
        };
        (0..n).map(stop).collect()
    };
    assert_eq!(stops(5), [true, true, true, false, false]);
    assert_ne!(session.prompt(), "");
    assert_eq!(stops(4), [true, true, true, false]);
}

#[test]
fn the_clients_own_prompts_repeat_nothing() {
    let postino = Postino::new();
    let session = Session::start(&postino, "s-1");
    postino.send("alice", "webshop", "hello");
    let own = |start: &str| session.hook("user-prompt-submit", &json!({"prompt": format!("{start}…")}));
    assert_eq!(own("<task-notification>\n"), hint("alice"), "not told yet");
    assert_eq!([own("<task-notification>"), own("<cross-session-message from=\"x\">")], ["", ""]);
    assert_eq!(own("<task"), hint("alice"), "a user's");
}

#[test]
fn a_waiting_message_greets_the_session() {
    let postino = Postino::new();
    postino.send("alice", "webshop", "a note for tomorrow");
    let session = Session::open(&postino, "s-1");
    let start = session.hook("session-start", &json!({}));
    assert!(start.lines().nth(1).is_some_and(|line| format!("{line}\n") == hint("alice")), "{start}");
    assert_eq!([session.tool(), session.stop()], ["", ""]);
}

#[test]
fn subagents_and_unknown_events_are_silent_and_change_nothing() {
    let postino = Postino::new();
    let session = Session::open(&postino, "s-1");
    postino.send("alice", "webshop", "hello");
    for event in ["session-start", "user-prompt-submit", "post-tool-use", "stop", "session-end"] {
        assert_eq!(session.hook(event, &json!({"agent_id": "a1", "agent_type": "Explore"})), "", "{event}");
    }
    for event in ["pre-compact", "subagent-stop", "notification", "", "STOP", "тест"] {
        assert_eq!(session.hook(event, &json!({})), "", "{event}");
    }
    assert_eq!(registered(&postino), [""; 0]);
    let many: Vec<&str> = ["hook"].into_iter().chain(["x"; 500]).collect();
    session.run(&many).is(0, "", "");
    session.run(&["hook"]).is(0, "", "");
}

#[test]
fn other_clients_are_answered_in_their_words() {
    let postino = Postino::new();
    let session = Session::start(&postino, "s-1");
    let text = hint("alice").trim_end().to_owned();
    for (client, event, name, wanted) in [
        (
            "gemini",
            "user-prompt-submit",
            "BeforeAgent",
            json!({"hookSpecificOutput": {"hookEventName": "BeforeAgent", "additionalContext": text}}),
        ),
        ("gemini", "stop", "AfterAgent", json!({"decision": "deny", "reason": text})),
        ("codex", "stop", "Stop", json!({"decision": "block", "reason": text})),
        ("cursor", "post-tool-use", "postToolUse", json!({"additional_context": text})),
        ("cursor", "stop", "stop", json!({"followup_message": text})),
    ] {
        session.read();
        postino.send("alice", "webshop", "hello");
        let payload = json!({"conversation_id": "s-1", "session_id": "s-1", "hook_event_name": name}).to_string();
        let ran = super::session::feed(session.command(&["hook", event, client]), payload.as_bytes());
        assert_eq!((ran.code, ran.err.as_str()), (0, ""));
        assert_eq!(ran.json(), wanted, "{client} {event}");
    }
    session.read();
    postino.send("alice", "webshop", "hello");
    let payload = session.payload("user-prompt-submit", &json!({}));
    let prompt =
        |client| super::session::feed(session.command(&["hook", "user-prompt-submit", client]), payload.as_bytes()).out;
    assert_eq!(prompt("cursor"), "", "a prompt takes no context there");
    assert_eq!(context(&prompt("codex"), "UserPromptSubmit") + "\n", hint("alice"));
    assert_eq!(prompt("opencode"), hint("alice"));
}

#[test]
fn presence_follows_the_turn() {
    let postino = Postino::new();
    let session = Session::start(&postino, "s-1");
    let state = || {
        postino.json("alice", &["agents"])["items"]
            .as_array()
            .unwrap()
            .iter()
            .find(|agent| agent["name"] == "webshop")
            .map(|agent| agent["state"].as_str().unwrap().to_owned())
            .unwrap()
    };
    assert_eq!(state(), "idle");
    session.prompt();
    assert_eq!(state(), "working");
    session.tool();
    assert_eq!(state(), "working");
    session.stop();
    assert_eq!(state(), "idle");
    postino.send("bob", "webshop", "wait");
    assert_ne!(session.stop(), "");
    assert_eq!(state(), "working", "the turn goes on");
}

#[test]
fn an_ended_session_is_gone_with_a_notice_that_counts_for_nobody() {
    let postino = Postino::new();
    let other = Session::start(&postino, "s-2");
    let session = Session::start(&postino, "s-1");
    for reason in ["clear", "resume"] {
        assert_eq!(session.hook("session-end", &json!({"reason": reason})), "");
        assert_eq!(session.name(), "webshop-2");
    }
    assert_eq!(session.hook("session-end", &json!({"reason": "prompt_input_exit"})), "");
    assert_eq!(registered(&postino).len(), 2, "{:?}", registered(&postino));
    let feed = postino.json("alice", &["broadcasts", "--all"]);
    let notice = &feed["items"][0];
    assert_eq!(
        (notice["body"].as_str(), notice["kind"].as_str(), notice["via"].as_str()),
        (Some("webshop-2 left"), Some("notice"), Some("hook"))
    );
    assert_eq!([other.prompt(), other.tool()], ["", ""]);
    assert_eq!(session.hook("session-end", &json!({"reason": "other"})), "", "a second end");
    let next = Session::start(&postino, "s-3");
    assert_eq!(next.name(), "webshop-2");
}

#[test]
fn of_two_hooks_at_once_one_prints() {
    let postino = Postino::new();
    let session = Session::start(&postino, "s-1");
    for round in 0..10 {
        postino.send("alice", "webshop", "hello");
        let printed = std::thread::scope(|scope| {
            let runs: Vec<_> = (0..4).map(|_| scope.spawn(|| session.tool())).collect();
            runs.into_iter().map(|run| run.join().unwrap()).filter(|out| !out.is_empty()).count()
        });
        assert_eq!(printed, 1, "round {round}");
    }
}
