//! `xianjie proto`: writes the protocol's `.proto` files, from which any language makes a client.

use std::path::PathBuf;

use serde_json::json;

use super::{CliError, Globals};
use crate::identity::files;
use crate::wire::SOURCES;

const EXAMPLES: &str = "\
Examples 示例:
  xianjie proto                       writes proto/xianjie/v1/*.proto
  xianjie proto --out client/proto
  python -m grpc_tools.protoc -Iproto --python_out=. --grpc_python_out=. proto/xianjie/v1/*.proto";

/// Write the .proto files of this hub's protocol (导出协议文件).
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// Where to; the import path of the files (输出目录)
    #[arg(long, default_value = "proto")]
    out: PathBuf,
}

/// Runs the command.
///
/// # Errors
/// [`CliError`].
pub async fn run(args: Args, globals: &Globals) -> Result<(), CliError> {
    for (import, text) in SOURCES {
        let path = args.out.join(import);
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).map_err(|error| CliError::internal(&error))?;
        }
        files::write_public(&path, text).map_err(|error| CliError::internal(&error))?;
        globals.print(|| json!({ "file": path }), || path.display().to_string());
    }
    Ok(())
}
