//! `LedgerService`: checkpoints, proofs, and the records behind the leaves for those concerned.

use std::sync::Arc;

use prost::Message as _;
use tonic::{Request, Response, Status};
use xianjie_core::domain::policy::{self, Rpc};
use xianjie_core::domain::record::{Kind, Record};
use xianjie_core::ids::{CaseRef, LedgerIndex, Time};
use xianjie_core::limits;
use xianjie_core::refusal::{Reason, Refusal, Violation};

use super::peer::{Caller, agency};
use super::{encode, unary};
use crate::hub::{Hub, Protection};
use crate::store::Entry;
use crate::wire;
use crate::wire::document::Seen;
use crate::wire::pb;
use crate::wire::statement::write_seen;
use crate::wire::time::write_time;

/// Records that one page looks at, at most: who may see few must not read all in one call.
const LOOKED_AT: usize = limits::PAGE_MAX;

/// The service.
pub(super) struct Ledger(Arc<Hub>);

impl Ledger {
    pub(super) fn new(hub: Arc<Hub>) -> Self {
        Self(hub)
    }
}

#[tonic::async_trait]
impl pb::ledger_service_server::LedgerService for Ledger {
    async fn get_checkpoint(
        &self,
        request: Request<pb::GetCheckpointRequest>,
    ) -> Result<Response<pb::GetCheckpointResponse>, Status> {
        let caller = Caller::of(&self.0, &request);
        unary(async move {
            caller.permit(Rpc::GetCheckpoint)?;
            let checkpoint = caller.hub.published().checkpoint.to_string();
            Ok(pb::GetCheckpointResponse { checkpoint })
        })
        .await
    }

    async fn get_consistency_proof(
        &self,
        request: Request<pb::GetConsistencyProofRequest>,
    ) -> Result<Response<pb::GetConsistencyProofResponse>, Status> {
        let caller = Caller::of(&self.0, &request);
        unary(consistency(caller, request.into_inner())).await
    }

    async fn list_records(
        &self,
        request: Request<pb::ListRecordsRequest>,
    ) -> Result<Response<pb::ListRecordsResponse>, Status> {
        let caller = Caller::of(&self.0, &request);
        unary(list(caller, request.into_inner())).await
    }

    async fn get_receipt(
        &self,
        request: Request<pb::GetReceiptRequest>,
    ) -> Result<Response<pb::GetReceiptResponse>, Status> {
        let caller = Caller::of(&self.0, &request);
        unary(receipt(caller, request.into_inner())).await
    }

    async fn get_inbox_statement(
        &self,
        request: Request<pb::GetInboxStatementRequest>,
    ) -> Result<Response<pb::GetInboxStatementResponse>, Status> {
        let caller = Caller::of(&self.0, &request);
        unary(inbox_statement(caller, request.into_inner())).await
    }
}

async fn consistency(
    caller: Caller,
    request: pb::GetConsistencyProofRequest,
) -> Result<pb::GetConsistencyProofResponse, Refusal> {
    caller.permit(Rpc::GetConsistencyProof)?;
    let published = caller.hub.published();
    let new = if request.new_size == 0 { published.size } else { request.new_size };
    if new > published.size || request.old_size > published.size {
        // Whoever has verified more than there is has caught the hub.
        return Err(Violation::new(Reason::SeenMismatch, "old_size").into());
    }
    if request.old_size > new {
        return Err(Violation::new(Reason::Format, "old_size").help("at most new_size").into());
    }
    let path = if request.old_size == 0 || request.old_size == new {
        Vec::new()
    } else {
        let store = &**caller.hub.store();
        let path = published.consistency_of(store, request.old_size, new).await;
        path.map_err(encode::unavailable)?
    };
    let is_latest = new == published.size;
    Ok(pb::GetConsistencyProofResponse {
        new_size: new,
        path: path.iter().map(|hash| hash.0.to_vec()).collect(),
        checkpoint: if is_latest { published.checkpoint.to_string() } else { String::new() },
    })
}

/// What a list of records is about.
struct Filter {
    kinds: Vec<String>,
    case: Option<CaseRef>,
    from: Option<Time>,
    until: Option<Time>,
}

impl Filter {
    fn read(request: &pb::ListRecordsRequest) -> Result<Self, Refusal> {
        Ok(Self {
            kinds: request.kinds.clone(),
            case: encode::case_filter(&request.correction_case)?,
            from: encode::time_filter(request.from_time.as_ref(), "from_time")?,
            until: encode::time_filter(request.until_time.as_ref(), "until_time")?,
        })
    }

