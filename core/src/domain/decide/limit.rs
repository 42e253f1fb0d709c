//! When a limit runs out: from the rule's words, the document's dates and the calendar.

use jiff::ToSpan;
use jiff::civil::Date;

use super::World;
use crate::domain::document::{Document, Fact};
use crate::domain::duty::{Duty, RollRule};
use crate::domain::record::Timing;
use crate::domain::rulebook::{DutyRule, Event, Limit, Soft};
use crate::domain::state::Case;
use crate::domain::term::{self, Due, Roll, Span, Start, shanghai_date};
use crate::ids::Time;

/// When a limit runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Run {
    /// It runs, or has no time of its own.
    Runs {
        /// What it counts from, if it counts.
        from: Option<Start>,
        /// When it runs out; never, while the date is unknown.
        timing: Timing,
    },
    /// It runs from the receipt.
    FromReceipt,
}

impl Run {
    fn until(world: &World<'_>, from: Option<Start>, due: Option<Due>) -> Self {
        Self::Runs { from, timing: timing(world, None, due) }
    }
}

/// When the limit of `rule` runs, for this document in this case.
pub(super) fn run(
    world: &World<'_>,
    rule: &DutyRule,
    document: &Document,
    case: Option<&Case>,
) -> Run {
    let on = |event: &Event| match event {
        Event::TermExpiry => {
            document.date("term_expiry_date").or(case.and_then(|case| case.term_expiry))
        }
        _ => document.date("stated_date"),
    };
    match &rule.limit {
        Limit::Soft(soft) => Run::Runs { from: None, timing: reminder(world, *soft) },
        Limit::At(event) => Run::until(world, None, on(event).map(term::term_expiry_due)),
        Limit::During(span) => {
            Run::Runs { from: None, timing: window(world, on(&Event::TermExpiry), *span) }
        }
        Limit::NotLaterThan(span, event) => {
            let last = on(event).and_then(|date| before(date, *span));
            Run::until(world, None, last.map(term::term_expiry_due))
        }
        Limit::Within { spans, from, .. } => {
            let event = from.iter().find(|event| {
                matches!(event, Event::Receipt | Event::Opening)
                    || start(document, **event).is_some()
            });
            let from = match event {
                Some(Event::Receipt) => return Run::FromReceipt,
                Some(Event::Opening) => Some(Start::Instant(world.time.0)),
                Some(event) => start(document, *event),
                None => None,
            };
            let roll = roll(roll_rule(rule, case));
            let dues: Vec<Due> = spans
                .iter()
                .filter_map(|span| match span {
                    Some(span) => due(world, *span, from?, roll),
                    None => document.date("stated_date").map(term::term_expiry_due),
                })
                .collect();
            Run::until(world, from, term::earliest(&dues))
        }
    }
}

/// The timing of a limit that ends at `due`.
pub(super) fn timing(world: &World<'_>, not_before: Option<Time>, due: Option<Due>) -> Timing {
    let Some(due) = due else { return Timing::default() };
    let at = Time(due.at_ms);
    let wake = world.reminders.next(world.time, not_before, at);
    Timing { not_before, due: Some(at), provisional: due.provisional, wake: Some(wake) }
}

/// The timing of a soft limit that begins now: its end is the hub's reminder, and no limit of the law.
pub(super) fn reminder(world: &World<'_>, soft: Soft) -> Timing {
    let due = world.reminders.soft(soft, world.time);
    Timing { due: Some(due), wake: Some(due), ..Timing::default() }
}

/// Whether the limit of `rule` may end on a holiday, as the case stands.
pub(super) fn roll_rule(rule: &DutyRule, case: Option<&Case>) -> RollRule {
    match &rule.limit {
        Limit::Within { spans, roll, .. } => {
            let hours = spans.iter().any(|span| matches!(span, Some(Span::Hours(_))));
            let arrested = case.is_some_and(|case| case.custody.arrested);
            let confined = *roll == RollRule::UnlessArrested && arrested;
            if hours || confined { RollRule::Never } else { *roll }
        }
        _ => RollRule::Never,
    }
}

/// When a limit of so many days runs out that begins at `start`: from receipt, from service on paper,
/// or counted again. A date stated in the document stands in the duty already.
pub(super) fn counted(world: &World<'_>, duty: &Duty, start: Start) -> Timing {
    let spans = duty.limit.split(" or ").filter_map(|words| words.parse::<Span>().ok());
    let mut dues: Vec<Due> =
        spans.filter_map(|span| due(world, span, start, roll(duty.roll))).collect();
    dues.extend(duty.stated.map(|stated| Due { at_ms: stated.0, provisional: false }));
    timing(world, duty.not_before, term::earliest(&dues))
}

/// The date that the document states, alone.
pub(super) fn stated(world: &World<'_>, duty: &Duty) -> Timing {
    timing(world, None, duty.stated.map(|stated| Due { at_ms: stated.0, provisional: false }))
}

/// How the limit of a duty that missed another begins: now.
pub(super) fn from_now(world: &World<'_>, duty: &Duty) -> Timing {
    let soft = Soft::WORDS.iter().find(|(_, words)| *words == duty.limit);
    match soft {
        Some((soft, _)) => reminder(world, *soft),
        None => counted(world, duty, Start::Instant(world.time.0)),
    }
}

