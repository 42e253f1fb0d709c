//! Following the ledger record by record, in pages, for those who watch something in it. What one
//! watcher holds is bounded by a page.

use std::collections::VecDeque;

use futures::future::BoxFuture;
use tokio::sync::watch;
use xianjie_core::ids::{AgencyCode, LedgerIndex};
use xianjie_core::refusal::Refusal;

use crate::hub::{Hub, Watcher};
use crate::store::Entry;
use crate::wire::pb;
use crate::wire::time::write_time;

/// How far the ledger was read, and what was read but not looked at yet.
pub(super) struct Follow {
    watcher: Watcher,
    ledger: watch::Receiver<u64>,
    /// The first record that was not looked at yet.
    next: LedgerIndex,
    page: VecDeque<Entry>,
    reading: Option<BoxFuture<'static, Result<Vec<Entry>, Refusal>>>,
}

impl Follow {
    /// Follows the ledger above `after`, in the name of `agency`.
    ///
    /// # Errors
    /// As many of this agency watch already as may.
    pub(super) fn open(
        hub: &Hub,
        agency: &AgencyCode,
        after: Option<u64>,
    ) -> Result<Self, Refusal> {
        let next = after.map_or(LedgerIndex(0), |index| LedgerIndex(index.saturating_add(1)));
        Ok(Self {
            watcher: hub.watch(agency)?,
            ledger: hub.bell().ledger(),
            next,
            page: VecDeque::new(),
            reading: None,
        })
    }

    /// In whose name it watches.
    pub(super) fn agency(&self) -> &AgencyCode {
        self.watcher.agency()
    }

    /// The first record that was not looked at yet, once there is one. May be dropped and called
    /// again: a place in the line of those who read is kept.
    pub(super) async fn front(&mut self, hub: &Hub) -> Result<Entry, Refusal> {
        loop {
            let published = hub.published().size;
            if let Some(entry) = self.page.front().filter(|entry| entry.index.0 < published) {
                return Ok(entry.clone());
            }
            while self.next.0 >= hub.published().size {
                // The sender lives in the hub's bell.
                let _ = self.ledger.changed().await;
            }
            if !self.page.is_empty() {
                continue;
            }
            let reading = self.reading.get_or_insert_with(|| self.watcher.page(self.next));
            let page = reading.await;
            self.reading = None;
            self.page = page?.into();
        }
    }

    /// Whether all that is published was looked at.
    pub(super) fn is_at_head(&self, hub: &Hub) -> bool {
        self.page.is_empty() && self.next.0 >= hub.published().size
    }

    /// It was looked at.
    pub(super) fn pass(&mut self) {
        if let Some(entry) = self.page.pop_front() {
            self.next = entry.index.next();
        }
    }

    /// A sign of life: how far the ledger was looked at.
    pub(super) fn heartbeat(&self, hub: &Hub) -> pb::WatchHeartbeat {
        pb::WatchHeartbeat { hub_time: Some(write_time(hub.now())), ledger_size: self.next.0 }
    }
}
