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
use std::time::{Duration, Instant};

use tokio::runtime::{Builder, Runtime};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::timeout;
use tonic::transport::Channel;
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
mod sample;
mod stage;
mod subscribe;

pub use report::Report;

use crate::client::error::CallError;
use crate::entropy::NoEntropy;
use crate::identity::signature::Algorithm;
use fsyncs::Fsyncs;
use hub::RunningHub;
use load::Load;
use papers::Papers;
use postgres::PostgresError;
use pushes::Pushes;
use sample::Sample;
use stage::Stage;
use subscribe::Addressees;

/// Names of the threads whose processor time is told apart.
const SENDERS: &str = "bench-send";
const SUBSCRIBERS: &str = "bench-receive";
/// How long what is in flight may take after the last document.
const DRAIN: Duration = Duration::from_secs(20);
/// How often the run looks whether it is over.
const LOOK: Duration = Duration::from_millis(10);
/// Before anything is measured.
const WARM_UP: Duration = Duration::from_secs(2);
/// How long the rate of a closed loop is taken for an open loop's.
const CALIBRATION: Duration = Duration::from_secs(4);

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
        fits.into_iter().find(|(fits, _)| !fits).map_or(Ok(()), |(_, why)| {
            Err(BenchError::Plan(why))
        })
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
    hub::found(&hub_folder)?;
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

/// A run under way.
struct Run<'a> {
    plan: &'a Plan,
    hub: RunningHub,
    senders: &'a Runtime,
    load: Arc<Load>,
    pushes: Arc<Pushes>,
    addressees: Arc<Addressees>,
    channels: Vec<Channel>,
    sending: JoinSet<Result<(), BenchError>>,
    receiving: JoinSet<Result<(), BenchError>>,
}

impl<'a> Run<'a> {
    /// Subscribes everybody and connects the senders.
    fn begin(
        plan: &'a Plan,
        hub: RunningHub,
        stage: Arc<Stage>,
        now: Time,
        senders: &'a Runtime,
        subscribers: &Runtime,
    ) -> Result<Self, BenchError> {
        let pushes = Arc::new(Pushes::default());
        let with_verdicts = plan.scenario == Scenario::Mixed;
        let verify = plan.verify.then(|| stage.trust.clone());
        let papers =
            Papers::new(Arc::clone(&stage), now, plan.bytes, plan.recipients, with_verdicts);
        let load = Load::new(papers, Arc::clone(&pushes), verify);
        let addressees =
            Addressees::new(Arc::clone(&stage), Arc::clone(&pushes), now, plan.verify);
        let mut receiving = JoinSet::new();
        if plan.subscribers {
            subscribers.block_on(subscribe(&addressees, &stage, &hub, &mut receiving))?;
        }
        let channels = senders.block_on(async {
            let mut channels = Vec::with_capacity(plan.connections);
            for _ in 0..plan.connections {
                channels.push(raw::connect(hub.agencies, &stage.gateway).await?);
            }
            Ok::<_, BenchError>(channels)
        })?;
        let sending = JoinSet::new();
        Ok(Self { plan, hub, senders, load, pushes, addressees, channels, sending, receiving })
    }

    /// Warms up, measures, drains, and says what it came to.
    fn measure(mut self, folder: &Path, disk: latency::Quantiles) -> Result<Report, BenchError> {
        let rate = match (self.plan.scenario, self.plan.rate) {
            (Scenario::Deliver, None) => Some(self.calibrate()?),
            (Scenario::Deliver, rate) => rate,
            _ => None,
        };
        self.start(rate);
        self.look_until(|_| false, WARM_UP)?;
        let tracing = match self.plan.strace {
            true => Some(Fsyncs::attach(self.hub.process(), folder)?),
            false => None,
        };
        self.load.begin();
        self.pushes.begin();
        let before = self.sample()?;
        match self.plan.until {
            Until::Seconds(seconds) => {
                self.look_until(|_| false, Duration::from_secs(seconds))?;
            }
            Until::Documents(count) => {
                let until = before.documents.saturating_add(count);
                self.look_until(|load| load.receipted() >= until, Duration::MAX)?;
            }
        }
        let after = self.sample()?;
        let report = Report::new(self.plan, rate, &before, &after, disk);
        let mut report = report.latencies(&self.load, self.pushes.pushed());
        if let Some(tracing) = tracing {
            report.fsyncs(tracing.count()?);
        }
        report.undelivered = self.drain()?;
        self.hub.stop()?;
        Ok(report)
    }

