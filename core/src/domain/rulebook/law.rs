//! The law: all rulebooks, the table of custody and the calendar, and for each day the tables that
//! are in force then, merged.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use sha2::{Digest, Sha256};

use super::mention::Mention;
use super::parse::{line_of, read_book, read_custody};
use super::{Base, Rulebook, RulebookError, Ruled, Table, Topic, check};
use crate::domain::calendar::{Calendar, CalendarError};
use crate::domain::custody::CustodyTable;
use crate::ids::{DocumentType, TopicName};

/// The file that is no rulebook but the table of custody.
const CUSTODY: &str = "custody.toml";
/// The working calendar's name in the digest and in errors.
pub(super) const HOLIDAYS: &str = "holidays.toml";

/// The files that come with the program.
pub(super) const BUILT_IN: &[(&str, &str)] = &[
    ("act_2020.toml", include_str!("../rules/act_2020.toml")),
    ("criminal_procedure.toml", include_str!("../rules/criminal_procedure.toml")),
    (CUSTODY, include_str!("../rules/custody.toml")),
    ("hub.toml", include_str!("../rules/hub.toml")),
    ("interpretation_2012.toml", include_str!("../rules/interpretation_2012.toml")),
    ("interpretation_2012_act.toml", include_str!("../rules/interpretation_2012_act.toml")),
    ("interpretation_2021.toml", include_str!("../rules/interpretation_2021.toml")),
    ("measures_2012.toml", include_str!("../rules/measures_2012.toml")),
    ("opinion_2016.toml", include_str!("../rules/opinion_2016.toml")),
    ("prison_law_2012.toml", include_str!("../rules/prison_law_2012.toml")),
    ("prison_law_2026.toml", include_str!("../rules/prison_law_2026.toml")),
    ("temporary_release_2014.toml", include_str!("../rules/temporary_release_2014.toml")),
];
pub(super) const BUILT_IN_HOLIDAYS: &str = include_str!("../rules/holidays.toml");

/// The tables of divisions: a relation leads elsewhere when they change, so the digest covers them.
const DIVISIONS: &[(&str, &str)] = &[
    ("divisions.tsv", include_str!("../../../data/divisions.tsv")),
    ("division_changes.tsv", include_str!("../../../data/division_changes.tsv")),
];

/// The law, read and checked whole.
#[derive(Debug)]
pub struct Law {
    pub(super) books: Vec<Rulebook>,
    pub(super) mentions: Vec<Mention>,
    /// In order of their first days; the first begins before all books.
    days: Vec<LawOfDay>,
    types: BTreeSet<DocumentType>,
    case_opening: Vec<String>,
    custody: CustodyTable,
    calendar: Calendar,
    digest: [u8; 32],
}

/// The law of the days between two changes.
#[derive(Debug)]
pub struct LawOfDay {
    /// The first of these days.
    pub from: Date,
    /// The tables in force, each with all that is added to it.
    pub documents: BTreeMap<DocumentType, Table>,
    /// The topics of query in force.
    pub topics: BTreeMap<TopicName, Ruled<Topic>>,
}

impl LawOfDay {
    /// What the law says of a document type; nothing if it does not know it on these days.
    #[must_use]
    pub fn table(&self, document_type: &DocumentType) -> Option<&Table> {
        self.documents.get(document_type)
    }

    /// The topics to which a document type belongs.
    pub fn topics_of(&self, document_type: &DocumentType) -> impl Iterator<Item = &Ruled<Topic>> {
        self.topics.values().filter(|topic| topic.item.documents.contains(document_type))
    }
}

impl Law {
    /// Reads files (name, text) and the working calendar. The file `custody.toml` is the table of
    /// custody, every other one is a rulebook.
    ///
    /// # Errors
    /// All errors of all files at once. Errors across files are sought only when each file is well
    /// formed.
    pub fn load(files: &[(String, String)], holidays: &str) -> Result<Self, Vec<RulebookError>> {
        let files: Vec<_> = files.iter().map(|(n, t)| (n.as_str(), t.as_str())).collect();
        Self::load_files(&files, holidays)
    }

    /// The law that comes with the program.
    ///
    /// # Panics
    /// Never: a test loads the same files.
    #[must_use]
    #[expect(clippy::expect_used, reason = "the files are part of the program, loaded by a test")]
    pub fn built_in() -> Self {
        Self::load_files(BUILT_IN, BUILT_IN_HOLIDAYS).expect("the built-in rulebooks are right")
    }

