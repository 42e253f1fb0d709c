//! `xianjie inbox`: deliveries (送达) fetched, verified and acknowledged.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use clap::{Subcommand, ValueEnum};
use serde_json::{Value, json};

use super::{CliError, Globals};
use crate::client::Observer;
use crate::client::error::CallError;
use crate::client::inbox::{DeliveryNote, Inbox, RejectionReason, Start};
use crate::client::json::to_json;
use crate::client::verify::Report;

const EXAMPLES: &str = "\
Examples 示例:
  xianjie inbox watch --as gz-baiyun-corrections             store, verify, acknowledge, for ever
  xianjie inbox fetch --no-ack --as gz-baiyun-corrections    what has come, acknowledged later
  xianjie inbox list --open --as gz-baiyun-corrections
  xianjie inbox ack 3 4 --as gz-baiyun-corrections
  xianjie inbox reject 5 --reason not-for-us --as gz-baiyun-corrections

Each delivery lies in inbox/NUMBER of the profile: document, JSON, signatures, receipt, attachments.
签收表示本单位系统已安全保存文书；法定回执是另一份文书 (return_receipt)。";

/// Receive documents: watch, list, fetch, acknowledge, reject (收件箱)
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Store, verify and acknowledge deliveries as they come, until stopped (持续收件)
    #[command(after_help = "\
Examples 示例:
  xianjie inbox watch --as gz-baiyun-corrections
  xianjie inbox watch --as gz-baiyun-corrections --json

It goes on through every trouble of the network, and ends if the hub does not take this client.")]
    Watch(Receiving),
    /// Store, verify and acknowledge what has come (取件)
    #[command(after_help = "\
Examples 示例:
  xianjie inbox fetch --as gz-baiyun-corrections
  xianjie inbox fetch --no-ack --after 41 --as gz-baiyun-corrections")]
    Fetch(Receiving),
    /// What is in the inbox of the hub (收件目录)
    #[command(after_help = "\
Examples 示例:
  xianjie inbox list --open --as gz-baiyun-corrections
  xianjie inbox list --after 40 --limit 10 --as gz-baiyun-corrections --json")]
    List {
        /// Only what is not settled (仅未了结)
        #[arg(long)]
        open: bool,
        /// Only numbers above this (起始编号)
        #[arg(long, default_value_t = 0)]
        after: u64,
        /// How many at most (条数上限)
        #[arg(long, default_value_t = 100)]
        limit: u32,
    },
    /// Acknowledge deliveries that are stored here and verified (签收)
    #[command(after_help = "\
Examples 示例:
  xianjie inbox ack --as gz-baiyun-corrections
  xianjie inbox ack 3 4 --as gz-baiyun-corrections")]
    Ack {
        /// Their numbers; all that are open if none is given (编号)
        numbers: Vec<u64>,
    },
    /// Reject a delivery, for good; to refuse a person is a document, not this (退件)
    #[command(after_help = "\
Examples 示例:
  xianjie inbox reject 5 --reason not-for-us --as gz-baiyun-corrections")]
    Reject {
        /// Its number (编号)
        number: u64,
        /// Why (原因)
        #[arg(long, value_enum)]
        reason: Reason,
    },
}

