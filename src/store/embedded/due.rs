//! What happens to mail by itself: leases and TTLs run out, history and dead letters grow old. It knows
//! no actor.

use rusqlite::params;

use super::desk::{About, Desk};
use super::entry::{self, Entry, Fate, Stage};
use super::fail::Res;
use crate::model::{EventType, Millis};
use crate::store::{DEAD_TTL, MAX_DEAD, Policy};

/// How many entries one step moves for a mailbox, and as many for all.
pub(super) const RUN: u32 = 100;

/// Changes to the counts of a mailbox.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Tally {
    ready: i64,
    urgent: i64,
    leased: i64,
    dead: i64,
    arrivals: i64,
}

impl Tally {
    /// One entry enters a stage.
    pub(super) fn enter(mut self, stage: Stage, urgent: bool) -> Tally {
        self.shift(stage, urgent, 1);
        if stage == Stage::Waiting { self.arrive() } else { self }
    }

    /// One entry became ready, whatever it is now.
    fn arrive(mut self) -> Tally {
        self.arrivals += 1;
        self
    }

    /// One entry leaves a stage.
    pub(super) fn leave(mut self, stage: Stage, urgent: bool) -> Tally {
        self.shift(stage, urgent, -1);
        self
    }

    fn shift(&mut self, stage: Stage, urgent: bool, by: i64) {
        match stage {
            Stage::Waiting => {
                self.ready += by;
                self.urgent += by * i64::from(urgent);
            }
            Stage::Leased => self.leased += by,
            Stage::Dead => self.dead += by,
            Stage::Taken => {}
        }
    }

    /// Writes the changes.
    pub(super) fn post(self, desk: &Desk<'_>, mailbox: i64) -> Res<()> {
        let mut update = desk.sql.prepare_cached(
            "UPDATE mailboxes SET ready = ready + ?2, urgent = urgent + ?3, leased = leased + ?4, dead = dead + ?5,
             arrivals = arrivals + ?6 WHERE id = ?1",
        )?;
        update.execute(params![mailbox, self.ready, self.urgent, self.leased, self.dead, self.arrivals])?;
        Ok(())
    }
}

/// Whether anything of a mailbox is due: mostly nothing, and to ask so costs no table for a moment as `IN` and `ORDER BY` do.
pub(super) fn is_any(desk: &Desk<'_>, mailbox: i64) -> Res<bool> {
    let mut query = desk.sql.prepare_cached(
        "SELECT EXISTS (SELECT 1 FROM mail WHERE mailbox = ?1 AND state = 0 AND +state <= 1 AND due_at <= ?2)
         OR EXISTS (SELECT 1 FROM mail WHERE mailbox = ?1 AND state = 1 AND +state <= 1 AND due_at <= ?2)",
    )?;
    Ok(query.query_row(params![mailbox, desk.now.0], |row| row.get(0))?)
}

/// Moves what is due in a mailbox, at most `RUN` entries: first what is ready again, in queue order,
/// so that a lease right after this one finds the head of the queue.
pub(super) fn settle(desk: &Desk<'_>, policy: &Policy, mailbox: i64) -> Res<u32> {
    if !is_any(desk, mailbox)? {
        return Ok(0);
    }
    let due = entry::select(
        desk,
        "WHERE mailbox = ?1 AND state IN (0, 1) AND +state <= 1 AND due_at <= ?2
         ORDER BY state = 1 AND deliveries < ?3 AND expires > ?2 DESC, rank LIMIT ?4",
        params![mailbox, desk.now.0, policy.max_deliveries, RUN],
    )?;
    for entry in &due {
        turn(desk, policy, entry)?;
    }
    Ok(u32::try_from(due.len()).unwrap_or(RUN))
}

/// Moves what is due anywhere, at most `RUN` messages and as many keys.
pub(super) fn sweep(desk: &Desk<'_>, policy: &Policy) -> Res<()> {
    let mut look = desk.sql.prepare_cached(
        "SELECT EXISTS (SELECT 1 FROM mail WHERE due_at <= ?1), EXISTS (SELECT 1 FROM keys WHERE expires <= ?1)",
    )?;
    let (has_mail, has_keys) = look.query_row([desk.now.0], |row| Ok((row.get(0)?, row.get(1)?)))?;
    if has_mail {
        for entry in &entry::select(desk, "WHERE due_at <= ?1 ORDER BY due_at LIMIT ?2", params![desk.now.0, RUN])? {
            turn(desk, policy, entry)?;
        }
    }
    if has_keys {
        let delete = "DELETE FROM keys WHERE number IN (SELECT number FROM keys WHERE expires <= ?1 LIMIT ?2)";
        desk.sql.prepare_cached(delete)?.execute(params![desk.now.0, RUN])?;
    }
    Ok(())
}

