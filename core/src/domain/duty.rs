//! Duties (期限义务): what an agency must do by a time, opened by one document and closed by another.

use serde::{Deserialize, Serialize};

use super::term::Start;
use crate::ids::{AgencyCode, CaseRef, DocumentRef, DocumentType, InboxNumber, LedgerIndex, Time};

/// A duty as it stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Duty {
    /// The path of the rule behind it, as its effect has it.
    pub rule: String,
    /// The articles behind it, as its effect has them.
    pub articles: Vec<String>,
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
    /// Whether its limit may end on a holiday.
    pub roll: RollRule,
    /// Where it stands.
    pub state: DutyState,
    /// The delivery from whose receipt the limit runs, until it is received: the addressee and the
    /// number in its inbox. Whether the duty is done meanwhile makes no difference.
    pub waits_for: Option<(AgencyCode, InboxNumber)>,
    /// What the limit counts from, once that is known and if it counts at all.
    pub runs_from: Option<Start>,
    /// The end of the day that its document states (载明的日期), if its limit is that or earlier.
    pub stated: Option<Time>,
    /// Before this it is too early: the opening of a window.
    pub not_before: Option<Time>,
    /// When it runs out, exclusive: met if a record's time is less. None until it starts and while
    /// it stands still. That of a soft limit is the hub's reminder.
    pub due: Option<Time>,
    /// Whether `due` lacks calendar data.
    pub provisional: bool,
    /// When the hub looks at it next, to warn, to declare it missed, or to remind again.
    pub wake: Option<Time>,
    /// How far time has got with it.
    pub warned: Warned,
    /// The limit stands still (中止).
    pub suspended: Option<Standstill>,
    /// Whether this is the time limit of a handover (交接) of the person.
    pub handover: bool,
    /// Documents that meet it.
    pub closed_by: Vec<DocumentType>,
    /// Met on the decision date (作出之日) of the document that meets it, or if the limit is in hours at
    /// the time that it states (作出时间), rather than on its arrival.
    pub done_when_decided: bool,
    /// Documents that cancel it.
    pub cancelled_by: Vec<DocumentType>,
    /// The document that passes it on, and the role of who gets it.
    pub passes_to: Option<(DocumentType, String)>,
    /// How its limit may be extended (延长).
    pub extend: Option<Extension>,
    /// The document with which its limit stands still, and the one with which it runs again.
    pub suspend: Option<(DocumentType, DocumentType)>,
    /// What opens when it passes undone.
    pub if_missed: Option<Box<Duty>>,
}

/// Whether a limit that ends on a holiday rolls (期满日为节假日的顺延).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum RollRule {
    /// To the next working day.
    Holidays,
    /// Never: hours, terms, and while the person is confined (刑诉法 105).
    Never,
    /// Not once the person is arrested. Until then it does.
    UnlessArrested,
}

/// How far time has got with a duty: each step happens once.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Warned {
    /// Nothing was said yet.
    #[default]
    No,
    /// Its limit is near, or its window is open (期限将至).
    Forewarned,
    /// Its limit has passed (期限已过), and this was said so often.
    Passed(u32),
}

impl Warned {
    /// How often it was said that the limit has passed.
    #[must_use]
    pub fn times(self) -> u32 {
        match self {
            Self::Passed(times) => times,
            Self::No | Self::Forewarned => 0,
        }
    }
}

/// A limit that stands still.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Standstill {
    /// The record that stopped it.
    pub by: LedgerIndex,
    /// Since when.
    pub since: Time,
    /// When it was to run out.
    pub due: Option<Time>,
}

/// How a limit may be extended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Extension {
    /// By how much, in the rulebook's words; `as stated`: to the date in the extending document.
    pub by: String,
    /// The document that extends it.
    pub with: DocumentType,
    /// How often it may still do so.
    pub times: u8,
    /// How often it did so before the limit began: so much is added when it does.
    pub granted: u8,
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
    /// Owed.
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
    /// A right that was not used in time.
    Lapsed,
}

impl Duty {
    /// Whether it is owed still.
    #[must_use]
    pub fn is_owed(&self) -> bool {
        self.state == DutyState::Open
    }

    /// How it ends if met at `time`. A reminder or a right is never met late.
    #[must_use]
    pub fn met_at(&self, time: Time) -> Outcome {
        match self.due {
            Some(due) if time >= due && self.force == Force::Binding => Outcome::MetLate,
            _ => Outcome::Met,
        }
    }

    /// Whether the law's limit has passed with the duty undone: a breach to look at, no finding.
    #[must_use]
    pub fn is_missed(&self) -> bool {
        self.force == Force::Binding && self.warned.times() > 0 && self.is_owed()
    }

    /// Moves it, and what would follow it, from its owner to another agency.
    pub fn pass_to(&mut self, owner: &Owner) {
        if let Some(next) = &mut self.if_missed
            && next.owner.agency() == self.owner.agency()
        {
            let heir = next.owner.passed_to(owner.agency().clone());
            next.pass_to(&heir);
        }
        self.owner = owner.clone();
    }
}
