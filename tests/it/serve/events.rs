//! Live events: complete from where the client was, in order, without doubles, through the death of the child and of the store.

use std::io::{Read, Write};
use std::time::{Duration, Instant};

use rustix::net::{AddressFamily, SocketType, connect, socket, sockopt};

use super::office::{Listener, Office, signal, until};
use crate::server::{Flavor, Server, available};
use crate::support::{Postino, on_each_store};

on_each_store!(
    who_listens_is_told_what_happens_from_now_on,
    who_comes_again_misses_nothing,
    a_place_that_is_not_known_is_a_reset,
    nothing_is_missed_when_the_child_is_killed,
);

fn names(range: std::ops::Range<usize>) -> Vec<String> {
    range.map(|n| format!("box-{n}")).collect()
}

fn who_listens_is_told_what_happens_from_now_on(postino: &Postino) {
    let office = Office::open(postino);
    office.post("before", "not told");
    let mut listener = Listener::of(&office, "", None);
    for line in ["HTTP/1.1 200 OK\r\n", "Content-Type: text/event-stream\r\n", "Cache-Control: no-store\r\n"] {
        assert!(listener.head.contains(line), "{}", listener.head);
    }
    assert!(!listener.head.to_lowercase().contains("content-length"));
    listener.settle();
    let mut second = Listener::of(&office, "", None);
    second.settle();
    office.post("web", "a secret body");
    let id = postino.send("api", "web", "from a shell");
    for listener in [&mut listener, &mut second] {
        let first = listener.event();
        assert_eq!((first.event.as_str(), &first.data["to"]), ("message.sent", &"web".into()));
        assert_eq!((first.id.as_deref(), &first.data["type"]), (first.data["cursor"].as_str(), &"message.sent".into()));
        assert!(!first.data.to_string().contains("secret"));
        let next = std::iter::from_fn(|| Some(listener.event())).find(|told| told.event == "message.sent").unwrap();
        assert_eq!((&next.data["id"], &next.data["from"]), (&id.as_str().into(), &"api".into()));
    }
}

fn who_comes_again_misses_nothing(postino: &Postino) {
    let office = Office::open(postino);
    let mut listener = Listener::of(&office, "", None);
    listener.settle();
    office.post("box-0", "seen");
    assert_eq!(listener.sent(1), ["box-0"]);
    let last = listener.last.clone();
    drop(listener);
    names(1..8).iter().for_each(|to| office.post(to, "missed"));
    let mut again = Listener::of(&office, "", last.as_deref());
    assert_eq!(again.sent(7), names(1..8));
    office.post("box-8", "live");
    assert_eq!(again.sent(1), names(8..9));
    // The same by the address, for clients that cannot set the header.
    let mut by_query = Listener::of(&office, &format!("?after={}", last.unwrap()), None);
    assert_eq!(by_query.sent(8), names(1..9));
}

fn a_place_that_is_not_known_is_a_reset(postino: &Postino) {
    let office = Office::open(postino);
    office.post("web", "an event");
    for last in ["ffffffff-7", "nonsense"] {
        let mut listener = Listener::of(&office, "", Some(last));
        let told = listener.event();
        assert_eq!((told.event.as_str(), told.id.as_deref()), ("reset", told.data["cursor"].as_str()), "{last}");
        office.post("web", "another");
        let next = std::iter::from_fn(|| Some(listener.event())).find(|told| told.event == "message.sent");
        assert!(next.is_some());
    }
}

