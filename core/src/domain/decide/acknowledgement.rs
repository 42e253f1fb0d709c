//! An acknowledgement (签收): the recipient's signed word that its system holds the documents. It
//! meets no duty and moves no custody; it starts the limits that run from receipt.

use std::collections::BTreeSet;

use super::{AcknowledgementInput, Decided, Decision, World, limit, signers};
use crate::domain::agency::Purpose;
use crate::domain::duty::Duty;
use crate::domain::record::{Acknowledged, Effect, Kind, Record, RuledEffect, Settled, Signed};
use crate::domain::state::{Delivery, Key, Range, Row, View};
use crate::domain::term::Start;
use crate::ids::{AgencyCode, Digest, DutyId, InboxNumber, LedgerIndex};
use crate::limits;
use crate::refusal::{Reason, Refusal, Violation};

pub(super) fn decide(
    view: &View<'_>,
    world: &World<'_>,
    input: &AcknowledgementInput,
) -> Result<Decision, Refusal> {
    let count = input.items.len();
    if count == 0 || count > limits::ACKNOWLEDGED_ITEMS {
        let bound = Violation::new(Reason::TooLarge, "items");
        return Err(bound.help_in("1 to 256 deliveries", "须为1至256件送达").into());
    }
    let bindings = bindings(world, &input.agency, &input.statement)?;
    for (number, _) in &input.items {
        look_up(view, &input.agency, *number);
    }
    let mut known = BTreeSet::new();
    let mut open: Vec<(InboxNumber, &Delivery)> = Vec::new();
    let mut sender: Option<&AgencyCode> = None;
    for (place, (number, commitment)) in input.items.iter().enumerate() {
        let field = format!("items[{place}]");
        let delivery = delivery(view, &input.agency, *number, commitment, &field)?;
        if sender.is_some_and(|sender| *sender != delivery.document.sender) {
            return Err(Violation::new(Reason::MixedSenders, field).into());
        }
        sender = Some(&delivery.document.sender);
        match delivery.settled {
            Some((Settled::Acknowledged, by)) => {
                known.insert(by);
            }
            Some(_) => return Err(Violation::new(Reason::DeliverySettled, field).into()),
            None if open.iter().any(|(n, _)| n == number) => {}
            None => open.push((*number, delivery)),
        }
    }
    let known: Vec<LedgerIndex> = known.into_iter().collect();
    let (Some(sender), false) = (sender, open.is_empty()) else {
        return Ok(Decision::Known(known));
    };
    let mut supervisors = BTreeSet::new();
    let mut effects = Vec::new();
    for (number, delivery) in &open {
        if let Some(Row::Document(row)) = view.get(&Key::Document(delivery.document.clone())) {
            supervisors.extend(row.supervisors.iter().cloned());
        }
        effects.push(settled(&input.agency, *number, Settled::Acknowledged));
        let from = Start::Instant(world.time.0);
        effects.extend(started(view, world, &input.agency, *number, from));
    }
    let statement = Signed { bindings, ..input.statement.clone() };
    let kind = Kind::Acknowledged(Acknowledged {
        agency: input.agency.clone(),
        sender: sender.clone(),
        statement,
        supervisors,
    });
    let record = Record { kind, effects };
    Ok(Decision::Record(Box::new(Decided { record, flagged: None, known, link: None })))
}

/// Reads all that the decision reads of a delivery: what is missing is then loaded for all items at
/// once, and not for each in a round of its own.
fn look_up(view: &View<'_>, agency: &AgencyCode, number: InboxNumber) {
    let _ = waiting(view, agency, number);
    let _ = view.get(&Key::Inbox(agency.clone()));
    if let Some(Row::Delivery(delivery)) = view.get(&Key::Delivery(agency.clone(), number)) {
        let _ = view.entry(delivery.index);
        let _ = view.get(&Key::Document(delivery.document.clone()));
    }
}

/// The records that registered the certificates of a recipient's statement.
pub(super) fn bindings(
    world: &World<'_>,
    agency: &AgencyCode,
    statement: &Signed,
) -> Result<Vec<LedgerIndex>, Violation> {
    if world.directory.agency(agency).is_none() {
        return Err(Violation::new(Reason::UnknownSender, "agency"));
    }
    let certificates: Vec<Digest> = statement.signatures.iter().map(|s| s.certificate).collect();
    signers::bindings(world, agency, &certificates, Purpose::Acknowledgement)
}

/// The delivery of that number, if its record's commitment is the one named.
pub(super) fn delivery<'v>(
    view: &'v View<'_>,
    agency: &AgencyCode,
    number: InboxNumber,
    commitment: &Digest,
    field: &str,
) -> Result<&'v Delivery, Violation> {
    let unknown = || Violation::new(Reason::DeliveryUnknown, field);
    let Some(Row::Delivery(delivery)) = view.get(&Key::Delivery(agency.clone(), number)) else {
        return Err(unknown());
    };
    // A leaf ends with the commitment to its record (`docs/formats.md`: version, time, commitment).
    let fits = view.entry(delivery.index).is_some_and(|entry| entry.leaf.ends_with(&commitment.0));
    if fits { Ok(delivery) } else { Err(unknown()) }
}

/// The effect that ends a delivery.
pub(super) fn settled(agency: &AgencyCode, number: InboxNumber, how: Settled) -> RuledEffect {
    RuledEffect {
        rule: "hub/receipt".to_owned(),
        articles: Vec::new(),
        effect: Effect::DeliverySettled { agency: agency.clone(), number, how },
    }
}

/// The limits that run from the receipt of this delivery, at `from`. They begin to run whether or not
/// what they ask for is done already: it may yet come to nothing.
pub(super) fn started(
    view: &View<'_>,
    world: &World<'_>,
    agency: &AgencyCode,
    number: InboxNumber,
    from: Start,
) -> Vec<RuledEffect> {
    waiting(view, agency, number)
        .into_iter()
        .map(|(id, duty)| RuledEffect {
            rule: "hub/receipt".to_owned(),
            articles: Vec::new(),
            effect: Effect::DutyStarted { duty: id, from, timing: limit::begun(world, duty, from) },
        })
        .collect()
}

/// The duties whose limits run from the receipt of this delivery.
pub(super) fn waiting<'v>(
    view: &'v View<'_>,
    agency: &AgencyCode,
    number: InboxNumber,
) -> Vec<(DutyId, &'v Duty)> {
    let keys = view.range(&Range::Waiting(agency.clone(), number));
    let duty = |key| {
        let Key::Waiting(_, _, id) = key else { return None };
        match view.get(&Key::Duty(id)) {
            Some(Row::Duty(duty)) => Some((id, &**duty)),
            _ => None,
        }
    };
    keys.into_iter().filter_map(duty).collect()
}
