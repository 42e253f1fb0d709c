//! The embedded notices against counts and days known from elsewhere, and what the reader refuses.

use jiff::civil::{Date, date};

use super::{Calendar, CalendarError};

fn works(calendar: &Calendar, text: &str) -> Option<bool> {
    calendar.is_working_day(text.parse().unwrap())
}

fn year(body: &str) -> Result<Calendar, CalendarError> {
    Calendar::parse(&format!("[national.2026]\nsource = \"a notice\"\n{body}"))
}

#[test]
fn each_year_has_as_many_working_days_as_independent_tables_count() {
    let calendar = Calendar::built_in();
    let counts = [249, 250, 250, 249, 250, 249, 250, 250, 249, 250, 249, 249, 251, 248];
    for (year, expected) in (2012..).zip(counts) {
        let working = date(year, 1, 1)
            .series(jiff::Span::new().days(1))
            .take_while(|day| day.year() == year)
            .filter(|day| calendar.is_working_day(*day).unwrap())
            .count();
        assert_eq!(working, expected, "{year}");
    }
}

#[test]
fn the_last_known_year_has_248_working_days_of_which_three_wait_for_the_next_notice() {
    let calendar = Calendar::built_in();
    let days: Vec<Date> = date(2026, 1, 1)
        .series(jiff::Span::new().days(1))
        .take_while(|day| day.year() == 2026)
        .collect();
    let count = |answer| days.iter().filter(|day| calendar.is_working_day(**day) == answer).count();
    assert_eq!((count(Some(true)), count(None)), (245, 3));
}

#[test]
fn days_that_the_weekday_does_not_tell() {
    let calendar = Calendar::built_in();
    for (day, expected) in [
        ("2012-01-21", true),  // a working Saturday before the Spring Festival
        ("2015-09-03", false), // the 70th anniversary, by a notice of its own
        ("2015-09-06", true),
        ("2018-12-29", true), // by the notice for 2019
        ("2018-12-31", false),
        ("2019-05-03", false), // added in March 2019
        ("2020-02-01", false), // first a make-up day, then off by the extension
        ("2020-02-03", true),
        ("2026-02-23", false),
        ("2026-02-24", true),
        ("2026-02-28", true),
    ] {
        assert_eq!(works(&calendar, day), Some(expected), "{day}");
    }
}

#[test]
fn a_year_without_its_notice_is_unknown_as_a_whole() {
    let calendar = Calendar::built_in();
    for day in ["2011-12-31", "2011-06-01", "2027-01-01", "2027-06-05", "9999-12-31"] {
        assert_eq!(works(&calendar, day), None, "{day}");
    }
    assert_eq!(calendar.source(2027), None);
}

#[test]
fn the_end_of_december_waits_for_the_next_notice() {
    let calendar = Calendar::built_in();
    assert_eq!(works(&calendar, "2026-12-28"), Some(true));
    assert_eq!(works(&calendar, "2026-12-29"), None);
    assert_eq!(works(&calendar, "2025-12-31"), Some(true));
}

#[test]
fn a_year_can_be_cited() {
    assert!(Calendar::built_in().source(2026).unwrap().contains("国办发明电〔2025〕7号"));
    for year in 2012..=2026 {
        let source = Calendar::built_in().source(year).unwrap().to_owned();
        assert!(source.contains(&format!("{year}年")) && source.contains("号"), "{source}");
    }
}

#[test]
fn a_region_adds_its_days_and_every_other_division_stays_national() {
    let calendar = Calendar::parse(
        r#"
        [national.2026]
        source = "national"
        off = ["2026-10-01..2026-10-07"]
        work = ["2026-10-10"]

        [region.540000.2026]
        source = "regional"
        off = ["2026-08-12..2026-08-14", "2026-10-10"]
        work = ["2026-08-15"]
        "#,
    )
    .unwrap();
    let tibet = calendar.for_division("540102");
    assert_eq!(works(tibet, "2026-08-12"), Some(false));
    assert_eq!(works(tibet, "2026-08-15"), Some(true));
    assert_eq!(works(tibet, "2026-10-10"), Some(false), "the region's table wins");
    assert_eq!(works(tibet, "2026-10-01"), Some(false), "national days stay");
    assert_eq!(tibet.source(2026), Some("national；regional"));
    for code in ["110105", "", "5", "西藏自治区", "zone-1"] {
        assert_eq!(works(calendar.for_division(code), "2026-08-12"), Some(true), "{code}");
    }
}

#[test]
fn a_single_day_is_a_range_of_one() {
    let single = year("off = [\"2026-10-01\"]\nwork = []").unwrap();
    assert_eq!(single, year("off = [\"2026-10-01..2026-10-01\"]\nwork = []").unwrap());
}

#[test]
fn bad_data_are_refused_with_their_place() {
    let message = |data: Result<Calendar, CalendarError>| data.unwrap_err().to_string();
    for (body, part) in [
        ("off = [\"2026-02-30\"]\nwork = []", "\"2026-02-30\" in the table of 2026"),
        ("off = [\"2026-2-3\"]\nwork = []", "no date"),
        ("off = [\"20260203\"]\nwork = []", "no date"),
        ("off = [\"2026-02-03T10:00\"]\nwork = []", "no date"),
        ("off = [\"2026-01-03..2026-01-01\"]\nwork = []", "no date"),
        ("off = [\"2025-12-28\"]\nwork = []", "2025-12-28 stands in the table of 2026"),
        ("off = [\"2026-12-31..2027-01-01\"]\nwork = []", "2027-01-01 stands"),
        ("off = []\nwork = [\"2026-01-05\"]", "2026-01-05 is not on a weekend"),
        ("off = [\"2026-01-04\"]\nwork = [\"2026-01-04\"]", "2026-01-04 is listed twice"),
        ("off = []\nwork = []\nrest = []", "unknown field"),
        ("off = []", "missing field `work`"),
    ] {
        let said = message(year(body));
        assert!(said.contains(part), "{body}: {said}");
    }
    let table = "source = \"x\"\noff = []\nwork = []";
    for (data, part) in [
        (format!("[national.next]\n{table}"), "holiday data: TOML parse error"),
        (
            format!("[national.-32768]\n{}", table.replace("[]\nw", "[\"2026-01-01\"]\nw")),
            "stands in the table",
        ),
        (table.to_owned(), "unknown field `off`"),
        (format!("[national.2026]\n{}", table.replace("\"x\"", "\" \"")), "2026 names no source"),
        (format!("[national]\n[region.540102.2026]\n{table}"), "\"540102\" is not a province"),
        (format!("[national]\n[region.540000.2026]\n{table}"), "the nation has none"),
    ] {
        let said = message(Calendar::parse(&data));
        assert!(said.contains(part), "{data}: {said}");
    }
}

#[test]
fn a_notice_may_reach_back_into_the_december_before() {
    let calendar = year("off = [\"2025-12-31\"]\nwork = []").unwrap();
    assert_eq!(works(&calendar, "2025-12-31"), None, "2025 itself has no notice here");
    assert!(year("off = [\"2025-12-28..2026-01-01\"]\nwork = []").is_err());
}
