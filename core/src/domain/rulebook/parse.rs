//! Rulebooks as text: TOML in, a [`Rulebook`] or every error in it out. What the language is stands
//! in `rules/LANGUAGE.md`; any other key, word or form is an error with its line.
//!
//! `reader` knows TOML and lines and nothing of the language; the other files each read one noun.

use jiff::civil::Date;
use toml::de::DeValue;

use super::mention::{Expected, Mention, Mentioned};
use super::{Base, Rulebook, RulebookError, Table};
use crate::ids::DocumentType;
use reader::{Keys, Node, Reported, Source};
use table::TableScope;

mod custody;
mod duty;
mod entry;
mod reader;
mod rows;
mod rule;
mod table;
mod topic;

pub(super) use custody::read_custody;
pub(super) use reader::line_of;
pub(super) use rows::read_rows;

/// The one book that says what a document must carry when it opens a case.
const CASE_BOOK: &str = "hub";

impl Rulebook {
    /// Reads one book; `file_name` such as `act_2020.toml` must have its name as stem.
    ///
    /// # Errors
    /// All errors of the text at once, in the order of their lines.
    pub fn parse(file_name: &str, text: &str) -> Result<Self, Vec<RulebookError>> {
        read_book(file_name, text).map(|(book, _)| book)
    }
}

/// Reads one book, and what it mentions.
pub(super) fn read_book(
    file_name: &str,
    text: &str,
) -> Result<(Rulebook, Vec<Mention>), Vec<RulebookError>> {
    Source::new(file_name, text).read(|root| book(root, file_name))
}

fn book(root: &Node<'_>, file_name: &str) -> Result<Rulebook, Reported> {
    let keys = root.keys(&["rulebook", "case", "document", "topic", "not_a_document"])?;
    let head = keys.need("rulebook").and_then(|node| head(&node, file_name));
    let case_opening = keys.optional("case", |node| case_opening(node, file_name));
    let stem = file_name.strip_suffix(".toml").unwrap_or(file_name);
    let documents =
        keys.optional("document", |node| node.each_entry(|name, node| document(name, node, stem)));
    let topics = keys.optional("topic", |node| topic::topics(node, stem));
    let not_documents = keys.optional("not_a_document", rows::not_documents);
    let (name, from, until) = head?;
    Ok(Rulebook {
        name,
        from,
        until,
        case_opening: case_opening?.unwrap_or_default(),
        documents: documents?.unwrap_or_default(),
        topics: topics?.unwrap_or_default(),
        not_documents: not_documents?.unwrap_or_default(),
    })
}

/// `[rulebook]`: name, first and last day in force.
fn head(node: &Node<'_>, file_name: &str) -> Result<(String, Date, Option<Date>), Reported> {
    let keys = node.keys(&["name", "from", "until"])?;
    let name = keys.need("name").and_then(|name| {
        let text = name.text()?;
        if file_name != format!("{text}.toml") {
            return Err(name.error(format!("{text:?} is not the stem of {file_name}")));
        }
        Ok(text.to_owned())
    });
    let from = keys.need("from").and_then(|node| node.date());
    let until = keys.optional("until", |node| {
        let until = node.date()?;
        match from {
            Ok(from) if until < from => Err(node.error("ends before it begins".to_owned())),
            _ => Ok(until),
        }
    });
    Ok((name?, from?, until?))
}

/// `[case]`: what opens a case names header fields only.
fn case_opening(node: &Node<'_>, file_name: &str) -> Result<Vec<String>, Reported> {
    if file_name != format!("{CASE_BOOK}.toml") {
        return Err(node.error(format!("stands in {CASE_BOOK}.toml only")));
    }
    node.keys(&["opening"])?.need("opening")?.distinct(|path| field_path(path, None))
}

/// `[document.TYPE]`.
fn document(
    name: &str,
    node: &Node<'_>,
    book: &str,
) -> Result<(DocumentType, Table<Option<Base>>), Reported> {
    let document_type: DocumentType = name
        .parse()
        .map_err(|error| node.error(format!("{name:?} is no document type: {error}")))?;
    let table = table::table(node, &TableScope { book, document_type: &document_type })?;
    Ok((document_type, table))
}

/// A row of the law such as `B24`.
fn row(node: &Node<'_>) -> Result<String, Reported> {
    let label = node.text()?;
    check_row(label, node)?;
    Ok(label.to_owned())
}

fn check_row(label: &str, node: &Node<'_>) -> Result<(), Reported> {
    let number = label.strip_prefix(|letter: char| letter.is_ascii_uppercase()).unwrap_or("");
    if number.parse::<u8>().is_ok_and(|n| n > 0 && n.to_string() == number) {
        return Ok(());
    }
    Err(node.error(format!("{label:?} is no row of the law, such as \"B24\"")))
}

/// The name of a document type that has a base somewhere.
fn document_type(node: &Node<'_>) -> Result<DocumentType, Reported> {
    let name = node.text()?;
    let document_type: DocumentType = name
        .parse()
        .map_err(|error| node.error(format!("{name:?} is no document type: {error}")))?;
    node.mention(Mentioned::Type(document_type.clone()));
    Ok(document_type)
}

/// Header fields that every document must fill in; no list repeats them.
const ALWAYS_REQUIRED: &[&str] =
    &["document_id", "ledger", "sender", "create_time", "original_form", "classification", "body"];

/// The path of a field in the header or in the body of `document_type`.
fn field_path(node: &Node<'_>, document_type: Option<&DocumentType>) -> Result<String, Reported> {
    let path = node.text()?;
    if ALWAYS_REQUIRED.contains(&path) {
        return Err(node.error(format!("{path:?} is required of all documents: do not list it")));
    }
    let field = Mentioned::Field(document_type.cloned(), path.to_owned(), Expected::Anything);
    node.mention(field);
    Ok(path.to_owned())
}

/// The articles behind a table, and whether they were read: `articles` may be empty only with
/// `verified = false`.
fn articles(keys: &Keys<'_>) -> Result<(Vec<String>, bool), Reported> {
    let recalled = keys.is_set("verified", false);
    let articles = match keys.get("articles") {
        Some(node) => node.list(|article| article.text().map(str::to_owned))?,
        None => Vec::new(),
    };
    if articles.is_empty() && !recalled? {
        return Err(keys.node().error("needs `articles`, or `verified = false`".to_owned()));
    }
    Ok((articles, !recalled?))
}

/// What a TOML value is, for errors.
fn what(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::Table(_) => "a table",
        DeValue::Array(_) => "a list",
        DeValue::String(_) => "a string",
        DeValue::Integer(_) => "a number",
        DeValue::Float(_) => "a number with a fraction",
        DeValue::Boolean(_) => "a boolean",
        DeValue::Datetime(_) => "a date or time",
    }
}

#[cfg(test)]
mod tests;