    fn fits(&self, entry: &Entry, record: &Record) -> Result<bool, Refusal> {
        let time = encode::time(entry)?;
        let case = encode::case_of(record);
        Ok((self.kinds.is_empty() || self.kinds.iter().any(|kind| kind == name(&record.kind)))
            && (self.case.is_none() || self.case == case)
            && self.from.is_none_or(|from| from <= time)
            && self.until.is_none_or(|until| time < until))
    }
}

/// The name of the member of `LedgerRecord.kind`.
fn name(kind: &Kind) -> &'static str {
    match kind {
        Kind::Opened(_) => "opened",
        Kind::Document(_) => "document",
        Kind::Acknowledged(_) => "acknowledged",
        Kind::Rejected(_) => "rejected",
        Kind::Refusals(_) => "refusals",
        Kind::Clock(_) => "clock",
        Kind::Directory(_) => "directory",
        Kind::Revocations(_) => "revocations",
        Kind::Access(_) => "access",
        Kind::Flagged(_) => "flagged",
    }
}

async fn list(
    caller: Caller,
    request: pb::ListRecordsRequest,
) -> Result<pb::ListRecordsResponse, Refusal> {
    let reader = caller.agency(Rpc::ListRecords, &request.agency)?;
    let filter = Filter::read(&request)?;
    let limit = encode::page_size(request.page_size);
    let (hub, rights) = (&caller.hub, caller.rights(&reader));
    let (published, directory) = (hub.published(), hub.directory());
    let from = encode::page_number(&request.page_token)?.unwrap_or(request.from_index);
    let mut next = LedgerIndex(from);
    let (mut receipts, mut bytes, mut looked_at) = (Vec::new(), 0, 0);
    'pages: while next.0 < published.size && looked_at < LOOKED_AT {
        let page = hub.store().entries_from(next, limits::PAGE).await;
        for entry in page.map_err(encode::unavailable)? {
            if entry.index.0 >= published.size || receipts.len() == limit {
                break 'pages;
            }
            let record = wire::record::decode(&entry.record).map_err(encode::unavailable)?;
            let relations = policy::record_relations(&directory, &reader, &record);
            let fits = policy::sees(&rights, &relations) && filter.fits(&entry, &record)?;
            let listed =
                fits && encode::protection(hub, &entry, &record).await? != Protection::Sealed;
            if listed {
                let receipt = encode::receipt(hub, &published, &entry).await?;
                bytes += receipt.encoded_len();
                if bytes > limits::PAGE_BYTES && !receipts.is_empty() {
                    break 'pages;
                }
                receipts.push(receipt);
            }
            looked_at += 1;
            next = entry.index.next();
        }
    }
    let next_page_token = if next.0 < published.size { next.to_string() } else { String::new() };
    Ok(pb::ListRecordsResponse { receipts, next_page_token })
}

async fn receipt(
    caller: Caller,
    request: pb::GetReceiptRequest,
) -> Result<pb::GetReceiptResponse, Refusal> {
    let reader = agency(&request.agency)?;
    let found = match caller.hub.recorded(LedgerIndex(request.index)).await {
        Ok(found) => Some(found),
        Err(refusal) if refusal.reason() == Reason::NotFound => None,
        Err(refusal) => return Err(refusal),
    };
    let directory = caller.hub.directory();
    let relations =
        found.as_ref().map(|(_, record)| policy::record_relations(&directory, &reader, record));
    caller.permit_for(Rpc::GetReceipt, &reader, relations.unwrap_or_default())?;
    let (entry, _) = found.ok_or_else(|| Refusal::from(Reason::NotFound))?;
    let receipt = encode::receipt(&caller.hub, &caller.hub.published(), &entry).await?;
    Ok(pb::GetReceiptResponse { receipt: Some(receipt) })
}

async fn inbox_statement(
    caller: Caller,
    request: pb::GetInboxStatementRequest,
) -> Result<pb::GetInboxStatementResponse, Refusal> {
    let agency = caller.agency(Rpc::GetInboxStatement, &request.agency)?;
    let hub = &caller.hub;
    let published = hub.published();
    let last = hub.last_number_at(&agency, published.size).await?;
    let statement = pb::InboxStatement {
        ledger: hub.origin().to_string(),
        agency: agency.to_string(),
        last_number: last.0,
        seen: Some(write_seen(Seen { size: published.size, root: published.root.0 })),
        issue_time: Some(write_time(hub.now())),
    };
    let inbox_statement = statement.encode_to_vec();
    let signature = hub.sign_inbox_statement(&inbox_statement);
    let signatures = vec![wire::signature::write(&signature)];
    let statement = pb::SignedInboxStatement { inbox_statement, signatures };
    Ok(pb::GetInboxStatementResponse { statement: Some(statement) })
}
