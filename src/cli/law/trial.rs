//! `xianjie law diff --days`: what other rulebooks would make of the documents of the last days, first
//! counted by type, then document by document.

use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;

use jiff::civil::Date;
use serde_json::{Value, json};
use xianjie_core::domain::directory::Divisions;
use xianjie_core::domain::explain::{Language, limit_phrase};
use xianjie_core::domain::rulebook::Law;
use xianjie_core::domain::term::format_shanghai;
use xianjie_core::ids::{Digest, DocumentType, Time};

use super::language;
use crate::cli::still::{self, Still};
use crate::cli::{CliError, Globals};
use crate::hub::audit::law::trial::{Otherwise, Part, TrialParts, TrialReport, trial};
use crate::hub::audit::law::{Difference, How};
use crate::hub::laws;
use crate::wire::schema::Schema;

const DAY_MS: i64 = 24 * 3_600_000;

/// What is tried.
pub(super) struct Tried {
    /// The rulebooks that decide now.
    pub(super) old: Law,
    /// Those on trial.
    pub(super) new: Law,
    /// As if the law of this day held for all documents; else each has that of its own day.
    pub(super) day: Option<Date>,
    /// How many days back.
    pub(super) days: u16,
}

/// What came of it, with what it needs to be told.
struct Told {
    report: TrialReport,
    days: u16,
    /// Whether the old rulebooks are those that the ledger last put in force.
    in_force: bool,
    old: Arc<Law>,
    new: Arc<Law>,
}

/// Tries the rulebooks on the ledger of the hub's folder, and prints what comes of it.
///
/// # Errors
/// [`CliError`]: the ledger can't be read.
pub(super) async fn run(
    tried: Tried,
    scratch: Option<&Path>,
    globals: &Globals,
) -> Result<(), CliError> {
    let Still { origin, store, scratch, .. } = Still::open(globals, scratch).await?;
    let in_force = laws::in_force(&store).await.map_err(|error| still::unopened(&error))?;
    let in_force = in_force == Digest(tried.old.digest());
    let law = |law: Law| match tried.day {
        Some(day) => Arc::new(law.as_of(day)),
        None => Arc::new(law),
    };
    let (old, new, days) = (law(tried.old), law(tried.new), tried.days);
    let parts = TrialParts {
        origin,
        schema: Arc::new(Schema::built_in()),
        old: Arc::clone(&old),
        new: Arc::clone(&new),
        divisions: Arc::new(Divisions::built_in()),
        since: Time(globals.now().0 - i64::from(days) * DAY_MS),
        scratch: scratch.store(),
    };
    let bar = globals.bar(0);
    let report = trial(&store, parts, |done, all| bar.set_message(format!("{done}/{all}"))).await;
    bar.finish_and_clear();
    let report = report.map_err(|error| still::unread(&error))?;
    let told = Told { report, days, in_force, old, new };
    if globals.json() {
        println!("{:#}", told.json());
    } else {
        print!("{}", told.text(language(globals)));
    }
    Ok(())
}

impl Told {
    fn name(&self, document_type: &DocumentType) -> &str {
        let law = if self.new.types().contains(document_type) { &self.new } else { &self.old };
        law.name_of(document_type)
    }

    /// For people.
    fn text(&self, language: Language) -> String {
        let TrialReport { tried, otherwise, counts, documents, untried } = &self.report;
        let say = |english: &str, chinese: &str| in_words(language, english, chinese);
        let days = self.days;
        let heading =
            say(&format!("documents of the last {days} days"), &format!("近{days}日文书"));
        // Writing to a string can't fail.
        let mut text = format!("{heading}: {tried}\n");
        if *untried > 0 {
            let words =
                say("not decided by the old rulebooks, or unreadable", "非原规则处理或者无法读取");
            let _ = writeln!(text, "{words}: {untried}");
        }
        if !self.in_force {
            let words = say(
                "the old rulebooks are not those in force in this ledger",
                "原规则不是该账本现行的规则",
            );
            let _ = writeln!(text, "{words}");
        }
        if *otherwise == 0 {
            let _ = writeln!(text, "{}", say("no difference", "没有区别"));
            return text;
        }
        let _ = writeln!(text, "{}: {otherwise}", say("decided otherwise", "处理不同"));
        let mut last = None;
        for ((document_type, part), count) in counts {
            if last.replace(document_type) != Some(document_type) {
                let _ = writeln!(text, "\n{document_type}  {}", self.name(document_type));
            }
            let (_, english, chinese) = part.words();
            let _ = writeln!(text, "  {}: {count}", say(english, chinese));
        }
        documents.iter().for_each(|document| self.write(document, language, &mut text));
        let more = otherwise - documents.len() as u64;
        if more > 0 {
            let words = say(&format!("and {more} more"), &format!("另有{more}件"));
            let _ = writeln!(text, "\n{words}");
        }
        text
    }

