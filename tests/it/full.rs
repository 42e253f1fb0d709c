//! A full store: the hub says "later", loses nothing, and goes on by itself once there is room.

use std::sync::Arc;

use xianjie::hub::Lane;
use xianjie::store::sqlite::{Sqlite, SqliteOptions};
use xianjie::store::{Reserve, Store as _};
use xianjie_core::ids::{Digest, InboxNumber, LedgerIndex};
use xianjie_core::ledger::{Leaf, receipt};
use xianjie_core::refusal::{Advice, Reason};

use crate::house::House;
use crate::people::code;

const FROM: &str = "yuexiu-court";
const TO: &str = "tianhe-police";
/// Pages of 4,096 bytes that the store may grow by.
const ROOM: u64 = 24;

#[tokio::test]
async fn a_full_store_says_later_and_goes_on_by_itself() {
    let house = House::found().await;
    let store = nearly_full(&house).await;
    let (hub, tasks) = house.open(store.clone()).await.unwrap();
    let mut taken = Vec::new();
    let (refused, refusal) = loop {
        let ping = house.ping(FROM, &[TO]);
        match hub.submit(&code(FROM), ping.clone()).await {
            Ok(answer) => taken.push((ping, answer.entry.unwrap().0.index)),
            Err(refusal) => break (ping, refusal),
        }
        assert!(taken.len() < 10_000, "it is never full");
    };
    assert_eq!((refusal.reason(), refusal.advice()), (Reason::StoreUnavailable, Advice::Resend));
    assert!(refusal.retry_after_seconds > 0);
    assert!(!taken.is_empty());

    // Nothing is half-written, what was taken is there, and retries get their receipts.
    let size = hub.published().size;
    for _ in 0..3 {
        hub.submit(&code(FROM), refused.clone()).await.unwrap_err();
        assert_eq!(store.head().await.unwrap().size, size);
    }
    assert_eq!(store.integrity_check().await.unwrap(), Vec::<String>::new());
    for (ping, index) in &taken {
        let again = hub.submit(&code(FROM), ping.clone()).await.unwrap();
        assert_eq!(again.known, [*index]);
    }
    let inbox = hub.deliveries(&code(TO), InboxNumber(0), false, 1000).await.unwrap();
    let indexes: Vec<LedgerIndex> = inbox.iter().map(|d| d.entry.index).collect();
    assert_eq!(indexes, taken.iter().map(|(_, index)| *index).collect::<Vec<_>>());

    // An acknowledgement is taken, or later; it is never half-taken.
    let leaf = Leaf::parse(&inbox[0].entry.leaf).unwrap();
    let items = vec![(inbox[0].number, Digest(leaf.commitment.0))];
    let statement = house.acknowledgement(TO, items);
    let was_taken = match hub.acknowledge(&code(TO), statement.clone()).await {
        Ok(_) => true,
        Err(refusal) => {
            assert_eq!(refusal.reason(), Reason::StoreUnavailable);
            false
        }
    };
    let state = hub.inbox_state(&code(TO)).await.unwrap();
    assert_eq!(state.unsettled, taken.len() as u64 - u64::from(was_taken));

    // With room the same bytes are taken, without a restart.
    store.set_max_pages(u32::MAX - 1).await;
    let before = hub.published();
    let answer = hub.submit(&code(FROM), refused).await.unwrap();
    let (entry, _) = answer.entry.unwrap();
    assert_eq!(entry.index.0, before.size);
    let settled = hub.acknowledge(&code(TO), statement).await.unwrap();
    assert_eq!(settled[0].numbers, [inbox[0].number]);
    let parts = hub.published().receipt(&*store, &entry).await.unwrap();
    receipt::verify(&parts, &[house.signer().verifier().clone()]).unwrap();
    assert_eq!(hub.published().root_at(&*store, before.size).await.unwrap(), before.root);
    drop(hub);
    tasks.ended().await.unwrap();
}

