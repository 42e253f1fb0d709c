//! `Subscribe`: one living stream of an inbox. Every delivery above a number, once, in order, as
//! credits allow; acknowledgements beside it, never in its way.
//!
//! A stream that has caught up is fed from the bell's memory; one that is behind reads pages. What it
//! holds is bounded: one page, and [`STATEMENTS_UNDECIDED`] statements.

use std::collections::{BTreeSet, VecDeque};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt as _;
use futures::future::BoxFuture;
use futures::stream::FuturesUnordered;
use tokio::time::{Instant, Interval, MissedTickBehavior, Sleep, interval, sleep};
use tonic::{Status, Streaming};
use xianjie_core::domain::policy::Rpc;
use xianjie_core::ids::{AgencyCode, InboxNumber};
use xianjie_core::limits;
use xianjie_core::refusal::{Reason, Refusal, Violation};

use super::super::peer::Caller;
use super::super::permit::Permit;
use super::super::{Source, encode, status};
use super::{acknowledge, reject};
use crate::hub::Delivered;
use crate::hub::bell::Ear;
use crate::wire::pb;
use pb::subscribe_request::Message as Asked;
use pb::subscribe_response::Message as Answer;

/// Statements of one stream on their way to the hub: more wait unread.
const STATEMENTS_UNDECIDED: usize = 16;
/// Characters of a consumer's name.
const CONSUMER_CHARS: usize = 64;
/// Nothing was heard for so long: the stream is closed.
const SILENCE: Duration = Duration::from_secs(limits::SILENCE_SECONDS);

/// A stream, before and after it was opened.
pub(super) struct Subscription {
    caller: Caller,
    leaving: BoxFuture<'static, ()>,
    incoming: Streaming<pb::SubscribeRequest>,
    silence: Pin<Box<Sleep>>,
    open: Option<Open>,
}

/// An open stream.
struct Open {
    agency: AgencyCode,
    permit: Permit,
    ear: Ear,
    heartbeat: Interval,
    credits: u32,
    /// The number of the next delivery.
    next: InboxNumber,
    /// The inbox's last number when the stream was opened: what came later is in the bell's memory
    /// as it came, and cannot have been settled before.
    last_at_open: InboxNumber,
    page: VecDeque<Delivered>,
    caught_up: bool,
    deciding: FuturesUnordered<BoxFuture<'static, pb::AcknowledgementResult>>,
}

/// What happened next.
enum Event {
    Came(Result<Option<pb::SubscribeRequest>, Status>),
    Decided(pb::AcknowledgementResult),
    Deliver,
    Rang,
    Lost(Refusal),
    Heartbeat,
    Silent,
    Leaving,
}

type Message = Result<pb::SubscribeResponse, Status>;

impl Subscription {
    pub(super) fn new(
        caller: Caller,
        leaving: BoxFuture<'static, ()>,
        incoming: Streaming<pb::SubscribeRequest>,
    ) -> Self {
        Self { caller, leaving, incoming, silence: Box::pin(sleep(SILENCE)), open: None }
    }

    /// Waits for the first message and opens the stream.
    async fn opening(&mut self) -> Option<Message> {
        let first = tokio::select! {
            first = self.incoming.message() => first,
            () = &mut self.silence => return Some(Err(status::silent())),
            () = &mut self.leaving => return None,
        };
        let opened = match first {
            Ok(Some(pb::SubscribeRequest { message: Some(Asked::Open(open)) })) => {
                Open::new(&self.caller, &open).await
            }
            Ok(None) => return None,
            Ok(Some(_)) => Err(Violation::new(Reason::Required, "open").into()),
            Err(status) => return Some(Err(status::heard(status))),
        };
        match opened {
            Ok((open, opened)) => {
                self.heard();
                self.open = Some(open);
                Some(Ok(response(Answer::Opened(opened))))
            }
            Err(refusal) => Some(Err(status::refused(&refusal))),
        }
    }

    fn heard(&mut self) {
        self.silence.as_mut().reset(Instant::now() + SILENCE);
    }
}

impl Source for Subscription {
    type Message = pb::SubscribeResponse;

    async fn next(&mut self) -> Option<Message> {
        if self.open.is_none() {
            return self.opening().await;
        }
        loop {
            let open = self.open.as_mut()?;
            if let Err(refusal) = open.read_on(&self.caller).await {
                return Some(Err(status::refused(&refusal)));
            }
            let has_room = open.deciding.len() < STATEMENTS_UNDECIDED;
            let can_deliver = open.can_deliver();
            let event = open.permit.during(async {
                tokio::select! {
                    came = self.incoming.message(), if has_room => Event::Came(came),
                    Some(result) = open.deciding.next() => Event::Decided(result),
                    () = std::future::ready(()), if can_deliver => Event::Deliver,
                    () = open.ear.wait(), if open.caught_up => Event::Rang,
                    _ = open.heartbeat.tick() => Event::Heartbeat,
                    () = &mut self.silence => Event::Silent,
                    () = &mut self.leaving => Event::Leaving,
                }
            });
            let event = event.await.unwrap_or_else(Event::Lost);
            let answer = match event {
                Event::Came(Ok(Some(request))) => {
                    let heard = open.hear(&self.caller, request);
                    self.heard();
                    match heard {
                        Ok(()) => continue,
                        Err(refusal) => Err(refusal),
                    }
                }
                // The client has said its last word: it will grant no credits and acknowledge
                // nothing any more.
                Event::Came(Ok(None)) | Event::Leaving => return None,
                Event::Came(Err(status)) => return Some(Err(status::heard(status))),
                Event::Decided(result) => Ok(Answer::Result(result)),
                Event::Deliver => match open.deliver(&self.caller).await {
                    Ok(Some(answer)) => Ok(answer),
                    Ok(None) => continue,
                    Err(refusal) => Err(refusal),
                },
                Event::Rang => {
                    open.caught_up = false;
                    continue;
                }
                Event::Lost(refusal) => Err(refusal),
                Event::Heartbeat => open.heartbeat(&self.caller).await,
                Event::Silent => return Some(Err(status::silent())),
            };
            return Some(match answer {
                Ok(answer) => Ok(response(answer)),
                Err(refusal) => Err(status::refused(&refusal)),
            });
        }
    }
}

