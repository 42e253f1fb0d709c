//! `InboxService`: an agency's inbox, as a stream and in pages, and what it says of deliveries.

use std::sync::Arc;
use std::time::Duration;

use prost::Message as _;
use tonic::{Request, Response, Status, Streaming};
use xianjie_core::domain::policy::Rpc;
use xianjie_core::ids::{AgencyCode, Digest, InboxNumber};
use xianjie_core::limits;
use xianjie_core::refusal::{Reason, Refusal, Violation};

use super::peer::{Caller, Leaving};
use super::permit::Permit;
use super::{Answers, answers, encode, unary};
use crate::hub::{Delivered, Hub, Settlement};
use crate::wire::document::digest;
use crate::wire::pb;
use crate::wire::refusal::message;
use crate::wire::signature::Signed;

mod subscribe;

/// Statements of one call.
const STATEMENTS: usize = 16;

/// The service.
pub(super) struct Inbox(Arc<Hub>);

impl Inbox {
    pub(super) fn new(hub: Arc<Hub>) -> Self {
        Self(hub)
    }
}

#[tonic::async_trait]
impl pb::inbox_service_server::InboxService for Inbox {
    type SubscribeStream = Answers<pb::SubscribeResponse>;

    async fn subscribe(
        &self,
        request: Request<Streaming<pb::SubscribeRequest>>,
    ) -> Result<Response<Self::SubscribeStream>, Status> {
        let caller = Caller::of(&self.0, &request);
        let leaving = Leaving::of(&request);
        let subscription = subscribe::Subscription::new(caller, leaving, request.into_inner());
        Ok(Response::new(answers(subscription)))
    }

    async fn list_deliveries(
        &self,
        request: Request<pb::ListDeliveriesRequest>,
    ) -> Result<Response<pb::ListDeliveriesResponse>, Status> {
        let caller = Caller::of(&self.0, &request);
        unary(list(caller, request.into_inner())).await
    }

    async fn acknowledge_deliveries(
        &self,
        request: Request<pb::AcknowledgeDeliveriesRequest>,
    ) -> Result<Response<pb::AcknowledgeDeliveriesResponse>, Status> {
        let caller = Caller::of(&self.0, &request);
        unary(acknowledge_all(caller, request.into_inner())).await
    }

    async fn reject_delivery(
        &self,
        request: Request<pb::RejectDeliveryRequest>,
    ) -> Result<Response<pb::RejectDeliveryResponse>, Status> {
        let caller = Caller::of(&self.0, &request);
        unary(reject_one(caller, request.into_inner())).await
    }
}

async fn list(
    caller: Caller,
    request: pb::ListDeliveriesRequest,
) -> Result<pb::ListDeliveriesResponse, Refusal> {
    let mut permit = Permit::new(&caller, Rpc::ListDeliveries, &request.agency)?;
    let agency = permit.agency().clone();
    let hub = &caller.hub;
    let after = InboxNumber(request.after_inbox_number);
    if after > hub.inbox_state(&agency).await?.last {
        return Err(Violation::new(Reason::InboxAhead, "after_inbox_number").into());
    }
    let limit = encode::page_size(request.page_size);
    let only_unsettled = request.only_unacknowledged;
    let page = Page { hub, agency: &agency, after, only_unsettled, limit };
    let found = permit.during(page.waited(request.wait_seconds)).await??;
    let mut deliveries = Vec::with_capacity(found.len());
    for delivered in &found {
        deliveries.push(encode::delivered(hub, &agency, delivered).await?);
    }
    let more = match found.last() {
        Some(last) => !hub.deliveries(&agency, last.number, only_unsettled, 1).await?.is_empty(),
        None => false,
    };
    let heartbeat = encode::heartbeat(hub, &hub.inbox_state(&agency).await?);
    Ok(pb::ListDeliveriesResponse { deliveries, more, heartbeat: Some(heartbeat) })
}

/// The page that a request asks for.
struct Page<'p> {
    hub: &'p Hub,
    agency: &'p AgencyCode,
    after: InboxNumber,
    only_unsettled: bool,
    limit: usize,
}

