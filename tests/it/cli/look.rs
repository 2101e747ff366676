//! How answers look: colour, what is escaped on the way to a screen, and what a CI runner must not take for a command.

use crate::support::{Postino, Ran, on_terminal};

/// What a terminal would obey, a person would not see, or would break a line.
const NASTY: &str = "a\x1b]0;title\x07b\u{9b}2Jc\rd\u{202e}e\u{200b}f\u{e0041}g\u{2028}h\x7f\0i";
const SHOWN: &str = "a\\x1b]0;title\\x07b\\u{9b}2Jc\\rd\\u{202e}e\\u{200b}f\\u{e0041}g\\u{2028}h\\x7f\\x00i";

/// Sends over stdin, because an argument cannot carry NUL.
fn send(postino: &Postino, body: &str) {
    assert_eq!(postino.feed("api", &["send", "web"], body.as_bytes()).code, 0);
}

#[test]
fn bodies_are_shown_and_not_obeyed() {
    let postino = Postino::new();
    send(&postino, NASTY);
    postino.run("web", &["read"]).is(0, &format!("from api  just now  <id>\n  {SHOWN}\n"), "");
    assert!(postino.run("web", &["history"]).out.ends_with(&format!("\n  {SHOWN}\n")));
    assert_eq!(postino.feed("api", &["broadcast"], NASTY.as_bytes()).code, 0);
    assert!(postino.run("web", &["broadcasts"]).out.ends_with(&format!("\n  {SHOWN}\n")));
}

#[test]
fn json_is_safe_to_print_and_means_the_same() {
    let postino = Postino::new();
    send(&postino, NASTY);
    let ran = postino.run("web", &["read", "--json", "--color", "always"]);
    assert!(ran.out.trim_end().chars().all(|c| (' '..='~').contains(&c)), "{}", ran.out);
    assert_eq!(ran.json()["messages"][0]["body"], NASTY);
}

#[test]
fn colour_is_for_terminals_and_who_asks_for_it() {
    let postino = Postino::new();
    let screen = |args: &[&str], env: &[(&str, &str)]| {
        let line = [&["--agent", "web", "whoami"], args].concat();
        on_terminal(postino.command(&line).env("TERM", "xterm").envs(env.iter().copied()), "").1
    };
    let piped = |args: &[&str], env: &[(&str, &str)]| {
        let line = [&["--agent", "web", "whoami"], args].concat();
        Ran::of(postino.command(&line).envs(env.iter().copied())).out
    };
    let is_coloured = |text: String| {
        assert!(text.contains("web"), "{text}");
        text.contains('\x1b')
    };
    assert!(is_coloured(screen(&[], &[])));
    assert!(!is_coloured(screen(&[], &[("NO_COLOR", "1")])));
    assert!(is_coloured(screen(&[], &[("NO_COLOR", "")])));
    assert!(!is_coloured(screen(&[], &[("TERM", "dumb")])));
    assert!(!is_coloured(screen(&["--color", "never"], &[])));
    assert!(is_coloured(screen(&["--color=always"], &[("NO_COLOR", "1")])));
    assert!(!is_coloured(screen(&["--json"], &[])));
    assert!(!is_coloured(piped(&[], &[])));
    assert!(is_coloured(piped(&[], &[("CLICOLOR_FORCE", "1")])));
    assert!(!is_coloured(piped(&[], &[("CLICOLOR_FORCE", "0")])));
    assert!(!is_coloured(piped(&[], &[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")])));
    assert!(is_coloured(piped(&["--color", "always"], &[])));
    assert!(!is_coloured(piped(&["--color", "always", "--json"], &[])));
}

#[test]
fn help_and_mistakes_obey_the_colour_flag_too() {
    let postino = Postino::new();
    let screen = |args: &[&str]| on_terminal(postino.command(args).env("TERM", "xterm"), "").1;
    assert!(screen(&["--help"]).contains('\x1b'));
    assert!(!screen(&["--help", "--color=never"]).contains('\x1b'));
    assert!(!screen(&["--color", "never", "sned"]).contains('\x1b'));
    assert!(screen(&["sned"]).contains('\x1b'));
}

/// Whether a GitHub Actions runner would run a line: `::name::` after any blanks, or `##[name]` anywhere.
fn is_command(line: &str) -> bool {
    line.trim_start().starts_with("::") || line.contains("##[")
}

#[test]
fn no_body_gives_a_runner_commands() {
    let postino = Postino::new();
    let body = "::add-mask::x\n  ::error::y\n\u{3000}::stop-commands::z\nsee ##[add-mask]x\n";
    send(&postino, body);
    assert_eq!(postino.feed("api", &["broadcast"], body.as_bytes()).code, 0);
    for args in [
        &["read", "--peek"][..],
        &["read", "--peek", "--json"],
        &["history"],
        &["history", "--json"],
        &["broadcasts", "--all"],
    ] {
        let ran = Ran::of(postino.command(args).args(["--agent", "web"]).env("GITHUB_ACTIONS", "true"));
        assert!(ran.code == 0 && ran.out.contains("stop-commands"), "{ran:?}");
        assert!(!ran.out.lines().any(is_command), "{}", ran.out);
    }
    // Elsewhere nothing is changed.
    assert!(postino.run("web", &["read"]).out.contains("\n  ::add-mask::x\n"));
}
