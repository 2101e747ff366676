//! One server for a user and a workspace: who comes second says so, who takes the port is evaded, who is newer takes over.

use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::fs::PermissionsExt;
use std::process::Stdio;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use super::office::{Office, children, lives, signal, until};
use crate::support::{Postino, Ran};

#[test]
fn it_starts_tells_where_it_is_and_stops() {
    let postino = Postino::new();
    let office = Office::closed(&postino);
    let none = office.run(&["serve", "status"]);
    none.is(3, "", "postino: no web server runs for this workspace\n  try: postino serve --detach\n");
    assert_eq!(office.run(&["serve", "status", "--json"]).code, 3);
    let office = office.start();
    let url = format!("http://127.0.0.1:{}/", office.port);
    let record = office.record().unwrap();
    assert_eq!((record["url"].as_str(), record["version"].as_str()), (Some(&*url), Some(env!("CARGO_PKG_VERSION"))));
    assert_eq!(office.get("/api/health").0, 200);
    let again = office.run(&["serve"]);
    assert_eq!((again.code, again.err.as_str()), (0, ""));
    assert!(again.out.starts_with(&format!("serving on {url} since ")), "{}", again.out);
    let folder = postino.home().join("postino/serve");
    assert_eq!(std::fs::metadata(&folder).unwrap().permissions().mode() & 0o777, 0o700);
    for file in std::fs::read_dir(&folder).unwrap() {
        let file = file.unwrap();
        assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600, "{file:?}");
    }
    let (parent, child) = (office.parent(), office.child());
    let stopped = office.run(&["serve", "stop", "--json"]);
    assert_eq!((stopped.code, stopped.json()["stopped"].as_u64()), (0, Some(parent.into())));
    assert!(!lives(parent));
    until("the child ends too", || (!lives(child)).then_some(()));
    office.run(&["serve", "stop"]).is(0, "", "postino: no web server runs for this workspace\n");
    TcpListener::bind((Ipv4Addr::LOCALHOST, office.port)).expect("the port is free again");
}

#[test]
fn of_twenty_started_at_once_one_serves() {
    let postino = Postino::new();
    let office = Office::closed(&postino);
    let starts: Vec<_> = (0..20)
        .map(|n| {
            let args: &[&str] = if n % 2 == 0 { &["serve", "--detach"] } else { &["serve"] };
            let mut command = office.command(args);
            command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
        })
        .collect();
    let parent = office.parent();
    let mut served = 0;
    for start in starts {
        if start.id() == parent {
            // The one in the foreground goes on; it is ended with the office.
            served += 1;
            std::thread::spawn(move || start.wait_with_output());
            continue;
        }
        let ran = Ran::from(start.wait_with_output().unwrap());
        assert_eq!(ran.code, 0, "{ran:?}");
        assert!(ran.out.contains(&format!("http://127.0.0.1:{}/", office.port)), "{ran:?}");
    }
    assert!(served <= 1);
    assert_eq!((office.logged("serving"), office.logged("failed"), children(parent).len()), (1, 0, 1));
}

#[test]
fn a_strangers_port_is_evaded_and_ten_of_them_are_an_error() {
    let postino = Postino::new();
    let stranger = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let mut office = Office::closed(&postino);
    office.port = stranger.local_addr().unwrap().port();
    let started = office.run(&["serve", "--detach", "--json"]);
    assert_eq!(started.code, 0, "{started:?}");
    let url = started.json()["url"].as_str().unwrap().to_owned();
    let port: u16 = url.trim_end_matches('/').rsplit(':').next().unwrap().parse().unwrap();
    assert!(port > office.port && port < office.port + 10, "{url}");
    assert_eq!(office.run(&["serve", "stop"]).code, 0);
    let _all: Vec<_> =
        (1..10).filter_map(|n| TcpListener::bind((Ipv4Addr::LOCALHOST, office.port.checked_add(n)?)).ok()).collect();
    let refused = office.run(&["serve"]);
    assert_eq!((refused.code, refused.out.as_str()), (1, ""));
    assert!(refused.err.contains("POSTINO_WEB_PORT"), "{}", refused.err);
}

#[test]
fn another_workspace_has_a_server_of_its_own() {
    let postino = Postino::new();
    let office = Office::open(&postino);
    let other = Office::closed(&postino).with("POSTINO_KEY_PREFIX", "other:").start();
    assert_ne!(office.parent(), other.parent());
    assert_eq!((office.get("/api/health").0, other.get("/api/health").0), (200, 200));
}

#[test]
fn a_parent_that_is_killed_leaves_nothing_in_the_way() {
    let postino = Postino::new();
    let office = Office::open(&postino);
    let (parent, child) = (office.parent(), office.child());
    signal(parent, "-KILL");
    until("the child ends with its parent", || (!lives(child)).then_some(()));
    assert_eq!(office.run(&["serve", "status"]).code, 3);
    assert_eq!(office.run(&["serve", "--detach"]).code, 0);
    assert_eq!((office.get("/api/health").0, office.parent() == parent), (200, false));
}

