//! Whether rulebooks and the documents' schema agree, in both directions. The schema itself is
//! elsewhere and reaches this module as a [`Schema`].

use super::check::error;
use super::mention::{Expected, Mention, Mentioned};
use super::{Event, Law, RulebookError};
use crate::domain::relation::{Place, nearest};
use crate::domain::role::Role;
use crate::ids::DocumentType;

/// What a field holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FieldKind {
    /// Plain text.
    Text,
    /// A civil date (`_date`).
    Date,
    /// An instant (`_time`).
    Time,
    /// A division's code (`_place`).
    Place,
    /// An agency's code.
    Agency,
    /// Yes or no.
    Bool,
    /// A number.
    Number,
    /// An enum; its values as words: without the enum's prefix, lower case, spaces.
    Words(Vec<String>),
    /// A message.
    Message,
    /// Several of something.
    List,
}

/// The documents' schema, as the law asks about it.
pub trait Schema {
    /// Every document type: the cases of the `oneof body`.
    fn types(&self) -> Vec<DocumentType>;

    /// What the field at this path of proto names holds: in the header, or in the body of a type.
    fn field(&self, document_type: Option<&DocumentType>, path: &str) -> Option<FieldKind>;
}

impl Law {
    /// Checks that each document type of the schema has a base and the other way round, and that
    /// every field and word that a rule reads is in the schema.
    ///
    /// # Errors
    /// All disagreements at once; those that no line of a rulebook causes name the file `schema`.
    pub fn check_schema(&self, schema: &dyn Schema) -> Result<(), Vec<RulebookError>> {
        let types = schema.types();
        let mut errors = self.check_types(&types);
        errors.extend(self.check_outcomes(schema));
        errors.extend(check_formats(schema, &types));
        let unmet = self.mentions.iter().filter_map(|mention| unmet(mention, schema, &types));
        errors.extend(unmet);
        errors.sort();
        errors.dedup();
        if errors.is_empty() { Ok(()) } else { Err(errors) }
    }

    fn check_types(&self, types: &[DocumentType]) -> Vec<RulebookError> {
        let without_base = types.iter().filter(|name| !self.types().contains(name)).map(|name| {
            let near = nearest(name.as_str(), self.types().iter().map(DocumentType::as_str));
            schema_error(name.as_str(), "has no base in any book".to_owned(), near)
        });
        let bases = self.books.iter().flat_map(|book| {
            book.documents.iter().filter(|(_, t)| t.base.is_some()).map(move |base| (book, base))
        });
        let without_body =
            bases.filter(|(_, (name, _))| !types.contains(name)).map(|(book, (name, table))| {
                let near = nearest(name.as_str(), types.iter().map(DocumentType::as_str));
                let message = "is no case of the documents' `oneof body`".to_owned();
                error(book, table.line, name, message, near)
            });
        without_base.chain(without_body).collect()
    }

    /// `outcomes` is there exactly if the body has the field `outcome`.
    fn check_outcomes(&self, schema: &dyn Schema) -> Vec<RulebookError> {
        let mut errors = Vec::new();
        for book in &self.books {
            for (name, table) in &book.documents {
                let Some(base) = &table.base else { continue };
                if base.outcomes.is_empty() && schema.field(Some(name), "outcome").is_some() {
                    let message = "needs `outcomes`, for its body has `outcome`".to_owned();
                    errors.push(error(book, table.line, name, message, None));
                }
            }
        }
        errors
    }
}

