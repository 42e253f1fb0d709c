//! The statute as data: what a rulebook says, parsed and checked whole. [`Law`] is the union of the
//! books in force on a day; who reads it is [`decide`](super::decide) alone.
//!
//! The language is documented in `rules/LANGUAGE.md`. Books are read in `parse`, merged in `law`,
//! checked against each other in `check` and against the documents' schema in `schema`.

use jiff::civil::Date;

use super::agency::{Kind, Level};
use super::custody::Step;
use super::document::Category;
use super::relation::{Condition, Relation};
use super::role::Role;
use crate::ids::DocumentType;

mod check;
mod duty;
mod error;
mod folder;
mod law;
mod mention;
mod parse;
mod rows;
mod schema;
mod topic;
pub use duty::{DECISION_TIME, DutyRule, Event, Extend, Limit, OwnerRule, Soft};
pub use error::RulebookError;
pub use law::{Law, LawOfDay};
pub use rows::{NotDocument, Row, Rows};
pub use schema::{FieldKind, Schema};
pub use topic::Topic;

/// One statute, or what one statute adds to others.
#[derive(Debug, Clone)]
pub struct Rulebook {
    /// Its name: the stem of its file.
    pub name: String,
    /// First day in force.
    pub from: Date,
    /// Last day in force.
    pub until: Option<Date>,
    /// Field paths that a document must carry when it opens a case.
    pub case_opening: Vec<String>,
    /// Its document tables, in the order of the file: those with a base, and additions.
    pub documents: Vec<(DocumentType, Table<Option<Base>>)>,
    /// Its topics of query, in the order of the file.
    pub topics: Vec<Ruled<Topic>>,
    /// Rows of the law that are no document between agencies.
    pub not_documents: Vec<NotDocument>,
}

/// What the law says of one document type: in one book with or without a base, or, in the law of a
/// day, the base with all that was added to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table<B = Base> {
    /// What only a base has; none in an addition.
    pub base: B,
    /// Where it begins: the line in its file, from 1; merged, that of the base.
    pub line: usize,
    /// Rows of the law that it writes, for coverage.
    pub rows: Vec<String>,
    /// Who may send it.
    pub senders: Vec<SenderKind>,
    /// Primary addressees.
    pub to: Vec<Ruled<Entry>>,
    /// Copies.
    pub copies: Vec<Ruled<Entry>>,
    /// What it must answer.
    pub answers: Answers,
    /// What it may answer.
    pub may_answer: Answers,
    /// Field paths that must be filled in.
    pub required: Vec<String>,
    /// Whether an article names that list.
    pub required_verified: bool,
    /// Kinds of attachment that belong with it.
    pub needs: Vec<Need>,
    /// What it sets in the case.
    pub sets: Vec<Sets>,
    /// The articles.
    pub articles: Vec<String>,
    /// Whether the articles were read, not recalled.
    pub verified: bool,
    /// The duties that it opens.
    pub duties: Vec<Ruled<DutyRule>>,
    /// The tests that it must pass.
    pub rules: Vec<Ruled<Test>>,
}

impl Table {
    /// Whether such a document stands only beside an open one of that type.
    #[must_use]
    pub fn needs_open(&self, document_type: &DocumentType) -> bool {
        let needs = |rule: &Ruled<Test>| matches!(&rule.item.test, TestKind::NeedsOpen(kind, _) if kind == document_type);
        self.rules.iter().any(needs)
    }
}

/// What only a base table has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Base {
    /// The Chinese name.
    pub name: String,
    /// The articles of the base itself, without what other books add: those behind its custody step.
    pub articles: Vec<String>,
    /// What sort of paper it is.
    pub class: Class,
    /// The sender must be one of these; empty: any that `senders` admits.
    pub sender_is: Vec<Relation>,
    /// Whether it has a subject and a case.
    pub subject: SubjectRule,
    /// The categories that it fits; empty: all.
    pub subjects: Vec<Category>,
    /// Joins the open case of equal decision organ and case number, else opens one.
    pub opens_case: bool,
    /// The case is sought among all open cases of the person.
    pub finds_person: bool,
    /// A second one is refused.
    pub unique: bool,
    /// The values of `outcome` that it admits; empty: it has no outcome.
    pub outcomes: Vec<String>,
    /// What it does to custody.
    pub custody: CustodyRule,
    /// The enum field by whose value the case counts.
    pub counts: Option<String>,
    /// It withdraws what it answers.
    pub withdraws: bool,
    /// It records service on paper.
    pub serves: bool,
}

impl<B> Table<B> {
    /// Whether it goes before others (急件): it opens a duty in hours or at once.
    #[must_use]
    pub fn is_urgent(&self) -> bool {
        self.duties.iter().any(|duty| duty.item.limit.is_urgent())
    }
}

/// Something with its place in the books: `act_2020/verdict_handover/copies/1`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ruled<T> {
    /// The path: book, type, list, place in that list from 0.
    pub path: String,
    /// The line in the book's file, from 1.
    pub line: usize,
    /// The articles behind it.
    pub articles: Vec<String>,
    /// Whether the articles were read, not recalled.
    pub verified: bool,
    /// The thing itself.
    pub item: T,
}

