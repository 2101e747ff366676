//! A message as it lies in the table, read so that one that cannot be understood harms no other. It knows
//! when a state ends, not what is done then.

use std::time::Duration;

use rusqlite::types::ValueRef;
use rusqlite::{Params, Row};

use super::desk::Desk;
use super::fail::Res;
use crate::model::{AgentName, Body, Message, MessageId, Millis, Receipt, Standing, Via};
use crate::store::{Policy, Record, Unreadable};

/// The columns that `Entry` is read from, in their order.
pub(super) const COLUMNS: &str = "seq, mailbox, state, rank, due_at, expires, urgent, deliveries, nonce, taken_at,
    taken_by, acked_at, died_at, reason, id, sender, recipient, sent_at, reply_to, thread, via, body, sum";

/// Where a message lies in its life; the numbers stand in the table and in its indexes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    /// Waits for a reader until its TTL.
    Waiting = 0,
    /// Held by a reader until the lease ends.
    Leased = 1,
    /// A dead letter until it is too old.
    Dead = 2,
    /// Acknowledged; history until its TTL, and known to a repeated ack for `AFTERLIFE` more.
    Taken = 3,
}

/// How long an acknowledged message outlives its TTL, or an ack that came later still: whoever got no answer to an
/// ack may ask again.
pub(super) const AFTERLIFE: Duration = Duration::from_secs(3_600);

/// When an acknowledged message goes for good.
pub(super) fn end_of_taken(expires: Millis, acked_at: Millis) -> Millis {
    expires.max(acked_at).plus(AFTERLIFE)
}

impl Stage {
    /// The number in the table.
    pub(super) fn number(self) -> i64 {
        self as i64
    }
}

/// What becomes of a delivery that ended without an ack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// It is ready again.
    Ready,
    /// It is a dead letter.
    Dead,
    /// It is gone.
    Expired,
}

/// One row of `mail`.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    /// Its number in order of acceptance.
    pub(super) seq: i64,
    /// The mailbox it lies in.
    pub(super) mailbox: i64,
    /// Where it lies in its life.
    pub(super) stage: Stage,
    /// Its place in the queue.
    pub(super) rank: i64,
    /// When its stage ends by itself.
    pub(super) due: Millis,
    /// When its TTL runs out.
    pub(super) expires: Millis,
    /// Whether it is urgent.
    pub(super) urgent: bool,
    /// How often it was handed out.
    pub(super) deliveries: u32,
    /// The nonce of its last delivery.
    pub(super) nonce: Option<u64>,
    /// When it was last handed out.
    pub(super) taken_at: Option<Millis>,
    /// To whom.
    pub(super) taken_by: Option<AgentName>,
    /// When it was acknowledged.
    pub(super) acked_at: Option<Millis>,
    /// When it died.
    pub(super) died_at: Option<Millis>,
    /// Why it died.
    pub(super) reason: Option<String>,
    /// Its id; zeros where the stored one is too short.
    pub(super) id: MessageId,
    /// The message without delivery fields, or what is wrong with it.
    pub(super) message: Result<Message, String>,
}

impl Entry {
    /// Reads a row of `COLUMNS`.
    pub(super) fn read(row: &Row<'_>) -> rusqlite::Result<Entry> {
        let stage = match int(row, 2)? {
            Some(0) => Stage::Waiting,
            Some(1) => Stage::Leased,
            Some(2) => Stage::Dead,
            Some(_) | None => Stage::Taken,
        };
        let time = |i| int(row, i).map(|time| time.map(Millis));
        let number = |i| int(row, i).map(Option::unwrap_or_default);
        Ok(Entry {
            seq: row.get(0)?,
            mailbox: number(1)?,
            stage,
            rank: number(3)?,
            due: Millis(number(4)?),
            expires: Millis(number(5)?),
            urgent: number(6)? != 0,
            deliveries: u32::try_from(number(7)?).unwrap_or(u32::MAX),
            nonce: int(row, 8)?.map(i64::cast_unsigned),
            taken_at: time(9)?,
            taken_by: text(row.get_ref(10)?).and_then(|name| name.parse().ok()),
            acked_at: time(11)?,
            died_at: time(12)?,
            reason: text(row.get_ref(13)?).map(str::to_owned),
            id: id(row.get_ref(14)?).unwrap_or_else(|| padded(row.get_ref(14).ok())),
            message: message(row)?,
        })
    }

    /// What becomes of its delivery when it ends at `now` without an ack.
    pub(super) fn fate(&self, now: Millis, policy: &Policy) -> Fate {
        if self.deliveries >= policy.max_deliveries {
            Fate::Dead
        } else if self.expires <= now {
            Fate::Expired
        } else {
            Fate::Ready
        }
    }

    /// Where it stands at `now`, whether or not somebody has moved it there; `None` when it is gone.
    pub(super) fn standing(&self, now: Millis, policy: &Policy) -> Option<Standing> {
        let over = self.due <= now;
        match self.stage {
            Stage::Waiting => (!over).then_some(Standing::Waiting),
            Stage::Leased if !over => Some(Standing::Leased),
            Stage::Leased => match self.fate(now, policy) {
                Fate::Ready => Some(Standing::Waiting),
                Fate::Dead => Some(Standing::Dead),
                Fate::Expired => None,
            },
            Stage::Dead => (!over).then_some(Standing::Dead),
            Stage::Taken => (self.expires > now).then_some(Standing::Taken),
        }
    }

    /// Why it died, whether or not somebody has buried it yet.
    pub(super) fn cause(&self) -> String {
        self.reason.clone().unwrap_or_else(|| used_up(self.deliveries))
    }

