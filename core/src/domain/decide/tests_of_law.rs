//! The rules that a document must pass: some refuse, some flag. The hub refuses only where the law
//! lets it; what else looks wrong is taken and shown to the procuratorate.

use super::World;
use super::case::Found;
use super::routing::holds;
use super::thread::Thread;
use crate::domain::explain::broken_phrase;
use crate::domain::relation::Scene;
use crate::domain::rulebook::{Ruled, Table, Test, TestKind};
use crate::domain::state::View;
use crate::domain::state::{Key, Range, Row};
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

/// Runs the tests: what refuses goes to `violations`, what flags is returned.
pub(super) fn run(
    view: &View<'_>,
    world: &World<'_>,
    scene: &Scene<'_>,
    table: &Table,
    case: Option<&Found>,
    thread: &Thread<'_>,
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
            TestKind::Always => Some("ALWAYS_SHOWN"),
        };
        match broken {
            Some(what) if rule.item.refuse => {
                violations.push(forbidden(world, scene, rule, what));
            }
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
