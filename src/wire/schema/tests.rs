//! The built-in schema, and descriptor sets that are none.

use prost::Message as _;
use prost_types::field_descriptor_proto::{Label, Type};
use prost_types::{DescriptorProto, FieldDescriptorProto, FileDescriptorSet};
use xianjie_core::domain::rulebook::{FieldKind, Law, Schema as _};

use super::{Schema, SchemaError};
use crate::wire::DESCRIPTORS;

fn field(schema: &Schema, document_type: Option<&str>, path: &str) -> Option<FieldKind> {
    let document_type = document_type.map(|name| name.parse().unwrap());
    schema.field(document_type.as_ref(), path)
}

#[test]
fn formats_follow_names() {
    let schema = Schema::built_in();
    let header = |path| field(&schema, None, path);
    assert_eq!(header("case_number"), Some(FieldKind::Text));
    assert_eq!(header("decision_date"), Some(FieldKind::Date));
    assert_eq!(header("execution_place"), Some(FieldKind::Place));
    assert_eq!(header("create_time"), Some(FieldKind::Time));
    assert_eq!(header("sender"), Some(FieldKind::Agency));
    assert_eq!(header("subject"), Some(FieldKind::Message));
    assert_eq!(header("subject.juvenile"), Some(FieldKind::Bool));
    assert_eq!(header("attachments"), Some(FieldKind::List));
    assert_eq!(header("attachments.name"), Some(FieldKind::Text));
    assert_eq!(header("subject.nothing"), None);
    assert_eq!(header("verdict_handover"), None, "a body is no field of the header");

    let body = |path| field(&schema, Some("verdict_handover"), path);
    assert_eq!(body("file_holder"), Some(FieldKind::Agency));
    assert_eq!(body("judgment.penalty"), Some(FieldKind::Text));
    assert_eq!(body("case_number"), None, "the header is no part of a body");
    assert_eq!(field(&schema, Some("no_such_type"), "reasons"), None);
}

#[test]
fn enum_values_are_words() {
    let kind = field(&Schema::built_in(), None, "subject.category");
    let words = ["public surveillance", "probation", "parole", "temporary release"];
    assert_eq!(kind, Some(FieldKind::Words(words.map(str::to_owned).to_vec())));
}

#[test]
fn the_built_in_law_agrees_with_the_built_in_schema() {
    let disagreements = Law::built_in().check_schema(&Schema::built_in());
    assert_eq!(disagreements, Ok(()));
}

#[test]
fn the_digest_does_not_depend_on_comments() {
    let mut set = FileDescriptorSet::decode(DESCRIPTORS).unwrap();
    for file in &mut set.file {
        file.source_code_info = None;
    }
    let bare = Schema::from_descriptor_set(&set.encode_to_vec()).unwrap();
    assert_eq!(bare.digest(), Schema::built_in().digest());
    let other = with(|file| add_type(file, "scratch", vec![text("remark", 1)])).unwrap();
    assert_ne!(other.digest(), bare.digest());
}

#[test]
fn a_type_is_added_without_rust() {
    let schema = with(|file| add_type(file, "scratch", vec![text("new_place", 1)])).unwrap();
    assert!(schema.types().iter().any(|name| name.as_str() == "scratch"));
    assert_eq!(field(&schema, Some("scratch"), "new_place"), Some(FieldKind::Place));
}

#[test]
fn what_is_no_schema_is_refused() {
    let shadow = with(|file| add_type(file, "scratch", vec![text("case_number", 1)]));
    assert!(matches!(shadow, Err(SchemaError::Shadows { field, .. }) if field == "case_number"));

    let mut outcome = text("outcome", 1);
    outcome.r#type = Some(Type::Bool.into());
    let differs = with(|file| add_type(file, "scratch", vec![outcome]));
    assert!(matches!(differs, Err(SchemaError::Differs { field, .. }) if field == "outcome"));

    assert!(matches!(Schema::from_descriptor_set(&[]), Err(SchemaError::NoDocument)));
    assert!(matches!(Schema::from_descriptor_set(&[1]), Err(SchemaError::Descriptors(_))));
}

/// The built-in schema with `document.proto` changed.
pub(in crate::wire) fn with(
    change: impl FnOnce(&mut prost_types::FileDescriptorProto),
) -> Result<Schema, SchemaError> {
    let mut set = FileDescriptorSet::decode(DESCRIPTORS).unwrap();
    let mut files = set.file.iter_mut();
    change(files.find(|file| file.name().ends_with("/document.proto")).unwrap());
    Schema::from_descriptor_set(&set.encode_to_vec())
}

/// Adds a document type with these fields.
pub(in crate::wire) fn add_type(
    file: &mut prost_types::FileDescriptorProto,
    name: &str,
    field: Vec<FieldDescriptorProto>,
) {
    let message = format!("Body{}", file.message_type.len());
    let mut case = text(name, 9999);
    case.r#type = Some(Type::Message.into());
    case.type_name = Some(format!(".xianjie.v1.{message}"));
    case.oneof_index = Some(0);
    let mut messages = file.message_type.iter_mut();
    messages.find(|message| message.name() == "Document").unwrap().field.push(case);
    let name = Some(message);
    file.message_type.push(DescriptorProto { name, field, ..DescriptorProto::default() });
}

/// A text field.
pub(in crate::wire) fn text(name: &str, number: i32) -> FieldDescriptorProto {
    FieldDescriptorProto {
        name: Some(name.to_owned()),
        number: Some(number),
        label: Some(Label::Optional.into()),
        r#type: Some(Type::String.into()),
        ..FieldDescriptorProto::default()
    }
}
