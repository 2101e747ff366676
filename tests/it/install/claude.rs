//! Claude Code: a program stands for it that writes its settings anew as the real one does, in an order of its own, and keeps
//! books of marketplaces and plugins.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use super::{program, ran, read, snapshot, write};
use crate::support::{Postino, Ran};

/// Odd but legal settings.
const SETTINGS: &str = "\u{feff}{\r\n\t\"zzz\": {\"a\":1},\r\n\r\n\t\"permissions\": { \"allow\": [\"Bash(ls)\"] }}";

/// What stands for Claude Code: it notes its arguments, and keeps its books in `.claude` of the home.
const CLAUDE: &str = r#"
echo "$*" >>"$HOME/calls"
rest=${OTHERS:+,$OTHERS}; plugins="$HOME/.claude/plugins"; settings="$HOME/.claude/settings.json"; mkdir -p "$plugins"
case "$1 $2 $3" in
"plugin marketplace add")
    market="{\"source\":{\"source\":\"directory\",\"path\":\"$4\"}}"
    echo "{\"postino\":{\"installLocation\":\"$4\"}}" >"$plugins/known_marketplaces.json"
    echo "{\"extraKnownMarketplaces\":{\"postino\":$market}$rest}" >"$settings" ;;
"plugin install postino@postino")
    market=$(cat "$settings"); market=${market%"$rest"\}}; market=${market#\{}
    echo "{\"plugins\":{\"postino@postino\":[{\"scope\":\"user\"}]}}" >"$plugins/installed_plugins.json"
    echo "{\"enabledPlugins\":{\"postino@postino\":true},$market$rest}" >"$settings" ;;
"plugin uninstall postino@postino")
    echo '{"plugins":{}}' >"$plugins/installed_plugins.json" ;;
"plugin marketplace remove")
    echo '{}' >"$plugins/known_marketplaces.json"
    echo "{\"enabledPlugins\":{},\"extraKnownMarketplaces\":{}$rest}" >"$settings" ;;
*) echo "no such command: $*" >&2; exit 1 ;;
esac
"#;

/// A home with such a Claude Code, and these other settings.
struct Home {
    postino: Postino,
    path: String,
}

impl Home {
    fn new() -> Home {
        let postino = Postino::new();
        let path = program(&postino, "claude", CLAUDE);
        program(&postino, "postino", "exit 0");
        Home { postino, path }
    }

    fn run(&self, others: &str, args: &[&str]) -> Ran {
        Ran::of(self.postino.command(args).env("PATH", &self.path).env("OTHERS", others))
    }

    fn calls(&self) -> Vec<String> {
        fs::read_to_string(self.postino.home().join("calls")).unwrap_or_default().lines().map(str::to_owned).collect()
    }
}

/// The other settings as the client writes them.
const OTHERS: &str = r#""permissions":{"allow":["Bash(ls)"]},"zzz":{"a":1}"#;

#[test]
fn the_clients_own_command_registers_and_no_foreign_byte_changes() {
    let home = Home::new();
    let postino = &home.postino;
    write(postino, "dots/settings.json", SETTINGS);
    fs::set_permissions(postino.home().join("dots/settings.json"), fs::Permissions::from_mode(0o640)).unwrap();
    fs::create_dir(postino.home().join(".claude")).unwrap();
    std::os::unix::fs::symlink("../dots/settings.json", postino.home().join(".claude/settings.json")).unwrap();
    let market = postino.home().join("postino/data/claude").display().to_string();

    let ran = home.run(OTHERS, &["install"]);
    assert_eq!((ran.code, ran.err.as_str()), (0, ""), "{}", ran.out);
    let calls = [
        format!("plugin marketplace add {market} --scope user"),
        "plugin install postino@postino --scope user".to_owned(),
    ];
    assert_eq!(home.calls(), calls);
    assert!(calls.iter().all(|call| ran.out.contains(&format!("ran        claude {call}\n"))), "{}", ran.out);
    let settings = read(postino, "dots/settings.json");
    assert!(settings.starts_with(SETTINGS.strip_suffix('}').unwrap()), "{settings}");
    let value: serde_json::Value = serde_json::from_str(settings.trim_start_matches('\u{feff}')).unwrap();
    assert_eq!(value["enabledPlugins"]["postino@postino"], true);
    assert_eq!(value["extraKnownMarketplaces"]["postino"]["source"]["path"], market);
    assert!(postino.home().join("postino/data/claude/.claude-plugin/marketplace.json").exists());
    assert!(postino.home().join("postino/data/claude/plugin/hooks/hooks.json").exists());

    assert!(home.run(OTHERS, &["install"]).out.starts_with("unchanged"));
    assert_eq!(home.calls().len(), 2, "twice is once");

    assert_eq!(home.run(OTHERS, &["uninstall"]).code, 0);
    assert_eq!(
        home.calls()[2..],
        ["plugin uninstall postino@postino --scope user", "plugin marketplace remove postino --scope user"]
    );
    assert_eq!(read(postino, "dots/settings.json"), SETTINGS);
    assert!(postino.home().join(".claude/settings.json").is_symlink());
    let mode = fs::metadata(postino.home().join("dots/settings.json")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o640);
    assert!(!postino.home().join("postino/data/claude").exists());
}

