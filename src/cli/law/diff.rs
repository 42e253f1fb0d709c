//! `xianjie law diff`: what other rulebooks would change, in words.

use std::fmt::Write as _;
use std::path::PathBuf;

use jiff::civil::Date;
use serde_json::{Value, json};
use xianjie_core::domain::explain::{Change, Difference, Language};
use xianjie_core::domain::rulebook::Law;

use super::{folder, language, today, trial};
use crate::cli::{CliError, Globals};

/// Which rulebooks, and for what.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The old ones: a folder, or the word builtin (原规则)
    old: PathBuf,
    /// The new ones: a folder, or the word builtin (新规则)
    new: PathBuf,
    /// On this day alone; else today and every later day of change (日期)
    #[arg(long, value_name = "YYYY-MM-DD")]
    date: Option<Date>,
    /// For the documents that the hub's ledger took in the last N days (近日文书)
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    days: Option<u16>,
    /// A folder for the scratch store; the system's if not given (临时目录)
    #[arg(long, value_name = "DIR", requires = "days")]
    scratch: Option<PathBuf>,
}

/// Runs the command.
///
/// # Errors
/// [`CliError`]: rulebooks that are wrong, or with `--days` a ledger that can't be read.
pub(super) async fn run(args: &Args, globals: &Globals) -> Result<(), CliError> {
    let (old, new) = (folder::load(&args.old)?, folder::load(&args.new)?);
    if let Some(days) = args.days {
        let scratch = args.scratch.as_deref();
        return trial::run(trial::Tried { old, new, day: args.date, days }, scratch, globals).await;
    }
    let day = args.date.unwrap_or_else(|| today(globals));
    let days = differences(&old, &new, day, args.date.is_none());
    if globals.json() {
        println!("{:#}", json(&days));
    } else {
        print!("{}", text(&days, language(globals)));
    }
    Ok(())
}

/// The differences on one day.
struct OnDay {
    day: Date,
    differences: Vec<Difference>,
}

/// On `day` alone; or, if `later`, also on each later day on which one of the laws changes and then
/// differs in another way.
fn differences(old: &Law, new: &Law, day: Date, later: bool) -> Vec<OnDay> {
    let mut days: Vec<_> =
        old.changes().chain(new.changes()).filter(|d| later && *d > day).collect();
    days.push(day);
    days.sort_unstable();
    days.dedup();
    let mut found: Vec<OnDay> = Vec::new();
    for day in days {
        let differences = old.differences(new, day);
        if found.last().is_none_or(|last| last.differences != differences) {
            found.push(OnDay { day, differences });
        }
    }
    found
}

/// For people.
fn text(days: &[OnDay], language: Language) -> String {
    let both = |english: &str, chinese: &str| match language {
        Language::English => english.to_owned(),
        Language::Chinese => chinese.to_owned(),
        Language::Both => format!("{english} · {chinese}"),
    };
    let mut text = String::new();
    for OnDay { day, differences } in days {
        // Writing to a string can't fail.
        let _ = writeln!(text, "{}", both(&format!("From {day}"), &format!("自{day}起")));
        if differences.is_empty() {
            let _ = writeln!(text, "  {}", both("no difference", "没有区别"));
        }
        for difference in differences {
            let (kind, name) = (&difference.document_type, &difference.name);
            let change = match difference.change {
                Change::New => both("new", "新增"),
                Change::Gone => both("gone", "取消"),
                Change::Changed => both("changed", "变更"),
            };
            let _ = writeln!(text, "\n{kind}  {name}  [{change}]");
            for section in &difference.sections {
                let _ = writeln!(text, "  {}", language.of(&section.heading));
                for line in &section.removed {
                    let _ = writeln!(text, "    - {}", language.of(line));
                }
                for line in &section.added {
                    let _ = writeln!(text, "    + {}", language.of(line));
                }
            }
        }
        text.push('\n');
    }
    text
}

/// For programs.
fn json(days: &[OnDay]) -> Value {
    let day = |on: &OnDay| {
        let types: Vec<_> = on.differences.iter().map(difference_json).collect();
        json!({"from": on.day.to_string(), "types": types})
    };
    days.iter().map(day).collect()
}

fn difference_json(difference: &Difference) -> Value {
    let change = match difference.change {
        Change::New => "new",
        Change::Gone => "gone",
        Change::Changed => "changed",
    };
    let lines = |lines: &[_]| -> Value {
        let line = |line: &xianjie_core::domain::explain::Phrase| json!({"en": line.english, "zh": line.chinese});
        lines.iter().map(line).collect()
    };
    let section = |section: &xianjie_core::domain::explain::SectionChange| {
        json!({
            "section": {"en": section.heading.english, "zh": section.heading.chinese},
            "removed": lines(&section.removed),
            "added": lines(&section.added),
        })
    };
    json!({
        "document_type": difference.document_type.as_str(),
        "name": difference.name,
        "change": change,
        "sections": difference.sections.iter().map(section).collect::<Vec<_>>(),
    })
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;
    use crate::cli::law::folder;

    const TODAY: Date = date(2026, 11, 24);

    /// The built-in law, but that a receipt is owed in `days` and the Prison Law ends with 2027.
    fn new(days: &str) -> Law {
        let dir = tempfile::tempdir().unwrap();
        folder::export(dir.path()).unwrap();
        for (name, right, wrong) in [
            (
                "act_2020.toml",
                "rows = [\"C6\"]\nowner = \"addressee\"\nwithin = \"5 days\"",
                format!("rows = [\"C6\"]\nowner = \"addressee\"\nwithin = \"{days}\""),
            ),
            (
                "prison_law_2026.toml",
                "from = 2026-11-01\n",
                "from = 2026-11-01\nuntil = 2027-12-31\n".to_owned(),
            ),
        ] {
            let path = dir.path().join(name);
            let text = std::fs::read_to_string(&path).unwrap();
            assert!(text.contains(right), "{name}");
            std::fs::write(&path, text.replacen(right, &wrong, 1)).unwrap();
        }
        folder::load(dir.path()).unwrap()
    }

    #[test]
    fn the_days_to_come_are_told_once_each_way_they_differ() {
        let (old, new) = (Law::built_in(), new("7 days"));
        let days = differences(&old, &new, TODAY, true);
        let from: Vec<_> = days.iter().map(|on| on.day).collect();
        assert_eq!(from, [TODAY, date(2028, 1, 1)]);
        assert_eq!(differences(&old, &new, TODAY, false).len(), 1);
    }

    #[test]
    fn a_change_reads_in_words_and_for_programs() {
        let days = differences(&Law::built_in(), &new("7 days"), TODAY, false);
        expect_test::expect![[r#"
            自2026-11-24起

            verdict_handover  法律文书送达  [变更]
              产生的期限义务
                - 送达回执 › 期限：自收到之日起5日内
                + 送达回执 › 期限：自收到之日起7日内

        "#]]
        .assert_eq(&text(&days, Language::Chinese));
        let json = json(&days);
        let section = &json[0]["types"][0]["sections"][0];
        assert_eq!(json[0]["types"][0]["change"], "changed");
        assert_eq!(section["added"][0]["en"], "送达回执 › limit: within 7 days from receipt");
    }

    #[test]
    fn equal_laws_say_so() {
        let law = Law::built_in();
        let days = differences(&law, &law, TODAY, true);
        assert_eq!(days.len(), 1);
        assert!(text(&days, Language::English).contains("no difference"));
    }
}
