//! What happens to the child is the parent's business alone: it is followed by another one, and whoever connects meanwhile waits.

use std::io::Write;
use std::time::{Duration, Instant};

use super::office::{Office, children, lives, signal, until};
use crate::support::Postino;

#[test]
fn a_child_that_is_killed_is_followed_by_another_within_a_second() {
    let postino = Postino::new();
    let office = Office::open(&postino);
    let parent = office.parent();
    for _ in 0..2 {
        let child = office.child();
        signal(child, "-KILL");
        let killed = Instant::now();
        // It may be the old one that is asked, once; from then on the connection waits for the new one.
        until("it is answered", || office.try_ask("GET /api/health", "").filter(|(status, _)| *status == 200));
        assert!(killed.elapsed() < Duration::from_secs(1), "{:?}", killed.elapsed());
        until("it is another one", || children(parent).into_iter().find(|now| *now != child));
    }
    assert_eq!((office.parent(), office.logged("died")), (parent, 2));
    assert_eq!(std::fs::read_dir(format!("/proc/{parent}/task")).unwrap().count(), 1, "the parent has one thread");
}

#[test]
fn who_connects_while_no_child_is_there_is_served_by_the_next() {
    let postino = Postino::new();
    let office = Office::open(&postino);
    let (parent, child) = (office.parent(), office.child());
    // The parent cannot start the next one as long as it stands still.
    signal(parent, "-STOP");
    signal(child, "-KILL");
    until("the child is gone", || (!lives(child)).then_some(()));
    let waiting: Vec<_> = (0..50).map(|_| office.connect()).collect();
    signal(parent, "-CONT");
    for mut stream in waiting {
        let head = format!("GET /api/health HTTP/1.1\r\nHost: 127.0.0.1:{}\r\nConnection: close\r\n\r\n", office.port);
        stream.write_all(head.as_bytes()).unwrap();
        let mut answer = String::new();
        std::io::Read::read_to_string(&mut stream, &mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    }
}

#[test]
fn children_that_die_at_once_are_not_started_without_end() {
    let postino = Postino::new();
    let office = Office::open(&postino);
    let parent = office.parent();
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_secs(3) {
        for child in children(parent) {
            let _ = std::process::Command::new("kill").args(["-KILL", &child.to_string()]).status();
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    let died = office.logged("died");
    assert!((3..=12).contains(&died), "{died} children died in three seconds");
    until("it is answered again", || office.try_ask("GET /api/health", "").filter(|(status, _)| *status == 200));
}

#[test]
fn what_was_begun_is_finished_when_the_server_is_stopped() {
    let postino = Postino::new();
    let office = Office::open(&postino);
    let body = format!("{{\"to\":\"web\",\"body\":\"{}\"}}", "x".repeat(20_000));
    let mut stream = office.connect();
    let head = format!(
        "POST /api/messages HTTP/1.1\r\nHost: 127.0.0.1:{}\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        office.port,
        body.len()
    );
    let (first, second) = body.split_at(10_000);
    stream.write_all(format!("{head}{first}").as_bytes()).unwrap();
    let child = office.child();
    until("the request has begun", || (office.get("/api/health").0 == 200).then_some(()));
    signal(office.parent(), "-TERM");
    until("the parent is gone", || office.record().is_none().then_some(()));
    assert!(lives(child));
    stream.write_all(second.as_bytes()).unwrap();
    let mut answer = String::new();
    std::io::Read::read_to_string(&mut stream, &mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    assert_eq!(postino.json("web", &["check"])["unreadMessages"], 1);
}
