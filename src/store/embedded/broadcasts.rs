//! Messages to everybody: stored once, read by each at its own cursor. It knows no queue.

use rusqlite::{OptionalExtension, Row, params};

use super::counts::unsigned;
use super::desk::{About, Desk};
use super::entry;
use super::fail::Res;
use super::keys;
use super::names::Me;
use crate::model::{Broadcast, BroadcastKind, EventType, MessageId, Millis};
use crate::store::{BroadcastQuery, Feed, MAX_NOTICES, NewBroadcast, Newest, Policy, Step, weight};

/// The operation's name among idempotency keys.
pub(super) const OPERATION: &str = "broadcast";

/// The columns that a broadcast is read from.
const COLUMNS: &str = "number, kind, id, sender, sent_at, via, body";

/// The kind as it is stored.
pub(super) fn kind_number(kind: BroadcastKind) -> i64 {
    match kind {
        BroadcastKind::Announcement => 0,
        BroadcastKind::Notice => 1,
    }
}

/// Stores and announces a broadcast, and drops what is beyond the cap of its kind.
pub(super) fn broadcast(desk: &Desk<'_>, step: &Step<'_>, me: &Me, new: &NewBroadcast) -> Res<(MessageId, bool)> {
    if let Some(once) = &new.once
        && let Some(id) = keys::recall(desk, OPERATION, &me.name, once)?
    {
        return Ok((id, false));
    }
    drop_expired(desk)?;
    let mailbox = me.make_mailbox(desk)?;
    let id = MessageId::at(desk.now, new.random);
    let expires = desk.now.plus(step.policy.ttl);
    let number = desk.count(|numbers| {
        numbers.last_broadcast += 1;
        numbers.last_broadcast
    });
    let broadcast = Broadcast {
        id,
        from: me.name.clone(),
        body: new.body.clone(),
        timestamp: desk.now,
        kind: new.kind,
        via: new.via,
    };
    insert(desk, number, mailbox, &broadcast, expires)?;
    trim(desk, step.policy, new.kind)?;
    if let Some(once) = &new.once {
        keys::keep(desk, OPERATION, &me.name, once, id, expires)?;
    }
    desk.announce(EventType::Broadcast, About { id: Some(id), from: Some(me.name.as_str()), ..About::default() })?;
    Ok((id, true))
}

/// Writes a broadcast.
pub(super) fn insert(desk: &Desk<'_>, number: i64, mailbox: i64, broadcast: &Broadcast, expires: Millis) -> Res<()> {
    let mut insert = desk.sql.prepare_cached(
        "INSERT OR REPLACE INTO broadcasts (number, kind, mailbox, expires, id, sender, sent_at, via, body)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
    )?;
    insert.execute(params![
        number,
        kind_number(broadcast.kind),
        mailbox,
        expires.0,
        broadcast.id.to_bytes(),
        broadcast.from.as_str(),
        broadcast.timestamp.0,
        entry::via_text(broadcast.via),
        broadcast.body.as_str(),
    ])?;
    Ok(())
}

fn drop_expired(desk: &Desk<'_>) -> Res<()> {
    desk.sql.prepare_cached("DELETE FROM broadcasts WHERE expires <= ?1")?.execute([desk.now.0])?;
    Ok(())
}

