//! The counter-examples of the rulebook, the statute's edge cases, and what must hold of all.

use jiff::civil::{Date, date};
use proptest::prelude::*;

use super::*;

fn day(text: &str) -> Date {
    text.parse().unwrap()
}

fn span(text: &str) -> Span {
    text.parse().unwrap()
}

fn ms(text: &str) -> i64 {
    let at: DateTime = text.parse().unwrap();
    SHANGHAI.to_timestamp(at).unwrap().as_millisecond()
}

/// The last day in time of a limit from a day, and whether it is provisional.
fn counted(length: &str, from: &str, roll: Roll) -> (String, bool) {
    let due = due(span(length), Start::Day(day(from)), roll, &Calendar::built_in()).unwrap();
    assert_eq!(due.at_ms, shanghai_midnight_ms(due.last_day().tomorrow().unwrap()));
    (due.last_day().to_string(), due.provisional)
}

fn last(length: &str, from: &str, roll: Roll) -> String {
    let (last, provisional) = counted(length, from, roll);
    assert!(!provisional, "{length} from {from}");
    last
}

#[test]
fn five_days_into_the_spring_festival_end_after_it() {
    assert_eq!(last("5 days", "2026-02-11", Roll::Holidays), "2026-02-24");
    assert_eq!(last("5 days", "2026-02-11", Roll::Never), "2026-02-16");
}

#[test]
fn ten_working_days_count_make_up_saturdays() {
    assert_eq!(last("10 working days", "2026-02-10", Roll::Holidays), "2026-03-02");
    assert_eq!(last("10 working days", "2026-02-10", Roll::Never), "2026-03-02");
}

#[test]
fn a_month_may_end_on_a_working_saturday() {
    assert_eq!(last("1 month", "2026-01-31", Roll::Holidays), "2026-02-28");
}

#[test]
fn forty_eight_hours_do_not_count_the_starting_hour_and_do_not_roll() {
    for roll in [Roll::Holidays, Roll::Never] {
        let from = |text| Start::Instant(ms(text));
        let at = |start| due(span("48 hours"), start, roll, &Calendar::default()).unwrap();
        let end = at(from("2026-09-30T16:20"));
        assert_eq!(format_shanghai(end.at_ms), "2026-10-02 17:00");
        assert_eq!(end.last_day(), day("2026-10-02"));
        assert!(!end.provisional);
        assert_eq!(at(from("2026-09-30T16:00")), end);
        assert_eq!(at(from("2026-09-30T16:59:59.999")), end);
        assert_eq!(at(from("2026-09-30T17:00")).at_ms, end.at_ms + HOUR_MS);
    }
}

#[test]
fn hours_from_a_day_run_from_its_end() {
    let from_day = Start::Day(day("2026-09-30"));
    let late = Start::Instant(ms("2026-09-30T23:59"));
    let at = |start| due(span("24 hours"), start, Roll::Never, &Calendar::default()).unwrap();
    assert_eq!(at(from_day), at(late));
    assert_eq!(format_shanghai(at(from_day).at_ms), "2026-10-02 00:00");
}

#[test]
fn arrest_is_never_rolled_over_the_national_day() {
    assert_eq!(last("30 days", "2026-09-05", Roll::Never), "2026-10-05");
    assert_eq!(last("30 days", "2026-09-05", Roll::Holidays), "2026-10-08");
}

#[test]
fn months_end_on_the_same_day_or_the_months_end() {
    for (length, from, expected) in [
        ("1 month", "2026-03-15", "2026-04-15"),
        ("1 month", "2026-01-30", "2026-02-28"),
        ("1 month", "2024-01-30", "2024-02-29"),
        ("1 month", "2024-02-28", "2024-03-28"), // not the last day of a leap February
        ("1 month", "2026-02-28", "2026-03-31"), // from the last day to the last day
        ("1 month", "2024-02-29", "2024-03-31"),
        ("1 month", "2026-04-30", "2026-05-31"),
        ("2 months", "2025-12-31", "2026-02-28"),
        ("3 months", "2025-11-30", "2026-02-28"),
        ("12 months", "2024-02-29", "2025-02-28"),
        ("48 months", "2020-02-29", "2024-02-29"),
    ] {
        assert_eq!(last(length, from, Roll::Never), expected, "{length} from {from}");
    }
}

