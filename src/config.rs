//! The configuration of a hub: `xianjie.toml`, read once at the start.
//!
//! Paths are relative to the file. A key that is not here is an error, so that a misspelt one does
//! not silently mean its default.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use xianjie_core::ids::{IdError, Origin};

mod law;
mod reminders;
pub use law::LawPaths;
pub use reminders::Reminders;

/// The file's name.
pub const FILE: &str = "xianjie.toml";
/// The environment variable that names the file.
pub const VARIABLE: &str = "XIANJIE_CONFIG";

/// The environment variables that name a collector for traces, as OpenTelemetry's specification has
/// them; the first that is set counts.
pub const COLLECTOR_VARIABLES: [&str; 2] =
    ["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT"];

/// Everything that an operator decides.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The ledger's origin `<host>/ledger/<n>`, as the store has it.
    pub origin: String,
    /// Where it listens.
    pub listen: Listen,
    /// The server's certificate, and whose clients it lets in.
    pub tls: Tls,
    /// The keys by which the hub signs.
    pub keys: Keys,
    /// Where it keeps things.
    pub store: StorePaths,
    /// What it logs.
    #[serde(default)]
    pub log: Log,
    /// Where its rulebooks are.
    #[serde(default, skip_serializing_if = "LawPaths::is_empty")]
    pub law: LawPaths,
    /// When it reminds.
    #[serde(default, skip_serializing_if = "Reminders::is_default")]
    pub reminders: Reminders,
    /// Where it sends traces.
    #[serde(default, skip_serializing_if = "Telemetry::is_empty")]
    pub telemetry: Telemetry,
    /// Only for an origin whose host ends in `.demo`.
    #[serde(default, skip_serializing_if = "Demo::is_empty")]
    pub demo: Demo,
}

/// `[listen]`: addresses with ports; port 0 takes a free one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Listen {
    /// gRPC for agencies' systems.
    pub agencies: SocketAddr,
    /// gRPC for operators.
    pub operators: SocketAddr,
    /// Tiles, health and metrics over plain HTTP: everything there is public.
    pub http: SocketAddr,
}

/// `[tls]`: PEM files.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tls {
    /// The server's certificate chain, leaf first.
    pub certificate: PathBuf,
    /// Its private key, readable by its owner alone.
    pub key: PathBuf,
    /// The authorities that client certificates may come from.
    pub client_authorities: PathBuf,
    /// Their revocation lists. Read again when the file changes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revocation_list: Option<PathBuf>,
    /// Lets TLS 1.2 in beside 1.3, for old clients. Default: false.
    #[serde(default)]
    pub allow_tls12: bool,
}

/// `[keys]`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Keys {
    /// The seed of the key that signs checkpoints: 32 bytes in base64. `head.floor` stands beside it.
    pub checkpoint: PathBuf,
    /// The certificate by which the hub signs its notices and inbox statements.
    pub service_certificate: PathBuf,
    /// Its private key.
    pub service_key: PathBuf,
}

/// `[store]`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StorePaths {
    /// The ledger's SQLite file.
    pub path: PathBuf,
    /// The folder of attachments.
    pub attachments: PathBuf,
    /// Bytes of their disks that documents and attachments leave free: acknowledgements and
    /// directory changes still fit then. Default: a twentieth of the disk, at least 2 GiB.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reserve_bytes: Option<u64>,
}

/// `[log]`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Log {
    /// What is logged: `error`, `warn`, `info`, `debug`, `trace`, or directives such as
    /// `info,xianjie::hub=debug`. Default: `info`.
    #[serde(default = "info")]
    pub level: String,
    /// How. Default: `text`.
    #[serde(default)]
    pub format: LogFormat,
}

/// The form of a line in the log.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

/// `[telemetry]`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Telemetry {
    /// The collector that gets a trace of each call: OTLP over gRPC without TLS, so one on this machine,
    /// such as `http://127.0.0.1:4317`. Default: the one that the environment names
    /// ([`COLLECTOR_VARIABLES`]), else none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub otlp_endpoint: Option<String>,
}

/// `[demo]`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Demo {
    /// A file that tells the time, in milliseconds since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clock_file: Option<PathBuf>,
}

/// Why there is no configuration.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file can't be read.
    #[error("can't read the configuration {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// It is not TOML, or a key is unknown, missing or of the wrong kind.
    #[error("{}: {message}", path.display())]
    Form {
        /// The file.
        path: PathBuf,
        /// Where and what.
        message: String,
    },
    /// The origin.
    #[error("origin {0}")]
    Origin(#[from] IdError),
    /// A simulated clock for a ledger that is no demonstration's.
    #[error("[demo] is only for an origin whose host ends in .demo, not for {0}")]
    NoDemo(Origin),
}

