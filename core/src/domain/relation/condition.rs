//! Conditions (条件): when a rule applies. Atoms joined by `and` only, or by `or` only.

use super::{Category, Kinds};
use crate::ids::DocumentType;

mod evaluate;

/// A condition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Condition {
    /// All hold.
    All(Vec<(bool, Atom)>),
    /// One at least holds.
    Any(Vec<(bool, Atom)>),
}

/// One atom; the flag beside it in [`Condition`] is false where the rule says `not`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Atom {
    /// The place of execution is not among those that the decision organ serves.
    PlacesDiffer,
    /// The province of the place of execution is not the decision organ's.
    ProvincesDiffer,
    /// The province of the original court is not that of the place of execution.
    CourtInAnotherProvince,
    /// The category of the case, or of the subject where there is none.
    CategoryIs(Category),
    /// The kind of the decision organ.
    DecidedBy(Kinds),
    /// The case or the document says so.
    SubjectIsJuvenile,
    /// The flag `missing`.
    PersonIsMissing,
    /// Arrested pending a ruling.
    Arrested,
    /// The directory lets the sender bring in people sentenced before (存量入库) at this time.
    SenderMayEnrol,
    /// The sender's kind.
    SenderIs(Kinds),
    /// The type of the answered document.
    Answers(DocumentType),
    /// A document of this type was taken in the case before.
    Received(DocumentType),
    /// The new place is the place of execution.
    PlaceStays,
    /// The new place is not the one that the answered document names.
    PlaceNotAsAnswered,
    /// A field has this word as value; the first is the field's proto name.
    FieldIs(String, String),
}

#[cfg(test)]
mod tests;
