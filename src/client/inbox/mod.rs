//! The inbox: deliveries (送达) are stored, then verified, then acknowledged (签收), in that order.
//!
//! `inbox/<number>/` appears whole or not at all; `inbox/state.json` remembers the last number
//! stored, from which the next stream or page goes on. A number that is skipped, or that comes with
//! another document, is the hub's fault and an error that a person must see (P4).

use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::connect::{Client, ProfileLacks};
use super::error::{CallError, Refused};
use super::observer::Observer;
use super::seen::SeenError;
use super::verify::Report;
use super::{disk, files};
use crate::identity::files::FileError;

mod acknowledge;
mod receive;
mod store;
pub use acknowledge::RejectionReason;
pub use receive::Start;

/// The folder in a profile.
const FOLDER: &str = "inbox";

/// The inbox of one client.
#[derive(Clone)]
pub struct Inbox<'c> {
    client: &'c Client,
    folder: PathBuf,
    observer: Arc<dyn Observer>,
}

/// The text of `delivery.json`: what the inbox says of one delivery.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeliveryNote {
    /// Its number in the inbox.
    pub number: u64,
    /// A copy (抄送), not the main delivery (主送).
    pub copy: bool,
    /// Who sent the document.
    pub sender: String,
    /// The id its sender gave it.
    pub document_id: String,
    /// The document type.
    #[serde(rename = "type")]
    pub document_type: String,
    /// The articles by which it comes here.
    pub articles: Vec<String>,
    /// Where it stands: `accepted`, `acknowledged`, `rejected` or `served_otherwise`.
    pub stage: String,
    /// The correction case (矫正案件) it belongs to; empty if to none.
    pub correction_case: String,
    /// In lieu of a county agency that does not exist.
    pub in_lieu: bool,
    /// The index of its record.
    pub index: u64,
    /// The commitment C of its record's leaf, in hexadecimal: what an acknowledgement names.
    pub commitment: String,
    /// Whether document, receipt and signatures verified here.
    pub verified: bool,
    /// The document was erased: there is nothing to hold.
    pub erased: bool,
    /// A juvenile's, settled before: it comes without its document, which is asked for with a record.
    #[serde(default)]
    pub withheld: bool,
    /// The kinds of attachment that go along, as its record says; empty: all.
    #[serde(default)]
    pub carries: Vec<String>,
}

impl DeliveryNote {
    /// Whether an attachment of this kind goes along.
    #[must_use]
    pub fn carries(&self, kind: &str) -> bool {
        self.carries.is_empty() || self.carries.iter().any(|carried| carried == kind)
    }

    /// Whether it can be acknowledged, and is not settled.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.verified && self.stage == "accepted"
    }
}

/// Something that stops the inbox.
#[derive(Debug, Error)]
pub enum InboxError {
    /// The call did not succeed, and trying again would not help.
    #[error(transparent)]
    Call(#[from] CallError),
    /// A file can't be read or written.
    #[error(transparent)]
    File(#[from] FileError),
    /// The profile does not suffice.
    #[error(transparent)]
    Profile(#[from] ProfileLacks),
    /// A file of the inbox was tampered with.
    #[error("cannot use {}", path.display())]
    Note {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: serde_json::Error,
    },
    /// There is no such delivery here.
    #[error("delivery {number} is not in {}; fetch it first", folder.display())]
    NotHere {
        /// The number.
        number: u64,
        /// The inbox.
        folder: PathBuf,
    },
    /// A delivery that did not verify is never acknowledged.
    #[error("delivery {number} did not verify, or was erased: it is not acknowledged")]
    NotVerified {
        /// The number.
        number: u64,
    },
    /// The hub skipped a number.
    #[error("THE HUB SKIPPED A DELIVERY: after number {last} came {found}")]
    Gap {
        /// The last number stored.
        last: u64,
        /// What came next.
        found: u64,
    },
    /// The hub used a number twice.
    #[error(
        "THE HUB USED NUMBER {number} TWICE; both receipts are kept in {}", folder.display()
    )]
    Contradiction {
        /// The number.
        number: u64,
        /// The delivery's folder.
        folder: PathBuf,
    },
    /// The hub refused a statement.
    #[error(transparent)]
    Refused(Box<Refused>),
    /// The hub's answer to a statement is no proof of it.
    #[error("the hub's receipt for the statement does not verify")]
    DoubtfulReceipt(Box<Report>),
    /// A checkpoint contradicts one seen before.
    #[error(transparent)]
    Seen(#[from] SeenError),
}

/// The text of the inbox's `state.json`.
#[derive(Serialize, Deserialize)]
struct InboxState {
    last_number: u64,
}

impl Client {
    /// The inbox of this client.
    ///
    /// # Errors
    /// [`ProfileLacks::Agency`].
    pub fn open_inbox(&self, observer: Arc<dyn Observer>) -> Result<Inbox<'_>, ProfileLacks> {
        self.agency()?;
        Ok(Inbox { client: self, folder: self.profile().folder.join(FOLDER), observer })
    }
}

impl Inbox<'_> {
    /// Its folder.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The folder of a delivery.
    #[must_use]
    pub fn delivery_folder(&self, number: u64) -> PathBuf {
        self.folder.join(number.to_string())
    }

    /// The last number stored here; none if nothing ever was.
    ///
    /// # Errors
    /// [`InboxError`].
    pub fn last_number(&self) -> Result<Option<u64>, InboxError> {
        let path = self.folder.join(files::STATE);
        let Some(text) = disk::read_if_there(&path)? else { return Ok(None) };
        let state: InboxState =
            serde_json::from_slice(&text).map_err(|source| InboxError::Note { path, source })?;
        Ok(Some(state.last_number))
    }

    /// What is noted of a delivery.
    ///
    /// # Errors
    /// [`InboxError::NotHere`], and what can't be read.
    pub fn note(&self, number: u64) -> Result<DeliveryNote, InboxError> {
        let path = self.delivery_folder(number).join(files::DELIVERY);
        let text = disk::read_if_there(&path)?
            .ok_or_else(|| InboxError::NotHere { number, folder: self.folder.clone() })?;
        serde_json::from_slice(&text).map_err(|source| InboxError::Note { path, source })
    }

    /// What is noted of all deliveries that are here, in order.
    ///
    /// # Errors
    /// What can't be read.
    pub fn notes(&self) -> Result<Vec<DeliveryNote>, InboxError> {
        let names = disk::names(&self.folder)?;
        let mut numbers: Vec<u64> = names.iter().filter_map(|name| name.parse().ok()).collect();
        numbers.sort_unstable();
        numbers.into_iter().map(|number| self.note(number)).collect()
    }

    /// The numbers of the deliveries that are here, verified, and not settled.
    ///
    /// # Errors
    /// What can't be read.
    pub fn open_numbers(&self) -> Result<Vec<u64>, InboxError> {
        let notes = self.notes()?;
        Ok(notes.iter().filter(|note| note.is_open()).map(|note| note.number).collect())
    }

    fn set_last_number(&self, last_number: u64) -> Result<(), InboxError> {
        let text = files::to_json(&InboxState { last_number });
        Ok(disk::write(&self.folder.join(files::STATE), &text)?)
    }

    fn write_note(&self, note: &DeliveryNote) -> Result<(), InboxError> {
        let path = self.delivery_folder(note.number).join(files::DELIVERY);
        Ok(disk::write(&path, &files::to_json(note))?)
    }
}

/// A stage in one word, as `delivery.json` has it.
pub(super) fn stage_word(stage: crate::wire::pb::Stage) -> String {
    stage.as_str_name().trim_start_matches("STAGE_").to_ascii_lowercase()
}
