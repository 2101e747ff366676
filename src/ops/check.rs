//! What is new, and who am I.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Ctx;
use crate::error::Result;
use crate::model::AgentName;
use crate::store::{AgentInfo, Newest, News};

/// Agents that `whoami` names at most.
const WHOAMI_AGENTS: u32 = 20;

/// What is new for an agent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CheckResponse {
    /// Whose news it is.
    pub agent: AgentName,
    /// Live messages that wait.
    pub unread_messages: u64,
    /// Live announcements not seen yet.
    pub unseen_broadcasts: u64,
    /// How many of the messages are urgent.
    pub urgent: u64,
    /// The newest of the messages.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub newest_message: Option<Newest>,
    /// The newest of the announcements.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub newest_broadcast: Option<Newest>,
    /// How often mail has become ready in this mailbox; it grows also when old mail is delivered again.
    pub arrivals: u64,
}

impl CheckResponse {
    /// Whether there is anything new at all.
    pub fn is_news(&self) -> bool {
        self.unread_messages > 0 || self.unseen_broadcasts > 0
    }
}

/// Says what is new; consumes nothing.
pub fn check(ctx: &Ctx<'_>) -> Result<CheckResponse> {
    let news = ctx.step(|step| ctx.store.check(step))?;
    let News { unread, urgent, unseen, newest_message, newest_broadcast, arrivals } = news;
    Ok(CheckResponse {
        agent: ctx.actor.name.clone(),
        unread_messages: unread,
        unseen_broadcasts: unseen,
        urgent,
        newest_message,
        newest_broadcast,
        arrivals,
    })
}

/// Who one is, what is new, and who else is there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct WhoamiResponse {
    /// What is new, with one's name.
    #[serde(flatten)]
    pub news: CheckResponse,
    /// Up to 20 agents.
    pub agents: Vec<AgentInfo>,
    /// How many agents there are in all.
    pub agents_total: u64,
    /// How many of them are online.
    pub agents_online: u64,
}

/// Says who one is, what is new and who else is there; two trips.
pub fn whoami(ctx: &Ctx<'_>) -> Result<WhoamiResponse> {
    let news = check(ctx)?;
    let page = ctx.step(|step| ctx.store.agents(step, WHOAMI_AGENTS, None))?;
    Ok(WhoamiResponse { news, agents: page.items, agents_total: page.total, agents_online: page.online })
}
