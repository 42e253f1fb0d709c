//! The checks bite: after a short run in which everything holds, each promise is broken on purpose,
//! in the state or in a record, and the account must say so.

use std::collections::BTreeSet;

use xianjie_core::domain::custody::State;
use xianjie_core::domain::record::{Clock, DutyStep, Effect, Kind, Record, RuledEffect, Settled};
use xianjie_core::domain::state::{Key, Row, Span};
use xianjie_core::ids::{AgencyCode, DutyId, InboxNumber, LedgerIndex, Time};

use crate::agencies::code;
use crate::hub::{Hub, Rows};
use crate::model::{Checked, Standing};
use crate::simulation::{DAY, Simulation, Size};

/// A province after 200 days, in which everything holds.
fn province() -> Simulation {
    province_after(200)
}

fn province_after(days: i64) -> Simulation {
    let mut simulation = Simulation::new(11, Size { persons: 60, days });
    simulation.run_on();
    simulation
}

/// What the audit says after `change` to the state.
fn audit_after(change: impl FnOnce(&mut Rows)) -> Checked {
    let mut simulation = province();
    change(&mut simulation.hub.rows);
    simulation.model.audit(&simulation.hub)
}

/// What the account says to a record that never was.
fn observed(make: impl FnOnce(&Simulation) -> (Record, BTreeSet<AgencyCode>)) -> Checked {
    let mut simulation = province();
    let (record, to) = make(&simulation);
    let index = LedgerIndex(simulation.hub.records.len() as u64);
    let now = simulation.now();
    simulation.model.observe(index, now, &record, &to)
}

fn breaks(checked: Checked, promise: &str, word: &str) {
    let fault = checked.unwrap_err();
    assert_eq!(fault.promise, promise, "{fault}");
    assert!(fault.what.contains(word), "{fault}");
}

/// The first row that `wanted` finds something in.
fn find<T>(rows: &Rows, wanted: impl Fn(&Key, &Row) -> Option<T>) -> T {
    rows.iter().find_map(|(key, row)| wanted(key, row)).unwrap()
}

fn delivery(rows: &Rows, settled: bool) -> Key {
    find(rows, |key, row| match row {
        Row::Delivery(it) if it.settled.is_some() == settled => Some(key.clone()),
        _ => None,
    })
}

/// A duty that is owed, runs, and is looked at later.
fn duty(rows: &Rows, handover: bool) -> (DutyId, Time) {
    find(rows, |key, row| match (key, row) {
        (Key::Duty(id), Row::Duty(it)) if it.is_owed() && it.handover == handover => {
            it.wake.map(|wake| (*id, wake))
        }
        _ => None,
    })
}

/// The newest document that was taken, and to whom it went.
fn document(hub: &Hub) -> (Record, BTreeSet<AgencyCode>) {
    let routed = |record: &Record| {
        let opened = record.effects.iter().filter_map(|ruled| match &ruled.effect {
            Effect::DeliveryOpened { agency, .. } => Some(agency.clone()),
            _ => None,
        });
        (record.clone(), opened.collect::<BTreeSet<_>>())
    };
    let all = hub.records.iter().rev().map(|(_, record)| routed(record));
    all.into_iter().find(|(_, to)| to.len() > 1).unwrap()
}

/// The newest document as if it came now, under a new name and with the numbers that are next.
fn another(simulation: &Simulation) -> (Record, BTreeSet<AgencyCode>) {
    let (mut record, to) = document(&simulation.hub);
    let rows = &simulation.hub.rows;
    if let Kind::Document(taken) = &mut record.kind {
        taken.document.id.0 = [9; 16];
        if let Some(Row::Sender(last)) = rows.get(&Key::Sender(taken.document.sender.clone())) {
            taken.sender_number = last.next();
        }
    }
    record.effects.retain(|ruled| matches!(ruled.effect, Effect::DeliveryOpened { .. }));
    for ruled in &mut record.effects {
        if let Effect::DeliveryOpened { agency, number, .. } = &mut ruled.effect
            && let Some(Row::Inbox(inbox)) = rows.get(&Key::Inbox(agency.clone()))
        {
            *number = inbox.last.next();
        }
    }
    (record, to)
}

