//! The flows (行) that the statutes speak of, as a closed list of numbers with titles. Rulebooks name
//! them, so that none is left out silently. Of no effect on any document.

use std::collections::BTreeSet;

use super::parse::read_rows;
use super::{Law, RulebookError};
use crate::domain::relation::nearest;

/// The file's name, beside the rulebooks.
pub(super) const ROWS: &str = "rows.toml";
pub(super) const BUILT_IN: &str = include_str!("../rules/rows.toml");

/// One flow of the statutes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Its number: `B24`.
    pub number: String,
    /// Its line in the file, from 1.
    pub line: usize,
    /// Its title in Chinese.
    pub chinese: String,
    /// Its title in English.
    pub english: String,
}

/// A row that is no paper between agencies, as a rulebook says it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotDocument {
    /// The row's number.
    pub row: String,
    /// The line in the book's file, from 1.
    pub line: usize,
    /// Why, and what the hub does instead, in Chinese.
    pub chinese: String,
    /// The same in English.
    pub english: String,
}

/// The closed list of rows, in the order of its file.
#[derive(Debug, Clone)]
pub struct Rows(pub(super) Vec<Row>);

impl Rows {
    /// The list that comes with the program.
    ///
    /// # Panics
    /// Never: a test reads the same text.
    #[must_use]
    #[expect(clippy::expect_used, reason = "the file is part of the program, read by a test")]
    pub fn built_in() -> Self {
        Self::parse(BUILT_IN).expect("the built-in list of rows is right")
    }

    /// Reads a list.
    ///
    /// # Errors
    /// All errors of the text at once, in the order of their lines.
    pub fn parse(text: &str) -> Result<Self, Vec<RulebookError>> {
        read_rows(ROWS, text)
    }

    /// The rows, in the order of the file.
    #[must_use]
    pub fn all(&self) -> &[Row] {
        &self.0
    }

    /// Checks that every row stands somewhere in the law, and that the law names no other.
    ///
    /// # Errors
    /// All disagreements at once, each with the file and line.
    pub fn check(&self, law: &Law) -> Result<(), Vec<RulebookError>> {
        let known: BTreeSet<_> = self.0.iter().map(|row| row.number.as_str()).collect();
        let named = named(law);
        let unknown = named.iter().filter(|named| !known.contains(named.row));
        let mut errors: Vec<_> = unknown
            .map(|named| RulebookError {
                file: format!("{}.toml", named.book),
                line: named.line,
                path: named.path.clone(),
                message: format!("{} is no row in {ROWS}", named.row),
                suggestion: nearest(named.row, known.iter().copied()).map(str::to_owned),
            })
            .collect();
        let carried: BTreeSet<_> = named.iter().map(|named| named.row).collect();
        let left_out = self.0.iter().filter(|row| !carried.contains(row.number.as_str()));
        errors.extend(left_out.map(|row| RulebookError {
            file: ROWS.to_owned(),
            line: row.line,
            path: row.number.clone(),
            message: "stands in no table, no duty and no [not_a_document]".to_owned(),
            suggestion: None,
        }));
        errors.sort();
        errors.dedup();
        if errors.is_empty() { Ok(()) } else { Err(errors) }
    }
}

/// A row, and where a book names it.
struct Named<'a> {
    row: &'a str,
    book: &'a str,
    line: usize,
    path: String,
}

fn named(law: &Law) -> Vec<Named<'_>> {
    let mut named = Vec::new();
    for book in law.books() {
        for (document_type, table) in &book.documents {
            let duties = table.duties.iter().map(|duty| (duty.line, &duty.item.rows));
            for (line, rows) in std::iter::once((table.line, &table.rows)).chain(duties) {
                named.extend(rows.iter().map(|row| Named {
                    row,
                    book: &book.name,
                    line,
                    path: format!("document.{document_type}"),
                }));
            }
        }
        named.extend(book.not_documents.iter().map(|not| Named {
            row: &not.row,
            book: &book.name,
            line: not.line,
            path: format!("not_a_document.{}", not.row),
        }));
    }
    named
}

#[cfg(test)]
mod tests;
