//! The contract on SQLite, and what only SQLite promises.

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use sqlx::ConnectOptions;
use sqlx::sqlite::SqliteConnectOptions;
use tempfile::TempDir;
use xianjie::store::sqlite::{Sqlite, SqliteOptions};
use xianjie::store::{Batch, Head, Store, StoreError, Wants};
use xianjie_core::domain::state::{Key, Row};
use xianjie_core::ids::{LedgerIndex, Origin};

use super::making::{Script, batch, commit, delivery_key, entry, inbox};
use super::{Database, store_contract};

struct InFolder {
    store: Arc<Sqlite>,
    folder: TempDir,
}

impl Database for InFolder {
    async fn fresh() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = Sqlite::create(&path(&folder), &origin()).await.unwrap();
        Self { store: Arc::new(store), folder }
    }

    async fn reopened(self) -> Self {
        let Self { store, folder } = self;
        drop(store);
        let store = Sqlite::open(&path(&folder)).await.unwrap();
        Self { store: Arc::new(store), folder }
    }

    fn store(&self) -> Arc<dyn Store> {
        self.store.clone()
    }
}

store_contract!(InFolder);

#[tokio::test]
async fn open_never_creates() {
    let folder = tempfile::tempdir().unwrap();
    let error = Sqlite::open(&path(&folder)).await.unwrap_err();
    assert!(matches!(&error, StoreError::Setup(why) if why.contains("init")), "{error}");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[tokio::test]
async fn create_never_replaces() {
    let database = InFolder::fresh().await;
    commit(&*database.store, 1, []).await.unwrap();
    drop(database.store);
    let path = path(&database.folder);
    let error = Sqlite::create(&path, &origin()).await.unwrap_err();
    assert!(matches!(&error, StoreError::Setup(why) if why.contains("exists")), "{error}");
    assert_eq!(Sqlite::open(&path).await.unwrap().head().await.unwrap().size, 1);
}

/// A crash in the middle of `create` leaves files that are not the store.
#[tokio::test]
async fn create_works_after_an_interrupted_one() {
    let folder = tempfile::tempdir().unwrap();
    for ending in [".new", ".new-wal", ".new-journal"] {
        std::fs::write(folder.path().join(format!("hub.db{ending}")), "torn").unwrap();
    }
    Sqlite::open(&path(&folder)).await.unwrap_err();
    let store = Sqlite::create(&path(&folder), &origin()).await.unwrap();
    assert_eq!(store.head().await.unwrap(), Head::default());
}

#[tokio::test]
async fn another_file_is_refused_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = path(&folder);
    std::fs::write(&path, b"").unwrap();
    let error = Sqlite::open(&path).await.unwrap_err();
    assert!(matches!(error, StoreError::Setup(_)), "{error}");
    assert_eq!(std::fs::read(&path).unwrap(), b"");
    let text = "no database at all, just some text. ".repeat(100);
    std::fs::write(&path, &text).unwrap();
    Sqlite::open(&path).await.unwrap_err();
    assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
}

#[tokio::test]
async fn a_second_opener_is_refused() {
    let database = InFolder::fresh().await;
    let error = Sqlite::open(&path(&database.folder)).await.unwrap_err();
    assert!(matches!(&error, StoreError::Setup(why) if why.contains("another process")), "{error}");
    database.reopened().await;
}

#[tokio::test]
async fn the_origin_is_kept() {
    let database = InFolder::fresh().await.reopened().await;
    assert_eq!(*database.store.origin(), origin());
}

#[tokio::test]
async fn only_the_owner_may_read_the_files() {
    let database = InFolder::fresh().await;
    commit(&*database.store, 1, []).await.unwrap();
    let mut names = Vec::new();
    for file in std::fs::read_dir(database.folder.path()).unwrap() {
        let file = file.unwrap();
        let mode = file.metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{:?}", file.path());
        names.push(file.file_name().into_string().unwrap());
    }
    names.sort();
    assert_eq!(names, ["hub.db", "hub.db-shm", "hub.db-wal", "hub.db.lock"]);
}

#[tokio::test]
async fn schemas_that_do_not_fit_are_refused() {
    let too_old = open_with_meta(0, 0, 0).await.unwrap_err();
    assert!(matches!(too_old, StoreError::Schema { found: 0, .. }), "{too_old}");
    let unreadable = open_with_meta(3, 2, 2).await.unwrap_err();
    assert!(matches!(unreadable, StoreError::Schema { found: 3, .. }), "{unreadable}");
    let unwritable = open_with_meta(2, 1, 2).await.unwrap_err();
    assert!(matches!(unwritable, StoreError::Schema { found: 2, .. }), "{unwritable}");
    assert_ne!(unreadable.to_string().split_once(": "), unwritable.to_string().split_once(": "));
    open_with_meta(2, 1, 1).await.unwrap();
}

