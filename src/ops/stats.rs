//! Counts, and how the store does.

use serde::{Deserialize, Serialize};

use super::Ctx;
use crate::error::Result;
use crate::store::{Health, Stats};

/// Counts of the whole workspace.
pub fn stats(ctx: &Ctx<'_>) -> Result<Stats> {
    ctx.step(|step| ctx.store.stats(step))
}

/// How busy the last day was.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ActivityResponse {
    /// Messages sent in each of the last 24 hours, back from now; the oldest hour comes first.
    pub hours: Vec<u64>,
}

/// Says how many messages were sent in each of the last 24 hours, as far as history still has them.
pub fn activity(ctx: &Ctx<'_>) -> Result<ActivityResponse> {
    Ok(ActivityResponse { hours: ctx.step(|step| ctx.store.activity(step))? })
}

/// How the store does.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct HealthResponse {
    /// True: the store answered.
    pub reachable: bool,
    /// How long it took, in milliseconds.
    pub latency_ms: f64,
    /// postino's version.
    pub version: String,
    /// What the store says of itself.
    #[serde(flatten)]
    pub store: Health,
}

/// Asks the store how it does. `Unreachable` when it does not answer.
pub fn health(ctx: &Ctx<'_>) -> Result<HealthResponse> {
    let start = ctx.machine.instant();
    let store = ctx.store.health(ctx.machine.now())?;
    let latency_ms = (ctx.machine.instant() - start).as_secs_f64() * 1000.0;
    Ok(HealthResponse { reachable: true, latency_ms, version: env!("CARGO_PKG_VERSION").to_owned(), store })
}
