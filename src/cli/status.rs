//! `xianjie status`: what became of what was sent; for operators, how the hub is.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use xianjie_core::ids::DocumentId;

use super::{CliError, Globals, moment};
use crate::client::Client;
use crate::client::json::to_json;
use crate::client::prepare::DocumentFile;
use crate::client::status::{SubmissionFilter, SubmissionText, submission_text};

const EXAMPLES: &str = "\
Examples 示例:
  xianjie status --as gz-baiyun-court                     the newest documents sent 最近发送的文书
  xianjie status verdict.json --as gz-baiyun-court        what became of this file 查询该文件
  xianjie status 01932f4e-7a3b-7c4d-8e5f-0123456789ab --as gz-baiyun-court
  xianjie status --open --as gz-baiyun-court              what is not settled yet 未了结的
  xianjie status --as first                               the hub, for its operators 平台状态";

/// What became of documents sent, or how the hub is (查询状态)
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// A document's id, or the file that it was made from (文书编号或文件)
    document: Option<String>,
    /// Only what has a delivery that is not settled (仅未了结)
    #[arg(long)]
    open: bool,
    /// Only this document type (文书类型)
    #[arg(long = "type", value_name = "TYPE", default_value = "")]
    document_type: String,
    /// Only of this correction case (矫正案件)
    #[arg(long = "case", value_name = "CASE", default_value = "")]
    correction_case: String,
    /// How many at most (条数上限)
    #[arg(long, default_value_t = 20)]
    limit: usize,
}

/// Runs the command.
///
/// # Errors
/// [`CliError`].
pub async fn run(args: Args, globals: &Globals) -> Result<(), CliError> {
    let client = globals.client().await?;
    if client.profile().agency.is_none() {
        return hub_status(&client, globals).await;
    }
    let submissions = match &args.document {
        Some(document) => {
            vec![client.submission(&document_id(&client, document)?).await?]
        }
        None => {
            let Args { open: only_open, document_type, correction_case, limit, .. } = args;
            let filter = SubmissionFilter { document_type, correction_case, only_open };
            client.submissions(&filter, limit).await?
        }
    };
    if submissions.is_empty() && !globals.json() {
        eprintln!("{}", globals.words("nothing that fits was sent", "没有符合条件的已发文书"));
    }
    for submission in &submissions {
        let as_json = || to_json(client.schema(), "Submission", submission);
        globals.print(as_json, || text(&submission_text(submission), globals));
    }
    Ok(())
}

/// The id that is meant: itself, or that of the document which a file became.
fn document_id(client: &Client, document: &str) -> Result<String, CliError> {
    if document.parse::<DocumentId>().is_ok() {
        return Ok(document.to_owned());
    }
    let path = PathBuf::from(document);
    let entry = client.outbox().find(&DocumentFile::read(Path::new(&path))?)?;
    entry.map(|entry| entry.state.document_id).ok_or_else(|| {
        CliError::usage(
            format!("{} was not sent from this profile", path.display()),
            format!("该配置身份未发送过 {}", path.display()),
        )
    })
}

async fn hub_status(client: &Client, globals: &Globals) -> Result<(), CliError> {
    let status = client.hub_status().await?;
    globals.print(
        || to_json(client.schema(), "GetStatusResponse", &status),
        || {
            let mut text = format!("{} ({})\n", status.ledger, status.release);
            let open = status.open_since_time.is_some();
            let state = if open {
                globals.words("open", "正在接收")
            } else {
                globals.words("NOT TAKING DOCUMENTS", "暂停接收")
            };
            // Writing to a string can't fail.
            let _ = writeln!(text, "  {state}");
            let unsettled = globals.words("deliveries not settled", "未了结的送达");
            let _ = writeln!(text, "  {unsettled}: {}", status.unacknowledged_count);
            let queued = globals.words("queued", "排队");
            let streams = globals.words("subscriptions", "订阅");
            let (in_queue, open_streams) = (status.queued, status.subscriptions);
            let _ = writeln!(text, "  {queued}: {in_queue}, {streams}: {open_streams}");
            for alarm in &status.alarms {
                let _ =
                    writeln!(text, "  ! {}: {} {}", alarm.reason, alarm.message, alarm.message_zh);
            }
            text
        },
    );
    Ok(())
}

fn text(submission: &SubmissionText, globals: &Globals) -> String {
    let SubmissionText { document_id, document_type, accepted, reasons, .. } = submission;
    let mut text = match accepted {
        Some((index, time)) => {
            let time = moment(u64::try_from(time.0).unwrap_or_default());
            let words = globals.words("accepted", "已收存");
            format!("{document_id} {document_type}: {words}, {index}, {time}\n")
        }
        None => {
            let words = globals.words("refused", "不予接收");
            format!("{document_id}: {words}: {}\n", reasons.join(", "))
        }
    };
    let ended = [
        (submission.withdrawn_by, globals.words("withdrawn, by record", "已撤回，账本记录")),
        (submission.replaced_by, globals.words("replaced, by record", "已更正，账本记录")),
    ];
    // Writing to a string can't fail.
    for (by, words) in ended {
        let _ = by.map(|by| writeln!(text, "  {words} {by}"));
    }
    for delivery in &submission.deliveries {
        let copy = match delivery.copy {
            true => globals.words("copy", "抄送"),
            false => globals.words("main", "主送"),
        };
        let (agency, number, stage) = (&delivery.agency, delivery.number, &delivery.stage);
        let _ = writeln!(text, "  {copy}  {agency} #{number}: {stage}");
    }
    text
}
