//! Latencies in bounded memory: a log-bucketed histogram with three significant digits, so that any
//! number of measurements takes the same few hundred KiB.

use std::time::Duration;

use hdrhistogram::Histogram;
use serde::Serialize;

/// The longest that is told apart, in microseconds: ten minutes. What took longer counts as that.
const LONGEST: u64 = 600_000_000;
/// Significant decimal digits of a bucket.
const DIGITS: u8 = 3;

/// Many latencies.
#[derive(Debug)]
pub(super) struct Latencies(Option<Histogram<u64>>);

/// What many latencies come to, in milliseconds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct Quantiles {
    /// How many there were.
    pub count: u64,
    /// Half were no longer.
    pub p50: f64,
    /// 99 of 100 were no longer.
    pub p99: f64,
    /// 999 of 1,000 were no longer.
    pub p999: f64,
    /// The longest.
    pub max: f64,
}

impl Default for Latencies {
    fn default() -> Self {
        // Bounds and digits are constants that the crate accepts; without them nothing is recorded.
        Self(Histogram::new_with_bounds(1, LONGEST, DIGITS).ok())
    }
}

impl Latencies {
    /// Takes one.
    pub(super) fn record(&mut self, latency: Duration) {
        let micros = u64::try_from(latency.as_micros()).unwrap_or(LONGEST);
        if let Some(histogram) = &mut self.0 {
            histogram.saturating_record(micros.clamp(1, LONGEST));
        }
    }

    /// What they come to.
    #[must_use]
    pub(super) fn quantiles(&self) -> Quantiles {
        let Some(histogram) = &self.0 else { return Quantiles::default() };
        if histogram.is_empty() {
            return Quantiles::default();
        }
        Quantiles {
            count: histogram.len(),
            p50: millis(histogram.value_at_quantile(0.5)),
            p99: millis(histogram.value_at_quantile(0.99)),
            p999: millis(histogram.value_at_quantile(0.999)),
            max: millis(histogram.max()),
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "at most ten minutes of microseconds")]
fn millis(micros: u64) -> f64 {
    micros as f64 / 1000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_within_a_thousandth() {
        let mut latencies = Latencies::default();
        for micros in 1..=10_000 {
            latencies.record(Duration::from_micros(micros));
        }
        let Quantiles { count, p50, p99, p999, max } = latencies.quantiles();
        assert_eq!(count, 10_000);
        for (found, wanted) in [(p50, 5.0), (p99, 9.9), (p999, 9.99), (max, 10.0)] {
            assert!((found - wanted).abs() <= wanted / 500.0, "{found} for {wanted}");
        }
    }

    #[test]
    fn what_took_too_long_counts_as_the_longest() {
        let mut latencies = Latencies::default();
        latencies.record(Duration::from_secs(100_000));
        assert!(latencies.quantiles().max >= 600_000.0);
        assert_eq!(Latencies::default().quantiles(), Quantiles::default());
    }
}
