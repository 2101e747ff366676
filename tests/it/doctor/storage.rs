//! Homes whose store is not as it should be.

use std::net::TcpListener;
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::json;

use super::Patient;
use crate::hook::session::Session;
use crate::server::{Server, available};
use crate::support::{NOWHERE, Postino, Ran};

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
        assert_eq!(
            patient.only("durability", "warning").mend,
            format!("redis-cli -u '{}' config set appendonly yes", server.url())
        );
    }
}

#[test]
fn a_password_is_neither_sent_in_clear_nor_shown() {
    let patient = Patient::of(Postino::on("redis://:hunter2@192.0.2.1:6379"));
    let found = patient.run(&["doctor", "--json"], &[]);
    assert!(!found.out.contains("hunter2"), "{}", found.out);
    let found = patient.examined(&[]);
    assert_eq!(found["password"].outcome, "warning");
    // What mends it says the password all the same, by where it stands.
    let spoken = |mend: &str| mend.strip_prefix("redis-cli -u ").unwrap().strip_suffix(" ping").unwrap().to_owned();
    let heard = |script: &str| {
        let url = ("POSTINO_VALKEY_URL", "redis://:hunter2@192.0.2.1:6379");
        let said = Command::new("sh").args(["-ec", script]).envs([url]).output().unwrap();
        String::from_utf8(said.stdout).unwrap()
    };
    assert_eq!(heard(&format!("printf %s {}", spoken(&found["store"].mend))), "redis://:hunter2@192.0.2.1:6379");
    let mended = heard(&format!("{}; printf %s \"$POSTINO_VALKEY_URL\"", found["password"].mend));
    assert_eq!(mended, "rediss://:hunter2@192.0.2.1:6379");
    let config = patient.postino.home().join("postino/config.toml");
    std::fs::write(&config, "valkey_url = \"valkey://:hunter2@192.0.2.1:6379\"\nmax_inbox = 7\n").unwrap();
    let mut doctor = patient.postino.command(&["doctor", "--json"]);
    let found = Ran::of(doctor.env_remove("POSTINO_VALKEY_URL"));
    assert!(!found.out.contains("hunter2"), "{}", found.out);
    let checks = found.json()["checks"].as_array().unwrap().clone();
    let mend =
        |name: &str| checks.iter().find(|check| check["name"] == name).unwrap()["mend"].as_str().unwrap().to_owned();
    assert_eq!(heard(&format!("printf %s {}", spoken(&mend("store")))), "valkey://:hunter2@192.0.2.1:6379");
    heard(&mend("password"));
    let mended = std::fs::read_to_string(&config).unwrap();
    assert_eq!(mended, "valkey_url = \"valkeys://:hunter2@192.0.2.1:6379\"\nmax_inbox = 7\n");
}

#[test]
fn a_shell_where_a_session_was_killed_is_well() {
    let patient = Patient::new();
    let mut session = Session::start(&patient.postino, "s-1");
    session.kill();
    let shell = |args: &[&str]| {
        let mut command = patient.postino.command(args);
        Ran::of(command.env("POSTINO_CLIENT_PID", "0").current_dir(patient.postino.home().join("webshop")))
    };
    // Its last sign of life is a minute old.
    let sign = std::fs::File::open(patient.postino.home().join("data/presence/webshop")).unwrap();
    sign.set_modified(sign.metadata().unwrap().modified().unwrap() - Duration::from_secs(60)).unwrap();
    assert_eq!(shell(&["agents", "--json"]).json()["online"], 0);
    let found = shell(&["doctor", "--json"]).json();
    let presence =
        found["checks"].as_array().unwrap().iter().find(|check| check["name"] == "presence").unwrap().clone();
    assert_eq!((&presence["outcome"], &presence["mend"]), (&json!("skipped"), &json!(null)), "{presence}");
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
    assert_eq!(
        (found["mailbox"].outcome.as_str(), found["mailbox"].mend.as_str()),
        ("broken", "postino read --limit 100")
    );
    let leased = patient.run(&["read", "--lease", "60", "--json", "--limit", "1"], &me).json();
    let receipt = leased["messages"][0]["receipt"].as_str().unwrap();
    assert_eq!(patient.run(&["release", receipt], &me).code, 0);
    let found = patient.examined(&me);
    assert_eq!(
        (found["dead letters"].outcome.as_str(), found["dead letters"].mend.as_str()),
        ("warning", "postino dead list")
    );
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
    assert!(
        broken.iter().any(|(_, finding)| finding.mend.contains(&there) || finding.what.contains(&there)),
        "{broken:?}"
    );
}
