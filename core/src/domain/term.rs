//! Time limits (期间) and terms (刑期): from "5 working days" and a start to the moment it is over.
//!
//! The rules are the Criminal Procedure Law's art. 105 and the Supreme People's Court's
//! Interpretation (法释〔2021〕1号) art. 202: hours, days and months; the hour or day of the event
//! is not counted; months end on the same day; a limit that ends on a holiday runs to the next
//! working day. Which limit starts when, and whether it rolls, is the rulebook's business.
//!
//! All of it happens in Asia/Shanghai, which has been UTC+8 without summer time since
//! 1991-09-15: a fixed offset, so that no time zone database can change a due time.

use std::fmt;
use std::str::FromStr;

use jiff::civil::{Date, DateTime};
use jiff::tz::Offset;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::calendar::{Calendar, is_weekend};

const SHANGHAI_HOURS: i8 = 8;
const SHANGHAI: Offset = Offset::constant(SHANGHAI_HOURS);
const HOUR_MS: i64 = 3_600_000;
const DAY_MS: i64 = 24 * HOUR_MS;
const EPOCH: Date = Date::constant(1970, 1, 1);

/// How long a limit is, as the rulebook writes it: `"48 hours"`, `"10 days"`, `"5 working days"`,
/// `"1 months"` or `"1 month"`. "Half a month" (半个月) is always 15 days.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Span {
    /// Full hours (时); the hour of the event is not counted.
    Hours(u16),
    /// Calendar days (日); the day of the event is not counted.
    Days(u16),
    /// Working days (工作日), only where the text says so.
    WorkingDays(u16),
    /// Months (月), to the same day of the month.
    Months(u16),
}

/// What becomes of a limit whose last day is no working day (CPL art. 105).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Roll {
    /// It ends with the first working day after (以节假日后的第一日为期满日期).
    Holidays,
    /// It ends all the same: hours, terms, arrest, whatever runs while someone is confined.
    Never,
}

/// When the event was from which a limit runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Start {
    /// To the millisecond, since the Unix epoch.
    Instant(i64),
    /// Only the day is known, in Shanghai.
    Day(Date),
}

/// When a limit is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Due {
    /// The first millisecond that is too late, since the Unix epoch.
    pub at_ms: i64,
    /// A day counted had no calendar data; it was taken for a working day from Monday to Friday.
    pub provisional: bool,
}

/// Why there is no due time.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum TermError {
    /// Not a span in the rulebook's form.
    #[error(
        "{0:?} is no time limit: write \"N hours\", \"N days\", \"N working days\" or \"N months\""
    )]
    NotASpan(String),
    /// The count leaves the years that dates can have.
    #[error("{length} counted from {from} leaves the calendar")]
    OutOfRange {
        /// What was to be counted.
        length: String,
        /// Whence, a day or milliseconds.
        from: String,
    },
    /// A term of no length has no last day.
    #[error("a term from {start} without years, months or days")]
    EmptyTerm {
        /// The first day.
        start: Date,
    },
}

impl Due {
    /// The last day on which it is in time, in Shanghai.
    #[must_use]
    pub fn last_day(self) -> Date {
        shanghai_date(self.at_ms.saturating_sub(1))
    }
}

/// When a limit is over. Hours never roll, whatever `roll` says: no rule would have it. Hours
/// from a day of which no hour is known are counted from its end, the latest it can have been.
///
/// # Errors
/// [`TermError::OutOfRange`].
pub fn due(span: Span, from: Start, roll: Roll, calendar: &Calendar) -> Result<Due, TermError> {
    let out_of_range =
        || TermError::OutOfRange { length: span.to_string(), from: from.to_string() };
    if let Span::Hours(hours) = span {
        let at_ms = hours_due(hours, from).ok_or_else(out_of_range)?;
        return Ok(Due { at_ms, provisional: false });
    }
    let mut days = WorkingDays { calendar, provisional: false };
    let last = from
        .day()
        .and_then(|day| last_day(span, day, &mut days))
        .and_then(|last| match roll {
            Roll::Holidays => days.at_or_after(last),
            Roll::Never => Some(last),
        })
        .ok_or_else(out_of_range)?;
    Ok(Due { at_ms: end_of(last), provisional: days.provisional })
}

