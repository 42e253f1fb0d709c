//! Relations and conditions as text: parsed from the rulebook language, and written back to it.

use std::fmt;

use super::nearest::nearest;
use super::{Atom, Condition, Kinds, Place, Relation, RoleRef};
use crate::domain::agency::{Kind, Level};
use crate::domain::document::Category;
use crate::domain::role::Role;
use crate::ids::DocumentType;

/// Why a text is no relation and no condition of the language.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RelationError {
    /// One of the forms, but with a word that its list does not have.
    #[error("{word:?} is no {list}")]
    Word {
        /// What the word should be: a kind, a role, a place, …
        list: &'static str,
        /// The word.
        word: String,
        /// The nearest word of the list.
        suggestion: Option<&'static str>,
    },
    /// None of the forms of a relation.
    #[error("{text:?} is no relation")]
    NoRelation {
        /// The text.
        text: String,
        /// The nearest role or fixed phrase.
        suggestion: Option<&'static str>,
    },
    /// None of the atoms of a condition.
    #[error("{text:?} is no condition")]
    NoCondition {
        /// The text.
        text: String,
        /// The nearest fixed phrase.
        suggestion: Option<&'static str>,
    },
    /// `and` and `or` in one condition.
    #[error("\"and\" and \"or\" in one condition")]
    Mixture,
}

impl RelationError {
    /// The nearest thing that the language does have.
    #[must_use]
    pub fn suggestion(&self) -> Option<&'static str> {
        match self {
            Self::Word { suggestion, .. }
            | Self::NoRelation { suggestion, .. }
            | Self::NoCondition { suggestion, .. } => *suggestion,
            Self::Mixture => None,
        }
    }
}

impl Relation {
    /// Relations without words of their own to fill in.
    const PHRASES: &'static [(Self, &'static str)] = &[
        (Self::AddresseesOfAnswered, "addressees of the answered document"),
        (Self::CopiedWithAnswered, "those copied with the answered document"),
        (Self::ProposerOfRuling, "proposer of the ruling objected to"),
        (Self::AnySupervised, "any agency that the sender supervises"),
        (Self::Any, "any agency"),
    ];

    /// Reads one relation.
    ///
    /// # Errors
    /// See [`RelationError`].
    pub fn parse(text: &str) -> Result<Self, RelationError> {
        if let Some((phrase, _)) = Self::PHRASES.iter().find(|(_, words)| *words == text) {
            return Ok(phrase.clone());
        }
        if let Some(document_type) = text.strip_prefix("addressee of the open ") {
            return parse_type(document_type).map(Self::AddresseeOfOpen);
        }
        if let Some(role) = text.strip_prefix("superior of the ") {
            return parse_role(role).map(Self::Superior);
        }
        if let Some(role) = text.strip_prefix("supervising procuratorate of the ") {
            return parse_role(role).map(Self::SupervisingProcuratorate);
        }
        if let Some((kind, rest)) = text.split_once(" level with the ") {
            let (role, place) = rest.split_once(" in the ").ok_or_else(|| no_relation(text))?;
            let kinds = if kind == "same kind" { None } else { Some(parse_kinds(kind)?) };
            return Ok(Self::LevelWith(kinds, parse_role(role)?, parse_place(place)?));
        }
        if let Some((kind, role)) = text.split_once(" at city level or above over the ") {
            return Ok(Self::Over(parse_kinds(kind)?, Level::City, parse_role(role)?));
        }
        if let Some((kind, role)) = text.split_once(" at provincial level over the ") {
            return Ok(Self::Over(parse_kinds(kind)?, Level::Provincial, parse_role(role)?));
        }
        if let Some((kind, role)) = text.split_once(" under the ") {
            return Ok(Self::Under(parse_kinds(kind)?, parse_role(role)?));
        }
        if let Some((kind, place)) = text.split_once(" within the ") {
            let (level, kinds) = parse_level_and_kinds(kind)?;
            return Ok(Self::Within(level, kinds, parse_place(place)?));
        }
        if let Some((kind, place)) = text.split_once(" of the ") {
            let (level, kinds) = parse_level_and_kinds(kind)?;
            return Ok(Self::OfPlace(level, kinds, parse_place(place)?));
        }
        parse_role(text).map(Self::Role).map_err(|_| no_relation(text))
    }

    /// The role by which it finds the agency, if it does.
    #[must_use]
    pub fn role(&self) -> Option<RoleRef> {
        match self {
            Self::Role(role)
            | Self::LevelWith(_, role, _)
            | Self::Superior(role)
            | Self::Over(_, _, role)
            | Self::Under(_, role)
            | Self::SupervisingProcuratorate(role) => Some(*role),
            _ => None,
        }
    }

    /// The place by which it finds the agency, if it does.
    #[must_use]
    pub fn place(&self) -> Option<Place> {
        match self {
            Self::OfPlace(_, _, place)
            | Self::Within(_, _, place)
            | Self::LevelWith(_, _, place) => Some(*place),
            _ => None,
        }
    }
}

