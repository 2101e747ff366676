//! Dead letters and the emptying of mailboxes: what an agent does by hand to its own mail.

use rusqlite::params;

use super::desk::{About, Desk};
use super::due;
use super::entry::{self, Entry, Stage};
use super::fail::Res;
use super::names::Me;
use crate::model::{EventType, Message, MessageId};
use crate::store::{DeadLetter, Step};

const OWN: &str = "WHERE mailbox = ?1 AND state = 2 AND +state <= 2 AND due_at > ?2 ORDER BY died_at DESC, rank DESC";
const USED_UP: &str = "WHERE mailbox = ?1 AND state = 1 AND +state <= 1 AND due_at <= ?2 AND deliveries >= ?3";

/// The dead letters, newest first, those that nobody has buried yet among them.
pub(super) fn list(desk: &Desk<'_>, step: &Step<'_>, me: &Me, limit: u32) -> Res<Vec<DeadLetter>> {
    let Some(mailbox) = me.mailbox() else { return Ok(Vec::new()) };
    let mut dead = entry::select(desk, USED_UP, params![mailbox, desk.now.0, step.policy.max_deliveries])?;
    dead.extend(entry::select(desk, OWN, params![mailbox, desk.now.0])?);
    let died = |entry: &Entry| entry.died_at.unwrap_or(entry.due);
    dead.sort_by_key(|entry| std::cmp::Reverse((died(entry), entry.rank)));
    dead.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    Ok(dead.into_iter().map(letter).collect())
}

fn letter(entry: Entry) -> DeadLetter {
    let (id, reason, died_at) = (entry.id, entry.cause(), entry.died_at.unwrap_or(entry.due));
    let deliveries = (entry.deliveries > 0).then_some(entry.deliveries);
    let message = entry.message.ok().map(|message| Message { deliveries, ..message });
    DeadLetter { message, id, reason, died_at }
}

/// The actor's dead letters that are meant, after what is due was moved.
fn chosen(desk: &Desk<'_>, step: &Step<'_>, me: &Me, ids: Option<&[MessageId]>) -> Res<Vec<Entry>> {
    let Some(mailbox) = me.mailbox() else { return Ok(Vec::new()) };
    while due::settle(desk, step.policy, mailbox)? == due::RUN {}
    let Some(ids) = ids else { return entry::select(desk, OWN, params![mailbox, desk.now.0]) };
    let mut chosen: Vec<Entry> = Vec::new();
    for id in ids {
        let mine = |entry: &Entry| entry.mailbox == mailbox && entry.stage == Stage::Dead && entry.due > desk.now;
        let fresh = |entry: &Entry| chosen.iter().all(|other| other.seq != entry.seq);
        let found = entry::by_id(desk, *id)?.filter(mine).filter(fresh);
        chosen.extend(found);
    }
    Ok(chosen)
}

/// Puts dead letters back at their places.
pub(super) fn retry(desk: &Desk<'_>, step: &Step<'_>, me: &Me, ids: Option<&[MessageId]>) -> Res<u64> {
    let mut count = 0;
    let expires = desk.now.plus(step.policy.ttl);
    for entry in chosen(desk, step, me, ids)?.iter().filter(|entry| entry.message.is_ok()) {
        let mut update = desk.sql.prepare_cached(
            "UPDATE mail SET expires = ?2, deliveries = 0, taken_at = NULL, taken_by = NULL, died_at = NULL, reason = NULL
             WHERE seq = ?1",
        )?;
        update.execute(params![entry.seq, expires.0])?;
        due::ready_again(desk, entry)?;
        count += 1;
    }
    Ok(count)
}

/// Deletes dead letters.
pub(super) fn purge(desk: &Desk<'_>, step: &Step<'_>, me: &Me, ids: Option<&[MessageId]>) -> Res<u64> {
    let chosen = chosen(desk, step, me, ids)?;
    delete_all(desk, &chosen)
}

/// Deletes one message that waits or is held.
pub(super) fn delete(desk: &Desk<'_>, step: &Step<'_>, me: &Me, id: MessageId) -> Res<bool> {
    let there = |entry: &Entry| {
        let lies = matches!(entry.stage, Stage::Waiting | Stage::Leased);
        Some(entry.mailbox) == me.mailbox() && lies
    };
    let Some(mut found) = entry::by_id(desk, id)?.filter(there) else { return Ok(false) };
    if found.due <= desk.now {
        due::turn(desk, step.policy, &found)?;
        match entry::by_id(desk, id)?.filter(there) {
            Some(moved) => found = moved,
            None => return Ok(false),
        }
    }
    delete_all(desk, &[found])?;
    let agent = Some(me.name.as_str());
    desk.announce(EventType::Cleared, About { id: Some(id), agent, ..About::default() })?;
    Ok(true)
}

/// Deletes all that waits or is held.
pub(super) fn clear(desk: &Desk<'_>, step: &Step<'_>, me: &Me) -> Res<u64> {
    let Some(mailbox) = me.mailbox() else { return Ok(0) };
    while due::settle(desk, step.policy, mailbox)? == due::RUN {}
    let all = entry::select(desk, "WHERE mailbox = ?1 AND state IN (0, 1) AND +state <= 2", [mailbox])?;
    let count = delete_all(desk, &all)?;
    if count > 0 {
        desk.announce(EventType::Cleared, About { agent: Some(me.name.as_str()), ..About::default() })?;
    }
    Ok(count)
}

fn delete_all(desk: &Desk<'_>, entries: &[Entry]) -> Res<u64> {
    for entry in entries {
        due::remove(desk, entry)?;
    }
    let count = entries.len();
    desk.count(|numbers| numbers.deleted += i64::try_from(count).unwrap_or(i64::MAX));
    Ok(u64::try_from(count).unwrap_or(u64::MAX))
}
