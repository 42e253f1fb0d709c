//! How long to wait before the same bytes are sent again: 0.5 to 60 seconds, with jitter, for ever
//! (README, the ten questions).

use std::time::Duration;

use crate::entropy;

const SHORTEST: Duration = Duration::from_millis(500);
const LONGEST: Duration = Duration::from_secs(60);

/// The waits of one series of attempts.
#[derive(Debug, Clone, Copy)]
pub struct Backoff {
    /// The longest that the next wait may be.
    bound: Duration,
}

impl Default for Backoff {
    fn default() -> Self {
        Self { bound: SHORTEST }
    }
}

impl Backoff {
    /// The next wait: anywhere between half a second and a bound that doubles up to a minute, and not
    /// shorter than the hub asks for.
    pub fn next(&mut self, retry_after: Option<Duration>) -> Duration {
        let span = self.bound.saturating_sub(SHORTEST);
        self.bound = (self.bound * 2).min(LONGEST);
        // Without randomness the wait is the shortest; nothing depends on it.
        let [low, high] = entropy::random().unwrap_or_default();
        let share = f64::from(u16::from_be_bytes([high, low])) / f64::from(u16::MAX);
        (SHORTEST + span.mul_f64(share)).max(retry_after.unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_up_to_a_minute_and_heed_the_hub() {
        let mut backoff = Backoff::default();
        assert_eq!(backoff.next(None), SHORTEST);
        for _ in 0..20 {
            let wait = backoff.next(None);
            assert!((SHORTEST..=LONGEST).contains(&wait), "{wait:?}");
        }
        assert_eq!(backoff.bound, LONGEST);
        assert_eq!(backoff.next(Some(Duration::from_secs(90))), Duration::from_secs(90));
    }
}
