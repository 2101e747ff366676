//! Who is there, taking a new name, and removing names that nobody uses.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Ctx, limited};
use crate::error::{Error, Kind, Result};
use crate::model::AgentName;
use crate::store::{AgentPage, Cleaned};

/// Agents shown at once at most, and when nothing is said.
const AGENTS_LIMIT: u32 = 1_000;

/// Which agents to show.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AgentsRequest {
    /// How many at most, 1 to 1,000; 1,000 when nothing is said.
    #[serde(default)]
    pub limit: Option<i64>,
    /// Only names behind this one, in byte order.
    #[serde(default)]
    pub after: Option<AgentName>,
}

impl AgentsRequest {
    /// How many are to be shown at most. `Usage` when the limit is out of range.
    pub fn count(&self) -> Result<u32> {
        limited("limit", self.limit, AGENTS_LIMIT, AGENTS_LIMIT)
    }
}

/// Shows agents by name.
pub fn agents(ctx: &Ctx<'_>, request: &AgentsRequest) -> Result<AgentPage> {
    let limit = request.count()?;
    ctx.step(|step| ctx.store.agents(step, limit, request.after.as_ref()))
}

/// The name to take.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RenameRequest {
    /// The new name.
    pub name: AgentName,
}

/// What became of the rename.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RenameResponse {
    /// The name before; it forwards.
    pub from: AgentName,
    /// The name now.
    pub name: AgentName,
    /// Messages that already waited under the new name; they come first.
    pub merged: u64,
}

/// Takes a new name for one's mailbox. `NameHeld` while another live session holds it.
pub fn rename(ctx: &Ctx<'_>, request: &RenameRequest) -> Result<RenameResponse> {
    let to = &request.name;
    if *to == ctx.actor.name {
        return Err(Error::new(Kind::Conflict, format!("the name is {to} already")));
    }
    let first = ctx.step(|step| ctx.store.rename(step, to, None));
    let renamed = match first {
        Err(error) if error.kind == Kind::NameHeld => {
            // The holder of the new name may have been killed on this host a moment ago.
            let holder = ctx.store.holder(&ctx.at(&ctx.actor), to)?;
            match holder.filter(|holder| ctx.machine.is_gone(holder)) {
                Some(holder) => ctx.step(|step| ctx.store.rename(step, to, Some(holder.generation)))?,
                None => return Err(error),
            }
        }
        other => other?,
    };
    Ok(RenameResponse { from: ctx.actor.name.clone(), name: to.clone(), merged: renamed.merged })
}

/// Removes names that are offline and have nothing waiting. Claims of processes that are gone from this host do not count.
pub fn cleanup(ctx: &Ctx<'_>) -> Result<Cleaned> {
    let holders = ctx.step(|step| ctx.store.holders(step))?;
    let gone: Vec<_> =
        holders.iter().filter(|holder| ctx.machine.is_gone(holder)).map(|holder| holder.generation).collect();
    for claim in &gone {
        ctx.step(|step| ctx.store.release(step, *claim))?;
    }
    ctx.step(|step| ctx.store.cleanup(step, &gone, None))
}

/// Whether a live session holds the name acted under. One whose process is gone from this host does not count.
pub fn is_held(ctx: &Ctx<'_>) -> Result<bool> {
    let holder = ctx.step(|step| ctx.store.holder(step, &ctx.actor.name))?;
    Ok(holder.is_some_and(|holder| !ctx.machine.is_gone(&holder)))
}
