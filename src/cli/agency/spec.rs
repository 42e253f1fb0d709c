//! An agency's attributes as options of the command line and as a table in a file.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;

use serde::Deserialize;
use serde_json::{Value, json};
use xianjie_core::domain::agency::{Agency, Branch, Kind, Level};
use xianjie_core::ids::{AgencyCode, DivisionCode, SocialCreditCode, Time};

use super::super::error::chain;
use super::super::{CliError, dates};
use crate::identity::files;

/// The branches with their words.
const BRANCHES: &[(Branch, &str)] = &[
    (Branch::Local, "local"),
    (Branch::Bingtuan, "bingtuan"),
    (Branch::Railway, "railway"),
    (Branch::Military, "military"),
];

/// Everything about an agency but its code.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, clap::Args)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Attributes {
    /// Its full official name, in Chinese (单位全称)
    #[arg(long, default_value = "")]
    name: String,
    /// Its kind, such as 'basic court', procuratorate, police, 'corrections agency' (类别)
    #[arg(long, default_value = "")]
    kind: String,
    /// county, city, provincial or national (级别)
    #[arg(long, default_value = "")]
    level: String,
    /// A further level at which it also acts; may be repeated (同时履行职责的级别)
    #[arg(long)]
    acts_at: Vec<String>,
    /// local, bingtuan, railway or military (所属系统)
    #[arg(long, default_value = "local")]
    branch: String,
    /// A division that it serves; may be repeated, or separated by commas (服务的行政区划代码)
    #[arg(long, value_delimiter = ',')]
    serves: Vec<String>,
    /// The agency above it (上级单位)
    #[arg(long)]
    parent: Option<String>,
    /// The procuratorate that supervises it (实行法律监督的检察院)
    #[arg(long)]
    supervised_by: Option<String>,
    /// Its social credit code (统一社会信用代码)
    #[arg(long)]
    social_credit_code: Option<String>,
    /// Whether it consents to electronic service, true if not given: limits then count from the
    /// commit to its inbox, else from its acknowledgement (是否同意电子送达)
    #[arg(long, value_name = "BOOL")]
    electronic_service: Option<bool>,
    /// First day on which it takes part; now if not given (起始日期)
    #[arg(long)]
    valid_from: Option<String>,
    /// First day on which it no longer does (终止日期)
    #[arg(long)]
    valid_until: Option<String>,
    /// First day on which it may no longer enrol people sentenced before (存量入库截止日期)
    #[arg(long)]
    enrolment_until: Option<String>,
}

/// One table of a file. `flatten` and `deny_unknown_fields` do not go together, so the code is taken
/// out by hand.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    agency: Vec<BTreeMap<String, serde_json::Value>>,
}

impl Attributes {
    /// The agency of this code.
    pub(super) fn agency(&self, code: AgencyCode, now: Time) -> Result<Agency, CliError> {
        self.parse(code.clone(), now).map_err(|cause| unfit(code.as_str(), &cause))
    }

    fn parse(&self, code: AgencyCode, now: Time) -> Result<Agency, String> {
        if self.name.is_empty() {
            return Err("name: must be given".to_owned());
        }
        let levels = self.acts_at.iter().map(|word| named("acts_at", level(word)));
        let serves = self.serves.iter().map(|code| id::<DivisionCode>("serves", code));
        let day = |name, text: &Option<String>| {
            text.as_ref().map(|text| named(name, dates::day(text))).transpose()
        };
        if let Some(code) = &self.social_credit_code {
            id::<SocialCreditCode>("social_credit_code", code)?;
        }
        let branch = if self.branch.is_empty() { "local" } else { &self.branch };
        Ok(Agency {
            code,
            name: self.name.clone(),
            kind: named("kind", kind(&self.kind))?,
            level: named("level", level(&self.level))?,
            acts_at: levels.collect::<Result<BTreeSet<_>, _>>()?,
            branch: named("branch", word(branch, BRANCHES))?,
            serves: serves.collect::<Result<BTreeSet<_>, _>>()?,
            parent: self.parent.as_deref().map(|code| id("parent", code)).transpose()?,
            supervised_by: self
                .supervised_by
                .as_deref()
                .map(|code| id("supervised_by", code))
                .transpose()?,
            social_credit_code: self.social_credit_code.clone(),
            electronic_service: self.electronic_service.unwrap_or(true),
            valid_from: day("valid_from", &self.valid_from)?.unwrap_or(now),
            valid_until: day("valid_until", &self.valid_until)?,
            successor: None,
            suspended: false,
            enrolment_until: day("enrolment_until", &self.enrolment_until)?,
        })
    }
}

/// The agencies of a TOML or JSON file.
pub(super) fn read(path: &Path, now: Time) -> Result<Vec<Agency>, CliError> {
    let unusable = |cause: String| {
        let path = path.display();
        CliError::usage(format!("can't use {path}: {cause}"), format!("无法使用 {path}：{cause}"))
    };
    let text = files::load_public(path, |text| Ok::<_, std::fmt::Error>(text.to_owned()));
    let text = text.map_err(|error| unusable(chain(&error)))?;
    let is_json = path.extension().is_some_and(|extension| extension == "json");
    parse(&text, is_json, now).map_err(unusable)
}

fn parse(text: &str, is_json: bool, now: Time) -> Result<Vec<Agency>, String> {
    let file: File = if is_json {
        serde_json::from_str(text).map_err(|error| error.to_string())?
    } else {
        toml::from_str(text).map_err(|error| error.to_string())?
    };
    let tables = file.agency.into_iter().enumerate();
    tables
        .map(|(place, mut table)| {
            let place = format!("agency {}", place + 1);
            let code = table.remove("code").ok_or_else(|| format!("{place}: needs `code`"))?;
            let code = code.as_str().ok_or_else(|| format!("{place}: `code` is no text"))?;
            let table = serde_json::Value::Object(table.into_iter().collect());
            let attributes = serde_json::from_value::<Attributes>(table);
            let attributes = attributes.map_err(|error| format!("{place} ({code}): {error}"))?;
            let agency = attributes.parse(id("code", code)?, now);
            agency.map_err(|cause| format!("{place} ({code}): {cause}"))
        })
        .collect()
}

