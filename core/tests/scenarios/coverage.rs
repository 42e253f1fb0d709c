//! Which rows of the law have a scenario, and which of its rules one that breaks them. The rows, and the document types that carry them, are those
//! of the rulebooks themselves.

use std::collections::{BTreeMap, BTreeSet};

use xianjie_core::domain::rulebook::Law;

use crate::{agencies, folder, play, scenarios};

/// Rows that documents carry and no scenario shows yet. The list only shrinks.
const WITHOUT: &[&str] = &[];

/// For each row that documents or their duties carry, the types of these documents.
fn carriers(law: &Law) -> BTreeMap<String, BTreeSet<String>> {
    let mut carriers: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (kind, table) in law.books().iter().flat_map(|book| &book.documents) {
        let duties = table.duties.iter().flat_map(|duty| &duty.item.rows);
        for row in table.rows.iter().chain(duties) {
            carriers.entry(row.clone()).or_default().insert(kind.to_string());
        }
    }
    carriers
}

#[test]
fn every_row_that_documents_carry_has_a_scenario() {
    let carriers = carriers(&Law::built_in());
    let mut without: BTreeSet<&str> = carriers.keys().map(String::as_str).collect();
    let scenarios = scenarios();
    for (name, scenario) in &scenarios {
        for row in &scenario.rows {
            println!("{row:4} {name}");
            without.remove(row.as_str());
        }
    }
    let owed: BTreeSet<&str> = WITHOUT.iter().copied().collect();
    assert_eq!(without, owed, "left: rows without a scenario; right: WITHOUT");
}

#[test]
fn a_scenario_names_rows_of_documents_that_are_sent_in_it() {
    let carriers = carriers(&Law::built_in());
    let mut wrong = Vec::new();
    let scenarios = scenarios();
    for (name, scenario) in &scenarios {
        let before = std::iter::successors(Some(scenario), |scenario| {
            scenario.after.as_ref().and_then(|name| scenarios.get(name))
        });
        let steps = before.flat_map(|scenario| &scenario.steps);
        let sent: BTreeSet<&String> = steps.filter_map(|step| step.sends.as_ref()).collect();
        for row in &scenario.rows {
            let shown =
                carriers.get(row).is_some_and(|kinds| kinds.iter().any(|k| sent.contains(k)));
            if !shown {
                wrong.push(format!("{name} sends nothing of row {row}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn every_rule_is_broken_in_a_scenario() {
    let world = agencies::World::read(&folder().join("agencies.toml"));
    let scenarios = scenarios();
    let played = scenarios.iter().map(|(name, it)| play::play(&world, &scenarios, name, it));
    let broken: BTreeSet<String> = played.flat_map(|played| played.broken).collect();
    let tables = world.law.books().iter().flat_map(|book| &book.documents);
    let rules = tables.flat_map(|(_, table)| &table.rules).map(|rule| rule.path.clone());
    let steps = world.law.custody().flagged_pairs();
    let steps =
        steps.map(|(step, state)| format!("CUSTODY {} while {}", step.word(), state.word()));
    let never: Vec<String> = rules.chain(steps).filter(|rule| !broken.contains(rule)).collect();
    assert!(never.is_empty(), "no scenario breaks {never:#?}");
}