impl fmt::Display for Relation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Role(role) => f.write_str(role.words()),
            Self::OfPlace(level, kinds, place) => {
                write_level(f, *level)?;
                write!(f, "{} of the {}", kinds.word(), place.words())
            }
            Self::Within(level, kinds, place) => {
                write_level(f, *level)?;
                write!(f, "{} within the {}", kinds.word(), place.words())
            }
            Self::LevelWith(kinds, role, place) => {
                let kind = kinds.as_ref().map_or("same kind", Kinds::word);
                write!(f, "{kind} level with the {} in the {}", role.words(), place.words())
            }
            Self::Superior(role) => write!(f, "superior of the {}", role.words()),
            Self::Over(kinds, level, role) => {
                let or_above = if *level == Level::City { " or above" } else { "" };
                let (kind, level, role) = (kinds.word(), level.word(), role.words());
                write!(f, "{kind} at {level} level{or_above} over the {role}")
            }
            Self::Under(kinds, role) => write!(f, "{} under the {}", kinds.word(), role.words()),
            Self::SupervisingProcuratorate(role) => {
                write!(f, "supervising procuratorate of the {}", role.words())
            }
            Self::AddresseeOfOpen(document_type) => {
                write!(f, "addressee of the open {document_type}")
            }
            Self::AddresseesOfAnswered
            | Self::CopiedWithAnswered
            | Self::ProposerOfRuling
            | Self::AnySupervised
            | Self::Any => {
                let phrase = Self::PHRASES.iter().find(|(phrase, _)| phrase == self);
                f.write_str(phrase.map_or("", |(_, words)| words))
            }
        }
    }
}

impl Condition {
    /// Reads one condition.
    ///
    /// # Errors
    /// See [`RelationError`].
    pub fn parse(text: &str) -> Result<Self, RelationError> {
        let (any, all) = (text.contains(" or "), text.contains(" and "));
        if any && all {
            return Err(RelationError::Mixture);
        }
        let atoms = text.split(if any { " or " } else { " and " }).map(parse_literal);
        let atoms = atoms.collect::<Result<_, _>>()?;
        Ok(if any { Self::Any(atoms) } else { Self::All(atoms) })
    }

    /// Its atoms, each with false beside it where the rule says `not`.
    #[must_use]
    pub fn atoms(&self) -> &[(bool, Atom)] {
        match self {
            Self::All(atoms) | Self::Any(atoms) => atoms,
        }
    }
}

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let separator = match self {
            Self::All(_) => " and ",
            Self::Any(_) => " or ",
        };
        for (i, (holds, atom)) in self.atoms().iter().enumerate() {
            f.write_str(if i == 0 { "" } else { separator })?;
            f.write_str(if *holds { "" } else { "not " })?;
            atom.fmt(f)?;
        }
        Ok(())
    }
}

impl Atom {
    /// Atoms without words of their own to fill in.
    const PHRASES: &'static [(Self, &'static str)] = &[
        (Self::PlacesDiffer, "places differ"),
        (Self::ProvincesDiffer, "provinces differ"),
        (Self::CourtInAnotherProvince, "court in another province"),
        (Self::SubjectIsJuvenile, "subject is juvenile"),
        (Self::PersonIsMissing, "person is missing"),
        (Self::Arrested, "arrested"),
        (Self::SenderMayEnrol, "sender may enrol"),
        (Self::PlaceStays, "place stays"),
        (Self::PlaceNotAsAnswered, "place not as answered"),
    ];

    /// The kinds that `decided by` may name.
    const DECIDERS: &'static [&'static str] = &["court", "prison administration", "police"];

    fn parse(text: &str) -> Result<Self, RelationError> {
        if let Some((phrase, _)) = Self::PHRASES.iter().find(|(_, words)| *words == text) {
            return Ok(phrase.clone());
        }
        if let Some(category) = text.strip_prefix("category is ") {
            return word("category", category, Category::WORDS).map(Self::CategoryIs);
        }
        if let Some(kind) = text.strip_prefix("decided by ") {
            let kinds = Self::DECIDERS.contains(&kind).then(|| Kinds::from_word(kind)).flatten();
            let unknown = || unknown("organ that decides", kind, Self::DECIDERS.iter().copied());
            return kinds.map(Self::DecidedBy).ok_or_else(unknown);
        }
        if let Some(kind) = text.strip_prefix("sender is ") {
            return parse_kinds(kind).map(Self::SenderIs);
        }
        if let Some(document_type) = text.strip_prefix("answers ") {
            return parse_type(document_type).map(Self::Answers);
        }
        if let Some(document_type) = text.strip_prefix("received ") {
            return parse_type(document_type).map(Self::Received);
        }
        text.strip_prefix("field ")
            .and_then(|rest| rest.split_once(" is "))
            .filter(|(field, value)| is_plain_words(field) && is_plain_words(value))
            .map(|(field, value)| Self::FieldIs(field.replace(' ', "_"), value.to_owned()))
            .ok_or_else(|| RelationError::NoCondition {
                text: text.to_owned(),
                suggestion: nearest(text, words_of(Self::PHRASES)),
            })
    }
}