/// Drops what is too old anywhere, leases left alone; at most `RUN` messages.
pub(super) fn sweep_old(desk: &Desk<'_>) -> Res<u32> {
    let old = "WHERE due_at <= ?2 AND (due_at <= ?1 AND state <> 1 OR state = 3 AND expires <= ?1) LIMIT ?3";
    let old = entry::select(desk, old, params![desk.now.0, desk.now.plus(entry::AFTERLIFE).0, RUN])?;
    for entry in &old {
        match entry.stage {
            Stage::Waiting => expire(desk, entry)?,
            Stage::Dead => drop_dead(desk, entry)?,
            Stage::Leased | Stage::Taken => remove(desk, entry)?,
        }
    }
    desk.sql.prepare_cached("DELETE FROM keys WHERE expires <= ?1")?.execute([desk.now.0])?;
    desk.sql.prepare_cached("DELETE FROM broadcasts WHERE expires <= ?1")?.execute([desk.now.0])?;
    Ok(u32::try_from(old.len()).unwrap_or(RUN))
}

/// Does what the end of an entry's stage brings.
pub(super) fn turn(desk: &Desk<'_>, policy: &Policy, entry: &Entry) -> Res<()> {
    match entry.stage {
        Stage::Waiting => expire(desk, entry),
        Stage::Leased => match entry.fate(desk.now, policy) {
            Fate::Ready => ready_again(desk, entry),
            Fate::Dead => bury(desk, entry, &entry::used_up(entry.deliveries), entry.due),
            Fate::Expired => {
                // It was ready from the end of its lease to the end of its TTL, and a check may have said so.
                if entry.due < entry.expires {
                    Tally::default().arrive().post(desk, entry.mailbox)?;
                }
                expire(desk, entry)
            }
        },
        Stage::Dead => drop_dead(desk, entry),
        Stage::Taken => remove(desk, entry),
    }
}

/// Puts an entry back at its place.
pub(super) fn ready_again(desk: &Desk<'_>, entry: &Entry) -> Res<()> {
    let mut update =
        desk.sql.prepare_cached("UPDATE mail SET state = 0, due_at = expires, nonce = NULL WHERE seq = ?1")?;
    update.execute([entry.seq])?;
    let tally = Tally::default().leave(entry.stage, entry.urgent).enter(Stage::Waiting, entry.urgent);
    tally.post(desk, entry.mailbox)?;
    tell(desk, EventType::Released, entry)
}

/// Makes a dead letter of an entry, and drops the oldest beyond the cap.
pub(super) fn bury(desk: &Desk<'_>, entry: &Entry, reason: &str, at: Millis) -> Res<()> {
    let mut update = desk.sql.prepare_cached(
        "UPDATE mail SET state = 2, due_at = ?2, died_at = ?3, reason = ?4, nonce = NULL WHERE seq = ?1",
    )?;
    update.execute(params![entry.seq, at.plus(DEAD_TTL).0, at.0, reason])?;
    Tally::default().leave(entry.stage, entry.urgent).enter(Stage::Dead, entry.urgent).post(desk, entry.mailbox)?;
    desk.count(|numbers| numbers.died += 1);
    tell(desk, EventType::Dead, entry)?;
    trim_dead(desk, entry.mailbox)
}

/// Drops the oldest dead letters beyond the cap.
pub(super) fn trim_dead(desk: &Desk<'_>, mailbox: i64) -> Res<()> {
    let mut count = desk.sql.prepare_cached("SELECT dead - ?2 FROM mailboxes WHERE id = ?1")?;
    let cap = i64::try_from(MAX_DEAD).unwrap_or(i64::MAX);
    let beyond: i64 = count.query_row(params![mailbox, cap], |row| row.get(0))?;
    if beyond <= 0 {
        return Ok(());
    }
    let oldest = "WHERE mailbox = ?1 AND state = 2 AND +state <= 2 ORDER BY died_at, rank LIMIT ?2";
    for entry in entry::select(desk, oldest, params![mailbox, beyond])? {
        drop_dead(desk, &entry)?;
    }
    Ok(())
}

/// Gives an entry back after its delivery, or ends it when that was its last.
pub(super) fn give_back(desk: &Desk<'_>, policy: &Policy, entry: &Entry) -> Res<()> {
    match entry.fate(desk.now, policy) {
        Fate::Ready => ready_again(desk, entry),
        Fate::Dead => bury(desk, entry, &entry::used_up(entry.deliveries), desk.now),
        Fate::Expired => expire(desk, entry),
    }
}

/// Removes an entry and all that points to it.
pub(super) fn remove(desk: &Desk<'_>, entry: &Entry) -> Res<()> {
    Tally::default().leave(entry.stage, entry.urgent).post(desk, entry.mailbox)?;
    super::hist::remove(desk, entry)?;
    desk.sql.prepare_cached("DELETE FROM mail WHERE seq = ?1")?.execute([entry.seq])?;
    Ok(())
}

fn drop_dead(desk: &Desk<'_>, entry: &Entry) -> Res<()> {
    desk.count(|numbers| numbers.dead_trimmed += 1);
    remove(desk, entry)
}

fn expire(desk: &Desk<'_>, entry: &Entry) -> Res<()> {
    desk.count(|numbers| numbers.expired += 1);
    remove(desk, entry)?;
    tell(desk, EventType::Expired, entry)
}

/// Announces what became of a message; the agent is its last reader.
pub(super) fn tell(desk: &Desk<'_>, kind: EventType, entry: &Entry) -> Res<()> {
    let (from, to) = entry.ends();
    let agent = entry.taken_by.as_ref().map(|name| name.as_str());
    desk.announce(kind, About { id: Some(entry.id), agent, from, to })
}
