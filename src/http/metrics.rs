//! Metrics in the text format of Prometheus: counts without any name, number or content.

use std::fmt::Write as _;
use std::sync::Arc;

use crate::hub::Hub;

/// One measured number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Metric {
    /// Its name, with labels if it has any.
    pub name: String,
    /// Its value.
    pub value: u64,
}

/// Measures what lies outside the hub: connections, alarms.
pub type Gauges = Arc<dyn Fn() -> Vec<Metric> + Send + Sync>;

/// All metrics now.
pub(super) fn text(hub: &Hub, gauges: &Gauges) -> String {
    let own = [
        ("xianjie_ledger_size", hub.published().size),
        ("xianjie_commits_total", hub.commits()),
        ("xianjie_queue_waiting", hub.waiting() as u64),
        ("xianjie_subscriptions", hub.bell().listeners() as u64),
        ("xianjie_free_bytes", hub.free_bytes()),
        ("xianjie_draining", u64::from(hub.is_draining())),
    ];
    let own = own.into_iter().map(|(name, value)| Metric { name: name.to_owned(), value });
    let mut text = String::new();
    for Metric { name, value } in own.chain(gauges()) {
        // Writing to a string never fails.
        let _ = writeln!(text, "{name} {value}");
    }
    text
}
