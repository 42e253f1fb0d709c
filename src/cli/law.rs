//! `xianjie law`: what the rulebooks say, in words; whether changed ones are right, and what they
//! would change; whether a document file fits the law.

use std::path::PathBuf;

use clap::{Subcommand, ValueEnum};
use jiff::civil::Date;
use serde_json::{Value, json};
use xianjie_core::domain::decide::Change;
use xianjie_core::domain::explain::{Explanation, Language, Page};
use xianjie_core::domain::rulebook::{Law, Rows, Table};
use xianjie_core::ids::{Digest, DocumentType};
use xianjie_core::refusal::Reason;

use super::{CliError, Globals, dates};

mod diff;
mod folder;
mod reasons;
mod rows;
mod trial;

const EXAMPLES: &str = "\
Examples 示例:
  xianjie law list
  xianjie law explain verdict_handover
  xianjie law explain verdict_handover --date 2015-03-01 --lang zh
  xianjie law check verdict.json --as gz-baiyun-court
  xianjie law render --format html > rules.html
  xianjie law rows
  xianjie law export rules && xianjie law validate rules
  xianjie law diff builtin rules";

const RENDER_EXAMPLES: &str = "\
Examples 示例:
  xianjie law render --format html > rules.html
  xianjie law render --rulebook prison_law_2026 --lang en
  xianjie law render --date 2015-03-01";

const ROWS_EXAMPLES: &str = "\
Examples 示例:
  xianjie law rows
  xianjie law rows --format json";

const FOLDER_EXAMPLES: &str = "\
Examples 示例:
  xianjie law export rules
  xianjie law validate rules
  xianjie law validate rules --json";

const DIFF_EXAMPLES: &str = "\
Examples 示例:
  xianjie law diff builtin rules
  xianjie law diff rules-2026 rules-2027 --date 2027-01-01 --lang zh
  xianjie law diff builtin rules --json
  xianjie law diff builtin rules --days 30 --folder /srv/xianjie

With --days the documents that the ledger took in the last days are decided again, by the old rulebooks
and by the new, each in the state of its time; nothing is written. With --date too, as if the law of that
day held for all of them. The hub must not be running: stop it, or take a copy of its folder.
(--days 用新旧规则分别重新处理近日文书，只读，须停机或使用副本).";

