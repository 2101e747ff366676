//! The connections to the database file: opened when first needed, kept, reopened when the file was replaced. One reads, one
//! writes, so that a reader need not wait for a disk; who writes at the same time shares a transaction. It knows no table but
//! makes them in an empty file.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rusqlite::config::DbConfig;
use rusqlite::{Connection, DropBehavior, OpenFlags, Transaction, TransactionBehavior};

use super::bell::Bell;
use super::desk::{Desk, Entrance};
use super::fail::{Fail, Res, explain, is_busy};
use super::group::Group;
use super::place::{FileId, Place};
use super::{mutant, schema};
use crate::error::{Error, Kind, Result};
use crate::model::Millis;

/// How long a step waits for another process's.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long it waits between two looks at a lock.
const PAUSE: Duration = Duration::from_millis(1);
/// A commit is on disk before it counts.
const DURABLY: &str = if mutant::FORGETS { "PRAGMA synchronous = OFF" } else { "PRAGMA synchronous = FULL" };
/// How many prepared statements a connection keeps.
const STATEMENTS: usize = 96;

/// A kept connection and the file it is to.
pub(super) struct Kept {
    /// The connection.
    pub(super) sql: Connection,
    file: FileId,
    /// Whether it served more than one step, so that the log is in memory and may be longer.
    lasting: bool,
    /// Whether a power cut may lose what it commits.
    lightly: bool,
}

/// What a connection is for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Purpose {
    Read,
    Write,
}

/// The connections of one store.
pub(super) struct Line {
    place: Place,
    reader: Mutex<Option<Kept>>,
    writer: Mutex<Seat>,
    /// How many have asked for the writer's seat and are not in it yet.
    pub(super) coming: AtomicUsize,
}

/// Where one writes at a time.
enum Seat {
    /// No transaction is open; the connection, when one is kept.
    Free(Option<Kept>),
    /// Somebody left a transaction open, for somebody else was coming.
    Open(Group),
}

impl Line {
    /// Connections to the store at `place`, none opened yet.
    pub(super) fn new(place: Place) -> Line {
        let (reader, writer, coming) = (Mutex::new(None), Mutex::new(Seat::Free(None)), AtomicUsize::new(0));
        Line { place, reader, writer, coming }
    }

    /// Where the store lies.
    pub(super) fn place(&self) -> &Place {
        &self.place
    }

