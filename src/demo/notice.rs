//! What the hub says in its own name (`hub_notice`) when time passes: awaited, and never overheard.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use serde::Deserialize;
use xianjie_core::ids::AgencyCode;

use super::DemoError;
use super::story::Step;
use crate::client::files;
use crate::client::inbox::{DeliveryNote, Inbox, Start};

/// The document type.
const TYPE: &str = "hub_notice";
/// How long the story waits for a notice: the hub looks at its duties each second, and sends what it
/// owes as often.
const PATIENCE: Duration = Duration::from_secs(15);
/// Between two looks into the inbox.
const POLL: Duration = Duration::from_millis(50);

/// The body of a notice.
#[derive(Debug, Deserialize)]
pub(super) struct Notice {
    notice_kind: String,
    #[serde(default)]
    duty: String,
    /// What it says, in Chinese and in English.
    pub(super) text: String,
}

impl Notice {
    /// The notice that is stored as this delivery.
    fn read(inbox: &Inbox<'_>, delivery: &DeliveryNote) -> Result<Self, DemoError> {
        #[derive(Deserialize)]
        struct Document {
            hub_notice: Notice,
        }
        let path = inbox.delivery_folder(delivery.number).join(files::DOCUMENT_JSON);
        let text = std::fs::read(&path).map_err(|e| DemoError::file(&path, e))?;
        let document: Document =
            serde_json::from_slice(&text).map_err(|e| DemoError::Story(e.to_string()))?;
        Ok(document.hub_notice)
    }
}

/// Waits until the step's notice has come to its agency's inbox.
///
/// # Errors
/// [`DemoError::Other`]: another notice comes, or none in time.
pub(super) async fn wait(
    inbox: &Inbox<'_>,
    step: &Step,
) -> Result<(DeliveryNote, Notice), DemoError> {
    let who = step.who()?;
    let expected = format!("{:?} {:?}", step.expect.notice, step.expect.duty);
    let other =
        |found| DemoError::Other { step: step.en.clone(), expected: expected.clone(), found };
    let begun = Instant::now();
    while begun.elapsed() < PATIENCE {
        let fetched = inbox.fetch(Start::Resume, false).await;
        let fetched = fetched.map_err(|error| DemoError::client(&who, error))?;
        if let Some(delivery) = fetched.into_iter().find(|note| note.document_type == TYPE) {
            let notice = Notice::read(inbox, &delivery)?;
            let found = format!("{:?} {:?}", Some(&notice.notice_kind), Some(&notice.duty));
            return if found == expected { Ok((delivery, notice)) } else { Err(other(found)) };
        }
        tokio::time::sleep(POLL).await;
    }
    Err(other("no notice".to_owned()))
}

/// Whether all notices in an inbox are among those that the story has told of.
///
/// # Errors
/// [`DemoError::Other`]: time has done something that no step shows.
pub(super) fn check_told(
    inbox: &Inbox<'_>,
    agency: &AgencyCode,
    told: &HashSet<String>,
) -> Result<(), DemoError> {
    let notes = inbox.notes().map_err(|error| DemoError::client(agency, error))?;
    let untold =
        |note: &&DeliveryNote| note.document_type == TYPE && !told.contains(&note.document_id);
    let Some(note) = notes.iter().find(untold) else { return Ok(()) };
    let Notice { notice_kind, duty, .. } = Notice::read(inbox, note)?;
    Err(DemoError::Other {
        step: format!("the inbox of {agency}"),
        expected: "no notice of the hub that no step shows".to_owned(),
        found: format!("{notice_kind} {duty}"),
    })
}
