//! Looking without taking: what is new, a mailbox as it is, the past. Nothing here writes.

use rusqlite::{OptionalExtension, Row, params};

use super::counts::Live;
use super::desk::Desk;
use super::entry::{self, Entry};
use super::fail::{Fail, Res};
use super::memory::Hold;
use super::names::Me;
use super::{broadcasts, counts, due, hist};
use crate::error::{Error, Kind};
use crate::model::{MessageId, Millis, Standing};
use crate::store::{From, HistoryQuery, Listing, Newest, News, Policy, Record, Step};

/// What a look for news found.
pub(super) struct Found {
    /// What is new for the actor.
    pub(super) news: News,
    /// Its mailbox, when so much is due there that somebody should move it.
    pub(super) crowded: Option<i64>,
    /// How long the same is found; `None` when that cannot be told.
    pub(super) hold: Option<Hold>,
}

/// What is new for the actor.
pub(super) fn check(desk: &Desk<'_>, step: &Step<'_>, me: &Me) -> Res<Found> {
    let (mut news, mut live) = (News::default(), Live::default());
    if let Some(mailbox) = me.mailbox() {
        live = counts::live(desk, step.policy, mailbox)?;
        news.unread = live.waiting();
        news.urgent = counts::unsigned(live.urgent);
        news.arrivals = counts::unsigned(live.arrivals);
        if news.unread > 0 {
            news.newest_message = newest(desk, step.policy, mailbox, live.due)?;
        }
    }
    let unseen = broadcasts::unseen(desk, me.mailbox())?;
    (news.unseen, news.newest_broadcast) = (unseen.count, unseen.newest);
    let crowded = me.mailbox().filter(|_| live.due > i64::from(due::RUN));
    let hold = hold(desk, me, &live, unseen.until)?;
    Ok(Found { news, crowded, hold })
}

/// How long a look finds the same. One under a name that forwards, or that a session holds which is not the actor, depends on more
/// than the database; and what is due but not moved is counted by the limits that the step came with.
fn hold(desk: &Desk<'_>, me: &Me, live: &Live, until: Millis) -> Res<Option<Hold>> {
    if live.due > 0 || me.seen_as.as_ref() != Some(&me.name) {
        return Ok(None);
    }
    let mut hold = Hold { change: desk.change, claim: me.claim(), until };
    if let Some(mailbox) = me.mailbox().filter(|_| live.waiting + live.leased > 0) {
        let due: i64 = desk.sql.prepare_cached(NEXT_DUE)?.query_row([mailbox], |row| row.get(0))?;
        hold.until = hold.until.min(Millis(due));
    }
    Ok(Some(hold))
}

/// When the first entry of a mailbox that waits or is held comes due.
pub(super) const NEXT_DUE: &str = "
    SELECT min(coalesce((SELECT min(due_at) FROM mail WHERE mailbox = ?1 AND state = 0 AND +state <= 1), 9223372036854775807),
               coalesce((SELECT min(due_at) FROM mail WHERE mailbox = ?1 AND state = 1 AND +state <= 1), 9223372036854775807))";

/// The queue from its end, while nothing is due.
pub(super) const LAST: &str =
    "SELECT id, sender FROM mail WHERE mailbox = ?1 AND state = 0 AND +state <= 2 ORDER BY rank DESC LIMIT 1";

/// The queue from its end: what waits, and what waits again without having been moved. The second is sorted, in a table made
/// for the moment.
pub(super) const NEWEST: &str = "
    SELECT id, sender, rank FROM mail WHERE mailbox = ?1 AND state = 0 AND +state <= 2 AND due_at > ?2
    UNION ALL
    SELECT id, sender, rank FROM mail WHERE mailbox = ?1 AND state = 1 AND +state <= 1 AND due_at <= ?2
      AND expires > ?2 AND deliveries < ?3
    ORDER BY rank DESC LIMIT 1";

/// The unread message last in the queue.
fn newest(desk: &Desk<'_>, policy: &Policy, mailbox: i64, due: i64) -> Res<Option<Newest>> {
    let read = |row: &Row<'_>| {
        let (id, from) = (entry::id(row.get_ref(0)?), entry::name(row.get_ref(1)?));
        Ok(id.zip(from).map(|(id, from)| Newest { id, from }))
    };
    let newest = if due == 0 {
        desk.sql.prepare_cached(LAST)?.query_row([mailbox], read).optional()?
    } else {
        let at = params![mailbox, desk.now.0, policy.max_deliveries];
        desk.sql.prepare_cached(NEWEST)?.query_row(at, read).optional()?
    };
    Ok(newest.flatten())
}

