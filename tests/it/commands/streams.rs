//! What a command prints, and to whom.

use std::process::Stdio;

use super::{USAGE, run};
use crate::process::program;

#[test]
fn who_stops_reading_ends_a_command_quietly() {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let mut command = program(&["law", "list"]);
    let output = command.stdout(writer).stderr(Stdio::piped()).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    assert_eq!(output.status.code(), Some(141));
}

#[test]
fn a_command_line_that_cant_be_used_is_json_where_json_is_asked_for() {
    let wrong = run(&mut program(&["agency", "succeed", "--nonsense", "--json"]));
    assert_eq!((wrong.code, &*wrong.told), (USAGE, ""));
    let error: serde_json::Value = serde_json::from_str(&wrong.complaint).unwrap();
    assert_eq!(error["error"]["exit"], USAGE);
    assert!(error["error"]["message"].as_str().unwrap().contains("--nonsense"), "{error}");
    let words = run(&mut program(&["agency", "succeed", "--nonsense"]));
    assert_eq!(words.code, USAGE);
    assert!(words.complaint.starts_with("error: "), "{}", words.complaint);
}
