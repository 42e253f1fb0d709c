//! `QueryService`: what an agency asks about a person beside what it was sent.

use std::collections::BTreeSet;
use std::sync::Arc;

use tonic::{Request, Response, Status};
use xianjie_core::domain::access::{self, Ground, Purpose};
use xianjie_core::domain::decide::AccessInput;
use xianjie_core::domain::policy::Rpc;
use xianjie_core::ids::{AgencyCode, CaseRef, LedgerIndex};
use xianjie_core::refusal::{Reason, Refusal, Violation};

use super::peer::Caller;
use super::{encode, unary};
use crate::hub::{Hub, MadeQuery, Submission};
use crate::wire::document::queried_person;
use crate::wire::pb;
use crate::wire::record::Word as _;
use crate::wire::signature::issue_date;
use crate::wire::time::write_time;
use pb::query_person_request::Person;

/// The service.
pub(super) struct Query(Arc<Hub>);

impl Query {
    pub(super) fn new(hub: Arc<Hub>) -> Self {
        Self(hub)
    }
}

#[tonic::async_trait]
impl pb::query_service_server::QueryService for Query {
    async fn query_person(
        &self,
        request: Request<pb::QueryPersonRequest>,
    ) -> Result<Response<pb::QueryPersonResponse>, Status> {
        let caller = Caller::of(&self.0, &request);
        unary(query(caller, request.into_inner())).await
    }
}

/// Records a query and answers it; or goes on with one that was recorded.
async fn query(
    caller: Caller,
    request: pb::QueryPersonRequest,
) -> Result<pb::QueryPersonResponse, Refusal> {
    let agency = caller.agency(Rpc::QueryPerson, &request.agency)?;
    let (index, below) = match &*request.page_token {
        "" => {
            let index = record(&caller, &agency, &request).await?;
            (index, index)
        }
        token => read_token(token)?,
    };
    let made = caller.hub.query_made(&agency, index).await?;
    let made = made.ok_or_else(|| Violation::new(Reason::NotFound, "page_token"))?;
    page(&caller.hub, &made, below, encode::page_size(request.page_size)).await
}

async fn record(
    caller: &Caller,
    agency: &AgencyCode,
    request: &pb::QueryPersonRequest,
) -> Result<LedgerIndex, Refusal> {
    let ground = ground(request.ground.as_ref())?;
    let topic = request.topic.parse().map_err(|_| Violation::new(Reason::Format, "topic"))?;
    let cases = cases(&caller.hub, request.person.as_ref(), ground.purpose).await?;
    let input = AccessInput {
        agency: agency.clone(),
        system: caller.system()?,
        method: format!("{:?}", Rpc::QueryPerson),
        cases,
        document: None,
        query: Some(access::Query { topic, ground }),
        by_query: None,
    };
    let answer = caller.hub.record_access(input).await?;
    let entry = answer.entry.ok_or_else(|| Refusal::from(Reason::StoreUnavailable))?;
    Ok(entry.0.index)
}

/// The cases of whom is asked about, as far as the purpose opens them.
async fn cases(
    hub: &Hub,
    about: Option<&Person>,
    purpose: Purpose,
) -> Result<BTreeSet<CaseRef>, Refusal> {
    let cases = match about {
        Some(Person::Identity(identity)) => {
            hub.cases_of(queried_person(identity.kind, &identity.number)?).await?
        }
        Some(Person::CorrectionCase(case)) => encode::case_filter(case)?.into_iter().collect(),
        None => return Err(Violation::new(Reason::Required, "person").into()),
    };
    hub.opened_by(purpose, cases).await
}

fn ground(message: Option<&pb::LegalGround>) -> Result<Ground, Violation> {
    let message = message.ok_or_else(|| Violation::new(Reason::Required, "ground"))?;
    if message.purpose == 0 {
        return Err(Violation::new(Reason::Required, "ground.purpose"));
    }
    let purpose = Purpose::from_number(message.purpose)
        .map_err(|_| Violation::new(Reason::UnknownField, "ground.purpose"))?;
    if message.article.is_empty() {
        return Err(Violation::new(Reason::Required, "ground.article"));
    }
    let article = message.article.parse().map_err(|error: access::ArticleError| {
        Violation::new(Reason::Format, "ground.article").help(error.to_string())
    })?;
    Ok(Ground { purpose, article })
}

async fn page(
    hub: &Hub,
    made: &MadeQuery,
    below: LedgerIndex,
    limit: usize,
) -> Result<pb::QueryPersonResponse, Refusal> {
    let (found, next) = hub.found_by(made, below, limit).await?;
    let mut documents = Vec::with_capacity(found.len());
    for document in &found {
        documents.push(encoded(hub, document).await?);
    }
    let entry = hub.entry(made.index).await?;
    let query = encode::receipt(hub, &hub.published(), &entry).await?;
    let next_page_token = next.map(|next| write_token(made.index, next)).unwrap_or_default();
    Ok(pb::QueryPersonResponse { query: Some(query), documents, next_page_token })
}

async fn encoded(hub: &Hub, document: &Submission) -> Result<pb::FoundDocument, Refusal> {
    let Submission { document: reference, row, .. } = document;
    let entry = hub.entry(row.index).await?;
    let published = hub.published().size;
    let ended = |by: Option<LedgerIndex>| by.filter(|by| by.0 < published).map_or(0, |by| by.0);
    Ok(pb::FoundDocument {
        document: Some(pb::DocumentRef {
            sender: reference.sender.to_string(),
            document_id: reference.id.to_string(),
        }),
        document_type: row.kind.to_string(),
        issue_date: issue_date(&entry.signed_document),
        record_time: Some(write_time(encode::time(&entry)?)),
        correction_case: row.case.map(|case| case.to_string()).unwrap_or_default(),
        index: row.index.0,
        withdrawn_by: ended(row.withdrawn_by),
        replaced_by: ended(row.replaced_by),
    })
}

/// The query's record, and the record below which the page begins.
fn write_token(query: LedgerIndex, below: LedgerIndex) -> String {
    format!("{query}/{below}")
}

fn read_token(token: &str) -> Result<(LedgerIndex, LedgerIndex), Refusal> {
    let numbers = token.split_once('/').and_then(|(query, below)| {
        Some((LedgerIndex(query.parse().ok()?), LedgerIndex(below.parse().ok()?)))
    });
    numbers.ok_or_else(|| Violation::new(Reason::Format, "page_token").into())
}
