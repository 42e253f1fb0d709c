//! Accesses (查阅): queries of persons, and that something of a protected person is shown. What is decided
//! here is only what to look at; whether an agency may query, the law says, and what is protected,
//! [`protection`](super::protection).

use std::collections::{BTreeSet, HashMap};
use std::sync::{Mutex, PoisonError};

use xianjie_core::domain::access::{Allowed, Purpose};
use xianjie_core::domain::decide::{AccessInput, Input};
use xianjie_core::domain::record::Kind;
use xianjie_core::domain::state::{Key, Row};
use xianjie_core::ids::{
    AgencyCode, CaseRef, DocumentRef, DocumentType, LedgerIndex, PersonKey, Time,
};
use xianjie_core::limits;
use xianjie_core::refusal::{Reason, Refusal};

use super::fold::Item;
use super::submit::unavailable;
use super::{Answer, Hub, Submission};
use crate::store::Wants;

/// Documents that one page of a query looks at, at most: a topic that holds few must not read all.
const LOOKED_AT: usize = limits::PAGE_MAX;

/// A query as it stands in the ledger, and what it opens.
#[derive(Debug, Clone)]
pub struct MadeQuery {
    /// Its record.
    pub index: LedgerIndex,
    cases: BTreeSet<CaseRef>,
    types: BTreeSet<DocumentType>,
}

impl MadeQuery {
    /// Whether a document is among what it found.
    #[must_use]
    pub fn opens(&self, document: &Submission) -> bool {
        let row = &document.row;
        self.opens_record(row.index, row.case, &row.kind)
    }

    /// The same of a document by its record: its index, its case and its type.
    #[must_use]
    pub fn opens_record(
        &self,
        index: LedgerIndex,
        case: Option<CaseRef>,
        kind: &DocumentType,
    ) -> bool {
        index < self.index && case.is_some_and(|case| self.finds(case)) && self.types.contains(kind)
    }

    /// Whether a case is among those of whom was asked about.
    #[must_use]
    pub fn finds(&self, case: CaseRef) -> bool {
        self.cases.contains(&case)
    }
}

/// The accesses of the minute under way, by agency. They are counted before they are recorded: a hub that
/// starts anew counts from nothing.
#[derive(Debug, Default)]
pub(super) struct Accesses(Mutex<Minute>);

#[derive(Debug, Default)]
struct Minute {
    number: i64,
    counts: HashMap<AgencyCode, usize>,
}

impl Accesses {
    /// Counts one more.
    ///
    /// # Errors
    /// [`Reason::Quota`]: as many as may be in a minute, [`limits::ACCESSES_PER_MINUTE`].
    fn count(&self, agency: &AgencyCode, now: Time) -> Result<(), Reason> {
        let number = now.0.div_euclid(60_000);
        let mut minute = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if minute.number != number {
            *minute = Minute { number, counts: HashMap::new() };
        }
        let count = minute.counts.entry(agency.clone()).or_default();
        if *count >= limits::ACCESSES_PER_MINUTE {
            return Err(Reason::Quota);
        }
        *count += 1;
        Ok(())
    }
}

impl Hub {
    /// Puts an access into the ledger: returns when its record is on stable storage and signed. Only
    /// then anything may be shown.
    ///
    /// # Errors
    /// The law does not allow the query, or it can't be recorded now, or the agency had as many as may be
    /// in a minute: then nothing is shown.
    pub async fn record_access(&self, input: AccessInput) -> Result<Answer, Refusal> {
        if self.is_draining() {
            return Err(Reason::Draining.into());
        }
        self.check_room()?;
        self.accesses.count(&input.agency, self.now())?;
        let item = Item::bare(Input::Access(Box::new(input)))?;
        self.queue.decide(item).await
    }

    /// The cases of a person.
    ///
    /// # Errors
    /// The store can't be read now.
    pub async fn cases_of(&self, person: PersonKey) -> Result<BTreeSet<CaseRef>, Refusal> {
        let mut wants = Wants::default();
        wants.persons.insert(person);
        let loaded = self.shared.store.load(&wants).await.map_err(unavailable)?;
        Ok(loaded.persons.get(&person).into_iter().flatten().copied().collect())
    }

