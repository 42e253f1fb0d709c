//! Which rows of the law have a scenario.

use std::collections::BTreeSet;

use crate::scenarios;

/// The rows of each instrument: the 2012 Measures, the Act, the 2020 Measures, related instruments,
/// supervision by the procuratorate, and what a second reading found.
const INSTRUMENTS: [(char, u32); 6] =
    [('A', 31), ('B', 34), ('C', 37), ('D', 21), ('E', 5), ('N', 19)];

/// Rows that are no document between agencies: what goes to the person, what is a rule of visibility,
/// what stays inside one agency, what no text is at hand for.
const NO_DOCUMENT: &str = "A12 A15 A28 A29 B8 B17 B19 B32 C3 C13 C35 C36 D19 D21 N15";

/// Rows that no scenario shows yet. The list only shrinks. N17: the agency hands the file over, and no
/// document of its own does that yet.
const WITHOUT: &str = "N17";

fn rows(list: &str) -> BTreeSet<String> {
    list.split_whitespace().map(str::to_owned).collect()
}

#[test]
fn every_row_between_agencies_has_a_scenario() {
    let all: BTreeSet<String> = INSTRUMENTS
        .iter()
        .flat_map(|(letter, last)| (1..=*last).map(move |row| format!("{letter}{row}")))
        .collect();
    let mut shown = BTreeSet::new();
    for (name, scenario) in scenarios() {
        for row in scenario.rows {
            assert!(all.contains(&row), "{name}: the law has no row {row}");
            println!("{row:4} {name}");
            shown.insert(row);
        }
    }
    let owed: BTreeSet<String> = all.difference(&rows(NO_DOCUMENT)).cloned().collect();
    let without: BTreeSet<String> = owed.difference(&shown).cloned().collect();
    assert_eq!(without, rows(WITHOUT), "left: without a scenario; right: as WITHOUT has it");
}
