//! Command lines that make no sense: each is refused with exit 2, says why, and touches nothing.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

use crate::support::{Postino, Ran};

#[test]
fn names_that_are_no_names_are_refused() {
    let postino = Postino::new();
    let hint = "  try: use 1 to 64 letters, digits, '.', '_' or '-', starting with a letter or digit\n";
    let long = "a".repeat(65);
    for name in ["../../x", "", " ", "-x", ".x", "a b", "a/b", "ä", "x');alert(1)//", long.as_str(), "a\n"] {
        let shown: String = name.chars().take(64).collect();
        let wanted = format!("postino: {shown:?} is not a legal agent name\n{hint}").replace("\"a\\n\"", "\"a\\n\"");
        postino.run("api", &["send", "--", name, "hi"]).is(2, "", &wanted);
        assert_eq!(postino.run("api", &["history", &format!("--with={name}")]).code, 2, "{name:?}");
        let me = Ran::of(&mut postino.command(&["check", &format!("--agent={name}")]));
        assert_eq!((me.code, me.err), (2, wanted), "{name:?}");
    }
    assert!(!postino.home().join("data").exists(), "a bad name touched the store");
}

#[test]
fn a_mistyped_command_gets_a_suggestion() {
    let postino = Postino::new();
    let wanted = "postino: unrecognized subcommand 'sned'\n  try: a similar subcommand exists: 'send'\n";
    postino.run("api", &["sned", "web", "hi"]).is(2, "", wanted);
    let ran = postino.run("api", &["read", "--limt", "3"]);
    let wanted = "postino: unexpected argument '--limt' found\n  try: a similar argument exists: '--limit'\n";
    ran.is(2, "", wanted);
    let escaped = postino.run("api", &["x\x1b[31m"]);
    assert!(!escaped.err.contains('\x1b'), "{}", escaped.err);
}

#[test]
fn missing_and_surplus_arguments_show_the_usage() {
    let postino = Postino::new();
    let wanted = "postino: the following required arguments were not provided: <TO>\n  try: postino send --agent <NAME> <TO> [BODY]\n";
    postino.run("api", &["send"]).is(2, "", wanted);
    for line in [
        &["send", "web", "hello", "world"][..],
        &["send", "web", "hi", "--file", "x"],
        &["rename"],
        &["show"],
        &["dead"],
        &["clear", "0190b2c4-8a31-7c3e-9f10-2b6f0f5d9a11", "--broadcasts"],
        &["completions", "tcsh"],
        &["send", "web", "hi", "--key", ""],
        &["send", "web", "hi", "--reply-to", "1"],
        &["check", "--color", "sometimes"],
    ] {
        let ran = postino.run("api", line);
        assert_eq!((ran.code, ran.out.as_str()), (2, ""), "{line:?}");
        assert!(ran.err.starts_with("postino: ") && ran.err.contains("\n  try: "), "{line:?}: {}", ran.err);
    }
    let nothing = Ran::of(&mut postino.command::<&str>(&[]));
    assert_eq!((nothing.code, nothing.out.as_str()), (2, ""));
    assert!(nothing.err.contains("Usage: postino"), "{}", nothing.err);
}

#[test]
fn with_json_a_mistake_is_json() {
    let postino = Postino::new();
    let wanted = "{\"ok\":false,\"error\":{\"kind\":\"usage\",\"message\":\"unrecognized subcommand 'sned'\",\
                  \"hint\":\"a similar subcommand exists: 'send'\"}}\n";
    postino.run("api", &["sned", "--json"]).is(2, "", wanted);
    let ran = postino.run("api", &["--json", "send", "../x", "hi"]);
    assert!(
        ran.err.starts_with("{\"ok\":false,\"error\":{\"kind\":\"usage\",\"message\":\"\\\"../x\\\" is not"),
        "{}",
        ran.err
    );
}

#[test]
fn bodies_have_bounds() {
    let postino = Postino::new();
    let most = "🚀".repeat(32_768);
    assert_eq!(postino.feed("api", &["send", "web"], most.as_bytes()).code, 0);
    assert_eq!(postino.run("web", &["read", "--raw"]).bytes, most.as_bytes());
    let more = most + "🚀";
    let ran = postino.feed("api", &["send", "web"], more.as_bytes());
    assert!(ran.code == 2 && ran.err.contains("32,768"), "{}", ran.err);
    let ran = postino.feed("api", &["send", "web"], "a".repeat(32_769).as_bytes());
    assert!(
        ran.code == 2 && ran.err.starts_with("postino: the body has 32769 characters; at most 32,768"),
        "{}",
        ran.err
    );
    for blank in ["", " ", "\n\t\n", "\u{3000}"] {
        let hint = "  try: say something: 1 to 32,768 characters\n";
        postino.run("api", &["send", "web", blank]).is(2, "", &format!("postino: the body is blank\n{hint}"));
        assert_eq!(postino.feed("api", &["broadcast"], blank.as_bytes()).code, 2);
    }
    postino.run("web", &["check"]).is(0, "", "");
}

#[test]
fn what_is_no_text_is_refused() {
    let postino = Postino::new();
    let bad = b"caf\xe9";
    let hint = "  try: send text; put other data in a file and send where it is\n";
    let wanted = |name: &str| {
        format!("postino: the body from {name} is not valid UTF-8: the first bad byte is number 3\n{hint}")
    };
    postino.feed("api", &["send", "web"], bad).is(2, "", &wanted("stdin"));
    let file = postino.home().join("bad");
    std::fs::write(&file, bad).unwrap();
    let path = file.to_str().unwrap();
    postino.run("api", &["send", "web", "--file", path]).is(2, "", &wanted(path));
    let mut command = postino.command(&["--agent", "api", "send", "web"]);
    assert_eq!(Ran::of(command.arg(OsStr::from_bytes(bad))).code, 2);
    let absent = postino.run("api", &["send", "web", "--file", "/no/such\x1b[31mfile"]);
    assert_eq!(absent.code, 2);
    assert!(absent.err.starts_with("postino: the body cannot be read from /no/such\\x1b[31mfile: "), "{}", absent.err);
}

#[test]
fn a_bad_setting_is_named() {
    let postino = Postino::new();
    let ran = Ran::of(postino.command(&["check", "--agent", "web"]).env("POSTINO_MSG_TTL", "soon"));
    assert!(ran.code == 2 && ran.err.contains("POSTINO_MSG_TTL"), "{}", ran.err);
    let ran = Ran::of(&mut postino.command(&["check", "--agent", "web", "--store", "http://me:secret@x"]));
    assert!(ran.code == 2 && !ran.err.contains("secret"), "{}", ran.err);
}
