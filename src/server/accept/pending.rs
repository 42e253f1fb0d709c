//! The handshakes under way: so many in all, so many from one address.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::limits::AcceptLimits;

/// The places for handshakes.
pub(super) struct Pending {
    places: Arc<Semaphore>,
    per_source_max: usize,
    per_source: Arc<PerSource>,
}

impl Pending {
    pub(super) fn new(limits: &AcceptLimits) -> Self {
        Self {
            places: Arc::new(Semaphore::new(limits.pending)),
            per_source_max: limits.pending_per_source,
            per_source: Arc::default(),
        }
    }

    /// Waits until there is room for one more: who comes meanwhile waits in the kernel's queue.
    #[expect(clippy::expect_used, reason = "the semaphore is private and never closed")]
    pub(super) async fn room(&self) -> OwnedSemaphorePermit {
        let places = Arc::clone(&self.places);
        places.acquire_owned().await.expect("never closed")
    }

    /// Takes the place for a connection from `address`, or none if too many came from there.
    pub(super) fn place(&self, room: OwnedSemaphorePermit, address: IpAddr) -> Option<Place> {
        let source = source(address);
        let mut counts = self.per_source.lock();
        let count = counts.entry(source).or_default();
        if *count >= self.per_source_max {
            return None;
        }
        *count += 1;
        Some(Place { source, per_source: Arc::clone(&self.per_source), _room: room })
    }
}

/// One handshake's place; free again when dropped.
pub(super) struct Place {
    source: IpAddr,
    per_source: Arc<PerSource>,
    _room: OwnedSemaphorePermit,
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut counts = self.per_source.lock();
        if let Some(count) = counts.get_mut(&self.source) {
            *count -= 1;
            if *count == 0 {
                counts.remove(&self.source);
            }
        }
    }
}

#[derive(Default)]
struct PerSource(Mutex<HashMap<IpAddr, usize>>);

impl PerSource {
    fn lock(&self) -> MutexGuard<'_, HashMap<IpAddr, usize>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An IPv4 address, or the network of an IPv6 address: one host has all of its /64.
fn source(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() & (u128::MAX << 64)).into(),
        v4 => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_source_gets_its_share_and_gets_it_back() {
        let limits = AcceptLimits { pending: 3, pending_per_source: 1, ..AcceptLimits::default() };
        let pending = Pending::new(&limits);
        let first = pending.place(pending.room().await, "2001:db8::1".parse().unwrap());
        assert!(first.is_some());
        let same_network = "2001:db8::2".parse().unwrap();
        assert!(pending.place(pending.room().await, same_network).is_none());
        let other = "192.0.2.1".parse().unwrap();
        let other_place = pending.place(pending.room().await, other);
        assert!(other_place.is_some());
        let mapped = "::ffff:192.0.2.1".parse().unwrap();
        assert!(pending.place(pending.room().await, mapped).is_none());
        drop(first);
        assert!(pending.place(pending.room().await, same_network).is_some());
        drop(other_place);
        assert!(pending.per_source.lock().is_empty());
    }
}
