//! Bytes with more than one reading are named; bytes with one are let through, and decoders agree.

use proptest::prelude::*;
use prost::encoding::encode_varint;
use prost_reflect::DynamicMessage;
use prost_types::field_descriptor_proto::Type;
use xianjie_core::limits;
use xianjie_core::refusal::Reason;

use super::walk;
use crate::wire::document::tests::{SCHEMA, sample_bytes};
use crate::wire::schema::tests::{add_type, text, with};

const DOCUMENT_ID: u32 = 1;
const CLASSIFICATION: u32 = 8;
const SUBJECT: u32 = 14;
const AFTER_DOCUMENTS: u32 = 18;
const VERDICT_HANDOVER: u32 = 100;
const PING: u32 = 356;

fn varint(number: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    encode_varint(number, &mut bytes);
    bytes
}

fn tagged(number: u32, wire: u32, value: &[u8]) -> Vec<u8> {
    let mut bytes = varint(u64::from(number << 3 | wire));
    bytes.extend(value);
    bytes
}

fn bytes(number: u32, value: &[u8]) -> Vec<u8> {
    let mut content = varint(value.len() as u64);
    content.extend(value);
    tagged(number, 2, &content)
}

fn number(number: u32, value: u64) -> Vec<u8> {
    tagged(number, 0, &varint(value))
}

fn wrong(bytes: &[u8]) -> Vec<(Reason, String)> {
    let violations = walk(SCHEMA.document(), bytes);
    violations.into_iter().map(|violation| (violation.reason, violation.field)).collect()
}

fn one(reason: Reason, field: &str) -> Vec<(Reason, String)> {
    vec![(reason, field.to_owned())]
}

#[test]
fn a_good_document_passes() {
    assert_eq!(wrong(&sample_bytes()), []);
    assert_eq!(wrong(&[]), []);
}

#[test]
fn unknown_fields_are_named_by_their_message() {
    assert_eq!(wrong(&number(99, 1)), one(Reason::UnknownField, ""));
    assert_eq!(wrong(&bytes(SUBJECT, &number(99, 1))), one(Reason::UnknownField, "subject"));
    let in_body = bytes(VERDICT_HANDOVER, &bytes(1, &number(99, 1)));
    assert_eq!(wrong(&in_body), one(Reason::UnknownField, "judgment"));
    let in_item = [bytes(AFTER_DOCUMENTS, &[]), bytes(AFTER_DOCUMENTS, &bytes(9, &[]))].concat();
    assert_eq!(wrong(&in_item), one(Reason::UnknownField, "after_documents[1]"));
}

#[test]
fn unknown_enum_values_are_named() {
    assert_eq!(wrong(&number(CLASSIFICATION, 9)), one(Reason::UnknownField, "classification"));
    let negative = number(CLASSIFICATION, u64::MAX);
    assert_eq!(wrong(&negative), one(Reason::UnknownField, "classification"));
    let cut_to_one = number(CLASSIFICATION, 1 << 32 | 1);
    assert_eq!(wrong(&cut_to_one), one(Reason::Malformed, "classification"));
}

#[test]
fn what_is_set_twice_is_named() {
    let twice = [bytes(DOCUMENT_ID, b"a"), bytes(DOCUMENT_ID, b"a")].concat();
    assert_eq!(wrong(&twice), one(Reason::DuplicateField, "document_id"));
    let merged = [bytes(SUBJECT, &[]), bytes(SUBJECT, &[])].concat();
    assert_eq!(wrong(&merged), one(Reason::DuplicateField, "subject"));
    let bodies = [bytes(PING, &[]), bytes(VERDICT_HANDOVER, &[])].concat();
    assert_eq!(wrong(&bodies), one(Reason::DuplicateField, "verdict_handover"));
    let same_body = [bytes(PING, &[]), bytes(PING, &[])].concat();
    assert_eq!(wrong(&same_body), one(Reason::DuplicateField, "ping"));
}

