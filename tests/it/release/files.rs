//! What is in a release: the archive, the list of its parts, the licences, the checksums.

use std::collections::BTreeSet;
use std::fs;
use std::process::Command;

use serde_json::Value;

use super::kit::{Machine, done, release, root, script, stem, target};
use crate::support::Ran;

/// The names in the archive, without the folder that they all lie in.
fn names(release: &std::path::Path) -> BTreeSet<String> {
    let list = done(Command::new("tar").arg("-tzf").arg(release.join(stem() + ".tar.gz")));
    let folder = stem() + "/";
    list.lines().map(|name| name.strip_prefix(&folder).unwrap_or_else(|| panic!("{name}")).to_owned()).collect()
}

#[test]
fn the_archive_holds_what_a_packager_wants() {
    let Some(release) = release() else { return };
    let names = names(release);
    for name in ["postino", "README.md", "CHANGELOG.md", "LICENSE", "THIRD-PARTY.txt"] {
        assert!(names.contains(name), "{name} is missing: {names:?}");
    }
    for name in ["postino.bash", "_postino", "postino.fish", "_postino.ps1"] {
        assert!(names.contains(&format!("completions/{name}")), "{name} is missing: {names:?}");
    }
    // Every command that the help lists has its page.
    let help = done(Command::new(env!("CARGO_BIN_EXE_postino")).arg("--help"));
    let commands = help.split("Commands:").nth(1).unwrap().split("\n\n").next().unwrap();
    let commands = commands.lines().filter_map(|line| line.split_ascii_whitespace().next());
    for command in commands.filter(|name| *name != "help") {
        assert!(names.contains(&format!("man/man1/postino-{command}.1")), "{command} has no page");
    }
}

#[test]
fn the_same_binary_gives_the_same_bytes() {
    let Some(release) = release() else { return };
    let machine = Machine::new();
    let binary = release.parent().unwrap().join("postino");
    done(script("archive").arg(binary).arg(target()).arg(machine.path("release")));
    for ending in [".tar.gz", ".cdx.json"] {
        let name = stem() + ending;
        assert!(
            fs::read(release.join(&name)).unwrap() == fs::read(machine.path("release").join(&name)).unwrap(),
            "{name}"
        );
    }
}

#[test]
fn the_checksums_cover_every_file() {
    let Some(release) = release() else { return };
    let checked = done(Command::new("sha256sum").args(["--strict", "-c", "SHA256SUMS"]).current_dir(release));
    let checked: BTreeSet<_> = checked.lines().map(|line| line.strip_suffix(": OK").unwrap().to_owned()).collect();
    let there = fs::read_dir(release).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    assert_eq!(checked, there.filter(|name| name != "SHA256SUMS").collect());
}

#[test]
fn the_archive_is_unpacked_as_the_readme_says() {
    let Some(release) = release() else { return };
    let line = "sha256sum --ignore-missing -c SHA256SUMS && tar -xzf postino-*.tar.gz";
    assert!(fs::read_to_string(root().join("README.md")).unwrap().contains(&format!("`{line}`")));
    let machine = Machine::new();
    let archive = stem() + ".tar.gz";
    for name in [archive.as_str(), "SHA256SUMS"] {
        fs::copy(release.join(name), machine.path("release").join(name)).unwrap();
    }
    let said = done(machine.command("sh").args(["-c", line]).current_dir(machine.path("release")));
    assert_eq!(said, format!("{archive}: OK\n"));
    let binary = machine.path("release").join(stem()).join("postino");
    assert_eq!(done(machine.command(binary).arg("--version")), format!("postino {}\n", env!("CARGO_PKG_VERSION")));
}

#[test]
fn the_list_of_parts_tells_what_is_in_the_binary() {
    let Some(release) = release() else { return };
    let list: Value = serde_json::from_slice(&fs::read(release.join(stem() + ".cdx.json")).unwrap()).unwrap();
    assert_eq!((list["bomFormat"].as_str(), list["specVersion"].as_str()), (Some("CycloneDX"), Some("1.5")));
    let subject = &list["metadata"]["component"];
    assert_eq!(
        (subject["name"].as_str(), subject["version"].as_str()),
        (Some("postino"), Some(env!("CARGO_PKG_VERSION")))
    );
    let sum = done(Command::new("sha256sum").arg(release.parent().unwrap().join("postino")));
    assert!(sum.starts_with(subject["hashes"][0]["content"].as_str().unwrap()));

    let parts = list["components"].as_array().unwrap();
    let scope = |name: &str| {
        let part = parts.iter().find(|part| part["name"] == name)?;
        part["scope"].as_str()
    };
    for (name, wanted) in [
        ("redis", Some("required")),
        ("rusqlite", Some("required")),
        ("sqlite", Some("required")),
        ("cc", Some("excluded")),
        ("serde_derive", Some("excluded")),
        ("proptest", None),
        ("windows-sys", None),
    ] {
        assert_eq!(scope(name), wanted, "{name}");
    }
    let lock = fs::read_to_string(root().join("Cargo.lock")).unwrap();
    let references: BTreeSet<_> =
        list["dependencies"].as_array().unwrap().iter().map(|edge| &edge["ref"]).map(Value::to_string).collect();
    for part in parts.iter().filter(|part| part["name"] != "sqlite") {
        assert!(lock.contains(part["hashes"][0]["content"].as_str().unwrap()), "{part}");
        assert!(
            references.contains(&part["bom-ref"].to_string()) && part["licenses"][0]["expression"].is_string(),
            "{part}"
        );
    }
}

#[test]
fn the_licences_of_all_parts_are_in_the_archive() {
    let Some(release) = release() else { return };
    let list: Value = serde_json::from_slice(&fs::read(release.join(stem() + ".cdx.json")).unwrap()).unwrap();
    let file = format!("{}/THIRD-PARTY.txt", stem());
    let notices = done(Command::new("tar").arg("-xzOf").arg(release.join(stem() + ".tar.gz")).arg(file));
    for part in list["components"].as_array().unwrap() {
        let line = format!("\n{} {} (", part["name"].as_str().unwrap(), part["version"].as_str().unwrap());
        let linked = part["scope"] == "required" && part["name"] != "sqlite";
        assert_eq!(notices.contains(&line), linked, "{line}");
    }
}

#[test]
fn nothing_is_made_of_a_binary_of_another_version() {
    let Some(_) = release() else { return };
    let machine = Machine::new();
    machine.give("postino", "echo postino 0.0.0");
    let ran = Ran::of(script("archive").arg(machine.path("tools/postino")).arg(target()).arg(machine.path("release")));
    assert!(ran.code == 1 && ran.err.contains("is not postino"), "{ran:?}");
    let ran = Ran::of(script("release").arg(machine.path("release")));
    assert!(ran.code == 1 && ran.err.contains("no archive of postino"), "{ran:?}");
    assert_eq!(machine.left("release"), ["./install.sh"]);
}
