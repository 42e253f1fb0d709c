//! `ExchangeService`: where agencies submit documents, and see what became of them.

use std::collections::BTreeSet;
use std::sync::Arc;

use tonic::{Request, Response, Status, Streaming};
use xianjie_core::domain::agency::Right;
use xianjie_core::domain::policy::{self, Relation, Rpc};
use xianjie_core::domain::record::{Kind, Settled};
use xianjie_core::ids::{AgencyCode, DocumentRef, DocumentType, LedgerIndex, SenderNumber, Time};
use xianjie_core::limits;
use xianjie_core::refusal::{Reason, Refusal, Violation};

use super::peer::{Caller, Leaving};
use super::protected::Showing;
use super::{Answers, answers, encode, unary};
use crate::hub::{Hub, MadeQuery, Submission};
use crate::wire::pb;
use crate::wire::signature::Signed;

mod bulk;
mod check;
mod types;
mod watch;

/// Submissions that one page looks at, at most: a filter that fits few must not read all.
const LOOKED_AT: usize = limits::PAGE_MAX;

/// The service.
pub(super) struct Exchange(Arc<Hub>);

impl Exchange {
    pub(super) fn new(hub: Arc<Hub>) -> Self {
        Self(hub)
    }
}

#[tonic::async_trait]
impl pb::exchange_service_server::ExchangeService for Exchange {
    async fn check_document(
        &self,
        request: Request<pb::CheckDocumentRequest>,
    ) -> Result<Response<pb::CheckDocumentResponse>, Status> {
        let caller = Caller::of(&self.0, &request);
        unary(check::check(caller, request.into_inner())).await
    }

    async fn submit_document(
        &self,
        request: Request<pb::SubmitDocumentRequest>,
    ) -> Result<Response<pb::SubmitDocumentResponse>, Status> {
        let caller = Caller::of(&self.0, &request);
        unary(submit(caller, request.into_inner())).await
    }

    type SubmitDocumentsStream = Answers<pb::SubmitDocumentsResponse>;

    async fn submit_documents(
        &self,
        request: Request<Streaming<pb::SubmitDocumentsRequest>>,
    ) -> Result<Response<Self::SubmitDocumentsStream>, Status> {
        let caller = Caller::of(&self.0, &request);
        let leaving = Leaving::of(&request);
        Ok(Response::new(answers(bulk::Bulk::new(caller, leaving, request.into_inner()))))
    }

    async fn get_document(
        &self,
        request: Request<pb::GetDocumentRequest>,
    ) -> Result<Response<pb::GetDocumentResponse>, Status> {
        let caller = Caller::of(&self.0, &request);
        unary(document(caller, request.into_inner())).await
    }

    async fn get_submission(
        &self,
        request: Request<pb::GetSubmissionRequest>,
    ) -> Result<Response<pb::GetSubmissionResponse>, Status> {
        let caller = Caller::of(&self.0, &request);
        unary(submission(caller, request.into_inner())).await
    }

    async fn list_submissions(
        &self,
        request: Request<pb::ListSubmissionsRequest>,
    ) -> Result<Response<pb::ListSubmissionsResponse>, Status> {
        let caller = Caller::of(&self.0, &request);
        unary(list(caller, request.into_inner())).await
    }

    type WatchSubmissionsStream = Answers<pb::WatchSubmissionsResponse>;

    async fn watch_submissions(
        &self,
        request: Request<pb::WatchSubmissionsRequest>,
    ) -> Result<Response<Self::WatchSubmissionsStream>, Status> {
        let caller = Caller::of(&self.0, &request);
        let leaving = Leaving::of(&request);
        let watch = watch::ProgressStream::open(caller, leaving, &request.into_inner());
        Ok(Response::new(answers(watch.map_err(|refusal| super::status::refused(&refusal))?)))
    }

    async fn list_document_types(
        &self,
        request: Request<pb::ListDocumentTypesRequest>,
    ) -> Result<Response<pb::ListDocumentTypesResponse>, Status> {
        let caller = Caller::of(&self.0, &request);
        unary(async move { types::list(&caller, &request.into_inner()) }).await
    }
}

async fn submit(
    caller: Caller,
    request: pb::SubmitDocumentRequest,
) -> Result<pb::SubmitDocumentResponse, Refusal> {
    let agency = caller.agency(Rpc::SubmitDocument, &request.agency)?;
    let signed = Signed::document(request.signed_document)?;
    let answer = caller.hub.submit(&agency, signed).await?;
    let (receipt, record) = encode::answered(&caller.hub, &answer).await?;
    if let Kind::Document(taken) = &record.kind {
        caller.call.recorded(&taken.document_type, LedgerIndex(receipt.index));
    }
    let correction_case = encode::case(&record);
    Ok(pb::SubmitDocumentResponse { receipt: Some(receipt), correction_case })
}

async fn document(
    caller: Caller,
    request: pb::GetDocumentRequest,
) -> Result<pb::GetDocumentResponse, Refusal> {
    let reader = super::peer::agency(&request.agency)?;
    let document = encode::document_ref(request.document.as_ref())?;
    let rpc = Rpc::GetDocument;
    let seen = visible(&caller, rpc, &reader, &document, request.query).await?;
    let Seen { submission, by_query, .. } = seen;
    let (entry, record) = caller.hub.recorded(submission.row.index).await?;
    let showing = Showing { caller: &caller, rpc, reader: &reader, by_query };
    showing.document(&submission, &entry).await?;
    caller.call.recorded(&submission.row.kind, submission.row.index);
    let receipt = encode::receipt(&caller.hub, &caller.hub.published(), &entry).await?;
    Ok(pb::GetDocumentResponse {
        signed_document: encode::signed_document(&entry),
        receipt: Some(receipt),
        document_type: encode::document_type(&record),
        correction_case: encode::case(&record),
    })
}

