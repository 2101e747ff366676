//! How mail is handed out and settled. It knows the mailbox of its actor alone.

use std::time::Duration;

use rusqlite::params;

use super::counts;
use super::desk::Desk;
use super::due::{self, Tally};
use super::entry::{self, Entry, Stage};
use super::fail::Res;
use super::names::Me;
use crate::model::{EventType, Message, MessageId, Millis, Receipt};
use crate::store::{Batch, Pick, Policy, Settle, Settled, Step, weight};

/// What `lease` hands out with each message.
struct Delivery {
    until: Millis,
    nonce: u64,
}

/// Hands out ready mail.
pub(super) fn lease(desk: &Desk<'_>, step: &Step<'_>, me: &Me, pick: Pick, hold: Duration, nonce: u64) -> Res<Batch> {
    let mut batch = Batch { store_now: desk.now, ..Batch::default() };
    let Some(mailbox) = me.mailbox() else { return Ok(batch) };
    due::settle(desk, step.policy, mailbox)?;
    let delivery = Delivery { until: desk.now.plus(hold), nonce };
    match pick {
        Pick::One(id) => {
            if let Some(entry) = one(desk, step.policy, mailbox, id)? {
                hand_out(desk, me, &entry, &delivery, &mut batch)?;
            }
        }
        Pick::Head(limit) => take_head(desk, me, mailbox, limit, u64::MAX, &delivery, &mut batch)?,
        Pick::Fitting(limit, room) => take_head(desk, me, mailbox, limit, room, &delivery, &mut batch)?,
    }
    batch.remaining = counts::live(desk, step.policy, mailbox)?.waiting();
    batch.next_due = next_due(desk, mailbox)?;
    Ok(batch)
}

/// Hands out the head of a queue. What cannot be read leaves the queue, so this ends.
fn take_head(
    desk: &Desk<'_>,
    me: &Me,
    mailbox: i64,
    limit: u32,
    mut room: u64,
    delivery: &Delivery,
    batch: &mut Batch,
) -> Res<()> {
    loop {
        let missing = usize::try_from(limit).unwrap_or(usize::MAX).saturating_sub(batch.messages.len());
        let head = head(desk, mailbox, missing)?;
        for entry in &head {
            let weight = entry.message.as_ref().map_or(0, |message| weight(&message.body));
            if weight > room && !batch.messages.is_empty() {
                return Ok(());
            }
            room = room.saturating_sub(weight);
            hand_out(desk, me, entry, delivery, batch)?;
        }
        if head.is_empty() {
            return Ok(());
        }
    }
}

/// The head of a queue.
pub(super) const HEAD: &str = "WHERE mailbox = ?1 AND state = 0 AND +state <= 2 AND due_at > ?2 ORDER BY rank LIMIT ?3";

fn head(desk: &Desk<'_>, mailbox: i64, limit: usize) -> Res<Vec<Entry>> {
    if limit == 0 {
        return Ok(Vec::new());
    }
    entry::select(desk, HEAD, params![mailbox, desk.now.0, i64::try_from(limit).unwrap_or(i64::MAX)])
}

/// The message asked for, when it is ready.
fn one(desk: &Desk<'_>, policy: &Policy, mailbox: i64, id: MessageId) -> Res<Option<Entry>> {
    let mine = |entry: &Entry| entry.mailbox == mailbox;
    let Some(found) = entry::by_id(desk, id)?.filter(mine) else { return Ok(None) };
    if found.due <= desk.now {
        due::turn(desk, policy, &found)?;
    }
    let ready = |entry: &Entry| entry.stage == Stage::Waiting;
    Ok(entry::by_id(desk, id)?.filter(ready))
}

/// Leases one entry, or buries it when it cannot be read.
fn hand_out(desk: &Desk<'_>, me: &Me, entry: &Entry, delivery: &Delivery, batch: &mut Batch) -> Res<()> {
    let message = match (&entry.message, entry.unreadable()) {
        (Ok(message), None) => message.clone(),
        (_, unreadable) => {
            let reason = unreadable.as_ref().map_or("it cannot be read", |entry| entry.reason.as_str());
            due::bury(desk, entry, reason, desk.now)?;
            batch.unreadable.extend(unreadable);
            return Ok(());
        }
    };
    let mut update = desk.sql.prepare_cached(
        "UPDATE mail SET state = 1, due_at = ?2, nonce = ?3, deliveries = ?4, taken_at = ?5, taken_by = ?6
         WHERE seq = ?1",
    )?;
    let deliveries = entry.deliveries.saturating_add(1);
    let nonce = delivery.nonce.cast_signed();
    update.execute(params![entry.seq, delivery.until.0, nonce, deliveries, desk.now.0, me.name.as_str()])?;
    Tally::default()
        .leave(Stage::Waiting, entry.urgent)
        .enter(Stage::Leased, entry.urgent)
        .post(desk, entry.mailbox)?;
    due::tell(desk, EventType::Leased, &Entry { taken_by: Some(me.name.clone()), ..entry.clone() })?;
    batch.messages.push(Message {
        deliveries: Some(deliveries),
        receipt: Some(Receipt { id: entry.id, nonce: delivery.nonce }),
        lease_until: Some(delivery.until),
        ..message
    });
    Ok(())
}

