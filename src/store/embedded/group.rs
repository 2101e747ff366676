//! Group commit: whoever comes while another one writes takes part in its transaction, and one wait for the disk serves them all.
//! Each does its step in a savepoint, so that a step that fails takes back its own work and nobody else's. It knows what a
//! step is and neither a table nor how a connection is made.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use super::bell::Bell;
use super::desk::{Desk, Entrance};
use super::fail::{Fail, Res};
use super::line::Kept;
use crate::error::{Error, Kind};
use crate::model::Millis;

/// How many steps share a transaction at most: other processes wait for its end.
const MOST: usize = 32;

/// A transaction that has begun, and on which connection.
pub(super) struct Group {
    /// The connection.
    pub(super) kept: Kept,
    /// The bell: other processes wait for it.
    pub(super) bell: Bell,
    /// The number of its last change; `None` while there is none.
    pub(super) change: Option<i64>,
    /// Whether waiters are to be woken.
    pub(super) rings: bool,
    /// Whether the database failed in a step, so that the connection is not to be kept.
    pub(super) suspect: bool,
    steps: usize,
    /// Whether what failed could not be taken back.
    stuck: bool,
    outcome: Promise,
}

impl Group {
    /// A transaction that has just begun.
    pub(super) fn new(kept: Kept, bell: Bell) -> Group {
        let (change, rings, suspect, stuck, outcome) = (None, false, false, false, Promise::default());
        Group { kept, bell, change, rings, suspect, steps: 0, stuck, outcome }
    }

    /// Does a step. When it fails, nothing of it is left in the transaction; a lone step's transaction is over then.
    pub(super) fn step<T>(
        &mut self,
        now: Millis,
        entrance: Entrance,
        work: impl FnOnce(&Desk<'_>) -> Res<T>,
    ) -> Res<T> {
        let is_first = self.steps == 0;
        self.steps += 1;
        let sql = &self.kept.sql;
        let attempt = || {
            if !is_first {
                sql.prepare_cached("SAVEPOINT step")?.execute([])?;
            }
            let desk = Desk::open(sql, now, entrance)?;
            let done = work(&desk)?;
            let (change, rings) = desk.close()?;
            if !is_first {
                sql.prepare_cached("RELEASE step")?.execute([])?;
            }
            Ok((done, change, rings))
        };
        match attempt() {
            Ok((done, change, rings)) => {
                self.change = change.or(self.change);
                self.rings |= rings;
                Ok(done)
            }
            Err(fail) => {
                let back = if is_first { "ROLLBACK" } else { "ROLLBACK TO step; RELEASE step" };
                self.stuck = !sql.is_autocommit() && sql.execute_batch(back).is_err();
                self.suspect |= self.stuck || matches!(fail, Fail::Sql(_) | Fail::Commit(_));
                Err(fail)
            }
        }
    }

    /// Whether the transaction was taken back, or must be, with the steps of all.
    pub(super) fn is_over(&self) -> bool {
        self.stuck || self.kept.sql.is_autocommit()
    }

    /// Whether one more may take part.
    pub(super) fn has_room(&self) -> bool {
        self.steps < MOST
    }

    /// What those who took part wait for.
    pub(super) fn outcome(&self) -> Arc<Outcome> {
        Arc::clone(&self.outcome.0)
    }
}

/// How a transaction ended; nothing as long as it has not.
#[derive(Default)]
pub(super) struct Outcome {
    end: Mutex<Option<Res<()>>>,
    told: Condvar,
}

impl Outcome {
    /// Waits for the end: whether it is on disk.
    pub(super) fn wait(&self) -> Res<()> {
        let mut end = self.end();
        loop {
            match &*end {
                Some(Ok(())) => return Ok(()),
                Some(Err(fail)) => return Err(fail.again()),
                None => end = self.told.wait(end).unwrap_or_else(PoisonError::into_inner),
            }
        }
    }

    /// Tells all who wait, once.
    pub(super) fn tell(&self, how: Res<()>) {
        self.end().get_or_insert(how);
        self.told.notify_all();
    }

    fn end(&self) -> MutexGuard<'_, Option<Res<()>>> {
        self.end.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An outcome that is told in any case: when a step panics, its connection is given up, and the transaction with it.
#[derive(Default)]
struct Promise(Arc<Outcome>);

impl Drop for Promise {
    fn drop(&mut self) {
        let broken = Error::new(Kind::Other, "a step that shared the transaction broke off; nothing of it was stored");
        self.0.tell(Err(Fail::Refused(broken.hint("try again"))));
    }
}