fn step(duty: DutyId, step: DutyStep) -> (Record, BTreeSet<AgencyCode>) {
    let none = BTreeSet::new;
    let clock =
        Clock::Duty { duty, step, times: 1, outage: None, agencies: none(), supervisors: none() };
    (Record { kind: Kind::Clock(clock), effects: Vec::new() }, none())
}

#[test]
fn nothing_is_reported_where_everything_holds() {
    assert!(audit_after(|_| {}).is_ok());
    assert!(observed(another).is_ok());
}

#[test]
fn a_document_recorded_twice_breaks_p2() {
    let twice = observed(|simulation| {
        let (mut record, to) = another(simulation);
        let (old, _) = document(&simulation.hub);
        if let (Kind::Document(new), Kind::Document(old)) = (&mut record.kind, old.kind) {
            new.document = old.document;
        }
        (record, to)
    });
    breaks(twice, "P2", "twice");
}

#[test]
fn a_forgotten_delivery_breaks_p3() {
    let unlisted = audit_after(|rows| {
        let Key::Delivery(agency, number) = delivery(rows, false) else { panic!() };
        if let Some(Row::Unsettled(open)) = rows.get_mut(&Key::Unsettled(agency, Span::of(number)))
        {
            open.remove(number);
        }
    });
    breaks(unlisted, "P3", "index of unsettled");
    let signed = audit_after(|rows| {
        let key = delivery(rows, false);
        if let Some(Row::Delivery(row)) = rows.get_mut(&key) {
            row.settled = Some((Settled::Acknowledged, LedgerIndex(1)));
        }
    });
    breaks(signed, "P3", "by its records None");
    // Early, while papers are on their way all day.
    let mut untold = province_after(60);
    let later = Time(untold.now().0 + 30 * DAY);
    untold.hub.time = later;
    breaks(untold.model.deliveries.check_told(later), "P3", "is not told");
}

#[test]
fn a_gap_in_an_inbox_breaks_p4() {
    let lost = audit_after(|rows| {
        let key = delivery(rows, true);
        rows.remove(&key);
    });
    breaks(lost, "P4", "has no number");
    let skipped = observed(|simulation| {
        let (mut record, to) = another(simulation);
        if let Effect::DeliveryOpened { number, .. } = &mut record.effects[0].effect {
            *number = number.next();
        }
        (record, to)
    });
    breaks(skipped, "P4", "has number");
}

#[test]
fn a_document_in_the_wrong_hands_breaks_p7() {
    let leaked = audit_after(|rows| {
        let key = delivery(rows, true);
        let row = rows[&key].clone();
        rows.insert(Key::Delivery(code("360102-detention"), InboxNumber(1)), row);
    });
    breaks(leaked, "P7", "no record");
    let astray = observed(|simulation| {
        let (record, mut to) = another(simulation);
        to.pop_first();
        (record, to)
    });
    breaks(astray, "P7", "by law");
}

#[test]
fn a_person_between_two_agencies_breaks_p8() {
    let nobody = audit_after(|rows| {
        let case = rows.values_mut().find_map(|row| match row {
            Row::Case(case) if case.custody.state == State::InCorrection => Some(case),
            _ => None,
        });
        case.unwrap().custody.answers = None;
    });
    breaks(nobody, "P8", "None answers");
    let mut wrong = province();
    let case = find(&wrong.hub.rows, |key, row| match (key, row) {
        (Key::Case(case), Row::Case(row)) if row.custody.state == State::InCorrection => {
            Some(*case)
        }
        _ => None,
    });
    wrong.model.custody.stands(case, Standing::With(code("360102-police")));
    breaks(wrong.model.check_case(&wrong.hub, case), "P8", "by the papers");
    let mut asleep = province_after(75);
    asleep.hub.time = Time(asleep.now().0 + 400 * DAY);
    breaks(asleep.model.duties.check_awake(asleep.now()), "P8", "passed unseen");
    breaks(asleep.model.audit(&asleep.hub), "P8", "without an alarm");
}

