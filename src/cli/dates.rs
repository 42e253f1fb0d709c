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
}
