//! The one reading of signed bytes: whether bytes say exactly what every
//! decoder will read in them.
//!
//! Decoders drop what they don't know and take the last of two values; a signer and a recipient
//! could then read different documents in the same bytes. So before anything is decoded this
//! walks the bytes along the descriptor and names every field that is unknown, set twice, of the
//! wrong wire type or not text. It makes nothing of the values.

use prost_reflect::{FieldDescriptor, Kind, MessageDescriptor, OneofDescriptor};
use xianjie_core::limits;
use xianjie_core::refusal::{Reason, Violation};

mod input;
mod path;
use input::Fault;
pub(super) use input::{Input, Wire};
use path::Path;

/// All that is wrong with `bytes` as a `message`, in the order of the bytes, up to
/// [`limits::VIOLATIONS`]. The fields of a member of the top level's `oneof` are named without that
/// member: `reasons`, not `verdict_handover.reasons`.
#[must_use]
pub fn walk(message: &MessageDescriptor, bytes: &[u8]) -> Vec<Violation> {
    let mut walker = Walker { elements: 0, violations: Vec::new() };
    walker.message(message, bytes, &Path::Root, 0);
    walker.violations
}

struct Walker {
    elements: usize,
    violations: Vec<Violation>,
}

/// What a message has set so far: how often a repeated field, or which singular ones.
struct Counted {
    number: u32,
    oneof: Option<OneofDescriptor>,
    count: usize,
}

impl Walker {
    fn is_done(&self) -> bool {
        self.violations.len() >= limits::VIOLATIONS || self.elements > limits::ELEMENTS
    }

    fn violation(&mut self, reason: Reason, path: &Path<'_>, help: &str) {
        if self.violations.len() < limits::VIOLATIONS {
            self.violations.push(Violation::new(reason, path.to_string()).help(help));
        }
    }

    fn fault(&mut self, fault: Fault, path: &Path<'_>) {
        self.violation(Reason::Malformed, path, fault.help());
    }

    /// Counts an element; false if there are too many.
    fn count(&mut self, path: &Path<'_>) -> bool {
        self.elements += 1;
        if self.elements == limits::ELEMENTS + 1 {
            let help = format!("at most {} elements", limits::ELEMENTS);
            self.violation(Reason::TooLarge, path, &help);
        }
        self.elements <= limits::ELEMENTS
    }

    fn message(
        &mut self,
        message: &MessageDescriptor,
        bytes: &[u8],
        path: &Path<'_>,
        depth: usize,
    ) {
        if depth > limits::NESTING {
            let help = format!("at most {} messages deep", limits::NESTING);
            return self.violation(Reason::TooLarge, path, &help);
        }
        let mut input = Input::new(bytes);
        let mut seen = Vec::new();
        while !input.is_empty() && !self.is_done() {
            let (number, wire) = match input.tag() {
                Ok(tag) => tag,
                Err(fault) => return self.fault(fault, path),
            };
            let value = match input.value(wire) {
                Ok(value) => value,
                Err(fault) => {
                    let field = message.get_field(number);
                    let at = field.as_ref().map(|field| path.field(field, 0));
                    return self.fault(fault, at.as_ref().unwrap_or(path));
                }
            };
            let Some(field) = message.get_field(number) else {
                self.violation(Reason::UnknownField, path, &format!("field number {number}"));
                continue;
            };
            let place = self.note(&mut seen, &field, path);
            self.field(&field, value, &path.field(&field, place), depth);
        }
    }

    /// Notes that a field is set; its place among those of the field before it.
    fn note(&mut self, seen: &mut Vec<Counted>, field: &FieldDescriptor, path: &Path<'_>) -> usize {
        let number = field.number();
        if let Some(same) = seen.iter_mut().find(|seen| seen.number == number) {
            same.count += 1;
            let place = same.count - 1;
            if !field.is_list() {
                self.violation(Reason::DuplicateField, &path.field(field, 0), "");
            }
            return place;
        }
        let oneof = field.containing_oneof();
        let rival = oneof.is_some() && seen.iter().any(|seen| seen.oneof == oneof);
        if rival {
            let help = "another member of the same choice is set";
            self.violation(Reason::DuplicateField, &path.field(field, 0), help);
        }
        seen.push(Counted { number, oneof, count: 1 });
        0
    }

    fn field(&mut self, field: &FieldDescriptor, value: Wire<'_>, path: &Path<'_>, depth: usize) {
        let kind = field.kind();
        match (&kind, value) {
            (Kind::Message(message), Wire::Bytes(bytes)) => {
                if self.count(path) {
                    self.message(message, bytes, path, depth + 1);
                }
            }
            (Kind::String, Wire::Bytes(bytes)) => {
                if self.count(path) && std::str::from_utf8(bytes).is_err() {
                    self.violation(Reason::Malformed, path, "not UTF-8");
                }
            }
            (Kind::Bytes, Wire::Bytes(_)) => {
                self.count(path);
            }
            (Kind::String | Kind::Bytes | Kind::Message(_), _) => self.wrong_type(path),
            (_, Wire::Bytes(bytes)) if field.is_list() => self.packed(&kind, bytes, path),
            _ => self.scalar(&kind, value, path),
        }
    }

    fn packed(&mut self, kind: &Kind, bytes: &[u8], path: &Path<'_>) {
        let mut input = Input::new(bytes);
        while !input.is_empty() && !self.is_done() {
            match input.value(kind.wire_type()) {
                Ok(value) => self.scalar(kind, value, path),
                Err(fault) => return self.fault(fault, path),
            }
        }
    }

    fn scalar(&mut self, kind: &Kind, value: Wire<'_>, path: &Path<'_>) {
        if !self.count(path) {
            return;
        }
        let number = match (kind, value) {
            (Kind::Double | Kind::Fixed64 | Kind::Sfixed64, Wire::Fixed64)
            | (Kind::Float | Kind::Fixed32 | Kind::Sfixed32, Wire::Fixed32) => return,
            (Kind::Int64 | Kind::Uint64 | Kind::Sint64, Wire::Varint(_)) => return,
            (_, Wire::Varint(number)) => number,
            _ => return self.wrong_type(path),
        };
        // Decoders cut a number to its type, some to other bits than others.
        let fits = match kind {
            Kind::Bool => number <= 1,
            Kind::Uint32 | Kind::Sint32 => u32::try_from(number).is_ok(),
            Kind::Int32 | Kind::Enum(_) => i32::try_from(number.cast_signed()).is_ok(),
            _ => return self.wrong_type(path),
        };
        if !fits {
            return self.violation(Reason::Malformed, path, "a number too large for its type");
        }
        if let Kind::Enum(values) = kind
            && i32::try_from(number.cast_signed()).is_ok_and(|n| values.get_value(n).is_none())
        {
            self.violation(
                Reason::UnknownField,
                path,
                "a value that the hub's schema does not have",
            );
        }
    }

    fn wrong_type(&mut self, path: &Path<'_>) {
        self.violation(Reason::Malformed, path, "a wire type that is not this field's");
    }
}

#[cfg(test)]
mod tests;
