//! Where everything stands at one moment: the difference of two is what a run came to.

use std::time::{Duration, Instant};

use super::hub::RunningHub;
use super::load::Load;
use super::subscribe::{Addressees, Came};
use super::{BenchError, SENDERS, SUBSCRIBERS, cpu};

/// The hub's counter of transactions that wrote something.
const COMMITS: &str = "xianjie_commits_total";

/// One moment.
#[derive(Debug, Clone, Copy)]
pub struct Sample {
    /// When.
    pub at: Instant,
    /// Documents with their receipt.
    pub documents: u64,
    /// What came to the addressees.
    pub came: Came,
    /// Processor time of the hub.
    pub server: Duration,
    /// Processor time of the senders.
    pub senders: Duration,
    /// Processor time of the subscribers.
    pub subscribers: Duration,
    /// Processor time of the whole machine.
    pub machine: Duration,
    /// Transactions of the hub.
    pub commits: f64,
}

impl Sample {
    /// Now.
    ///
    /// # Errors
    /// The hub has ended, or `/proc` can't be read.
    pub fn take(
        hub: &RunningHub,
        load: &Load,
        addressees: &Addressees,
    ) -> Result<Self, BenchError> {
        Ok(Self {
            commits: hub.counter(COMMITS)?,
            server: cpu::of_process(hub.process())?,
            senders: cpu::of_threads(SENDERS)?,
            subscribers: cpu::of_threads(SUBSCRIBERS)?,
            machine: cpu::of_machine()?,
            came: addressees.came(),
            documents: load.receipted(),
            at: Instant::now(),
        })
    }
}
