//! The README's promises: its worked example says what it shows, its tables agree with the program.

use std::process::Command;

use crate::support::{NOWHERE, Postino, Ran, plain};

const README: &str = include_str!("../../README.md");

/// The lines of every fenced block of this language.
fn blocks(language: &str) -> Vec<Vec<&'static str>> {
    let mut blocks = Vec::new();
    let mut open: Option<Vec<&str>> = None;
    for line in README.lines() {
        match (&mut open, line.strip_prefix("```")) {
            (Some(_), Some(_)) => blocks.extend(open.take()),
            (Some(block), None) => block.push(line),
            (None, Some(named)) if named == language => open = Some(Vec::new()),
            (None, Some(_) | None) => {}
        }
    }
    blocks
}

/// Runs one line of a terminal: a shell with the built postino first on its path.
fn typed(postino: &Postino, name: &mut String, line: &str) -> String {
    if let Some(agent) = line.strip_prefix("export POSTINO_AGENT_NAME=") {
        *name = agent.to_owned();
        return String::new();
    }
    let folder = std::path::Path::new(env!("CARGO_BIN_EXE_postino")).parent().unwrap();
    let mut shell = Command::new("/bin/sh");
    shell.args(["-c", line]).env_clear().current_dir(postino.home());
    shell.env("PATH", format!("{}:/usr/bin:/bin", folder.display())).env("HOME", postino.home());
    shell.env("POSTINO_PROBE_URL", NOWHERE).env("POSTINO_CLIENT_PID", "0").env("POSTINO_AGENT_NAME", &*name);
    shell.env("POSTINO_WEB_ENABLED", "false");
    let ran = Ran::of(&mut shell);
    assert_eq!(ran.code, 0, "{line}: {ran:?}");
    ran.out
}

#[test]
fn the_worked_example_shows_what_happens() {
    let postino = Postino::new();
    let terminals = blocks("console");
    assert_eq!(terminals.len(), 4);
    let (mut first, mut second) = (String::new(), String::new());
    for (n, block) in terminals.iter().enumerate() {
        let name = if n == 1 { &mut second } else { &mut first };
        let commands: Vec<_> =
            block.iter().enumerate().filter(|(_, line)| line.starts_with("$ ")).map(|(at, _)| at).collect();
        for (i, at) in commands.iter().enumerate() {
            let end = commands.get(i + 1).copied().unwrap_or(block.len());
            let shown: String = block[at + 1..end].iter().map(|line| format!("{line}\n")).collect();
            assert_eq!(typed(&postino, name, &block[*at][2..]), plain(&shown), "{}", block[*at]);
        }
    }
}

#[test]
fn every_exit_code_stands_in_the_table_as_in_the_help() {
    let help = Ran::of(&mut Postino::new().command(&["help", "exit-codes"]));
    let of_help: Vec<&str> = help
        .out
        .lines()
        .filter_map(|line| line.split_ascii_whitespace().next())
        .filter(|word| word.parse::<u8>().is_ok())
        .collect();
    let table = README.split("## Exit codes").nth(1).unwrap().split("\n## ").next().unwrap();
    let of_readme: Vec<&str> = table
        .lines()
        .filter_map(|line| line.split('|').nth(1))
        .map(str::trim)
        .filter(|word| word.parse::<u8>().is_ok())
        .collect();
    assert_eq!(of_help, of_readme);
    assert_eq!(of_help.len(), 9);
}

#[test]
fn every_command_of_the_help_stands_in_the_readme() {
    let help = Ran::of(&mut Postino::new().command(&["--help"])).out;
    let list = help.split("Commands:").nth(1).unwrap().split("\n\n").next().unwrap();
    for command in list.lines().filter_map(|line| line.split_ascii_whitespace().next()).filter(|name| *name != "help") {
        assert!(README.contains(&format!("`{command}")), "{command} is not in the README");
    }
}

#[test]
fn every_variable_of_the_readme_is_read() {
    let table = README.split("## Configuration").nth(1).unwrap().split("\n## ").next().unwrap();
    let names: Vec<&str> = table.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next()).collect();
    assert!(names.len() > 10);
    // A bad value is an error that names the variable: the proof that it is read.
    for name in names.iter().filter(|name| !["POSTINO_HOME", "POSTINO_DEBUG", "POSTINO_PROBE_URL"].contains(name)) {
        let postino = Postino::new();
        let mut command = postino.command(&["check"]);
        command.env(name, "\u{1b} bad {value}").env_remove("POSTINO_CLIENT_PID");
        let ran = Ran::of(command.env(name, "\u{1b} bad {value}"));
        assert_eq!(ran.code, 2, "{name}: {ran:?}");
    }
}