fn nothing_is_missed_when_the_child_is_killed(postino: &Postino) {
    let office = Office::open(postino);
    let mut listener = Listener::of(&office, "", None);
    listener.settle();
    let mut told = Vec::new();
    for round in 0..3 {
        names(round * 10..round * 10 + 5).iter().for_each(|to| drop(postino.send("api", to, "x")));
        let child = office.child();
        signal(child, "-KILL");
        names(round * 10 + 5..round * 10 + 10).iter().for_each(|to| drop(postino.send("api", to, "x")));
        // What was on its way is read to the end, then the client comes again, as a browser does.
        while let Some(event) = listener.next() {
            if event.event == "message.sent" {
                told.push(event.data["to"].as_str().unwrap().to_owned());
            }
        }
        let last = listener.last.clone();
        listener = until("the next child", || Listener::over(office.connect(), office.port, "", last.as_deref()));
        told.extend(listener.sent((round + 1) * 10 - told.len()));
    }
    assert_eq!(told, names(0..30));
}

#[test]
fn nothing_is_missed_when_the_store_is_restarted() {
    for flavor in available() {
        let mut server = Server::start(flavor, &["--appendonly", "yes", "--appendfsync", "always"]);
        let postino = Postino::on(&server.url());
        let office = Office::open(&postino);
        let mut listener = Listener::of(&office, "", None);
        listener.settle();
        names(0..5).iter().for_each(|to| drop(postino.send("api", to, "x")));
        assert_eq!(listener.sent(5), names(0..5), "{flavor:?}");
        server.restart();
        names(5..10).iter().for_each(|to| drop(postino.send("api", to, "x")));
        assert_eq!(listener.sent(5), names(5..10), "{flavor:?}: the same stream goes on");
        // A store that is away keeps nobody from listening.
        server.kill();
        let last = listener.last.clone();
        let mut waiting = Listener::of(&office, "", last.as_deref());
        server.restart();
        drop(postino.send("api", "box-10", "x"));
        assert_eq!((waiting.sent(1), listener.sent(1)), (names(10..11), names(10..11)), "{flavor:?}");
    }
    assert!(available().is_empty() || available().contains(&Flavor::Redis) || available().contains(&Flavor::Valkey));
}

#[test]
fn presence_that_changes_is_told_without_a_place_in_the_stream() {
    let postino = Postino::new();
    let office = Office::open(&postino);
    postino.meet("worker");
    let mut listener = Listener::of(&office, "?page=ada", None);
    listener.settle();
    let told = std::iter::from_fn(|| listener.next()).find(|told| told.event == "agent.state").unwrap();
    assert_eq!((told.id, &told.data["name"], &told.data["state"]), (None, &"ada".into(), &"idle".into()));
    let agents = postino.json("api", &["agents"]);
    let ada = agents["items"].as_array().unwrap().iter().find(|agent| agent["name"] == "ada").unwrap();
    assert_eq!((&ada["online"], &ada["client"]), (&true.into(), &"page".into()));
}

#[test]
fn a_page_that_cannot_be_one_is_refused() {
    let postino = Postino::new();
    let office = Office::open(&postino);
    assert_eq!(office.get("/api/events?page=%3Cb%3E").0, 400);
    assert_eq!(office.get("/api/events?after=%zz").0, 400);
    let (status, body) = office.ask("HEAD /api/events", "");
    assert_eq!((status, body.as_str()), (200, ""));
}

#[test]
fn a_head_is_answered_while_the_connection_stays() {
    let postino = Postino::new();
    let office = Office::open(&postino);
    let mut stream = office.connect();
    stream
        .write_all(format!("HEAD /api/events HTTP/1.1\r\nHost: 127.0.0.1:{}\r\n\r\n", office.port).as_bytes())
        .unwrap();
    let mut status = [0; 15];
    stream.read_exact(&mut status).unwrap();
    assert_eq!(&status, b"HTTP/1.1 200 OK");
}

/// A connection whose kernel keeps next to nothing for its reader.
fn narrow(port: u16) -> std::net::TcpStream {
    let socket = socket(AddressFamily::INET, SocketType::STREAM, None).unwrap();
    sockopt::set_socket_recv_buffer_size(&socket, 2_048).unwrap();
    connect(&socket, &std::net::SocketAddrV4::new(std::net::Ipv4Addr::LOCALHOST, port)).unwrap();
    std::net::TcpStream::from(socket)
}

