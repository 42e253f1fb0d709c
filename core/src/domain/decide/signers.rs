//! Who signed: every signature's certificate must be registered for this purpose and live now.

use std::collections::BTreeSet;

use super::World;
use crate::domain::agency::Purpose;
use crate::ids::{AgencyCode, Digest, LedgerIndex};
use crate::limits;
use crate::refusal::{Reason, Violation};

/// The records that registered these certificates, if all may sign for `agency`: they are its own,
/// or those of the agency that took its place.
///
/// # Errors
/// What is wrong with the first that may not.
pub(super) fn bindings(
    world: &World<'_>,
    agency: &AgencyCode,
    signers: &[Digest],
    purpose: fn(AgencyCode) -> Purpose,
) -> Result<Vec<LedgerIndex>, Violation> {
    if signers.is_empty() || signers.len() > limits::SIGNATURES {
        return Err(Violation::new(Reason::SignatureMissing, "signatures"));
    }
    let heir = world.directory.successor(agency);
    let admitted: BTreeSet<Purpose> =
        [agency, heir].into_iter().map(|code| purpose(code.clone())).collect();
    let bind = |(place, digest): (usize, &Digest)| {
        let certificate = world.directory.certificate(digest);
        certificate
            .filter(|c| admitted.contains(&c.purpose) && c.is_live(world.time))
            .map(|c| c.binding)
            .ok_or_else(|| Violation::new(Reason::SignerUnknown, format!("signatures[{place}]")))
    };
    signers.iter().enumerate().map(bind).collect()
}
