//! The embedded store: one SQLite file, for one machine, with nothing to install. Every verb is one
//! transaction that is on disk before the answer; presence lies in files beside it, and a `wake` file
//! tells waiters. What the verbs do is in the modules below; here is who does what with which connection.

mod agents;
mod bell;
mod broadcasts;
mod claims;
mod counts;
mod dead;
mod desk;
mod due;
mod entry;
mod events;
mod fail;
#[cfg(any(test, fuzzing))]
pub(super) mod fuzz;
mod group;
mod hist;
mod keys;
mod line;
mod look;
mod memory;
mod moving;
mod mutant;
mod names;
mod network;
mod parcels;
mod place;
mod presence;
mod reading;
mod rename;
mod schema;
mod send;
mod step;
mod sum;
mod waiter;

#[cfg(test)]
mod tests;

use std::path::Path;
use std::time::Duration;

use self::desk::{Desk, Entrance};
use self::line::Line;
use self::memory::Memory;
use self::names::{Me, Use};
use self::place::Place;
use self::presence::Presence;
use super::{
    AgentPage, BroadcastQuery, Census, Claim, Cleaned, DeadLetter, Durability, EventPage, Feed, From, Health,
    HistoryQuery, Holder, Listing, MoveToken, NewBroadcast, NewMail, News, Parcel, ParcelPage, Phase, Pick, Record,
    Renamed, Scope, Sent, Settle, Settled, Stats, Step, Store, Waiter,
};
use crate::error::{Error, Kind, Result};
use crate::model::{AgentName, Cursor, Generation, MessageId, Millis, Receipt};

/// A store in one file.
pub struct Embedded {
    line: Line,
    presence: Presence,
    memory: Memory,
}

impl Embedded {
    /// The store whose database is `file`, in a directory of its own, which is made when it is not there. The
    /// file itself is made by the first verb. `Denied` when something there is not the user's own, is a
    /// link or a pipe, or lies on a network file system.
    pub fn open(file: &Path) -> Result<Embedded> {
        let place = Place::new(file)?;
        let (presence, memory) = (Presence::new(place.presence()), Memory::new(&place));
        Ok(Embedded { line: Line::new(place), presence, memory })
    }
}

impl Store for Embedded {
    fn send(&self, step: &Step<'_>, mail: &NewMail) -> Result<Sent> {
        self.act(step, Use::Look, "send the message", |desk, me| send::send(desk, &self.presence, step, me, mail))
    }

    fn lease(&self, step: &Step<'_>, pick: Pick, hold: Duration, nonce: u64) -> Result<super::Batch> {
        self.act(step, Use::Take, "read mail", |desk, me| reading::lease(desk, step, me, pick, hold, nonce))
    }

    fn peek(&self, step: &Step<'_>, limit: u32) -> Result<super::Batch> {
        self.look(step, "look at mail", |desk, me| reading::peek(desk, step, me, limit))
    }

    fn settle(&self, step: &Step<'_>, receipts: &[Receipt], what: Settle) -> Result<Settled> {
        self.act(step, Use::Take, "settle receipts", |desk, me| reading::settle(desk, step, me, receipts, what))
    }

    fn dead(&self, step: &Step<'_>, limit: u32) -> Result<Vec<DeadLetter>> {
        self.look(step, "list dead letters", |desk, me| dead::list(desk, step, me, limit))
    }

    fn dead_retry(&self, step: &Step<'_>, ids: Option<&[MessageId]>) -> Result<u64> {
        self.act(step, Use::Take, "retry dead letters", |desk, me| dead::retry(desk, step, me, ids))
    }

    fn dead_purge(&self, step: &Step<'_>, ids: Option<&[MessageId]>) -> Result<u64> {
        self.act(step, Use::Take, "purge dead letters", |desk, me| dead::purge(desk, step, me, ids))
    }

