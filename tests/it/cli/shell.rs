//! Completions in a real shell, and manual pages.

use std::path::Path;
use std::process::Command;

use crate::support::{NOWHERE, Postino, Ran};

/// What bash offers for a line whose last word is being typed.
fn offered(postino: &Postino, words: &[&str]) -> Vec<String> {
    let script = r#"
        source <(postino completions bash) || exit 1
        COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMP_TYPE=9
        _clap_complete_postino postino "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}"
        printf '%s\n' "${COMPREPLY[@]}"
    "#;
    let mut command = Command::new("bash");
    command.args(["--norc", "-c", script, "bash"]).args(words).env_clear();
    for (name, value) in postino.command::<&str>(&[]).get_envs() {
        command.env(name, value.unwrap());
    }
    let folder = Path::new(env!("CARGO_BIN_EXE_postino")).parent().unwrap();
    let ran = Ran::of(command.env("PATH", format!("{}:/usr/bin:/bin", folder.display())));
    assert_eq!((ran.code, ran.err.as_str()), (0, ""), "{words:?}");
    ran.out.lines().map(str::to_owned).collect()
}

#[test]
fn bash_completes_commands_flags_and_names() {
    let postino = Postino::new();
    postino.meet("reviewer");
    postino.meet("release-bot");
    postino.meet("web");
    assert_eq!(offered(&postino, &["postino", "broadc"]), ["broadcast", "broadcasts"]);
    assert_eq!(offered(&postino, &["postino", "read", "--pe"]), ["--peek"]);
    assert_eq!(offered(&postino, &["postino", "send", "re"]), ["release-bot", "reviewer"]);
    assert_eq!(offered(&postino, &["postino", "ask", "w"]), ["web"]);
    assert_eq!(offered(&postino, &["postino", "--agent", "rev"]), ["reviewer"]);
    assert_eq!(offered(&postino, &["postino", "history", "--with", "rev"]), ["reviewer"]);
    // Completing is no sign of life of anybody.
    assert_eq!(postino.json("web", &["agents"])["total"], 3);
}

#[test]
fn completing_without_a_store_is_quiet() {
    let postino = Postino::on(NOWHERE);
    assert!(offered(&postino, &["postino", "send", "re"]).iter().all(|word| !word.contains("review")));
    assert_eq!(offered(&postino, &["postino", "broadc"]), ["broadcast", "broadcasts"]);
}

#[test]
fn every_shell_has_a_script() {
    let postino = Postino::new();
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let ran = Ran::of(&mut postino.command(&["completions", shell]));
        assert!(ran.code == 0 && ran.err.is_empty() && ran.out.contains("POSTINO_COMPLETE"), "{shell}: {ran:?}");
    }
    assert!(!postino.home().join("postino").exists(), "a script needs no store");
}

#[test]
fn there_is_a_manual_page_for_every_command() {
    let postino = Postino::new();
    let page = Ran::of(&mut postino.command(&["man"]));
    assert!(page.code == 0 && page.out.contains(".TH postino 1") && page.out.contains("Exit codes:"), "{page:?}");
    let folder = postino.home().join("man/man1");
    let ran = Ran::of(&mut postino.command(&["man", "--dir", folder.to_str().unwrap()]));
    ran.is(0, "", "");
    for name in ["postino", "postino-send", "postino-read", "postino-dead", "postino-dead-list", "postino-man"] {
        let text = std::fs::read_to_string(folder.join(format!("{name}.1"))).unwrap();
        assert!(text.contains(".SH SYNOPSIS"), "{name}");
    }
    let nowhere = Ran::of(&mut postino.command(&["man", "--dir", "/dev/null/x"]));
    assert!(nowhere.code == 1 && nowhere.err.contains("/dev/null/x"), "{nowhere:?}");
}
