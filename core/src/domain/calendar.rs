//! Which days are working days (工作日): the State Council's yearly holiday notices as data.
//!
//! It is not a clock and computes no time limit (that is `term`). A year is known once its notice
//! is in the data and unknown as a whole before; nothing is guessed from festivals or past years.

use std::collections::BTreeMap;

use jiff::civil::{Date, Weekday};
use serde::Deserialize;
use thiserror::Error;

/// The notices that come with the program, for 2012 to 2026.
const BUILT_IN: &str = include_str!("rules/holidays.toml");

/// The first day of December that next year's notice may rule on. The notices for 2007, 2008,
/// 2012, 2019 and 2023 each moved a day of 29–31 December before them; none reached further back.
const FIRST_DAY_OF_NEXT_NOTICE: i8 = 29;

/// A calendar of working days: the national one, or that of a province with holidays of its own.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Calendar {
    /// The notices behind each known year, as the data name them.
    sources: BTreeMap<i16, String>,
    /// The days that the weekday does not tell: true works, false is off.
    exceptions: BTreeMap<Date, bool>,
    /// By division code of the province (`XX0000`). Each holds the national days as well.
    regions: BTreeMap<String, Calendar>,
}

/// Why calendar data were not taken.
#[derive(Debug, Error)]
pub enum CalendarError {
    /// Not TOML, or not of the form that `rules/holidays.toml` shows; names the line.
    #[error("holiday data: {0}")]
    Form(#[from] toml::de::Error),
    /// A region's key is not the six-digit division code of a province.
    #[error("holiday data: region {0:?} is not a province's division code (XX0000)")]
    NotAProvince(String),
    /// A table names no notice.
    #[error("holiday data: the table of {year} names no source")]
    NoSource {
        /// The table's year.
        year: i16,
    },
    /// An entry is neither a date nor a range `first..last` of dates in order.
    #[error("holiday data: {entry:?} in the table of {year} is no date and no range of dates")]
    NotADay {
        /// The table's year.
        year: i16,
        /// The entry as written.
        entry: String,
    },
    /// A day that the notice of that year cannot rule on.
    #[error("holiday data: {date} stands in the table of {year}")]
    WrongYear {
        /// The table's year.
        year: i16,
        /// The day.
        date: Date,
    },
    /// A make-up working day (调休上班) from Monday to Friday: it would work anyway.
    #[error("holiday data: make-up working day {date} is not on a weekend")]
    MakeUpOnWeekday {
        /// The day.
        date: Date,
    },
    /// A day stands twice in the tables of one region or of the nation.
    #[error("holiday data: {date} is listed twice")]
    Twice {
        /// The day.
        date: Date,
    },
    /// A region's table for a year without a national one.
    #[error("holiday data: region {region} has a table of {year}, the nation has none")]
    RegionAlone {
        /// The region's code.
        region: String,
        /// The table's year.
        year: i16,
    },
}

impl Calendar {
    /// Reads calendar data in the form of `rules/holidays.toml`.
    ///
    /// # Errors
    /// Everything that a careful reader would stumble over, see [`CalendarError`].
    pub fn parse(text: &str) -> Result<Self, CalendarError> {
        let file: File = toml::from_str(text)?;
        let mut national = Self::default();
        national.add_all(&file.national)?;
        let mut regions = BTreeMap::new();
        for (code, tables) in file.region {
            if !is_province(&code) {
                return Err(CalendarError::NotAProvince(code));
            }
            if let Some(&year) = tables.keys().find(|year| !file.national.contains_key(year)) {
                return Err(CalendarError::RegionAlone { region: code, year });
            }
            let mut own = Self::default();
            own.add_all(&tables)?;
            regions.insert(code, own.over(&national));
        }
        Ok(Self { regions, ..national })
    }

    /// The notices for 2012 to 2026, national holidays only.
    #[must_use]
    #[expect(clippy::expect_used, reason = "the embedded data are parsed by this module's tests")]
    pub fn built_in() -> Self {
        Self::parse(BUILT_IN).expect("the embedded holiday data are well formed")
    }

    /// The calendar of a division (GB/T 2260): its province's, else this one.
    #[must_use]
    pub fn for_division(&self, code: &str) -> &Self {
        let province = code.get(..2).map(|prefix| format!("{prefix}0000"));
        province.and_then(|province| self.regions.get(&province)).unwrap_or(self)
    }

