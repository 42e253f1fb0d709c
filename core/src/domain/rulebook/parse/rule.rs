//! Rules: the tests that a document must pass.

use super::entry::{condition, relation};
use super::reader::{Keys, Node, Reported};
use super::table::TableScope;
use super::{articles, document_type};
use crate::domain::rulebook::mention::Mentioned;
use crate::domain::rulebook::{OnBreak, Ruled, Test, TestKind};

/// The keys of which a rule has exactly one.
const TESTS: &[&str] = &[
    "forbid",
    "needs_open",
    "at_most_one_open",
    "expect_none_open",
    "expect_before",
    "expect_sender",
    "expect_party",
    "expect_owed",
    "always",
];

/// Every key of a rule.
const KEYS: &[&str] = &[
    "forbid",
    "needs_open",
    "at_most_one_open",
    "expect_none_open",
    "expect_before",
    "expect_sender",
    "expect_party",
    "expect_owed",
    "always",
    "same_sender",
    "when",
    "on_break",
    "articles",
    "verified",
];

/// One `[[document.TYPE.rules]]`.
pub(super) fn rule(
    node: &Node<'_>,
    scope: &TableScope<'_>,
    index: usize,
) -> Result<Ruled<Test>, Reported> {
    let keys = node.keys(KEYS)?;
    let test = test(&keys, scope);
    let when = keys.optional("when", |when| {
        if node.has("forbid") {
            return Err(when.error("`forbid` is its own condition".to_owned()));
        }
        condition(when, Some(scope.document_type))
    });
    let on_break = keys.need("on_break").and_then(|node| node.word(OnBreak::WORDS));
    let (articles, verified) = articles(&keys)?;
    let item = Test { test: test?, when: when?, on_break: on_break? };
    Ok(Ruled { path: scope.path("rules", index), line: node.line(), articles, verified, item })
}

/// The name of a duty that some table opens.
fn expect_owed(node: &Node<'_>) -> Result<TestKind, Reported> {
    let name = node.text()?;
    node.mention(Mentioned::Duty(name.to_owned()));
    Ok(TestKind::ExpectOwed(name.to_owned()))
}

fn test(keys: &Keys<'_>, scope: &TableScope<'_>) -> Result<TestKind, Reported> {
    let mut present = TESTS.iter().filter_map(|key| Some((*key, keys.get(key)?)));
    let (Some((key, node)), None) = (present.next(), present.next()) else {
        return Err(keys.node().error(format!("needs exactly one of: {}", TESTS.join(", "))));
    };
    let same_sender = keys.is_set("same_sender", true)?;
    if same_sender && key != "needs_open" {
        return Err(keys.node().error("`same_sender` belongs to `needs_open`".to_owned()));
    }
    match key {
        "forbid" => condition(&node, Some(scope.document_type)).map(TestKind::Forbid),
        "needs_open" => Ok(TestKind::NeedsOpen(document_type(&node)?, same_sender)),
        "expect_before" => node.distinct(document_type).map(TestKind::ExpectBefore),
        "expect_sender" => node.distinct(relation).map(TestKind::ExpectSender),
        "expect_party" => node.distinct(relation).map(TestKind::ExpectParty),
        "expect_owed" => expect_owed(&node),
        "always" => keys.is_set("always", true).map(|_| TestKind::Always),
        _ => node.distinct(document_type).map(TestKind::NoneOpen),
    }
}
