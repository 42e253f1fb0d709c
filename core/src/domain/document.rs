//! One document as the law sees it: header, facts, digests. No type here holds a person's name or
//! number; what the engine needs of a person is a key.

use std::collections::{BTreeMap, BTreeSet};

use jiff::ToSpan;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::ids::{
    AgencyCode, CaseRef, Digest, DivisionCode, DocumentId, DocumentRef, DocumentType, PersonKey,
    Time,
};

/// A document (文书), parsed and checked for form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    /// The id its sender gave it.
    pub id: DocumentId,
    /// The agency that sends it.
    pub sender: AgencyCode,
    /// Its type.
    pub kind: DocumentType,
    /// SHA-256 of its exact bytes.
    pub digest: Digest,
    /// The subject (矫正对象), for types that concern one.
    pub subject: Option<Subject>,
    /// The place of execution (执行地) that it names.
    pub execution_place: Option<DivisionCode>,
    /// The agencies that it names where the law leaves a choice.
    pub chosen: Vec<AgencyCode>,
    /// What it answers.
    pub in_reply_to: Option<DocumentRef>,
    /// What must be in the ledger before it.
    pub after: Vec<DocumentRef>,
    /// What it replaces.
    pub replaces: Option<DocumentRef>,
    /// Its attachments.
    pub attachments: Vec<Attachment>,
    /// Header and body fields that hold one value, by proto name: what rules read.
    pub facts: BTreeMap<String, Fact>,
    /// The path of every field that is filled in, by proto names: what `required` asks.
    pub present: BTreeSet<String>,
}

/// The subject as the law sees one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subject {
    /// The case, if the document names it.
    pub case: Option<CaseRef>,
    /// The person, if the document carries an identity number.
    pub person: Option<PersonKey>,
    /// The category of correction.
    pub category: Option<Category>,
    /// Whether the subject was a juvenile at the offence (未成年).
    pub juvenile: Option<bool>,
    /// The day of birth, if the document tells it.
    pub born: Option<Date>,
}

impl Subject {
    /// Whether the subject is under eighteen on that day. A year of age is full on the day after the
    /// birthday (法释〔2006〕1号 2).
    #[must_use]
    pub fn is_minor(&self, day: Date) -> bool {
        let full = self.born.and_then(|born| born.checked_add(18.years()).ok());
        full.is_some_and(|birthday| day <= birthday)
    }
}

/// The four categories of subjects (社区矫正法 2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Category {
    /// Sentenced to public surveillance (管制).
    PublicSurveillance,
    /// On probation (缓刑).
    Probation,
    /// On parole (假释).
    Parole,
    /// Temporarily serving outside prison (暂予监外执行).
    TemporaryRelease,
}

impl Category {
    /// Every category with the rulebook language's word.
    pub const WORDS: &'static [(Self, &'static str)] = &[
        (Self::PublicSurveillance, "public surveillance"),
        (Self::Probation, "probation"),
        (Self::Parole, "parole"),
        (Self::TemporaryRelease, "temporary release"),
    ];

    /// The word for this category.
    #[must_use]
    pub fn word(self) -> &'static str {
        Self::WORDS.iter().find(|(category, _)| *category == self).map_or("", |(_, word)| word)
    }
}

/// One attachment as declared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attachment {
    /// SHA-256 of its bytes.
    pub digest: Digest,
    /// Its size in bytes.
    pub size: u64,
    /// What it is, in the words of the rules (判决书, 社会调查报告, …).
    pub kind: String,
}

/// The value of one field.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Fact {
    /// Free text.
    Text(String),
    /// An enum value as a word: prefix stripped, lower case, spaces for underscores.
    Word(String),
    /// A civil date in Asia/Shanghai.
    Date(Date),
    /// An instant.
    Time(Time),
    /// A division.
    Place(DivisionCode),
    /// An agency.
    Agency(AgencyCode),
    /// Yes or no.
    Bool(bool),
    /// A whole number.
    Number(i64),
}

impl Document {
    /// The fact of that name.
    #[must_use]
    pub fn fact(&self, name: &str) -> Option<&Fact> {
        self.facts.get(name)
    }

    /// The fact of that name as a word of the rulebook language.
    #[must_use]
    pub fn word(&self, name: &str) -> Option<String> {
        match self.facts.get(name)? {
            Fact::Word(word) | Fact::Text(word) => Some(word.clone()),
            Fact::Bool(yes) => Some(if *yes { "true" } else { "false" }.to_owned()),
            Fact::Number(number) => Some(number.to_string()),
            Fact::Agency(code) => Some(code.to_string()),
            Fact::Date(_) | Fact::Time(_) | Fact::Place(_) => None,
        }
    }

    /// The place of that name.
    #[must_use]
    pub fn place(&self, name: &str) -> Option<&DivisionCode> {
        match self.facts.get(name)? {
            Fact::Place(code) => Some(code),
            _ => None,
        }
    }

    /// The agency of that name.
    #[must_use]
    pub fn agency(&self, name: &str) -> Option<&AgencyCode> {
        match self.facts.get(name)? {
            Fact::Agency(code) => Some(code),
            _ => None,
        }
    }

    /// The moment of that name.
    #[must_use]
    pub fn time(&self, name: &str) -> Option<Time> {
        match self.facts.get(name)? {
            Fact::Time(time) => Some(*time),
            _ => None,
        }
    }

    /// The date of that name.
    #[must_use]
    pub fn date(&self, name: &str) -> Option<Date> {
        match self.facts.get(name)? {
            Fact::Date(date) => Some(*date),
            _ => None,
        }
    }
}
