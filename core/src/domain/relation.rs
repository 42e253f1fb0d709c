//! Relations (关系): who gets a document, who owes a duty, as the statute names them: "the county
//! procuratorate of the place of execution". Read in `parse`; the agency is found in `resolve`.

use super::agency::{Kind, Level};
use super::document::Category;
use super::role::Role;
use crate::ids::DocumentType;

mod condition;
mod nearest;
mod parse;
mod resolve;
mod scene;
pub use condition::{Atom, Condition};
pub(super) use nearest::nearest;
pub use parse::RelationError;
pub use resolve::{Found, Unresolved};
pub use scene::{Answered, Scene};

/// A place that a relation names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Place {
    /// Place of execution (执行地).
    Execution,
    /// Intended place of execution (拟适用矫正的居住地).
    Intended,
    /// New place of execution (新执行地).
    New,
    /// Old place of execution (原执行地).
    Old,
    /// Destination of a leave (外出目的地).
    Destination,
    /// Where the decision organ serves (决定地).
    Decision,
    /// Where the custodian serves (羁押地、服刑地).
    Custody,
    /// Where the new case is heard (新罪审理地).
    NewCase,
    /// The province of the place of execution (执行地所在省).
    Province,
}

impl Place {
    /// Every place with its words.
    pub const WORDS: &'static [(Self, &'static str)] = &[
        (Self::Execution, "place of execution"),
        (Self::Intended, "intended place"),
        (Self::New, "new place"),
        (Self::Old, "old place"),
        (Self::Destination, "destination"),
        (Self::Decision, "place of decision"),
        (Self::Custody, "place of custody"),
        (Self::NewCase, "place of the new case"),
        (Self::Province, "province of execution"),
    ];

    /// The words for this place.
    #[must_use]
    pub fn words(self) -> &'static str {
        Self::WORDS.iter().find(|(place, _)| *place == self).map_or("", |(_, words)| words)
    }

    /// The field of a document that tells where it is.
    #[must_use]
    pub fn field(self) -> &'static str {
        match self {
            Self::Execution | Self::Old | Self::Province => "execution_place",
            Self::Intended => "intended_place",
            Self::New => "new_place",
            Self::Destination => "destination_place",
            Self::Decision => "decision_organ",
            Self::Custody => "custodian",
            Self::NewCase => "new_case_place",
        }
    }
}

/// A role that a relation names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RoleRef {
    /// The document's sender.
    Sender,
    /// The document's first primary addressee.
    Addressee,
    /// The sender of the answered document.
    Asker,
    /// The first primary addressee of the answered document.
    Asked,
    /// A role of the case.
    Case(Role),
}

impl RoleRef {
    /// The roles in the thread with their words; those in the case are [`Role::WORDS`].
    pub const THREAD_WORDS: &'static [(Self, &'static str)] = &[
        (Self::Sender, "sender"),
        (Self::Addressee, "addressee"),
        (Self::Asker, "asker"),
        (Self::Asked, "asked"),
    ];

    /// The words for this role.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::Sender => "sender",
            Self::Addressee => "addressee",
            Self::Asker => "asker",
            Self::Asked => "asked",
            Self::Case(role) => role.word(),
        }
    }
}

/// The kinds that a relation's word fits: `court` fits all courts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kinds(pub Vec<Kind>);

impl Kinds {
    /// The kinds that a word of the language fits.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        let (kind, _) = Kind::WORDS.iter().find(|(_, w)| *w == word)?;
        if *kind != Kind::SpecialCourt {
            return Some(Self(vec![*kind]));
        }
        let courts = Kind::WORDS.iter().map(|(kind, _)| *kind).filter(|kind| kind.is_court());
        Some(Self(courts.collect()))
    }

    /// The word that fits them: that of the first, since all courts together begin with `court`.
    #[must_use]
    pub fn word(&self) -> &'static str {
        self.0.first().map_or("", |kind| kind.word())
    }
}

/// Who a relation names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Relation {
    /// The agency in a role.
    Role(RoleRef),
    /// `[LEVEL ]KIND of the PLACE`.
    OfPlace(Option<Level>, Kinds, Place),
    /// `[LEVEL ]KIND within the PLACE`.
    Within(Option<Level>, Kinds, Place),
    /// `KIND level with the ROLE in the PLACE`; none: `same kind …`.
    LevelWith(Option<Kinds>, RoleRef, Place),
    /// `superior of the ROLE`.
    Superior(RoleRef),
    /// `KIND at LEVEL level [or above] over the ROLE`: the nearest at that level or above.
    Over(Kinds, Level, RoleRef),
    /// `KIND under the ROLE`.
    Under(Kinds, RoleRef),
    /// `supervising procuratorate of the ROLE`.
    SupervisingProcuratorate(RoleRef),
    /// `addressees of the answered document`.
    AddresseesOfAnswered,
    /// `those copied with the answered document`.
    CopiedWithAnswered,
    /// `proposer of the ruling objected to`.
    ProposerOfRuling,
    /// `addressee of the open TYPE`.
    AddresseeOfOpen(DocumentType),
    /// `any agency that the sender supervises`.
    AnySupervised,
    /// `any agency`.
    Any,
}
