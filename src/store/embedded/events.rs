//! The stream of what happened, read from a cursor. It knows no waiting.

use rusqlite::{Row, params};

use super::desk::Desk;
use super::entry;
use super::fail::Res;
use crate::model::{Cursor, Event, EventType, Millis};
use crate::store::EventPage;

/// Events after a cursor; `None` starts behind the newest. A cursor that leads nowhere is reset to there.
pub(super) fn page(desk: &Desk<'_>, after: Option<&Cursor>, limit: u32) -> Res<EventPage> {
    let (first, last) = desk
        .sql
        .prepare_cached("SELECT (SELECT min(n) FROM events), (SELECT max(n) FROM events)")?
        .query_row([], |row| Ok((row.get::<_, Option<i64>>(0)?.unwrap_or(1), row.get::<_, Option<i64>>(1)?)))?;
    let last = last.unwrap_or(0);
    let end = |number: i64| Cursor { epoch: desk.epoch.clone(), number: number.cast_unsigned() };
    let Some(after) = after else { return Ok(EventPage { events: Vec::new(), cursor: end(last), reset: false }) };
    let number = i64::try_from(after.number).unwrap_or(i64::MAX);
    if after.epoch != desk.epoch || number > last || number < first - 1 {
        return Ok(EventPage { events: Vec::new(), cursor: end(last), reset: true });
    }
    let mut query = desk.sql.prepare_cached(
        "SELECT n, kind, at, id, agent, sender, recipient FROM events WHERE n > ?1 ORDER BY n LIMIT ?2",
    )?;
    let rows = query.query_map(params![number, limit], |row| read(row, &desk.epoch))?;
    let read = rows.collect::<rusqlite::Result<Vec<(i64, Option<Event>)>>>()?;
    let cursor = end(read.last().map_or(number, |(n, _)| *n));
    Ok(EventPage { events: read.into_iter().filter_map(|(_, event)| event).collect(), cursor, reset: false })
}

/// One event with its number; `None` when it cannot be read.
fn read(row: &Row<'_>, epoch: &str) -> rusqlite::Result<(i64, Option<Event>)> {
    let number: i64 = row.get(0)?;
    let kind = entry::text(row.get_ref(1)?);
    let kind = EventType::ALL.into_iter().find(|known| Some(known.as_str()) == kind);
    let at = row.get_ref(2)?.as_i64().ok().map(Millis);
    let event = kind.zip(at).map(|(kind, at)| {
        Ok::<_, rusqlite::Error>(Event {
            cursor: Cursor { epoch: epoch.to_owned(), number: number.cast_unsigned() },
            kind,
            at,
            id: entry::id(row.get_ref(3)?),
            agent: entry::name(row.get_ref(4)?),
            from: entry::name(row.get_ref(5)?),
            to: entry::name(row.get_ref(6)?),
        })
    });
    Ok((number, event.transpose()?))
}

/// Whether anything is due anywhere that the stream should tell of.
pub(super) fn is_due(desk: &Desk<'_>) -> Res<bool> {
    let mut query =
        desk.sql.prepare_cached("SELECT EXISTS (SELECT 1 FROM mail WHERE due_at <= ?1 AND state IN (0, 1))")?;
    Ok(query.query_row([desk.now.0], |row| row.get(0))?)
}
