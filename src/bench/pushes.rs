//! How long a document takes to its addressees. Senders and subscribers live in one process and
//! share its clock; they meet at the document's index in the ledger.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde::Serialize;

use super::latency::{Latencies, Quantiles};

/// Documents on their way that are remembered: far more than are ever in flight.
const MOST: usize = 65_536;

/// Meeting point of senders and subscribers.
#[derive(Debug)]
pub struct Pushes {
    addressees: usize,
    inner: Mutex<Inner>,
}

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

#[derive(Debug, Default)]
struct Meeting {
    /// When it was sent and when its receipt came.
    sent: Option<(Instant, Instant)>,
    /// Arrivals that came before the receipt.
    early: Vec<Instant>,
    arrived: usize,
}

impl Pushes {
    /// A meeting point for documents with so many addressees each.
    #[must_use]
    pub fn new(addressees: usize) -> Self {
        Self { addressees, inner: Mutex::default() }
    }

    /// The sender has the receipt of the record `index`.
    pub fn receipted(&self, index: u64, sent: Instant, receipt: Instant) {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        let inner = &mut *inner;
        let meeting = inner.open.entry(index).or_default();
        meeting.sent = Some((sent, receipt));
        for arrival in meeting.early.drain(..) {
            inner.after_sending.record(arrival.saturating_duration_since(sent));
            inner.after_receipt.record(Duration::ZERO);
        }
        self.close(inner, index);
    }

    /// An addressee has the document of the record `index`.
    pub fn arrived(&self, index: u64, arrival: Instant) {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        let inner = &mut *inner;
        if inner.open.len() >= MOST {
            inner.open.clear();
        }
        let meeting = inner.open.entry(index).or_default();
        meeting.arrived += 1;
        match meeting.sent {
            Some((sent, receipt)) => {
                inner.after_sending.record(arrival.saturating_duration_since(sent));
                inner.after_receipt.record(arrival.saturating_duration_since(receipt));
            }
            None => meeting.early.push(arrival),
        }
        self.close(inner, index);
    }

    /// Forgets what was measured so far; what is on its way stays.
    pub fn begin(&self) {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        inner.after_sending = Latencies::default();
        inner.after_receipt = Latencies::default();
    }

    /// What was measured since [`Self::begin`].
    #[must_use]
    pub fn pushed(&self) -> Pushed {
        let inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        Pushed {
            after_sending: inner.after_sending.quantiles(),
            after_receipt: inner.after_receipt.quantiles(),
        }
    }

    fn close(&self, inner: &mut Inner, index: u64) {
        let is_whole = |meeting: &Meeting| {
            meeting.sent.is_some() && meeting.arrived >= self.addressees
        };
        if inner.open.get(&index).is_some_and(is_whole) {
            inner.open.remove(&index);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_orders_meet_and_nothing_is_left() {
        let pushes = Pushes::new(2);
        let sent = Instant::now();
        let at = |millis| sent + Duration::from_millis(millis);
        pushes.arrived(7, at(3));
        pushes.receipted(7, sent, at(4));
        pushes.arrived(7, at(6));
        assert!(pushes.inner.lock().unwrap().open.is_empty());
        let Pushed { after_sending, after_receipt } = pushes.pushed();
        assert_eq!((after_sending.count, after_receipt.count), (2, 2));
        assert!((after_sending.p50 - 3.0).abs() < 0.01 && (after_sending.max - 6.0).abs() < 0.01);
        assert!(after_receipt.p50 < 0.01 && (after_receipt.max - 2.0).abs() < 0.01);

        pushes.begin();
        assert_eq!(pushes.pushed().after_sending.count, 0);
    }
}
