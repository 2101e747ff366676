//! The verbs about broadcasts, events and waiting. It knows no rule that a script keeps.

use super::Valkey;
use super::reply::{self, Row};
use super::script;
use super::verb::Verb;
use crate::error::Result;
use crate::model::{Broadcast, Cursor, Event, EventType, MessageId, Millis};
use crate::store::{BroadcastQuery, EventPage, Feed, MAX_NOTICES, NewBroadcast, Step};

pub(super) fn broadcast(store: &Valkey, step: &Step<'_>, broadcast: &NewBroadcast) -> Result<(MessageId, bool)> {
    let mut row = Verb::step(store, &script::BROADCAST, step)
        .arg(reply::spelled(broadcast.kind))
        .arg(broadcast.body.as_str())
        .arg(reply::spelled(broadcast.via))
        .arg(MessageId::tail(broadcast.random))
        .maybe(broadcast.once.as_ref().map(|once| &once.key))
        .maybe(broadcast.once.as_ref().map(|once| &once.fingerprint))
        .number(MAX_NOTICES)
        .doubt("the broadcast may or may not have been stored")
        .harmless_if(broadcast.once.is_some())
        .row()?;
    Ok((row.parsed()?, row.flag()?))
}

pub(super) fn broadcasts(store: &Valkey, step: &Step<'_>, query: &BroadcastQuery) -> Result<Feed> {
    let flag = |set: bool| if set { "1" } else { "" };
    let mut row = Verb::step(store, &script::BROADCASTS, step)
        .arg(flag(query.all))
        .arg(flag(query.advance))
        .number(query.limit)
        .maybe(query.room)
        .doubt("the broadcasts may or may not count as seen; `postino broadcasts --all` shows them")
        .harmless_if(!query.advance)
        .row()?;
    // One that cannot be read is left out: it has no place where it could be said.
    let items = row.rows()?.into_iter().filter_map(|row| item(row).ok()).collect();
    Ok(Feed { items, unseen: row.number()?, total: row.number()?, missed: row.number()? })
}

pub(super) fn item(mut row: Row) -> Result<Broadcast> {
    Ok(Broadcast {
        id: row.parsed()?,
        from: row.parsed()?,
        body: row.parsed()?,
        timestamp: Millis(row.number()?),
        kind: row.word()?,
        via: row.word()?,
    })
}

pub(super) fn clear_broadcasts(store: &Valkey, step: &Step<'_>) -> Result<u64> {
    let verb = Verb::step(store, &script::CLEAR_BROADCASTS, step);
    verb.doubt("the broadcasts may or may not have been deleted").count()
}

pub(super) fn events(store: &Valkey, step: &Step<'_>, after: Option<&Cursor>, limit: u32) -> Result<EventPage> {
    let mut row = Verb::step(store, &script::EVENTS, step)
        .maybe(after.map(|cursor| &cursor.epoch))
        .number(after.map_or(0, |cursor| cursor.number))
        .number(limit)
        .row()?;
    let epoch = row.text()?;
    let cursor = Cursor { epoch: epoch.clone(), number: row.number()? };
    let reset = row.flag()?;
    let events = row.rows()?.into_iter().map(|row| event(&epoch, row)).collect::<Result<Vec<_>>>()?;
    Ok(EventPage { events: events.into_iter().flatten().collect(), cursor, reset })
}

/// Reads an event; nothing for a type that a later postino may have written.
pub(super) fn event(epoch: &str, mut row: Row) -> Result<Option<Event>> {
    let cursor = Cursor { epoch: epoch.to_owned(), number: row.number()? };
    let mut event = Event { cursor, kind: EventType::Sent, at: Millis(0), id: None, agent: None, from: None, to: None };
    while !row.is_empty() {
        match row.text()?.as_str() {
            "t" => match reply::word(&row.text()?) {
                Some(kind) => event.kind = kind,
                None => return Ok(None),
            },
            "a" => event.at = Millis(row.number()?),
            "i" => event.id = row.maybe_parsed()?,
            "g" => event.agent = row.maybe_parsed()?,
            "f" => event.from = row.maybe_parsed()?,
            "o" => event.to = row.maybe_parsed()?,
            _ => drop(row.value()?),
        }
    }
    Ok(Some(event))
}
