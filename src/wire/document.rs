//! A document's bytes as core's [`Document`]: one reading, everything that is wrong with their form.
//!
//! What the law asks (mandatory fields by type, addressees, limits) is not asked here, and whether
//! an agency, a division or a case exists is not known here.

use prost_reflect::DynamicMessage;
use sha2::{Digest as _, Sha256};
use xianjie_core::domain::document::Document;
use xianjie_core::ids::{Digest, Origin, Time};
use xianjie_core::limits;
use xianjie_core::refusal::{Reason, Refusal, Violation};

use super::schema::Schema;
use super::walk::walk;

mod attachments;
mod classification;
mod fields;
mod reading;
mod subject;
pub use attachments::MEDIA_TYPES;
pub use subject::{person_key, queried_person};

use reading::Reading;

/// A document as heard from its sender, and what its header says that the law does not read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heard {
    /// The document.
    pub document: Document,
    /// When its sender says it was made.
    pub create_time: Time,
    /// The last checkpoint that its sender verified.
    pub seen: Option<Seen>,
}

/// A checkpoint that somebody verified.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seen {
    /// Number of leaves.
    pub size: u64,
    /// Root of the tree of that size.
    pub root: [u8; 32],
}

/// Fields without which no document is one.
const REQUIRED: [&str; 6] =
    ["document_id", "ledger", "sender", "create_time", "original_form", "classification"];

/// Reads a document's exact bytes for the ledger `origin`.
///
/// # Errors
/// All that is wrong with the bytes, or, once they are readable, with the form of their fields. A
/// classified document is refused for that alone, whatever else is wrong.
pub fn read_document(schema: &Schema, origin: &Origin, bytes: &[u8]) -> Result<Heard, Refusal> {
    let message = decode(schema, bytes)?;
    let mut reading = Reading::new(origin);
    let kind = reading.document(schema, &message);
    for name in REQUIRED {
        reading.require(name);
    }
    if kind.is_none() {
        reading.violation(Reason::Required, "body", "one of the document types");
    }
    let create_time = fields::time(&message, "create_time");
    let subject = subject::read(&mut reading, &message, create_time);
    let attachments = attachments::read(&mut reading, &message);
    let chosen = reading.agencies(&message, "chosen_agencies", limits::CHOSEN_AGENCIES);
    let after = reading.references(&message, "after_documents", limits::AFTER_DOCUMENTS);
    let in_reply_to = reading.reference(&message, "in_reply_to");
    let replaces = reading.reference(&message, "replaces");
    let seen = seen(&mut reading, &message);
    if let Some(refusal) = Refusal::of(reading.violations) {
        return Err(refusal);
    }
    let id = fields::parsed(&message, "document_id");
    let sender = fields::parsed(&message, "sender");
    let (Some(id), Some(sender), Some(create_time), Some(kind)) = (id, sender, create_time, kind)
    else {
        return Err(Reason::Malformed.into());
    };
    let execution_place = fields::parsed(&message, "execution_place");
    let (digest, facts, present) = (digest(bytes), reading.facts, reading.present);
    let document = Document {
        id,
        sender,
        kind,
        digest,
        subject,
        execution_place,
        chosen,
        in_reply_to,
        after,
        replaces,
        attachments,
        facts,
        present,
    };
    Ok(Heard { document, create_time, seen })
}

/// SHA-256 of a document's exact bytes.
#[must_use]
pub fn digest(bytes: &[u8]) -> Digest {
    Digest(Sha256::digest(bytes).into())
}

/// The bytes as a message, if they have one reading.
fn decode(schema: &Schema, bytes: &[u8]) -> Result<DynamicMessage, Refusal> {
    if classification::is_classified(schema, bytes) {
        return Err(Violation::new(Reason::Classified, "classification").into());
    }
    if bytes.len() > limits::DOCUMENT_BYTES {
        let help = format!("at most {} bytes", limits::DOCUMENT_BYTES);
        return Err(Violation::new(Reason::TooLarge, "").help(help).into());
    }
    if let Some(refusal) = Refusal::of(walk(schema.document(), bytes)) {
        return Err(refusal);
    }
    let message = DynamicMessage::decode(schema.document().clone(), bytes);
    message.map_err(|_| Reason::Malformed.into())
}

fn seen(reading: &mut Reading<'_>, message: &DynamicMessage) -> Option<Seen> {
    let seen = fields::message(message, "seen")?;
    let root = fields::digest(seen, "root");
    if root.is_none() {
        reading.violation(Reason::Format, "seen.root", "32 bytes");
    }
    Some(Seen { size: fields::number(seen, "size"), root: root?.0 })
}

#[cfg(test)]
pub(in crate::wire) mod tests;
