//! Guards the ledger's time: a monotone ledger cannot come back from the future, so a clock that
//! leaps ahead of the monotonic clock pauses commits until it is put right, or the hub is restarted
//! by somebody who has looked.

use std::time::Instant;

use xianjie_core::ids::Time;
use xianjie_core::limits::CLOCK_STEP_MS;

/// Compares the wall clock with the monotonic clock since the hub opened.
#[derive(Debug)]
pub(super) struct ClockGuard {
    opened: Option<(Instant, Time)>,
}

impl ClockGuard {
    /// A guard that begins at `now`; none for a demonstration, whose days pass at once.
    pub(super) fn new(now: Time, is_demo: bool) -> Self {
        Self { opened: (!is_demo).then(|| (Instant::now(), now)) }
    }

    /// Whether the clock may be believed at `now`.
    pub(super) fn believes(&self, now: Time) -> bool {
        let Some((instant, time)) = self.opened else { return true };
        let passed = i64::try_from(instant.elapsed().as_millis()).unwrap_or(i64::MAX);
        now.0.saturating_sub(time.0).saturating_sub(passed) <= CLOCK_STEP_MS
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_leap_is_not_believed_and_a_step_back_is() {
        let guard = ClockGuard::new(Time(1_000_000), false);
        assert!(guard.believes(Time(1_000_000 + CLOCK_STEP_MS)));
        assert!(!guard.believes(Time(1_000_000 + CLOCK_STEP_MS + 60_000)));
        assert!(guard.believes(Time(0)));
    }

    #[test]
    fn a_demonstration_leaps_as_it_likes() {
        assert!(ClockGuard::new(Time(0), true).believes(Time(i64::MAX)));
    }
}