#[test]
fn an_instant_counts_from_its_day_in_shanghai() {
    let calendar = Calendar::built_in();
    let at = |start| due(span("3 days"), start, Roll::Never, &calendar).unwrap().last_day();
    assert_eq!(at(Start::Instant(ms("2026-03-10T00:00"))), day("2026-03-13"));
    assert_eq!(at(Start::Instant(ms("2026-03-10T23:59:59.999"))), day("2026-03-13"));
    assert_eq!(at(Start::Instant(ms("2026-03-11T00:00"))), day("2026-03-14"));
}

#[test]
fn missing_calendar_data_make_a_due_provisional_only_when_needed() {
    let provisional = |text: &str| (text.to_owned(), true);
    assert_eq!(counted("10 days", "2026-12-24", Roll::Holidays), provisional("2027-01-04"));
    assert_eq!(counted("5 working days", "2026-12-24", Roll::Never), provisional("2026-12-31"));
    assert_eq!(counted("10 days", "2026-12-26", Roll::Never), ("2027-01-05".to_owned(), false));
    assert_eq!(last("5 days", "2026-12-23", Roll::Holidays), "2026-12-28");
    assert_eq!(counted("5 days", "2011-06-01", Roll::Holidays), provisional("2011-06-06"));
    assert_eq!(counted("1 working days", "2011-12-30", Roll::Never), provisional("2012-01-04"));
}

#[test]
fn a_term_expiry_is_the_end_of_its_date_even_on_a_holiday() {
    let due = term_expiry_due(day("2026-10-01"));
    assert_eq!(format_shanghai(due.at_ms), "2026-10-02 00:00");
    assert!(!due.provisional);
}

#[test]
fn terms_end_the_day_before() {
    for (start, (years, months, days), expected) in [
        ("2026-03-15", (1, 0, 0), "2027-03-14"),
        ("2026-03-15", (0, 6, 0), "2026-09-14"),
        ("2026-03-15", (1, 6, 0), "2027-09-14"),
        ("2026-03-15", (0, 0, 15), "2026-03-29"),
        ("2026-03-01", (0, 1, 0), "2026-03-31"),
        ("2024-02-29", (1, 0, 0), "2025-02-27"), // the day before the month's last day
        ("2024-02-29", (4, 0, 0), "2028-02-28"),
        ("2026-01-31", (0, 1, 0), "2026-02-27"),
        ("2026-02-28", (0, 1, 0), "2026-03-30"), // from the last day of a month
        ("2026-04-30", (0, 2, 0), "2026-06-29"),
        ("2026-12-31", (0, 2, 10), "2027-03-09"),
    ] {
        assert_eq!(term_end(day(start), years, months, days), Ok(day(expected)), "{start}");
    }
    let start = day("2026-03-15");
    assert_eq!(term_end(start, 0, 0, 0), Err(TermError::EmptyTerm { start }));
}

#[test]
fn the_window_before_expiry_opens_at_midnight_and_closes_with_the_expiry() {
    let window = |expiry: &str, months| {
        let (opens, closes) = window_before(day(expiry), months).unwrap();
        (format_shanghai(opens), format_shanghai(closes))
    };
    let pair = |opens: &str, closes: &str| (opens.to_owned(), closes.to_owned());
    assert_eq!(window("2026-10-01", 1), pair("2026-09-01 00:00", "2026-10-02 00:00"));
    assert_eq!(window("2026-07-31", 1), pair("2026-06-30 00:00", "2026-08-01 00:00"));
    assert_eq!(window("2024-03-31", 1), pair("2024-02-29 00:00", "2024-04-01 00:00"));
}

