//! `xianjie demo`: a hub, the agencies of a small province, and a story.

use std::path::PathBuf;

use super::error::chain;
use super::{CliError, Globals};

const EXAMPLES: &str = "\
Examples 示例:
  xianjie demo
  xianjie demo --into /tmp/province

Afterwards 之后:
  xianjie serve --config xianjie-demo/xianjie.toml
  xianjie inbox list --folder xianjie-demo --as gz-tianhe-police";

/// Make a hub with agencies and play a story through the public API (演示).
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// The folder to be made; an earlier demonstration's is replaced (演示目录)
    #[arg(long, default_value = "xianjie-demo")]
    into: PathBuf,
}

/// Runs the command.
///
/// # Errors
/// [`CliError`].
pub async fn run(args: Args, _globals: &Globals) -> Result<(), CliError> {
    crate::demo::run(&args.into).await.map_err(|error| {
        let cause = chain(&error);
        CliError::refused(
            format!("the demonstration stopped: {cause}"),
            format!("演示中止：{cause}"),
        )
    })
}
