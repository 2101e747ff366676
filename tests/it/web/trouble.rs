//! A store that is away, silent or moved, under a server that lives on.

use std::net::TcpListener;
use std::time::{Duration, Instant};

use serde_json::json;

use super::site::{Site, Wire};
use crate::server::{Flavor, Server, available, until};
use crate::support::{NOWHERE, Postino, Ran};

#[test]
fn a_store_that_is_away_is_said_and_the_page_is_there() {
    let postino = Postino::on(NOWHERE);
    let site = Site::of(&postino);
    let refused = site.get("/api/health");
    assert!(refused.bad(503, "unreachable").contains(NOWHERE));
    assert!(refused.header("retry-after").is_some());
    site.post("/api/messages", &json!({"to": "web", "body": "hi"})).bad(503, "unreachable");
    assert_eq!(site.get("/").status, 200);
}

#[test]
fn a_store_that_never_answers_is_given_up_in_time_by_all_who_ask() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let postino = Postino::on(&format!("redis://:secret@{}", silent.local_addr().unwrap()));
    let site = Site::of(&postino);
    let begin = Instant::now();
    std::thread::scope(|scope| {
        for _ in 0..6 {
            scope.spawn(|| {
                let message = site.get("/api/stats").bad(503, "unreachable");
                assert!(!message.contains("secret"), "{message}");
            });
        }
        assert_eq!(site.get("/").status, 200);
        assert!(begin.elapsed() < Duration::from_secs(3), "the page waits for nobody");
    });
    assert!(begin.elapsed() < Duration::from_secs(9), "{:?}", begin.elapsed());
}

#[test]
fn a_server_outlives_its_store() {
    for flavor in available() {
        let mut server = Server::start(flavor, &[]);
        let postino = Postino::on(&server.url());
        let site = Site::of(&postino);
        let mut wire = Wire::to(site.port);
        let mail = json!({"to": "web", "body": "hi"});
        site.post("/api/messages", &mail).good();
        server.kill();
        wire.ask(site.port, "GET", "/api/health", &[], "");
        wire.reply().bad(503, "unreachable");
        server.restart();
        wire.ask(site.port, "GET", "/api/health", &[], "");
        wire.reply().good();
        site.post("/api/messages", &mail).good();
    }
}

#[test]
fn an_embedded_store_that_is_taken_away_is_made_again() {
    let postino = Postino::new();
    let site = Site::of(&postino);
    site.post("/api/messages", &json!({"to": "web", "body": "hi"})).good();
    let data = postino.home().join("data");
    std::fs::rename(&data, postino.home().join("gone")).unwrap();
    until("a new store is in use", || {
        let counted = site.get("/api/stats");
        counted.status == 200 && counted.good()["sent"] == 0
    });
    site.post("/api/messages", &json!({"to": "web", "body": "hi"})).good();
    assert_eq!(postino.json("web", &["check"])["unreadMessages"], 1);
}

#[test]
fn a_store_that_moved_is_followed() {
    if !available().contains(&Flavor::Redis) {
        return;
    }
    let server = Server::start(Flavor::Redis, &[]);
    let postino = Postino::new();
    let unset = |args: &[&str]| {
        let mut command = postino.command(args);
        command.env_remove("POSTINO_VALKEY_URL");
        command
    };
    assert_eq!(Ran::of(&mut unset(&["send", "web", "hi", "-q", "--agent", "api"])).code, 0);
    let site = Site::start(unset(&["serve"]), &postino);
    assert_eq!(site.get("/api/messages/web").good()["total"], 1);
    let moved = Ran::of(&mut unset(&["store", "move", &server.url()]));
    assert_eq!(moved.code, 0, "{}", moved.err);
    assert_eq!(site.get("/api/messages/web").good()["total"], 1);
    site.post("/api/messages", &json!({"to": "web", "body": "more"})).good();
    assert!(site.get("/api/health").good()["server"].as_str().unwrap().starts_with("redis"));
}
