//! Topics of query (查询专题): what an agency may ask about a person, beside what it was sent.

use super::SenderKind;
use crate::ids::{DocumentType, TopicName};

/// One topic: the papers that belong to it, and who may ask.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Topic {
    /// By what name a query asks for it.
    pub name: TopicName,
    /// What the statute calls it, in Chinese.
    pub title: String,
    /// The types of documents that belong to it.
    pub documents: Vec<DocumentType>,
    /// The kinds of agencies that may query it.
    pub queried_by: Vec<SenderKind>,
}
