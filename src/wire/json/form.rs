//! Empty forms: every field of header and body, with the comment of its `.proto` file above it.

use std::fmt::{self, Write as _};

use prost_reflect::{FieldDescriptor, Kind, MessageDescriptor};
use serde_json::Value;
use xianjie_core::ids::DocumentType;
use xianjie_core::limits;

use super::COMMENT;
use crate::wire::schema::{Format, Schema};

/// A form for a document type, in JSON: fields to fill in, each below a comment that says what it is
/// and in which form. What is left empty is not stated. None if there is no such type.
#[must_use]
pub fn template(schema: &Schema, document_type: &DocumentType) -> Option<String> {
    let (_, body) = schema.bodies().find(|(name, _)| *name == document_type)?;
    let fields: Vec<_> = schema.header().chain([body.clone()]).collect();
    let mut form = Form { text: String::new(), depth: 0 };
    // Writing to a string can't fail.
    form.fields(&fields).ok()?;
    form.text.push('\n');
    Some(form.text)
}

struct Form {
    text: String,
    depth: usize,
}

impl Form {
    fn fields(&mut self, fields: &[FieldDescriptor]) -> fmt::Result {
        self.text.push('{');
        self.depth += 1;
        for (i, field) in fields.iter().enumerate() {
            if i > 0 {
                self.text.push(',');
            }
            let name = field.name();
            self.line()?;
            let comment = Value::String(comment(field));
            write!(self.text, "\"{COMMENT} {name}\": {comment},")?;
            self.line()?;
            write!(self.text, "\"{name}\": ")?;
            self.value(field)?;
        }
        self.depth -= 1;
        if !fields.is_empty() {
            self.line()?;
        }
        self.text.push('}');
        Ok(())
    }

    fn value(&mut self, field: &FieldDescriptor) -> fmt::Result {
        let format = Format::of(field);
        if let (Format::Message, Kind::Message(message)) = (&format, field.kind()) {
            return self.message(&message, field.is_list());
        }
        self.text.push_str(match format {
            _ if field.is_list() => "[]",
            Format::Time | Format::Bool | Format::Number => "null",
            _ => "\"\"",
        });
        Ok(())
    }

    fn message(&mut self, message: &MessageDescriptor, is_list: bool) -> fmt::Result {
        let fields: Vec<_> = message.fields().collect();
        if self.depth > limits::NESTING {
            self.text.push_str("null");
            return Ok(());
        }
        if is_list {
            self.text.push('[');
        }
        self.fields(&fields)?;
        if is_list {
            self.text.push(']');
        }
        Ok(())
    }

    fn line(&mut self) -> fmt::Result {
        write!(self.text, "\n{:indent$}", "", indent = self.depth * 2)
    }
}

/// What the field is, and the form of its value.
fn comment(field: &FieldDescriptor) -> String {
    let form = match Format::of(field) {
        Format::Date => "2026-11-24".to_owned(),
        Format::Time => "2026-11-24T09:00:00+08:00".to_owned(),
        Format::Place => "a division's code".to_owned(),
        Format::Agency => "an agency's code".to_owned(),
        Format::Bool => "true, false".to_owned(),
        Format::Number => "a number".to_owned(),
        Format::Bytes => "base64".to_owned(),
        Format::Word(values) => {
            let stated = values.values().filter(|value| value.number() != 0);
            stated.map(|value| value.name().to_owned()).collect::<Vec<_>>().join(", ")
        }
        _ => String::new(),
    };
    let what = leading_comment(field).unwrap_or_default();
    if form.is_empty() { what } else { format!("{what} [{form}]") }
}

fn leading_comment(field: &FieldDescriptor) -> Option<String> {
    let file = field.parent_file();
    let info = file.file_descriptor_proto().source_code_info.as_ref()?;
    let location = info.location.iter().find(|location| location.path == field.path())?;
    let words = location.leading_comments.as_deref()?.split_whitespace();
    Some(words.collect::<Vec<_>>().join(" "))
}
