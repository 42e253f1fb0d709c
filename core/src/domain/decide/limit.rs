//! When a limit runs out: from the rule's words, the document's dates and the calendar.

use jiff::ToSpan;
use jiff::civil::Date;

use super::World;
use crate::domain::document::{Document, Fact};
use crate::domain::duty::Duty;
use crate::domain::rulebook::{DutyRule, Event, Limit, RollRule};
use crate::domain::state::Case;
use crate::domain::term::{self, Due, Roll, Span, Start};
use crate::ids::Time;

/// When a limit runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Run {
    /// It runs, or has no time of its own.
    Runs {
        /// Before this it is too early.
        not_before: Option<Time>,
        /// When it runs out, exclusive; none for soft limits and while the date is unknown.
        due: Option<Time>,
        /// Whether calendar data was missing.
        provisional: bool,
    },
    /// It runs from the receipt.
    FromReceipt,
}

impl Run {
    fn until(due: Option<Due>) -> Self {
        Self::Runs {
            not_before: None,
            due: due.map(|due| Time(due.at_ms)),
            provisional: due.is_some_and(|due| due.provisional),
        }
    }
}

/// When the limit of `rule` runs, for this document in this case.
pub(super) fn run(
    world: &World<'_>,
    rule: &DutyRule,
    document: &Document,
    case: Option<&Case>,
) -> Run {
    let expiry = || document.date("term_expiry_date").or(case.and_then(|case| case.term_expiry));
    match &rule.limit {
        Limit::Soft(_) => Run::until(None),
        Limit::At(event) => {
            let date = match event {
                Event::TermExpiry => expiry(),
                _ => document.date("stated_date"),
            };
            Run::until(date.map(term::term_expiry_due))
        }
        Limit::During(span) => window(expiry(), *span),
        Limit::NotLaterThan(span, event) => {
            let date = match event {
                Event::TermExpiry => expiry(),
                _ => document.date("stated_date"),
            };
            Run::until(date.and_then(|date| before(date, *span)).map(term::term_expiry_due))
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
            let roll = if never_rolls(rule, case) { Roll::Never } else { Roll::Holidays };
            let dues: Vec<Due> = spans
                .iter()
                .filter_map(|span| match span {
                    Some(span) => due(world, *span, from?, roll),
                    None => document.date("stated_date").map(term::term_expiry_due),
                })
                .collect();
            Run::until(term::earliest(&dues))
        }
    }
}

/// Whether the limit of `rule` may end on a holiday.
pub(super) fn never_rolls(rule: &DutyRule, case: Option<&Case>) -> bool {
    match &rule.limit {
        Limit::Within { spans, roll, .. } => {
            let hours = spans.iter().any(|span| matches!(span, Some(Span::Hours(_))));
            let arrested = case.is_some_and(|case| case.custody.arrested);
            hours || *roll == RollRule::Never || (*roll == RollRule::UnlessArrested && arrested)
        }
        _ => true,
    }
}

/// When a limit that runs from receipt runs out, if it is received now. A date stated in the document
/// stands in the duty already.
pub(super) fn from_receipt(world: &World<'_>, duty: &Duty) -> (Option<Time>, bool) {
    received(world, duty, Start::Instant(world.time.0))
}

/// The same for service on paper on that day.
pub(super) fn from_service(world: &World<'_>, duty: &Duty, day: Date) -> (Option<Time>, bool) {
    received(world, duty, Start::Day(day))
}

fn received(world: &World<'_>, duty: &Duty, start: Start) -> (Option<Time>, bool) {
    let roll = if duty.never_rolls { Roll::Never } else { Roll::Holidays };
    let spans = duty.limit.split(" or ").filter_map(|words| words.parse::<Span>().ok());
    let mut dues: Vec<Due> = spans.filter_map(|span| due(world, span, start, roll)).collect();
    dues.extend(duty.due.map(|stated| Due { at_ms: stated.0, provisional: false }));
    let earliest = term::earliest(&dues);
    (earliest.map(|due| Time(due.at_ms)), earliest.is_some_and(|due| due.provisional))
}

fn due(world: &World<'_>, span: Span, start: Start, roll: Roll) -> Option<Due> {
    let roll = if matches!(span, Span::Hours(_)) { Roll::Never } else { roll };
    term::due(span, start, roll, world.law.calendar()).ok()
}

fn start(document: &Document, event: Event) -> Option<Start> {
    let field = match event {
        Event::EffectiveDate => "effective_date",
        Event::DecisionDate => "decision_date",
        Event::ApplicationDate => "application_date",
        Event::Discovery => "discovery_date",
        Event::Arrest => "arrest_time",
        Event::MeasureDate => "measure_time",
        Event::TermExpiry => "term_expiry_date",
        Event::StatedDate => "stated_date",
        Event::LeavingCustody => "custody_left_date",
        Event::NoticeToPerson => "person_notified_date",
        Event::Receipt | Event::Opening => return None,
    };
    match document.fact(field)? {
        Fact::Date(date) => Some(Start::Day(*date)),
        Fact::Time(time) => Some(Start::Instant(time.0)),
        _ => None,
    }
}

fn window(expiry: Option<Date>, span: Span) -> Run {
    let bounds = expiry.and_then(|expiry| match span {
        Span::Months(months) => term::window_before(expiry, months).ok(),
        _ => {
            let opens = before(expiry, span)?;
            Some((term::shanghai_midnight_ms(opens), term::term_expiry_due(expiry).at_ms))
        }
    });
    Run::Runs {
        not_before: bounds.map(|(opens, _)| Time(opens)),
        due: bounds.map(|(_, due)| Time(due)),
        provisional: false,
    }
}

/// The day so long before `date`; hours and working days count as days here, which no rule uses.
fn before(date: Date, span: Span) -> Option<Date> {
    match span {
        Span::Months(months) => date.checked_sub(i32::from(months).months()).ok(),
        Span::Days(days) | Span::WorkingDays(days) => date.checked_sub(i32::from(days).days()).ok(),
        Span::Hours(_) => None,
    }
}
