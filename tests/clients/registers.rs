//! The README's ways to register the MCP server alone, each typed into the client itself where it has a command for it, and
//! held against what `postino install` writes where it has none.

use std::fs;

use serde_json::{Value, json};

use crate::claude::Claude;
use crate::codex::Codex;
use crate::fetch::{Script, script};
use crate::mock::Mock;
use crate::world::World;

const README: &str = include_str!("../../README.md");

/// The last piece of code in a client's row of the README's table.
fn way(client: &str) -> &'static str {
    let (_, table) = README.split_once("To register the server alone").expect("the table is there");
    let row = table.lines().find(|line| line.starts_with(&format!("| {client} |"))).expect("the client has a row");
    row.trim_end_matches([' ', '|', '`']).rsplit_once('`').expect("the row has code").1
}

/// The arguments in a way that is a command of this program.
fn typed(client: &str, program: &str) -> Vec<&'static str> {
    let way = way(client);
    way.strip_prefix(&format!("{program} ")).unwrap_or_else(|| panic!("{way}")).split(' ').collect()
}

#[test]
fn claude_code_connects() {
    let world = World::new();
    let Some(claude) = Claude::new(&world) else { return };
    let added = claude.run(&typed("Claude Code", "claude"));
    assert_eq!(added.code, Some(0), "{added:?}");
    let listed = claude.run(&["mcp", "list"]).stdout;
    assert!(listed.lines().any(|line| line.starts_with("postino: postino mcp") && line.contains('✔')), "{listed}");
}

#[test]
fn codex_lists_what_is_added_and_what_is_installed_alike() {
    let [added, installed] = ["added", "installed"].map(|how| {
        let world = World::new();
        let codex = Codex::new(&world)?;
        match how {
            "added" => drop(codex.run(&typed("Codex", "codex"))),
            _ => drop(world.postino(&["install", "codex"])),
        }
        let listed: Value = serde_json::from_str(&codex.run(&["mcp", "list", "--json"])).unwrap();
        let got: Value = serde_json::from_str(&codex.run(&["mcp", "get", "postino", "--json"])).unwrap();
        assert_eq!((&listed[0]["name"], &listed[0]["enabled"]), (&json!("postino"), &json!(true)), "{listed}");
        let transport = &got["transport"];
        assert_eq!((&transport["command"], &transport["args"]), (&json!("postino"), &json!(["mcp"])), "{got}");
        Some(got)
    });
    assert_eq!(added, installed);
}

#[test]
fn gemini_connects_to_what_is_added_and_to_what_is_installed() {
    for how in ["added", "installed"] {
        let world = World::new();
        let Some((node, gemini)) = script(Script::Gemini) else { return };
        let mock = Mock::start();
        let run = |args: &[&str]| {
            let mut env = world.env();
            env.extend(mock.proxy());
            env.insert("GEMINI_CLI_TRUST_WORKSPACE".to_owned(), "true".to_owned());
            let command = [&[node.to_str().unwrap(), gemini.to_str().unwrap()], args].concat();
            let command: Vec<String> = command.iter().map(|arg| (*arg).to_owned()).collect();
            let ran = world.run(&command, &env, &world.path("project"));
            assert_eq!(ran.code, Some(0), "gemini {args:?}: {ran:?}");
            format!("{}{}", ran.stdout, ran.stderr)
        };
        match how {
            "added" => drop(run(&typed("Gemini CLI", "gemini"))),
            _ => drop(world.postino(&["install", "gemini"])),
        }
        let listed = run(&["mcp", "list"]);
        assert!(listed.contains("✓ postino: postino mcp (stdio) - Connected"), "{how}: {listed}");
    }
}

#[test]
fn opencode_and_cursor_get_from_install_what_the_readme_shows() {
    let files = [
        ("OpenCode", "opencode", "home/.config/opencode/opencode.json"),
        ("Cursor", "cursor", "home/.cursor/mcp.json"),
    ];
    for (client, name, file) in files {
        let world = World::new();
        world.postino(&["install", name]);
        let shown: Value = serde_json::from_str(&format!("{{ {} }}", way(client))).unwrap();
        let written: Value = serde_json::from_str(&fs::read_to_string(world.path(file)).unwrap()).unwrap();
        for (key, value) in shown.as_object().unwrap() {
            assert_eq!(&written[key], value, "{client}: {written}");
        }
    }
}
