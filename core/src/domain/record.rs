//! What happened: records and their effects. A record spells out its whole outcome, decided once;
//! [`apply`](crate::domain::state) reads nothing else. The list of effects is closed: a new document
//! type adds none.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::access::Access;
use super::agency::{Agency, Certificate, System};
use super::custody::{CustodyChange, Step};
use super::document::Category;
use super::duty::{Duty, Outcome, Owner};
use super::role::Role;
use super::term::Start;
use crate::ids::{
    AgencyCode, CaseRef, Digest, DivisionCode, DocumentId, DocumentRef, DocumentType, DutyId,
    InboxNumber, LedgerIndex, OperatorName, Origin, SenderNumber, SystemCode, Time,
};

/// One record of the ledger: its kind with that kind's own facts, and its effects.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// What happened.
    pub kind: Kind,
    /// What it changes, in order.
    pub effects: Vec<RuledEffect>,
}

/// An effect and the rule behind it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuledEffect {
    /// The rule's path, such as `act_2020/verdict_handover/copies/1`, or `hub/…` where no rule of law
    /// is behind it.
    pub rule: String,
    /// The articles behind it, so that it can be read without the rulebook.
    pub articles: Vec<String>,
    /// The effect.
    pub effect: Effect,
}

/// The kinds of records.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// Record 0: the ledger was opened.
    Opened(Opened),
    /// A document was taken.
    Document(Box<DocumentTaken>),
    /// Deliveries were acknowledged (签收).
    Acknowledged(Acknowledged),
    /// A delivery was rejected by its recipient (退件).
    Rejected(Rejected),
    /// Refusals of one agency in one minute.
    Refusals(Refusals),
    /// Time passed: a limit, a handover, an outage.
    Clock(Clock),
    /// The directory was changed by operators.
    Directory(DirectoryChanged),
    /// An authority's list revoked registered certificates (吊销列表).
    Revocations(Revocations),
    /// Someone was about to be shown what their deliveries alone don't give them (查阅).
    Access(Box<Access>),
    /// Something does not fit about the document of the record before (矛盾提示).
    Flagged(Flagged),
}

/// Record 0.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Opened {
    /// The ledger's origin.
    pub origin: Origin,
    /// The hub's checkpoint key, as a note verifier key.
    pub checkpoint_key: String,
    /// The operators' offline root key: a DER `SubjectPublicKeyInfo`.
    pub root_key: Vec<u8>,
    /// How many operators must sign what needs a quorum.
    pub quorum: u32,
}

/// A document, as its record tells it: no name, no content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DocumentTaken {
    /// Who sent it, and the id it was given.
    pub document: DocumentRef,
    /// Its type.
    pub document_type: DocumentType,
    /// The salted commitment D to its bytes.
    pub commitment: Digest,
    /// The case it belongs to.
    pub case: Option<CaseRef>,
    /// Its signers' certificates and the records that registered them, in the order of the
    /// signatures.
    pub signers: Vec<(Digest, LedgerIndex)>,
    /// The rulebooks, divisions and calendar that it was judged by.
    pub rulebook: Digest,
    /// The version of the engine that decided.
    pub engine: u32,
    /// Its number among its sender's.
    pub sender_number: SenderNumber,
    /// The record of what it answers.
    pub in_reply_to: Option<LedgerIndex>,
    /// The first record of its thread: its own index if it answers nothing.
    pub thread: LedgerIndex,
    /// What it replaces.
    pub replaces: Option<DocumentRef>,
    /// The places that it names by field, such as `intended_place`: what a later reply's relations
    /// read.
    pub places: BTreeMap<String, DivisionCode>,
    /// What it binds against a second of its kind.
    pub unique: Option<Digest>,
    /// The procuratorates that supervise its sender, its addressees and its case, as of now.
    pub supervisors: BTreeSet<AgencyCode>,
    /// For a notice of the hub: what it tells of, which is then no longer owed.
    pub notice: Option<(LedgerIndex, Notice)>,
}

