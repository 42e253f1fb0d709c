//! The bell: wakes the subscribers of an inbox when a delivery is committed and signed, and hands
//! them the newest deliveries from memory, so that a live stream reads no disk.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::watch;
use xianjie_core::domain::record::{Effect, Record, Settled};
use xianjie_core::ids::{AgencyCode, InboxNumber, LedgerIndex};
use xianjie_core::limits;
use xianjie_core::refusal::Reason;

use crate::store::Entry;

/// Deliveries of one inbox kept in memory while someone listens; who falls behind reads pages.
const TAIL: usize = 128;
/// Their bytes. With 11,400 inboxes listened to, and each document in three of them, 240 MiB at worst.
const TAIL_BYTES: usize = 64 * 1024;

/// A delivery that was just committed.
#[derive(Debug, Clone)]
pub struct Arrival {
    /// Its number.
    pub number: InboxNumber,
    /// Its entry.
    pub entry: Arc<Entry>,
    /// Its record.
    pub record: Arc<Record>,
    /// How it ended since.
    pub settled: Option<Settled>,
}

/// Wakes subscribers.
#[derive(Debug, Default)]
pub struct Bell {
    inboxes: Mutex<HashMap<AgencyCode, Arc<Listened>>>,
    ledger: watch::Sender<u64>,
}

#[derive(Debug)]
struct Listened {
    rung: watch::Sender<InboxNumber>,
    tail: Mutex<VecDeque<Arrival>>,
}

/// One subscriber's ear.
#[derive(Debug)]
pub struct Ear {
    agency: AgencyCode,
    listened: Arc<Listened>,
    rung: watch::Receiver<InboxNumber>,
}

impl Bell {
    /// Listens to an inbox.
    ///
    /// # Errors
    /// [`Reason::Quota`]: as many listen already as may.
    pub fn listen(self: &Arc<Self>, agency: &AgencyCode) -> Result<Ear, Reason> {
        let mut inboxes = self.inboxes.lock().unwrap_or_else(PoisonError::into_inner);
        inboxes.retain(|_, listened| listened.rung.receiver_count() > 0);
        let listened = inboxes.entry(agency.clone()).or_insert_with(|| {
            Arc::new(Listened { rung: watch::Sender::new(InboxNumber(0)), tail: Mutex::default() })
        });
        if listened.rung.receiver_count() >= limits::MIRRORS {
            return Err(Reason::Quota);
        }
        let rung = listened.rung.subscribe();
        Ok(Ear { agency: agency.clone(), listened: Arc::clone(listened), rung })
    }

    /// How many listen, over all inboxes.
    #[must_use]
    pub fn listeners(&self) -> usize {
        let inboxes = self.inboxes.lock().unwrap_or_else(PoisonError::into_inner);
        inboxes.values().map(|listened| listened.rung.receiver_count()).sum()
    }

    /// Tells the addressees of a committed record, whose checkpoint is published by now, and remembers what it
    /// settled of what they have not read yet.
    pub fn ring(&self, entry: &Arc<Entry>, record: &Arc<Record>) {
        for ruled in &record.effects {
            let (agency, number) = match &ruled.effect {
                Effect::DeliveryOpened { agency, number, .. } => (agency, number),
                Effect::DeliverySettled { agency, number, how } => {
                    self.settle(agency, *number, *how);
                    continue;
                }
                _ => continue,
            };
            let Some(listened) = self.listened(agency) else { continue };
            let arrival = Arrival {
                number: *number,
                entry: Arc::clone(entry),
                record: Arc::clone(record),
                settled: None,
            };
            let mut tail = listened.tail.lock().unwrap_or_else(PoisonError::into_inner);
            tail.push_back(arrival);
            let bytes = |arrival: &Arrival| {
                arrival.entry.record.len() + arrival.entry.signed_document.len()
            };
            let mut held: usize = tail.iter().map(bytes).sum();
            while tail.len() > TAIL || (held > TAIL_BYTES && tail.len() > 1) {
                held -= tail.pop_front().as_ref().map_or(0, bytes);
            }
            drop(tail);
            listened.rung.send_replace(*number);
        }
        self.ledger.send_replace(entry.index.0 + 1);
    }

    fn settle(&self, agency: &AgencyCode, number: InboxNumber, how: Settled) {
        let Some(listened) = self.listened(agency) else { return };
        let mut tail = listened.tail.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(arrival) = tail.iter_mut().find(|arrival| arrival.number == number) {
            arrival.settled = Some(how);
        }
    }

    fn listened(&self, agency: &AgencyCode) -> Option<Arc<Listened>> {
        let inboxes = self.inboxes.lock().unwrap_or_else(PoisonError::into_inner);
        inboxes.get(agency).cloned()
    }

    /// Follows the ledger's size, for those who watch what became of their documents.
    #[must_use]
    pub fn ledger(&self) -> watch::Receiver<u64> {
        self.ledger.subscribe()
    }

    /// The index after the newest record that rang.
    #[must_use]
    pub fn rung_until(&self) -> LedgerIndex {
        LedgerIndex(*self.ledger.borrow())
    }
}

impl Ear {
    /// Whose inbox.
    #[must_use]
    pub fn agency(&self) -> &AgencyCode {
        &self.agency
    }

    /// Waits until something newer than what was last waited for has arrived.
    pub async fn wait(&mut self) {
        // The sender lives in `listened`, which this ear holds.
        let _ = self.rung.changed().await;
    }

    /// The last number that rang; 0 if none has.
    #[must_use]
    pub fn rung(&self) -> InboxNumber {
        *self.rung.borrow()
    }

    /// Whether the delivery of that number is in memory.
    #[must_use]
    pub fn holds(&self, number: InboxNumber) -> bool {
        let tail = self.listened.tail.lock().unwrap_or_else(PoisonError::into_inner);
        let (first, last) = (tail.front(), tail.back());
        first.is_some_and(|first| first.number <= number)
            && last.is_some_and(|last| number <= last.number)
    }

    /// The delivery of that number, if it is in memory.
    #[must_use]
    pub fn arrival(&self, number: InboxNumber) -> Option<Arrival> {
        let tail = self.listened.tail.lock().unwrap_or_else(PoisonError::into_inner);
        let first = tail.front()?.number;
        let place = usize::try_from(number.0.checked_sub(first.0)?).ok()?;
        tail.get(place).filter(|arrival| arrival.number == number).cloned()
    }
}