impl fmt::Display for Atom {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::CategoryIs(category) => write!(f, "category is {}", category.word()),
            Self::DecidedBy(kinds) => write!(f, "decided by {}", kinds.word()),
            Self::SenderIs(kinds) => write!(f, "sender is {}", kinds.word()),
            Self::Answers(document_type) => write!(f, "answers {document_type}"),
            Self::Received(document_type) => write!(f, "received {document_type}"),
            Self::FieldIs(field, value) => {
                write!(f, "field {} is {value}", field.replace('_', " "))
            }
            Self::PlacesDiffer
            | Self::ProvincesDiffer
            | Self::CourtInAnotherProvince
            | Self::SubjectIsJuvenile
            | Self::PersonIsMissing
            | Self::Arrested
            | Self::SenderMayEnrol
            | Self::PlaceStays
            | Self::PlaceNotAsAnswered => {
                let phrase = Self::PHRASES.iter().find(|(phrase, _)| phrase == self);
                f.write_str(phrase.map_or("", |(_, words)| words))
            }
        }
    }
}

fn parse_literal(text: &str) -> Result<(bool, Atom), RelationError> {
    match text.strip_prefix("not ") {
        Some(atom) => Ok((false, Atom::parse(atom)?)),
        None => Ok((true, Atom::parse(text)?)),
    }
}

/// The words of the case's roles are tried after those of the thread.
fn parse_role(text: &str) -> Result<RoleRef, RelationError> {
    let in_thread = RoleRef::THREAD_WORDS.iter().find(|(_, words)| *words == text);
    let in_case = Role::WORDS.iter().find(|(_, words)| *words == text);
    in_thread
        .map(|(role, _)| *role)
        .or(in_case.map(|(role, _)| RoleRef::Case(*role)))
        .ok_or_else(|| unknown("role", text, role_words()))
}

fn parse_place(text: &str) -> Result<Place, RelationError> {
    word("place", text, Place::WORDS)
}

fn parse_kinds(text: &str) -> Result<Kinds, RelationError> {
    Kinds::from_word(text).ok_or_else(|| unknown("kind of agency", text, words_of(Kind::WORDS)))
}

/// `[LEVEL ]KIND`; no place has agencies at the national level.
fn parse_level_and_kinds(text: &str) -> Result<(Option<Level>, Kinds), RelationError> {
    let level_and_kind = text.split_once(' ').and_then(|(first, kind)| {
        let (level, _) = Level::WORDS.iter().find(|(_, word)| *word == first)?;
        (*level != Level::National).then_some((*level, kind))
    });
    match level_and_kind {
        Some((level, kind)) => Ok((Some(level), parse_kinds(kind)?)),
        None => Ok((None, parse_kinds(text)?)),
    }
}

fn parse_type(text: &str) -> Result<DocumentType, RelationError> {
    text.parse().map_err(|_| unknown("document type", text, []))
}

/// The item of a list whose word the text is.
fn word<T: Copy>(
    list: &'static str,
    text: &str,
    words: &'static [(T, &'static str)],
) -> Result<T, RelationError> {
    let found = words.iter().find(|(_, word)| *word == text).map(|(item, _)| *item);
    found.ok_or_else(|| unknown(list, text, words_of(words)))
}

fn unknown(
    list: &'static str,
    text: &str,
    words: impl IntoIterator<Item = &'static str>,
) -> RelationError {
    RelationError::Word { list, word: text.to_owned(), suggestion: nearest(text, words) }
}

fn no_relation(text: &str) -> RelationError {
    let phrases = role_words().chain(words_of(Relation::PHRASES));
    RelationError::NoRelation { text: text.to_owned(), suggestion: nearest(text, phrases) }
}

fn role_words() -> impl Iterator<Item = &'static str> {
    words_of(RoleRef::THREAD_WORDS).chain(words_of(Role::WORDS))
}

fn words_of<T>(words: &'static [(T, &'static str)]) -> impl Iterator<Item = &'static str> {
    words.iter().map(|(_, word)| *word)
}

/// Lower-case words and numbers with single spaces between them.
fn is_plain_words(text: &str) -> bool {
    text.split(' ').all(|word| {
        !word.is_empty() && word.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit())
    })
}

fn write_level(f: &mut fmt::Formatter<'_>, level: Option<Level>) -> fmt::Result {
    match level {
        Some(level) => write!(f, "{} ", level.word()),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests;
