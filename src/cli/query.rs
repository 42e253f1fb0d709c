//! `xianjie query`: what an agency asks about a person beside what it was sent (查询).

use std::io::Read as _;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use xianjie_core::domain::access::{Article, Ground, Purpose};
use xianjie_core::ids::{CaseRef, TopicName};

use super::table::Table;
use super::{CliError, Globals, moment};
use crate::client::Client;
use crate::client::json::to_json;
use crate::client::query::{About, Found, FoundDocument, IdentityKind};
use crate::wire::json::document_to_json;
use crate::wire::time::read_time;

/// Bytes of a file that holds a person's number: more than any number.
const NUMBER_BYTES: u64 = 64;

const EXAMPLES: &str = "\
Examples 示例:
  xianjie query supervision --person number.txt --purpose case-handling \\
      --article '刑诉法 286' --as gz-baiyun-court
  xianjie query handover --case 0123456789abcdef0123456789abcdef --purpose supervision \\
      --article '社区矫正法 8' --show --as gz-baiyun-procuratorate --json

Topics 专题: handover 交付接收, supervision 监督管理, education 教育帮扶, lost_supervision 脱离监管,
  public_order_penalty 被治安管理处罚, coercive_measure 被采取强制措施,
  change_of_execution 变更刑事执行, new_crime 办理再犯罪案件

Every query is a record of the ledger before it is answered, with its ground: the procuratorate that
supervises sees it. What is sealed (封存) opens for case-handling and state-provision alone.
每次查询先记入账本再答复，写明依据，检察院可见；已封存的，仅以办案需要、国家规定为由可查。";

/// Ask what the hub holds about a person, by topic, on a legal ground (查询)
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// The topic (专题)
    topic: TopicName,
    /// A file with the person's number, `-` for standard input: a number on the command line would
    /// stay in the shell's history (证件号码文件)
    #[arg(long, value_name = "FILE", required_unless_present = "case")]
    person: Option<PathBuf>,
    /// What kind of number it is (证件种类)
    #[arg(long, value_enum, default_value = "resident-id")]
    kind: Kind,
    /// A correction case instead (矫正案件)
    #[arg(long, value_name = "REF", conflicts_with_all = ["person", "kind"])]
    case: Option<CaseRef>,
    /// What for: execution 执行需要, supervision 法律监督, case-handling 办案需要, state-provision 国家规定
    #[arg(long, value_parser = purpose)]
    purpose: Purpose,
    /// The article that allows it (条文依据)
    #[arg(long)]
    article: Article,
    /// Also read each document; a juvenile's is recorded once more each (查看文书内容)
    #[arg(long)]
    show: bool,
}

/// Kinds of a person's number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Kind {
    /// 居民身份证
    ResidentId,
    /// 护照
    Passport,
    /// 港澳台居民居住证、来往内地通行证
    HongKongMacaoTaiwanPermit,
    /// 外国人永久居留身份证
    PermanentResidence,
}

impl Kind {
    fn on_the_wire(self) -> IdentityKind {
        match self {
            Self::ResidentId => IdentityKind::ResidentId,
            Self::Passport => IdentityKind::Passport,
            Self::HongKongMacaoTaiwanPermit => IdentityKind::HongKongMacaoTaiwanPermit,
            Self::PermanentResidence => IdentityKind::PermanentResidence,
        }
    }
}

/// Runs the command.
///
/// # Errors
/// [`CliError`].
pub async fn run(args: Args, globals: &Globals) -> Result<(), CliError> {
    let about = match (&args.case, &args.person) {
        (Some(case), _) => About::Case(*case),
        (None, Some(file)) => {
            About::Number { kind: args.kind.on_the_wire(), number: number(file)? }
        }
        (None, None) => return Err(CliError::usage("name a person or a case", "请指明人员或案件")),
    };
    let client = globals.client().await?;
    let ground = Ground { purpose: args.purpose, article: args.article };
    let found = client.query(&about, &args.topic, &ground).await?;
    let mut contents = Vec::new();
    for document in found.documents.iter().filter(|_| args.show) {
        contents.push(content(&client, document, found.index).await?);
    }
    globals.print(|| as_json(&client, &found, &contents), || text(&found, &contents, globals));
    Ok(())
}

fn purpose(word: &str) -> Result<Purpose, String> {
    let found = Purpose::WORDS.iter().find(|(_, known)| *known == word);
    found.map(|(purpose, _)| *purpose).ok_or_else(|| {
        let known: Vec<_> = Purpose::WORDS.iter().map(|(_, word)| *word).collect();
        format!("one of: {}", known.join(", "))
    })
}

