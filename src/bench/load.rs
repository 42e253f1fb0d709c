//! The senders: closed loops with a number of documents in flight, unary or over streams, and an
//! open loop at a rate.
//!
//! A document that the hub can't take now is sent again, the same bytes, after a moment; its latency
//! counts from the first time. Any other refusal ends the run: the load is lawful.

use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::{Semaphore, mpsc};
use tokio_stream::wrappers::ReceiverStream;
use tonic::transport::Channel;
use xianjie_core::ledger::receipt::verify;
use xianjie_core::refusal::Advice;

use super::BenchError;
use super::latency::{Latencies, Quantiles};
use super::papers::{Paper, Papers};
use super::pushes::{Pushes, Sent};
use crate::client::error::{CallError, Refused};
use crate::client::trust::Trust;
use crate::wire::pb::exchange_service_client::ExchangeServiceClient;
use crate::wire::pb::submit_result::Outcome;
use crate::wire::{pb, receipt};

/// How long to wait before a document is sent again.
const AGAIN: Duration = Duration::from_millis(5);
/// How often an open loop looks at what is due.
const TICK: Duration = Duration::from_millis(1);
/// How many of an open loop's documents may be in flight: below the hub's own queue.
const OPEN_IN_FLIGHT: usize = 512;

/// What all senders of a run share.
pub struct Load {
    papers: Papers,
    pushes: Arc<Pushes>,
    /// What receipts are verified with, if they are.
    verify: Option<Trust>,
    stop: AtomicBool,
    receipted: AtomicU64,
    addressed: AtomicU64,
    latencies: Mutex<Latencies>,
    again: Mutex<BTreeMap<String, u64>>,
}

impl Load {
    /// Senders of `papers`.
    #[must_use]
    pub fn new(papers: Papers, pushes: Arc<Pushes>, verify: Option<Trust>) -> Arc<Self> {
        Arc::new(Self {
            papers,
            pushes,
            verify,
            stop: AtomicBool::new(false),
            receipted: AtomicU64::new(0),
            addressed: AtomicU64::new(0),
            latencies: Mutex::default(),
            again: Mutex::default(),
        })
    }

    /// How many documents have their receipt.
    #[must_use]
    pub fn receipted(&self) -> u64 {
        self.receipted.load(Ordering::Relaxed)
    }

    /// How many deliveries these documents have.
    #[must_use]
    pub fn addressed(&self) -> u64 {
        self.addressed.load(Ordering::Relaxed)
    }

