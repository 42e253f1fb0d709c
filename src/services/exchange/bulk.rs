//! `SubmitDocuments`: many documents over one stream. They are read and verified in parallel, stand
//! in the hub's queue in the stream's order (P10), and are answered in it. A full queue holds the
//! stream up and refuses nothing. What can't be taken for now ends the stream with all that stands
//! behind it, so that nothing overtakes it.

use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use futures::future::BoxFuture;
use futures::stream::FuturesOrdered;
use futures::{FutureExt as _, StreamExt as _};
use prost::Message as _;
use tokio::time::Instant;
use tonic::{Status, Streaming};
use xianjie_core::domain::policy::Rpc;
use xianjie_core::limits;
use xianjie_core::refusal::{Reason, Refusal};

use super::super::peer::Caller;
use super::super::{Source, encode, status};
use crate::hub::{Answer, Hub, Lane, Prepared};
use crate::wire::pb;
use crate::wire::refusal::message;
use crate::wire::signature::Signed;
use pb::submit_result::Outcome;

/// How long a document waits before it is offered to a full queue again.
const OFFER_AGAIN: Duration = Duration::from_millis(50);

/// One stream of documents.
pub(super) struct Bulk {
    caller: Caller,
    lane: Lane,
    leaving: BoxFuture<'static, ()>,
    /// None once the client has sent its last, the connection leaves, or the stream's order is broken.
    incoming: Option<Streaming<pb::SubmitDocumentsRequest>>,
    preparing: FuturesOrdered<BoxFuture<'static, Waiting>>,
    /// The next to be handed in, held up by a full queue until then.
    held: Option<(Waiting, Instant)>,
    deciding: FuturesOrdered<BoxFuture<'static, Decided>>,
    undecided: usize,
    undecided_bytes: usize,
}

/// A document on its way to the queue.
struct Waiting {
    item: u64,
    bytes: usize,
    prepared: Result<Arc<Prepared>, Refusal>,
}

/// A document with its result.
struct Decided {
    bytes: usize,
    result: pb::SubmitResult,
}

/// What happened next.
enum Event {
    Came(Result<Option<pb::SubmitDocumentsRequest>, Status>),
    Prepared(Waiting),
    OfferAgain,
    Decided(Decided),
    Leaving,
}

impl Bulk {
    pub(super) fn new(
        caller: Caller,
        leaving: BoxFuture<'static, ()>,
        incoming: Streaming<pb::SubmitDocumentsRequest>,
    ) -> Self {
        Self {
            caller,
            lane: Lane::default(),
            leaving,
            incoming: Some(incoming),
            preparing: FuturesOrdered::new(),
            held: None,
            deciding: FuturesOrdered::new(),
            undecided: 0,
            undecided_bytes: 0,
        }
    }

    async fn event(&mut self) -> Event {
        let has_room = self.undecided < limits::UNDECIDED
            && self.undecided_bytes < limits::QUEUE_BYTES_PER_AGENCY;
        let offer_again = self.held.as_ref().map(|(_, when)| *when);
        let incoming = self.incoming.as_mut();
        let next = async {
            match incoming {
                Some(incoming) => incoming.message().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            came = next, if has_room => Event::Came(came),
            Some(waiting) = self.preparing.next(), if offer_again.is_none() => {
                Event::Prepared(waiting)
            }
            () = tokio::time::sleep_until(offer_again.unwrap_or_else(Instant::now)),
                if offer_again.is_some() => Event::OfferAgain,
            Some(decided) = self.deciding.next() => Event::Decided(decided),
            () = &mut self.leaving => Event::Leaving,
        }
    }

    /// Reads and verifies a document in a task of its own.
    fn prepare(&mut self, request: pb::SubmitDocumentsRequest) {
        let bytes = request.encoded_len();
        let item = request.item;
        self.undecided += 1;
        self.undecided_bytes += bytes;
        let agency = self.caller.agency(Rpc::SubmitDocuments, &request.agency);
        let signed = Signed::document(request.signed_document).map_err(Refusal::from);
        let both = agency.and_then(|agency| Ok((agency, signed?)));
        let hub = Arc::clone(&self.caller.hub);
        let preparing: BoxFuture<'static, Waiting> = match both {
            Ok((agency, signed)) => {
                let task = tokio::spawn(async move { hub.prepare(&agency, signed).await });
                let waiting = move |prepared: Result<Prepared, _>| Waiting {
                    item,
                    bytes,
                    prepared: prepared.map(Arc::new).map_err(|_| Reason::Quarantined.into()),
                };
                task.map(waiting).boxed()
            }
            Err(refusal) => {
                let prepared = Err(refusal);
                futures::future::ready(Waiting { item, bytes, prepared }).boxed()
            }
        };
        self.preparing.push_back(preparing);
    }

