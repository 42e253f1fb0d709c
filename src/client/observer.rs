//! What a client tells while it works, for progress bars and logs. It changes nothing.

use std::path::Path;
use std::time::Duration;

use super::error::CallError;
use super::inbox::DeliveryNote;
use super::verify::Report;

/// Hears how the work goes on. Every method does nothing unless it is written.
pub trait Observer: Send + Sync {
    /// So many bytes of a file are with the hub, of so many.
    fn uploaded(&self, _file: &Path, _done: u64, _total: u64) {}

    /// So many bytes of a file are here, of so many.
    fn downloaded(&self, _file: &Path, _done: u64, _total: u64) {}

    /// A call did not succeed and is made again after a wait.
    fn waiting(&self, _why: &CallError, _wait: Duration) {}

    /// A delivery (送达) is on stable storage, and was verified with this result.
    fn stored(&self, _delivery: &DeliveryNote, _folder: &Path, _report: &Report) {}

    /// The hub has settled these deliveries.
    fn settled(&self, _numbers: &[u64]) {}
}

/// Hears nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct Silent;

impl Observer for Silent {}
