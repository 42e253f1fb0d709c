//! `decide`: the law's only reader. From the state, an input and a time it makes a record that
//! spells out the whole outcome, or says all that is wrong. Pure: deciding the same twice gives the
//! same.
//!
//! The pipeline for a document is in `document`; each of its stages is a file: who signed (`signers`),
//! what it answers (`thread`), which case it belongs to (`case`), to whom it goes (`routing`), which
//! rules it must pass (`tests_of_law`, `plausible`), what it does to custody (`custody`) and to duties (`duties`).

use std::collections::{BTreeMap, BTreeSet};

use super::access::Query;
use super::directory::{Directory, Divisions};
use super::document::Document;
use super::record::{Notice, Record, Revocations, Signed};
use super::reminders::Reminders;
use super::rulebook::Law;
use super::state::View;
use crate::ids::{
    AgencyCode, CaseRef, Digest, DocumentId, DutyId, InboxNumber, LedgerIndex, PersonKey,
    SystemCode, Time,
};
use crate::refusal::Refusal;

mod access;
mod acknowledgement;
mod case;
mod clock;
mod custody;
mod directory_change;
mod document;
mod duties;
mod limit;
mod plausible;
mod rejection;
mod revocations;
mod routing;
mod service;
mod signers;
mod tests_of_law;
mod thread;
mod undone;
mod withdrawal;

#[cfg(test)]
mod tests;

pub use clock::settled_after;
pub use directory_change::{Change, DirectoryInput};
pub use document::{admits, check_form, check_signers, finds_person, foresee, law_of};

/// The version of the deciding code: a record names it, so that an audit against the law can decide
/// again as it was decided then.
pub const ENGINE: u32 = 1;

/// What a decision may consult besides the state.
#[derive(Debug, Clone, Copy)]
pub struct World<'a> {
    /// Who there is.
    pub directory: &'a Directory,
    /// Where.
    pub divisions: &'a Divisions,
    /// What is law.
    pub law: &'a Law,
    /// When the hub reminds: its operator's choice.
    pub reminders: Reminders,
    /// The instant of the commit.
    pub time: Time,
    /// The index that the record will have.
    pub index: LedgerIndex,
    /// The salted commitment to a document: its salt, and the digest of its bytes. The arithmetic is
    /// the ledger's, which the law does not know.
    pub commit_document: fn(&[u8; 32], &Digest) -> Digest,
}

/// What is decided.
#[derive(Debug, Clone)]
pub enum Input {
    /// A document, its signatures verified.
    Document(Box<DocumentInput>),
    /// An acknowledgement statement (签收), its signatures verified.
    Acknowledgement(AcknowledgementInput),
    /// A rejection (退件), its signatures verified.
    Rejection(RejectionInput),
    /// Operators change the directory, their signatures verified.
    Directory(Box<DirectoryInput>),
    /// An authority's list names certificates, its signature verified.
    Revocations(RevocationsInput),
    /// Someone asks to be shown what their deliveries alone don't give them.
    Access(Box<AccessInput>),
    /// Time has come for something.
    Clock(ClockInput),
    /// What needs no decision: record 0, refusals to be kept, an outage.
    Noted(Box<Record>),
}

/// A document to decide about.
#[derive(Debug, Clone)]
pub struct DocumentInput {
    /// The document.
    pub document: Document,
    /// The certificates whose signatures verified, in the order of the signatures.
    pub signers: Vec<Digest>,
    /// A random reference for the case that it may open.
    pub fresh_case: CaseRef,
    /// The salt of its commitment, if it is taken.
    pub salt: [u8; 32],
    /// If it is a notice that the hub itself owes: about which record, and what it tells.
    pub notice: Option<(LedgerIndex, Notice)>,
}

/// An acknowledgement to decide about.
#[derive(Debug, Clone)]
pub struct AcknowledgementInput {
    /// Whose inbox.
    pub agency: AgencyCode,
    /// Which deliveries, each with the commitment that its receipt opened.
    pub items: Vec<(InboxNumber, Digest)>,
    /// The statement as signed.
    pub statement: Signed,
}

