//! The command line: parse, call, print. One subcommand a file, each with its `Args` and `run`; what
//! they do stands in the modules that they call.

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use jiff::Timestamp;
use jiff::tz::Offset;

pub mod agency;
pub mod agency_find;
pub mod audit;
pub mod bench;
mod dates;
pub mod demo;
pub mod doctor;
pub mod error;
mod failure;
pub mod globals;
pub mod inbox;
pub mod init;
mod issuing;
pub mod law;
mod operating;
pub mod pki;
pub mod proto;
pub mod query;
pub mod send;
pub mod serve;
pub mod status;
mod still;
pub mod supervise;
pub mod system;
mod table;
pub mod verify;

pub use error::CliError;
pub use globals::Globals;

const ABOUT: &str = "\
xianjie 衔接: the exchange hub for community corrections (社区矫正信息交换平台)";

const EXAMPLES: &str = "\
Exit codes 退出码:
  0 done 完成 · 1 refused, or a check failed or could not be completed 不予接收、未通过或不完整
  2 command line, or a file that it names 用法或所指文件有误 · 65 stored data damaged 存储数据损坏
  69 hub unavailable 平台不可用 · 70 internal 内部故障 · 77 certificate or right 证书或权限

Examples 示例:
  xianjie send verdict.json --as gz-baiyun-court
  xianjie inbox watch --as gz-baiyun-corrections
  xianjie verify folder profiles/gz-baiyun-court/outbox/ID";

/// The command line.
#[derive(Debug, Parser)]
#[command(name = "xianjie", version, about = ABOUT, after_help = EXAMPLES)]
#[command(arg_required_else_help = true)]
pub struct Cli {
    #[command(flatten)]
    globals: Globals,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Init(Box<init::Args>),
    Serve(serve::Args),
    Pki(pki::Args),
    Agency(Box<agency::Args>),
    System(system::Args),
    Send(send::Args),
    Inbox(inbox::Args),
    Status(status::Args),
    Supervise(supervise::Args),
    Query(query::Args),
    Verify(verify::Args),
    Law(law::Args),
    Proto(proto::Args),
    Doctor(doctor::Args),
    Audit(audit::Args),
    Bench(Box<bench::Args>),
    Demo(demo::Args),
}

impl Cli {
    /// Reads the command line.
    ///
    /// # Errors
    /// It can't be used, or asks for help alone: that is printed, as JSON if so asked, and the program ends
    /// with this code.
    pub fn read() -> Result<Self, ExitCode> {
        Self::try_parse().map_err(|error| {
            let globals = Globals::of_json(std::env::args_os().any(|word| word == "--json"));
            if error.use_stderr() && globals.json() {
                let text = error.to_string();
                let cause = text.trim_start_matches("error: ").trim_end();
                return CliError::usage(cause, format!("命令行有误：{cause}")).report(&globals);
            }
            // Where nobody listens there is nothing left to say.
            let _ = error.print();
            if error.use_stderr() {
                ExitCode::from(error::Exit::Usage as u8)
            } else {
                ExitCode::SUCCESS
            }
        })
    }

    /// Runs the command, prints its error if there is one, and gives the program's exit code.
    pub async fn run(self) -> ExitCode {
        let globals = self.globals;
        match dispatch(self.command, &globals).await {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => error.report(&globals),
        }
    }
}

async fn dispatch(command: Command, globals: &Globals) -> Result<(), CliError> {
    match command {
        Command::Init(args) => init::run(*args, globals).await,
        Command::Serve(args) => serve::run(args, globals).await,
        Command::Pki(args) => pki::run(args, globals).await,
        Command::Agency(args) => agency::run(*args, globals).await,
        Command::System(args) => system::run(args, globals).await,
        Command::Send(args) => send::run(args, globals).await,
        Command::Audit(args) => audit::run(args, globals).await,
        Command::Bench(args) => bench::run(*args, globals).await,
        Command::Demo(args) => demo::run(args, globals).await,
        Command::Inbox(args) => inbox::run(args, globals).await,
        Command::Status(args) => status::run(args, globals).await,
        Command::Supervise(args) => supervise::run(args, globals).await,
        Command::Query(args) => query::run(args, globals).await,
        Command::Verify(args) => verify::run(args, globals).await,
        Command::Law(args) => law::run(args, globals).await,
        Command::Proto(args) => proto::run(args, globals).await,
        Command::Doctor(args) => doctor::run(args, globals).await,
    }
}

/// A record's time, in milliseconds since 1970, as people in Asia/Shanghai write it.
fn moment(time_ms: u64) -> String {
    let time = Timestamp::from_millisecond(i64::try_from(time_ms).unwrap_or(i64::MAX));
    let time = Offset::constant(8).to_datetime(time.unwrap_or_default());
    time.strftime("%Y-%m-%d %H:%M:%S").to_string()
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    /// Every command that does something, with the words that lead to it.
    fn leaves(command: &clap::Command, path: &str) -> Vec<(String, clap::Command)> {
        let path = format!("{path} {}", command.get_name());
        if !command.has_subcommands() {
            return vec![(path, command.clone())];
        }
        command.get_subcommands().flat_map(|inner| leaves(inner, &path)).collect()
    }

    /// The command lines among the examples of a help text, as a shell splits them.
    fn examples(help: &str) -> Vec<Vec<String>> {
        let help = help.replace("\\\n      ", "");
        let lines = help.lines().filter_map(|line| line.strip_prefix("  xianjie "));
        let split = |line: &str| {
            // What stands apart is said of the command.
            let line = line.split("  ").next().unwrap_or_default();
            let parts = line.split('\'').enumerate().flat_map(|(place, part)| match place % 2 {
                0 => part.split(' ').map(str::to_owned).collect(),
                _ => vec![part.to_owned()],
            });
            let words = parts.filter(|word| !word.is_empty()).take_while(|word| word != ">");
            std::iter::once("xianjie".to_owned()).chain(words).collect()
        };
        lines.map(split).collect()
    }

    #[test]
    fn every_command_has_examples_that_are_right() {
        let mut command = Cli::command();
        command.build();
        let leaves = leaves(&command, "");
        assert!(leaves.len() > 40, "{}", leaves.len());
        for (path, leaf) in leaves.iter().filter(|(path, _)| !path.contains(" help")) {
            let help = leaf.get_after_help().map(ToString::to_string).unwrap_or_default();
            assert!(help.contains("Examples 示例:"), "{path} has no examples");
            let examples = examples(&help);
            assert!(!examples.is_empty(), "{path} has no examples");
            for words in examples {
                if let Err(error) = Cli::try_parse_from(&words) {
                    panic!("{path}: {words:?}: {error}");
                }
            }
        }
    }

    #[test]
    fn a_moment_is_that_of_shanghai() {
        assert_eq!(moment(1_795_449_600_000), "2026-11-24 00:00:00");
    }

    #[test]
    fn global_options_stand_anywhere() {
        let after = Cli::try_parse_from(["xianjie", "send", "a.json", "--as", "court", "--json"]);
        assert!(after.unwrap().globals.json());
        let both = ["xianjie", "--as", "court", "--profile", "p", "status"];
        assert!(Cli::try_parse_from(both).is_err());
    }
}
