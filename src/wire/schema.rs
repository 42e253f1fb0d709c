//! The documents' schema: a value made from a descriptor set, so that a test can add a document
//! type without a line of Rust.
//!
//! A document type is a case of `Document`'s `oneof body`. What a field holds follows from its
//! protobuf type and, for texts, from its name ([`Format`]): the one home of formats. What is
//! mandatory, who may send and to whom is the rulebook's.

use std::collections::BTreeMap;

use prost::Message as _;
use prost_reflect::{
    DescriptorError, DescriptorPool, EnumDescriptor, EnumValueDescriptor, FieldDescriptor, Kind,
    MessageDescriptor, OneofDescriptor,
};
use sha2::{Digest as _, Sha256};
use xianjie_core::domain::rulebook::{self, FieldKind};
use xianjie_core::ids::{Digest, DocumentType, IdError};

use super::DESCRIPTORS;

mod format;
pub use format::Format;

/// The message that all documents are.
const DOCUMENT: &str = "xianjie.v1.Document";
const BODY: &str = "body";

/// The documents' schema.
#[derive(Debug, Clone)]
pub struct Schema {
    document: MessageDescriptor,
    body: OneofDescriptor,
    bodies: BTreeMap<DocumentType, FieldDescriptor>,
}

/// Why a descriptor set is no schema of documents.
#[derive(Debug, thiserror::Error)]
pub enum SchemaError {
    /// No descriptor set.
    #[error("no valid descriptor set")]
    Descriptors(#[from] DescriptorError),
    /// The message or its choice of bodies is missing.
    #[error("no message {DOCUMENT} with a `oneof {BODY}`")]
    NoDocument,
    /// A document type's name can't be one.
    #[error("`{name}` is no document type's name: it {error}")]
    TypeName {
        /// The name.
        name: String,
        /// What is wrong with it.
        error: IdError,
    },
    /// A body that is no message.
    #[error("`{0}` is no message")]
    BodyType(DocumentType),
    /// A body repeats a field of the header.
    #[error("`{document_type}.{field}` repeats a field of the header")]
    Shadows {
        /// The document type.
        document_type: DocumentType,
        /// The field.
        field: String,
    },
    /// Fields of one name hold different things in two bodies.
    #[error("`{field}` holds one thing in {first} and another in {second}")]
    Differs {
        /// The field.
        field: String,
        /// The first document type.
        first: DocumentType,
        /// The second document type.
        second: DocumentType,
    },
    /// A map, whose bytes have no one reading.
    #[error("`{0}` is a map")]
    Map(String),
}

impl Schema {
    /// The schema of `proto/`.
    ///
    /// # Panics
    /// Never: what is built in is checked when it is built.
    #[must_use]
    #[expect(clippy::expect_used, reason = "built in, and a test reads it")]
    pub fn built_in() -> Self {
        Self::from_descriptor_set(DESCRIPTORS).expect("the built-in descriptors are a schema")
    }

    /// The schema of an encoded `FileDescriptorSet`, imports included.
    ///
    /// # Errors
    /// [`SchemaError`]: the first thing that is wrong with it.
    pub fn from_descriptor_set(bytes: &[u8]) -> Result<Self, SchemaError> {
        let pool = DescriptorPool::decode(bytes)?;
        let document = pool.get_message_by_name(DOCUMENT).ok_or(SchemaError::NoDocument)?;
        let body = document.oneofs().find(|oneof| oneof.name() == BODY);
        let body = body.ok_or(SchemaError::NoDocument)?;
        let mut bodies = BTreeMap::new();
        for case in body.fields() {
            let name = case.name().parse().map_err(|error| {
                let name = case.name().to_owned();
                SchemaError::TypeName { name, error }
            })?;
            bodies.insert(name, case);
        }
        let schema = Self { document, body, bodies };
        schema.check()?;
        Ok(schema)
    }

    /// The message of all documents.
    #[must_use]
    pub fn document(&self) -> &MessageDescriptor {
        &self.document
    }

    /// The fields of the header.
    pub fn header(&self) -> impl Iterator<Item = FieldDescriptor> {
        self.document.fields().filter(|field| !self.is_body(field))
    }

    /// The body of a document type.
    #[must_use]
    pub fn body(&self, document_type: &DocumentType) -> Option<MessageDescriptor> {
        self.bodies.get(document_type)?.kind().as_message().cloned()
    }

    /// The document types with the fields that hold their bodies, by name.
    pub fn bodies(&self) -> impl Iterator<Item = (&DocumentType, &FieldDescriptor)> {
        self.bodies.iter()
    }

