//! The timeline as it is printed: who, what, to whom, by which article, how long it took, and who
//! answers for the person now. Chinese, with English beside it.

use std::collections::BTreeMap;
use std::time::Duration;

use xianjie_core::domain::custody::Custody;
use xianjie_core::domain::record::{Effect, Record};

use super::story::Step;

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
        for copy in [false, true] {
            let word = if copy { "抄送 copy" } else { "主送 to  " };
            for (agency, articles) in addressees(record, copy) {
                println!("    {word}  {} ({agency})  {articles}", self.name(agency));
            }
        }
        println!("    存证 receipt #{index}, {} ms", took.as_millis());
        if let Some(custody) = custody(record) {
            println!("    监管责任 answers now: {}", self.answers(custody));
        }
        for flag in flags(record) {
            println!("    提示检察机关 shown to the procuratorate: {flag}");
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

    fn answers(&self, custody: &Custody) -> String {
        let state = custody.state.word();
        match &custody.answers {
            Some(agency) => format!("{} ({agency}) [{state}]", self.name(agency.as_str())),
            None => format!("无须 nobody has to any more [{state}]"),
        }
    }

    fn name<'a>(&'a self, code: &'a str) -> &'a str {
        self.names.get(code).map_or(code, String::as_str)
    }
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

/// Custody after a record, if it moved.
pub(super) fn custody(record: &Record) -> Option<&Custody> {
    record.effects.iter().find_map(|ruled| match &ruled.effect {
        Effect::Custody { after, .. } => Some(after),
        _ => None,
    })
}

fn flags(record: &Record) -> impl Iterator<Item = &str> {
    record.effects.iter().filter_map(|ruled| match &ruled.effect {
        Effect::Contradiction { what, .. } => Some(what.as_str()),
        _ => None,
    })
}
