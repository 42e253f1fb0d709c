//! The one connection that writes, on the thread of whoever commits.
//!
//! It is rusqlite's and not sqlx's: sqlx runs each statement on a thread of its own, and on a busy
//! machine the way there and back takes longer than most statements do. Nothing here waits for
//! anything but the disk, so that no caller can go away in the middle of a transaction.

use std::path::Path;
use std::sync::Arc;

use rusqlite::{CachedStatement, Connection, OpenFlags, OptionalExtension, params};
use xianjie_core::domain::state::{Key, Range, Row};
use xianjie_core::ids::{CaseRef, LedgerIndex, PersonKey, Time};

use super::error::{Failure, at_commit, damaged};
use super::read::{array, from_sql, read_key, to_sql};
use super::settings;
use crate::store::{
    Batch, EntryHead, FOLD_ROUNDS, Fold, Head, Loaded, Step, StoreError, Wants, prefix_end,
};

/// Statements that are kept prepared: all that there are.
const STATEMENTS: usize = 32;

/// The connection that writes. Dropped in the middle of a transaction it rolls back.
#[derive(Debug)]
pub(super) struct Writer(Connection);

impl Writer {
    /// Opens the file at `path`, which must exist, and asks SQLite whether the connection is set as
    /// P1 needs.
    pub(super) fn open(path: &Path, max_pages: u32) -> Result<Self, Failure> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(path, flags)?;
        connection.busy_timeout(settings::BUSY_TIMEOUT)?;
        connection.set_prepared_statement_cache_capacity(STATEMENTS);
        for (name, value) in settings::WRITER {
            connection.pragma_update(None, name, value)?;
        }
        connection.pragma_update(None, "max_page_count", max_pages)?;
        let writer = Self(connection);
        writer.check_durable()?;
        Ok(writer)
    }

    /// With less than `synchronous=FULL` a power cut takes the last commits, receipts and all.
    pub(super) fn check_durable(&self) -> Result<(), Failure> {
        let journal: String = self.0.pragma_query_value(None, "journal_mode", |row| row.get(0))?;
        let synchronous: i64 = self.0.pragma_query_value(None, "synchronous", |row| row.get(0))?;
        if journal == "wal" && synchronous == 2 {
            return Ok(());
        }
        Err(StoreError::Setup(format!(
            "SQLite runs with journal_mode={journal}, synchronous={synchronous} rather than wal, 2"
        ))
        .into())
    }

    /// Runs statements that ask nothing, one after the other.
    pub(super) fn run(&self, sql: &str) -> Result<(), Failure> {
        Ok(self.0.execute_batch(sql)?)
    }

    /// Runs one statement with what it is given.
    pub(super) fn execute(&self, sql: &str, given: impl rusqlite::Params) -> Result<(), Failure> {
        self.0.execute(sql, given)?;
        Ok(())
    }

    /// Moves the whole log into the file, both synced, and empties it: what was visible before is
    /// durable after. After a kill between write and sync SQLite shows what it never synced.
    pub(super) fn checkpoint(&self) -> Result<Head, Failure> {
        let busy: i64 =
            self.0.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0))?;
        if busy != 0 {
            let why = "a reader holds the write-ahead log".to_owned();
            return Err(StoreError::Unavailable(why).into());
        }
        self.head()
    }

    /// The writing transaction. After an error one may be open: the writer must be dropped.
    pub(super) fn commit(&self, fold: &mut dyn Fold) -> Result<Option<Head>, Failure> {
        self.cached("BEGIN IMMEDIATE")?.execute([])?;
        let old = self.head()?;
        let batch = self.fold(&old, fold)?;
        if batch.entries.is_empty() {
            self.cached("ROLLBACK")?.execute([])?;
            return Ok(None);
        }
        batch.check_continues(&old)?;
        self.write(&batch)?;
        self.cached("COMMIT")?.execute([]).map_err(at_commit)?;
        Ok(Some(Head { epoch: old.epoch, ..batch.head.clone() }))
    }

    fn cached(&self, sql: &str) -> Result<CachedStatement<'_>, Failure> {
        Ok(self.0.prepare_cached(sql)?)
    }

    fn head(&self) -> Result<Head, Failure> {
        let (size, time, root, epoch): (i64, i64, Vec<u8>, i64) = self
            .cached("SELECT size, time_ms, root, epoch FROM head")?
            .query_row([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)))?;
        Ok(Head {
            size: from_sql(size)?,
            time: Time(time),
            root: array(root)?,
            epoch: from_sql(epoch)?,
        })
    }

    fn fold(&self, head: &Head, fold: &mut dyn Fold) -> Result<Arc<Batch>, Failure> {
        let mut loaded = Loaded::default();
        for _ in 0..FOLD_ROUNDS {
            match fold.step(head, &loaded) {
                Step::Load(wants) => loaded.extend(self.load(&wants)?),
                Step::Write(batch) => return Ok(batch),
            }
        }
        Err(StoreError::Fatal(format!("a fold asked {FOLD_ROUNDS} times wants still more")).into())
    }

    fn load(&self, wants: &Wants) -> Result<Loaded, Failure> {
        let mut loaded = Loaded::default();
        for key in &wants.keys {
            loaded.rows.insert(key.clone(), self.row(key)?);
        }
        for range in &wants.ranges {
            loaded.ranges.insert(range.clone(), self.range(range)?);
        }
        for index in &wants.entries {
            if let Some(entry) = self.entry(*index)? {
                loaded.entries.insert(*index, entry);
            }
        }
        for person in &wants.persons {
            loaded.persons.insert(*person, self.cases(person)?);
        }
        Ok(loaded)
    }

    fn row(&self, key: &Key) -> Result<Option<Row>, Failure> {
        let mut statement = self.cached("SELECT row FROM state WHERE key = ?1")?;
        let row: Option<Vec<u8>> =
            statement.query_row([key.to_bytes()], |row| row.get(0)).optional()?;
        let row = row.map(|row| Row::from_bytes(&row)).transpose();
        Ok(row.map_err(|_| damaged("a row of the state"))?)
    }

    fn range(&self, range: &Range) -> Result<Vec<Key>, Failure> {
        let prefix = range.prefix();
        let end = prefix_end(&prefix);
        let mut statement =
            self.cached("SELECT key FROM state WHERE key >= ?1 AND key < ?2 ORDER BY key")?;
        let keys = statement.query_map([prefix, end], |row| row.get::<_, Vec<u8>>(0))?;
        keys.map(|key| Ok(read_key(&key?)?)).collect()
    }

    fn entry(&self, index: LedgerIndex) -> Result<Option<EntryHead>, Failure> {
        let mut statement = self.cached("SELECT leaf, document_salt FROM entry WHERE idx = ?1")?;
        let found: Option<(Vec<u8>, Vec<u8>)> = statement
            .query_row([to_sql(index.0)], |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()?;
        let Some((leaf, salt)) = found else { return Ok(None) };
        Ok(Some(EntryHead { leaf, document_salt: array(salt)? }))
    }

    fn cases(&self, person: &PersonKey) -> Result<Vec<CaseRef>, Failure> {
        let mut statement =
            self.cached("SELECT case_ref FROM person WHERE person = ?1 ORDER BY case_ref")?;
        let cases = statement.query_map([&person.0[..]], |row| row.get::<_, Vec<u8>>(0))?;
        cases.map(|case| Ok(CaseRef(array(case?)?))).collect()
    }

    /// A row of the ledger or a tile that exists is an error: the head and the table disagree.
    fn write(&self, batch: &Batch) -> Result<(), Failure> {
        let mut entry = self.cached("INSERT INTO entry VALUES (?1, ?2, ?3, ?4, ?5, ?6)")?;
        for new in &batch.entries {
            entry.execute(params![
                to_sql(new.index.0),
                new.leaf,
                new.salt,
                new.document_salt,
                new.record,
                new.signed_document
            ])?;
        }
        let mut put = self.cached(
            "INSERT INTO state VALUES (?1, ?2) ON CONFLICT (key) DO UPDATE SET row = excluded.row",
        )?;
        let mut delete = self.cached("DELETE FROM state WHERE key = ?1")?;
        for (key, row) in &batch.rows {
            match row {
                Some(row) => put.execute([key.to_bytes(), row.to_bytes()])?,
                None => delete.execute([key.to_bytes()])?,
            };
        }
        let mut link = self.cached("INSERT OR IGNORE INTO person VALUES (?1, ?2)")?;
        for (person, case) in &batch.persons {
            link.execute([&person.0[..], &case.0[..]])?;
        }
        let mut tile = self.cached("INSERT INTO tile VALUES (?1, ?2, ?3)")?;
        for full in &batch.tiles {
            tile.execute(params![full.level, to_sql(full.index), full.bytes])?;
        }
        self.cached("UPDATE head SET size = ?1, time_ms = ?2, root = ?3")?.execute(params![
            to_sql(batch.head.size),
            batch.head.time.0,
            batch.head.root
        ])?;
        Ok(())
    }
}
