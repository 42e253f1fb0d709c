//! The store in one SQLite file (write-ahead log, `synchronous=FULL`): a county's hub, with nothing
//! to run beside it.
//!
//! One connection writes, a few read. The writer belongs to one transaction at a time and is put
//! back only if that ended well; after an error it is closed, which rolls back, and the next
//! transaction opens another. So no transaction is ever found open. A commit blocks the thread that
//! it is called on: the sequencer has one of its own.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use async_trait::async_trait;
use sqlx::sqlite::SqlitePoolOptions;
use sqlx::{ConnectOptions, SqlitePool};
use tokio::sync::Mutex;
use xianjie_core::ids::{CaseRef, LedgerIndex, Origin, PersonKey};

use super::{Entry, Fold, Head, Loaded, RowPage, Space, Store, StoreError, Wants};
use error::Failure;
use writer::Writer;

mod error;
mod files;
mod read;
mod schema;
mod settings;
mod writer;

/// What may be chosen about a store in SQLite.
#[derive(Debug, Clone, Copy)]
pub struct SqliteOptions {
    /// How many connections read.
    pub readers: u32,
    /// How many pages of 4,096 bytes the file may have: over it the store is full, as on a full
    /// disk. A file that is larger already does not grow.
    pub max_pages: u32,
}

impl Default for SqliteOptions {
    fn default() -> Self {
        Self { readers: 4, max_pages: settings::MAX_PAGES }
    }
}

/// The store in one SQLite file.
#[derive(Debug)]
pub struct Sqlite {
    path: PathBuf,
    origin: Origin,
    max_pages: AtomicU32,
    /// Absent while a transaction has it, and after one that failed.
    writer: Mutex<Option<Writer>>,
    readers: SqlitePool,
    /// Keeps other processes out. The last field: it goes after the connections.
    _lock: File,
}

impl Sqlite {
    /// Makes an empty store for the ledger `origin` at `path` and opens it. Only the hub's own user
    /// may read it.
    ///
    /// # Errors
    /// [`StoreError::Setup`] if there is one already, or the folder can't be written.
    pub async fn create(path: &Path, origin: &Origin) -> Result<Self, StoreError> {
        let lock = files::lock(path)?;
        schema::create(path, origin)?;
        Ok(Self::start(path, lock, SqliteOptions::default()).await?)
    }

    /// Opens the store at `path`; never makes one.
    ///
    /// # Errors
    /// [`StoreError::Setup`] if there is none, or another process has it;
    /// [`StoreError::Schema`] if it is of a version that this program can't use.
    pub async fn open(path: &Path) -> Result<Self, StoreError> {
        Self::open_with(path, SqliteOptions::default()).await
    }

    /// As [`open`](Self::open), with other than the default options.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub async fn open_with(path: &Path, options: SqliteOptions) -> Result<Self, StoreError> {
        if !path.is_file() {
            return Err(StoreError::Setup(format!(
                "{}: there is no store here; `init` makes one",
                path.display()
            )));
        }
        let lock = files::lock(path)?;
        Ok(Self::start(path, lock, options).await?)
    }

    async fn start(path: &Path, lock: File, options: SqliteOptions) -> Result<Self, Failure> {
        // Before anything may write: another program's file is left as it is.
        let origin = schema::check(settings::reader(path).connect().await?).await?;
        let writer = Writer::open(path, options.max_pages)?;
        let readers = SqlitePoolOptions::new()
            .min_connections(options.readers)
            .max_connections(options.readers)
            .idle_timeout(None)
            .max_lifetime(None)
            .test_before_acquire(false)
            .connect_with(settings::reader(path))
            .await?;
        Ok(Self {
            path: path.to_owned(),
            origin,
            max_pages: AtomicU32::new(options.max_pages),
            writer: Mutex::new(Some(writer)),
            readers,
            _lock: lock,
        })
    }

    /// Whose ledger it is.
    #[must_use]
    pub fn origin(&self) -> &Origin {
        &self.origin
    }

    /// Changes [`SqliteOptions::max_pages`] from the next transaction on.
    pub async fn set_max_pages(&self, max_pages: u32) {
        let mut writer = self.writer.lock().await;
        self.max_pages.store(max_pages, Ordering::Relaxed);
        *writer = None;
    }

    /// Whether the file is sound: what SQLite finds wrong, nothing if all is well. Reads the whole
    /// file.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn integrity_check(&self) -> Result<Vec<String>, StoreError> {
        let found: Vec<String> = sqlx::query_scalar("PRAGMA quick_check")
            .fetch_all(&self.readers)
            .await
            .map_err(Failure::from)?;
        Ok(found.into_iter().filter(|line| line != "ok").collect())
    }

    /// The writer, opened anew if the last one was given up.
    fn take(&self, slot: &mut Option<Writer>) -> Result<Writer, Failure> {
        match slot.take() {
            Some(writer) => Ok(writer),
            None => Writer::open(&self.path, self.max_pages.load(Ordering::Relaxed)),
        }
    }
}