#[test]
fn settings_that_were_not_there_go_again_and_tools_are_allowed_when_asked() {
    let home = Home::new();
    assert_eq!(home.run("", &["install", "--allow-tools"]).code, 0);
    let settings = read(&home.postino, ".claude/settings.json");
    assert!(settings.contains("\"mcp__plugin_postino_postino\""), "{settings}");
    assert_eq!(home.run("", &["uninstall"]).code, 0);
    assert!(!home.postino.home().join(".claude/settings.json").exists());
}

#[test]
fn a_dry_run_calls_nothing() {
    let home = Home::new();
    write(&home.postino, ".claude/settings.json", SETTINGS);
    let before = snapshot(home.postino.home());
    let ran = home.run(OTHERS, &["install", "--dry-run", "--allow-tools"]);
    assert_eq!(ran.code, 0);
    assert!(ran.out.contains("+\t\t\"postino@postino\": true\r\n"), "{}", ran.out);
    assert!(ran.err.contains("would run: claude plugin install postino@postino --scope user\n"), "{}", ran.err);
    assert_eq!(snapshot(home.postino.home()), before);
    assert!(!home.postino.home().join("postino").exists());
}

#[test]
fn without_the_command_it_says_what_to_type() {
    let postino = Postino::new();
    write(&postino, ".claude/settings.json", SETTINGS);
    let before = snapshot(postino.home());
    let out = ran(&postino, &["install"]).out;
    let market = postino.home().join("postino/data/claude").display().to_string();
    assert!(out.contains(&format!("type: claude plugin marketplace add {market} --scope user\n")), "{out}");
    assert!(out.contains("type: claude plugin install postino@postino --scope user\n"), "{out}");
    assert!(
        postino.home().join("postino/data/claude/plugin/.claude-plugin/plugin.json").exists(),
        "what is typed must work"
    );
    assert_eq!(snapshot(postino.home()), before);
    ran(&postino, &["install", "--allow-tools"]);
    assert!(read(&postino, ".claude/settings.json").contains("[\"Bash(ls)\", \"mcp__plugin_postino_postino\"]"));
    ran(&postino, &["uninstall"]);
    assert_eq!(snapshot(postino.home()), before);
    assert!(!postino.home().join("postino/data/claude").exists());
}

#[test]
fn a_command_that_fails_is_told_with_its_reason() {
    let postino = Postino::new();
    let path = program(&postino, "claude", "echo '' >&2; echo 'the disk is full' >&2; exit 3");
    let ran = Ran::of(postino.command(&["install"]).env("PATH", path));
    assert_eq!(ran.code, 1);
    assert!(ran.err.contains("claude plugin marketplace add") && ran.err.contains("the disk is full"), "{}", ran.err);
    assert!(!postino.home().join(".claude").exists());
}

#[test]
fn settings_that_cannot_be_read_are_refused_before_anything_is_called() {
    let home = Home::new();
    write(&home.postino, ".claude/settings.json", "{\n  // mine\n}");
    let ran = home.run(OTHERS, &["install"]);
    assert!(ran.code == 1 && ran.err.contains("settings.json: line 2 is not valid JSON"), "{}", ran.err);
    assert!(home.calls().is_empty());
}

#[test]
fn a_marketplace_of_that_name_from_elsewhere_stays() {
    let home = Home::new();
    write(&home.postino, ".claude/settings.json", &format!("{{\"theme\":1,{OTHERS}}}"));
    write(
        &home.postino,
        ".claude/plugins/known_marketplaces.json",
        r#"{"postino":{"installLocation":"/src/postino"}}"#,
    );
    let ran = home.run(OTHERS, &["install"]);
    assert!(ran.out.contains("registered already, from /src/postino"), "{ran:?}");
    assert_eq!(home.calls(), ["plugin install postino@postino --scope user"]);
}
