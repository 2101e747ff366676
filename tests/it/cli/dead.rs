//! `postino dead` and `clear`: what was given up, and what is deleted.

use serde_json::json;

use crate::support::{Postino, Ran, on_each_store, on_terminal};

on_each_store!(
    dead_letters_are_listed_with_the_reason,
    dead_letters_can_be_tried_again,
    dead_letters_can_be_purged,
    clear_deletes_what_waits_and_is_held,
    single_messages_are_deleted_without_asking,
    broadcasts_can_be_cleared,
    nothing_is_deleted_unasked,
);

/// A message that was delivered once too often; its id.
fn dead(postino: &Postino, body: &str) -> String {
    let id = postino.send("api", "web", body);
    let lease =
        |args: &[&str]| Ran::of(postino.command(args).args(["--agent", "web"]).env("POSTINO_MAX_DELIVERIES", "1"));
    let receipt =
        lease(&["read", "--lease", "60", "--json"]).json()["messages"][0]["receipt"].as_str().unwrap().to_owned();
    assert_eq!(lease(&["release", &receipt]).code, 0);
    id
}

fn dead_letters_are_listed_with_the_reason(postino: &Postino) {
    postino.run("web", &["dead", "list"]).is(0, "", "");
    let id = dead(postino, "cursed");
    let ran = postino.run("web", &["dead", "list"]);
    assert!(
        ran.out.starts_with("from api to web  died just now: ") && ran.out.ends_with("  <id>\n  cursed\n"),
        "{}",
        ran.out
    );
    let answer = postino.json("web", &["dead", "list"]);
    assert_eq!((&answer["items"][0]["id"], &answer["items"][0]["message"]["body"]), (&json!(id), &json!("cursed")));
    for limit in ["0", "-1", "101", "2.5"] {
        assert_eq!(postino.run("web", &["dead", "list", "--limit", limit]).code, 2, "{limit}");
    }
}

fn dead_letters_can_be_tried_again(postino: &Postino) {
    let (one, _two) = (dead(postino, "one"), dead(postino, "two"));
    postino.run("web", &["dead", "retry", &one]).is(0, "put back 1 message\n", "");
    postino.run("web", &["read", "--raw"]).is(0, "one", "");
    postino.run("web", &["dead", "retry"]).is(0, "put back 1 message\n", "");
    postino.run("web", &["read", "--raw"]).is(0, "two", "");
    postino.run("web", &["dead", "retry", "--json"]).is(0, "{\"count\":0}\n", "");
    let missing =
        "postino: there is no dead letter <id> in the mailbox of web\n  try: `postino dead list` shows them\n";
    postino.run("web", &["dead", "retry", &one]).is(3, "put back 0 messages\n", missing);
    postino.run("web", &["dead", "purge", &one]).is(3, "deleted 0 dead letters\n", missing);
}

fn dead_letters_can_be_purged(postino: &Postino) {
    let (one, _two) = (dead(postino, "one"), dead(postino, "two"));
    postino.run("web", &["dead", "purge", &one]).is(0, "deleted 1 dead letter\n", "");
    let hint = "  try: postino --agent web dead purge --yes\n";
    let unasked = format!("postino: this deletes for good, and there is no terminal to ask on\n{hint}");
    postino.run("web", &["dead", "purge"]).is(2, "", &unasked);
    let ask = |typed| on_terminal(&mut postino.command(&["--agent", "web", "dead", "purge"]), typed);
    let (code, screen) = ask("n\n");
    assert!(code == 0 && screen.ends_with("postino: nothing was deleted\n"), "{screen}");
    let (code, screen) = ask("y\n");
    assert!(code == 0 && screen.contains("delete all dead letters of web? [y/N] "), "{screen}");
    assert!(screen.ends_with("deleted 1 dead letter\n"), "{screen}");
}

fn clear_deletes_what_waits_and_is_held(postino: &Postino) {
    postino.send("api", "web", "held");
    assert_eq!(postino.run("web", &["read", "--lease", "60"]).code, 0);
    postino.send("api", "web", "waiting");
    let (code, screen) = on_terminal(&mut postino.command(&["--agent", "web", "clear"]), "\n");
    assert!(code == 0 && screen.contains("delete 2 messages in the mailbox of web? [y/N] "), "{screen}");
    postino.run("web", &["clear", "--yes"]).is(0, "deleted 2 messages\n", "");
    postino.run("web", &["clear", "--yes", "--json"]).is(0, "{\"count\":0}\n", "");
}

fn single_messages_are_deleted_without_asking(postino: &Postino) {
    let (one, two) = (postino.send("api", "web", "one"), postino.send("api", "web", "two"));
    let ran = postino.run("web", &["clear", &one, &one]);
    ran.is(3, "deleted 1 message\n", "postino: there is no message <id> in the mailbox of web\n");
    // It is nobody else's to delete.
    assert_eq!(postino.run("api", &["clear", &two]).code, 3);
    postino.run("web", &["read", "--raw"]).is(0, "two", "");
}

fn broadcasts_can_be_cleared(postino: &Postino) {
    postino.run("ci", &["broadcast", "out"]);
    postino.run("web", &["clear", "--broadcasts", "--yes"]).is(0, "deleted 1 broadcast\n", "");
    postino.run("web", &["broadcasts"]).is(0, "", "");
}

fn nothing_is_deleted_unasked(postino: &Postino) {
    postino.send("api", "web", "hi");
    for (args, hint) in [
        (&["clear"][..], "postino --agent web clear --yes"),
        (&["clear", "--broadcasts"], "postino clear --broadcasts --yes"),
    ] {
        let wanted = format!("postino: this deletes for good, and there is no terminal to ask on\n  try: {hint}\n");
        postino.run("web", args).is(2, "", &wanted);
    }
    postino.run("web", &["read", "--raw"]).is(0, "hi", "");
}