async fn open_with_meta(schema: i64, min_reader: i64, min_writer: i64) -> Result<(), StoreError> {
    let InFolder { store, folder } = InFolder::fresh().await;
    drop(store);
    let sql = format!(
        "UPDATE meta SET schema = {schema}, min_reader = {min_reader}, min_writer = {min_writer}"
    );
    alter(&path(&folder), sql).await;
    Sqlite::open(&path(&folder)).await.map(drop)
}

/// Full in the middle of a batch: nothing of it is there, reads go on, and with room it works again
/// without a restart.
#[tokio::test]
async fn a_full_store_is_unavailable_and_whole() {
    let InFolder { store, folder } = InFolder::fresh().await;
    drop(store);
    let options = SqliteOptions { max_pages: 40, ..SqliteOptions::default() };
    let store = Sqlite::open_with(&path(&folder), options).await.unwrap();
    commit(&store, 2, [(Key::Hub, Some(inbox(1)))]).await.unwrap();
    let rows: BTreeMap<_, _> =
        (1..=9999).map(|number| (delivery_key("court-1", number), Some(inbox(number)))).collect();
    let large = |head: &Head| Batch { rows: rows.clone(), ..batch(head, 10) };

    for _ in 0..3 {
        let error = store.commit(&mut Script::writing(large)).await.unwrap_err();
        assert!(matches!(error, StoreError::Unavailable(_)), "{error}");
        assert_eq!(store.head().await.unwrap().size, 2);
        assert_eq!(store.scan(&[], &[0xff], 10).await.unwrap().len(), 1);
        assert_eq!(store.entries_from(LedgerIndex(0), 10).await.unwrap().len(), 2);
    }
    // What needs no room is written still.
    assert_eq!(commit(&store, 1, [(Key::Hub, None)]).await.unwrap().unwrap().size, 3);

    store.set_max_pages(4000).await;
    let head = store.commit(&mut Script::writing(large)).await.unwrap().unwrap();
    assert_eq!(head.size, 13);
    assert_eq!(store.fence().await.unwrap(), head);
    assert_eq!(store.integrity_check().await.unwrap(), Vec::<String>::new());
}

/// Another writer on the file, past our lock: a wait, then "later", and no harm.
#[tokio::test]
async fn a_locked_store_is_unavailable() {
    let database = InFolder::fresh().await;
    let mut other = connect(&path(&database.folder)).await;
    sqlx::query("BEGIN IMMEDIATE").execute(&mut other).await.unwrap();
    let error = commit(&*database.store, 1, []).await.unwrap_err();
    assert!(matches!(error, StoreError::Unavailable(_)), "{error}");
    sqlx::query("ROLLBACK").execute(&mut other).await.unwrap();
    assert_eq!(commit(&*database.store, 1, []).await.unwrap().unwrap().size, 1);
}

#[tokio::test]
async fn the_fence_empties_the_log_or_says_why_not() {
    let database = InFolder::fresh().await;
    let store = &database.store;
    commit(&**store, 10, []).await.unwrap();
    assert!(store.wal_bytes().await.unwrap() > 0);

    let mut reader = connect(&path(&database.folder)).await;
    sqlx::query("BEGIN").execute(&mut reader).await.unwrap();
    sqlx::query("SELECT size FROM head").execute(&mut reader).await.unwrap();
    commit(&**store, 1, []).await.unwrap();
    let error = store.fence().await.unwrap_err();
    assert!(matches!(error, StoreError::Unavailable(_)), "{error}");

    sqlx::query("COMMIT").execute(&mut reader).await.unwrap();
    assert_eq!(store.fence().await.unwrap().size, 11);
    assert_eq!(store.wal_bytes().await.unwrap(), 0);
}

/// Rows and entries that this program did not write end the hub; they are never skipped.
#[tokio::test]
async fn damage_is_fatal() {
    let InFolder { store, folder } = InFolder::fresh().await;
    commit(&*store, 1, [(Key::Hub, Some(Row::Entry))]).await.unwrap();
    drop(store);
    alter(&path(&folder), "UPDATE state SET row = x'ffff'; UPDATE head SET size = 0".into()).await;
    let store = Sqlite::open(&path(&folder)).await.unwrap();
    let wants = Wants { keys: [Key::Hub].into(), ..Wants::default() };
    let error = store.load(&wants).await.unwrap_err();
    assert!(matches!(error, StoreError::Fatal(_)), "{error}");
    let error = commit(&store, 1, []).await.unwrap_err();
    assert!(matches!(error, StoreError::Fatal(_)), "{error}");
    assert_eq!(store.entries(&[LedgerIndex(0)]).await.unwrap(), [entry(0)]);
}

async fn alter(path: &Path, sql: String) {
    sqlx::raw_sql(sqlx::AssertSqlSafe(sql)).execute(&mut connect(path).await).await.unwrap();
}

async fn connect(path: &Path) -> sqlx::SqliteConnection {
    SqliteConnectOptions::new().filename(path).connect().await.unwrap()
}

fn path(folder: &TempDir) -> PathBuf {
    folder.path().join("hub.db")
}

fn origin() -> Origin {
    "hub.example/ledger/1".parse().unwrap()
}
