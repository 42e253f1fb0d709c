//! Withdrawal (撤回) and replacement (更正重发): what an earlier document opened ends.

use super::thread::Thread;
use crate::domain::custody::Step;
use crate::domain::duty::{Duty, Outcome};
use crate::domain::record::{Effect, RuledEffect};
use crate::domain::rulebook::Table;
use crate::domain::state::{DocumentRow, Key, Range, Row, View};
use crate::ids::DutyId;
use crate::refusal::{Reason, Violation};

/// What a withdrawal does: the duties that the withdrawn document opened end. It is refused where the
/// document was answered already: no duty of its addressee is open, and no step of custody undoes it.
pub(super) fn effects(
    view: &View<'_>,
    table: &Table,
    thread: &Thread<'_>,
    step: Option<Step>,
    violations: &mut Vec<Violation>,
) -> Vec<RuledEffect> {
    let withdraws = table.base.withdraws;
    let (true, Some(answered)) = (withdraws, thread.answered) else { return Vec::new() };
    let opened = opened_by(view, answered.row);
    let open = opened.iter().any(|(_, duty)| *duty.owner.agency() != answered.document.sender);
    if answered.row.withdrawn_by.is_some() || (!open && step.is_none()) {
        violations.push(
            Violation::new(Reason::Forbidden, "in_reply_to")
                .help("it was answered, accepted or withdrawn before")
                .articles(&table.articles),
        );
        return Vec::new();
    }
    let mut effects = closed(&opened, Outcome::Withdrawn, table);
    effects.push(RuledEffect {
        rule: "hub/withdrawal".to_owned(),
        articles: table.articles.clone(),
        effect: Effect::Withdrawn { document: answered.document.clone() },
    });
    effects
}

/// What a replacement does to the duties that its predecessor opened: it opens its own.
pub(super) fn replaced(view: &View<'_>, thread: &Thread<'_>, table: &Table) -> Vec<RuledEffect> {
    let opened = thread.replaced.map(|row| opened_by(view, row)).unwrap_or_default();
    closed(&opened, Outcome::Replaced, table)
}

fn closed(opened: &[(DutyId, &Duty)], outcome: Outcome, table: &Table) -> Vec<RuledEffect> {
    let close = |(id, _): &(DutyId, &Duty)| RuledEffect {
        rule: "hub/withdrawal".to_owned(),
        articles: table.articles.clone(),
        effect: Effect::DutyClosed { duty: *id, outcome },
    };
    opened.iter().map(close).collect()
}

/// The duties that a document opened and that are owed still.
fn opened_by<'v>(view: &'v View<'_>, row: &DocumentRow) -> Vec<(DutyId, &'v Duty)> {
    let range = row.case.map_or(Range::OwedInThread(row.thread), Range::OwedInCase);
    let ids = view.range(&range).into_iter().filter_map(|key| match key {
        Key::OwedInCase(_, id) | Key::OwedInThread(_, id) if id.index == row.index => Some(id),
        _ => None,
    });
    ids.filter_map(|id| match view.get(&Key::Duty(id)) {
        Some(Row::Duty(duty)) => Some((id, &**duty)),
        _ => None,
    })
    .collect()
}
