//! Homes whose machine is not as it should be: the binary, settings, folders, the registry.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use super::Patient;

#[test]
fn another_version_on_the_path() {
    let patient = Patient::new();
    let other = patient.postino.home().join("bin/postino");
    fs::remove_file(&other).unwrap();
    fs::write(&other, "#!/bin/sh\necho postino 0.0.1\n").unwrap();
    fs::set_permissions(&other, fs::Permissions::from_mode(0o755)).unwrap();
    let finding = patient.only("binary", "broken");
    assert!(finding.what.contains("is postino 0.0.1; this is postino"), "{}", finding.what);
    patient.mend(&finding);
    patient.is_well();
}

#[test]
fn settings_that_cannot_be_read() {
    for (text, variables) in [
        ("max_inbox = ", &[][..]),
        ("max_inbux = 3", &[]),
        ("max_inbox = 0", &[]),
        ("", &[("POSTINO_MSG_TTL", "soon")][..]),
        ("", &[("POSTINO_AGENT_NAME", "not a name")]),
    ] {
        let patient = Patient::new();
        fs::create_dir(patient.postino.home().join("postino")).unwrap();
        let file = patient.postino.home().join("postino/config.toml");
        fs::write(&file, text).unwrap();
        let found = patient.examined(variables);
        let wanted = match variables {
            [] => format!("${{EDITOR:-vi}} {}", file.display()),
            [(name, _), ..] => format!("unset {name}"),
        };
        assert_eq!((found["settings"].outcome.as_str(), found["settings"].mend.as_str()), ("broken", wanted.as_str()));
        assert!(
            found.len() > 20
                && found.values().filter(|finding| finding.outcome == "skipped").count() == found.len() - 1
        );
    }
}

#[test]
fn folders_and_files_that_others_may_enter() {
    let patient = Patient::new();
    // Only what is there can be open to others.
    assert_eq!(patient.run(&["check"], &[("POSTINO_VALKEY_URL", "")]).code, 0);
    patient.chmod("postino/data", 0o755);
    let finding = patient.only("folders", "broken");
    patient.mend(&finding);
    fs::write(patient.postino.home().join("postino/config.toml"), "").unwrap();
    patient.chmod("postino/config.toml", 0o644);
    let finding = patient.only("settings file", "warning");
    patient.mend(&finding);
    patient.is_well();
}

#[test]
fn a_token_that_others_may_read() {
    let patient = Patient::new();
    let token = patient.postino.home().join("token");
    fs::write(&token, "0123456789abcdef\n").unwrap();
    patient.chmod("token", 0o644);
    let variable = [("POSTINO_API_TOKEN_FILE", token.to_str().unwrap())];
    let finding = &patient.examined(&variable)["settings file"];
    assert_eq!(finding.outcome, "warning");
    assert!(
        finding.what.contains("which holds the API token") && !finding.what.contains("0123456789"),
        "{}",
        finding.what
    );
    patient.mend(finding);
    assert_eq!(patient.examined(&variable)["settings file"].outcome, "ok");
}

#[test]
fn a_registry_with_what_does_not_belong_there() {
    let patient = Patient::new();
    let session = std::process::Command::new("sleep").arg("600").spawn().unwrap();
    let session = Ended(session);
    let mut hook = patient.postino.command(&["hook", "session-start"]);
    hook.env("POSTINO_CLIENT_PID", session.0.id().to_string()).env("POSTINO_HOOK_MS", "30000");
    hook.env("POSTINO_AGENT_NAME", "worker").stdout(std::process::Stdio::null());
    let payload = patient.postino.home().join("payload");
    fs::write(&payload, "{\"session_id\":\"s\",\"hook_event_name\":\"SessionStart\",\"source\":\"startup\"}").unwrap();
    assert!(hook.stdin(fs::File::open(payload).unwrap()).status().unwrap().success());
    assert!(patient.examined(&[])["registry"].what.starts_with("1 live"));
    let folder = patient.postino.home().join("postino/sessions");
    let host = fs::read_dir(&folder).unwrap().next().unwrap().unwrap().path();
    let file = fs::read_dir(&host)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .find(|path| path.extension().is_some_and(|e| e == "json"));
    let (file, text) = (file.clone().unwrap(), fs::read(file.unwrap()).unwrap());
    fs::write(&file, "{").unwrap();
    patient.mend(&patient.only("registry", "broken"));
    patient.is_well();
    fs::write(host.join("1-1.json"), text).unwrap();
    patient.mend(&patient.only("registry", "warning"));
    patient.is_well();
}

/// A process that ends when the test does.
struct Ended(std::process::Child);

impl Drop for Ended {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
