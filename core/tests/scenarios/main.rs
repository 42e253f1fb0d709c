//! The law article by article, as scenarios that a lawyer reads without Rust: who sends what on which
//! day, and then to whom it goes, which duties it opens, meets or misses, and who answers for the
//! person. The scenarios are the TOML files in the folders beside this file, their agencies those of
//! `agencies.toml`; how they are written, `CONTRIBUTING.md` says.
//!
//! What a scenario expects is written by hand from the articles. The complete outcome stands beside
//! it in a `.txt` of the same name, for whoever reviews a change of a rulebook.

#![expect(clippy::unwrap_used, reason = "a test that fails says where")]

mod agencies;
mod coverage;
mod hub;
mod outcome;
mod play;
mod scenario;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use scenario::Scenario;

/// The scenarios by their names: the path below this folder, without its ending.
fn scenarios() -> BTreeMap<String, Scenario> {
    named("toml").into_iter().map(|(name, path)| (name, Scenario::read(&path))).collect()
}

/// The files with that ending in the folders below this one.
fn named(ending: &str) -> BTreeMap<String, PathBuf> {
    let folder = folder();
    let mut open = vec![folder.clone()];
    let mut found = BTreeMap::new();
    while let Some(inner) = open.pop() {
        for entry in std::fs::read_dir(inner).unwrap() {
            let path = entry.unwrap().path();
            let fits = path.extension().is_some_and(|extension| extension == ending);
            if path.is_dir() {
                open.push(path);
            } else if fits && path.parent() != Some(&folder) {
                let name = path.strip_prefix(&folder).unwrap().with_extension("");
                found.insert(name.to_str().unwrap().to_owned(), path);
            }
        }
    }
    found
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scenarios")
}

#[test]
fn every_scenario_ends_as_its_articles_say() {
    let world = agencies::World::read(&folder().join("agencies.toml"));
    let scenarios = scenarios();
    let played: Vec<_> = scenarios
        .iter()
        .map(|(name, scenario)| (name, play::play(&world, &scenarios, name, scenario)))
        .collect();
    let wrong: Vec<&str> =
        played.iter().flat_map(|(_, played)| &played.wrong).map(String::as_str).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let mut outcomes = named("txt");
    outcomes.retain(|name, _| !scenarios.contains_key(name));
    assert!(outcomes.is_empty(), "outcomes of no scenario: {outcomes:#?}");
    for (name, played) in &played {
        let whole = folder().join(format!("{name}.txt"));
        expect_test::expect_file![whole].assert_eq(&played.text);
    }
}
