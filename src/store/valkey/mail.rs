//! The verbs about mail: from Rust's words to a script's arguments and back. It knows no rule that a script keeps.

use std::time::Duration;

use super::Valkey;
use super::record::Stored;
use super::reply::{self, Row};
use super::script;
use super::verb::Verb;
use crate::error::Result;
use crate::model::{AgentName, MessageId, Millis, Receipt};
use crate::store::{
    Batch, DeadLetter, From, HOURS, HistoryQuery, Listing, NewMail, Newest, News, Pick, Record, Sent, Settle, Settled,
    Step, Unreadable,
};

pub(super) fn send(store: &Valkey, step: &Step<'_>, mail: &NewMail) -> Result<Sent> {
    let mut row = Verb::step(store, &script::SEND, step)
        .arg(mail.to.as_str())
        .arg(mail.body.as_str())
        .maybe(mail.reply_to)
        .arg(reply::spelled(mail.via))
        .arg(if mail.urgent { "1" } else { "" })
        .arg(MessageId::tail(mail.random))
        .maybe(mail.once.as_ref().map(|once| &once.key))
        .maybe(mail.once.as_ref().map(|once| &once.fingerprint))
        .doubt("the message may or may not have been stored")
        .harmless_if(mail.once.is_some())
        .row()?;
    let (id, created, recipient, waiting) = (row.parsed()?, row.flag()?, row.word()?, row.number()?);
    let known = row.maybe_text()?.unwrap_or_default();
    let known = known.split(' ').filter_map(|name| name.parse().ok()).collect();
    Ok(Sent { id, created, recipient, waiting, known })
}

pub(super) fn lease(store: &Valkey, step: &Step<'_>, pick: Pick, hold: Duration, nonce: u64) -> Result<Batch> {
    let (limit, one, room) = match pick {
        Pick::Head(limit) => (limit, None, None),
        Pick::Fitting(limit, room) => (limit, None, Some(room)),
        Pick::One(id) => (1, Some(id), None),
    };
    let mut row = Verb::step(store, &script::LEASE, step)
        .arg("lease")
        .number(limit)
        .maybe(one)
        .span(hold)
        .arg(format!("{nonce:016x}"))
        .maybe(room)
        .doubt("messages may or may not be held; those that are come back when their lease runs out")
        .row()?;
    let (batch, bad) = batch(&mut row, Stored::leased)?;
    // A script cannot tell whether a record can be read; what could not is made a dead letter in a step of its own.
    for unreadable in bad {
        bury(store, step, &unreadable, nonce)?;
    }
    Ok(batch)
}

fn bury(store: &Valkey, step: &Step<'_>, unreadable: &Unreadable, nonce: u64) -> Result<u64> {
    Verb::step(store, &script::BURY, step)
        .arg(format!("it cannot be read: {}", unreadable.reason))
        .number(unreadable.id)
        .arg(format!("{nonce:016x}"))
        .count()
}

pub(super) fn peek(store: &Valkey, step: &Step<'_>, limit: u32) -> Result<Batch> {
    let mut row =
        Verb::step(store, &script::LEASE, step).arg("peek").number(limit).arg("").arg("0").arg("").arg("").row()?;
    Ok(batch(&mut row, Stored::message)?.0)
}

/// Reads a batch; what cannot be read is in it and, if there was a record, named again.
pub(super) fn batch(
    row: &mut Row,
    read: impl Fn(&Stored) -> std::result::Result<crate::model::Message, Unreadable>,
) -> Result<(Batch, Vec<Unreadable>)> {
    let (mut messages, mut bad) = (Vec::new(), Vec::new());
    for stored in row.rows()? {
        match read(&Stored::read(stored)?) {
            Ok(message) => messages.push(message),
            Err(unreadable) => bad.push(unreadable),
        }
    }
    let remaining = row.number()?;
    let mut unreadable = bad.clone();
    unreadable.extend(missing(row.row()?)?);
    let next_due = row.maybe_number()?.map(Millis);
    let store_now = Millis(row.number()?);
    Ok((Batch { messages, remaining, unreadable, next_due, store_now }, bad))
}

/// Entries without a record.
pub(super) fn missing(mut row: Row) -> Result<Vec<Unreadable>> {
    let mut missing = Vec::new();
    while !row.is_empty() {
        missing.push(Unreadable { id: row.parsed()?, reason: "its record is missing".to_owned() });
    }
    Ok(missing)
}

pub(super) fn settle(store: &Valkey, step: &Step<'_>, receipts: &[Receipt], what: Settle) -> Result<Settled> {
    let (word, hold, doubt) = match what {
        Settle::Ack => ("ack", Duration::ZERO, "the deliveries may or may not have been acknowledged"),
        Settle::Extend(hold) => ("extend", hold, "the deliveries may or may not be held longer"),
        Settle::Release => ("release", Duration::ZERO, "the deliveries may or may not have been released"),
    };
    let mut verb = Verb::step(store, &script::SETTLE, step).arg(word).span(hold);
    for receipt in receipts {
        verb = verb.number(receipt.id).arg(format!("{:016x}", receipt.nonce));
    }
    let mut row = verb.doubt(doubt).harmless_if(what != Settle::Release).row()?;
    let mut settled = Settled::default();
    for receipt in receipts {
        if row.flag()? { settled.done.push(*receipt) } else { settled.stale.push(*receipt) }
    }
    Ok(settled)
}

