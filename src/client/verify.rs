//! Verification offline, step by step: receipt, document, signatures, attachments, settlement.
//! It needs the trust file and the files at hand, and neither the hub nor the directory.
//!
//! Records are read leniently here: a record of a later version may hold effects that this one does
//! not know, and its receipt verifies all the same.

use prost::Message as _;
use xianjie_core::ledger::receipt::{
    ReceiptError, ReceiptParts, VerifiedReceipt, document_matches,
};
use xianjie_core::ledger::{Hash, receipt};

use super::trust::Trust;
use crate::identity::signature::{Algorithm, PayloadType, PublicKey, certificate_digest};
use crate::wire::{pb, signature};

mod folder;
mod report;
mod settlement;
pub use folder::{read_folder_receipt, verify_document_file, verify_folder};
pub use report::{Finding, Outcome, Report, Step};
pub use settlement::verify_settlement;

use pb::ledger_record::Kind;

/// Finds the receipt of the record that registered a certificate, by its index, unverified.
pub trait Bindings {
    /// The receipt of that record; none if it is not at hand.
    fn find(&self, index: u64) -> Option<ReceiptParts>;
}

impl<F: Fn(u64) -> Option<ReceiptParts>> Bindings for F {
    fn find(&self, index: u64) -> Option<ReceiptParts> {
        self(index)
    }
}

/// Verifies a receipt (存证): the leaf commits to the record, the checkpoint is signed by the ledger
/// of the trust file, the path leads from the leaf to the checkpoint.
pub fn verify_receipt(
    trust: &Trust,
    parts: &ReceiptParts,
    report: &mut Report,
) -> Option<VerifiedReceipt> {
    let verified = receipt::verify(parts, &trust.keys);
    if verified == Err(ReceiptError::Commitment) {
        report.fails(Step::Commitment, "the leaf commits to another record", "叶与记录不符");
        return None;
    }
    report.holds(Step::Commitment);
    if let Err(error) = trust.open(&parts.checkpoint) {
        let chain = error.to_string();
        report.fails(Step::Checkpoint, chain, "检查点不是由信任文件中的密钥为该账本签发");
        return None;
    }
    report.holds(Step::Checkpoint);
    match verified {
        Ok(verified) => {
            report.holds(Step::Inclusion);
            report.receipt = Some(verified.clone());
            Some(verified)
        }
        Err(error) => {
            report.fails(Step::Inclusion, error.to_string(), "记录不在该检查点的账本中");
            None
        }
    }
}

/// Verifies that the receipt of `parts` is a document's, and of exactly these bytes. Call it after
/// [`verify_receipt`].
pub fn verify_document(
    parts: &ReceiptParts,
    document: &[u8],
    report: &mut Report,
) -> Option<pb::DocumentRecord> {
    let Some(Kind::Document(record)) = kind(&parts.opening.record) else {
        report.fails(
            Step::Document,
            "the record is not that of a document",
            "该记录不是文书的记录",
        );
        return None;
    };
    let commitment = record.document_commitment.as_slice().try_into().map(Hash);
    let salt = &parts.opening.document_salt;
    let is_bound = commitment.is_ok_and(|d| document_matches(&d, salt, document));
    let named = record.document.clone().unwrap_or_default();
    let read = pb::Document::decode(document).unwrap_or_default();
    if !is_bound {
        let why = "the record commits to other bytes than these";
        report.fails(Step::Document, why, "记录所承诺的文书内容与此不同");
        return None;
    }
    if (&read.sender, &read.document_id) != (&named.sender, &named.document_id) {
        let why = "the record names another sender or document_id";
        report.fails(Step::Document, why, "记录中的发送单位或文书编号不同");
        return None;
    }
    report.holds(Step::Document);
    Some(record)
}

/// Verifies the signatures over a document under the certificates that its record binds. Call it
/// with what [`verify_document`] gave.
pub fn verify_signatures(
    trust: &Trust,
    record: &pb::DocumentRecord,
    signed: &pb::SignedDocument,
    bindings: &dyn Bindings,
    report: &mut Report,
) -> bool {
    let sender = record.document.clone().unwrap_or_default().sender;
    let wanted = (pb::CertificatePurpose::Document, sender.as_str());
    let signers = record.signers.iter().map(|s| (s.binding, s.certificate_sha256.as_slice()));
    let payload = (PayloadType::Document, signed.document.as_ref());
    let signatures = Signatures { payload, signatures: &signed.signatures, wanted };
    signatures.verify(trust, &signers.collect::<Vec<_>>(), bindings, report)
}

