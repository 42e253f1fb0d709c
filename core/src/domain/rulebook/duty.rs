//! Duties (期限义务) as a rulebook writes them: who owes what by when, and what ends it.

use std::fmt;

use super::Ruled;
use crate::domain::duty::RollRule;
use crate::domain::relation::{Condition, Relation};
use crate::domain::term::Span;
use crate::ids::DocumentType;

/// The field that tells at what time a document's decision was made (作出时间).
pub const DECISION_TIME: &str = "decision_time";

/// A duty that a document opens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DutyRule {
    /// Its name, in Chinese; with `when` unique in its type.
    pub name: String,
    /// Rows of the law that it writes, for coverage.
    pub rows: Vec<String>,
    /// Who owes it.
    pub owner: OwnerRule,
    /// Only if this holds when the document is decided.
    pub when: Option<Condition>,
    /// Its limit.
    pub limit: Limit,
    /// What closes it.
    pub closed_by: Vec<DocumentType>,
    /// Measured backwards: was the opener in time?
    pub closed_by_self: bool,
    /// Done on the day, or for hours at the time, that the closing document states as its decision's
    /// (作出之日), and not when that arrives: the limit is for deciding, and serving has its own.
    pub done_when_decided: bool,
    /// What cancels it.
    pub cancelled_by: Vec<DocumentType>,
    /// What passes it on, and to whom.
    pub passes_to: Option<(DocumentType, Relation)>,
    /// How it may be extended.
    pub extend: Option<Extend>,
    /// What suspends it, until what.
    pub suspend: Option<(DocumentType, DocumentType)>,
    /// A right that lapses, no breach.
    pub right: bool,
    /// The limit of a handover of the person.
    pub handover: bool,
    /// What opens when it passes undone.
    pub if_missed: Option<Box<Ruled<DutyRule>>>,
}

/// Who owes a duty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OwnerRule {
    /// An agency.
    Agency(Relation),
    /// The person; this agency watches.
    Person(Relation),
}

/// A duty's limit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Limit {
    /// The earliest of these.
    Within {
        /// The spans; none stands for `as stated`.
        spans: Vec<Option<Span>>,
        /// From the first of these that is known.
        from: Vec<Event>,
        /// Whether its end rolls to the next working day.
        roll: RollRule,
    },
    /// 立即 or 及时: a reminder.
    Soft(Soft),
    /// At the end of that day.
    At(Event),
    /// The last so many months or days before the term expires.
    During(Span),
    /// So long before the event.
    NotLaterThan(Span, Event),
}

impl Limit {
    /// Whether it hangs on the last day of the case's term.
    #[must_use]
    pub fn hangs_on_term(&self) -> bool {
        match self {
            Self::At(event) | Self::NotLaterThan(_, event) => *event == Event::TermExpiry,
            Self::During(_) => true,
            Self::Within { .. } | Self::Soft(_) => false,
        }
    }

    /// Whether it counts days or months, and no hours.
    #[must_use]
    pub fn counts_days(&self) -> bool {
        matches!(self, Self::Within { .. }) && !self.is_urgent()
    }

    /// Whether it counts hours.
    #[must_use]
    pub fn counts_hours(&self) -> bool {
        matches!(self, Self::Within { .. }) && self.is_urgent()
    }

    /// Whether it counts hours, or says at once.
    #[must_use]
    pub fn is_urgent(&self) -> bool {
        match self {
            Self::Within { spans, .. } => {
                spans.iter().any(|span| matches!(span, Some(Span::Hours(_))))
            }
            Self::Soft(soft) => *soft == Soft::AtOnce,
            Self::At(_) | Self::During(_) | Self::NotLaterThan(..) => false,
        }
    }
}

