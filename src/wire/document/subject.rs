//! The subject (矫正对象): from name and number to a key that tells neither.

use jiff::civil::Date;
use prost_reflect::DynamicMessage;
use sha2::{Digest as _, Sha256};
use xianjie_core::domain::document::Subject;
use xianjie_core::ids::{IdError, PersonKey, ResidentId, Time, resident_id_birth_date};
use xianjie_core::refusal::{Reason, Violation};

use super::fields;
use super::reading::Reading;
use crate::wire::pb::IdentityKind;
use crate::wire::record::Word;

const NUMBER: &str = "subject.identity_number";
const KIND: &str = "subject.identity_kind";
const BIRTH: &str = "subject.birth_date";

/// The person with this number, as the law's engine knows one: SHA-256("xianjie/person/v1\0" ‖ kind
/// ‖ "\0" ‖ number), the kind by its name in `proto/`.
#[must_use]
pub fn person_key(kind: IdentityKind, number: &str) -> PersonKey {
    let mut hasher = Sha256::new();
    hasher.update(b"xianjie/person/v1\0");
    hasher.update(kind.as_str_name());
    hasher.update(b"\0");
    hasher.update(number);
    PersonKey(hasher.finalize().into())
}

pub(super) fn read(
    reading: &mut Reading<'_>,
    document: &DynamicMessage,
    create_time: Option<Time>,
) -> Option<Subject> {
    let subject = fields::message(document, "subject")?;
    let person = person(reading, subject);
    check_birth(reading, subject, create_time);
    Some(Subject {
        case: fields::parsed(subject, "correction_case"),
        person,
        category: Word::from_number(fields::enum_number(subject, "category")).ok(),
        juvenile: fields::value(subject, "juvenile").and_then(prost_reflect::Value::as_bool),
        born: fields::parsed(subject, "birth_date").or_else(|| inside(subject)),
    })
}

fn person(reading: &mut Reading<'_>, subject: &DynamicMessage) -> Option<PersonKey> {
    let number = fields::text(subject, "identity_number");
    let kind = IdentityKind::try_from(fields::enum_number(subject, "identity_kind")).ok()?;
    match numbered(kind, number) {
        Ok(person) => person,
        Err(Misnumbered { of_kind, reason, help }) => {
            reading.violation(reason, if of_kind { KIND } else { NUMBER }, &help);
            None
        }
    }
}

/// The person of this number, as a query names one.
///
/// # Errors
/// There is no number, or it is none of its kind; the value is not repeated.
pub fn queried_person(kind: i32, number: &str) -> Result<PersonKey, Violation> {
    let known = IdentityKind::try_from(kind)
        .map_err(|_| Violation::new(Reason::UnknownField, "identity.kind"))?;
    match numbered(known, number) {
        Ok(Some(person)) => Ok(person),
        Ok(None) => Err(Violation::new(Reason::Required, "identity.number")),
        Err(Misnumbered { of_kind, reason, help }) => {
            let field = if of_kind { "identity.kind" } else { "identity.number" };
            Err(Violation::new(reason, field).help(help))
        }
    }
}

/// Why a number is none of its kind.
struct Misnumbered {
    /// The kind is at fault, not the number.
    of_kind: bool,
    reason: Reason,
    help: String,
}

/// The person of this number; nobody, where neither kind nor number is given.
fn numbered(kind: IdentityKind, number: &str) -> Result<Option<PersonKey>, Misnumbered> {
    let wrong =
        |of_kind, reason, help: &str| Misnumbered { of_kind, reason, help: help.to_owned() };
    match (kind, number.is_empty()) {
        (IdentityKind::Unspecified | IdentityKind::SelfReportedName, true) => return Ok(None),
        (IdentityKind::Unspecified, false) => return Err(wrong(true, Reason::Required, "")),
        (IdentityKind::SelfReportedName, false) => {
            return Err(wrong(false, Reason::Format, "a self-reported name has no number"));
        }
        (_, true) => return Err(wrong(false, Reason::Required, "")),
        (_, false) => {}
    }
    check_number(kind, number).map_err(|error| {
        let reason = match error {
            IdError::CheckDigit => Reason::CheckDigit,
            IdError::BirthDate => Reason::ImpossibleDate,
            _ => Reason::Format,
        };
        wrong(false, reason, &error.to_string())
    })?;
    Ok(Some(person_key(kind, number)))
}

/// Resident IDs, and the eighteen-character residence permits (港澳台居民居住证) and permanent
/// residence cards (2023), have the check digit of GB 11643; what is older or foreign has none.
fn check_number(kind: IdentityKind, number: &str) -> Result<(), IdError> {
    let is_checked = match kind {
        IdentityKind::ResidentId => true,
        IdentityKind::HongKongMacaoTaiwanPermit | IdentityKind::PermanentResidence => {
            number.len() == 18
        }
        _ => false,
    };
    if is_checked {
        return number.parse::<ResidentId>().map(drop);
    }
    if !(5..=20).contains(&number.len()) {
        return Err(IdError::Length(20));
    }
    let fits = number.bytes().all(|byte| byte.is_ascii_digit() || byte.is_ascii_uppercase());
    if fits { Ok(()) } else { Err(IdError::Alphabet("A-Z and 0-9")) }
}

/// A birth date agrees with the resident ID, and lies before the document.
fn check_birth(reading: &mut Reading<'_>, subject: &DynamicMessage, create_time: Option<Time>) {
    let Some(birth) = fields::parsed(subject, "birth_date") else { return };
    if create_time.and_then(fields::day).is_some_and(|made| birth > made) {
        reading.violation(Reason::ImpossibleDate, BIRTH, "after the document was made");
    }
    if inside(subject).is_some_and(|inside| inside != birth) {
        reading.violation(Reason::ImpossibleDate, BIRTH, "not the date in the resident ID");
    }
}

/// The birth date that is part of a resident ID.
fn inside(subject: &DynamicMessage) -> Option<Date> {
    let is_resident =
        fields::enum_number(subject, "identity_kind") == IdentityKind::ResidentId as i32;
    let inside = resident_id_birth_date(fields::text(subject, "identity_number"));
    inside.filter(|_| is_resident)
}
