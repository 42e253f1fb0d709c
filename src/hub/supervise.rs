//! Supervision (检察监督): reads over duties and custody, for those who owe, are owed or supervise. Who may
//! see what it finds is asked of the policy by whoever calls it.

use std::collections::BTreeSet;

use xianjie_core::domain::duty::Duty;
use xianjie_core::domain::state::{Case, Key, PastCustody, Range, Row};
use xianjie_core::ids::{AgencyCode, CaseRef, DutyId, LedgerIndex, Time};
use xianjie_core::ledger::Leaf;
use xianjie_core::limits;
use xianjie_core::refusal::Refusal;

use super::Hub;
use super::submit::unavailable;
use crate::store::Wants;

impl Hub {
    /// The agencies whose duties concern `reader`: itself, those that it took the place of, and those
    /// that it supervises.
    #[must_use]
    pub fn watched_by(&self, reader: &AgencyCode) -> BTreeSet<AgencyCode> {
        let directory = self.directory();
        let stands_for = |owner: &AgencyCode| directory.stands_for(reader, owner);
        let concerns = directory.agencies().filter(|agency| {
            stands_for(&agency.code) || agency.supervised_by.as_ref().is_some_and(stands_for)
        });
        concerns.map(|agency| agency.code.clone()).collect()
    }

    /// The agencies of which `reader` sees statistics: those whose duties concern it, what is under
    /// them, and what those supervise that are under it.
    #[must_use]
    pub fn counted_by(&self, reader: &AgencyCode) -> BTreeSet<AgencyCode> {
        let directory = self.directory();
        let mut within = self.watched_by(reader);
        loop {
            let is_within = |code: &Option<AgencyCode>| {
                code.as_ref().is_some_and(|code| within.contains(directory.successor(code)))
            };
            let more: Vec<AgencyCode> = directory
                .agencies()
                .filter(|agency| !within.contains(&agency.code))
                .filter(|agency| is_within(&agency.parent) || is_within(&agency.supervised_by))
                .map(|agency| agency.code.clone())
                .collect();
            if more.is_empty() {
                return within;
            }
            within.extend(more);
        }
    }

    /// The duties still owed that one agency owes, watches or is owed, above `after`: a page.
    ///
    /// # Errors
    /// The store can't be read now.
    pub async fn duties_of(
        &self,
        agency: &AgencyCode,
        after: Option<DutyId>,
    ) -> Result<Vec<(DutyId, Duty)>, Refusal> {
        let (from, to) = Key::duty_of_bounds(agency, after);
        let page = self.shared.store.scan(&from, &to, limits::PAGE).await.map_err(unavailable)?;
        let mut ids = Vec::with_capacity(page.len());
        for (key, _) in page {
            if let Key::DutyOf(_, id) = Key::from_bytes(&key).map_err(unavailable)? {
                ids.push(id);
            }
        }
        self.duties(ids).await
    }

    /// The duties still owed in a case.
    ///
    /// # Errors
    /// The store can't be read now.
    pub async fn duties_in(&self, case: CaseRef) -> Result<Vec<(DutyId, Duty)>, Refusal> {
        let range = Range::OwedInCase(case);
        let mut wants = Wants::default();
        wants.ranges.insert(range.clone());
        let loaded = self.shared.store.load(&wants).await.map_err(unavailable)?;
        let keys = loaded.ranges.get(&range).cloned().unwrap_or_default();
        let id = |key| if let Key::OwedInCase(_, id) = key { Some(id) } else { None };
        self.duties(keys.into_iter().filter_map(id).collect()).await
    }

    /// One duty, owed or not.
    ///
    /// # Errors
    /// The store can't be read now.
    pub async fn duty(&self, id: DutyId) -> Result<Option<Duty>, Refusal> {
        Ok(self.duties(vec![id]).await?.pop().map(|(_, duty)| duty))
    }

    async fn duties(&self, ids: Vec<DutyId>) -> Result<Vec<(DutyId, Duty)>, Refusal> {
        let mut wants = Wants::default();
        wants.keys.extend(ids.iter().copied().map(Key::Duty));
        let mut loaded = self.shared.store.load(&wants).await.map_err(unavailable)?;
        let duty = |id| match loaded.rows.remove(&Key::Duty(id)).flatten() {
            Some(Row::Duty(duty)) => Some((id, *duty)),
            _ => None,
        };
        Ok(ids.into_iter().filter_map(duty).collect())
    }

    /// A correction case.
    ///
    /// # Errors
    /// The store can't be read now.
    pub async fn case(&self, case: CaseRef) -> Result<Option<Case>, Refusal> {
        match self.row(Key::Case(case)).await? {
            Some(Row::Case(row)) => Ok(Some(*row)),
            _ => Ok(None),
        }
    }

    /// The steps of custody that a case took, by the records that took them, the oldest first.
    ///
    /// # Errors
    /// The store can't be read now.
    pub async fn past_custody(
        &self,
        case: CaseRef,
    ) -> Result<Vec<(LedgerIndex, PastCustody)>, Refusal> {
        let mut steps = Vec::new();
        let mut from = LedgerIndex(0);
        loop {
            let (first, to) = Key::past_custody_bounds(case, from);
            let page =
                self.shared.store.scan(&first, &to, limits::PAGE).await.map_err(unavailable)?;
            let last = page.len() < limits::PAGE;
            for (key, row) in page {
                let key = Key::from_bytes(&key).map_err(unavailable)?;
                let row = Row::from_bytes(&row).map_err(unavailable)?;
                if let (Key::PastCustody(_, index), Row::PastCustody(past)) = (key, row) {
                    from = index.next();
                    steps.push((index, *past));
                }
            }
            if last {
                return Ok(steps);
            }
        }
    }

    /// A page of the duties that the records from `after` up to but not including `to` opened, whatever
    /// became of them, in the order of the ledger.
    ///
    /// # Errors
    /// The store can't be read now.
    pub async fn duties_opened(
        &self,
        after: Option<DutyId>,
        from: LedgerIndex,
        to: LedgerIndex,
    ) -> Result<Vec<(DutyId, Duty)>, Refusal> {
        let (first, to) = Key::duty_bounds(from, to);
        let from = match after {
            Some(id) => Key::Duty(id).to_bytes().into_iter().chain([0]).collect(),
            None => first,
        };
        let page = self.shared.store.scan(&from, &to, limits::PAGE_MAX).await;
        let mut duties = Vec::new();
        for (key, row) in page.map_err(unavailable)? {
            let key = Key::from_bytes(&key).map_err(unavailable)?;
            let row = Row::from_bytes(&row).map_err(unavailable)?;
            if let (Key::Duty(id), Row::Duty(duty)) = (key, row) {
                duties.push((id, *duty));
            }
        }
        Ok(duties)
    }

    /// The first record of that time or later: the ledger's size, if there is none.
    ///
    /// # Errors
    /// The store can't be read now.
    pub async fn first_at(&self, time: Time) -> Result<LedgerIndex, Refusal> {
        let (mut low, mut high) = (0, self.published().size);
        while low < high {
            let middle = low + (high - low) / 2;
            let entry = self.entry(LedgerIndex(middle)).await?;
            let leaf = Leaf::parse(&entry.leaf).map_err(unavailable)?;
            if i64::try_from(leaf.time_ms).unwrap_or(i64::MAX) < time.0 {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        Ok(LedgerIndex(low))
    }
}
