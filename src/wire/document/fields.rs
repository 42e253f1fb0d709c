//! Single fields of the header, by name, once the bytes have been walked and decoded.

use std::borrow::Cow;
use std::str::FromStr;

use jiff::tz::Offset;
use jiff::{Timestamp, civil::Date};
use prost_reflect::{DynamicMessage, Value};
use xianjie_core::ids::{Digest, Time};

/// Beijing time: statutory days are those of Asia/Shanghai.
const SHANGHAI: Offset = Offset::constant(8);

/// The value of a field that is set.
pub(super) fn value<'a>(message: &'a DynamicMessage, name: &str) -> Option<&'a Value> {
    if !message.has_field_by_name(name) {
        return None;
    }
    match message.get_field_by_name(name)? {
        Cow::Borrowed(value) => Some(value),
        Cow::Owned(_) => None,
    }
}

pub(super) fn text<'a>(message: &'a DynamicMessage, name: &str) -> &'a str {
    value(message, name).and_then(Value::as_str).unwrap_or_default()
}

/// The identifier in a field; none if it is absent, or no identifier, which the reading of all
/// fields has then noted.
pub(super) fn parsed<T: FromStr>(message: &DynamicMessage, name: &str) -> Option<T> {
    text(message, name).parse().ok()
}

pub(super) fn number(message: &DynamicMessage, name: &str) -> u64 {
    value(message, name).and_then(Value::as_u64).unwrap_or_default()
}

pub(super) fn enum_number(message: &DynamicMessage, name: &str) -> i32 {
    value(message, name).and_then(Value::as_enum_number).unwrap_or_default()
}

pub(super) fn digest(message: &DynamicMessage, name: &str) -> Option<Digest> {
    let bytes = value(message, name)?.as_bytes()?;
    bytes.as_ref().try_into().ok().map(Digest)
}

pub(super) fn message<'a>(message: &'a DynamicMessage, name: &str) -> Option<&'a DynamicMessage> {
    value(message, name)?.as_message()
}

pub(super) fn messages<'a>(
    message: &'a DynamicMessage,
    name: &str,
) -> impl Iterator<Item = &'a DynamicMessage> {
    let items = value(message, name).and_then(Value::as_list).unwrap_or_default();
    items.iter().filter_map(Value::as_message)
}

pub(super) fn time(message: &DynamicMessage, name: &str) -> Option<Time> {
    instant(value(message, name)?.as_message()?)
}

/// The instant of a `google.protobuf.Timestamp`, to the millisecond below; none if it can't be.
pub(super) fn instant(timestamp: &DynamicMessage) -> Option<Time> {
    let seconds = value(timestamp, "seconds").and_then(Value::as_i64).unwrap_or_default();
    let nanos = value(timestamp, "nanos").and_then(Value::as_i32).unwrap_or_default();
    let milliseconds = (0..1_000_000_000).contains(&nanos).then_some(nanos / 1_000_000)?;
    let time = Time(seconds.checked_mul(1000)?.checked_add(milliseconds.into())?);
    is_possible(day(time)?).then_some(time)
}

/// The day of an instant in Asia/Shanghai.
pub(super) fn day(time: Time) -> Option<Date> {
    let at = Timestamp::from_millisecond(time.0).ok()?;
    Some(SHANGHAI.to_datetime(at).date())
}

/// Whether a date can be meant: nobody under correction was born before 1900, and no term ends
/// after 2199.
pub(super) fn is_possible(date: Date) -> bool {
    (1900..2200).contains(&date.year())
}