#[test]
fn the_earliest_of_several_is_provisional_if_any_is() {
    let sure = Due { at_ms: 5, provisional: false };
    let unsure = Due { at_ms: 7, provisional: true };
    assert_eq!(earliest(&[]), None);
    assert_eq!(earliest(&[Due { at_ms: 9, ..sure }, sure]), Some(sure));
    assert_eq!(earliest(&[unsure, sure]), Some(Due { at_ms: 5, provisional: true }));
}

#[test]
fn spans_are_read_in_the_rulebooks_form_only() {
    for (text, expected) in [
        ("48 hours", Span::Hours(48)),
        ("10 days", Span::Days(10)),
        ("5 working days", Span::WorkingDays(5)),
        ("1 months", Span::Months(1)),
        ("1 month", Span::Months(1)),
        ("65535 days", Span::Days(u16::MAX)),
    ] {
        assert_eq!(text.parse(), Ok(expected), "{text}");
    }
    for text in [
        "",
        "days",
        "5",
        "5days",
        "5  days",
        " 5 days",
        "5 days ",
        "+5 days",
        "-5 days",
        "05 days",
        "0 days",
        "5 day",
        "2 month",
        "5 Days",
        "5 weeks",
        "1 year",
        "65536 days",
        "5.0 days",
        "five days",
        "5 working  days",
        "５ days",
    ] {
        assert_eq!(text.parse::<Span>(), Err(TermError::NotASpan(text.to_owned())));
    }
}

#[test]
fn what_leaves_the_calendar_is_an_error() {
    let calendar = Calendar::built_in();
    let fails = |span, from| {
        matches!(due(span, from, Roll::Holidays, &calendar), Err(TermError::OutOfRange { .. }))
    };
    for from in [Start::Day(Date::MAX), Start::Instant(i64::MAX), Start::Instant(i64::MAX - 1)] {
        for span in [Span::Hours(48), Span::Days(1), Span::WorkingDays(1), Span::Months(1)] {
            assert!(fails(span, from), "{span} from {from}");
        }
    }
    for span in [Span::Hours(1), Span::Days(1), Span::WorkingDays(1), Span::Months(1)] {
        assert!(fails(span, Start::Instant(i64::MIN)), "{span}");
    }
    let last_day = Start::Day(Date::MAX.yesterday().unwrap());
    let at = due(Span::Days(1), last_day, Roll::Never, &calendar).unwrap().at_ms;
    assert_eq!(at, term_expiry_due(Date::MAX).at_ms);
    assert!(term_end(Date::MAX, 1, 0, 0).is_err());
    assert!(term_end(day("2026-01-01"), u16::MAX, 0, 0).is_err());
    assert!(window_before(Date::MIN, 1).is_err());
    let said = due(Span::Days(2), last_day, Roll::Never, &calendar).unwrap_err().to_string();
    assert_eq!(said, "2 days counted from 9999-12-30 leaves the calendar");
}

#[test]
fn shanghai_days_begin_sixteen_hundred_utc_the_day_before() {
    assert_eq!(shanghai_midnight_ms(EPOCH), -8 * HOUR_MS);
    assert_eq!(shanghai_midnight_ms(day("2026-02-24")), 1_771_862_400_000);
    assert_eq!(shanghai_date(1_771_862_400_000), day("2026-02-24"));
    assert_eq!(shanghai_date(1_771_862_399_999), day("2026-02-23"));
    assert_eq!(shanghai_date(-8 * HOUR_MS - 1), day("1969-12-31"));
    assert_eq!(format_shanghai(ms("2026-02-24T17:00")), "2026-02-24 17:00");
    assert_eq!(shanghai_date(i64::MAX), Date::MAX);
    assert_eq!(shanghai_date(i64::MIN).year(), Date::MIN.year());
}

fn any_day() -> impl Strategy<Value = Date> {
    (0..5800_u16).prop_map(|offset| add_days(date(2011, 6, 1), offset).unwrap())
}

fn any_day_span() -> impl Strategy<Value = fn(u16) -> Span> {
    prop::sample::select(vec![Span::Days as fn(u16) -> Span, Span::WorkingDays, Span::Months])
}

