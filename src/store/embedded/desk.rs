//! One transaction with the time it goes by: who may enter, the store's numbers and counters, and the
//! events it announces. It knows no name and no mailbox.

use std::cell::{Cell, RefCell};

use rusqlite::{Connection, params};

use super::fail::{Fail, Res, refuse};
use super::{line, schema};
use crate::error::{Error, Kind};
use crate::model::{EventType, MessageId, Millis};
use crate::store::{MAX_EVENTS, MoveToken, Phase};

/// The stream of events is shortened once in so many events.
const SHORTEN: i64 = 64;

/// Who may enter while the store takes part in a move.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Entrance {
    /// Readers: not while it is filled, nor after it has moved.
    Read,
    /// Writers: also not while it is being moved.
    Write,
    /// The verbs of the move itself.
    Mover,
}

/// The numbers given out last, and the totals since the store was made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Numbers {
    /// The highest sequence number and rank.
    pub(super) last_mail: i64,
    /// The lowest rank.
    pub(super) first_mail: i64,
    /// The newest mailbox.
    pub(super) last_mailbox: i64,
    /// The newest broadcast.
    pub(super) last_broadcast: i64,
    /// The newest claim.
    pub(super) last_generation: i64,
    /// Messages accepted.
    pub(super) sent: i64,
    /// Messages acknowledged.
    pub(super) taken: i64,
    /// Messages whose TTL ran out.
    pub(super) expired: i64,
    /// Messages that became dead letters.
    pub(super) died: i64,
    /// Announcements dropped by the cap.
    pub(super) trimmed: i64,
    /// Dead letters dropped by cap or age.
    pub(super) dead_trimmed: i64,
    /// Messages removed by hand.
    pub(super) deleted: i64,
}

/// Whom and what an event is about.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct About<'a> {
    /// The message or broadcast.
    pub(super) id: Option<MessageId>,
    /// The agent.
    pub(super) agent: Option<&'a str>,
    /// The sender.
    pub(super) from: Option<&'a str>,
    /// The recipient, or the new name.
    pub(super) to: Option<&'a str>,
}

/// One transaction.
pub(super) struct Desk<'a> {
    /// The connection, inside the transaction.
    pub(super) sql: &'a Connection,
    /// The time it goes by.
    pub(super) now: Millis,
    /// The epoch of the events.
    pub(super) epoch: String,
    /// The store's part in a move, and until when a mark holds.
    pub(super) phase: (Phase, Millis),
    /// The number of the last change.
    pub(super) change: i64,
    numbers: RefCell<Numbers>,
    before: Numbers,
    /// How many rows the connection had changed when the transaction began.
    rows: u64,
    announced: Cell<bool>,
    /// Whether the stream is to be shortened.
    is_long: Cell<bool>,
}