/// Makes the server that runs look older than it is.
fn age(office: &Office<'_>) {
    let folder = office.postino.home().join("postino/serve");
    let file = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let file = file.into_iter().find(|path| path.extension().is_some_and(|extension| extension == "json")).unwrap();
    let mut record: serde_json::Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
    record["version"] = "0.0.9".into();
    std::fs::write(&file, record.to_string()).unwrap();
}

#[test]
fn a_newer_version_takes_over_and_no_connection_is_refused() {
    let postino = Postino::new();
    let office = Office::open(&postino);
    let (parent, child) = (office.parent(), office.child());
    let (over, asked) = (AtomicBool::new(false), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !over.load(Ordering::Relaxed) {
                // A connection that had begun may be cut; none may be refused, which would panic.
                if office.try_ask("GET /api/health", "").is_some_and(|(status, _)| status == 200) {
                    asked.fetch_add(1, Ordering::Relaxed);
                }
            }
        });
        age(&office);
        let newer = office.run(&["serve", "--json"]);
        assert_eq!((newer.code, newer.json()["pid"].as_u64()), (0, Some(parent.into())), "{newer:?}");
        assert_eq!(newer.json()["version"], env!("CARGO_PKG_VERSION"));
        assert_ne!(office.child(), child);
        let before = asked.load(Ordering::Relaxed);
        until("the new one answers", || (asked.load(Ordering::Relaxed) > before).then_some(()));
        over.store(true, Ordering::Relaxed);
    });
    assert!(!lives(child));
    assert_eq!(office.logged("handing over"), 1);
    // The one that took over still has the lock, and can be stopped like any other.
    assert_eq!(office.run(&["serve"]).json_pid(), Some(u64::from(parent)));
}

impl Ran {
    /// The process that a server's line names.
    fn json_pid(&self) -> Option<u64> {
        self.out.split("process ").nth(1)?.split(',').next()?.parse().ok()
    }
}

#[test]
fn an_older_version_that_does_not_listen_is_ended_and_replaced() {
    let postino = Postino::new();
    let office = Office::open(&postino);
    let parent = office.parent();
    let call = std::fs::read_dir(postino.home().join("postino/serve")).unwrap().map(|entry| entry.unwrap().path());
    let call = call.into_iter().find(|path| path.extension().is_some_and(|extension| extension == "call")).unwrap();
    std::fs::remove_file(call).unwrap();
    age(&office);
    assert_eq!(office.run(&["serve", "--detach"]).code, 0);
    assert!(office.parent() != parent && !lives(parent));
    assert_eq!(office.get("/api/health").0, 200);
}

#[test]
fn an_heir_that_cannot_be_started_leaves_the_server_as_it_was() {
    let postino = Postino::new();
    let office = Office::open(&postino);
    let parent = office.parent();
    let call = std::fs::read_dir(postino.home().join("postino/serve")).unwrap().map(|entry| entry.unwrap().path());
    let call = call.into_iter().find(|path| path.extension().is_some_and(|extension| extension == "call")).unwrap();
    std::fs::write(call, "heir /nowhere/postino\nnonsense\n").unwrap();
    until("it was tried", || (office.logged("hand-over failed") == 1).then_some(()));
    assert_eq!((office.get("/api/health").0, office.parent()), (200, parent));
}

#[test]
fn settings_that_are_bad_are_an_error_at_once() {
    let postino = Postino::new();
    let office = Office::closed(&postino);
    for args in [&["serve"][..], &["serve", "--detach"]] {
        let ran = Ran::of(office.command(args).env("POSTINO_WEB_PORT", "many"));
        assert_eq!(ran.code, 2, "{ran:?}");
        assert!(ran.err.contains("POSTINO_WEB_PORT"), "{}", ran.err);
    }
}

#[test]
fn open_shows_the_page_in_the_browser_that_was_set() {
    let postino = Postino::new();
    let office = Office::closed(&postino);
    let seen = postino.home().join("seen");
    let browser = postino.home().join("browser");
    std::fs::write(&browser, format!("#!/bin/sh\nprintf %s \"$1\" >{0}.new && mv {0}.new {0}\n", seen.display()))
        .unwrap();
    std::fs::set_permissions(&browser, std::fs::Permissions::from_mode(0o755)).unwrap();
    for args in [&["open"][..], &["serve", "open"]] {
        let ran = Ran::of(office.command(args).env("BROWSER", &browser).env("PATH", "/bin:/usr/bin"));
        let url = format!("http://127.0.0.1:{}/", office.port);
        ran.is(0, &format!("{url}\n"), "");
        assert_eq!(until("it was opened", || std::fs::read_to_string(&seen).ok()), url);
        std::fs::remove_file(&seen).unwrap();
    }
}