    /// Hands a document in; it stands in the queue when this returns, or is held.
    async fn hand_in(&mut self, waiting: Waiting) {
        let Waiting { item, bytes, prepared } = waiting;
        let hub = Arc::clone(&self.caller.hub);
        let prepared = match prepared {
            Ok(prepared) => prepared,
            Err(refusal) => {
                let decided = Decided { bytes, result: refused(item, &refusal) };
                self.deciding.push_back(futures::future::ready(decided).boxed());
                return;
            }
        };
        let mut handing = {
            let (hub, prepared, lane) =
                (Arc::clone(&hub), Arc::clone(&prepared), self.lane.clone());
            async move { hub.hand_in(&prepared, &lane).await }.boxed()
        };
        let decided = match futures::poll!(&mut handing) {
            Poll::Ready(Err(refusal))
                if matches!(refusal.reason(), Reason::Quota | Reason::Busy) =>
            {
                let waiting = Waiting { item, bytes, prepared: Ok(prepared) };
                self.held = Some((waiting, Instant::now() + OFFER_AGAIN));
                return;
            }
            Poll::Ready(answer) => async move { decided(&hub, item, bytes, answer).await }.boxed(),
            Poll::Pending => async move { decided(&hub, item, bytes, handing.await).await }.boxed(),
        };
        self.deciding.push_back(decided);
    }

    /// A response with this result and those that are ready with it.
    fn response(&mut self, first: Decided) -> pb::SubmitDocumentsResponse {
        let mut response = pb::SubmitDocumentsResponse::default();
        let mut size = 0;
        let mut next = Some(first);
        while let Some(Decided { bytes, result }) = next {
            self.undecided -= 1;
            self.undecided_bytes -= bytes;
            size += result.encoded_len();
            response.results.push(result);
            let is_full = size > limits::PAGE_BYTES;
            next = if is_full { None } else { self.deciding.next().now_or_never().flatten() };
        }
        response
    }
}

impl Source for Bulk {
    type Message = pb::SubmitDocumentsResponse;

    async fn next(&mut self) -> Option<Result<Self::Message, Status>> {
        loop {
            // What is undecided is answered still; what was not read is sent again.
            if self.lane.is_broken() {
                self.incoming = None;
            }
            if self.incoming.is_none() && self.undecided == 0 {
                return None;
            }
            match self.event().await {
                Event::Came(Ok(Some(request))) => self.prepare(request),
                Event::Came(Ok(None)) => self.incoming = None,
                Event::Came(Err(status)) => return Some(Err(status::heard(status))),
                Event::Prepared(waiting) => self.hand_in(waiting).await,
                Event::OfferAgain => {
                    if let Some((waiting, _)) = self.held.take() {
                        self.hand_in(waiting).await;
                    }
                }
                Event::Decided(first) => return Some(Ok(self.response(first))),
                Event::Leaving => {
                    self.incoming = None;
                    self.leaving = std::future::pending().boxed();
                }
            }
        }
    }
}

async fn decided(hub: &Hub, item: u64, bytes: usize, answer: Result<Answer, Refusal>) -> Decided {
    let encoded = match answer {
        Ok(answer) => encode::answered(hub, &answer).await,
        Err(refusal) => Err(refusal),
    };
    let result = match encoded {
        Ok((receipt, record)) => pb::SubmitResult {
            item,
            outcome: Some(Outcome::Receipt(receipt)),
            correction_case: encode::case(&record),
        },
        Err(refusal) => refused(item, &refusal),
    };
    Decided { bytes, result }
}

fn refused(item: u64, refusal: &Refusal) -> pb::SubmitResult {
    let outcome = Some(Outcome::Refusal(message(refusal)));
    pb::SubmitResult { item, outcome, correction_case: String::new() }
}
