//! In what one record is not another: a record and what the law makes of the same input, or what two
//! laws make of it. Effect by effect; records hold no person, so their values may be shown.

use std::collections::BTreeSet;

use serde_json::Value;
use xianjie_core::domain::duty::Force;
use xianjie_core::domain::record::{Clock, Effect, Kind, Record};
use xianjie_core::domain::term::format_shanghai;
use xianjie_core::ids::LedgerIndex;
use xianjie_core::refusal::Refusal;

use super::Verdict;
use crate::wire;

/// One thing in which a record is not what the law makes, or would be otherwise under another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// The record.
    pub index: LedgerIndex,
    /// How it differs.
    pub how: How,
    /// The effect by its name in the protocol, and whom or what it is about; for the record's own
    /// facts, the name of its kind; for a refusal, the reasons.
    pub what: String,
    /// The rule behind the effect.
    pub rule: String,
    /// The articles behind it.
    pub articles: Vec<String>,
    /// What of it differs.
    pub fields: Vec<Field>,
}

/// A field that differs, by its path in the protocol.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    /// The path.
    pub path: String,
    /// What the record has; empty if nothing.
    pub had: String,
    /// What the law, or the other law, makes of it; empty if nothing.
    pub made: String,
}

/// How a record differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum How {
    /// It lacks an effect.
    Missing,
    /// It has an effect that the law does not give.
    Additional,
    /// An effect, or a fact of the record, has another value.
    Other,
    /// The effects are the same, in another order.
    Order,
    /// The law makes no record of this.
    Nothing,
    /// The law refuses this.
    Refused,
}

impl How {
    /// Its word in JSON, and what it is in English and Chinese.
    #[must_use]
    pub fn words(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::Missing => ("missing", "is missing", "依法应有而缺失"),
            Self::Additional => ("additional", "is not given by the law", "无法律依据"),
            Self::Other => ("other", "has another value", "与依法作出的不一致"),
            Self::Order => ("order", "the effects stand in another order", "各项效力次序不同"),
            Self::Nothing => ("nothing", "the law makes no record of this", "依法不应形成记录"),
            Self::Refused => ("refused", "the law refuses this", "依法应予退回"),
        }
    }
}

impl Difference {
    fn of(index: LedgerIndex, how: How) -> Self {
        let (what, rule) = (String::new(), String::new());
        Self { index, how, what, rule, articles: Vec::new(), fields: Vec::new() }
    }

    /// The law makes no record.
    pub(super) fn nothing(index: LedgerIndex) -> Self {
        Self::of(index, How::Nothing)
    }

    /// The law refuses.
    pub(super) fn refused(index: LedgerIndex, refusal: &Refusal) -> Self {
        let reason = |violation: &xianjie_core::refusal::Violation| {
            format!("{} {}", violation.reason.name(), violation.field).trim_end().to_owned()
        };
        let reasons: Vec<String> = refusal.violations.iter().map(reason).collect();
        let articles = refusal.violations.iter().flat_map(|violation| &violation.articles);
        let articles: BTreeSet<&String> = articles.collect();
        Self {
            what: reasons.join("; "),
            articles: articles.into_iter().cloned().collect(),
            ..Self::of(index, How::Refused)
        }
    }
}

/// Compares a record with what the law makes of the same input.
pub(super) fn verdict(index: LedgerIndex, recorded: &Record, decided: &Record) -> Verdict {
    if recorded == decided {
        return Verdict::Same(true);
    }
    let (recorded, decided) = (lawful(recorded), lawful(decided));
    if recorded == decided {
        return Verdict::Same(false);
    }
    let [recorded, decided] = [&recorded, &decided].map(wire::record::json);
    Verdict::Other(differences(index, &recorded, &decided))
}

/// In what is said not to fit about a document, and what the law says of it. Where there is no record of
/// that, all of the other's effects are missing or additional. They stand under the document's index.
pub(super) fn of_flagged(
    index: LedgerIndex,
    recorded: Option<&Record>,
    decided: Option<&Record>,
) -> Vec<Difference> {
    let Some(either) = recorded.or(decided) else { return Vec::new() };
    let none = Record { kind: either.kind.clone(), effects: Vec::new() };
    match verdict(index, recorded.unwrap_or(&none), decided.unwrap_or(&none)) {
        Verdict::Other(differences) => differences,
        Verdict::Same(_) | Verdict::Unreadable => Vec::new(),
    }
}

/// The record without what follows from the operator's intervals and not from the law.
fn lawful(record: &Record) -> Record {
    let mut record = record.clone();
    if let Kind::Clock(Clock::Duty { outage, .. }) = &mut record.kind {
        *outage = None;
    }
    for ruled in &mut record.effects {
        match &mut ruled.effect {
            Effect::DutyOpened(duty) => {
                duty.wake = None;
                if duty.force == Force::Soft {
                    duty.due = None;
                }
            }
            Effect::DutyStarted { timing, .. } | Effect::DutyChanged { timing, .. } => {
                timing.wake = None;
            }
            _ => {}
        }
    }
    record
}

