//! What is posted: legal and illegal, long, slow, in pieces, twice.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::site::{Reply, Site};
use crate::server::until;
use crate::support::Postino;

const JSON: (&str, &str) = ("Content-Type", "application/json");

fn fields(reply: &Reply) -> Value {
    reply.bad(400, "usage");
    reply.json()["error"]["fields"].clone()
}

#[test]
fn each_field_that_does_not_fit_is_named() {
    let postino = Postino::new();
    let site = Site::of(&postino);
    let send = |body: Value| fields(&site.post("/api/messages", &body));
    assert_eq!(send(json!({})), json!({"to": "is missing", "body": "is missing"}));
    assert_eq!(send(json!({"to": "web", "body": " \n"})), json!({"body": "the body is blank"}));
    assert_eq!(send(json!({"to": 5, "body": "hi"})), json!({"to": "is no text"}));
    assert_eq!(send(json!({"to": "web", "body": "hi", "bdy": 1})), json!({"bdy": "is not known here"}));
    assert_eq!(send(json!({"to": "web", "body": "hi", "via": "cli"})), json!({"via": "is not known here"}));
    assert_eq!(send(json!({"to": "web", "body": "hi", "from": ""})), json!({"from": "\"\" is not a legal agent name"}));
    assert_eq!(
        send(json!({"to": "web", "body": "hi", "urgent": "yes"})),
        json!({"urgent": "is neither true nor false"})
    );
    let id = json!({"to": "web", "body": "hi", "replyTo": "x"});
    assert_eq!(send(id), json!({"replyTo": "\"x\" is not a message id"}));
    let acked = fields(&site.post("/api/messages/web/ack", &json!({"receipts": ["x"]})));
    assert_eq!(acked, json!({"receipts": "\"x\" is not a receipt"}));
    assert_eq!(fields(&site.post("/api/rename", &json!({"name": "x"}))), json!({"from": "is missing"}));
    assert_eq!(fields(&site.get("/api/history?limit=many")), json!({"limit": "is no whole number"}));
    assert_eq!(fields(&site.get("/api/history?limit=1&limit=2")), json!({"limit": "stands there twice"}));
    assert_eq!(fields(&site.get("/api/history?agnet=web")), json!({"agnet": "is not known here"}));
    for path in ["/api/history?limit=0", "/api/history?with=web", "/api/messages/web?limit=1000", "/api/messages/.x"] {
        site.get(path).bad(400, "usage");
    }
    for body in
        ["", "{", "[]", "\"x\"", "null", "{\"to\":\"web\",\"body\":\"\\ud800\"}", "{\"to\":\"web\"} x", "\u{feff}{}"]
    {
        site.ask("POST", "/api/messages", &[JSON], body).bad(400, "usage");
    }
    assert_eq!(site.get("/api/stats").good()["sent"], 0);
}

#[test]
fn a_legal_message_is_never_too_large() {
    let postino = Postino::new();
    let site = Site::with(&postino, &[("POSTINO_MAX_BODY_BYTES", "400000")]);
    let longest = "\u{1f600}".repeat(32_768);
    let escaped = "\\ud83d\\ude00".repeat(32_768);
    for text in [&longest, &escaped] {
        let key = "k".repeat(128);
        let body = format!("{{\"to\":\"web\",\"from\":\"a\",\"key\":\"{key}\",\"body\":\"{text}\"}}");
        site.ask("POST", "/api/messages", &[JSON], &body).good();
    }
    let listed = site.get("/api/messages/web").good();
    assert_eq!((&listed["total"], listed["items"][0]["body"].as_str()), (&json!(1), Some(longest.as_str())));
    let refused = site.post("/api/messages", &json!({"to": "web", "body": "x".repeat(32_769)}));
    assert!(refused.bad(400, "usage").contains("32769"));
}

#[test]
fn what_is_too_large_is_refused_whether_it_says_so_or_not() {
    let postino = Postino::new();
    let site = Site::of(&postino);
    let body = format!("{{\"to\":\"web\",\"body\":\"{}\"}}", "x".repeat(600_000));
    site.ask("POST", "/api/messages", &[JSON], &body).bad(413, "usage");
    let chunked = format!("{:x}\n{body}\n0\n\n", body.len());
    let head = "POST /api/messages HTTP/1.1\nHost: 127.0.0.1:PORT\nContent-Type: application/json\n";
    site.raw(&format!("{head}Transfer-Encoding: chunked\n\n{chunked}")).bad(413, "usage");
    // Announced only: the answer need not wait for it.
    site.raw(&format!("{head}Content-Length: 5000000\n\n")).bad(413, "usage");
    site.raw(&format!("{head}Content-Length: 5000000\nExpect: 100-continue\n\n")).bad(413, "usage");
    assert_eq!(site.get("/api/stats").good()["sent"], 0);
}

