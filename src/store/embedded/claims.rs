//! Claims: which session holds a name, and how it ends. It knows no mail.

use rusqlite::params;

use super::desk::{About, Desk};
use super::fail::Res;
use super::names::{self, Named};
use super::presence::Presence;
use crate::model::{AgentName, EventType, Generation};
use crate::store::{Claim, Holder};

/// Claims a name for a session.
pub(super) fn claim(
    desk: &Desk<'_>,
    presence: &Presence,
    name: &AgentName,
    by: &Holder,
    gone: Option<Generation>,
) -> Res<Claim> {
    let row = names::look_up(desk, name)?;
    if let Some(holder) = row.as_ref().and_then(|row| row.live(presence, desk.now, gone)) {
        let same = (&holder.host_id, holder.pid, holder.started) == (&by.host_id, by.pid, by.started);
        return if same { Ok(Claim::Granted(holder.generation)) } else { refuse_rival(desk, name, holder, &row) };
    }
    let mailbox = match &row {
        Some(Named { alias: false, mailbox, holder, .. }) => {
            if let Some(holder) = holder {
                end_aliases(desk, holder.generation)?;
            }
            *mailbox
        }
        // What only forwarded has no mail of its own.
        Some(Named { alias: true, .. }) | None => names::make(desk, name)?,
    };
    let generation = desk.count(|numbers| {
        numbers.last_generation += 1;
        Generation(numbers.last_generation.cast_unsigned())
    });
    names::put(desk, name, mailbox, false, Some(&Holder { generation, ..by.clone() }), desk.now)?;
    Ok(Claim::Granted(generation))
}

/// The answer to a rival. A claim that came from another store lives from now on for as long as any.
fn refuse_rival(desk: &Desk<'_>, name: &AgentName, holder: &Holder, row: &Option<Named>) -> Res<Claim> {
    if let Some(row) = row.as_ref().filter(|row| row.since == names::UNKNOWN) {
        names::put(desk, name, row.mailbox, row.alias, Some(holder), desk.now)?;
    }
    Ok(Claim::Held(holder.clone()))
}

/// The live session that holds a name.
pub(super) fn holder(desk: &Desk<'_>, presence: &Presence, name: &AgentName) -> Res<Option<Holder>> {
    let row = names::look_up(desk, name)?;
    Ok(row.and_then(|row| row.live(presence, desk.now, None).cloned()))
}

/// Every live claim.
pub(super) fn holders(desk: &Desk<'_>, presence: &Presence) -> Res<Vec<Holder>> {
    let rows = names::all(desk)?;
    let primaries = rows.iter().filter(|row| !row.alias);
    Ok(primaries.filter_map(|row| row.live(presence, desk.now, None).cloned()).collect())
}

/// Ends a claim; nothing when it had ended.
pub(super) fn release(desk: &Desk<'_>, presence: &Presence, claim: Generation) -> Res<()> {
    let rows = names::all(desk)?;
    let held = |row: &&Named| !row.alias && row.holder.as_ref().is_some_and(|holder| holder.generation == claim);
    let Some(row) = rows.iter().find(held) else { return Ok(()) };
    end_aliases(desk, claim)?;
    names::put(desk, &row.name, row.mailbox, false, None, desk.now)?;
    presence.end(&row.name);
    desk.announce(EventType::Offline, About { agent: Some(row.name.as_str()), ..About::default() })
}

/// Ends the forwarding names of a claim.
pub(super) fn end_aliases(desk: &Desk<'_>, claim: Generation) -> Res<()> {
    let mut delete = desk.sql.prepare_cached("DELETE FROM names WHERE generation = ?1 AND alias = 1")?;
    delete.execute(params![claim.0.cast_signed()])?;
    Ok(())
}
