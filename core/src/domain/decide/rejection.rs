//! A rejection (退件): not for us, signature invalid, attachment unreadable. Final; it opens the
//! sender's duty again, ends what the recipient would have owed but for a handover under way, and custody
//! stays where it is. A legal refusal (不予接收) is a document.

use std::collections::BTreeSet;

use super::acknowledgement::{bindings, delivery, settled};
use super::undone::Undone;
use super::{Decided, Decision, RejectionInput, World};
use crate::domain::agency::Kind as AgencyKind;
use crate::domain::duty::{Duty, Outcome, Owner};
use crate::domain::record::{Effect, Kind, Notice, Record, Rejected, RuledEffect, Settled, Signed};
use crate::domain::state::{Delivery, DocumentRow, Key, Row, View};
use crate::ids::{AgencyCode, DutyId};
use crate::refusal::{Reason, Refusal, Violation};

pub(super) fn decide(
    view: &View<'_>,
    world: &World<'_>,
    input: &RejectionInput,
) -> Result<Decision, Refusal> {
    let bindings = bindings(world, &input.agency, &input.statement)?;
    let delivery = delivery(view, &input.agency, input.number, &input.commitment, "inbox_number")?;
    match delivery.settled {
        Some((Settled::Rejected, by)) => return Ok(Decision::Known(vec![by])),
        Some(_) => {
            return Err(Violation::new(Reason::DeliverySettled, "inbox_number").into());
        }
        None => {}
    }
    let mut supervisors = BTreeSet::new();
    let mut effects = vec![settled(&input.agency, input.number, Settled::Rejected)];
    if let Some(Row::Document(row)) = view.get(&Key::Document(delivery.document.clone())) {
        supervisors.extend(row.supervisors.iter().cloned());
        if !delivery.copy {
            effects.extend(undone(view, world, input, delivery, row));
        }
    }
    // Notices raise no notices of their own.
    if !is_hub(world, &delivery.document.sender) {
        let to: BTreeSet<AgencyCode> =
            supervisors.iter().cloned().chain([delivery.document.sender.clone()]).collect();
        effects.push(RuledEffect {
            rule: "hub/rejection".to_owned(),
            articles: Vec::new(),
            effect: Effect::NoticeOwed { notice: Notice::Rejected, to },
        });
    }
    let kind = Kind::Rejected(Rejected {
        agency: input.agency.clone(),
        sender: delivery.document.sender.clone(),
        number: input.number,
        reason: input.reason.clone(),
        statement: Signed { bindings, ..input.statement.clone() },
        supervisors,
    });
    let record = Record { kind, effects };
    Ok(Decision::Record(Box::new(Decided { record, flagged: None, known: Vec::new(), link: None })))
}

fn is_hub(world: &World<'_>, agency: &AgencyCode) -> bool {
    world.directory.agency(agency).is_some_and(|agency| agency.kind == AgencyKind::Hub)
}

/// What becomes of the duties around the rejected document. The recipient need not do what it did not
/// take. The limit of a handover stays (P8), and with it the alarm, whoever is to act or to watch, unless
/// it runs from this receipt; and a limit of the person's own stays.
fn undone(
    view: &View<'_>,
    world: &World<'_>,
    input: &RejectionInput,
    delivery: &Delivery,
    row: &DocumentRow,
) -> Vec<RuledEffect> {
    let document = &delivery.document;
    let undone = Undone { view, document, row, rule: "hub/rejection", articles: &[] };
    let waits_for = Some((input.agency.clone(), input.number));
    let recipients = |(_, duty): &(DutyId, &Duty)| {
        let owes = duty.owner == Owner::Agency(input.agency.clone()) && !duty.handover;
        owes || duty.waits_for == waits_for
    };
    let not_owed: Vec<_> = undone.opened().into_iter().filter(recipients).collect();
    let mut effects = undone.close(&not_owed, Outcome::Cancelled);
    effects.extend(undone.reopen());
    effects.extend(undone.resume(world));
    effects
}
