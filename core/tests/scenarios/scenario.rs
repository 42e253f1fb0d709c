//! A scenario as its file has it.

use std::collections::BTreeMap;
use std::path::Path;

use jiff::civil::{Date, DateTime};
use serde::Deserialize;
use xianjie_core::domain::term::shanghai_midnight_ms;
use xianjie_core::ids::Time;

/// One course of events, and what the law makes of it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Scenario {
    /// What it tells, in a sentence.
    pub(crate) name: String,
    /// The rows of the law that it shows.
    pub(crate) rows: Vec<String>,
    /// The articles that it shows: each must stand behind something that happens in it.
    pub(crate) articles: Vec<String>,
    /// The scenario that comes first, by its name: this one goes on from where that one ends.
    pub(crate) after: Option<String>,
    /// The category of correction; else that of the scenario before.
    pub(crate) category: Option<String>,
    /// The place of execution in documents that may open a case; else that of the scenario before.
    pub(crate) place: Option<String>,
    /// What happens, in order.
    #[serde(rename = "step")]
    pub(crate) steps: Vec<Step>,
}

/// One event: a document is sent, acknowledged or rejected, or time passes.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Step {
    /// When: a day, meaning ten in the morning, or a day and a time.
    pub(crate) on: String,
    /// Who acts; nobody where only time passes.
    pub(crate) from: String,
    /// The type of the document that is sent.
    pub(crate) sends: Option<String>,
    /// The document whose delivery is acknowledged (签收), by its name here.
    pub(crate) acknowledges: Option<String>,
    /// The document whose delivery is rejected (退件), by its name here.
    pub(crate) rejects: Option<String>,
    /// What later steps call the document; else its type.
    #[serde(rename = "as")]
    pub(crate) called: Option<String>,
    /// The document that it answers, by its name here.
    pub(crate) reply_to: Option<String>,
    /// The document that it replaces, by its name here.
    pub(crate) replaces: Option<String>,
    /// The person: 1 unless said; 0 for no subject.
    pub(crate) subject: Option<u8>,
    /// Whether it names the person's case by its reference, as a party to it can.
    pub(crate) names_case: bool,
    /// The category, if it is not the scenario's.
    pub(crate) category: Option<String>,
    /// Whether the person was a juvenile at the offence (未成年).
    pub(crate) juvenile: bool,
    /// The place of execution, if it is not the scenario's.
    pub(crate) place: Option<String>,
    /// The agencies that it names where the law leaves a choice.
    pub(crate) chooses: Vec<String>,
    /// Its fields that matter; all others that the law requires are filled in.
    pub(crate) facts: BTreeMap<String, toml::Value>,
    /// Required fields and kinds of attachment that it leaves out.
    pub(crate) lacks: Vec<String>,
    /// What must happen, as lines of the outcome; their articles may be left out.
    pub(crate) then: Vec<String>,
    /// Beginnings of lines that the outcome must not have.
    pub(crate) never: Vec<String>,
}

impl Scenario {
    /// Reads a file.
    pub(crate) fn read(path: &Path) -> Self {
        let text = std::fs::read_to_string(path).unwrap();
        toml::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }
}

impl Step {
    /// The instant.
    pub(crate) fn time(&self) -> Time {
        instant(&self.on).unwrap_or_else(|| panic!("`on` is no day and no time: {:?}", self.on))
    }

    /// What later steps call the document that is sent.
    pub(crate) fn label(&self) -> &str {
        self.called.as_deref().or(self.sends.as_deref()).unwrap_or_default()
    }
}

/// The instant of a day (ten in the morning) or of a day and a time in Shanghai.
pub(crate) fn instant(text: &str) -> Option<Time> {
    let at = match text.parse::<DateTime>() {
        Ok(at) if text.contains(':') => at,
        _ => text.parse::<Date>().ok()?.at(10, 0, 0, 0),
    };
    let of_day = i64::from(at.hour()) * 60 + i64::from(at.minute());
    Some(Time(shanghai_midnight_ms(at.date()) + of_day * 60_000))
}
