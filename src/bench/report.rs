//! What a run came to, for people and for programs.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use serde::Serialize;

use super::latency::Quantiles;
use super::load::Load;
use super::postgres::Postgres;
use super::pushes::Pushed;
use super::sample::Sample;
use super::{Plan, Scenario};

/// What a run came to.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// What was run.
    pub plan: Plan,
    /// Documents a second that an open loop sent.
    pub rate: Option<u64>,
    /// How long the measured part took, in seconds.
    pub seconds: f64,
    /// Documents that got their receipt in it.
    pub documents: u64,
    /// Documents a second.
    pub documents_per_second: f64,
    /// From sending to receipt, in milliseconds.
    pub latency_ms: Quantiles,
    /// How long a document took to its addressees, in milliseconds.
    pub pushes_ms: Pushed,
    /// Deliveries that came to subscribers.
    pub delivered: u64,
    /// Deliveries that were acknowledged in the ledger.
    pub acknowledged: u64,
    /// Statements that did it.
    pub statements: u64,
    /// Deliveries that were not acknowledged some time after the last document: should be 0.
    pub undelivered: u64,
    /// Documents that had to be sent again, by reason.
    pub sent_again: BTreeMap<String, u64>,
    /// Transactions of the hub, per document.
    pub commits_per_document: f64,
    /// Syncs of the hub, per document, if they were counted.
    pub fsyncs_per_document: Option<f64>,
    /// Processor time, per document.
    pub cpu_us_per_document: Cpu,
    /// Of the machine's processors, the part that others used: what disturbed the run.
    pub used_by_others: f64,
    /// 1 KiB appended and synced on the same file system, in milliseconds.
    pub disk_ms: Quantiles,
    /// PostgreSQL beside it.
    pub postgres: Option<Compared>,
}

/// Processor time in microseconds.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Cpu {
    /// Of the hub.
    pub server: f64,
    /// Of the senders, signatures included.
    pub senders: f64,
    /// Of the subscribers.
    pub subscribers: f64,
}

/// PostgreSQL's rates, and the hub's as a part of them.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Compared {
    /// Rows a second.
    #[serde(flatten)]
    pub rows_per_second: Postgres,
    /// The hub's documents a second by PostgreSQL's rows a second with 32 clients.
    pub ratio: f64,
}

impl Report {
    /// What lies between two moments.
    #[must_use]
    pub fn new(
        plan: &Plan,
        rate: Option<u64>,
        before: &Sample,
        after: &Sample,
        disk_ms: Quantiles,
    ) -> Self {
        let seconds = after.at.duration_since(before.at).as_secs_f64();
        let documents = after.documents - before.documents;
        let micros = |before: Duration, after: Duration| {
            per(after.saturating_sub(before).as_secs_f64() * 1e6, documents)
        };
        let used = |sample: &Sample| sample.server + sample.senders + sample.subscribers;
        let machine = after.machine.saturating_sub(before.machine);
        let ours = used(after).saturating_sub(used(before));
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        let others = machine.saturating_sub(ours).as_secs_f64();
        Self {
            plan: plan.clone(),
            rate,
            seconds,
            documents,
            documents_per_second: count(documents) / seconds,
            latency_ms: Quantiles::default(),
            pushes_ms: Pushed::default(),
            delivered: after.came.delivered - before.came.delivered,
            acknowledged: after.came.settled - before.came.settled,
            statements: after.came.statements - before.came.statements,
            undelivered: 0,
            sent_again: BTreeMap::new(),
            commits_per_document: per(after.commits - before.commits, documents),
            fsyncs_per_document: None,
            cpu_us_per_document: Cpu {
                server: micros(before.server, after.server),
                senders: micros(before.senders, after.senders),
                subscribers: micros(before.subscribers, after.subscribers),
            },
            used_by_others: others / seconds / count(processors as u64),
            disk_ms,
            postgres: None,
        }
    }

