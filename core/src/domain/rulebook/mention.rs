//! What rulebooks name that must exist outside them: document types in other books, fields and
//! words in the documents' schema. The parser notes each with its place; `check` and `schema` look.

use super::RulebookError;
use crate::domain::relation::Place;
use crate::ids::DocumentType;

/// Something named in a file.
#[derive(Debug, Clone)]
pub(super) struct Mention {
    /// The file.
    pub(super) file: String,
    /// The line, from 1.
    pub(super) line: usize,
    /// The tables and key.
    pub(super) path: String,
    /// What is named there.
    pub(super) what: Mentioned,
}

/// What is named.
#[derive(Debug, Clone)]
pub(super) enum Mentioned {
    /// A document type.
    Type(DocumentType),
    /// The name of a duty.
    Duty(String),
    /// A field of the header or of this type's body, and what it must hold.
    Field(Option<DocumentType>, String, Expected),
    /// A place: some document must tell it.
    Place(Place),
}

/// What a field must hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Expected {
    /// Anything.
    Anything,
    /// A civil date or an instant.
    DateOrTime,
    /// An agency's code.
    Agency,
    /// A text.
    Text,
    /// An enum value.
    AnyWord,
    /// An enum that has this value; or a bool, if the word is `true` or `false`.
    Word(String),
}

impl Mention {
    /// The error that what is named there is not to be found or not as it should be.
    pub(super) fn error(&self, message: String, suggestion: Option<&str>) -> RulebookError {
        RulebookError {
            file: self.file.clone(),
            line: self.line,
            path: self.path.clone(),
            message,
            suggestion: suggestion.map(str::to_owned),
        }
    }
}