    fn check(&self, step: &Step<'_>) -> Result<News> {
        let trace = self.line.place().trace();
        if let Some(news) = trace.as_ref().and_then(|trace| self.memory.recall(trace, step)) {
            if let Some(sighting) = &step.by.sighting {
                self.sight(step.now, &step.by.name, sighting);
            }
            return Ok(news);
        }
        let found = self.look(step, "check for news", |desk, me| look::check(desk, step, me))?;
        if let Some((trace, hold)) = trace.zip(found.hold) {
            self.memory.keep(trace, step, &found.news, hold);
        }
        if let Some(mailbox) = found.crowded {
            self.tidy(step.now, step.policy, Some(mailbox));
        }
        Ok(found.news)
    }

    fn broadcast(&self, step: &Step<'_>, broadcast: &NewBroadcast) -> Result<(MessageId, bool)> {
        self.act(step, Use::Look, "broadcast", |desk, me| broadcasts::broadcast(desk, step, me, broadcast))
    }

    fn broadcasts(&self, step: &Step<'_>, query: &BroadcastQuery) -> Result<Feed> {
        let doing = "show broadcasts";
        if query.advance {
            self.act(step, Use::Take, doing, |desk, me| broadcasts::feed(desk, me, query))
        } else {
            self.look(step, doing, |desk, me| broadcasts::feed(desk, me, query))
        }
    }

    fn agents(&self, step: &Step<'_>, limit: u32, after: Option<&AgentName>) -> Result<AgentPage> {
        self.look(step, "list agents", |desk, _| agents::page(desk, &self.presence, step, limit, after))
    }

    fn rename(&self, step: &Step<'_>, to: &AgentName, gone: Option<Generation>) -> Result<Renamed> {
        let doing = format!("rename {} to {to}", step.by.name);
        self.act(step, Use::Take, &doing, |desk, me| rename::rename(desk, &self.presence, step, me, to, gone))
    }

    fn delete(&self, step: &Step<'_>, id: MessageId) -> Result<bool> {
        self.act(step, Use::Take, "delete the message", |desk, me| dead::delete(desk, step, me, id))
    }

    fn clear(&self, step: &Step<'_>) -> Result<u64> {
        self.act(step, Use::Take, "clear the mailbox", |desk, me| dead::clear(desk, step, me))
    }

    fn clear_broadcasts(&self, step: &Step<'_>) -> Result<u64> {
        self.act(step, Use::Look, "clear broadcasts", |desk, _| broadcasts::clear(desk))
    }

    fn cleanup(&self, step: &Step<'_>, gone: &[Generation], only: Option<&AgentName>) -> Result<Cleaned> {
        self.act(step, Use::Look, "clean up", |desk, _| agents::clean_up(desk, &self.presence, step, gone, only))
    }

    fn list(&self, step: &Step<'_>, limit: u32, from: From) -> Result<Listing> {
        self.look(step, "list the mailbox", |desk, me| look::list(desk, step, me, limit, from))
    }

    fn history(&self, step: &Step<'_>, query: &HistoryQuery) -> Result<Vec<Record>> {
        self.look(step, "show history", |desk, _| look::history(desk, step, query))
    }

    fn find(&self, step: &Step<'_>, id: MessageId) -> Result<Option<Record>> {
        self.look(step, "find the message", |desk, _| look::find(desk, step, id))
    }

    fn events(&self, step: &Step<'_>, after: Option<&Cursor>, limit: u32) -> Result<EventPage> {
        let doing = "read events";
        let read = |desk: &Desk<'_>, _: &Me| Ok((events::page(desk, after, limit)?, events::is_due(desk)?));
        let (page, due) = self.look(step, doing, read)?;
        if !due {
            return Ok(page);
        }
        self.tidy(step.now, step.policy, None);
        self.look(step, doing, |desk, _| events::page(desk, after, limit))
    }

    fn waiter(&self, _scope: &Scope) -> Result<Box<dyn Waiter>> {
        // One file wakes all: looking costs a waiter less than finding out whether it is meant.
        Ok(Box::new(waiter::Waiter::new(&self.line)?))
    }

