//! Names: which mailbox one points to, who holds it, and whether an actor may use it. It knows no mail.

use rusqlite::{OptionalExtension, Row, params};

use super::desk::Desk;
use super::entry;
use super::fail::{Fail, Res, refuse};
use super::presence::Presence;
use crate::error::{Error, Kind};
use crate::model::{AgentName, Generation, Millis};
use crate::store::{CLAIM, Holder, Standing, Step};

/// When a claim was made that came from another store: it counts from the first rival on.
pub(super) const UNKNOWN: Millis = Millis(i64::MAX);

/// What a verb does with the actor's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Use {
    /// Looks, or acts for others.
    Look,
    /// Takes mail or changes the name: not for a guessed name that a live session holds.
    Take,
}

/// A row of `names`.
#[derive(Clone, Debug)]
pub(super) struct Named {
    /// The name.
    pub(super) name: AgentName,
    /// The mailbox it points to.
    pub(super) mailbox: i64,
    /// Whether it only forwards.
    pub(super) alias: bool,
    /// The claim on it.
    pub(super) holder: Option<Holder>,
    /// When that was made.
    pub(super) since: Millis,
    /// The name of the mailbox that does not only forward.
    pub(super) primary: AgentName,
}

impl Named {
    /// The live session that holds it; a claim that is `gone` is not live.
    pub(super) fn live(&self, presence: &Presence, now: Millis, gone: Option<Generation>) -> Option<&Holder> {
        let holder = self.holder.as_ref().filter(|holder| Some(holder.generation) != gone)?;
        let alive = |at: Millis| now.since(at) < CLAIM;
        (alive(self.since) || presence.last_seen(&self.primary).is_some_and(alive)).then_some(holder)
    }
}

/// An actor that has been judged.
#[derive(Clone, Debug)]
pub(super) struct Me {
    /// The name acted under.
    pub(super) name: AgentName,
    /// What is known of it.
    pub(super) row: Option<Named>,
    /// The name that a sign of life counts for; `None` while another session holds it.
    pub(super) seen_as: Option<AgentName>,
}

impl Me {
    /// The mailbox, when there is one.
    pub(super) fn mailbox(&self) -> Option<i64> {
        self.row.as_ref().map(|row| row.mailbox)
    }

    /// The claim on the name, live or not.
    pub(super) fn claim(&self) -> Option<Generation> {
        Some(self.row.as_ref()?.holder.as_ref()?.generation)
    }

    /// The mailbox, made when there is none.
    pub(super) fn make_mailbox(&self, desk: &Desk<'_>) -> Res<i64> {
        match self.mailbox() {
            Some(mailbox) => Ok(mailbox),
            None => make(desk, &self.name),
        }
    }
}

/// What is known of a name.
pub(super) fn look_up(desk: &Desk<'_>, name: &AgentName) -> Res<Option<Named>> {
    let mut query = desk.sql.prepare_cached(
        "SELECT n.name, n.mailbox, n.alias, n.generation, n.host_id, n.pid, n.started, n.since, b.name
         FROM names n JOIN mailboxes b ON b.id = n.mailbox WHERE n.name = ?1",
    )?;
    Ok(query.query_row([name.as_str()], read).optional()?)
}

/// Every name, in byte order.
pub(super) fn all(desk: &Desk<'_>) -> Res<Vec<Named>> {
    let mut query = desk.sql.prepare_cached(
        "SELECT n.name, n.mailbox, n.alias, n.generation, n.host_id, n.pid, n.started, n.since, b.name
         FROM names n JOIN mailboxes b ON b.id = n.mailbox ORDER BY n.name",
    )?;
    Ok(query.query_map([], read)?.collect::<rusqlite::Result<_>>()?)
}

