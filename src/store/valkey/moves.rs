//! The verbs of a move: marking, reading everything out, filling. It knows no rule that a script keeps.

use std::time::Duration;

use super::Valkey;
use super::people;
use super::record::Stored;
use super::reply::{self, Row};
use super::script;
use super::verb::Verb;
use crate::error::{Error, Kind, Result};
use crate::model::{Broadcast, Generation, Message, Millis, Receipt};
use crate::store::{Census, Holder, MoveToken, Parcel, ParcelPage, Phase, Record, Stats};

/// The sorts of an export, in their order.
const SORTS: [&str; 7] = ["mailboxes", "names", "mail", "announcements", "notices", "keys", "counters"];
/// How many parcels one script takes in.
const PARCELS: usize = 100;

fn moving<'a>(store: &'a Valkey, now: Option<Millis>, what: &str, token: &str) -> Verb<'a> {
    Verb::plain(store, &script::MOVING, now).arg(what).arg(token)
}

pub(super) fn phase(store: &Valkey, now: Millis) -> Result<Phase> {
    let mut row = moving(store, Some(now), "phase", "").row()?;
    let (phase, token, url) = (row.text()?, row.maybe_text()?, row.maybe_text()?);
    let token = MoveToken(token.unwrap_or_default());
    match phase.as_str() {
        "open" => Ok(Phase::Open),
        "moving" => Ok(Phase::Moving(token)),
        "filling" => Ok(Phase::Filling(token)),
        "moved" => Ok(Phase::Moved(token, url.unwrap_or_default())),
        _ => Err(reply::strange("its phase is not known")),
    }
}

pub(super) fn mark(store: &Valkey, now: Millis, token: &MoveToken, hold: Duration) -> Result<()> {
    moving(store, Some(now), "mark", &token.0).span(hold).run().map(drop)
}

pub(super) fn unmark(store: &Valkey, token: &MoveToken) -> Result<()> {
    moving(store, None, "unmark", &token.0).run().map(drop)
}

pub(super) fn done(store: &Valkey, now: Millis, token: &MoveToken, url: &str) -> Result<()> {
    moving(store, Some(now), "done", &token.0).arg(url).run().map(drop)
}

pub(super) fn fill_start(store: &Valkey, token: &MoveToken) -> Result<()> {
    moving(store, None, "fill_start", &token.0).run()?;
    let mut place = "0".to_owned();
    loop {
        let verb = Verb::plain(store, &script::WIPE, None).arg(token.0.as_str()).arg(place.as_str());
        place = reply::text(verb.arg(pattern(&store.meta_key)).run()?)?.unwrap_or_default();
        if place == "0" {
            return Ok(());
        }
    }
}

/// A pattern for every key beside `meta`, with what is special in patterns escaped.
fn pattern(meta_key: &str) -> String {
    let mut pattern = String::new();
    for c in meta_key.strip_suffix("meta").unwrap_or_default().chars() {
        if matches!(c, '*' | '?' | '[' | ']' | '\\' | '^') {
            pattern.push('\\');
        }
        pattern.push(c);
    }
    pattern + "*"
}

pub(super) fn fill_done(store: &Valkey, token: &MoveToken) -> Result<()> {
    moving(store, None, "fill_done", &token.0).run().map(drop)
}

/// Counts what an export carries, so that both sides of a move count the same.
pub(super) fn census(store: &Valkey) -> Result<Census> {
    let mut row = Verb::plain(store, &script::CENSUS, None).row()?;
    let mut census = Census { names: row.number()?, keys: row.number()?, ..Census::default() };
    for sort in ["mail", "announcements", "notices"] {
        let mut place = Some(start_of(sort).to_owned());
        while let Some(after) = place {
            let (parcels, next) = page(store, sort, &after, true)?;
            let count = u64::try_from(parcels.len()).unwrap_or(u64::MAX);
            if sort == "mail" {
                census.messages += count
            } else {
                census.broadcasts += count
            }
            place = next;
        }
    }
    Ok(census)
}

