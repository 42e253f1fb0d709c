//! Duties (期限义务): what an agency must do by a time, opened by one document and closed by another.

use serde::{Deserialize, Serialize};

use crate::ids::{AgencyCode, CaseRef, DocumentRef, DocumentType, InboxNumber, LedgerIndex, Time};

/// A duty as it stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Duty {
    /// Its name in the rulebook, in Chinese.
    pub name: String,
    /// The type of the document that opened it.
    pub opener: DocumentType,
    /// That document.
    pub opened_by: DocumentRef,
    /// The case it hangs on.
    pub case: Option<CaseRef>,
    /// The thread it hangs on where there is no case: the index of the thread's first record.
    pub thread: LedgerIndex,
    /// Who must act.
    pub owner: Owner,
    /// To whom it is owed.
    pub creditor: Option<AgencyCode>,
    /// The limit in the rulebook's words, such as `5 days` or `promptly`.
    pub limit: String,
    /// How binding the limit is.
    pub force: Force,
    /// Whether a limit may end on a holiday: `never` for hours, terms and confinement.
    pub never_rolls: bool,
    /// Where it stands.
    pub state: DutyState,
    /// Before this it is too early: the opening of a window.
    pub not_before: Option<Time>,
    /// When it runs out, exclusive: met if a record's time is less. None until it starts, and for
    /// soft limits.
    pub due: Option<Time>,
    /// Whether `due` lacks calendar data.
    pub provisional: bool,
    /// Whether this is the time limit of a handover (交接) of the person.
    pub handover: bool,
    /// Documents that meet it.
    pub closed_by: Vec<DocumentType>,
    /// Documents that cancel it.
    pub cancelled_by: Vec<DocumentType>,
    /// The document that passes it on, and the role of who gets it.
    pub passes_to: Option<(DocumentType, String)>,
}

/// Who must act.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Owner {
    /// An agency.
    Agency(AgencyCode),
    /// The subject of correction; an agency watches.
    Person {
        /// The agency that watches the limit.
        watched_by: AgencyCode,
    },
}

impl Owner {
    /// The agency that acts or watches.
    #[must_use]
    pub fn agency(&self) -> &AgencyCode {
        match self {
            Self::Agency(agency) | Self::Person { watched_by: agency } => agency,
        }
    }
}

impl Owner {
    /// The same kind of owner, with another agency.
    #[must_use]
    pub fn passed_to(&self, agency: AgencyCode) -> Self {
        match self {
            Self::Agency(_) => Self::Agency(agency),
            Self::Person { .. } => Self::Person { watched_by: agency },
        }
    }
}

/// How binding a limit is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Force {
    /// A limit in the law: missing it is a breach.
    Binding,
    /// 及时, 立即: a reminder, never a breach.
    Soft,
    /// A right that lapses: no breach.
    Right,
}

/// Where a duty stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum DutyState {
    /// Waits for this delivery to be received.
    Waiting {
        /// The addressee.
        agency: AgencyCode,
        /// The delivery's number.
        number: InboxNumber,
    },
    /// Runs.
    Open,
    /// Ended.
    Closed {
        /// How.
        outcome: Outcome,
        /// The record that ended it.
        by: LedgerIndex,
    },
}

/// How a duty ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Outcome {
    /// Done in time.
    Met,
    /// Done after its time.
    MetLate,
    /// No longer owed: death, revocation, a coercive measure.
    Cancelled,
    /// The document that opened it was replaced.
    Replaced,
    /// The document that opened it was withdrawn.
    Withdrawn,
}

impl Duty {
    /// Whether it is owed still: open, or waiting for a receipt.
    #[must_use]
    pub fn is_owed(&self) -> bool {
        !matches!(self.state, DutyState::Closed { .. })
    }

    /// How it ends if met at `time`.
    #[must_use]
    pub fn met_at(&self, time: Time) -> Outcome {
        match self.due {
            Some(due) if time >= due => Outcome::MetLate,
            _ => Outcome::Met,
        }
    }
}
