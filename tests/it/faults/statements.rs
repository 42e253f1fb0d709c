//! Any statement of the batch fails: the head is unchanged, nothing is visible. The disk fails: the
//! process ends.

use sqlx::ConnectOptions;
use sqlx::sqlite::SqliteConnectOptions;
use xianjie::hub::Fatal;
use xianjie::store::{Store, StoreError};
use xianjie_core::ids::LedgerIndex;

use super::faulty::{Fault, Op};
use super::running::{Running, index, is_later};
use crate::house::House;
use crate::people::{code, enrolment};

/// Each table that a batch writes, and how: the trigger makes that statement, and no other, fail.
const STATEMENTS: [&str; 5] =
    ["INSERT ON entry", "INSERT ON state", "INSERT ON person", "INSERT ON tile", "UPDATE ON head"];

#[tokio::test]
async fn a_statement_that_fails_leaves_nothing() {
    let house = House::found().await;
    fill_all_but_one_of_a_tile(&house).await;
    for statement in STATEMENTS {
        let house = house.killed();
        alter(&house, &format!("CREATE TRIGGER broken BEFORE {statement} BEGIN {RAISE} END")).await;
        let running = Running::start(&house).await;
        let before = running.hub.published();
        let enrolment = house.document("tianhe-corrections", enrolment());
        is_later(running.submit("tianhe-corrections", &enrolment).await);

        assert_eq!(running.size().await, before.size, "{statement}");
        let newest = running.sqlite.entries(&[LedgerIndex(before.size)]).await.unwrap();
        assert_eq!(newest, [], "{statement}");
        assert_eq!(running.hub.published().checkpoint, before.checkpoint);
        let ended = running.tasks.ended().await;
        assert!(matches!(ended, Err(Fatal::Store(_))), "{statement}: {ended:?}");
        drop((running.hub, running.store, running.sqlite));

        alter(&house, "DROP TRIGGER broken").await;
        let running = Running::start(&house).await;
        let taken = running.submit("tianhe-corrections", &enrolment).await.unwrap();
        assert_eq!(index(&taken), before.size, "{statement}: the retry is the next record");
        running.continues(&before).await;
        running.stop().await;
    }
}

const RAISE: &str = "SELECT RAISE(ABORT, 'told to fail');";

/// After a failed write or sync nobody may try again: callers are told "later", nothing more is
/// written, and the process ends. What comes next is the fence.
#[tokio::test]
async fn a_failed_disk_ends_the_hub() {
    let house = House::found().await;
    let running = Running::start(&house).await;
    running.store.fail(Op::Commit, Fault::Before(StoreError::Fatal));
    let ping = house.ping("yuexiu-court", &["tianhe-police"]);
    is_later(running.submit("yuexiu-court", &ping).await);
    let size = running.size().await;
    running.store.calls();

    let answer = running.submit("yuexiu-court", &ping).await;
    assert!(answer.is_err(), "a hub whose disk failed takes nothing");
    assert!(!running.store.calls().contains(&Op::Commit), "it must not write again");
    assert!(matches!(running.tasks.ended().await, Err(Fatal::Store(_))));
    drop((running.hub, running.store, running.sqlite));

    let running = Running::start(&house).await;
    assert_eq!(index(&running.submit("yuexiu-court", &ping).await.unwrap()), size);
    running.stop().await;
}

/// The disk fails in the fence that an unknown outcome demands.
#[tokio::test]
async fn a_failed_fence_ends_the_hub() {
    let house = House::found().await;
    let running = Running::start(&house).await;
    running.store.fail(Op::Commit, Fault::After(StoreError::Unknown));
    running.store.fail(Op::Fence, Fault::Before(StoreError::Fatal));
    let before = running.hub.published();
    let ping = house.ping("yuexiu-court", &["tianhe-police"]);
    is_later(running.submit("yuexiu-court", &ping).await);
    assert_eq!(running.hub.published().checkpoint, before.checkpoint, "nothing new was signed");
    assert!(matches!(running.tasks.ended().await, Err(Fatal::Store(_))));
}

/// A store that can't be read refuses, with nothing done, and goes on.
#[tokio::test]
async fn a_store_that_cannot_be_read_is_later() {
    let house = House::found().await;
    let running = Running::start(&house).await;
    let before = running.size().await;
    let ping = house.ping("yuexiu-court", &["tianhe-police"]);
    running.store.fail(Op::Commit, Fault::Before(StoreError::Unavailable));
    // Whether these bytes are known already can't be asked either.
    running.store.fail(Op::Load, Fault::Before(StoreError::Unavailable));
    is_later(running.submit("yuexiu-court", &ping).await);
    assert_eq!(running.store.faults_left(), 0);
    assert_eq!(running.size().await, before);
    running.store.fail(Op::Read, Fault::Before(StoreError::Unavailable));
    let agency = code("tianhe-police");
    is_later(running.hub.deliveries(&agency, Default::default(), false, 10).await);
    assert_eq!(index(&running.submit("yuexiu-court", &ping).await.unwrap()), before);
    running.stop().await;
}

/// The next record fills the ledger's first tile.
async fn fill_all_but_one_of_a_tile(house: &House) {
    let running = Running::start(house).await;
    while running.size().await < 255 {
        let ping = house.ping("yuexiu-court", &["tianhe-police"]);
        running.submit("yuexiu-court", &ping).await.unwrap();
    }
    running.stop().await;
}

async fn alter(house: &House, sql: &str) {
    let options = SqliteConnectOptions::new().filename(house.store_path());
    let mut connection = options.connect().await.unwrap();
    let sql = sqlx::AssertSqlSafe(sql.to_owned());
    sqlx::raw_sql(sql).execute(&mut connection).await.unwrap();
    sqlx::Connection::close(connection).await.unwrap();
}
