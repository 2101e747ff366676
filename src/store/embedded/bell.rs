//! The bell: a file beside the database that shows the number of its last change. Who sees the number that it saw before knows
//! that nothing has been committed since, without opening the database. Who writes holds it meanwhile, and others sleep until it
//! is free. It knows neither a table nor what a change is.
//!
//! The number is written before its change is committed, and under the database's write lock, so it never lags behind: when a
//! commit fails after all, or the process dies in between, the bell shows a change that is not there, and everybody looks again.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use rustix::fs::{FlockOperation, Mode, OFlags, Timespec, Timestamps, UTIME_NOW, flock, futimens};

use super::fail::{Fail, Res};
use super::place::Place;
use crate::error::{Error, Kind, Result};

/// How a number is written: hexadecimal digits, twice, so that half a writing is told from a whole one.
const DIGITS: usize = 16;
/// The time that it is, as a file takes it (futimens(3)).
const NOW: Timespec = Timespec { tv_sec: 0, tv_nsec: UTIME_NOW };

/// The bell, held until dropped by the one process that writes. What is safe does not hang on it, for the database has a lock of
/// its own; but for that one everybody asks again and again, and of a crowd hardly anybody gets it.
pub(super) struct Bell(File);

impl Bell {
    /// Takes the bell, and waits for it as long as it goes from hand to hand, within `patience` each time.
    pub(super) fn take(place: &Place, patience: Duration) -> Res<Bell> {
        let file = place.open_own(&place.bell())?;
        if flock(&file, FlockOperation::NonBlockingLockExclusive).is_ok() {
            return Ok(Bell(file));
        }
        // Both stand for one lock: whoever of them gets it, the other has it too.
        let Ok(waiting) = file.try_clone() else { return Ok(Bell(file)) };
        let (done, told) = mpsc::channel();
        // When nobody waits any more, the file is closed by this thread at last, and the bell free.
        let wait = move || done.send(flock(&waiting, FlockOperation::LockExclusive).is_ok());
        // There is no waiting for a while only, but in a thread that does nothing else. Without one it goes without the bell.
        if thread::Builder::new().name("turn".to_owned()).spawn(wait).is_err() {
            return Ok(Bell(file));
        }
        let rung = || file.metadata().and_then(|meta| meta.modified()).ok();
        let mut seen = rung();
        loop {
            match told.recv_timeout(patience) {
                Ok(_) | Err(RecvTimeoutError::Disconnected) => {
                    // Those who wait on see that it has changed hands. A failure only costs their patience.
                    let _ = futimens(&file, &Timestamps { last_access: NOW, last_modification: NOW });
                    return Ok(Bell(file));
                }
                Err(RecvTimeoutError::Timeout) => {
                    let now = rung();
                    if now == seen {
                        return Err(Fail::busy());
                    }
                    seen = now;
                }
            }
        }
    }

    /// Shows that this change is about to be committed. An error means that the change must not be.
    pub(super) fn ring(&self, place: &Place, change: i64) -> Result<()> {
        let number = format!("{change:0DIGITS$x}");
        self.0.write_all_at(number.repeat(2).as_bytes(), 0).map_err(|error| {
            Error::new(Kind::Other, format!("cannot write {}: the system refused", place.bell().display()))
                .hint("make room on the disk, and try again")
                .because(error)
        })
    }
}

/// The last change that was shown; `None` when that cannot be told.
pub(super) fn last(path: &Path) -> Option<i64> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file = File::from(rustix::fs::open(path, flags, Mode::empty()).ok()?);
    let mut twice = [0; 2 * DIGITS];
    file.read_exact_at(&mut twice, 0).ok()?;
    let (one, other) = twice.split_at(DIGITS);
    let number = std::str::from_utf8(one).ok().filter(|_| one == other)?;
    i64::from_str_radix(number, 16).ok()
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;

    fn place() -> (tempfile::TempDir, Place) {
        let home = tempfile::tempdir().unwrap();
        let place = Place::new(&home.path().join("data/postino.db")).unwrap();
        place.prepare().unwrap();
        (home, place)
    }

    #[test]
    fn who_waits_for_a_bell_that_nobody_rings_gives_up() {
        let (_home, place) = place();
        let held = Bell::take(&place, Duration::ZERO).unwrap();
        assert!(matches!(Bell::take(&place, Duration::from_millis(50)), Err(Fail::Sql(_))));
        drop(held);
        // The one that gave up may have it for a moment.
        assert!(Bell::take(&place, Duration::from_secs(5)).is_ok());
    }

    #[test]
    fn who_waits_while_it_goes_from_hand_to_hand_gets_its_turn() {
        let (_home, place) = place();
        let patience = Duration::from_secs(2);
        // The last one waits for longer than that, and nobody rings.
        let hold = || Bell::take(&place, patience).map(|_held| thread::sleep(patience / 4));
        thread::scope(|scope| {
            let crowd: Vec<_> = (0..6).map(|_| scope.spawn(hold)).collect();
            assert!(crowd.into_iter().all(|one| one.join().unwrap().is_ok()));
        });
    }

    #[test]
    fn who_waits_while_others_ring_gets_its_turn() {
        let (_home, place) = place();
        let patience = Duration::from_secs(2);
        let held = Bell::take(&place, patience).unwrap();
        thread::scope(|scope| {
            let waiting = scope.spawn(|| Bell::take(&place, patience).map(drop));
            let begun = Instant::now();
            for change in 1.. {
                held.ring(&place, change).unwrap();
                thread::sleep(patience / 40);
                if begun.elapsed() > 2 * patience {
                    break;
                }
            }
            assert!(!waiting.is_finished());
            drop(held);
            assert!(waiting.join().unwrap().is_ok());
        });
    }
}
