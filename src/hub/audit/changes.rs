//! Whether a record of the directory does what its operators signed, and nothing else.

use xianjie_core::domain::agency::{Agency, Certificate, System};
use xianjie_core::domain::decide::Change;
use xianjie_core::domain::record::{Effect, Record};

/// Whether the record's effects are these changes, in order.
pub(super) fn are(changes: &[Change], record: &Record) -> bool {
    changes.len() == record.effects.len()
        && changes.iter().zip(&record.effects).all(|(change, ruled)| is(change, &ruled.effect))
}

/// Whether one operator's word is not enough: what stops harm must not wait.
pub(super) fn need_quorum(changes: &[Change]) -> bool {
    !changes.iter().all(|change| {
        matches!(
            change,
            Change::RevokeCertificate { .. }
                | Change::SuspendAgency(_, true)
                | Change::SuspendSystem(_, true)
        )
    })
}

/// What is the hub's own to fill in is left aside: the binding, and whether an agency or a system
/// that is put stays suspended.
fn is(change: &Change, effect: &Effect) -> bool {
    match (change, effect) {
        (Change::PutAgency(asked), Effect::AgencyPut(done)) => {
            Agency { suspended: done.suspended, ..(**asked).clone() } == **done
        }
        (Change::PutSystem(asked), Effect::SystemPut(done)) => {
            System { suspended: done.suspended, ..(**asked).clone() } == **done
        }
        (Change::RegisterCertificate(asked), Effect::CertificatePut(done)) => {
            let asked = (**asked).clone();
            Certificate { binding: done.binding, revoked: None, ..asked } == **done
        }
        (
            Change::RevokeCertificate { digest, compromised_since },
            Effect::CertificateRevoked { digest: done, compromised_since: since },
        ) => digest == done && compromised_since == since,
        (Change::SuspendAgency(asked, yes), Effect::AgencySuspended { agency, suspended }) => {
            asked == agency && yes == suspended
        }
        (Change::SuspendSystem(asked, yes), Effect::SystemSuspended { system, suspended }) => {
            asked == system && yes == suspended
        }
        (Change::ActivateRulebooks(asked), Effect::RulebookActivated { digest }) => asked == digest,
        _ => false,
    }
}
