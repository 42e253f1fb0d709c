//! Logs: to standard error, as the configuration asks. They carry no name, number of a person or a
//! case, body, file name, salt, key or refused value.

use tracing_subscriber::EnvFilter;

use crate::config::{Log, LogFormat};

/// Why nothing can be logged.
#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    /// The level is none.
    #[error("[log] level")]
    Level(#[from] tracing_subscriber::filter::ParseError),
    /// Logging was set up already.
    #[error("logging is set up already")]
    Twice,
}

/// Sets up logging for the process: once.
///
/// # Errors
/// [`TelemetryError`].
pub fn init(log: &Log) -> Result<(), TelemetryError> {
    let filter = EnvFilter::try_new(&log.level)?;
    let lines = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    let set = match log.format {
        LogFormat::Text => lines.try_init(),
        LogFormat::Json => lines.json().try_init(),
    };
    set.map_err(|_| TelemetryError::Twice)
}
