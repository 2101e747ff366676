//! The bell: a file beside the database that shows the number of its last change. Who sees the number that it saw before knows
//! that nothing has been committed since, without opening the database. It knows neither a table nor what a change is.
//!
//! The number is written before its change is committed, and under the database's write lock, so it never lags behind: when a
//! commit fails after all, or the process dies in between, the bell shows a change that is not there, and everybody looks again.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;

use rustix::fs::{Mode, OFlags};

use super::place::Place;
use crate::error::{Error, Kind, Result};

/// How a number is written: hexadecimal digits, twice, so that half a writing is told from a whole one.
const DIGITS: usize = 16;

/// Shows that this change is about to be committed. An error means that the change must not be.
pub(super) fn ring(place: &Place, change: i64) -> Result<()> {
    let bell = place.bell();
    let number = format!("{change:0DIGITS$x}");
    place.open_own(&bell)?.write_all_at(number.repeat(2).as_bytes(), 0).map_err(|error| {
        Error::new(Kind::Other, format!("cannot write {}: the system refused", bell.display()))
            .hint("make room on the disk, and try again")
            .because(error)
    })
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
