//! Parcels as the scripts give them out and take them in. It knows neither pages nor marks.

use super::people;
use super::record::Stored;
use super::reply::{self, Row};
use crate::error::Result;
use crate::model::{Broadcast, Generation, Message, Millis, Receipt};
use crate::store::{Parcel, Record, Stats};

/// Reads a row of an export of this sort.
pub(super) fn read(sort: &str, mut row: Row) -> Result<Parcel> {
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

/// A parcel as the fill script takes it: its sort and its values.
pub(super) fn packed(parcel: &Parcel) -> (&'static str, Vec<String>) {
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
                holder.as_ref().map(people::stored).unwrap_or_default(),
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
        body.to_string(),
    ]
}

/// A value as text; nothing becomes empty.
fn said(value: Option<impl ToString>) -> String {
    value.map(|value| value.to_string()).unwrap_or_default()
}
