//! What records say of custody (监管责任) and of correction cases (矫正案件).

use xianjie_core::domain::custody::{CustodyChange, Holder, Step};
use xianjie_core::domain::record::{CaseSet, Effect};
use xianjie_core::ids::CaseRef;

use super::base::{case, date, digest, id, optional_id, text};
use super::{RecordError, Word};
use crate::wire::pb;
use pb::case_set::Fact;

pub(super) fn opened_message(case: CaseRef) -> pb::CaseOpened {
    pb::CaseOpened { correction_case: case.0.to_vec() }
}

pub(super) fn read_opened(message: &pb::CaseOpened) -> Result<Effect, RecordError> {
    Ok(Effect::CaseOpened { case: case(&message.correction_case)? })
}

pub(super) fn message(case: CaseRef, step: Step, change: &CustodyChange) -> pb::Custody {
    let (state, answers) = match &change.moved {
        Some((state, answers)) => (state.number(), text(answers.as_ref())),
        None => (pb::CustodyState::Unspecified.into(), String::new()),
    };
    let holder = |holder: &Holder| match holder {
        Holder::Agency(agency) => agency.to_string(),
        Holder::Nobody => String::new(),
    };
    pb::Custody {
        step: step.number(),
        state,
        answers,
        missing: change.missing,
        guard: change.guard.as_ref().map(holder),
        proposal: change.proposal,
        arrested: change.arrested,
        correction_case: case.0.to_vec(),
    }
}

pub(super) fn read(message: &pb::Custody) -> Result<Effect, RecordError> {
    let moved = if message.state == i32::from(pb::CustodyState::Unspecified) {
        None
    } else {
        let answers = optional_id(&message.answers, "answers")?;
        Some((Word::from_number(message.state)?, answers))
    };
    let holder = |guard: &String| {
        let agency = optional_id(guard, "guard")?;
        Ok::<_, RecordError>(agency.map_or(Holder::Nobody, Holder::Agency))
    };
    let change = CustodyChange {
        moved,
        missing: message.missing,
        guard: message.guard.as_ref().map(holder).transpose()?,
        arrested: message.arrested,
        proposal: message.proposal,
    };
    let step = Word::from_number(message.step)?;
    Ok(Effect::Custody { case: case(&message.correction_case)?, step, change })
}

pub(super) fn set_message(case: CaseRef, set: &CaseSet) -> pb::CaseSet {
    let fact = match set {
        CaseSet::Role(role, agency) => {
            Fact::Role(pb::CaseRoleSet { role: role.number(), agency: text(agency.as_ref()) })
        }
        CaseSet::Category(category) => Fact::Category(category.number()),
        CaseSet::Place(place) => Fact::ExecutionPlace(place.to_string()),
        CaseSet::PendingPlace(place) => Fact::PendingPlace(text(place.as_ref())),
        CaseSet::TermExpiry(date) => Fact::TermExpiryDate(date.to_string()),
        CaseSet::Juvenile(juvenile) => Fact::Juvenile(*juvenile),
        CaseSet::Number(digest) => Fact::NumberDigest(digest.0.to_vec()),
        CaseSet::Count(word) => Fact::Counted(word.clone()),
    };
    pb::CaseSet { correction_case: case.0.to_vec(), fact: Some(fact) }
}

pub(super) fn read_set(message: pb::CaseSet) -> Result<Effect, RecordError> {
    let set = match message.fact.ok_or(RecordError::UnknownValue("CaseSet"))? {
        Fact::Role(role) => {
            CaseSet::Role(Word::from_number(role.role)?, optional_id(&role.agency, "agency")?)
        }
        Fact::Category(category) => CaseSet::Category(Word::from_number(category)?),
        Fact::ExecutionPlace(place) => CaseSet::Place(id(&place, "execution_place")?),
        Fact::PendingPlace(place) => CaseSet::PendingPlace(optional_id(&place, "pending_place")?),
        Fact::TermExpiryDate(day) => CaseSet::TermExpiry(date(&day, "term_expiry_date")?),
        Fact::Juvenile(juvenile) => CaseSet::Juvenile(juvenile),
        Fact::NumberDigest(bytes) => CaseSet::Number(digest(&bytes, "number_digest")?),
        Fact::Counted(word) => CaseSet::Count(word),
    };
    Ok(Effect::CaseSet { case: case(&message.correction_case)?, set })
}
