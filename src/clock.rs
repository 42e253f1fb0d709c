//! Statutory time: the only clock whose readings reach the ledger. Transport's timeouts are tokio's
//! and never do.

use std::path::PathBuf;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use xianjie_core::ids::Time;

/// What time it is.
pub trait Clock: Send + Sync + 'static {
    /// Now.
    fn now(&self) -> Time;
}

/// The machine's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the one place that reads it")]
    fn now(&self) -> Time {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Time(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
    }
}

/// A clock that stands until it is set: for tests and stories.
#[derive(Debug, Default)]
pub struct ManualClock(AtomicI64);

impl ManualClock {
    /// A clock that shows `time`.
    #[must_use]
    pub fn at(time: Time) -> Self {
        Self(AtomicI64::new(time.0))
    }

    /// Shows `time` from now on.
    pub fn set(&self, time: Time) {
        self.0.store(time.0, Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Time {
        Time(self.0.load(Ordering::SeqCst))
    }
}

/// A clock in a file that another process writes: milliseconds since 1970. Only a ledger whose origin
/// ends in `.demo` may run on one.
#[derive(Debug)]
pub struct FileClock {
    path: PathBuf,
    last: AtomicI64,
}

impl FileClock {
    /// The clock in `path`. A file that cannot be read shows the last time that it showed.
    #[must_use]
    pub fn new(path: PathBuf) -> Self {
        Self { path, last: AtomicI64::new(0) }
    }
}

impl Clock for FileClock {
    fn now(&self) -> Time {
        let read = std::fs::read_to_string(&self.path).ok();
        if let Some(time) = read.and_then(|text| text.trim().parse().ok()) {
            self.last.fetch_max(time, Ordering::SeqCst);
        }
        Time(self.last.load(Ordering::SeqCst))
    }
}
