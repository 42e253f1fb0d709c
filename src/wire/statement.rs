//! Recipients' signed statements: acknowledgements (签收) and rejections (退件), read and made.

use prost::Message;
use xianjie_core::ids::{AgencyCode, Digest, InboxNumber, Origin, Time};
use xianjie_core::limits;
use xianjie_core::refusal::{Reason, Refusal, Violation};

use super::document::Seen;
use super::pb;
use super::time::write_time;

/// An acknowledgement as read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AcknowledgementHeard {
    /// Whose inbox.
    pub agency: AgencyCode,
    /// Which deliveries, each with the commitment C that its receipt opened.
    pub items: Vec<(InboxNumber, Digest)>,
    /// The last checkpoint that its signer verified.
    pub seen: Option<Seen>,
}

/// A rejection as read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RejectionHeard {
    /// Whose inbox.
    pub agency: AgencyCode,
    /// Which delivery.
    pub number: InboxNumber,
    /// The commitment C that its receipt opened.
    pub commitment: Digest,
    /// Why, by the name of the protocol's enum value.
    pub reason: String,
    /// The last checkpoint that its signer verified.
    pub seen: Option<Seen>,
}

/// Reads an acknowledgement's exact bytes.
///
/// # Errors
/// All that is wrong with its form, or another hub's ledger.
pub fn read_acknowledgement(
    origin: &Origin,
    bytes: &[u8],
) -> Result<AcknowledgementHeard, Refusal> {
    let message = decode::<pb::Acknowledgement>(bytes)?;
    let mut violations = Vec::new();
    check_ledger(origin, &message.ledger, &mut violations);
    let agency = agency(&message.agency, &mut violations);
    if message.items.is_empty() || message.items.len() > limits::ACKNOWLEDGED_ITEMS {
        let bound = Violation::new(Reason::TooLarge, "items");
        violations.push(bound.help_in("1 to 256 deliveries", "须为1至256件送达"));
    }
    let items = message
        .items
        .iter()
        .enumerate()
        .filter_map(|(place, item)| {
            let field = format!("items[{place}].commitment");
            Some((
                InboxNumber(item.inbox_number),
                digest(&item.commitment, field, &mut violations)?,
            ))
        })
        .collect();
    let seen = read_seen(message.seen.as_ref(), &mut violations);
    match (agency, Refusal::of(violations)) {
        (Some(agency), None) => Ok(AcknowledgementHeard { agency, items, seen }),
        (_, Some(refusal)) => Err(refusal),
        (None, None) => Err(Reason::Malformed.into()),
    }
}

/// Reads a rejection's exact bytes.
///
/// # Errors
/// All that is wrong with its form, or another hub's ledger.
pub fn read_rejection(origin: &Origin, bytes: &[u8]) -> Result<RejectionHeard, Refusal> {
    let message = decode::<pb::Rejection>(bytes)?;
    let mut violations = Vec::new();
    check_ledger(origin, &message.ledger, &mut violations);
    let agency = agency(&message.agency, &mut violations);
    let commitment = digest(&message.commitment, "commitment".to_owned(), &mut violations);
    if message.reason() == pb::RejectionReason::Unspecified {
        violations.push(Violation::new(Reason::Required, "reason"));
    }
    let seen = read_seen(message.seen.as_ref(), &mut violations);
    match (agency, commitment, Refusal::of(violations)) {
        (Some(agency), Some(commitment), None) => Ok(RejectionHeard {
            agency,
            number: InboxNumber(message.inbox_number),
            commitment,
            reason: message.reason().as_str_name().to_owned(),
            seen,
        }),
        (_, _, Some(refusal)) => Err(refusal),
        _ => Err(Reason::Malformed.into()),
    }
}

/// What an acknowledgement says.
#[derive(Debug, Clone)]
pub struct AcknowledgementText {
    /// The ledger.
    pub ledger: Origin,
    /// Whose inbox.
    pub agency: AgencyCode,
    /// Which deliveries, each with its commitment C.
    pub items: Vec<(InboxNumber, Digest)>,
    /// When the recipient's system had stored them.
    pub stored: Time,
    /// Who signs, in the agency's own words: an officer or a system.
    pub signed_by: String,
    /// The last checkpoint verified.
    pub seen: Option<Seen>,
}

/// The bytes of an acknowledgement, to be signed and kept.
#[must_use]
pub fn write_acknowledgement(text: &AcknowledgementText) -> Vec<u8> {
    let items = text.items.iter().map(|(number, commitment)| pb::AcknowledgedDelivery {
        inbox_number: number.0,
        commitment: commitment.0.to_vec(),
    });
    pb::Acknowledgement {
        ledger: text.ledger.to_string(),
        agency: text.agency.to_string(),
        items: items.collect(),
        stored_time: Some(write_time(text.stored)),
        signed_by: text.signed_by.clone(),
        seen: text.seen.map(write_seen),
    }
    .encode_to_vec()
}

/// A checkpoint that somebody verified, as the protocol writes it.
#[must_use]
pub fn write_seen(seen: Seen) -> pb::Seen {
    pb::Seen { size: seen.size, root: seen.root.to_vec() }
}

pub(super) fn read_seen(seen: Option<&pb::Seen>, violations: &mut Vec<Violation>) -> Option<Seen> {
    let seen = seen?;
    let root = digest(&seen.root, "seen.root".to_owned(), violations)?;
    Some(Seen { size: seen.size, root: root.0 })
}

pub(super) fn check_ledger(origin: &Origin, ledger: &str, violations: &mut Vec<Violation>) {
    if ledger != origin.as_str() {
        violations.push(Violation::new(Reason::WrongLedger, "ledger").help(origin.as_str()));
    }
}

/// Decodes; unknown fields are refused by comparing lengths, since a message that is encoded again
/// without them is shorter.
pub(super) fn decode<M: Message + Default>(bytes: &[u8]) -> Result<M, Refusal> {
    let message = M::decode(bytes).map_err(|_| Refusal::from(Reason::Malformed))?;
    if message.encoded_len() == bytes.len() {
        Ok(message)
    } else {
        Err(Reason::UnknownField.into())
    }
}

fn agency(code: &str, violations: &mut Vec<Violation>) -> Option<AgencyCode> {
    let parsed = code.parse().ok();
    if parsed.is_none() {
        violations.push(Violation::new(Reason::Format, "agency"));
    }
    parsed
}

fn digest(bytes: &[u8], field: String, violations: &mut Vec<Violation>) -> Option<Digest> {
    let digest = bytes.try_into().ok().map(Digest);
    if digest.is_none() {
        violations.push(Violation::new(Reason::Format, field).help("32 bytes"));
    }
    digest
}
