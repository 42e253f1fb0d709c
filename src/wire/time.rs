//! Instants on the wire.

use xianjie_core::ids::Time;

/// The instant of a timestamp; none if it is no instant of a calendar year with four digits.
#[must_use]
pub fn read_time(time: &prost_types::Timestamp) -> Option<Time> {
    const YEAR_10000_SECONDS: i64 = 253_402_300_800;
    let fits =
        (0..YEAR_10000_SECONDS).contains(&time.seconds) && (0..1_000_000_000).contains(&time.nanos);
    fits.then(|| Time(time.seconds * 1000 + i64::from(time.nanos / 1_000_000)))
}

/// The timestamp of an instant.
#[must_use]
pub fn write_time(time: Time) -> prost_types::Timestamp {
    prost_types::Timestamp {
        seconds: time.0.div_euclid(1000),
        nanos: i32::try_from(time.0.rem_euclid(1000)).unwrap_or_default() * 1_000_000,
    }
}
