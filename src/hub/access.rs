//! Accesses (查阅): queries of persons, and what of a protected person is shown to whom. What is decided
//! here is only what to look at; whether an agency may query, the law says.

use std::collections::BTreeSet;

use xianjie_core::domain::access::{Access, Purpose};
use xianjie_core::domain::decide::{AccessInput, Input};
use xianjie_core::domain::record::Kind;
use xianjie_core::domain::state::{Key, Row};
use xianjie_core::domain::term::shanghai_date;
use xianjie_core::ids::{AgencyCode, CaseRef, DocumentRef, DocumentType, LedgerIndex, PersonKey};
use xianjie_core::ledger::Leaf;
use xianjie_core::limits;
use xianjie_core::refusal::{Reason, Refusal};

use super::fold::Item;
use super::submit::unavailable;
use super::{Answer, Hub, Submission};
use crate::store::{Entry, Wants};
use crate::wire;

/// Documents that one page of a query looks at, at most: a topic that holds few must not read all.
const LOOKED_AT: usize = limits::PAGE_MAX;

/// How the law protects what is known of a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protection {
    /// No more than anybody.
    Common,
    /// A juvenile at the offence (犯罪时未成年): whom it is shown to is recorded.
    Juvenile,
    /// A juvenile whose correction has ended (犯罪记录封存): shown to nobody without a query.
    Sealed,
}

/// A query as it stands in the ledger, and what it opens.
#[derive(Debug, Clone)]
pub struct MadeQuery {
    /// Its record.
    pub index: LedgerIndex,
    cases: BTreeSet<CaseRef>,
    types: Vec<DocumentType>,
}

impl MadeQuery {
    /// Whether a document is among what it found.
    #[must_use]
    pub fn opens(&self, document: &Submission) -> bool {
        let row = &document.row;
        row.index < self.index
            && row.case.is_some_and(|case| self.cases.contains(&case))
            && self.types.contains(&row.kind)
    }
}

impl Hub {
    /// Puts an access into the ledger: returns when its record is on stable storage and signed. Only
    /// then anything may be shown.
    ///
    /// # Errors
    /// The law does not allow the query, or it can't be recorded now: then nothing is shown.
    pub async fn record_access(&self, input: AccessInput) -> Result<Answer, Refusal> {
        if self.is_draining() {
            return Err(Reason::Draining.into());
        }
        self.check_room()?;
        let item = Item::bare(Input::Access(Box::new(input)))?;
        self.queue.decide(item).await
    }

    /// How the law protects the person of a document.
    ///
    /// # Errors
    /// The store can't be read now.
    pub async fn protection(
        &self,
        case: Option<CaseRef>,
        entry: &Entry,
    ) -> Result<Protection, Refusal> {
        let Some(case) = case else {
            let juvenile = wire::signature::names_juvenile(&entry.signed_document);
            return Ok(if juvenile { Protection::Juvenile } else { Protection::Common });
        };
        let case = self.case(case).await?.unwrap_or_default();
        Ok(match case.juvenile {
            _ if case.is_sealed() => Protection::Sealed,
            Some(true) => Protection::Juvenile,
            _ => Protection::Common,
        })
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
        let (entry, record) = match self.recorded(index).await {
            Ok(found) => found,
            Err(refusal) if refusal.reason() == Reason::NotFound => return Ok(None),
            Err(refusal) => return Err(refusal),
        };
        match &record.kind {
            Kind::Access(access) if self.directory().stands_for(reader, &access.agency) => {
                self.opened(index, &entry, access).await
            }
            _ => Ok(None),
        }
    }

    async fn opened(
        &self,
        index: LedgerIndex,
        entry: &Entry,
        access: &Access,
    ) -> Result<Option<MadeQuery>, Refusal> {
        let Some(query) = &access.query else { return Ok(None) };
        let time = Leaf::parse(&entry.leaf).map_err(unavailable)?.time_ms;
        let day = shanghai_date(i64::try_from(time).unwrap_or_default());
        // The topic as it was when the law allowed the query.
        let law = self.law();
        let topic = law.on(day).topics.get(&query.topic);
        let cases = self.opened_by(query.ground.purpose, access.cases.clone()).await?;
        let types = topic.map(|topic| topic.item.documents.clone()).unwrap_or_default();
        Ok(Some(MadeQuery { index, cases, types }))
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