#[derive(Debug, clap::Args)]
struct Receiving {
    /// Do not acknowledge; `inbox ack` does it later (暂不签收)
    #[arg(long)]
    no_ack: bool,
    /// Begin after this number instead of the last one stored (起始编号)
    #[arg(long, value_name = "NUMBER")]
    after: Option<u64>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Reason {
    /// It is plainly meant for someone else (非本单位)
    NotForUs,
    /// Its signature does not verify (签名无效)
    SignatureInvalid,
    /// An attachment can't be opened (附件无法打开)
    AttachmentUnreadable,
}

impl Receiving {
    fn start(&self) -> Start {
        self.after.map_or(Start::Resume, Start::After)
    }
}

/// Runs the command.
///
/// # Errors
/// [`CliError`]; also if a delivery that was fetched did not verify.
pub async fn run(args: Args, globals: &Globals) -> Result<(), CliError> {
    let client = globals.client().await?;
    let observer: Arc<dyn Observer> = Arc::new(Lines(globals.clone()));
    let inbox = client.open_inbox(observer)?;
    match args.command {
        Command::Watch(receiving) => watch(&inbox, &receiving).await,
        Command::Fetch(receiving) => {
            let notes = inbox.fetch(receiving.start(), !receiving.no_ack).await?;
            all_verified(&notes)
        }
        Command::List { open, after, limit } => {
            let page = inbox.page(after, open, limit).await?;
            for delivery in &page.deliveries {
                globals.print(
                    || to_json(client.schema(), "Delivery", delivery),
                    || {
                        let stage = delivery.stage().as_str_name().trim_start_matches("STAGE_");
                        let copy = copy_word(delivery.copy);
                        let (number, kind) = (delivery.inbox_number, &delivery.document_type);
                        format!("{number:>6}  {copy}  {kind}  {}", stage.to_lowercase())
                    },
                );
            }
            Ok(())
        }
        Command::Ack { numbers } => acknowledge(&inbox, numbers).await,
        Command::Reject { number, reason } => {
            let reason = match reason {
                Reason::NotForUs => RejectionReason::NotForUs,
                Reason::SignatureInvalid => RejectionReason::SignatureInvalid,
                Reason::AttachmentUnreadable => RejectionReason::AttachmentUnreadable,
            };
            Ok(inbox.reject(number, reason).await?)
        }
    }
}

/// Watches until it is told to stop, which is safe at any moment.
async fn watch(inbox: &Inbox<'_>, receiving: &Receiving) -> Result<(), CliError> {
    tokio::select! {
        ended = inbox.watch(receiving.start(), !receiving.no_ack) => Ok(ended?),
        stopped = tokio::signal::ctrl_c() => {
            stopped.map_err(|error| CliError::internal(&error))
        }
    }
}

async fn acknowledge(inbox: &Inbox<'_>, mut numbers: Vec<u64>) -> Result<(), CliError> {
    inbox.resend_statements().await?;
    if numbers.is_empty() {
        numbers = inbox.open_numbers()?;
    }
    Ok(inbox.acknowledge(&numbers).await?)
}

fn all_verified(notes: &[DeliveryNote]) -> Result<(), CliError> {
    let doubtful: Vec<_> =
        notes.iter().filter(|note| !note.verified && !note.erased && !note.withheld).collect();
    let Some(first) = doubtful.first() else { return Ok(()) };
    let count = doubtful.len();
    let number = first.number;
    Err(CliError::refused(
        format!("{count} deliveries did not verify and are not acknowledged; first {number}"),
        format!("{count} 份送达未通过验证，未予签收；首份编号 {number}"),
    )
    .help("`xianjie verify folder` says why", "xianjie verify folder 可查看原因"))
}

fn copy_word(copy: bool) -> &'static str {
    if copy { "copy 抄送" } else { "main 主送" }
}

/// Prints a line for all that happens.
struct Lines(Globals);

impl Observer for Lines {
    fn waiting(&self, why: &CallError, wait: Duration) {
        if !self.0.json() {
            let again = self.0.words("again in", "后重试：");
            eprintln!("{why}; {again} {:.1} s", wait.as_secs_f32());
        }
    }

    fn stored(&self, delivery: &DeliveryNote, folder: &Path, report: &Report) {
        self.0.print(
            || stored_json(delivery, folder, report),
            || {
                let verified = match report.first_doubt() {
                    _ if delivery.erased => self.0.words("erased", "内容已删除"),
                    _ if delivery.withheld => {
                        self.0.words("withheld: a juvenile's", "未成年人文书，内容不再列出")
                    }
                    None => self.0.words("verified", "已验证"),
                    Some(_) => {
                        format!("{}\n{report}", self.0.words("NOT VERIFIED", "未通过验证"))
                    }
                };
                let DeliveryNote { number, sender, document_type, copy, .. } = delivery;
                let copy = copy_word(*copy);
                format!("{number:>6}  {copy}  {document_type}  {sender}  {verified}")
            },
        );
    }

    fn settled(&self, numbers: &[u64]) {
        self.0.print(
            || json!({"settled": numbers}),
            || {
                let words = self.0.words("settled", "已了结");
                let numbers: Vec<_> = numbers.iter().map(ToString::to_string).collect();
                format!("{words}: {}", numbers.join(" "))
            },
        );
    }
}

fn stored_json(delivery: &DeliveryNote, folder: &Path, report: &Report) -> Value {
    json!({"stored": delivery, "folder": folder, "report": report.to_json()})
}