fn differences(index: LedgerIndex, recorded: &Value, decided: &Value) -> Vec<Difference> {
    let mut found = Vec::new();
    if let (Some((kind, had)), Some((_, made))) = (member(recorded), member(decided)) {
        let fields = unlike(had, made);
        if !fields.is_empty() {
            let what = kind.clone();
            found.push(Difference { what, fields, ..Difference::of(index, How::Other) });
        }
    }
    let (mut had, mut made) = (effects(recorded), effects(decided));
    let in_common = |one: &EffectJson<'_>, others: &mut Vec<EffectJson<'_>>| {
        let place = others.iter().position(|other| other.value == one.value);
        place.map(|place| others.remove(place)).is_some()
    };
    had.retain(|one| !in_common(one, &mut made));
    for one in had {
        let alike = |other: &&EffectJson<'_>| other.name == one.name && other.about == one.about;
        let same_rule = |other: &EffectJson<'_>| alike(&other) && other.rule() == one.rule();
        let place =
            made.iter().position(same_rule).or_else(|| made.iter().position(|other| alike(&other)));
        found.push(match place.map(|place| made.remove(place)) {
            Some(other) => Difference {
                fields: unlike(one.value, other.value),
                ..one.difference(index, How::Other)
            },
            None => one.difference(index, How::Additional),
        });
    }
    found.extend(made.iter().map(|one| one.difference(index, How::Missing)));
    if found.is_empty() {
        found.push(Difference::of(index, How::Order));
    }
    found
}

/// An effect in JSON.
struct EffectJson<'j> {
    value: &'j Value,
    name: &'j str,
    /// Whom or what it is about: what pairs it with another.
    about: String,
}

impl EffectJson<'_> {
    fn rule(&self) -> &str {
        self.value["rule"].as_str().unwrap_or_default()
    }

    fn difference(&self, index: LedgerIndex, how: How) -> Difference {
        let articles = self.value["articles"].as_array().into_iter().flatten();
        Difference {
            what: format!("{} {}", self.name, self.about).trim_end().to_owned(),
            rule: self.rule().to_owned(),
            articles: articles.filter_map(|one| one.as_str().map(str::to_owned)).collect(),
            ..Difference::of(index, how)
        }
    }
}

fn effects(record: &Value) -> Vec<EffectJson<'_>> {
    let effects = record["effects"].as_array().into_iter().flatten();
    let effect = |value| {
        let (name, body) = member(value)?;
        Some(EffectJson { value, name, about: about(body) })
    };
    effects.filter_map(effect).collect()
}

/// The member that holds what the message is: the kind of a record, or an effect. Beside it stand only
/// effects, rule and articles.
fn member(message: &Value) -> Option<(&String, &Value)> {
    let beside = ["effects", "rule", "articles"];
    message.as_object()?.iter().find(|(name, _)| !beside.contains(&name.as_str()))
}

/// The agency, delivery or duty that an effect is about, or which fact of a case it sets. Zeros are left
/// out in JSON.
fn about(body: &Value) -> String {
    let number = |value: &Value| value.as_u64().unwrap_or_default();
    if let Some(duty) = body.get("duty").filter(|duty| duty.is_object()) {
        return format!("{}/{}", number(&duty["index"]), number(&duty["ordinal"]));
    }
    if let Some(delivery) = body.get("delivery") {
        let agency = delivery["agency"].as_str().unwrap_or_default();
        return format!("{agency} {}", number(&delivery["inbox_number"]));
    }
    let text = |field| {
        let value = &body[field];
        value.as_str().or(value["code"].as_str())
    };
    let named = ["agency", "system", "name", "notice", "certificate_sha256"].into_iter();
    if let Some(text) = named.filter_map(text).next() {
        return text.to_owned();
    }
    let members = body.as_object().into_iter().flatten().map(|(name, _)| name.as_str());
    members.filter(|name| *name != "correction_case").collect::<Vec<_>>().join(" ")
}

/// The leaves in which two values differ.
fn unlike(had: &Value, made: &Value) -> Vec<Field> {
    let mut fields = Vec::new();
    compare(String::new(), had, made, &mut fields);
    fields
}

fn compare(path: String, had: &Value, made: &Value, fields: &mut Vec<Field>) {
    match (had, made) {
        _ if had == made => {}
        (Value::Object(ours), Value::Object(theirs)) => {
            let names: BTreeSet<&String> = ours.keys().chain(theirs.keys()).collect();
            for name in names {
                let below = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                compare(below, &had[name], &made[name], fields);
            }
        }
        _ => {
            let mut values = [had, made].map(|value| shown(&path, value));
            if values[0] == values[1] {
                values = [had, made].map(Value::to_string);
            }
            let [had, made] = values;
            fields.push(Field { path, had, made });
        }
    }
}

/// A value as people read it: instants by a clock in Shanghai.
fn shown(path: &str, value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Number(number) if path.ends_with("_ms") => {
            number.as_i64().map_or_else(|| number.to_string(), format_shanghai)
        }
        other => other.to_string(),
    }
}