/// The number in a file, without the line's end.
fn number(file: &Path) -> Result<String, CliError> {
    let mut text = String::new();
    let read = match file.to_str() {
        Some("-") => std::io::stdin().take(NUMBER_BYTES).read_to_string(&mut text),
        _ => std::fs::File::open(file)
            .and_then(|file| file.take(NUMBER_BYTES).read_to_string(&mut text)),
    };
    read.map_err(|error| {
        let file = file.display();
        CliError::usage(format!("{file}: {error}"), format!("无法读取 {file}：{error}"))
    })?;
    Ok(text.trim().to_owned())
}

/// A document in JSON, one that was erased as nothing.
async fn content(
    client: &Client,
    document: &FoundDocument,
    query: u64,
) -> Result<String, CliError> {
    let bytes = client.found_document(document, query).await?.unwrap_or_default();
    // One of a later version may have no JSON here.
    Ok(document_to_json(client.schema(), &bytes).unwrap_or_default())
}

fn as_json(client: &Client, found: &Found, contents: &[String]) -> Value {
    let document = |(place, document): (usize, &FoundDocument)| {
        let mut json = to_json(client.schema(), "FoundDocument", document);
        if let Some(content) = contents.get(place) {
            json["content"] = serde_json::from_str(content).unwrap_or_default();
        }
        json
    };
    let documents: Vec<_> = found.documents.iter().enumerate().map(document).collect();
    json!({ "query": found.index, "documents": documents })
}

fn text(found: &Found, contents: &[String], globals: &Globals) -> String {
    let record = globals.words("recorded as", "查询已入账，账本序号");
    let mut lines = vec![format!("{record} {}", found.index)];
    if found.documents.is_empty() {
        lines.push(globals.words("nothing was found", "没有查到相关文书"));
        return lines.join("\n");
    }
    let headings = [
        ("record", "账本序号"),
        ("time", "入账时间"),
        ("issued", "成文日期"),
        ("type", "文书类型"),
        ("sender", "发送单位"),
        ("document", "文书编号"),
        ("", ""),
    ];
    let mut table = Table::new(headings.map(|(english, chinese)| globals.words(english, chinese)));
    for document in &found.documents {
        table.row(row(document, globals));
    }
    lines.extend(table.lines());
    lines.extend(contents.iter().cloned());
    lines.join("\n")
}

fn row(found: &FoundDocument, globals: &Globals) -> [String; 7] {
    let time = found.record_time.as_ref().and_then(read_time).unwrap_or_default();
    let reference = found.document.clone().unwrap_or_default();
    let ended = match (found.withdrawn_by, found.replaced_by) {
        (0, 0) => String::new(),
        (0, by) => format!("{} {by}", globals.words("replaced by", "已更正：")),
        (by, _) => format!("{} {by}", globals.words("withdrawn by", "已撤回：")),
    };
    [
        found.index.to_string(),
        moment(u64::try_from(time.0).unwrap_or_default()),
        found.issue_date.clone(),
        found.document_type.clone(),
        reference.sender,
        reference.document_id,
        ended,
    ]
}

#[cfg(test)]
mod tests {
    use clap::ValueEnum as _;
    use expect_test::expect;

    use super::*;
    use crate::cli::globals::Lang;

    #[test]
    fn what_was_found_stands_under_the_record_of_the_query() {
        let document = FoundDocument {
            document_type: "discipline_record".to_owned(),
            issue_date: "2026-11-23".to_owned(),
            index: 7,
            withdrawn_by: 9,
            ..FoundDocument::default()
        };
        let found = Found { index: 11, documents: vec![document] };
        expect![[r#"
            查询已入账，账本序号 11
            账本序号  入账时间             成文日期    文书类型           发送单位  文书编号
                   7  1970-01-01 08:00:00  2026-11-23  discipline_record                      已撤回： 9"#]]
        .assert_eq(&text(&found, &[], &Globals::speaking(Lang::Zh)));
        let nothing = Found { index: 12, documents: Vec::new() };
        expect![[r"
            recorded as 12
            nothing was found"]]
        .assert_eq(&text(&nothing, &[], &Globals::speaking(Lang::En)));
    }

    #[test]
    fn every_kind_of_number_has_a_name_of_its_own() {
        let names: std::collections::BTreeSet<_> =
            Kind::value_variants().iter().map(|kind| kind.on_the_wire().as_str_name()).collect();
        assert_eq!(names.len(), Kind::value_variants().len());
    }
}
