//! A run from its first subscription to its last acknowledgement.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::runtime::Runtime;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::timeout;
use tonic::transport::Channel;
use xianjie_core::ids::Time;

use super::fsyncs::Fsyncs;
use super::hub::RunningHub;
use super::latency::Quantiles;
use super::load::Load;
use super::papers::Papers;
use super::pushes::Pushes;
use super::report::Report;
use super::sample::Sample;
use super::stage::Stage;
use super::subscribe::Addressees;
use super::{BenchError, Plan, Scenario, Until, raw};

/// How long what is in flight may take after the last document.
const DRAIN: Duration = Duration::from_secs(20);
/// How often the run looks whether it is over.
const LOOK: Duration = Duration::from_millis(10);
/// Before anything is measured.
const WARM_UP: Duration = Duration::from_secs(2);
/// How long the rate of a closed loop is taken for an open loop's.
const CALIBRATION: Duration = Duration::from_secs(4);

/// A run under way.
pub(super) struct Run<'a> {
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
    pub(super) fn begin(
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
        let addressees = Addressees::new(Arc::clone(&stage), Arc::clone(&pushes), now, plan.verify);
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
    pub(super) fn measure(mut self, folder: &Path, disk: Quantiles) -> Result<Report, BenchError> {
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