/// The agencies in an order in which each stands after those it is linked to: a statement may name
/// only what is in the directory or in itself, and many agencies need several statements.
pub(super) fn linked_first(agencies: Vec<Agency>) -> Vec<Agency> {
    let mut waiting: BTreeMap<_, _> =
        agencies.iter().map(|a| (a.code.clone(), a.clone())).collect();
    let mut ordered = Vec::with_capacity(agencies.len());
    for agency in agencies {
        take(&agency.code, &mut waiting, &mut ordered);
    }
    ordered
}

fn take(code: &AgencyCode, waiting: &mut BTreeMap<AgencyCode, Agency>, ordered: &mut Vec<Agency>) {
    // Taken out first: a ring of links ends here.
    let Some(agency) = waiting.remove(code) else { return };
    for link in agency.parent.iter().chain(&agency.supervised_by) {
        take(link, waiting, ordered);
    }
    ordered.push(agency);
}

/// An agency in full, one attribute a line.
pub(super) fn describe(agency: &Agency) -> String {
    let mut text = format!("{}  {}\n", agency.code, agency.name);
    let mut line = |label: &str, value: String| {
        if !value.is_empty() {
            // Writing to a string can't fail.
            let _ = writeln!(text, "  {label}: {value}");
        }
    };
    let joined = |values: &mut dyn Iterator<Item = String>| values.collect::<Vec<_>>().join(", ");
    let code = |code: &Option<AgencyCode>| code.as_ref().map(ToString::to_string);
    let day = |time: Option<Time>| time.map(|time| dates::date_of(time).to_string());
    let branch = BRANCHES.iter().find(|(branch, _)| *branch == agency.branch);
    line("kind 类别", agency.kind.word().to_owned());
    line("level 级别", agency.level.word().to_owned());
    line("also acts at 同时履行", joined(&mut agency.acts_at.iter().map(|l| l.word().to_owned())));
    line("branch 所属系统", branch.map_or_else(String::new, |(_, word)| (*word).to_owned()));
    line("serves 服务区划", joined(&mut agency.serves.iter().map(ToString::to_string)));
    line("parent 上级", code(&agency.parent).unwrap_or_default());
    line("supervised by 法律监督", code(&agency.supervised_by).unwrap_or_default());
    line(
        "social credit code 统一社会信用代码",
        agency.social_credit_code.clone().unwrap_or_default(),
    );
    line(
        "electronic service 电子送达",
        if agency.electronic_service { "yes" } else { "no" }.to_owned(),
    );
    line("takes part from 起", dates::date_of(agency.valid_from).to_string());
    line("until 止", day(agency.valid_until).unwrap_or_default());
    line("enrolment until 存量入库截止", day(agency.enrolment_until).unwrap_or_default());
    line("successor 承继单位", code(&agency.successor).unwrap_or_default());
    line("suspended 停用", if agency.suspended { "yes" } else { "" }.to_owned());
    text
}

/// An agency for programs, under the names of the batch file.
pub(in crate::cli) fn to_json(agency: &Agency) -> Value {
    let code = |code: &Option<AgencyCode>| code.as_ref().map(ToString::to_string);
    let day = |time: Option<Time>| time.map(|time| dates::date_of(time).to_string());
    let branch = BRANCHES.iter().find(|(branch, _)| *branch == agency.branch);
    json!({
        "code": agency.code.as_str(),
        "name": agency.name,
        "kind": agency.kind.word(),
        "level": agency.level.word(),
        "acts_at": agency.acts_at.iter().map(|level| level.word()).collect::<Vec<_>>(),
        "branch": branch.map(|(_, word)| *word),
        "serves": agency.serves.iter().map(DivisionCode::as_str).collect::<Vec<_>>(),
        "parent": code(&agency.parent),
        "supervised_by": code(&agency.supervised_by),
        "social_credit_code": agency.social_credit_code,
        "electronic_service": agency.electronic_service,
        "valid_from": day(Some(agency.valid_from)),
        "valid_until": day(agency.valid_until),
        "enrolment_until": day(agency.enrolment_until),
        "successor": code(&agency.successor),
        "suspended": agency.suspended,
    })
}

/// The kind of this word.
pub(super) fn kind(text: &str) -> Result<Kind, String> {
    word(text, Kind::WORDS)
}

/// The level of this word.
pub(super) fn level(text: &str) -> Result<Level, String> {
    word(text, Level::WORDS)
}

fn word<T: Copy>(text: &str, words: &[(T, &str)]) -> Result<T, String> {
    words.iter().find(|(_, word)| *word == text).map(|(item, _)| *item).ok_or_else(|| {
        let words: Vec<_> = words.iter().map(|(_, word)| *word).collect();
        format!("want one of: {}", words.join(", "))
    })
}

fn named<T>(name: &str, parsed: Result<T, String>) -> Result<T, String> {
    parsed.map_err(|error| format!("{name}: {error}"))
}

fn id<T: std::str::FromStr<Err: std::fmt::Display>>(name: &str, text: &str) -> Result<T, String> {
    text.parse().map_err(|error| format!("{name} {error}"))
}

fn unfit(code: &str, cause: &str) -> CliError {
    CliError::usage(format!("agency {code}: {cause}"), format!("单位{code}：{cause}"))
}

#[cfg(test)]
mod tests;
