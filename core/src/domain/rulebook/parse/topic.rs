//! `[topic.NAME]`: a topic of query.

use super::reader::{Node, Reported};
use super::table::sender_kind;
use super::{articles, document_type};
use crate::domain::rulebook::{Ruled, Topic};
use crate::ids::TopicName;

/// All topics of a book.
pub(super) fn topics(node: &Node<'_>, book: &str) -> Result<Vec<Ruled<Topic>>, Reported> {
    node.each_entry(|name, node| topic(name, node, book))
}

fn topic(name: &str, node: &Node<'_>, book: &str) -> Result<Ruled<Topic>, Reported> {
    let name = name
        .parse::<TopicName>()
        .map_err(|error| node.error(format!("{name:?} is no name of a topic: {error}")));
    let keys = node.keys(&["name", "documents", "queried_by", "articles", "verified"])?;
    let title = keys.need("name").and_then(|title| title.text().map(str::to_owned));
    let documents = keys.need("documents").and_then(|types| types.distinct(document_type));
    let queried_by = keys.need("queried_by").and_then(|kinds| kinds.distinct(sender_kind));
    let (articles, verified) = articles(&keys)?;
    let name = name?;
    Ok(Ruled {
        path: format!("{book}/topic/{name}"),
        line: node.line(),
        articles,
        verified,
        item: Topic { name, title: title?, documents: documents?, queried_by: queried_by? },
    })
}
