//! Which documents a caller may see; and what is shown of a protected person: a sealed record to nobody
//! without a query, a juvenile's only after a record of that.

use std::collections::BTreeSet;

use xianjie_core::domain::agency::Right;
use xianjie_core::domain::decide::AccessInput;
use xianjie_core::domain::policy::{self, Relation, Rpc};
use xianjie_core::domain::state::Case;
use xianjie_core::ids::{AgencyCode, CaseRef, DocumentRef, LedgerIndex};
use xianjie_core::refusal::{Reason, Refusal};

use super::peer::Caller;
use crate::hub::{MadeQuery, Protection, Submission};
use crate::store::Entry;

/// A document that the caller may see.
pub(super) struct Visible {
    pub(super) submission: Submission,
    /// How the reader stands to it.
    pub(super) relations: BTreeSet<Relation>,
    /// The query that opens it, if it was named and does.
    pub(super) by_query: Option<LedgerIndex>,
}

/// A document, if the caller may see it in the name of `reader`, by itself or by a query that was made;
/// not there and not visible are one.
pub(super) async fn visible(
    caller: &Caller,
    rpc: Rpc,
    reader: &AgencyCode,
    document: &DocumentRef,
    query: Option<u64>,
) -> Result<Visible, Refusal> {
    let found = match caller.hub.submission(document).await {
        Ok(found) => Some(found),
        Err(refusal) if refusal.reason() == Reason::NotFound => None,
        Err(refusal) => return Err(refusal),
    };
    let directory = caller.hub.directory();
    let mut relations = found.as_ref().map_or(BTreeSet::new(), |found| {
        policy::document_relations(&directory, reader, &document.sender, &found.row)
    });
    let made = query_made(caller, reader, query).await?;
    let opens = |made: &MadeQuery| found.as_ref().is_some_and(|it| made.opens(it));
    let by_query = made.filter(opens).map(|made| made.index);
    if by_query.is_some() {
        relations.insert(Relation::Queried);
    }
    caller.permit_for(rpc, reader, relations.clone())?;
    let submission = found.ok_or_else(|| Refusal::from(Reason::NotFound))?;
    Ok(Visible { submission, relations, by_query })
}

/// The query that a request names, if `reader` made it and its system may query.
pub(super) async fn query_made(
    caller: &Caller,
    reader: &AgencyCode,
    query: Option<u64>,
) -> Result<Option<MadeQuery>, Refusal> {
    match query {
        Some(index) if caller.rights(reader).contains(&Right::Query) => {
            caller.hub.query_made(reader, LedgerIndex(index)).await
        }
        _ => Ok(None),
    }
}

/// What is about to be shown, to whom, by which call.
pub(super) struct Showing<'s> {
    pub(super) caller: &'s Caller,
    pub(super) rpc: Rpc,
    pub(super) reader: &'s AgencyCode,
    /// The query by which it is opened, if it is by one.
    pub(super) by_query: Option<LedgerIndex>,
}

impl Showing<'_> {
    /// Lets a document be shown that the reader may see.
    ///
    /// # Errors
    /// It is sealed, or the showing can't be recorded now.
    pub(super) async fn document(
        &self,
        document: &Submission,
        entry: &Entry,
    ) -> Result<(), Refusal> {
        let (case, thread) = (document.row.case, document.row.thread);
        let protection = self.caller.hub.protection(case, thread, entry).await?;
        let awaited = self.is_awaited(document);
        if protection == Protection::Sealed && self.by_query.is_none() && !awaited {
            return Err(Reason::Sealed.into());
        }
        // What belongs to a delivery is fetched before that can be acknowledged: its first showing.
        let is_delivery = awaited && self.rpc == Rpc::DownloadAttachment;
        if protection == Protection::Common || is_delivery {
            return Ok(());
        }
        self.record(document.row.case, Some(entry.index)).await
    }

    /// Lets be shown who answers for the person of a case, which is `row`.
    ///
    /// # Errors
    /// As of a document.
    pub(super) async fn custody(&self, case: CaseRef, row: &Case) -> Result<(), Refusal> {
        if row.is_sealed() && self.by_query.is_none() {
            return Err(Reason::Sealed.into());
        }
        if row.juvenile == Some(true) { self.record(Some(case), None).await } else { Ok(()) }
    }

    /// Whether the reader has a delivery of it that is not settled.
    fn is_awaited(&self, document: &Submission) -> bool {
        let directory = self.caller.hub.directory();
        let mut deliveries = document.deliveries.iter();
        deliveries.any(|delivery| {
            delivery.settled.is_none() && directory.stands_for(self.reader, &delivery.agency)
        })
    }

    async fn record(
        &self,
        case: Option<CaseRef>,
        document: Option<LedgerIndex>,
    ) -> Result<(), Refusal> {
        let input = AccessInput {
            agency: self.reader.clone(),
            system: self.caller.system()?,
            method: format!("{:?}", self.rpc),
            cases: case.into_iter().collect::<BTreeSet<_>>(),
            document,
            query: None,
            by_query: self.by_query,
        };
        self.caller.hub.record_access(input).await.map(drop)
    }
}
