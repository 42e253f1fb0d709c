//! Documents, deliveries and replies, each record against what was before it.

use xianjie_core::domain::record::{Effect, Kind, Settled};
use xianjie_core::ids::{InboxNumber, LedgerIndex};

use super::ledger::{self, Ledger};
use super::{audited, audited_with, copy, finds, has, said};

#[tokio::test]
async fn a_document_that_does_not_fit_is_found() {
    let mut copy = copy().await;
    let other = copy.entries[ledger::REPLY as usize].clone();
    let entry = &mut copy.entries[ledger::VERDICT as usize];
    entry.document_salt[0] ^= 1;
    finds(
        &audited(&copy).await,
        &["P1 2 the stored document does not fit the record's commitment"],
    );
    let entry = &mut copy.entries[ledger::VERDICT as usize];
    entry.document_salt = other.document_salt;
    entry.signed_document = other.signed_document;
    has(
        &audited(&copy).await,
        &[
            "P1 2 the stored document does not fit the record's commitment",
            "P2 2 the record names another document than the one stored",
            "P6 2 the signatures are not those that the record names",
            "P10 2 the record answers another document than the one stored says",
        ],
    );
    copy.entries[ledger::VERDICT as usize].signed_document = Vec::new();
    let said = self::said(&audited(&copy).await);
    assert_eq!(said[0], "P1 2 the document's bytes are not stored");
}

#[tokio::test]
async fn a_document_at_another_kind_of_record_is_found() {
    let mut copy = copy().await;
    let document = copy.entries[ledger::VERDICT as usize].signed_document.clone();
    copy.entries[ledger::ACKNOWLEDGED as usize].signed_document = document;
    finds(&audited(&copy).await, &["P1 4 a document is stored with a record of another kind"]);
}

#[tokio::test]
async fn a_missing_attachment_is_found() {
    let ledger = Ledger::small().await;
    let report = audited_with(&ledger.store, |parts| {
        parts.attachments = Some(&|_, _| Box::pin(async { Ok(vec![1]) }));
    });
    finds(&report.await, &["P1 2 an attachment is not held whole: attachments[1]"]);
}

#[tokio::test]
async fn a_document_that_is_recorded_twice_is_found() {
    let mut copy = copy().await;
    copy.change(ledger::REPLY, |record| {
        if let Kind::Document(taken) = &mut record.kind {
            taken.document = ledger::reference("yuexiu-court", 1);
        }
    });
    copy.seal();
    has(&audited(&copy).await, &["P2 5 a document of this sender and id was recorded before"]);
}

#[tokio::test]
async fn a_delivery_that_is_settled_without_a_word_is_found() {
    let mut copy = copy().await;
    copy.change(ledger::ACKNOWLEDGED, |record| {
        let settled = record.effects[0].clone();
        record.effects.push(settled);
        if let Effect::DeliverySettled { agency, number, .. } = &mut record.effects[0].effect {
            *agency = ledger::code("yuexiu-procuratorate");
            *number = InboxNumber(1);
        }
        let again = record.effects[0].clone();
        record.effects.push(again);
    });
    copy.seal();
    has(
        &audited(&copy).await,
        &[
            "P3 4 a delivery is settled that the statement does not name: yuexiu-procuratorate 1",
            "P3 4 a delivery is settled that was settled before: yuexiu-procuratorate 1",
        ],
    );
}

#[tokio::test]
async fn a_statement_that_settles_nothing_is_found() {
    let mut copy = copy().await;
    copy.change(ledger::REJECTED, |record| {
        if let Effect::DeliverySettled { how, .. } = &mut record.effects[0].effect {
            *how = Settled::Acknowledged;
        }
    });
    copy.seal();
    let said = said(&audited(&copy).await);
    let expected = "P3 6 a delivery is settled in a way that this kind of record can't: \
                    tianhe-police 1";
    assert_eq!(said[0], expected);
}

#[tokio::test]
async fn a_skipped_number_is_found() {
    let mut copy = copy().await;
    copy.change(ledger::REPLY, |record| {
        for ruled in &mut record.effects {
            if let Effect::DeliveryOpened { number, .. } = &mut ruled.effect {
                *number = InboxNumber(2);
            }
        }
    });
    copy.seal();
    has(
        &audited(&copy).await,
        &["P4 5 a number is not the next one: \
                    record 5: number 2 of yuexiu-court is not the next one"],
    );
}

#[tokio::test]
async fn an_addressee_that_does_not_exist_is_found() {
    let mut copy = copy().await;
    copy.change(ledger::REPLY, |record| {
        for ruled in &mut record.effects {
            if let Effect::DeliveryOpened { agency, .. } = &mut ruled.effect {
                *agency = ledger::code("nowhere");
            }
        }
    });
    copy.seal();
    let said = said(&audited(&copy).await);
    assert_eq!(said[0], "P7 5 an agency was not in the directory then: nowhere");
}

#[tokio::test]
async fn a_reply_to_what_is_not_before_it_is_found() {
    let mut copy = copy().await;
    copy.change(ledger::REPLY, |record| {
        if let Kind::Document(taken) = &mut record.kind {
            taken.in_reply_to = Some(LedgerIndex(ledger::REPLY));
        }
    });
    copy.seal();
    let said = said(&audited(&copy).await);
    assert_eq!(
        said[..2],
        [
            "P10 5 the record answers one that is not before it",
            "P10 5 the record answers another document than the one stored says",
        ]
    );
}

#[tokio::test]
async fn what_does_not_fit_stands_in_a_record_of_its_own_after_its_document() {
    let mut copy = copy().await;
    let flagged = copy.record(ledger::FLAGGED);
    copy.change(ledger::VERDICT, |record| record.effects.push(flagged.effects[0].clone()));
    copy.change(ledger::REJECTED + 1, |record| record.kind = flagged.kind.clone());
    copy.seal();
    has(
        &audited(&copy).await,
        &[
            "P7 2 a document's record tells its addressees what does not fit",
            "P9 7 what does not fit about a document does not stand right after it",
        ],
    );
}
