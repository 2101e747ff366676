//! Moving a workspace to another store, both ways, and what everybody else sees of it.

use std::process::Command;

use crate::hook::session::feed;
use crate::server::{Flavor, Server, available};
use crate::support::{NOWHERE, Postino, Ran};

/// A command that uses whatever store was chosen.
fn chosen(postino: &Postino, agent: &str, args: &[&str]) -> Ran {
    Ran::of(&mut chosen_command(postino, agent, args))
}

fn chosen_command(postino: &Postino, agent: &str, args: &[&str]) -> Command {
    let mut command = postino.command(args);
    command.args(["--agent", agent]).env_remove("POSTINO_VALKEY_URL").env("POSTINO_PROBE_URL", NOWHERE);
    command
}

#[test]
fn everything_moves_there_and_back() {
    for flavor in available() {
        let server = Server::start(flavor, &[]);
        let postino = Postino::new();
        assert_eq!(chosen(&postino, "ci", &["send", "web", "one", "--key", "k", "-q"]).code, 0);
        assert_eq!(chosen(&postino, "ci", &["send", "web", "two", "-q"]).code, 0);
        assert_eq!(chosen(&postino, "ci", &["broadcast", "freeze"]).code, 0);
        let leased = chosen(&postino, "web", &["read", "--lease", "600", "--limit", "1", "--json"]).json();
        let receipt = leased["messages"][0]["receipt"].as_str().unwrap().to_owned();

        let moved = chosen(&postino, "ci", &["store", "move", &server.url(), "--json"]);
        assert_eq!(moved.code, 0, "{moved:?}");
        assert_eq!(moved.json()["messages"], 2);
        assert!(chosen(&postino, "ci", &["store"]).out.contains(&server.url()));
        assert_eq!(chosen(&postino, "web", &["ack", &receipt]).code, 0, "a receipt stays good");
        let again = chosen(&postino, "ci", &["send", "web", "one", "--key", "k", "--json", "-q"]).json();
        assert_eq!(again["created"], false, "a key stays known");

        let back = format!("sqlite:{}", postino.home().join("again/postino.db").display());
        assert_eq!(chosen(&postino, "ci", &["store", "move", &back]).code, 0);
        let read = chosen(&postino, "web", &["read", "--json"]).json();
        assert_eq!(
            (read["messages"][0]["body"].as_str(), read["messages"].as_array().unwrap().len()),
            (Some("two"), 1)
        );
        assert_eq!(chosen(&postino, "web", &["broadcasts", "--json"]).json()["items"][0]["body"], "freeze");
        let history = chosen(&postino, "web", &["history", "--json"]).json();
        assert_eq!(history["items"].as_array().unwrap().len(), 2);
    }
}

#[test]
fn the_old_store_refuses_whoever_named_it_and_leads_the_others_on() {
    let postino = Postino::new();
    let other = Postino::new();
    assert_eq!(chosen(&postino, "ci", &["send", "web", "hello", "-q"]).code, 0);
    // Another user of the same store, by a choice of his own.
    let line = std::fs::read_to_string(postino.home().join("postino/store")).unwrap();
    std::fs::create_dir_all(other.home().join("postino")).unwrap();
    std::fs::write(other.home().join("postino/store"), &line).unwrap();

    let there = format!("sqlite:{}", postino.home().join("there/postino.db").display());
    assert_eq!(chosen(&postino, "ci", &["store", "move", &there]).code, 0);

    let old = line.split('\t').next().unwrap();
    let explicit = Ran::of(chosen_command(&postino, "web", &["read"]).env("POSTINO_VALKEY_URL", old));
    assert_eq!((explicit.code, explicit.out.as_str()), (5, ""));
    assert!(explicit.err.contains(&there), "{}", explicit.err);

    let followed = chosen(&other, "web", &["read", "--json"]);
    assert_eq!(followed.json()["messages"][0]["body"], "hello", "{followed:?}");
    assert!(std::fs::read_to_string(other.home().join("postino/store")).unwrap().starts_with(&there));
}

