//! Homes whose clients do not call postino, or not as they should.

use std::fs;

use super::Patient;

/// Registers a client's hooks.
fn install(patient: &Patient, client: &str) {
    assert_eq!(patient.run(&["install", client], &[]).code, 0);
}

#[test]
fn a_client_that_is_here_and_does_not_call() {
    for (client, folder) in
        [("codex", ".codex"), ("gemini", ".gemini"), ("opencode", ".config/opencode"), ("cursor", ".cursor")]
    {
        let patient = Patient::new();
        fs::create_dir_all(patient.postino.home().join(folder)).unwrap();
        let finding = patient.only(client, "broken");
        assert_eq!(finding.mend, format!("postino install {client}"));
        patient.mend(&finding);
        assert_eq!(patient.examined(&[])[client].outcome, "ok");
    }
}

#[test]
fn who_uses_one_client_is_not_told_that_the_others_are_broken() {
    let patient = Patient::new();
    fs::create_dir_all(patient.postino.home().join(".codex")).unwrap();
    install(&patient, "gemini");
    assert_eq!(patient.only("codex", "warning").mend, "postino install codex");
}

#[test]
fn a_client_that_lost_a_hook() {
    let patient = Patient::new();
    install(&patient, "cursor");
    let file = patient.postino.home().join(".cursor/hooks.json");
    let mut hooks: serde_json::Value = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
    hooks["hooks"].as_object_mut().unwrap().remove("stop").unwrap();
    fs::write(&file, hooks.to_string()).unwrap();
    let finding = patient.only("cursor", "broken");
    assert!(finding.what.contains("hooks.json is missing"), "{}", finding.what);
    patient.mend(&finding);
    patient.is_well();
}

#[test]
fn a_clients_file_that_cannot_be_read() {
    let patient = Patient::new();
    install(&patient, "gemini");
    fs::write(patient.postino.home().join(".gemini/settings.json"), "{\n  oops\n}").unwrap();
    let finding = patient.only("gemini", "broken");
    assert!(finding.what.contains("settings.json: line 2"), "{}", finding.what);
}

#[test]
fn hooks_that_codex_was_not_told_to_trust() {
    let patient = Patient::new();
    install(&patient, "codex");
    let finding = patient.only("codex trust", "broken");
    assert!(finding.what.contains("SessionStart") && finding.mend.contains("/hooks"), "{finding:?}");
    let file = patient.postino.home().join(".codex/hooks.json");
    let settings = patient.postino.home().join(".codex/config.toml");
    let mut config = fs::read_to_string(&settings).unwrap();
    for event in ["session_start", "user_prompt_submit", "post_tool_use", "stop", "session_end"] {
        config.push_str(&format!("[hooks.state.\"{}:{event}:0:0\"]\ntrusted_hash = \"sha256:1\"\n", file.display()));
    }
    fs::write(&settings, &config).unwrap();
    patient.is_well();
    fs::write(&settings, config + "enabled = false\n").unwrap();
    assert!(patient.only("codex trust", "broken").what.ends_with(": SessionEnd"));
}

#[test]
fn a_plugin_of_another_version_or_turned_off() {
    let patient = Patient::new();
    let plugins = patient.postino.home().join(".claude/plugins");
    fs::create_dir_all(&plugins).unwrap();
    assert_eq!(patient.only("claude", "broken").mend, "postino install claude");
    let market = patient.postino.home().join("market");
    fs::create_dir_all(market.join("plugin/.claude-plugin")).unwrap();
    let manifest = market.join("plugin/.claude-plugin/plugin.json");
    fs::write(&manifest, "{\"version\":\"0.0.1\"}").unwrap();
    let known = serde_json::json!({"postino": {"installLocation": market}});
    fs::write(plugins.join("known_marketplaces.json"), known.to_string()).unwrap();
    let installed = serde_json::json!({"plugins": {"postino@postino": [{"scope": "user"}]}});
    fs::write(plugins.join("installed_plugins.json"), installed.to_string()).unwrap();
    let finding = patient.only("claude plugin", "broken");
    assert!(finding.what.starts_with("it is 0.0.1"), "{}", finding.what);
    fs::write(manifest, format!("{{\"version\":\"{}\"}}", env!("CARGO_PKG_VERSION"))).unwrap();
    patient.is_well();
    let settings = serde_json::json!({"enabledPlugins": {"postino@postino": false}});
    fs::write(patient.postino.home().join(".claude/settings.json"), settings.to_string()).unwrap();
    assert_eq!(patient.only("claude", "warning").mend, "claude plugin enable postino@postino");
}

#[test]
fn a_session_whose_hooks_have_not_run() {
    let patient = Patient::new();
    let me = std::process::id().to_string();
    let found = patient.examined(&[("POSTINO_CLIENT_PID", &me)]);
    assert_eq!(found["session"].outcome, "warning");
    assert!(found["session"].mend.starts_with("postino install "), "{}", found["session"].mend);
}
