//! A good document is read whole; everything that is wrong with a bad one is named.

use std::sync::LazyLock;

use expect_test::expect;
use jiff::civil::date;
use proptest::prelude::*;
use serde_json::{Value, json};
use xianjie_core::domain::document::{Category, Fact};
use xianjie_core::ids::Origin;
use xianjie_core::limits;
use xianjie_core::refusal::Reason;

use super::{Heard, Seen, digest, person_key, read_document};
use crate::wire::json::document_from_json;
use crate::wire::pb::IdentityKind;
use crate::wire::schema::Schema;

/// The built-in schema, made once: a property test asks for it thousands of times.
pub(in crate::wire) static SCHEMA: LazyLock<Schema> = LazyLock::new(Schema::built_in);

const SAMPLE: &str = include_str!("tests/sample.json");

fn origin() -> Origin {
    "hub.demo/ledger/1".parse().unwrap()
}

fn sample() -> Value {
    serde_json::from_str(SAMPLE).unwrap()
}

/// A good document's bytes.
pub(in crate::wire) fn sample_bytes() -> Vec<u8> {
    document_from_json(&SCHEMA, &sample()).unwrap()
}

fn heard(json: &Value) -> Result<Heard, Vec<(Reason, String)>> {
    let bytes = document_from_json(&SCHEMA, json).unwrap();
    read_document(&SCHEMA, &origin(), &bytes).map_err(|refusal| {
        refusal.violations.into_iter().map(|wrong| (wrong.reason, wrong.field)).collect()
    })
}

#[test]
fn a_good_document_is_read_whole() {
    let heard = heard(&sample()).unwrap();
    let document = &heard.document;
    assert_eq!(document.id.to_string(), "01932f4e-7a3b-7c4d-8e5f-0123456789ab");
    assert_eq!(document.sender.as_str(), "yuexiu-court");
    assert_eq!(document.kind.as_str(), "verdict_handover");
    assert_eq!(document.digest, digest(&sample_bytes()));
    assert_eq!(document.execution_place.as_ref().unwrap().as_str(), "440106");
    assert_eq!(document.chosen[0].as_str(), "tianhe-corrections");
    assert_eq!(document.after[0].sender.as_str(), "yuexiu-court");
    assert_eq!(document.attachments[0].size, 1024);
    assert_eq!(document.attachments[0].kind, "判决书");
    assert_eq!(heard.create_time.0, 1_795_482_000_123);
    assert_eq!(heard.seen, Some(Seen { size: 12, root: [7; 32] }));

    let subject = document.subject.as_ref().unwrap();
    assert_eq!(subject.category, Some(Category::Probation));
    assert_eq!(subject.juvenile, Some(false));
    // Of the resident ID, stated or not.
    assert_eq!(subject.born, Some(jiff::civil::date(1949, 12, 31)));
    let key = person_key(IdentityKind::ResidentId, "11010519491231002X");
    assert_eq!(subject.person, Some(key));
}

#[test]
fn facts_are_what_the_law_reads_and_hold_no_prose() {
    let document = heard(&sample()).unwrap().document;
    let fact = |name| document.fact(name).cloned();
    assert_eq!(fact("case_number"), Some(Fact::Text("（2026）粤0104刑初1号".to_owned())));
    assert_eq!(fact("term_expiry_date"), Some(Fact::Date(date(2028, 12, 1))));
    assert_eq!(fact("original_form"), Some(Fact::Word("electronic".to_owned())));
    assert_eq!(fact("assessment_adopted"), Some(Fact::Bool(true)));
    assert!(matches!(fact("custodian"), Some(Fact::Agency(_))));
    assert!(matches!(fact("execution_place"), Some(Fact::Place(_))));
    for prose in ["signatory", "handled_by", "judgment", "name", "penalty"] {
        assert_eq!(fact(prose), None, "{prose}");
    }
    for path in ["subject", "subject.name", "judgment.charges", "attachments.name", "signatory"] {
        assert!(document.present.contains(path), "{path}");
    }
    assert!(!document.present.contains("contact"), "an empty message is left out of the file");
    assert!(!document.present.contains("file_holder"));
}

