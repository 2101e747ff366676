//! install.sh, when everything is as it should be.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use super::kit::{Machine, done, release, stem, tiny};
use crate::support::Ran;

const NEXT: &str = "next: postino install (teaches Claude Code), postino completions SHELL, postino --help\n";

#[test]
fn a_release_installs_itself_and_delivers_a_first_message() {
    let Some(release) = release() else { return };
    let machine = Machine::new();
    let ran = Ran::of(&mut machine.install(&["--from", release.to_str().unwrap()]));
    let folder = machine.path("home/.local/bin").display().to_string();
    let version = env!("CARGO_PKG_VERSION");
    let told = format!("note: {folder} is not on your PATH; add it: export PATH=\"{folder}:$PATH\"\n");
    ran.is(0, &format!("installed postino {version} as {folder}/postino\n{told}{NEXT}"), "");

    let archive = machine.path("release").join(stem());
    let file = release.join(stem() + ".tar.gz");
    done(machine.command("tar").arg("-xzf").arg(file).arg("-C").arg(machine.path("release")));
    assert!(fs::read(machine.installed()).unwrap() == fs::read(archive.join("postino")).unwrap());
    assert_eq!(fs::metadata(machine.installed()).unwrap().permissions().mode() & 0o777, 0o755);
    assert_eq!((machine.left("tmp"), machine.left("home").len()), (vec![], 1), "nothing else is left behind");

    done(machine.command(machine.installed()).args(["send", "reviewer", "hello"]));
    let read = Ran::of(machine.command(machine.installed()).args(["--agent", "reviewer", "read", "--raw"]));
    read.is(0, "hello", "");
}

#[test]
fn it_goes_where_it_is_told_and_replaces_what_is_there_in_one_step() {
    let machine = Machine::new();
    let from = format!("file://{}/", tiny(&machine).display());
    fs::create_dir(machine.path("a folder")).unwrap();
    let there = machine.path("a folder/postino");
    fs::write(&there, "old").unwrap();
    // A link to what is there keeps it: the new one is another file.
    fs::hard_link(&there, machine.path("kept")).unwrap();
    for _ in 0..2 {
        let ran = Ran::of(&mut machine.install(&["--to", "a folder", "--from", &from]));
        assert!(ran.code == 0 && ran.out.contains(there.to_str().unwrap()), "{ran:?}");
    }
    assert_eq!(fs::read_to_string(&there).unwrap(), "#!/bin/sh\necho postino 0.0.1\n");
    assert_eq!(fs::read_to_string(machine.path("kept")).unwrap(), "old");
    assert_eq!((machine.left("a folder").len(), machine.left("home")), (1, vec![]));
}

#[test]
fn it_tells_whether_the_shell_will_find_it() {
    let machine = Machine::new();
    let from = tiny(&machine).display().to_string();
    let bin = machine.path("home/.local/bin").display().to_string();
    let notes = |path: String| {
        let out = done(machine.install(&["--from", &from]).env("PATH", path));
        out.lines().filter(|line| line.starts_with("note: ")).map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(notes(format!("{bin}:/usr/bin:/bin")), Vec::<String>::new());
    let tools = machine.path("tools").display().to_string();
    machine.give("postino", "echo another");
    assert_eq!(notes(format!("{tools}:{bin}:/usr/bin:/bin")), [format!("note: your PATH finds {tools}/postino first")]);
    assert!(notes("/usr/bin:/bin".to_owned())[0].contains("is not on your PATH"));
}

#[test]
fn any_tool_that_sums_will_do() {
    for tool in ["sha256sum", "shasum", "openssl"] {
        if !["/usr/bin", "/bin"].iter().any(|folder| fs::exists(format!("{folder}/{tool}")).unwrap()) {
            continue;
        }
        let machine = Machine::new();
        let from = tiny(&machine).display().to_string();
        machine.with_only(&["uname", "mktemp", "cp", "rm", "tar", "gzip", "mkdir", "chmod", "mv", tool]);
        let ran = Ran::of(machine.install(&["--from", &from]).env("PATH", machine.path("tools")));
        // perl, which shasum is written in, is called by its full path.
        assert!(ran.code == 0 && machine.installed().exists(), "{tool}: {ran:?}");
    }
}

#[test]
fn https_is_fetched_by_curl_or_by_wget() {
    let curl = r#"for last; do :; done; echo "$*" >>"$LOG"; while [ "$1" != -o ]; do shift; done; cp "$RELEASE/${last##*/}" "$2""#;
    let wget = r#"echo "$*" >>"$LOG"; cp "$RELEASE/${4##*/}" "$3""#;
    for (name, script, wanted) in [("curl", curl, "--proto =https --tlsv1.2"), ("wget", wget, "-q -O")] {
        let machine = Machine::new();
        let from = tiny(&machine);
        machine.with_only(&["uname", "mktemp", "cp", "rm", "tar", "gzip", "mkdir", "chmod", "mv", "sha256sum"]);
        machine.give(name, script);
        let mut command = machine.install(&["--from", "https://example.org/release/v1/"]);
        command.env("PATH", machine.path("tools")).env("RELEASE", &from).env("LOG", machine.path("log"));
        let ran = Ran::of(&mut command);
        assert!(ran.code == 0 && machine.installed().exists(), "{name}: {ran:?}");
        let log = fs::read_to_string(machine.path("log")).unwrap();
        let calls: Vec<_> = log.lines().collect();
        assert!(calls.len() == 2 && calls.iter().all(|call| call.contains(wanted)), "{log}");
        assert!(calls[0].ends_with("https://example.org/release/v1/SHA256SUMS"), "{log}");
    }
}

#[test]
fn the_help_needs_nothing() {
    let machine = Machine::new();
    let ran = Ran::of(&mut machine.install(&["--help"]));
    assert!(ran.code == 0 && ran.err.is_empty() && ran.out.contains("--from ADDRESS"), "{ran:?}");
}
