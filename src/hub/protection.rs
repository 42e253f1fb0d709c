//! What the law protects of a person: a juvenile's papers, and what is sealed (犯罪记录封存, 刑诉法 286). A
//! paper is protected as its case is; before there is one, as its thread says.

use std::collections::{BTreeMap, BTreeSet};

use xianjie_core::domain::state::{Case, Key, PastCustody, Row};
use xianjie_core::ids::{CaseRef, DocumentRef, LedgerIndex};
use xianjie_core::limits;
use xianjie_core::refusal::Refusal;

use super::Hub;
use super::submit::unavailable;
use crate::store::{Entry, Wants};
use crate::wire::signature::named_subject;

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

impl Hub {
    /// How the law protects the person of a document: by its case, and what belongs to none by what it
    /// says itself, what the first of its thread says, and the case to which that led.
    ///
    /// # Errors
    /// The store can't be read now.
    pub async fn protection(
        &self,
        case: Option<CaseRef>,
        thread: LedgerIndex,
        entry: &Entry,
    ) -> Result<Protection, Refusal> {
        let (says_juvenile, case) = match case {
            Some(case) => (false, self.case(case).await?),
            None => self.before_case(thread, entry).await?,
        };
        Ok(match case {
            Some(case) if case.is_sealed() => Protection::Sealed,
            Some(case) if case.juvenile == Some(true) => Protection::Juvenile,
            _ if says_juvenile => Protection::Juvenile,
            _ => Protection::Common,
        })
    }

    /// Whether a thread that began before there was a case says that its person was a juvenile, and the
    /// case to which it led: the first of that person's that opened after it began.
    async fn before_case(
        &self,
        thread: LedgerIndex,
        entry: &Entry,
    ) -> Result<(bool, Option<Case>), Refusal> {
        let first = match thread == entry.index {
            true => None,
            false => Some(self.entry(thread).await?),
        };
        let papers = std::iter::once(entry).chain(&first);
        let subjects: Vec<_> = papers.map(|entry| named_subject(&entry.signed_document)).collect();
        let says_juvenile = subjects.iter().any(|subject| subject.juvenile);
        let Some(person) = subjects.iter().find_map(|subject| subject.person) else {
            return Ok((says_juvenile, None));
        };
        let cases = self.cases(self.cases_of(person).await?).await?.into_values();
        let after = cases.filter(|case| case.opened > thread);
        Ok((says_juvenile, after.min_by_key(|case| case.opened)))
    }

    /// Those of the documents whose past is sealed, so far as the record at `index` tells of it: it came
    /// before the end of correction. What comes after, such as the receipt for the notice of that
    /// end, is business under way.
    ///
    /// # Errors
    /// The store can't be read now.
    pub async fn sealed_documents(
        &self,
        documents: impl IntoIterator<Item = DocumentRef>,
        index: LedgerIndex,
    ) -> Result<BTreeSet<DocumentRef>, Refusal> {
        let mut wants = Wants::default();
        wants.keys.extend(documents.into_iter().map(Key::Document));
        let loaded = self.shared.store.load(&wants).await.map_err(unavailable)?;
        let case = |(key, row)| match (key, row) {
            (Key::Document(document), Some(Row::Document(row))) => Some((document, row.case?)),
            _ => None,
        };
        let cases: BTreeMap<DocumentRef, CaseRef> =
            loaded.rows.into_iter().filter_map(case).collect();
        let mut sealed = BTreeSet::new();
        for case in cases.values().copied().collect::<BTreeSet<_>>() {
            if self.is_sealed_past(case, index).await? {
                sealed.insert(case);
            }
        }
        let sealed = cases.into_iter().filter(|(_, case)| sealed.contains(case));
        Ok(sealed.map(|(document, _)| document).collect())
    }

    /// Whether a case is sealed, and a record of it came before that.
    ///
    /// # Errors
    /// The store can't be read now.
    pub async fn is_sealed_past(&self, case: CaseRef, index: LedgerIndex) -> Result<bool, Refusal> {
        if !self.case(case).await?.is_some_and(|case| case.is_sealed()) {
            return Ok(false);
        }
        let steps = self.past_custody(case, LedgerIndex(0), limits::PAGE_MAX).await?;
        let ended = |(_, past): &&(LedgerIndex, PastCustody)| past.after.state.is_ended();
        let since = steps.iter().rev().take_while(ended).last();
        Ok(since.is_none_or(|(since, _)| index < *since))
    }
}
