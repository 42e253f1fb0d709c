//! Files to bytes and back, and forms that say nothing until they are filled in.

use serde_json::{Value, json};
use xianjie_core::ids::Origin;

use super::{document_from_json, document_to_json, template};
use crate::wire::document::read_document;
use crate::wire::document::tests::sample_bytes;
use crate::wire::schema::Schema;

#[test]
fn a_document_survives_its_file() {
    let schema = Schema::built_in();
    let text = document_to_json(&schema, &sample_bytes()).unwrap();
    let json: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(json["subject"]["identity_kind"], "IDENTITY_KIND_RESIDENT_ID");
    assert_eq!(document_from_json(&schema, &json).unwrap(), sample_bytes());
}

#[test]
fn an_unknown_name_or_value_is_an_error() {
    let schema = Schema::built_in();
    for json in [json!({"sneder": "a"}), json!({"original_form": "FAX"}), json!([])] {
        assert!(document_from_json(&schema, &json).is_err(), "{json}");
    }
}

#[test]
fn every_form_is_json_and_says_nothing() {
    let schema = Schema::built_in();
    for (document_type, case) in schema.bodies() {
        let form = template(&schema, document_type).unwrap();
        let json: Value = serde_json::from_str(&form).unwrap();
        let bytes = document_from_json(&schema, &json).unwrap();
        let mut empty = Vec::new();
        prost::encoding::encode_key(
            case.number(),
            prost::encoding::WireType::LengthDelimited,
            &mut empty,
        );
        empty.push(0);
        assert_eq!(bytes, empty, "{document_type}");
    }
    assert_eq!(template(&schema, &"no_such_type".parse().unwrap()), None);
}

#[test]
fn a_filled_form_is_a_document() {
    let schema = Schema::built_in();
    let form = template(&schema, &"ping".parse().unwrap()).unwrap();
    let mut json: Value = serde_json::from_str(&form).unwrap();
    assert_eq!(json["# text"], Value::Null);
    assert_eq!(json["ping"]["# text"], "内容. Any text.");
    for (name, value) in [
        ("document_id", "01932f4e-7a3b-7c4d-8e5f-0123456789ab"),
        ("ledger", "hub.demo/ledger/1"),
        ("sender", "yuexiu-court"),
        ("create_time", "2026-11-24T09:00:00+08:00"),
        ("original_form", "ORIGINAL_FORM_ELECTRONIC"),
        ("classification", "CLASSIFICATION_UNCLASSIFIED"),
    ] {
        json[name] = value.into();
    }
    let origin: Origin = "hub.demo/ledger/1".parse().unwrap();
    let bytes = document_from_json(&schema, &json).unwrap();
    let heard = read_document(&schema, &origin, &bytes).unwrap();
    assert_eq!(heard.document.kind.as_str(), "ping");
    assert_eq!(heard.seen, None);
}
