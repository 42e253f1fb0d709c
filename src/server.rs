//! Assembles a hub from its configuration, serves it, and drains it.
//!
//! What it is made of is read in `parts`, who is let in by which door stands in `doors`, what runs
//! beside the requests in `jobs`, and how a hub's folder is first made in [`founding`].

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::clock::{Clock, FileClock, SystemClock};
use crate::config::{Config, ConfigError};
use crate::http;
use crate::hub::{Fatal, Hub, OpenError};
use crate::identity::tls::TlsError;
use crate::services::{self, Alarms, Desk};
use crate::store::StoreError;
use crate::store::attachments::AttachmentError;

pub mod accept;
mod doors;
pub mod founding;
mod jobs;
mod parts;

use doors::{Door, Kind};
pub use parts::FileError;

/// The exit code of a hub whose store failed or whose ledger is not the published one: a supervisor
/// may start it again, which passes the fence, or must not, which it tells itself.
pub const EXIT_FATAL: u8 = 70;

/// How far a clock may be behind the ledger's last record, in milliseconds.
const CLOCK_BEHIND_MS: i64 = 60_000;
/// How long requests may go on after the hub was asked to stop.
const DRAIN: Duration = Duration::from_secs(10);

/// A hub that is to be started.
#[derive(Debug, Clone, Copy)]
pub struct Server;

/// A hub that runs.
pub struct Running {
    hub: Option<Arc<Hub>>,
    addresses: Addresses,
    doors: Vec<Arc<Door>>,
    /// Cancelled: no more connections, and those there are leave.
    leave: CancellationToken,
    serving: TaskTracker,
    /// Cancelled: the jobs end.
    quit: CancellationToken,
    jobs: TaskTracker,
    ended: JoinHandle<Result<(), Fatal>>,
}

/// Where a hub listens: with the ports that it got.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Addresses {
    /// gRPC for agencies' systems.
    pub agencies: SocketAddr,
    /// gRPC for operators.
    pub operators: SocketAddr,
    /// Tiles, health and metrics.
    pub http: SocketAddr,
}

