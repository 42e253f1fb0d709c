//! What is on stable storage: the ledger's entries, the state's rows, the tree's tiles. SQL stands
//! nowhere else.
//!
//! There is one writing transaction, [`Store::commit`]; each method is one transaction, and no
//! transaction leaves this folder. The contract that every database must keep is the suite in
//! `tests/it/store`.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use xianjie_core::domain::state::{Key, Row};
use xianjie_core::ids::{CaseRef, LedgerIndex, PersonKey, Time};

pub use xianjie_core::domain::state::{EntryHead, Loaded, Wants};

pub mod attachments;
mod space;
pub mod sqlite;

pub use space::{Reserve, Space};

/// How often one transaction asks its fold what it wants: a fold that is not content by then has a
/// defect. The longest chain is input, document, case, owed duties, duties, what they change.
pub const FOLD_ROUNDS: usize = 9;

/// The head of the ledger: what the writing transaction locks before it reads anything.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Head {
    /// How many records there are.
    pub size: u64,
    /// The last record's time: the next is not earlier.
    pub time: Time,
    /// The tree's root: a store whose tree is another than its head says is damaged.
    pub root: [u8; 32],
    /// Counts the fences passed: a database that was written without us shows here.
    pub epoch: u64,
}

/// One entry of the ledger, with all that its receipt needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its place.
    pub index: LedgerIndex,
    /// The leaf: 41 bytes.
    pub leaf: Vec<u8>,
    /// The record's salt.
    pub salt: [u8; 32],
    /// The document's salt; zeros if there is no document.
    pub document_salt: [u8; 32],
    /// The record, verbatim.
    pub record: Vec<u8>,
    /// For a document: the `SignedDocument`, verbatim; else empty.
    pub signed_document: Vec<u8>,
}

/// One full tile of the tree (C2SP tlog-tiles): 256 hashes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FullTile {
    /// The tile level.
    pub level: u8,
    /// Its place in that level.
    pub index: u64,
    /// 8,192 bytes.
    pub bytes: Vec<u8>,
}

/// What one transaction writes, all or nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Batch {
    /// New entries, in order, the first at the old head's size.
    pub entries: Vec<Arc<Entry>>,
    /// Rows that changed: the new row, or none if it is gone.
    pub rows: BTreeMap<Key, Option<Row>>,
    /// New links from a person to a case, kept outside the state (P9); one that exists stays.
    pub persons: Vec<(PersonKey, CaseRef)>,
    /// Tiles that became full.
    pub tiles: Vec<FullTile>,
    /// The new head (its epoch is the store's own affair).
    pub head: Head,
}

impl Batch {
    /// Checks that the batch continues the ledger at `head`: no gap, no step back in time. A fold
    /// that breaks this has a defect, and nothing of it may be written.
    ///
    /// # Errors
    /// [`StoreError::Fatal`].
    pub fn check_continues(&self, head: &Head) -> Result<(), StoreError> {
        let indexes = self.entries.iter().map(|entry| entry.index.0);
        let gapless = indexes.eq(head.size..self.head.size);
        if !gapless || self.head.time < head.time {
            return Err(StoreError::Fatal(format!(
                "a batch does not continue the ledger of {} records",
                head.size
            )));
        }
        Ok(())
    }
}

/// The first bytes after all that begin with `prefix`: with it, `prefix` bounds a scan. Some byte
/// of `prefix` is below 0xff, as every key's first is.
#[must_use]
pub fn prefix_end(prefix: &[u8]) -> Vec<u8> {
    let kept = prefix.iter().rposition(|byte| *byte < u8::MAX).map_or(0, |last| last + 1);
    let mut end = prefix[..kept].to_vec();
    if let Some(last) = end.last_mut() {
        *last += 1;
    }
    end
}

/// The pure middle of the writing transaction.
pub trait Fold: Send {
    /// Goes on with what is loaded: what must be loaded besides, or what to write. Asked again after
    /// each load, [`FOLD_ROUNDS`] times at most.
    fn step(&mut self, head: &Head, loaded: &Loaded) -> Step;
}