/// A rejection to decide about.
#[derive(Debug, Clone)]
pub struct RejectionInput {
    /// Whose inbox.
    pub agency: AgencyCode,
    /// Which delivery.
    pub number: InboxNumber,
    /// The commitment that its receipt opened.
    pub commitment: Digest,
    /// Why, as a word of the protocol.
    pub reason: String,
    /// The statement as signed.
    pub statement: Signed,
}

/// A revocation list (吊销列表) to decide about. What it revokes that is revoked already is left out:
/// asked twice, nothing happens.
#[derive(Debug, Clone)]
pub struct RevocationsInput {
    /// The list.
    pub list: Revocations,
    /// The registered certificates that it names, each with the time since when its key may have
    /// been in wrong hands, if the list says so.
    pub certificates: BTreeMap<Digest, Option<Time>>,
}

/// An access (查阅) to decide about. Which cases are a person's, and whether the asker may see what it
/// asks for, was found before.
#[derive(Debug, Clone)]
pub struct AccessInput {
    /// The agency that asks.
    pub agency: AgencyCode,
    /// The system that it comes through.
    pub system: SystemCode,
    /// The call.
    pub method: String,
    /// The cases that it concerns.
    pub cases: BTreeSet<CaseRef>,
    /// The record of the document to be shown, if it is one.
    pub document: Option<LedgerIndex>,
    /// What is asked on which ground, if it is a query.
    pub query: Option<Query>,
    /// The record of the query by which it is let in, if it is by one.
    pub by_query: Option<LedgerIndex>,
}

/// What time may have come for. Whether it has is decided: asked twice, or too early, nothing happens.
#[derive(Debug, Clone)]
pub enum ClockInput {
    /// A duty's next look is due.
    Duty(DutyId),
    /// A duty's limit may be computed anew: there is calendar data that was missing.
    Recompute(DutyId),
    /// These deliveries of one inbox and sender may have gone unacknowledged for too long.
    Unacknowledged {
        /// Whose inbox.
        agency: AgencyCode,
        /// Who sent them.
        sender: AgencyCode,
        /// Which, ascending; at most a page.
        numbers: Vec<InboxNumber>,
    },
}

/// The outcome.
#[derive(Debug, Clone)]
pub enum Decision {
    /// Something new, to be recorded.
    Record(Box<Decided>),
    /// It was decided before, by these records: the same answer again (P2).
    Known(Vec<LedgerIndex>),
}

/// A new record, and what hangs on it outside the ledger.
#[derive(Debug, Clone)]
pub struct Decided {
    /// The record.
    pub record: Record,
    /// Earlier records that settle a part of what was asked.
    pub known: Vec<LedgerIndex>,
    /// The person of a case that opens: the record does not tell.
    pub link: Option<(PersonKey, CaseRef)>,
}

/// Decides. With anything missing in `view` afterwards the outcome means nothing: load it, and decide
/// again.
///
/// # Errors
/// All that is wrong at once.
pub fn decide(view: &View<'_>, world: &World<'_>, input: &Input) -> Result<Decision, Refusal> {
    match input {
        Input::Document(input) => document::decide(view, world, input),
        Input::Acknowledgement(input) => acknowledgement::decide(view, world, input),
        Input::Rejection(input) => rejection::decide(view, world, input),
        Input::Directory(input) => directory_change::decide(view, world, input),
        Input::Revocations(input) => Ok(revocations::decide(world, input)),
        Input::Access(input) => access::decide(view, world, input),
        Input::Clock(input) => Ok(clock::decide(view, world, input)),
        Input::Noted(record) => Ok(Decision::Record(Box::new(Decided {
            record: (**record).clone(),
            known: Vec::new(),
            link: None,
        }))),
    }
}

impl Input {
    /// The agency whose share of the queue it takes; operators and the hub itself have none.
    #[must_use]
    pub fn agency(&self) -> Option<&AgencyCode> {
        match self {
            Self::Document(input) => Some(&input.document.sender),
            Self::Acknowledgement(input) => Some(&input.agency),
            Self::Rejection(input) => Some(&input.agency),
            Self::Access(input) => Some(&input.agency),
            Self::Directory(_) | Self::Revocations(_) | Self::Clock(_) | Self::Noted(_) => None,
        }
    }

    /// The document's id, if it is a document.
    #[must_use]
    pub fn document_id(&self) -> Option<DocumentId> {
        match self {
            Self::Document(input) => Some(input.document.id),
            _ => None,
        }
    }
}
