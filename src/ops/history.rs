//! What was sent, and what became of it.

use serde::{Deserialize, Serialize};

use super::{Ctx, limited};
use crate::error::{Error, Kind, Result};
use crate::model::{AgentName, MessageId};
use crate::store::{HistoryQuery, Record};

/// Messages shown at once when nothing is said.
const HISTORY_LIMIT: u32 = 50;
/// Messages shown at once at most.
const MAX_HISTORY_LIMIT: u32 = 200;

/// Which part of the past to show.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct HistoryRequest {
    /// Sent by or to this agent; everybody's when nothing is said.
    #[serde(default)]
    pub agent: Option<AgentName>,
    /// Between `agent` and this one.
    #[serde(default)]
    pub with: Option<AgentName>,
    /// Of this reply chain.
    #[serde(default)]
    pub thread: Option<MessageId>,
    /// Older than this message.
    #[serde(default)]
    pub before: Option<MessageId>,
    /// How many at most, 1 to 200; 50 when nothing is said.
    #[serde(default)]
    pub limit: Option<i64>,
}

/// A page of the past.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct HistoryResponse {
    /// The messages, newest first, with when and by whom they were taken.
    pub items: Vec<Record>,
}

/// Shows what was sent, newest first, until its TTL.
pub fn history(ctx: &Ctx<'_>, request: &HistoryRequest) -> Result<HistoryResponse> {
    if request.with.is_some() && request.agent.is_none() {
        return Err(Error::new(Kind::Usage, "`with` needs an agent to be with").hint("name both agents"));
    }
    let query = HistoryQuery {
        agent: request.agent.clone(),
        with: request.with.clone(),
        thread: request.thread,
        before: request.before,
        limit: limited("limit", request.limit, HISTORY_LIMIT, MAX_HISTORY_LIMIT)?,
    };
    Ok(HistoryResponse { items: ctx.step(|step| ctx.store.history(step, &query))? })
}

/// Shows one message. `NotFound` when it expired, was deleted, or never was.
pub fn show(ctx: &Ctx<'_>, id: MessageId) -> Result<Record> {
    let found = ctx.step(|step| ctx.store.find(step, id))?;
    found.ok_or_else(|| {
        Error::new(Kind::NotFound, format!("there is no message {id}"))
            .hint("messages are kept for their TTL; `postino history` lists what is there")
    })
}
