//! What a document that comes to nothing leaves behind: withdrawn (撤回), replaced (更正重发), rejected
//! (退件) or refused (不予接收), it opens nothing any more, has met nothing, and stops no limit.

use std::collections::BTreeSet;

use super::{World, duties, limit};
use crate::domain::duty::{Duty, DutyState, Outcome};
use crate::domain::record::{DutyChange, Effect, RuledEffect};
use crate::domain::relation::Answered;
use crate::domain::state::{DocumentRow, Key, Range, Row, View};
use crate::ids::{DocumentRef, DutyId, LedgerIndex};

/// How many documents that replaced each other are followed: each is one more read of a decision,
/// which may read only so often.
const REPLACED: usize = 3;

/// A document that comes to nothing.
pub(super) struct Undone<'u, 'v, 'a> {
    pub(super) view: &'v View<'a>,
    pub(super) document: &'u DocumentRef,
    pub(super) row: &'v DocumentRow,
    /// The rule, as the effects name it.
    pub(super) rule: &'static str,
    pub(super) articles: &'u [String],
}

impl<'v> Undone<'_, 'v, '_> {
    /// The duties that it opened, or that followed from these, and that are owed still.
    pub(super) fn opened(&self) -> Vec<(DutyId, &'v Duty)> {
        let opened = |(_, duty): &(DutyId, &Duty)| duty.opened_by == *self.document;
        self.beside().into_iter().filter(opened).collect()
    }

    /// Ends these duties.
    pub(super) fn close(&self, duties: &[(DutyId, &Duty)], outcome: Outcome) -> Vec<RuledEffect> {
        let close =
            |(id, _): &(DutyId, &Duty)| self.ruled(Effect::DutyClosed { duty: *id, outcome });
        duties.iter().map(close).collect()
    }

    /// The duties that it had met, or what it replaced, are owed again; not if another has replaced it.
    pub(super) fn reopen(&self) -> Vec<RuledEffect> {
        if self.row.replaced_by.is_some() {
            return Vec::new();
        }
        let mut duties = BTreeSet::new();
        let mut row = Some(self.row);
        for _ in 0..REPLACED {
            let Some(one) = row else { break };
            duties.extend(self.met(one.index));
            row = one.replaces.as_ref().and_then(|replaced| {
                match self.view.get(&Key::Document(replaced.clone())) {
                    Some(Row::Document(row)) => Some(&**row),
                    _ => None,
                }
            });
        }
        duties.into_iter().map(|duty| self.ruled(Effect::DutyReopened { duty })).collect()
    }

    /// The limits that it had stopped run again, unless another like it stops them.
    pub(super) fn resume(&self, world: &World<'_>) -> Vec<RuledEffect> {
        let beside = self.beside();
        let answered = Some(Answered { document: self.document, row: self.row });
        let stopped = |(_, duty): &(DutyId, &Duty)| {
            let another = |until| duties::another_stands(&beside, answered, until);
            duty.suspended.is_some_and(|still| still.by == self.row.index)
                && !duty.suspend.as_ref().is_some_and(|(_, until)| another(until))
        };
        let resume = |(id, duty): (DutyId, &Duty)| {
            let timing = limit::resumed(world, duty)?;
            let owner = duty.owner.clone();
            let change = DutyChange::Resumed;
            Some(self.ruled(Effect::DutyChanged { duty: id, change, owner, timing }))
        };
        beside.iter().copied().filter(stopped).filter_map(resume).collect()
    }

    /// The duties that the record at `index` met and that are met by nothing else.
    fn met(&self, index: LedgerIndex) -> Vec<DutyId> {
        let Some(Row::Closed(met)) = self.view.get(&Key::ClosedBy(index)) else {
            return Vec::new();
        };
        let still_closed = |id: &&DutyId| {
            matches!(
                self.view.get(&Key::Duty(**id)),
                Some(Row::Duty(duty)) if matches!(
                    duty.state,
                    DutyState::Closed { by, outcome: Outcome::Met | Outcome::MetLate }
                        if by == index
                )
            )
        };
        met.iter().filter(still_closed).copied().collect()
    }

    /// The duties still owed in its case, or in its thread where there is none.
    pub(super) fn beside(&self) -> Vec<(DutyId, &'v Duty)> {
        let range = self.row.case.map_or(Range::OwedInThread(self.row.thread), Range::OwedInCase);
        let duty = |key| {
            let (Key::OwedInCase(_, id) | Key::OwedInThread(_, id)) = key else { return None };
            match self.view.get(&Key::Duty(id)) {
                Some(Row::Duty(duty)) => Some((id, &**duty)),
                _ => None,
            }
        };
        self.view.range(&range).into_iter().filter_map(duty).collect()
    }

    fn ruled(&self, effect: Effect) -> RuledEffect {
        RuledEffect { rule: self.rule.to_owned(), articles: self.articles.to_vec(), effect }
    }
}
