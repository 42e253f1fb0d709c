//! Logs, to standard error, and traces, to a collector, as the configuration asks. They carry no name,
//! number of a person or a case, document id, body, file name, salt, key or refused value.

use std::time::Duration;

use opentelemetry::KeyValue;
use opentelemetry::trace::TracerProvider as _;
use opentelemetry_otlp::{ExporterBuildError, SpanExporter, WithExportConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::SdkTracerProvider;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::{FilterExt as _, LevelFilter, filter_fn};
use tracing_subscriber::layer::{Layer as _, SubscriberExt as _};
use tracing_subscriber::util::{SubscriberInitExt as _, TryInitError};

use crate::config::{Log, LogFormat, Telemetry};

mod call;

pub use call::Call;

/// How long the process waits at its end for a collector to take what is left.
const FLUSH: Duration = Duration::from_secs(3);

/// Why nothing can be logged or traced.
#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    /// The level is none.
    #[error("[log] level")]
    Level(#[from] tracing_subscriber::filter::ParseError),
    /// The collector's endpoint is none, or asks for TLS.
    #[error("the collector ([telemetry] otlp_endpoint, else OTEL_EXPORTER_OTLP_ENDPOINT)")]
    Endpoint(#[from] ExporterBuildError),
    /// Logging was set up already.
    #[error("logging is set up already")]
    Twice(#[from] TryInitError),
}

/// What is traced on its way to the collector, if there is one.
#[derive(Debug)]
pub struct Traces(Option<SdkTracerProvider>);

/// Sets up logs and traces for the process: once, and within the runtime in which it serves. `origin`
/// tells this hub from others in the traces.
///
/// Traces wait in a queue of 2,048 and are sent by a thread of their own; what a slow or absent
/// collector doesn't take is dropped, and the log says so. Sampling and batches follow the standard
/// `OTEL_TRACES_SAMPLER` and `OTEL_BSP_*`.
///
/// # Errors
/// [`TelemetryError`].
pub fn init(log: &Log, telemetry: &Telemetry, origin: &str) -> Result<Traces, TelemetryError> {
    // The spans of calls are for traces alone, and traces are of them alone.
    let no_call = filter_fn(|event| event.target() != call::TARGET);
    let call = filter_fn(|event| event.target() == call::TARGET);
    let filter =
        EnvFilter::try_new(&log.level)?.and(no_call.with_max_level_hint(LevelFilter::TRACE));
    let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
    let lines = match log.format {
        LogFormat::Text => lines.boxed(),
        LogFormat::Json => lines.json().boxed(),
    };
    let provider = telemetry.endpoint().map(|endpoint| provider(endpoint, origin)).transpose()?;
    let spans = provider.as_ref().map(|provider| {
        tracing_opentelemetry::layer()
            .with_tracer(provider.tracer("xianjie"))
            .with_location(false)
            .with_threads(false)
            .with_target(false)
            .with_tracked_inactivity(false)
            .with_filter(call.with_max_level_hint(LevelFilter::INFO))
    });
    tracing_subscriber::registry().with(spans).with(lines.with_filter(filter)).try_init()?;
    Ok(Traces(provider))
}

fn provider(endpoint: String, origin: &str) -> Result<SdkTracerProvider, ExporterBuildError> {
    let exporter = SpanExporter::builder().with_tonic().with_endpoint(endpoint).build()?;
    let resource = Resource::builder()
        .with_service_name("xianjie")
        .with_attribute(KeyValue::new("service.version", env!("CARGO_PKG_VERSION")))
        .with_attribute(KeyValue::new("xianjie.origin", origin.to_owned()))
        .build();
    Ok(SdkTracerProvider::builder().with_batch_exporter(exporter).with_resource(resource).build())
}

impl Traces {
    /// Sends what is left, within three seconds.
    pub async fn close(self) {
        let Some(provider) = self.0 else { return };
        // It blocks, and what it waits for is sent by this runtime.
        let flushed = move || provider.shutdown_with_timeout(FLUSH);
        if let Ok(Err(error)) = tokio::task::spawn_blocking(flushed).await {
            tracing::warn!(%error, "the last traces are lost");
        }
    }
}
