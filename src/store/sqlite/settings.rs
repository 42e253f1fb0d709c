//! How connections are set: what P1 rests on in SQLite.

use std::path::Path;
use std::time::Duration;

use sqlx::ConnectOptions;
use sqlx::sqlite::SqliteConnectOptions;

/// Bytes of a page: SQLite's default.
pub(super) const PAGE_BYTES: u64 = 4096;
/// SQLite's own bound on a file's pages: no quota.
pub(super) const MAX_PAGES: u32 = 0xffff_fffe;
/// How long a statement waits for a lock: longer than any checkpoint, shorter than a caller's
/// patience.
pub(super) const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
/// Pages in the log at which a commit moves them into the file: 16 MiB. With fewer, a page that each
/// batch changes is moved more often; with more, the slowest commits get slower and the others no
/// faster.
const CHECKPOINT_PAGES: &str = "4000";

/// KiB of cache for the writer, negative as SQLite wants it. A batch of 256 documents changes some
/// thousand pages: in the default 2 MiB they would be written to the log before the commit, and some
/// of them twice.
const WRITER_CACHE: &str = "-65536";

/// How the one connection is set that writes.
pub(super) const WRITER: [(&str, &str); 5] = [
    ("journal_mode", "wal"),
    ("synchronous", "full"),
    ("temp_store", "memory"),
    ("wal_autocheckpoint", CHECKPOINT_PAGES),
    ("cache_size", WRITER_CACHE),
];

/// A connection that can't write.
pub(super) fn reader(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .foreign_keys(false)
        .busy_timeout(BUSY_TIMEOUT)
        .pragma("temp_store", "memory")
        .read_only(true)
        .pragma("query_only", "on")
        .disable_statement_logging()
}
