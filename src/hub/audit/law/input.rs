//! What led to a record, from the record and what was signed.

use xianjie_core::domain::access::Access;
use xianjie_core::domain::decide::{
    AccessInput, AcknowledgementInput, ClockInput, DirectoryInput, DocumentInput, Input,
    RejectionInput, RevocationsInput,
};
use xianjie_core::domain::record::{
    Clock, DocumentTaken, DutyStep, Effect, Kind, Record, Rejected, Revocations, Signed,
};
use xianjie_core::ids::{CaseRef, Digest};

use crate::hub::audit::entry::{Examined, Said};

/// What led to a record.
pub(super) enum Led {
    /// Nothing that is decided: it is noted as it is.
    Nothing,
    /// Something that can't be read.
    Unreadable,
    /// This.
    Input(Input),
}

/// What led to this record.
pub(super) fn of(one: &Examined, record: &Record) -> Led {
    let input = match (&record.kind, &one.said) {
        // What does not fit about a document was decided with it.
        (
            Kind::Opened(_) | Kind::Refusals(_) | Kind::Clock(Clock::Outage(_)) | Kind::Flagged(_),
            _,
        ) => return Led::Nothing,
        (Kind::Clock(clock), _) => time(record, clock).map(Input::Clock),
        (Kind::Revocations(list), _) => Some(Input::Revocations(revocations(list, record))),
        (Kind::Access(kind), _) => Some(Input::Access(Box::new(access(kind)))),
        (Kind::Document(taken), _) => document(one, taken, record),
        (Kind::Acknowledged(kind), Said::Acknowledgement(heard)) => {
            let (agency, items) = (kind.agency.clone(), heard.items.clone());
            let statement = signed(&kind.statement);
            Some(Input::Acknowledgement(AcknowledgementInput { agency, items, statement }))
        }
        (Kind::Rejected(kind), Said::Rejection(heard)) => {
            Some(Input::Rejection(rejection(kind, heard.commitment)))
        }
        (Kind::Directory(kind), Said::Change(heard)) => {
            let (id, changes) = (kind.id, heard.changes.clone());
            let statement = signed(&kind.statement);
            Some(Input::Directory(Box::new(DirectoryInput { id, changes, statement })))
        }
        (Kind::Acknowledged(_) | Kind::Rejected(_) | Kind::Directory(_), _) => None,
    };
    input.map_or(Led::Unreadable, Led::Input)
}

fn document(one: &Examined, taken: &DocumentTaken, record: &Record) -> Option<Input> {
    let Said::Document(signed, Some(document)) = &one.said else { return None };
    let opened = record.effects.iter().find_map(|ruled| match ruled.effect {
        Effect::CaseOpened { case } => Some(case),
        _ => None,
    });
    Some(Input::Document(Box::new(DocumentInput {
        document: (**document).clone(),
        signers: signed.signatures.iter().map(|signature| signature.certificate).collect(),
        fresh_case: opened.unwrap_or(CaseRef([0; 16])),
        salt: one.document_salt,
        notice: taken.notice,
    })))
}

fn access(kind: &Access) -> AccessInput {
    AccessInput {
        agency: kind.agency.clone(),
        system: kind.system.clone(),
        method: kind.method.clone(),
        cases: kind.cases.clone(),
        document: kind.document,
        query: kind.query.as_ref().map(|allowed| allowed.query.clone()),
        by_query: kind.by_query,
    }
}

fn rejection(kind: &Rejected, commitment: Digest) -> RejectionInput {
    RejectionInput {
        agency: kind.agency.clone(),
        number: kind.number,
        commitment,
        reason: kind.reason.clone(),
        statement: signed(&kind.statement),
    }
}

/// The statement as it came: which records registered its signers' certificates was decided.
fn signed(statement: &Signed) -> Signed {
    Signed { bindings: Vec::new(), ..statement.clone() }
}

fn revocations(list: &Revocations, record: &Record) -> RevocationsInput {
    let revoked = record.effects.iter().filter_map(|ruled| match ruled.effect {
        Effect::CertificateRevoked { digest, compromised_since } => {
            Some((digest, compromised_since))
        }
        _ => None,
    });
    RevocationsInput { list: list.clone(), certificates: revoked.collect() }
}

fn time(record: &Record, clock: &Clock) -> Option<ClockInput> {
    match clock {
        Clock::Outage(_) => None,
        Clock::Duty { duty, step: DutyStep::Recomputed, .. } => Some(ClockInput::Recompute(*duty)),
        Clock::Duty { duty, .. } => Some(ClockInput::Duty(*duty)),
        // The newest is named, and all before it are meant: it alone leads to the same.
        Clock::Unacknowledged { agency, number, .. } => {
            let sender = record.effects.iter().find_map(|ruled| match &ruled.effect {
                Effect::UnacknowledgedTold { sender, .. } => Some(sender.clone()),
                _ => None,
            })?;
            let (agency, numbers) = (agency.clone(), vec![*number]);
            Some(ClockInput::Unacknowledged { agency, sender, numbers })
        }
    }
}