    fn load_files(files: &[(&str, &str)], holidays: &str) -> Result<Self, Vec<RulebookError>> {
        let Files { mut books, custody, calendar, mentions } = Files::read(files, holidays)?;
        books.sort_by(|a, b| a.name.cmp(&b.name));
        let types: BTreeSet<_> = books
            .iter()
            .flat_map(|book| book.documents.iter().map(move |(name, _)| (book, name)))
            .filter(|(book, name)| book.has_base(name))
            .map(|(_, name)| name.clone())
            .collect();
        let mut errors = check::dangling(&books, &types, &mentions);
        errors.extend(check::double_bases(&books));
        errors.extend(check::double_topics(&books));
        let days = days(&books);
        errors.extend(days.iter().flat_map(|day| check::disagreements(&books, day)));
        errors.extend(check::unreachable(&books, &types, &days));
        if !errors.is_empty() {
            return Err(sorted(errors));
        }
        Ok(Self {
            case_opening: books.iter().flat_map(|book| book.case_opening.clone()).collect(),
            digest: digest(files, holidays),
            books,
            mentions,
            days,
            types,
            custody,
            calendar,
        })
    }

    /// The law of a day. Before the first book there is an empty one.
    #[must_use]
    pub fn on(&self, day: Date) -> &LawOfDay {
        let after = self.days.partition_point(|law| law.from <= day);
        &self.days[after.saturating_sub(1)]
    }

    /// As if the law of this day were that of all days: what a law to come would make of documents that
    /// are here already. Its digest is no longer what decides.
    #[must_use]
    pub fn as_of(mut self, day: Date) -> Self {
        let after = self.days.partition_point(|law| law.from <= day);
        let law = self.days.swap_remove(after.saturating_sub(1));
        self.days = vec![LawOfDay { from: Date::MIN, ..law }];
        self
    }

    /// The days on which the law changes, in order; the first is before all books.
    pub fn changes(&self) -> impl Iterator<Item = Date> {
        self.days.iter().map(|day| day.from)
    }

    /// The table of custody.
    #[must_use]
    pub fn custody(&self) -> &CustodyTable {
        &self.custody
    }

    /// The working calendar.
    #[must_use]
    pub fn calendar(&self) -> &Calendar {
        &self.calendar
    }

    /// Paths of the header fields that a document must carry when it opens a case.
    #[must_use]
    pub fn case_opening(&self) -> &[String] {
        &self.case_opening
    }

    /// All document types that a book has a base of, on whatever days.
    #[must_use]
    pub fn types(&self) -> &BTreeSet<DocumentType> {
        &self.types
    }

    /// The books, by name.
    #[must_use]
    pub fn books(&self) -> &[Rulebook] {
        &self.books
    }

    /// SHA-256 over the name and text of every file of the law, the calendar and the tables of
    /// divisions, in order of the names; each name and text after its length in bytes (u64,
    /// big-endian).
    #[must_use]
    pub fn digest(&self) -> [u8; 32] {
        self.digest
    }
}

/// The files of the law, each read.
struct Files {
    books: Vec<Rulebook>,
    custody: CustodyTable,
    calendar: Calendar,
    mentions: Vec<Mention>,
}

impl Files {
    fn read(files: &[(&str, &str)], holidays: &str) -> Result<Self, Vec<RulebookError>> {
        let mut errors = repeated_names(files);
        let (mut books, mut custody, mut mentions) = (Vec::new(), None, Vec::new());
        for (name, text) in files {
            let read = if *name == CUSTODY {
                read_custody(name, text).map(|(table, found)| {
                    custody = Some(table);
                    found
                })
            } else {
                read_book(name, text).map(|(book, found)| {
                    books.push(book);
                    found
                })
            };
            match read {
                Ok(found) => mentions.extend(found),
                Err(found) => errors.extend(found),
            }
        }
        let calendar = Calendar::parse(holidays);
        if let Err(error) = &calendar {
            errors.push(holiday_error(error, holidays));
        }
        if !files.iter().any(|(name, _)| *name == CUSTODY) {
            errors.push(RulebookError::of_file(CUSTODY, "is missing".to_owned()));
        }
        match (custody, calendar) {
            (Some(custody), Ok(calendar)) if errors.is_empty() => {
                Ok(Self { books, custody, calendar, mentions })
            }
            _ => Err(sorted(errors)),
        }
    }
}

fn repeated_names(files: &[(&str, &str)]) -> Vec<RulebookError> {
    let taken = [HOLIDAYS, DIVISIONS[0].0, DIVISIONS[1].0];
    let mut names: BTreeSet<&str> = taken.into();
    let again = files.iter().filter(|(name, _)| !names.insert(name));
    again.map(|(name, _)| RulebookError::of_file(name, "is there twice".to_owned())).collect()
}

fn holiday_error(error: &CalendarError, text: &str) -> RulebookError {
    let span = match error {
        CalendarError::Form(form) => form.span(),
        _ => None,
    };
    let line = span.map_or(1, |span| line_of(text, span.start));
    RulebookError { line, ..RulebookError::of_file(HOLIDAYS, error.to_string()) }
}

