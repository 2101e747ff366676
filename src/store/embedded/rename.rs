//! How an agent takes a new name: its mailbox keeps all, the new name points to it, the old one forwards.

use rusqlite::params;

use super::desk::{About, Desk};
use super::fail::{Res, refuse};
use super::names::{self, Me, Named};
use super::presence::Presence;
use super::{claims, counts, due};
use crate::error::{Error, Kind};
use crate::model::{AgentName, EventType, Generation};
use crate::store::{Renamed, Standing, Step};

/// Points `to` at the actor's mailbox.
pub(super) fn rename(
    desk: &Desk<'_>,
    presence: &Presence,
    step: &Step<'_>,
    me: &mut Me,
    to: &AgentName,
    gone: Option<Generation>,
) -> Res<Renamed> {
    let old = me.row.as_ref().map_or(&me.name, |row| &row.primary).clone();
    if *to == old {
        return refuse(Error::new(Kind::Conflict, format!("the name is {to} already")).hint("nothing is to be done"));
    }
    let target = names::look_up(desk, to)?;
    if let Some(target) = &target
        && let Some(holder) = target.live(presence, desk.now, gone)
        && step.by.standing != Standing::Session(holder.generation)
    {
        return Err(names::held(to));
    }
    let mailbox = me.make_mailbox(desk)?;
    let merged = match &target {
        Some(target) => take_over(desk, step, target, mailbox)?,
        None => 0,
    };
    repoint(desk, &old, to, mailbox)?;
    presence.rename(&old, to);
    if me.seen_as.is_some() {
        me.seen_as = Some(to.clone());
    }
    let (agent, to) = (Some(old.as_str()), Some(to.as_str()));
    desk.announce(EventType::Renamed, About { agent, to, ..About::default() })?;
    Ok(Renamed { merged })
}

/// Takes what lies under a name; returns how many messages now come first. What a forwarding name
/// forwards to is not its own.
fn take_over(desk: &Desk<'_>, step: &Step<'_>, target: &Named, mailbox: i64) -> Res<u64> {
    if target.alias {
        return Ok(0);
    }
    if let Some(holder) = &target.holder {
        claims::end_aliases(desk, holder.generation)?;
    }
    let merged = merge(desk, step, target.mailbox, mailbox)?;
    desk.sql.prepare_cached("UPDATE names SET mailbox = ?2 WHERE mailbox = ?1")?.execute([target.mailbox, mailbox])?;
    Ok(merged)
}

/// Makes `to` the mailbox's name, with the claim on the old one; all its other names forward.
fn repoint(desk: &Desk<'_>, old: &AgentName, to: &AgentName, mailbox: i64) -> Res<()> {
    let row = names::look_up(desk, old)?;
    let (holder, since) = row.as_ref().map_or((None, desk.now), |row| (row.holder.as_ref(), row.since));
    names::put(desk, to, mailbox, false, holder, since)?;
    desk.sql
        .prepare_cached("UPDATE names SET alias = name <> ?2 WHERE mailbox = ?1")?
        .execute((mailbox, to.as_str()))?;
    desk.sql.prepare_cached("UPDATE mailboxes SET name = ?2 WHERE id = ?1")?.execute((mailbox, to.as_str()))?;
    Ok(())
}

/// Moves all entries of one mailbox before those of another, in their order; returns how many waited or are held.
fn merge(desk: &Desk<'_>, step: &Step<'_>, from: i64, to: i64) -> Res<u64> {
    while due::settle(desk, step.policy, from)? == due::RUN {}
    let live = counts::live(desk, step.policy, from)?;
    let span: (Option<i64>, Option<i64>) = desk
        .sql
        .prepare_cached("SELECT min(rank), max(rank) FROM mail WHERE mailbox = ?1 AND +state <= 2")?
        .query_row([from], |row| Ok((row.get(0)?, row.get(1)?)))?;
    if let (Some(lowest), Some(highest)) = span {
        let shift = highest - desk.numbers().first_mail + 1;
        desk.sql
            .prepare_cached("UPDATE mail SET rank = rank - ?2 WHERE mailbox = ?1 AND +state <= 2")?
            .execute(params![from, shift])?;
        desk.count(|numbers| numbers.first_mail = lowest - shift);
    }
    // What was acknowledged comes along too, so that a repeated ack is still known.
    desk.sql.prepare_cached("UPDATE mail SET mailbox = ?2 WHERE mailbox = ?1")?.execute([from, to])?;
    let mut counts = desk.sql.prepare_cached(
        "UPDATE mailboxes SET (ready, urgent, leased, dead, arrivals) =
           (SELECT m.ready + f.ready, m.urgent + f.urgent, m.leased + f.leased, m.dead + f.dead,
                   m.arrivals + f.arrivals FROM mailboxes m, mailboxes f WHERE m.id = ?2 AND f.id = ?1) WHERE id = ?2",
    )?;
    counts.execute([from, to])?;
    desk.sql.prepare_cached("UPDATE broadcasts SET mailbox = ?2 WHERE mailbox = ?1")?.execute([from, to])?;
    desk.sql.prepare_cached("DELETE FROM mailboxes WHERE id = ?1")?.execute([from])?;
    due::trim_dead(desk, to)?;
    Ok(counts::unsigned(live.waiting + live.leased))
}
