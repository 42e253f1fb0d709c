//! A command line that can't be read. It is told like every other error: in the language and the form
//! that it asks for, as far as these can be read in it.

use std::error::Error as _;
use std::ffi::OsString;
use std::process::ExitCode;

use clap::error::{ContextKind, ErrorKind};
use clap::{Parser as _, ValueEnum as _};

use super::error::Exit;
use super::globals::Lang;
use super::{Cli, CliError, Globals};

impl Cli {
    /// The program's command line.
    ///
    /// # Errors
    /// The code that the program ends with: help or the version was asked for and is printed, or the
    /// line can't be read, which is told.
    pub fn read() -> Result<Self, ExitCode> {
        let words: Vec<OsString> = std::env::args_os().collect();
        Self::try_parse_from(&words).map_err(|error| match error.kind() {
            ErrorKind::DisplayHelp
            | ErrorKind::DisplayVersion
            | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
                // Where nobody reads there is nobody to tell.
                let _ = error.print();
                if error.use_stderr() {
                    ExitCode::from(Exit::Usage as u8)
                } else {
                    ExitCode::SUCCESS
                }
            }
            _ => unread(&error).report(&printing(&words)),
        })
    }
}

/// How to print, by a line that can't be read as a whole.
fn printing(words: &[OsString]) -> Globals {
    let words: Vec<_> = words.iter().map(|word| word.to_string_lossy()).collect();
    let pairs = words.windows(2).filter(|pair| pair[0] == "--lang").map(|pair| &*pair[1]);
    let named = pairs.chain(words.iter().filter_map(|word| word.strip_prefix("--lang="))).last();
    let lang = named.and_then(|word| Lang::from_str(word, false).ok()).unwrap_or_default();
    Globals::printing(lang, words.iter().any(|word| word == "--json"))
}

/// What is wrong, in both languages.
fn unread(error: &clap::Error) -> CliError {
    let text = error.render().to_string();
    let text = text.strip_prefix("error: ").unwrap_or(&text);
    let ends = ["\n\nUsage:", "\n\nFor more information"].map(|end| text.find(end));
    let english = &text[..ends.into_iter().flatten().min().unwrap_or(text.len())];
    let usage = told(error, ContextKind::Usage);
    let usage = usage.trim().strip_prefix("Usage: ").unwrap_or("xianjie --help");
    CliError::usage(english.trim_end(), chinese(error))
        .help(format!("{usage}; --help says more"), format!("用法：{usage}；详见 --help"))
}

fn chinese(error: &clap::Error) -> String {
    let argument = told(error, ContextKind::InvalidArg);
    let text = match error.kind() {
        ErrorKind::InvalidSubcommand => {
            format!("没有子命令 {}", told(error, ContextKind::InvalidSubcommand))
        }
        ErrorKind::MissingSubcommand => "缺少子命令".to_owned(),
        ErrorKind::UnknownArgument => format!("没有参数 {argument}"),
        ErrorKind::MissingRequiredArgument => format!("缺少参数 {argument}"),
        ErrorKind::ArgumentConflict => {
            format!("{argument} 不能与 {} 同用", told(error, ContextKind::PriorArg))
        }
        ErrorKind::InvalidValue | ErrorKind::ValueValidation => {
            format!("{argument} 的值“{}”不可用", told(error, ContextKind::InvalidValue))
        }
        _ => "命令行有误".to_owned(),
    };
    let suggested =
        [ContextKind::SuggestedSubcommand, ContextKind::SuggestedArg, ContextKind::SuggestedValue];
    let suggested = suggested.map(|kind| told(error, kind)).concat();
    let valid = told(error, ContextKind::ValidValue);
    // Why a value won't do is said by whoever reads it.
    let why = error.source().map(ToString::to_string).unwrap_or_default();
    let more = [("：", why), ("；可用：", valid), ("；相近：", suggested)];
    more.into_iter()
        .filter(|(_, word)| !word.is_empty())
        .fold(text, |text, (mark, word)| text + mark + &word)
}

/// What the error tells of this; nothing, if it doesn't.
fn told(error: &clap::Error, kind: ContextKind) -> String {
    error.get(kind).map(ToString::to_string).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wrong(words: &[&str]) -> String {
        let words = ["xianjie"].iter().chain(words);
        chinese(&Cli::try_parse_from(words).unwrap_err())
    }

    #[test]
    fn what_is_wrong_is_said_in_chinese_and_names_the_words() {
        assert_eq!(wrong(&["querry"]), "没有子命令 querry；相近：query");
        assert_eq!(wrong(&["send"]), "缺少参数 <FILES>...");
        assert_eq!(wrong(&["status", "--jason"]), "没有参数 --jason；相近：--json");
        let two = ["status", "--as", "a", "--profile", "p"];
        assert_eq!(wrong(&two), "--as <NAME> 不能与 --profile <DIR> 同用");
        let load = wrong(&["bench", "all"]);
        assert_eq!(load, "<SCENARIO> 的值“all”不可用；可用：submit, stream, deliver, mixed");
        let month = wrong(&["supervise", "statistics", "13"]);
        assert_eq!(month, "<MONTH> 的值“13”不可用：want a month such as 2026-11");
    }

    #[test]
    fn how_to_print_is_read_in_any_line() {
        let printing = |words: &[&str]| {
            let globals = printing(&words.iter().map(OsString::from).collect::<Vec<_>>());
            (globals.lang(), globals.json())
        };
        assert_eq!(printing(&["xianjie", "frobnicate"]), (Lang::Both, false));
        assert_eq!(printing(&["xianjie", "--lang", "zh", "x"]), (Lang::Zh, false));
        assert_eq!(printing(&["xianjie", "x", "--json", "--lang=en"]), (Lang::En, true));
        assert_eq!(printing(&["xianjie", "--lang", "fr"]), (Lang::Both, false));
    }
}