    /// Those of the cases that there are and that a query for this purpose opens: a sealed one is, to any
    /// other, as if it were not there.
    ///
    /// # Errors
    /// The store can't be read now.
    pub async fn opened_by(
        &self,
        purpose: Purpose,
        cases: BTreeSet<CaseRef>,
    ) -> Result<BTreeSet<CaseRef>, Refusal> {
        let mut found = self.cases(cases).await?;
        let published = self.published().size;
        found.retain(|_, case| {
            case.opened.0 < published && (purpose.opens_sealed() || !case.is_sealed())
        });
        Ok(found.into_keys().collect())
    }

    /// The query that `reader`, or an agency that it took the place of, made by the record at `index`;
    /// nothing, if that is none.
    ///
    /// # Errors
    /// The store can't be read now.
    pub async fn query_made(
        &self,
        reader: &AgencyCode,
        index: LedgerIndex,
    ) -> Result<Option<MadeQuery>, Refusal> {
        let (_, record) = match self.recorded(index).await {
            Ok(found) => found,
            Err(refusal) if refusal.reason() == Reason::NotFound => return Ok(None),
            Err(refusal) => return Err(refusal),
        };
        let Kind::Access(access) = &record.kind else { return Ok(None) };
        let Some(Allowed { query, opens }) = &access.query else { return Ok(None) };
        if !self.directory().stands_for(reader, &access.agency) {
            return Ok(None);
        }
        let cases = self.opened_by(query.ground.purpose, access.cases.clone()).await?;
        Ok(Some(MadeQuery { index, cases, types: opens.clone() }))
    }

    /// A page of what a query found below a record, the newest first, and where the next page begins.
    ///
    /// # Errors
    /// The store can't be read now.
    pub async fn found_by(
        &self,
        query: &MadeQuery,
        below: LedgerIndex,
        limit: usize,
    ) -> Result<(Vec<Submission>, Option<LedgerIndex>), Refusal> {
        let (mut found, mut looked_at) = (Vec::new(), 0);
        let mut next = below.min(query.index);
        while looked_at < LOOKED_AT {
            let page = self.filed(&query.cases, next).await?;
            if page.is_empty() {
                return Ok((found, None));
            }
            for (index, document) in page {
                if found.len() == limit {
                    return Ok((found, Some(next)));
                }
                (next, looked_at) = (index, looked_at + 1);
                let document = self.submission(&document).await?;
                if query.opens(&document) {
                    found.push(document);
                }
            }
        }
        Ok((found, Some(next)))
    }

    /// The newest documents of these cases whose records are below `below`: all of them down to the last
    /// that it gives.
    async fn filed(
        &self,
        cases: &BTreeSet<CaseRef>,
        below: LedgerIndex,
    ) -> Result<Vec<(LedgerIndex, DocumentRef)>, Refusal> {
        let (mut all, mut complete) = (Vec::new(), LedgerIndex(0));
        for case in cases {
            let (from, to) = Key::filed_bounds(*case, below);
            let page = self.shared.store.scan(&from, &to, limits::PAGE).await;
            let page = page.map_err(unavailable)?;
            let is_full = page.len() == limits::PAGE;
            for (key, row) in page {
                let key = Key::from_bytes(&key).map_err(unavailable)?;
                let row = Row::from_bytes(&row).map_err(unavailable)?;
                if let (Key::Filed(_, index), Row::Sent(document)) = (key, row) {
                    all.push((index, document));
                }
            }
            // Of this case there may be more below its last.
            if let Some((last, _)) = all.last().filter(|_| is_full) {
                complete = complete.max(*last);
            }
        }
        all.retain(|(index, _)| *index >= complete);
        all.sort_by_key(|(index, _)| std::cmp::Reverse(*index));
        Ok(all)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_agency_has_so_many_accesses_a_minute_and_another_its_own() {
        let accesses = Accesses::default();
        let (court, police): (AgencyCode, AgencyCode) =
            ("yuexiu-court".parse().unwrap(), "tianhe-police".parse().unwrap());
        let last = Time(59_999);
        for _ in 0..limits::ACCESSES_PER_MINUTE {
            assert_eq!(accesses.count(&court, last), Ok(()));
        }
        assert_eq!(accesses.count(&court, last), Err(Reason::Quota));
        assert_eq!(accesses.count(&police, last), Ok(()));
        assert_eq!(accesses.count(&court, Time(60_000)), Ok(()));
    }
}