#[async_trait]
impl Store for Sqlite {
    async fn fence(&self) -> Result<Head, StoreError> {
        let mut slot = self.writer.lock().await;
        let writer = self.take(&mut slot)?;
        let head = writer.checkpoint()?;
        *slot = Some(writer);
        Ok(head)
    }

    async fn commit(&self, fold: &mut dyn Fold) -> Result<Option<Head>, StoreError> {
        let mut slot = self.writer.lock().await;
        let writer = self.take(&mut slot)?;
        let head = writer.commit(fold)?;
        *slot = Some(writer);
        Ok(head)
    }

    async fn head(&self) -> Result<Head, StoreError> {
        let mut reader = self.readers.acquire().await.map_err(Failure::from)?;
        Ok(read::head(&mut reader).await?)
    }

    async fn load(&self, wants: &Wants) -> Result<Loaded, StoreError> {
        let task = tokio::spawn(read::load_snapshot(self.readers.clone(), wants.clone()));
        let loaded = task.await.map_err(|error| StoreError::Unavailable(error.to_string()))?;
        Ok(loaded?)
    }

    async fn scan(&self, from: &[u8], to: &[u8], limit: usize) -> Result<RowPage, StoreError> {
        Ok(read::scan(&self.readers, from, to, limit).await?)
    }

    async fn scan_persons(
        &self,
        from: (PersonKey, CaseRef),
        limit: usize,
    ) -> Result<Vec<(PersonKey, CaseRef)>, StoreError> {
        Ok(read::scan_persons(&self.readers, from, limit).await?)
    }

    async fn entries(&self, indexes: &[LedgerIndex]) -> Result<Vec<Entry>, StoreError> {
        Ok(read::entries(&self.readers, indexes).await?)
    }

    async fn entries_from(
        &self,
        from: LedgerIndex,
        limit: usize,
    ) -> Result<Vec<Entry>, StoreError> {
        Ok(read::entries_from(&self.readers, from, limit).await?)
    }

    async fn leaves_from(
        &self,
        from: LedgerIndex,
        limit: usize,
    ) -> Result<Vec<Vec<u8>>, StoreError> {
        Ok(read::leaves_from(&self.readers, from, limit).await?)
    }

    async fn tiles(&self, ids: &[(u8, u64)]) -> Result<Vec<Option<Vec<u8>>>, StoreError> {
        Ok(read::tiles(&self.readers, ids).await?)
    }

    async fn wal_bytes(&self) -> Result<u64, StoreError> {
        match tokio::fs::metadata(files::beside(&self.path, "-wal")).await {
            Ok(log) => Ok(log.len()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(0),
            Err(error) => Err(StoreError::Unavailable(error.to_string())),
        }
    }

    async fn space(&self) -> Result<Space, StoreError> {
        let disk = Space::of_disk(&self.path)
            .map_err(|error| StoreError::Unavailable(error.to_string()))?;
        let pages = read::pages_used(&self.readers).await?;
        let max_pages = u64::from(self.max_pages.load(Ordering::Relaxed));
        let total = max_pages * settings::PAGE_BYTES;
        let free = max_pages.saturating_sub(pages) * settings::PAGE_BYTES;
        Ok(Space { free: free.min(disk.free), total: total.min(disk.total) })
    }
}

#[cfg(test)]
mod tests;
