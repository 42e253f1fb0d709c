//! How connections are set: what P1 rests on in SQLite.

use std::path::Path;
use std::time::Duration;

use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sqlx::{ConnectOptions, SqliteConnection};

use super::error::Failure;
use crate::store::StoreError;

/// Bytes of a page: SQLite's default.
pub(super) const PAGE_BYTES: u64 = 4096;
/// SQLite's own bound on a file's pages: no quota.
pub(super) const MAX_PAGES: u32 = 0xffff_fffe;
/// How long a statement waits for a lock: longer than any checkpoint, shorter than a caller's
/// patience.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
/// Pages in the log at which a commit moves them into the file: 4 MiB. With more, the slowest
/// commits get slower and the others no faster.
const CHECKPOINT_PAGES: &str = "1000";

/// KiB of cache for the writer, negative as SQLite wants it. A batch of 256 documents changes some
/// thousand pages: in the default 2 MiB they would be written to the log before the commit, and some
/// of them twice.
const WRITER_CACHE: &str = "-65536";

/// The one connection that writes.
pub(super) fn writer(path: &Path, max_pages: u32) -> SqliteConnectOptions {
    common(path)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .pragma("wal_autocheckpoint", CHECKPOINT_PAGES)
        .pragma("cache_size", WRITER_CACHE)
        .pragma("max_page_count", max_pages.to_string())
}

/// A connection that can't write.
pub(super) fn reader(path: &Path) -> SqliteConnectOptions {
    common(path).read_only(true).pragma("query_only", "on")
}

fn common(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .foreign_keys(false)
        .busy_timeout(BUSY_TIMEOUT)
        .pragma("temp_store", "memory")
        .disable_statement_logging()
}

/// Asks SQLite whether the writer is set as P1 needs: with less than `synchronous=FULL` a power cut
/// takes the last commits, receipts and all.
pub(super) async fn check_durable(connection: &mut SqliteConnection) -> Result<(), Failure> {
    let journal: String =
        sqlx::query_scalar("PRAGMA journal_mode").fetch_one(&mut *connection).await?;
    let synchronous: i64 =
        sqlx::query_scalar("PRAGMA synchronous").fetch_one(&mut *connection).await?;
    if journal == "wal" && synchronous == 2 {
        return Ok(());
    }
    Err(StoreError::Setup(format!(
        "SQLite runs with journal_mode={journal}, synchronous={synchronous} rather than wal, 2"
    ))
    .into())
}
