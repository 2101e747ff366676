//! Many real processes at once, some of them killed: what is accepted arrives, and nothing comes twice but for what
//! the delivery promise allows. It knows postino only by its command line.

mod chance;
mod run;

use std::collections::{BTreeMap, BTreeSet};
use std::process::{Child, Command};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use chance::Chance;
use run::Run;
use serde_json::Value;

use crate::support::{Postino, on_each_store};

/// How long a read holds its mail, in seconds.
const LEASE: u64 = 2;
/// How many messages each sender sends.
const EACH: usize = 20;

/// One message as one reader showed it.
struct Sighting {
    id: String,
    deliveries: u64,
    /// Whether the reader said that it was done, and its lease cannot have run out before.
    settled: bool,
}

/// What a sender knows of its messages.
#[derive(Default)]
struct Log {
    /// Accepted for certain.
    sure: BTreeSet<String>,
    /// Sent once by a process that was killed.
    unsure: BTreeSet<String>,
    /// How many sends were killed before they ended.
    killed: usize,
}

/// A command of an agent, with short leases and many deliveries.
fn command(postino: &Postino, agent: &str, args: &[&str]) -> Command {
    let mut command = postino.command(args);
    command.args(["--agent", agent]).env("POSTINO_MESSAGE_LEASE", LEASE.to_string());
    command.env("POSTINO_MAX_DELIVERIES", "100");
    command
}

/// The counts of the workspace.
fn stats(postino: &Postino) -> Value {
    postino.json("auditor", &["stats"])
}

/// How many messages wait or are held.
fn left(stats: &Value) -> u64 {
    stats["waiting"].as_u64().unwrap() + stats["leased"].as_u64().unwrap()
}

/// Sends messages one by one. A killed send is repeated when it has a key; without one it is left at that.
fn send_all(postino: &Postino, sender: usize, mut chance: Chance) -> Log {
    let (name, mut log) = (format!("sender-{sender}"), Log::default());
    for n in 0..EACH {
        let body = format!("{name} message {n}");
        let key = format!("key-{n}");
        let keyed = sender.is_multiple_of(2);
        let args = ["send", "reader", &body, "--key", &key];
        loop {
            let run = Run::of(command(postino, &name, &args[..if keyed { 5 } else { 3 }]), chance.delay(20));
            if run.code == Some(0) {
                log.sure.insert(body);
                break;
            }
            assert!(run.killed, "{run:?}");
            log.killed += usize::from(run.code.is_none());
            if !keyed {
                log.unsure.insert(body);
                break;
            }
        }
    }
    log
}

/// Reads until the senders are done and nothing is left; gives what was shown, also by readers that were killed.
fn read_all(postino: &Postino, done: &AtomicBool, mut chance: Chance) -> Vec<(String, Sighting)> {
    let mut shown = Vec::new();
    loop {
        let was_done = done.load(Ordering::SeqCst);
        let run = Run::of(command(postino, "reader", &["read", "--limit", "4", "--json"]), chance.delay(25));
        assert!(run.killed || run.code == Some(0), "{run:?}");
        // A killed reader may have written half an answer: nobody has seen that.
        let answer: Value = serde_json::from_slice(&run.stdout).unwrap_or_default();
        let messages = answer["messages"].as_array().cloned().unwrap_or_default();
        let settled = run.code == Some(0) && run.took < Duration::from_secs(LEASE);
        for message in &messages {
            let text = |field: &str| message[field].as_str().unwrap().to_owned();
            let deliveries = message["deliveries"].as_u64().unwrap();
            shown.push((text("body"), Sighting { id: text("id"), deliveries, settled }));
        }
        if messages.is_empty() && was_done && left(&stats(postino)) == 0 {
            return shown;
        }
    }
}

