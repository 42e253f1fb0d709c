//! Ledger records as bytes: core's [`Record`] and the protobuf message `LedgerRecord`.
//!
//! A record's bytes are hashed when they are first made and never made again, so encoding is
//! deterministic: fields in order of number, sets and maps as sorted lists. Decoding takes only
//! bytes that encoding makes: whatever this version does not know it would drop, and a fold that
//! drops something is wrong. So decoding encodes again and compares.

use prost::Message as _;
use xianjie_core::domain::custody::{CustodyChange, Step};
use xianjie_core::domain::record::{Kind, Record};
use xianjie_core::ids::{CaseRef, DutyId, IdError};

use super::pb;

mod access;
mod base;
mod clock;
mod custody;
pub mod directory;
mod duty;
mod effect;
mod json;
mod kind;
mod words;
pub use json::json;
pub use words::Word;

/// The message of a step of custody (监管责任) and what it changes.
#[must_use]
pub fn custody_message(case: CaseRef, step: Step, change: &CustodyChange) -> pb::Custody {
    custody::message(case, step, change)
}

/// The message that names a duty by its place.
#[must_use]
pub fn duty_ref(duty: DutyId) -> pb::DutyRef {
    base::duty_message(duty)
}

/// Why bytes are not a record of this version. Never carries a value of the record.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RecordError {
    /// No protobuf message of this type.
    #[error("not a LedgerRecord")]
    Malformed(#[from] prost::DecodeError),
    /// A kind of record that this version does not know.
    #[error("a kind of record that this version does not know")]
    UnknownKind,
    /// An effect that this version does not know.
    #[error("an effect that this version does not know, at place {0}")]
    UnknownEffect(usize),
    /// A value of an enum that this version does not know.
    #[error("a value of `{0}` that this version does not know")]
    UnknownValue(&'static str),
    /// A field without which the message means nothing.
    #[error("`{0}` is missing")]
    Missing(&'static str),
    /// A field that holds no identifier of its sort.
    #[error("`{field}` {error}")]
    Id {
        /// The field.
        field: &'static str,
        /// What is wrong with it.
        error: IdError,
    },
    /// Bytes, a date or an instant of the wrong form.
    #[error("`{0}` has the wrong form")]
    Form(&'static str),
    /// Decodable, but not as this version encodes it: an unknown field, or another order.
    #[error("not encoded as this version encodes it")]
    NotCanonical,
}

/// The record's bytes: what the ledger commits to.
#[must_use]
pub fn encode(record: &Record) -> Vec<u8> {
    message(record).encode_to_vec()
}

/// The record of these bytes; `encode` makes the same bytes of it again.
///
/// # Errors
/// Bytes that no record of this version has.
pub fn decode(bytes: &[u8]) -> Result<Record, RecordError> {
    let message = pb::LedgerRecord::decode(bytes)?;
    let kind: Kind = kind::read(message.kind.ok_or(RecordError::UnknownKind)?)?;
    let effects = message.effects.into_iter().enumerate().map(effect::read);
    let record = Record { kind, effects: effects.collect::<Result<_, _>>()? };
    if encode(&record) == bytes { Ok(record) } else { Err(RecordError::NotCanonical) }
}

fn message(record: &Record) -> pb::LedgerRecord {
    pb::LedgerRecord {
        kind: Some(kind::message(&record.kind)),
        effects: record.effects.iter().map(effect::message).collect(),
    }
}

#[cfg(test)]
mod tests;
