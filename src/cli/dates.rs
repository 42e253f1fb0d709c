//! Days on the command line and in files: civil dates of Asia/Shanghai, which has no summer time.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::Offset;
use rustls_pki_types::UnixTime;
use xianjie_core::ids::Time;

const SHANGHAI: Offset = Offset::constant(8);
const DAY_MS: i64 = 24 * 3_600_000;

/// Reads `2026-11-24` as the beginning of that day.
///
/// # Errors
/// In words, for the command line.
pub(super) fn day(text: &str) -> Result<Time, String> {
    let date: Date = text.parse().map_err(|_| "want a date such as 2026-11-24".to_owned())?;
    let midnight = SHANGHAI.to_timestamp(date.at(0, 0, 0, 0)).map_err(|error| error.to_string())?;
    Ok(Time(midnight.as_millisecond()))
}

/// Reads an instant with its offset, as RFC 3339 writes it: `2026-11-24T09:00:00+08:00`.
///
/// # Errors
/// In words, for the command line.
pub(super) fn instant(text: &str) -> Result<Time, String> {
    let instant: Result<Timestamp, _> = text.parse();
    let wrong = |_| "want a time with its offset, such as 2026-11-24T09:00:00+08:00".to_owned();
    instant.map(|instant| Time(instant.as_millisecond())).map_err(wrong)
}

/// Reads a month such as `2026-11`, and gives it as it was written.
///
/// # Errors
/// In words, for the command line.
pub(super) fn month(text: &str) -> Result<String, String> {
    let first = format!("{text}-01").parse::<Date>();
    let fits = text.len() == "2026-11".len() && first.is_ok();
    fits.then(|| text.to_owned()).ok_or_else(|| "want a month such as 2026-11".to_owned())
}

/// The day of an instant.
pub(super) fn date_of(time: Time) -> Date {
    let timestamp = Timestamp::from_millisecond(time.0).unwrap_or_default();
    SHANGHAI.to_datetime(timestamp).date()
}

/// So many days after an instant.
pub(super) fn days_after(time: Time, days: u32) -> Time {
    Time(time.0.saturating_add(i64::from(days) * DAY_MS))
}

/// An instant as certificates hold it: whole seconds, none before 1970.
pub(super) fn unix_time(time: Time) -> UnixTime {
    let millis = u64::try_from(time.0).unwrap_or_default();
    UnixTime::since_unix_epoch(std::time::Duration::from_secs(millis / 1000))
}

/// The instant of a certificate's date.
pub(super) fn time(unix: UnixTime) -> Time {
    Time(i64::try_from(unix.as_secs()).unwrap_or(i64::MAX / 1000).saturating_mul(1000))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_begins_at_midnight_in_shanghai() {
        let begins = day("2026-11-24").unwrap();
        assert_eq!(begins, Time(1_795_449_600_000));
        assert_eq!(date_of(begins).to_string(), "2026-11-24");
        assert_eq!(date_of(Time(begins.0 - 1)).to_string(), "2026-11-23");
        assert_eq!(date_of(days_after(begins, 7)).to_string(), "2026-12-01");
        assert_eq!(time(unix_time(begins)), begins);
        assert!(day("24.11.2026").is_err());
    }

    #[test]
    fn an_instant_needs_its_offset_and_a_month_its_four_digits() {
        let nine = Time(1_795_482_000_000);
        assert_eq!(instant("2026-11-24T09:00:00+08:00"), Ok(nine));
        assert_eq!(instant("2026-11-24T01:00:00Z"), Ok(nine));
        assert!(instant("2026-11-24T09:00:00").is_err());
        assert_eq!(month("2026-11"), Ok("2026-11".to_owned()));
        for wrong in ["2026-13", "26-11", "2026-1", "2026-11-01", ""] {
            assert!(month(wrong).is_err(), "{wrong}");
        }
    }
}