    /// Half of what a closed loop reaches.
    fn calibrate(&mut self) -> Result<u64, BenchError> {
        self.unary(self.plan.in_flight);
        self.look_until(|_| false, WARM_UP)?;
        let (before, began) = (self.load.receipted(), Instant::now());
        self.look_until(|_| false, CALIBRATION)?;
        let reached = u128::from(self.load.receipted() - before) * 1000;
        let rate = reached / began.elapsed().as_millis().max(1) / 2;
        self.load.stop();
        self.ended()?;
        self.load.resume();
        Ok(u64::try_from(rate).unwrap_or(u64::MAX).max(1))
    }

    fn start(&mut self, rate: Option<u64>) {
        let in_flight = self.plan.in_flight;
        match (self.plan.scenario, rate) {
            (Scenario::Submit, _) => self.unary(in_flight),
            (Scenario::Stream, _) => self.stream(in_flight),
            (Scenario::Mixed, _) => {
                self.unary(in_flight.div_ceil(2));
                self.stream(in_flight / 2);
            }
            (Scenario::Deliver, rate) => {
                let (load, channels) = (Arc::clone(&self.load), self.channels.clone());
                let open = load.open_loop(channels, rate.unwrap_or(1));
                self.sending.spawn_on(open, self.senders.handle());
            }
        }
    }

    fn unary(&mut self, in_flight: usize) {
        for channel in self.channels.iter().cycle().take(in_flight) {
            let sender = Arc::clone(&self.load).unary(channel.clone());
            self.sending.spawn_on(sender, self.senders.handle());
        }
    }

    fn stream(&mut self, in_flight: usize) {
        let window = in_flight / self.channels.len();
        for channel in self.channels.iter().filter(|_| window > 0) {
            let sender = Arc::clone(&self.load).stream(channel.clone(), window);
            self.sending.spawn_on(sender, self.senders.handle());
        }
    }

    /// Waits until `over` or so long, and watches that nobody has failed.
    fn look_until(
        &mut self,
        over: impl Fn(&Load) -> bool,
        longest: Duration,
    ) -> Result<(), BenchError> {
        let began = Instant::now();
        while began.elapsed() < longest && !over(&self.load) {
            std::thread::sleep(LOOK.min(longest.saturating_sub(began.elapsed())));
            for tasks in [&mut self.sending, &mut self.receiving] {
                if let Some(ended) = tasks.try_join_next() {
                    ended.map_err(BenchError::stage)??;
                    return Err(BenchError::Answer("the load ended by itself"));
                }
            }
        }
        Ok(())
    }

    /// Waits for all senders to end.
    fn ended(&mut self) -> Result<(), BenchError> {
        let sending = &mut self.sending;
        let all = async {
            while let Some(ended) = sending.join_next().await {
                ended.map_err(BenchError::stage)??;
            }
            Ok(())
        };
        let all = self.senders.block_on(async { timeout(DRAIN, all).await });
        all.unwrap_or(Err(BenchError::Answer("none, for documents in flight")))
    }

    /// Stops the senders, and waits until every delivery is acknowledged; how many are not.
    fn drain(&mut self) -> Result<u64, BenchError> {
        self.load.stop();
        self.ended()?;
        if !self.plan.subscribers {
            return Ok(0);
        }
        let began = Instant::now();
        let missing =
            |run: &Self| run.load.addressed().saturating_sub(run.addressees.came().settled);
        while missing(self) > 0 && began.elapsed() < DRAIN {
            std::thread::sleep(LOOK);
        }
        Ok(missing(self))
    }

    fn sample(&self) -> Result<Sample, BenchError> {
        Sample::take(&self.hub, &self.load, &self.addressees)
    }
}

async fn subscribe(
    addressees: &Arc<Addressees>,
    stage: &Stage,
    hub: &RunningHub,
    receiving: &mut JoinSet<Result<(), BenchError>>,
) -> Result<(), BenchError> {
    let (ready, mut standing) = mpsc::channel(1);
    let count = stage.everybody().count();
    for place in 0..count {
        receiving.spawn(Arc::clone(addressees).serve(place, hub.agencies, ready.clone()));
        // One after the other: a crowd of handshakes from one address is refused.
        tokio::select! {
            _ = standing.recv() => {}
            Some(ended) = receiving.join_next() => {
                ended.map_err(BenchError::stage)??;
                return Err(BenchError::Answer("a subscription ended"));
            }
        }
    }
    Ok(())
}

/// The folder of a run: removed at its end, unless it was asked for.
struct Folder {
    path: PathBuf,
    is_kept: bool,
}

impl Folder {
    fn make(keep: Option<&Path>) -> Result<Self, BenchError> {
        let temporary = || {
            std::env::temp_dir().join(format!("xianjie-bench-{}", std::process::id()))
        };
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
