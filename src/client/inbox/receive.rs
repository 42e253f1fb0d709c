//! Deliveries as they come: in pages up to the head of the inbox, or on a stream, for ever.

use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::{Instant, timeout};
use tokio_stream::wrappers::ReceiverStream;
use tonic::Streaming;
use xianjie_core::limits::{ACKNOWLEDGED_ITEMS, HEARTBEAT_SECONDS, SILENCE_SECONDS};

use super::{DeliveryNote, Inbox, InboxError};
use crate::client::backoff::Backoff;
use crate::client::connect::unary;
use crate::client::error::CallError;
use crate::wire::pb;

use pb::subscribe_request::Message as Request;
use pb::subscribe_response::Message as Response;

/// Credits outstanding on a stream: each may be a document of 256 KiB.
const CREDITS: u32 = 64;
/// How long a stream must pause before what has been stored is acknowledged.
const PAUSE: Duration = Duration::from_millis(200);
/// What has been stored is acknowledged at this number even without a pause.
const BATCH: usize = ACKNOWLEDGED_ITEMS;

/// Where to begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Start {
    /// After the last number stored here; if nothing ever was, from the lowest that is not settled.
    Resume,
    /// After this number.
    After(u64),
}

impl Inbox<'_> {
    /// Stores what has come, up to the head of the inbox as it was found, and acknowledges it if
    /// asked to. Gives what was stored.
    ///
    /// # Errors
    /// [`InboxError`]; what was stored before stays stored.
    pub async fn fetch(
        &self,
        start: Start,
        acknowledge: bool,
    ) -> Result<Vec<DeliveryNote>, InboxError> {
        let mut last = self.first(start).await?;
        let mut fetched = Vec::new();
        loop {
            let page = self.page(last, false, 0).await?;
            for delivery in &page.deliveries {
                let note = self.take(delivery, Some(last)).await?;
                last = note.number;
                fetched.push(note);
            }
            self.advance(page.deliveries.last()).await?;
            if !page.more || page.deliveries.is_empty() {
                break;
            }
        }
        if acknowledge {
            self.acknowledge_open(&fetched).await?;
        }
        Ok(fetched)
    }

    /// Stores deliveries as they come and acknowledges them if asked to, over as many streams as it
    /// takes, until it is dropped or something happens that a person must see: such as that the hub
    /// doesn't take this client any more.
    ///
    /// # Errors
    /// [`InboxError`]; never a broken connection.
    pub async fn watch(&self, start: Start, acknowledge: bool) -> Result<(), InboxError> {
        if acknowledge {
            self.resend_statements().await?;
            let left_over = self.notes()?;
            self.acknowledge_open(&left_over).await?;
        }
        let mut start = match start {
            Start::After(number) => Some(number),
            Start::Resume => self.last_number()?,
        };
        let mut backoff = Backoff::default();
        loop {
            let began = start;
            let error = match self.stream(&mut start, acknowledge).await {
                Ok(()) => silence(),
                // Else a person has to act, and no new stream does better.
                Err(InboxError::Call(error)) if error.is_temporary() => error,
                Err(error) => return Err(error),
            };
            if start != began {
                backoff = Backoff::default();
            }
            let wait = backoff.next(error.refused().and_then(|refused| refused.retry_after));
            self.observer.waiting(&error, wait);
            tokio::time::sleep(wait).await;
        }
    }

    /// A page of the inbox as the hub has it; nothing is stored.
    ///
    /// # Errors
    /// [`InboxError::Call`].
    pub async fn page(
        &self,
        after: u64,
        only_unacknowledged: bool,
        page_size: u32,
    ) -> Result<pb::ListDeliveriesResponse, InboxError> {
        let request = pb::ListDeliveriesRequest {
            agency: self.client.agency()?.to_string(),
            after_inbox_number: after,
            only_unacknowledged,
            page_size,
            wait_seconds: 0,
        };
        let answer = self.client.inbox().list_deliveries(unary(request)).await;
        Ok(answer.map_err(CallError::from)?.into_inner())
    }

    /// The number after which pages begin.
    async fn first(&self, start: Start) -> Result<u64, InboxError> {
        match start {
            Start::After(number) => return Ok(number),
            Start::Resume => {
                if let Some(number) = self.last_number()? {
                    return Ok(number);
                }
            }
        }
        let inbox = self.page(0, true, 1).await?.heartbeat.unwrap_or_default();
        Ok(match inbox.lowest_unacknowledged {
            0 => inbox.head_inbox_number,
            lowest => lowest - 1,
        })
    }

    /// One stream, from its opening to its end. `start` moves on with what is stored.
    async fn stream(&self, start: &mut Option<u64>, acknowledge: bool) -> Result<(), InboxError> {
        let (requests, mut responses) = self.subscribe(*start).await?;
        let mut unacknowledged: Vec<DeliveryNote> = Vec::new();
        let mut heard = Instant::now();
        loop {
            let message = match timeout(PAUSE, responses.message()).await {
                Ok(message) => message.map_err(CallError::from)?,
                Err(_) => {
                    self.acknowledge_open(&std::mem::take(&mut unacknowledged)).await?;
                    if heard.elapsed() > Duration::from_secs(SILENCE_SECONDS) {
                        return Ok(());
                    }
                    continue;
                }
            };
            heard = Instant::now();
            let Some(message) = message else { return Ok(()) };
            match message.message {
                Some(Response::Opened(opened)) if start.is_none() => {
                    *start = Some(opened.next_inbox_number.saturating_sub(1));
                }
                Some(Response::Delivery(delivery)) => {
                    let note = self.take(&delivery, *start).await?;
                    *start = Some(note.number);
                    // A full channel means that the hub does not read now; it closes such a stream.
                    let _ = requests.send(request(Request::AddCredits(1))).await;
                    self.advance(Some(&delivery)).await?;
                    if acknowledge {
                        unacknowledged.push(note);
                    }
                    if unacknowledged.len() >= BATCH {
                        self.acknowledge_open(&std::mem::take(&mut unacknowledged)).await?;
                    }
                }
                _ => {}
            }
        }
    }

    /// Opens a stream, with a task beside it that gives a sign of life until the stream ends.
    async fn subscribe(
        &self,
        after: Option<u64>,
    ) -> Result<(mpsc::Sender<pb::SubscribeRequest>, Streaming<pb::SubscribeResponse>), InboxError>
    {
        let (sender, receiver) = mpsc::channel(16);
        let open = pb::SubscribeOpen {
            agency: self.client.agency()?.to_string(),
            after_inbox_number: after,
            credits: CREDITS,
            consumer: format!("xianjie {}", std::process::id()),
        };
        let heartbeats = sender.clone();
        let _ = sender.send(request(Request::Open(open))).await;
        let responses = self.client.inbox().subscribe(ReceiverStream::new(receiver)).await;
        let responses = responses.map_err(CallError::from)?.into_inner();
        tokio::spawn(async move {
            let sign = || request(Request::Heartbeat(pb::Heartbeat::default()));
            loop {
                tokio::time::sleep(Duration::from_secs(HEARTBEAT_SECONDS)).await;
                if heartbeats.send(sign()).await.is_err() {
                    break;
                }
            }
        });
        Ok((sender, responses))
    }

    /// Stores the delivery that follows `last`, and remembers it.
    async fn take(
        &self,
        delivery: &pb::Delivery,
        last: Option<u64>,
    ) -> Result<DeliveryNote, InboxError> {
        let found = delivery.inbox_number;
        if let Some(last) = last.filter(|last| found != last + 1) {
            return Err(InboxError::Gap { last, found });
        }
        let note = self.store(delivery).await?;
        if self.last_number()?.is_none_or(|last| last < note.number) {
            self.set_last_number(note.number)?;
        }
        Ok(note)
    }

    /// Moves on to the checkpoint of the last delivery that was stored.
    async fn advance(&self, last: Option<&pb::Delivery>) -> Result<(), InboxError> {
        match last.and_then(|delivery| delivery.receipt.as_ref()) {
            Some(receipt) => Ok(self.client.advance_if_reached(&receipt.checkpoint).await?),
            None => Ok(()),
        }
    }

    /// Acknowledges those of the deliveries that verified and are not settled.
    pub(super) async fn acknowledge_open(&self, notes: &[DeliveryNote]) -> Result<(), InboxError> {
        let open = notes.iter().filter(|note| note.is_open());
        let numbers: Vec<u64> = open.map(|note| note.number).collect();
        if numbers.is_empty() { Ok(()) } else { self.acknowledge(&numbers).await }
    }
}

fn request(message: Request) -> pb::SubscribeRequest {
    pb::SubscribeRequest { message: Some(message) }
}

fn silence() -> CallError {
    let detail = "the stream ended, or was silent for too long".to_owned();
    CallError::Unknown { code: tonic::Code::Unavailable, detail }
}
