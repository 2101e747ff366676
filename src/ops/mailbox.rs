//! A mailbox as it is: listing it, deleting from it, clearing it.

use serde::{Deserialize, Serialize};

use super::{Count, Ctx, limited};
use crate::error::{Error, Kind, Result};
use crate::model::MessageId;
use crate::store::{From, Record, Unreadable};

/// Messages listed at once at most, and when nothing is said.
const LIST_LIMIT: u32 = 200;

/// Which part of the mailbox to list.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ListRequest {
    /// How many at most, 1 to 200; 200 when nothing is said.
    #[serde(default)]
    pub limit: Option<i64>,
    /// Skip so many from the head.
    #[serde(default)]
    pub offset: Option<u64>,
    /// Only those behind this message; not together with `offset`.
    #[serde(default)]
    pub after: Option<MessageId>,
}

/// A page of a mailbox.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ListResponse {
    /// Waiting and leased mail in queue order.
    pub items: Vec<Record>,
    /// How many there are in all.
    pub total: u64,
    /// How many were asked for.
    pub limit: u32,
    /// How many were skipped.
    pub offset: u64,
    /// Entries on this page that cannot be read.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unreadable: Vec<Unreadable>,
}

/// Lists a mailbox; nothing is consumed.
pub fn list(ctx: &Ctx<'_>, request: &ListRequest) -> Result<ListResponse> {
    let limit = limited("limit", request.limit, LIST_LIMIT, LIST_LIMIT)?;
    let from = match (request.offset, request.after) {
        (Some(_), Some(_)) => {
            return Err(Error::new(Kind::Usage, "offset and after exclude each other").hint("use one of them"));
        }
        (offset, None) => From::Offset(offset.unwrap_or(0)),
        (None, Some(after)) => From::After(after),
    };
    let listing = ctx.step(|step| ctx.store.list(step, limit, from))?;
    let offset = request.offset.unwrap_or(0);
    Ok(ListResponse { items: listing.items, total: listing.total, limit, offset, unreadable: listing.unreadable })
}

/// Deletes one waiting or leased message. `NotFound` when it is not in the mailbox.
pub fn delete(ctx: &Ctx<'_>, id: MessageId) -> Result<()> {
    if ctx.step(|step| ctx.store.delete(step, id))? {
        return Ok(());
    }
    Err(Error::new(Kind::NotFound, format!("there is no message {id} in the mailbox of {}", ctx.actor.name)))
}

/// Deletes all waiting and leased mail.
pub fn clear(ctx: &Ctx<'_>) -> Result<Count> {
    Ok(Count { count: ctx.step(|step| ctx.store.clear(step))? })
}