/// What does not fit about a document that was taken (矛盾提示). A record of its own: the document's is
/// read whole by every addressee, and what the document contradicts is none of theirs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flagged {
    /// The document. Its record is the one before.
    pub document: DocumentRef,
    /// Whom the person concerns once the document is taken; without a case, the document's sender.
    pub agencies: BTreeSet<AgencyCode>,
    /// The procuratorates that may see it: those of the document's record.
    pub supervisors: BTreeSet<AgencyCode>,
}

/// An acknowledgement statement (签收).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Acknowledged {
    /// The recipient whose inbox it is.
    pub agency: AgencyCode,
    /// The sender of all the deliveries in it.
    pub sender: AgencyCode,
    /// The signed statement.
    pub statement: Signed,
    /// The procuratorates that may see it.
    pub supervisors: BTreeSet<AgencyCode>,
}

/// A rejection by the recipient (退件): final.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejected {
    /// The recipient whose inbox it is.
    pub agency: AgencyCode,
    /// The sender of the delivery.
    pub sender: AgencyCode,
    /// The delivery's number.
    pub number: InboxNumber,
    /// Why: not for us, signature invalid, attachment unreadable.
    pub reason: String,
    /// The signed statement.
    pub statement: Signed,
    /// The procuratorates that may see it.
    pub supervisors: BTreeSet<AgencyCode>,
}

/// Signed bytes with their signatures and the records that registered the signers' certificates.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Signed {
    /// The exact bytes that were signed.
    pub payload: Vec<u8>,
    /// The signatures.
    pub signatures: Vec<Signature>,
    /// For each signature the record that registered its certificate.
    pub bindings: Vec<LedgerIndex>,
}

/// One signature over a payload (DSSE).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signature {
    /// The algorithm's number in the protocol.
    pub algorithm: i32,
    /// The certificate's digest.
    pub certificate: Digest,
    /// The signature's bytes.
    pub value: Vec<u8>,
}

/// Refusals of one agency in one minute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusals {
    /// Whose documents were refused.
    pub agency: AgencyCode,
    /// The refusals, at most [`crate::limits::REFUSALS_PER_MINUTE`].
    pub items: Vec<RefusedItem>,
    /// How many more there were.
    pub more: u64,
}

/// One refusal as the ledger keeps it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefusedItem {
    /// When.
    pub time: Time,
    /// The id, if the bytes had one.
    pub id: Option<DocumentId>,
    /// 32 random bytes.
    pub salt: [u8; 32],
    /// SHA-256("xianjie/refused/v1\0" ‖ salt ‖ SHA-256(document)); zeros where nothing of it may be
    /// kept.
    pub digest: Digest,
    /// The reasons' names with their fields.
    pub reasons: Vec<String>,
}

/// What time did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Clock {
    /// The hub was not open between two instants: no limit is declared missed for 30 minutes after.
    Outage(Outage),
    /// A duty came to a step.
    Duty {
        /// Which duty.
        duty: DutyId,
        /// Which step.
        step: DutyStep,
        /// How often it has been said, this time too, that the limit has passed or that it is to be done
        /// promptly; 0 for other steps.
        times: u32,
        /// For a limit that passed: the last outage of the hub that touched it.
        outage: Option<Outage>,
        /// Who owes it or watches, and to whom it is owed.
        agencies: BTreeSet<AgencyCode>,
        /// The procuratorates that may see it.
        supervisors: BTreeSet<AgencyCode>,
    },
    /// One sender's deliveries in an inbox were not acknowledged for too long.
    Unacknowledged {
        /// Whose inbox.
        agency: AgencyCode,
        /// The newest of them; all of that sender's that are not settled up to it are meant.
        number: InboxNumber,
        /// The agency itself and the sender.
        agencies: BTreeSet<AgencyCode>,
        /// The procuratorates that may see it.
        supervisors: BTreeSet<AgencyCode>,
    },
}

/// A time in which the hub took nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outage {
    /// Last instant known to be open.
    pub from: Time,
    /// First instant open again.
    pub until: Time,
}

