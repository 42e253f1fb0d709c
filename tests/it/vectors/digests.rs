//! Digests that stand in records: what a person, a judgment's number and a document that no second
//! one may repeat become. They are taken from a real decision about a case enrolment (存量入库).

use std::collections::{BTreeMap, BTreeSet};

use expect_test::expect_file;
use prost::Message as _;
use serde::Serialize;
use xianjie::wire::document::{person_key, read_document};
use xianjie::wire::pb;
use xianjie::wire::schema::Schema;
use xianjie::wire::time::write_time;
use xianjie_core::domain::agency::{Agency, Branch, Certificate, Kind, Level, Purpose};
use xianjie_core::domain::decide::{Decided, Decision, DocumentInput, Input, World, decide};
use xianjie_core::domain::directory::{Directory, Divisions};
use xianjie_core::domain::record::{self, CaseSet, DocumentTaken, Effect};
use xianjie_core::domain::reminders::Reminders;
use xianjie_core::domain::rulebook::Law;
use xianjie_core::domain::state::{Loaded, View};
use xianjie_core::ids::{CaseRef, Digest, LedgerIndex, Time};
use xianjie_core::ledger::Hash;
use xianjie_core::ledger::commitment::digest_commitment;

use super::{ORIGIN, TIME, check, document_id, hub, id, origin};

const SENDER: &str = "vector-corrections";
const CASE: CaseRef = CaseRef([0xca; 16]);
const SALT: [u8; 32] = [0x33; 32];
const SIGNER: Digest = Digest([0x44; 32]);
pub(super) const CASE_NUMBER: &str = "（2026）粤0106刑初示例1号";
/// A number with a right check digit, of nobody.
pub(super) const IDENTITY_NUMBER: &str = "440106199003150001";

#[derive(Serialize)]
struct Digests {
    about: &'static str,
    sender: &'static str,
    document_type: String,
    correction_case: String,
    case_number: &'static str,
    identity_kind: &'static str,
    identity_number: &'static str,
    document: String,
    document_salt: String,
    document_commitment: String,
    person_key: String,
    case_number_digest: String,
    unique_digest: String,
    refused: hub::Refused,
    notice_ids: Vec<hub::NoticeId>,
}

fn enrolment() -> Vec<u8> {
    let body = pb::CaseEnrolment {
        decision_organ: SENDER.to_owned(),
        registered_date: "2026-03-02".to_owned(),
        term_start_date: "2026-03-01".to_owned(),
        term_expiry_date: "2027-02-28".to_owned(),
        ..pb::CaseEnrolment::default()
    };
    pb::Document {
        document_id: document_id(3),
        ledger: ORIGIN.to_owned(),
        sender: SENDER.to_owned(),
        original_form: pb::OriginalForm::Electronic.into(),
        classification: pb::Classification::Unclassified.into(),
        create_time: Some(write_time(TIME)),
        case_number: CASE_NUMBER.to_owned(),
        subject: Some(pb::Subject {
            name: "示例（虚构）".to_owned(),
            identity_kind: pb::IdentityKind::ResidentId.into(),
            identity_number: IDENTITY_NUMBER.to_owned(),
            category: pb::Category::Probation.into(),
            juvenile: Some(false),
            ..pb::Subject::default()
        }),
        execution_place: "440106".to_owned(),
        body: Some(pb::document::Body::CaseEnrolment(body)),
        ..pb::Document::default()
    }
    .encode_to_vec()
}

fn directory() -> Directory {
    let mut directory = Directory::default();
    directory.put_agency(Agency {
        code: id(SENDER),
        name: SENDER.to_owned(),
        kind: Kind::CorrectionsAgency,
        level: Level::County,
        acts_at: BTreeSet::new(),
        branch: Branch::Local,
        serves: [id("440106")].into(),
        parent: None,
        supervised_by: None,
        social_credit_code: None,
        electronic_service: true,
        valid_from: Time(0),
        valid_until: None,
        successor: None,
        suspended: false,
        enrolment_until: Some(Time(TIME.0 + 1)),
    });
    directory.put_certificate(Certificate {
        digest: SIGNER,
        purpose: Purpose::Document(id(SENDER)),
        label: String::new(),
        der: Vec::new(),
        valid_from: Time(0),
        valid_until: Time(TIME.0 + 1),
        binding: LedgerIndex(0),
        revoked: None,
    });
    directory
}

/// Decides over a ledger that holds nothing yet: what is asked for is not there.
fn decided(payload: &[u8]) -> Decided {
    let heard = read_document(&Schema::built_in(), &origin(), payload).unwrap();
    let input = Input::Document(Box::new(DocumentInput {
        document: heard.document,
        signers: vec![SIGNER],
        fresh_case: CASE,
        salt: SALT,
        notice: None,
    }));
    let (law, divisions, directory) = (Law::built_in(), Divisions::built_in(), directory());
    let world = World {
        directory: &directory,
        divisions: &divisions,
        law: &law,
        reminders: Reminders::default(),
        time: TIME,
        index: LedgerIndex(1),
        commit_document: |salt, digest| Digest(digest_commitment(salt, &Hash(digest.0)).0),
    };
    let mut loaded = Loaded::default();
    loop {
        let view = View::new(&loaded);
        let decision = decide(&view, &world, &input);
        let missing = view.take_missing();
        if missing.is_empty() {
            match decision.unwrap() {
                Decision::Record(decided) => return *decided,
                Decision::Known(_) => panic!("an empty ledger knows nothing"),
            }
        }
        loaded.extend(Loaded {
            rows: missing.keys.into_iter().map(|key| (key, None)).collect(),
            ranges: missing.ranges.into_iter().map(|range| (range, Vec::new())).collect(),
            entries: BTreeMap::new(),
            persons: missing.persons.into_iter().map(|person| (person, Vec::new())).collect(),
        });
    }
}

fn case_number_digest(decided: &Decided) -> Digest {
    let digest = decided.record.effects.iter().find_map(|ruled| match &ruled.effect {
        Effect::CaseSet { case: CASE, set: CaseSet::Number(digest) } => Some(*digest),
        _ => None,
    });
    digest.unwrap()
}

fn taken(decided: &Decided) -> &DocumentTaken {
    match &decided.record.kind {
        record::Kind::Document(taken) => taken,
        other => panic!("not a document's record: {other:?}"),
    }
}

#[test]
fn digests_in_records_are_those_of_the_file() {
    let payload = enrolment();
    let decided = decided(&payload);
    let taken = taken(&decided);
    let person = person_key(pb::IdentityKind::ResidentId, IDENTITY_NUMBER);
    assert_eq!(decided.link, Some((person, CASE)));
    let vectors = Digests {
        about: "Digests as docs/formats.md defines them, in hexadecimal, from a decision about the \
                document given. The identity number is nobody's.",
        sender: SENDER,
        document_type: taken.document_type.to_string(),
        correction_case: CASE.to_string(),
        case_number: CASE_NUMBER,
        identity_kind: pb::IdentityKind::ResidentId.as_str_name(),
        identity_number: IDENTITY_NUMBER,
        document: hex::encode(&payload),
        document_salt: hex::encode(SALT),
        document_commitment: taken.commitment.to_string(),
        person_key: hex::encode(person.0),
        case_number_digest: case_number_digest(&decided).to_string(),
        unique_digest: taken.unique.unwrap().to_string(),
        refused: hub::refused(&payload),
        notice_ids: hub::notice_ids(),
    };
    check(&vectors, &expect_file!["../../vectors/digests.json"]);
}