#[test]
fn a_handover_that_is_closed_and_not_made_breaks_p8() {
    let mut simulation = province();
    let (id, case) = find(&simulation.hub.rows, |key, row| match (key, row) {
        (Key::Duty(id), Row::Duty(it)) if it.is_owed() && it.handover => {
            let case = it.case?;
            let row = simulation.hub.rows.get(&Key::Case(case))?;
            let Row::Case(row) = row else { return None };
            (row.custody.state == State::Awaiting).then_some((*id, case))
        }
        _ => None,
    });
    let outcome = xianjie_core::domain::duty::Outcome::Met;
    let effect = Effect::DutyClosed { duty: id, outcome };
    let ruled = RuledEffect { rule: String::new(), articles: Vec::new(), effect };
    let record = Record { effects: vec![ruled], ..simulation.hub.records[1].1.clone() };
    let now = simulation.now();
    simulation.model.observe(LedgerIndex(0), now, &record, &BTreeSet::new()).unwrap();
    let checked = simulation.model.check_case(&simulation.hub, case);
    breaks(checked, "P8", "no handover is due");
}

#[test]
fn a_row_that_no_record_gives_breaks_p9() {
    let other = audit_after(|rows| {
        let case = rows.values_mut().find_map(|row| match row {
            Row::Case(case) => Some(case),
            _ => None,
        });
        case.unwrap().counts.insert("warning".to_owned(), 77);
    });
    breaks(other, "P9", "folded");
    let fewer = audit_after(|rows| {
        let key = find(rows, |key, _| matches!(key, Key::ClosedBy(_)).then(|| key.clone()));
        rows.remove(&key);
    });
    breaks(fewer, "P9", "rows");
}

#[test]
fn an_inbox_out_of_order_breaks_p10() {
    let mut simulation = province();
    let swapped = simulation.hub.rows.keys().find_map(|key| {
        let Key::Delivery(agency, number) = key else { return None };
        let next = Key::Delivery(agency.clone(), number.next());
        let case = |key: &Key| match simulation.hub.rows.get(key) {
            Some(Row::Delivery(row)) => {
                let document = Key::Document(row.document.clone());
                let Some(Row::Document(it)) = simulation.hub.rows.get(&document) else {
                    return None;
                };
                it.case.map(|case| (row.document.sender.clone(), case))
            }
            _ => None,
        };
        let same = case(key).is_some() && case(key) == case(&next);
        same.then(|| (key.clone(), next))
    });
    let (one, next) = swapped.unwrap();
    let rows = &mut simulation.hub.rows;
    let (first, second) = (rows[&one].clone(), rows[&next].clone());
    rows.insert(one, second);
    rows.insert(next, first);
    breaks(simulation.model.deliveries.check_order(&simulation.hub), "P10", "comes after");
}

#[test]
fn a_duty_lost_or_told_of_wrongly_is_reported() {
    let lost = audit_after(|rows| {
        let (id, _) = duty(rows, false);
        rows.remove(&Key::Duty(id));
    });
    breaks(lost, "duties", "is lost");
    let unwoken = audit_after(|rows| {
        let (id, wake) = duty(rows, false);
        rows.remove(&Key::Wake(wake, id));
    });
    breaks(unwoken, "duties", "index");
    let early = observed(|simulation| step(duty(&simulation.hub.rows, false).0, DutyStep::Missed));
    breaks(early, "duties", "too early");
    let ended = observed(|simulation| {
        let ended = find(&simulation.hub.rows, |key, row| match (key, row) {
            (Key::Duty(id), Row::Duty(it)) if !it.is_owed() => Some(*id),
            _ => None,
        });
        step(ended, DutyStep::Missed)
    });
    breaks(ended, "duties", "has ended");
}

#[test]
fn the_same_seed_gives_the_same_records() {
    let (one, other) = (province(), province());
    assert!(one.hub.records == other.hub.records);
}

#[test]
fn a_report_names_the_seed_and_tells_the_story() {
    let simulation = province();
    let case = find(&simulation.hub.rows, |key, _| match key {
        Key::Case(case) => Some(*case),
        _ => None,
    });
    let fault = crate::model::Fault::new("P8", "nobody answers").of(Some(case));
    let report = simulation.report(&fault);
    assert!(report.contains("XIANJIE_SIMULATION_SEEDS=11"), "{report}");
    assert!(report.lines().count() > 4, "{report}");
}
