//! The rules that a document must pass: some refuse, some flag. The hub refuses only where the law
//! lets it; what else looks wrong is taken and shown to the procuratorate.

use super::case;
use super::duties;
use super::routing::holds;
use super::thread::Thread;
use crate::domain::duty::Duty;
use crate::domain::relation::{Found, Relation, Scene};
use crate::domain::rulebook::{Table, TestKind};
use crate::domain::state::View;
use crate::domain::state::{Key, Range, Row};
use crate::ids::{AgencyCode, DocumentType, DutyId};
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

/// Runs the tests: what refuses goes to `violations`, what flags is returned.
pub(super) fn run(
    view: &View<'_>,
    scene: &Scene<'_>,
    table: &Table,
    case: Option<&case::Found>,
    thread: &Thread<'_>,
    owed: &[(DutyId, &Duty)],
    violations: &mut Vec<Violation>,
) -> Vec<Flag> {
    let mut flags = Vec::new();
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
                let fits = relations.iter().any(|r| scene.fits(&scene.document.sender, r));
                (!fits).then_some("UNEXPECTED_SENDER")
            }
            TestKind::ExpectParty(relations) => {
                (!relations.iter().all(|r| was_party(scene, r))).then_some("NO_PARTY_BEFORE")
            }
            TestKind::ExpectOwed(name) => {
                // What is replaced has met the duty already.
                let expected = thread.replaced.is_none();
                (expected && !would_meet(scene, table, thread, owed, name)).then_some("NOT_OWED")
            }
            TestKind::Always => Some("ALWAYS_SHOWN"),
        };
        match broken {
            Some(what) if rule.item.refuse => violations.push(
                Violation::new(Reason::Forbidden, "")
                    .help(format!("{what} {}", rule.path))
                    .articles(&rule.articles),
            ),
            Some(what) => flags.push(Flag {
                rule: rule.path.clone(),
                articles: rule.articles.clone(),
                what: what.to_owned(),
            }),
            None => {}
        }
    }
    flags.extend(missing_attachments(scene, table));
    flags
}

/// Whether those whom the relation names, if any, sent or received a document of the case before.
fn was_party(scene: &Scene<'_>, relation: &Relation) -> bool {
    let Some(case) = scene.case else { return false };
    let is_party = |found: &Found| {
        case.parties.iter().any(|party| scene.directory.stands_for(&found.agency, party))
    };
    scene.resolve(relation).is_ok_and(|found| found.iter().all(is_party))
}

/// Whether the document would meet an open duty of that name.
fn would_meet(
    scene: &Scene<'_>,
    table: &Table,
    thread: &Thread<'_>,
    owed: &[(DutyId, &Duty)],
    name: &str,
) -> bool {
    owed.iter().any(|(_, duty)| {
        duty.name == name
            && duty.closed_by.contains(&scene.document.kind)
            && duties::is_about(scene, &table.answers, thread.root, duty)
    })
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
    case: Option<&case::Found>,
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
