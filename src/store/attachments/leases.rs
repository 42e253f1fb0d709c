//! Who writes which file: one upload a file, and no collector while there is one.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::Key;

/// The uploads under way, with their promised sizes.
#[derive(Clone, Default)]
pub(super) struct Leases(Arc<Mutex<HashMap<Key, u64>>>);

impl Leases {
    /// Takes the file for an upload, or none if it is taken.
    pub(super) fn take(&self, key: &Key, size: u64) -> Option<Lease> {
        let mut leases = self.lock();
        if leases.contains_key(key) {
            return None;
        }
        leases.insert(key.clone(), size);
        Some(Lease { key: key.clone(), leases: self.clone() })
    }

    /// Keeps uploads from beginning, and claims and the collector apart, while it is held.
    pub(super) fn lock(&self) -> MutexGuard<'_, HashMap<Key, u64>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A file taken for an upload; free again when dropped.
pub(super) struct Lease {
    key: Key,
    leases: Leases,
}

impl Lease {
    /// The file.
    pub(super) fn key(&self) -> &Key {
        &self.key
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.leases.lock().remove(&self.key);
    }
}
