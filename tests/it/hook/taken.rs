//! Of two hooks of a session at once, one has its registration, also over a request that takes long; the other goes on without.

use std::fs::File;
use std::path::PathBuf;

use rustix::fs::{FlockOperation, flock};
use serde_json::json;

use super::session::{Session, feed, hint};
use crate::support::Postino;

/// What the watchdog leaves a hook here. One that it ends tells nothing about itself, so what these hooks tell shows that it did not.
const IN_ALL: &str = "8000";

/// The file of the session's registration with this ending.
fn file(postino: &Postino, ending: &str) -> PathBuf {
    let hosts = std::fs::read_dir(postino.home().join("postino/sessions")).unwrap();
    let files = hosts.flat_map(|host| std::fs::read_dir(host.unwrap().path()).unwrap());
    files.map(|file| file.unwrap().path()).find(|path| path.extension().is_some_and(|e| e == ending)).unwrap()
}

/// Another hook that has the registration, until dropped.
fn taken(postino: &Postino) -> File {
    let lock = File::options().write(true).open(file(postino, "lock")).unwrap();
    flock(&lock, FlockOperation::LockExclusive).unwrap();
    lock
}

/// What a hook prints, and what it tells about itself.
fn told(session: &Session<'_>, event: &str) -> (String, String) {
    let mut command = session.command(&["hook", event]);
    command.env("POSTINO_HOOK_MS", IN_ALL).env("POSTINO_DEBUG", "1");
    let ran = feed(command, session.payload(event, &json!({})).as_bytes());
    assert_eq!(ran.code, 0);
    (ran.out, ran.err)
}

#[test]
fn a_hook_that_cannot_note_what_it_tells_tells_nothing_in_time() {
    let postino = Postino::new();
    let session = Session::start(&postino, "s-1");
    postino.send("alice", "webshop", "hello");
    let other = taken(&postino);
    let (out, err) = told(&session, "user-prompt-submit");
    assert!(out.is_empty() && err.contains("nothing new"), "{out}{err}");
    drop(other);
    assert_eq!(session.prompt(), hint("alice"));
}

#[test]
fn a_hook_whose_registration_is_being_made_goes_on_without() {
    let postino = Postino::new();
    let mut session = Session::start(&postino, "s-1");
    let other = taken(&postino);
    // In another conversation the registration is behind, but has a name.
    session.id = "s-2".to_owned();
    let (out, err) = told(&session, "post-tool-use");
    assert!(out.is_empty() && err.contains("nothing new"), "{out}{err}");
    // Without one there is no name to ask for.
    std::fs::remove_file(file(&postino, "json")).unwrap();
    for event in ["session-start", "user-prompt-submit"] {
        let (out, err) = told(&session, event);
        assert!(out.is_empty() && err.contains("another process"), "{event}: {out}{err}");
    }
    drop(other);
    assert!(told(&session, "session-start").0.starts_with("[postino] You are \"webshop\"."));
}

#[test]
fn a_session_that_is_taken_is_not_left_under_another_hooks_feet() {
    let postino = Postino::new();
    let session = Session::start(&postino, "s-1");
    let other = taken(&postino);
    let (out, err) = told(&session, "session-end");
    assert!(out.is_empty() && err.contains("another process"), "{out}{err}");
    assert!(file(&postino, "json").exists());
    drop(other);
    assert!(told(&session, "session-end").1.contains("session ended"));
}