    /// Runs `work` in one transaction that sees one moment and writes nothing.
    pub(super) fn read<T>(
        &self,
        doing: &str,
        now: Millis,
        entrance: Entrance,
        work: impl FnOnce(&Desk<'_>) -> Res<T>,
    ) -> Result<T> {
        let mut slot = self.reader.lock().unwrap_or_else(PoisonError::into_inner);
        let look = |kept: &Kept| {
            let sql = self.begin(kept, Purpose::Read)?;
            let desk = Desk::open(&sql, now, entrance)?;
            let done = work(&desk)?;
            drop(desk);
            sql.commit()?;
            Ok(done)
        };
        let done = self.ready(slot.take(), Purpose::Read).and_then(|kept| {
            let done = look(&kept);
            if !matches!(done, Err(Fail::Sql(_) | Fail::Commit(_))) {
                *slot = Some(kept);
            }
            done
        });
        done.map_err(|fail| explain(self.place.file(), doing, fail))
    }

    /// Runs `work` in a transaction that is on disk when this returns; nothing of it is when it fails.
    pub(super) fn write<T>(
        &self,
        doing: &str,
        now: Millis,
        entrance: Entrance,
        work: impl FnOnce(&Desk<'_>) -> Res<T>,
    ) -> Result<T> {
        self.take_part(false, now, entrance, work).map_err(|fail| explain(self.place.file(), doing, fail))
    }

    /// Like `write`, but a power cut may lose it: for what is worth no wait for the disk.
    pub(super) fn write_lightly<T>(
        &self,
        doing: &str,
        now: Millis,
        work: impl FnOnce(&Desk<'_>) -> Res<T>,
    ) -> Result<T> {
        self.take_part(true, now, Entrance::Write, work).map_err(|fail| explain(self.place.file(), doing, fail))
    }

    /// Does a step in the transaction that is open, or in one of its own. Who sees somebody coming leaves it open and waits for
    /// how it ends; who sees nobody ends it, for all.
    fn take_part<T>(
        &self,
        lightly: bool,
        now: Millis,
        entrance: Entrance,
        work: impl FnOnce(&Desk<'_>) -> Res<T>,
    ) -> Res<T> {
        let mut seat = self.sit_down();
        let mut group = match std::mem::replace(&mut *seat, Seat::Free(None)) {
            Seat::Open(group) => group,
            Seat::Free(kept) => self.begin_group(kept, lightly)?,
        };
        let done = group.step(now, entrance, work);
        let outcome = group.outcome();
        if let Err(fail) = &done
            && group.is_over()
        {
            outcome.tell(Err(fail.again()));
            *seat = Seat::Free(Some(group.kept).filter(|_| !group.suspect));
            return done;
        }
        // Whoever is coming cannot turn back: it waits for the seat and for nothing else.
        if self.coming.load(Ordering::SeqCst) > 0 && !lightly && group.has_room() {
            *seat = Seat::Open(group);
            drop(seat);
        } else {
            *seat = Seat::Free(self.end_group(group));
        }
        outcome.wait().and(done)
    }

    fn sit_down(&self) -> MutexGuard<'_, Seat> {
        self.coming.fetch_add(1, Ordering::SeqCst);
        let seat = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        self.coming.fetch_sub(1, Ordering::SeqCst);
        seat
    }

    fn begin_group(&self, kept: Option<Kept>, lightly: bool) -> Res<Group> {
        let mut kept = self.ready(kept, Purpose::Write)?;
        if kept.lightly != lightly {
            kept.sql.execute_batch(if lightly { "PRAGMA synchronous = NORMAL" } else { DURABLY })?;
            kept.lightly = lightly;
        }
        let bell = Bell::take(&self.place, PATIENCE)?;
        let mut begun = self.begin(&kept, Purpose::Write)?;
        begun.set_drop_behavior(DropBehavior::Ignore);
        drop(begun);
        Ok(Group::new(kept, bell))
    }

    /// Commits, and tells all who took part; the connection, when it is worth keeping.
    fn end_group(&self, group: Group) -> Option<Kept> {
        let outcome = group.outcome();
        let Group { mut kept, bell, change, rings, suspect, .. } = group;
        let shown = change.map_or(Ok(()), |change| bell.ring(&self.place, change).map_err(Fail::Refused));
        if let Err(fail) = shown.and_then(|()| kept.sql.execute_batch("COMMIT").map_err(Fail::Commit)) {
            // With the connection goes whatever it has begun.
            drop(kept);
            outcome.tell(Err(fail));
            return None;
        }
        outcome.tell(Ok(()));
        if rings {
            self.place.ring();
        }
        if self.place.log_size() > if kept.lasting { schema::LASTING_LOG } else { schema::LOG } {
            shorten_log(&mut kept.sql);
        }
        Some(kept).filter(|_| !suspect)
    }

    /// Begins a transaction on a file with tables; makes them where there are none. Nobody asks for the write lock of
    /// an empty file, for whoever makes the tables would be refused at once instead of waiting.
    fn begin<'a>(&self, kept: &'a Kept, purpose: Purpose) -> Res<Transaction<'a>> {
        let immediately = || Ok(Transaction::new_unchecked(&kept.sql, TransactionBehavior::Immediate)?);
        if purpose == Purpose::Write && kept.lasting {
            return immediately();
        }
        let look = Transaction::new_unchecked(&kept.sql, TransactionBehavior::Deferred)?;
        if version(&look)? == 0 {
            look.rollback()?;
            found(&self.place)?;
            return self.begin(kept, purpose);
        }
        match purpose {
            Purpose::Read => Ok(look),
            Purpose::Write => look.rollback().map_err(Fail::Sql).and_then(|()| immediately()),
        }
    }

    /// The kept connection when it is still to the store's file, else a new one.
    fn ready(&self, kept: Option<Kept>, purpose: Purpose) -> Res<Kept> {
        match kept.filter(|kept| self.is_current(kept)) {
            Some(kept) => Ok(Kept { lasting: true, ..kept }),
            None => self.connect(purpose),
        }
    }

    /// Whether the file of a kept connection is still the store's.
    fn is_current(&self, kept: &Kept) -> bool {
        self.place.database().is_ok_and(|file| file == Some(kept.file))
    }

    fn connect(&self, purpose: Purpose) -> Res<Kept> {
        let file = match self.place.database()? {
            Some(file) => file,
            None => {
                self.place.prepare()?;
                self.place.create()?;
                self.place.database()?.ok_or_else(|| {
                    Error::new(Kind::Unreachable, format!("{} vanished while it was made", self.place.file().display()))
                })?
            }
        };
        self.place.companions()?;
        if purpose == Purpose::Write {
            self.place.anchor_log()?;
        }
        let sql = open(&self.place, purpose)?;
        if purpose == Purpose::Write {
            sql.execute_batch(DURABLY)?;
            sql.execute_batch("PRAGMA wal_autocheckpoint = 0")?;
        }
        Ok(Kept { sql, file, lasting: false, lightly: false })
    }
}

/// Copies the log into the database and empties it. SQLite's own way leaves the file as long as it was, and a
/// lone process that opens it takes all of that for new, so the log would grow with every short process.
/// Whoever reads just now prevents it; then the next one does it, so a failure is none.
fn shorten_log(sql: &mut Connection) {
    let _ = sql.busy_handler(None::<fn(i32) -> bool>);
    let _ = sql.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
    let _ = be_patient(sql);
}

/// Lets a connection wait for a lock. SQLite's own pauses grow to a tenth of a second, so that among busy writers
/// some would wait for ever.
fn be_patient(sql: &mut Connection) -> rusqlite::Result<()> {
    let mut begun = Instant::now();
    sql.busy_handler(Some(move |asked| {
        if asked == 0 {
            begun = Instant::now();
        }
        std::thread::sleep(PAUSE);
        begun.elapsed() < PATIENCE
    }))
}

impl Drop for Line {
    fn drop(&mut self) {
        let seat = self.writer.get_mut().unwrap_or_else(PoisonError::into_inner);
        if let Seat::Free(Some(kept)) = seat
            && kept.lasting
            && self.place.log_size() > schema::LOG
        {
            shorten_log(&mut kept.sql);
        }
    }
}

/// A connection of its own, for looking.
pub(super) fn look(line: &Line, doing: &str) -> Result<Connection> {
    line.connect(Purpose::Read).map(|kept| kept.sql).map_err(|fail| explain(line.place.file(), doing, fail))
}

fn open(place: &Place, purpose: Purpose) -> Res<Connection> {
    let access = match purpose {
        Purpose::Read => OpenFlags::SQLITE_OPEN_READ_ONLY,
        Purpose::Write => OpenFlags::SQLITE_OPEN_READ_WRITE,
    };
    let mut sql = Connection::open_with_flags(place.file(), access | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    be_patient(&mut sql)?;
    // The last one to leave must not spend three syncs on tidying up.
    sql.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    // A plan must not hang on the values it is run with: else most statements are compiled anew each time they get some.
    sql.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    sql.set_prepared_statement_cache_capacity(STATEMENTS);
    Ok(sql)
}

/// Whether the file has no tables yet. A file that has some, but no version, is not ours.
fn is_empty(sql: &Connection) -> Res<bool> {
    if version(sql)? != 0 {
        return Ok(false);
    }
    // Both in one look, for somebody may be making the tables.
    let look = "SELECT count(*), (SELECT user_version FROM pragma_user_version) FROM sqlite_schema";
    match sql.query_row(look, [], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?)))? {
        (0, 0) => Ok(true),
        (_, 0) => Err(Fail::Foreign),
        _ => Ok(false),
    }
}

