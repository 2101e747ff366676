//! A file whose bytes were changed or cut off by something else: what is shown of it is what was sent, or a clear word, and
//! nothing breaks.

use super::*;
use crate::model::{BroadcastKind, Message};
use crate::store::{BroadcastQuery, NewBroadcast};

fn feed(store: &Embedded) -> Vec<String> {
    let step = Step { by: &named("bob"), now: NOW, policy: &POLICY };
    let query = BroadcastQuery { all: true, advance: false, limit: 100, room: None };
    store.broadcasts(&step, &query).unwrap().items.iter().map(|item| item.body.as_str().to_owned()).collect()
}

#[test]
fn a_message_that_was_altered_on_the_disk_is_never_shown() {
    let other = "x'00000000000070008000000000000001'";
    for change in [
        "body = replace(body, 'e', 'a')",
        "sender = 'eve'",
        "recipient = 'eve'",
        "sent_at = sent_at + 1",
        "urgent = 1",
        "via = 'http'",
        &format!("id = {other}"),
        &format!("thread = {other}"),
        &format!("reply_to = {other}"),
        "sum = 0",
    ] {
        let (home, _) = Home::furnished();
        home.sql(&format!("UPDATE mail SET {change}"));
        let store = home.open();
        let batch = lease(&store, "bob");
        assert_eq!((batch.messages.len(), batch.unreadable.len()), (0, 1), "{change}");
        assert_eq!(batch.unreadable[0].reason, "its bytes were altered on the disk", "{change}");
        let by = named("bob");
        let dead = store.dead(&Step { by: &by, now: NOW, policy: &POLICY }, 10).unwrap();
        assert!(dead.len() == 1 && dead[0].message.is_none(), "{change}: it is set aside");
    }
}

#[test]
fn a_broadcast_that_was_altered_on_the_disk_is_never_shown() {
    let home = Home::new();
    let store = home.open();
    for (random, body) in [(1, "hello"), (2, "altered")] {
        let body = body.parse().unwrap();
        let new = NewBroadcast { body, kind: BroadcastKind::Announcement, once: None, via: Via::Cli, random };
        store.broadcast(&Step { by: &named("ann"), now: NOW, policy: &POLICY }, &new).unwrap();
    }
    assert_eq!(feed(&store), ["hello", "altered"]);
    home.sql("UPDATE broadcasts SET sender = 'eve' WHERE body = 'altered'");
    assert_eq!(feed(&store), ["hello"]);
}

/// A store in one file, with mail of different lengths, and what was sent.
fn sound() -> (Vec<u8>, Vec<Message>) {
    let (home, _) = Home::furnished();
    for n in 0..12 {
        send(&home.open(), "bob", &format!("message {n} {}", "words ".repeat(n * 9)), NOW).unwrap();
    }
    home.sql("PRAGMA wal_checkpoint(TRUNCATE)");
    let step = Step { by: &named("bob"), now: NOW, policy: &POLICY };
    let sent = home.open().peek(&step, 100).unwrap().messages;
    (std::fs::read(home.file()).unwrap(), sent)
}

/// What a store that holds these bytes hands out: how many of the messages, each of them true, or none with a clear word.
fn survivors(home: &Home, bytes: &[u8], sent: &[Message]) -> Option<usize> {
    let _ = std::fs::remove_dir_all(home.dir());
    home.open();
    std::fs::write(home.file(), bytes).unwrap();
    let step = Step { by: &named("bob"), now: NOW, policy: &POLICY };
    match home.open().lease(&step, Pick::Head(100), Duration::from_secs(60), 7) {
        Ok(batch) => {
            for message in &batch.messages {
                let plain = Message { receipt: None, lease_until: None, deliveries: None, ..message.clone() };
                assert!(sent.contains(&plain), "{message:?} was not sent");
            }
            Some(batch.messages.len())
        }
        Err(error) => {
            assert!(error.hint.is_some() && error.message.starts_with("cannot read mail"), "{error:?}");
            None
        }
    }
}

/// Cuts the file to each length that `step` meets, and counts the outcomes: all mail, some, a clear word.
fn cut_to_lengths(step: usize) -> [usize; 3] {
    let (bytes, sent) = sound();
    let home = Home::new();
    let mut outcomes = [0; 3];
    for length in (0..bytes.len()).step_by(step) {
        let outcome = survivors(&home, &bytes[..length], &sent);
        outcomes[outcome.map_or(2, |count| usize::from(count < sent.len()))] += 1;
    }
    outcomes
}

#[test]
fn a_file_that_was_cut_off_gives_true_mail_or_a_clear_word() {
    let [_, _, refused] = cut_to_lengths(211);
    assert!(refused > 100);
}

#[test]
#[ignore = "it takes minutes: `just faults` runs it"]
fn a_file_that_was_cut_off_at_any_length_gives_true_mail_or_a_clear_word() {
    let [whole, part, refused] = cut_to_lengths(1);
    println!("cut to each length: {whole} with all mail, {part} with some, {refused} refused");
}

#[test]
fn a_file_with_a_turned_bit_gives_true_mail_or_a_clear_word() {
    let (bytes, sent) = sound();
    let home = Home::new();
    let mut spoiled = 0;
    // One bit in every stretch, each time another one of its byte.
    for at in (0..bytes.len()).step_by(337) {
        let mut turned = bytes.clone();
        turned[at] ^= 1 << (at % 8);
        spoiled += usize::from(survivors(&home, &turned, &sent) != Some(sent.len()));
    }
    assert!(spoiled > 0, "no bit hit anything");
}
