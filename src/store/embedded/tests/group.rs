//! Steps that share a transaction: one commit for all, each taken back alone, and all told the same end. Steps meet here because
//! one does not end before the others wait for the seat.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::Ordering;
use std::thread;

use super::super::fail::{Fail, Res};
use super::*;

/// The head of SQLite's log, and of each page in it (sqlite.org/fileformat2.html, section 4.1); bytes.
const LOG_HEAD: usize = 32;
const PAGE_HEAD: usize = 24;

impl Home {
    /// How many commits are in the log.
    fn commits(&self) -> usize {
        let log = std::fs::read(self.dir().join("postino.db-wal")).unwrap();
        let page = usize::try_from(u32::from_be_bytes(log[8..12].try_into().unwrap())).unwrap();
        // The last page of each commit says how long the database is then; the others say nothing.
        log[LOG_HEAD..].chunks(PAGE_HEAD + page).filter(|frame| frame[4..8] != [0; 4]).count()
    }
}

fn write<T>(store: &Embedded, work: impl FnOnce(&Desk<'_>) -> Res<T>) -> Result<T> {
    store.line.write("test", NOW, Entrance::Write, work)
}

fn sent(store: &Embedded) -> i64 {
    store.line.read("test", NOW, Entrance::Read, |desk| Ok(desk.numbers().sent)).unwrap()
}

/// Counts a message; its step is not over before so many others wait.
fn count_when(store: &Embedded, others: usize, desk: &Desk<'_>) -> i64 {
    while store.line.coming.load(Ordering::SeqCst) < others {
        thread::yield_now();
    }
    desk.count(|numbers| {
        numbers.sent += 1;
        numbers.sent
    })
}

/// A step's body.
type Work<'a> = Box<dyn FnOnce(&Desk<'_>) -> Res<i64> + Send + 'a>;

/// Runs the first step, and the others in the same transaction, one after the other in any order.
fn together(store: &Embedded, others: Vec<Work<'_>>) -> (Result<i64>, Vec<thread::Result<Result<i64>>>) {
    let count = others.len();
    let (begun, begins) = std::sync::mpsc::channel();
    thread::scope(|scope| {
        let first = scope.spawn(move || {
            write(store, |desk| {
                begun.send(()).unwrap();
                Ok(count_when(store, count, desk))
            })
        });
        begins.recv().unwrap();
        let run = |work| scope.spawn(move || catch_unwind(AssertUnwindSafe(|| write(store, work))));
        let others: Vec<_> = others.into_iter().map(run).collect();
        (first.join().unwrap(), others.into_iter().map(|other| other.join().unwrap()).collect())
    })
}

/// Runs this step in another one's transaction: both are told why it came to nothing.
fn fails_for_both(store: &Embedded, work: Work<'_>, why: &str) {
    let before = sent(store);
    let (first, others) = together(store, vec![work]);
    for end in std::iter::once(first).chain(others.into_iter().map(|other| other.unwrap())) {
        let told = end.unwrap_err().to_string();
        assert!(told.contains(why), "{told}");
    }
    assert_eq!(sent(store), before);
}

#[test]
fn who_writes_at_the_same_time_shares_a_commit() {
    let (home, _) = Home::furnished();
    let store = home.open();
    let (before, commits) = (sent(&store), home.commits());
    // Each sees what those before it did, and nobody else sees any of it until it is on disk.
    let step = || -> Work<'_> {
        Box::new(|desk| {
            assert!(desk.numbers().sent > before);
            assert_eq!(sent(&store), before);
            Ok(count_when(&store, 0, desk))
        })
    };
    let (first, others) = together(&store, vec![step(), step()]);
    let mut counted = vec![first.unwrap()];
    counted.extend(others.into_iter().map(|other| other.unwrap().unwrap()));
    counted.sort_unstable();
    assert_eq!(counted, [before + 1, before + 2, before + 3]);
    assert_eq!((sent(&store), home.commits()), (before + 3, commits + 1));
}

