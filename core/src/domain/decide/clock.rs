//! What passing time does: a limit is near, passed, or computed anew; a delivery is not signed for.
//! Each step happens once: it is decided from the duty's own row, in the transaction that changes it.

use std::collections::BTreeSet;

use super::{ClockInput, Decided, Decision, World, limit};
use crate::domain::duty::{Duty, Force, Outcome};
use crate::domain::policy::supervisor;
use crate::domain::record::{
    Clock, DutyChange, DutyStep, Effect, Kind, Notice, Outage, Record, RuledEffect, Timing,
};
use crate::domain::role::Role;
use crate::domain::state::{Key, Row, View};
use crate::domain::term::Start;
use crate::ids::{AgencyCode, CaseRef, DutyId, InboxNumber, Time};

/// So long after an outage nothing is declared missed.
const SETTLING_MS: i64 = 30 * 60_000;

/// From when on limits are declared missed again: whoever waited for the hub comes first.
#[must_use]
pub fn settled_after(outage: &Outage) -> Time {
    Time(outage.until.0.saturating_add(SETTLING_MS))
}

/// Decides; nothing happens where nothing is due.
pub(super) fn decide(view: &View<'_>, world: &World<'_>, input: &ClockInput) -> Decision {
    let record = match input {
        ClockInput::Duty(duty) => look(view, world, *duty),
        ClockInput::Recompute(duty) => recompute(view, world, *duty),
        ClockInput::Unacknowledged { agency, sender, numbers } => {
            unacknowledged(view, world, agency, sender, numbers)
        }
    };
    match record {
        Some(record) => {
            Decision::Record(Box::new(Decided { record, known: Vec::new(), link: None }))
        }
        None => Decision::Known(Vec::new()),
    }
}

/// A duty at the time of its next look.
struct Look<'l, 'a> {
    view: &'l View<'l>,
    world: &'l World<'a>,
    id: DutyId,
    duty: &'l Duty,
}

fn look(view: &View<'_>, world: &World<'_>, id: DutyId) -> Option<Record> {
    let duty = owed(view, id).filter(|duty| duty.wake.is_some_and(|wake| wake <= world.time))?;
    let outage = match view.get(&Key::Outage) {
        Some(Row::Outage(outage)) => Some(*outage),
        _ => None,
    };
    if outage.is_some_and(|outage| world.time < settled_after(&outage)) {
        return None;
    }
    let look = Look { view, world, id, duty };
    match duty.due {
        Some(due) if world.time < due => Some(look.forewarned(due)),
        Some(_) => Some(look.passed(outage)),
        None => None,
    }
}

fn recompute(view: &View<'_>, world: &World<'_>, id: DutyId) -> Option<Record> {
    let duty = owed(view, id).filter(|duty| duty.provisional && duty.suspended.is_none())?;
    let timing = match duty.runs_from {
        Some(from) => limit::counted(world, duty, from),
        None => limit::rolled(world, duty)?,
    };
    if timing.provisional && timing.due == duty.due {
        return None;
    }
    let look = Look { view, world, id, duty };
    Some(look.record(
        DutyStep::Recomputed,
        None,
        vec![look.changed(DutyChange::Recomputed, timing)],
    ))
}

fn owed<'v>(view: &'v View<'_>, id: DutyId) -> Option<&'v Duty> {
    match view.get(&Key::Duty(id)) {
        Some(Row::Duty(duty)) if duty.is_owed() => Some(duty),
        _ => None,
    }
}

impl Look<'_, '_> {
    /// Its limit is near, or its window is open. At most one more look lies before the limit itself.
    fn forewarned(&self, due: Time) -> Record {
        let next = self.world.reminders.next(self.world.time, self.duty.not_before, due);
        // The opening of a window is told of too.
        let opened = self.duty.not_before.is_some() && self.duty.wake == self.duty.not_before;
        let wake = if opened && next > self.world.time { next } else { due };
        let mut effects = vec![
            self.changed(DutyChange::Forewarned, Timing { wake: Some(wake), ..self.timing() }),
        ];
        effects.extend(self.notice(Notice::Forewarned, [self.owner().clone()].into()));
        self.record(DutyStep::Forewarned, None, effects)
    }

    fn passed(&self, outage: Option<Outage>) -> Record {
        if self.duty.force == Force::Right {
            let lapsed = Effect::DutyClosed { duty: self.id, outcome: Outcome::Lapsed };
            return self.record(DutyStep::Lapsed, None, vec![self.ruled(lapsed)]);
        }
        let wake = Some(self.world.reminders.again(self.world.time));
        let timing = Timing { wake, ..self.timing() };
        let mut effects = vec![self.changed(DutyChange::Passed, timing)];
        effects.extend(self.duty.if_missed.as_ref().map(|next| self.follows(next)));
        let (step, notice, to) = match self.duty.force {
            // That a person has not arrived is everybody's concern, once the first reminder is over.
            Force::Soft if self.duty.handover && self.duty.warned.times() > 0 => {
                (DutyStep::Reminded, Notice::Reminded, self.all_concerned())
            }
            Force::Soft => {
                (DutyStep::Reminded, Notice::Reminded, BTreeSet::from([self.owner().clone()]))
            }
            _ if self.duty.handover => {
                (DutyStep::HandoverMissed, Notice::HandoverMissed, self.all_concerned())
            }
            _ => (DutyStep::Missed, Notice::Missed, self.all_concerned()),
        };
        effects.extend(self.notice(notice, to));
        let touched = outage.filter(|outage| {
            let due = self.duty.due.unwrap_or(self.world.time);
            let begins = due.0.saturating_sub(self.world.reminders.forewarn_ms);
            self.duty.warned.times() == 0 && outage.from < due && outage.until.0 >= begins
        });
        self.record(step, touched, effects)
    }