/// The version in the file's head; 0 when no postino wrote it.
pub(super) fn version(sql: &Connection) -> Res<i64> {
    Ok(sql.prepare_cached("PRAGMA user_version")?.query_row([], |row| row.get(0))?)
}

/// Has SQLite write a log. SQLite does not wait for whoever holds the empty file meanwhile: whoever opens it after the death of
/// one who was making the tables does so for a moment, to clear away what that one left.
fn keep_log(sql: &Connection) -> rusqlite::Result<()> {
    let begun = Instant::now();
    loop {
        match sql.query_row("PRAGMA journal_mode = WAL", [], |_| Ok(())) {
            Err(error) if is_busy(&error) && begun.elapsed() < PATIENCE => std::thread::sleep(PAUSE),
            done => return done,
        }
    }
}

/// Makes the tables, one process at a time; nothing when they are there.
fn found(place: &Place) -> Res<()> {
    let _lock = place.lock()?;
    let mut sql = open(place, Purpose::Write)?;
    if !is_empty(&sql)? {
        return Ok(());
    }
    keep_log(&sql)?;
    let sql = sql.transaction_with_behavior(TransactionBehavior::Immediate)?;
    // The log is there now, and nobody puts anything in it before there are tables.
    place.sync()?;
    sql.execute_batch(schema::TABLES)?;
    let birth = place.birth()?;
    let (_, _, seconds, nanoseconds) = birth;
    // Claims are counted from the time, so that none has the number of one in a store that was lost here.
    let claims = seconds * 1_000 + nanoseconds / 1_000_000;
    sql.execute("INSERT INTO meta (one, epoch, last_generation) VALUES (1, ?1, ?2)", (epoch_of(&birth), claims))?;
    sql.execute_batch(&format!("PRAGMA user_version = {}", schema::VERSION))?;
    sql.commit()?;
    Ok(())
}

/// Eight hex digits that differ from those of any other making of a store.
pub(super) fn epoch_of(making: &impl Hash) -> String {
    let mut hasher = DefaultHasher::new();
    making.hash(&mut hasher);
    format!("{:016x}", hasher.finish())[..8].to_owned()
}
