//! A rejection (退件): not for us, signature invalid, attachment unreadable. Final; it opens the
//! sender's duty again, ends what the recipient would have owed, and custody stays where it is. A legal
//! refusal (不予接收) is a document.

use std::collections::BTreeSet;

use super::acknowledgement::{bindings, delivery, settled};
use super::withdrawal::{closed, opened_by, reopened};
use super::{Decided, Decision, RejectionInput, World};
use crate::domain::agency::Kind as AgencyKind;
use crate::domain::duty::{Duty, Outcome, Owner};
use crate::domain::record::{Effect, Kind, Notice, Record, Rejected, RuledEffect, Settled, Signed};
use crate::domain::state::{DocumentRow, Key, Row, View};
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
            effects.extend(closed(
                &not_owed(view, input, row),
                Outcome::Cancelled,
                "hub/rejection",
                &[],
            ));
            effects.extend(reopened(view, delivery.index, "hub/rejection"));
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
    Ok(Decision::Record(Box::new(Decided { record, known: Vec::new(), link: None })))
}

fn is_hub(world: &World<'_>, agency: &AgencyCode) -> bool {
    world.directory.agency(agency).is_some_and(|agency| agency.kind == AgencyKind::Hub)
}

/// What the recipient need not do, as it did not take the document; a limit of the person's own stays,
/// and with it the alarm that nobody watches it.
fn not_owed<'v>(
    view: &'v View<'_>,
    input: &RejectionInput,
    row: &DocumentRow,
) -> Vec<(DutyId, &'v Duty)> {
    let delivery = Some((input.agency.clone(), input.number));
    let recipients = |(_, duty): &(DutyId, &Duty)| {
        duty.owner == Owner::Agency(input.agency.clone()) || duty.waits_for == delivery
    };
    opened_by(view, row).into_iter().filter(recipients).collect()
}
