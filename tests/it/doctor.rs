//! `postino doctor`: what it says of a healthy home, and of homes that are broken in one way each, with what mends them.

mod clients;
mod machine;
mod storage;

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;

use crate::support::{Postino, Ran};

/// A finding: its outcome, what was found, and what mends it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Finding {
    outcome: String,
    what: String,
    mend: String,
}

/// A home with postino on its PATH.
struct Patient {
    postino: Postino,
    path: String,
}

impl Patient {
    fn new() -> Patient {
        Patient::of(Postino::new())
    }

    fn of(postino: Postino) -> Patient {
        let bin = postino.home().join("bin");
        fs::create_dir(&bin).unwrap();
        std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_postino"), bin.join("postino")).unwrap();
        let path = format!("{}:/usr/bin:/bin", bin.display());
        Patient { postino, path }
    }

    /// Runs a command line with these variables.
    fn run(&self, args: &[&str], variables: &[(&str, &str)]) -> Ran {
        let mut command = self.postino.command(args);
        command.env("PATH", &self.path).env("POSTINO_HOOK_MS", "30000").envs(variables.iter().copied());
        Ran::of(&mut command)
    }

    /// Every finding by its name. Its exit code says whether something is broken.
    #[track_caller]
    fn examined(&self, variables: &[(&str, &str)]) -> BTreeMap<String, Finding> {
        let ran = self.run(&["doctor", "--json"], variables);
        let diagnosis = ran.json();
        let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
        let finding = |check: &serde_json::Value| {
            let [outcome, what, mend] = ["outcome", "what", "mend"].map(|key| text(&check[key]));
            (text(&check["name"]), Finding { outcome, what, mend })
        };
        let found: BTreeMap<_, _> = diagnosis["checks"].as_array().unwrap().iter().map(finding).collect();
        let broken = found.values().any(|finding| finding.outcome == "broken");
        assert_eq!((ran.code, diagnosis["ok"].as_bool()), (i32::from(broken), Some(!broken)), "{found:?}");
        for (name, finding) in &found {
            let bad = ["broken", "warning"].contains(&finding.outcome.as_str());
            assert_eq!(bad, !finding.mend.is_empty(), "what is wrong can be mended: {name} {finding:?}");
        }
        found
    }

    /// The one finding that is not well; all others must be.
    #[track_caller]
    fn only(&self, name: &str, outcome: &str) -> Finding {
        let found = self.examined(&[]);
        let bad: Vec<_> =
            found.iter().filter(|(_, finding)| ["broken", "warning"].contains(&finding.outcome.as_str())).collect();
        assert_eq!(bad.len(), 1, "{bad:?}");
        assert_eq!((bad[0].0.as_str(), bad[0].1.outcome.as_str()), (name, outcome), "{bad:?}");
        bad[0].1.clone()
    }

    /// Runs what mends a finding, in a shell.
    #[track_caller]
    fn mend(&self, finding: &Finding) {
        let mut shell = std::process::Command::new("sh");
        shell.args(["-ec", &finding.mend]).env("PATH", &self.path).env("HOME", self.postino.home());
        shell.env("POSTINO_HOME", self.postino.home().join("postino")).env("POSTINO_CLIENT_PID", "0");
        let mended = shell.current_dir(self.postino.home()).output().unwrap();
        assert!(mended.status.success(), "{}: {}", finding.mend, String::from_utf8_lossy(&mended.stderr));
    }

    /// Nothing is broken, nothing to look at.
    #[track_caller]
    fn is_well(&self) {
        let found = self.examined(&[]);
        assert!(found.values().all(|finding| ["ok", "skipped"].contains(&finding.outcome.as_str())), "{found:?}");
    }

    fn chmod(&self, name: &str, mode: u32) {
        fs::set_permissions(self.postino.home().join(name), fs::Permissions::from_mode(mode)).unwrap();
    }
}

#[test]
fn a_healthy_home_is_well_and_stays_as_it_is() {
    let patient = Patient::new();
    patient.is_well();
    let found = patient.examined(&[]);
    assert!(found.len() >= 15, "{}", found.len());
    assert!(found.values().filter(|finding| finding.outcome == "ok").count() >= 15, "{found:?}");
    assert_eq!(found["delivery"].outcome, "ok");
    // The proof leaves neither a name nor mail nor folders.
    let agents = patient.run(&["agents", "--json"], &[]).json();
    assert!(agents["items"].as_array().unwrap().iter().all(|agent| !agent["name"].as_str().unwrap().starts_with("doctor")));
    let stats = patient.run(&["stats", "--json"], &[]).json();
    assert_eq!((&stats["waiting"], &stats["leased"], &stats["dead"]), (&0.into(), &0.into(), &0.into()));
    let left = fs::read_dir(patient.postino.home().join("postino")).unwrap();
    assert!(left.into_iter().all(|entry| !entry.unwrap().file_name().to_string_lossy().starts_with("doctor")));
}

#[test]
fn people_get_a_table_and_the_commands() {
    let patient = Patient::new();
    patient.run(&["check"], &[]);
    patient.chmod("data", 0o700);
    let out = patient.run(&["doctor"], &[("PATH", "/usr/bin:/bin")]);
    assert_eq!((out.code, out.err.as_str()), (1, ""));
    assert!(out.out.contains("\nbroken  binary         postino is not on the PATH"), "{}", out.out);
    assert!(out.out.contains("\n                       mend: export PATH=\""), "{}", out.out);
    assert!(out.out.ends_with("checks: 1 broken, 0 to look at\n"), "{}", out.out);
}
