//! Saying something to everybody, and hearing it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Count, Ctx, fingerprint, limited};
use crate::error::Result;
use crate::model::{Body, BroadcastKind, Key, MessageId};
use crate::store::{BroadcastQuery, Feed, NewBroadcast, Once};

/// Broadcasts shown at once when nothing is said.
const FEED_LIMIT: u32 = 50;
/// Broadcasts shown at once at most.
const MAX_FEED_LIMIT: u32 = 100;

/// A broadcast to send.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct BroadcastRequest {
    /// What it says.
    pub body: Body,
    /// Makes repeating the request harmless.
    #[serde(default)]
    pub key: Option<Key>,
    /// Announcement, or notice.
    #[serde(default)]
    pub kind: BroadcastKind,
}

/// What became of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct BroadcastResponse {
    /// The broadcast's id; the first one's when the key was known.
    pub id: MessageId,
    /// False when the key was known and nothing new was stored.
    pub created: bool,
}

/// Says something to everybody. `Conflict` when the key was used for something else.
pub fn broadcast(ctx: &Ctx<'_>, request: &BroadcastRequest) -> Result<BroadcastResponse> {
    let once = request.key.as_ref().map(|key| {
        let kind = match request.kind {
            BroadcastKind::Announcement => "announcement",
            BroadcastKind::Notice => "notice",
        };
        Once { key: key.clone(), fingerprint: fingerprint(&[request.body.as_str(), kind]) }
    });
    let new = NewBroadcast {
        body: request.body.clone(),
        kind: request.kind,
        once,
        via: ctx.via,
        random: ctx.machine.random(),
    };
    let (id, created) = ctx.step(|step| ctx.store.broadcast(step, &new))?;
    Ok(BroadcastResponse { id, created })
}

/// Which broadcasts to show.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct BroadcastsRequest {
    /// Every one that is alive, seen ones, own ones and notices too.
    #[serde(default)]
    pub all: bool,
    /// How many at most, 1 to 100; 50 when nothing is said.
    #[serde(default)]
    pub limit: Option<i64>,
}

/// One page of broadcasts; `advance` moves the reader's cursor.
fn feed(ctx: &Ctx<'_>, request: &BroadcastsRequest, advance: bool, room: Option<u64>) -> Result<Feed> {
    let limit = limited("limit", request.limit, FEED_LIMIT, MAX_FEED_LIMIT)?;
    let query = BroadcastQuery { all: request.all, advance, limit, room };
    ctx.step(|step| ctx.store.broadcasts(step, &query))
}

/// Shows broadcasts without moving anybody's cursor.
pub fn peek_broadcasts(ctx: &Ctx<'_>, request: &BroadcastsRequest) -> Result<Feed> {
    feed(ctx, request, false, None)
}

/// Shows broadcasts, and moves the reader's cursor behind what it shows. The cursor moves in the step that reads, so
/// what a dying reader did not print is found with `all`.
pub fn broadcasts(ctx: &Ctx<'_>, request: &BroadcastsRequest) -> Result<Feed> {
    feed(ctx, request, true, None)
}

/// The same for an answer that must not grow too long: of the unseen ones as many as weigh at most `room` together (see
/// `store::weight`), the first in any case. The cursor moves behind these.
pub fn broadcasts_within(ctx: &Ctx<'_>, request: &BroadcastsRequest, room: u64) -> Result<Feed> {
    feed(ctx, request, true, Some(room))
}

/// Deletes all broadcasts.
pub fn clear_broadcasts(ctx: &Ctx<'_>) -> Result<Count> {
    Ok(Count { count: ctx.step(|step| ctx.store.clear_broadcasts(step))? })
}
