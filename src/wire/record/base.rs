//! Identifiers, digests, instants and dates between core's types and protobuf's.

use std::collections::BTreeSet;
use std::fmt::Display;
use std::str::FromStr;

use jiff::civil::Date;
use prost_types::Timestamp;
use xianjie_core::ids::{
    AgencyCode, CaseRef, Digest, DocumentRef, DutyId, IdError, InboxNumber, LedgerIndex, Time,
};

use super::RecordError;
use crate::wire::pb;

/// An identifier that must be there.
pub(super) fn id<T: FromStr<Err = IdError>>(
    text: &str,
    field: &'static str,
) -> Result<T, RecordError> {
    text.parse().map_err(|error| RecordError::Id { field, error })
}

/// An identifier that may be absent: then its text is empty.
pub(super) fn optional_id<T: FromStr<Err = IdError>>(
    text: &str,
    field: &'static str,
) -> Result<Option<T>, RecordError> {
    if text.is_empty() { Ok(None) } else { id(text, field).map(Some) }
}

/// A sorted set of identifiers, or a list.
pub(super) fn ids<T: FromStr<Err = IdError>, C: FromIterator<T>>(
    texts: &[String],
    field: &'static str,
) -> Result<C, RecordError> {
    texts.iter().map(|text| id(text, field)).collect()
}

/// The text of an identifier, empty if there is none.
pub(super) fn text<T: Display>(id: Option<&T>) -> String {
    id.map(T::to_string).unwrap_or_default()
}

/// The texts of a set of identifiers, in its order.
pub(super) fn texts<'a, T: Display + 'a>(ids: impl IntoIterator<Item = &'a T>) -> Vec<String> {
    ids.into_iter().map(T::to_string).collect()
}

pub(super) fn digest(bytes: &[u8], field: &'static str) -> Result<Digest, RecordError> {
    bytes.try_into().map(Digest).map_err(|_| RecordError::Form(field))
}

pub(super) fn optional_digest(
    bytes: &[u8],
    field: &'static str,
) -> Result<Option<Digest>, RecordError> {
    if bytes.is_empty() { Ok(None) } else { digest(bytes, field).map(Some) }
}

pub(super) fn case(bytes: &[u8]) -> Result<CaseRef, RecordError> {
    bytes.try_into().map(CaseRef).map_err(|_| RecordError::Form("correction_case"))
}

pub(super) fn optional_case(bytes: &[u8]) -> Result<Option<CaseRef>, RecordError> {
    if bytes.is_empty() { Ok(None) } else { case(bytes).map(Some) }
}

/// The bytes of a reference, none if there is none.
pub(super) fn case_bytes(case: Option<&CaseRef>) -> Vec<u8> {
    case.map(|case| case.0.to_vec()).unwrap_or_default()
}

pub(super) fn document(message: Option<pb::DocumentRef>) -> Result<DocumentRef, RecordError> {
    let message = message.ok_or(RecordError::Missing("document"))?;
    let sender = id(&message.sender, "document.sender")?;
    Ok(DocumentRef { sender, id: id(&message.document_id, "document.document_id")? })
}

pub(super) fn document_message(document: &DocumentRef) -> pb::DocumentRef {
    let DocumentRef { sender, id } = document;
    pb::DocumentRef { sender: sender.to_string(), document_id: id.to_string() }
}

pub(super) fn duty_id(message: Option<pb::DutyRef>) -> Result<DutyId, RecordError> {
    let message = message.ok_or(RecordError::Missing("duty"))?;
    Ok(DutyId { index: LedgerIndex(message.index), ordinal: message.ordinal })
}

pub(super) fn duty_message(duty: DutyId) -> pb::DutyRef {
    pb::DutyRef { index: duty.index.0, ordinal: duty.ordinal }
}

pub(super) fn delivery(
    message: Option<pb::DeliveryRef>,
) -> Result<(AgencyCode, InboxNumber), RecordError> {
    let message = message.ok_or(RecordError::Missing("delivery"))?;
    Ok((id(&message.agency, "delivery.agency")?, InboxNumber(message.inbox_number)))
}

pub(super) fn delivery_message(agency: &AgencyCode, number: InboxNumber) -> pb::DeliveryRef {
    pb::DeliveryRef { agency: agency.to_string(), inbox_number: number.0 }
}

pub(super) fn date(text: &str, field: &'static str) -> Result<Date, RecordError> {
    text.parse().map_err(|_| RecordError::Form(field))
}

/// The instant to the millisecond below; none outside what fits.
pub(super) fn time(timestamp: &Timestamp) -> Option<Time> {
    let milliseconds = i64::from(timestamp.nanos).div_euclid(1_000_000);
    timestamp.seconds.checked_mul(1000)?.checked_add(milliseconds).map(Time)
}

pub(super) fn needed_time(
    timestamp: Option<&Timestamp>,
    field: &'static str,
) -> Result<Time, RecordError> {
    time(timestamp.ok_or(RecordError::Missing(field))?).ok_or(RecordError::Form(field))
}

pub(super) fn optional_time(
    timestamp: Option<&Timestamp>,
    field: &'static str,
) -> Result<Option<Time>, RecordError> {
    timestamp.map(|timestamp| time(timestamp).ok_or(RecordError::Form(field))).transpose()
}

/// A set of enum values, from their numbers.
pub(super) fn words<T: super::Word + Ord>(numbers: &[i32]) -> Result<BTreeSet<T>, RecordError> {
    numbers.iter().map(|number| T::from_number(*number)).collect()
}