/// Facts of one name hold the same thing in every body, and no body repeats a header field.
fn check_formats(schema: &dyn Schema, types: &[DocumentType]) -> Vec<RulebookError> {
    let roles = Role::WORDS.iter().map(|(role, _)| (role.field(), Expected::Agency));
    let dates = Event::WORDS.iter().filter_map(|(event, _)| event.field());
    let dates = dates.map(|field| (field.to_owned(), Expected::DateOrTime));
    let facts: Vec<_> = roles.chain(dates).collect();
    let mut errors = Vec::new();
    for name in types {
        for (field, expected) in &facts {
            let kind = schema.field(Some(name), field);
            if let Some(message) = kind.as_ref().and_then(|kind| mismatch(kind, expected)) {
                errors.push(schema_error(&format!("{name}.{field}"), message, None));
            }
            if kind.is_some() && schema.field(None, field).is_some() {
                let message = "is a field of the header too".to_owned();
                errors.push(schema_error(&format!("{name}.{field}"), message, None));
            }
        }
        for field in PLACE_FIELDS.iter().filter_map(|(_, field)| *field) {
            let kind = schema.field(Some(name), field);
            if kind.is_some_and(|kind| kind != FieldKind::Place) {
                let message = "is no division's code".to_owned();
                errors.push(schema_error(&format!("{name}.{field}"), message, None));
            }
        }
    }
    errors
}

/// The field that tells a place; none for what the case or the directory tells.
const PLACE_FIELDS: &[(Place, Option<&str>)] = &[
    (Place::Execution, None),
    (Place::Intended, Some("intended_place")),
    (Place::New, Some("new_place")),
    (Place::Old, None),
    (Place::Destination, Some("destination_place")),
    (Place::Decision, None),
    (Place::Custody, None),
    (Place::NewCase, Some("new_case_place")),
    (Place::Province, None),
];

/// The error that something mentioned is not in the schema, or not as it should be.
fn unmet(mention: &Mention, schema: &dyn Schema, types: &[DocumentType]) -> Option<RulebookError> {
    match &mention.what {
        Mentioned::Type(_) | Mentioned::Duty(_) => None,
        Mentioned::Place(place) => {
            let (_, field) = PLACE_FIELDS.iter().find(|(other, _)| other == place)?;
            let field = (*field)?;
            let is_told = types.iter().any(|name| schema.field(Some(name), field).is_some());
            (!is_told).then(|| mention.error(format!("no document has a field `{field}`"), None))
        }
        Mentioned::Field(document_type, field, expected) => {
            let in_body = |name| schema.field(Some(name), field);
            let kind =
                schema.field(None, field).or_else(|| document_type.as_ref().and_then(in_body));
            let Some(kind) = kind else {
                let message = format!("neither header nor body has a field `{field}`");
                return Some(mention.error(message, None));
            };
            let message = mismatch(&kind, expected)?;
            let near = match (&kind, expected) {
                (FieldKind::Words(words), Expected::Word(word)) => {
                    nearest(word, words.iter().map(String::as_str))
                }
                _ => None,
            };
            Some(mention.error(format!("field `{field}` {message}"), near))
        }
    }
}

/// Why a field of this kind is not as expected.
fn mismatch(kind: &FieldKind, expected: &Expected) -> Option<String> {
    let message = match (expected, kind) {
        (Expected::Anything, _)
        | (Expected::DateOrTime, FieldKind::Date | FieldKind::Time)
        | (Expected::Agency, FieldKind::Agency)
        | (Expected::Text, FieldKind::Text)
        | (Expected::AnyWord, FieldKind::Words(_)) => return None,
        (Expected::Word(word), FieldKind::Words(words)) if words.contains(word) => return None,
        (Expected::Word(word), FieldKind::Bool) if word == "true" || word == "false" => {
            return None;
        }
        (Expected::Word(word), FieldKind::Words(words)) => {
            format!("has no value {word:?}, only: {}", words.join(", "))
        }
        (Expected::Word(word), FieldKind::Bool) => {
            format!("is `true` or `false`, not {word:?}")
        }
        (Expected::Word(_) | Expected::AnyWord, _) => "is no enum".to_owned(),
        (Expected::DateOrTime, _) => "is no date and no time".to_owned(),
        (Expected::Agency, _) => "is no agency's code".to_owned(),
        (Expected::Text, _) => "is no text".to_owned(),
    };
    Some(message)
}

fn schema_error(path: &str, message: String, suggestion: Option<&str>) -> RulebookError {
    RulebookError {
        file: "schema".to_owned(),
        line: 0,
        path: path.to_owned(),
        message,
        suggestion: suggestion.map(str::to_owned),
    }
}

#[cfg(test)]
mod tests;
