//! The rules that a document must pass: some refuse, some flag. The hub refuses only where the law
//! lets it; what else looks wrong is taken and shown to the procuratorate.

use std::collections::BTreeMap;

use super::case::Found;
use super::routing::holds;
use super::thread::Thread;
use crate::domain::document::Document;
use crate::domain::relation::{Relation, Scene};
use crate::domain::rulebook::{OnBreak, Table, TestKind};
use crate::domain::state::{Case, Key, Range, Row, View};
use crate::ids::{AgencyCode, DocumentType};
use crate::refusal::{Reason, Violation};

/// A rule that a taken document breaks.
#[derive(Debug, Clone)]
pub(super) struct Flag {
    /// The rule's path.
    pub(super) rule: String,
    /// The articles behind it.
    pub(super) articles: Vec<String>,
    /// What does not fit, by name.
    pub(super) what: String,
}

/// What the tests flag.
pub(super) struct Flagged {
    /// The rules that are broken.
    pub(super) flags: Vec<Flag>,
    /// One of them leaves the document outside its case.
    pub(super) outside: bool,
}

/// Runs the tests: what refuses goes to `violations`, what flags is returned. `before`: the case
/// without what the document sets in it.
pub(super) fn run(
    view: &View<'_>,
    scene: &Scene<'_>,
    table: &Table,
    case: Option<&Found>,
    before: Option<&Case>,
    thread: &Thread<'_>,
    violations: &mut Vec<Violation>,
) -> Flagged {
    let (mut flags, mut outside) = (Vec::new(), false);
    // Who opens a case, or sends anew what was taken, is no stranger to it.
    let may_be_outside = case.is_some_and(|found| !found.opens) && thread.replaced.is_none();
    for rule in &table.rules {
        if !holds(scene, rule.item.when.as_ref()) {
            continue;
        }
        let broken = match &rule.item.test {
            TestKind::Forbid(condition) => scene.holds(condition).then_some("FORBIDDEN"),
            TestKind::NeedsOpen(kind, same_sender) => {
                let is_own = |sender: &AgencyCode| {
                    scene.directory.stands_for(&scene.document.sender, sender)
                };
                let open = scene.open.get(kind);
                let open = open.is_some_and(|(sender, _)| !same_sender || is_own(sender));
                (!open).then_some("NEEDS_OPEN")
            }
            TestKind::NoneOpen(kinds) => {
                kinds.iter().any(|kind| scene.open.contains_key(kind)).then_some("STILL_OPEN")
            }
            TestKind::ExpectBefore(kinds) => {
                let before = seen_before(view, case, thread, kinds);
                (!before).then_some("EXPECTED_BEFORE")
            }
            TestKind::ExpectSender(relations) => {
                (!is_expected(scene, before, relations)).then_some("UNEXPECTED_SENDER")
            }
            TestKind::Always => Some("ALWAYS_SHOWN"),
        };
        match broken {
            Some(what) if rule.item.on_break == OnBreak::Refuse => violations.push(
                Violation::new(Reason::Forbidden, "")
                    .help(format!("{what} {}", rule.path))
                    .articles(&rule.articles),
            ),
            Some(what) => {
                outside |= may_be_outside && rule.item.on_break == OnBreak::Outside;
                flags.push(Flag {
                    rule: rule.path.clone(),
                    articles: rule.articles.clone(),
                    what: what.to_owned(),
                });
            }
            None => {}
        }
    }
    flags.extend(missing_attachments(scene, table));
    Flagged { flags, outside }
}

/// Whether the sender is one of these, by what the case knew before: no document makes its own sender
/// one of them by naming who holds a role.
fn is_expected(scene: &Scene<'_>, before: Option<&Case>, relations: &[Relation]) -> bool {
    let silent = Document { facts: BTreeMap::new(), ..scene.document.clone() };
    let scene = Scene { document: &silent, case: before, given: BTreeMap::new(), ..scene.clone() };
    relations.iter().any(|relation| scene.fits(&silent.sender, relation))
}

/// Kinds of attachment that belong with the document and are not there.
fn missing_attachments(scene: &Scene<'_>, table: &Table) -> Vec<Flag> {
    let lacks = |kind: &str| scene.document.attachments.iter().all(|a| a.kind != kind);
    table
        .needs
        .iter()
        .filter(|need| holds(scene, need.when.as_ref()) && lacks(&need.kind))
        .map(|need| Flag {
            rule: "hub/needs".to_owned(),
            articles: need.articles.clone(),
            what: format!("ATTACHMENT_KIND_MISSING {}", need.kind),
        })
        .collect()
}

/// Whether a document of one of `kinds` was taken before, in the case or the thread.
fn seen_before(
    view: &View<'_>,
    case: Option<&Found>,
    thread: &Thread<'_>,
    kinds: &[DocumentType],
) -> bool {
    let in_case = case.is_some_and(|found| found.case.seen.iter().any(|k| kinds.contains(k)));
    let answered = thread.answered.is_some_and(|answered| kinds.contains(&answered.row.kind));
    let in_thread = || {
        let owed = view.range(&Range::OwedInThread(thread.root));
        owed.iter().any(|key| match key {
            Key::OwedInThread(_, duty) => {
                matches!(view.get(&Key::Duty(*duty)), Some(Row::Duty(d)) if kinds.contains(&d.opener))
            }
            _ => false,
        })
    };
    in_case || answered || (case.is_none() && in_thread())
}
