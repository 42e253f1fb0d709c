//! Making a store, and whether this program may use one that exists.

use std::path::Path;

use sqlx::{Connection, SqliteConnection};
use xianjie_core::ids::Origin;

use super::error::{Failure, damaged};
use super::writer::Writer;
use super::{files, settings};
use crate::store::StoreError;

/// The schema that this program writes.
const SCHEMA: i64 = 1;
/// The oldest schema that this program reads.
const OLDEST: i64 = 1;
/// The oldest programs, by the schema that they write, that read and write schema [`SCHEMA`].
const MIN_READER: i64 = 1;
const MIN_WRITER: i64 = 1;

const TABLES: &str = include_str!("../migrations/sqlite/0001_store.sql");

/// Makes an empty store: whole under its name, or not there at all. The caller has its lock.
pub(super) fn create(path: &Path, origin: &Origin) -> Result<(), Failure> {
    if path.exists() {
        return Err(StoreError::Setup(format!("{}: exists already", path.display())).into());
    }
    let made = files::beside(path, ".new");
    files::create_empty(&made)?;
    let writer = Writer::open(&made, settings::MAX_PAGES)?;
    writer.run(TABLES)?;
    writer.execute(
        "INSERT INTO meta (one, schema, min_reader, min_writer, origin) VALUES (1, ?1, ?2, ?3, ?4)",
        (SCHEMA, MIN_READER, MIN_WRITER, origin.as_str()),
    )?;
    // The last connection moves the log into the file and removes it.
    drop(writer);
    files::publish(&made, path)?;
    Ok(())
}

/// Whose ledger the store is, if this program may read and write it.
pub(super) async fn check(mut connection: SqliteConnection) -> Result<Origin, Failure> {
    let (found, min_reader, min_writer, origin): (i64, i64, i64, String) =
        sqlx::query_as("SELECT schema, min_reader, min_writer, origin FROM meta")
            .fetch_one(&mut connection)
            .await
            .map_err(|error| match error {
                sqlx::Error::Database(error) if error.message().starts_with("no such table") => {
                    StoreError::Setup("this file is not a store of this program".into()).into()
                }
                error => Failure::from(error),
            })?;
    connection.close().await?;
    let help = if found < OLDEST {
        "open it once with the release before this one"
    } else if min_reader > SCHEMA {
        "a newer release wrote it and this one can't read it: use the newer one"
    } else if min_writer > SCHEMA {
        "a newer release wrote it and this one may only read it: use the newer one"
    } else {
        return origin.parse().map_err(|_| damaged("its origin").into());
    };
    Err(StoreError::Schema { found, min_reader: OLDEST, writer: SCHEMA, help }.into())
}
