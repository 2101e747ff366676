//! Dead letters: looking at them, trying them again, letting them go.

use serde::{Deserialize, Serialize};

use super::{Count, Ctx, limited};
use crate::error::Result;
use crate::model::MessageId;
use crate::store::DeadLetter;

/// Dead letters shown at once at most, and when nothing is said.
const DEAD_LIMIT: u32 = 100;

/// How many dead letters to show.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DeadRequest {
    /// How many at most, 1 to 100; 100 when nothing is said.
    #[serde(default)]
    pub limit: Option<i64>,
}

/// Dead letters.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DeadResponse {
    /// The letters, newest first.
    pub items: Vec<DeadLetter>,
}

/// Which dead letters to retry or purge.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DeadPickRequest {
    /// Their ids; all when empty.
    #[serde(default)]
    pub ids: Vec<MessageId>,
}

impl DeadPickRequest {
    fn pick(&self) -> Option<&[MessageId]> {
        (!self.ids.is_empty()).then_some(self.ids.as_slice())
    }
}

/// Shows the dead letters of one's own mailbox, with the reason of each.
pub fn dead_list(ctx: &Ctx<'_>, request: &DeadRequest) -> Result<DeadResponse> {
    let limit = limited("limit", request.limit, DEAD_LIMIT, DEAD_LIMIT)?;
    Ok(DeadResponse { items: ctx.step(|step| ctx.store.dead(step, limit))? })
}

/// Puts dead letters back into the queue, with no deliveries counted.
pub fn dead_retry(ctx: &Ctx<'_>, request: &DeadPickRequest) -> Result<Count> {
    Ok(Count { count: ctx.step(|step| ctx.store.dead_retry(step, request.pick()))? })
}

/// Deletes dead letters for good.
pub fn dead_purge(ctx: &Ctx<'_>, request: &DeadPickRequest) -> Result<Count> {
    Ok(Count { count: ctx.step(|step| ctx.store.dead_purge(step, request.pick()))? })
}
