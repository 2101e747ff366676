//! What `postino doctor` says of the web server and its port.

use std::net::{Ipv4Addr, TcpListener};

use serde_json::Value;

use super::office::{Office, signal, until};
use crate::support::Postino;

/// A check's outcome, what was found, and what mends it.
fn found(office: &Office<'_>, name: &str) -> (String, String, String) {
    let diagnosis: Value = office.run(&["doctor", "--json"]).json();
    let check = diagnosis["checks"].as_array().unwrap().iter().find(|check| check["name"] == name).unwrap().clone();
    let text = |key: &str| check[key].as_str().unwrap_or_default().to_owned();
    (text("outcome"), text("what"), text("mend"))
}

#[test]
fn a_server_that_runs_or_could_run_is_well() {
    let postino = Postino::new();
    let office = Office::closed(&postino);
    let (outcome, what, _) = found(&office, "web server");
    assert_eq!((outcome.as_str(), what.as_str()), ("ok", "none runs; a session starts it"));
    assert_eq!(found(&office, "web port").0, "ok");
    let off = office.command(&["doctor", "--json"]).env("POSTINO_WEB_ENABLED", "false").output().unwrap();
    assert!(String::from_utf8_lossy(&off.stdout).contains("sessions do not start it"));
    let office = office.start();
    let (outcome, what, _) = found(&office, "web server");
    assert_eq!(outcome, "ok");
    assert!(what.starts_with(&format!("http://127.0.0.1:{}/", office.port)), "{what}");
}

#[test]
fn a_server_that_does_not_answer_is_broken_and_can_be_mended() {
    let postino = Postino::new();
    let office = Office::open(&postino);
    let child = office.child();
    signal(child, "-STOP");
    let (outcome, _, mend) = found(&office, "web server");
    assert_eq!((outcome.as_str(), mend.as_str()), ("broken", "postino serve stop; postino serve --detach"));
    signal(child, "-CONT");
    until("it is well again", || (found(&office, "web server").0 == "ok").then_some(()));
}

#[test]
fn ports_that_are_all_taken_are_said() {
    let postino = Postino::new();
    let mut office = Office::closed(&postino);
    let mut held = Vec::new();
    // Ten in a row that are all ours or somebody's.
    office.port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port() - 20;
    for n in 0..10 {
        held.extend(TcpListener::bind((Ipv4Addr::LOCALHOST, office.port + n)).ok());
    }
    let (outcome, what, mend) = found(&office, "web port");
    assert_eq!((outcome.as_str(), mend.as_str()), ("warning", "export POSTINO_WEB_PORT=0"), "{what}");
}
