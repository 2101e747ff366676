//! install.sh, when something is missing or does not fit: it says so, and nothing is installed.

use std::fs::{self, File};
use std::path::Path;

use super::kit::{Machine, pack, root, sum, target, tiny};
use crate::support::Ran;

/// Installs from a tiny release that was tampered with, over a binary that is there already.
#[track_caller]
fn refused(tamper: impl Fn(&Path, &Path), wanted: &str) {
    let machine = Machine::new();
    let folder = tiny(&machine);
    let archive = folder.join(format!("postino-0.0.1-{}.tar.gz", target()));
    tamper(&folder, &archive);
    fs::create_dir_all(machine.installed().parent().unwrap()).unwrap();
    fs::write(machine.installed(), "what was there").unwrap();
    let ran = Ran::of(&mut machine.install(&["--from", folder.to_str().unwrap()]));
    assert_eq!((ran.code, ran.out.as_str()), (1, ""), "{wanted}: {ran:?}");
    assert!(ran.err.contains("install.sh: ") && ran.err.contains(wanted), "{wanted}: {ran:?}");
    assert_eq!(fs::read_to_string(machine.installed()).unwrap(), "what was there", "{wanted}");
    assert_eq!((machine.left("tmp"), machine.left("home").len()), (vec![], 1), "{wanted}: something is left behind");
}

/// Changes the release's list of checksums.
fn list(change: impl Fn(&str) -> String) -> impl Fn(&Path, &Path) {
    move |folder, _| {
        let path = folder.join("SHA256SUMS");
        fs::write(&path, change(&fs::read_to_string(&path).unwrap())).unwrap();
    }
}

#[test]
fn without_a_clear_checksum() {
    refused(|folder, _| fs::remove_file(folder.join("SHA256SUMS")).unwrap(), "SHA256SUMS cannot be fetched");
    refused(list(|_| String::new()), "has no archive for");
    refused(list(|line| line.replace("linux", "plan9")), "has no archive for");
    refused(list(|line| line.replace("postino-0", "postino-0/../postino-0")), "has no archive for");
    refused(list(|line| line[..60].to_owned()), "has no archive for");
    refused(list(|line| line.repeat(2)), "is not clear about");
    refused(list(|line| line.trim_end().to_owned() + " more\n"), "is not clear about");
    refused(list(|line| line[1..].to_owned()), "checksum of");
    refused(list(|line| line.replacen(char::is_alphanumeric, "g", 1)), "checksum of");
    refused(list(|line| format!("  {}", &line[64..])), "has no archive for");
}

#[test]
fn with_another_archive_than_the_list_says() {
    let other =
        |line: &str| line.replacen(|c: char| c.is_ascii_hexdigit(), if line.starts_with('0') { "1" } else { "0" }, 1);
    refused(list(other), "is not what the release's list of checksums says");
    refused(|_, archive| fs::remove_file(archive).unwrap(), "cannot be fetched");
    refused(|_, archive| File::create(archive).unwrap().set_len(0).unwrap(), "is not what");
    refused(|folder, _| pack(folder, "postino", "#!/bin/sh\necho postino 6.6.6\n"), "is not what");
    let cut = |archive: &Path, bytes: u64| {
        let file = File::options().write(true).open(archive).unwrap();
        file.set_len(file.metadata().unwrap().len() - bytes).unwrap();
    };
    refused(move |_, archive| cut(archive, 1), "is not what");
    // Even when the list agrees.
    let cut_before_the_list = move |folder: &Path, archive: &Path| {
        cut(archive, 20);
        sum(folder);
    };
    refused(cut_before_the_list, "cannot be unpacked");
}

#[test]
fn with_an_archive_that_holds_something_else() {
    let packed = |file: &'static str, text: &'static str| {
        move |folder: &Path, _: &Path| {
            pack(folder, file, text);
            sum(folder);
        }
    };
    refused(packed("README", "no binary"), "cannot be unpacked");
    refused(packed("postino", ""), "does not run here");
    refused(packed("postino", "\x7fELF of another processor"), "does not run here");
    refused(packed("postino", "#!/bin/sh\nexit 3\n"), "does not run here");
    refused(packed("postino", "#!/bin/sh\necho postino 0.0.2\n"), "does not run here");
}

