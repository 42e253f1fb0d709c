//! The state: one ordered map from [`Key`] to [`Row`], and [`apply`], the only way it changes.
//!
//! `apply` reads a record's effects and the rows that they name: no rulebook, no calendar, no clock
//! and no document. So a fold over the ledger's records alone gives the live state, bit for bit
//! (P9), under every later version of code and rules. Indexes are rows like any other, so the audit
//! checks them too.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::agency::{Agency, Certificate, System};
use super::custody::{Custody, State, Step};
use super::document::Category;
use super::duty::Duty;
use super::record::{Opened, Outage, Settled};
use super::role::Role;
use crate::ids::{
    AgencyCode, CaseRef, Digest, DivisionCode, DocumentRef, DocumentType, DutyId, InboxNumber,
    LedgerIndex, SenderNumber, Time,
};

mod apply;
mod cache;
mod key;
mod unsettled;
mod view;
pub use apply::{ApplyError, apply};
pub use cache::Cache;
pub use key::{Key, KeyError, Range};
pub use unsettled::{SPAN, Span, Unsettled};
pub use view::{Changes, EntryHead, Loaded, View, Wants};

/// One row of the state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Row {
    /// The ledger itself, from record 0.
    Hub(Opened),
    /// An agency.
    Agency(Box<Agency>),
    /// A system.
    System(Box<System>),
    /// A certificate.
    Certificate(Box<Certificate>),
    /// The rulebooks in force.
    Rulebook(Digest),
    /// An operators' change that was made: its record, and SHA-256 of its signed bytes.
    Change(LedgerIndex, Digest),
    /// A document.
    Document(Box<DocumentRow>),
    /// How many documents an agency has sent.
    Sender(SenderNumber),
    /// A document by its sender's number, or by its case.
    Sent(DocumentRef),
    /// An agency's inbox.
    Inbox(Inbox),
    /// A delivery.
    Delivery(Delivery),
    /// A correction case.
    Case(Box<Case>),
    /// A duty.
    Duty(Box<Duty>),
    /// The duties that a record met.
    Closed(Vec<DutyId>),
    /// The newest record that tells of a refusal under this id.
    Refused(LedgerIndex),
    /// A document that no second one may repeat.
    Unique(DocumentRef),
    /// Who gets a notice that the hub owes.
    NoticeOwed(BTreeSet<AgencyCode>),
    /// An index entry: the key says it all.
    Entry,
    /// A step of custody.
    PastCustody(Box<PastCustody>),
    /// Up to which number of an inbox it has been told that nobody signed for a sender's deliveries.
    Told(InboxNumber),
    /// The last outage of the hub.
    Outage(Outage),
    /// Which deliveries of an inbox are not settled.
    Unsettled(Unsettled),
}

/// A step of custody (监管责任) that a case took: who answered for the person from then on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PastCustody {
    /// When.
    pub time: Time,
    /// Which step.
    pub step: Step,
    /// Where it led.
    pub after: Custody,
}

/// A document as the state remembers it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DocumentRow {
    /// Its record.
    pub index: LedgerIndex,
    /// Its type.
    pub kind: DocumentType,
    /// The salted commitment D to its bytes.
    pub commitment: Digest,
    /// The case it belongs to.
    pub case: Option<CaseRef>,
    /// The first record of its thread.
    pub thread: LedgerIndex,
    /// What it answers.
    pub in_reply_to: Option<LedgerIndex>,
    /// To whom it went, primaries first.
    pub addressed: Vec<Addressed>,
    /// The places that it named.
    pub places: BTreeMap<String, DivisionCode>,
    /// The procuratorates that may see it.
    pub supervisors: BTreeSet<AgencyCode>,
    /// What it bound against a second of its kind.
    pub unique: Option<Digest>,
    /// What it replaced.
    pub replaces: Option<DocumentRef>,
    /// The document that replaced it.
    pub replaced_by: Option<LedgerIndex>,
    /// The record that withdrew it.
    pub withdrawn_by: Option<LedgerIndex>,
}

/// One addressee of a document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Addressed {
    /// Who.
    pub agency: AgencyCode,
    /// The number in its inbox.
    pub number: InboxNumber,
    /// Copy rather than primary.
    pub copy: bool,
    /// The kinds of attachment that go along; empty: all.
    pub carries: BTreeSet<String>,
}

