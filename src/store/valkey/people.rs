//! The verbs about names: who is there, renaming, claims, cleaning up, and the workspace's counts. It knows no rule that
//! a script keeps.

use super::Valkey;
use super::reply::{self, Row};
use super::script;
use super::verb::Verb;
use crate::error::Result;
use crate::model::{AgentName, Generation, Millis, State};
use crate::store::{AgentInfo, AgentPage, Claim, Cleaned, Holder, Renamed, Sighting, Stats, Step};

pub(super) fn agents(store: &Valkey, step: &Step<'_>, limit: u32, after: Option<&AgentName>) -> Result<AgentPage> {
    let mut row = Verb::step(store, &script::AGENTS, step).number(limit).maybe(after).row()?;
    let items = row.rows()?.into_iter().map(agent).collect::<Result<_>>()?;
    Ok(AgentPage { items, total: row.number()?, online: row.number()? })
}

pub(super) fn agent(mut row: Row) -> Result<AgentInfo> {
    let (name, online) = (row.parsed()?, row.flag()?);
    let sight = row.maybe_text()?;
    let message_count = row.number()?;
    let mut parts = sight.as_deref().unwrap_or_default().splitn(3, ' ');
    let last_seen = parts.next().and_then(|at| at.parse().ok()).map(Millis);
    let known: Option<State> = parts.next().and_then(reply::word);
    let sighting: Option<Sighting> = parts.next().and_then(|words| serde_json::from_str(words).ok());
    let (client, host, project) = match sighting {
        Some(sighting) => (Some(sighting.client), Some(sighting.host), Some(sighting.project)),
        None => (None, None, None),
    };
    let state = if online { known.unwrap_or(State::Idle) } else { State::Offline };
    Ok(AgentInfo { name, online, state, message_count, last_seen, client, host, project })
}

pub(super) fn stats(store: &Valkey, step: &Step<'_>) -> Result<Stats> {
    let mut row = Verb::step(store, &script::STATS, step).row()?;
    Ok(Stats {
        agents: row.number()?,
        online: row.number()?,
        waiting: row.number()?,
        leased: row.number()?,
        dead: row.number()?,
        broadcasts: row.number()?,
        sent: row.number()?,
        taken: row.number()?,
        expired: row.number()?,
        died: row.number()?,
        trimmed: row.number()?,
        dead_trimmed: row.number()?,
        deleted: row.number()?,
    })
}

pub(super) fn rename(store: &Valkey, step: &Step<'_>, to: &AgentName, gone: Option<Generation>) -> Result<Renamed> {
    let verb = Verb::step(store, &script::RENAME, step).arg(to.as_str()).maybe(gone.map(|gone| gone.0));
    Ok(Renamed { merged: verb.doubt("the name may or may not have changed; `postino whoami` shows it").count()? })
}

pub(super) fn cleanup(
    store: &Valkey,
    step: &Step<'_>,
    gone: &[Generation],
    only: Option<&AgentName>,
) -> Result<Cleaned> {
    let verb = Verb::step(store, &script::CLEANUP, step).maybe(only);
    let verb = gone.iter().fold(verb, |verb, gone| verb.number(gone.0));
    let mut row = verb.doubt("names may or may not have been removed").row()?;
    let mut removed = Vec::new();
    while !row.is_empty() {
        removed.push(row.parsed()?);
    }
    Ok(Cleaned { removed })
}

pub(super) fn claim(
    store: &Valkey,
    step: &Step<'_>,
    name: &AgentName,
    by: &Holder,
    gone: Option<Generation>,
) -> Result<Claim> {
    let mut row = Verb::step(store, &script::CLAIM, step)
        .arg("claim")
        .arg(name.as_str())
        .arg(stored(by))
        .maybe(gone.map(|gone| gone.0))
        .row()?;
    let (granted, generation) = (row.flag()?, Generation(row.number()?));
    if granted { Ok(Claim::Granted(generation)) } else { Ok(Claim::Held(holder_of(generation, &row.text()?)?)) }
}

/// A holder as it is stored: two claims of one process have the same text.
pub(super) fn stored(holder: &Holder) -> String {
    let plain = Holder { generation: Generation(0), ..holder.clone() };
    serde_json::to_string(&plain).unwrap_or_default()
}

pub(super) fn holder_of(generation: Generation, text: &str) -> Result<Holder> {
    let holder: Holder =
        serde_json::from_str(text).map_err(|error| reply::strange("a holder is not legal").because(error))?;
    Ok(Holder { generation, ..holder })
}

pub(super) fn holder(store: &Valkey, step: &Step<'_>, name: &AgentName) -> Result<Option<Holder>> {
    let row = Verb::step(store, &script::CLAIM, step).arg("holder").arg(name.as_str()).row()?;
    Ok(live(row)?.into_iter().next())
}

pub(super) fn holders(store: &Valkey, step: &Step<'_>) -> Result<Vec<Holder>> {
    live(Verb::step(store, &script::CLAIM, step).arg("holders").row()?)
}

pub(super) fn live(row: Row) -> Result<Vec<Holder>> {
    let rows = row.values().map(Row::of);
    rows.map(|row| {
        let mut row = row?;
        holder_of(Generation(row.number()?), &row.text()?)
    })
    .collect()
}

pub(super) fn release(store: &Valkey, step: &Step<'_>, claim: Generation) -> Result<()> {
    Verb::step(store, &script::CLAIM, step).arg("release").number(claim.0).row().map(drop)
}
