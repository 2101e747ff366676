//! `postino watch` and `read --wait`: commands that stay.

use serde_json::Value;

use super::running::{Running, watching};
use crate::support::{Postino, Ran, on_each_store, plain};

on_each_store!(
    watch_tells_what_happens,
    watch_is_complete_from_a_cursor,
    watch_tells_what_ends_by_itself,
    watch_says_when_it_cannot_be_complete,
    watch_ends_when_nobody_reads,
    a_waiting_read_gets_what_comes,
    a_waiting_read_ends_when_nobody_reads,
    an_empty_wait_is_a_failure,
);

fn watch_tells_what_happens(postino: &Postino) {
    postino.meet("web");
    let (mut watch, _) = watching(postino, &["--color", "never"]);
    postino.send("api", "web", "hi");
    postino.run("web", &["read"]);
    let mut told = Vec::new();
    while !told.last().is_some_and(|line: &String| line.contains("message.taken")) {
        told.push(plain(&watch.line()));
    }
    let wanted = |line: &str| told.iter().any(|told| told == line);
    assert!(wanted("<time>  message.sent       api -> web  <id>\n"), "{told:?}");
    assert!(wanted("<time>  message.taken      api -> web  <id>\n"), "{told:?}");
}

fn watch_tells_what_ends_by_itself(postino: &Postino) {
    let (mut watch, _) = watching(postino, &["--json"]);
    let held = postino.send("api", "web", "held");
    assert_eq!(postino.run("web", &["read", "--lease", "1"]).code, 0);
    let mut short = postino.command(&["send", "cat", "gone soon", "--agent", "api", "--json"]);
    let short = Ran::of(short.env("POSTINO_MSG_TTL", "1")).json();
    let mut awaited = vec![("message.released", held.as_str()), ("message.expired", short["id"].as_str().unwrap())];
    // Nobody else does anything meanwhile.
    while !awaited.is_empty() {
        let told = watch.json();
        awaited.retain(|(kind, id)| told["type"] != *kind || told["id"] != *id);
    }
}

fn watch_is_complete_from_a_cursor(postino: &Postino) {
    let (mut watch, first) = watching(postino, &["--json"]);
    let ids: Vec<String> = (0..3).map(|n| postino.send("api", "web", &n.to_string())).collect();
    let mut events = vec![serde_json::from_str(&first).unwrap()];
    while events.last().is_none_or(|event: &Value| event["id"] != ids[2].as_str()) {
        events.push(watch.json());
    }
    drop(watch);
    // The same from the first one's cursor on, by a watcher that was not there.
    let cursor = events[0]["cursor"].as_str().unwrap().to_owned();
    let mut later = Running::start(postino, &["--agent", "auditor", "watch", "--json", "--after", &cursor]);
    let again: Vec<Value> = events[1..].iter().map(|_| later.json()).collect();
    assert_eq!(again, events[1..]);
}

fn watch_says_when_it_cannot_be_complete(postino: &Postino) {
    let (_, first) = watching(postino, &["--json"]);
    let epoch = serde_json::from_str::<Value>(&first).unwrap()["cursor"].as_str().unwrap()[..8].to_owned();
    let foreign = if epoch == "00000000" { "00000001-1" } else { "00000000-1" };
    let mut watch = Running::start(postino, &["--agent", "auditor", "watch", "--json", "--after", foreign]);
    let reset = watch.json();
    assert_eq!(reset["type"], "reset");
    assert!(reset["cursor"].as_str().unwrap().starts_with(&epoch), "{reset}");
    let bad = postino.run("auditor", &["watch", "--after", "yesterday"]);
    assert_eq!((bad.code, bad.out.as_str()), (2, ""));
}

fn watch_ends_when_nobody_reads(postino: &Postino) {
    let (watch, _) = watching(postino, &["--json"]);
    assert_eq!(watch.end_without_reader(), Some(0));
}

fn a_waiting_read_gets_what_comes(postino: &Postino) {
    std::thread::scope(|scope| {
        let reader = scope.spawn(|| postino.run("web", &["read", "--wait", "30"]));
        let ended = postino.run("api", &["send", "web", "hi", "--wait-taken", "30", "-q"]);
        assert_eq!(ended.code, 0, "{}", ended.err);
        reader.join().unwrap().is(0, "from api  just now  <id>\n  hi\n", "");
    });
}

fn a_waiting_read_ends_when_nobody_reads(postino: &Postino) {
    let reading = Running::start(postino, &["--agent", "web", "read", "--wait", "600"]);
    assert_eq!(reading.end_without_reader(), Some(0));
    postino.send("api", "web", "hi");
    assert_eq!(postino.run("web", &["read", "--raw"]).out, "hi");
}

fn an_empty_wait_is_a_failure(postino: &Postino) {
    postino.run("web", &["read", "--wait", "0"]).is(4, "", "postino: no mail came within 0 s\n");
    let json = postino.run("web", &["read", "--wait", "0", "--json"]);
    let error = "{\"ok\":false,\"error\":{\"kind\":\"timedOut\",\"message\":\"no mail came within 0 s\"}}\n";
    json.is(4, "{\"messages\":[],\"remaining\":0}\n", error);
    assert_eq!(postino.run("web", &["read", "--wait", "-1"]).code, 2);
}
