//! Service on paper (线下送达): recorded with its date, it ends a delivery of its sender's own document
//! and meets what its sender owed by a document of the served type. It touches nobody else's.

use super::World;
use super::acknowledgement::{settled, started};
use super::thread::Thread;
use crate::domain::document::{Document, Fact};
use crate::domain::duty::{Duty, Outcome, Owner};
use crate::domain::record::{Effect, RuledEffect, Settled};
use crate::domain::rulebook::Table;
use crate::domain::state::{Key, Row, View};
use crate::domain::term::{Start, shanghai_date, term_expiry_due};
use crate::ids::{DutyId, Time};
use crate::refusal::{Reason, Violation};
use jiff::civil::Date;

/// What a record of service on paper does; nothing for any other document.
pub(super) fn effects(
    view: &View<'_>,
    world: &World<'_>,
    document: &Document,
    table: &Table,
    thread: &Thread<'_>,
    owed: &[(DutyId, &Duty)],
) -> Vec<RuledEffect> {
    let serves = table.base.serves;
    let (true, Some(day)) = (serves, document.date("served_date")) else { return Vec::new() };
    let Some(Fact::Text(kind)) = document.fact("served_type") else { return Vec::new() };
    let ruled = |effect| RuledEffect {
        rule: "hub/served_otherwise".to_owned(),
        articles: table.articles.clone(),
        effect,
    };
    let mut effects: Vec<RuledEffect> = owed
        .iter()
        .filter(|(_, duty)| {
            let own = matches!(
                &duty.owner,
                Owner::Agency(owner) if world.directory.stands_for(&document.sender, owner)
            );
            own && duty.closed_by.iter().any(|closer| closer.as_str() == kind)
        })
        .map(|(id, duty)| ruled(Effect::DutyClosed { duty: *id, outcome: met_on(duty, day) }))
        .collect();
    effects.extend(delivery(view, world, document, thread, day));
    effects
}

/// What a record of service on paper says that can't be: a type that no rulebook has, an agency that the
/// directory has not, a day to come. It would meet what is owed.
pub(super) fn check(
    world: &World<'_>,
    document: &Document,
    table: &Table,
    violations: &mut Vec<Violation>,
) {
    if !table.base.serves {
        return;
    }
    let is_known = |kind: &String| world.law.types().iter().any(|known| known.as_str() == kind);
    let unknown_type =
        matches!(document.fact("served_type"), Some(Fact::Text(kind)) if !is_known(kind));
    let agency = document.agency("served_agency");
    let unknown_agency = agency.is_some_and(|agency| world.directory.agency(agency).is_none());
    let today = shanghai_date(world.time.0);
    let to_come = document.date("served_date").is_some_and(|day| day > today);
    for (is_wrong, reason, field) in [
        (unknown_type, Reason::UnknownType, "served_type"),
        (unknown_agency, Reason::NoAgency, "served_agency"),
        (to_come, Reason::ImpossibleDate, "served_date"),
    ] {
        if is_wrong {
            violations.push(Violation::new(reason, field).articles(&table.articles));
        }
    }
}

/// Served on a day counts as done by the end of that day.
fn met_on(duty: &Duty, day: Date) -> Outcome {
    duty.met_at(Time(term_expiry_due(day).at_ms - 1))
}

/// The answered document's delivery to the served agency ends; limits from receipt run from that day.
fn delivery(
    view: &View<'_>,
    world: &World<'_>,
    document: &Document,
    thread: &Thread<'_>,
    day: Date,
) -> Vec<RuledEffect> {
    let (Some(answered), Some(agency)) = (thread.answered, document.agency("served_agency")) else {
        return Vec::new();
    };
    if !world.directory.stands_for(&document.sender, &answered.document.sender) {
        return Vec::new();
    }
    let Some(addressee) = answered.row.addressed.iter().find(|a| a.agency == *agency) else {
        return Vec::new();
    };
    let number = addressee.number;
    let open = matches!(
        view.get(&Key::Delivery(agency.clone(), number)),
        Some(Row::Delivery(delivery)) if delivery.settled.is_none()
    );
    if !open {
        return Vec::new();
    }
    let mut effects = vec![settled(agency, number, Settled::ServedOtherwise(day))];
    effects.extend(started(view, world, agency, number, Start::Day(day)));
    effects
}
