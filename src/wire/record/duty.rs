//! What records say of duties (期限义务).

use xianjie_core::domain::duty::{Duty, DutyState, Extension, Outcome, Owner, Warned};
use xianjie_core::domain::record::{DutyChange, Effect, Timing};
use xianjie_core::domain::term::Start;
use xianjie_core::ids::{DutyId, LedgerIndex, Time};

use super::base::{
    case_bytes, date, delivery, delivery_message, document, document_message, duty_id,
    duty_message, id, ids, optional_case, optional_id, text, texts,
};
use super::{RecordError, Word};
use crate::wire::pb;
use pb::{duty_changed, duty_opened, limit_start};

pub(super) fn opened_message(duty: &Duty) -> pb::DutyOpened {
    let owner = match &duty.owner {
        Owner::Agency(agency) => duty_opened::Owner::OwnerAgency(agency.to_string()),
        Owner::Person { watched_by } => duty_opened::Owner::PersonWatchedBy(watched_by.to_string()),
    };
    let (passed_on_by, passes_to) = match &duty.passes_to {
        Some((kind, role)) => (kind.to_string(), role.clone()),
        None => (String::new(), String::new()),
    };
    let (suspended_by, resumed_by) = match &duty.suspend {
        Some((with, until)) => (with.to_string(), until.to_string()),
        None => (String::new(), String::new()),
    };
    let end = match &duty.state {
        DutyState::Open => None,
        DutyState::Closed { outcome, by } => {
            Some(pb::DutyEnd { outcome: outcome.number(), index: by.0 })
        }
    };
    let waiting_for =
        duty.waits_for.as_ref().map(|(agency, number)| delivery_message(agency, *number));
    let if_missed = duty.if_missed.as_ref().map(|next| {
        Box::new(pb::DutyFollowing {
            rule: next.rule.clone(),
            articles: next.articles.clone(),
            duty: Some(Box::new(opened_message(next))),
        })
    });
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
        roll: duty.roll.number(),
        done_when_decided: duty.done_when_decided,
        closed_by: texts(&duty.closed_by),
        cancelled_by: texts(&duty.cancelled_by),
        passed_on_by,
        passes_to,
        waiting_for,
        end,
        from: duty.runs_from.map(start_message),
        wake_ms: milliseconds(duty.wake),
        extension: duty.extend.as_ref().map(extension_message),
        suspended_by,
        resumed_by,
        if_missed,
        stated_ms: milliseconds(duty.stated),
    }
}

/// A duty as it opens. Its rule and articles stand in the effect.
pub(super) fn read_opened(
    message: pb::DutyOpened,
    rule: &str,
    articles: &[String],
) -> Result<Duty, RecordError> {
    let owner = match message.owner.ok_or(RecordError::Missing("owner"))? {
        duty_opened::Owner::OwnerAgency(agency) => Owner::Agency(id(&agency, "owner_agency")?),
        duty_opened::Owner::PersonWatchedBy(agency) => {
            Owner::Person { watched_by: id(&agency, "person_watched_by")? }
        }
    };
    let passed_on_by = optional_id(&message.passed_on_by, "passed_on_by")?;
    let suspended_by = optional_id(&message.suspended_by, "suspended_by")?;
    let suspend = suspended_by
        .map(|with| -> Result<_, RecordError> {
            Ok((with, id(&message.resumed_by, "resumed_by")?))
        })
        .transpose()?;
    let waits_for = message.waiting_for.map(|waiting| delivery(Some(waiting)));
    let state = match message.end {
        None => DutyState::Open,
        Some(end) => DutyState::Closed {
            outcome: Word::from_number(end.outcome)?,
            by: LedgerIndex(end.index),
        },
    };
    Ok(Duty {
        rule: rule.to_owned(),
        articles: articles.to_vec(),
        name: message.name,
        opener: id(&message.opener, "opener")?,
        opened_by: document(message.opened_by)?,
        case: optional_case(&message.correction_case)?,
        thread: LedgerIndex(message.thread),
        owner,
        creditor: optional_id(&message.creditor, "creditor")?,
        limit: message.limit,
        force: Word::from_number(message.force)?,
        roll: Word::from_number(message.roll)?,
        done_when_decided: message.done_when_decided,
        state,
        waits_for: waits_for.transpose()?,
        runs_from: message.from.map(read_start).transpose()?,
        stated: message.stated_ms.map(Time),
        not_before: message.not_before_ms.map(Time),
        due: message.due_ms.map(Time),
        provisional: message.provisional,
        wake: message.wake_ms.map(Time),
        warned: Warned::No,
        suspended: None,
        handover: message.handover,
        closed_by: ids(&message.closed_by, "closed_by")?,
        cancelled_by: ids(&message.cancelled_by, "cancelled_by")?,
        passes_to: passed_on_by.map(|kind| (kind, message.passes_to)),
        extend: message.extension.map(read_extension).transpose()?,
        suspend,
        if_missed: message.if_missed.map(|next| read_following(*next)).transpose()?,
    })
}

