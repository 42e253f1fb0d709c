//! The story as data: `deploy/demo/story.toml`, and the agencies that play in it.

use std::collections::BTreeMap;

use jiff::civil::{Date, Time as DayTime};
use serde::Deserialize;
use xianjie_core::domain::term::shanghai_midnight_ms;
use xianjie_core::ids::{AgencyCode, Time};

use super::DemoError;

/// The files that ship with the program.
pub(super) static FILES: include_dir::Dir<'_> =
    include_dir::include_dir!("$CARGO_MANIFEST_DIR/deploy/demo");

/// The steps of the story, in order.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Story {
    #[serde(rename = "step")]
    pub(super) steps: Vec<Step>,
}

/// One step.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Step {
    pub(super) label: Option<String>,
    day: String,
    time: String,
    who: Option<String>,
    pub(super) file: Option<String>,
    #[serde(rename = "do")]
    pub(super) act: Option<Act>,
    /// Whose case the step is about: the label of the document that opened it.
    pub(super) case_of: Option<String>,
    /// What it answers, for readers of the file.
    #[serde(rename = "answers_to")]
    _answers_to: Option<String>,
    /// What is asked where the act is a query.
    pub(super) query: Option<Question>,
    #[serde(default)]
    pub(super) later: Vec<String>,
    pub(super) zh: String,
    pub(super) en: String,
    #[serde(default)]
    pub(super) expect: Expect,
}

/// What an agency asks about a person, in the words of `xianjie query`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Question {
    pub(super) topic: String,
    pub(super) purpose: String,
    pub(super) article: String,
}

/// What is done where no document is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Act {
    Acknowledge,
    Notice,
    Watch,
    Query,
    Kill,
    Verify,
    Audit,
}

/// What must come of a step.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Expect {
    #[serde(default)]
    pub(super) to: Vec<String>,
    #[serde(default)]
    pub(super) copies: Vec<String>,
    pub(super) state: Option<String>,
    pub(super) answers: Option<String>,
    pub(super) refused: Option<String>,
    #[serde(default)]
    pub(super) fields: Vec<String>,
    /// The kind of the hub's notice, as in `NoticeKind`.
    pub(super) notice: Option<String>,
    /// The name of the duty that it is about.
    pub(super) duty: Option<String>,
    /// The types of the documents that a query finds, the newest first.
    #[serde(default)]
    pub(super) found: Vec<String>,
}

impl Story {
    /// The story that ships with the program.
    pub(super) fn read() -> Result<Self, DemoError> {
        toml::from_str(text("story.toml")?).map_err(|error| DemoError::Story(error.to_string()))
    }
}

impl Step {
    /// When it happens.
    pub(super) fn at(&self) -> Result<Time, DemoError> {
        let wrong = || DemoError::Story(format!("not a time: {} {}", self.day, self.time));
        let day: Date = self.day.parse().map_err(|_| wrong())?;
        let time: DayTime = self.time.parse().map_err(|_| wrong())?;
        let seconds = i64::from(time.hour()) * 3600
            + i64::from(time.minute()) * 60
            + i64::from(time.second());
        Ok(Time(shanghai_midnight_ms(day) + seconds * 1000))
    }

    /// The time as the timeline shows it.
    pub(super) fn when(&self) -> String {
        format!("{} {}", self.day, self.time.get(..5).unwrap_or(&self.time))
    }

    /// Who acts.
    pub(super) fn who(&self) -> Result<AgencyCode, DemoError> {
        let who = self.who.as_deref().and_then(|code| code.parse().ok());
        who.ok_or_else(|| DemoError::Story(format!("nobody acts on {}", self.day)))
    }
}

/// The agencies' names, by code.
pub(super) fn names() -> Result<BTreeMap<String, String>, DemoError> {
    #[derive(Deserialize)]
    struct Agencies {
        agency: Vec<Named>,
    }
    #[derive(Deserialize)]
    struct Named {
        code: String,
        name: String,
    }
    let agencies: Agencies = toml::from_str(text("agencies.toml")?)
        .map_err(|error| DemoError::Story(error.to_string()))?;
    Ok(agencies.agency.into_iter().map(|agency| (agency.code, agency.name)).collect())
}

fn text(name: &str) -> Result<&'static str, DemoError> {
    let file = FILES.get_file(name).and_then(include_dir::File::contents_utf8);
    file.ok_or_else(|| DemoError::Story(format!("{name} is not in the program")))
}
