//! The one queue before the sequencer, bounded in all and for each agency: an agency above its share
//! waits, and nobody else does.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{mpsc, oneshot};
use xianjie_core::ids::AgencyCode;
use xianjie_core::limits;
use xianjie_core::refusal::{Reason, Refusal};

use super::fold::Item;
use super::sequencer::{Answer, Asker, Queued};

/// The way in to the sequencer.
#[derive(Clone)]
pub(super) struct Queue {
    sender: mpsc::Sender<Queued>,
    shares: Arc<Shares>,
}

#[derive(Default)]
struct Shares {
    taken: Mutex<Taken>,
}

#[derive(Default)]
struct Taken {
    bytes: usize,
    by_agency: HashMap<AgencyCode, (usize, usize)>,
}

/// The order of one client's stream. It breaks when one of its inputs can't be taken for now: those
/// behind it are refused likewise, so that none is committed before it (P10).
#[derive(Debug, Clone, Default)]
pub struct Lane(Arc<AtomicBool>);

/// A place in the queue, given back when dropped.
pub(super) struct Share {
    shares: Arc<Shares>,
    agency: Option<AgencyCode>,
    bytes: usize,
}

impl Queue {
    /// A queue, and the end that the sequencer reads.
    pub(super) fn new() -> (Self, mpsc::Receiver<Queued>) {
        let (sender, receiver) = mpsc::channel(limits::QUEUE);
        (Self { sender, shares: Arc::default() }, receiver)
    }

    /// Has `item` decided, committed and signed.
    ///
    /// # Errors
    /// What the decision refuses; or the queue is full, the agency above its share, or the hub
    /// closing: then nothing has happened.
    pub(super) async fn decide(&self, item: Item) -> Result<Answer, Refusal> {
        self.decide_in(item, &Lane::default()).await
    }

    /// The same for one of a stream: it stands in the queue when this was polled once.
    ///
    /// # Errors
    /// As [`decide`](Self::decide); or the stream's order is broken.
    pub(super) async fn decide_in(&self, item: Item, lane: &Lane) -> Result<Answer, Refusal> {
        let share = self.share(&item)?;
        let (answer, decided) = oneshot::channel();
        let queued = Queued { item, asker: Asker { answer, lane: lane.clone(), _share: share } };
        self.sender.try_send(queued).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => Refusal::from(Reason::Busy),
            mpsc::error::TrySendError::Closed(_) => Refusal::from(Reason::Draining),
        })?;
        decided.await.unwrap_or_else(|_| Err(Reason::StoreUnavailable.into()))
    }

    /// How many inputs wait.
    pub(super) fn waiting(&self) -> usize {
        limits::QUEUE - self.sender.capacity()
    }

    fn share(&self, item: &Item) -> Result<Share, Refusal> {
        let bytes = item.signed_document.len() + 1024;
        let agency = item.input.agency().cloned();
        let mut taken = self.shares.taken.lock().unwrap_or_else(PoisonError::into_inner);
        if taken.bytes + bytes > limits::QUEUE_BYTES {
            return Err(Reason::Busy.into());
        }
        if let Some(agency) = &agency {
            let (count, held) = taken.by_agency.entry(agency.clone()).or_default();
            if *count >= limits::QUEUE_PER_AGENCY || *held + bytes > limits::QUEUE_BYTES_PER_AGENCY
            {
                return Err(Reason::Quota.into());
            }
            *count += 1;
            *held += bytes;
        }
        taken.bytes += bytes;
        Ok(Share { shares: Arc::clone(&self.shares), agency, bytes })
    }
}

impl Lane {
    /// Nothing of the stream is taken any more.
    pub(super) fn break_off(&self) {
        self.0.store(true, Ordering::SeqCst);
    }

    /// Whether nothing of the stream is taken any more: a new stream is needed.
    #[must_use]
    pub fn is_broken(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        let mut taken = self.shares.taken.lock().unwrap_or_else(PoisonError::into_inner);
        taken.bytes -= self.bytes;
        let Some(agency) = self.agency.take() else { return };
        if let Some((count, bytes)) = taken.by_agency.get_mut(&agency) {
            *count -= 1;
            *bytes -= self.bytes;
            if *count == 0 {
                taken.by_agency.remove(&agency);
            }
        }
    }
}