/// A document that the caller may see.
pub(super) struct Seen {
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
) -> Result<Seen, Refusal> {
    let found = match caller.hub.submission(document).await {
        Ok(found) => Some(found),
        Err(refusal) if refusal.reason() == Reason::NotFound => None,
        Err(refusal) => return Err(refusal),
    };
    let directory = caller.hub.directory();
    let mut relations = found.as_ref().map_or(BTreeSet::new(), |found| {
        policy::document_relations(&directory, reader, &document.sender, &found.row)
    });
    let made = match query {
        Some(index) => caller.hub.query_made(reader, LedgerIndex(index)).await?,
        None => None,
    };
    let may_query = caller.rights(reader).contains(&Right::Query);
    let opens = |made: &MadeQuery| may_query && found.as_ref().is_some_and(|it| made.opens(it));
    let by_query = made.filter(opens).map(|made| made.index);
    if by_query.is_some() {
        relations.insert(Relation::Queried);
    }
    caller.permit_for(rpc, reader, relations.clone())?;
    let submission = found.ok_or_else(|| Refusal::from(Reason::NotFound))?;
    Ok(Seen { submission, relations, by_query })
}

/// What became of a document that was accepted. Refused ones stand in the ledger's records of
/// refusals, which their sender reads through `ListRecords`; no index leads to them by document, so
/// here they are not found.
async fn submission(
    caller: Caller,
    request: pb::GetSubmissionRequest,
) -> Result<pb::GetSubmissionResponse, Refusal> {
    let sender = caller.agency(Rpc::GetSubmission, &request.agency)?;
    let id = request.document_id.parse();
    let id = id.map_err(|_| Violation::new(Reason::Format, "document_id"))?;
    let document = DocumentRef { sender, id };
    let submission = match caller.hub.submission(&document).await {
        Ok(found) => encode::submission(&caller.hub, &found, true).await?,
        Err(refusal) if refusal.reason() == Reason::NotFound => {
            encode::refused_submission(&caller.hub, &document).await?
        }
        Err(refusal) => return Err(refusal),
    };
    Ok(pb::GetSubmissionResponse { submission: Some(submission) })
}

/// The filters of a list of submissions.
struct Filter {
    kind: Option<DocumentType>,
    case: Option<xianjie_core::ids::CaseRef>,
    from: Option<Time>,
    until: Option<Time>,
    only_open: bool,
}

impl Filter {
    fn read(request: &pb::ListSubmissionsRequest) -> Result<Self, Refusal> {
        let kind = match request.document_type.as_str() {
            "" => None,
            name => {
                Some(name.parse().map_err(|_| Violation::new(Reason::Format, "document_type"))?)
            }
        };
        let (from, until) = (&request.accepted_from_time, &request.accepted_until_time);
        Ok(Self {
            kind,
            case: encode::case_filter(&request.correction_case)?,
            from: encode::time_filter(from.as_ref(), "accepted_from_time")?,
            until: encode::time_filter(until.as_ref(), "accepted_until_time")?,
            only_open: request.only_open,
        })
    }

    fn fits(&self, submission: &Submission) -> bool {
        let is_open = |settled: &Option<(Settled, LedgerIndex)>| settled.is_none();
        self.kind.as_ref().is_none_or(|kind| *kind == submission.row.kind)
            && self.case.is_none_or(|case| submission.row.case == Some(case))
            && (!self.only_open || submission.deliveries.iter().any(|d| is_open(&d.settled)))
    }

    fn fits_time(&self, submission: &pb::Submission) -> bool {
        let Some(pb::submission::Outcome::Accepted(accepted)) = &submission.outcome else {
            return false;
        };
        let time = accepted.accept_time.as_ref().and_then(crate::wire::time::read_time);
        time.is_some_and(|time| {
            self.from.is_none_or(|from| from <= time) && self.until.is_none_or(|until| time < until)
        })
    }
}

/// The newest first: from the number in the token, or the last, downwards.
async fn list(
    caller: Caller,
    request: pb::ListSubmissionsRequest,
) -> Result<pb::ListSubmissionsResponse, Refusal> {
    let agency = caller.agency(Rpc::ListSubmissions, &request.agency)?;
    let filter = Filter::read(&request)?;
    let limit = encode::page_size(request.page_size);
    let hub = &caller.hub;
    let last = hub.last_sent(&agency).await?.0;
    let mut top = encode::page_number(&request.page_token)?.map_or(last, |number| number.min(last));
    let (mut submissions, mut looked_at) = (Vec::new(), 0);
    while top > 0 && submissions.len() < limit && looked_at < LOOKED_AT {
        let after = SenderNumber(top.saturating_sub(limits::PAGE as u64));
        let page = hub.submissions(&agency, after, limits::PAGE).await?;
        for (number, found) in page.iter().rev() {
            if submissions.len() == limit {
                break;
            }
            looked_at += 1;
            top = number.0 - 1;
            if filter.fits(found) {
                let submission = encode::submission(hub, found, false).await?;
                if filter.fits_time(&submission) {
                    submissions.push(submission);
                }
            }
        }
        if submissions.len() < limit {
            top = top.min(after.0);
        }
    }
    let next_page_token = if top > 0 { top.to_string() } else { String::new() };
    Ok(pb::ListSubmissionsResponse { submissions, next_page_token })
}
