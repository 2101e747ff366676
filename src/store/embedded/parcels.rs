//! Everything in the store as parcels, out and in. It knows the tables, not why they move.

use rusqlite::{Row, params};

use super::counts::unsigned;
use super::desk::Desk;
use super::entry::{self, Entry, Stage};
use super::fail::{Res, refuse};
use super::names;
use super::presence::Presence;
use super::{broadcasts, hist, sum};
use crate::error::{Error, Kind};
use crate::model::{AgentName, Millis, Standing};
use crate::store::{DEAD_TTL, Holder, Parcel, ParcelPage, Record, Stats};

/// How many rows a page holds.
const PAGE: usize = 200;

/// A part of an export.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Mailboxes,
    Names,
    Mail,
    Broadcasts,
    Keys,
    Counters,
}

/// The parts in their order, as they stand in a page's `next`, before a colon and the last row shown.
const PARTS: [(Part, &str); 6] = [
    (Part::Mailboxes, "mailboxes"),
    (Part::Names, "names"),
    (Part::Mail, "mail"),
    (Part::Broadcasts, "broadcasts"),
    (Part::Keys, "keys"),
    (Part::Counters, "counters"),
];

/// A page of everything.
pub(super) fn page(desk: &Desk<'_>, presence: &Presence, page: Option<&str>) -> Res<ParcelPage> {
    let (name, last) = page.unwrap_or("mailboxes:").split_once(':').unwrap_or_default();
    let Some(place) = PARTS.iter().position(|(_, known)| *known == name) else {
        return refuse(Error::new(Kind::Usage, "that is no page of an export").hint("start the export anew"));
    };
    let after = last.parse().unwrap_or(i64::MIN);
    let rows = match PARTS[place].0 {
        Part::Mailboxes => mailboxes(desk, after)?,
        Part::Names => all_names(desk, presence)?,
        Part::Mail => mail(desk, after)?,
        Part::Broadcasts => all_broadcasts(desk, after)?,
        Part::Keys => keys(desk, after)?,
        Part::Counters => vec![(0, Some(counters(desk)))],
    };
    let next = match rows.last() {
        Some((last, _)) if rows.len() == PAGE => Some(format!("{name}:{last}")),
        Some(_) | None => PARTS.get(place + 1).map(|(_, name)| format!("{name}:")),
    };
    Ok(ParcelPage { parcels: rows.into_iter().filter_map(|(_, parcel)| parcel).collect(), next })
}

/// Rows by their numbers; `None` for one that cannot be read, and so not carried.
type Rows = Vec<(i64, Option<Parcel>)>;