#[test]
fn malformed_bytes_are_named() {
    let malformed = |bytes: &[u8], field| assert_eq!(wrong(bytes), one(Reason::Malformed, field));
    malformed(&tagged(DOCUMENT_ID, 3, &[]), "document_id");
    malformed(&tagged(DOCUMENT_ID, 6, &[]), "");
    malformed(&[0, 1], "");
    malformed(&number(DOCUMENT_ID, 1), "document_id");
    malformed(&bytes(CLASSIFICATION, b"1"), "classification");
    malformed(&bytes(DOCUMENT_ID, b"\xff"), "document_id");
    malformed(&bytes(SUBJECT, &bytes(2, b"\xff")), "subject.name");
    malformed(&tagged(DOCUMENT_ID, 2, &[5, b'a']), "document_id");
    malformed(&bytes(SUBJECT, &tagged(2, 2, &[5, b'a'])), "subject.name");
    malformed(&tagged(CLASSIFICATION, 0, &[0x81; 11]), "classification");
    malformed(&tagged(CLASSIFICATION, 0, &[0xff; 3]), "classification");
    malformed(&bytes(PING, &bytes(1, b"\xff")), "text");
}

#[test]
fn all_is_named_at_once_and_after_a_broken_message_too() {
    let broken = bytes(SUBJECT, &tagged(2, 2, &[5]));
    let all = [number(99, 1), broken, bytes(DOCUMENT_ID, b"\xff")].concat();
    let expected = [
        (Reason::UnknownField, String::new()),
        (Reason::Malformed, "subject.name".to_owned()),
        (Reason::Malformed, "document_id".to_owned()),
    ];
    assert_eq!(wrong(&all), expected);
    assert_eq!(wrong(&number(99, 1).repeat(100)).len(), limits::VIOLATIONS);
}

#[test]
fn too_many_elements_are_refused_before_they_are_decoded() {
    let empty = bytes(AFTER_DOCUMENTS, &[]);
    assert_eq!(wrong(&empty.repeat(limits::ELEMENTS)), []);
    let expected = one(Reason::TooLarge, &format!("after_documents[{}]", limits::ELEMENTS));
    assert_eq!(wrong(&empty.repeat(limits::ELEMENTS + 1)), expected);
}

#[test]
fn deep_nesting_is_refused() {
    let schema = with(|file| {
        let mut inner = text("inner", 1);
        inner.r#type = Some(Type::Message.into());
        inner.type_name = Some(format!(".xianjie.v1.Body{}", file.message_type.len()));
        add_type(file, "scratch", vec![inner]);
    });
    let schema = schema.unwrap();
    let nested = |depth| {
        let inner = (1..depth).fold(Vec::new(), |inner, _| bytes(1, &inner));
        walk(schema.document(), &bytes(9999, &inner))
    };
    assert_eq!(nested(limits::NESTING), []);
    let violations = nested(limits::NESTING + 1);
    assert_eq!(violations.len(), 1);
    assert_eq!(violations[0].reason, Reason::TooLarge);
}

/// What passes is decoded, with nothing left over.
fn check(bytes: &[u8]) -> Result<(), TestCaseError> {
    if !walk(SCHEMA.document(), bytes).is_empty() {
        return Ok(());
    }
    let message = DynamicMessage::decode(SCHEMA.document().clone(), bytes);
    let message = message.map_err(|error| TestCaseError::fail(error.to_string()))?;
    prop_assert!(!has_unknown(&message));
    Ok(())
}

fn has_unknown(message: &DynamicMessage) -> bool {
    message.unknown_fields().count() > 0
        || message.fields().any(|(_, value)| {
            let items = value.as_list().unwrap_or(std::slice::from_ref(value));
            items.iter().filter_map(|item| item.as_message()).any(has_unknown)
        })
}

proptest! {
    #[test]
    fn decoders_agree_on_any_bytes(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        check(&bytes)?;
    }

    #[test]
    fn decoders_agree_on_changed_documents(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
        cut in prop::option::of(any::<prop::sample::Index>()),
    ) {
        let mut bytes = sample_bytes();
        for (place, byte) in changes {
            let place = place.index(bytes.len());
            bytes[place] = byte;
        }
        if let Some(cut) = cut {
            bytes.truncate(cut.index(bytes.len()));
        }
        check(&bytes)?;
    }
}