    /// With what senders and subscribers measured.
    #[must_use]
    pub fn latencies(self, load: &Load, pushes_ms: Pushed) -> Self {
        Self { latency_ms: load.latencies(), sent_again: load.sent_again(), pushes_ms, ..self }
    }

    /// Takes the number of syncs.
    pub fn fsyncs(&mut self, fsyncs: u64) {
        self.fsyncs_per_document = Some(per(count(fsyncs), self.documents));
    }

    /// Takes PostgreSQL's rates.
    pub fn compare(&mut self, rows_per_second: Postgres) {
        let ratio = self.documents_per_second / rows_per_second.parallel;
        self.postgres = Some(Compared { rows_per_second, ratio });
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Plan { agencies, recipients, in_flight, connections, bytes, ecdsa, .. } = self.plan;
        let scenario = match self.plan.scenario {
            Scenario::Submit => "unary",
            Scenario::Stream => "stream",
            Scenario::Deliver => "open loop",
            Scenario::Mixed => "unary and stream, 5 % verdicts",
        };
        let signed = if ecdsa { "ECDSA P-256" } else { "Ed25519" };
        writeln!(
            f,
            "{scenario}: {in_flight} in flight over {connections} connections, {agencies} \
             agencies, {recipients} addressees, {bytes} B, {signed}"
        )?;
        let mut line = |name: &str, value: String| writeln!(f, "  {name:<24} {value}");
        if let Some(rate) = self.rate {
            line("sent", format!("{rate} documents/s"))?;
        }
        let (rate, seconds) = (self.documents_per_second, self.seconds);
        line("receipted", format!("{rate:.0} documents/s over {seconds:.1} s"))?;
        line("latency", quantiles(&self.latency_ms))?;
        line("push after sending", quantiles(&self.pushes_ms.after_sending))?;
        line("push after receipt", quantiles(&self.pushes_ms.after_receipt))?;
        let (delivered, acknowledged) = (self.delivered, self.acknowledged);
        let (statements, undelivered) = (self.statements, self.undelivered);
        line(
            "deliveries",
            format!(
                "{delivered} pushed, {acknowledged} acknowledged by {statements} statements, \
                 {undelivered} left"
            ),
        )?;
        if !self.sent_again.is_empty() {
            let again = self.sent_again.iter().map(|(reason, count)| format!("{count} {reason}"));
            line("sent again", again.collect::<Vec<_>>().join(", "))?;
        }
        let Cpu { server, senders, subscribers } = self.cpu_us_per_document;
        line(
            "CPU per document",
            format!("hub {server:.0} µs, senders {senders:.0} µs, subscribers {subscribers:.0} µs"),
        )?;
        line("used by others", format!("{:.0} % of the machine", self.used_by_others * 100.0))?;
        line("commits per document", format!("{:.3}", self.commits_per_document))?;
        if let Some(fsyncs) = self.fsyncs_per_document {
            line("fsyncs per document", format!("{fsyncs:.3} (traced: slower than without)"))?;
        }
        line("disk: 1 KiB synced", quantiles(&self.disk_ms))?;
        if let Some(Compared { rows_per_second: Postgres { parallel, single }, ratio }) =
            self.postgres
        {
            line("PostgreSQL, 32 clients", format!("{parallel:.0} rows/s: ratio {ratio:.2}"))?;
            line("PostgreSQL, 1 client", format!("{single:.0} rows/s"))?;
        }
        Ok(())
    }
}

fn quantiles(quantiles: &Quantiles) -> String {
    let Quantiles { count, p50, p99, p999, .. } = quantiles;
    if *count == 0 {
        return "none".to_owned();
    }
    format!("p50 {p50:.2} ms, p99 {p99:.2} ms, p99.9 {p999:.2} ms")
}

/// An amount for each document.
fn per(amount: f64, documents: u64) -> f64 {
    amount / count(documents.max(1))
}

#[expect(clippy::cast_precision_loss, reason = "far fewer than 2^52")]
fn count(number: u64) -> f64 {
    number as f64
}
