//! Withdrawal (撤回) and replacement (更正重发): what an earlier document opened ends. Refusal (不予接收):
//! what it had met is owed again.

use super::World;
use super::thread::Thread;
use super::undone::Undone;
use crate::domain::custody::Step;
use crate::domain::document::Document;
use crate::domain::duty::Outcome;
use crate::domain::record::{Effect, RuledEffect};
use crate::domain::rulebook::Table;
use crate::domain::state::View;
use crate::domain::term::shanghai_date;
use crate::ids::DocumentType;
use crate::refusal::{Reason, Violation};

const RULE: &str = "hub/withdrawal";

/// What a withdrawal does: the duties that the withdrawn document opened end, and those of documents
/// that stand only beside an open one of its type; those that it had met are owed again, and limits that
/// it had stopped run again. It is refused where the document was answered already (no duty of its
/// addressee is open, and no step of custody undoes it), or replaced: what replaced it stands for it, and a
/// step back would leave the person to nobody (P8).
pub(super) fn effects(
    view: &View<'_>,
    world: &World<'_>,
    table: &Table,
    thread: &Thread<'_>,
    step: Option<Step>,
    violations: &mut Vec<Violation>,
) -> Vec<RuledEffect> {
    let withdraws = table.base.withdraws;
    let (true, Some(answered)) = (withdraws, thread.answered) else { return Vec::new() };
    let (document, row, articles) = (answered.document, answered.row, &table.articles);
    let undone = Undone { view, document, row, rule: RULE, articles };
    let opened = undone.opened();
    let open = opened.iter().any(|(_, duty)| *duty.owner.agency() != document.sender);
    let help = if row.replaced_by.is_some() {
        Some(("it was replaced: withdraw what replaced it", "该文书已被更正，请撤回更正后的文书"))
    } else if row.withdrawn_by.is_some() || (!open && step.is_none()) {
        Some(("it was answered, accepted or withdrawn before", "该文书已被答复、接收或者撤回"))
    } else {
        None
    };
    if let Some((english, chinese)) = help {
        let refused = Violation::new(Reason::Forbidden, "in_reply_to").help_in(english, chinese);
        violations.push(refused.articles(articles));
        return Vec::new();
    }
    let mut effects = undone.close(&opened, Outcome::Withdrawn);
    let day = shanghai_date(world.time.0);
    let hangs = |kind: &DocumentType| {
        world.law.on(day).table(kind).is_some_and(|table| table.needs_open(&row.kind))
    };
    let beside = undone.beside().into_iter().filter(|(_, duty)| hangs(&duty.opener));
    effects.extend(undone.close(&beside.collect::<Vec<_>>(), Outcome::Withdrawn));
    effects.extend(undone.reopen());
    effects.extend(undone.resume(world));
    effects.push(RuledEffect {
        rule: RULE.to_owned(),
        articles: articles.clone(),
        effect: Effect::Withdrawn { document: document.clone() },
    });
    effects
}

/// What a refusal (不予接收、不予收监) does: the person was not taken over, so what the refused handover
/// had met is owed again.
pub(super) fn refused(
    view: &View<'_>,
    table: &Table,
    thread: &Thread<'_>,
    step: Option<Step>,
) -> Vec<RuledEffect> {
    let (Some(Step::Refuse), Some(answered)) = (step, thread.answered) else { return Vec::new() };
    let (document, row, articles) = (answered.document, answered.row, &table.articles);
    Undone { view, document, row, rule: "hub/refusal", articles }.reopen()
}

/// What a replacement does to the duties that its predecessor opened: it opens its own.
pub(super) fn replaced(
    view: &View<'_>,
    document: &Document,
    thread: &Thread<'_>,
    table: &Table,
) -> Vec<RuledEffect> {
    let (Some(document), Some(row)) = (&document.replaces, thread.replaced) else {
        return Vec::new();
    };
    let undone = Undone { view, document, row, rule: RULE, articles: &table.articles };
    undone.close(&undone.opened(), Outcome::Replaced)
}
