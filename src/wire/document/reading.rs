//! Every field of a document in one pass: its format, and what the law may read of it.

use std::collections::{BTreeMap, BTreeSet};
use std::str::FromStr;

use jiff::civil::Date;
use prost_reflect::{DynamicMessage, EnumDescriptor, FieldDescriptor, Value};
use xianjie_core::domain::document::Fact;
use xianjie_core::ids::{
    AgencyCode, CaseRef, DivisionCode, DocumentId, DocumentRef, DocumentType, IdError, Origin,
};
use xianjie_core::limits;
use xianjie_core::refusal::{Reason, Violation};

use super::fields;
use crate::wire::schema::{Format, Schema, word};

/// What has been read so far.
pub(super) struct Reading<'a> {
    origin: &'a Origin,
    pub(super) violations: Vec<Violation>,
    pub(super) facts: BTreeMap<String, Fact>,
    pub(super) present: BTreeSet<String>,
}

/// Where a field is.
struct Place {
    /// Its path without places in lists: what `required` names.
    plain: String,
    /// Its path with them: what a violation names.
    exact: String,
    /// Whether it is a single field of header or body: only those are facts.
    is_fact: bool,
}

impl<'a> Reading<'a> {
    pub(super) fn new(origin: &'a Origin) -> Self {
        Self { origin, violations: Vec::new(), facts: BTreeMap::new(), present: BTreeSet::new() }
    }

    /// Reads all fields of header and body. Returns the document's type, if it has one.
    pub(super) fn document(
        &mut self,
        schema: &Schema,
        message: &DynamicMessage,
    ) -> Option<DocumentType> {
        let mut document_type = None;
        for (field, value) in message.fields() {
            match (schema.type_of(&field), value.as_message()) {
                (Some(name), Some(body)) => {
                    document_type = Some(name.clone());
                    for (field, value) in body.fields() {
                        self.field(&field, value, None);
                    }
                }
                _ => self.field(&field, value, None),
            }
        }
        document_type
    }

    pub(super) fn violation(&mut self, reason: Reason, field: &str, help: &str) {
        self.violations.push(Violation::new(reason, field).help(help));
    }

    /// Notes that a field must be filled in, unless it is.
    pub(super) fn require(&mut self, field: &str) {
        if !self.present.contains(field) {
            self.violation(Reason::Required, field, "");
        }
    }

    /// The agencies in a list of the header.
    pub(super) fn agencies(
        &mut self,
        message: &DynamicMessage,
        name: &str,
        limit: usize,
    ) -> Vec<AgencyCode> {
        let items = fields::value(message, name).and_then(Value::as_list).unwrap_or_default();
        self.bound(name, items.len(), limit);
        items.iter().filter_map(|item| item.as_str()?.parse().ok()).collect()
    }

    /// The documents that a list of the header names.
    pub(super) fn references(
        &mut self,
        message: &DynamicMessage,
        name: &str,
        limit: usize,
    ) -> Vec<DocumentRef> {
        let items = fields::messages(message, name);
        let named = items
            .enumerate()
            .filter_map(|(place, item)| self.named(item, &format!("{name}[{place}]")));
        let named: Vec<_> = named.collect();
        self.bound(name, fields::messages(message, name).count(), limit);
        named
    }

    /// The document that a field of the header names.
    pub(super) fn reference(
        &mut self,
        message: &DynamicMessage,
        name: &str,
    ) -> Option<DocumentRef> {
        self.named(fields::message(message, name)?, name)
    }

    /// Notes that a list of `length` has more items than it may.
    pub(super) fn bound(&mut self, field: &str, length: usize, limit: usize) {
        if length > limit {
            let wrong = Violation::new(Reason::TooLarge, field);
            self.violations
                .push(wrong.help_in(format!("at most {limit}"), format!("至多{limit}项")));
        }
    }

    fn named(&mut self, reference: &DynamicMessage, path: &str) -> Option<DocumentRef> {
        for part in ["sender", "document_id"] {
            if fields::text(reference, part).is_empty() {
                self.violation(Reason::Required, &format!("{path}.{part}"), "");
            }
        }
        let sender = fields::parsed(reference, "sender")?;
        Some(DocumentRef { sender, id: fields::parsed(reference, "document_id")? })
    }

    fn field(&mut self, field: &FieldDescriptor, value: &Value, above: Option<&Place>) {
        let mut place = Place {
            plain: below(above.map(|above| above.plain.as_str()), field.name()),
            exact: below(above.map(|above| above.exact.as_str()), field.name()),
            is_fact: above.is_none() && !field.is_list(),
        };
        let Some(items) = value.as_list() else { return self.value(field, value, &place) };
        let exact = place.exact;
        for (i, item) in items.iter().enumerate() {
            place.exact = format!("{exact}[{i}]");
            self.value(field, item, &place);
        }
    }