/// A limit "at term expiry": the end of the date in the document, never computed, never rolled.
#[must_use]
pub fn term_expiry_due(expiry: Date) -> Due {
    Due { at_ms: end_of(expiry), provisional: false }
}

/// The last day of a term of sentence: the day before the same day of the year or month, and in
/// months, from the last day of a month, the day before the last day (SPC Interpretation
/// art. 202(2)). Years are counted first, then months, then days.
///
/// # Errors
/// [`TermError::EmptyTerm`], [`TermError::OutOfRange`].
pub fn term_end(start: Date, years: u16, months: u16, days: u16) -> Result<Date, TermError> {
    if (years, months, days) == (0, 0, 0) {
        return Err(TermError::EmptyTerm { start });
    }
    add_years(start, years)
        .and_then(|date| add_months(date, months))
        .and_then(|date| add_days(date, days))
        .and_then(|date| date.yesterday().ok())
        .ok_or_else(|| TermError::OutOfRange {
            length: format!("a term of {years} years, {months} months and {days} days"),
            from: start.to_string(),
        })
}

/// "The last N months before the term expiry": when the window opens and when it closes, in
/// milliseconds since the Unix epoch; the second is exclusive. It opens on the same day of the
/// earlier month or, where that is missing, on its last; it closes with the expiry, never rolled.
///
/// # Errors
/// [`TermError::OutOfRange`].
pub fn window_before(expiry: Date, months: u16) -> Result<(i64, i64), TermError> {
    let opens = jiff::Span::new()
        .try_months(months)
        .and_then(|span| expiry.checked_sub(span))
        .map_err(|_| TermError::OutOfRange {
            length: format!("{} backwards", Span::Months(months)),
            from: expiry.to_string(),
        })?;
    Ok((shanghai_midnight_ms(opens), end_of(expiry)))
}

/// Of several limits the earliest; `None` of none. It is provisional if any of them is: data may
/// yet bring a later one forward.
#[must_use]
pub fn earliest(dues: &[Due]) -> Option<Due> {
    let at_ms = dues.iter().map(|due| due.at_ms).min()?;
    Some(Due { at_ms, provisional: dues.iter().any(|due| due.provisional) })
}

/// The day in Shanghai of an instant in milliseconds since the Unix epoch. Instants beyond the
/// years that dates can have fall on the first or last day there is.
#[must_use]
pub fn shanghai_date(ms: i64) -> Date {
    shanghai_time(ms).date()
}

/// The first moment of a day in Shanghai, in milliseconds since the Unix epoch.
#[must_use]
pub fn shanghai_midnight_ms(date: Date) -> i64 {
    date.duration_since(EPOCH).as_secs() * 1000 - i64::from(SHANGHAI_HOURS) * HOUR_MS
}

/// The last day of a limit that ends with a day, if it does: the day before that midnight in Shanghai.
#[must_use]
pub fn whole_day(due_ms: i64) -> Option<Date> {
    let last = shanghai_date(due_ms.saturating_sub(1));
    (end_of(last) == due_ms).then_some(last)
}

/// An instant as a clock in Shanghai shows it, to the minute: `2026-02-24 17:00`.
#[must_use]
pub fn format_shanghai(ms: i64) -> String {
    shanghai_time(ms).strftime("%Y-%m-%d %H:%M").to_string()
}

impl Start {
    /// The day in Shanghai; `None` where no date reaches.
    fn day(self) -> Option<Date> {
        match self {
            Self::Instant(ms) => {
                Timestamp::from_millisecond(ms).ok().map(|at| SHANGHAI.to_datetime(at).date())
            }
            Self::Day(day) => Some(day),
        }
    }
}

impl fmt::Display for Start {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Instant(ms) => write!(f, "{ms} ms"),
            Self::Day(day) => day.fmt(f),
        }
    }
}

impl FromStr for Span {
    type Err = TermError;