#[test]
fn who_does_not_read_is_dropped_alone() {
    let postino = Postino::new();
    let office = Office::closed(&postino).with("POSTINO_MAX_DELIVERIES", "1000").start();
    let mut healthy = Listener::of(&office, "", None);
    healthy.settle();
    let stalled = narrow(office.port);
    let mut stalled = Listener::over(stalled, office.port, "", None).unwrap();
    stalled.settle();
    (0..100).for_each(|n| office.post("web", &format!("message {n}")));
    // A lease and a release of a hundred are two hundred events: enough of them fill what the kernel keeps, and the queue.
    let reader = std::thread::spawn(move || {
        let mut ids = Vec::new();
        loop {
            let told = healthy.event();
            ids.push(told.id.unwrap());
            if told.event == "cleared" {
                return ids;
            }
        }
    });
    for _ in 0..40 {
        let (_, answer) = office.ask("POST /api/messages/web/read", "{\"limit\":100,\"lease\":600}");
        let answer: serde_json::Value = serde_json::from_str(&answer).unwrap();
        let receipts: Vec<_> = answer["messages"].as_array().unwrap().iter().map(|one| &one["receipt"]).collect();
        assert_eq!(receipts.len(), 100);
        let body = serde_json::json!({ "receipts": receipts }).to_string();
        assert_eq!(office.ask("POST /api/messages/web/release", &body).0, 200);
    }
    assert_eq!(office.ask("DELETE /api/messages/web", "").0, 200);
    let ids = reader.join().unwrap();
    assert!(ids.len() > 8_000, "{}", ids.len());
    // The stalled one finds the beginning, whole and in order, and then its end.
    let mut got = Vec::new();
    while let Some(told) = stalled.next() {
        got.extend(told.id);
    }
    assert!(got.len() < ids.len() && !got.is_empty(), "{} of {}", got.len(), ids.len());
    assert_eq!(got, ids[..got.len()]);
    // It comes again and goes on.
    let mut again = Listener::of(&office, "", got.last().map(String::as_str));
    assert_eq!(again.event().id.as_ref(), ids.get(got.len()));
}

/// How many threads of the child write to somebody who listens.
fn writers(child: u32) -> usize {
    let tasks = std::fs::read_dir(format!("/proc/{child}/task")).unwrap().map(|task| task.unwrap().path());
    tasks.filter(|task| std::fs::read_to_string(task.join("comm")).is_ok_and(|name| name == "listener\n")).count()
}

#[test]
fn who_is_gone_leaves_nothing_behind_and_a_stop_ends_every_stream() {
    let postino = Postino::new();
    let office = Office::open(&postino);
    let child = office.child();
    let mut listeners: Vec<_> = (0..20).map(|_| Listener::of(&office, "", None)).collect();
    listeners.iter_mut().for_each(Listener::settle);
    assert_eq!(writers(child), 20);
    drop(listeners.split_off(1));
    // A client that is gone is noticed when it is written to.
    until("the others are noticed to be gone", || {
        office.post("web", "an event");
        (writers(child) == 1).then_some(())
    });
    assert_eq!(office.run(&["serve", "stop"]).code, 0);
    let mut left = listeners.pop().unwrap();
    while left.next().is_some() {}
}

#[test]
#[ignore = "takes half a minute: run by just test-long"]
fn silence_is_broken_every_fifteen_seconds() {
    let postino = Postino::new();
    let office = Office::open(&postino);
    let mut listener = Listener::of(&office, "", None);
    listener.settle();
    let mut last = Instant::now();
    for _ in 0..2 {
        while listener.block().unwrap().iter().all(|line| !line.starts_with(':')) {}
        let quiet = last.elapsed();
        assert!((Duration::from_secs(13)..Duration::from_secs(20)).contains(&quiet), "{quiet:?}");
        last = Instant::now();
    }
    let _ = office.connect().read(&mut [0; 0]);
}
