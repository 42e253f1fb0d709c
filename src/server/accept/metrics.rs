//! What became of connections, counted since the start.

use std::sync::atomic::{AtomicU64, Ordering};

/// A count that only grows.
#[derive(Debug, Default)]
pub struct Counter(AtomicU64);

impl Counter {
    /// The count so far.
    #[must_use]
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    pub(super) fn add(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

/// The counts of one listener. How many connections are open is
/// [`Connections::len`](super::connections::Connections::len).
#[derive(Debug, Default)]
pub struct AcceptMetrics {
    /// TCP connections accepted.
    pub accepted: Counter,
    /// The system gave no connection: out of file descriptors, for instance.
    pub accept_errors: Counter,
    /// Dropped before TLS: too many handshakes under way from that address.
    pub crowded: Counter,
    /// TLS handshakes that failed.
    pub handshakes_failed: Counter,
    /// TLS handshakes that took too long.
    pub handshakes_late: Counter,
    /// Dropped after TLS: an unknown or an unreadable certificate.
    pub strangers: Counter,
    /// Dropped after TLS: over the quota of the key.
    pub over_key: Counter,
    /// Dropped after TLS: over the quota of the agency.
    pub over_agency: Counter,
    /// Dropped after TLS: over the quota of the hub.
    pub over_all: Counter,
    /// Let in.
    pub admitted: Counter,
    /// Dropped: no request within the time for the first.
    pub silent: Counter,
    /// Asked to leave with GOAWAY, by age or at shutdown.
    pub retired: Counter,
    /// Cut since they did not leave in time.
    pub overdue: Counter,
    /// Cut by the kill switch.
    pub cut: Counter,
    /// Ended by an error before they were asked to leave: reset by the peer, no answer to a ping, a
    /// broken protocol.
    pub broken: Counter,
}
