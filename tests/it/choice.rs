//! Which store is used: what was set and only that, else what the first use chose and wrote down.

use std::ffi::OsStr;
use std::net::TcpListener;
use std::os::unix::ffi::OsStrExt;
use std::process::Command;

use crate::server::{Server, available};
use crate::support::{NOWHERE, Postino, Ran};

/// A command with no store set, that looks for a server at `probe`.
fn unset(postino: &Postino, probe: &str, args: &[&str]) -> Command {
    let mut command = postino.command(args);
    command.env_remove("POSTINO_VALKEY_URL").env("POSTINO_PROBE_URL", probe);
    command
}

fn choice(postino: &Postino) -> String {
    std::fs::read_to_string(postino.home().join("postino/store")).unwrap()
}

#[test]
fn without_a_server_the_embedded_store_is_chosen_once_and_said_once() {
    let postino = Postino::new();
    let first = Ran::of(&mut unset(&postino, NOWHERE, &["--agent", "a", "send", "b", "hello"]));
    assert_eq!(first.code, 0, "{first:?}");
    assert!(first.err.contains("using sqlite:") && first.err.contains("no server answered"), "{}", first.err);
    let second = Ran::of(&mut unset(&postino, NOWHERE, &["--agent", "b", "read", "--json"]));
    assert_eq!((second.code, second.err.as_str()), (0, ""));
    assert!(choice(&postino).starts_with("sqlite:"));
}

#[test]
fn a_server_that_answers_is_chosen_and_stays_chosen() {
    for flavor in available() {
        let server = Server::start(flavor, &[]);
        let postino = Postino::new();
        let first = Ran::of(&mut unset(&postino, &server.url(), &["--agent", "a", "send", "b", "hello"]));
        assert!(first.code == 0 && first.err.contains(&server.url()), "{first:?}");
        assert!(choice(&postino).starts_with(&server.url()));
        drop(server);
        let gone = Ran::of(&mut unset(&postino, NOWHERE, &["--agent", "b", "check"]));
        assert_eq!(
            (gone.code, gone.out.as_str()),
            (7, ""),
            "a chosen server that is gone is an error, never a fallback"
        );
        assert!(gone.err.contains("try:"), "{}", gone.err);
    }
}

#[test]
fn a_server_that_evicts_or_wants_a_password_is_not_chosen() {
    for flavor in available() {
        for args in [&["--maxmemory", "50mb", "--maxmemory-policy", "allkeys-lru"][..], &["--requirepass", "secret"]] {
            let server = Server::start(flavor, args);
            let postino = Postino::new();
            let port = server.url().rsplit(':').next().unwrap().to_owned();
            let probe = format!("redis://127.0.0.1:{port}");
            assert_eq!(Ran::of(&mut unset(&postino, &probe, &["--agent", "a", "check"])).code, 0);
            assert!(choice(&postino).starts_with("sqlite:"), "{args:?}: {}", choice(&postino));
        }
    }
}

#[test]
fn twenty_first_uses_at_once_agree() {
    let postino = Postino::new();
    let senders: Vec<_> = (0..20)
        .map(|n| {
            let mut command = unset(&postino, NOWHERE, &["--agent", &format!("a{n}"), "send", "b", "hello", "-q"]);
            command.stdout(std::process::Stdio::null()).stderr(std::process::Stdio::piped()).spawn().unwrap()
        })
        .collect();
    for sender in senders {
        let ran = Ran::from(sender.wait_with_output().unwrap());
        assert_eq!((ran.code, ran.err.as_str()), (0, ""));
    }
    let stats = Ran::of(&mut unset(&postino, NOWHERE, &["--agent", "b", "stats", "--json"])).json();
    assert_eq!(stats["waiting"], 20);
}

#[test]
fn an_address_that_was_set_never_falls_back() {
    let postino = Postino::on(NOWHERE);
    for args in [
        &["send", "b", "hello"][..],
        &["read"],
        &["check"],
        &["broadcast", "hello"],
        &["agents"],
        &["watch"],
        &["stats"],
    ] {
        let ran = postino.run("a", args);
        assert_eq!((ran.code, ran.out.as_str()), (7, ""), "{args:?}");
        assert!(ran.err.contains("cannot reach") && ran.err.contains("try:"), "{args:?}: {}", ran.err);
    }
    assert!(!postino.home().join("postino/data").exists());
}

#[test]
fn a_server_that_accepts_and_never_answers_ends_a_command_in_time() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let postino = Postino::on(&format!("redis://{}", silent.local_addr().unwrap()));
    let start = std::time::Instant::now();
    let both: Vec<_> = [&["check"][..], &["send", "b", "hello"], &["read"]]
        .iter()
        .map(|args| {
            let mut command = postino.command(args);
            command.args(["--agent", "a"]).stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped());
            command.spawn().unwrap()
        })
        .collect();
    for child in both {
        let ran = Ran::from(child.wait_with_output().unwrap());
        assert_eq!((ran.code, ran.out.as_str()), (7, ""), "{ran:?}");
        assert!(ran.err.contains("try:"), "{}", ran.err);
    }
    // The bound is a promise (6 s), not a figure; generous here for a loaded machine.
    assert!(start.elapsed() < std::time::Duration::from_secs(12));
}

#[test]
fn a_bad_address_is_named_without_its_password() {
    let postino = Postino::on("http://me:secret@example.org");
    let ran = postino.run("a", &["check"]);
    assert_eq!((ran.code, ran.out.as_str()), (2, ""));
    assert!(!ran.err.contains("secret") && ran.err.contains("redis://"), "{}", ran.err);
}

#[test]
fn a_file_that_its_address_would_not_lead_to_is_refused() {
    let postino = Postino::new();
    for folder in [OsStr::from_bytes(b"with\ttab"), OsStr::from_bytes(b"no \xff text")] {
        let home = postino.home().join(folder);
        let ran = Ran::of(unset(&postino, NOWHERE, &["--agent", "a", "send", "b", "hello"]).env("POSTINO_HOME", &home));
        assert!(ran.code == 2 && ran.err.contains("POSTINO_HOME"), "{ran:?}");
        assert!(!home.join("postino.db").exists() && !home.join("store").exists());
    }
    let tilde = Ran::of(&mut unset(&postino, NOWHERE, &["--store", "sqlite:~/b.db", "check"]));
    assert!(tilde.code == 2 && tilde.err.contains("$HOME"), "{tilde:?}");
}
