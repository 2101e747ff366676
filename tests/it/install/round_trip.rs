//! Every client whose files are edited, with files of every odd but legal kind: installed, installed again, removed.

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};

use serde_json::Value;

use super::{ran, read, snapshot, write};
use crate::support::{Postino, Ran};

/// Strict JSON as people and programs leave it.
const JSON: &[&str] = &[
    "",
    "{}",
    "{\n}\n",
    "\u{feff}{\r\n\t\"zzz\": [1,2],\r\n\r\n\t\"hooks\": { }}",
    "{\"hooks\":{\"Stop\":[],\"stop\":[{\"command\":\"say done\"}]},\"version\":1}",
    "{\n    \"hooks\": {\n        \"Stop\": [\n            { \"hooks\": [ { \"type\": \"command\", \"command\": \"say done\" } ] }\n        ]\n    }\n}",
];

/// The same with comments.
const COMMENTED: &[&str] = &[
    "// mine\n{\n  // the model\n  \"model\": { \"name\": \"x\" }, // why\n}\n// end",
    "{\r\n  \"hooks\": { /* none */ }, // none\r\n}",
];

/// A client with the file that its hooks go to, below the home and below a project.
const CLIENTS: [(&str, &str, &str); 4] = [
    ("codex", ".codex/hooks.json", ".codex/hooks.json"),
    ("gemini", ".gemini/settings.json", ".gemini/settings.json"),
    ("opencode", ".config/opencode/plugins/postino.js", ".opencode/plugins/postino.js"),
    ("cursor", ".cursor/hooks.json", ".cursor/hooks.json"),
];

/// Installs twice, removes, and holds what is there against what was. Gives the installed state's file.
fn round_trip(postino: &Postino, client: &str, file: &str, scope: &[&str]) -> String {
    let before = snapshot(postino.home());
    ran(postino, &[&["install", client], scope].concat());
    let installed = snapshot(postino.home());
    let text = read(postino, file);
    assert!(text.contains("postino hook") || text.contains("\"hook\""), "{client}: {text}");
    let again = ran(postino, &[&["install", client], scope].concat());
    assert!(again.out.contains("unchanged") && !again.out.contains("changed    "), "{}", again.out);
    assert_eq!(snapshot(postino.home()), installed, "{client}: twice is once");
    ran(postino, &[&["uninstall", client], scope].concat());
    assert_eq!(snapshot(postino.home()), before, "{client}");
    text
}

#[test]
fn files_that_were_not_there_go_again() {
    for (client, user, project) in CLIENTS {
        let postino = Postino::new();
        round_trip(&postino, client, user, &[]);
        fs::create_dir(postino.home().join(".git")).unwrap();
        round_trip(&postino, client, project, &["--scope", "project"]);
    }
}

#[test]
fn odd_files_come_back_to_the_byte() {
    for (client, file, _) in CLIENTS.iter().filter(|(client, ..)| *client != "opencode") {
        let odd = if *client == "gemini" { [JSON, COMMENTED].concat() } else { JSON.to_vec() };
        for text in odd {
            let postino = Postino::new();
            write(&postino, file, text);
            fs::set_permissions(postino.home().join(file), Permissions::from_mode(0o640)).unwrap();
            round_trip(&postino, client, file, &[]);
        }
    }
}

#[test]
fn a_dotfile_behind_links_stays_behind_them() {
    for (client, file, _) in CLIENTS.iter().filter(|(client, ..)| *client != "opencode") {
        let postino = Postino::new();
        let home = postino.home();
        write(&postino, "dots/deep/kept.json", "{\n  \"a\": 1\n}");
        fs::set_permissions(home.join("dots/deep/kept.json"), Permissions::from_mode(0o600)).unwrap();
        symlink("deep/kept.json", home.join("dots/link")).unwrap();
        fs::create_dir_all(home.join(file).parent().unwrap()).unwrap();
        symlink(home.join("dots/link"), home.join(file)).unwrap();
        round_trip(&postino, client, file, &[]);
        // A link that leads to nothing yet.
        fs::remove_file(home.join("dots/deep/kept.json")).unwrap();
        round_trip(&postino, client, file, &[]);
        assert!(home.join(file).is_symlink());
    }
}

