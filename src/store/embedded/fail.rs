//! How a step inside the database fails, and how that is told. It knows SQLite's codes and no table.

use std::path::Path;

use rusqlite::{ErrorCode, ffi};

use super::schema;
use crate::error::{Error, Kind};

/// Why a step failed.
#[derive(Debug)]
pub(super) enum Fail {
    /// The database failed.
    Sql(rusqlite::Error),
    /// The database failed at the last moment: it may have happened or not.
    Commit(rusqlite::Error),
    /// The rules refused it.
    Refused(Error),
    /// The file is a database, but not of postino.
    Foreign,
    /// The file was written by a newer postino, with this version.
    Newer(i64),
}

/// A result inside a step.
pub(super) type Res<T> = std::result::Result<T, Fail>;

impl From<rusqlite::Error> for Fail {
    fn from(error: rusqlite::Error) -> Fail {
        Fail::Sql(error)
    }
}

impl From<Error> for Fail {
    fn from(error: Error) -> Fail {
        Fail::Refused(error)
    }
}

impl Fail {
    /// Another process wrote for too long.
    pub(super) fn busy() -> Fail {
        Fail::Sql(rusqlite::Error::SqliteFailure(ffi::Error::new(ffi::SQLITE_BUSY), None))
    }

    /// The same failure, for another one whom it concerns.
    pub(super) fn again(&self) -> Fail {
        match self {
            Fail::Sql(error) => Fail::Sql(copy(error)),
            Fail::Commit(error) => Fail::Commit(copy(error)),
            Fail::Refused(Error { kind, message, hint, source: _ }) => {
                Fail::Refused(Error { kind: *kind, message: message.clone(), hint: hint.clone(), source: None })
            }
            Fail::Foreign => Fail::Foreign,
            Fail::Newer(version) => Fail::Newer(*version),
        }
    }
}

/// What SQLite said, once more; of any other error its words, which mean that the data is not as it should be.
fn copy(error: &rusqlite::Error) -> rusqlite::Error {
    let (code, words) = if let rusqlite::Error::SqliteFailure(code, words) = error {
        (*code, words.clone())
    } else {
        (ffi::Error::new(ffi::SQLITE_INTERNAL), Some(error.to_string()))
    };
    rusqlite::Error::SqliteFailure(code, words)
}

/// A refusal by the rules.
pub(super) fn refuse<T>(error: Error) -> Res<T> {
    Err(Fail::Refused(error))
}

/// The failure as a user is told: what was being done (`send the message`), why it failed, what to do.
pub(super) fn explain(file: &Path, doing: &str, fail: Fail) -> Error {
    let shown = file.display();
    match fail {
        Fail::Refused(error) => error,
        Fail::Foreign => Error::new(Kind::Other, format!("cannot {doing}: {shown} is a database of another program"))
            .hint("choose another file for the store; this one is left as it is"),
        Fail::Newer(version) => Error::new(
            Kind::Other,
            format!(
                "cannot {doing}: {shown} was written by a newer postino (format {version}; this one knows {})",
                schema::VERSION
            ),
        )
        .hint("install the newer postino; the file is left as it is"),
        Fail::Sql(error) => database(file, doing, "", error),
        // What found no lock, or no room for its last page, is not in the log.
        Fail::Commit(error) if is_busy(&error) || is_full(&error) => database(file, doing, "", error),
        Fail::Commit(error) => database(file, doing, "; the outcome is unknown, it may have happened", error),
    }
}

/// Whether somebody else holds what is needed.
pub(super) fn is_busy(error: &rusqlite::Error) -> bool {
    matches!(error.sqlite_error_code(), Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked))
}

fn is_full(error: &rusqlite::Error) -> bool {
    error.sqlite_error_code() == Some(ErrorCode::DiskFull)
}

/// SQLite's codes (sqlite.org/rescode.html) in our words.
fn database(file: &Path, doing: &str, outcome: &str, error: rusqlite::Error) -> Error {
    let shown = file.display();
    let told = |kind, why: &str, hint: String| Error::new(kind, format!("cannot {doing}: {why}{outcome}")).hint(hint);
    let damaged = || {
        format!(
            "move {shown} and its -wal and -shm files away to start anew; keep them for a rescue with `sqlite3 .recover`"
        )
    };
    let code = error.sqlite_error_code();
    let told = match code {
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => told(
            Kind::Unreachable,
            &format!("another process holds {shown} for too long"),
            "try again; `postino doctor` tells who holds it".to_owned(),
        ),
        Some(ErrorCode::NotADatabase) => told(Kind::Other, &format!("{shown} is not a postino database"), damaged()),
        Some(ErrorCode::DatabaseCorrupt) => told(Kind::Other, &format!("{shown} is damaged"), damaged()),
        Some(ErrorCode::DiskFull) => {
            told(Kind::Other, &format!("the disk that holds {shown} is full"), "make room and try again".to_owned())
        }
        Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied) => {
            told(Kind::Denied, &format!("{shown} cannot be written"), "check who owns it and its directory".to_owned())
        }
        Some(ErrorCode::CannotOpen | ErrorCode::SystemIoFailure | ErrorCode::FileLockingProtocolFailed) => told(
            Kind::Unreachable,
            &format!("{shown} cannot be read or written"),
            "check the disk; try again".to_owned(),
        ),
        Some(_) | None => told(Kind::Other, &format!("{shown} does not hold what it should"), damaged()),
    };
    told.because(error)
}