    fn write(&self, document: &Otherwise, language: Language, text: &mut String) {
        let Otherwise { index, time, sender, document_type, differences } = document;
        let (record, time) = (in_words(language, "record", "记录"), format_shanghai(time.0));
        let name = self.name(document_type);
        // Writing to a string can't fail.
        let _ = writeln!(text, "\n{record} {index}  {time}  {document_type} {name}  {sender}");
        for (part, difference) in differences {
            write_difference(*part, difference, language, text);
        }
    }

    /// For programs.
    fn json(&self) -> Value {
        let TrialReport { tried, otherwise, counts, documents, untried } = &self.report;
        let count = |((document_type, part), count): (&(DocumentType, Part), &u64)| {
            json!({
                "document_type": document_type.as_str(),
                "name": self.name(document_type),
                "part": part.words().0,
                "documents": count,
            })
        };
        json!({
            "days": self.days,
            "old_in_force": self.in_force,
            "tried": tried,
            "otherwise": otherwise,
            "untried": untried,
            "counts": counts.iter().map(count).collect::<Vec<_>>(),
            "documents": documents.iter().map(document_json).collect::<Vec<_>>(),
        })
    }
}

fn in_words(language: Language, english: &str, chinese: &str) -> String {
    match language {
        Language::English => english.to_owned(),
        Language::Chinese => chinese.to_owned(),
        Language::Both => format!("{english} {chinese}"),
    }
}

fn write_difference(part: Part, difference: &Difference, language: Language, text: &mut String) {
    let Difference { how, what, articles, fields, .. } = difference;
    let (sign, _) = way(*how);
    let (_, english, chinese) = part.words();
    let part = in_words(language, english, chinese);
    // Writing to a string can't fail.
    let _ = write!(text, "  {sign} {part}: {what}");
    if !articles.is_empty() {
        let _ = write!(text, " ({})", articles.join(", "));
    }
    text.push('\n');
    for field in fields {
        let path = field.path.rsplit('.').next().unwrap_or(&field.path);
        let name = field_name(path).map_or_else(
            || path.to_owned(),
            |(english, chinese)| in_words(language, english, chinese),
        );
        let [had, made] = [&field.had, &field.made].map(|value| match path {
            "limit" if !value.is_empty() => language.of(&limit_phrase(value)),
            _ => value.clone(),
        });
        let _ = match how {
            How::Other => writeln!(text, "      {name}: {had} → {made}"),
            _ => writeln!(text, "      {name}: {}", if had.is_empty() { made } else { had }),
        };
    }
}

/// The sign before a difference, and its word in JSON.
fn way(how: How) -> (char, &'static str) {
    match how {
        How::Missing => ('+', "added"),
        How::Additional => ('-', "dropped"),
        How::Other | How::Order => ('~', "changed"),
        How::Refused | How::Nothing => ('!', "refused"),
    }
}

/// What people look for, by the last part of its path.
fn field_name(name: &str) -> Option<(&'static str, &'static str)> {
    Some(match name {
        "limit" => ("limit", "期限"),
        "due_ms" => ("due before", "届满"),
        "not_before_ms" => ("not before", "不早于"),
        "owner_agency" => ("owed by", "义务单位"),
        "person_watched_by" => ("watched by", "督促单位"),
        "creditor" => ("owed to", "对方单位"),
        "closed_by" => ("done by", "完成文书"),
        "cancelled_by" => ("ended by", "免除文书"),
        "force" => ("force", "效力"),
        "copy" => ("copy", "抄送"),
        "answers" => ("answers", "监管单位"),
        "state" => ("state", "状态"),
        "outcome" => ("outcome", "结果"),
        _ => return None,
    })
}

fn document_json(document: &Otherwise) -> Value {
    let difference = |(part, difference): &(Part, Difference)| {
        let field = |field: &crate::hub::audit::law::Field| json!({"path": field.path, "old": field.had, "new": field.made});
        json!({
            "part": part.words().0,
            "change": way(difference.how).1,
            "what": difference.what,
            "rule": difference.rule,
            "articles": difference.articles,
            "fields": difference.fields.iter().map(field).collect::<Vec<_>>(),
        })
    };
    json!({
        "index": document.index.0,
        "time": format_shanghai(document.time.0),
        "sender": document.sender.as_str(),
        "document_type": document.document_type.as_str(),
        "differences": document.differences.iter().map(difference).collect::<Vec<_>>(),
    })
}