/// Drops the oldest beyond the cap; whoever had not seen an announcement has missed it.
fn trim(desk: &Desk<'_>, policy: &Policy, kind: BroadcastKind) -> Res<()> {
    let cap = match kind {
        BroadcastKind::Announcement => policy.max_broadcasts,
        BroadcastKind::Notice => MAX_NOTICES,
    };
    let mut oldest = desk.sql.prepare_cached(
        "SELECT number, mailbox FROM broadcasts WHERE kind = ?1
         ORDER BY number LIMIT (SELECT max(count(*) - ?2, 0) FROM broadcasts WHERE kind = ?1)",
    )?;
    let cap = i64::try_from(cap).unwrap_or(i64::MAX);
    let beyond = oldest
        .query_map(params![kind_number(kind), cap], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<rusqlite::Result<Vec<(i64, i64)>>>()?;
    for (number, sender) in beyond {
        desk.sql.prepare_cached("DELETE FROM broadcasts WHERE number = ?1")?.execute([number])?;
        if kind == BroadcastKind::Announcement {
            desk.count(|numbers| numbers.trimmed += 1);
            desk.sql
                .prepare_cached("UPDATE mailboxes SET missed = missed + 1 WHERE cursor < ?1 AND id <> ?2")?
                .execute([number, sender])?;
        }
    }
    Ok(())
}

/// The cursor of a mailbox and what it missed; who has none has seen nothing and missed nothing.
fn cursor(desk: &Desk<'_>, mailbox: Option<i64>) -> Res<(i64, i64)> {
    let mut query = desk.sql.prepare_cached("SELECT cursor, missed FROM mailboxes WHERE id = ?1")?;
    Ok(query.query_row([mailbox], |row| Ok((row.get(0)?, row.get(1)?))).optional()?.unwrap_or_default())
}

/// How many live announcements a mailbox has not seen, own ones left out, and the newest of them.
pub(super) fn unseen(desk: &Desk<'_>, mailbox: Option<i64>) -> Res<(u64, Option<Newest>)> {
    let (cursor, _) = cursor(desk, mailbox)?;
    let (count, newest) = unseen_after(desk, mailbox, cursor)?;
    let Some(newest) = newest else { return Ok((0, None)) };
    let mut query = desk.sql.prepare_cached("SELECT id, sender FROM broadcasts WHERE number = ?1")?;
    let (id, from) = query.query_row([newest], |row| Ok((entry::id(row.get_ref(0)?), entry::name(row.get_ref(1)?))))?;
    Ok((count, id.zip(from).map(|(id, from)| Newest { id, from })))
}

fn unseen_after(desk: &Desk<'_>, mailbox: Option<i64>, cursor: i64) -> Res<(u64, Option<i64>)> {
    if cursor >= desk.numbers().last_broadcast {
        return Ok((0, None));
    }
    let mut query = desk.sql.prepare_cached(
        "SELECT count(*), max(number) FROM broadcasts
         WHERE kind = 0 AND number > ?1 AND mailbox <> ?2 AND expires > ?3",
    )?;
    let found = query.query_row(params![cursor, mailbox.unwrap_or_default(), desk.now.0], |row| {
        Ok((unsigned(row.get(0)?), row.get(1)?))
    })?;
    Ok(found)
}

/// Shows broadcasts, and moves the cursor as asked.
pub(super) fn feed(desk: &Desk<'_>, me: &Me, query: &BroadcastQuery) -> Res<Feed> {
    let (cursor, missed) = cursor(desk, me.mailbox())?;
    let mailbox = me.mailbox().unwrap_or_default();
    let mut select = desk.sql.prepare_cached(&if query.all {
        format!(
            "SELECT {COLUMNS} FROM (SELECT * FROM broadcasts WHERE expires > ?3
             ORDER BY number DESC LIMIT ?4) ORDER BY number"
        )
    } else {
        format!(
            "SELECT {COLUMNS} FROM broadcasts WHERE kind = 0 AND number > ?1 AND mailbox <> ?2 AND expires > ?3
             ORDER BY number LIMIT ?4"
        )
    })?;
    let mut shown = select
        .query_map(params![cursor, mailbox, desk.now.0, query.limit], |row| Ok((row.get(0)?, read(row)?)))?
        .collect::<rusqlite::Result<Vec<(i64, Option<Broadcast>)>>>()?;
    if let Some(room) = query.room.filter(|_| !query.all) {
        shown.truncate(fitting(&shown, room));
    }
    let last = if query.all { desk.numbers().last_broadcast } else { shown.last().map_or(cursor, |(n, _)| *n) };
    let cursor = if query.advance { last.max(cursor) } else { cursor };
    if query.advance {
        advance(desk, me, cursor)?;
    }
    let mut total =
        desk.sql.prepare_cached("SELECT count(*) FROM broadcasts WHERE kind = 0 AND number > 0 AND expires > ?1")?;
    Ok(Feed {
        items: shown.into_iter().filter_map(|(_, broadcast)| broadcast).collect(),
        unseen: unseen_after(desk, me.mailbox(), cursor)?.0,
        total: unsigned(total.query_row([desk.now.0], |row| row.get(0))?),
        missed: unsigned(missed),
    })
}

/// How many from the first on fit, the first in any case.
fn fitting(shown: &[(i64, Option<Broadcast>)], mut room: u64) -> usize {
    let fits = |(_, broadcast): &(i64, Option<Broadcast>)| {
        room = room.checked_sub(broadcast.as_ref().map_or(0, |broadcast| weight(&broadcast.body)))?;
        Some(())
    };
    shown.iter().map_while(fits).count().max(1)
}

/// Moves a cursor and forgets what was missed; who has seen nothing needs no mailbox for it.
fn advance(desk: &Desk<'_>, me: &Me, cursor: i64) -> Res<()> {
    if me.mailbox().is_none() && cursor == 0 {
        return Ok(());
    }
    let mailbox = me.make_mailbox(desk)?;
    desk.sql
        .prepare_cached("UPDATE mailboxes SET cursor = ?2, missed = 0 WHERE id = ?1 AND (cursor <> ?2 OR missed <> 0)")?
        .execute([mailbox, cursor])?;
    Ok(())
}

/// A stored broadcast; `None` when it cannot be read.
pub(super) fn read(row: &Row<'_>) -> rusqlite::Result<Option<Broadcast>> {
    let kind =
        if row.get_ref(1)?.as_i64().ok() == Some(1) { BroadcastKind::Notice } else { BroadcastKind::Announcement };
    let (id, from) = (entry::id(row.get_ref(2)?), entry::name(row.get_ref(3)?));
    let (at, via) = (row.get_ref(4)?.as_i64().ok(), entry::text(row.get_ref(5)?).and_then(entry::via_of));
    let body = entry::body(row.get_ref(6)?).ok();
    let whole = || Some(Broadcast { id: id?, from: from?, body: body?, timestamp: Millis(at?), kind, via: via? });
    Ok(whole())
}

/// Deletes all broadcasts.
pub(super) fn clear(desk: &Desk<'_>) -> Res<u64> {
    drop_expired(desk)?;
    let count = desk.sql.prepare_cached("DELETE FROM broadcasts")?.execute([])?;
    if count > 0 {
        desk.announce(EventType::Cleared, About::default())?;
    }
    Ok(u64::try_from(count).unwrap_or(u64::MAX))
}