    /// The document type whose body a field of `Document` is; none for a field of the header.
    #[must_use]
    pub fn type_of(&self, field: &FieldDescriptor) -> Option<&DocumentType> {
        if !self.is_body(field) {
            return None;
        }
        self.bodies.keys().find(|name| name.as_str() == field.name())
    }

    /// SHA-256 of the descriptor set without comments: equal digests, equal readings.
    #[must_use]
    pub fn digest(&self) -> Digest {
        let mut hasher = Sha256::new();
        for file in self.document.parent_pool().file_descriptor_protos() {
            let mut file = file.clone();
            file.source_code_info = None;
            hasher.update(file.encode_length_delimited_to_vec());
        }
        Digest(hasher.finalize().into())
    }

    fn is_body(&self, field: &FieldDescriptor) -> bool {
        field.containing_oneof().as_ref() == Some(&self.body)
    }

    /// No body repeats a field of the header, the same name holds the same everywhere, no maps.
    fn check(&self) -> Result<(), SchemaError> {
        let mut known: BTreeMap<String, (FieldKind, DocumentType)> = BTreeMap::new();
        for (document_type, case) in &self.bodies {
            let Kind::Message(body) = case.kind() else {
                return Err(SchemaError::BodyType(document_type.clone()));
            };
            for field in body.fields() {
                let name = field.name().to_owned();
                let document_type = document_type.clone();
                if self.document.get_field_by_name(&name).is_some() {
                    return Err(SchemaError::Shadows { document_type, field: name });
                }
                let kind = kind(&field);
                match known.get(&name) {
                    Some((other, first)) if *other != kind => {
                        let (first, second) = (first.clone(), document_type);
                        return Err(SchemaError::Differs { field: name, first, second });
                    }
                    Some(_) => {}
                    None => {
                        known.insert(name, (kind, document_type));
                    }
                }
            }
        }
        check_maps(&self.document, &mut Vec::new())
    }
}

impl rulebook::Schema for Schema {
    fn types(&self) -> Vec<DocumentType> {
        self.bodies.keys().cloned().collect()
    }

    fn field(&self, document_type: Option<&DocumentType>, path: &str) -> Option<FieldKind> {
        let mut message = match document_type {
            Some(document_type) => self.body(document_type)?,
            None => self.document.clone(),
        };
        let mut names = path.split('.').peekable();
        loop {
            let field = message.get_field_by_name(names.next()?)?;
            if self.is_body(&field) {
                return None;
            }
            if names.peek().is_none() {
                return Some(kind(&field));
            }
            message = field.kind().as_message()?.clone();
        }
    }
}

/// The word by which the law knows an enum value: its name without the enum's prefix, lower case,
/// spaces for underscores.
#[must_use]
pub fn word(values: &EnumDescriptor, value: &EnumValueDescriptor) -> String {
    let zero = values.default_value();
    let prefix = zero.name().strip_suffix("UNSPECIFIED").unwrap_or_default();
    let name = value.name().strip_prefix(prefix).unwrap_or(value.name());
    name.to_ascii_lowercase().replace('_', " ")
}

/// What a field holds, as the law asks.
fn kind(field: &FieldDescriptor) -> FieldKind {
    if field.is_list() {
        return FieldKind::List;
    }
    match Format::of(field) {
        Format::Date => FieldKind::Date,
        Format::Time => FieldKind::Time,
        Format::Place => FieldKind::Place,
        Format::Agency => FieldKind::Agency,
        Format::Bool => FieldKind::Bool,
        Format::Number => FieldKind::Number,
        Format::Message => FieldKind::Message,
        Format::Word(values) => FieldKind::Words(
            values.values().filter(|v| v.number() != 0).map(|v| word(&values, &v)).collect(),
        ),
        Format::DocumentId
        | Format::Case
        | Format::Origin
        | Format::Key
        | Format::Prose
        | Format::Bytes => FieldKind::Text,
    }
}

fn check_maps(
    message: &MessageDescriptor,
    seen: &mut Vec<MessageDescriptor>,
) -> Result<(), SchemaError> {
    if seen.contains(message) {
        return Ok(());
    }
    seen.push(message.clone());
    for field in message.fields() {
        if field.is_map() {
            return Err(SchemaError::Map(field.full_name().to_owned()));
        }
        if let Kind::Message(inner) = field.kind() {
            check_maps(&inner, seen)?;
        }
    }
    Ok(())
}

#[cfg(test)]
pub(in crate::wire) mod tests;
