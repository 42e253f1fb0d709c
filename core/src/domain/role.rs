//! The roles (角色) that agencies hold in a case.

use serde::{Deserialize, Serialize};

/// A role that a case remembers. The words are those of the rulebook language.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Role {
    /// Who decided on community correction (社区矫正决定机关).
    DecisionOrgan,
    /// The court of the original judgment (原审人民法院).
    OriginalCourt,
    /// Who ruled or decided last on revocation or recommitment (裁定、决定机关).
    RulingOrgan,
    /// The prison or detention centre that holds the file (接收档案的监狱、看守所).
    FileHolder,
    /// The prison or detention centre that holds the person before release (监狱、看守所).
    Custodian,
    /// The custodian that handed the person over.
    FormerCustodian,
    /// Who physically holds the person now (羁押机关).
    Guard,
    /// The corrections agency that answers for the person (执行地社区矫正机构).
    ResponsibleAgency,
    /// The responsible agency before a move (原执行地).
    OldAgency,
    /// The agency that takes over in a move (新执行地).
    NewAgency,
    /// Who delivers the person to custody (送交机关).
    Deliverer,
}

impl Role {
    /// Every role with the rulebook language's word.
    pub const WORDS: &'static [(Self, &'static str)] = &[
        (Self::DecisionOrgan, "decision organ"),
        (Self::OriginalCourt, "original court"),
        (Self::RulingOrgan, "ruling organ"),
        (Self::FileHolder, "file holder"),
        (Self::Custodian, "custodian"),
        (Self::FormerCustodian, "former custodian"),
        (Self::Guard, "guard"),
        (Self::ResponsibleAgency, "responsible agency"),
        (Self::OldAgency, "old agency"),
        (Self::NewAgency, "new agency"),
        (Self::Deliverer, "deliverer"),
    ];

    /// The word for this role.
    #[must_use]
    pub fn word(self) -> &'static str {
        Self::WORDS.iter().find(|(role, _)| *role == self).map_or("", |(_, word)| word)
    }

    /// The field that names an agency in this role: the word with underscores.
    #[must_use]
    pub fn field(self) -> String {
        self.word().replace(' ', "_")
    }
}