/// The sample with the value at a JSON pointer replaced.
fn changed(pointer: &str, value: Value) -> Value {
    let mut json = sample();
    *json.pointer_mut(pointer).unwrap() = value;
    json
}

#[test]
fn each_wrong_field_is_named_with_its_reason() {
    let later = "01932f4e-7a3b-4c4d-8e5f-0123456789ab";
    let table = [
        ("/document_id", json!(later), Reason::Format, "document_id"),
        ("/document_id", json!(""), Reason::Required, "document_id"),
        ("/ledger", json!("other.demo/ledger/1"), Reason::WrongLedger, "ledger"),
        ("/sender", json!("Court"), Reason::Format, "sender"),
        ("/sender", json!(" "), Reason::Required, "sender"),
        ("/create_time", json!(null), Reason::Required, "create_time"),
        ("/create_time", json!("0101-01-01T00:00:00Z"), Reason::ImpossibleDate, "create_time"),
        ("/original_form", json!(""), Reason::Required, "original_form"),
        ("/classification", json!(""), Reason::Required, "classification"),
        ("/decision_date", json!("2026-02-30"), Reason::ImpossibleDate, "decision_date"),
        ("/decision_date", json!("20260201"), Reason::Format, "decision_date"),
        ("/execution_place", json!("广州"), Reason::Format, "execution_place"),
        ("/case_number", json!("1\n"), Reason::Format, "case_number"),
        ("/signatory", json!("a\u{0}"), Reason::Format, "signatory"),
        ("/chosen_agencies/0", json!("A"), Reason::Format, "chosen_agencies[0]"),
        ("/after_documents/0/sender", json!(""), Reason::Required, "after_documents[0].sender"),
        ("/seen/root", json!("AAAA"), Reason::Format, "seen.root"),
        ("/verdict_handover/custodian", json!("监狱"), Reason::Format, "custodian"),
        (
            "/verdict_handover/term_expiry_date",
            json!("2028-13-01"),
            Reason::ImpossibleDate,
            "term_expiry_date",
        ),
    ];
    for (pointer, value, reason, field) in table {
        let wrong = heard(&changed(pointer, value)).unwrap_err();
        assert_eq!(wrong, [(reason, field.to_owned())], "{pointer}");
    }
}

#[test]
fn identity_numbers_are_checked_by_kind() {
    let table = [
        ("RESIDENT_ID", "110105194912310021", Some(Reason::CheckDigit)),
        ("RESIDENT_ID", "11010519491331002X", Some(Reason::ImpossibleDate)),
        ("RESIDENT_ID", "1101051949123100", Some(Reason::Format)),
        ("RESIDENT_ID", "", Some(Reason::Required)),
        ("PASSPORT", "E12345678", None),
        ("PASSPORT", "e12345678", Some(Reason::Format)),
        ("HONG_KONG_MACAO_TAIWAN_PERMIT", "H12345678", None),
        ("PERMANENT_RESIDENCE", "110105194912310021", Some(Reason::CheckDigit)),
        ("SELF_REPORTED_NAME", "E12345678", Some(Reason::Format)),
        ("SELF_REPORTED_NAME", "", None),
    ];
    for (kind, number, reason) in table {
        let mut json = changed("/subject/identity_number", json!(number));
        json["subject"]["identity_kind"] = json!(format!("IDENTITY_KIND_{kind}"));
        let expected = reason.map(|reason| vec![(reason, "subject.identity_number".to_owned())]);
        assert_eq!(heard(&json).err(), expected, "{kind} {number}");
    }
    let no_kind = changed("/subject/identity_kind", json!(""));
    let expected = [(Reason::Required, "subject.identity_kind".to_owned())];
    assert_eq!(heard(&no_kind).unwrap_err(), expected);
}

#[test]
fn the_key_of_a_person_never_changes() {
    let key = person_key(IdentityKind::ResidentId, "11010519491231002X");
    expect!["96885841f456c03b4ae6b76e873646864dde8be7565cad4bb37808f40c0da15c"]
        .assert_eq(&hex::encode(key.0));
}