#[test]
fn an_announced_length_beyond_all_memory_ends_nothing() {
    let postino = Postino::new();
    let site = Site::of(&postino);
    let mut kept = site.connect();
    for length in ["7036874417766400", "9223372036854775807", "18446744073709551615", "4294967296"] {
        for head in [
            "POST /api/messages HTTP/1.1\nHost: 127.0.0.1:PORT",
            "GET / HTTP/1.1\nHost: evil.test",
            "PUT /x HTTP/1.1\nHost: localhost:PORT",
        ] {
            let json = "Content-Type: application/json";
            let reply = site.raw(&format!("{head}\n{json}\nContent-Length: {length}\n\nx"));
            assert!(matches!(reply.status, 403 | 404 | 413), "{length}: {reply:?}");
            assert_eq!(reply.json()["ok"], false);
        }
    }
    site.raw("POST /api/messages HTTP/1.1\nHost: 127.0.0.1:PORT\nContent-Length: 99999999999999999999999\n\n")
        .bad(415, "usage");
    assert!(site.lives());
    kept.ask(site.port, "GET", "/api/stats", &[], "");
    kept.reply().good();
}

#[test]
fn a_body_in_pieces_is_put_together() {
    let postino = Postino::new();
    let site = Site::of(&postino);
    let head = "POST /api/messages HTTP/1.1\nHost: 127.0.0.1:PORT\nContent-Type: application/json\n";
    let chunks = "9\n{\"to\":\"we\n10\nb\",\"body\":\"hi\"} \n0\n\n";
    site.raw(&format!("{head}Transfer-Encoding: chunked\n\n{chunks}")).good();
    site.raw(&format!("{head}Transfer-Encoding: chunked\n\nnonsense\n")).bad(400, "usage");
    let mut wire = site.connect();
    let body = format!("{{\"to\":\"web\",\"body\":\"{}\"}}", "x".repeat(2_000));
    let head = head.replace("PORT", &site.port.to_string()).replace('\n', "\r\n");
    wire.send(format!("{head}Expect: 100-continue\r\nContent-Length: {}\r\n\r\n", body.len()).as_bytes());
    assert_eq!(wire.reply().status, 100);
    wire.send(body.as_bytes());
    wire.reply().good();
    // The answers to two requests in one go come in order, whichever was done first.
    let short = r#"{"to":"web","body":"hi"}"#;
    let one = format!("{head}Content-Length: {}\r\n\r\n{short}", short.len());
    wire.send(format!("{one}GET /api/stats HTTP/1.1\r\nHost: 127.0.0.1:{}\r\n\r\n", site.port).as_bytes());
    assert!(wire.reply().good()["id"].is_string());
    assert!(wire.reply().good()["sent"].as_u64().unwrap() >= 2);
}

#[test]
fn slow_senders_hold_up_nobody() {
    let postino = Postino::new();
    let site = Site::of(&postino);
    let head =
        format!("POST /api/messages HTTP/1.1\r\nHost: 127.0.0.1:{}\r\nContent-Type: application/json\r\n", site.port);
    // More than wait beside the workers.
    let slow: Vec<_> = (0..160)
        .map(|_| {
            let mut wire = site.connect();
            wire.send(format!("{head}Content-Length: 2000\r\n\r\n{{").as_bytes());
            wire
        })
        .collect();
    let begin = Instant::now();
    for _ in 0..20 {
        site.get("/api/stats").good();
    }
    assert!(begin.elapsed() < Duration::from_secs(10));
    drop(slow);
    until("their threads are gone", || threads(site.pid()) < 40);
}

fn threads(pid: u32) -> usize {
    std::fs::read_dir(format!("/proc/{pid}/task")).unwrap().count()
}

#[test]
fn a_key_makes_a_repetition_harmless() {
    let postino = Postino::new();
    let site = Site::of(&postino);
    let mail = json!({"to": "web", "body": "hi"}).to_string();
    let keyed = |key: &str, mail: &str| site.ask("POST", "/api/messages", &[JSON, ("Idempotency-Key", key)], mail);
    let first = keyed("k-1", &mail).good();
    let again = keyed("k-1", &mail).good();
    assert_eq!((&again["id"], &again["created"]), (&first["id"], &json!(false)));
    let in_body = site.post("/api/messages", &json!({"to": "web", "body": "hi", "key": "k-1"})).good();
    assert_eq!(in_body["id"], first["id"]);
    keyed("k-1", &json!({"to": "web", "body": "other"}).to_string()).bad(409, "conflict");
    keyed("k-1", &json!({"to": "web", "body": "hi", "key": "k-2"}).to_string()).bad(400, "usage");
    keyed(&"k".repeat(129), &mail).bad(400, "usage");
    let twice = [JSON, ("Idempotency-Key", "k-3"), ("Idempotency-Key", "k-3")];
    site.ask("POST", "/api/messages", &twice, &mail).bad(400, "usage");
    assert_eq!(site.get("/api/messages/web").good()["total"], 1);
    let told =
        |key: &str| site.ask("POST", "/api/broadcasts", &[JSON, ("Idempotency-Key", key)], r#"{"body":"x"}"#).good();
    assert_eq!(told("b")["id"], told("b")["id"]);
}
