//! Custody (监管责任): who answers for a person, per correction case. The table is data
//! (`rules/custody.toml`); this module is its meaning.

use serde::{Deserialize, Serialize};

use crate::ids::AgencyCode;

mod table;
pub use table::{CustodyTable, Move, Taken};
pub(super) use table::{FlagRule, Next};

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$item_doc:meta])* $item:ident = $word:literal,)* }) => {
        $(#[$doc])*
        #[derive(
            Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
        )]
        pub enum $name {
            $($(#[$item_doc])* $item,)*
        }

        impl $name {
            /// All of them with their words.
            pub const WORDS: &'static [(Self, &'static str)] = &[$((Self::$item, $word),)*];

            /// Its word.
            #[must_use]
            pub fn word(self) -> &'static str {
                match self { $(Self::$item => $word,)* }
            }

            /// The one with this word.
            #[must_use]
            pub fn from_word(word: &str) -> Option<Self> {
                Self::WORDS.iter().find(|(_, w)| *w == word).map(|(item, _)| *item)
            }
        }
    };
}

words! {
    /// Where a case stands.
    State {
        /// Nobody in the hub.
        None = "none",
        /// In prison or a detention centre; release decided or not.
        Confined = "confined",
        /// Sentenced or released, not yet registered (待报到).
        Awaiting = "awaiting",
        /// Offered by the custodian, not yet accepted.
        Offered = "offered",
        /// In correction (在矫).
        InCorrection = "in_correction",
        /// Moving to another place of execution (变更执行地).
        Moving = "moving",
        /// Revoked or recommitted, not yet in custody (撤销缓刑、假释，决定收监).
        Revoked = "revoked",
        /// The same, whereabouts unknown (在逃).
        AtLarge = "at_large",
        /// On the way into custody (送交执行).
        Delivered = "delivered",
        /// In custody (已收监).
        Imprisoned = "imprisoned",
        /// Released from correction (解除矫正).
        Released = "released",
        /// Dead (死亡).
        Dead = "dead",
    }
}

impl State {
    /// Whether correction has ended, and nobody has to answer for the person any more.
    #[must_use]
    pub fn is_ended(self) -> bool {
        matches!(self, Self::Released | Self::Dead)
    }
}

words! {
    /// What a document does to custody.
    Step {
        /// Temporary release is decided (决定暂予监外执行).
        Decide = "decide",
        /// The papers arrive, not the person (法律文书送达).
        Papers = "papers",
        /// The person leaves prison on parole (假释出监).
        Free = "free",
        /// The person is handed over (移送).
        Offer = "offer",
        /// The person is registered (登记接收).
        Accept = "accept",
        /// The person is not received (不予接收、不予收监).
        Refuse = "refuse",
        /// A handover is withdrawn before it is accepted (撤回移送).
        Recall = "recall",
        /// The file moves to another place (变更执行地).
        Move = "move",
        /// Revoked or recommitted (撤销、收监).
        Revoke = "revoke",
        /// Pursued (追捕).
        Lose = "lose",
        /// Captured (抓获).
        Capture = "capture",
        /// Delivered to custody (送交执行).
        Deliver = "deliver",
        /// Received into custody (收监).
        Imprison = "imprison",
        /// Released from correction (解除).
        Release = "release",
        /// Died (死亡).
        Die = "die",
        /// Contact lost (失去联系).
        Missing = "missing",
        /// Found (查找到).
        Found = "found",
        /// Held for another matter (被限制人身自由).
        Detain = "detain",
        /// No longer held for it (解除).
        Undetain = "undetain",
        /// Arrested pending revocation (逮捕).
        Arrest = "arrest",
        /// A proposal to revoke or recommit is open (提请).
        Pending = "pending",
        /// That proposal ended without effect (不予撤销、撤回).
        Resume = "resume",
    }
}

/// Custody of one case: the state says who answers, the flags where the body is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Custody {
    /// Where the case stands.
    pub state: State,
    /// Who answers for the person; nobody before the beginning and after the end.
    pub answers: Option<AgencyCode>,
    /// Whereabouts unknown (下落不明).
    pub missing: bool,
    /// Who physically holds the person.
    pub guard: Option<AgencyCode>,
    /// Arrested pending a ruling on revocation.
    pub arrested: bool,
    /// A proposal to revoke or recommit is open.
    pub proposal: bool,
}

/// What a step does to custody, as its record tells it. It follows from the step, its document and the
/// state alone. What it doesn't name stays as it was and is not told: whoever may read one document's
/// record would else learn of an arrest or a proposal that another document is about.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CustodyChange {
    /// Where the case stands then, and who answers; nothing if the step moves no case.
    pub moved: Option<(State, Option<AgencyCode>)>,
    /// Whether whereabouts are unknown.
    pub missing: Option<bool>,
    /// Who physically holds the person.
    pub guard: Option<Holder>,
    /// Whether the person is arrested pending a ruling on revocation.
    pub arrested: Option<bool>,
    /// Whether a proposal to revoke or recommit is open.
    pub proposal: Option<bool>,
}

/// Who physically holds a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Holder {
    /// This agency.
    Agency(AgencyCode),
    /// Nobody, or nobody that was named.
    Nobody,
}

impl Custody {
    /// Custody after this change.
    #[must_use]
    pub fn after(&self, change: &CustodyChange) -> Self {
        let mut after = self.clone();
        if let Some((state, answers)) = &change.moved {
            after.state = *state;
            after.answers.clone_from(answers);
        }
        if let Some(holder) = &change.guard {
            after.guard = match holder {
                Holder::Agency(agency) => Some(agency.clone()),
                Holder::Nobody => None,
            };
        }
        after.missing = change.missing.unwrap_or(after.missing);
        after.arrested = change.arrested.unwrap_or(after.arrested);
        after.proposal = change.proposal.unwrap_or(after.proposal);
        after
    }
}

impl Default for Custody {
    fn default() -> Self {
        Self {
            state: State::None,
            answers: None,
            missing: false,
            guard: None,
            arrested: false,
            proposal: false,
        }
    }
}
