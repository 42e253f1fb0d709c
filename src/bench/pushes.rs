//! How long a document takes to its addressees. Senders and subscribers live in one process and
//! share its clock; they meet at the document's index in the ledger.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use serde::Serialize;

use super::latency::{Latencies, Quantiles};

/// Documents on their way that are remembered: far more than are ever in flight.
const MOST: usize = 65_536;

/// Meeting point of senders and subscribers.
#[derive(Debug, Default)]
pub struct Pushes(Mutex<Inner>);

/// What the pushes of a run come to.
#[derive(Debug, Clone, Copy, Default, Serialize)]
pub struct Pushed {
    /// From sending the document to its arrival at an addressee, in milliseconds.
    pub after_sending: Quantiles,
    /// From the sender's receipt to the arrival; one that came before the receipt counts as 0.
    pub after_receipt: Quantiles,
}

#[derive(Debug, Default)]
struct Inner {
    open: HashMap<u64, Meeting>,
    after_sending: Latencies,
    after_receipt: Latencies,
}

/// A document that has its receipt.
#[derive(Debug, Clone, Copy)]
pub struct Sent {
    /// When it was sent.
    pub sent: Instant,
    /// When its receipt came.
    pub receipted: Instant,
    /// How many addressees it has.
    pub addressees: usize,
}

#[derive(Debug, Default)]
struct Meeting {
    sent: Option<Sent>,
    /// Arrivals that came before the receipt.
    early: Vec<Instant>,
    arrived: usize,
}

impl Pushes {
    /// The sender has the receipt of the record `index`.
    pub fn receipted(&self, index: u64, sent: Sent) {
        let mut inner = self.lock();
        let mut meeting = inner.open.remove(&index).unwrap_or_default();
        for arrival in meeting.early.drain(..) {
            inner.record(sent, arrival);
        }
        meeting.sent = Some(sent);
        inner.keep(index, meeting);
    }

    /// An addressee has the document of the record `index`.
    pub fn arrived(&self, index: u64, arrival: Instant) {
        let mut inner = self.lock();
        let mut meeting = inner.open.remove(&index).unwrap_or_default();
        meeting.arrived += 1;
        match meeting.sent {
            Some(sent) => inner.record(sent, arrival),
            None => meeting.early.push(arrival),
        }
        inner.keep(index, meeting);
    }

    /// Forgets what was measured so far; what is on its way stays.
    pub fn begin(&self) {
        let mut inner = self.lock();
        inner.after_sending = Latencies::default();
        inner.after_receipt = Latencies::default();
    }

    /// What was measured since [`Self::begin`].
    #[must_use]
    pub fn pushed(&self) -> Pushed {
        let inner = self.lock();
        Pushed {
            after_sending: inner.after_sending.quantiles(),
            after_receipt: inner.after_receipt.quantiles(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn record(&mut self, sent: Sent, arrival: Instant) {
        self.after_sending.record(arrival.saturating_duration_since(sent.sent));
        self.after_receipt.record(arrival.saturating_duration_since(sent.receipted));
    }

    /// Keeps a meeting that somebody has yet to come to.
    fn keep(&mut self, index: u64, meeting: Meeting) {
        if meeting.sent.is_some_and(|sent| meeting.arrived >= sent.addressees) {
            return;
        }
        if self.open.len() >= MOST {
            self.open.clear();
        }
        self.open.insert(index, meeting);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn both_orders_meet_and_nothing_is_left() {
        let pushes = Pushes::default();
        let sent = Instant::now();
        let at = |millis| sent + Duration::from_millis(millis);
        pushes.arrived(7, at(3));
        pushes.receipted(7, Sent { sent, receipted: at(4), addressees: 2 });
        pushes.arrived(7, at(6));
        assert!(pushes.lock().open.is_empty());
        let Pushed { after_sending, after_receipt } = pushes.pushed();
        assert_eq!((after_sending.count, after_receipt.count), (2, 2));
        assert!((after_sending.p50 - 3.0).abs() < 0.01 && (after_sending.max - 6.0).abs() < 0.01);
        assert!(after_receipt.p50 < 0.01 && (after_receipt.max - 2.0).abs() < 0.01);

        pushes.begin();
        assert_eq!(pushes.pushed().after_sending.count, 0);
    }

    #[test]
    fn what_never_meets_is_bounded() {
        let pushes = Pushes::default();
        for index in 0..=MOST as u64 {
            pushes.arrived(index, Instant::now());
        }
        assert!(pushes.lock().open.len() <= MOST);
    }
}
