//! Access (查阅): someone is about to be shown what is not theirs by delivery alone, because they query
//! a person or because the person is protected. It stands in the ledger before anything is shown.
//!
//! A record is kept for ever and can't be erased, so nothing here is free text about a person: a query
//! names its purpose by a word and its ground by an article.

use std::collections::BTreeSet;
use std::str::FromStr;
use std::sync::Arc;

use crate::ids::{AgencyCode, CaseRef, DocumentType, LedgerIndex, SystemCode, TopicName};
use crate::limits;

/// One access, as its record tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Access {
    /// The agency that asked.
    pub agency: AgencyCode,
    /// The system (接入系统) that it came through.
    pub system: SystemCode,
    /// The call, such as `GetDocument`.
    pub method: String,
    /// The cases that it concerns. A query that found none has none.
    pub cases: BTreeSet<CaseRef>,
    /// The record of the document shown, if it was one.
    pub document: Option<LedgerIndex>,
    /// What was asked and on which ground, if it is a query.
    pub query: Option<Allowed>,
    /// The record of the query by which it was let in, if it was by one.
    pub by_query: Option<LedgerIndex>,
    /// The procuratorates that may see it.
    pub supervisors: BTreeSet<AgencyCode>,
}

/// A query of one topic (查询).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Query {
    /// The topic.
    pub topic: TopicName,
    /// On which ground.
    pub ground: Ground,
}

/// A query as it was allowed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Allowed {
    /// What was asked.
    pub query: Query,
    /// The document types that it opens: those of the topic, by the law of that moment.
    pub opens: BTreeSet<DocumentType>,
}

/// The legal ground of a query (查询依据).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ground {
    /// What for.
    pub purpose: Purpose,
    /// The article that allows it, such as `刑诉法 286`.
    pub article: Article,
}

/// What a query is for (查询目的).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Purpose {
    /// To execute a sentence or community correction (执行需要).
    Execution,
    /// To supervise that by law (法律监督).
    Supervision,
    /// To handle a case (办案需要).
    CaseHandling,
    /// Because a provision of the state says that it may query (国家规定).
    StateProvision,
}

impl Purpose {
    /// Every purpose with its word.
    pub const WORDS: &'static [(Self, &'static str)] = &[
        (Self::Execution, "execution"),
        (Self::Supervision, "supervision"),
        (Self::CaseHandling, "case-handling"),
        (Self::StateProvision, "state-provision"),
    ];

    /// Whether it opens a sealed record: what 刑诉法 286 excepts and nothing else.
    #[must_use]
    pub fn opens_sealed(self) -> bool {
        matches!(self, Self::CaseHandling | Self::StateProvision)
    }
}

/// An article of law, as people cite it: short, and without the long numbers that a person would have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Article(Arc<str>);

/// A text that cites no article.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ArticleError {
    /// Empty, or too long.
    #[error("must have 1 to {max} characters", max = limits::ARTICLE_CHARS)]
    Length,
    /// Digits that number no article.
    #[error("more than four digits in a row: an article, not a person's or a case's number")]
    Digits,
}

impl Article {
    /// The text as it was parsed.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Article {
    type Err = ArticleError;

    fn from_str(text: &str) -> Result<Self, ArticleError> {
        if text.trim().is_empty() || text.chars().count() > limits::ARTICLE_CHARS {
            return Err(ArticleError::Length);
        }
        // A year or an article has four at most.
        if text.split(|c: char| !c.is_numeric()).any(|digits| digits.chars().count() > 4) {
            return Err(ArticleError::Digits);
        }
        Ok(Self(text.into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_article_is_short_and_holds_no_number_of_a_person() {
        for article in ["刑诉法 286", "社区矫正法 54", "法释〔2021〕1号 580"] {
            assert_eq!(article.parse::<Article>().unwrap().as_str(), article);
        }
        let long = "条".repeat(limits::ARTICLE_CHARS + 1);
        for text in ["", "  ", &long] {
            assert_eq!(text.parse::<Article>(), Err(ArticleError::Length), "{text}");
        }
        for text in ["11010519491231002X", "刑诉法 28600", "１２３４５"] {
            assert_eq!(text.parse::<Article>(), Err(ArticleError::Digits), "{text}");
        }
    }

    #[test]
    fn only_what_the_statute_excepts_opens_a_sealed_record() {
        let open = Purpose::WORDS.iter().filter(|(purpose, _)| purpose.opens_sealed());
        let open: Vec<_> = open.map(|(_, word)| *word).collect();
        assert_eq!(open, ["case-handling", "state-provision"]);
    }
}
