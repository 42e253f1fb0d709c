//! `xianjie serve`: runs a hub until it is asked to end.

use super::error::chain;
use super::{CliError, Globals};
use crate::config::Config;
use crate::hub::Fatal;
use crate::server::{Server, StartError};
use crate::telemetry::{self, TelemetryError};

const EXAMPLES: &str = "\
Examples 示例:
  xianjie serve --config /srv/xianjie/xianjie.toml
  XIANJIE_CONFIG=/srv/xianjie/xianjie.toml xianjie serve

SIGTERM and SIGINT end it: no more connections, ten seconds for those there are, and what is queued
is still decided (收到 SIGTERM 或 SIGINT 后平稳退出). It never makes a hub: `xianjie init` does.";

/// Run the hub (运行平台).
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {}

/// Runs the command.
///
/// # Errors
/// [`CliError`]: it did not start, or its store failed.
pub async fn run(_: Args, globals: &Globals) -> Result<(), CliError> {
    let path = globals.config_path();
    let config = Config::load(&path).map_err(|error| not_started(&error.into()))?;
    let origin = config.origin.clone();
    let traces =
        telemetry::init(&config.log, &config.telemetry, &origin).map_err(|error| deaf(&error))?;
    let running = Server::start(config).await.map_err(|error| not_started(&error))?;
    let listens = running.addresses();
    globals.print(
        || {
            serde_json::json!({
                "origin": origin,
                "agencies": listens.agencies.to_string(),
                "operators": listens.operators.to_string(),
                "http": listens.http.to_string(),
            })
        },
        || {
            let told = [
                (globals.words("agencies", "单位接入"), listens.agencies),
                (globals.words("operators", "运维"), listens.operators),
                (globals.words("public (http)", "公开数据"), listens.http),
            ];
            let lines = told.map(|(who, address)| format!("  {who}: {address}\n"));
            format!("{origin}\n{}", lines.concat())
        },
    );
    let ended = running.run().await;
    traces.close().await;
    ended.map_err(|error| failed(&error))
}

fn deaf(error: &TelemetryError) -> CliError {
    let cause = chain(error);
    CliError::usage(format!("can't log or trace: {cause}"), format!("日志或追踪设置有误：{cause}"))
}

fn not_started(error: &StartError) -> CliError {
    let cause = chain(error);
    let text = (format!("the hub does not start: {cause}"), format!("平台未能启动：{cause}"));
    let help = ("`xianjie doctor` looks for the cause", "可用 xianjie doctor 检查原因");
    let error = match error {
        StartError::PortInUse { .. } | StartError::Listen { .. } => {
            CliError::unavailable(text.0, text.1)
        }
        StartError::File(_) | StartError::CheckpointKey(_) => CliError::permission(text.0, text.1),
        StartError::Store(_) | StartError::Open(_) | StartError::Law(_) => {
            CliError::new(super::error::Exit::Internal, text.0, text.1)
        }
        _ => CliError::usage(text.0, text.1),
    };
    error.help(help.0, help.1)
}

fn failed(error: &Fatal) -> CliError {
    let cause = chain(error);
    CliError::new(
        super::error::Exit::Internal,
        format!("the hub stopped: {cause}"),
        format!("平台已停止：{cause}"),
    )
    .help(
        "start it again: it passes the fence first; if it stops again, run `xianjie doctor`",
        "请重新启动（启动时先行核验）；再次停止的，用 xianjie doctor 检查",
    )
}
