//! Signatures, verified under the certificates that the fold knew when they were recorded.

use bytes::Bytes;
use xianjie_core::domain::record::Signature;
use xianjie_core::ids::LedgerIndex;

use super::findings::{Findings, wrong};
use crate::identity::signature::{PayloadType, PublicKey};
use crate::wire;

/// A signature that is claimed to be a certificate's.
pub(super) struct Claim {
    pub(super) index: LedgerIndex,
    pub(super) kind: PayloadType,
    pub(super) payload: Bytes,
    pub(super) signature: Signature,
    /// The certificate, DER.
    pub(super) der: Vec<u8>,
}

/// Verifies each.
pub(super) fn verify_all(claims: &[Claim]) -> Findings {
    let mut findings = Findings::default();
    for claim in claims.iter().filter(|claim| !claim.holds()) {
        findings.add(wrong::SIGNATURE_INVALID, Some(claim.index), "");
    }
    findings
}

impl Claim {
    fn holds(&self) -> bool {
        let Ok(key) = PublicKey::from_certificate_der(&self.der) else { return false };
        wire::signature::algorithm(self.signature.algorithm) == Some(key.algorithm())
            && key.verify(self.kind, &self.payload, &self.signature.value).is_ok()
    }
}