/// What passing time does to a duty.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DutyStep {
    /// Its limit is near, or its window is open (期限将至).
    Forewarned,
    /// Its limit passed undone (期限已过). It may still be done, late.
    Missed,
    /// A handover of the person was not completed in time (交接逾期).
    HandoverMissed,
    /// Its limit was computed anew from a complete calendar.
    Recomputed,
    /// The law says at once or promptly, and it is not done yet.
    Reminded,
    /// A right was not used in time.
    Lapsed,
}

/// Operators changed the directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DirectoryChanged {
    /// The change's id, made by the operator: a change is made once.
    pub id: DocumentId,
    /// Who signed, in the order of the signatures.
    pub operators: Vec<OperatorName>,
    /// The signed change.
    pub statement: Signed,
}

/// A certificate authority's revocation list (RFC 5280, section 5) that took effect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Revocations {
    /// SHA-256 of the DER subject name of the authority that issued the list.
    pub issuer: Digest,
    /// The list's number, big-endian; empty if it has none.
    pub number: Vec<u8>,
    /// SHA-256 of the list's DER bytes.
    pub list: Digest,
    /// When it was issued.
    pub this_update: Time,
    /// When the next one is promised.
    pub next_update: Option<Time>,
}

/// The closed list of effects.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// A correction case begins.
    CaseOpened {
        /// Its reference.
        case: CaseRef,
    },
    /// Something about a case becomes so.
    CaseSet {
        /// The case.
        case: CaseRef,
        /// What becomes so.
        set: CaseSet,
    },
    /// A delivery (送达) into an inbox.
    DeliveryOpened {
        /// The addressee.
        agency: AgencyCode,
        /// Copy (抄送) rather than primary (主送).
        copy: bool,
        /// Its number in that inbox.
        number: InboxNumber,
        /// The next higher agency, in place of one that does not exist (2020办法 9(2)).
        in_lieu: bool,
        /// The kinds of attachment that go along; empty: all.
        carries: BTreeSet<String>,
    },
    /// A delivery ends.
    DeliverySettled {
        /// The addressee.
        agency: AgencyCode,
        /// Its number in that inbox.
        number: InboxNumber,
        /// How it ended.
        how: Settled,
    },
    /// A duty (期限义务) begins; its position is this record and its order among these effects.
    DutyOpened(Box<Duty>),
    /// The limit of a duty that waited for a receipt now runs.
    DutyStarted {
        /// The duty.
        duty: DutyId,
        /// What its limit counts from.
        from: Start,
        /// When it runs out.
        timing: Timing,
    },
    /// A duty changed and goes on. Owner and timing are those after the change.
    DutyChanged {
        /// The duty.
        duty: DutyId,
        /// What changed it.
        change: DutyChange,
        /// Who owes it now.
        owner: Owner,
        /// When it runs out.
        timing: Timing,
    },
    /// A duty ends.
    DutyClosed {
        /// The duty.
        duty: DutyId,
        /// How.
        outcome: Outcome,
    },
    /// A duty that had ended is open again: what met it was rejected by its recipient, withdrawn, or
    /// refused.
    DutyReopened {
        /// The duty.
        duty: DutyId,
    },
    /// Custody moves, or a flag beside it.
    Custody {
        /// The case.
        case: CaseRef,
        /// The step.
        step: Step,
        /// What it changes; what it doesn't stays as it was.
        change: CustodyChange,
    },
    /// A document is withdrawn by its sender (撤回).
    Withdrawn {
        /// Which.
        document: DocumentRef,
    },
    /// Taken although it does not fit: shown to the procuratorate. In records of [`Kind::Flagged`] alone.
    Contradiction {
        /// The case, if one is concerned.
        case: Option<CaseRef>,
        /// What does not fit, as a name.
        what: String,
    },
    /// What is not settled of one sender's in an inbox, up to a number, has been told of.
    UnacknowledgedTold {
        /// Whose inbox.
        agency: AgencyCode,
        /// Whose deliveries.
        sender: AgencyCode,
        /// Up to which number.
        number: InboxNumber,
    },
    /// The hub owes a notice about this record.
    NoticeOwed {
        /// Which notice.
        notice: Notice,
        /// Who gets it.
        to: BTreeSet<AgencyCode>,
    },
    /// An agency is added or changed: it reads so from now on, whole.
    AgencyPut(Box<Agency>),
    /// A system is added or changed: it reads so from now on, whole.
    SystemPut(Box<System>),
    /// A certificate is registered; its binding is this record.
    CertificatePut(Box<Certificate>),
    /// A certificate is revoked (吊销).
    CertificateRevoked {
        /// Which.
        digest: Digest,
        /// Since when its key may have been in wrong hands.
        compromised_since: Option<Time>,
    },
    /// An agency is suspended, or takes part again.
    AgencySuspended {
        /// Which.
        agency: AgencyCode,
        /// Suspended now.
        suspended: bool,
    },
    /// A system is suspended, or takes part again.
    SystemSuspended {
        /// Which.
        system: SystemCode,
        /// Suspended now.
        suspended: bool,
    },
    /// Rulebooks come into force.
    RulebookActivated {
        /// Digest over rulebooks, divisions and calendar.
        digest: Digest,
    },
}