/// What sort of paper a document is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Class {
    /// Service (送达).
    Service,
    /// Notice (通知).
    Notice,
    /// Proposal (提请、建议).
    Proposal,
    /// Decision (决定、裁定).
    Decision,
    /// Return receipt (回执).
    Receipt,
    /// Information (通报、告知).
    Information,
    /// Forwarding (转送).
    Forwarding,
    /// Request (函、申请).
    Request,
    /// Correction by the procuratorate (纠正意见、检察建议).
    Correction,
    /// Record: addressed to nobody by law, deposited and dated.
    Record,
}

impl Class {
    /// Every class with its word.
    pub const WORDS: &'static [(Self, &'static str)] = &[
        (Self::Service, "service"),
        (Self::Notice, "notice"),
        (Self::Proposal, "proposal"),
        (Self::Decision, "decision"),
        (Self::Receipt, "receipt"),
        (Self::Information, "information"),
        (Self::Forwarding, "forwarding"),
        (Self::Request, "request"),
        (Self::Correction, "correction"),
        (Self::Record, "record"),
    ];

    /// Its word.
    #[must_use]
    pub fn word(self) -> &'static str {
        Self::WORDS.iter().find(|(class, _)| *class == self).map_or("", |(_, word)| word)
    }
}

/// Who may send: kinds, at a level or from a level upwards; none: any agency.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SenderKind {
    /// The kinds; empty: any agency.
    pub kinds: Vec<Kind>,
    /// The level, if it matters.
    pub level: Option<Level>,
    /// Whether higher levels fit too.
    pub or_above: bool,
}

/// What a document answers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Answers {
    /// Nothing.
    #[default]
    Nothing,
    /// Any document.
    Any,
    /// A document of one of these types.
    Types(Vec<DocumentType>),
}

/// Whether a document has a subject and a case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SubjectRule {
    /// Belongs to a case.
    Case,
    /// About a person before any case.
    Person,
    /// A case if subject or reply gives one.
    Optional,
    /// No subject.
    None,
}

impl SubjectRule {
    /// Every rule with its word.
    pub const WORDS: &'static [(Self, &'static str)] = &[
        (Self::Case, "case"),
        (Self::Person, "person"),
        (Self::Optional, "optional"),
        (Self::None, "none"),
    ];
}

/// One addressee rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Who.
    pub who: Who,
    /// Only if this holds.
    pub when: Option<Condition>,
    /// The kinds of attachment that go along; empty: all.
    pub carries: Vec<String>,
}

/// Who an entry names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Who {
    /// As a relation finds it.
    Relation(Relation),
    /// The law leaves a choice: the document names it, and it must fit.
    Named {
        /// What the chosen one is called.
        name: String,
        /// Where it must fit.
        fits: Vec<(Relation, Option<Condition>)>,
    },
}

/// A kind of attachment that belongs with a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Need {
    /// The kind, in the words of the law.
    pub kind: String,
    /// Only if this holds.
    pub when: Option<Condition>,
    /// The articles of the table that asks for it.
    pub articles: Vec<String>,
}

/// What a document sets in its case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sets {
    /// The role, from the field of that name or the agency chosen for it.
    Role(Role),
    /// The last day of the term, from `term_expiry_date`.
    TermExpiry,
}

/// What a document does to custody.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum CustodyRule {
    /// Nothing.
    #[default]
    Nothing,
    /// One step.
    Step(Step),
    /// A step by the value of a field, such as `outcome`; an empty value: not filled in.
    ByField(String, Vec<(String, Step)>),
    /// A step by the type of what is answered.
    ByAnswer(Vec<(DocumentType, Step)>),
}

/// A test that a document must pass.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Test {
    /// What breaks it.
    pub test: TestKind,
    /// Only if this holds.
    pub when: Option<Condition>,
    /// What becomes of a document that breaks it.
    pub on_break: OnBreak,
}

/// What becomes of a document that breaks a rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum OnBreak {
    /// It is refused.
    Refuse,
    /// It is taken, delivered and shown to the procuratorate, and stands outside its case: nothing else
    /// comes of it.
    Outside,
    /// It is taken as any other, and shown to the procuratorate.
    Flag,
}

impl OnBreak {
    /// All of them with their words.
    pub const WORDS: &'static [(Self, &'static str)] =
        &[(Self::Refuse, "refuse"), (Self::Outside, "no effect"), (Self::Flag, "flag")];
}

/// What breaks a test.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TestKind {
    /// The condition is true.
    Forbid(Condition),
    /// The case has no open document of that type, by this sender if so demanded.
    NeedsOpen(DocumentType, bool),
    /// The case has an open document of one of these types (`at_most_one_open`,
    /// `expect_none_open`).
    NoneOpen(Vec<DocumentType>),
    /// None of these was taken before in the case or thread.
    ExpectBefore(Vec<DocumentType>),
    /// The sender is none of these.
    ExpectSender(Vec<Relation>),
    /// One of these had no document of the case before.
    ExpectParty(Vec<Relation>),
    /// Nobody owes the duty of that name, such that the document would end it.
    ExpectOwed(String),
    /// Always.
    Always,
}
