//! Checks across the tables of all books: what one names must exist in another, and what is in
//! force on one day must agree.

use std::collections::BTreeSet;

use jiff::civil::Date;

use super::law::LawOfDay;
use super::mention::{Mention, Mentioned};
use super::{Answers, DutyRule, Rulebook, RulebookError, Ruled};
use crate::domain::relation::nearest;
use crate::ids::DocumentType;

/// What the books mention and do not have: document types, duties, and the bases of additions.
pub(super) fn dangling(
    books: &[Rulebook],
    types: &BTreeSet<DocumentType>,
    mentions: &[Mention],
) -> Vec<RulebookError> {
    let mut errors = Vec::new();
    for mention in mentions {
        if let Mentioned::Type(name) = &mention.what
            && !types.contains(name)
        {
            let near = nearest(name.as_str(), types.iter().map(DocumentType::as_str));
            errors.push(mention.error(format!("no book has a document type {name:?}"), near));
        }
    }
    let named = |name: &String| {
        let tables = books.iter().flat_map(|book| &book.documents);
        tables.flat_map(|(_, table)| &table.duties).any(|duty| duty.item.name == *name)
    };
    for mention in mentions {
        if let Mentioned::Duty(name) = &mention.what
            && !named(name)
        {
            errors.push(mention.error(format!("no book has a duty {name:?}"), None));
        }
    }
    for book in books {
        for (name, table) in book.documents.iter().filter(|(_, table)| table.base.is_none()) {
            if !books.iter().any(|other| other.overlaps(book) && other.has_base(name)) {
                let near = nearest(name.as_str(), types.iter().map(DocumentType::as_str));
                let message = "adds to a base that no book has while this one is in force";
                errors.push(error(book, table.line, name, message.to_owned(), near));
            }
        }
    }
    errors
}

/// Types that have two bases on one day.
pub(super) fn double_bases(books: &[Rulebook]) -> Vec<RulebookError> {
    let mut errors = Vec::new();
    for (i, book) in books.iter().enumerate() {
        for (name, table) in book.documents.iter().filter(|(_, table)| table.base.is_some()) {
            for other in &books[..i] {
                if other.overlaps(book) && other.has_base(name) {
                    let message =
                        format!("has a base in {}, in force on the same days", other.name);
                    errors.push(error(book, table.line, name, message, None));
                }
            }
        }
    }
    errors
}

/// Topics of query that stand in two books on one day.
pub(super) fn double_topics(books: &[Rulebook]) -> Vec<RulebookError> {
    let mut errors = Vec::new();
    for (i, book) in books.iter().enumerate() {
        for topic in &book.topics {
            let name = &topic.item.name;
            let has = |other: &&Rulebook| {
                other.overlaps(book) && other.topics.iter().any(|topic| topic.item.name == *name)
            };
            if let Some(other) = books[..i].iter().find(has) {
                errors.push(RulebookError {
                    file: format!("{}.toml", book.name),
                    line: topic.line,
                    path: format!("topic.{name}"),
                    message: format!("stands in {}, in force on the same days", other.name),
                    suggestion: None,
                });
            }
        }
    }
    errors
}

/// What does not agree in the tables of one day. What another day has too is found there again.
pub(super) fn disagreements(books: &[Rulebook], day: &LawOfDay) -> Vec<RulebookError> {
    let mut errors = Vec::new();
    let in_force: Vec<_> = books.iter().filter(|book| book.is_in_force(day.from)).collect();
    for (name, table) in &day.documents {
        let Some(book) = in_force.iter().find(|book| book.has_base(name)) else { continue };
        if table.answers != Answers::Nothing && table.may_answer != Answers::Nothing {
            let message = "has both `answers` and `may_answer`, here or in an addition".to_owned();
            errors.push(error(book, table.line, name, message, None));
        }
        for (i, duty) in table.duties.iter().enumerate() {
            let same = |other: &&Ruled<DutyRule>| {
                (&other.item.name, &other.item.when) == (&duty.item.name, &duty.item.when)
            };
            let Some(first) = table.duties[..i].iter().find(same) else { continue };
            let message = format!("the duty {:?} stands in {} already", duty.item.name, first.path);
            let adder =
                in_force.iter().find(|book| duty.path.starts_with(&format!("{}/", book.name)));
            errors.push(error(adder.unwrap_or(book), duty.line, name, message, None));
        }
    }
    errors
}

/// Duties that nothing can close: each type that closes it is in force on some day, but on none from
/// the opener's on. `days` are all days of change, in order.
pub(super) fn unreachable(
    books: &[Rulebook],
    types: &BTreeSet<DocumentType>,
    days: &[LawOfDay],
) -> Vec<RulebookError> {
    let mut errors = Vec::new();
    let mut found = BTreeSet::new();
    for (i, day) in days.iter().enumerate() {
        let comes = |name: &DocumentType| days[i..].iter().any(|day| day.table(name).is_some());
        for (name, table) in &day.documents {
            for duty in table.duties.iter().flat_map(with_missed) {
                let closers = &duty.item.closed_by;
                let is_reachable = duty.item.closed_by_self || closers.iter().any(comes);
                let is_dangling = closers.iter().any(|name| !types.contains(name));
                if is_reachable || is_dangling || !found.insert(&duty.path) {
                    continue;
                }
                let book = duty.path.split('/').next().unwrap_or_default();
                let Some(book) = books.iter().find(|other| other.name == book) else { continue };
                let closers: Vec<_> = closers.iter().map(DocumentType::as_str).collect();
                let message = format!(
                    "nothing can close the duty {:?}: from {} on no book in force has {}",
                    duty.item.name,
                    day.from,
                    closers.join(", ")
                );
                errors.push(error(book, duty.line, name, message, None));
            }
        }
    }
    errors
}

/// A duty, and those that open one after the other when it passes undone.
fn with_missed(duty: &Ruled<DutyRule>) -> impl Iterator<Item = &Ruled<DutyRule>> {
    std::iter::successors(Some(duty), |duty| duty.item.if_missed.as_deref())
}

impl Rulebook {
    /// Whether it is in force on a day.
    #[must_use]
    pub fn is_in_force(&self, day: Date) -> bool {
        self.from <= day && self.until.is_none_or(|until| day <= until)
    }

    /// Whether it has a base of this type.
    pub(super) fn has_base(&self, name: &DocumentType) -> bool {
        self.documents.iter().any(|(other, table)| other == name && table.base.is_some())
    }

    /// Whether it and another are in force on a common day.
    fn overlaps(&self, other: &Self) -> bool {
        let ends_before = |one: &Self, two: &Self| one.until.is_some_and(|until| until < two.from);
        !ends_before(self, other) && !ends_before(other, self)
    }
}

/// An error in a book's table of a document type.
pub(super) fn error(
    book: &Rulebook,
    line: usize,
    name: &DocumentType,
    message: String,
    suggestion: Option<&str>,
) -> RulebookError {
    RulebookError {
        file: format!("{}.toml", book.name),
        line,
        path: format!("document.{name}"),
        message,
        suggestion: suggestion.map(str::to_owned),
    }
}
