//! Waiting for a change: the system tells when the wake file was touched, and once a second the
//! database is asked whether it changed, in case nobody told. It knows no mail.

use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::{Duration, Instant};

use notify::{RecommendedWatcher, RecursiveMode, Watcher};
use rusqlite::Connection;

use super::fail::{Fail, explain};
use super::line::Line;
use super::place::{FileId, Place};
use crate::error::{Error, Kind, Result};
use crate::store;

/// How often the database is asked.
const LOOK: Duration = Duration::from_secs(1);

/// Waits on one store.
pub(super) struct Waiter {
    place: Place,
    file: Option<FileId>,
    sql: Connection,
    version: i64,
    rung: Receiver<()>,
    /// Kept, for its drop ends the watch; `None` where the system cannot watch files.
    _watcher: Option<RecommendedWatcher>,
}

impl Waiter {
    /// A waiter for changes from now on.
    pub(super) fn new(line: &Line) -> Result<Waiter> {
        let place = line.place().clone();
        // At most one ring waits: more would say the same.
        let (ring, rung) = sync_channel(1);
        let watcher = watch(&place, ring);
        let sql = super::line::look(line, DOING)?;
        let mut waiter = Waiter { file: place.database()?, place, sql, version: 0, rung, _watcher: watcher };
        waiter.version = waiter.look()?;
        Ok(waiter)
    }

    /// A number that differs after a change by anybody else.
    fn look(&self) -> Result<i64> {
        let version =
            self.sql.prepare_cached("PRAGMA data_version").and_then(|mut look| look.query_row([], |r| r.get(0)));
        version.map_err(|error| explain(self.place.file(), DOING, Fail::Sql(error)))
    }

    fn check_place(&self) -> Result<()> {
        if self.place.database()? == self.file {
            return Ok(());
        }
        let gone = format!("cannot {DOING}: {} was removed or replaced", self.place.file().display());
        Err(Error::new(Kind::Unreachable, gone).hint("try again"))
    }
}

const DOING: &str = "wait for a change";

impl store::Waiter for Waiter {
    fn wait(&mut self, until: Instant) -> Result<()> {
        loop {
            let left = until.saturating_duration_since(Instant::now());
            let rung = match self.rung.recv_timeout(left.min(LOOK)) {
                Ok(()) => true,
                Err(RecvTimeoutError::Timeout) => false,
                // Nobody watches: what is left is the look each second.
                Err(RecvTimeoutError::Disconnected) => {
                    std::thread::sleep(left.min(LOOK));
                    false
                }
            };
            self.check_place()?;
            let version = self.look()?;
            let changed = version != self.version;
            self.version = version;
            if rung || changed || Instant::now() >= until {
                return Ok(());
            }
        }
    }
}

/// Rings when the wake file was written; `None` where that cannot be watched.
fn watch(place: &Place, ring: SyncSender<()>) -> Option<RecommendedWatcher> {
    place.open_wake().ok()?;
    // The watcher wants a thread, and panics where it can have none.
    std::thread::Builder::new().spawn(|| ()).ok()?.join().ok()?;
    let told = move |event: notify::Result<notify::Event>| {
        // Opening and closing the file are told too, but only a write is a ring.
        if !event.is_ok_and(|event| event.kind.is_access()) {
            let _ = ring.try_send(());
        }
    };
    let mut watcher = notify::recommended_watcher(told).ok()?;
    watcher.watch(&place.wake(), RecursiveMode::NonRecursive).ok()?;
    Some(watcher)
}
