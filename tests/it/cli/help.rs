//! The help of every command is a snapshot, and shows an example. `POSTINO_SNAPSHOTS=write cargo test help` writes it anew.

use std::fmt::Write;

use crate::support::{Postino, Ran};

/// Every command, as it is typed.
const COMMANDS: [&str; 32] = [
    "send",
    "ask",
    "read",
    "ack",
    "extend",
    "release",
    "check",
    "broadcast",
    "broadcasts",
    "agents",
    "whoami",
    "rename",
    "history",
    "show",
    "dead",
    "dead list",
    "dead retry",
    "dead purge",
    "clear",
    "cleanup",
    "stats",
    "watch",
    "store",
    "store move",
    "monitor",
    "mcp",
    "hook",
    "doctor",
    "install",
    "uninstall",
    "completions",
    "man",
];

fn help(line: &str) -> String {
    let words: Vec<&str> = line.split_whitespace().collect();
    let ran = Ran::of(&mut Postino::new().command(&words));
    assert_eq!((ran.code, ran.err.as_str()), (0, ""), "{line}");
    ran.out
}

#[test]
fn the_help_is_what_it_was() {
    let mut all = String::new();
    let lines = ["-h".to_owned(), "--help".to_owned(), "help exit-codes".to_owned()];
    for line in lines.into_iter().chain(COMMANDS.iter().map(|command| format!("{command} --help"))) {
        writeln!(all, "$ postino {line}\n{}", help(&line)).unwrap();
    }
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/cli/help.txt");
    #[expect(clippy::disallowed_methods, reason = "whether to write the snapshot is told to the test, not to postino")]
    let is_new = std::env::var_os("POSTINO_SNAPSHOTS").is_some_and(|value| value == "write");
    if is_new {
        std::fs::write(path, &all).unwrap();
    }
    let kept = std::fs::read_to_string(path).unwrap_or_default();
    let differs = all.lines().zip(kept.lines()).find(|(now, before)| now != before);
    assert!(all == kept, "the help has changed, first at {differs:?}; POSTINO_SNAPSHOTS=write cargo test help");
}

#[test]
fn every_command_shows_an_example_and_is_listed() {
    let main = help("--help");
    for command in COMMANDS {
        assert!(help(&format!("{command} --help")).contains("\nExample"), "{command}");
        let first = command.split(' ').next().unwrap();
        assert!(main.contains(&format!("\n  {first} ")), "{first} is not in the list");
    }
    // And none is missing here.
    let listed = main.split("Commands:\n").nth(1).unwrap().split("\n\n").next().unwrap();
    for name in listed.lines().filter_map(|line| line.split_whitespace().next()).filter(|name| *name != "help") {
        assert!(COMMANDS.contains(&name), "{name} has no snapshot");
    }
}

#[test]
fn the_version_is_told() {
    assert_eq!(help("--version"), format!("postino {}\n", env!("CARGO_PKG_VERSION")));
}
