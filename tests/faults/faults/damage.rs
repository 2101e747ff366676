//! What befalls the database's bytes: it is cut short, or bits are turned.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value;

use super::Case;
use crate::field::{Post, end};
use crate::judge::{Rule, Verdict};

/// The store before it is damaged: its file, and what each message says.
struct Sound {
    bytes: Vec<u8>,
    bodies: BTreeMap<String, String>,
}

/// A store with some mail, in one file.
fn sound() -> Sound {
    let post = Post::embedded();
    let mut bodies = BTreeMap::new();
    for n in 0..12 {
        let body = format!("message {n} {}", "words ".repeat(n * 9));
        let sent = post.json("ann", &["send", "bob", &body, "-q"]);
        bodies.insert(sent["id"].as_str().unwrap().to_owned(), body);
    }
    let file = post.home().join("data/postino.db");
    rusqlite::Connection::open(&file).unwrap().query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).unwrap();
    Sound { bytes: std::fs::read(file).unwrap(), bodies }
}

/// Puts these bytes in the place of a store and asks for its mail: what comes is true or a clear word.
fn ask(sound: &Sound, post: &Post, bytes: &[u8], what: &str, verdict: &mut Verdict) {
    let data = post.home().join("data");
    put(&data, bytes);
    verdict.attempts += 1;
    let ended = end(post.plain("bob", &["read", "--limit", "100", "--json"]), None);
    if ended.code.is_none() {
        verdict.breach(Rule::Seen, format!("{what}: ended by a signal: {}", ended.stderr));
    }
    match serde_json::from_slice::<Value>(&ended.stdout) {
        Ok(answer) => verdict.ok += u64::from(is_true(sound, &answer, what, verdict)),
        Err(_) if ended.stderr.contains("message") && ended.stderr.contains("hint") => verdict.fail += 1,
        Err(_) => verdict.breach(Rule::Seen, format!("{what}: neither mail nor a clear word: {}", ended.stderr)),
    }
}

/// Whether all that came was sent so.
fn is_true(sound: &Sound, answer: &Value, what: &str, verdict: &mut Verdict) -> bool {
    let messages = answer["messages"].as_array().cloned().unwrap_or_default();
    for message in &messages {
        let (id, body) = (message["id"].as_str().unwrap(), message["body"].as_str().unwrap());
        if sound.bodies.get(id).is_none_or(|sent| sent != body) || message["from"] != "ann" || message["to"] != "bob" {
            verdict.breach(Rule::Unexpected, format!("{what}: {message}"));
            return false;
        }
    }
    let told = answer["unreadable"].as_array().map_or(0, Vec::len);
    // Whoever destroys bytes destroys mail: what is not said to be gone is counted, and is no broken promise.
    verdict.forgotten += sound.bodies.len().saturating_sub(messages.len() + told) as u64;
    true
}

fn put(data: &Path, bytes: &[u8]) {
    use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
    let _ = std::fs::remove_dir_all(data);
    std::fs::DirBuilder::new().mode(0o700).create(data).unwrap();
    let mut file = std::fs::File::options();
    let mut file = file.write(true).create_new(true).mode(0o600).open(data.join("postino.db")).unwrap();
    std::io::Write::write_all(&mut file, bytes).unwrap();
}

pub(super) fn bit_flips(case: &Case) -> Option<Verdict> {
    let (sound, post, mut chance, mut verdict) = (sound(), Post::embedded(), case.chance(), Verdict::default());
    for _ in 0..if case.full { 2_000 } else { 100 } {
        let (at, bit) = (chance.below(sound.bytes.len() as u64) as usize, chance.below(8));
        let mut bytes = sound.bytes.clone();
        bytes[at] ^= 1 << bit;
        ask(&sound, &post, &bytes, &format!("bit {bit} of byte {at}"), &mut verdict);
    }
    Some(verdict)
}

pub(super) fn truncation(case: &Case) -> Option<Verdict> {
    let (sound, post, mut chance, mut verdict) = (sound(), Post::embedded(), case.chance(), Verdict::default());
    let length = sound.bytes.len();
    // Each length there is is tried where that costs no process: in the store's own tests.
    for _ in 0..if case.full { 2_000 } else { 100 } {
        let length = chance.below(length as u64) as usize;
        ask(&sound, &post, &sound.bytes[..length], &format!("cut to {length} bytes"), &mut verdict);
    }
    Some(verdict)
}

pub(super) fn blank_pages(case: &Case) -> Option<Verdict> {
    let (sound, post, mut verdict) = (sound(), Post::embedded(), Verdict::default());
    for start in (0..sound.bytes.len()).step_by(if case.full { 512 } else { 4096 }) {
        let mut bytes = sound.bytes.clone();
        let end = (start + 4096).min(bytes.len());
        bytes[start..end].fill(0);
        ask(&sound, &post, &bytes, &format!("zeros from {start}"), &mut verdict);
    }
    Some(verdict)
}
