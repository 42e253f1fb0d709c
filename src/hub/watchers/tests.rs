use futures::FutureExt as _;

use super::*;
use crate::store::sqlite::Sqlite;

async fn store(folder: &tempfile::TempDir) -> Arc<dyn Store> {
    let origin = "hub.test.demo/ledger/1".parse().unwrap();
    Arc::new(Sqlite::create(&folder.path().join("ledger.db"), &origin).await.unwrap())
}

#[tokio::test]
async fn an_agency_has_so_many_places_and_another_has_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let (store, watchers) = (store(&folder).await, Watchers::default());
    let sit_down = |agency: &str| watchers.sit_down(agency.parse().unwrap(), Arc::clone(&store));
    let mut seated: Vec<_> = (0..limits::WATCHERS).map(|_| sit_down("a").unwrap()).collect();
    assert_eq!(sit_down("a").err(), Some(Reason::Quota));
    sit_down("b").unwrap();
    seated.pop();
    sit_down("a").unwrap();
    drop(seated);
    assert!(watchers.seats.lock().unwrap().is_empty(), "whoever left is remembered");
}

#[tokio::test]
async fn few_read_at_a_time_and_in_turn() {
    let folder = tempfile::tempdir().unwrap();
    let (store, watchers) = (store(&folder).await, Watchers::default());
    let sit_down = |agency: &str| watchers.sit_down(agency.parse().unwrap(), Arc::clone(&store));
    let (a, b) = (sit_down("a").unwrap(), sit_down("b").unwrap());
    let readers = u32::try_from(limits::WATCHERS_READING).unwrap();
    let mut turns = watchers.turns.acquire_many(readers).await.unwrap();
    let (mut first, mut second) = (a.page(LedgerIndex(0)), b.page(LedgerIndex(0)));
    assert!((&mut first).now_or_never().is_none());
    assert!((&mut second).now_or_never().is_none());
    drop(turns.split(1));
    // The one turn is the first's, whoever asks.
    assert!((&mut second).now_or_never().is_none());
    assert_eq!(first.await.unwrap(), []);
    assert_eq!(second.await.unwrap(), []);
}
