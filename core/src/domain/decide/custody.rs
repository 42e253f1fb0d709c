//! What a document does to custody (监管责任), and who answers for the person then.

use super::case::Found;
use super::routing::{holds, violation};
use super::thread::Thread;
use crate::domain::custody::{CustodyChange, CustodyTable, Holder, Move, State, Step, Taken};
use crate::domain::document::Document;
use crate::domain::explain::{state_phrase, step_phrase};
use crate::domain::record::CaseSet;
use crate::domain::relation::{RoleRef, Scene};
use crate::domain::role::Role;
use crate::domain::rulebook::{CustodyRule, Table, Who};
use crate::domain::state::Case;
use crate::ids::AgencyCode;
use crate::refusal::{Reason, Violation};

/// A step of custody that is taken.
#[derive(Debug, Clone)]
pub(super) struct Stepped {
    /// The step.
    pub(super) step: Step,
    /// What it changes.
    pub(super) change: CustodyChange,
    /// It fits no pair of the table: shown to the procuratorate.
    pub(super) flagged: bool,
}

/// The step that `document` takes, if any.
pub(super) fn step_of(table: &Table, document: &Document, thread: &Thread<'_>) -> Option<Step> {
    match &table.base.custody {
        CustodyRule::Nothing => None,
        CustodyRule::Step(step) => Some(*step),
        CustodyRule::ByField(field, steps) => {
            let value = document.word(field).unwrap_or_default();
            steps.iter().find(|(word, _)| *word == value).map(|(_, step)| *step)
        }
        CustodyRule::ByAnswer(steps) => {
            let answered = thread.answered?;
            steps.iter().find(|(kind, _)| *kind == answered.row.kind).map(|(_, step)| *step)
        }
    }
}

/// Whether a document takes no step by what a field of it says: it leaves all duties as they are too.
pub(super) fn leaves_all(table: &Table, step: Option<Step>) -> bool {
    matches!(table.base.custody, CustodyRule::ByField(..)) && step.is_none()
}

/// Takes `step` in `found`: roles and custody of the case change. `scene` is before the step; `held_on`:
/// what ends is not all that the person is held for.
///
/// # Errors
/// The step is impossible now, or nobody would answer for the person.
pub(super) fn take<'s>(
    rules: &CustodyTable,
    scene: &Scene<'s>,
    found: &mut Found,
    table: &Table,
    step: Step,
    held_on: bool,
) -> Result<Stepped, Violation> {
    let (moved, flagged) = match rules.take(&found.case.custody, step) {
        Taken::Moved(moved) => (moved, false),
        Taken::Flagged(moved) => (moved, true),
        Taken::Refused => {
            let refused = Violation::new(Reason::ImpossibleStep, "").articles(&table.articles);
            let state = found.case.custody.state;
            let english = format!("{} while {}", step.word(), state.word());
            let (step, state) = (step_phrase(step).chinese, state_phrase(state).chinese);
            return Err(match is_concerned(scene, &found.case) {
                true => refused.help_in(english, format!("{step}，监管状态为{state}")),
                false => refused,
            });
        }
    };
    if !flagged {
        move_roles(scene, &moved, found);
        settle_place(found, step);
    }
    let guard = moved.guard.filter(|held| *held || !held_on).and_then(|held| holder(scene, held));
    let change = CustodyChange {
        moved: match moved.state {
            Some(state) => Some((state, answers(rules, scene, found, state)?)),
            None => None,
        },
        missing: moved.missing,
        arrested: match &guard {
            // Whoever is held by nobody is not under arrest either.
            Some(Holder::Nobody) => Some(false),
            Some(Holder::Agency(_)) if step == Step::Arrest => Some(true),
            None if step == Step::Arrest && found.case.custody.guard.is_some() => Some(true),
            _ => None,
        },
        guard,
        proposal: moved.proposal,
    };
    found.case.custody = found.case.custody.after(&change);
    Ok(Stepped { step, change, flagged })
}

/// Whether the person concerns the sender now: who was once party to the case learns of no state (P7).
fn is_concerned(scene: &Scene<'_>, case: &Case) -> bool {
    let sender = &scene.document.sender;
    case.concerned().any(|agency| scene.directory.stands_for(sender, agency))
}

/// Who holds the person after a step that sets it or clears it: somebody only where the document names
/// who does. One that names nobody leaves the person with who held them before.
fn holder(scene: &Scene<'_>, held: bool) -> Option<Holder> {
    if !held {
        return Some(Holder::Nobody);
    }
    scene.document.agency(&Role::Guard.field()).cloned().map(Holder::Agency)
}

/// After a step a role is who was in another before it.
fn move_roles(scene: &Scene<'_>, moved: &Move, found: &mut Found) {
    let before: Vec<(Role, Option<AgencyCode>)> = moved
        .roles
        .iter()
        .map(|(role, from)| {
            let holder = from.and_then(|from| match from {
                RoleRef::Case(role) => found.case.roles.get(&role).cloned(),
                other => scene.role(other),
            });
            (*role, holder)
        })
        .collect();
    for (role, holder) in before {
        let cleared = moved.roles.iter().any(|(r, from)| *r == role && from.is_none());
        if holder.is_some() || cleared {
            found.set(CaseSet::Role(role, holder));
        }
    }
}

/// Registration at the new place ends the move; a refusal or a recall ends it at the old one.
fn settle_place(found: &mut Found, step: Step) {
    if found.case.custody.state != State::Moving {
        return;
    }
    let pending = found.case.pending_place.clone();
    match step {
        Step::Accept => {
            if let Some(place) = pending {
                found.set(CaseSet::Place(place));
            }
            found.set(CaseSet::PendingPlace(None));
        }
        Step::Refuse | Step::Recall => found.set(CaseSet::PendingPlace(None)),
        _ => {}
    }
}

/// Who answers for the person in `state`: the first entry of the table that holds and is known.
fn answers(
    rules: &CustodyTable,
    scene: &Scene<'_>,
    found: &Found,
    state: State,
) -> Result<Option<AgencyCode>, Violation> {
    let after = Scene { case: Some(&found.case), ..scene.clone() };
    let mut last = None;
    for entry in rules.answers_entries(state) {
        let Who::Relation(relation) = &entry.who else { continue };
        if !holds(&after, entry.when.as_ref()) {
            continue;
        }
        match after.resolve(relation) {
            Ok(found) => {
                if let Some(first) = found.into_iter().next() {
                    return Ok(Some(first.agency));
                }
            }
            Err(unresolved) => last = Some(violation(&after, relation, &unresolved, &[])),
        }
    }
    last.map_or(Ok(None), Err)
}
