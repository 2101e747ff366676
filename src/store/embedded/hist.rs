//! The index of the past: under which keys a message is found again. It knows no state and no count.

use rusqlite::params;

use super::desk::Desk;
use super::entry::Entry;
use super::fail::Res;
use crate::model::{AgentName, Message, MessageId};

/// The key of all that an agent sent or got.
pub(super) fn agent(name: &AgentName) -> Vec<u8> {
    [b"a", name.as_str().as_bytes()].concat()
}

/// The key of all between two agents, either way.
pub(super) fn pair(one: &AgentName, other: &AgentName) -> Vec<u8> {
    let (low, high) = if one <= other { (one, other) } else { (other, one) };
    [b"p", low.as_str().as_bytes(), b" ", high.as_str().as_bytes()].concat()
}

/// The key of a thread.
pub(super) fn thread(id: MessageId) -> Vec<u8> {
    [b"t".as_slice(), &id.to_bytes()].concat()
}

/// Makes a message findable.
pub(super) fn add(desk: &Desk<'_>, seq: i64, message: &Message) -> Res<()> {
    let mut insert = desk.sql.prepare_cached("INSERT OR IGNORE INTO hist (k, seq) VALUES (?1, ?2)")?;
    for key in keys(message) {
        insert.execute(params![key, seq])?;
    }
    Ok(())
}

/// Forgets a message. One that cannot be read leaves its keys behind, which then lead nowhere.
pub(super) fn remove(desk: &Desk<'_>, entry: &Entry) -> Res<()> {
    let Ok(message) = &entry.message else { return Ok(()) };
    let mut delete = desk.sql.prepare_cached("DELETE FROM hist WHERE k = ?1 AND seq = ?2")?;
    for key in keys(message) {
        delete.execute(params![key, entry.seq])?;
    }
    Ok(())
}

fn keys(message: &Message) -> [Vec<u8>; 4] {
    [agent(&message.from), agent(&message.to), pair(&message.from, &message.to), thread(message.thread)]
}
