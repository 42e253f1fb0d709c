//! Reads: each is one statement of fixed text, for lists are bound as JSON.

use std::fmt::Display;

use futures::TryStreamExt;
use futures::stream::BoxStream;
use sqlx::{Connection, SqliteConnection, SqlitePool};
use xianjie_core::domain::state::{Key, Range, Row};
use xianjie_core::ids::{CaseRef, LedgerIndex, PersonKey, Time};
use xianjie_core::limits::PAGE_BYTES;

use super::error::{Failure, damaged};
use crate::store::{Entry, EntryHead, Head, Loaded, RowPage, StoreError, Wants, prefix_end};

/// The columns of `entry`, in the table's order.
type EntryColumns = (i64, Vec<u8>, Vec<u8>, Vec<u8>, Vec<u8>, Vec<u8>);

/// A number as SQLite keeps it. What is too large for it names nothing, and the largest that it has
/// names nothing either.
pub(super) fn to_sql(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// Blobs as a JSON list of hexadecimal texts, for `unhex(value)`.
pub(super) fn hex_list<B: AsRef<[u8]>>(blobs: impl IntoIterator<Item = B>) -> String {
    json_list(blobs.into_iter().map(|blob| format!("\"{}\"", hex::encode(blob))))
}

pub(super) async fn head(connection: &mut SqliteConnection) -> Result<Head, Failure> {
    let (size, time, root, epoch): (i64, i64, Vec<u8>, i64) =
        sqlx::query_as("SELECT size, time_ms, root, epoch FROM head").fetch_one(connection).await?;
    let root = root.try_into().map_err(|_| damaged("the head's root is no hash"))?;
    Ok(Head { size: from_sql(size)?, time: Time(time), root, epoch: from_sql(epoch)? })
}

/// Loads on one snapshot. Runs in a task of the store's own: a caller that goes away must not leave
/// the snapshot open, where the log could never be emptied.
pub(super) async fn load_snapshot(pool: SqlitePool, wants: Wants) -> Result<Loaded, Failure> {
    let mut connection = pool.acquire().await?;
    let mut snapshot = connection.begin().await?;
    let loaded = load(&mut snapshot, &wants).await?;
    snapshot.commit().await?;
    Ok(loaded)
}

/// Loads inside the caller's transaction.
pub(super) async fn load(
    connection: &mut SqliteConnection,
    wants: &Wants,
) -> Result<Loaded, Failure> {
    let mut loaded = Loaded::default();
    if !wants.keys.is_empty() {
        load_rows(connection, wants, &mut loaded).await?;
    }
    if !wants.ranges.is_empty() {
        load_ranges(connection, wants, &mut loaded).await?;
    }
    if !wants.entries.is_empty() {
        load_entries(connection, wants, &mut loaded).await?;
    }
    if !wants.persons.is_empty() {
        load_persons(connection, wants, &mut loaded).await?;
    }
    Ok(loaded)
}

async fn load_rows(
    connection: &mut SqliteConnection,
    wants: &Wants,
    loaded: &mut Loaded,
) -> Result<(), Failure> {
    let rows: Vec<(Vec<u8>, Vec<u8>)> = sqlx::query_as(
        "SELECT key, row FROM state WHERE key IN (SELECT unhex(value) FROM json_each(?1))",
    )
    .bind(hex_list(wants.keys.iter().map(Key::to_bytes)))
    .fetch_all(connection)
    .await?;
    loaded.rows = wants.keys.iter().map(|key| (key.clone(), None)).collect();
    for (key, row) in rows {
        let row = Row::from_bytes(&row).map_err(|_| damaged("a row of the state"))?;
        loaded.rows.insert(read_key(&key)?, Some(row));
    }
    Ok(())
}

async fn load_ranges(
    connection: &mut SqliteConnection,
    wants: &Wants,
    loaded: &mut Loaded,
) -> Result<(), Failure> {
    let ranges: Vec<&Range> = wants.ranges.iter().collect();
    let bounds = ranges.iter().map(|range| {
        let prefix = range.prefix();
        hex_list([prefix_end(&prefix), prefix])
    });
    let found: Vec<(i64, Vec<u8>)> = sqlx::query_as(
        "SELECT asked.key, state.key FROM json_each(?1) AS asked CROSS JOIN state \
         ON state.key >= unhex(asked.value ->> 1) AND state.key < unhex(asked.value ->> 0) \
         ORDER BY asked.key, state.key",
    )
    .bind(json_list(bounds))
    .fetch_all(connection)
    .await?;
    loaded.ranges = wants.ranges.iter().map(|range| (range.clone(), Vec::new())).collect();
    for (asked, key) in found {
        let range = usize::try_from(asked).ok().and_then(|asked| ranges.get(asked));
        if let Some(keys) = range.and_then(|range| loaded.ranges.get_mut(*range)) {
            keys.push(read_key(&key)?);
        }
    }
    Ok(())
}

async fn load_entries(
    connection: &mut SqliteConnection,
    wants: &Wants,
    loaded: &mut Loaded,
) -> Result<(), Failure> {
    let rows: Vec<(i64, Vec<u8>, Vec<u8>)> = sqlx::query_as(
        "SELECT idx, leaf, document_salt FROM entry \
         WHERE idx IN (SELECT value FROM json_each(?1))",
    )
    .bind(index_list(&wants.entries))
    .fetch_all(connection)
    .await?;
    for (index, leaf, document_salt) in rows {
        let head = EntryHead { leaf, document_salt: array(document_salt)? };
        loaded.entries.insert(LedgerIndex(from_sql(index)?), head);
    }
    Ok(())
}

async fn load_persons(
    connection: &mut SqliteConnection,
    wants: &Wants,
    loaded: &mut Loaded,
) -> Result<(), Failure> {
    let links: Vec<(Vec<u8>, Vec<u8>)> = sqlx::query_as(
        "SELECT person, case_ref FROM person \
         WHERE person IN (SELECT unhex(value) FROM json_each(?1)) ORDER BY person, case_ref",
    )
    .bind(hex_list(wants.persons.iter().map(|person| person.0)))
    .fetch_all(connection)
    .await?;
    loaded.persons = wants.persons.iter().map(|person| (*person, Vec::new())).collect();
    for (person, case) in links {
        loaded.persons.entry(PersonKey(array(person)?)).or_default().push(CaseRef(array(case)?));
    }
    Ok(())
}

pub(super) async fn scan(
    pool: &SqlitePool,
    from: &[u8],
    to: &[u8],
    limit: usize,
) -> Result<RowPage, Failure> {
    let rows = sqlx::query_as(
        "SELECT key, row FROM state WHERE key >= ?1 AND key < ?2 ORDER BY key LIMIT ?3",
    )
    .bind(from.to_vec())
    .bind(to.to_vec())
    .bind(limit_to_sql(limit))
    .fetch(pool);
    page(rows, |(key, row): &(Vec<u8>, Vec<u8>)| key.len() + row.len()).await
}

pub(super) async fn scan_persons(
    pool: &SqlitePool,
    (person, case): (PersonKey, CaseRef),
    limit: usize,
) -> Result<Vec<(PersonKey, CaseRef)>, Failure> {
    let links: Vec<(Vec<u8>, Vec<u8>)> = sqlx::query_as(
        "SELECT person, case_ref FROM person WHERE (person, case_ref) >= (?1, ?2) \
         ORDER BY person, case_ref LIMIT ?3",
    )
    .bind(person.0.to_vec())
    .bind(case.0.to_vec())
    .bind(limit_to_sql(limit))
    .fetch_all(pool)
    .await?;
    let link = |(person, case)| Ok((PersonKey(array(person)?), CaseRef(array(case)?)));
    links.into_iter().map(link).collect()
}

pub(super) async fn entries(
    pool: &SqlitePool,
    indexes: &[LedgerIndex],
) -> Result<Vec<Entry>, Failure> {
    let rows = sqlx::query_as(
        "SELECT * FROM entry WHERE idx IN (SELECT value FROM json_each(?1)) ORDER BY idx",
    )
    .bind(index_list(indexes))
    .fetch_all(pool)
    .await?;
    rows.into_iter().map(entry).collect()
}

pub(super) async fn entries_from(
    pool: &SqlitePool,
    from: LedgerIndex,
    limit: usize,
) -> Result<Vec<Entry>, Failure> {
    let rows = sqlx::query_as("SELECT * FROM entry WHERE idx >= ?1 ORDER BY idx LIMIT ?2")
        .bind(to_sql(from.0))
        .bind(limit_to_sql(limit))
        .fetch(pool);
    let bytes = |row: &EntryColumns| row.1.len() + 64 + row.4.len() + row.5.len();
    page(rows, bytes).await?.into_iter().map(entry).collect()
}

pub(super) async fn leaves_from(
    pool: &SqlitePool,
    from: LedgerIndex,
    limit: usize,
) -> Result<Vec<Vec<u8>>, Failure> {
    let leaves = sqlx::query_scalar("SELECT leaf FROM entry WHERE idx >= ?1 ORDER BY idx LIMIT ?2")
        .bind(to_sql(from.0))
        .bind(limit_to_sql(limit))
        .fetch_all(pool)
        .await?;
    Ok(leaves)
}

pub(super) async fn tiles(
    pool: &SqlitePool,
    ids: &[(u8, u64)],
) -> Result<Vec<Option<Vec<u8>>>, Failure> {
    let asked = ids.iter().map(|(level, index)| format!("[{level},{}]", to_sql(*index)));
    let tiles = sqlx::query_scalar(
        "SELECT tile.bytes FROM json_each(?1) AS asked LEFT JOIN tile \
         ON tile.level = asked.value ->> 0 AND tile.idx = asked.value ->> 1 ORDER BY asked.key",
    )
    .bind(json_list(asked))
    .fetch_all(pool)
    .await?;
    Ok(tiles)
}

/// Takes rows while they fit a page: at least one, then as many as stay within [`PAGE_BYTES`].
async fn page<T>(
    mut rows: BoxStream<'_, Result<T, sqlx::Error>>,
    bytes: impl Fn(&T) -> usize,
) -> Result<Vec<T>, Failure> {
    let (mut page, mut total) = (Vec::new(), 0);
    while let Some(row) = rows.try_next().await? {
        total += bytes(&row);
        if total > PAGE_BYTES && !page.is_empty() {
            break;
        }
        page.push(row);
    }
    Ok(page)
}

fn entry(columns: EntryColumns) -> Result<Entry, Failure> {
    let (index, leaf, salt, document_salt, record, signed_document) = columns;
    Ok(Entry {
        index: LedgerIndex(from_sql(index)?),
        leaf,
        salt: array(salt)?,
        document_salt: array(document_salt)?,
        record,
        signed_document,
    })
}

/// Pages that hold something, in the file or still in the log.
pub(super) async fn pages_used(pool: &SqlitePool) -> Result<u64, Failure> {
    let (pages, free): (i64, i64) = sqlx::query_as(
        "SELECT page_count, freelist_count FROM pragma_page_count, pragma_freelist_count",
    )
    .fetch_one(pool)
    .await?;
    Ok(from_sql(pages.saturating_sub(free))?)
}

pub(super) fn read_key(bytes: &[u8]) -> Result<Key, StoreError> {
    Key::from_bytes(bytes).map_err(|_| damaged("a key of the state"))
}

pub(super) fn array<const N: usize>(bytes: Vec<u8>) -> Result<[u8; N], StoreError> {
    bytes.try_into().map_err(|_| damaged("a blob of another length"))
}

pub(super) fn from_sql(number: i64) -> Result<u64, StoreError> {
    u64::try_from(number).map_err(|_| damaged("a negative number"))
}

fn limit_to_sql(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}

fn index_list<'a>(indexes: impl IntoIterator<Item = &'a LedgerIndex>) -> String {
    json_list(indexes.into_iter().map(|index| to_sql(index.0)))
}

fn json_list<T: Display>(items: impl Iterator<Item = T>) -> String {
    let items: Vec<String> = items.map(|item| item.to_string()).collect();
    format!("[{}]", items.join(","))
}