#[test]
fn a_file_with_two_names_keeps_both() {
    let postino = Postino::new();
    let home = postino.home();
    write(&postino, ".codex/hooks.json", "{}\n");
    fs::hard_link(home.join(".codex/hooks.json"), home.join("other")).unwrap();
    ran(&postino, &["install", "codex"]);
    assert_eq!(read(&postino, "other"), read(&postino, ".codex/hooks.json"));
    ran(&postino, &["uninstall", "codex"]);
    assert_eq!(read(&postino, "other"), "{}\n");
    assert_eq!(fs::metadata(home.join("other")).unwrap().nlink(), 2);
}

#[test]
fn what_others_wrote_meanwhile_stays() {
    let postino = Postino::new();
    write(&postino, ".gemini/settings.json", "{\n  \"model\": 1\n}\n");
    ran(&postino, &["install", "gemini"]);
    let mut settings: Value = serde_json::from_str(&read(&postino, ".gemini/settings.json")).unwrap();
    settings["theme"] = "dark".into();
    let own = serde_json::json!({"hooks": [{"type": "command", "command": "say"}]});
    settings["hooks"]["AfterAgent"].as_array_mut().unwrap().push(own.clone());
    write(&postino, ".gemini/settings.json", &serde_json::to_string(&settings).unwrap());
    ran(&postino, &["uninstall", "gemini"]);
    let left: Value = serde_json::from_str(&read(&postino, ".gemini/settings.json")).unwrap();
    assert_eq!(left, serde_json::json!({"model": 1, "theme": "dark", "hooks": {"AfterAgent": [own]}}));
}

#[test]
fn entries_that_were_there_before_stay() {
    let postino = Postino::new();
    let template = include_str!("../../../hooks/codex/hooks.json");
    write(&postino, ".codex/hooks.json", template);
    let before = snapshot(postino.home());
    assert!(ran(&postino, &["install", "codex"]).out.starts_with("unchanged"));
    assert!(ran(&postino, &["uninstall", "codex"]).out.contains("/hooks/Stop was there before, and stays"));
    assert_eq!(snapshot(postino.home()), before);
}

#[test]
fn without_its_record_an_installation_is_found_by_what_it_says() {
    let postino = Postino::new();
    write(
        &postino,
        ".cursor/hooks.json",
        "{\n  \"version\": 1,\n  \"hooks\": {\n    \"stop\": [{ \"command\": \"say\" }]\n  }\n}\n",
    );
    let before = snapshot(postino.home());
    ran(&postino, &["install", "cursor"]);
    fs::remove_file(postino.home().join("postino/installed.json")).unwrap();
    ran(&postino, &["uninstall", "cursor"]);
    let mut left = snapshot(postino.home());
    // Whether `version`, and the file of the server, were there cannot be told any more.
    assert_eq!(left.remove(".cursor/mcp.json").unwrap().1, b"{}\n");
    let text = left.get_mut(".cursor/hooks.json").unwrap();
    assert!(String::from_utf8_lossy(&text.1).contains("say") && !String::from_utf8_lossy(&text.1).contains("postino"));
    text.1.clone_from(&before[".cursor/hooks.json"].1);
    assert_eq!(left, before);
}

#[test]
fn a_dry_run_changes_nothing_and_shows_a_patch() {
    for (client, file, _) in CLIENTS {
        let postino = Postino::new();
        let before = snapshot(postino.home());
        let shown = ran(&postino, &["install", client, "--dry-run"]).out;
        assert_eq!(snapshot(postino.home()), before);
        assert!(!postino.home().join("postino").exists(), "not even a record");
        let path = postino.home().join(file);
        assert!(shown.starts_with(&format!("--- /dev/null\n+++ {}\n@@ -0,0 +1,", path.display())), "{shown}");
        ran(&postino, &["install", client]);
        let added: String =
            shown.lines().skip(3).map_while(|line| Some(line.strip_prefix('+')?.to_owned() + "\n")).collect();
        assert_eq!(added, read(&postino, file));
        let removal = ran(&postino, &["uninstall", client, "--dry-run"]).out;
        assert!(removal.contains(&format!("--- {}\n+++ /dev/null\n", path.display())), "{removal}");
        assert!(path.exists());
        let json = Ran::of(&mut postino.command(&["install", client, "--dry-run", "--json"])).json();
        assert_eq!((&json["dryRun"], &json["files"][0]["action"]), (&Value::Bool(true), &Value::from("unchanged")));
    }
}