impl Open {
    async fn new(
        caller: &Caller,
        open: &pb::SubscribeOpen,
    ) -> Result<(Self, pb::SubscribeOpened), Refusal> {
        let permit = Permit::new(caller, Rpc::Subscribe, &open.agency)?;
        let agency = permit.agency().clone();
        if open.consumer.chars().count() > CONSUMER_CHARS {
            return Err(Violation::new(Reason::TooLarge, "open.consumer").into());
        }
        let hub = &caller.hub;
        // The ear first: what comes while the state is read rings it.
        let ear = hub.bell().listen(&agency)?;
        let state = hub.inbox_state(&agency).await?;
        let after = match open.after_inbox_number.map(InboxNumber) {
            Some(after) if after > state.last => {
                return Err(Violation::new(Reason::InboxAhead, "open.after_inbox_number").into());
            }
            Some(after) => after,
            None if state.lowest_unsettled.0 > 0 => InboxNumber(state.lowest_unsettled.0 - 1),
            None => state.last,
        };
        let mut heartbeat = interval(Duration::from_secs(limits::HEARTBEAT_SECONDS));
        heartbeat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        heartbeat.reset();
        let opened = pb::SubscribeOpened {
            next_inbox_number: after.next().0,
            heartbeat: Some(encode::heartbeat(hub, &state)),
        };
        let open = Self {
            agency,
            permit,
            ear,
            heartbeat,
            credits: open.credits.min(limits::CREDITS),
            next: after.next(),
            last_at_open: state.last,
            page: VecDeque::new(),
            caught_up: false,
            deciding: FuturesUnordered::new(),
        };
        Ok((open, opened))
    }

    fn may(&self, caller: &Caller, rpc: Rpc) -> Result<(), Refusal> {
        caller.permit_for(rpc, &self.agency, BTreeSet::new())
    }

    /// Takes in a message of the client's.
    fn hear(&mut self, caller: &Caller, request: pb::SubscribeRequest) -> Result<(), Refusal> {
        match request.message {
            Some(Asked::AddCredits(credits)) => {
                self.credits = self.credits.saturating_add(credits).min(limits::CREDITS);
            }
            Some(Asked::Acknowledgement(statement)) => {
                self.may(caller, Rpc::AcknowledgeDeliveries)?;
                let hub = Arc::clone(&caller.hub);
                let result = acknowledge(hub, self.agency.clone(), statement);
                self.deciding.push(Box::pin(result));
            }
            Some(Asked::Rejection(statement)) => {
                self.may(caller, Rpc::RejectDelivery)?;
                let hub = Arc::clone(&caller.hub);
                self.deciding.push(Box::pin(reject(hub, self.agency.clone(), statement)));
            }
            Some(Asked::Open(_)) => {
                return Err(Violation::new(Reason::DuplicateField, "open").into());
            }
            Some(Asked::Heartbeat(_)) | None => {}
        }
        Ok(())
    }

    fn has_arrived(&self) -> bool {
        self.next > self.last_at_open && self.ear.holds(self.next)
    }

    fn can_deliver(&self) -> bool {
        self.credits > 0 && (!self.page.is_empty() || self.has_arrived())
    }

    /// Reads the next page, if there are credits for it and memory holds nothing.
    async fn read_on(&mut self, caller: &Caller) -> Result<(), Refusal> {
        if self.credits == 0 || self.caught_up || self.can_deliver() {
            return Ok(());
        }
        if self.next > self.last_at_open.max(self.ear.rung()) {
            // Everything that has rung is sent: there is nothing to read.
            self.caught_up = true;
            return Ok(());
        }
        let limit = limits::PAGE.min(self.credits as usize);
        let after = InboxNumber(self.next.0 - 1);
        let page = caller.hub.deliveries(&self.agency, after, false, limit).await?;
        self.caught_up = page.is_empty();
        self.page = page.into();
        Ok(())
    }

    /// The next delivery; none if newer ones have pushed it out of memory: then it is read.
    async fn deliver(&mut self, caller: &Caller) -> Result<Option<Answer>, Refusal> {
        let hub = &caller.hub;
        let delivery = match self.page.pop_front() {
            Some(delivered) => encode::delivered(hub, &self.agency, &delivered).await?,
            None => {
                let Some(arrival) = self.ear.arrival(self.next) else { return Ok(None) };
                encode::arrived(hub, &self.agency, &arrival).await?
            }
        };
        if delivery.inbox_number != self.next.0 {
            return Err(encode::unavailable(format!("delivery {} is missing", self.next)));
        }
        self.next = self.next.next();
        self.credits -= 1;
        Ok(Some(Answer::Delivery(delivery)))
    }

    /// A sign of life. It also finds what came without ringing, after an unknown outcome.
    async fn heartbeat(&mut self, caller: &Caller) -> Result<Answer, Refusal> {
        let state = caller.hub.inbox_state(&self.agency).await?;
        if state.last >= self.next {
            self.last_at_open = self.last_at_open.max(state.last);
            self.caught_up = false;
        }
        Ok(Answer::Heartbeat(encode::heartbeat(&caller.hub, &state)))
    }
}

fn response(message: Answer) -> pb::SubscribeResponse {
    pb::SubscribeResponse { message: Some(message) }
}
