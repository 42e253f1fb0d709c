//! How often everything happened: a simulation in which nothing happens proves nothing.

use std::collections::BTreeMap;
use std::fmt;

use xianjie_core::domain::custody::Step;
use xianjie_core::domain::record::{Clock, Effect, Kind, Notice, Record};

/// What must happen at least once over the usual seeds, by group; custody's steps and the hub's
/// notices come on top, all of them.
const WANTED: &[(&str, &[&str])] = &[
    ("deliveries", &["Acknowledged", "Rejected", "ServedOtherwise", "by a successor"]),
    ("duties ended", &["Met", "MetLate", "Cancelled", "Replaced", "Withdrawn", "Lapsed"]),
    ("duties changed", &["Forewarned", "Passed", "Recomputed", "PassedOn", "Extended"]),
    ("duties", &["opened", "started", "opened again"]),
    ("told", &["Forewarned", "Missed", "HandoverMissed", "Reminded", "Lapsed", "Unacknowledged"]),
    (
        "refused",
        &["WRONG_ROLE", "REPLY_TO_NOTHING", "NO_AGENCY", "DOCUMENT_ID_REUSED", "UNKNOWN_SENDER"],
    ),
    ("asked again", &["document", "acknowledgement", "rejection", "time"]),
    ("directory", &["merged", "suspended", "came back"]),
    ("hub", &["was away"]),
    ("documents", &["withdrawal", "a second version", "flagged"]),
];

/// Counts by group and word.
#[derive(Debug, Default, Clone)]
pub(crate) struct Counts(BTreeMap<&'static str, BTreeMap<String, u64>>);

impl Counts {
    /// Something happened once more.
    pub(crate) fn one(&mut self, group: &'static str, word: impl Into<String>) {
        self.many(group, word, 1);
    }

    /// Something happened so often more.
    pub(crate) fn many(&mut self, group: &'static str, word: impl Into<String>, times: u64) {
        *self.0.entry(group).or_default().entry(word.into()).or_default() += times;
    }

    /// Takes another run's counts in.
    pub(crate) fn add(&mut self, other: &Self) {
        for (group, words) in &other.0 {
            words.iter().for_each(|(word, times)| self.many(group, word.as_str(), *times));
        }
    }

    /// What a record tells of.
    pub(crate) fn record(&mut self, record: &Record) {
        match &record.kind {
            Kind::Document(taken) => {
                self.one("documents", taken.document_type.as_str());
                if taken.replaces.is_some() {
                    self.one("documents", "a second version");
                }
            }
            Kind::Clock(Clock::Duty { step, .. }) => self.one("told", format!("{step:?}")),
            Kind::Clock(Clock::Unacknowledged { .. }) => self.one("told", "Unacknowledged"),
            _ => {}
        }
        let mut flagged = false;
        for ruled in &record.effects {
            match &ruled.effect {
                Effect::DeliveryOpened { .. } => self.one("deliveries", "opened"),
                Effect::DeliverySettled { how, .. } => {
                    let how = format!("{how:?}");
                    self.one("deliveries", how.split('(').next().unwrap_or_default());
                }
                Effect::DutyOpened(_) => self.one("duties", "opened"),
                Effect::DutyStarted { .. } => self.one("duties", "started"),
                Effect::DutyReopened { .. } => self.one("duties", "opened again"),
                Effect::DutyChanged { change, .. } => {
                    self.one("duties changed", format!("{change:?}"));
                }
                Effect::Custody { step, .. } => self.one("custody", step.word()),
                Effect::NoticeOwed { notice, .. } => self.one("notices", format!("{notice:?}")),
                Effect::Contradiction { .. } => flagged = true,
                _ => {}
            }
        }
        if flagged {
            self.one("documents", "flagged");
        }
    }

    /// What should have happened and never did.
    pub(crate) fn missing(&self) -> Vec<String> {
        let steps = Step::WORDS.iter().map(|(_, word)| ("custody", (*word).to_owned()));
        let notices = Notice::ALL.iter().map(|notice| ("notices", format!("{notice:?}")));
        let wanted = WANTED
            .iter()
            .flat_map(|(group, words)| words.iter().map(move |word| (*group, (*word).to_owned())));
        let all = wanted.chain(steps).chain(notices);
        let never = all.filter(|(group, word)| {
            self.0.get(group).is_none_or(|words| !words.contains_key(word))
        });
        never.map(|(group, word)| format!("{group}: {word}")).collect()
    }
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (group, words) in &self.0 {
            let words: Vec<_> =
                words.iter().map(|(word, times)| format!("{word} {times}")).collect();
            writeln!(f, "{group}: {}", words.join(", "))?;
        }
        Ok(())
    }
}
