//! Homes whose store is not as it should be.

use std::net::TcpListener;
use std::time::{Duration, Instant};

use super::Patient;
use crate::server::{Server, available};
use crate::support::{NOWHERE, Postino};

#[test]
fn a_store_that_does_not_answer() {
    let patient = Patient::of(Postino::on(NOWHERE));
    let finding = patient.only("store", "broken");
    assert_eq!(finding.mend, "redis-server --port 1 --appendonly yes --daemonize yes");
    assert!(finding.what.contains("connection refused"), "{}", finding.what);
    assert_eq!(patient.examined(&[])["delivery"].outcome, "skipped");
}

#[test]
fn a_store_that_never_answers_is_given_up_in_time() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let patient = Patient::of(Postino::on(&format!("redis://{}", silent.local_addr().unwrap())));
    let start = Instant::now();
    patient.only("store", "broken");
    assert!(start.elapsed() < Duration::from_secs(8), "{:?}", start.elapsed());
}

#[test]
fn a_server_that_may_drop_or_lose_mail() {
    for flavor in available() {
        let server = Server::start(flavor, &["--appendonly", "yes"]);
        let patient = Patient::of(Postino::on(&server.url()));
        patient.is_well();
        assert!(patient.examined(&[])["store"].what.contains(&server.url()));
        server.cli(&["CONFIG", "SET", "maxmemory", "100mb"]);
        server.cli(&["CONFIG", "SET", "maxmemory-policy", "allkeys-lru"]);
        let finding = patient.only("eviction", "broken");
        assert_eq!(finding.mend, format!("redis-cli -u '{}' config set maxmemory-policy noeviction", server.url()));
        server.cli(&["CONFIG", "SET", "maxmemory-policy", "noeviction"]);
        server.cli(&["CONFIG", "SET", "appendonly", "no"]);
        assert_eq!(patient.only("durability", "warning").mend, format!("redis-cli -u '{}' config set appendonly yes", server.url()));
    }
}

#[test]
fn a_password_is_neither_sent_in_clear_nor_shown() {
    let patient = Patient::of(Postino::on("redis://:hunter2@192.0.2.1:6379"));
    let found = patient.run(&["doctor", "--json"], &[]);
    assert!(!found.out.contains("hunter2"), "{}", found.out);
    let found = patient.examined(&[]);
    assert_eq!(found["password"].outcome, "warning");
    assert!(found["password"].mend.starts_with("export POSTINO_VALKEY_URL='rediss://"), "{}", found["password"].mend);
}

#[test]
fn a_damaged_database() {
    let patient = Patient::new();
    patient.is_well();
    let file = patient.postino.home().join("data/postino.db");
    for log in ["data/postino.db-wal", "data/postino.db-shm"] {
        let _ = std::fs::remove_file(patient.postino.home().join(log));
    }
    std::fs::write(file, vec![7u8; 8192]).unwrap();
    assert_eq!(patient.examined(&[])["store"].outcome, "broken");
}

#[test]
fn mail_that_waits_too_long_or_died() {
    let patient = Patient::new();
    let me = [("POSTINO_AGENT_NAME", "web"), ("POSTINO_MAX_INBOX", "2"), ("POSTINO_MAX_DELIVERIES", "1")];
    for _ in 0..2 {
        assert_eq!(patient.run(&["send", "web", "hello"], &me).code, 0);
    }
    let found = patient.examined(&me);
    assert_eq!((found["mailbox"].outcome.as_str(), found["mailbox"].mend.as_str()), ("broken", "postino read --limit 100"));
    let leased = patient.run(&["read", "--lease", "60", "--json", "--limit", "1"], &me).json();
    let receipt = leased["messages"][0]["receipt"].as_str().unwrap();
    assert_eq!(patient.run(&["release", receipt], &me).code, 0);
    let found = patient.examined(&me);
    assert_eq!((found["dead letters"].outcome.as_str(), found["dead letters"].mend.as_str()), ("warning", "postino dead list"));
    assert_eq!(patient.examined(&[("POSTINO_AGENT_NAME", "api")])["dead letters"].outcome, "ok");
}

#[test]
fn a_store_that_has_moved() {
    let patient = Patient::new();
    patient.is_well();
    let there = format!("sqlite:{}", patient.postino.home().join("there/postino.db").display());
    assert_eq!(patient.run(&["store", "move", &there], &[]).code, 0);
    let found = patient.examined(&[]);
    let broken: Vec<_> = found.iter().filter(|(_, finding)| finding.outcome == "broken").collect();
    assert!(broken.iter().any(|(_, finding)| finding.mend.contains(&there) || finding.what.contains(&there)), "{broken:?}");
}