    fn activity(&self, step: &Step<'_>) -> Result<Vec<u64>> {
        self.look(step, "count", |desk, _| look::activity(desk))
    }

    fn stats(&self, step: &Step<'_>) -> Result<Stats> {
        self.look(step, "count", |desk, _| agents::stats(desk, &self.presence, step))
    }

    fn health(&self, now: Millis) -> Result<Health> {
        self.line.read("ask how the store does", now, Entrance::Read, |_| {
            let server = format!("sqlite {}", rusqlite::version());
            Ok(Health { server, durability: Durability::Fsync, eviction: None, clock_skew_ms: 0 })
        })
    }

    fn claim(&self, step: &Step<'_>, name: &AgentName, by: &Holder, gone: Option<Generation>) -> Result<Claim> {
        let doing = format!("claim the name {name}");
        self.act(step, Use::Look, &doing, |desk, me| {
            let claim = claims::claim(desk, &self.presence, name, by, gone)?;
            if me.name == *name {
                let granted = matches!(claim, Claim::Granted(_));
                me.seen_as = if granted { names::look_up(desk, name)?.map(|row| row.primary) } else { None };
            }
            Ok(claim)
        })
    }

    fn holder(&self, step: &Step<'_>, name: &AgentName) -> Result<Option<Holder>> {
        self.look(step, "ask who holds a name", |desk, _| claims::holder(desk, &self.presence, name))
    }

    fn holders(&self, step: &Step<'_>) -> Result<Vec<Holder>> {
        self.look(step, "list claims", |desk, _| claims::holders(desk, &self.presence))
    }

    fn release(&self, step: &Step<'_>, claim: Generation) -> Result<()> {
        // Nobody is judged: who ends a claim that has ended is told nothing, and who leaves is not seen.
        self.line.write("end the session", step.now, Entrance::Write, |desk| {
            due::sweep(desk, step.policy)?;
            claims::release(desk, &self.presence, claim)
        })
    }

    fn phase(&self, now: Millis) -> Result<Phase> {
        self.line.read("ask for a move", now, Entrance::Mover, |desk| Ok(moving::phase(desk)))
    }

    fn move_mark(&self, now: Millis, token: &MoveToken, hold: Duration) -> Result<()> {
        self.migrate(now, "mark the store as moving", |desk| moving::mark(desk, token, hold))
    }

    fn move_unmark(&self, token: &MoveToken) -> Result<()> {
        self.migrate(Millis(0), "take the mark off", |desk| moving::unmark(desk, token))
    }

    fn export(&self, page: Option<&str>) -> Result<ParcelPage> {
        self.line.read("read the store out", Millis(0), Entrance::Mover, |desk| match &desk.phase.0 {
            Phase::Moving(_) => parcels::page(desk, &self.presence, page),
            Phase::Open | Phase::Filling(_) | Phase::Moved(..) => fail::refuse(
                Error::new(Kind::Conflict, "the store is not marked as moving").hint("use `postino store move`"),
            ),
        })
    }

    fn move_done(&self, now: Millis, token: &MoveToken, url: &str) -> Result<()> {
        self.migrate(now, "end the move", |desk| moving::done(desk, token, url))
    }

    fn fill_start(&self, token: &MoveToken) -> Result<()> {
        self.migrate(Millis(0), "empty the store", |desk| moving::fill_start(desk, &self.presence, token))
    }

    fn fill(&self, token: &MoveToken, parcels: &[Parcel]) -> Result<()> {
        self.migrate(Millis(0), "fill the store", |desk| {
            moving::filling(desk, token)?;
            parcels.iter().try_for_each(|parcel| parcels::unpack(desk, &self.presence, parcel))
        })
    }

    fn fill_done(&self, token: &MoveToken) -> Result<()> {
        self.migrate(Millis(0), "open the store", |desk| moving::fill_done(desk, token))
    }

    fn census(&self) -> Result<Census> {
        self.line.read("count everything", Millis(0), Entrance::Mover, |desk| moving::census(desk, &self.presence))
    }
}