/// The queue from its head: what waits, and what waits again without having been moved.
pub(super) fn ready(columns: &str) -> String {
    format!(
        "SELECT {columns} FROM mail WHERE mailbox = ?1 AND state = 0 AND +state <= 2 AND due_at > ?2
         UNION ALL
         SELECT {columns} FROM mail WHERE mailbox = ?1 AND state = 1 AND +state <= 1 AND due_at <= ?2
           AND expires > ?2 AND deliveries < ?3
         ORDER BY rank"
    )
}

/// Shows what a lease would hand out.
pub(super) fn peek(desk: &Desk<'_>, step: &Step<'_>, me: &Me, limit: u32) -> Res<Batch> {
    let mut batch = Batch { store_now: desk.now, ..Batch::default() };
    let Some(mailbox) = me.mailbox() else { return Ok(batch) };
    let mut query = desk.sql.prepare_cached(&ready(entry::COLUMNS))?;
    let mut rows = query.query(params![mailbox, desk.now.0, step.policy.max_deliveries])?;
    while batch.messages.len() < usize::try_from(limit).unwrap_or(usize::MAX) {
        let Some(row) = rows.next()? else { break };
        let entry = Entry::read(row)?;
        batch.unreadable.extend(entry.unreadable());
        let deliveries = (entry.deliveries > 0).then_some(entry.deliveries);
        batch.messages.extend(entry.message.ok().map(|message| Message { deliveries, ..message }));
    }
    let waiting = counts::live(desk, step.policy, mailbox)?.waiting();
    let shown = u64::try_from(batch.messages.len() + batch.unreadable.len()).unwrap_or(u64::MAX);
    batch.remaining = waiting.saturating_sub(shown);
    batch.next_due = next_due(desk, mailbox)?;
    Ok(batch)
}

/// When the next lease of a mailbox runs out; those that ran out already are no news.
fn next_due(desk: &Desk<'_>, mailbox: i64) -> Res<Option<Millis>> {
    let mut query = desk.sql.prepare_cached(
        "SELECT min(due_at) FROM mail WHERE mailbox = ?1 AND state = 1 AND +state <= 1 AND due_at > ?2",
    )?;
    let due: Option<i64> = query.query_row(params![mailbox, desk.now.0], |row| row.get(0))?;
    Ok(due.map(Millis))
}

/// Acks, extends or releases deliveries.
pub(super) fn settle(desk: &Desk<'_>, step: &Step<'_>, me: &Me, receipts: &[Receipt], what: Settle) -> Res<Settled> {
    let mut settled = Settled::default();
    if let Some(mailbox) = me.mailbox() {
        due::settle(desk, step.policy, mailbox)?;
    }
    for receipt in receipts {
        let mine = |entry: &Entry| Some(entry.mailbox) == me.mailbox() && entry.receipt() == Some(*receipt);
        let done = match entry::by_id(desk, receipt.id)?.filter(mine) {
            Some(entry) => settle_one(desk, step.policy, me, &entry, what)?,
            None => false,
        };
        if done { settled.done.push(*receipt) } else { settled.stale.push(*receipt) }
    }
    Ok(settled)
}

/// Settles one delivery; false when it is over.
fn settle_one(desk: &Desk<'_>, policy: &Policy, me: &Me, entry: &Entry, what: Settle) -> Res<bool> {
    let held = entry.stage == Stage::Leased && entry.due > desk.now;
    match what {
        Settle::Ack if entry.stage == Stage::Taken => return Ok(true),
        Settle::Ack | Settle::Extend(_) | Settle::Release if !held => return Ok(false),
        Settle::Ack => ack(desk, me, entry)?,
        Settle::Extend(hold) => {
            let mut update = desk.sql.prepare_cached("UPDATE mail SET due_at = ?2 WHERE seq = ?1")?;
            update.execute(params![entry.seq, desk.now.plus(hold).0])?;
        }
        Settle::Release => due::give_back(desk, policy, entry)?,
    }
    Ok(true)
}

/// Keeps an entry as history; its nonce stays, so that a repeated ack is known.
fn ack(desk: &Desk<'_>, me: &Me, entry: &Entry) -> Res<()> {
    let mut update = desk.sql.prepare_cached("UPDATE mail SET state = 3, due_at = ?3, acked_at = ?2 WHERE seq = ?1")?;
    update.execute(params![entry.seq, desk.now.0, entry::end_of_taken(entry.expires, desk.now).0])?;
    Tally::default().leave(Stage::Leased, entry.urgent).post(desk, entry.mailbox)?;
    desk.count(|numbers| numbers.taken += 1);
    due::tell(desk, EventType::Taken, &Entry { taken_by: Some(me.name.clone()), ..entry.clone() })
}
