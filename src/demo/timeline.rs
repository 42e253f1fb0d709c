//! The timeline as it is printed: who, what, to whom, by which article, how long it took, and who
//! answers for the person now. Chinese, with English beside it.

use std::collections::BTreeMap;
use std::time::Duration;

use xianjie_core::domain::custody::State;
use xianjie_core::domain::duty::{Duty, Force, Outcome};
use xianjie_core::domain::record::{Effect, Record};
use xianjie_core::ids::{AgencyCode, Time};

use super::story::{Question, Step};
use crate::client::query::Found;

const HOUR_MS: i64 = 3_600_000;

/// Prints the steps.
pub(super) struct Timeline {
    names: BTreeMap<String, String>,
}

impl Timeline {
    /// A timeline that knows these agencies' names.
    pub(super) fn new(names: BTreeMap<String, String>) -> Self {
        Self { names }
    }

    /// A step that begins.
    pub(super) fn begin(&self, step: &Step) {
        println!("\n{}  {}", step.when(), step.zh);
        println!("                  {}", step.en);
    }

    /// A document that was taken.
    pub(super) fn taken(&self, sender: &str, record: &Record, index: u64, took: Duration) {
        println!("    {} 发出 sent by {sender}", self.name(sender));
        self.addressees(record);
        println!("    存证 receipt #{index}, {} ms", took.as_millis());
        if let Some((state, answers)) = custody(record) {
            println!("    监管责任 answers now: {}", self.answers(state, answers));
        }
    }

    /// A duty that the document of `time` ends.
    pub(super) fn ended(&self, duty: &Duty, outcome: Outcome, time: Time) {
        let (zh, en) = match outcome {
            Outcome::MetLate => late(duty, time),
            Outcome::Met if duty.force == Force::Binding => {
                ("按期完成".into(), "done in time".into())
            }
            Outcome::Met => ("已完成".into(), "done".into()),
            Outcome::Lapsed => ("权利期满".into(), "lapsed".into()),
            Outcome::Cancelled | Outcome::Replaced | Outcome::Withdrawn => {
                ("不再要求".into(), "no longer owed".into())
            }
        };
        let Duty { name, articles, .. } = duty;
        println!("    期限义务 duty “{name}”：{zh} {en}  {}", articles.join("、"));
    }

    /// What the hub says in its own name: its words, to whom, and by which article.
    pub(super) fn told(&self, record: &Record, index: u64, text: &str) {
        println!("    平台提示 the hub's notice:");
        for words in text.split_inclusive("。 ") {
            println!("      {}", words.trim_end());
        }
        self.addressees(record);
        println!("    存证 receipt #{index}");
    }

    /// A query that was answered: its record, with the ground, and what it found.
    pub(super) fn queried(&self, question: &Question, found: &Found) {
        let Question { topic, purpose, article } = question;
        println!("    查询专题 topic {topic}，依据 ground: {purpose}, {article}");
        println!("    存证 receipt #{}", found.index);
        for document in &found.documents {
            let sender = document.document.as_ref().map_or("", |document| &document.sender);
            let kind = &document.document_type;
            println!("    查到 found    {kind}  {} ({sender})", self.name(sender));
        }
    }

    /// A document that was refused.
    pub(super) fn refused(&self, reason: &str, violations: &[(String, String, String)]) {
        println!("    不予接收 refused: {reason}");
        for (field, zh, en) in violations {
            println!("      {field}: {zh}  {en}");
        }
    }

    /// Something else that happened.
    pub(super) fn note(&self, zh: &str, en: &str) {
        println!("    {zh}  {en}");
    }

    fn addressees(&self, record: &Record) {
        for copy in [false, true] {
            let word = if copy { "抄送 copy" } else { "主送 to  " };
            for (agency, articles) in addressees(record, copy) {
                println!("    {word}  {} ({agency})  {articles}", self.name(agency));
            }
        }
    }

    fn answers(&self, state: State, answers: Option<&AgencyCode>) -> String {
        let state = state.word();
        match answers {
            Some(agency) => format!("{} ({agency}) [{state}]", self.name(agency.as_str())),
            None => format!("无须 nobody has to any more [{state}]"),
        }
    }

    fn name<'a>(&'a self, code: &'a str) -> &'a str {
        self.names.get(code).map_or(code, String::as_str)
    }
}

/// By how much a duty is done late, in Chinese and in English.
fn late(duty: &Duty, time: Time) -> (String, String) {
    let hours = duty.due.map_or(0, |due| time.0.saturating_sub(due.0) / HOUR_MS);
    let (days, hours) = (hours / 24, hours % 24);
    (format!("逾期 {days} 天 {hours} 小时完成"), format!("done {days} days and {hours} hours late"))
}

/// The addressees of a record with the articles that name them.
pub(super) fn addressees(record: &Record, copies: bool) -> Vec<(&str, String)> {
    let delivery = record.effects.iter().filter_map(|ruled| match &ruled.effect {
        Effect::DeliveryOpened { agency, copy, .. } if *copy == copies => {
            Some((agency.as_str(), ruled.articles.join("、")))
        }
        _ => None,
    });
    delivery.collect()
}

/// Where a record's step of custody leads, if it moves the case: the state, and who answers then.
pub(super) fn custody(record: &Record) -> Option<(State, Option<&AgencyCode>)> {
    record.effects.iter().find_map(|ruled| match &ruled.effect {
        Effect::Custody { change, .. } => {
            change.moved.as_ref().map(|(state, answers)| (*state, answers.as_ref()))
        }
        _ => None,
    })
}
