//! `xianjie supervise`: what is owed, who is between two agencies or missing, who answers for whom; for
//! those who owe or are owed, and for the procuratorate (检察监督).
//!
//! What it shows as past its limit is what the hub has not seen: a reminder, never a finding.

use std::time::Duration;

use clap::{Subcommand, value_parser};
use xianjie_core::ids::{AgencyCode, CaseRef, Time};

use super::{CliError, Globals, dates};
use crate::client::supervise::DutyFilter;

mod alarms;
mod custody;
mod duties;
mod gaps;
mod live;
mod missing;
mod scene;
mod screen;
mod statistics;
mod words;

/// How often the overview is read anew unless `--every` says otherwise, in seconds.
const EVERY_SECONDS: u64 = 60;

const EXAMPLES: &str = "\
Examples 示例:
  xianjie supervise --as gz-baiyun-procuratorate                  a live overview; q ends it 实时概览
  xianjie supervise duties --missed --as gz-baiyun-procuratorate
  xianjie supervise gaps --as gz-baiyun-procuratorate
  xianjie supervise alarms --follow --as gz-baiyun-procuratorate

An agency sees what it owes or is owed; with the right to supervise also what those owe whom it
supervises. What is past its limit here is what the hub has not seen: a reminder, never a finding.
逾期提示仅表明本平台尚未收到相应文书，提请核实，不是认定结论。";

/// See what is owed, missed, and who is between two agencies or missing (检察监督)
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// How often the overview is read anew, in seconds; else 60; each alarm does so at once (刷新间隔)
    #[arg(long, value_name = "SECONDS", value_parser = value_parser!(u64).range(5..=3600))]
    every: Option<u64>,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// The duties that are owed now, the worst first (期限义务)
    #[command(after_help = "\
Examples 示例:
  xianjie supervise duties --as gz-baiyun-procuratorate
  xianjie supervise duties --missed --of gz-baiyun-corrections --as gz-baiyun-procuratorate
  xianjie supervise duties --case 0123456789abcdef0123456789abcdef --as gz-baiyun-court --json")]
    Duties {
        /// Only those whose limit has passed undone, without reminders and rights (仅逾期)
        #[arg(long)]
        missed: bool,
        /// Only those that this agency owes, watches or is owed (单位)
        #[arg(long, value_name = "AGENCY")]
        of: Option<AgencyCode>,
        /// Only those of this correction case (矫正案件)
        #[arg(long, value_name = "REF")]
        case: Option<CaseRef>,
    },
    /// The persons who are between two agencies (交接中)
    #[command(after_help = "\
Examples 示例:
  xianjie supervise gaps --as gz-baiyun-procuratorate
  xianjie supervise gaps --missed --as gz-baiyun-procuratorate --json")]
    Gaps {
        /// Only those whose handover was not completed in time (仅交接逾期)
        #[arg(long)]
        missed: bool,
    },
    /// The persons whose whereabouts are unknown, the longest first (下落不明)
    #[command(after_help = "\
Examples 示例:
  xianjie supervise missing --as gz-baiyun-procuratorate
  xianjie supervise missing --as gz-baiyun-corrections --json")]
    Missing,
    /// Which agency answers for a person, and the steps to it (监管责任)
    #[command(after_help = "\
Examples 示例:
  xianjie supervise custody 0123456789abcdef0123456789abcdef --as gz-baiyun-procuratorate
  xianjie supervise custody 0123456789abcdef0123456789abcdef --at 2026-11-24T09:00:00+08:00 \\
      --as gz-baiyun-procuratorate")]
    Custody {
        /// The correction case (矫正案件)
        case: CaseRef,
        /// At which time, with its offset; else now (时间)
        #[arg(long, value_name = "TIME", value_parser = dates::instant)]
        at: Option<Time>,
    },
    /// How the duties opened in a month were met (统计)
    #[command(after_help = "\
Examples 示例:
  xianjie supervise statistics 2026-11 --as gz-baiyun-procuratorate
  xianjie supervise statistics 2026-11 --as gz-baiyun-procuratorate --json")]
    Statistics {
        /// The month, in Asia/Shanghai (月份)
        #[arg(value_parser = dates::month)]
        month: String,
    },
    /// The alarms so far, and with --follow every new one (提醒)
    #[command(after_help = "\
Examples 示例:
  xianjie supervise alarms --as gz-baiyun-procuratorate
  xianjie supervise alarms --after 4711 --follow --as gz-baiyun-procuratorate --json

Store the index of the last one, and go on from there with --after. 请保存最后一条的账本序号。")]
    Alarms {
        /// Only records above this index; else from the beginning (起始账本序号)
        #[arg(long, value_name = "INDEX")]
        after: Option<u64>,
        /// Then tell of every new one, until stopped (持续)
        #[arg(long)]
        follow: bool,
    },
}

/// Runs the command.
///
/// # Errors
/// [`CliError`].
pub async fn run(args: Args, globals: &Globals) -> Result<(), CliError> {
    if args.every.is_some() && args.command.is_some() {
        return Err(CliError::usage("--every is for the overview alone", "--every 仅用于实时概览"));
    }
    let client = globals.client().await?;
    match args.command {
        None => {
            let every = Duration::from_secs(args.every.unwrap_or(EVERY_SECONDS));
            live::run(&client, every, globals).await
        }
        Some(Command::Duties { missed, of, case }) => {
            let filter = DutyFilter { of_agency: of, missed, correction_case: case };
            duties::run(&client, &filter, globals).await
        }
        Some(Command::Gaps { missed }) => gaps::run(&client, missed, globals).await,
        Some(Command::Missing) => missing::run(&client, globals).await,
        Some(Command::Custody { case, at }) => custody::run(&client, case, at, globals).await,
        Some(Command::Statistics { month }) => statistics::run(&client, &month, globals).await,
        Some(Command::Alarms { after, follow }) => {
            alarms::run(&client, after, follow, globals).await
        }
    }
}

/// The lines of a table, and under it the words that make clear what it is.
fn with_reminder(mut lines: Vec<String>, globals: &Globals) -> String {
    lines.push(words::in_lang(globals, words::REMINDER));
    lines.join("\n")
}
