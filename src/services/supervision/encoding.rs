//! Duties and custody as messages, and a duty's place as part of a page token.

use xianjie_core::domain::custody::{Custody, State};
use xianjie_core::domain::duty::{Duty, DutyState, Owner, Warned};
use xianjie_core::domain::state::PastCustody;
use xianjie_core::ids::{DutyId, LedgerIndex};
use xianjie_core::refusal::{Reason, Refusal, Violation};

use crate::wire::pb;
use crate::wire::record::Word as _;
use crate::wire::time::write_time;
use pb::owed_duty;

/// A duty that is owed, or was.
pub(super) fn owed(id: DutyId, duty: &Duty) -> pb::OwedDuty {
    let owner = match &duty.owner {
        Owner::Agency(agency) => owed_duty::Owner::OwnerAgency(agency.to_string()),
        Owner::Person { watched_by } => owed_duty::Owner::PersonWatchedBy(watched_by.to_string()),
    };
    pb::OwedDuty {
        duty: Some(pb::DutyRef { index: id.index.0, ordinal: id.ordinal }),
        name: duty.name.clone(),
        document: Some(pb::DocumentRef {
            sender: duty.opened_by.sender.to_string(),
            document_id: duty.opened_by.id.to_string(),
        }),
        document_type: duty.opener.to_string(),
        correction_case: duty.case.map(|case| case.to_string()).unwrap_or_default(),
        owner: Some(owner),
        creditor: duty.creditor.as_ref().map(ToString::to_string).unwrap_or_default(),
        limit: duty.limit.clone(),
        force: duty.force.number(),
        handover: duty.handover,
        not_before_time: duty.not_before.map(write_time),
        due_time: duty.due.map(write_time),
        provisional: duty.provisional,
        articles: duty.articles.clone(),
        standing: standing(duty).into(),
        closed_by: duty.closed_by.iter().map(ToString::to_string).collect(),
        outcome: match duty.state {
            DutyState::Open => pb::DutyOutcome::Unspecified.into(),
            DutyState::Closed { outcome, .. } => outcome.number(),
        },
    }
}

fn standing(duty: &Duty) -> pb::DutyStanding {
    if !duty.is_owed() {
        return pb::DutyStanding::Ended;
    }
    if duty.suspended.is_some() {
        return pb::DutyStanding::Suspended;
    }
    match duty.warned {
        Warned::Passed(_) => pb::DutyStanding::Passed,
        Warned::Forewarned => pb::DutyStanding::Forewarned,
        Warned::No if duty.waits_for.is_some() => pb::DutyStanding::Waiting,
        Warned::No => pb::DutyStanding::Running,
    }
}

/// Who answers for a person. Who holds the body, and what is about to happen to it, is told only to
/// those whom the person concerns now.
pub(super) fn custody_now(custody: &Custody, concerned: bool) -> pb::CustodyNow {
    let guard = custody.guard.as_ref().filter(|_| concerned);
    pb::CustodyNow {
        state: custody.state.number(),
        answers: custody.answers.as_ref().map(ToString::to_string).unwrap_or_default(),
        missing: custody.missing,
        guard: guard.map(ToString::to_string).unwrap_or_default(),
        proposal: concerned && custody.proposal,
        arrested: concerned && custody.arrested,
    }
}

/// A step of custody that was taken.
pub(super) fn past_step(index: LedgerIndex, past: &PastCustody, concerned: bool) -> pb::PastStep {
    pb::PastStep {
        index: index.0,
        record_time: Some(write_time(past.time)),
        step: past.step.number(),
        after: Some(custody_now(&past.after, concerned)),
    }
}

/// What is missing between two agencies, by where the case stands.
pub(super) fn gap(state: State) -> pb::GapKind {
    match state {
        State::None | State::Confined => pb::GapKind::DecidedNotHandedOver,
        State::Offered => pb::GapKind::HandedOverNotAccepted,
        State::Awaiting => pb::GapKind::NotReported,
        State::Moving => pb::GapKind::MovedNotArrived,
        State::Revoked | State::AtLarge => pb::GapKind::RevokedNotInCustody,
        State::Delivered => pb::GapKind::DeliveredNotReceived,
        State::InCorrection | State::Imprisoned | State::Released | State::Dead => {
            pb::GapKind::Other
        }
    }
}

/// A duty's place in a page token.
pub(super) fn write_place(duty: DutyId) -> String {
    format!("{}/{}", duty.index.0, duty.ordinal)
}

/// The duty at a place in a page token.
pub(super) fn read_place(text: &str) -> Result<DutyId, Refusal> {
    let wrong = || Violation::new(Reason::Format, "page_token");
    let (index, ordinal) = text.split_once('/').ok_or_else(wrong)?;
    let index = LedgerIndex(index.parse().map_err(|_| wrong())?);
    let ordinal = ordinal.parse().map_err(|_| wrong())?;
    Ok(DutyId { index, ordinal })
}