impl<'a> Desk<'a> {
    /// Reads the one row of `meta`, and refuses whom the phase keeps out.
    pub(super) fn open(sql: &'a Connection, now: Millis, entrance: Entrance) -> Res<Desk<'a>> {
        let version = line::version(sql)?;
        if version > schema::VERSION {
            return Err(Fail::Newer(version));
        }
        let mut row = sql.prepare_cached(
            "SELECT epoch, phase, token, until, url, last_mail, first_mail, last_mailbox, last_broadcast,
             last_generation, sent, taken, expired, died, trimmed, dead_trimmed, deleted, change FROM meta",
        )?;
        let (epoch, phase, numbers, change) = row.query_row([], |row| {
            let token = || Ok::<_, rusqlite::Error>(MoveToken(row.get::<_, Option<String>>(2)?.unwrap_or_default()));
            let phase = match row.get(1)? {
                1i64 => Phase::Moving(token()?),
                2 => Phase::Filling(token()?),
                3 => Phase::Moved(token()?, row.get::<_, Option<String>>(4)?.unwrap_or_default()),
                _ => Phase::Open,
            };
            Ok((row.get(0)?, (phase, Millis(row.get(3)?)), read_numbers(row)?, row.get(17)?))
        })?;
        admit(&phase, now, entrance)?;
        let (announced, is_long) = (Cell::new(false), Cell::new(false));
        let (before, rows, numbers) = (numbers, sql.total_changes(), RefCell::new(numbers));
        Ok(Desk { sql, now, epoch, phase, change, numbers, before, rows, announced, is_long })
    }

    /// Writes numbers and the end of the event stream; tells the number of this change, when it is one, and whether waiters are to
    /// be woken.
    pub(super) fn close(self) -> Res<(Option<i64>, bool)> {
        let n = self.numbers.into_inner();
        if n == self.before && self.sql.total_changes() == self.rows {
            return Ok((None, false));
        }
        let change = self.change + 1;
        let mut update = self.sql.prepare_cached(
            "UPDATE meta SET last_mail = ?1, first_mail = ?2, last_mailbox = ?3, last_broadcast = ?4,
             last_generation = ?5, sent = ?6, taken = ?7, expired = ?8, died = ?9, trimmed = ?10,
             dead_trimmed = ?11, deleted = ?12, change = ?13",
        )?;
        update.execute(params![
            n.last_mail,
            n.first_mail,
            n.last_mailbox,
            n.last_broadcast,
            n.last_generation,
            n.sent,
            n.taken,
            n.expired,
            n.died,
            n.trimmed,
            n.dead_trimmed,
            n.deleted,
            change
        ])?;
        if self.is_long.get() {
            let kept = i64::try_from(MAX_EVENTS).unwrap_or(i64::MAX);
            let mut trim = self.sql.prepare_cached("DELETE FROM events WHERE n <= (SELECT max(n) FROM events) - ?1")?;
            trim.execute([kept])?;
        }
        Ok((Some(change), self.announced.get()))
    }

    /// The numbers as they stand.
    pub(super) fn numbers(&self) -> Numbers {
        *self.numbers.borrow()
    }

    /// Changes numbers; they are written at the end.
    pub(super) fn count<T>(&self, change: impl FnOnce(&mut Numbers) -> T) -> T {
        change(&mut self.numbers.borrow_mut())
    }

    /// Announces an event.
    pub(super) fn announce(&self, kind: EventType, about: About<'_>) -> Res<()> {
        let mut insert = self.sql.prepare_cached(
            "INSERT INTO events (kind, at, id, agent, sender, recipient) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        )?;
        let id = about.id.map(MessageId::to_bytes);
        insert.execute(params![kind.as_str(), self.now.0, id, about.agent, about.from, about.to])?;
        self.announced.set(true);
        self.is_long.set(self.is_long.get() || self.sql.last_insert_rowid() % SHORTEN == 0);
        Ok(())
    }
}

fn read_numbers(row: &rusqlite::Row<'_>) -> rusqlite::Result<Numbers> {
    Ok(Numbers {
        last_mail: row.get(5)?,
        first_mail: row.get(6)?,
        last_mailbox: row.get(7)?,
        last_broadcast: row.get(8)?,
        last_generation: row.get(9)?,
        sent: row.get(10)?,
        taken: row.get(11)?,
        expired: row.get(12)?,
        died: row.get(13)?,
        trimmed: row.get(14)?,
        dead_trimmed: row.get(15)?,
        deleted: row.get(16)?,
    })
}

/// Refuses whom the phase keeps out.
fn admit((phase, until): &(Phase, Millis), now: Millis, entrance: Entrance) -> Res<()> {
    match (phase, entrance) {
        (Phase::Open, _) | (_, Entrance::Mover) | (Phase::Moving(_), Entrance::Read) => Ok(()),
        (Phase::Moving(_), Entrance::Write) if *until <= now => Ok(()),
        (Phase::Moving(_), Entrance::Write) => refuse(
            Error::new(Kind::Moving, "the store is being moved; nothing is written meanwhile")
                .hint("try again in a moment"),
        ),
        (Phase::Filling(_), Entrance::Read | Entrance::Write) => {
            refuse(Error::new(Kind::Moving, "the store is being filled by a move").hint("try again in a moment"))
        }
        (Phase::Moved(_, url), Entrance::Read | Entrance::Write) => {
            refuse(Error::new(Kind::Moving, format!("the store has moved to {url}")).hint(format!("use --store {url}")))
        }
    }
}