fn sorted(mut errors: Vec<RulebookError>) -> Vec<RulebookError> {
    errors.sort();
    errors.dedup();
    errors
}

/// The law between each two days on which a book begins or has ended.
fn days(books: &[Rulebook]) -> Vec<LawOfDay> {
    let begins = books.iter().map(|book| book.from);
    let ended = books.iter().filter_map(|book| book.until?.tomorrow().ok());
    let changes: BTreeSet<_> = begins.chain(ended).chain([Date::MIN]).collect();
    let day = |from| LawOfDay { from, documents: merged(books, from), topics: topics(books, from) };
    changes.into_iter().map(day).collect()
}

/// The tables of one day: the bases, and to each what the other books add, in order of their names.
fn merged(books: &[Rulebook], day: Date) -> BTreeMap<DocumentType, Table> {
    let in_force = || {
        let books = books.iter().filter(move |book| book.is_in_force(day));
        books.flat_map(|book| &book.documents)
    };
    let mut documents: BTreeMap<_, _> =
        in_force().filter_map(|(name, table)| Some((name.clone(), table.with_base()?))).collect();
    for (name, addition) in in_force().filter(|(_, table)| table.base.is_none()) {
        if let Some(table) = documents.get_mut(name) {
            table.add(addition);
        }
    }
    documents
}

/// The topics of one day: each is in one book.
fn topics(books: &[Rulebook], day: Date) -> BTreeMap<TopicName, Ruled<Topic>> {
    let books = books.iter().filter(|book| book.is_in_force(day));
    let topics = books.flat_map(|book| &book.topics);
    topics.map(|topic| (topic.item.name.clone(), topic.clone())).collect()
}

impl Table<Option<Base>> {
    /// The same table, if it is a base.
    fn with_base(&self) -> Option<Table> {
        let table = self.clone();
        Some(Table {
            base: table.base?,
            line: table.line,
            rows: table.rows,
            senders: table.senders,
            to: table.to,
            copies: table.copies,
            answers: table.answers,
            may_answer: table.may_answer,
            required: table.required,
            required_verified: table.required_verified,
            needs: table.needs,
            sets: table.sets,
            articles: table.articles,
            verified: table.verified,
            duties: table.duties,
            rules: table.rules,
        })
    }
}

impl Table {
    /// Appends what another book adds; what is there already is not repeated, but rests on both.
    fn add(&mut self, addition: &Table<Option<Base>>) {
        append(&mut self.rows, &addition.rows, PartialEq::eq);
        append(&mut self.senders, &addition.senders, PartialEq::eq);
        unite(&mut self.to, &addition.to);
        unite(&mut self.copies, &addition.copies);
        self.answers.add(&addition.answers);
        self.may_answer.add(&addition.may_answer);
        append(&mut self.required, &addition.required, PartialEq::eq);
        self.required_verified &= addition.required_verified;
        append(&mut self.needs, &addition.needs, |a, b| (&a.kind, &a.when) == (&b.kind, &b.when));
        append(&mut self.sets, &addition.sets, PartialEq::eq);
        append(&mut self.articles, &addition.articles, PartialEq::eq);
        self.verified &= addition.verified;
        self.duties.extend(addition.duties.iter().cloned());
        self.rules.extend(addition.rules.iter().cloned());
    }
}

impl super::Answers {
    fn add(&mut self, more: &Self) {
        match (&mut *self, more) {
            (_, Self::Nothing) | (Self::Any, _) => {}
            (Self::Types(types), Self::Types(more)) => append(types, more, PartialEq::eq),
            _ => *self = more.clone(),
        }
    }
}

fn append<T: Clone>(list: &mut Vec<T>, more: &[T], equal: impl Fn(&T, &T) -> bool) {
    for item in more {
        if !list.iter().any(|known| equal(known, item)) {
            list.push(item.clone());
        }
    }
}

/// Appends addressees; one that is there already rests on the articles of both.
fn unite<T: Clone + PartialEq>(list: &mut Vec<Ruled<T>>, more: &[Ruled<T>]) {
    for ruled in more {
        match list.iter_mut().find(|known| known.item == ruled.item) {
            Some(known) => {
                append(&mut known.articles, &ruled.articles, PartialEq::eq);
                known.verified &= ruled.verified;
            }
            None => list.push(ruled.clone()),
        }
    }
}

/// See [`Law::digest`].
fn digest(files: &[(&str, &str)], holidays: &str) -> [u8; 32] {
    let mut all: Vec<_> = files.iter().chain(DIVISIONS).copied().collect();
    all.push((HOLIDAYS, holidays));
    all.sort_unstable();
    let mut hash = Sha256::new();
    for text in all.iter().flat_map(|(name, text)| [name, text]) {
        hash.update((text.len() as u64).to_be_bytes());
        hash.update(text.as_bytes());
    }
    hash.finalize().into()
}

#[cfg(test)]
mod tests;
