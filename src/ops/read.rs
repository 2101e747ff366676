//! Reading mail: leasing it, showing it, and settling what was leased.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Ctx, lease_time, limited};
use crate::error::{Error, Kind, Result};
use crate::model::{Message, MessageId, Receipt};
use crate::store::{Batch, Pick, Scope, Settle, Settled, Unreadable};

/// Messages read at once when nothing is said.
pub const READ_LIMIT: u32 = 20;
/// Messages read at once at most.
pub const MAX_READ_LIMIT: u32 = 100;
/// Receipts settled at once at most.
const MAX_RECEIPTS: usize = 100;

/// Which mail to read, and how.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ReadRequest {
    /// How many at most, 1 to 100; 20 when nothing is said.
    #[serde(default)]
    pub limit: Option<i64>,
    /// Hold them for so many seconds and give receipts, instead of taking them.
    #[serde(default)]
    pub lease: Option<i64>,
    /// Show them only; nothing is consumed.
    #[serde(default)]
    pub peek: bool,
}

/// Mail.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ReadResponse {
    /// The messages, oldest first.
    pub messages: Vec<Message>,
    /// How many more wait.
    pub remaining: u64,
    /// Entries that cannot be read; a read set them aside as dead letters.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unreadable: Vec<Unreadable>,
}

/// An answer, and what the front end owes once the answer has been flushed to the reader.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reading {
    /// The answer.
    pub response: ReadResponse,
    /// Acknowledge these with `ack_read` after the flush; empty for a peek or a lease.
    pub to_ack: Vec<Receipt>,
}

/// Reads mail. Without `lease` or `peek` the mail is leased here, and taken when the front end has flushed the answer and
/// calls `ack_read`: a reader that dies before gets it again.
pub fn read(ctx: &Ctx<'_>, request: &ReadRequest) -> Result<Reading> {
    Ok(read_batch(ctx, request, None)?.0)
}

/// The same for an answer that must not grow too long: as many as weigh at most `room` together (see `store::weight`), the first
/// in any case. The others wait on, and are not counted as delivered. A peek shows all it was asked for.
pub fn read_within(ctx: &Ctx<'_>, request: &ReadRequest, room: u64) -> Result<Reading> {
    Ok(read_batch(ctx, request, Some(room))?.0)
}

/// Reads mail, and waits up to `wait` for some when there is none. An empty answer when the time is over.
pub fn read_waiting(ctx: &Ctx<'_>, request: &ReadRequest, wait: Duration) -> Result<Reading> {
    let until = ctx.machine.instant() + wait;
    let mut waiter = ctx.store.waiter(&Scope::Mail(ctx.actor.name.clone()))?;
    loop {
        let (reading, due) = read_batch(ctx, request, None)?;
        let now = ctx.machine.instant();
        let empty = reading.response.messages.is_empty() && reading.response.unreadable.is_empty();
        if !empty || now >= until {
            return Ok(reading);
        }
        // A lease that runs out makes no sound: look again then.
        let wake = due.and_then(|due| now.checked_add(due)).map_or(until, |due| due.min(until));
        waiter.wait(wake)?;
    }
}

/// One reading, and how long until the mailbox's next lease runs out.
fn read_batch(ctx: &Ctx<'_>, request: &ReadRequest, room: Option<u64>) -> Result<(Reading, Option<Duration>)> {
    let limit = limited("limit", request.limit, READ_LIMIT, MAX_READ_LIMIT)?;
    if request.peek && request.lease.is_some() {
        return Err(
            Error::new(Kind::Usage, "a peek consumes nothing, so it cannot lease").hint("use either peek or lease")
        );
    }
    let batch = if request.peek {
        ctx.step(|step| ctx.store.peek(step, limit))?
    } else {
        let hold = request.lease.map_or(Ok(ctx.lease), lease_time)?;
        let pick = room.map_or(Pick::Head(limit), |room| Pick::Fitting(limit, room));
        lease(ctx, pick, hold)?
    };
    let due = batch.next_due.map(|due| due.since(batch.store_now));
    let take = !request.peek && request.lease.is_none();
    Ok((reading(batch, take), due))
}

/// Takes one message out of the queue, wherever it stands; empty when it is not ready.
pub(super) fn take_one(ctx: &Ctx<'_>, id: MessageId) -> Result<Reading> {
    Ok(reading(lease(ctx, Pick::One(id), ctx.lease)?, true))
}

fn lease(ctx: &Ctx<'_>, pick: Pick, hold: Duration) -> Result<Batch> {
    let random = ctx.machine.random().to_be_bytes();
    let mut nonce = [0u8; 8];
    nonce.copy_from_slice(&random[..8]);
    ctx.step(|step| ctx.store.lease(step, pick, hold, u64::from_be_bytes(nonce)))
}

/// Splits a batch into what the reader sees and what is owed: mail that will be taken needs no receipt.
fn reading(batch: Batch, take: bool) -> Reading {
    let Batch { mut messages, remaining, unreadable, next_due: _, store_now: _ } = batch;
    let mut to_ack = Vec::new();
    if take {
        for message in &mut messages {
            to_ack.extend(message.receipt.take());
            message.lease_until = None;
        }
    }
    Reading { response: ReadResponse { messages, remaining, unreadable }, to_ack }
}

/// Acknowledges what a plain read handed over. A receipt that ran out meanwhile is no error: its mail comes again.
pub fn ack_read(ctx: &Ctx<'_>, receipts: &[Receipt]) -> Result<()> {
    if !receipts.is_empty() {
        ctx.step(|step| ctx.store.settle(step, receipts, Settle::Ack))?;
    }
    Ok(())
}

/// What to do with deliveries.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum SettleAction {
    /// Done with it.
    #[default]
    Ack,
    /// Hold it longer.
    Extend,
    /// Give it back.
    Release,
}

/// Receipts to settle.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SettleRequest {
    /// The receipts, 1 to 100.
    pub receipts: Vec<Receipt>,
    /// What to do; ack when nothing is said.
    #[serde(default)]
    pub action: SettleAction,
    /// For extend: hold it for so many seconds from now; the usual lease when nothing is said.
    #[serde(default)]
    pub seconds: Option<i64>,
}

/// Acks, extends or releases deliveries. Receipts that were refused are listed as stale, in the answer.
pub fn settle(ctx: &Ctx<'_>, request: &SettleRequest) -> Result<Settled> {
    let count = request.receipts.len();
    if !(1..=MAX_RECEIPTS).contains(&count) {
        return Err(
            Error::new(Kind::Usage, format!("{count} receipts were given")).hint("give 1 to 100 receipts at once")
        );
    }
    let seconds = request.seconds.map(lease_time).transpose()?;
    let what = match request.action {
        SettleAction::Extend => Settle::Extend(seconds.unwrap_or(ctx.lease)),
        SettleAction::Ack | SettleAction::Release if seconds.is_some() => {
            return Err(Error::new(Kind::Usage, "seconds go with extend only").hint("leave the seconds out"));
        }
        SettleAction::Ack => Settle::Ack,
        SettleAction::Release => Settle::Release,
    };
    ctx.step(|step| ctx.store.settle(step, &request.receipts, what))
}
