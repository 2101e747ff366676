//! `hooks/` in the repository holds what `install` writes, and what stands there is a command that postino has.

use std::fs;
use std::path::{Path, PathBuf};

use super::{ran, read};
use crate::support::{Postino, Ran};

/// Each template with the file it becomes.
const FILES: [(&str, &str, &str); 7] = [
    ("codex", "codex/hooks.json", ".codex/hooks.json"),
    ("codex", "codex/config.toml", ".codex/config.toml"),
    ("gemini", "gemini/settings.json", ".gemini/settings.json"),
    ("opencode", "opencode/postino.js", ".config/opencode/plugins/postino.js"),
    ("opencode", "opencode/opencode.json", ".config/opencode/opencode.json"),
    ("cursor", "cursor/hooks.json", ".cursor/hooks.json"),
    ("cursor", "cursor/mcp.json", ".cursor/mcp.json"),
];

fn hooks() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("hooks")
}

#[test]
fn what_is_installed_is_what_the_repository_shows() {
    for (client, template, file) in FILES {
        let postino = Postino::new();
        ran(&postino, &["install", client]);
        let shown = |template: &str| fs::read_to_string(hooks().join(template)).unwrap();
        if client == "gemini" {
            // Its server goes into the file of its hooks.
            let json = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap();
            let (mut wanted, server) = (json(&shown(template)), json(&shown("gemini/mcp.json")));
            wanted["mcpServers"] = server["mcpServers"].clone();
            assert_eq!(json(&read(&postino, file)), wanted);
        } else {
            assert_eq!(read(&postino, file), shown(template), "{template}");
        }
    }
}

#[test]
fn every_template_is_shown() {
    let mut there = Vec::new();
    for client in fs::read_dir(hooks()).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_dir()) {
        there.extend(fs::read_dir(client).unwrap().map(|entry| entry.unwrap().path()));
    }
    let mut known: Vec<_> = FILES.iter().map(|(_, template, _)| hooks().join(template)).collect();
    known.push(hooks().join("gemini/mcp.json"));
    there.sort();
    known.sort();
    assert_eq!(there, known);
}

#[test]
fn every_hook_is_a_command_that_ends_quietly() {
    let postino = Postino::new();
    let mut seen = 0;
    for (_, template, _) in FILES {
        let text = fs::read_to_string(hooks().join(template)).unwrap();
        for line in text.lines().filter(|line| line.contains("\"postino hook ")) {
            let words: Vec<&str> = line.split('"').nth(3).unwrap().split(' ').skip(1).collect();
            postino.command(&words);
            Ran::of(&mut postino.command(&words)).is(0, "", "");
            seen += 1;
        }
    }
    assert_eq!(seen, 15, "three clients with five events each");
}
