//! Sending one message, and waiting until it was taken.

use std::time::{Duration, Instant};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Ctx, fingerprint};
use crate::error::{Error, Kind, Result};
use crate::model::{AgentName, Body, Key, MessageId, Recipient, Standing};
use crate::store::{NewMail, Once, Record, Scope, Sent};

/// A message to send.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SendRequest {
    /// Who shall get it.
    pub to: AgentName,
    /// What it says.
    pub body: Body,
    /// The message it answers.
    #[serde(default)]
    pub reply_to: Option<MessageId>,
    /// Makes repeating the request harmless.
    #[serde(default)]
    pub key: Option<Key>,
    /// Whether the hint says that it is urgent.
    #[serde(default)]
    pub urgent: bool,
}

/// What became of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SendResponse {
    /// The message's id; the first one's when the key was known.
    pub id: MessageId,
    /// False when the key was known and nothing new was stored.
    pub created: bool,
    /// What is known of the recipient.
    pub recipient: Recipient,
    /// How many messages now wait there.
    pub waiting: u64,
    /// When nobody has used the recipient's name: names in use, to look for the one that was meant.
    #[serde(skip)]
    pub known: Vec<AgentName>,
}

/// Sends one message. `Full` when the mailbox is full, `Conflict` when the key was used for something else.
pub fn send(ctx: &Ctx<'_>, request: &SendRequest) -> Result<SendResponse> {
    let once = request.key.as_ref().map(|key| {
        let reply_to = request.reply_to.map(|id| id.to_string()).unwrap_or_default();
        let urgent = if request.urgent { "urgent" } else { "" };
        let parts = [request.to.as_str(), request.body.as_str(), &reply_to, urgent];
        Once { key: key.clone(), fingerprint: fingerprint(&parts) }
    });
    let mail = NewMail {
        to: request.to.clone(),
        body: request.body.clone(),
        reply_to: request.reply_to,
        once,
        urgent: request.urgent,
        via: ctx.via,
        random: ctx.machine.random(),
    };
    let sent = ctx.step(|step| ctx.store.send(step, &mail))?;
    let Sent { id, created, recipient, waiting, known } = sent;
    Ok(SendResponse { id, created, recipient, waiting, known })
}

/// Waits until a message was acknowledged. `TimedOut` when `until` passes first, after `wait` in all, `NotFound` when it
/// expired or was deleted, `Conflict` when it became a dead letter.
pub fn wait_taken(ctx: &Ctx<'_>, id: MessageId, wait: Duration, until: Instant) -> Result<Record> {
    let mut waiter = ctx.store.waiter(&Scope::Events)?;
    loop {
        let record = ctx.step(|step| ctx.store.find(step, id))?;
        let record = record.ok_or_else(|| {
            Error::new(Kind::NotFound, format!("message {id} expired or was deleted before it was taken"))
        })?;
        match record.standing {
            Standing::Taken => return Ok(record),
            Standing::Dead => {
                return Err(Error::new(Kind::Conflict, format!("message {id} became a dead letter"))
                    .hint("the recipient can look with `postino dead list`"));
            }
            Standing::Waiting | Standing::Leased => {}
        }
        if ctx.machine.instant() >= until {
            let secs = wait.as_secs();
            return Err(Error::new(Kind::TimedOut, format!("message {id} was sent but not taken within {secs} s"))
                .hint(format!("it still waits; `postino show {id}` tells what becomes of it")));
        }
        waiter.wait(until.min(ctx.machine.instant() + super::LOOK))?;
    }
}
