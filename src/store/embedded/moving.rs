//! The store's part in a move from store to store: its phase, and who may change it.

use std::time::Duration;

use rusqlite::params;

use super::desk::Desk;
use super::fail::{Res, refuse};
use super::presence::Presence;
use super::{counts, due, line, parcels};
use crate::error::{Error, Kind};
use crate::model::Millis;
use crate::store::{Census, MoveToken, Parcel, Phase};

/// The phase at this moment; a mark that ran out is none.
pub(super) fn phase(desk: &Desk<'_>) -> Phase {
    match &desk.phase {
        (Phase::Moving(_), until) if *until <= desk.now => Phase::Open,
        (phase, _) => phase.clone(),
    }
}

/// Marks the store as moving.
pub(super) fn mark(desk: &Desk<'_>, token: &MoveToken, hold: Duration) -> Res<()> {
    match phase(desk) {
        // What is old must not be carried: the other store would drop it, and the counts would differ.
        Phase::Open => while due::sweep_old(desk)? == due::RUN {},
        Phase::Moving(other) if other == *token => {}
        Phase::Moving(_) => return busy("another move of this store is under way"),
        Phase::Filling(_) => return busy("the store is being filled by a move"),
        Phase::Moved(_, url) => return busy(&format!("the store has moved to {url}")),
    }
    set(desk, 1, Some(token), desk.now.plus(hold), None)
}

/// Takes the mark off.
pub(super) fn unmark(desk: &Desk<'_>, token: &MoveToken) -> Res<()> {
    match &desk.phase.0 {
        Phase::Moving(mark) if mark == token => set(desk, 0, None, Millis(0), None),
        Phase::Open | Phase::Moving(_) | Phase::Filling(_) | Phase::Moved(..) => Ok(()),
    }
}

/// Turns `moving` into `moved`.
pub(super) fn done(desk: &Desk<'_>, token: &MoveToken, url: &str) -> Res<()> {
    match &desk.phase {
        (Phase::Moving(mark), until) if mark == token && *until > desk.now => {
            set(desk, 3, Some(token), Millis(0), Some(url))
        }
        (Phase::Moved(mark, to), _) if mark == token && to == url => Ok(()),
        (Phase::Open | Phase::Moving(_) | Phase::Filling(_) | Phase::Moved(..), _) => {
            busy("the mark of this move is gone; others may have written since")
        }
    }
}

/// Empties the store and closes it for filling.
pub(super) fn fill_start(desk: &Desk<'_>, presence: &Presence, token: &MoveToken) -> Res<()> {
    let used = match &desk.phase.0 {
        Phase::Open | Phase::Moving(_) => census(desk, presence)? != Census::default(),
        Phase::Filling(_) | Phase::Moved(..) => false,
    };
    if used {
        return refuse(
            Error::new(Kind::Conflict, "the store to move to holds something already").hint("move to an empty store"),
        );
    }
    for table in ["mailboxes", "names", "mail", "hist", "broadcasts", "keys", "events"] {
        desk.sql.execute(&format!("DELETE FROM {table}"), [])?;
    }
    desk.count(|numbers| *numbers = Default::default());
    let epoch = line::epoch_of(&(&desk.epoch, &token.0));
    desk.sql.execute("UPDATE meta SET epoch = ?1", [epoch])?;
    set(desk, 2, Some(token), Millis(0), None)
}

/// `Moving` unless the store is being filled by this move.
pub(super) fn filling(desk: &Desk<'_>, token: &MoveToken) -> Res<()> {
    match &desk.phase.0 {
        Phase::Filling(mark) if mark == token => Ok(()),
        Phase::Open | Phase::Moving(_) | Phase::Filling(_) | Phase::Moved(..) => {
            busy("the store is not being filled by this move")
        }
    }
}

/// Opens a filled store, with its mailboxes counted.
pub(super) fn fill_done(desk: &Desk<'_>, token: &MoveToken) -> Res<()> {
    let token_kept: Option<String> = desk.sql.query_row("SELECT token FROM meta", [], |row| row.get(0))?;
    if desk.phase.0 == Phase::Open && token_kept.as_deref() == Some(token.0.as_str()) {
        return Ok(());
    }
    filling(desk, token)?;
    // A mailbox whose every name only forwards takes one of them for its own.
    desk.sql.execute_batch(
        "UPDATE mailboxes SET name = (SELECT min(name) FROM names WHERE mailbox = mailboxes.id)
           WHERE name = '' AND EXISTS (SELECT 1 FROM names WHERE mailbox = mailboxes.id);
         UPDATE names SET alias = 0 WHERE name IN (SELECT name FROM mailboxes)",
    )?;
    desk.sql.execute(
        "UPDATE mailboxes SET (ready, urgent, leased, dead) =
           (SELECT count(*) FILTER (WHERE state = 0), count(*) FILTER (WHERE state = 0 AND urgent),
                   count(*) FILTER (WHERE state = 1), count(*) FILTER (WHERE state = 2)
            FROM mail WHERE mail.mailbox = mailboxes.id AND +state <= 2)",
        [],
    )?;
    let (first, last): (Option<i64>, Option<i64>) =
        desk.sql.query_row("SELECT min(rank), max(max(rank), max(seq)) FROM mail", [], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })?;
    let mailbox: Option<i64> = desk.sql.query_row(
        "SELECT max(n) FROM (SELECT max(id) n FROM mailboxes UNION ALL SELECT max(mailbox) FROM mail
                             UNION ALL SELECT max(mailbox) FROM broadcasts)",
        [],
        |row| row.get(0),
    )?;
    desk.count(|numbers| {
        numbers.first_mail = first.unwrap_or(0).min(0);
        numbers.last_mail = last.unwrap_or(0).max(0);
        numbers.last_mailbox = mailbox.unwrap_or(0);
    });
    set(desk, 0, Some(token), Millis(0), None)
}

/// How much of each sort there is, as far as it can be carried: what cannot be read is not.
pub(super) fn census(desk: &Desk<'_>, presence: &Presence) -> Res<Census> {
    let count = |table: &str| -> Res<u64> {
        let count = desk.sql.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get(0))?;
        Ok(counts::unsigned(count))
    };
    let (mut mail, mut broadcasts) = (0, 0);
    let mut page = None;
    loop {
        let parcels = parcels::page(desk, presence, page.as_deref())?;
        for parcel in &parcels.parcels {
            mail += u64::from(matches!(parcel, Parcel::Mail { .. }));
            broadcasts += u64::from(matches!(parcel, Parcel::Broadcast { .. }));
        }
        page = parcels.next;
        if page.is_none() {
            break;
        }
    }
    Ok(Census { names: count("names")?, messages: mail, broadcasts, keys: count("keys")? })
}

fn set(desk: &Desk<'_>, phase: i64, token: Option<&MoveToken>, until: Millis, url: Option<&str>) -> Res<()> {
    let token = token.map(|token| &token.0);
    let update = "UPDATE meta SET phase = ?1, token = ?2, until = ?3, url = ?4";
    desk.sql.execute(update, params![phase, token, until.0, url])?;
    Ok(())
}

fn busy<T>(why: &str) -> Res<T> {
    refuse(Error::new(Kind::Moving, why).hint("try again in a moment; `postino store` shows where things are"))
}
