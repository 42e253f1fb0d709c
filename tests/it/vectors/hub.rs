//! Digests that the hub itself makes: of a refused document, and the id of a notice. The vectors are
//! computed here from their definitions, and a running hub must agree with these.

use serde::Serialize;
use serde_json::{Value, json};
use xianjie::hub::Hub;
use xianjie::wire::record::decode;
use xianjie_core::domain::record::{DocumentTaken, Kind, Notice, RefusedItem};
use xianjie_core::ids::{Digest, DocumentId, LedgerIndex, Origin};
use xianjie_core::ledger;

use super::{digests, id, origin, sha256};
use crate::house::{self, House, code};

const COURT: &str = "yuexiu-court";

#[derive(Serialize)]
pub(super) struct Refused {
    document: String,
    salt: String,
    salted_digest: String,
}

#[derive(Serialize)]
pub(super) struct NoticeId {
    origin: String,
    index: u64,
    kind: u8,
    digest: String,
    document_id: String,
}

pub(super) fn refused(document: &[u8]) -> Refused {
    let salt = [0x66; 32];
    Refused {
        document: hex::encode(document),
        salt: hex::encode(salt),
        salted_digest: refused_digest(&salt, document).to_string(),
    }
}

pub(super) fn notice_ids() -> Vec<NoticeId> {
    let make = |(index, notice): (u64, Notice)| NoticeId {
        origin: origin().to_string(),
        index,
        kind: notice as u8,
        digest: hex::encode(notice_digest(&origin(), index, notice)),
        document_id: notice_id(&origin(), index, notice).to_string(),
    };
    [(7, Notice::Contradiction), (70_000, Notice::Rejected)].map(make).into()
}

fn refused_digest(salt: &[u8; 32], document: &[u8]) -> Digest {
    let digest = ledger::sha256(&[b"xianjie/refused/v1\0", salt, &sha256(document).0]);
    Digest(digest.0)
}

fn notice_digest(origin: &Origin, index: u64, notice: Notice) -> [u8; 32] {
    let origin = origin.as_str().as_bytes();
    let parts: [&[u8]; 4] = [b"xianjie/notice/v1\0", origin, &index.to_be_bytes(), &[notice as u8]];
    ledger::sha256(&parts).0
}

fn notice_id(origin: &Origin, index: u64, notice: Notice) -> DocumentId {
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&notice_digest(origin, index, notice)[..16]);
    bytes[..6].copy_from_slice(&index.to_be_bytes()[2..]);
    bytes[6] = bytes[6] & 0x0f | 0x70;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    DocumentId(bytes)
}

/// The kind of the newest record.
async fn newest(hub: &Hub) -> (u64, Kind) {
    let index = hub.published().size - 1;
    let entry = hub.entry(LedgerIndex(index)).await.unwrap();
    (index, decode(&entry.record).unwrap().kind)
}

/// A verdict without any of the attachments that belong to it: taken, and flagged.
fn bare_verdict() -> Value {
    json!({
        "case_number": digests::CASE_NUMBER,
        "decision_date": "2026-11-02",
        "issue_date": "2026-11-20",
        "effective_date": "2026-11-17",
        "execution_place": "440106",
        "subject": {
            "name": "示例（虚构）",
            "identity_kind": "IDENTITY_KIND_RESIDENT_ID",
            "identity_number": digests::IDENTITY_NUMBER,
            "category": "CATEGORY_PROBATION",
            "juvenile": false,
        },
        "verdict_handover": {
            "judgment": { "charges": ["盗窃罪"], "penalty": "拘役二个月，缓刑四个月" },
            "term_start_date": "2026-11-17",
            "term_expiry_date": "2027-03-16",
            "notice_signed_date": "2026-11-17",
        },
    })
}

#[tokio::test]
async fn a_refused_document_is_noted_by_its_salted_digest() {
    let house = House::found().await;
    let (hub, tasks) = house.open(house.store().await).await.unwrap();
    let nobody = house.ping(COURT, &["no-such-agency"]);
    hub.submit(&code(COURT), nobody.clone()).await.unwrap_err();
    hub.write_refusals().await;
    let (_, Kind::Refusals(refusals)) = newest(&hub).await else { panic!("no refusals") };
    let [RefusedItem { salt, digest, .. }] = &refusals.items[..] else { panic!("not one") };
    assert_eq!(*digest, refused_digest(salt, &nobody.payload));
    drop(hub);
    tasks.ended().await.unwrap();
}

#[tokio::test]
async fn the_id_of_a_notice_follows_from_what_it_tells_of() {
    let house = House::found().await;
    let (hub, tasks) = house.open(house.store().await).await.unwrap();
    let verdict = house.document(COURT, bare_verdict());
    hub.submit(&code(COURT), verdict).await.unwrap();
    let (index, _) = newest(&hub).await;
    assert_eq!(hub.send_notices().await.unwrap(), 1);
    let (_, Kind::Document(notice)) = newest(&hub).await else { panic!("no notice") };
    let DocumentTaken { document, notice, .. } = *notice;
    assert_eq!(notice, Some((LedgerIndex(index), Notice::Contradiction)));
    assert_eq!(document.id, notice_id(&house::origin(), index, Notice::Contradiction));
    drop(hub);
    tasks.ended().await.unwrap();
}

#[test]
fn a_notice_has_an_id_like_any_document() {
    for vector in notice_ids() {
        let parsed: DocumentId = id(&vector.document_id);
        assert_eq!(parsed.to_string(), vector.document_id);
    }
}