pub(super) fn export(store: &Valkey, from: Option<&str>) -> Result<ParcelPage> {
    let (sort, after) = from.and_then(|page| page.split_once(' ')).unwrap_or((SORTS[0], start_of(SORTS[0])));
    let Some(index) = SORTS.iter().position(|known| *known == sort) else {
        return Err(Error::new(Kind::Usage, format!("{sort:?} is no page of an export")));
    };
    let (parcels, next) = page(store, sort, after, false)?;
    let next = match next {
        Some(place) => Some(format!("{sort} {place}")),
        None => SORTS.get(index + 1).map(|next| format!("{next} {}", start_of(next))),
    };
    Ok(ParcelPage { parcels, next })
}

/// A page of one sort, without what cannot be read, and the place to go on behind.
fn page(store: &Valkey, sort: &str, after: &str, counts: bool) -> Result<(Vec<Parcel>, Option<String>)> {
    let verb = Verb::plain(store, &script::EXPORT, None).arg(sort).arg(after);
    let mut row = verb.arg(if counts { "1" } else { "" }).row()?;
    let parcels = row.rows()?.into_iter().filter_map(|row| parcel(sort, row).ok()).collect();
    Ok((parcels, row.maybe_text()?))
}

/// The place before the first entry of a sort.
fn start_of(sort: &str) -> &'static str {
    match sort {
        "names" => "",
        "mail" | "announcements" | "notices" => "-inf",
        _ => "0",
    }
}

fn parcel(sort: &str, mut row: Row) -> Result<Parcel> {
    match sort {
        "mailboxes" => Ok(Parcel::Mailbox {
            mailbox: row.number()?,
            cursor: row.number()?,
            missed: row.number()?,
            arrivals: row.number()?,
        }),
        "names" => name(row),
        "mail" => mail(&Stored::read(row)?),
        "announcements" | "notices" => broadcast(row),
        "keys" => Ok(Parcel::Key {
            operation: row.text()?,
            sender: row.parsed()?,
            key: row.parsed()?,
            fingerprint: row.text()?,
            id: row.parsed()?,
            expires: Millis(row.number()?),
        }),
        _ => counters(row),
    }
}

fn name(mut row: Row) -> Result<Parcel> {
    let (name, mailbox, alias) = (row.parsed()?, row.number()?, row.flag()?);
    let generation = Generation(row.number()?);
    let holder = row.maybe_text()?.map(|text| people::holder_of(generation, &text)).transpose()?;
    Ok(Parcel::Name { name, mailbox, alias, holder, last_seen: row.maybe_number()?.map(Millis) })
}

fn mail(stored: &Stored) -> Result<Parcel> {
    let message = stored.leased().map_err(|bad| reply::strange(bad.reason))?;
    let record = stored.record().map_err(|bad| reply::strange(bad.reason))?;
    let place = stored.mailbox().zip(stored.rank()).zip(stored.expires());
    let ((mailbox, rank), expires) = place.ok_or_else(|| reply::strange("a message has no place"))?;
    Ok(Parcel::Mail { mailbox, rank, record: Box::new(Record { message, ..record }), expires, dead: stored.death() })
}

fn broadcast(mut row: Row) -> Result<Parcel> {
    let (id, number) = (row.parsed()?, row.number()?);
    let broadcast = Broadcast {
        id,
        from: row.parsed()?,
        body: row.parsed()?,
        timestamp: Millis(row.number()?),
        kind: row.word()?,
        via: row.word()?,
    };
    let expires = Millis(row.number()?);
    Ok(Parcel::Broadcast { number, mailbox: row.number()?, broadcast, expires })
}

fn counters(mut row: Row) -> Result<Parcel> {
    let stats = Stats {
        sent: row.number()?,
        taken: row.number()?,
        expired: row.number()?,
        died: row.number()?,
        trimmed: row.number()?,
        dead_trimmed: row.number()?,
        deleted: row.number()?,
        ..Stats::default()
    };
    Ok(Parcel::Counters { stats, last_broadcast: row.number()?, last_generation: row.number()? })
}

