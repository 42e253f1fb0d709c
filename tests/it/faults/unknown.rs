//! COMMIT: not persisted, or persisted and the answer lost. A retry of the same bytes gets one
//! record, whichever it was, and nothing is answered before the fence.

use std::time::Duration;

use xianjie::hub::Settlement;
use xianjie::store::StoreError;
use xianjie_core::domain::decide::RevocationsInput;
use xianjie_core::domain::record::Revocations;
use xianjie_core::ids::{Digest, InboxNumber, LedgerIndex};

use super::faulty::{Fault, Op};
use super::running::{Running, index, is_later};
use crate::house::House;
use crate::people::{NOW, code};

const FROM: &str = "yuexiu-court";
const TO: &str = "tianhe-police";

#[tokio::test]
async fn a_commit_that_was_not_made_is_made_by_the_retry() {
    for fault in [Fault::Before(StoreError::Unavailable), Fault::Before(StoreError::Unknown)] {
        let house = House::found().await;
        let running = Running::start(&house).await;
        let before = running.hub.published();
        let ping = house.ping(FROM, &[TO]);
        running.store.fail(Op::Commit, fault);
        is_later(running.submit(FROM, &ping).await);
        assert_eq!(running.hub.published().checkpoint, before.checkpoint, "{fault:?}");
        assert_eq!(running.inbox(TO).await, []);

        let taken = running.submit(FROM, &ping).await.unwrap();
        assert_eq!(index(&taken), before.size, "{fault:?}");
        assert!(taken.entry.is_some());
        assert_eq!(running.inbox(TO).await, [(1, before.size)]);
        running.stop().await;
    }
}

#[tokio::test]
async fn a_commit_whose_answer_was_lost_is_found_by_the_retry() {
    let house = House::found().await;
    let running = Running::start(&house).await;
    let before = running.hub.published();
    let ping = house.ping(FROM, &[TO]);
    running.store.fail(Op::Commit, Fault::After(StoreError::Unknown));
    let first = running.submit(FROM, &ping).await;
    let calls = running.store.calls();
    let commit = calls.iter().position(|op| *op == Op::Commit).unwrap();
    assert_eq!(calls[commit + 1], Op::Fence, "nothing comes before the fence");
    // The first answer may be the record already, or "later"; the retry's is the record.
    if let Ok(answer) = first {
        assert_eq!(index(&answer), before.size);
    }
    let again = running.submit(FROM, &ping).await.unwrap();
    assert!(again.entry.is_none(), "no second record");
    assert_eq!(index(&again), before.size);
    assert_eq!(running.size().await, before.size + 1);
    assert_eq!(running.inbox(TO).await, [(1, before.size)]);
    running.receipt(&house, before.size).await;
    running.continues(&before).await;
    running.stop().await;
}

/// A revocation list is asked about again until it is recorded: one record, whatever happened.
#[tokio::test]
async fn a_revocation_list_is_recorded_once() {
    for fault in [
        Fault::Before(StoreError::Unavailable),
        Fault::Before(StoreError::Unknown),
        Fault::After(StoreError::Unknown),
    ] {
        let house = House::found().await;
        let running = Running::start(&house).await;
        let size = running.size().await;
        let certificate = running.hub.directory().certificates().next().unwrap().digest;
        let said = RevocationsInput {
            list: Revocations {
                issuer: Digest([1; 32]),
                number: vec![1],
                list: Digest([2; 32]),
                this_update: NOW,
                next_update: None,
            },
            certificates: [(certificate, None)].into(),
        };
        running.store.fail(Op::Commit, fault);
        is_later(running.hub.revoke_listed(said.clone()).await);
        for _ in 0..2 {
            running.hub.revoke_listed(said.clone()).await.unwrap();
        }
        assert_eq!(running.size().await, size + 1, "{fault:?}");
        let directory = running.hub.directory();
        assert!(directory.certificate(&certificate).unwrap().revoked.is_some());
        running.stop().await;
    }
}

