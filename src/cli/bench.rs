//! `xianjie bench`: measures a hub of its own on this machine.

use std::path::PathBuf;

use clap::ValueEnum;

use super::error::Exit;
use super::{CliError, Globals};
use crate::bench::{self, BenchError, Plan, Scenario, Until};

const EXAMPLES: &str = "\
Examples 示例:
  xianjie bench submit
  xianjie bench mixed --seconds 60 --connections 4 --json
  xianjie bench deliver --rate 500 --keep /srv/bench";

/// Measure what a hub does on this machine and disk (压测).
///
/// Founds a hub in a temporary folder, starts it on loopback, and drives it over mutual TLS with
/// signed documents, subscribers and signed acknowledgements. Prints rates, latencies, processor
/// time and syncs per document, with the disk's own sync measured in the same run.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// Which load (负载)
    #[arg(value_enum)]
    scenario: Load,
    /// Agencies that send to each other (单位数)
    #[arg(long, default_value_t = 16)]
    agencies: usize,
    /// Addressees of a document (每份文书的接收单位数)
    #[arg(long, default_value_t = 3)]
    recipients: usize,
    /// Documents in flight, over all connections (同时在途文书数)
    #[arg(long, default_value_t = 64)]
    in_flight: usize,
    /// Connections of the senders (发送连接数)
    #[arg(long, default_value_t = 1)]
    connections: usize,
    /// Seconds to measure, after a warm-up (测量秒数)
    #[arg(long, default_value_t = 10)]
    seconds: u64,
    /// Documents to measure instead (测量文书数)
    #[arg(long, conflicts_with = "seconds")]
    documents: Option<u64>,
    /// Bytes of a document, about (每份文书约多少字节)
    #[arg(long, default_value_t = 1024)]
    bytes: usize,
    /// With `deliver`: documents a second; else half of what a closed loop reaches (每秒文书数)
    #[arg(long)]
    rate: Option<u64>,
    /// Sign documents with ECDSA P-256 rather than Ed25519 (以 ECDSA 签名)
    #[arg(long)]
    ecdsa: bool,
    /// Nobody subscribes or acknowledges (无人订阅签收)
    #[arg(long)]
    no_subscribers: bool,
    /// Verify every receipt, as a careful client does (逐份验证存证)
    #[arg(long)]
    verify: bool,
    /// Measure PostgreSQL with pgbench too, on the same disk (对比 PostgreSQL)
    #[arg(long)]
    pgbench: bool,
    /// Count the hub's syncs with strace, which slows it (统计落盘次数)
    #[arg(long)]
    strace: bool,
    /// Run in this folder and leave everything there (保留目录)
    #[arg(long, value_name = "DIR")]
    keep: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Load {
    /// SubmitDocument, one call a document (逐份调用)
    Submit,
    /// SubmitDocuments, one stream a connection (流式)
    Stream,
    /// An open loop at a rate: how long a push takes (定速推送)
    Deliver,
    /// Half of each, one of twenty documents a verdict that opens a case (混合)
    Mixed,
}

impl From<Args> for Plan {
    fn from(args: Args) -> Self {
        Self {
            scenario: match args.scenario {
                Load::Submit => Scenario::Submit,
                Load::Stream => Scenario::Stream,
                Load::Deliver => Scenario::Deliver,
                Load::Mixed => Scenario::Mixed,
            },
            agencies: args.agencies,
            recipients: args.recipients,
            in_flight: args.in_flight,
            connections: args.connections,
            until: args.documents.map_or(Until::Seconds(args.seconds), Until::Documents),
            bytes: args.bytes,
            rate: args.rate,
            ecdsa: args.ecdsa,
            subscribers: !args.no_subscribers,
            verify: args.verify,
            pgbench: args.pgbench,
            strace: args.strace,
            keep: args.keep,
        }
    }
}

/// Runs it.
///
/// # Errors
/// A plan that makes no sense, or a hub that does not run here.
pub async fn run(args: Args, globals: &Globals) -> Result<(), CliError> {
    let (plan, now) = (Plan::from(args), globals.now());
    let report = tokio::task::spawn_blocking(move || bench::run(&plan, now)).await;
    let report =
        report.map_err(|panic| CliError::internal(&panic))?.map_err(|error| failed(&error))?;
    let value = serde_json::to_value(&report).map_err(|error| CliError::internal(&error))?;
    globals.print(|| value, || report.to_string());
    Ok(())
}

fn failed(error: &BenchError) -> CliError {
    match error {
        BenchError::Plan(why) => CliError::usage(*why, "压测参数不合理"),
        BenchError::Command { .. } | BenchError::Postgres(_) => {
            CliError::new(Exit::Unavailable, error.to_string(), format!("压测无法进行：{error}"))
        }
        error => CliError::internal(error),
    }
}