/// Why a hub does not start. Nothing was written.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The configuration.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// Another process listens there.
    #[error("{address} ([listen] {what}) is in use by another process")]
    PortInUse {
        /// The key in the configuration.
        what: &'static str,
        /// The address.
        address: SocketAddr,
    },
    /// The system does not let it listen there.
    #[error("can't listen on {address} ([listen] {what})")]
    Listen {
        /// The key in the configuration.
        what: &'static str,
        /// The address.
        address: SocketAddr,
        /// Why.
        source: std::io::Error,
    },
    /// A key or a certificate.
    #[error(transparent)]
    File(#[from] FileError),
    /// The checkpoint key is another than the ledger was opened with.
    #[error("the checkpoint key is not the one that the ledger names: {0}")]
    CheckpointKey(String),
    /// TLS.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The rulebooks and the documents' schema disagree: a defect of the program.
    #[error("the rulebooks and the documents' schema disagree: {0}")]
    Law(String),
    /// The clock is behind the ledger: every record would bear the last one's time.
    #[error(
        "the clock is {seconds} seconds behind the ledger's last record: set the machine's clock"
    )]
    ClockBehind {
        /// By how much.
        seconds: i64,
    },
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Attachments.
    #[error(transparent)]
    Attachments(#[from] AttachmentError),
    /// The hub.
    #[error(transparent)]
    Open(#[from] OpenError),
}

impl Server {
    /// Starts a hub on the machine's clock, or a demonstration's on the file that the configuration
    /// names.
    ///
    /// # Errors
    /// [`StartError`].
    pub async fn start(config: Config) -> Result<Running, StartError> {
        let clock: Arc<dyn Clock> = match &config.demo.clock_file {
            Some(file) => Arc::new(FileClock::new(file.clone())),
            None => Arc::new(SystemClock),
        };
        Self::start_at(config, clock).await
    }

    /// Starts a hub on this clock.
    ///
    /// # Errors
    /// [`StartError`].
    pub async fn start_at(config: Config, clock: Arc<dyn Clock>) -> Result<Running, StartError> {
        let origin = config.origin()?;
        let agencies = listen("agencies", config.listen.agencies).await?;
        let operators = listen("operators", config.listen.operators).await?;
        let public = listen("http", config.listen.http).await?;
        let at = |listener: &TcpListener, given| listener.local_addr().unwrap_or(given);
        let addresses = Addresses {
            agencies: at(&agencies, config.listen.agencies),
            operators: at(&operators, config.listen.operators),
            http: at(&public, config.listen.http),
        };
        let parts = parts::read(&config, origin, clock).await?;
        let (hub, tasks) = Hub::open(parts).await?;
        let behind = hub.store().head().await?.time.0 - hub.now().0;
        if behind > CLOCK_BEHIND_MS {
            return Err(StartError::ClockBehind { seconds: behind / 1000 });
        }
        let doors = [Kind::Agencies, Kind::Operators]
            .map(|kind| Door::new(kind, &config.tls, &hub).map(Arc::new));
        let [agencies_door, operators_door] = doors;
        let (agencies_door, operators_door) = (agencies_door?, operators_door?);
        let desk = Desk { hub: Arc::clone(&hub), alarms: Arc::new(Alarms::default()) };
        let running = Running {
            addresses,
            doors: vec![Arc::clone(&agencies_door), Arc::clone(&operators_door)],
            leave: CancellationToken::new(),
            serving: TaskTracker::new(),
            quit: CancellationToken::new(),
            jobs: TaskTracker::new(),
            ended: tokio::spawn(tasks.ended()),
            hub: Some(hub),
        };
        running.serve(&agencies_door, agencies, services::agencies(&desk));
        running.serve(&operators_door, operators, services::operators(&desk));
        running.serve_public(public, &desk);
        jobs::spawn(&running.jobs, &running.quit, &desk, &running.doors, &config);
        tracing::info!(?addresses, origin = %desk.hub.origin(), "open");
        Ok(running)
    }
}

impl Running {
    /// Where it listens.
    #[must_use]
    pub fn addresses(&self) -> Addresses {
        self.addresses
    }

    /// The hub. Whoever keeps it keeps [`stop`](Self::stop) from ending.
    #[must_use]
    pub fn hub(&self) -> Option<&Arc<Hub>> {
        self.hub.as_ref()
    }

    /// Serves until the process is asked to end (SIGTERM, SIGINT), then stops; or until the hub
    /// fails.
    ///
    /// # Errors
    /// [`Fatal`]: the process must end with [`EXIT_FATAL`].
    pub async fn run(mut self) -> Result<(), Fatal> {
        tokio::select! {
            () = jobs::asked_to_end() => self.stop().await,
            ended = &mut self.ended => failed(ended),
        }
    }

    /// Stops: no more connections; those there are leave within ten seconds, and what is queued is
    /// still decided.
    ///
    /// # Errors
    /// [`Fatal`].
    pub async fn stop(mut self) -> Result<(), Fatal> {
        self.leave.cancel();
        self.serving.close();
        if timeout(DRAIN, self.serving.wait()).await.is_err() {
            for door in &self.doors {
                door.cut_all();
            }
        }
        self.quit.cancel();
        self.jobs.close();
        self.jobs.wait().await;
        if let Some(hub) = self.hub.take() {
            hub.write_refusals().await;
            hub.drain();
        }
        self.doors.clear();
        match timeout(DRAIN, &mut self.ended).await {
            Ok(ended) => failed(ended),
            Err(_) => {
                tracing::warn!("something still holds the hub; it ends with the process");
                Ok(())
            }
        }
    }

    fn serve(&self, door: &Arc<Door>, listener: TcpListener, routes: tonic::service::Routes) {
        self.serving.spawn(door.serve(routes, listener, self.leave.clone()));
    }

    fn serve_public(&self, listener: TcpListener, desk: &Desk) {
        let routes = http::routes(Arc::clone(&desk.hub), doors::gauges(&self.doors, desk));
        let bounds = http::PublicLimits::default();
        self.serving.spawn(http::serve(listener, routes, bounds, self.leave.clone()));
    }
}

impl Drop for Running {
    /// Not stopped, but dropped: as after a kill, what is queued may be decided or not.
    fn drop(&mut self) {
        self.leave.cancel();
        self.quit.cancel();
    }
}

async fn listen(what: &'static str, address: SocketAddr) -> Result<TcpListener, StartError> {
    TcpListener::bind(address).await.map_err(|source| match source.kind() {
        std::io::ErrorKind::AddrInUse => StartError::PortInUse { what, address },
        _ => StartError::Listen { what, address, source },
    })
}

fn failed(ended: Result<Result<(), Fatal>, tokio::task::JoinError>) -> Result<(), Fatal> {
    ended.unwrap_or_else(|error| Err(Fatal::Store(error.to_string())))
}