fn read(row: &Row<'_>) -> rusqlite::Result<Named> {
    let name = |column| {
        let broken = || rusqlite::Error::InvalidColumnType(column, "name".to_owned(), rusqlite::types::Type::Text);
        entry::name(row.get_ref(column)?).ok_or_else(broken)
    };
    let holder = match row.get::<_, Option<i64>>(3)? {
        None => None,
        Some(generation) => Some(Holder {
            generation: Generation(generation.cast_unsigned()),
            host_id: row.get::<_, Option<String>>(4)?.unwrap_or_default(),
            pid: row.get::<_, Option<u32>>(5)?.unwrap_or_default(),
            started: row.get::<_, Option<i64>>(6)?.unwrap_or_default().cast_unsigned(),
        }),
    };
    Ok(Named {
        name: name(0)?,
        mailbox: row.get(1)?,
        alias: row.get(2)?,
        holder,
        since: Millis(row.get::<_, Option<i64>>(7)?.unwrap_or_default()),
        primary: name(8)?,
    })
}

/// Judges an actor: `NameLost` for a session that holds its name no more, `NameHeld` for a guess that takes.
pub(super) fn judge(desk: &Desk<'_>, presence: &Presence, step: &Step<'_>, usage: Use) -> Res<Me> {
    let name = step.by.name.clone();
    let row = look_up(desk, &name)?;
    let held_by_other = match step.by.standing {
        Standing::Session(mine) => {
            if row.as_ref().and_then(|row| row.holder.as_ref()).is_none_or(|holder| holder.generation != mine) {
                return refuse(lost(&name));
            }
            false
        }
        Standing::Named => row.as_ref().is_some_and(|row| row.live(presence, desk.now, None).is_some()),
        Standing::Guessed { gone } => {
            let held = row.as_ref().is_some_and(|row| row.live(presence, desk.now, gone).is_some());
            if held && usage == Use::Take {
                return refuse(held_error(&name).hint("say who you are with --agent NAME"));
            }
            held
        }
    };
    let primary = row.as_ref().map_or(&name, |row| &row.primary).clone();
    Ok(Me { name, row, seen_as: (!held_by_other).then_some(primary) })
}

/// Makes a mailbox for a name, and the name when there is none.
pub(super) fn make(desk: &Desk<'_>, name: &AgentName) -> Res<i64> {
    let mailbox = desk.count(|numbers| {
        numbers.last_mailbox += 1;
        numbers.last_mailbox
    });
    desk.sql
        .prepare_cached("INSERT INTO mailboxes (id, name) VALUES (?1, ?2)")?
        .execute(params![mailbox, name.as_str()])?;
    put(desk, name, mailbox, false, None, Millis(0))?;
    Ok(mailbox)
}

/// Writes a row of `names`, whatever was there.
pub(super) fn put(
    desk: &Desk<'_>,
    name: &AgentName,
    mailbox: i64,
    alias: bool,
    holder: Option<&Holder>,
    since: Millis,
) -> Res<()> {
    let mut insert = desk.sql.prepare_cached(
        "INSERT OR REPLACE INTO names (name, mailbox, alias, generation, host_id, pid, started, since)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
    )?;
    insert.execute(params![
        name.as_str(),
        mailbox,
        alias,
        holder.map(|holder| holder.generation.0.cast_signed()),
        holder.map(|holder| &holder.host_id),
        holder.map(|holder| holder.pid),
        holder.map(|holder| holder.started.cast_signed()),
        holder.map(|_| since.0),
    ])?;
    Ok(())
}

fn lost(name: &AgentName) -> Error {
    Error::new(Kind::NameLost, format!("this session does not hold the name {name} any more"))
        .hint("another session took it, or it ended; the next prompt gets a free name")
}

/// The refusal of a name that a live session holds.
pub(super) fn held_error(name: &AgentName) -> Error {
    Error::new(Kind::NameHeld, format!("a live session holds the name {name}"))
}

/// The refusal of a name that a live session holds, as a failure.
pub(super) fn held(name: &AgentName) -> Fail {
    Fail::Refused(held_error(name).hint("choose another name, or end that session first"))
}
