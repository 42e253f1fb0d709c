//! An authority's revocation list (吊销列表) revokes registered certificates. The list's own word closes
//! the door at once; the record makes it the directory's word too, for signatures and for good.

use super::{Decided, Decision, RevocationsInput, World};
use crate::domain::record::{Effect, Kind, Record, RuledEffect};
use crate::ids::Digest;

/// Decides; nothing happens where all that the list names is revoked already.
pub(super) fn decide(world: &World<'_>, input: &RevocationsInput) -> Decision {
    let stands = |digest: &Digest| {
        let certificate = world.directory.certificate(digest);
        certificate.is_some_and(|certificate| certificate.revoked.is_none())
    };
    let named = input.certificates.iter().filter(|(digest, _)| stands(digest));
    let effects: Vec<RuledEffect> = named
        .map(|(digest, compromised_since)| RuledEffect {
            rule: "hub/revocation_list".to_owned(),
            articles: Vec::new(),
            effect: Effect::CertificateRevoked {
                digest: *digest,
                compromised_since: *compromised_since,
            },
        })
        .collect();
    if effects.is_empty() {
        return Decision::Known(Vec::new());
    }
    let record = Record { kind: Kind::Revocations(input.list.clone()), effects };
    Decision::Record(Box::new(Decided { record, flagged: None, known: Vec::new(), link: None }))
}