/// The limit in the rulebook's words: `5 days`, `promptly`, `2 months or as stated`.
impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Within { spans, .. } => {
                for (i, span) in spans.iter().enumerate() {
                    f.write_str(if i == 0 { "" } else { " or " })?;
                    match span {
                        Some(span) => span.fmt(f)?,
                        None => f.write_str("as stated")?,
                    }
                }
                Ok(())
            }
            Self::Soft(soft) => f.write_str(soft.words()),
            Self::At(event) => write!(f, "at {}", event.words()),
            Self::During(span) => write!(f, "the last {span} before the term expiry"),
            Self::NotLaterThan(span, event) => write!(f, "{span} before the {}", event.words()),
        }
    }
}

/// A soft limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Soft {
    /// 立即.
    AtOnce,
    /// 及时.
    Promptly,
}

impl Soft {
    /// Every soft limit with its words.
    pub const WORDS: &'static [(Self, &'static str)] =
        &[(Self::AtOnce, "at once"), (Self::Promptly, "promptly")];

    /// Its words.
    #[must_use]
    pub fn words(self) -> &'static str {
        Self::WORDS.iter().find(|(soft, _)| *soft == self).map_or("", |(_, words)| words)
    }
}

/// What a limit counts from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Event {
    /// `effective_date` (生效之日).
    EffectiveDate,
    /// `decision_date` (作出决定之日).
    DecisionDate,
    /// The legal receipt (收到之日).
    Receipt,
    /// `application_date` (申请之日).
    ApplicationDate,
    /// `discovery_date` (发现之日).
    Discovery,
    /// `arrest_time` (执行逮捕).
    Arrest,
    /// `measure_time` (采取措施).
    MeasureDate,
    /// `term_expiry_date` (期限届满).
    TermExpiry,
    /// `stated_date` (文书载明之日).
    StatedDate,
    /// `custody_left_date` (离开监所之日).
    LeavingCustody,
    /// `person_notified_date` (告知本人之日).
    NoticeToPerson,
    /// `given_date` (口头提出之日).
    GivenDate,
    /// When the duty was opened.
    Opening,
}

impl Event {
    /// Every event with its words.
    pub const WORDS: &'static [(Self, &'static str)] = &[
        (Self::EffectiveDate, "effective date"),
        (Self::DecisionDate, "decision date"),
        (Self::Receipt, "receipt"),
        (Self::ApplicationDate, "application date"),
        (Self::Discovery, "discovery"),
        (Self::Arrest, "arrest"),
        (Self::MeasureDate, "measure date"),
        (Self::TermExpiry, "term expiry"),
        (Self::StatedDate, "stated date"),
        (Self::LeavingCustody, "leaving custody"),
        (Self::NoticeToPerson, "notice to the person"),
        (Self::GivenDate, "given date"),
        (Self::Opening, "opening of the duty"),
    ];

    /// Its words.
    #[must_use]
    pub fn words(self) -> &'static str {
        Self::WORDS.iter().find(|(event, _)| *event == self).map_or("", |(_, words)| words)
    }

    /// The field that tells when it was, in the opener's body or header; none for what the hub
    /// itself knows.
    #[must_use]
    pub fn field(self) -> Option<&'static str> {
        match self {
            Self::EffectiveDate => Some("effective_date"),
            Self::DecisionDate => Some("decision_date"),
            Self::ApplicationDate => Some("application_date"),
            Self::Discovery => Some("discovery_date"),
            Self::Arrest => Some("arrest_time"),
            Self::MeasureDate => Some("measure_time"),
            Self::TermExpiry => Some("term_expiry_date"),
            Self::StatedDate => Some("stated_date"),
            Self::LeavingCustody => Some("custody_left_date"),
            Self::NoticeToPerson => Some("person_notified_date"),
            Self::GivenDate => Some("given_date"),
            Self::Receipt | Self::Opening => None,
        }
    }
}

/// How a duty's limit may be extended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Extend {
    /// By how much; none: to the date stated in the extending document.
    pub by: Option<Span>,
    /// The document that extends it.
    pub with: DocumentType,
    /// How often at most.
    pub times: u8,
    /// Only if this holds.
    pub when: Option<Condition>,
}