    /// Whether people work on that day; `None` when its notice is not in the data. The last three
    /// days of December need next year's notice too, which may move them.
    #[must_use]
    pub fn is_working_day(&self, date: Date) -> Option<bool> {
        let next_notice_rules = date.month() == 12 && date.day() >= FIRST_DAY_OF_NEXT_NOTICE;
        let known = self.sources.contains_key(&date.year())
            && (!next_notice_rules || self.sources.contains_key(&(date.year() + 1)));
        known.then(|| self.exceptions.get(&date).copied().unwrap_or(!is_weekend(date)))
    }

    /// The notices behind a year, for citing; `None` when the year is unknown.
    #[must_use]
    pub fn source(&self, year: i16) -> Option<&str> {
        self.sources.get(&year).map(String::as_str)
    }

    fn add_all(&mut self, notices: &BTreeMap<i16, Notice>) -> Result<(), CalendarError> {
        for (&year, notice) in notices {
            self.add(year, notice)?;
        }
        Ok(())
    }

    fn add(&mut self, year: i16, notice: &Notice) -> Result<(), CalendarError> {
        if notice.source.trim().is_empty() {
            return Err(CalendarError::NoSource { year });
        }
        self.sources.insert(year, notice.source.clone());
        for (entries, works) in [(&notice.off, false), (&notice.work, true)] {
            for entry in entries {
                for date in days(year, entry)? {
                    if works && !is_weekend(date) {
                        return Err(CalendarError::MakeUpOnWeekday { date });
                    }
                    if self.exceptions.insert(date, works).is_some() {
                        return Err(CalendarError::Twice { date });
                    }
                }
            }
        }
        Ok(())
    }

    /// A region's own days laid over the national ones, which know all its years.
    fn over(self, national: &Self) -> Self {
        let mut merged = national.clone();
        merged.exceptions.extend(self.exceptions);
        for (year, own) in self.sources {
            if let Some(source) = merged.sources.get_mut(&year) {
                *source = format!("{source}；{own}");
            }
        }
        merged
    }
}

/// Saturday or Sunday (周休日).
#[must_use]
pub fn is_weekend(date: Date) -> bool {
    matches!(date.weekday(), Weekday::Saturday | Weekday::Sunday)
}

/// The data file: tables by year, the nation's and, by province, those that add to them.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    national: BTreeMap<i16, Notice>,
    #[serde(default)]
    region: BTreeMap<String, BTreeMap<i16, Notice>>,
}

/// One year's table.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Notice {
    source: String,
    off: Vec<String>,
    work: Vec<String>,
}

fn is_province(code: &str) -> bool {
    code.len() == 6 && code.ends_with("0000") && code.bytes().all(|digit| digit.is_ascii_digit())
}

/// The days of an entry, `2026-01-04` or `2026-01-01..2026-01-03`, both ends included.
fn days(year: i16, entry: &str) -> Result<Vec<Date>, CalendarError> {
    let not_a_day = || CalendarError::NotADay { year, entry: entry.to_owned() };
    let (first, last) = entry.split_once("..").unwrap_or((entry, entry));
    let first = parse_date(first).ok_or_else(not_a_day)?;
    let last = parse_date(last).ok_or_else(not_a_day)?;
    if last < first {
        return Err(not_a_day());
    }
    for date in [first, last] {
        if !may_rule_on(year, date) {
            return Err(CalendarError::WrongYear { year, date });
        }
    }
    Ok(std::iter::successors(Some(first), |date| date.tomorrow().ok())
        .take_while(|date| *date <= last)
        .collect())
}

/// Exactly `YYYY-MM-DD`: the date parser alone would take other spellings too.
fn parse_date(text: &str) -> Option<Date> {
    text.parse::<Date>().ok().filter(|date| date.to_string() == text)
}

/// Whether the notice of a year may rule on a day: its own, or the end of the December before.
fn may_rule_on(year: i16, date: Date) -> bool {
    let in_december_before =
        date.year() + 1 == year && date.month() == 12 && date.day() >= FIRST_DAY_OF_NEXT_NOTICE;
    date.year() == year || in_december_before
}

#[cfg(test)]
mod tests;
