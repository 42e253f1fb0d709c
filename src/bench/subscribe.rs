//! The addressees: each subscribes to its inbox on a connection of its own and acknowledges (签收)
//! what comes, by the sender, in signed statements of up to 64.

use std::collections::{BTreeMap, HashMap};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use prost::Message as _;
use tokio::sync::mpsc;
use tokio::time::MissedTickBehavior;
use tokio_stream::wrappers::ReceiverStream;
use xianjie_core::ids::{Digest, InboxNumber, Time};
use xianjie_core::ledger::receipt::verify;
use xianjie_core::limits;
use xianjie_core::refusal::Advice;

use super::pushes::Pushes;
use super::stage::{Party, Stage};
use super::{BenchError, raw};
use crate::client::error::{CallError, Refused};
use crate::identity::signature::PayloadType;
use crate::wire::document::digest;
use crate::wire::pb::inbox_service_client::InboxServiceClient;
use crate::wire::pb::{subscribe_request, subscribe_response};
use crate::wire::statement::{AcknowledgementText, write_acknowledgement};
use crate::wire::{pb, receipt, signature};

/// Deliveries of one statement.
const STATEMENT: usize = 64;
/// Sets the first statements of subscribers apart: it has no factor in common with [`STATEMENT`].
const STRIDE: usize = 21;
/// How long a delivery waits for others of its sender before it is acknowledged with fewer.
const PATIENCE: Duration = Duration::from_millis(250);
/// How long to wait before a statement is sent again that the hub could not take now.
const AGAIN: Duration = Duration::from_millis(5);
/// Credits are granted anew by so many.
const GRANT: u32 = 1024;
/// Where the commitment stands in a leaf (`docs/formats.md`): after the format and the time.
const COMMITMENT: usize = 9;

/// What all subscribers of a run share.
pub struct Addressees {
    stage: Arc<Stage>,
    pushes: Arc<Pushes>,
    time: Time,
    verify: bool,
    delivered: AtomicU64,
    settled: AtomicU64,
    statements: AtomicU64,
}

/// What came to the addressees so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Came {
    /// Deliveries.
    pub delivered: u64,
    /// Deliveries whose acknowledgement is in the ledger.
    pub settled: u64,
    /// Statements that acknowledged them.
    pub statements: u64,
}

/// Deliveries to be acknowledged, by sender.
type Pending = BTreeMap<String, Statement>;

/// A statement in the making.
struct Statement {
    /// How many deliveries make it whole.
    most: usize,
    items: Vec<(InboxNumber, Digest)>,
    /// When its first delivery came.
    since: Instant,
}

/// Statements without an answer, by the digest of what they say.
type Unanswered = HashMap<Vec<u8>, pb::SignedAcknowledgement>;

type Requests = mpsc::Sender<pb::SubscribeRequest>;

/// One inbox while it is served.
struct Inbox<'a> {
    party: &'a Party,
    /// How many deliveries its first statements have.
    first: usize,
    requests: Requests,
    pending: Pending,
    unanswered: Unanswered,
}

impl Addressees {
    /// Subscribers of everybody on the stage, who verify each delivery's receipt if so asked.
    #[must_use]
    pub fn new(stage: Arc<Stage>, pushes: Arc<Pushes>, time: Time, verify: bool) -> Arc<Self> {
        let zero = || AtomicU64::new(0);
        let (delivered, settled, statements) = (zero(), zero(), zero());
        Arc::new(Self { stage, pushes, time, verify, delivered, settled, statements })
    }

    /// What came so far.
    #[must_use]
    pub fn came(&self) -> Came {
        Came {
            delivered: self.delivered.load(Ordering::Relaxed),
            settled: self.settled.load(Ordering::Relaxed),
            statements: self.statements.load(Ordering::Relaxed),
        }
    }

    /// Subscribes one addressee, by its place on the stage, and serves its inbox until the stream
    /// breaks or this is dropped. Tells `ready` once the subscription stands.
    ///
    /// # Errors
    /// [`BenchError`]: no connection, a refused acknowledgement, a delivery that does not verify.
    pub async fn serve(
        self: Arc<Self>,
        place: usize,
        hub: SocketAddr,
        ready: mpsc::Sender<()>,
    ) -> Result<(), BenchError> {
        let Some(party) = self.stage.everybody().nth(place) else { return Ok(()) };
        let channel = raw::connect(hub, &party.tls).await?;
        let (requests, receiver) = mpsc::channel(STATEMENT);
        let open = pb::SubscribeOpen {
            agency: party.code.to_string(),
            after_inbox_number: Some(0),
            credits: limits::CREDITS,
            consumer: "bench".to_owned(),
        };
        send(&requests, subscribe_request::Message::Open(open)).await?;
        let mut client = InboxServiceClient::new(channel);
        let answers = client.subscribe(ReceiverStream::new(receiver)).await;
        let mut answers = answers.map_err(CallError::from)?.into_inner();
        let (pending, unanswered) = (Pending::new(), Unanswered::new());
        // Nobody acknowledges in step with the others, although documents come in turn.
        let first = 1 + place * STRIDE % STATEMENT;
        let mut inbox = Inbox { party, first, requests, pending, unanswered };
        let mut patience = tokio::time::interval(PATIENCE / 4);
        patience.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let (mut used, mut heard) = (0, Instant::now());
        loop {
            tokio::select! {
                answer = answers.message() => {
                    let answer = answer.map_err(CallError::from)?;
                    let Some(message) = answer.and_then(|answer| answer.message) else {
                        return Err(BenchError::Answer("a subscription ended"));
                    };
                    match message {
                        subscribe_response::Message::Opened(_) => drop(ready.send(()).await),
                        subscribe_response::Message::Delivery(delivery) => {
                            used += 1;
                            self.take(&mut inbox, delivery).await?;
                        }
                        subscribe_response::Message::Result(result) => {
                            self.settle(&mut inbox, result).await?;
                        }
                        subscribe_response::Message::Heartbeat(_) => {}
                    }
                    if used >= GRANT {
                        inbox.send(subscribe_request::Message::AddCredits(used)).await?;
                        used = 0;
                    }
                }
                _ = patience.tick() => {
                    for items in inbox.overdue() {
                        self.acknowledge(&mut inbox, items).await?;
                    }
                    if heard.elapsed() > Duration::from_secs(limits::HEARTBEAT_SECONDS) {
                        let beat = subscribe_request::Message::Heartbeat(pb::Heartbeat::default());
                        inbox.send(beat).await?;
                        heard = Instant::now();
                    }
                }
            }
        }
    }