    /// Forgets the latencies measured so far.
    pub fn begin(&self) {
        *self.latencies.lock().unwrap_or_else(PoisonError::into_inner) = Latencies::default();
        self.again.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// From sending to receipt, since [`Self::begin`].
    #[must_use]
    pub fn latencies(&self) -> Quantiles {
        self.latencies.lock().unwrap_or_else(PoisonError::into_inner).quantiles()
    }

    /// How often a document had to be sent again, by reason, since [`Self::begin`].
    #[must_use]
    pub fn sent_again(&self) -> BTreeMap<String, u64> {
        self.again.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Asks all senders to end; what is in flight still gets its answer.
    pub fn stop(&self) {
        self.stop.store(true, Ordering::Relaxed);
    }

    /// Lets senders start again.
    pub fn resume(&self) {
        self.stop.store(false, Ordering::Relaxed);
    }

    fn is_stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    /// One sender: the next document when the last one has its receipt.
    ///
    /// # Errors
    /// [`BenchError`]: a refusal that sending again does not cure.
    pub async fn unary(self: Arc<Self>, channel: Channel) -> Result<(), BenchError> {
        let mut client = ExchangeServiceClient::new(channel);
        while !self.is_stopped() {
            let paper = self.papers.next().map_err(BenchError::stage)?;
            self.send(&mut client, &paper, Instant::now()).await?;
        }
        Ok(())
    }

    /// Sends at a rate, whatever comes back: latencies count from when each document was due.
    ///
    /// # Errors
    /// As [`Self::unary`].
    pub async fn open_loop(
        self: Arc<Self>,
        channels: Vec<Channel>,
        rate: u64,
    ) -> Result<(), BenchError> {
        let began = Instant::now();
        let mut ticks = tokio::time::interval(TICK);
        let places = Arc::new(Semaphore::new(OPEN_IN_FLIGHT));
        let (failed, mut failure) = mpsc::channel(1);
        let mut sent: u64 = 0;
        while !self.is_stopped() {
            ticks.tick().await;
            let due = began.elapsed().as_micros() * u128::from(rate) / 1_000_000;
            while u128::from(sent) < due {
                let Ok(place) = Arc::clone(&places).acquire_owned().await else { break };
                let when = began + Duration::from_micros(sent * 1_000_000 / rate.max(1));
                let paper = self.papers.next().map_err(BenchError::stage)?;
                let channel = &channels[usize::try_from(sent).unwrap_or(0) % channels.len()];
                let mut client = ExchangeServiceClient::new(channel.clone());
                let (load, failed) = (Arc::clone(&self), failed.clone());
                tokio::spawn(async move {
                    if let Err(error) = load.send(&mut client, &paper, when).await {
                        let _ = failed.try_send(error);
                    }
                    drop(place);
                });
                sent += 1;
            }
            if let Ok(error) = failure.try_recv() {
                return Err(error);
            }
        }
        // All places free: everything has its answer.
        let _ = places.acquire_many(OPEN_IN_FLIGHT as u32).await;
        failure.try_recv().map_or(Ok(()), Err)
    }

    /// Sends documents over one stream, with `window` of them undecided.
    ///
    /// # Errors
    /// As [`Self::unary`].
    pub async fn stream(
        self: Arc<Self>,
        channel: Channel,
        window: usize,
    ) -> Result<(), BenchError> {
        let (sender, receiver) = mpsc::channel(window);
        let mut undecided = VecDeque::with_capacity(window);
        while undecided.len() < window {
            let paper = self.papers.next().map_err(BenchError::stage)?;
            put(&sender, &mut undecided, paper, Instant::now()).await;
        }
        let mut client = ExchangeServiceClient::new(channel);
        let answers = client.submit_documents(ReceiverStream::new(receiver)).await;
        let mut answers = answers.map_err(CallError::from)?.into_inner();
        while let Some(answer) = answers.message().await.map_err(CallError::from)? {
            for result in answer.results {
                let Some((paper, sent)) = undecided.pop_front() else {
                    return Err(BenchError::Answer("a result for nothing"));
                };
                match result.outcome {
                    Some(Outcome::Receipt(receipt)) => self.take(&paper, sent, receipt)?,
                    Some(Outcome::Refusal(refusal)) => {
                        self.refused(Refused::from(&refusal).into())?;
                        put(&sender, &mut undecided, paper, sent).await;
                    }
                    None => return Err(BenchError::Answer("a result without an outcome")),
                }
            }
            while !self.is_stopped() && undecided.len() < window {
                let paper = self.papers.next().map_err(BenchError::stage)?;
                put(&sender, &mut undecided, paper, Instant::now()).await;
            }
            if undecided.is_empty() {
                return Ok(());
            }
        }
        Err(BenchError::Answer("the stream ended with documents undecided"))
    }

    async fn send(
        &self,
        client: &mut ExchangeServiceClient<Channel>,
        paper: &Paper,
        sent: Instant,
    ) -> Result<(), BenchError> {
        loop {
            let request = pb::SubmitDocumentRequest {
                agency: paper.agency.clone(),
                signed_document: Some(paper.signed.clone()),
            };
            match client.submit_document(request).await {
                Ok(answer) => {
                    let receipt = answer.into_inner().receipt.unwrap_or_default();
                    return self.take(paper, sent, receipt);
                }
                Err(status) => {
                    self.refused(status.into())?;
                    tokio::time::sleep(AGAIN).await;
                }
            }
        }
    }

    /// Takes a receipt.
    fn take(&self, paper: &Paper, sent: Instant, message: pb::Receipt) -> Result<(), BenchError> {
        let receipted = Instant::now();
        if let Some(trust) = &self.verify {
            let parts = receipt::parts(&message).map_err(BenchError::stage)?;
            verify(&parts, &trust.keys).map_err(BenchError::stage)?;
        }
        let addressees = paper.addressees;
        self.pushes.receipted(message.index, Sent { sent, receipted, addressees });
        let mut latencies = self.latencies.lock().unwrap_or_else(PoisonError::into_inner);
        latencies.record(receipted.saturating_duration_since(sent));
        self.receipted.fetch_add(1, Ordering::Relaxed);
        self.addressed.fetch_add(addressees as u64, Ordering::Relaxed);
        Ok(())
    }

    /// Counts what is to be sent again; everything else is an error.
    fn refused(&self, error: CallError) -> Result<(), BenchError> {
        let reason = match &error {
            CallError::Refused(refused) if refused.advice == Advice::Resend => {
                refused.reason.clone()
            }
            _ => return Err(error.into()),
        };
        let mut again = self.again.lock().unwrap_or_else(PoisonError::into_inner);
        *again.entry(reason).or_default() += 1;
        Ok(())
    }
}

/// Puts a document into a stream.
async fn put(
    stream: &mpsc::Sender<pb::SubmitDocumentsRequest>,
    undecided: &mut VecDeque<(Paper, Instant)>,
    paper: Paper,
    sent: Instant,
) {
    let request = pb::SubmitDocumentsRequest {
        agency: paper.agency.clone(),
        item: 0,
        signed_document: Some(paper.signed.clone()),
    };
    undecided.push_back((paper, sent));
    // A stream that has ended shows in its answers.
    let _ = stream.send(request).await;
}