pub(super) fn fill(store: &Valkey, token: &MoveToken, parcels: &[Parcel]) -> Result<()> {
    // Also without parcels the token is judged.
    for chunk in parcels.chunks(PARCELS).chain(parcels.is_empty().then_some(parcels)) {
        let mut verb = Verb::plain(store, &script::FILL, None).arg(token.0.as_str());
        for parcel in chunk {
            let (sort, values) = packed(parcel);
            verb = verb.arg(sort).number(values.len());
            verb = values.into_iter().fold(verb, Verb::arg);
        }
        verb.run()?;
    }
    Ok(())
}

/// A parcel as the fill script takes it: its sort and its values.
fn packed(parcel: &Parcel) -> (&'static str, Vec<String>) {
    match parcel {
        Parcel::Mailbox { mailbox, cursor, missed, arrivals } => {
            ("mailbox", [mailbox, cursor, missed, arrivals].map(u64::to_string).to_vec())
        }
        Parcel::Name { name, mailbox, alias, holder, last_seen } => (
            "name",
            vec![
                name.to_string(),
                mailbox.to_string(),
                u8::from(*alias).to_string(),
                holder.as_ref().map_or(0, |holder| holder.generation.0).to_string(),
                holder.as_ref().map(packed_holder).unwrap_or_default(),
                said(last_seen.map(|seen| seen.0)),
            ],
        ),
        Parcel::Mail { mailbox, rank, record, expires, dead } => {
            ("mail", packed_mail(*mailbox, *rank, record, *expires, dead.as_ref()))
        }
        Parcel::Broadcast { number, mailbox, broadcast, expires } => (
            "broadcast",
            vec![
                broadcast.id.to_string(),
                number.to_string(),
                broadcast.from.to_string(),
                broadcast.body.to_string(),
                broadcast.timestamp.0.to_string(),
                reply::spelled(broadcast.kind),
                reply::spelled(broadcast.via),
                expires.0.to_string(),
                mailbox.to_string(),
            ],
        ),
        Parcel::Key { operation, sender, key, fingerprint, id, expires } => (
            "key",
            vec![
                operation.clone(),
                sender.to_string(),
                key.to_string(),
                fingerprint.clone(),
                id.to_string(),
                expires.0.to_string(),
            ],
        ),
        Parcel::Counters { stats, last_broadcast, last_generation } => (
            "counters",
            [stats.sent, stats.taken, stats.expired, stats.died, stats.trimmed, stats.dead_trimmed, stats.deleted]
                .iter()
                .chain([last_broadcast, last_generation])
                .map(u64::to_string)
                .collect(),
        ),
    }
}

fn packed_holder(holder: &Holder) -> String {
    people::stored(holder)
}

/// An id and the fields of a record in the scripts' order.
fn packed_mail(
    mailbox: u64,
    rank: i64,
    record: &Record,
    expires: Millis,
    dead: Option<&(String, Millis)>,
) -> Vec<String> {
    let Message { id, from, to, body, timestamp, reply_to, thread, via, urgent, deliveries, receipt, lease_until } =
        &record.message;
    vec![
        id.to_string(),
        from.to_string(),
        to.to_string(),
        said(*reply_to),
        thread.to_string(),
        reply::spelled(*via),
        if *urgent { "1".to_owned() } else { String::new() },
        timestamp.0.to_string(),
        rank.to_string(),
        mailbox.to_string(),
        expires.0.to_string(),
        deliveries.unwrap_or(0).to_string(),
        said(receipt.map(|Receipt { nonce, .. }| format!("{nonce:016x}"))),
        said(lease_until.map(|until| until.0)),
        said(record.taken_by.as_ref()),
        said(record.taken_at.map(|at| at.0)),
        said(record.acked_at.map(|at| at.0)),
        reply::spelled(record.standing),
        said(dead.map(|(why, _)| why)),
        said(dead.map(|(_, at)| at.0)),
        String::new(),
        body.to_string(),
    ]
}

/// A value as text; nothing becomes empty.
fn said(value: Option<impl ToString>) -> String {
    value.map(|value| value.to_string()).unwrap_or_default()
}