fn killed_senders_and_readers_lose_and_double_nothing(postino: &Postino) {
    let mut chance = Chance::seeded(chance::seed());
    let done = AtomicBool::new(false);
    let (log, shown) = std::thread::scope(|scope| {
        let senders: Vec<_> = (0..8)
            .map(|n| (n, chance.fork()))
            .map(|(n, chance)| scope.spawn(move || send_all(postino, n, chance)))
            .collect();
        let readers: Vec<_> =
            (0..4).map(|_| chance.fork()).map(|chance| scope.spawn(|| read_all(postino, &done, chance))).collect();
        // Also when a sender failed the readers must come to an end.
        let logs: Vec<_> = senders.into_iter().map(|sender| sender.join()).collect();
        done.store(true, Ordering::SeqCst);
        let mut log = Log::default();
        for own in logs.into_iter().map(|own| own.unwrap()) {
            log.sure.extend(own.sure);
            log.unsure.extend(own.unsure);
            log.killed += own.killed;
        }
        let shown: Vec<_> = readers.into_iter().flat_map(|reader| reader.join().unwrap()).collect();
        (log, shown)
    });
    assert!(log.killed > 0, "no send was killed: this run proves nothing");
    let mut by_body: BTreeMap<String, Vec<Sighting>> = BTreeMap::new();
    for (body, sighting) in shown {
        by_body.entry(body).or_default().push(sighting);
    }
    let seen: BTreeSet<&String> = by_body.keys().collect();
    let lost: Vec<&String> = log.sure.iter().filter(|body| !seen.contains(body)).collect();
    assert!(lost.is_empty(), "accepted, but nobody saw {lost:?}");
    assert!(seen.iter().all(|body| log.sure.contains(*body) || log.unsure.contains(*body)));
    for (body, sightings) in &by_body {
        let ids: BTreeSet<&String> = sightings.iter().map(|sighting| &sighting.id).collect();
        assert_eq!(ids.len(), 1, "{body} was stored twice");
        assert!(sightings.iter().filter(|sighting| sighting.settled).count() <= 1, "{body} was taken twice");
        let deliveries: BTreeSet<u64> = sightings.iter().map(|sighting| sighting.deliveries).collect();
        assert_eq!(deliveries.len(), sightings.len(), "two readers had one delivery of {body}");
    }
    let stats = stats(postino);
    assert_eq!(stats["sent"].as_u64().unwrap(), seen.len() as u64, "{stats}");
    assert_eq!(stats["taken"], stats["sent"], "{stats}");
}

/// Starts all of them and waits for each.
fn race(children: impl Iterator<Item = Child>) -> Vec<Run> {
    let begin = Instant::now();
    let children: Vec<Child> = children.collect();
    children.into_iter().map(|child| Run::end(child, false, begin)).collect()
}

fn racers_at_a_nearly_full_mailbox_fill_it_to_the_cap(postino: &Postino) {
    let racer = |n: usize| {
        let mut command = command(postino, &format!("racer-{n}"), &["send", "reader", "hello"]);
        command.env("POSTINO_MAX_INBOX", "20");
        Run::start(command)
    };
    assert!(race((0..15).map(racer)).iter().all(|run| run.code == Some(0)));
    let runs = race((15..79).map(racer));
    let ended = |code| runs.iter().filter(|run| run.code == Some(code)).count();
    assert_eq!((ended(0), ended(5)), (5, 59), "{runs:?}");
    assert_eq!(stats(postino)["waiting"], 20);
}

fn racers_with_one_key_make_one_message(postino: &Postino) {
    let args = ["send", "reader", "hello", "--key", "one", "--json"];
    let racer = |_| Run::start(command(postino, "racer", &args));
    let runs = race((0..100).map(racer));
    assert!(runs.iter().all(|run| run.code == Some(0)), "{runs:?}");
    let answers: Vec<Value> = runs.iter().map(|run| serde_json::from_slice(&run.stdout).unwrap()).collect();
    let ids: BTreeSet<&str> = answers.iter().map(|answer| answer["id"].as_str().unwrap()).collect();
    assert_eq!(ids.len(), 1);
    assert_eq!(answers.iter().filter(|answer| answer["created"] == true).count(), 1);
    let stats = stats(postino);
    assert_eq!((stats["sent"].as_u64(), left(&stats)), (Some(1), 1));
}

on_each_store!(
    killed_senders_and_readers_lose_and_double_nothing,
    racers_at_a_nearly_full_mailbox_fill_it_to_the_cap,
    racers_with_one_key_make_one_message,
);