/// How a fold goes on.
#[derive(Debug)]
pub enum Step {
    /// This must be loaded first.
    Load(Wants),
    /// This is to be written; without entries the transaction ends and nothing is.
    Write(Arc<Batch>),
}

/// Why the store did not do it.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Nothing was written; it may work later: full, locked, away.
    #[error("the store can't write now: {0}")]
    Unavailable(String),
    /// It is not known whether it was written: pass the fence, then run it again.
    #[error("it is unknown whether the store wrote: {0}")]
    Unknown(String),
    /// The store is damaged, or the disk failed: the process must end and not try again.
    #[error("the store failed: {0}")]
    Fatal(String),
    /// The store's schema is of another version.
    #[error(
        "the store has schema {found}; this program reads from {min_reader} and writes {writer}: {help}"
    )]
    Schema {
        /// The store's version.
        found: i64,
        /// The oldest that this program reads.
        min_reader: i64,
        /// The one that this program writes.
        writer: i64,
        /// What to do.
        help: &'static str,
    },
    /// There is no store there, or there is one already.
    #[error("{0}")]
    Setup(String),
}

/// A page of rows in key order.
pub type RowPage = Vec<(Vec<u8>, Vec<u8>)>;

/// Stable storage.
#[async_trait]
pub trait Store: Send + Sync + 'static {
    /// The fence: returns only when everything visible is durable too. Passed before the first
    /// answer after any start, reconnect or unknown outcome.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn fence(&self) -> Result<Head, StoreError>;

    /// The one writing transaction: locks the head before any read, loads what `fold` wants, folds,
    /// writes, and returns when it is synced. `None`: the fold had nothing to write.
    ///
    /// Called from a task of the hub's own, on a thread that it may block. If the caller is dropped
    /// in the middle, the outcome is unknown, as with [`StoreError::Unknown`], but the store stays
    /// whole.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`]: nothing was written. [`StoreError::Unknown`]: pass the fence.
    async fn commit(&self, fold: &mut dyn Fold) -> Result<Option<Head>, StoreError>;

    /// The head as of now.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn head(&self) -> Result<Head, StoreError>;

    /// Reads on one snapshot.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn load(&self, wants: &Wants) -> Result<Loaded, StoreError>;

    /// Rows whose key bytes are at least `from` and less than `to`, in key order, at most `limit` and
    /// about [`PAGE_BYTES`](xianjie_core::limits::PAGE_BYTES). Only an empty page is the end.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn scan(&self, from: &[u8], to: &[u8], limit: usize) -> Result<RowPage, StoreError>;

    /// Links from persons to cases, in their order, the first at least `from`; at most `limit`. Only
    /// an empty page is the end.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn scan_persons(
        &self,
        from: (PersonKey, CaseRef),
        limit: usize,
    ) -> Result<Vec<(PersonKey, CaseRef)>, StoreError>;

    /// These entries, in order of index; one that does not exist is left out. However many bytes:
    /// who asks for many asks in pages.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn entries(&self, indexes: &[LedgerIndex]) -> Result<Vec<Entry>, StoreError>;

    /// Entries from `from` on, in order, at most `limit` and about
    /// [`PAGE_BYTES`](xianjie_core::limits::PAGE_BYTES). Only an empty page is the end.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn entries_from(&self, from: LedgerIndex, limit: usize)
    -> Result<Vec<Entry>, StoreError>;

    /// Leaves from `from` on, at most `limit`: 41 bytes each.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn leaves_from(
        &self,
        from: LedgerIndex,
        limit: usize,
    ) -> Result<Vec<Vec<u8>>, StoreError>;

    /// Full tiles, in the order asked; one that does not exist is none.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn tiles(&self, ids: &[(u8, u64)]) -> Result<Vec<Option<Vec<u8>>>, StoreError>;

    /// Bytes of the write-ahead log, for the alarm; zero where there is none.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn wal_bytes(&self) -> Result<u64, StoreError>;

    /// The room that it has. Cheap enough to be asked each second.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn space(&self) -> Result<Space, StoreError>;
}
