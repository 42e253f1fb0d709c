//! Room on the store's disk: measured beside the requests, and asked by each document. When only the
//! reserve is left, documents wait, and what must not wait goes on: acknowledgements, rejections,
//! suspensions.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use xianjie_core::refusal::{Reason, Refusal, Violation};

use super::Hub;
use super::submit::unavailable;
use crate::store::Reserve;

/// What was last measured.
#[derive(Debug, Default)]
pub(super) struct Room {
    reserve: Reserve,
    free: AtomicU64,
    is_short: AtomicBool,
}

impl Room {
    /// Nothing is measured yet.
    pub(super) fn new(reserve: Reserve) -> Self {
        Self { reserve, ..Self::default() }
    }
}

impl Hub {
    /// Measures the room that the store has; documents are taken or wait accordingly from here on.
    /// Returns whether only the reserve is left.
    ///
    /// # Errors
    /// It can't be measured now; what was measured before holds.
    pub async fn measure_room(&self) -> Result<bool, Refusal> {
        let space = self.shared.store.space().await.map_err(unavailable)?;
        let is_short = space.for_documents(self.room.reserve) == 0;
        self.room.free.store(space.free, Ordering::Relaxed);
        self.room.is_short.store(is_short, Ordering::Relaxed);
        Ok(is_short)
    }

    /// Bytes free where the ledger is written, as last measured.
    #[must_use]
    pub fn free_bytes(&self) -> u64 {
        self.room.free.load(Ordering::Relaxed)
    }

    /// Whether there is room for documents.
    pub(super) fn check_room(&self) -> Result<(), Refusal> {
        if self.room.is_short.load(Ordering::Relaxed) {
            let short = Violation::new(Reason::StoreUnavailable, "");
            let english = "what is left of the disk is for acknowledgements";
            return Err(short.help_in(english, "磁盘余量只供签收使用").into());
        }
        Ok(())
    }
}
