//! What reaches a terminal: of whatever others wrote, nothing that could steer it, reorder a line or hide in one.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use crate::support::{Postino, Ran, on_each_store, on_terminal};

on_each_store!(no_text_of_others_steers_a_terminal, no_error_steers_a_terminal);

/// What postino itself sends to a terminal: colours, and line ends.
const OURS: [&str; 6] = ["\x1b[0m", "\x1b[1m", "\x1b[2m", "\x1b[31m", "\x1b[39m", "\r\n"];

/// One of everything that no terminal may get.
fn forbidden() -> String {
    let ranges = [
        0x00..=0x08,
        0x0b..=0x1f,
        0x7f..=0x9f,
        0xad..=0xad,
        0x61c..=0x61c,
        0x180e..=0x180e,
        0x200b..=0x200f,
        0x202a..=0x202e,
        0x2060..=0x2064,
        0x2066..=0x2069,
        0xfeff..=0xfeff,
        0xe0000..=0xe007f,
    ];
    ranges.into_iter().flatten().filter_map(char::from_u32).collect()
}

/// Texts of others: one with everything that is forbidden, and the tricks that are made of it.
fn texts() -> Vec<String> {
    let tricks = [
        "\x1b[2J\x1b[H$ rm -rf ~",
        "\x1b]0;title\x07\x1b]52;c;ZXZpbA==\x07\x1bP+q\x1b\\",
        "safe\u{202e}evil\u{2066}\u{2069}",
        "\rfrom boss  just now\u{8}\u{8}",
        "\u{9b}31m\u{85}\u{90}",
        "a\u{200b}b\u{200d}\u{feff}\u{e0041}\u{e007f}",
    ];
    tricks.iter().map(|text| (*text).to_owned()).chain([format!("all: {}", forbidden())]).collect()
}

#[track_caller]
fn assert_harmless(what: &[&str], screen: &str) {
    let foreign = OURS.iter().fold(screen.to_owned(), |screen, ours| screen.replace(ours, ""));
    let found = foreign.chars().find(|c| forbidden().contains(*c));
    assert!(found.is_none(), "{what:?} sends {found:?}: {screen:?}");
}

/// Runs a command on a terminal with colours, and looks at what it got there.
#[track_caller]
fn look(command: &mut Command, what: &[&str]) -> String {
    let (_, screen) = on_terminal(command.env("TERM", "xterm"), "");
    assert_harmless(what, &screen);
    screen
}

fn no_text_of_others_steers_a_terminal(postino: &Postino) {
    // A project's name is its folder's, and its owner's choice.
    let project = postino.home().join("we\x1b[31mb\u{202e}shop\u{9b}");
    fs::create_dir_all(&project).unwrap();
    let texts = texts();
    let show = |agent: &str, line: &[&str]| {
        let mut command = postino.command(line);
        look(command.args(["--agent", agent]).current_dir(&project), line)
    };
    let mut ids = Vec::new();
    for text in &texts {
        let sent = postino.feed("ann", &["send", "bob", "-", "--json", "-q"], text.as_bytes());
        ids.push(sent.json()["id"].as_str().unwrap().to_owned());
        assert_eq!(postino.feed("ann", &["broadcast", "-"], text.as_bytes()).code, 0);
    }
    for line in [
        &["read", "--peek"][..],
        &["read", "--peek", "--json"],
        &["broadcasts", "--all"],
        &["broadcasts", "--json", "--all"],
        &["broadcasts"],
        &["history", "--with", "ann"],
        &["show", &ids[0]],
        &["show", texts.last().map_or("", |_| ids[ids.len() - 1].as_str()), "--json"],
        &["agents"],
        &["agents", "--json"],
        &["whoami"],
        &["stats"],
        &["read", "--lease", "60"],
    ] {
        let screen = show("bob", line);
        assert!(!screen.is_empty(), "{line:?}");
    }
    // Given up after one delivery, so that they are shown as dead letters.
    let leased = postino.json("bob", &["history", "--with", "ann"]);
    assert!(!leased.to_string().is_empty());
    show("bob", &["dead", "list"]);
    show("bob", &["check"]);
}

fn no_error_steers_a_terminal(postino: &Postino) {
    let texts = texts();
    for text in texts.iter().map(|text| text.replace('\0', "")) {
        for line in [
            &["send", &text, "hello"][..],
            &["send", "bob", "hello", "--reply-to", &text],
            &["send", "bob", "--file", &text],
            &["read", "--limit", &text],
            &["history", "--thread", &text],
            &["show", &text],
            &["ack", &text],
            &["check", "--store", &text],
            &["watch", "--after", &text],
            &["rename", &text],
            &[&text],
            &["check", &text],
        ] {
            look(&mut postino.command(line), line);
            look(postino.command(line).arg("--json"), line);
        }
        for variable in ["POSTINO_AGENT_NAME", "POSTINO_MSG_TTL", "POSTINO_KEY_PREFIX", "POSTINO_VALKEY_URL"] {
            let mut command = postino.command(&["check"]);
            look(command.env(variable, &text).env("POSTINO_DEBUG", "1"), &[variable]);
        }
    }
}

#[test]
fn no_file_name_or_setting_steers_a_terminal() {
    let postino = Postino::new();
    let home = postino.home().join("ho\x1b[31mme\u{202e}");
    fs::create_dir_all(&home).unwrap();
    fs::set_permissions(&home, fs::Permissions::from_mode(0o700)).unwrap();
    fs::write(home.join("config.toml"), "\"\u{202e}x\\u001b\" = 1\n").unwrap();
    let with = |args: &[&str]| {
        let mut command = postino.command(args);
        command.env("POSTINO_HOME", &home).env_remove("POSTINO_VALKEY_URL");
        command
    };
    for line in [&["check"][..], &["doctor"], &["doctor", "--json"], &["store"]] {
        look(&mut with(line), line);
    }
    fs::remove_file(home.join("config.toml")).unwrap();
    for line in [&["store"][..], &["whoami"], &["doctor"], &["install", "codex", "--dry-run"], &["send", "bob", "x"]] {
        look(&mut with(line), line);
    }
    let store = home.join("data/postino.db");
    assert!(store.exists());
    // Without its log, which would mend it.
    let _ = fs::remove_file(home.join("data/postino.db-wal"));
    fs::write(&store, "no database").unwrap();
    look(&mut with(&["check"]), &["check"]);
    assert_eq!(Ran::of(&mut with(&["check"])).code, 1);
}
