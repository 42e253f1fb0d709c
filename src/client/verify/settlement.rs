//! Verification of what settled a delivery (送达): an acknowledgement (签收), a rejection (退件), or
//! service on paper (另行送达).

use prost::Message as _;
use xianjie_core::ledger::Hash;
use xianjie_core::ledger::receipt::ReceiptParts;

use super::report::{Report, Step};
use super::{Bindings, Kind, Signatures, kind, verify_acknowledgement};
use crate::client::trust::Trust;
use crate::identity::signature::PayloadType;
use crate::wire::pb;

/// Verifies that the record of `parts` settled the delivery of that inbox number and commitment C, as
/// what it is. Call it after [`verify_receipt`](super::verify_receipt).
pub fn verify_settlement(
    trust: &Trust,
    parts: &ReceiptParts,
    covers: Option<(u64, &Hash)>,
    bindings: &dyn Bindings,
    report: &mut Report,
) -> bool {
    match kind(&parts.opening.record) {
        Some(Kind::Rejected(record)) => verify_rejection(trust, &record, covers, bindings, report),
        Some(Kind::Document(_)) => verify_service(&parts.opening.record, covers, report),
        _ => verify_acknowledgement(trust, parts, covers, bindings, report),
    }
}

/// The record of a rejection, with the statement that the addressee signed.
fn verify_rejection(
    trust: &Trust,
    record: &pb::Rejected,
    covers: Option<(u64, &Hash)>,
    bindings: &dyn Bindings,
    report: &mut Report,
) -> bool {
    let signed = record.signed_rejection.clone().unwrap_or_default();
    let Ok(statement) = pb::Rejection::decode(signed.rejection.as_slice()) else {
        let why = "the statement can't be read";
        return report.fails(Step::Rejection, why, "退件声明无法读取");
    };
    let fits = statement.ledger == trust.origin.as_str()
        && statement.agency == record.agency
        && statement.inbox_number == record.inbox_number;
    let is_covered = covers.is_none_or(|(number, commitment)| {
        statement.inbox_number == number && statement.commitment == commitment.0
    });
    if !fits || !is_covered {
        let why = "the statement is not about this delivery, agency and ledger";
        return report.fails(Step::Rejection, why, "退件声明与该送达、单位或账本不符");
    }
    report.holds(Step::Rejection);
    let named = signed.signatures.iter().map(|s| s.certificate_sha256.as_slice());
    let signers: Vec<_> = record.bindings.iter().copied().zip(named).collect();
    let signatures = Signatures {
        payload: (PayloadType::Rejection, &signed.rejection),
        signatures: &signed.signatures,
        wanted: (pb::CertificatePurpose::Acknowledgement, &record.agency),
    };
    signatures.verify(trust, &signers, bindings, report)
}

/// The record of a document by which the sender says that it served the delivery on paper.
fn verify_service(record: &[u8], covers: Option<(u64, &Hash)>, report: &mut Report) -> bool {
    let effects = pb::LedgerRecord::decode(record).map(|record| record.effects).unwrap_or_default();
    let settles = effects.iter().any(|effect| match &effect.effect {
        Some(pb::effect::Effect::DeliverySettled(settled)) => {
            let number = settled.delivery.as_ref().map(|delivery| delivery.inbox_number);
            settled.stage() == pb::Stage::ServedOtherwise
                && covers.is_none_or(|(wanted, _)| number == Some(wanted))
        }
        _ => false,
    });
    if !settles {
        let why = "the record does not settle this delivery";
        return report.fails(Step::Service, why, "该记录并未了结此送达");
    }
    report.holds(Step::Service);
    true
}
