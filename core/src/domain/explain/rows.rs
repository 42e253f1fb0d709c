//! Where each row of the law went: into documents, into duties, or into neither, and then what the hub
//! does instead. Read from the rulebooks alone.

use super::{Phrase, Source};
use crate::domain::rulebook::{Law, Row, Rows};
use crate::ids::DocumentType;

/// A row of the law, and what carries it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CarriedRow {
    /// Its number: `B24`.
    pub number: String,
    /// Its title.
    pub title: Phrase,
    /// The document tables and duties that write it, book by book.
    pub carriers: Vec<Carrier>,
    /// Why it, or a part of it, is no paper between agencies, and what the hub does instead: one for
    /// each book that says so.
    pub not_documents: Vec<Phrase>,
}

/// A document table or a duty that writes a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Carrier {
    /// The rulebook.
    pub book: String,
    /// The document type; of a duty, the one that opens it.
    pub document_type: DocumentType,
    /// Its Chinese name.
    pub name: String,
    /// The duty, if it is one.
    pub duty: Option<CarryingDuty>,
    /// The articles.
    pub source: Source,
    /// Whether some of its addressees rest on recalled articles alone, though it does not.
    pub has_recalled: bool,
}

/// A duty that writes a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CarryingDuty {
    /// Its Chinese name.
    pub name: String,
    /// The types that close it; empty if its own document does.
    pub closed_by: Vec<DocumentType>,
}

/// How a row stands in the law.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// A document type writes it.
    Document,
    /// Only duties do.
    Duty,
    /// Neither does.
    NotADocument,
}

impl Standing {
    /// Its words.
    #[must_use]
    pub fn phrase(self) -> Phrase {
        match self {
            Self::Document => Phrase::new("document", "文书"),
            Self::Duty => Phrase::new("duty", "期限义务"),
            Self::NotADocument => Phrase::new("not a document", "不是文书"),
        }
    }
}

/// Whether the articles behind a row were read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reading {
    /// All of them.
    Read,
    /// Some were read and some recalled.
    Partly,
    /// All were recalled.
    Recalled,
}

impl CarriedRow {
    /// How it stands in the law.
    #[must_use]
    pub fn standing(&self) -> Standing {
        if self.carriers.iter().any(|carrier| carrier.duty.is_none()) {
            return Standing::Document;
        }
        if self.carriers.is_empty() { Standing::NotADocument } else { Standing::Duty }
    }

    /// Whether the articles behind it were read; none if nothing carries it.
    #[must_use]
    pub fn reading(&self) -> Option<Reading> {
        let read = |carrier: &Carrier| carrier.source.verified;
        let whole = |carrier: &Carrier| read(carrier) && !carrier.has_recalled;
        if self.carriers.is_empty() {
            return None;
        }
        if self.carriers.iter().all(whole) {
            return Some(Reading::Read);
        }
        let some = self.carriers.iter().any(read);
        Some(if some { Reading::Partly } else { Reading::Recalled })
    }
}

impl Law {
    /// Every row of the list with what carries it, in the order of the list.
    #[must_use]
    pub fn carried_rows(&self, rows: &Rows) -> Vec<CarriedRow> {
        rows.all().iter().map(|row| self.carried(row)).collect()
    }

    fn carried(&self, row: &Row) -> CarriedRow {
        let mut carriers = Vec::new();
        let mut not_documents = Vec::new();
        for book in self.books() {
            for (document_type, table) in &book.documents {
                let base = table.base.as_ref();
                let name = base.map_or_else(|| self.name_of(document_type), |base| &base.name);
                let carrier = |duty, articles: &[String], verified| Carrier {
                    book: book.name.clone(),
                    document_type: document_type.clone(),
                    name: name.to_owned(),
                    duty,
                    source: Source {
                        path: book.name.clone(),
                        articles: articles.to_vec(),
                        verified,
                    },
                    has_recalled: false,
                };
                if table.rows.contains(&row.number) {
                    let mut entries = table.to.iter().chain(&table.copies);
                    let has_recalled = table.verified && entries.any(|entry| !entry.verified);
                    let document = carrier(None, &table.articles, table.verified);
                    carriers.push(Carrier { has_recalled, ..document });
                }
                for duty in table.duties.iter().filter(|d| d.item.rows.contains(&row.number)) {
                    let (name, closed_by) = (duty.item.name.clone(), duty.item.closed_by.clone());
                    let carrying = CarryingDuty { name, closed_by };
                    carriers.push(carrier(Some(carrying), &duty.articles, duty.verified));
                }
            }
            let not = book.not_documents.iter().filter(|not| not.row == row.number);
            not_documents.extend(not.map(|not| Phrase::new(&not.english, &not.chinese)));
        }
        CarriedRow {
            number: row.number.clone(),
            title: Phrase::new(&row.english, &row.chinese),
            carriers,
            not_documents,
        }
    }
}

#[cfg(test)]
mod tests;
