//! `xianjie audit`: holds a hub's store against the promises P1 to P10.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::sync::Arc;

use futures::FutureExt as _;
use serde_json::{Value, json};
use xianjie_core::domain::directory::Divisions;
use xianjie_core::domain::rulebook::Law;
use xianjie_core::ids::{AgencyCode, Digest};
use xianjie_core::ledger::NoteVerifier;

use super::error::chain;
use super::still::{self, Still, impossible};
use super::{CliError, Globals};
use crate::config::Config;
use crate::hub::audit::law::{Difference, Field, LawParts, LawReport, Named};
use crate::hub::audit::{AuditParts, Finding, Report, audit};
use crate::hub::floor::Floor;
use crate::hub::laws;
use crate::store::StoreError;
use crate::store::attachments::{AttachmentLimits, Attachments};
use crate::wire::schema::Schema;

const EXAMPLES: &str = "\
Examples 示例:
  xianjie audit --folder /srv/xianjie             the hub must not be running
  xianjie audit --folder /restored --attachments  attachments are looked for too
  xianjie audit --folder copy --law               each record is decided again
  xianjie audit --folder copy --json

Exit code 0: every promise holds, and with --law every record that was decided again came out the same;
1: something was found; 65: the store is damaged and can't be read
(0 无问题，1 发现问题，65 存储损坏无法读取).";

/// The promises, in the words of a heading.
const PROMISES: &[(&str, &str, &str)] = &[
    ("P1", "durable", "持久"),
    ("P2", "exactly one effect", "仅生效一次"),
    ("P3", "nobody forgotten", "无一遗漏"),
    ("P4", "gapless inboxes", "收件连续"),
    ("P5", "tamper-evident", "防篡改"),
    ("P6", "non-repudiation", "不可抵赖"),
    ("P7", "lawful routing", "依法送达"),
    ("P8", "nobody between", "监管不脱节"),
    ("P9", "derivable", "可重建"),
    ("P10", "in order", "先后有序"),
];

/// Audit a hub's store against all promises (审计账本).
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// Also look whether every attachment that a document names is held whole (核对附件)
    #[arg(long)]
    attachments: bool,
    /// Also decide each record again, under this program's rulebooks and engine (依法复核)
    #[arg(long)]
    law: bool,
    /// A folder for the scratch store; the system's if not given (临时目录)
    #[arg(long)]
    scratch: Option<PathBuf>,
}

/// Runs the command.
///
/// # Errors
/// [`CliError`]: the audit can't be made, or it found something.
pub async fn run(args: Args, globals: &Globals) -> Result<(), CliError> {
    let report = audited(&args, globals).await?;
    globals.print(|| to_json(&report), || describe(&report));
    if report.is_clean() {
        return Ok(());
    }
    Err(found(&report))
}

fn found(report: &Report) -> CliError {
    let (found, differing) = (report.found, report.law.as_ref().map_or(0, |law| law.differing));
    match (found, differing) {
        (_, 0) => CliError::refused(
            format!("{found} things break a promise"),
            format!("有{found}处违反承诺"),
        ),
        (0, _) => CliError::refused(
            format!("{differing} differences from what the law makes"),
            format!("有{differing}处与依法作出的不一致"),
        ),
        _ => CliError::refused(
            format!("{found} things break a promise; {differing} differences from the law"),
            format!("有{found}处违反承诺，{differing}处与依法作出的不一致"),
        ),
    }
}

/// The rulebooks by which the hub decides, or would once they are in force.
fn law(config: &Config) -> Result<Arc<Law>, CliError> {
    let Some(folder) = &config.law.rulebooks else { return Ok(Arc::new(Law::built_in())) };
    let law = laws::read(folder, &Schema::built_in()).map_err(|error| impossible(&error))?;
    Ok(Arc::new(law))
}

