//! How a verb runs: who asks is judged, what is due is moved, the work is done, the actor is seen. It
//! knows no verb.

use super::Embedded;
use super::desk::{About, Desk, Entrance};
use super::due;
use super::fail::Res;
use super::names::{self, Me, Use};
use crate::error::Result;
use crate::model::{AgentName, EventType, Millis};
use crate::store::{Policy, Sighting, Step};

impl Embedded {
    /// Runs a verb that looks: the actor is judged, and seen when it was not refused.
    pub(super) fn look<T>(
        &self,
        step: &Step<'_>,
        doing: &str,
        work: impl FnOnce(&Desk<'_>, &Me) -> Res<T>,
    ) -> Result<T> {
        let (done, seen_as) = self.line.read(doing, step.now, Entrance::Read, |desk| {
            let me = names::judge(desk, &self.presence, step, Use::Look)?;
            Ok((work(desk, &me)?, me.seen_as))
        })?;
        if let (Some(name), Some(sighting)) = (seen_as, &step.by.sighting) {
            self.sight(step.now, &name, sighting);
        }
        Ok(done)
    }

    /// Runs a verb that writes: the actor is judged, what is due is moved, the actor is seen.
    pub(super) fn act<T>(
        &self,
        step: &Step<'_>,
        usage: Use,
        doing: &str,
        work: impl FnOnce(&Desk<'_>, &mut Me) -> Res<T>,
    ) -> Result<T> {
        self.line.write(doing, step.now, Entrance::Write, |desk| {
            let mut me = names::judge(desk, &self.presence, step, usage)?;
            due::sweep(desk, step.policy)?;
            let done = work(desk, &mut me)?;
            if let (Some(name), Some(sighting)) = (&me.seen_as, &step.by.sighting)
                && !self.presence.touch(name, sighting, step.now)
            {
                self.announce_first(desk, name)?;
                self.presence.record(name, sighting, step.now);
            }
            Ok(done)
        })
    }

    /// Records a sign of life after a verb that looked. Only the first after silence is worth a
    /// transaction, and even that is no reason to fail.
    pub(super) fn sight(&self, now: Millis, name: &AgentName, sighting: &Sighting) {
        if self.presence.touch(name, sighting, now) {
            return;
        }
        if self.presence.seen(name).is_none_or(|seen| !seen.is_fresh(now)) {
            let _ = self.line.write_lightly("announce an agent", now, |desk| self.announce_first(desk, name));
        }
        self.presence.record(name, sighting, now);
    }

    /// Announces an agent that was not online. From now on there is a mailbox for it, which knows what it misses.
    fn announce_first(&self, desk: &Desk<'_>, name: &AgentName) -> Res<()> {
        if self.presence.seen(name).is_some_and(|seen| seen.is_fresh(desk.now)) {
            return Ok(());
        }
        if names::look_up(desk, name)?.is_none() {
            names::make(desk, name)?;
        }
        desk.announce(EventType::Online, About { agent: Some(name.as_str()), ..About::default() })
    }

    /// Moves what is due, for a verb that looked and found that nobody does; a refusal harms nothing.
    pub(super) fn tidy(&self, now: Millis, policy: &Policy, mailbox: Option<i64>) {
        let _ = self.line.write("move what is due", now, Entrance::Write, |desk| {
            if let Some(mailbox) = mailbox {
                due::settle(desk, policy, mailbox)?;
            }
            due::sweep(desk, policy)
        });
    }

    /// Runs a verb of a move.
    pub(super) fn migrate<T>(&self, now: Millis, doing: &str, work: impl FnOnce(&Desk<'_>) -> Res<T>) -> Result<T> {
        self.line.write(doing, now, Entrance::Mover, work)
    }
}