/// When a limit runs out that begins at `start`: counted from there, and longer by what it was
/// extended before.
pub(super) fn begun(world: &World<'_>, duty: &Duty, start: Start) -> Timing {
    let limit = counted(world, duty, start);
    let Some(extend) = duty.extend.as_ref().filter(|extend| extend.granted > 0) else {
        return limit;
    };
    match extend.by.parse::<Span>() {
        Ok(span) => (0..extend.granted)
            .fold(limit, |limit, _| longer(world, duty, limit, span).unwrap_or(limit)),
        // The stated date stands in the duty already.
        Err(_) if limit.due < duty.due => timing(world, duty.not_before, runs_out(duty)),
        Err(_) => limit,
    }
}

/// A limit extended (延长): so much longer from where it ended, or to the date stated in the document
/// that extends it. It never becomes shorter. Before it begins, only such a date can be told.
pub(super) fn extended(
    world: &World<'_>,
    duty: &Duty,
    by: &str,
    document: &Document,
) -> Option<Timing> {
    let Duty { not_before, due, provisional, wake, .. } = *duty;
    let limit = Timing { not_before, due, provisional, wake };
    match by.parse::<Span>() {
        Ok(_) if duty.waits_for.is_some() => Some(limit),
        Ok(span) => longer(world, duty, limit, span),
        Err(_) => {
            let until = term::term_expiry_due(document.date("stated_date")?);
            let is_later = due.is_none_or(|due| due.0 < until.at_ms) && duty.suspended.is_none();
            is_later.then(|| timing(world, not_before, Some(until)))
        }
    }
}

/// So much longer from the last day of `limit`.
fn longer(world: &World<'_>, duty: &Duty, limit: Timing, span: Span) -> Option<Timing> {
    let old = Due { at_ms: limit.due?.0, provisional: limit.provisional };
    let new = due(world, span, Start::Day(old.last_day()), roll(duty.roll))?;
    Some(timing(world, duty.not_before, Some(new)))
}

fn runs_out(duty: &Duty) -> Option<Due> {
    duty.due.map(|due| Due { at_ms: due.0, provisional: duty.provisional })
}

/// A limit that stood still runs again: as many days longer as it stood, the day on which it was stopped
/// not counted.
pub(super) fn resumed(world: &World<'_>, duty: &Duty) -> Option<Timing> {
    let still = duty.suspended?;
    let old = Due { at_ms: still.due?.0, provisional: duty.provisional };
    let stood = shanghai_date(still.since.0).until(shanghai_date(world.time.0)).ok()?.get_days();
    let before = old.last_day().yesterday().ok()?.checked_add(stood.days()).ok()?;
    ends_after(world, duty, before)
}

/// A limit that is not counted anew, as it was extended or stood still: its last day rolls again.
pub(super) fn rolled(world: &World<'_>, duty: &Duty) -> Option<Timing> {
    let last = Due { at_ms: duty.due?.0, provisional: true }.last_day();
    ends_after(world, duty, last.yesterday().ok()?)
}

/// A limit whose last day is the one after: as a limit of one day, it rolls as this one does.
fn ends_after(world: &World<'_>, duty: &Duty, before: Date) -> Option<Timing> {
    let new = due(world, Span::Days(1), Start::Day(before), roll(duty.roll))?;
    Some(timing(world, duty.not_before, Some(new)))
}

/// A limit that runs, counted again without holidays, since the person was arrested.
pub(super) fn confined(world: &World<'_>, duty: &Duty) -> Option<Timing> {
    let from = duty.runs_from.filter(|_| duty.suspended.is_none())?;
    Some(counted(world, &Duty { roll: RollRule::Never, ..duty.clone() }, from))
}

/// A limit measured from the last day of the term, when that day has changed; none for any other.
pub(super) fn from_expiry(world: &World<'_>, duty: &Duty, expiry: Date) -> Option<Timing> {
    const BEFORE: &str = " before the term expiry";
    if duty.limit == "at term expiry" {
        return Some(timing(world, None, Some(term::term_expiry_due(expiry))));
    }
    let words = duty.limit.strip_suffix(BEFORE)?;
    if let Some(window_of) = words.strip_prefix("the last ") {
        return Some(window(world, Some(expiry), window_of.parse().ok()?));
    }
    let last = before(expiry, words.parse().ok()?);
    Some(timing(world, None, last.map(term::term_expiry_due)))
}

fn roll(rule: RollRule) -> Roll {
    match rule {
        RollRule::Never => Roll::Never,
        RollRule::Holidays | RollRule::UnlessArrested => Roll::Holidays,
    }
}

fn due(world: &World<'_>, span: Span, start: Start, roll: Roll) -> Option<Due> {
    let roll = if matches!(span, Span::Hours(_)) { Roll::Never } else { roll };
    term::due(span, start, roll, world.law.calendar()).ok()
}

fn start(document: &Document, event: Event) -> Option<Start> {
    match document.fact(event.field()?)? {
        Fact::Date(date) => Some(Start::Day(*date)),
        Fact::Time(time) => Some(Start::Instant(time.0)),
        _ => None,
    }
}

fn window(world: &World<'_>, expiry: Option<Date>, span: Span) -> Timing {
    let opens = expiry.and_then(|expiry| match span {
        Span::Months(months) => {
            term::window_before(expiry, months).ok().map(|(opens, _)| Time(opens))
        }
        _ => before(expiry, span).map(|day| Time(term::shanghai_midnight_ms(day))),
    });
    timing(world, opens, opens.and(expiry).map(term::term_expiry_due))
}

/// The day so long before `date`; hours and working days count as days here, which no rule uses.
fn before(date: Date, span: Span) -> Option<Date> {
    match span {
        Span::Months(months) => date.checked_sub(i32::from(months).months()).ok(),
        Span::Days(days) | Span::WorkingDays(days) => date.checked_sub(i32::from(days).days()).ok(),
        Span::Hours(_) => None,
    }
}
