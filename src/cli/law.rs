//! `xianjie law`: what the rulebooks say, in words; whether a document file fits them.

use std::path::PathBuf;

use clap::{Subcommand, ValueEnum};
use jiff::civil::Date;
use serde_json::{Value, json};
use xianjie_core::domain::explain::{Explanation, Language};
use xianjie_core::domain::rulebook::Law;
use xianjie_core::ids::DocumentType;
use xianjie_core::refusal::Reason;

use super::{CliError, Globals, dates};

mod reasons;

const EXAMPLES: &str = "\
Examples 示例:
  xianjie law list
  xianjie law explain verdict_handover
  xianjie law explain verdict_handover --date 2015-03-01 --lang zh
  xianjie law check verdict.json --as gz-baiyun-court
  xianjie law render --lang zh > rules.md";

/// The rulebooks in words (规则解释).
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// What the law says of one document type: senders, addressees, duties, custody (解释一种文书的规则)
    #[command(after_help = "\
Examples 示例:
  xianjie law explain verdict_handover
  xianjie law explain verdict_handover --date 2015-03-01 --lang zh")]
    Explain {
        /// The type, such as verdict_handover; `law list` prints them all (文书类型)
        #[arg(value_name = "TYPE")]
        document_type: DocumentType,
        #[command(flatten)]
        day: DayArgs,
    },
    /// The document types of a day (文书类型目录)
    #[command(after_help = "\
Examples 示例:
  xianjie law list
  xianjie law list --date 2015-03-01 --json")]
    List {
        #[command(flatten)]
        day: DayArgs,
    },
    /// What the hub would do with a document file, without sending it (预审文书)
    #[command(after_help = "\
Examples 示例:
  xianjie law check verdict.json --as gz-baiyun-court")]
    Check {
        /// The document: a JSON file as for `send` (文书文件)
        file: PathBuf,
    },
    /// All types of a day in one text (导出全部规则)
    #[command(after_help = "\
Examples 示例:
  xianjie law render --lang zh > rules.md")]
    Render {
        /// In which form (格式)
        #[arg(long, value_enum, default_value_t = Format::Markdown)]
        format: Format,
        #[command(flatten)]
        day: DayArgs,
    },
    /// The catalogue of reasons for a refusal, in Markdown (不予接收原因目录)
    #[command(after_help = "\
Examples 示例:
  xianjie law reasons
  xianjie law reasons --json")]
    Reasons,
}

#[derive(Debug, clap::Args)]
struct DayArgs {
    /// The law of which day; today if not given (日期)
    #[arg(long, value_name = "YYYY-MM-DD")]
    date: Option<Date>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Format {
    /// Markdown
    Markdown,
    /// Plain text (纯文本)
    Text,
}

impl DayArgs {
    fn day(&self, globals: &Globals) -> Date {
        self.date.unwrap_or_else(|| dates::date_of(globals.now()))
    }
}

/// The language that all commands print in.
fn language(globals: &Globals) -> Language {
    match globals.words("en", "zh").as_str() {
        "en" => Language::English,
        "zh" => Language::Chinese,
        _ => Language::Both,
    }
}

/// Runs the command.
///
/// # Errors
/// [`CliError`].
pub async fn run(args: Args, globals: &Globals) -> Result<(), CliError> {
    let (law, language) = (Law::built_in(), language(globals));
    match args.command {
        Command::Explain { document_type, day } => {
            let day = day.day(globals);
            let explanation = law
                .explain(&document_type, day)
                .ok_or_else(|| unknown(&law, &document_type, day))?;
            globals.print(|| to_json(&explanation), || explanation.text(language));
        }
        Command::List { day } => {
            let day = day.day(globals);
            globals.print_all(
                law.on(day).documents.iter(),
                |(name, table)| json!({ "type": name.as_str(), "name": table.base.name }),
                || list(&law, day),
            );
        }
        Command::Render { format, day } => {
            let day = day.day(globals);
            globals.print_all(
                explained(&law, day),
                |explanation| to_json(&explanation),
                || render(&law, day, language, format),
            );
        }
        Command::Reasons => {
            globals.print_all(Reason::ALL.iter(), reasons::to_json, reasons::catalogue);
        }
        Command::Check { file } => {
            return super::send::check(&globals.client().await?, &file, globals).await;
        }
    }
    Ok(())
}

/// One line a type: its name in messages, its Chinese name.
fn list(law: &Law, day: Date) -> String {
    let types = &law.on(day).documents;
    let width = types.keys().map(|name| name.as_str().len()).max().unwrap_or_default();
    let line = |(name, table): (&DocumentType, &xianjie_core::domain::rulebook::Table)| {
        format!("{:width$}  {}\n", name.as_str(), table.base.name)
    };
    types.iter().map(line).collect()
}

fn explained(law: &Law, day: Date) -> impl Iterator<Item = Explanation> {
    law.on(day).documents.keys().filter_map(move |name| law.explain(name, day))
}

fn render(law: &Law, day: Date, language: Language, format: Format) -> String {
    let texts = explained(law, day).map(|explanation| match format {
        Format::Markdown => explanation.markdown(language),
        Format::Text => explanation.text(language),
    });
    texts.collect::<Vec<_>>().join("\n")
}

fn to_json(explanation: &Explanation) -> Value {
    json!({
        "type": explanation.document_type.as_str(),
        "name": explanation.name,
        "from": explanation.from.to_string(),
        "text": explanation.text(Language::English),
        "text_zh": explanation.text(Language::Chinese),
    })
}

fn unknown(law: &Law, document_type: &DocumentType, day: Date) -> CliError {
    let error = CliError::usage(
        format!("the law of {day} knows no document type {document_type}"),
        format!("{day}的规则中没有文书类型{document_type}"),
    );
    if law.types().contains(document_type) {
        return error.help(
            "the type exists on other days: give --date",
            "该类型在其他日期存在，请用 --date 指明",
        );
    }
    error.help("`xianjie law list` prints all types", "xianjie law list 列出全部类型")
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    #[test]
    fn the_list_and_the_rendering_have_every_type_of_the_day() {
        let law = Law::built_in();
        let day = date(2026, 11, 24);
        let (list, rendering) =
            (list(&law, day), render(&law, day, Language::Both, Format::Markdown));
        assert_eq!(list.lines().count(), law.on(day).documents.len());
        for name in law.on(day).documents.keys() {
            assert!(list.contains(&format!("{name} ")), "{name}");
            assert!(rendering.contains(&format!("## `{name}` ")), "{name}");
        }
    }

    #[test]
    fn a_type_of_another_day_is_told_from_one_that_is_none() {
        let law = Law::built_in();
        let other_day = unknown(&law, &"verdict_handover".parse().unwrap(), date(2000, 1, 1));
        let none = unknown(&law, &"verdict".parse().unwrap(), date(2000, 1, 1));
        assert!(format!("{other_day:?}").contains("--date"));
        assert!(format!("{none:?}").contains("law list"));
    }
}
