//! The counts of mailboxes as they are at this moment, whether or not somebody has moved what is due. It moves
//! nothing.

use rusqlite::{Row, params};

use super::desk::Desk;
use super::due;
use super::fail::Res;
use crate::store::Policy;

/// The counts of a mailbox, or of all, at this moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Live {
    /// Ready for a reader.
    pub(super) waiting: i64,
    /// Of these, urgent.
    pub(super) urgent: i64,
    /// Held by readers.
    pub(super) leased: i64,
    /// Dead letters.
    pub(super) dead: i64,
    /// Entries that are due and not moved yet.
    pub(super) due: i64,
    /// Of these, expired.
    pub(super) expired: i64,
    /// Of these, used up.
    pub(super) died: i64,
    /// Dead letters that are too old and not dropped yet.
    pub(super) old_dead: i64,
    /// How often mail became ready.
    pub(super) arrivals: i64,
}

impl Live {
    /// Counts with the given corrections.
    pub(super) fn plus(self, other: Live) -> Live {
        Live {
            waiting: self.waiting + other.waiting,
            urgent: self.urgent + other.urgent,
            leased: self.leased + other.leased,
            dead: self.dead + other.dead,
            due: self.due + other.due,
            expired: self.expired + other.expired,
            died: self.died + other.died,
            old_dead: self.old_dead + other.old_dead,
            arrivals: self.arrivals + other.arrivals,
        }
    }

    /// `waiting` as it is given out.
    pub(super) fn waiting(&self) -> u64 {
        unsigned(self.waiting)
    }
}

/// A count as it is given out.
pub(super) fn unsigned(count: i64) -> u64 {
    u64::try_from(count).unwrap_or(0)
}

/// What is due in a mailbox: none, almost always.
pub(super) fn due_of_mailbox() -> String {
    format!("SELECT {CORRECTIONS} FROM mail WHERE mailbox = ?3 AND state IN (0, 1) AND +state <= 1 AND due_at <= ?1")
}

/// The counts of a mailbox, corrected by what is due: as cheap as that is rare.
pub(super) fn live(desk: &Desk<'_>, policy: &Policy, mailbox: i64) -> Res<Live> {
    let mut counts =
        desk.sql.prepare_cached("SELECT ready, urgent, leased, dead, arrivals FROM mailboxes WHERE id = ?1")?;
    let counted = counts.query_row([mailbox], read_counts)?;
    if counted.waiting == 0 && counted.leased == 0 || !due::is_any(desk, mailbox)? {
        return Ok(counted);
    }
    let mut query = desk.sql.prepare_cached(&due_of_mailbox())?;
    let due = query.query_row(params![desk.now.0, policy.max_deliveries, mailbox], |row| read_corrections(row, 0))?;
    Ok(counted.plus(due))
}

/// The counts that stand in a row of `mailboxes`.
pub(super) fn read_counts(row: &Row<'_>) -> rusqlite::Result<Live> {
    let (waiting, urgent, leased, dead) = (row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?);
    Ok(Live { waiting, urgent, leased, dead, arrivals: row.get(4)?, ..Live::default() })
}

/// What the due entries of a group do to its counts, at ?1 with ?2 deliveries at most.
pub(super) const CORRECTIONS: &str = "
    coalesce(sum((state = 1 AND deliveries < ?2 AND expires > ?1) - (state = 0)), 0),
    coalesce(sum(urgent * ((state = 1 AND deliveries < ?2 AND expires > ?1) - (state = 0))), 0),
    coalesce(-sum(state = 1), 0),
    coalesce(sum((state = 1 AND deliveries >= ?2) - (state = 2)), 0),
    coalesce(sum(state <= 1), 0),
    coalesce(sum(state = 0 OR (state = 1 AND deliveries < ?2 AND expires <= ?1)), 0),
    coalesce(sum(state = 1 AND deliveries >= ?2), 0),
    coalesce(sum(state = 2), 0),
    coalesce(sum(state = 1 AND deliveries < ?2 AND due_at < expires), 0)";

/// Reads `CORRECTIONS` from a column on.
pub(super) fn read_corrections(row: &Row<'_>, first: usize) -> rusqlite::Result<Live> {
    Ok(Live {
        waiting: row.get(first)?,
        urgent: row.get(first + 1)?,
        leased: row.get(first + 2)?,
        dead: row.get(first + 3)?,
        due: row.get(first + 4)?,
        expired: row.get(first + 5)?,
        died: row.get(first + 6)?,
        old_dead: row.get(first + 7)?,
        arrivals: row.get(first + 8)?,
    })
}