const ACTIVATE_EXAMPLES: &str = "\
Examples 示例:
  xianjie law validate rulebooks
  xianjie law diff builtin rulebooks
  xianjie --as first law activate rulebooks     # the hub's xianjie.toml: [law] rulebooks = \"rulebooks\"
  xianjie --as first law activate builtin";

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
    /// The rules as tables for lawyers, in Chinese unless --lang says otherwise (导出供核对的规则表)
    #[command(after_help = RENDER_EXAMPLES)]
    Render {
        /// In which form (格式)
        #[arg(long, value_enum, default_value_t = PageFormat::Markdown)]
        format: PageFormat,
        /// Only what this rulebook says, such as act_2020 (只导出一个规则文件)
        #[arg(long, value_name = "NAME", conflicts_with = "date")]
        rulebook: Option<String>,
        #[command(flatten)]
        day: DayArgs,
    },
    /// Where each flow of the statutes went: document, duty, or neither (规则逐行对照)
    #[command(after_help = ROWS_EXAMPLES)]
    Rows {
        /// In which form (格式)
        #[arg(long, value_enum, default_value_t = RowsFormat::Markdown)]
        format: RowsFormat,
    },
    /// Write the built-in rulebooks into a folder (导出规则文件)
    #[command(after_help = FOLDER_EXAMPLES)]
    Export {
        /// The folder; it is made if it isn't there (目录)
        folder: PathBuf,
    },
    /// Check the rulebooks of a folder, each and against each other (检查规则文件)
    #[command(after_help = FOLDER_EXAMPLES)]
    Validate {
        /// The folder, with the same files as `law export` writes (目录)
        folder: PathBuf,
    },
    /// What other rulebooks would change, type by type, or for the documents of the last days (比较两套规则)
    #[command(after_help = DIFF_EXAMPLES)]
    Diff {
        #[command(flatten)]
        args: diff::Args,
    },
    /// Put rulebooks in force, as an operator (启用规则)
    #[command(after_help = ACTIVATE_EXAMPLES)]
    Activate {
        /// A folder with the same files as the hub's own `[law] rulebooks`, or the word builtin (规则)
        rulebooks: PathBuf,
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
enum PageFormat {
    /// Markdown
    Markdown,
    /// One HTML file, to read or to print (网页，可打印)
    Html,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum RowsFormat {
    /// Markdown
    Markdown,
    /// JSON
    Json,
}

impl DayArgs {
    fn day(&self, globals: &Globals) -> Date {
        self.date.unwrap_or_else(|| today(globals))
    }
}

fn today(globals: &Globals) -> Date {
    dates::date_of(globals.now())
}

/// The language that all commands print in.
fn language(globals: &Globals) -> Language {
    match globals.words("en", "zh").as_str() {
        "en" => Language::English,
        "zh" => Language::Chinese,
        _ => Language::Both,
    }
}

/// The language of pages for lawyers: Chinese, unless English alone is asked for.
fn page_language(globals: &Globals) -> Language {
    match language(globals) {
        Language::English => Language::English,
        Language::Chinese | Language::Both => Language::Chinese,
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
        Command::Render { format, rulebook, day } => {
            let page = page(&law, rulebook.as_deref(), day.day(globals))?;
            match format {
                PageFormat::Markdown => print!("{}", page.markdown(page_language(globals))),
                PageFormat::Html => print!("{}", page.html(page_language(globals))),
            }
        }
        Command::Rows { format } => {
            let rows = Rows::built_in();
            match format {
                RowsFormat::Markdown if !globals.json() => {
                    print!("{}", rows::markdown(&law, &rows));
                }
                RowsFormat::Markdown | RowsFormat::Json => {
                    println!("{:#}", rows::json(&law, &rows));
                }
            }
        }
        Command::Export { folder } => print!("{}", folder::export(&folder)?),
        Command::Validate { folder } => print!("{}", validated(&folder::load(&folder)?, globals)),
        Command::Diff { args } => return diff::run(&args, globals).await,
        Command::Activate { rulebooks } => {
            let digest = Digest(folder::load(&rulebooks)?.digest());
            let client = globals.client().await?;
            let change = [Change::ActivateRulebooks(digest)];
            return super::operating::change(&client, &change, globals).await;
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
    let line = |(name, table): (&DocumentType, &Table)| {
        format!("{:width$}  {}\n", name.as_str(), table.base.name)
    };
    types.iter().map(line).collect()
}

/// The page of one rulebook, or of the law of a day.
fn page(law: &Law, rulebook: Option<&str>, day: Date) -> Result<Page, CliError> {
    let Some(name) = rulebook else { return Ok(Page::of_day(law, day)) };
    let book = law.books().iter().find(|book| book.name == name).ok_or_else(|| {
        let names: Vec<_> = law.books().iter().map(|book| book.name.as_str()).collect();
        CliError::usage(
            format!("there is no rulebook {name}, only: {}", names.join(", ")),
            format!("没有规则文件{name}，只有：{}", names.join("、")),
        )
    })?;
    Ok(Page::of_book(law, book))
}

/// That the rulebooks are right, and which they are.
fn validated(law: &Law, globals: &Globals) -> String {
    let (books, types) = (law.books().len(), law.types().len());
    if globals.json() {
        let digest = hex::encode(law.digest());
        let facts = serde_json::json!({"rulebooks": books, "types": types, "digest": digest});
        return format!("{facts}\n");
    }
    let words = globals.words(
        &format!("{books} rulebooks with {types} document types are right"),
        &format!("{books}个规则文件、{types}种文书，检查通过"),
    );
    format!("{words}\n")
}

fn to_json(explanation: &Explanation) -> Value {
    json!({
        "type": explanation.document_type.as_str(),
        "name": explanation.name,
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
        let page = page(&law, None, day).unwrap();
        let (list, rendering) = (list(&law, day), page.markdown(Language::Both));
        let html = page.html(Language::Chinese);
        assert_eq!(list.lines().count(), law.on(day).documents.len());
        for name in law.on(day).documents.keys() {
            assert!(list.contains(&format!("{name} ")), "{name}");
            assert!(rendering.contains(&format!(" `{name}`\n")), "{name}");
            assert!(html.contains(&format!("<section id=\"{name}\">")), "{name}");
        }
    }

    #[test]
    fn a_rulebook_that_is_none_is_told_with_those_that_are() {
        let error = page(&Law::built_in(), Some("act_2021"), date(2026, 11, 24)).unwrap_err();
        assert!(format!("{error:?}").contains("act_2020, criminal_procedure"));
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
