//! Other users of the same machine.

use std::path::Path;
use std::process::Command;

use serde_json::json;

use super::site::Site;
use crate::support::{Postino, Ran};

/// What curl gets as another user: the status and the body; `None` when this test may not become another user.
fn as_nobody(args: &[&str]) -> Option<String> {
    let may = rustix::process::geteuid().is_root() && Path::new("/usr/bin/setpriv").exists();
    if !may {
        eprintln!("\n*** NOT ROOT: what another user of this machine may do is NOT TESTED in this run ***\n");
        return None;
    }
    let mut command = Command::new("/usr/bin/setpriv");
    command.args(["--reuid=65534", "--regid=65534", "--clear-groups", "curl", "-s", "-w", "\n%{http_code}"]).args(args);
    Some(Ran::of(&mut command).out)
}

#[test]
fn another_user_of_this_machine_reads_and_stores_nothing() {
    let postino = Postino::new();
    let site = Site::of(&postino);
    site.post("/api/messages", &json!({"to": "web", "body": "secret words"})).good();
    let url = |path: &str| format!("http://127.0.0.1:{}{path}", site.port);
    for path in ["/", "/api/messages/web", "/api/history", "/api/events", "/nothing"] {
        let Some(answer) = as_nobody(&[&url(path)]) else { return };
        assert!(answer.ends_with("\n403") && answer.contains("another user"), "{path}: {answer}");
        assert!(!answer.contains("secret"), "{path}: {answer}");
    }
    let post = ["-H", "Content-Type: application/json", "-d", r#"{"to":"web","body":"hi"}"#];
    let answer = as_nobody(&[&post[..], &[&url("/api/messages")]].concat()).unwrap();
    assert!(answer.ends_with("\n403"), "{answer}");
    let answer = as_nobody(&["-X", "DELETE", &url("/api/messages/web")]).unwrap();
    assert!(answer.ends_with("\n403"), "{answer}");
    assert_eq!(site.get("/api/messages/web").good()["total"], 1);
}

#[test]
fn another_user_who_knows_the_token_may_ask() {
    let postino = Postino::new();
    let site = Site::with(&postino, &[("POSTINO_API_TOKEN", "correct-horse-battery")]);
    let url = format!("http://127.0.0.1:{}/api/stats", site.port);
    let Some(answer) = as_nobody(&["-H", "X-Postino-Token: correct-horse-battery", &url]) else { return };
    assert!(answer.ends_with("\n200"), "{answer}");
    assert!(as_nobody(&[&url]).unwrap().ends_with("\n401"));
}
