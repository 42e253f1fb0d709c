//! `xianjie verify`: offline verification, step by step, with nothing but the trust file.

use std::path::{Path, PathBuf};

use clap::Subcommand;
use serde_json::json;

use super::{CliError, Globals};
use crate::client::verify::{
    Finding, Outcome, Report, read_folder_receipt, verify_acknowledgement, verify_document_file,
    verify_folder, verify_receipt,
};
use crate::client::{Trust, bindings};

const EXAMPLES: &str = "\
Examples 示例:
  xianjie verify receipt receipt.tlog-proof --trust trust.json
  xianjie verify document document.bin --receipt receipt.tlog-proof --trust trust.json
  xianjie verify acknowledgement acknowledgement.tlog-proof --as gz-baiyun-court
  xianjie verify folder profiles/gz-baiyun-court/inbox/1 --json

No hub is asked. A step that fails, or that can't be tried, ends with exit code 1.
全程离线，不连接平台；任何一步未通过或无法验证时退出码为 1。";

/// Verify receipts, documents and acknowledgements offline (离线验证存证、文书、签收)
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
    /// The trust file; else the profile's, else trust.json in the hub's folder (信任文件)
    #[arg(long, global = true, value_name = "FILE")]
    trust: Option<PathBuf>,
    /// A folder with receipts of the records that registered certificates (登记记录存证目录)
    #[arg(long, global = true, value_name = "DIR")]
    bindings: Vec<PathBuf>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// A receipt: is its record in the ledger? (存证)
    #[command(after_help = "\
Examples 示例:
  xianjie verify receipt receipt.tlog-proof --trust trust.json")]
    Receipt {
        /// The receipt, a C2SP tlog-proof (存证文件)
        file: PathBuf,
    },
    /// A document with its receipt and, if envelope.bin is given, its signatures (文书)
    #[command(after_help = "\
Examples 示例:
  xianjie verify document document.bin --trust trust.json
  xianjie verify document envelope.bin --receipt receipt.tlog-proof --as gz-baiyun-court")]
    Document {
        /// The exact bytes: document.bin or envelope.bin (文书文件)
        file: PathBuf,
        /// Its receipt; receipt.tlog-proof beside it if not given (存证文件)
        #[arg(long, value_name = "FILE")]
        receipt: Option<PathBuf>,
    },
    /// The receipt of an acknowledgement, with the addressee's signature (签收)
    #[command(after_help = "\
Examples 示例:
  xianjie verify acknowledgement acknowledgement.tlog-proof --as gz-baiyun-court")]
    Acknowledgement {
        /// The receipt, a C2SP tlog-proof (存证文件)
        file: PathBuf,
    },
    /// A folder of inbox or outbox: all that lies in it (收件箱或发件箱目录)
    #[command(after_help = "\
Examples 示例:
  xianjie verify folder profiles/gz-baiyun-court/outbox/ID
  xianjie verify folder profiles/gz-baiyun-corrections/inbox/1 --json")]
    Folder {
        /// The folder (目录)
        #[arg(id = "kept", value_name = "FOLDER")]
        folder: PathBuf,
    },
}

/// Runs the command.
///
/// # Errors
/// [`CliError`]: something does not hold, or can't be read.
pub async fn run(args: Args, globals: &Globals) -> Result<(), CliError> {
    let trust = globals.load_trust(args.trust.as_deref())?;
    let report = match &args.command {
        Command::Receipt { file } => receipt(&trust, file)?,
        Command::Document { file, receipt } => {
            verify_document_file(&trust, file, receipt.as_deref(), &args.bindings)?
        }
        Command::Acknowledgement { file } => acknowledgement(&trust, file, &args.bindings)?,
        Command::Folder { folder } => verify_folder(&trust, folder)?,
    };
    globals.print(|| report.to_json(), || text(&report));
    if report.is_proven() {
        return Ok(());
    }
    Err(unproven(&report))
}

/// What keeps the whole from being proven: a step that failed, or one that could not be tried.
fn unproven(report: &Report) -> CliError {
    let failed = |finding: &&Finding| matches!(finding.outcome, Outcome::Fails(..));
    let doubt = report.findings.iter().find(failed).or_else(|| report.first_doubt());
    let Some(Finding { step, outcome }) = doubt else {
        return CliError::refused("there is nothing to verify", "没有可验证的内容");
    };
    let (english, chinese) = step.words();
    let error = match outcome {
        Outcome::Open(why, why_zh) => CliError::refused(
            format!("not complete: can't tell whether {english}: {why}"),
            format!("验证不完整，未核对：{chinese}（{why_zh}）"),
        ),
        Outcome::Fails(..) | Outcome::Holds => CliError::refused(
            format!("not proven: {}: {english}", step.name()),
            format!("未能证明：{chinese}"),
        ),
    };
    let is_complete = !matches!(outcome, Outcome::Open(..));
    error.facts(json!({"step": step.name(), "complete": is_complete}))
}

fn receipt(trust: &Trust, file: &Path) -> Result<Report, CliError> {
    let mut report = Report::default();
    if let Some(parts) = read_folder_receipt(file, &mut report)? {
        verify_receipt(trust, &parts, &mut report);
    }
    Ok(report)
}

fn acknowledgement(trust: &Trust, file: &Path, folders: &[PathBuf]) -> Result<Report, CliError> {
    let mut report = Report::default();
    let folders = bindings::folders_near(file, folders);
    let find = |index: u64| bindings::find(&folders, index);
    if let Some(parts) = read_folder_receipt(file, &mut report)?
        && verify_receipt(trust, &parts, &mut report).is_some()
    {
        verify_acknowledgement(trust, &parts, None, &find, &mut report);
    }
    Ok(report)
}

fn text(report: &Report) -> String {
    let mut text = report.to_string();
    if let Some(receipt) = &report.receipt {
        let (origin, size) = (&receipt.checkpoint.origin, receipt.checkpoint.size);
        let time = super::moment(receipt.time_ms);
        text += &format!("record 记录 {} of {origin}, {time}, size 账本大小 {size}", receipt.index);
    }
    text
}
