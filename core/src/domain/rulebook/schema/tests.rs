use std::collections::BTreeMap;

use super::*;

const BOOK: &str = r#"[rulebook]
name = "book"
from = 2020-07-01
[document.ruling]
name = "裁定书"
class = "decision"
senders = ["court"]
to = ["county police of the new place", "custodian"]
required = ["reasons", "subject.name"]
outcomes = ["revoked"]
sets = ["guard", "term expiry"]
counts = "discipline_kind"
serves = true
articles = ["一 1"]
[[document.ruling.duties]]
name = "送达"
when = "field outcome is revoked and not field file moves is true"
owner = "sender"
within = ["2 days", "as stated"]
from = ["arrest", "decision date"]
closed_by = ["self"]
extend = { by = "as stated", with = "extension", times = 1 }
articles = ["一 2"]
[document.extension]
name = "延长"
class = "record"
senders = ["court"]
to = []
articles = ["一 3"]
"#;

#[derive(Clone)]
struct Fields(BTreeMap<(&'static str, &'static str), FieldKind>);

impl Schema for Fields {
    fn types(&self) -> Vec<DocumentType> {
        let names: std::collections::BTreeSet<_> = self.0.keys().map(|(name, _)| *name).collect();
        names.into_iter().filter(|name| !name.is_empty()).map(|n| n.parse().unwrap()).collect()
    }

    fn field(&self, document_type: Option<&DocumentType>, path: &str) -> Option<FieldKind> {
        let name = document_type.map_or("", DocumentType::as_str);
        self.0.iter().find(|(key, _)| **key == (name, path)).map(|(_, kind)| kind.clone())
    }
}

/// A schema that the book fits.
fn right() -> Fields {
    let words = |word: &str| FieldKind::Words(vec![word.to_owned()]);
    Fields(BTreeMap::from([
        (("", "subject.name"), FieldKind::Text),
        (("", "decision_date"), FieldKind::Date),
        (("ruling", "reasons"), FieldKind::Text),
        (("ruling", "outcome"), words("revoked")),
        (("ruling", "guard"), FieldKind::Agency),
        (("ruling", "term_expiry_date"), FieldKind::Date),
        (("ruling", "discipline_kind"), words("warning")),
        (("ruling", "served_type"), FieldKind::Text),
        (("ruling", "served_agency"), FieldKind::Agency),
        (("ruling", "served_date"), FieldKind::Date),
        (("ruling", "file_moves"), FieldKind::Bool),
        (("ruling", "stated_date"), FieldKind::Date),
        (("ruling", "arrest_time"), FieldKind::Time),
        (("ruling", "new_place"), FieldKind::Place),
        (("extension", "stated_date"), FieldKind::Date),
    ]))
}

fn errors(schema: &Fields) -> Vec<String> {
    let custody = include_str!("../../rules/custody.toml").to_owned();
    let files = [("book.toml".to_owned(), BOOK.to_owned()), ("custody.toml".to_owned(), custody)];
    let law = Law::load(&files, include_str!("../../rules/holidays.toml")).unwrap();
    let errors = law.check_schema(schema).err().unwrap_or_default();
    errors.iter().map(ToString::to_string).collect()
}

#[test]
fn a_schema_that_fits_is_taken() {
    assert_eq!(errors(&right()), [""; 0]);
}

#[test]
fn every_field_that_is_read_must_be_there() {
    let lines = [
        ("reasons", 9),
        ("subject.name", 9),
        ("outcome", 10),
        ("guard", 11),
        ("term_expiry_date", 11),
        ("discipline_kind", 12),
        ("served_type", 4),
        ("served_agency", 4),
        ("served_date", 4),
        ("file_moves", 17),
        ("arrest_time", 20),
        ("decision_date", 20),
        ("new_place", 8),
    ];
    for (field, line) in lines {
        let mut schema = right();
        schema.0.retain(|(_, name), _| *name != field);
        let errors = errors(&schema);
        let at = format!("book.toml:{line}: ");
        let message = format!("field `{field}`");
        assert!(
            errors.iter().any(|error| error.starts_with(&at) && error.ends_with(&message)),
            "{field}: {errors:#?}"
        );
    }
    let mut schema = right();
    schema.0.retain(|(_, name), _| *name != "stated_date");
    schema.0.insert(("extension", "x"), FieldKind::Text);
    let errors = errors(&schema);
    assert!(errors[0].starts_with("book.toml:19: document.ruling.duties[0].within[1]: neither"));
    assert!(errors[1].starts_with("book.toml:22: document.ruling.duties[0].extend.by: neither"));
}

#[test]
fn every_field_must_hold_what_is_read() {
    let words = || FieldKind::Words(vec!["revokes".to_owned()]);
    for (field, kind, message) in [
        (
            "outcome",
            words(),
            "book.toml:10: document.ruling.outcomes[0]: field `outcome` has no \
          value \"revoked\", only: revokes; did you mean \"revokes\"?",
        ),
        (
            "file_moves",
            FieldKind::Text,
            "book.toml:17: document.ruling.duties[0].when: field \
          `file_moves` is no enum",
        ),
        (
            "discipline_kind",
            FieldKind::Text,
            "book.toml:12: document.ruling.counts: field \
          `discipline_kind` is no enum",
        ),
        ("guard", FieldKind::Text, "schema:0: ruling.guard: is no agency's code"),
        ("arrest_time", FieldKind::Text, "schema:0: ruling.arrest_time: is no date and no time"),
        ("new_place", FieldKind::Text, "schema:0: ruling.new_place: is no division's code"),
        (
            "served_type",
            FieldKind::Bool,
            "book.toml:4: document.ruling: field `served_type` is no \
          text",
        ),
    ] {
        let mut schema = right();
        schema.0.insert(("ruling", field), kind);
        let errors = errors(&schema);
        assert!(errors.iter().any(|error| error == message), "{message}\n{errors:#?}");
    }
    let mut schema = right();
    schema.0.insert(("ruling", "decision_date"), FieldKind::Date);
    assert_eq!(errors(&schema), ["schema:0: ruling.decision_date: is a field of the header too"]);
}

#[test]
fn types_and_bodies_are_the_same() {
    let mut schema = right();
    schema.0.insert(("extention", "outcome"), FieldKind::Bool);
    assert_eq!(
        errors(&schema),
        ["schema:0: extention: has no base in any book; did you mean \"extension\"?"]
    );
    let mut schema = right();
    schema.0.insert(("extension", "outcome"), FieldKind::Bool);
    assert_eq!(
        errors(&schema),
        ["book.toml:24: document.extension: needs `outcomes`, for its body has `outcome`"]
    );
    schema.0.retain(|(name, _), _| *name != "extension");
    assert!(errors(&schema).contains(
        &"book.toml:24: document.extension: is no case of the documents' `oneof body`".to_owned()
    ));
}
