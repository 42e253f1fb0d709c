//! `rows.toml`, and `[not_a_document]`: rows of the law, each with words in Chinese and English.

use super::check_row;
use super::reader::{Node, Reported, Source};
use crate::domain::rulebook::{NotDocument, Row, Rows, RulebookError};

/// Reads the closed list of rows.
pub(in crate::domain::rulebook) fn read_rows(
    file_name: &str,
    text: &str,
) -> Result<Rows, Vec<RulebookError>> {
    let read = Source::new(file_name, text).read(|root| {
        root.each_entry(|number, node| {
            let (chinese, english) = words(number, node)?;
            Ok(Row { number: number.to_owned(), line: node.line(), chinese, english })
        })
    });
    read.map(|(rows, _)| Rows(rows))
}

/// `[not_a_document]`: rows that no document writes, why, and what the hub does instead.
pub(super) fn not_documents(node: &Node<'_>) -> Result<Vec<NotDocument>, Reported> {
    node.each_entry(|row, node| {
        let (chinese, english) = words(row, node)?;
        Ok(NotDocument { row: row.to_owned(), line: node.line(), chinese, english })
    })
}

/// `ROW = { zh = …, en = … }`.
fn words(row: &str, node: &Node<'_>) -> Result<(String, String), Reported> {
    check_row(row, node)?;
    let keys = node.keys(&["zh", "en"])?;
    let [chinese, english] = ["zh", "en"]
        .map(|language| keys.need(language).and_then(|node| node.text().map(str::to_owned)));
    Ok((chinese?, english?))
}
