//! `xianjie send`: a document file on its way, until the hub's receipt is here and verifies.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use indicatif::ProgressBar;
use serde_json::json;
use xianjie_core::ids::DocumentType;

use super::error::Exit;
use super::{CliError, Globals, moment};
use crate::client::checked::{describe, wrong};
use crate::client::error::CallError;
use crate::client::json::to_json;
use crate::client::outbox::Entry;
use crate::client::{Client, Observer};
use crate::wire::json::template;
use crate::wire::schema::Schema;

const EXAMPLES: &str = "\
Examples 示例:
  xianjie send --template verdict_handover > verdict.json     a form to fill in 空白表单
  xianjie send --check verdict.json --as gz-baiyun-court      what would become of it 预审
  xianjie send verdict.json --as gz-baiyun-court
  xianjie send --pending --as gz-baiyun-court                 all that is still to be sent 续发

Values in the file win; document_id, ledger, sender, create_time and seen are filled in. An
attachment's name is a path beside the file. Sending the same file again is safe: it sends the same
bytes and gets the same receipt. 同一文件可反复发送，平台只收存一次。";

/// Send documents, or check them first (发送文书)
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// The document files, in JSON, in the order in which they are to be sent (文书文件)
    #[arg(required_unless_present_any = ["template", "pending"])]
    files: Vec<PathBuf>,
    /// Print an empty form of this document type instead (打印空白表单)
    #[arg(long, value_name = "TYPE", conflicts_with_all = ["files", "check", "pending"])]
    template: Option<DocumentType>,
    /// Ask what the hub would do, and send nothing (预审，不发送)
    #[arg(long, conflicts_with = "pending")]
    check: bool,
    /// Send what the outbox holds without a receipt (续发发件箱中的文书)
    #[arg(long, conflicts_with = "files")]
    pending: bool,
    /// Send a file that was sent before as another document (作为另一份文书发送)
    #[arg(long)]
    anew: bool,
    /// Give up after so many seconds; the document stays in the outbox (放弃前的秒数)
    #[arg(long, value_name = "SECONDS")]
    patience: Option<u64>,
}

/// Runs the command.
///
/// # Errors
/// [`CliError`]: of several files the last that was refused; those before it are printed.
pub async fn run(args: Args, globals: &Globals) -> Result<(), CliError> {
    if let Some(document_type) = &args.template {
        return print_template(document_type);
    }
    if args.check {
        let client = globals.client().await?;
        for file in &args.files {
            check(&client, file, globals).await?;
        }
        return Ok(());
    }
    let client = globals.sending_client().await?;
    let patience = args.patience.map(Duration::from_secs);
    let mut entries = if args.pending { client.outbox().pending()? } else { Vec::new() };
    for file in &args.files {
        entries.push(client.enqueue(file, args.anew).await?);
    }
    // One that is refused keeps no other from being sent; the last error is the command's.
    let mut refused: Option<CliError> = None;
    for entry in entries {
        if let Err(error) = deliver(&client, entry, patience, globals).await {
            if let Some(earlier) = refused.take() {
                let _ = earlier.report(globals);
            }
            if error.exit() != Exit::Refused {
                return Err(error);
            }
            refused = Some(error);
        }
    }
    refused.map_or(Ok(()), Err)
}

fn print_template(document_type: &DocumentType) -> Result<(), CliError> {
    let form = template(&Schema::built_in(), document_type).ok_or_else(|| {
        let english = format!("there is no document type {document_type}");
        CliError::usage(english, format!("没有文书类型 {document_type}"))
            .help("`xianjie law list` prints them all", "xianjie law list 列出全部类型")
    })?;
    print!("{form}");
    Ok(())
}

/// Asks what the hub would do with a document file, and prints its answer.
pub(super) async fn check(client: &Client, file: &Path, globals: &Globals) -> Result<(), CliError> {
    let answer = client.check(file).await?;
    let as_json = || to_json(client.schema(), "CheckDocumentResponse", &answer);
    globals.print(as_json, || describe(&answer));
    match wrong(&answer) {
        0 => Ok(()),
        count => Err(CliError::refused(
            format!("the hub would refuse {}: {count} things are wrong", file.display()),
            format!("平台将不予接收 {}：有 {count} 处问题", file.display()),
        )),
    }
}

async fn deliver(
    client: &Client,
    mut entry: Entry,
    patience: Option<Duration>,
    globals: &Globals,
) -> Result<(), CliError> {
    let progress = Progress { globals: globals.clone(), bar: Mutex::new(globals.bar(0)) };
    let observer: Arc<dyn Observer> = Arc::new(progress);
    let sent = client.deliver(&mut entry, &observer, patience).await?;
    let (id, document_type) = (&entry.state.document_id, &entry.state.document_type);
    let (index, time) = (sent.receipt.index, sent.receipt.time_ms);
    let as_json = || {
        json!({
            "document_id": id,
            "type": document_type,
            "index": index,
            "time_ms": time,
            "correction_case": sent.correction_case,
            "folder": entry.folder,
        })
    };
    globals.print(as_json, || {
        let receipted = globals.words("receipted and verified", "已收存并验证");
        let mut text = format!("{id} {document_type}: {receipted}\n");
        let record = globals.words("record", "账本记录");
        text += &format!("  {record} {index}, {}\n", moment(time));
        if !sent.correction_case.is_empty() {
            let case = globals.words("correction case", "矫正案件");
            text += &format!("  {case} {}\n", sent.correction_case);
        }
        text + &format!("  {}", entry.folder.display())
    });
    Ok(())
}

/// Shows uploads and waits while somebody watches.
struct Progress {
    globals: Globals,
    bar: Mutex<ProgressBar>,
}

impl Progress {
    fn show(&self, message: String, change: impl FnOnce(&mut ProgressBar)) {
        let mut bar = self.bar.lock().unwrap_or_else(PoisonError::into_inner);
        change(&mut bar);
        bar.set_message(message);
    }
}

impl Observer for Progress {
    fn uploaded(&self, file: &Path, done: u64, total: u64) {
        let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
        self.show(name, |bar| {
            if bar.length() != Some(total) {
                *bar = self.globals.bar(total);
            }
            bar.set_position(done);
        });
    }

    fn waiting(&self, why: &CallError, wait: Duration) {
        let again = self.globals.words("again in", "后重试：");
        let seconds = wait.as_secs_f32();
        self.show(format!("{why}; {again} {seconds:.1} s"), |bar| *bar = self.globals.bar(0));
    }
}
