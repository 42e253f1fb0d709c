//! What only an operator can put right: raised where it happens, read by whoever raises alarms.

use std::sync::atomic::{AtomicBool, Ordering};

/// The troubles of a hub since it opened.
#[derive(Debug, Default)]
pub struct Troubles {
    clock_leapt: AtomicBool,
    set_aside: AtomicBool,
    seen_mismatch: AtomicBool,
}

impl Troubles {
    /// Whether the clock is ahead of the monotonic clock by more than it may be: nothing is committed
    /// until it is put right.
    pub(super) fn clock_leapt(&self, leapt: bool) {
        self.clock_leapt.store(leapt, Ordering::Relaxed);
    }

    /// An input couldn't be decided or applied and was set aside.
    pub(super) fn set_aside(&self) {
        self.set_aside.store(true, Ordering::Relaxed);
    }

    /// A signer has seen another ledger under this name: theirs or ours is not the one.
    pub(super) fn seen_mismatch(&self) {
        self.seen_mismatch.store(true, Ordering::Relaxed);
    }

    /// Whether commits pause because the clock leapt.
    #[must_use]
    pub fn has_clock_leapt(&self) -> bool {
        self.clock_leapt.load(Ordering::Relaxed)
    }

    /// Whether an input was set aside since the hub opened.
    #[must_use]
    pub fn has_set_aside(&self) -> bool {
        self.set_aside.load(Ordering::Relaxed)
    }

    /// Whether a signer had seen another ledger since the hub opened.
    #[must_use]
    pub fn has_seen_mismatch(&self) -> bool {
        self.seen_mismatch.load(Ordering::Relaxed)
    }
}