/// One page of a query that takes the number to go on behind, and gives it first.
fn rows(
    desk: &Desk<'_>,
    query: &str,
    after: i64,
    read: impl FnMut(&Row<'_>) -> rusqlite::Result<(i64, Option<Parcel>)>,
) -> Res<Rows> {
    let mut query = desk.sql.prepare_cached(&format!("{query} LIMIT {PAGE}"))?;
    Ok(query.query_map([after], read)?.collect::<rusqlite::Result<_>>()?)
}

fn mailboxes(desk: &Desk<'_>, after: i64) -> Res<Rows> {
    let query = "SELECT id, cursor, missed, arrivals FROM mailboxes WHERE id > ?1 ORDER BY id";
    rows(desk, query, after, |row| {
        let mailbox = row.get(0)?;
        let (cursor, missed) = (unsigned(row.get(1)?), unsigned(row.get(2)?));
        let parcel = Parcel::Mailbox { mailbox: unsigned(mailbox), cursor, missed, arrivals: unsigned(row.get(3)?) };
        Ok((mailbox, Some(parcel)))
    })
}

/// All names at once: there is one an agent.
fn all_names(desk: &Desk<'_>, presence: &Presence) -> Res<Rows> {
    let parcel = |row: names::Named| Parcel::Name {
        last_seen: presence.last_seen(&row.name),
        name: row.name,
        mailbox: unsigned(row.mailbox),
        alias: row.alias,
        holder: row.holder,
    };
    let mut rows: Rows = names::all(desk)?.into_iter().map(|row| (0, Some(parcel(row)))).collect();
    if rows.len() == PAGE {
        // A full page would promise another one.
        rows.push((0, None));
    }
    Ok(rows)
}

fn mail(desk: &Desk<'_>, after: i64) -> Res<Rows> {
    let query = format!("SELECT {} FROM mail WHERE seq > ?1 ORDER BY seq", entry::COLUMNS);
    rows(desk, &query, after, |row| {
        let entry = Entry::read(row)?;
        Ok((entry.seq, mail_parcel(entry)))
    })
}

fn mail_parcel(entry: Entry) -> Option<Parcel> {
    let mut message = entry.message.clone().ok()?;
    message.deliveries = (entry.deliveries > 0).then_some(entry.deliveries);
    message.receipt = entry.receipt();
    message.lease_until = entry.nonce.map(|_| entry.due);
    let standing = match entry.stage {
        Stage::Waiting => Standing::Waiting,
        Stage::Leased => Standing::Leased,
        Stage::Dead => Standing::Dead,
        Stage::Taken => Standing::Taken,
    };
    let (taken_at, taken_by, acked_at) = (entry.taken_at, entry.taken_by.clone(), entry.acked_at);
    Some(Parcel::Mail {
        mailbox: unsigned(entry.mailbox),
        rank: entry.rank,
        expires: entry.expires,
        dead: (entry.stage == Stage::Dead).then(|| (entry.cause(), entry.died_at.unwrap_or(entry.due))),
        record: Box::new(Record { message, standing, taken_at, taken_by, acked_at }),
    })
}

fn all_broadcasts(desk: &Desk<'_>, after: i64) -> Res<Rows> {
    let query = "SELECT number, kind, id, sender, sent_at, via, body, sum, mailbox, expires
                 FROM broadcasts WHERE number > ?1 ORDER BY number";
    rows(desk, query, after, |row| {
        let number = row.get(0)?;
        let (mailbox, expires) = (unsigned(row.get(8)?), Millis(row.get(9)?));
        let broadcast = broadcasts::read(row)?;
        let parcel = |broadcast| Parcel::Broadcast { number: unsigned(number), mailbox, broadcast, expires };
        Ok((number, broadcast.map(parcel)))
    })
}

fn keys(desk: &Desk<'_>, after: i64) -> Res<Rows> {
    let query = "SELECT number, operation, sender, key, fingerprint, id, expires
                 FROM keys WHERE number > ?1 ORDER BY number";
    rows(desk, query, after, |row| {
        let (sender, id) = (entry::name(row.get_ref(2)?), entry::id(row.get_ref(5)?));
        let key = entry::text(row.get_ref(3)?).and_then(|key| key.parse().ok());
        let (operation, fingerprint, expires) = (row.get(1)?, row.get(4)?, Millis(row.get(6)?));
        let parcel = || Some(Parcel::Key { operation, sender: sender?, key: key?, fingerprint, id: id?, expires });
        Ok((row.get(0)?, parcel()))
    })
}

fn counters(desk: &Desk<'_>) -> Parcel {
    let numbers = desk.numbers();
    let stats = Stats {
        sent: unsigned(numbers.sent),
        taken: unsigned(numbers.taken),
        expired: unsigned(numbers.expired),
        died: unsigned(numbers.died),
        trimmed: unsigned(numbers.trimmed),
        dead_trimmed: unsigned(numbers.dead_trimmed),
        deleted: unsigned(numbers.deleted),
        ..Stats::default()
    };
    let (last_broadcast, last_generation) = (unsigned(numbers.last_broadcast), unsigned(numbers.last_generation));
    Parcel::Counters { stats, last_broadcast, last_generation }
}

/// Takes a parcel in.
pub(super) fn unpack(desk: &Desk<'_>, presence: &Presence, parcel: &Parcel) -> Res<()> {
    match parcel {
        Parcel::Mailbox { mailbox, cursor, missed, arrivals } => {
            unpack_mailbox(desk, [*mailbox, *cursor, *missed, *arrivals])
        }
        Parcel::Name { name, mailbox, alias, holder, last_seen } => {
            if let Some(at) = last_seen {
                presence.record_past(name, *at);
            }
            unpack_name(desk, name, signed(*mailbox), *alias, holder.as_ref())
        }
        Parcel::Mail { mailbox, rank, record, expires, dead } => {
            unpack_mail(desk, signed(*mailbox), *rank, record, *expires, dead.as_ref())
        }
        Parcel::Broadcast { number, mailbox, broadcast, expires } => {
            broadcasts::insert(desk, signed(*number), signed(*mailbox), broadcast, *expires)
        }
        Parcel::Key { operation, sender, key, fingerprint, id, expires } => {
            let once = crate::store::Once { key: key.clone(), fingerprint: fingerprint.clone() };
            super::keys::keep(desk, operation, sender, &once, *id, *expires)
        }
        Parcel::Counters { stats, last_broadcast, last_generation } => {
            unpack_counters(desk, stats, *last_broadcast, *last_generation);
            Ok(())
        }
    }
}

fn unpack_mailbox(desk: &Desk<'_>, numbers: [u64; 4]) -> Res<()> {
    // Its name follows with the names.
    let mut insert = desk
        .sql
        .prepare_cached("INSERT INTO mailboxes (id, name, cursor, missed, arrivals) VALUES (?1, '', ?2, ?3, ?4)")?;
    insert.execute(numbers.map(signed))?;
    Ok(())
}

fn unpack_name(desk: &Desk<'_>, name: &AgentName, mailbox: i64, alias: bool, holder: Option<&Holder>) -> Res<()> {
    names::put(desk, name, mailbox, alias, holder, names::UNKNOWN)?;
    if !alias {
        desk.sql
            .prepare_cached("UPDATE mailboxes SET name = ?2 WHERE id = ?1")?
            .execute(params![mailbox, name.as_str()])?;
    }
    Ok(())
}

/// Where a carried message lies, and until when.
fn stage_of(record: &Record, expires: Millis, dead: Option<&(String, Millis)>) -> (Stage, Millis) {
    match record.standing {
        Standing::Waiting => (Stage::Waiting, expires),
        Standing::Leased => (Stage::Leased, record.message.lease_until.unwrap_or(expires)),
        Standing::Dead => (Stage::Dead, dead.map_or(expires, |(_, at)| *at).plus(DEAD_TTL)),
        Standing::Taken => (Stage::Taken, entry::end_of_taken(expires, record.acked_at.unwrap_or(expires))),
    }
}

fn unpack_mail(
    desk: &Desk<'_>,
    mailbox: i64,
    rank: i64,
    record: &Record,
    expires: Millis,
    dead: Option<&(String, Millis)>,
) -> Res<()> {
    let (stage, due) = stage_of(record, expires, dead);
    let message = &record.message;
    let mut insert = desk.sql.prepare_cached(
        "INSERT INTO mail (mailbox, state, rank, due_at, expires, urgent, deliveries, nonce, taken_at, taken_by,
         acked_at, died_at, reason, id, sender, recipient, sent_at, reply_to, thread, via, sum, body)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22)",
    )?;
    insert.execute(params![
        mailbox,
        stage.number(),
        rank,
        due.0,
        expires.0,
        message.urgent,
        message.deliveries.unwrap_or(0),
        message.receipt.map(|receipt| receipt.nonce.cast_signed()),
        record.taken_at.map(|at| at.0),
        record.taken_by.as_ref().map(AgentName::as_str),
        record.acked_at.map(|at| at.0),
        dead.map(|(_, at)| at.0),
        dead.map(|(reason, _)| reason),
        message.id.to_bytes(),
        message.from.as_str(),
        message.to.as_str(),
        message.timestamp.0,
        message.reply_to.map(|id| id.to_bytes()),
        message.thread.to_bytes(),
        entry::via_text(message.via),
        sum::of_message(message),
        message.body.as_str(),
    ])?;
    hist::add(desk, desk.sql.last_insert_rowid(), message)
}

fn unpack_counters(desk: &Desk<'_>, stats: &Stats, last_broadcast: u64, last_generation: u64) {
    desk.count(|numbers| {
        numbers.sent = signed(stats.sent);
        numbers.taken = signed(stats.taken);
        numbers.expired = signed(stats.expired);
        numbers.died = signed(stats.died);
        numbers.trimmed = signed(stats.trimmed);
        numbers.dead_trimmed = signed(stats.dead_trimmed);
        numbers.deleted = signed(stats.deleted);
        numbers.last_broadcast = signed(last_broadcast);
        numbers.last_generation = numbers.last_generation.max(signed(last_generation));
    });
}

fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
