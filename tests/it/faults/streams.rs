//! One client's stream of documents, and a write that fails in the middle of it: none that stands
//! behind is taken before it (P10).

use serde_json::json;
use xianjie::hub::{Answer, Lane};
use xianjie::store::StoreError;
use xianjie::wire::signature::Signed;
use xianjie_core::refusal::Refusal;

use super::faulty::{Fault, Op};
use super::running::{Running, index, is_later};
use crate::house::House;
use crate::people::code;

const FROM: &str = "yuexiu-court";
const TO: &str = "tianhe-police";

/// Hands in a document that was read and verified, as a stream does.
async fn hand_in(running: &Running, ping: &Signed, lane: &Lane) -> Result<Answer, Refusal> {
    let prepared = running.hub.prepare(&code(FROM), ping.clone()).await;
    running.hub.hand_in(&prepared, lane).await
}

#[tokio::test]
async fn none_overtakes_what_could_not_be_committed() {
    for fault in [Fault::Before(StoreError::Unavailable), Fault::Before(StoreError::Unknown)] {
        let house = House::found().await;
        let running = Running::start(&house).await;
        let pings = [0; 3].map(|_| house.ping(FROM, &[TO]));
        let before = running.size().await;
        running.store.fail(Op::Commit, fault);
        let lane = Lane::default();
        for ping in &pings {
            is_later(hand_in(&running, ping, &lane).await);
        }
        assert_eq!(running.size().await, before, "{fault:?}");
        assert!(lane.is_broken());

        // Another stream goes on, and a new one takes them in their order.
        let other = house.ping(FROM, &[TO]);
        assert_eq!(index(&hand_in(&running, &other, &Lane::default()).await.unwrap()), before);
        let lane = Lane::default();
        for (ping, place) in pings.iter().zip(before + 1..) {
            assert_eq!(index(&hand_in(&running, ping, &lane).await.unwrap()), place, "{fault:?}");
        }
        // What has its receipt gets it again, whatever becomes of the stream.
        running.store.fail(Op::Commit, fault);
        is_later(hand_in(&running, &house.ping(FROM, &[TO]), &lane).await);
        assert_eq!(index(&hand_in(&running, &pings[0], &lane).await.unwrap()), before + 1);
        running.stop().await;
    }
}

/// They stand in the queue together, when the store fails under the first.
#[tokio::test]
async fn none_of_those_that_wait_overtakes() {
    let house = House::found().await;
    let running = Running::start(&house).await;
    let before = running.size().await;
    running.store.fail(Op::Commit, Fault::Before(StoreError::Unavailable));
    let lane = Lane::default();
    let pings: Vec<Signed> = (0..32).map(|_| house.ping(FROM, &[TO])).collect();
    let answers = pings.iter().map(|ping| hand_in(&running, ping, &lane));
    futures::future::join_all(answers).await.into_iter().for_each(is_later);
    assert_eq!(running.size().await, before);
    running.stop().await;
}

/// It can't even be verified now: the store does not say whether the checkpoint that it has seen is
/// the ledger's.
#[tokio::test]
async fn none_overtakes_what_could_not_be_verified() {
    let house = House::found().await;
    let running = Running::start(&house).await;
    let seen = running.hub.published();
    for _ in 0..2 {
        running.submit(FROM, &house.ping(FROM, &[TO])).await.unwrap();
    }
    let first = json!({
        "chosen_agencies": [TO],
        "ping": {},
        "seen": { "size": seen.size.to_string(), "root": base64(&seen.root.0) },
    });
    let first = house.document(FROM, first);
    running.store.fail(Op::Read, Fault::Before(StoreError::Unavailable));
    let lane = Lane::default();
    is_later(hand_in(&running, &first, &lane).await);
    assert_eq!(running.store.faults_left(), 0);
    is_later(hand_in(&running, &house.ping(FROM, &[TO]), &lane).await);
    hand_in(&running, &first, &Lane::default()).await.unwrap();
    running.stop().await;
}

fn base64(bytes: &[u8]) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(bytes)
}
