//! The bench (压测): what the hub does on this machine, on this disk, now.
//!
//! It founds a hub in a temporary folder, starts this very program on it as a child process, and
//! drives it over real mutual TLS as agencies' systems would: documents signed one by one, receipts,
//! pushes to subscribers, signed acknowledgements, all of it in the ledger. It measures the load's
//! own cost apart, the disk's sync in the same run, and, if asked, PostgreSQL beside it: on a shared
//! machine only ratios within one run count.
//!
//! It is no test: what the hub answers is believed, unless `verify` is asked for.

use std::error::Error;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::runtime::{Builder, Runtime};
use xianjie_core::ids::Time;
use xianjie_core::limits;

mod cpu;
mod disk;
mod fsyncs;
mod hub;
mod latency;
mod load;
mod papers;
mod postgres;
mod pushes;
mod raw;
mod report;
mod run;
mod sample;
mod stage;
mod subscribe;

pub use report::Report;

use crate::client::error::CallError;
use crate::entropy::NoEntropy;
use crate::identity::signature::Algorithm;
use hub::RunningHub;
use postgres::PostgresError;
use run::Run;
use stage::Stage;

/// Names of the threads whose processor time is told apart.
const SENDERS: &str = "bench-send";
const SUBSCRIBERS: &str = "bench-receive";
/// Which load.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Scenario {
    /// `SubmitDocument`, a number in flight.
    Submit,
    /// `SubmitDocuments`, a number undecided.
    Stream,
    /// An open loop at a rate, to see how long a push takes.
    Deliver,
    /// Half unary, half streams, one of twenty documents a verdict that opens a case.
    Mixed,
}

/// When a run ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Until {
    /// After so many seconds.
    Seconds(u64),
    /// After so many documents.
    Documents(u64),
}

/// What to run.
#[derive(Debug, Clone, serde::Serialize)]
pub struct Plan {
    /// Which load.
    pub scenario: Scenario,
    /// How many agencies send to each other.
    pub agencies: usize,
    /// How many addressees a document has.
    pub recipients: usize,
    /// How many documents are in flight, over all connections.
    pub in_flight: usize,
    /// Over how many connections.
    pub connections: usize,
    /// When the measured part ends.
    pub until: Until,
    /// About how many bytes a document has.
    pub bytes: usize,
    /// Documents a second of an open loop; none: half of what a closed loop reaches.
    pub rate: Option<u64>,
    /// Documents are signed with ECDSA P-256 rather than Ed25519.
    pub ecdsa: bool,
    /// Addressees subscribe and acknowledge.
    pub subscribers: bool,
    /// Receipts are verified by senders and addressees.
    pub verify: bool,
    /// PostgreSQL is measured too.
    pub pgbench: bool,
    /// The hub's calls of `fsync` and `fdatasync` are counted, which slows it.
    pub strace: bool,
    /// The folder to run in and to leave behind; none: a temporary one.
    #[serde(skip)]
    pub keep: Option<PathBuf>,
}

/// Why there is no result.
#[derive(Debug, thiserror::Error)]
pub enum BenchError {
    /// A plan that makes no sense.
    #[error("{0}")]
    Plan(&'static str),
    /// A file, a process or a socket.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// A program that the bench runs failed.
    #[error("`{what}` failed: {said}")]
    Command {
        /// Which.
        what: &'static str,
        /// What it said.
        said: String,
    },
    /// The agencies can't be made, or the load.
    #[error("the bench can't be set up")]
    Stage(#[source] Box<dyn Error + Send + Sync>),
    /// No connection.
    #[error("cannot connect to the hub")]
    Connect(#[source] tonic::transport::Error),
    /// The hub refused.
    #[error("the hub refused what it should take")]
    Call(#[from] CallError),
    /// The hub answered what it never should.
    #[error("the hub's answer: {0}")]
    Answer(&'static str),
    /// PostgreSQL.
    #[error(transparent)]
    Postgres(#[from] PostgresError),
}

impl BenchError {
    fn stage(error: impl Error + Send + Sync + 'static) -> Self {
        Self::Stage(Box::new(error))
    }
}

impl From<NoEntropy> for BenchError {
    fn from(error: NoEntropy) -> Self {
        Self::stage(error)
    }
}

impl Plan {
    /// # Errors
    /// [`BenchError::Plan`].
    fn check(&self) -> Result<(), BenchError> {
        let fits = [
            (self.recipients > 0, "a document needs an addressee"),
            (self.agencies > self.recipients, "there must be more agencies than recipients"),
            (self.connections > 0, "there must be a connection"),
            (
                self.connections <= limits::CONNECTIONS_PER_KEY,
                "one system may have 8 connections at most",
            ),
            (self.in_flight >= self.connections, "each connection needs a document in flight"),
            (
                self.in_flight <= limits::UNDECIDED * self.connections,
                "at most 256 documents may be in flight on one connection",
            ),
        ];
        fits.into_iter()
            .find(|(fits, _)| !fits)
            .map_or(Ok(()), |(_, why)| Err(BenchError::Plan(why)))
    }
}

/// Runs the plan. `now` is the time by the caller's clock: documents bear it.
///
/// Blocks; it makes threads of its own.
///
/// # Errors
/// [`BenchError`].
pub fn run(plan: &Plan, now: Time) -> Result<Report, BenchError> {
    plan.check()?;
    let folder = Folder::make(plan.keep.as_deref())?;
    let hub_folder = folder.path.join("hub");
    let hub = RunningHub::start(&hub_folder)?;
    let senders = runtime(SENDERS)?;
    let subscribers = runtime(SUBSCRIBERS)?;
    let algorithm = if plan.ecdsa { Algorithm::EcdsaP256Sha256 } else { Algorithm::Ed25519 };
    let with_court = plan.scenario == Scenario::Mixed;
    let stage = Stage::set(&hub_folder, &hub, now, plan.agencies, with_court, algorithm);
    let stage = Arc::new(senders.block_on(stage)?);
    let run = Run::begin(plan, hub, stage, now, &senders, &subscribers)?;
    let disk = disk::measure(&hub_folder)?;
    let mut report = run.measure(&folder.path, disk)?;
    if plan.pgbench {
        let seconds = if let Until::Seconds(seconds) = plan.until { seconds } else { 10 };
        report.compare(postgres::measure(&folder.path, plan.bytes, seconds)?);
    }
    Ok(report)
}

fn runtime(name: &'static str) -> Result<Runtime, BenchError> {
    Ok(Builder::new_multi_thread().worker_threads(1).thread_name(name).enable_all().build()?)
}

/// The folder of a run: removed at its end, unless it was asked for.
struct Folder {
    path: PathBuf,
    is_kept: bool,
}

impl Folder {
    fn make(keep: Option<&Path>) -> Result<Self, BenchError> {
        let temporary =
            || std::env::temp_dir().join(format!("xianjie-bench-{}", std::process::id()));
        let path = keep.map_or_else(temporary, Path::to_owned);
        fs::create_dir_all(&path)?;
        Ok(Self { path, is_kept: keep.is_some() })
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if !self.is_kept {
            // What can't be removed is in the system's folder for temporary files.
            let _ = fs::remove_dir_all(&self.path);
        }
    }
}
