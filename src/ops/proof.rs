//! The proof that mail arrives: a throw-away agent writes to itself, hears of it, reads it, acknowledges it, and is gone.

use std::time::Duration;

use super::{Ctx, ReadRequest, SendRequest, SettleAction, SettleRequest, check, read, send, settle};
use crate::error::{Error, Kind, Result};
use crate::model::{AgentName, Body};
use crate::store::{Actor, Policy, Standing};

/// How long the proof's message lives: its history goes soon, too.
const TTL: Duration = Duration::from_secs(60);
/// How long it is leased, in seconds.
const LEASE: i64 = 30;

/// Sends a message from a throw-away name to itself and follows it to its end. `Other` when it does not come as it was
/// sent, else the failure of the step that failed. What the proof made is removed either way.
pub fn prove(ctx: &Ctx<'_>) -> Result<()> {
    let random = ctx.machine.random();
    let name: AgentName = format!("doctor-{:08x}", random >> 96).parse()?;
    let actor = Actor { name: name.clone(), standing: Standing::Named, sighting: None };
    let policy = Policy { ttl: TTL, ..ctx.policy };
    let doctor = Ctx { store: ctx.store, actor, via: ctx.via, policy, lease: ctx.lease, machine: ctx.machine };
    let proven = exchange(&doctor, &name);
    let cleared = doctor.step(|step| doctor.store.clear(step));
    let removed = doctor.step(|step| doctor.store.cleanup(step, &[], Some(&name)));
    proven?;
    cleared?;
    removed.map(drop)
}

fn exchange(doctor: &Ctx<'_>, name: &AgentName) -> Result<()> {
    let body = Body::try_from("a proof by `postino doctor`".to_owned())?;
    let request = SendRequest { to: name.clone(), body: body.clone(), reply_to: None, key: None, urgent: false };
    let sent = send(doctor, &request)?;
    let news = check(doctor)?;
    if news.newest_message.is_none_or(|newest| newest.id != sent.id) {
        return Err(lost("was not announced"));
    }
    let request = ReadRequest { limit: Some(1), lease: Some(LEASE), peek: false };
    let reading = read(doctor, &request)?;
    let message = reading.response.messages.first().filter(|message| message.id == sent.id && message.body == body);
    let receipt = message.and_then(|message| message.receipt).ok_or_else(|| lost("did not come as it was sent"))?;
    let settled = settle(doctor, &SettleRequest { receipts: vec![receipt], action: SettleAction::Ack, seconds: None })?;
    if settled.done != [receipt] || check(doctor)?.unread_messages > 0 {
        return Err(lost("could not be acknowledged"));
    }
    Ok(())
}

fn lost(what: &str) -> Error {
    Error::new(Kind::Other, format!("a message from a throw-away name to itself {what}"))
        .hint("this should not happen: please report it, with the output of `postino doctor --json`")
}