#[test]
fn a_step_that_fails_takes_back_its_own_work_and_nobody_elses() {
    let (home, _) = Home::furnished();
    let store = home.open();
    let before = sent(&store);
    let refused: Work<'_> = Box::new(|desk| {
        desk.sql.execute("DELETE FROM mail", [])?;
        Err(Fail::Refused(Error::new(Kind::Full, "no room")))
    });
    let broken: Work<'_> = Box::new(|desk| {
        desk.sql.execute("DELETE FROM mail", [])?;
        Ok(desk.sql.query_row("SELECT nothing FROM nowhere", [], |row| row.get(0))?)
    });
    let good: Work<'_> = Box::new(|desk| Ok(count_when(&store, 0, desk)));
    let (first, others) = together(&store, vec![refused, broken, good]);
    let kinds = others.into_iter().map(|other| other.unwrap().map_err(|error| error.kind));
    let kinds: Vec<_> = kinds.map(|end| end.map(|_| ())).collect();
    assert_eq!(kinds, [Err(Kind::Full), Err(Kind::Other), Ok(())]);
    assert!(first.is_ok());
    assert_eq!(sent(&store), before + 2);
    assert_eq!(lease(&store, "bob").messages.len(), 1, "the message is still there");
}

#[test]
fn a_step_that_breaks_off_fails_for_all_who_shared_it_and_stores_nothing() {
    let (home, _) = Home::furnished();
    let store = home.open();
    let before = sent(&store);
    let (first, others) = together(&store, vec![Box::new(|_| panic!("a step that breaks off, on purpose"))]);
    assert!(others[0].is_err());
    let told = first.unwrap_err();
    assert!(told.message.contains("nothing of it was stored"), "{told}");
    assert_eq!(sent(&store), before);
    assert_eq!(write(&store, |desk| Ok(count_when(&store, 0, desk))).unwrap(), before + 1);
    assert_eq!(sent(&store), before + 1);
}

#[test]
fn when_the_transaction_cannot_end_all_are_told_and_nothing_is_stored() {
    let (home, _) = Home::furnished();
    let store = home.open();
    let before = sent(&store);
    // What hangs on nothing is found out when the transaction ends.
    let dangling: Work<'_> = Box::new(|desk| {
        desk.sql.execute_batch(
            "CREATE TABLE one (n INTEGER PRIMARY KEY);
             CREATE TABLE other (n INTEGER REFERENCES one (n) DEFERRABLE INITIALLY DEFERRED);
             INSERT INTO other VALUES (1)",
        )?;
        Ok(count_when(&store, 0, desk))
    });
    fails_for_both(&store, dangling, "the outcome is unknown");
    assert_eq!(write(&store, |desk| Ok(count_when(&store, 0, desk))).unwrap(), before + 1);
}

#[test]
fn when_the_database_takes_all_back_all_are_told() {
    let (home, _) = Home::furnished();
    let store = home.open();
    let before = sent(&store);
    // As SQLite does by itself when the disk is full or fails (sqlite.org/lang_transaction.html, section 3).
    let lost: Work<'_> = Box::new(|desk| {
        desk.sql.execute_batch("ROLLBACK")?;
        Err(Fail::Sql(rusqlite::Error::SqliteFailure(rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_FULL), None)))
    });
    fails_for_both(&store, lost, "is full");
    assert_eq!(write(&store, |desk| Ok(count_when(&store, 0, desk))).unwrap(), before + 1);
}

#[test]
fn who_writes_after_a_step_that_need_not_last_waits_for_the_disk_again() {
    let (home, _) = Home::furnished();
    let store = home.open();
    // 1 is NORMAL, 2 is FULL (sqlite.org/pragma.html#pragma_synchronous).
    let synced = |desk: &Desk<'_>| -> Res<i64> { Ok(desk.sql.query_row("PRAGMA synchronous", [], |row| row.get(0))?) };
    let lightly = |work: &dyn Fn(&Desk<'_>) -> Res<i64>| store.line.write_lightly("test", NOW, work);
    assert_eq!((write(&store, synced).unwrap(), lightly(&synced).unwrap(), write(&store, synced).unwrap()), (2, 1, 2));
    lightly(&|_| Err(Fail::Refused(Error::new(Kind::Moving, "not now")))).unwrap_err();
    assert_eq!(write(&store, synced).unwrap(), 2);
}