/// Verifies that the receipt of `parts` is that of an acknowledgement (签收), signed by its agency;
/// with `covers`, that it covers the delivery of that inbox number and commitment C. Call it after
/// [`verify_receipt`].
pub fn verify_acknowledgement(
    trust: &Trust,
    parts: &ReceiptParts,
    covers: Option<(u64, &Hash)>,
    bindings: &dyn Bindings,
    report: &mut Report,
) -> bool {
    let Some(Kind::Acknowledged(record)) = kind(&parts.opening.record) else {
        let why = "the record is not that of an acknowledgement";
        return report.fails(Step::Acknowledgement, why, "该记录不是签收记录");
    };
    let signed = record.signed_acknowledgement.unwrap_or_default();
    let Ok(statement) = pb::Acknowledgement::decode(signed.acknowledgement.as_slice()) else {
        let why = "the statement can't be read";
        return report.fails(Step::Acknowledgement, why, "签收内容无法读取");
    };
    let fits = statement.ledger == trust.origin.as_str() && statement.agency == record.agency;
    let is_covered = covers.is_none_or(|(number, commitment)| {
        let is_it = |item: &pb::AcknowledgedDelivery| {
            item.inbox_number == number && item.commitment == commitment.0
        };
        statement.items.iter().any(is_it)
    });
    if !fits || !is_covered {
        let why = "the statement is not about this delivery, agency and ledger";
        return report.fails(Step::Acknowledgement, why, "签收内容与该送达、单位或账本不符");
    }
    report.holds(Step::Acknowledgement);
    let signers: Vec<(u64, &[u8])> = record
        .bindings
        .iter()
        .zip(&signed.signatures)
        .map(|(binding, signature)| (*binding, signature.certificate_sha256.as_slice()))
        .collect();
    let signatures = Signatures {
        payload: (PayloadType::Acknowledgement, &signed.acknowledgement),
        signatures: &signed.signatures,
        wanted: (pb::CertificatePurpose::Acknowledgement, &record.agency),
    };
    signatures.verify(trust, &signers, bindings, report)
}

/// The indexes of the records that registered the certificates of a record's signers.
pub(super) fn bindings_of(record: &[u8]) -> Vec<u64> {
    match kind(record) {
        Some(Kind::Document(record)) => record.signers.iter().map(|s| s.binding).collect(),
        Some(Kind::Acknowledged(record)) => record.bindings,
        Some(Kind::Rejected(record)) => record.bindings,
        _ => Vec::new(),
    }
}

/// The kind of a record; none if the bytes are no record.
pub(super) fn kind(record: &[u8]) -> Option<Kind> {
    pb::LedgerRecord::decode(record).ok()?.kind
}

/// Signatures over one payload, and whose they must be: a purpose and an agency.
struct Signatures<'a> {
    payload: (PayloadType, &'a [u8]),
    signatures: &'a [pb::Signature],
    wanted: (pb::CertificatePurpose, &'a str),
}

impl Signatures<'_> {
    /// Verifies each under the certificate that its signer's binding registered.
    fn verify(
        &self,
        trust: &Trust,
        signers: &[(u64, &[u8])],
        bindings: &dyn Bindings,
        report: &mut Report,
    ) -> bool {
        if self.signatures.is_empty() || self.signatures.len() != signers.len() {
            let why = "the record names other signatures than these";
            return report.fails(Step::Signature, why, "签名与记录所列签名人不符");
        }
        for (signature, (binding, certificate)) in self.signatures.iter().zip(signers) {
            let Some(parts) = bindings.find(*binding) else {
                let why = format!("the receipt of record {binding}, its binding, is not at hand");
                return report.is_open(Step::Binding, why, "缺少登记该签名证书的存证");
            };
            let key = match bound_key(trust, &parts, (*binding, certificate), self.wanted) {
                Ok(key) => key,
                Err(why) => return report.fails(Step::Binding, why, "签名证书的登记记录不成立"),
            };
            report.holds(Step::Binding);
            if let Err(why) = self.verify_one(signature, certificate, &key) {
                return report.fails(Step::Signature, why, "签名与内容不符");
            }
            report.holds(Step::Signature);
        }
        true
    }

    fn verify_one(
        &self,
        signature: &pb::Signature,
        certificate: &[u8],
        key: &PublicKey,
    ) -> Result<(), String> {
        if signature.certificate_sha256 != certificate {
            return Err("it names another certificate than the record".to_owned());
        }
        let algorithm: Option<Algorithm> = signature::algorithm(signature.algorithm);
        if algorithm != Some(key.algorithm()) {
            return Err("it names another algorithm than the certificate".to_owned());
        }
        let (kind, payload) = self.payload;
        key.verify(kind, payload, &signature.value).map_err(|error| error.to_string())
    }
}

/// The key that the record `index` registered with this certificate, for this purpose and agency.
fn bound_key(
    trust: &Trust,
    parts: &ReceiptParts,
    (index, digest): (u64, &[u8]),
    (purpose, agency): (pb::CertificatePurpose, &str),
) -> Result<PublicKey, String> {
    let verified = receipt::verify(parts, &trust.keys).map_err(|error| error.to_string())?;
    if verified.checkpoint.origin != trust.origin.as_str() || verified.index != index {
        return Err("it is the receipt of another record".to_owned());
    }
    let record = pb::LedgerRecord::decode(parts.opening.record.as_slice());
    let effects = record.map(|record| record.effects).unwrap_or_default();
    let certificate = effects.into_iter().find_map(|effect| match effect.effect {
        Some(pb::effect::Effect::CertificatePut(put)) => {
            put.certificate.filter(|c| certificate_digest(&c.der) == digest)
        }
        _ => None,
    });
    let certificate = certificate.ok_or("it does not register the certificate")?;
    let is_of = match &certificate.holder {
        Some(pb::certificate::Holder::Agency(holder)) => holder == agency,
        _ => false,
    };
    if certificate.purpose() != purpose || !is_of {
        return Err("it registers the certificate for another agency or purpose".to_owned());
    }
    PublicKey::from_certificate_der(&certificate.der).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests;
