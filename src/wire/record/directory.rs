//! Who takes part, as records say it and as the directory's services show and change it.

use std::collections::{BTreeMap, BTreeSet};

use xianjie_core::domain::agency::{Agency, Certificate, Purpose, Revocation, Right, System};
use xianjie_core::domain::record::Effect;
use xianjie_core::ids::{AgencyCode, Digest, LedgerIndex, SystemCode, Time};

use super::base::{digest, id, ids, needed_time, optional_id, optional_time, text, texts, words};
use super::{RecordError, Word};
use crate::wire::pb;
use crate::wire::time::write_time;
use pb::certificate::Holder;
use pb::effect::Effect as Message;

/// The message of an agency (单位).
#[must_use]
pub fn agency_message(agency: &Agency) -> pb::Agency {
    pb::Agency {
        code: agency.code.to_string(),
        name: agency.name.clone(),
        kind: agency.kind.number(),
        level: agency.level.number(),
        acts_at: agency.acts_at.iter().map(|level| level.number()).collect(),
        serves: texts(&agency.serves),
        parent: text(agency.parent.as_ref()),
        branch: agency.branch.number(),
        supervised_by: text(agency.supervised_by.as_ref()),
        social_credit_code: agency.social_credit_code.clone().unwrap_or_default(),
        electronic_service_consent: agency.electronic_service,
        valid_from_time: Some(write_time(agency.valid_from)),
        valid_until_time: agency.valid_until.map(write_time),
        successor: text(agency.successor.as_ref()),
        enrolment_until_time: agency.enrolment_until.map(write_time),
        suspended: agency.suspended,
    }
}

/// The agency of a message.
///
/// # Errors
/// [`RecordError`], naming the field.
pub fn agency(message: pb::Agency) -> Result<Agency, RecordError> {
    let credit_code = message.social_credit_code;
    let enrolment = message.enrolment_until_time.as_ref();
    Ok(Agency {
        code: id(&message.code, "code")?,
        name: message.name,
        kind: Word::from_number(message.kind)?,
        level: Word::from_number(message.level)?,
        acts_at: words(&message.acts_at)?,
        branch: Word::from_number(message.branch)?,
        serves: ids(&message.serves, "serves")?,
        parent: optional_id(&message.parent, "parent")?,
        supervised_by: optional_id(&message.supervised_by, "supervised_by")?,
        social_credit_code: (!credit_code.is_empty()).then_some(credit_code),
        electronic_service: message.electronic_service_consent,
        valid_from: needed_time(message.valid_from_time.as_ref(), "valid_from_time")?,
        valid_until: optional_time(message.valid_until_time.as_ref(), "valid_until_time")?,
        successor: optional_id(&message.successor, "successor")?,
        suspended: message.suspended,
        enrolment_until: optional_time(enrolment, "enrolment_until_time")?,
    })
}

/// The message of a system (接入系统).
#[must_use]
pub fn system_message(system: &System) -> pb::ConnectedSystem {
    let carried = |(agency, rights): (&AgencyCode, &BTreeSet<Right>)| pb::SystemAgency {
        agency: agency.to_string(),
        rights: rights.iter().map(|right| right.number()).collect(),
    };
    pb::ConnectedSystem {
        code: system.code.to_string(),
        name: system.name.clone(),
        agencies: system.agencies.iter().map(carried).collect(),
        gateway: system.gateway,
        suspended: system.suspended,
    }
}

/// The system of a message.
///
/// # Errors
/// [`RecordError`], naming the field.
pub fn system(message: pb::ConnectedSystem) -> Result<System, RecordError> {
    let carried = |carried: &pb::SystemAgency| -> Result<_, RecordError> {
        Ok((id(&carried.agency, "agencies.agency")?, words(&carried.rights)?))
    };
    let agencies = message.agencies.iter().map(carried);
    Ok(System {
        code: id(&message.code, "code")?,
        name: message.name,
        agencies: agencies.collect::<Result<BTreeMap<_, _>, RecordError>>()?,
        gateway: message.gateway,
        suspended: message.suspended,
    })
}

/// The message of a registered certificate.
#[must_use]
pub fn certificate_message(certificate: &Certificate) -> pb::Certificate {
    let (purpose, holder) = match &certificate.purpose {
        Purpose::Transport(system) => {
            (pb::CertificatePurpose::Transport, Holder::System(system.to_string()))
        }
        Purpose::Document(agency) => {
            (pb::CertificatePurpose::Document, Holder::Agency(agency.to_string()))
        }
        Purpose::Acknowledgement(agency) => {
            (pb::CertificatePurpose::Acknowledgement, Holder::Agency(agency.to_string()))
        }
        Purpose::Operator(operator) => {
            (pb::CertificatePurpose::Operator, Holder::Operator(operator.to_string()))
        }
    };
    let revocation = |revocation: Revocation| pb::Revocation {
        revoke_time: Some(write_time(revocation.at)),
        compromised_since_time: revocation.compromised_since.map(write_time),
    };
    pb::Certificate {
        sha256: certificate.digest.0.to_vec(),
        der: certificate.der.clone(),
        purpose: purpose.into(),
        holder: Some(holder),
        label: certificate.label.clone(),
        valid_from_time: Some(write_time(certificate.valid_from)),
        valid_until_time: Some(write_time(certificate.valid_until)),
        binding: certificate.binding.0,
        revocation: certificate.revoked.map(revocation),
    }
}