impl Addressed {
    /// Whether an attachment of this kind goes along.
    #[must_use]
    pub fn carries(&self, kind: &str) -> bool {
        self.carries.is_empty() || self.carries.contains(kind)
    }
}

/// An inbox as a whole.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Inbox {
    /// Its last number.
    pub last: InboxNumber,
    /// How many deliveries are not settled.
    pub unsettled: u64,
}

/// One delivery (送达).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delivery {
    /// The document.
    pub document: DocumentRef,
    /// Its record.
    pub index: LedgerIndex,
    /// When it was recorded.
    pub time: Time,
    /// Copy rather than primary.
    pub copy: bool,
    /// How it ended, and the record that says so.
    pub settled: Option<(Settled, LedgerIndex)>,
}

/// A correction case (矫正案件).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Case {
    /// The record that opened it.
    pub opened: LedgerIndex,
    /// The judgment's number, salted by the case's reference.
    pub number: Option<Digest>,
    /// The category of correction.
    pub category: Option<Category>,
    /// Whether the subject was a juvenile at the offence: once true it stays.
    pub juvenile: Option<bool>,
    /// The place of execution.
    pub place: Option<DivisionCode>,
    /// A new place, decided but not yet taken up.
    pub pending_place: Option<DivisionCode>,
    /// The last day of the term.
    pub term_expiry: Option<Date>,
    /// Who holds which role.
    pub roles: BTreeMap<Role, AgencyCode>,
    /// How often something counted happened.
    pub counts: BTreeMap<String, u32>,
    /// Who sent or received a document of it.
    pub parties: BTreeSet<AgencyCode>,
    /// The types of documents that it has had.
    pub seen: BTreeSet<DocumentType>,
    /// Who answers for the person.
    pub custody: Custody,
    /// Since when the hub has known that whereabouts are unknown: set while `custody.missing` is.
    pub missing_since: Option<Time>,
}

/// The roles whose holders must know where a person is now.
const CONCERNED: [Role; 4] =
    [Role::DecisionOrgan, Role::ResponsibleAgency, Role::FileHolder, Role::Custodian];

impl Case {
    /// Whom the person concerns now: who answers for them, holds them or their file, is the responsible
    /// agency or decided. One agency may come more than once.
    pub fn concerned(&self) -> impl Iterator<Item = &AgencyCode> {
        let holders = CONCERNED.iter().filter_map(|role| self.roles.get(role));
        holders.chain(&self.custody.answers).chain(&self.custody.guard)
    }

    /// Whether the person's whereabouts are unknown (下落不明) while somebody answers for them: nobody
    /// seeks whose correction has ended.
    #[must_use]
    pub fn is_sought(&self) -> bool {
        self.missing_since.is_some() && self.custody.answers.is_some()
    }

    /// Whether correction may still begin or go on.
    #[must_use]
    pub fn is_open(&self) -> bool {
        !matches!(self.custody.state, State::Imprisoned | State::Released | State::Dead)
    }

    /// Whether what is known of the person is sealed (犯罪记录封存, 刑诉法 286): a juvenile at the
    /// offence whose correction has ended. No document tells the length of the penalty but in words:
    /// where it was over five years, the seal asks more than the law does, and a query opens it.
    #[must_use]
    pub fn is_sealed(&self) -> bool {
        self.juvenile == Some(true) && self.custody.state.is_ended()
    }
}

impl Row {
    /// The row's bytes: what a store keeps and the audit compares.
    ///
    /// # Panics
    /// Never: every row is plain data that the encoding can hold.
    #[must_use]
    #[expect(clippy::expect_used, reason = "plain data always encodes")]
    pub fn to_bytes(&self) -> Vec<u8> {
        postcard::to_stdvec(self).expect("plain data encodes")
    }

    /// The row of these bytes.
    ///
    /// # Errors
    /// Bytes that no row has: a damaged store, or one of a later version.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, RowError> {
        let (row, rest) = postcard::take_from_bytes(bytes).map_err(|_| RowError)?;
        if rest.is_empty() { Ok(row) } else { Err(RowError) }
    }
}

/// Bytes that no row has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("these bytes are no row of this version")]
pub struct RowError;