impl Default for Log {
    fn default() -> Self {
        Self { level: info(), format: LogFormat::default() }
    }
}

impl Telemetry {
    /// The collector to use.
    #[must_use]
    pub fn endpoint(&self) -> Option<String> {
        let named = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        self.otlp_endpoint.clone().or_else(|| COLLECTOR_VARIABLES.into_iter().find_map(named))
    }

    fn is_empty(&self) -> bool {
        self.otlp_endpoint.is_none()
    }
}

impl Demo {
    fn is_empty(&self) -> bool {
        self.clock_file.is_none()
    }
}

impl Config {
    /// The file to read: the one given, else the one that the environment names, else [`FILE`] in
    /// the working folder.
    #[must_use]
    pub fn find(given: Option<PathBuf>) -> PathBuf {
        let named = || std::env::var_os(VARIABLE).map(PathBuf::from);
        given.or_else(named).unwrap_or_else(|| PathBuf::from(FILE))
    }

    /// Reads the file.
    ///
    /// # Errors
    /// [`ConfigError`].
    pub fn load(path: &Path) -> Result<Self, ConfigError> {
        let text = std::fs::read_to_string(path)
            .map_err(|source| ConfigError::Read { path: path.to_owned(), source })?;
        let form = |error: toml::de::Error| ConfigError::Form {
            path: path.to_owned(),
            message: error.to_string(),
        };
        let mut config: Self = toml::from_str(&text).map_err(form)?;
        let folder = path.parent().unwrap_or(Path::new(""));
        for file in config.paths() {
            *file = folder.join(&file);
        }
        config.origin()?;
        Ok(config)
    }

    /// The origin, checked.
    ///
    /// # Errors
    /// [`ConfigError::Origin`], [`ConfigError::NoDemo`].
    pub fn origin(&self) -> Result<Origin, ConfigError> {
        let origin: Origin = self.origin.parse()?;
        if origin.is_demo() || self.demo.is_empty() {
            Ok(origin)
        } else {
            Err(ConfigError::NoDemo(origin))
        }
    }

    fn paths(&mut self) -> Vec<&mut PathBuf> {
        let mut paths = vec![
            &mut self.tls.certificate,
            &mut self.tls.key,
            &mut self.tls.client_authorities,
            &mut self.keys.checkpoint,
            &mut self.keys.service_certificate,
            &mut self.keys.service_key,
            &mut self.store.path,
            &mut self.store.attachments,
        ];
        paths.extend(&mut self.tls.revocation_list);
        paths.extend(&mut self.law.rulebooks);
        paths.extend(&mut self.demo.clock_file);
        paths
    }
}

fn info() -> String {
    "info".to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    const WHOLE: &str = r#"
origin = "hub.guangdong.demo/ledger/1"
[listen]
agencies = "127.0.0.1:7443"
operators = "127.0.0.1:7444"
http = "127.0.0.1:7480"
[tls]
certificate = "keys/tls.crt"
key = "keys/tls.key"
client_authorities = "/etc/ca.crt"
[keys]
checkpoint = "keys/checkpoint.key"
service_certificate = "keys/service.crt"
service_key = "keys/service.key"
[store]
path = "ledger.db"
attachments = "attachments"
"#;

    fn load(text: &str) -> Result<Config, ConfigError> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(FILE);
        std::fs::write(&path, text).unwrap();
        let mut config = Config::load(&path)?;
        for file in config.paths() {
            if let Ok(relative) = file.strip_prefix(folder.path()) {
                *file = Path::new("there").join(relative);
            }
        }
        Ok(config)
    }

    #[test]
    fn paths_are_relative_to_the_file_and_the_rest_has_defaults() {
        let config = load(WHOLE).unwrap();
        assert_eq!(config.tls.key, Path::new("there/keys/tls.key"));
        assert_eq!(config.tls.client_authorities, Path::new("/etc/ca.crt"));
        assert_eq!(config.log, Log::default());
        assert!(!config.tls.allow_tls12);
    }

    #[test]
    fn an_unknown_key_is_an_error_that_names_it() {
        let error = load(&format!("{WHOLE}attachment = \"a\"\n")).unwrap_err();
        assert!(error.to_string().contains("attachment"), "{error}");
    }

    #[test]
    fn only_a_demonstration_has_a_clock_of_its_own() {
        let demo = format!("{WHOLE}[demo]\nclock_file = \"clock\"\n");
        let config = load(&demo).unwrap();
        assert_eq!(config.demo.clock_file.as_deref(), Some(Path::new("there/clock")));
        let real = demo.replace("guangdong.demo", "guangdong.example");
        assert!(matches!(load(&real), Err(ConfigError::NoDemo(_))));
    }
}
