//! Many real processes at once, some of them killed: what is accepted arrives, and nothing comes twice but for what
//! the delivery promise allows. It knows postino only by its command line.

mod office;

use std::collections::{BTreeMap, BTreeSet};
use std::process::Child;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use office::{Chance, Office, Run};
use serde_json::Value;

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
}

/// Sends messages one by one. A killed send is repeated when it has a key; without one it is left at that.
fn send_all(office: &Office, sender: usize, mut chance: Chance) -> Log {
    let (name, mut log) = (format!("sender-{sender}"), Log::default());
    for n in 0..EACH {
        let body = format!("{name} message {n}");
        let key = format!("key-{n}");
        let args: &[&str] = if sender.is_multiple_of(2) { &["--key", &key] } else { &[] };
        loop {
            let mut command = office.postino(&name);
            command.args(["send", "reader", &body]).args(args);
            let run = Run::of(command, chance.delay(20));
            if run.code == Some(0) {
                log.sure.insert(body);
                break;
            }
            assert!(run.killed, "{run:?}");
            if args.is_empty() {
                log.unsure.insert(body);
                break;
            }
        }
    }
    log
}

/// Reads until the senders are done and nothing is left; gives what was shown, also by readers that were killed.
fn read_all(office: &Office, done: &AtomicBool, mut chance: Chance) -> Vec<(String, Sighting)> {
    let mut shown = Vec::new();
    loop {
        let was_done = done.load(Ordering::SeqCst);
        let mut command = office.postino("reader");
        command.args(["read", "--limit", "4", "--json"]);
        let run = Run::of(command, chance.delay(25));
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
        if messages.is_empty() && was_done && office.left() == 0 {
            return shown;
        }
    }
}

fn killed_senders_and_readers_lose_and_double_nothing(office: &Office) {
    let mut chance = Chance::new();
    let done = AtomicBool::new(false);
    let (log, shown) = std::thread::scope(|scope| {
        let senders: Vec<_> = (0..8)
            .map(|n| (n, chance.fork()))
            .map(|(n, chance)| scope.spawn(move || send_all(office, n, chance)))
            .collect();
        let readers: Vec<_> =
            (0..4).map(|_| chance.fork()).map(|chance| scope.spawn(|| read_all(office, &done, chance))).collect();
        let mut log = Log::default();
        for sender in senders {
            let own = sender.join().unwrap();
            log.sure.extend(own.sure);
            log.unsure.extend(own.unsure);
        }
        done.store(true, Ordering::SeqCst);
        let shown: Vec<_> = readers.into_iter().flat_map(|reader| reader.join().unwrap()).collect();
        (log, shown)
    });
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
    let stats = office.stats();
    assert_eq!(stats["sent"].as_u64().unwrap(), seen.len() as u64, "{stats}");
    assert_eq!(stats["taken"], stats["sent"], "{stats}");
}

/// Starts all of them and waits for each.
fn race(children: impl Iterator<Item = Child>) -> Vec<Run> {
    let begin = Instant::now();
    let children: Vec<Child> = children.collect();
    children.into_iter().map(|child| Run::end(child, false, begin)).collect()
}

fn racers_at_a_nearly_full_mailbox_fill_it_to_the_cap(office: &Office) {
    let racer = |n: usize| {
        let mut command = office.postino(&format!("racer-{n}"));
        command.env("POSTINO_MAX_INBOX", "20").args(["send", "reader", "hello"]);
        Run::start(command)
    };
    assert!(race((0..15).map(racer)).iter().all(|run| run.code == Some(0)));
    let runs = race((15..79).map(racer));
    let ended = |code| runs.iter().filter(|run| run.code == Some(code)).count();
    assert_eq!((ended(0), ended(5)), (5, 59), "{runs:?}");
    assert_eq!(office.stats()["waiting"], 20);
}

fn racers_with_one_key_make_one_message(office: &Office) {
    let racer = |_| {
        let mut command = office.postino("racer");
        command.args(["send", "reader", "hello", "--key", "one", "--json"]);
        Run::start(command)
    };
    let runs = race((0..100).map(racer));
    assert!(runs.iter().all(|run| run.code == Some(0)), "{runs:?}");
    let answers: Vec<Value> = runs.iter().map(|run| serde_json::from_slice(&run.stdout).unwrap()).collect();
    let ids: BTreeSet<&str> = answers.iter().map(|answer| answer["id"].as_str().unwrap()).collect();
    assert_eq!(ids.len(), 1);
    assert_eq!(answers.iter().filter(|answer| answer["created"] == true).count(), 1);
    assert_eq!((office.stats()["sent"].clone(), office.left()), (1.into(), 1));
}

/// Makes a test of each function for each store.
macro_rules! on_each_store {
    ($($test:ident),+ $(,)?) => {
        mod on_embedded {
            $(#[test]
            fn $test() {
                super::$test(&super::Office::embedded());
            })+
        }
        mod on_redis {
            $(#[test]
            fn $test() {
                super::Office::redis().iter().for_each(super::$test);
            })+
        }
        mod on_valkey {
            $(#[test]
            fn $test() {
                super::Office::valkey().iter().for_each(super::$test);
            })+
        }
    };
}

on_each_store!(
    killed_senders_and_readers_lose_and_double_nothing,
    racers_at_a_nearly_full_mailbox_fill_it_to_the_cap,
    racers_with_one_key_make_one_message,
);
