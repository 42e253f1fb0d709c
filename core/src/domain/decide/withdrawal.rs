//! Withdrawal (撤回), replacement (更正重发) and what rejection (退件) has in common with them: what an
//! earlier document opened ends, and what it had met is owed again.

use super::duties;
use super::thread::Thread;
use crate::domain::custody::Step;
use crate::domain::duty::{Duty, DutyState, Outcome};
use crate::domain::record::{Effect, RuledEffect};
use crate::domain::rulebook::Table;
use crate::domain::state::{DocumentRow, Key, Range, Row, View};
use crate::ids::{DutyId, LedgerIndex};
use crate::refusal::{Reason, Violation};

/// What a withdrawal does: the duties that the withdrawn document opened end, and those that it had
/// met are owed again. It is refused where the document was answered already: no duty of its addressee
/// is open, and no step of custody undoes it.
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
    let mut effects = closed(&opened, Outcome::Withdrawn, "hub/withdrawal", &table.articles);
    effects.extend(reopened(view, answered.row.index, "hub/withdrawal"));
    effects.push(RuledEffect {
        rule: "hub/withdrawal".to_owned(),
        articles: table.articles.clone(),
        effect: Effect::Withdrawn { document: answered.document.clone() },
    });
    effects
}

/// What a replacement does to the duties that its predecessor opened and that it does not end
/// otherwise: it opens its own.
pub(super) fn replaced(
    view: &View<'_>,
    thread: &Thread<'_>,
    table: &Table,
    touched: &[RuledEffect],
) -> Vec<RuledEffect> {
    let mut opened = thread.replaced.map(|row| opened_by(view, row)).unwrap_or_default();
    opened.retain(|(id, _)| !duties::ends(touched, *id));
    closed(&opened, Outcome::Replaced, "hub/withdrawal", &table.articles)
}

/// Ends these duties.
pub(super) fn closed(
    duties: &[(DutyId, &Duty)],
    outcome: Outcome,
    rule: &str,
    articles: &[String],
) -> Vec<RuledEffect> {
    let close = |(id, _): &(DutyId, &Duty)| RuledEffect {
        rule: rule.to_owned(),
        articles: articles.to_vec(),
        effect: Effect::DutyClosed { duty: *id, outcome },
    };
    duties.iter().map(close).collect()
}

/// The duties that the record at `index` had met, which are owed again: what met them does not count.
pub(super) fn reopened(view: &View<'_>, index: LedgerIndex, rule: &str) -> Vec<RuledEffect> {
    let Some(Row::Closed(met)) = view.get(&Key::ClosedBy(index)) else { return Vec::new() };
    let still_closed = |id: &&DutyId| {
        matches!(
            view.get(&Key::Duty(**id)),
            Some(Row::Duty(duty))
                if matches!(duty.state, DutyState::Closed { by, .. } if by == index)
        )
    };
    let reopen = |id: &DutyId| RuledEffect {
        rule: rule.to_owned(),
        articles: Vec::new(),
        effect: Effect::DutyReopened { duty: *id },
    };
    met.iter().filter(still_closed).map(reopen).collect()
}

/// The duties that a document opened and that are owed still.
pub(super) fn opened_by<'v>(view: &'v View<'_>, row: &DocumentRow) -> Vec<(DutyId, &'v Duty)> {
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
