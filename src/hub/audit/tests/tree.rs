//! Entries, leaves, tiles and all that was said of the tree.

use xianjie_core::ids::{LedgerIndex, Time};
use xianjie_core::ledger::{Hash, NoteSigner};

use super::ledger::{self, Ledger};
use super::{audited, audited_with, copy, finds, has, said};

#[tokio::test]
async fn a_flipped_byte_of_a_record_is_found() {
    let mut copy = copy().await;
    let record = &mut copy.entries[ledger::VERDICT as usize].record;
    let last = record.len() - 1;
    record[last] ^= 1;
    let report = audited(&copy).await;
    has(&report, &["P5 2 the leaf does not commit to its record"]);
}

#[tokio::test]
async fn bytes_that_are_no_record_are_found() {
    let mut copy = copy().await;
    copy.entries[ledger::LAST as usize].record = vec![0xff];
    let report = audited(&copy).await;
    finds(
        &report,
        &[
            &format!("P5 {} the leaf does not commit to its record", ledger::LAST),
            &format!("P5 {} the record can't be read: not a LedgerRecord", ledger::LAST),
        ],
    );
}

#[tokio::test]
async fn a_flipped_byte_of_a_leaf_is_found() {
    let mut copy = copy().await;
    copy.entries[3].leaf[40] ^= 1;
    let report = audited(&copy).await;
    has(
        &report,
        &[
            "P5 3 the leaf does not commit to its record",
            "P5 a stored tile is not that of the leaves (level/index): 0/0",
            "P5 the head's root is not that of the leaves",
        ],
    );
}

#[tokio::test]
async fn a_leaf_that_goes_back_in_time_is_found() {
    let mut copy = copy().await;
    copy.times[10] = Time(1);
    copy.seal();
    finds(&audited(&copy).await, &["P5 10 the leaf is earlier than the one before it"]);
}

#[tokio::test]
async fn a_leaf_of_another_version_is_found() {
    let mut copy = copy().await;
    copy.entries[10].leaf[0] = 2;
    let said = said(&audited(&copy).await);
    assert_eq!(said[0], "P5 10 the leaf is malformed: leaf version 0x02 is unknown");
}

#[tokio::test]
async fn a_missing_entry_ends_the_audit() {
    let mut copy = copy().await;
    copy.entries.remove(4);
    let report = audited(&copy).await;
    finds(&report, &["P5 4 the entry is missing; the audit ends here"]);
    assert_eq!(report.records, 4);
}

#[tokio::test]
async fn an_entry_behind_the_head_is_found() {
    let mut copy = copy().await;
    let mut entry = copy.entries[ledger::LAST as usize].clone();
    entry.index = LedgerIndex(ledger::RECORDS);
    copy.entries.push(entry);
    finds(
        &audited(&copy).await,
        &[&format!("P5 {} an entry stands behind the head", ledger::RECORDS)],
    );
}

#[tokio::test]
async fn another_head_is_found() {
    let mut copy = copy().await;
    copy.head.root[0] ^= 1;
    copy.head.time.0 += 1;
    finds(
        &audited(&copy).await,
        &[
            "P5 the head's root is not that of the leaves",
            "P5 the head's time is not the last leaf's",
        ],
    );
}

#[tokio::test]
async fn a_swapped_or_missing_tile_is_found() {
    let mut copy = copy().await;
    copy.tiles.get_mut(&(0, 0)).unwrap().rotate_left(32);
    finds(
        &audited(&copy).await,
        &["P5 a stored tile is not that of the leaves (level/index): 0/0"],
    );
    copy.tiles.clear();
    finds(&audited(&copy).await, &["P5 a full tile is missing (level/index): 0/0"]);
}

#[tokio::test]
async fn what_was_published_must_be_there() {
    let ledger = Ledger::small().await;
    let (size, root) = ledger.root_at(3).await;
    let other = Hash([9; 32]);
    let store = &ledger.store;
    let report = audited_with(store, |parts| parts.floor = Some((size, other))).await;
    finds(&report, &["P5 2 the floor's root is not that of the leaves"]);
    let report = audited_with(store, |parts| parts.floor = Some((9999, root))).await;
    finds(&report, &["P5 the ledger stands below its floor"]);
    let said = |size, root| Some(ledger::sign(size, root));
    let report = audited_with(store, |parts| parts.checkpoint = said(size, other)).await;
    finds(&report, &["P5 2 the published checkpoint's root is not that of the leaves"]);
    let report = audited_with(store, |parts| parts.checkpoint = said(9999, root)).await;
    finds(&report, &["P5 more was published than the ledger holds"]);
    let report = audited_with(store, |parts| {
        parts.checkpoint = said(size, root);
        let another = NoteSigner::new(ledger::origin().as_str(), [8; 32]).unwrap();
        parts.verifiers = vec![another.verifier().clone()];
    });
    let words = "P5 the published checkpoint does not verify: \
                 the checkpoint's note does not verify";
    finds(&report.await, &[words]);
}