/// The mailbox as it is.
pub(super) fn list(desk: &Desk<'_>, step: &Step<'_>, me: &Me, limit: u32, from: From) -> Res<Listing> {
    let mut listing = Listing::default();
    let Some(mailbox) = me.mailbox() else { return Ok(listing) };
    let live = counts::live(desk, step.policy, mailbox)?;
    listing.total = counts::unsigned(live.waiting + live.leased);
    let (behind, mut skip) = match from {
        From::Offset(offset) => (i64::MIN, offset),
        From::After(id) => (place_of(desk, mailbox, id)?, 0),
    };
    let mut places = desk.sql.prepare_cached(
        "SELECT seq FROM mail WHERE mailbox = ?1 AND state IN (0, 1) AND +state <= 2 AND rank > ?2 ORDER BY rank",
    )?;
    let mut places = places.query([mailbox, behind])?;
    while listing.items.len() + listing.unreadable.len() < usize::try_from(limit).unwrap_or(usize::MAX) {
        let Some(place) = places.next()? else { break };
        // While nothing is due, whatever is skipped is there, and need not be read.
        let entry = if skip > 0 && live.due == 0 { None } else { there(desk, step, place.get(0)?)? };
        if skip > 0 {
            skip -= u64::from(live.due == 0 || entry.is_some());
            continue;
        }
        if let Some(entry) = entry {
            listing.unreadable.extend(entry.unreadable());
            listing.items.extend(entry.record(desk.now, step.policy));
        }
    }
    Ok(listing)
}

/// An entry, when it waits or is held at this moment.
fn there(desk: &Desk<'_>, step: &Step<'_>, seq: i64) -> Res<Option<Entry>> {
    let entry = entry::select(desk, "WHERE seq = ?1", [seq])?.pop();
    let standing = |entry: &Entry| entry.standing(desk.now, step.policy);
    Ok(entry.filter(|entry| matches!(standing(entry), Some(Standing::Waiting | Standing::Leased))))
}

/// The rank of a message of this mailbox.
fn place_of(desk: &Desk<'_>, mailbox: i64, id: MessageId) -> Res<i64> {
    let found = entry::by_id(desk, id)?.filter(|entry| entry.mailbox == mailbox);
    found.map(|entry| entry.rank).ok_or_else(|| {
        Fail::Refused(
            Error::new(Kind::NotFound, format!("the message {id} is not in this mailbox"))
                .hint("begin at the start, or use an offset"),
        )
    })
}

/// The past, newest first.
pub(super) fn history(desk: &Desk<'_>, step: &Step<'_>, query: &HistoryQuery) -> Res<Vec<Record>> {
    let key = match (query.thread, &query.agent, &query.with) {
        (Some(thread), _, _) => Some(hist::thread(thread)),
        (None, Some(agent), Some(with)) => Some(hist::pair(agent, with)),
        (None, Some(agent), None) => Some(hist::agent(agent)),
        (None, None, _) => None,
    };
    let source = match key {
        Some(_) => "hist h JOIN mail ON mail.seq = h.seq WHERE h.k = ?1 AND h.seq < ?2 ORDER BY h.seq DESC",
        None => "mail WHERE mail.seq < ?2 ORDER BY mail.seq DESC",
    };
    let columns = entry::COLUMNS.replacen("seq", "mail.seq", 1);
    let mut select = desk.sql.prepare_cached(&format!("SELECT {columns} FROM {source}"))?;
    let before = match query.before {
        Some(id) => before(desk, id)?,
        None => i64::MAX,
    };
    let mut rows = select.query(params![key, before])?;
    let mut records = Vec::new();
    while records.len() < usize::try_from(query.limit).unwrap_or(usize::MAX) {
        let Some(row) = rows.next()? else { break };
        let record = Entry::read(row)?.record(desk.now, step.policy);
        records.extend(record.filter(|record| matches(record, query)));
    }
    Ok(records)
}

/// Whether a message found by one key fits the rest of the query too.
fn matches(record: &Record, query: &HistoryQuery) -> bool {
    let ends = [&record.message.from, &record.message.to];
    match (&query.agent, &query.with) {
        (None, _) => true,
        (Some(agent), None) => ends.contains(&agent),
        (Some(agent), Some(with)) => ends == [agent, with] || ends == [with, agent],
    }
}

/// The number of a message; of one that is gone, the number that follows what is older by its id.
fn before(desk: &Desk<'_>, id: MessageId) -> Res<i64> {
    let mut exact = desk.sql.prepare_cached("SELECT seq FROM mail WHERE id = ?1")?;
    if let Some(seq) = exact.query_row([id.to_bytes()], |row| row.get(0)).optional()? {
        return Ok(seq);
    }
    let mut older = desk.sql.prepare_cached("SELECT seq + 1 FROM mail WHERE id < ?1 ORDER BY id DESC LIMIT 1")?;
    Ok(older.query_row([id.to_bytes()], |row| row.get(0)).optional()?.unwrap_or(i64::MIN))
}

/// One message in any standing.
pub(super) fn find(desk: &Desk<'_>, step: &Step<'_>, id: MessageId) -> Res<Option<Record>> {
    Ok(entry::by_id(desk, id)?.and_then(|entry| entry.record(desk.now, step.policy)))
}

/// Messages of the past by the hour. An id begins with its time, so the index of ids is enough.
pub(super) fn activity(desk: &Desk<'_>) -> Res<Vec<u64>> {
    let mut count = desk.sql.prepare_cached("SELECT count(*) FROM mail WHERE id > ?1 AND id <= ?2")?;
    let ends = super::super::hour_ends(desk.now);
    let mut hours = Vec::with_capacity(ends.len());
    for pair in ends.windows(2) {
        let (low, high) = (MessageId::at(pair[0], u128::MAX).to_bytes(), MessageId::at(pair[1], u128::MAX).to_bytes());
        hours.push(counts::unsigned(count.query_row(params![low, high], |row| row.get(0))?));
    }
    Ok(hours)
}