fn any_span() -> impl Strategy<Value = fn(u16) -> Span> {
    prop_oneof![any_day_span(), Just(Span::Hours as fn(u16) -> Span)]
}

fn any_roll() -> impl Strategy<Value = Roll> {
    prop::sample::select(vec![Roll::Holidays, Roll::Never])
}

proptest! {
    #[test]
    fn a_span_reads_back_as_written(unit in any_span(), count in 1..=u16::MAX) {
        prop_assert_eq!(unit(count).to_string().parse(), Ok(unit(count)));
    }

    #[test]
    fn a_longer_span_is_never_due_earlier(
        unit in any_span(), count in 1..200_u16, from in any_day(), roll in any_roll(),
    ) {
        let calendar = Calendar::built_in();
        let at = |count| due(unit(count), Start::Day(from), roll, &calendar).unwrap().at_ms;
        prop_assert!(at(count) <= at(count + 1));
        prop_assert!(at(count) > term_expiry_due(from).at_ms, "the day of the event is not counted");
    }

    #[test]
    fn a_later_day_is_never_due_earlier(
        unit in any_day_span(), count in 1..200_u16, from in any_day(), roll in any_roll(),
    ) {
        let calendar = Calendar::built_in();
        let at = |from| due(unit(count), Start::Day(from), roll, &calendar).unwrap().at_ms;
        prop_assert!(at(from) <= at(from.tomorrow().unwrap()));
    }

    #[test]
    fn a_rolled_due_ends_on_the_first_working_day_from_the_unrolled_one(
        unit in any_day_span(), count in 1..200_u16, from in any_day(),
    ) {
        let calendar = Calendar::built_in();
        let at = |roll| due(unit(count), Start::Day(from), roll, &calendar).unwrap();
        let (rolled, unrolled) = (at(Roll::Holidays), at(Roll::Never));
        prop_assert!(rolled.at_ms >= unrolled.at_ms);
        let works = |day| calendar.is_working_day(day);
        if !rolled.provisional {
            prop_assert_eq!(works(rolled.last_day()), Some(true));
        }
        let mut skipped = unrolled.last_day();
        while skipped < rolled.last_day() {
            prop_assert_ne!(works(skipped), Some(true));
            skipped = skipped.tomorrow().unwrap();
        }
    }

    #[test]
    fn never_never_moves(count in 1..2000_u16, from in any_day()) {
        let at = |span, calendar: &Calendar| due(span, Start::Day(from), Roll::Never, calendar);
        for span in [Span::Hours(count), Span::Days(count), Span::Months(count)] {
            let blind = at(span, &Calendar::default()).unwrap();
            prop_assert!(!blind.provisional);
            prop_assert_eq!(blind, at(span, &Calendar::built_in()).unwrap());
        }
        let days = at(Span::Days(count), &Calendar::default()).unwrap().last_day();
        prop_assert_eq!(days, add_days(from, count).unwrap());
    }

    #[test]
    fn hours_end_on_a_full_hour_with_exactly_as_many_full_hours_counted(
        count in 1..=u16::MAX, at in 1_300_000_000_000..1_900_000_000_000_i64,
    ) {
        let end = due(Span::Hours(count), Start::Instant(at), Roll::Holidays, &Calendar::default());
        let waited = end.clone().unwrap().at_ms - at - i64::from(count) * HOUR_MS;
        prop_assert!(waited > 0 && waited <= HOUR_MS);
        prop_assert_eq!(end.unwrap().at_ms % HOUR_MS, 0);
    }

    #[test]
    fn any_instant_and_any_span_end_without_panic(
        unit in any_span(), count in any::<u16>(), at in any::<i64>(), roll in any_roll(),
    ) {
        let _ = due(unit(count), Start::Instant(at), roll, &Calendar::default());
        prop_assert!(!format_shanghai(at).is_empty());
    }

    #[test]
    fn a_day_holds_its_own_milliseconds(day in any_day(), ms in 0..DAY_MS) {
        prop_assert_eq!(shanghai_date(shanghai_midnight_ms(day) + ms), day);
    }
}