impl Page<'_> {
    async fn read(&self) -> Result<Vec<Delivered>, Refusal> {
        self.hub.deliveries(self.agency, self.after, self.only_unsettled, self.limit).await
    }

    /// The page, and if it is empty, the next that is not, within so many seconds.
    async fn waited(&self, seconds: u32) -> Result<Vec<Delivered>, Refusal> {
        if seconds == 0 {
            return self.read().await;
        }
        let mut ear = self.hub.bell().listen(self.agency)?;
        let wait = Duration::from_secs(u64::from(seconds.min(limits::WAIT_SECONDS)));
        let deadline = tokio::time::Instant::now() + wait;
        loop {
            let found = self.read().await?;
            if !found.is_empty() || tokio::time::timeout_at(deadline, ear.wait()).await.is_err() {
                return Ok(found);
            }
        }
    }
}

async fn acknowledge_all(
    caller: Caller,
    request: pb::AcknowledgeDeliveriesRequest,
) -> Result<pb::AcknowledgeDeliveriesResponse, Refusal> {
    let agency = caller.agency(Rpc::AcknowledgeDeliveries, &request.agency)?;
    if request.acknowledgements.len() > STATEMENTS {
        let help = format!("at most {STATEMENTS} statements");
        return Err(Violation::new(Reason::TooLarge, "acknowledgements").help(help).into());
    }
    let taken =
        request.acknowledgements.into_iter().map(|statement| take(&caller.hub, &agency, statement));
    let (mut results, mut bytes) = (Vec::new(), 0);
    for (payload, outcome) in futures::future::join_all(taken).await {
        // What does not fit was taken too: sent again, it gets the same receipts.
        let outcome = if bytes > limits::PAGE_BYTES { Err(Reason::Quota.into()) } else { outcome };
        let result = result(&caller.hub, payload, outcome).await;
        bytes += result.encoded_len();
        results.push(result);
    }
    Ok(pb::AcknowledgeDeliveriesResponse { results })
}

async fn reject_one(
    caller: Caller,
    request: pb::RejectDeliveryRequest,
) -> Result<pb::RejectDeliveryResponse, Refusal> {
    let agency = caller.agency(Rpc::RejectDelivery, &request.agency)?;
    let signed = Signed::rejection(request.rejection)?;
    let settlement = caller.hub.reject(&agency, signed).await?;
    let settlement = encode::settlement(&caller.hub, &settlement).await?;
    Ok(pb::RejectDeliveryResponse { settlement: Some(settlement) })
}

/// Takes an acknowledgement; its payload's digest, and what became of it.
async fn take(
    hub: &Hub,
    agency: &AgencyCode,
    statement: pb::SignedAcknowledgement,
) -> (Digest, Result<Vec<Settlement>, Refusal>) {
    let payload = digest(&statement.acknowledgement);
    let outcome = async {
        let signed = Signed::acknowledgement(statement)?;
        hub.acknowledge(agency, signed).await
    };
    (payload, outcome.await)
}

/// What became of an acknowledgement.
async fn acknowledge(
    hub: Arc<Hub>,
    agency: AgencyCode,
    statement: pb::SignedAcknowledgement,
) -> pb::AcknowledgementResult {
    let (payload, outcome) = take(&hub, &agency, statement).await;
    result(&hub, payload, outcome).await
}

/// What became of a rejection.
async fn reject(
    hub: Arc<Hub>,
    agency: AgencyCode,
    statement: pb::SignedRejection,
) -> pb::AcknowledgementResult {
    let payload = digest(&statement.rejection);
    let outcome = async {
        let signed = Signed::rejection(Some(statement))?;
        Ok(vec![hub.reject(&agency, signed).await?])
    };
    let outcome = outcome.await;
    result(&hub, payload, outcome).await
}

async fn result(
    hub: &Hub,
    payload: Digest,
    outcome: Result<Vec<Settlement>, Refusal>,
) -> pb::AcknowledgementResult {
    let encoded = async {
        let (mut settlements, mut bytes) = (Vec::new(), 0);
        for settlement in &outcome? {
            let settlement = encode::settlement(hub, settlement).await?;
            bytes += settlement.encoded_len();
            if bytes > limits::PAGE_BYTES && !settlements.is_empty() {
                let help = "acknowledge fewer deliveries in one statement";
                return Err(Violation::new(Reason::TooLarge, "items").help(help).into());
            }
            settlements.push(settlement);
        }
        Ok::<_, Refusal>(settlements)
    };
    let (settlements, refusal) = match encoded.await {
        Ok(settlements) => (settlements, None),
        Err(refusal) => (Vec::new(), Some(message(&refusal))),
    };
    pb::AcknowledgementResult { payload_sha256: payload.0.to_vec(), settlements, refusal }
}