/// The registered certificate of a message.
///
/// # Errors
/// [`RecordError`], naming the field.
pub fn certificate(message: pb::Certificate) -> Result<Certificate, RecordError> {
    let revocation = |message: &pb::Revocation| -> Result<_, RecordError> {
        let since = message.compromised_since_time.as_ref();
        Ok(Revocation {
            at: needed_time(message.revoke_time.as_ref(), "revocation.revoke_time")?,
            compromised_since: optional_time(since, "revocation.compromised_since_time")?,
        })
    };
    Ok(Certificate {
        digest: digest(&message.sha256, "sha256")?,
        purpose: purpose(message.purpose(), message.holder.as_ref())?,
        valid_from: needed_time(message.valid_from_time.as_ref(), "valid_from_time")?,
        valid_until: needed_time(message.valid_until_time.as_ref(), "valid_until_time")?,
        binding: LedgerIndex(message.binding),
        revoked: message.revocation.as_ref().map(revocation).transpose()?,
        label: message.label,
        der: message.der,
    })
}

/// What a certificate is for: purpose and holder must fit each other.
///
/// # Errors
/// [`RecordError`], naming the field.
pub fn purpose(
    purpose: pb::CertificatePurpose,
    holder: Option<&Holder>,
) -> Result<Purpose, RecordError> {
    match (purpose, holder.ok_or(RecordError::Missing("holder"))?) {
        (pb::CertificatePurpose::Transport, Holder::System(system)) => {
            Ok(Purpose::Transport(id(system, "system")?))
        }
        (pb::CertificatePurpose::Document, Holder::Agency(agency)) => {
            Ok(Purpose::Document(id(agency, "agency")?))
        }
        (pb::CertificatePurpose::Acknowledgement, Holder::Agency(agency)) => {
            Ok(Purpose::Acknowledgement(id(agency, "agency")?))
        }
        (pb::CertificatePurpose::Operator, Holder::Operator(operator)) => {
            Ok(Purpose::Operator(id(operator, "operator")?))
        }
        _ => Err(RecordError::Form("holder")),
    }
}

pub(super) fn agency_put(agency: &Agency) -> pb::AgencyPut {
    pb::AgencyPut { agency: Some(agency_message(agency)) }
}

pub(super) fn read_agency_put(message: pb::AgencyPut) -> Result<Effect, RecordError> {
    let put = message.agency.ok_or(RecordError::Missing("agency"))?;
    Ok(Effect::AgencyPut(Box::new(agency(put)?)))
}

pub(super) fn system_put(system: &System) -> pb::SystemPut {
    pb::SystemPut { system: Some(system_message(system)) }
}

pub(super) fn read_system_put(message: pb::SystemPut) -> Result<Effect, RecordError> {
    let put = message.system.ok_or(RecordError::Missing("system"))?;
    Ok(Effect::SystemPut(Box::new(system(put)?)))
}

pub(super) fn certificate_put(certificate: &Certificate) -> pb::CertificatePut {
    pb::CertificatePut { certificate: Some(certificate_message(certificate)) }
}

pub(super) fn read_certificate_put(message: pb::CertificatePut) -> Result<Effect, RecordError> {
    let put = message.certificate.ok_or(RecordError::Missing("certificate"))?;
    Ok(Effect::CertificatePut(Box::new(certificate(put)?)))
}

pub(super) fn revoked_message(digest: &Digest, since: Option<Time>) -> pb::CertificateRevoked {
    pb::CertificateRevoked {
        certificate_sha256: digest.0.to_vec(),
        compromised_since_ms: since.map(|time| time.0),
    }
}

pub(super) fn read_revoked(message: &pb::CertificateRevoked) -> Result<Effect, RecordError> {
    Ok(Effect::CertificateRevoked {
        digest: digest(&message.certificate_sha256, "certificate_sha256")?,
        compromised_since: message.compromised_since_ms.map(Time),
    })
}

pub(super) fn agency_suspended_message(agency: &AgencyCode, suspended: bool) -> Message {
    let agency = agency.to_string();
    if suspended {
        Message::AgencySuspended(pb::AgencySuspended { agency })
    } else {
        Message::AgencyResumed(pb::AgencyResumed { agency })
    }
}

pub(super) fn read_suspended(agency: &str, suspended: bool) -> Result<Effect, RecordError> {
    Ok(Effect::AgencySuspended { agency: id(agency, "agency")?, suspended })
}

pub(super) fn system_suspended_message(system: &SystemCode, suspended: bool) -> Message {
    let system = system.to_string();
    if suspended {
        Message::SystemSuspended(pb::SystemSuspended { system })
    } else {
        Message::SystemResumed(pb::SystemResumed { system })
    }
}

pub(super) fn read_system_suspended(system: &str, suspended: bool) -> Result<Effect, RecordError> {
    Ok(Effect::SystemSuspended { system: id(system, "system")?, suspended })
}