#[test]
fn without_a_tool_that_sums() {
    let machine = Machine::new();
    let from = tiny(&machine).display().to_string();
    machine.with_only(&["uname", "mktemp", "cp", "rm", "tar", "gzip", "mkdir", "chmod", "mv"]);
    let ran = Ran::of(machine.install(&["--from", &from]).env("PATH", machine.path("tools")));
    assert!(ran.code == 1 && ran.err.contains("computes a SHA-256"), "{ran:?}");
    assert_eq!((machine.left("home"), machine.left("tmp")), (vec![], vec![]));
}

#[test]
fn from_an_address_that_anybody_could_answer_for() {
    for from in ["http://example.org", "ftp://example.org", "HTTPS://example.org"] {
        let machine = Machine::new();
        let ran = Ran::of(&mut machine.install(&["--from", from]));
        ran.is(1, "", &format!("install.sh: {from} is not an https address\n"));
    }
    let machine = Machine::new();
    machine.with_only(&["uname", "mktemp", "rm"]);
    let ran = Ran::of(machine.install(&["--from", "https://example.org"]).env("PATH", machine.path("tools")));
    ran.is(1, "", "install.sh: neither curl nor wget is installed\n");
    let ran = Ran::of(&mut machine.install(&[]));
    ran.is(1, "", "install.sh: this copy does not say where its release lies\n  try: sh install.sh --from ADDRESS\n");
}

#[test]
fn on_a_machine_that_there_is_no_binary_for() {
    for (system, processor, wanted) in [("Darwin", "arm64", "Darwin"), ("Linux", "riscv64", "riscv64")] {
        let machine = Machine::new();
        let from = tiny(&machine).display().to_string();
        machine.give("uname", &format!("[ $1 = -s ] && echo {system} || echo {processor}"));
        let path = format!("{}:/usr/bin:/bin", machine.path("tools").display());
        let ran = Ran::of(machine.install(&["--from", &from]).env("PATH", path));
        assert!(
            ran.code == 1 && ran.err.contains(&format!("there is no binary for {wanted}\n  try: build it")),
            "{ran:?}"
        );
        assert_eq!(machine.left("home"), Vec::<String>::new());
    }
}

#[test]
fn with_arguments_that_make_no_sense() {
    for args in [&["--to"][..], &["--to", ""], &["--from"], &["--prefix", "x"], &["x"]] {
        let machine = Machine::new();
        let ran = Ran::of(&mut machine.install(args));
        assert!(ran.code == 1 && ran.err.contains("try: sh install.sh --help"), "{args:?}: {ran:?}");
    }
    let machine = Machine::new();
    let from = tiny(&machine).display().to_string();
    let ran = Ran::of(machine.install(&["--from", &from]).env_remove("HOME"));
    assert!(ran.code == 1 && ran.err.contains("HOME is not set"), "{ran:?}");
    fs::create_dir_all(machine.path("home/.local/bin/postino")).unwrap();
    let ran = Ran::of(&mut machine.install(&["--from", &from]));
    assert!(ran.code == 1 && ran.err.contains("is a folder") && machine.left("home").is_empty(), "{ran:?}");
}

#[test]
fn when_the_script_itself_was_cut_off_on_its_way() {
    let machine = Machine::new();
    let from = tiny(&machine).display().to_string();
    let whole = fs::read_to_string(root().join("install.sh")).unwrap();
    let whole = whole.replace("BASE=''", &format!("BASE='{from}'"));
    let ends: Vec<usize> = whole.match_indices('\n').map(|(at, _)| at + 1).collect();
    let (all, parts) = ends.split_last().unwrap();
    let run = |text: &str| {
        let path = machine.path("install.sh");
        fs::write(&path, text).unwrap();
        Ran::of(machine.command("sh").arg(path));
        machine.left("home").len()
    };
    for end in parts {
        assert_eq!(run(&whole[..*end]), 0, "it did something without what follows\n{}", &whole[..*end]);
    }
    assert_eq!((run(&whole[..*all]), all), (1, &whole.len()), "whole, it installs");
}