pub(super) fn dead(store: &Valkey, step: &Step<'_>, limit: u32) -> Result<Vec<DeadLetter>> {
    let row = Verb::step(store, &script::DEAD, step).arg("list").number(limit).row()?;
    row.values().map(Row::of).map(|row| dead_letter(row?)).collect()
}

pub(super) fn dead_letter(mut row: Row) -> Result<DeadLetter> {
    let (id, reason, died_at) = (row.parsed()?, row.text()?, Millis(row.number()?));
    let stored = row.row()?;
    let message = if stored.is_empty() { None } else { Stored::read(stored)?.message().ok() };
    Ok(DeadLetter { message, id, reason, died_at })
}

pub(super) fn dead_retry(store: &Valkey, step: &Step<'_>, ids: Option<&[MessageId]>) -> Result<u64> {
    chosen_dead(store, step, "retry", ids).doubt("the dead letters may or may not wait again").count()
}

pub(super) fn dead_purge(store: &Valkey, step: &Step<'_>, ids: Option<&[MessageId]>) -> Result<u64> {
    chosen_dead(store, step, "purge", ids).doubt("the dead letters may or may not have been deleted").count()
}

fn chosen_dead<'a>(store: &'a Valkey, step: &Step<'_>, what: &str, ids: Option<&[MessageId]>) -> Verb<'a> {
    let verb = Verb::step(store, &script::DEAD, step).arg(what);
    match ids {
        None => verb.arg("0"),
        Some(ids) => ids.iter().fold(verb.arg("-1"), |verb, id| verb.number(id)),
    }
}

pub(super) fn check(store: &Valkey, step: &Step<'_>) -> Result<News> {
    let mut row = Verb::step(store, &script::CHECK, step).row()?;
    Ok(News {
        unread: row.number()?,
        urgent: row.number()?,
        unseen: row.number()?,
        arrivals: row.number()?,
        newest_message: newest(&mut row)?,
        newest_broadcast: newest(&mut row)?,
    })
}

/// The newest entry; nothing also when its record cannot tell who sent it.
pub(super) fn newest(row: &mut Row) -> Result<Option<Newest>> {
    let (id, from) = (row.maybe_text()?, row.maybe_text()?);
    let parsed = id.zip(from).and_then(|(id, from)| Some((id.parse().ok()?, from.parse::<AgentName>().ok()?)));
    Ok(parsed.map(|(id, from)| Newest { id, from }))
}

pub(super) fn delete(store: &Valkey, step: &Step<'_>, id: MessageId) -> Result<bool> {
    let verb = Verb::step(store, &script::DELETE, step).number(id);
    Ok(verb.doubt("the message may or may not have been deleted").count()? > 0)
}

pub(super) fn clear(store: &Valkey, step: &Step<'_>) -> Result<u64> {
    Verb::step(store, &script::DELETE, step).arg("").doubt("the mailbox may or may not have been cleared").count()
}

/// No mailbox is as long as this; beyond it a script's numbers are not exact.
const FAR: u64 = 1 << 52;

pub(super) fn list(store: &Valkey, step: &Step<'_>, limit: u32, from: From) -> Result<Listing> {
    let verb = Verb::step(store, &script::LIST, step).number(limit);
    let mut row = match from {
        From::Offset(offset) => verb.number(offset.min(FAR)).arg(""),
        From::After(id) => verb.arg("0").number(id),
    }
    .row()?;
    let (mut items, mut unreadable) = (Vec::new(), Vec::new());
    let rows = row.rows()?;
    let without_record = missing(row.row()?)?;
    let total = row.number()?;
    for stored in rows {
        match Stored::read(stored)?.record() {
            Ok(record) => items.push(record),
            Err(bad) => unreadable.push(bad),
        }
    }
    unreadable.extend(without_record);
    Ok(Listing { items, total, unreadable })
}

pub(super) fn history(store: &Valkey, step: &Step<'_>, query: &HistoryQuery) -> Result<Vec<Record>> {
    let row = Verb::step(store, &script::HISTORY, step)
        .maybe(query.agent.as_ref())
        .maybe(query.with.as_ref())
        .maybe(query.thread)
        .maybe(query.before)
        .number(query.limit)
        .row()?;
    // What cannot be read has no story to tell; the mailbox it lies in says so.
    row.values()
        .filter_map(|value| Row::of(value).and_then(Stored::read).map(|stored| stored.record().ok()).transpose())
        .collect()
}

pub(super) fn find(store: &Valkey, step: &Step<'_>, id: MessageId) -> Result<Option<Record>> {
    let verb = Verb::step(store, &script::HISTORY, step).arg("").arg("").arg("").arg("").arg("0").number(id);
    let Some(row) = verb.row()?.values().next() else { return Ok(None) };
    let found = Stored::read(Row::of(row)?)?.record();
    found.map(Some).map_err(|bad| {
        crate::error::Error::new(crate::error::Kind::Other, format!("message {id} cannot be read: {}", bad.reason))
            .hint("reading its mailbox makes a dead letter of it")
    })
}

pub(super) fn activity(store: &Valkey, step: &Step<'_>) -> Result<Vec<u64>> {
    let mut row = Verb::step(store, &script::ACTIVITY, step).number(HOURS).row()?;
    (0..HOURS).map(|_| row.number()).collect()
}