fn read_following(message: pb::DutyFollowing) -> Result<Box<Duty>, RecordError> {
    let duty = message.duty.ok_or(RecordError::Missing("if_missed.duty"))?;
    read_opened(*duty, &message.rule, &message.articles).map(Box::new)
}

fn start_message(start: Start) -> pb::LimitStart {
    let start = match start {
        Start::Instant(ms) => limit_start::Start::InstantMs(ms),
        Start::Day(date) => limit_start::Start::Date(date.to_string()),
    };
    pb::LimitStart { start: Some(start) }
}

fn read_start(message: pb::LimitStart) -> Result<Start, RecordError> {
    match message.start.ok_or(RecordError::Missing("from"))? {
        limit_start::Start::InstantMs(ms) => Ok(Start::Instant(ms)),
        limit_start::Start::Date(text) => Ok(Start::Day(date(&text, "from.date")?)),
    }
}

fn extension_message(extend: &Extension) -> pb::DutyExtension {
    pb::DutyExtension {
        by: extend.by.clone(),
        with: extend.with.to_string(),
        times: extend.times.into(),
    }
}

fn read_extension(message: pb::DutyExtension) -> Result<Extension, RecordError> {
    Ok(Extension {
        by: message.by,
        with: id(&message.with, "extension.with")?,
        times: u8::try_from(message.times).map_err(|_| RecordError::Form("extension.times"))?,
        granted: 0,
    })
}

pub(super) fn started_message(duty: DutyId, from: Start, timing: &Timing) -> pb::DutyStarted {
    pb::DutyStarted {
        duty: Some(duty_message(duty)),
        due_ms: milliseconds(timing.due),
        provisional: timing.provisional,
        from: Some(start_message(from)),
        wake_ms: milliseconds(timing.wake),
        not_before_ms: milliseconds(timing.not_before),
    }
}

pub(super) fn read_started(message: pb::DutyStarted) -> Result<Effect, RecordError> {
    Ok(Effect::DutyStarted {
        duty: duty_id(message.duty)?,
        from: read_start(message.from.ok_or(RecordError::Missing("from"))?)?,
        timing: Timing {
            not_before: message.not_before_ms.map(Time),
            due: message.due_ms.map(Time),
            provisional: message.provisional,
            wake: message.wake_ms.map(Time),
        },
    })
}

pub(super) fn changed_message(
    duty: DutyId,
    change: DutyChange,
    owner: &Owner,
    timing: &Timing,
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
        due_ms: milliseconds(timing.due),
        provisional: timing.provisional,
        not_before_ms: milliseconds(timing.not_before),
        wake_ms: milliseconds(timing.wake),
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
        timing: Timing {
            not_before: message.not_before_ms.map(Time),
            due: message.due_ms.map(Time),
            provisional: message.provisional,
            wake: message.wake_ms.map(Time),
        },
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

fn milliseconds(time: Option<Time>) -> Option<i64> {
    time.map(|time| time.0)
}
