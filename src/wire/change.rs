//! Operators' signed changes of the directory, read and made.

use prost::Message;
use xianjie_core::domain::decide::Change;
use xianjie_core::ids::{Digest, DocumentId, OperatorName, Origin};
use xianjie_core::refusal::{Reason, Refusal, Violation};

use super::document::Seen;
use super::pb;
use super::record::directory;
use super::statement::{check_ledger, decode, read_seen};
use super::time::{read_time, write_time};

/// A change as read.
#[derive(Debug, Clone)]
pub struct ChangeHeard {
    /// Its id, made by the operator.
    pub id: DocumentId,
    /// What is changed, in order.
    pub changes: Vec<Change>,
    /// The last checkpoint that its signer verified.
    pub seen: Option<Seen>,
}

/// Reads a change's exact bytes.
///
/// # Errors
/// All that is wrong with its form, or another hub's ledger.
pub fn read_change(origin: &Origin, bytes: &[u8]) -> Result<ChangeHeard, Refusal> {
    let message = decode::<pb::DirectoryChange>(bytes)?;
    let mut violations = Vec::new();
    check_ledger(origin, &message.ledger, &mut violations);
    let id = message.change_id.parse().ok();
    if id.is_none() {
        violations.push(Violation::new(Reason::Format, "change_id").help("a UUID of version 7"));
    }
    let seen = read_seen(message.seen.as_ref(), &mut violations);
    let mut changes = Vec::with_capacity(message.changes.len());
    for (place, change) in message.changes.into_iter().enumerate() {
        match read_one(change) {
            Ok(change) => changes.push(change),
            Err(help) => {
                let field = format!("changes[{place}]");
                violations.push(Violation::new(Reason::Format, field).help(help));
            }
        }
    }
    match (id, Refusal::of(violations)) {
        (Some(id), None) => Ok(ChangeHeard { id, changes, seen }),
        (_, Some(refusal)) => Err(refusal),
        (None, None) => Err(Reason::Malformed.into()),
    }
}

fn read_one(change: pb::Change) -> Result<Change, String> {
    use pb::change::Change as Wire;
    let text = |error: super::record::RecordError| error.to_string();
    match change.change.ok_or("no change is set")? {
        Wire::PutAgency(agency) => {
            Ok(Change::PutAgency(Box::new(directory::agency(agency).map_err(text)?)))
        }
        Wire::PutSystem(system) => {
            Ok(Change::PutSystem(Box::new(directory::system(system).map_err(text)?)))
        }
        Wire::RegisterCertificate(certificate) => {
            let mut certificate = directory::certificate(certificate).map_err(text)?;
            certificate.revoked = None;
            Ok(Change::RegisterCertificate(Box::new(certificate)))
        }
        Wire::RevokeCertificate(revoke) => {
            let digest = revoke.certificate_sha256.as_slice().try_into();
            let since = revoke.compromised_since_time.as_ref();
            Ok(Change::RevokeCertificate {
                digest: Digest(digest.map_err(|_| "certificate_sha256 must have 32 bytes")?),
                compromised_since: since.and_then(read_time),
            })
        }
        Wire::SuspendAgency(agency) => Ok(Change::SuspendAgency(code(&agency.agency)?, true)),
        Wire::ResumeAgency(agency) => Ok(Change::SuspendAgency(code(&agency.agency)?, false)),
        Wire::SuspendSystem(system) => Ok(Change::SuspendSystem(code(&system.system)?, true)),
        Wire::ResumeSystem(system) => Ok(Change::SuspendSystem(code(&system.system)?, false)),
        Wire::ActivateRulebooks(rulebooks) => {
            let digest = rulebooks.digest.as_slice().try_into();
            let digest = digest.map_err(|_| "digest must have 32 bytes")?;
            Ok(Change::ActivateRulebooks(Digest(digest)))
        }
    }
}

fn code<T: std::str::FromStr>(text: &str) -> Result<T, String>
where
    T::Err: std::fmt::Display,
{
    text.parse().map_err(|error: T::Err| error.to_string())
}

/// The bytes of a change, to be signed and kept.
#[must_use]
pub fn write_change(
    ledger: &Origin,
    id: DocumentId,
    operator: &OperatorName,
    changes: &[Change],
) -> Vec<u8> {
    pb::DirectoryChange {
        ledger: ledger.to_string(),
        seen: None,
        change_id: id.to_string(),
        operator: operator.to_string(),
        changes: changes.iter().map(write_one).collect(),
    }
    .encode_to_vec()
}

fn write_one(change: &Change) -> pb::Change {
    use pb::change::Change as Wire;
    let change = match change {
        Change::PutAgency(agency) => Wire::PutAgency(directory::agency_message(agency)),
        Change::PutSystem(system) => Wire::PutSystem(directory::system_message(system)),
        Change::RegisterCertificate(certificate) => {
            Wire::RegisterCertificate(directory::certificate_message(certificate))
        }
        Change::RevokeCertificate { digest, compromised_since } => {
            Wire::RevokeCertificate(pb::RevokeCertificate {
                certificate_sha256: digest.0.to_vec(),
                compromised_since_time: compromised_since.map(write_time),
                reason: pb::RevocationReason::Unspecified.into(),
            })
        }
        Change::SuspendAgency(agency, true) => Wire::SuspendAgency(pb::SuspendAgency {
            agency: agency.to_string(),
            reason: String::new(),
        }),
        Change::SuspendAgency(agency, false) => {
            Wire::ResumeAgency(pb::ResumeAgency { agency: agency.to_string() })
        }
        Change::SuspendSystem(system, true) => Wire::SuspendSystem(pb::SuspendSystem {
            system: system.to_string(),
            reason: String::new(),
        }),
        Change::SuspendSystem(system, false) => {
            Wire::ResumeSystem(pb::ResumeSystem { system: system.to_string() })
        }
        Change::ActivateRulebooks(digest) => {
            Wire::ActivateRulebooks(pb::ActivateRulebooks { digest: digest.0.to_vec() })
        }
    };
    pb::Change { change: Some(change) }
}
