//! The writing transaction: few wide statements.

use sqlx::query::Query;
use sqlx::sqlite::SqliteArguments;
use sqlx::{AssertSqlSafe, Sqlite, SqliteConnection};
use xianjie_core::domain::state::{Key, Row};

use super::error::{Failure, at_commit};
use super::read::{self, hex_list, to_sql};
use crate::store::{Batch, FOLD_ROUNDS, Fold, Head, Loaded, StoreError};

/// Rows of one INSERT. Each width is one statement for SQLite to prepare and keep, so there are few;
/// above 64 the gain is lost in the noise.
const WIDTHS: [usize; 4] = [64, 16, 4, 1];

type Statement = Query<'static, Sqlite, SqliteArguments>;

/// Runs `fold` on a connection that has no transaction open. After an error one may be: the caller
/// must close the connection, which rolls it back.
pub(super) async fn commit(
    connection: &mut SqliteConnection,
    fold: &mut dyn Fold,
) -> Result<Option<Head>, Failure> {
    sqlx::query("BEGIN IMMEDIATE").execute(&mut *connection).await?;
    let old = read::head(connection).await?;
    let loaded = load(connection, &old, fold).await?;
    let batch = fold.fold(&old, loaded);
    if batch.entries.is_empty() {
        sqlx::query("ROLLBACK").execute(connection).await?;
        return Ok(None);
    }
    batch.check_continues(&old)?;
    let head = Head { epoch: old.epoch, ..batch.head.clone() };
    write(connection, batch).await?;
    sqlx::query("COMMIT").execute(connection).await.map_err(at_commit)?;
    Ok(Some(head))
}

async fn load(
    connection: &mut SqliteConnection,
    head: &Head,
    fold: &mut dyn Fold,
) -> Result<Loaded, Failure> {
    let mut loaded = Loaded::default();
    for _ in 0..FOLD_ROUNDS {
        let wants = fold.wants(head, &loaded);
        if wants.is_empty() {
            return Ok(loaded);
        }
        loaded.extend(read::load(connection, &wants).await?);
    }
    Err(StoreError::Fatal(format!("a fold asked {FOLD_ROUNDS} times wants still more")).into())
}

async fn write(connection: &mut SqliteConnection, batch: Batch) -> Result<(), Failure> {
    let mut entries = Packed::default();
    for entry in &batch.entries {
        entries.row(
            Some(to_sql(entry.index.0)),
            [
                &entry.leaf[..],
                &entry.salt[..],
                &entry.document_salt[..],
                &entry.record[..],
                &entry.signed_document[..],
            ],
        );
    }
    entries.run(connection, INSERT_ENTRIES).await?;
    write_rows(connection, batch.rows).await?;
    let no_change = "ON CONFLICT (person, case_ref) DO NOTHING";
    insert(connection, "person", "(?,?)", no_change, batch.persons, |statement, (person, case)| {
        statement.bind(person.0.to_vec()).bind(case.0.to_vec())
    })
    .await?;
    insert(connection, "tile", "(?,?,?)", "", batch.tiles, |statement, tile| {
        statement.bind(i64::from(tile.level)).bind(to_sql(tile.index)).bind(tile.bytes)
    })
    .await?;
    sqlx::query("UPDATE head SET size = ?1, time_ms = ?2, root = ?3")
        .bind(to_sql(batch.head.size))
        .bind(batch.head.time.0)
        .bind(batch.head.root.to_vec())
        .execute(connection)
        .await?;
    Ok(())
}

const INSERT_ENTRIES: &str = "INSERT INTO entry \
    SELECT value ->> 0, substr(?1, value ->> 1, value ->> 2), substr(?1, value ->> 3, value ->> 4), \
    substr(?1, value ->> 5, value ->> 6), substr(?1, value ->> 7, value ->> 8), \
    substr(?1, value ->> 9, value ->> 10) FROM json_each(?2)";

const PUT_ROWS: &str = "INSERT INTO state \
    SELECT substr(?1, value ->> 0, value ->> 1), substr(?1, value ->> 2, value ->> 3) \
    FROM json_each(?2) WHERE true ON CONFLICT (key) DO UPDATE SET row = excluded.row";

/// Many rows as one blob and a list of where in it each column stands: one statement for them all,
/// whatever their number.
#[derive(Default)]
struct Packed {
    blob: Vec<u8>,
    places: String,
}

impl Packed {
    fn row<const N: usize>(&mut self, number: Option<i64>, columns: [&[u8]; N]) {
        use std::fmt::Write as _;
        self.places.push(if self.places.is_empty() { '[' } else { ',' });
        self.places.push('[');
        let mut comma = "";
        // Writing to a string never fails.
        if let Some(number) = number {
            let _ = write!(self.places, "{number}");
            comma = ",";
        }
        for column in columns {
            let _ = write!(self.places, "{comma}{},{}", self.blob.len() + 1, column.len());
            self.blob.extend_from_slice(column);
            comma = ",";
        }
        self.places.push(']');
    }

    async fn run(mut self, c: &mut SqliteConnection, sql: &'static str) -> Result<(), Failure> {
        if self.places.is_empty() {
            return Ok(());
        }
        self.places.push(']');
        sqlx::query(sql).bind(self.blob).bind(self.places).execute(c).await?;
        Ok(())
    }
}

async fn write_rows(
    connection: &mut SqliteConnection,
    rows: impl IntoIterator<Item = (Key, Option<Row>)>,
) -> Result<(), Failure> {
    let (mut puts, mut deletes) = (Packed::default(), Vec::new());
    for (key, row) in rows {
        match row {
            Some(row) => puts.row(None, [&key.to_bytes()[..], &row.to_bytes()[..]]),
            None => deletes.push(key.to_bytes()),
        }
    }
    puts.run(connection, PUT_ROWS).await?;
    if !deletes.is_empty() {
        sqlx::query("DELETE FROM state WHERE key IN (SELECT unhex(value) FROM json_each(?1))")
            .bind(hex_list(&deletes))
            .execute(connection)
            .await?;
    }
    Ok(())
}

/// Inserts all rows in the order of the table's columns, in as few statements as the widths allow.
/// Without `on_conflict` a row that exists is an error: the head and the table disagree.
async fn insert<R>(
    connection: &mut SqliteConnection,
    table: &'static str,
    tuple: &'static str,
    on_conflict: &'static str,
    rows: Vec<R>,
    bind: fn(Statement, R) -> Statement,
) -> Result<(), Failure> {
    let mut rows = rows.into_iter();
    for width in WIDTHS {
        while rows.len() >= width {
            let tuples = [tuple].repeat(width).join(",");
            let sql = format!("INSERT INTO {table} VALUES {tuples} {on_conflict}");
            let statement = sqlx::query(AssertSqlSafe(sql));
            let statement = rows.by_ref().take(width).fold(statement, bind);
            statement.execute(&mut *connection).await?;
        }
    }
    Ok(())
}
