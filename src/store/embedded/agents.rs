//! Everybody: who there is, who can go, and the counts of the whole store.

use std::collections::BTreeMap;
use std::collections::HashMap;

use rusqlite::params;

use super::counts::{self, CORRECTIONS, Live, unsigned};
use super::desk::Desk;
use super::due;
use super::fail::Res;
use super::names;
use super::presence::Presence;
use crate::model::{AgentName, Generation, Millis, State};
use crate::store::{AgentInfo, AgentPage, Cleaned, PRESENCE, Policy, Stats, Step};

/// What is known of one agent.
#[derive(Clone, Copy, Default)]
struct Known {
    mailbox: Option<i64>,
    waiting: i64,
    last_seen: Option<Millis>,
}

/// Everybody but forwarding names: those with a mailbox, and those that were only seen.
fn everybody(desk: &Desk<'_>, presence: &Presence, policy: &Policy) -> Res<BTreeMap<AgentName, Known>> {
    let counts = counts(desk, policy)?;
    let mut seen = presence.all();
    let mut everybody = BTreeMap::new();
    for row in names::all(desk)? {
        let last_seen = seen.remove(&row.name);
        if !row.alias {
            let waiting = counts.get(&row.mailbox).map_or(0, |live| live.waiting);
            everybody.insert(row.name, Known { mailbox: Some(row.mailbox), waiting, last_seen });
        }
    }
    let only_seen = seen.into_iter().map(|(name, at)| (name, Known { last_seen: Some(at), ..Known::default() }));
    everybody.extend(only_seen);
    Ok(everybody)
}

/// The counts of every mailbox at this moment.
fn counts(desk: &Desk<'_>, policy: &Policy) -> Res<HashMap<i64, Live>> {
    let mut query = desk.sql.prepare_cached("SELECT ready, urgent, leased, dead, arrivals, id FROM mailboxes")?;
    let rows = query.query_map([], |row| Ok((row.get(5)?, counts::read_counts(row)?)))?;
    let mut counts = rows.collect::<rusqlite::Result<HashMap<i64, Live>>>()?;
    let mut query = desk
        .sql
        .prepare_cached(&format!("SELECT mailbox, {CORRECTIONS} FROM mail WHERE due_at <= ?1 GROUP BY mailbox"))?;
    let mut rows = query.query(params![desk.now.0, policy.max_deliveries])?;
    while let Some(row) = rows.next()? {
        let live = counts.entry(row.get(0)?).or_default();
        *live = live.plus(counts::read_corrections(row, 1)?);
    }
    Ok(counts)
}

/// Whether an agent is online; the file is read only when its time does not tell.
fn is_online(presence: &Presence, name: &AgentName, known: &Known, now: Millis) -> bool {
    let recent = known.last_seen.is_some_and(|at| now.since(at) <= PRESENCE);
    recent && presence.seen(name).is_some_and(|seen| seen.is_fresh(now))
}

/// A page of agents.
pub(super) fn page(
    desk: &Desk<'_>,
    presence: &Presence,
    step: &Step<'_>,
    limit: u32,
    after: Option<&AgentName>,
) -> Res<AgentPage> {
    let everybody = everybody(desk, presence, step.policy)?;
    let online = everybody.iter().filter(|(name, known)| is_online(presence, name, known, desk.now)).count();
    let behind = everybody.iter().filter(|(name, _)| after.is_none_or(|after| *name > after));
    let items = behind.take(usize::try_from(limit).unwrap_or(usize::MAX)).map(|(name, known)| {
        let seen = presence.seen(name);
        let state = seen.as_ref().map_or(State::Offline, |seen| seen.state(desk.now));
        let [client, host, project] = seen.as_ref().map(|seen| seen.place()).unwrap_or_default();
        AgentInfo {
            name: name.clone(),
            online: state != State::Offline,
            state,
            message_count: unsigned(known.waiting),
            last_seen: seen.map(|seen| seen.at),
            client,
            host,
            project,
        }
    });
    let items = items.collect();
    Ok(AgentPage { items, total: len(everybody.len()), online: len(online) })
}

/// Removes who is offline, held by nobody, and has nothing.
pub(super) fn clean_up(
    desk: &Desk<'_>,
    presence: &Presence,
    step: &Step<'_>,
    gone: &[Generation],
    only: Option<&AgentName>,
) -> Res<Cleaned> {
    let mut removed = Vec::new();
    for (name, known) in everybody(desk, presence, step.policy)? {
        if only.is_some_and(|only| *only != name)
            || is_online(presence, &name, &known, desk.now)
            || is_held(desk, presence, &name, gone)?
        {
            continue;
        }
        if let Some(mailbox) = known.mailbox {
            while due::settle(desk, step.policy, mailbox)? == due::RUN {}
            let live = counts::live(desk, step.policy, mailbox)?;
            let old = old_dead(desk, mailbox)?;
            if live.waiting + live.leased + live.dead - old > 0 {
                continue;
            }
            desk.sql.prepare_cached("DELETE FROM names WHERE mailbox = ?1")?.execute([mailbox])?;
            desk.sql.prepare_cached("DELETE FROM mailboxes WHERE id = ?1")?.execute([mailbox])?;
        }
        presence.remove(&name);
        removed.push(name);
    }
    Ok(Cleaned { removed })
}

fn is_held(desk: &Desk<'_>, presence: &Presence, name: &AgentName, gone: &[Generation]) -> Res<bool> {
    let row = names::look_up(desk, name)?;
    let holder = row.as_ref().and_then(|row| row.live(presence, desk.now, None));
    Ok(holder.is_some_and(|holder| !gone.contains(&holder.generation)))
}

/// How many dead letters of a mailbox are too old and not dropped yet.
fn old_dead(desk: &Desk<'_>, mailbox: i64) -> Res<i64> {
    let mut query = desk.sql.prepare_cached(
        "SELECT count(*) FROM mail WHERE mailbox = ?1 AND state = 2 AND +state <= 2 AND due_at <= ?2",
    )?;
    Ok(query.query_row(params![mailbox, desk.now.0], |row| row.get(0))?)
}

/// Counts of the whole store.
pub(super) fn stats(desk: &Desk<'_>, presence: &Presence, step: &Step<'_>) -> Res<Stats> {
    let everybody = everybody(desk, presence, step.policy)?;
    let online = everybody.iter().filter(|(name, known)| is_online(presence, name, known, desk.now)).count();
    let live = counts(desk, step.policy)?.into_values().fold(Live::default(), Live::plus);
    let mut broadcasts =
        desk.sql.prepare_cached("SELECT count(*) FROM broadcasts WHERE kind = 0 AND number > 0 AND expires > ?1")?;
    let numbers = desk.numbers();
    Ok(Stats {
        agents: len(everybody.len()),
        online: len(online),
        waiting: unsigned(live.waiting),
        leased: unsigned(live.leased),
        dead: unsigned(live.dead),
        broadcasts: unsigned(broadcasts.query_row([desk.now.0], |row| row.get(0))?),
        sent: unsigned(numbers.sent),
        taken: unsigned(numbers.taken),
        expired: unsigned(numbers.expired + live.expired),
        died: unsigned(numbers.died + live.died),
        trimmed: unsigned(numbers.trimmed),
        dead_trimmed: unsigned(numbers.dead_trimmed + live.old_dead),
        deleted: unsigned(numbers.deleted),
    })
}

fn len(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}