/// Other documents that wait meanwhile get their records after the fence, gapless.
#[tokio::test]
async fn what_waits_behind_an_unknown_outcome_is_answered() {
    let house = House::found().await;
    let running = Running::start(&house).await;
    running.store.fail(Op::Commit, Fault::After(StoreError::Unknown));
    for _ in 0..3 {
        running.store.fail(Op::Fence, Fault::Before(StoreError::Unavailable));
    }
    let pings: Vec<_> = (0..20).map(|_| house.ping(FROM, &[TO])).collect();
    let answers =
        futures::future::join_all(pings.iter().map(|ping| running.submit(FROM, ping))).await;
    assert_eq!(running.store.faults_left(), 0);
    let mut indexes = Vec::new();
    for (ping, answer) in pings.iter().zip(answers) {
        let again = index(&running.submit(FROM, ping).await.unwrap());
        if let Ok(answer) = answer {
            assert_eq!(index(&answer), again);
        }
        indexes.push(again);
    }
    let inbox = running.inbox(TO).await;
    indexes.sort_unstable();
    let expected: Vec<(u64, u64)> = (1..).zip(indexes).collect();
    assert_eq!(inbox, expected);
    running.stop().await;
}

/// Who listens to the inbox learns of a delivery whose commit had an unknown outcome.
#[tokio::test]
async fn a_listener_is_woken_after_an_unknown_outcome() {
    let house = House::found().await;
    let running = Running::start(&house).await;
    let mut ear = running.hub.bell().listen(&code(TO)).unwrap();
    running.store.fail(Op::Commit, Fault::After(StoreError::Unknown));
    let ping = house.ping(FROM, &[TO]);
    let _ = running.submit(FROM, &ping).await;
    running.submit(FROM, &ping).await.unwrap();
    assert_eq!(running.inbox(TO).await.len(), 1);
    let woken = tokio::time::timeout(Duration::from_secs(1), ear.wait()).await;
    assert!(woken.is_ok(), "the delivery is there, and its listener sleeps on");
    running.stop().await;
}

#[tokio::test]
async fn an_acknowledgement_is_recorded_once() {
    let faults = [
        Fault::Before(StoreError::Unavailable),
        Fault::Before(StoreError::Unknown),
        Fault::After(StoreError::Unknown),
    ];
    for fault in faults {
        let house = House::found().await;
        let running = Running::start(&house).await;
        running.submit(FROM, &house.ping(FROM, &[TO])).await.unwrap();
        let inbox = running.commitments(TO).await;
        let items = inbox.iter().map(|(number, _, commitment)| (*number, *commitment)).collect();
        let statement = house.acknowledgement(TO, items);
        let before = running.size().await;

        running.store.fail(Op::Commit, fault);
        is_later(running.hub.acknowledge(&code(TO), statement.clone()).await);
        for _ in 0..2 {
            let settled = running.hub.acknowledge(&code(TO), statement.clone()).await.unwrap();
            let settled: Vec<_> = settled.iter().map(settlement).collect();
            assert_eq!(settled, [(vec![InboxNumber(1)], LedgerIndex(before))], "{fault:?}");
        }
        assert_eq!(running.size().await, before + 1, "{fault:?}: one record");
        let state = running.hub.inbox_state(&code(TO)).await.unwrap();
        assert_eq!((state.last.0, state.unsettled), (1, 0));
        running.stop().await;
    }
}

/// The receipt was lost on its way to the sender: the retry's opens the same record with the same
/// salts, now and after a restart.
#[tokio::test]
async fn a_lost_receipt_comes_again() {
    let house = House::found().await;
    let running = Running::start(&house).await;
    let ping = house.ping(FROM, &[TO]);
    let first = index(&running.submit(FROM, &ping).await.unwrap());
    let opening = running.receipt(&house, first).await;
    let again = running.submit(FROM, &ping).await.unwrap();
    assert_eq!((index(&again), again.entry.is_none()), (first, true));
    running.submit(FROM, &house.ping(FROM, &[TO])).await.unwrap();
    let inbox = running.inbox(TO).await;
    running.stop().await;

    let running = Running::start(&house).await;
    let again = running.submit(FROM, &ping).await.unwrap();
    assert_eq!((index(&again), again.entry.is_none()), (first, true));
    assert_eq!(running.receipt(&house, first).await, opening);
    assert_eq!(running.inbox(TO).await, inbox, "redelivered under the same numbers");
    running.stop().await;
}

fn settlement(settlement: &Settlement) -> (Vec<InboxNumber>, LedgerIndex) {
    (settlement.numbers.clone(), settlement.index)
}
