//! What an error of SQLite means for a promise: nothing written, unknown, or the end.

use sqlx::Error;

use crate::store::StoreError;

// Result codes (https://sqlite.org/rescode.html); sqlx enables the extended ones, whose low byte is
// the primary code.
const BUSY: i32 = 5;
const LOCKED: i32 = 6;
const NOMEM: i32 = 7;
const INTERRUPT: i32 = 9;
const IOERR: i32 = 10;
const CORRUPT: i32 = 11;
const FULL: i32 = 13;
const CANTOPEN: i32 = 14;
const PROTOCOL: i32 = 15;
const NOTADB: i32 = 26;
const IOERR_NOMEM: i32 = IOERR | (12 << 8);
/// The index of the write-ahead log can't grow: a full disk, not a broken one.
const IOERR_SHMSIZE: i32 = IOERR | (19 << 8);

/// A failure on the way through this folder: a [`StoreError`] into which an error of any statement
/// but COMMIT turns by `?`.
#[derive(Debug)]
pub(super) struct Failure(StoreError);

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self(of_statement(result_code(&error), error.to_string()))
    }
}

impl From<rusqlite::Error> for Failure {
    fn from(error: rusqlite::Error) -> Self {
        Self(of_statement(Some(writers_code(&error)), error.to_string()))
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self(error)
    }
}

impl From<Failure> for StoreError {
    fn from(failure: Failure) -> Self {
        failure.0
    }
}

/// What an error of COMMIT itself means.
pub(super) fn at_commit(error: rusqlite::Error) -> StoreError {
    of_commit(writers_code(&error), error.to_string())
}

/// Bytes in the store that this program never wrote.
pub(super) fn damaged(what: &str) -> StoreError {
    StoreError::Fatal(format!("the store is damaged: {what}"))
}

/// SQLite's extended result code; none if the error is not SQLite's own but of the connection.
fn result_code(error: &Error) -> Option<i32> {
    match error {
        Error::Database(database) => database.code()?.parse().ok(),
        Error::PoolTimedOut | Error::PoolClosed | Error::WorkerCrashed | Error::Io(_) => None,
        // The rest is a value that can't be decoded: the file is not what we wrote.
        _ => Some(CORRUPT),
    }
}

/// As [`result_code`], for the connection that writes: it is in this thread and can't be lost.
fn writers_code(error: &rusqlite::Error) -> i32 {
    // What isn't SQLite's own is a value that can't be read: the file is not what we wrote.
    error.sqlite_error().map_or(CORRUPT, |error| error.extended_code)
}

/// Before COMMIT nothing is written: the question is only whether trying again can help.
pub(super) fn of_statement(code: Option<i32>, text: String) -> StoreError {
    let Some(code) = code else { return StoreError::Unavailable(text) };
    match code & 0xff {
        BUSY | LOCKED | NOMEM | INTERRUPT | FULL | CANTOPEN | PROTOCOL => {
            StoreError::Unavailable(text)
        }
        _ if code == IOERR_SHMSIZE || code == IOERR_NOMEM => StoreError::Unavailable(text),
        _ => StoreError::Fatal(text),
    }
}

/// At COMMIT only two errors say for certain that nothing was written: the lock was not had, or the
/// log's last frame, which makes the transaction valid, had no room. After a failed write or sync
/// nobody may try again: the kernel may have dropped the pages. Any other error may come after the
/// log was synced (its index could not grow).
pub(super) fn of_commit(code: i32, text: String) -> StoreError {
    match code & 0xff {
        BUSY | FULL => StoreError::Unavailable(text),
        IOERR if code == IOERR_SHMSIZE || code == IOERR_NOMEM => StoreError::Unknown(text),
        IOERR | CORRUPT | NOTADB => StoreError::Fatal(text),
        _ => StoreError::Unknown(text),
    }
}