/// When a duty runs out, as an effect spells it out.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Timing {
    /// Before this it is too early: the opening of a window.
    pub not_before: Option<Time>,
    /// When it runs out, exclusive; none while it stands still.
    pub due: Option<Time>,
    /// Whether calendar data was missing.
    pub provisional: bool,
    /// When the hub looks at it next.
    pub wake: Option<Time>,
}

/// What can happen to a duty that goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum DutyChange {
    /// Its limit is near, or its window is open.
    Forewarned,
    /// Its limit passed undone, or its reminder was due: said for the first time, or again.
    Passed,
    /// Its limit was computed anew: from a complete calendar, or as the term's last day changed.
    Recomputed,
    /// Another agency must do it now (移交).
    PassedOn,
    /// Its limit was extended (延长).
    Extended,
    /// Its limit stands still (中止计算).
    Suspended,
    /// Its limit runs again (恢复计算).
    Resumed,
    /// The person was arrested: from now on its limit does not roll over a holiday (在押期间不顺延).
    Confined,
}

/// What a notice of the hub tells of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Notice {
    /// A document was taken that does not fit (矛盾提示).
    Contradiction = 1,
    /// A delivery was rejected by its recipient (退件提示).
    Rejected = 2,
    /// A limit is near (期限将至).
    Forewarned = 3,
    /// A limit has passed with the duty undone (期限已过).
    Missed = 4,
    /// A handover was not completed in time (交接逾期).
    HandoverMissed = 5,
    /// The law says at once or promptly, and it is not done yet (催办).
    Reminded = 6,
    /// Deliveries were not acknowledged for a day (逾期未签收).
    Unacknowledged = 7,
}

impl Notice {
    /// Every notice.
    pub const ALL: [Self; 7] = [
        Self::Contradiction,
        Self::Rejected,
        Self::Forewarned,
        Self::Missed,
        Self::HandoverMissed,
        Self::Reminded,
        Self::Unacknowledged,
    ];

    /// The notice of this number.
    #[must_use]
    pub fn from_number(number: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|notice| *notice as u8 == number)
    }
}

/// How a delivery ended (P3 knows no other way).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Settled {
    /// Acknowledged by its addressee (签收).
    Acknowledged,
    /// Rejected by its addressee (退件).
    Rejected,
    /// Served otherwise, on paper, on that day (线下送达).
    ServedOtherwise(Date),
}

/// What becomes so in a case.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum CaseSet {
    /// An agency takes a role, or nobody holds it any more.
    Role(Role, Option<AgencyCode>),
    /// The category of correction.
    Category(Category),
    /// The place of execution (执行地).
    Place(DivisionCode),
    /// A new place, decided but not yet taken up.
    PendingPlace(Option<DivisionCode>),
    /// The last day of the term (矫正期限届满).
    TermExpiry(Date),
    /// Whether the subject was a juvenile at the offence; once true it stays.
    Juvenile(bool),
    /// The judgment's number, salted by the case's reference.
    Number(Digest),
    /// One more of something counted, such as warnings (警告).
    Count(String),
}