/// Documents leave the last of the room to what must not wait, and go on once there is more.
#[tokio::test]
async fn the_reserve_is_for_what_is_signed_for() {
    let house = House::found().await;
    let store = nearly_full(&house).await;
    let reserve = Reserve::Bytes(ROOM / 2 * 4096);
    let (hub, tasks) = house.open_with(store.clone(), reserve).await.unwrap();
    let mut taken = Vec::new();
    let waiting = loop {
        let ping = house.ping(FROM, &[TO]);
        match hub.submit(&code(FROM), ping.clone()).await {
            Ok(answer) => taken.push((ping, answer.entry.unwrap().0.index)),
            Err(refusal) => {
                assert_eq!(refusal.reason(), Reason::StoreUnavailable);
                assert!(refusal.retry_after_seconds > 0);
                break ping;
            }
        }
        hub.measure_room().await.unwrap();
    };
    assert!(hub.measure_room().await.unwrap());
    assert!(!taken.is_empty() && hub.free_bytes() > 0);
    let lane = Lane::default();
    let prepared = hub.prepare(&code(FROM), waiting.clone()).await;
    assert!(hub.hand_in(&prepared, &lane).await.is_err(), "nor by a stream");

    // What has its receipt gets it, and what is delivered can be signed for.
    let (ping, index) = &taken[0];
    assert_eq!(hub.submit(&code(FROM), ping.clone()).await.unwrap().known, [*index]);
    let inbox = hub.deliveries(&code(TO), InboxNumber(0), false, 1000).await.unwrap();
    for delivered in &inbox {
        let leaf = Leaf::parse(&delivered.entry.leaf).unwrap();
        let items = vec![(delivered.number, Digest(leaf.commitment.0))];
        hub.acknowledge(&code(TO), house.acknowledgement(TO, items)).await.unwrap();
    }

    store.set_max_pages(u32::MAX - 1).await;
    assert!(!hub.measure_room().await.unwrap());
    hub.submit(&code(FROM), waiting).await.unwrap();
    drop(hub);
    tasks.ended().await.unwrap();
}

/// The hub is restarted while its store is full: it opens, serves what is there, and takes no more.
#[tokio::test]
async fn a_hub_opens_over_a_full_store() {
    let house = House::found().await;
    let store = nearly_full(&house).await;
    let (hub, tasks) = house.open(store.clone()).await.unwrap();
    let mut last = None;
    loop {
        let ping = house.ping(FROM, &[TO]);
        match hub.submit(&code(FROM), ping.clone()).await {
            Ok(answer) => last = answer.entry.map(|(entry, _)| (ping, entry.index)),
            Err(_) => break,
        }
    }
    let published = hub.published();
    drop(hub);
    tasks.ended().await.unwrap();
    drop(store);

    let (ping, index) = last.unwrap();
    let (hub, tasks) = house.open(without_room(&house).await).await.unwrap();
    assert_eq!(hub.published().checkpoint, published.checkpoint);
    assert_eq!(hub.submit(&code(FROM), ping).await.unwrap().known, [index]);
    drop(hub);
    tasks.ended().await.unwrap();
}

/// The store with room for some records more.
async fn nearly_full(house: &House) -> Arc<Sqlite> {
    let pages = std::fs::metadata(house.store_path()).unwrap().len() / 4096;
    open(house, u32::try_from(pages + ROOM).unwrap()).await
}

/// The store with no page more than it has.
async fn without_room(house: &House) -> Arc<Sqlite> {
    let pages = std::fs::metadata(house.store_path()).unwrap().len() / 4096;
    open(house, u32::try_from(pages).unwrap()).await
}

async fn open(house: &House, max_pages: u32) -> Arc<Sqlite> {
    let options = SqliteOptions { max_pages, ..SqliteOptions::default() };
    Arc::new(Sqlite::open_with(&house.store_path(), options).await.unwrap())
}
