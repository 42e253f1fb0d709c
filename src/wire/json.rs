//! Documents as JSON files (the proto3 JSON mapping, with the fields' proto names): what `send`
//! reads, what `inbox fetch` writes, and empty forms to fill in.
//!
//! JSON is for people; it is never signed, and nothing is encoded from it twice.

use prost::Message as _;
use prost_reflect::{DynamicMessage, SerializeOptions};
use serde_json::Value;

use super::schema::Schema;

mod form;
pub use form::template;

/// A key that begins so is a comment, in a form as in any file.
const COMMENT: char = '#';

/// Why there is no document in a file, or no file of a document.
#[derive(Debug, thiserror::Error)]
pub enum JsonError {
    /// No JSON, or a name or a value that the schema does not have.
    #[error("not a document in JSON")]
    Json(#[from] serde_json::Error),
    /// Bytes that are no document.
    #[error("not the bytes of a document")]
    Bytes(#[from] prost::DecodeError),
}

/// The bytes of a document in JSON: encode once, sign these bytes, store them. Comments, and what is
/// left empty, are left out; a body stays, even an empty one.
///
/// # Errors
/// [`JsonError::Json`].
pub fn document_from_json(schema: &Schema, json: &Value) -> Result<Vec<u8>, JsonError> {
    let mut json = json.clone();
    if let Value::Object(fields) = &mut json {
        fields.retain(|name, value| {
            let is_filled = clean(value);
            !name.starts_with(COMMENT) && (is_filled || is_body(schema, name))
        });
    }
    let message = DynamicMessage::deserialize(schema.document().clone(), json)?;
    Ok(message.encode_to_vec())
}

/// A document in JSON, indented, its fields in the order of their numbers. What the schema does not
/// know is left out: the bytes have it still.
///
/// # Errors
/// [`JsonError::Bytes`].
pub fn document_to_json(schema: &Schema, bytes: &[u8]) -> Result<String, JsonError> {
    let message = DynamicMessage::decode(schema.document().clone(), bytes)?;
    let options = SerializeOptions::new().use_proto_field_name(true);
    let mut text = Vec::new();
    message.serialize_with_options(&mut serde_json::Serializer::pretty(&mut text), &options)?;
    Ok(String::from_utf8_lossy(&text).into_owned())
}

/// Takes comments and empty values out; whether anything is left.
fn clean(value: &mut Value) -> bool {
    match value {
        Value::Null => false,
        Value::String(text) => !text.is_empty(),
        Value::Array(items) => {
            items.retain_mut(clean);
            !items.is_empty()
        }
        Value::Object(fields) => {
            fields.retain(|name, value| !name.starts_with(COMMENT) && clean(value));
            !fields.is_empty()
        }
        Value::Bool(_) | Value::Number(_) => true,
    }
}

fn is_body(schema: &Schema, name: &str) -> bool {
    schema.bodies().any(|(_, case)| case.name() == name || case.json_name() == name)
}

#[cfg(test)]
mod tests;
