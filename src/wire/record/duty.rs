//! What records say of duties (期限义务).

use xianjie_core::domain::duty::{Duty, DutyState, Outcome, Owner};
use xianjie_core::domain::record::{DutyChange, Effect};
use xianjie_core::ids::{DutyId, InboxNumber, LedgerIndex, Time};

use super::base::{
    case_bytes, document, document_message, duty_id, duty_message, id, ids, optional_case,
    optional_id, text, texts,
};
use super::{RecordError, Word};
use crate::wire::pb;
use pb::{duty_changed, duty_opened};

pub(super) fn opened_message(duty: &Duty) -> pb::DutyOpened {
    let (waiting_for, end) = state_messages(&duty.state);
    let owner = match &duty.owner {
        Owner::Agency(agency) => duty_opened::Owner::OwnerAgency(agency.to_string()),
        Owner::Person { watched_by } => duty_opened::Owner::PersonWatchedBy(watched_by.to_string()),
    };
    let (passed_on_by, passes_to) = match &duty.passes_to {
        Some((kind, role)) => (kind.to_string(), role.clone()),
        None => (String::new(), String::new()),
    };
    pb::DutyOpened {
        name: duty.name.clone(),
        opener: duty.opener.to_string(),
        opened_by: Some(document_message(&duty.opened_by)),
        correction_case: case_bytes(duty.case.as_ref()),
        thread: duty.thread.0,
        owner: Some(owner),
        creditor: text(duty.creditor.as_ref()),
        limit: duty.limit.clone(),
        force: duty.force.number(),
        handover: duty.handover,
        not_before_ms: milliseconds(duty.not_before),
        due_ms: milliseconds(duty.due),
        provisional: duty.provisional,
        never_rolls: duty.never_rolls,
        closed_by: texts(&duty.closed_by),
        cancelled_by: texts(&duty.cancelled_by),
        passed_on_by,
        passes_to,
        waiting_for,
        end,
    }
}

pub(super) fn read_opened(message: pb::DutyOpened) -> Result<Effect, RecordError> {
    let owner = match message.owner.ok_or(RecordError::Missing("owner"))? {
        duty_opened::Owner::OwnerAgency(agency) => Owner::Agency(id(&agency, "owner_agency")?),
        duty_opened::Owner::PersonWatchedBy(agency) => {
            Owner::Person { watched_by: id(&agency, "person_watched_by")? }
        }
    };
    let passed_on_by = optional_id(&message.passed_on_by, "passed_on_by")?;
    Ok(Effect::DutyOpened(Box::new(Duty {
        name: message.name,
        opener: id(&message.opener, "opener")?,
        opened_by: document(message.opened_by)?,
        case: optional_case(&message.correction_case)?,
        thread: LedgerIndex(message.thread),
        owner,
        creditor: optional_id(&message.creditor, "creditor")?,
        limit: message.limit,
        force: Word::from_number(message.force)?,
        never_rolls: message.never_rolls,
        state: read_state(message.waiting_for, message.end)?,
        not_before: message.not_before_ms.map(Time),
        due: message.due_ms.map(Time),
        provisional: message.provisional,
        handover: message.handover,
        closed_by: ids(&message.closed_by, "closed_by")?,
        cancelled_by: ids(&message.cancelled_by, "cancelled_by")?,
        passes_to: passed_on_by.map(|kind| (kind, message.passes_to)),
    })))
}

pub(super) fn started_message(
    duty: DutyId,
    due: Option<Time>,
    provisional: bool,
) -> pb::DutyStarted {
    pb::DutyStarted { duty: Some(duty_message(duty)), due_ms: milliseconds(due), provisional }
}

pub(super) fn read_started(message: &pb::DutyStarted) -> Result<Effect, RecordError> {
    Ok(Effect::DutyStarted {
        duty: duty_id(message.duty)?,
        due: message.due_ms.map(Time),
        provisional: message.provisional,
    })
}

pub(super) fn changed_message(
    duty: DutyId,
    change: DutyChange,
    owner: &Owner,
    due: Option<Time>,
    provisional: bool,
) -> pb::DutyChanged {
    let owner = match owner {
        Owner::Agency(agency) => duty_changed::Owner::OwnerAgency(agency.to_string()),
        Owner::Person { watched_by } => {
            duty_changed::Owner::PersonWatchedBy(watched_by.to_string())
        }
    };
    pb::DutyChanged {
        duty: Some(duty_message(duty)),
        change: change.number(),
        owner: Some(owner),
        due_ms: milliseconds(due),
        provisional,
    }
}

pub(super) fn read_changed(message: pb::DutyChanged) -> Result<Effect, RecordError> {
    let owner = match message.owner.ok_or(RecordError::Missing("owner"))? {
        duty_changed::Owner::OwnerAgency(agency) => Owner::Agency(id(&agency, "owner_agency")?),
        duty_changed::Owner::PersonWatchedBy(agency) => {
            Owner::Person { watched_by: id(&agency, "person_watched_by")? }
        }
    };
    Ok(Effect::DutyChanged {
        duty: duty_id(message.duty)?,
        change: Word::from_number(message.change)?,
        owner,
        due: message.due_ms.map(Time),
        provisional: message.provisional,
    })
}

pub(super) fn closed_message(duty: DutyId, outcome: Outcome) -> pb::DutyClosed {
    pb::DutyClosed { duty: Some(duty_message(duty)), outcome: outcome.number() }
}

pub(super) fn read_closed(message: &pb::DutyClosed) -> Result<Effect, RecordError> {
    let outcome = Word::from_number(message.outcome)?;
    Ok(Effect::DutyClosed { duty: duty_id(message.duty)?, outcome })
}

pub(super) fn reopened_message(duty: DutyId) -> pb::DutyReopened {
    pb::DutyReopened { duty: Some(duty_message(duty)) }
}

pub(super) fn read_reopened(message: &pb::DutyReopened) -> Result<Effect, RecordError> {
    Ok(Effect::DutyReopened { duty: duty_id(message.duty)? })
}

fn state_messages(state: &DutyState) -> (Option<pb::DeliveryRef>, Option<pb::DutyEnd>) {
    match state {
        DutyState::Waiting { agency, number } => {
            let agency = agency.to_string();
            (Some(pb::DeliveryRef { agency, inbox_number: number.0 }), None)
        }
        DutyState::Open => (None, None),
        DutyState::Closed { outcome, by } => {
            (None, Some(pb::DutyEnd { outcome: outcome.number(), index: by.0 }))
        }
    }
}

fn read_state(
    waiting_for: Option<pb::DeliveryRef>,
    end: Option<pb::DutyEnd>,
) -> Result<DutyState, RecordError> {
    match (waiting_for, end) {
        (None, None) => Ok(DutyState::Open),
        (Some(delivery), None) => Ok(DutyState::Waiting {
            agency: id(&delivery.agency, "waiting_for.agency")?,
            number: InboxNumber(delivery.inbox_number),
        }),
        (None, Some(end)) => Ok(DutyState::Closed {
            outcome: Word::from_number(end.outcome)?,
            by: LedgerIndex(end.index),
        }),
        (Some(_), Some(_)) => Err(RecordError::Form("waiting_for")),
    }
}

fn milliseconds(time: Option<Time>) -> Option<i64> {
    time.map(|time| time.0)
}
