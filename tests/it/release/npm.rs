//! The npm packages, tried as a person would try them, without a registry.

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

use super::kit::{Machine, done, executable, release, root, tool};
use crate::support::Ran;

/// What npm calls this processor.
fn cpu() -> &'static str {
    if cfg!(target_arch = "aarch64") { "arm64" } else { "x64" }
}

/// The packages of a release: the launcher and the binary of this platform.
fn packages(release: &Path) -> [String; 2] {
    let version = env!("CARGO_PKG_VERSION");
    [format!("postino-{version}.tgz"), format!("postino-linux-{}-{version}.tgz", cpu())]
        .map(|name| release.join(name).display().to_string())
}

#[test]
fn npx_delivers_a_message_from_the_two_packages_alone() {
    let Some(release) = release() else { return };
    let machine = Machine::new();
    let npx = |args: &[&str]| {
        let mut command = machine.command("npx");
        // The other platform's package cannot be had, as on any machine that it is not for.
        command.args(["--yes", "--registry=http://127.0.0.1:1", "--fetch-retries=0", "--no-audit"]);
        command.args(packages(release).map(|package| format!("--package={package}")));
        Ran::of(command.arg("--").arg("postino").args(args))
    };
    // What npm itself has to say, on stderr, differs from version to version.
    let version = npx(&["--version"]);
    assert_eq!((version.code, version.out), (0, format!("postino {}\n", env!("CARGO_PKG_VERSION"))));
    assert_eq!(npx(&["--agent", "ci", "-q", "send", "reviewer", "hello"]).code, 0);
    assert_eq!(npx(&["--agent", "reviewer", "read", "--raw"]).out, "hello");
    assert_eq!(npx(&["--agent", "reviewer", "read"]).code, 0);
    assert_eq!(npx(&["--agent", "reviewer", "check", "--exit-code"]).code, 4);
}

#[test]
fn a_package_holds_what_it_should_and_names_every_platform() {
    let Some(release) = release() else { return };
    let [launcher, binary] = packages(release);
    let json = |package: &str| -> Value {
        serde_json::from_str(&done(Command::new("tar").args(["-xzOf", package, "package/package.json"]))).unwrap()
    };
    let files = |package: &str| {
        let mut names: Vec<_> = done(Command::new("tar").args(["-tzf", package])).lines().map(str::to_owned).collect();
        names.sort();
        names
    };
    let version = env!("CARGO_PKG_VERSION");
    assert_eq!(json(&launcher)["optionalDependencies"]["postino-linux-x64"], version);
    assert_eq!(json(&launcher)["optionalDependencies"]["postino-linux-arm64"], version);
    assert_eq!(json(&launcher).get("scripts"), None, "nothing runs when it is installed");
    assert_eq!((&json(&binary)["os"][0], &json(&binary)["cpu"][0]), (&"linux".into(), &cpu().into()));
    let of_launcher = ["LICENSE", "README.md", "bin/postino.js", "package.json"];
    assert_eq!(files(&launcher), of_launcher.map(|name| format!("package/{name}")));
    let of_binary = ["LICENSE", "THIRD-PARTY.txt", "bin/postino", "package.json"];
    assert_eq!(files(&binary), of_binary.map(|name| format!("package/{name}")));
}

/// A launcher beside a platform package whose binary is this script.
fn launcher(machine: &Machine, script: Option<&str>) -> PathBuf {
    let modules = machine.path("home/node_modules");
    let place = modules.join("postino/bin/postino.js");
    fs::create_dir_all(place.parent().unwrap()).unwrap();
    fs::copy(root().join("npm/launcher.js"), &place).unwrap();
    if let Some(script) = script {
        let binary = modules.join(format!("postino-linux-{}/bin/postino", cpu()));
        fs::create_dir_all(binary.parent().unwrap()).unwrap();
        fs::write(&binary, format!("#!/bin/sh\n{script}\n")).unwrap();
        executable(&binary);
    }
    place
}

#[test]
fn the_launcher_passes_on_arguments_streams_and_how_it_ended() {
    if tool("node").is_none() {
        return;
    }
    let machine = Machine::new();
    let script = launcher(&machine, Some(r#"cat; printf '%s.' "$@"; echo err >&2; exit 7"#));
    fs::write(machine.path("stdin"), "in ").unwrap();
    let mut command = machine.command("node");
    command.arg(&script).args(["send", "a b", "", "--x"]).stdin(fs::File::open(machine.path("stdin")).unwrap());
    Ran::of(&mut command).is(7, "in send.a b..--x.", "err\n");

    let script = launcher(&machine, Some("kill -9 $$"));
    let status = machine.command("node").arg(&script).stdout(Stdio::null()).status().unwrap();
    assert_eq!(status.signal(), Some(9));
}

#[test]
fn what_is_sent_to_the_launcher_reaches_the_binary() {
    if tool("node").is_none() {
        return;
    }
    let machine = Machine::new();
    // The binary says that it is there, and ends by the signal in its own way; without one it ends in half a minute.
    let waits =
        "trap 'echo told; exit 9' HUP INT TERM; echo there; n=0; while [ $((n += 1)) -lt 600 ]; do sleep 0.05; done";
    let script = launcher(&machine, Some(waits));
    for signal in ["-HUP", "-INT", "-TERM"] {
        let mut child = machine.command("node").arg(&script).stdout(Stdio::piped()).spawn().unwrap();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        let mut said = String::new();
        out.read_line(&mut said).unwrap();
        done(Command::new("kill").args([signal, &child.id().to_string()]));
        out.read_to_string(&mut said).unwrap();
        assert_eq!((child.wait().unwrap().code(), said.as_str()), (Some(9), "there\ntold\n"), "{signal}");
    }
}

#[test]
fn a_platform_without_a_package_is_told_so() {
    if tool("node").is_none() {
        return;
    }
    let machine = Machine::new();
    let script = launcher(&machine, None);
    let ran = Ran::of(machine.command("node").arg(&script));
    let wanted = format!("postino: the package postino-linux-{} is not installed", cpu());
    assert!(ran.code == 1 && ran.out.is_empty() && ran.err.starts_with(&wanted), "{ran:?}");
}