async fn audited(args: &Args, globals: &Globals) -> Result<Report, CliError> {
    let Still { config, origin, store, scratch } =
        Still::open(globals, args.scratch.as_deref()).await?;
    let floor = Floor::beside(&config.keys.checkpoint).read();
    let attachments = match args.attachments {
        true => {
            let folder = config.store.attachments.clone();
            let opened = Attachments::open(folder, AttachmentLimits::default()).await;
            Some(Arc::new(opened.map_err(|error| impossible(&chain(&error)))?))
        }
        false => None,
    };
    let held = attachments.map(|attachments| {
        move |agency: AgencyCode, files: Vec<([u8; 32], u64)>| {
            missing(Arc::clone(&attachments), agency, files).boxed()
        }
    });
    let parts = AuditParts {
        origin,
        schema: Arc::new(Schema::built_in()),
        law: law(&config)?,
        scratch: scratch.store(),
        checkpoint: None,
        verifiers: verifiers(&config),
        floor: floor.map_err(|error| impossible(&chain(&error)))?,
        attachments: held.as_ref().map(|held| held as &crate::hub::audit::Held<'_>),
        decide_again: args.law.then(|| LawParts {
            divisions: Arc::new(Divisions::built_in()),
            reminders: Some(&config.reminders)
                .filter(|set| !set.is_default())
                .map(|set| set.intervals()),
        }),
    };
    let bar = globals.bar(0);
    let report = audit(&store, parts, |done, total| bar.set_message(format!("{done}/{total}")));
    let report = report.await;
    bar.finish_and_clear();
    report.map_err(|error| still::unread(&error))
}

/// The places of the attachments that are not held whole.
async fn missing(
    attachments: Arc<Attachments>,
    agency: AgencyCode,
    files: Vec<([u8; 32], u64)>,
) -> Result<Vec<usize>, StoreError> {
    let files: Vec<_> = files.into_iter().map(|(digest, size)| (Digest(digest), size)).collect();
    let missing = attachments.missing(&agency, &files).await;
    let missing = missing.map_err(|error| StoreError::Unavailable(error.to_string()))?;
    let places = files.iter().enumerate().filter(|(_, (digest, _))| missing.contains(digest));
    Ok(places.map(|(place, _)| place).collect())
}

/// The hub's own checkpoint key; without its file the one that record 0 names.
fn verifiers(config: &Config) -> Vec<NoteVerifier> {
    let path = config.keys.checkpoint.with_extension("pub");
    let text = std::fs::read_to_string(path).unwrap_or_default();
    NoteVerifier::parse(text.trim()).into_iter().collect()
}

fn describe(report: &Report) -> String {
    let mut text = format!(
        "records 记录: {}  rows 状态行: {}  cases 案件: {}  deliveries 送达: {}\n",
        report.records, report.rows, report.cases, report.deliveries
    );
    for (promise, english, chinese) in PROMISES {
        let found: Vec<_> = of(&report.findings, promise).collect();
        let state = if found.is_empty() { "ok" } else { "BROKEN 违反" };
        // Writing to a string can't fail.
        let _ = writeln!(text, "{promise:<4} {english} · {chinese}: {state}");
        found.into_iter().for_each(|finding| text.push_str(&line(finding)));
    }
    if let Some(law) = &report.law {
        describe_law(law, &mut text);
    }
    let others = report.findings.iter().filter(|f| PROMISES.iter().all(|p| p.0 != f.promise));
    others.for_each(|finding| text.push_str(&line(finding)));
    if report.noted > 0 {
        let _ = writeln!(text, "notes 提示: {}", report.noted);
        report.notes.iter().for_each(|note| text.push_str(&line(note)));
    }
    let listed = report.findings.len() as u64;
    if report.found > listed {
        let _ =
            writeln!(text, "and {} more (另有{}处)", report.found - listed, report.found - listed);
    }
    text
}

fn describe_law(law: &LawReport, text: &mut String) {
    let state = if law.differing == 0 { "ok" } else { "DIFFERS 不一致" };
    // Writing to a string can't fail.
    let _ = writeln!(text, "law  decided again · 依法复核: {state}");
    let _ = writeln!(text, "  judged 已复核: {}", law.judged);
    law.differences.iter().for_each(|difference| text.push_str(&difference_lines(difference)));
    let listed = law.differences.len() as u64;
    if law.differing > listed {
        let more = law.differing - listed;
        let _ = writeln!(text, "  and {more} more (另有{more}处)");
    }
    for (Named { rulebook, engine }, records) in &law.unjudged {
        let _ = writeln!(
            text,
            "  not judged 未复核: rulebook 规则 {rulebook}, engine 引擎 {engine}: {records}"
        );
    }
    if law.unreadable > 0 {
        let _ = writeln!(text, "  not judged, unreadable 未复核（无法读取）: {}", law.unreadable);
    }
    if law.reminders > 0 {
        let _ = writeln!(
            text,
            "  reminders of other intervals than [reminders] 提醒间隔与配置不同: {}",
            law.reminders
        );
    }
}

fn difference_lines(difference: &Difference) -> String {
    let Difference { index, how, what, rule, articles, fields } = difference;
    let (_, english, chinese) = how.words();
    let colon = if what.is_empty() { "" } else { ": " };
    let mut text = format!("  - record 记录 {index}: {what}{colon}{english} · {chinese}");
    if !rule.is_empty() || !articles.is_empty() {
        let _ = write!(text, " ({rule}: {})", articles.join(", "));
    }
    text.push('\n');
    for Field { path, had, made } in fields {
        let _ = writeln!(text, "      {path}: recorded 记录为 {had:?}, lawful 依法为 {made:?}");
    }
    text
}

fn of<'a>(findings: &'a [Finding], promise: &'a str) -> impl Iterator<Item = &'a Finding> {
    findings.iter().filter(move |finding| finding.promise == promise)
}

fn line(finding: &Finding) -> String {
    let place = finding.index.map_or_else(String::new, |index| format!("record 记录 {index}: "));
    format!("  - {} {place}{} · {}\n", finding.promise, finding.en, finding.zh)
}

fn to_json(report: &Report) -> Value {
    let finding = |finding: &Finding| {
        json!({
            "promise": finding.promise,
            "index": finding.index.map(|index| index.0),
            "en": finding.en,
            "zh": finding.zh,
        })
    };
    json!({
        "records": report.records,
        "rows": report.rows,
        "cases": report.cases,
        "deliveries": report.deliveries,
        "found": report.found,
        "findings": report.findings.iter().map(finding).collect::<Vec<_>>(),
        "noted": report.noted,
        "notes": report.notes.iter().map(finding).collect::<Vec<_>>(),
        "law": report.law.as_ref().map(law_to_json),
    })
}

fn law_to_json(law: &LawReport) -> Value {
    let field = |Field { path, had, made }: &Field| json!({ "path": path, "recorded": had, "lawful": made });
    let difference = |difference: &Difference| {
        let (how, en, zh) = difference.how.words();
        json!({
            "index": difference.index.0,
            "how": how,
            "en": en,
            "zh": zh,
            "what": difference.what,
            "rule": difference.rule,
            "articles": difference.articles,
            "fields": difference.fields.iter().map(field).collect::<Vec<_>>(),
        })
    };
    let unjudged = |(named, records): (&Named, &u64)| {
        json!({
            "rulebook": named.rulebook.to_string(),
            "engine": named.engine,
            "records": records,
        })
    };
    json!({
        "judged": law.judged,
        "differing": law.differing,
        "differences": law.differences.iter().map(difference).collect::<Vec<_>>(),
        "unjudged": law.unjudged.iter().map(unjudged).collect::<Vec<_>>(),
        "unreadable": law.unreadable,
        "reminders": law.reminders,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hub::audit::law::How;
    use xianjie_core::ids::LedgerIndex;

    #[test]
    fn a_report_tells_every_promise_and_every_finding() {
        let finding = |promise, index| Finding {
            promise,
            index,
            en: "broken".to_owned(),
            zh: "有误".to_owned(),
        };
        let report = Report {
            findings: vec![finding("P4", Some(LedgerIndex(7)))],
            found: 3,
            notes: vec![finding("P8", None)],
            noted: 1,
            records: 12,
            ..Report::default()
        };
        let text = describe(&report);
        assert_eq!(text.lines().filter(|line| line.ends_with(": ok")).count(), 9);
        assert!(text.contains(
            "P4   gapless inboxes · 收件连续: BROKEN 违反\n  - P4 record 记录 7: broken"
        ));
        assert!(text.contains("notes 提示: 1\n  - P8 broken · 有误\n"));
        assert!(text.ends_with("and 2 more (另有2处)\n"));
        let json = to_json(&report);
        assert_eq!((&json["found"], &json["findings"][0]["index"]), (&json!(3), &json!(7)));
        assert_eq!(json["law"], Value::Null);
    }

    #[test]
    fn what_was_decided_otherwise_or_not_at_all_is_told() {
        let difference = Difference {
            index: LedgerIndex(12),
            how: How::Other,
            what: "duty_opened 报到".to_owned(),
            rule: "act_2020/verdict_handover/duties/3".to_owned(),
            articles: vec!["社区矫正法 21".to_owned()],
            fields: vec![Field {
                path: "duty_opened.limit".to_owned(),
                had: "20 days".to_owned(),
                made: "10 days".to_owned(),
            }],
        };
        let law = LawReport {
            judged: 7,
            differences: vec![difference],
            differing: 2,
            unjudged: [(Named { rulebook: Digest([1; 32]), engine: 1 }, 300)].into(),
            unreadable: 0,
            reminders: 0,
        };
        let report = Report { law: Some(law), ..Report::default() };
        let text = describe(&report);
        let (_, told) = text.split_once("law  decided again · 依法复核: DIFFERS 不一致\n").unwrap();
        let rulebook = "01".repeat(32);
        assert_eq!(
            told,
            format!(
                "  judged 已复核: 7\n  \
                 - record 记录 12: duty_opened 报到: has another value · 与依法作出的不一致 \
                 (act_2020/verdict_handover/duties/3: 社区矫正法 21)\n      \
                 duty_opened.limit: recorded 记录为 \"20 days\", lawful 依法为 \"10 days\"\n  \
                 and 1 more (另有1处)\n  \
                 not judged 未复核: rulebook 规则 {rulebook}, engine 引擎 1: 300\n"
            )
        );
        let json = to_json(&report);
        assert_eq!(json["law"]["differences"][0]["fields"][0]["lawful"], "10 days");
        assert_eq!(json["law"]["unjudged"][0]["records"], 300);
        assert!(!report.is_clean());
    }
}
