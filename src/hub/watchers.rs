//! Who follows the ledger record by record: so many of an agency, and few that read at a time. One
//! that begins at record 0 reads everything; the others, and everybody's documents, do not wait.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use futures::future::BoxFuture;
use tokio::sync::Semaphore;
use xianjie_core::ids::{AgencyCode, LedgerIndex};
use xianjie_core::limits;
use xianjie_core::refusal::{Reason, Refusal};

use super::Hub;
use super::submit::unavailable;
use crate::store::{Entry, Store};

/// The watchers of one hub; clones are the same.
#[derive(Debug, Clone)]
pub(super) struct Watchers {
    seats: Arc<Mutex<HashMap<AgencyCode, usize>>>,
    /// First come, first served.
    turns: Arc<Semaphore>,
}

/// A place among those who watch, given back when dropped.
pub struct Watcher {
    agency: AgencyCode,
    watchers: Watchers,
    store: Arc<dyn Store>,
}

impl Default for Watchers {
    fn default() -> Self {
        Self { seats: Arc::default(), turns: Arc::new(Semaphore::new(limits::WATCHERS_READING)) }
    }
}

impl Watchers {
    fn sit_down(&self, agency: AgencyCode, store: Arc<dyn Store>) -> Result<Watcher, Reason> {
        let mut seats = self.seats.lock().unwrap_or_else(PoisonError::into_inner);
        let taken = seats.entry(agency.clone()).or_default();
        if *taken >= limits::WATCHERS {
            return Err(Reason::Quota);
        }
        *taken += 1;
        Ok(Watcher { agency, watchers: self.clone(), store })
    }
}

impl Watcher {
    /// The agency in whose name it watches.
    #[must_use]
    pub fn agency(&self) -> &AgencyCode {
        &self.agency
    }

    /// The next page of the ledger, in turn with all others who ask. It may hold what is not
    /// published yet. The place in the line is kept as long as what is returned.
    ///
    /// # Errors
    /// The store can't be read now.
    pub fn page(&self, from: LedgerIndex) -> BoxFuture<'static, Result<Vec<Entry>, Refusal>> {
        let (turns, store) = (Arc::clone(&self.watchers.turns), Arc::clone(&self.store));
        Box::pin(async move {
            let _turn = turns.acquire_owned().await.map_err(unavailable)?;
            store.entries_from(from, limits::PAGE).await.map_err(unavailable)
        })
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        let mut seats = self.watchers.seats.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(taken) = seats.get_mut(&self.agency) {
            *taken -= 1;
            if *taken == 0 {
                seats.remove(&self.agency);
            }
        }
    }
}

impl Hub {
    /// A place among those who watch the ledger in the name of `agency`.
    ///
    /// # Errors
    /// [`Reason::Quota`]: as many of this agency watch already as may.
    pub fn watch(&self, agency: &AgencyCode) -> Result<Watcher, Reason> {
        self.watchers.sit_down(agency.clone(), Arc::clone(&self.shared.store))
    }
}

#[cfg(test)]
mod tests;