    async fn take(&self, inbox: &mut Inbox<'_>, delivery: pb::Delivery) -> Result<(), BenchError> {
        let arrival = Instant::now();
        let receipt = delivery.receipt.unwrap_or_default();
        self.pushes.arrived(receipt.index, arrival);
        self.delivered.fetch_add(1, Ordering::Relaxed);
        if self.verify {
            let parts = receipt::parts(&receipt).map_err(BenchError::stage)?;
            verify(&parts, &self.stage.trust.keys).map_err(BenchError::stage)?;
        }
        let signed = delivery.signed_document.unwrap_or_default();
        let document = pb::Document::decode(signed.document)
            .map_err(|_| BenchError::Answer("a delivery without a document"))?;
        let commitment = receipt.leaf.get(COMMITMENT..).and_then(|c| c.try_into().ok());
        let commitment = commitment.ok_or(BenchError::Answer("a receipt without a leaf"))?;
        let item = (InboxNumber(delivery.inbox_number), Digest(commitment));
        // A statement's place in the senders' order sets it apart, too.
        let senders = inbox.pending.len();
        let statement = inbox.pending.entry(document.sender).or_insert_with(|| {
            let most = (inbox.first + senders * STRIDE) % STATEMENT;
            Statement { most: most.max(1), items: Vec::new(), since: arrival }
        });
        if statement.items.is_empty() {
            statement.since = arrival;
        }
        statement.items.push(item);
        if statement.items.len() >= statement.most {
            statement.most = STATEMENT;
            let items = std::mem::take(&mut statement.items);
            self.acknowledge(inbox, items).await?;
        }
        Ok(())
    }

    async fn acknowledge(
        &self,
        inbox: &mut Inbox<'_>,
        items: Vec<(InboxNumber, Digest)>,
    ) -> Result<(), BenchError> {
        if items.is_empty() {
            return Ok(());
        }
        let bytes = write_acknowledgement(&AcknowledgementText {
            ledger: self.stage.trust.origin.clone(),
            agency: inbox.party.code.clone(),
            items,
            stored: self.time,
            signed_by: "bench".to_owned(),
            seen: None,
        });
        let signer = &inbox.party.acknowledgement;
        let signed = signature::sign(PayloadType::Acknowledgement, &bytes, signer);
        let digest = digest(&bytes).0.to_vec();
        let statement = pb::SignedAcknowledgement {
            acknowledgement: bytes,
            signatures: vec![signature::write(&signed)],
        };
        inbox.unanswered.insert(digest, statement.clone());
        inbox.send(subscribe_request::Message::Acknowledgement(statement)).await
    }

    async fn settle(
        &self,
        inbox: &mut Inbox<'_>,
        result: pb::AcknowledgementResult,
    ) -> Result<(), BenchError> {
        let statement = inbox.unanswered.remove(&result.payload_sha256);
        let statement = statement.ok_or(BenchError::Answer("a result for nothing"))?;
        if let Some(refusal) = &result.refusal {
            let refused = Refused::from(refusal);
            if refused.advice != Advice::Resend {
                return Err(CallError::from(refused).into());
            }
            inbox.unanswered.insert(result.payload_sha256, statement.clone());
            tokio::time::sleep(AGAIN).await;
            return inbox.send(subscribe_request::Message::Acknowledgement(statement)).await;
        }
        let settled: usize = result.settlements.iter().map(|s| s.inbox_numbers.len()).sum();
        self.settled.fetch_add(settled as u64, Ordering::Relaxed);
        self.statements.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }
}

impl Inbox<'_> {
    /// Takes what has waited long enough for others of its sender.
    fn overdue(&mut self) -> Vec<Vec<(InboxNumber, Digest)>> {
        let overdue = self.pending.values_mut().filter(|s| s.since.elapsed() >= PATIENCE);
        overdue.map(|statement| std::mem::take(&mut statement.items)).collect()
    }

    async fn send(&self, message: subscribe_request::Message) -> Result<(), BenchError> {
        send(&self.requests, message).await
    }
}

async fn send(requests: &Requests, message: subscribe_request::Message) -> Result<(), BenchError> {
    let request = pb::SubscribeRequest { message: Some(message) };
    requests.send(request).await.map_err(|_| BenchError::Answer("a subscription ended"))
}
