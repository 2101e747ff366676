//! The first use: which store is chosen, and that it is said once.

use crate::support::{Postino, Ran};

/// A command that has to choose its store itself.
fn choosing(postino: &Postino, args: &[&str]) -> Ran {
    Ran::of(postino.command(args).args(["--agent", "api"]).env_remove("POSTINO_VALKEY_URL"))
}

#[test]
fn the_choice_is_said_once() {
    let postino = Postino::new();
    let first = choosing(&postino, &["send", "api", "hi"]);
    assert_eq!((first.code, first.err.lines().count()), (0, 1), "{}", first.err);
    assert!(
        first.err.starts_with("postino: using sqlite:") && first.err.contains("`postino store` shows it"),
        "{}",
        first.err
    );
    choosing(&postino, &["read", "--raw"]).is(0, "hi", "");
}

#[test]
fn completing_chooses_nothing() {
    let postino = Postino::new();
    let mut command = postino.command(&["--", "postino", "send", "re"]);
    command.env_remove("POSTINO_VALKEY_URL").env("POSTINO_COMPLETE", "bash").env("_CLAP_COMPLETE_INDEX", "2");
    Ran::of(&mut command).is(0, "", "");
    assert!(choosing(&postino, &["check"]).err.contains("using sqlite:"));
}

#[test]
fn quiet_and_json_keep_to_their_form() {
    let postino = Postino::new();
    let first = choosing(&postino, &["check", "--json"]);
    assert!(first.err.starts_with("{\"notice\":\"using sqlite:") && first.err.lines().count() == 1, "{}", first.err);
    choosing(&Postino::new(), &["check", "-q"]).is(0, "", "");
}
