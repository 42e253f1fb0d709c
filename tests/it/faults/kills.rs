//! The process dies between two writes.

use xianjie::hub::OpenError;
use xianjie::store::{Store, StoreError};

use super::faulty::{Fault, FaultyStore, Op};
use super::running::{Running, index};
use crate::house::House;
use crate::people::code;

const FROM: &str = "yuexiu-court";
const TO: &str = "tianhe-police";

/// Committed, but killed before the head was signed: the restart signs that head, twice the same
/// text, and the retry gets that record.
#[tokio::test]
async fn a_head_that_was_committed_unsigned_is_signed_by_the_restart() {
    let house = House::found().await;
    let running = Running::start(&house).await;
    let before = running.hub.published();
    let ping = house.ping(FROM, &[TO]);
    running.store.fail(Op::Commit, Fault::Killed);
    assert!(running.unless_killed(running.submit(FROM, &ping)).await.is_none());

    // Visible in the store, but neither signed nor shown to anybody.
    assert_eq!(running.size().await, before.size + 1);
    assert_eq!(running.hub.published().checkpoint, before.checkpoint);
    assert_eq!(running.inbox(TO).await, []);

    let mut checkpoints = Vec::new();
    for _ in 0..2 {
        let house = house.killed();
        let restarted = Running::start(&house).await;
        assert_eq!(restarted.hub.published().size, before.size + 1);
        checkpoints.push(restarted.hub.published().checkpoint.to_string());
        restarted.continues(&before).await;
        let again = restarted.submit(FROM, &ping).await.unwrap();
        assert_eq!((index(&again), again.entry.is_none()), (before.size, true));
        assert_eq!(restarted.inbox(TO).await, [(1, before.size)]);
        restarted.receipt(&house, before.size).await;
        restarted.stop().await;
    }
    assert_eq!(checkpoints[0], checkpoints[1]);
}

/// An acknowledgement was committed, and the hub killed before it answered.
#[tokio::test]
async fn an_acknowledgement_outlives_the_hub() {
    let house = House::found().await;
    let running = Running::start(&house).await;
    running.submit(FROM, &house.ping(FROM, &[TO])).await.unwrap();
    let inbox = running.commitments(TO).await;
    let items = inbox.iter().map(|(number, _, commitment)| (*number, *commitment)).collect();
    let statement = house.acknowledgement(TO, items);
    let before = running.size().await;
    running.store.fail(Op::Commit, Fault::Killed);
    let to = code(TO);
    let answer = running.hub.acknowledge(&to, statement.clone());
    assert!(running.unless_killed(answer).await.is_none());

    let house = house.killed();
    let restarted = Running::start(&house).await;
    let state = restarted.hub.inbox_state(&code(TO)).await.unwrap();
    assert_eq!((state.last.0, state.unsettled), (1, 0));
    let settled = restarted.hub.acknowledge(&code(TO), statement).await.unwrap();
    assert_eq!(settled.len(), 1);
    assert_eq!(settled[0].index.0, before);
    restarted.stop().await;
}

/// What a kill left in the write-ahead log is visible on reopening without ever having been synced:
/// it is in the synced file before the hub answers anything.
#[tokio::test]
async fn what_is_visible_is_made_durable_before_any_answer() {
    let house = House::found().await;
    let running = Running::start(&house).await;
    let ping = house.ping(FROM, &[TO]);
    let first = index(&running.submit(FROM, &ping).await.unwrap());
    assert!(running.sqlite.wal_bytes().await.unwrap() > 0);

    let house = house.killed();
    let sqlite = house.store().await;
    assert!(sqlite.wal_bytes().await.unwrap() > 0, "the log is as the kill left it");
    let store = FaultyStore::over(sqlite.clone());
    let (hub, tasks) = house.open(store.clone()).await.unwrap();
    assert_eq!(store.calls()[0], Op::Fence);
    assert_eq!(sqlite.wal_bytes().await.unwrap(), 0);
    let again = hub.submit(&code(FROM), ping).await.unwrap();
    assert_eq!(index(&again), first);
    drop(hub);
    tasks.ended().await.unwrap();
}

/// While the fence can't be passed, the hub does not open.
#[tokio::test]
async fn no_hub_opens_before_its_fence() {
    let house = House::found().await;
    let store = FaultyStore::over(house.store().await);
    for error in [StoreError::Unavailable, StoreError::Unknown, StoreError::Fatal] {
        store.fail(Op::Fence, Fault::Before(error));
        let opened = house.open(store.clone()).await.map(drop);
        assert!(matches!(opened, Err(OpenError::Store(_))), "{opened:?}");
        assert_eq!(store.calls(), [Op::Fence], "nothing is asked after it");
    }
    let (hub, tasks) = house.open(store).await.unwrap();
    drop(hub);
    tasks.ended().await.unwrap();
}