    fn from_str(text: &str) -> Result<Self, TermError> {
        parse_span(text).ok_or_else(|| TermError::NotASpan(text.to_owned()))
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (count, unit) = match self {
            Self::Hours(count) => (count, "hour"),
            Self::Days(count) => (count, "day"),
            Self::WorkingDays(count) => (count, "working day"),
            Self::Months(count) => (count, "month"),
        };
        write!(f, "{count} {unit}{}", if *count == 1 { "" } else { "s" })
    }
}

/// The calendar as a limit consults it: remembers whether it ever had to assume.
struct WorkingDays<'a> {
    calendar: &'a Calendar,
    provisional: bool,
}

impl WorkingDays<'_> {
    fn includes(&mut self, date: Date) -> bool {
        self.calendar.is_working_day(date).unwrap_or_else(|| {
            self.provisional = true;
            !is_weekend(date)
        })
    }

    fn at_or_after(&mut self, mut date: Date) -> Option<Date> {
        while !self.includes(date) {
            date = date.tomorrow().ok()?;
        }
        Some(date)
    }

    /// The `count`th working day after a day.
    fn after(&mut self, mut date: Date, count: u16) -> Option<Date> {
        for _ in 0..count {
            date = self.at_or_after(date.tomorrow().ok()?)?;
        }
        Some(date)
    }
}

/// The last day of a limit in days or months, not rolled. Hours have none.
fn last_day(span: Span, from: Date, days: &mut WorkingDays<'_>) -> Option<Date> {
    match span {
        Span::Hours(_) => None,
        Span::Days(count) => add_days(from, count),
        Span::WorkingDays(count) => days.after(from, count),
        Span::Months(count) => add_months(from, count),
    }
}

/// Shanghai is whole hours from UTC, so its hours are the epoch's.
fn hours_due(hours: u16, from: Start) -> Option<i64> {
    let counted_from = match from {
        Start::Instant(ms) => (ms.div_euclid(HOUR_MS) + 1).checked_mul(HOUR_MS)?,
        Start::Day(day) => end_of(day),
    };
    let at_ms = counted_from.checked_add(i64::from(hours) * HOUR_MS)?;
    Timestamp::from_millisecond(at_ms).is_ok().then_some(at_ms)
}

fn end_of(day: Date) -> i64 {
    shanghai_midnight_ms(day) + DAY_MS
}

fn add_days(date: Date, count: u16) -> Option<Date> {
    date.checked_add(SignedDuration::from_hours(24 * i64::from(count))).ok()
}

/// To the same day of the month, or its last where that is missing; from the last day of a month
/// to the last day (SPC Interpretation art. 202).
fn add_months(date: Date, count: u16) -> Option<Date> {
    let same_day = date.checked_add(jiff::Span::new().try_months(count).ok()?).ok()?;
    let from_last = count > 0 && date == date.last_of_month();
    Some(if from_last { same_day.last_of_month() } else { same_day })
}

/// To the same day of the year, or the last of its month where that is missing (29 February).
fn add_years(date: Date, count: u16) -> Option<Date> {
    date.checked_add(jiff::Span::new().try_years(count).ok()?).ok()
}

fn shanghai_time(ms: i64) -> DateTime {
    let limit = if ms < 0 { Timestamp::MIN } else { Timestamp::MAX };
    SHANGHAI.to_datetime(Timestamp::from_millisecond(ms).unwrap_or(limit))
}

/// A number from 1 without sign or leading zeros, one space, the unit; the singular only after 1.
fn parse_span(text: &str) -> Option<Span> {
    let (number, unit) = text.split_once(' ')?;
    let plain = number.bytes().all(|digit| digit.is_ascii_digit()) && !number.starts_with('0');
    let count = number.parse().ok().filter(|_| plain)?;
    match (unit, count) {
        ("hours", _) | ("hour", 1) => Some(Span::Hours(count)),
        ("days", _) | ("day", 1) => Some(Span::Days(count)),
        ("working days", _) | ("working day", 1) => Some(Span::WorkingDays(count)),
        ("months", _) | ("month", 1) => Some(Span::Months(count)),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