    /// What opens because this one passed undone.
    fn follows(&self, next: &Duty) -> RuledEffect {
        let timing = limit::from_now(self.world, next);
        let duty = Duty {
            not_before: timing.not_before,
            due: timing.due,
            provisional: timing.provisional,
            wake: timing.wake,
            runs_from: (next.force != Force::Soft).then_some(Start::Instant(self.world.time.0)),
            ..next.clone()
        };
        RuledEffect {
            rule: next.rule.clone(),
            articles: next.articles.clone(),
            effect: Effect::DutyOpened(Box::new(duty)),
        }
    }

    fn timing(&self) -> Timing {
        let Duty { not_before, due, provisional, wake, .. } = *self.duty;
        Timing { not_before, due, provisional, wake }
    }

    fn changed(&self, change: DutyChange, timing: Timing) -> RuledEffect {
        let owner = self.duty.owner.clone();
        self.ruled(Effect::DutyChanged { duty: self.id, change, owner, timing })
    }

    fn notice(&self, notice: Notice, to: BTreeSet<AgencyCode>) -> Option<RuledEffect> {
        (!to.is_empty()).then(|| self.ruled(Effect::NoticeOwed { notice, to }))
    }

    fn ruled(&self, effect: Effect) -> RuledEffect {
        RuledEffect { rule: self.duty.rule.clone(), articles: self.duty.articles.clone(), effect }
    }

    fn owner(&self) -> &AgencyCode {
        self.duty.owner.agency()
    }

    /// Who owes it, to whom it is owed, and who supervises (检察监督).
    fn all_concerned(&self) -> BTreeSet<AgencyCode> {
        let mut all = self.parties();
        all.extend(self.supervisors());
        all
    }

    fn parties(&self) -> BTreeSet<AgencyCode> {
        [self.owner()].into_iter().chain(&self.duty.creditor).cloned().collect()
    }

    /// Of the owner; and, as the person may be lost, of whoever answers for them.
    fn supervisors(&self) -> BTreeSet<AgencyCode> {
        let responsible = self.duty.case.filter(|_| self.duty.handover);
        let responsible = responsible.and_then(|case| answers(self.view, case));
        [self.owner()]
            .into_iter()
            .chain(responsible)
            .filter_map(|code| supervisor(self.world.directory, code).cloned())
            .collect()
    }

    fn record(&self, step: DutyStep, outage: Option<Outage>, effects: Vec<RuledEffect>) -> Record {
        let kind = Kind::Clock(Clock::Duty {
            duty: self.id,
            step,
            times: match step {
                DutyStep::Missed | DutyStep::HandoverMissed | DutyStep::Reminded => {
                    self.duty.warned.times().saturating_add(1)
                }
                DutyStep::Forewarned | DutyStep::Recomputed | DutyStep::Lapsed => 0,
            },
            outage,
            agencies: self.parties(),
            supervisors: self.supervisors(),
        });
        Record { kind, effects }
    }
}

/// Who answers for the person of a case.
fn answers<'v>(view: &'v View<'_>, case: CaseRef) -> Option<&'v AgencyCode> {
    let Some(Row::Case(case)) = view.get(&Key::Case(case)) else { return None };
    case.custody.answers.as_ref().or(case.roles.get(&Role::ResponsibleAgency))
}

/// One sender's deliveries in an inbox that nobody signed for: told of once each, to the sender and to
/// who supervises the addressee. No sender learns of another.
fn unacknowledged(
    view: &View<'_>,
    world: &World<'_>,
    agency: &AgencyCode,
    sender: &AgencyCode,
    numbers: &[InboxNumber],
) -> Option<Record> {
    let told = match view.get(&Key::Told(agency.clone(), sender.clone())) {
        Some(Row::Told(number)) => *number,
        _ => InboxNumber(0),
    };
    let old = Time(world.time.0.saturating_sub(world.reminders.unacknowledged_ms));
    let lies = |number: &&InboxNumber| {
        let delivery = view.get(&Key::Delivery(agency.clone(), **number));
        matches!(
            delivery,
            Some(Row::Delivery(delivery))
                if delivery.settled.is_none()
                    && delivery.time <= old
                    && delivery.document.sender == *sender
        )
    };
    let number = numbers.iter().filter(|number| **number > told).filter(lies).max().copied()?;
    let supervisors: BTreeSet<AgencyCode> =
        supervisor(world.directory, agency).cloned().into_iter().collect();
    let ruled = |effect| RuledEffect {
        rule: "hub/unacknowledged".to_owned(),
        articles: Vec::new(),
        effect,
    };
    let to = supervisors.iter().chain([sender]).cloned().collect();
    let effects = vec![
        ruled(Effect::UnacknowledgedTold {
            agency: agency.clone(),
            sender: sender.clone(),
            number,
        }),
        ruled(Effect::NoticeOwed { notice: Notice::Unacknowledged, to }),
    ];
    let agencies = [agency.clone(), sender.clone()].into();
    let kind = Kind::Clock(Clock::Unacknowledged {
        agency: agency.clone(),
        number,
        agencies,
        supervisors,
    });
    Some(Record { kind, effects })
}
