//! The rules that a document must pass: some refuse, some flag. The hub refuses only where the law
//! lets it; what else looks wrong is taken and shown to the procuratorate.

use std::collections::BTreeMap;

use super::World;
use super::case;
use super::duties;
use super::routing::holds;
use super::thread::Thread;
use crate::domain::document::Document;
use crate::domain::duty::Duty;
use crate::domain::explain::broken_phrase;
use crate::domain::relation::{Found, Relation, Scene};
use crate::domain::rulebook::{OnBreak, Ruled, Table, Test, TestKind};
use crate::domain::state::{Case, Key, Range, Row, View};
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

/// What the tests flag.
pub(super) struct Flagged {
    /// The rules that are broken.
    pub(super) flags: Vec<Flag>,
    /// One of them leaves the document outside its case.
    pub(super) outside: bool,
}

/// What stood before the document.
pub(super) struct Standing<'s> {
    /// Its case.
    pub(super) case: Option<&'s case::Found>,
    /// The case without what the document sets in it.
    pub(super) before: Option<&'s Case>,
    /// What it answers.
    pub(super) thread: &'s Thread<'s>,
    /// The duties that it may touch.
    pub(super) owed: &'s [(DutyId, &'s Duty)],
}

/// Runs the tests: what refuses goes to `violations`, what flags is returned.
pub(super) fn run(
    view: &View<'_>,
    world: &World<'_>,
    scene: &Scene<'_>,
    table: &Table,
    standing: &Standing<'_>,
    violations: &mut Vec<Violation>,
) -> Flagged {
    let Standing { case, before, thread, owed } = *standing;
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
            Some(what) if rule.item.on_break == OnBreak::Refuse => {
                violations.push(forbidden(world, scene, rule, what));
            }
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

/// The refusal by a rule, in its own words; of several that must not be open, those that are.
fn forbidden(world: &World<'_>, scene: &Scene<'_>, rule: &Ruled<Test>, what: &str) -> Violation {
    let broken = match &rule.item.test {
        TestKind::NoneOpen(kinds) => {
            let open = kinds.iter().filter(|kind| scene.open.contains_key(*kind));
            broken_phrase(world.law, &TestKind::NoneOpen(open.cloned().collect()))
        }
        test => broken_phrase(world.law, test),
    };
    Violation::new(Reason::Forbidden, "")
        .help_in(
            format!("{what}: {} ({})", broken.english, rule.path),
            format!("{}（{}）", broken.chinese, rule.path),
        )
        .articles(&rule.articles)
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
