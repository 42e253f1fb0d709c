//! Signatures on the wire, and envelopes: the signed bytes with their signatures.

use bytes::Bytes;
use prost::Message;
use xianjie_core::domain::record::Signature;
use xianjie_core::ids::{Digest, PersonKey};
use xianjie_core::limits;
use xianjie_core::refusal::{Reason, Violation};

use super::document::queried_person;
use super::pb;
use crate::identity::signature::{Algorithm, PayloadType, SigningIdentity};

/// Signed bytes as they came over the wire.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signed {
    /// The exact bytes that were signed.
    pub payload: Bytes,
    /// The signatures.
    pub signatures: Vec<Signature>,
    /// For a document the whole `SignedDocument`: what is stored and served; else empty.
    pub envelope: Vec<u8>,
}

impl Signed {
    /// A signed document.
    ///
    /// # Errors
    /// None, or a signature whose form is wrong.
    pub fn document(message: Option<pb::SignedDocument>) -> Result<Self, Violation> {
        let message = message.ok_or_else(|| Violation::new(Reason::Required, "signed_document"))?;
        let envelope = message.encode_to_vec();
        let signatures = read(&message.signatures)?;
        Ok(Self { payload: message.document, signatures, envelope })
    }

    /// A document that is only checked: its signatures may still be missing.
    ///
    /// # Errors
    /// None, or a signature whose form is wrong.
    pub fn unsigned_document(message: Option<pb::SignedDocument>) -> Result<Self, Violation> {
        match message {
            Some(message) if message.signatures.is_empty() => {
                let envelope = message.encode_to_vec();
                Ok(Self { payload: message.document, signatures: Vec::new(), envelope })
            }
            message => Self::document(message),
        }
    }

    /// A signed document, as it is stored.
    ///
    /// # Errors
    /// Bytes that are none, no signature, or a signature whose form is wrong.
    pub fn from_envelope(envelope: &[u8]) -> Result<Self, Violation> {
        let message = pb::SignedDocument::decode(envelope)
            .map_err(|_| Violation::new(Reason::Malformed, "signed_document"))?;
        let signatures = read(&message.signatures)?;
        Ok(Self { payload: message.document, signatures, envelope: envelope.to_vec() })
    }

    /// A signed acknowledgement.
    ///
    /// # Errors
    /// A signature whose form is wrong.
    pub fn acknowledgement(message: pb::SignedAcknowledgement) -> Result<Self, Violation> {
        Self::bare(message.acknowledgement, &message.signatures)
    }

    /// A signed rejection.
    ///
    /// # Errors
    /// None, or a signature whose form is wrong.
    pub fn rejection(message: Option<pb::SignedRejection>) -> Result<Self, Violation> {
        let message = message.ok_or_else(|| Violation::new(Reason::Required, "rejection"))?;
        Self::bare(message.rejection, &message.signatures)
    }

    /// A signed directory change.
    ///
    /// # Errors
    /// None, or a signature whose form is wrong.
    pub fn directory_change(message: Option<pb::SignedDirectoryChange>) -> Result<Self, Violation> {
        let message =
            message.ok_or_else(|| Violation::new(Reason::Required, "signed_directory_change"))?;
        Self::bare(message.directory_change, &message.signatures)
    }

    /// Signs a document once.
    #[must_use]
    pub fn sign_document(payload: Vec<u8>, signer: &SigningIdentity) -> Self {
        let signature = sign(PayloadType::Document, &payload, signer);
        let message =
            pb::SignedDocument { document: payload.into(), signatures: vec![write(&signature)] };
        Self {
            envelope: message.encode_to_vec(),
            payload: message.document,
            signatures: vec![signature],
        }
    }

    fn bare(payload: Vec<u8>, signatures: &[pb::Signature]) -> Result<Self, Violation> {
        Ok(Self { payload: payload.into(), signatures: read(signatures)?, envelope: Vec::new() })
    }
}

/// Signs `payload`.
#[must_use]
pub fn sign(kind: PayloadType, payload: &[u8], signer: &SigningIdentity) -> Signature {
    Signature {
        algorithm: number(signer.algorithm),
        certificate: Digest(signer.digest),
        value: signer.sign(kind, payload),
    }
}

/// Signatures as the protocol writes them.
///
/// # Errors
/// None, more than four, or a digest that is not 32 bytes.
pub fn read(signatures: &[pb::Signature]) -> Result<Vec<Signature>, Violation> {
    if signatures.is_empty() || signatures.len() > limits::SIGNATURES {
        return Err(Violation::new(Reason::SignatureMissing, "signatures"));
    }
    let read = |(place, signature): (usize, &pb::Signature)| {
        let field = || format!("signatures[{place}].certificate_sha256");
        let certificate = signature.certificate_sha256.as_slice().try_into();
        Ok(Signature {
            algorithm: signature.algorithm,
            certificate: Digest(
                certificate
                    .map_err(|_| Violation::new(Reason::Format, field()).help("32 bytes"))?,
            ),
            value: signature.value.clone(),
        })
    };
    signatures.iter().enumerate().map(read).collect()
}

/// A signature as the protocol writes it.
#[must_use]
pub fn write(signature: &Signature) -> pb::Signature {
    pb::Signature {
        algorithm: signature.algorithm,
        certificate_sha256: signature.certificate.0.to_vec(),
        value: signature.value.clone(),
    }
}

/// The attachments that the document in a stored `SignedDocument` names, each by its digest and kind; none
/// if it was erased.
#[must_use]
pub fn attachments(envelope: &[u8]) -> Vec<(Digest, String)> {
    let named = document(envelope).attachments.into_iter();
    let read = |named: pb::Attachment| {
        Some((Digest(named.sha256.as_slice().try_into().ok()?), named.kind))
    };
    named.filter_map(read).collect()
}

/// The day on which the document in a stored `SignedDocument` was issued, as it says; empty if it says
/// none or was erased.
#[must_use]
pub fn issue_date(envelope: &[u8]) -> String {
    document(envelope).issue_date
}

/// What a document says of its subject (矫正对象). Nobody, where it names none.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct NamedSubject {
    /// It says that they were a juvenile at the offence.
    pub juvenile: bool,
    /// Who they are, if it gives their number.
    pub person: Option<PersonKey>,
}

/// The subject of the document in a stored `SignedDocument`; nobody, if it was erased.
#[must_use]
pub fn named_subject(envelope: &[u8]) -> NamedSubject {
    let subject = document(envelope).subject.unwrap_or_default();
    NamedSubject {
        juvenile: subject.juvenile.unwrap_or_default(),
        person: queried_person(subject.identity_kind, &subject.identity_number).ok(),
    }
}

fn document(envelope: &[u8]) -> pb::Document {
    let signed = pb::SignedDocument::decode(envelope).unwrap_or_default();
    pb::Document::decode(signed.document).unwrap_or_default()
}

/// The algorithm of that number in the protocol.
#[must_use]
pub fn algorithm(number: i32) -> Option<Algorithm> {
    match pb::Algorithm::try_from(number) {
        Ok(pb::Algorithm::EcdsaP256Sha256) => Some(Algorithm::EcdsaP256Sha256),
        Ok(pb::Algorithm::Ed25519) => Some(Algorithm::Ed25519),
        _ => None,
    }
}

/// The number of an algorithm in the protocol.
#[must_use]
pub fn number(algorithm: Algorithm) -> i32 {
    match algorithm {
        Algorithm::EcdsaP256Sha256 => pb::Algorithm::EcdsaP256Sha256.into(),
        Algorithm::Ed25519 => pb::Algorithm::Ed25519.into(),
    }
}