#[test]
fn a_file_that_cannot_be_edited_is_refused_with_its_line() {
    for (client, file, text, line) in [
        ("codex", ".codex/hooks.json", "{\n  \"a\": 1,\n}", "line 3"),
        ("codex", ".codex/hooks.json", "{\n  // c\n  \"a\": 1\n}", "line 2"),
        ("codex", ".codex/hooks.json", "{\n  \"hooks\": []\n}", "line 2"),
        ("cursor", ".cursor/hooks.json", "{\"a\"", "line 1"),
        ("gemini", ".gemini/settings.json", "{\n\n 'a': 1}", "line 3"),
        ("opencode", ".config/opencode/plugins/postino.js", "// mine\n", "line 1"),
    ] {
        let postino = Postino::new();
        write(&postino, file, text);
        let before = snapshot(postino.home());
        for command in [vec!["install", client], vec!["install", client, "--dry-run"]] {
            let refused = Ran::of(&mut postino.command(&command));
            assert_eq!((refused.code, refused.out.as_str()), (1, ""), "{client} {text}");
            assert!(refused.err.contains(file) && refused.err.contains(line), "{}", refused.err);
        }
        assert_eq!(snapshot(postino.home()), before);
    }
}

#[test]
fn a_file_that_is_no_text_or_may_not_be_written_is_left() {
    let postino = Postino::new();
    let path = postino.home().join(".codex/hooks.json");
    fs::create_dir(path.parent().unwrap()).unwrap();
    fs::write(&path, b"{\n\"a\": \"\xff\"}").unwrap();
    let refused = Ran::of(&mut postino.command(&["install", "codex"]));
    assert!(refused.code == 1 && refused.err.contains("line 2 is not UTF-8"), "{}", refused.err);
    fs::write(&path, "{}").unwrap();
    fs::set_permissions(&path, Permissions::from_mode(0o444)).unwrap();
    let refused = Ran::of(&mut postino.command(&["install", "codex"]));
    assert!(refused.code == 1 && refused.err.contains("chmod u+w"), "{}", refused.err);
    assert_eq!(fs::read_to_string(&path).unwrap(), "{}");
    // One of two that may not be written leaves the other as it was, too.
    fs::set_permissions(&path, Permissions::from_mode(0o644)).unwrap();
    let second = path.with_file_name("config.toml");
    fs::write(&second, "model = \"x\"\n").unwrap();
    fs::set_permissions(&second, Permissions::from_mode(0o400)).unwrap();
    let before = snapshot(postino.home());
    for command in [vec!["install", "codex"], vec!["install", "codex", "--dry-run"]] {
        let refused = Ran::of(&mut postino.command(&command));
        assert!(refused.code == 1 && refused.err.contains("config.toml may not be written"), "{}", refused.err);
        assert_eq!(snapshot(postino.home()), before);
    }
    fs::remove_file(&second).unwrap();
    // A folder in its place, and links that go in circles.
    for make in [(|path| fs::create_dir(path).unwrap()) as fn(&std::path::Path), |path| symlink(path, path).unwrap()] {
        fs::remove_file(&path).or_else(|_| fs::remove_dir(&path)).unwrap();
        make(&path);
        assert_eq!(Ran::of(&mut postino.command(&["install", "codex"])).code, 1);
    }
}

#[test]
fn variables_that_move_a_client_are_followed() {
    for (client, variable, file) in [
        ("codex", "CODEX_HOME", "hooks.json"),
        ("gemini", "GEMINI_CLI_HOME", ".gemini/settings.json"),
        ("opencode", "XDG_CONFIG_HOME", "opencode/plugins/postino.js"),
    ] {
        let postino = Postino::new();
        let mut command = postino.command(&["install", client]);
        assert_eq!(Ran::of(command.env(variable, postino.home().join("moved"))).code, 0);
        assert!(postino.home().join("moved").join(file).exists(), "{client}");
    }
    let postino = Postino::new();
    let homeless = Ran::of(postino.command(&["install", "codex"]).env_remove("HOME"));
    assert!(homeless.code == 2 && homeless.err.contains("set HOME"), "{}", homeless.err);
    assert_eq!(Ran::of(&mut postino.command(&["install", "emacs"])).code, 2);
    assert_eq!(Ran::of(&mut postino.command(&["install", "codex", "--allow-tools"])).code, 2);
}