    /// The receipt of its last delivery.
    pub(super) fn receipt(&self) -> Option<Receipt> {
        self.nonce.map(|nonce| Receipt { id: self.id, nonce })
    }

    /// The message with its story, without its receipt; `None` when it is gone or cannot be read.
    pub(super) fn record(&self, now: Millis, policy: &Policy) -> Option<Record> {
        let standing = self.standing(now, policy)?;
        let mut message = self.message.clone().ok()?;
        message.deliveries = (self.deliveries > 0).then_some(self.deliveries);
        message.lease_until = (standing == Standing::Leased).then_some(self.due);
        let (taken_at, taken_by) = (self.taken_at, self.taken_by.clone());
        Some(Record { message, standing, taken_at, taken_by, acked_at: self.acked_at })
    }

    /// What is wrong with it, when it cannot be read.
    pub(super) fn unreadable(&self) -> Option<Unreadable> {
        self.message.as_ref().err().map(|reason| Unreadable { id: self.id, reason: reason.clone() })
    }

    /// Sender and recipient as written, as far as they can be read.
    pub(super) fn ends(&self) -> (Option<&str>, Option<&str>) {
        match &self.message {
            Ok(message) => (Some(message.from.as_str()), Some(message.to.as_str())),
            Err(_) => (None, None),
        }
    }
}

/// Why a message died that was handed out so often.
pub(super) fn used_up(deliveries: u32) -> String {
    format!("{deliveries} deliveries without an ack")
}

/// The rows of `mail` that the rest of a query names (`WHERE …`).
pub(super) fn select(desk: &Desk<'_>, rest: &str, params: impl Params) -> Res<Vec<Entry>> {
    let mut query = desk.sql.prepare_cached(&format!("SELECT {COLUMNS} FROM mail {rest}"))?;
    let entries = query.query_map(params, Entry::read)?.collect::<rusqlite::Result<_>>()?;
    Ok(entries)
}

/// The row of a message.
pub(super) fn by_id(desk: &Desk<'_>, id: MessageId) -> Res<Option<Entry>> {
    Ok(select(desk, "WHERE id = ?1", [id.to_bytes()])?.pop())
}

fn int(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<i64>> {
    Ok(row.get_ref(column)?.as_i64().ok())
}

/// A stored text; `None` when it is none, or no UTF-8.
pub(super) fn text(value: ValueRef<'_>) -> Option<&str> {
    std::str::from_utf8(value.as_bytes().ok()?).ok()
}

/// A stored id; `None` when it is none.
pub(super) fn id(value: ValueRef<'_>) -> Option<MessageId> {
    let bytes: [u8; 16] = value.as_bytes().ok()?.try_into().ok()?;
    Some(MessageId::from_bytes(bytes))
}

/// Something to call a message by whose id is broken.
fn padded(value: Option<ValueRef<'_>>) -> MessageId {
    let mut bytes = [0; 16];
    let stored = value.and_then(|value| value.as_bytes().ok()).unwrap_or_default();
    for (to, from) in bytes.iter_mut().zip(stored) {
        *to = *from;
    }
    MessageId::from_bytes(bytes)
}

fn message(row: &Row<'_>) -> rusqlite::Result<Result<Message, String>> {
    let (from, to, body, via) = (row.get_ref(15)?, row.get_ref(16)?, row.get_ref(21)?, row.get_ref(20)?);
    let (id, reply_to, thread) = (id(row.get_ref(14)?), row.get_ref(18)?, self::id(row.get_ref(19)?));
    let (urgent, timestamp, sum) = (int(row, 6)?, int(row, 17)?, int(row, 22)?);
    let read = || {
        let message = Message {
            id: id.ok_or("its id is broken")?,
            from: name(from).ok_or("its sender is not a legal name")?,
            to: name(to).ok_or("its recipient is not a legal name")?,
            body: self::body(body)?,
            timestamp: timestamp.map(Millis).ok_or("its time is broken")?,
            reply_to: match reply_to {
                ValueRef::Null => None,
                ValueRef::Blob(_) | ValueRef::Text(_) | ValueRef::Integer(_) | ValueRef::Real(_) => {
                    Some(self::id(reply_to).ok_or("the id it answers is broken")?)
                }
            },
            thread: thread.ok_or("its thread is broken")?,
            via: text(via).and_then(via_of).ok_or("its front end is not known")?,
            urgent: urgent.unwrap_or_default() != 0,
            deliveries: None,
            receipt: None,
            lease_until: None,
        };
        let is_whole = sum == Some(super::sum::of_message(&message));
        is_whole.then_some(message).ok_or("its bytes were altered on the disk")
    };
    Ok(read().map_err(str::to_owned))
}

/// A stored name; `None` when it is none.
pub(super) fn name(value: ValueRef<'_>) -> Option<AgentName> {
    text(value)?.parse().ok()
}

/// A stored body, or what is wrong with it.
pub(super) fn body(value: ValueRef<'_>) -> Result<Body, &'static str> {
    text(value).ok_or("its body is not UTF-8")?.parse().map_err(|_| "its body is blank or too long")
}

/// The front end as it is stored.
pub(super) fn via_text(via: Via) -> &'static str {
    match via {
        Via::Cli => "cli",
        Via::Hook => "hook",
        Via::Mcp => "mcp",
        Via::Http => "http",
        Via::Gui => "gui",
    }
}

/// The stored front end.
pub(super) fn via_of(text: &str) -> Option<Via> {
    [Via::Cli, Via::Hook, Via::Mcp, Via::Http, Via::Gui].into_iter().find(|via| via_text(*via) == text)
}
