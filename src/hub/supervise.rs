//! Supervision (检察监督): reads over duties and custody, for those who owe, are owed or supervise. Who may
//! see what it finds is asked of the policy by whoever calls it.

use std::collections::{BTreeMap, BTreeSet};

use xianjie_core::domain::duty::Duty;
use xianjie_core::domain::policy;
use xianjie_core::domain::state::{Case, Key, PastCustody, Range, Row};
use xianjie_core::ids::{AgencyCode, CaseRef, DutyId, LedgerIndex, Time};
use xianjie_core::ledger::Leaf;
use xianjie_core::limits;
use xianjie_core::refusal::Refusal;

use super::Hub;
use super::submit::unavailable;
use crate::store::Wants;

impl Hub {
    /// An agency and those that it took the place of.
    #[must_use]
    pub fn inherited_by(&self, agency: &AgencyCode) -> BTreeSet<AgencyCode> {
        let directory = self.directory();
        let own = directory.agencies().filter(|other| directory.stands_for(agency, &other.code));
        own.map(|other| other.code.clone()).collect()
    }

    /// The agencies whose duties concern `reader`: itself, those that it took the place of, and those
    /// that it supervises.
    #[must_use]
    pub fn watched_by(&self, reader: &AgencyCode) -> BTreeSet<AgencyCode> {
        let directory = self.directory();
        let stands_for = |owner: &AgencyCode| directory.stands_for(reader, owner);
        let concerns = |code: &&AgencyCode| {
            stands_for(code) || policy::supervisor(&directory, code).is_some_and(stands_for)
        };
        directory.agencies().map(|agency| &agency.code).filter(concerns).cloned().collect()
    }

    /// The agencies of which `reader` sees statistics: those whose duties concern it, what is under
    /// them, and what those supervise that are under it. One that has passed to another is where its
    /// last successor is.
    #[must_use]
    pub fn counted_by(&self, reader: &AgencyCode) -> BTreeSet<AgencyCode> {
        let directory = self.directory();
        let mut within = self.watched_by(reader);
        loop {
            let is_within = |code: &Option<AgencyCode>| {
                code.as_ref().is_some_and(|code| within.contains(directory.successor(code)))
            };
            let belongs = |code: &&AgencyCode| {
                let last = directory.agency(directory.successor(code));
                last.is_some_and(|last| is_within(&last.parent) || is_within(&last.supervised_by))
            };
            let codes = directory.agencies().map(|agency| &agency.code);
            let outside = codes.filter(|code| !within.contains(*code));
            let more: Vec<AgencyCode> = outside.filter(belongs).cloned().collect();
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
        self.owed_between(&from, &to).await
    }

    /// The duties still owed in a case, above `after`: a page.
    ///
    /// # Errors
    /// The store can't be read now.
    pub async fn duties_in(
        &self,
        case: CaseRef,
        after: Option<DutyId>,
    ) -> Result<Vec<(DutyId, Duty)>, Refusal> {
        let from = match after {
            Some(duty) => just_above(&Key::OwedInCase(case, duty)),
            None => Range::OwedInCase(case).first().to_bytes(),
        };
        let last = DutyId { index: LedgerIndex(u64::MAX), ordinal: u32::MAX };
        self.owed_between(&from, &Key::OwedInCase(case, last).to_bytes()).await
    }

    /// A page of the duties that an index names.
    async fn owed_between(&self, from: &[u8], to: &[u8]) -> Result<Vec<(DutyId, Duty)>, Refusal> {
        let page = self.shared.store.scan(from, to, limits::PAGE).await.map_err(unavailable)?;
        let mut ids = Vec::with_capacity(page.len());
        for (key, _) in page {
            if let Key::DutyOf(_, id) | Key::OwedInCase(_, id) =
                Key::from_bytes(&key).map_err(unavailable)?
            {
                ids.push(id);
            }
        }
        self.duties(ids).await
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

    /// Correction cases, those that exist, in one read.
    ///
    /// # Errors
    /// The store can't be read now.
    pub async fn cases(
        &self,
        cases: impl IntoIterator<Item = CaseRef>,
    ) -> Result<BTreeMap<CaseRef, Case>, Refusal> {
        let mut wants = Wants::default();
        wants.keys.extend(cases.into_iter().map(Key::Case));
        let loaded = self.shared.store.load(&wants).await.map_err(unavailable)?;
        let case = |(key, row)| match (key, row) {
            (Key::Case(case), Some(Row::Case(row))) => Some((case, *row)),
            _ => None,
        };
        Ok(loaded.rows.into_iter().filter_map(case).collect())
    }

    /// The cases of the persons who are sought (下落不明) and concern an agency, above `after`: at most
    /// `limit`, and fewer only if there are no more.
    ///
    /// # Errors
    /// The store can't be read now.
    pub async fn sought_by(
        &self,
        agency: &AgencyCode,
        after: Option<CaseRef>,
        limit: usize,
    ) -> Result<Vec<CaseRef>, Refusal> {
        let (from, to) = Key::sought_bounds(agency, after);
        let page = self.shared.store.scan(&from, &to, limit).await.map_err(unavailable)?;
        let mut cases = Vec::with_capacity(page.len());
        for (key, _) in page {
            if let Key::SoughtBy(_, case) = Key::from_bytes(&key).map_err(unavailable)? {
                cases.push(case);
            }
        }
        Ok(cases)
    }

    /// The steps of custody that a case took from record `from` on, by the records that took them, the
    /// oldest first: at most `limit`, and fewer only if there are no more.
    ///
    /// # Errors
    /// The store can't be read now.
    pub async fn past_custody(
        &self,
        case: CaseRef,
        mut from: LedgerIndex,
        limit: usize,
    ) -> Result<Vec<(LedgerIndex, PastCustody)>, Refusal> {
        let mut steps = Vec::new();
        while steps.len() < limit {
            let (first, to) = Key::past_custody_bounds(case, from);
            let page = self.shared.store.scan(&first, &to, limit - steps.len()).await;
            let page = page.map_err(unavailable)?;
            if page.is_empty() {
                break;
            }
            for (key, row) in page {
                let key = Key::from_bytes(&key).map_err(unavailable)?;
                let row = Row::from_bytes(&row).map_err(unavailable)?;
                if let (Key::PastCustody(_, index), Row::PastCustody(past)) = (key, row) {
                    from = index.next();
                    steps.push((index, *past));
                }
            }
        }
        Ok(steps)
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
            Some(id) => just_above(&Key::Duty(id)),
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

/// The first bytes after those of a key.
fn just_above(key: &Key) -> Vec<u8> {
    key.to_bytes().into_iter().chain([0]).collect()
}