#[test]
fn a_session_that_begins_after_the_store_moved_is_led_to_the_other_one() {
    let mut homes = vec![sqlite_moved()];
    homes.extend(available().into_iter().map(server_moved));
    for (other, there, _keep) in &homes {
        let mut client = Command::new("sleep").arg("600").spawn().unwrap();
        let command = |args: &[&str]| {
            let mut command = other.command(args);
            command.env_remove("POSTINO_VALKEY_URL").env("POSTINO_PROBE_URL", NOWHERE).env("POSTINO_HOOK_MS", "30000");
            command.env("POSTINO_CLIENT_PID", client.id().to_string()).env("TERM_SESSION_ID", "w0t0p0:ABCDEFGH");
            command
        };
        let hook = feed(command(&["hook", "session-start"]), br#"{"session_id":"s","hook_event_name":"SessionStart"}"#);
        let whoami = Ran::of(&mut command(&["whoami"]));
        client.kill().unwrap();
        client.wait().unwrap();
        assert!(hook.out.contains("You are \"agent-ABCDEFGH\""), "{hook:?}");
        assert!(whoami.out.contains("by this session"), "{whoami:?}");
        assert!(std::fs::read_to_string(other.home().join("postino/store")).unwrap().starts_with(there));
    }
}

#[test]
fn what_shows_the_store_shows_the_one_that_it_moved_to() {
    let mut homes = vec![sqlite_moved()];
    homes.extend(available().into_iter().map(server_moved));
    for (other, there, _keep) in &homes {
        let doctor = chosen(other, "web", &["doctor"]);
        assert!(doctor.out.contains(there.as_str()), "{doctor:?}");
        let shown = chosen(other, "web", &["store"]);
        assert!(shown.code == 0 && shown.out.contains(there.as_str()), "{shown:?}");
    }
}

/// A home whose choice is a store that has moved, where it is now, and what must stay meanwhile.
type Moved = (Postino, String, Box<dyn std::any::Any>);

/// Moves the store that a first home chose; gives another home that chose it, and where it is now.
fn moved(first: &Postino, old: &str) -> (Postino, String) {
    let other = Postino::new();
    for home in [first, &other] {
        std::fs::create_dir_all(home.home().join("postino")).unwrap();
        std::fs::write(home.home().join("postino/store"), format!("{old}\tchosen for a test\n")).unwrap();
    }
    assert_eq!(chosen(first, "ci", &["send", "web", "hello", "-q"]).code, 0);
    let there = format!("sqlite:{}", other.home().join("there/postino.db").display());
    assert_eq!(chosen(first, "ci", &["store", "move", &there]).code, 0);
    (other, there)
}

fn sqlite_moved() -> Moved {
    let first = Postino::new();
    let old = format!("sqlite:{}", first.home().join("old/postino.db").display());
    let (other, there) = moved(&first, &old);
    (other, there, Box::new(first))
}

fn server_moved(flavor: Flavor) -> Moved {
    let (first, server) = (Postino::new(), Server::start(flavor, &[]));
    let (other, there) = moved(&first, &server.url());
    (other, there, Box::new(server))
}

#[test]
fn a_store_with_something_in_it_is_no_target() {
    let postino = Postino::new();
    assert_eq!(chosen(&postino, "ci", &["send", "web", "hello", "-q"]).code, 0);
    let full = Postino::new();
    full.send("ci", "web", "something else");
    let there = format!("sqlite:{}", full.home().join("data/postino.db").display());
    let refused = chosen(&postino, "ci", &["store", "move", &there]);
    assert_eq!(refused.code, 5, "{refused:?}");
    assert_eq!(full.json("web", &["stats"])["waiting"], 1);
    assert_eq!(
        chosen(&postino, "web", &["read", "--json"]).json()["messages"][0]["body"],
        "hello",
        "the source goes on"
    );
    assert_eq!(chosen(&postino, "ci", &["store", "move", "sqlite:/"]).code, 2);
}

#[test]
fn a_move_that_is_killed_leaves_the_source_whole() {
    let postino = Postino::new();
    for n in 0..200 {
        assert_eq!(chosen(&postino, "ci", &["send", "web", &format!("message {n}"), "-q"]).code, 0);
    }
    let there = format!("sqlite:{}", postino.home().join("there/postino.db").display());
    let writers_pass = |limit: u32| {
        // The mark of a killed mover runs out by itself; until then writers are told to try again.
        for _ in 0..limit {
            let sent = chosen(&postino, "ci", &["send", "web", "probe", "--key", "probe", "-q"]);
            match sent.code {
                0 => return,
                5 => std::thread::sleep(std::time::Duration::from_millis(100)),
                _ => panic!("{sent:?}"),
            }
        }
        panic!("the mark never ran out");
    };
    for pause in [2, 8, 20, 40] {
        writers_pass(100);
        let mut mover = chosen_command(&postino, "ci", &["store", "move", &there, "-q"]).spawn().unwrap();
        std::thread::sleep(std::time::Duration::from_millis(pause));
        mover.kill().unwrap();
        mover.wait().unwrap();
        let stats = chosen(&postino, "web", &["stats", "--json"]);
        assert_eq!(stats.json()["waiting"], 201, "killed after {pause} ms: {stats:?}");
    }
    let again = chosen(&postino, "ci", &["store", "move", &there]);
    assert!(again.code == 0 || again.err.contains("in use already"), "{again:?}");
    let read = chosen(&postino, "web", &["read", "--limit", "100", "--json"]).json();
    assert_eq!((read["messages"].as_array().unwrap().len(), read["remaining"].as_u64()), (100, Some(101)));
}
