//! What records do to correction cases (矫正案件), and the index of persons who are sought.

use std::collections::BTreeSet;

use super::{ApplyError, Change, addressed};
use crate::domain::custody::{CustodyChange, Step};
use crate::domain::record::{CaseSet, DocumentTaken, Kind, Record};
use crate::domain::state::{Case, Key, PastCustody, Row};
use crate::ids::CaseRef;

impl Change<'_, '_> {
    pub(super) fn open_case(&mut self, case: CaseRef, kind: &Kind) -> Result<(), ApplyError> {
        let row = Case { opened: self.index, ..Case::default() };
        if !matches!(kind, Kind::Document(_)) {
            return Err(ApplyError::Unfit(self.index));
        }
        self.view.put(Key::Case(case), Row::Case(Box::new(row)));
        Ok(())
    }

    /// Who sends or receives a document of a case is party to it.
    pub(super) fn join_case(
        &mut self,
        taken: &DocumentTaken,
        record: &Record,
    ) -> Result<(), ApplyError> {
        let Some(case) = taken.case else { return Ok(()) };
        self.change_case(case, |row| {
            row.seen.insert(taken.document_type.clone());
            row.parties.insert(taken.document.sender.clone());
            row.parties.extend(addressed(record).into_iter().map(|addressee| addressee.agency));
        })
    }

    pub(super) fn set_case(&mut self, case: CaseRef, set: &CaseSet) -> Result<(), ApplyError> {
        self.change_case(case, |row| row.set(set))
    }

    pub(super) fn custody(
        &mut self,
        case: CaseRef,
        step: Step,
        change: &CustodyChange,
    ) -> Result<(), ApplyError> {
        let (index, time) = (self.index, self.time);
        let after = self.change_case(case, |row| {
            row.custody = row.custody.after(change);
            let since = row.missing_since.unwrap_or(time);
            row.missing_since = row.custody.missing.then_some(since);
            row.custody.clone()
        })?;
        let past = PastCustody { time, step, after };
        self.view.put(Key::PastCustody(case, index), Row::PastCustody(Box::new(past)));
        Ok(())
    }

    /// Changes a case, with its index entries; what `change` gives back.
    fn change_case<T>(
        &mut self,
        case: CaseRef,
        change: impl FnOnce(&mut Case) -> T,
    ) -> Result<T, ApplyError> {
        let key = Key::Case(case);
        let Some(Row::Case(old)) = self.view.get(&key) else { return Err(self.missing(key)) };
        let mut new = old.clone();
        let before = index_keys(case, old);
        let given = change(&mut new);
        let after = index_keys(case, &new);
        before.difference(&after).for_each(|key| self.view.delete(key.clone()));
        after.difference(&before).for_each(|key| self.view.put(key.clone(), Row::Entry));
        self.view.put(key, Row::Case(new));
        Ok(given)
    }
}

/// The index entries under which a case is found: whoever it concerns finds the person who is sought.
fn index_keys(case: CaseRef, row: &Case) -> BTreeSet<Key> {
    if !row.is_sought() {
        return BTreeSet::new();
    }
    row.concerned().map(|agency| Key::SoughtBy(agency.clone(), case)).collect()
}

impl Case {
    /// The same with one thing set: what `apply` does with the effect `case_set`.
    pub fn set(&mut self, set: &CaseSet) {
        match set {
            CaseSet::Role(role, Some(agency)) => {
                self.roles.insert(*role, agency.clone());
            }
            CaseSet::Role(role, None) => {
                self.roles.remove(role);
            }
            CaseSet::Category(category) => self.category = Some(*category),
            CaseSet::Place(place) => self.place = Some(place.clone()),
            CaseSet::PendingPlace(place) => self.pending_place.clone_from(place),
            CaseSet::TermExpiry(date) => self.term_expiry = Some(*date),
            CaseSet::Juvenile(yes) => self.juvenile = Some(self.juvenile == Some(true) || *yes),
            CaseSet::Number(digest) => self.number = Some(*digest),
            CaseSet::Count(what) => *self.counts.entry(what.clone()).or_default() += 1,
        }
    }
}
