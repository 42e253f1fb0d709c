//! The floor: a store that stands below, or beside, what was published never goes on under its
//! origin.

use std::time::Duration;

use serde_json::json;
use xianjie::hub::OpenError;
use xianjie::store::Store;
use xianjie_core::ledger::Hash;
use xianjie_core::refusal::{Advice, Reason};

use super::running::{Running, index};
use crate::house::{House, copy_store};

const FROM: &str = "yuexiu-court";
const TO: &str = "tianhe-police";

/// Below the head, or at it: the hub opens. Above it, or with another root: it does not, and says
/// what to do.
#[tokio::test]
async fn a_floor_must_be_part_of_the_ledger() {
    let house = House::found().await;
    let running = Running::start(&house).await;
    let below = running.hub.published();
    running.submit(FROM, &house.ping(FROM, &[TO])).await.unwrap();
    let head = running.hub.published();
    running.stop().await;

    for (size, root) in [(below.size, below.root), (head.size, head.root)] {
        house.floor().raise(size, &root).unwrap();
        Running::start(&house).await.stop().await;
    }
    let other = Hash([9; 32]);
    for (size, root) in [(head.size + 1, other), (head.size, other), (below.size, other)] {
        house.floor().raise(size, &root).unwrap();
        let error = refused(&house).await;
        assert!(matches!(error, OpenError::BelowFloor { .. }), "{size}: {error}");
        assert!(error.to_string().contains("restore the newest backup"), "{error}");
    }
}

/// Without a floor the guard is weaker, not wrong: the hub opens and raises it again, never above
/// what it published.
#[tokio::test]
async fn a_missing_floor_is_made_again() {
    let house = House::found().await;
    let _ = std::fs::remove_file(house.floor_path());
    let running = Running::start(&house).await;
    running.submit(FROM, &house.ping(FROM, &[TO])).await.unwrap();
    let published = running.hub.published();
    for _ in 0..50 {
        tokio::time::sleep(Duration::from_millis(100)).await;
        let floor = house.floor().read().unwrap();
        assert!(floor.is_none_or(|(size, _)| size <= published.size));
        if floor == Some((published.size, published.root)) {
            running.stop().await;
            return;
        }
    }
    panic!("the floor was not raised within five seconds");
}

/// A kill while the floor was raised leaves a torn file beside it, and the old floor.
#[tokio::test]
async fn a_torn_floor_beside_the_floor_harms_nothing() {
    let house = House::found().await;
    let running = Running::start(&house).await;
    let published = running.hub.published();
    running.stop().await;
    house.floor().raise(published.size, &published.root).unwrap();
    std::fs::write(house.floor_path().with_extension("floor.new"), "99").unwrap();
    Running::start(&house).await.stop().await;
    assert_eq!(house.floor().read().unwrap(), Some((published.size, published.root)));

    std::fs::write(house.floor_path(), "no floor").unwrap();
    let error = refused(&house).await;
    assert!(matches!(error, OpenError::Floor(_)), "{error}");
}

/// An old backup under a newer floor.
#[tokio::test]
async fn a_restore_behind_the_published_head_does_not_open() {
    let house = House::found().await;
    let running = Running::start(&house).await;
    let backup = house.killed();
    let mut seen = running.hub.published();
    for _ in 0..3 {
        running.submit(FROM, &house.ping(FROM, &[TO])).await.unwrap();
        seen = running.hub.published();
    }
    running.stop().await;
    // An orderly end leaves it at what was published last, however short ago that was.
    assert_eq!(house.floor().read().unwrap(), Some((seen.size, seen.root)));
    copy_store(&backup.store_path(), &house.store_path());
    let error = refused(&house).await;
    let OpenError::BelowFloor { size, floor } = error else { panic!("{error}") };
    assert!(size < floor);
    assert_eq!(floor, seen.size);

    // Its floor lost too, the hub opens; whoever saw the newer checkpoint shows what happened.
    std::fs::remove_file(house.floor_path()).unwrap();
    let running = Running::start(&house).await;
    let size = running.size().await;
    let fields = json!({
        "chosen_agencies": [TO],
        "ping": {},
        "seen": { "size": seen.size.to_string(), "root": seen.root.to_base64() },
    });
    let refusal = running.submit(FROM, &house.document(FROM, fields)).await.unwrap_err();
    assert_eq!((refusal.reason(), refusal.advice()), (Reason::SeenMismatch, Advice::AskOperator));
    assert!(running.hub.troubles().has_seen_mismatch());
    assert_eq!(running.size().await, size);
    running.stop().await;
}

/// What a signer has seen of this ledger, at any size, is no contradiction.
#[tokio::test]
async fn every_earlier_checkpoint_fits() {
    let house = House::found().await;
    let running = Running::start(&house).await;
    for _ in 0..4 {
        let seen = running.hub.published();
        let fields = json!({
            "chosen_agencies": [TO],
            "ping": {},
            "seen": { "size": seen.size.to_string(), "root": seen.root.to_base64() },
        });
        running.submit(FROM, &house.ping(FROM, &[TO])).await.unwrap();
        let answer = running.submit(FROM, &house.document(FROM, fields)).await.unwrap();
        assert_eq!(index(&answer), seen.size + 1);
    }
    running.stop().await;
}

async fn refused(house: &House) -> OpenError {
    let store = house.store().await;
    let size = store.head().await.unwrap().size;
    let Err(error) = house.open(store.clone()).await else { panic!("it opened") };
    assert_eq!(store.head().await.unwrap().size, size, "nothing was written");
    error
}
