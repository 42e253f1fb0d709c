//! The house keeps its floors: what Cargo does not enforce, this does.

use std::fs;
use std::path::{Path, PathBuf};

/// A source file: its path below the project's root, and its text without comments.
struct Source {
    path: String,
    code: String,
    lines: usize,
}

fn sources(folder: &str) -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut open = vec![root.join(folder)];
    let mut found = Vec::new();
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push(read(root, path));
            }
        }
    }
    found.sort_by(|a, b| a.path.cmp(&b.path));
    assert!(!found.is_empty(), "{folder} holds no source");
    found
}

fn read(root: &Path, path: PathBuf) -> Source {
    let text = fs::read_to_string(&path).unwrap();
    let code: Vec<&str> =
        text.lines().map(|line| line.split_once("//").map_or(line, |(code, _)| code)).collect();
    let path = path.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
    Source { path, lines: text.lines().count(), code: code.join("\n") }
}

/// Whether a file is a test's.
fn is_test(source: &Source) -> bool {
    source.path.ends_with("tests.rs") || source.path.contains("/tests/")
}

/// The floors of the program, lowest first; what stands on one floor may not know another there,
/// unless it is the same folder.
const FLOORS: &[(u8, &[&str])] = &[
    (1, &["clock", "entropy", "config", "telemetry"]),
    (2, &["wire", "identity", "store"]),
    (3, &["hub", "client"]),
    (4, &["services", "http"]),
    (5, &["server", "demo", "bench"]),
    (6, &["cli"]),
];

fn floor(room: &str) -> Option<u8> {
    FLOORS.iter().find(|(_, rooms)| rooms.contains(&room)).map(|(floor, _)| *floor)
}

/// The room of a file: the folder below `src`, or the file's own name.
fn room(source: &Source) -> &str {
    let inner = source.path.strip_prefix("src/").unwrap_or(&source.path);
    inner.split(['/', '.']).next().unwrap_or(inner)
}

/// Neighbours on one floor that may know each other: signatures on the wire need keys, and telemetry
/// is set up from the configuration.
const STAIRS: &[(&str, &str)] = &[("wire", "identity"), ("telemetry", "config")];

#[test]
fn every_room_imports_from_lower_floors_only() {
    let mut wrong = Vec::new();
    for source in sources("src") {
        let here = room(&source).to_owned();
        let Some(own) = floor(&here) else { continue };
        for (at, _) in source.code.match_indices("crate::") {
            let rest = &source.code[at + "crate::".len()..];
            let there: String =
                rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
            let Some(other) = floor(&there) else { continue };
            let stairs = STAIRS.contains(&(here.as_str(), there.as_str()));
            if there != here && other >= own && !stairs {
                wrong.push(format!("{} imports {there}", source.path));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn in_the_core_the_law_and_the_ledger_do_not_know_each_other() {
    for source in sources("core/src") {
        let knows = |other: &str| source.code.contains(&format!("crate::{other}"));
        if source.path.starts_with("core/src/domain") {
            assert!(!knows("ledger"), "{} imports the ledger", source.path);
        }
        if source.path.starts_with("core/src/ledger") {
            assert!(!knows("domain"), "{} imports the law", source.path);
        }
    }
}

/// Words that stand in their own rooms only.
const WORDS: &[(&str, &[&str])] = &[
    ("pb::", &["wire", "services", "client", "bench"]),
    ("sqlx::", &["store"]),
    ("rusqlite::", &["store"]),
    ("Status::", &["services/status", "client"]),
    ("clock.now()", &["hub", "client", "demo", "cli"]),
    (".store.commit(", &["hub/sequencer"]),
];

#[test]
fn words_stand_in_their_own_rooms_only() {
    let mut wrong = Vec::new();
    for source in sources("src").iter().filter(|source| !is_test(source)) {
        for (word, rooms) in WORDS {
            let at_home = rooms.iter().any(|room| {
                source.path.strip_prefix("src/").is_some_and(|path| path.starts_with(room))
            });
            if source.code.contains(word) && !at_home {
                wrong.push(format!("{}: {word}", source.path));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn no_file_is_too_long_to_be_read() {
    const MOST: usize = 620;
    let all = ["src", "core/src", "tests"].into_iter().flat_map(sources);
    let long: Vec<String> = all
        .filter(|source| source.lines > MOST && !is_test(source))
        .map(|source| format!("{}: {} lines", source.path, source.lines))
        .collect();
    assert!(long.is_empty(), "{long:#?}");
}

#[test]
fn nothing_is_left_unfinished() {
    let unfinished = ["todo!(", "unimplemented!(", "#[ignore", "dbg!("];
    for source in ["src", "core/src", "tests"].into_iter().flat_map(sources) {
        if source.path == "tests/it/tidy.rs" {
            continue;
        }
        for word in unfinished {
            assert!(!source.code.contains(word), "{} holds {word}", source.path);
        }
    }
}