    fn value(&mut self, field: &FieldDescriptor, value: &Value, place: &Place) {
        let fact = match (Format::of(field), value) {
            (Format::Time, Value::Message(timestamp)) => self.time(timestamp, place),
            (Format::Message, Value::Message(message)) => {
                for (field, value) in message.fields() {
                    self.field(&field, value, Some(place));
                }
                None
            }
            (Format::Word(values), Value::EnumNumber(number)) => enum_word(&values, *number),
            (Format::Bool, Value::Bool(yes)) => Some(Fact::Bool(*yes)),
            (Format::Number, number) => whole_number(number),
            (format, Value::String(text)) => {
                if text.trim().is_empty() {
                    return;
                }
                self.text(&format, text, place)
            }
            _ => None,
        };
        self.present.insert(place.plain.clone());
        if let (true, Some(fact)) = (place.is_fact, fact) {
            self.facts.insert(place.plain.clone(), fact);
        }
    }

    fn time(&mut self, timestamp: &DynamicMessage, place: &Place) -> Option<Fact> {
        let time = fields::instant(timestamp);
        if time.is_none() {
            self.violation(Reason::ImpossibleDate, &place.exact, "");
        }
        time.map(Fact::Time)
    }

    /// Checks a text's format. Prose is no fact: it may hold names, which the law does not read.
    fn text(&mut self, format: &Format, text: &str, place: &Place) -> Option<Fact> {
        match format {
            Format::Date => self.date(text, place).map(Fact::Date),
            Format::Place => self.id::<DivisionCode>(text, place).map(Fact::Place),
            Format::Agency => self.id::<AgencyCode>(text, place).map(Fact::Agency),
            Format::DocumentId => self.id::<DocumentId>(text, place).and(None),
            Format::Case => self.id::<CaseRef>(text, place).and(None),
            Format::Origin => {
                if text != self.origin.as_str() {
                    self.violation(Reason::WrongLedger, &place.exact, "");
                }
                None
            }
            Format::Key => self.key(text, place).map(Fact::Text),
            _ => {
                if text.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t')) {
                    self.control(place);
                }
                None
            }
        }
    }

    fn key(&mut self, text: &str, place: &Place) -> Option<String> {
        if text.chars().any(char::is_control) {
            self.control(place);
            return None;
        }
        if text.chars().count() > limits::TEXT_CHARS {
            let help = format!("at most {} characters", limits::TEXT_CHARS);
            self.violation(Reason::TooLarge, &place.exact, &help);
            return None;
        }
        Some(text.to_owned())
    }

    fn control(&mut self, place: &Place) {
        let wrong = Violation::new(Reason::Format, place.exact.as_str());
        self.violations.push(wrong.help_in("no control characters", "不得含有控制字符"));
    }

    fn date(&mut self, text: &str, place: &Place) -> Option<Date> {
        let has_form = text.len() == 10
            && text.bytes().enumerate().all(|(i, byte)| match i {
                4 | 7 => byte == b'-',
                _ => byte.is_ascii_digit(),
            });
        if !has_form {
            self.violation(Reason::Format, &place.exact, "YYYY-MM-DD");
            return None;
        }
        let date = text.parse().ok().filter(|date| fields::is_possible(*date));
        if date.is_none() {
            self.violation(Reason::ImpossibleDate, &place.exact, "");
        }
        date
    }

    fn id<T: FromStr<Err = IdError>>(&mut self, text: &str, place: &Place) -> Option<T> {
        match text.parse() {
            Ok(id) => Some(id),
            Err(error) => {
                let wrong = Violation::new(Reason::Format, place.exact.as_str());
                self.violations.push(wrong.help_in(error.to_string(), error.chinese()));
                None
            }
        }
    }
}

fn below(above: Option<&str>, name: &str) -> String {
    above.map_or_else(|| name.to_owned(), |above| format!("{above}.{name}"))
}

fn enum_word(values: &EnumDescriptor, number: i32) -> Option<Fact> {
    values.get_value(number).map(|value| Fact::Word(word(values, &value)))
}

fn whole_number(value: &Value) -> Option<Fact> {
    match value {
        Value::I32(number) => Some(Fact::Number((*number).into())),
        Value::I64(number) => Some(Fact::Number(*number)),
        Value::U32(number) => Some(Fact::Number((*number).into())),
        Value::U64(number) => i64::try_from(*number).ok().map(Fact::Number),
        _ => None,
    }
}