#[test]
fn birth_dates_that_cannot_be_are_named() {
    let expected = [(Reason::ImpossibleDate, "subject.birth_date".to_owned())];
    let other = changed("/subject/birth_date", json!("1949-12-30"));
    assert_eq!(heard(&other).unwrap_err(), expected);
    let mut unborn = changed("/subject/birth_date", json!("2026-12-01"));
    unborn["subject"]["identity_kind"] = json!("IDENTITY_KIND_SELF_REPORTED_NAME");
    unborn["subject"]["identity_number"] = json!("");
    assert_eq!(heard(&unborn).unwrap_err(), expected);
}

#[test]
fn attachments_are_checked() {
    let table = [
        ("name", json!(""), Reason::Required),
        ("name", json!("../a.pdf"), Reason::Format),
        ("name", json!(".."), Reason::Format),
        ("media_type", json!("application/zip"), Reason::AttachmentUnfit),
        ("size_bytes", json!("0"), Reason::AttachmentUnfit),
        ("size_bytes", json!(limits::ATTACHMENT_BYTES + 1), Reason::AttachmentUnfit),
        ("sha256", json!("AAAA"), Reason::AttachmentUnfit),
    ];
    for (field, value, reason) in table {
        let wrong = heard(&changed(&format!("/attachments/0/{field}"), value)).unwrap_err();
        assert_eq!(wrong, [(reason, format!("attachments[0].{field}"))]);
    }
    let one = sample()["attachments"][0].clone();
    let many = changed("/attachments", vec![one; limits::ATTACHMENTS + 1].into());
    assert_eq!(heard(&many).unwrap_err(), [(Reason::TooLarge, "attachments".to_owned())]);
}

#[test]
fn everything_wrong_is_named_at_once() {
    let mut json = changed("/decision_date", json!("2026-02-30"));
    json["sender"] = json!("");
    json["verdict_handover"]["custodian"] = json!("监狱");
    let fields: Vec<_> = heard(&json).unwrap_err().into_iter().map(|(_, field)| field).collect();
    assert_eq!(fields, ["decision_date", "custodian", "sender"]);
}

#[test]
fn a_document_needs_a_body_and_may_have_an_empty_one() {
    let mut json = sample();
    json.as_object_mut().unwrap().remove("verdict_handover");
    assert_eq!(heard(&json).unwrap_err(), [(Reason::Required, "body".to_owned())]);
    json["ping"] = json!({});
    assert_eq!(heard(&json).unwrap().document.kind.as_str(), "ping");
}

#[test]
fn classified_documents_are_refused_for_that_alone() {
    let classified = [(Reason::Classified, "classification".to_owned())];
    let mut json = changed("/classification", json!("CLASSIFICATION_SECRET"));
    json["sender"] = json!("");
    assert_eq!(heard(&json).unwrap_err(), classified);

    let refused = |bytes: &[u8]| read_document(&SCHEMA, &origin(), bytes).unwrap_err().reason();
    // Set twice, the second time to a classification; and one that the schema does not know, before
    // bytes that break off.
    let twice = [sample_bytes(), vec![0x40, 0x04]].concat();
    assert_eq!(refused(&twice), Reason::Classified);
    assert_eq!(refused(&[0x40, 0x63, 0x0a, 0x7f]), Reason::Classified);
}

#[test]
fn a_document_over_its_size_is_refused() {
    let json = changed("/verdict_handover/judgment/penalty", json!("刑".repeat(100_000)));
    assert_eq!(heard(&json).unwrap_err(), [(Reason::TooLarge, String::new())]);
}

proptest! {
    #[test]
    fn changed_documents_are_read_or_refused(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
    ) {
        let mut bytes = sample_bytes();
        for (place, byte) in changes {
            let place = place.index(bytes.len());
            bytes[place] = byte;
        }
        match read_document(&SCHEMA, &origin(), &bytes) {
            Ok(heard) => prop_assert_eq!(heard.document.digest, digest(&bytes)),
            Err(refusal) => prop_assert!(!refusal.violations.is_empty()),
        }
    }
}
