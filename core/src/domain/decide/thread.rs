//! What a document answers, follows and replaces.

use super::World;
use crate::domain::document::Document;
use crate::domain::relation::{Answered, Relation};
use crate::domain::rulebook::{Answers, Table, Who};
use crate::domain::state::{DocumentRow, Key, Row, View};
use crate::ids::{AgencyCode, DocumentRef, DutyId, LedgerIndex};
use crate::refusal::{Reason, Violation};

/// A document's place among others.
pub(super) struct Thread<'v> {
    /// What it answers.
    pub(super) answered: Option<Answered<'v>>,
    /// What it replaces.
    pub(super) replaced: Option<&'v DocumentRow>,
    /// The first record of its thread.
    pub(super) root: LedgerIndex,
}

/// Finds what a document answers, follows and replaces; adds what is wrong to `violations`.
pub(super) fn find<'v>(
    view: &'v View<'_>,
    world: &World<'_>,
    document: &'v Document,
    table: &Table,
    violations: &mut Vec<Violation>,
) -> Thread<'v> {
    let answered = match answered(view, world, document, table) {
        Ok(answered) => answered,
        Err(violation) => {
            violations.push(violation);
            None
        }
    };
    for (place, earlier) in document.after.iter().enumerate() {
        let seen = row(view, earlier)
            .is_some_and(|row| sees(world, &document.sender, &earlier.sender, row));
        if !seen {
            let field = format!("after_documents[{place}]");
            violations.push(Violation::new(Reason::PredecessorMissing, field));
        }
    }
    let replaced = document.replaces.as_ref().and_then(|earlier| {
        let found = row(view, earlier).filter(|row| {
            earlier.sender == document.sender
                && row.kind == document.kind
                && row.replaced_by.is_none()
                && row.withdrawn_by.is_none()
        });
        if found.is_none() {
            violations.push(Violation::new(Reason::ReplacesNothing, "replaces"));
        }
        found
    });
    let root = answered.map(|a| a.row.thread).or(replaced.map(|r| r.thread));
    Thread { answered, replaced, root: root.unwrap_or(world.index) }
}

/// Who made the proposal that the ruling decided to which the answered document objects: the ruling met
/// what the proposal had asked of the court. It is looked for only where the rulebook sends it something.
pub(super) fn proposer(view: &View<'_>, table: &Table, thread: &Thread<'_>) -> Option<AgencyCode> {
    let wanted = Who::Relation(Relation::ProposerOfRuling);
    table.to.iter().chain(&table.copies).find(|entry| entry.item.who == wanted)?;
    let answered = thread.answered?;
    let Some(Row::Closed(met)) = view.get(&Key::ClosedBy(answered.row.in_reply_to?)) else {
        return None;
    };
    let opened_by = |id: &DutyId| match view.get(&Key::Duty(*id)) {
        Some(Row::Duty(duty)) => Some(&duty.opened_by.sender),
        _ => None,
    };
    // A second ruling meets what an earlier objection asked, and each what it owes by itself.
    let is_other = |it: &&AgencyCode| {
        **it != answered.document.sender
            && answered.row.addressed.iter().all(|addressed| addressed.agency != **it)
    };
    met.iter().filter_map(opened_by).find(is_other).cloned()
}

fn answered<'v>(
    view: &'v View<'_>,
    world: &World<'_>,
    document: &'v Document,
    table: &Table,
) -> Result<Option<Answered<'v>>, Violation> {
    let refuse = || Violation::new(Reason::ReplyToNothing, "in_reply_to").articles(&table.articles);
    let Some(reference) = &document.in_reply_to else {
        return match &table.answers {
            Answers::Nothing => Ok(None),
            Answers::Any => Err(refuse()),
            Answers::Types(types) => {
                let names: Vec<&str> = types.iter().map(|t| t.as_str()).collect();
                let english = format!("must answer one of: {}", names.join(", "));
                Err(refuse().help_in(english, format!("须答复下列之一：{}", names.join("、"))))
            }
        };
    };
    let row = row(view, reference).filter(|row| {
        let kind_fits = may_answer(&table.answers, row) || may_answer(&table.may_answer, row);
        kind_fits && sees(world, &document.sender, &reference.sender, row)
    });
    row.map(|row| Some(Answered { document: reference, row })).ok_or_else(refuse)
}

fn may_answer(answers: &Answers, row: &DocumentRow) -> bool {
    match answers {
        Answers::Nothing => false,
        Answers::Any => true,
        Answers::Types(types) => types.contains(&row.kind),
    }
}

/// Whether `reader` may see a document: its sender, an addressee, a supervisor as recorded, or the
/// successor of one of these (P7).
pub(super) fn sees(
    world: &World<'_>,
    reader: &AgencyCode,
    sender: &AgencyCode,
    row: &DocumentRow,
) -> bool {
    let stands_for = |owner: &AgencyCode| world.directory.stands_for(reader, owner);
    stands_for(sender)
        || row.addressed.iter().any(|addressee| stands_for(&addressee.agency))
        || row.supervisors.iter().any(stands_for)
}

/// The row of a document.
pub(super) fn row<'v>(view: &'v View<'_>, document: &DocumentRef) -> Option<&'v DocumentRow> {
    match view.get(&Key::Document(document.clone()))? {
        Row::Document(row) => Some(row),
        _ => None,
    }
}
