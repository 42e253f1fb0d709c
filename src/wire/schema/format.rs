//! What a field holds, by its protobuf type and its name.

use prost_reflect::{EnumDescriptor, FieldDescriptor, Kind};
use xianjie_core::domain::role::Role;

const TIMESTAMP: &str = "google.protobuf.Timestamp";

/// What one value of a field holds.
#[derive(Debug, Clone, PartialEq)]
pub enum Format {
    /// `_date`: a civil date in Asia/Shanghai, `YYYY-MM-DD`.
    Date,
    /// A `google.protobuf.Timestamp`: an instant.
    Time,
    /// `_place`: a division's code (行政区划代码).
    Place,
    /// `_agency`, `_agencies`, `_court`, `sender` and the roles' names: an agency's code.
    Agency,
    /// `document_id`: a UUIDv7.
    DocumentId,
    /// `correction_case`: a case's reference.
    Case,
    /// `ledger`: a ledger's origin.
    Origin,
    /// `_number`, `_type`: a text that a rule or a key reads.
    Key,
    /// Any other text: for people.
    Prose,
    /// Yes or no.
    Bool,
    /// A number.
    Number,
    /// One of an enum's values.
    Word(EnumDescriptor),
    /// Bytes.
    Bytes,
    /// A message.
    Message,
}

impl Format {
    /// The format of a field, or of each element if it is repeated.
    #[must_use]
    pub fn of(field: &FieldDescriptor) -> Self {
        match field.kind() {
            Kind::String => Self::of_text(field.name()),
            Kind::Bytes => Self::Bytes,
            Kind::Bool => Self::Bool,
            Kind::Enum(values) => Self::Word(values),
            Kind::Message(message) if message.full_name() == TIMESTAMP => Self::Time,
            Kind::Message(_) => Self::Message,
            _ => Self::Number,
        }
    }

    fn of_text(name: &str) -> Self {
        match name {
            "sender" => return Self::Agency,
            "document_id" => return Self::DocumentId,
            "correction_case" => return Self::Case,
            "ledger" => return Self::Origin,
            _ if Role::WORDS.iter().any(|(role, _)| role.field() == name) => return Self::Agency,
            _ => {}
        }
        match name.rsplit_once('_').map(|(_, last)| last) {
            Some("date") => Self::Date,
            Some("place") => Self::Place,
            Some("agency" | "agencies" | "court") => Self::Agency,
            Some("number" | "type") => Self::Key,
            _ => Self::Prose,
        }
    }
}
