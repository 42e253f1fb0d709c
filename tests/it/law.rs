//! The rulebooks as whoever changes them meets them: exported, changed, validated and compared by the
//! real program.

use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

const PROGRAM: &str = env!("CARGO_BIN_EXE_xianjie");

fn law(arguments: &[&str]) -> Output {
    Command::new(PROGRAM).arg("law").args(arguments).output().unwrap()
}

fn told(output: &Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout.clone()).unwrap()
}

/// Replaces a piece of a file once.
fn change(file: &Path, right: &str, other: &str) {
    let text = std::fs::read_to_string(file).unwrap();
    assert!(text.contains(right), "{right}");
    std::fs::write(file, text.replacen(right, other, 1)).unwrap();
}

#[test]
fn rulebooks_are_exported_changed_validated_and_compared() {
    let folder = tempfile::tempdir().unwrap();
    let rules = folder.path().join("rules");
    let at = rules.to_str().unwrap();
    told(&law(&["export", at]));
    assert!(told(&law(&["validate", at])).contains("检查通过"));
    assert_eq!(law(&["export", at]).status.code(), Some(2), "what is there is not written over");

    let act = rules.join("act_2020.toml");
    change(&act, "within = \"48 hours\"", "within = \"24 hours\"");
    let days = told(&law(&["diff", "builtin", at, "--date", "2026-11-24", "--json"]));
    let days: Value = serde_json::from_str(&days).unwrap();
    let types = days[0]["types"].as_array().unwrap();
    assert_eq!(types.len(), 1);
    assert_eq!(types[0]["document_type"], "arrest_request");
    let limit = &types[0]["sections"][0]["added"][0]["zh"];
    assert_eq!(limit, "是否逮捕的决定 › 期限：自收到之日起24小时内");

    change(&act, "within = \"24 hours\"", "within = \"24 ours\"");
    let broken = law(&["validate", at, "--json"]);
    assert_eq!(broken.status.code(), Some(1));
    let error: Value = serde_json::from_slice(&broken.stderr).unwrap();
    let facts = &error["error"]["facts"][0];
    let text = std::fs::read_to_string(&act).unwrap();
    let line = 1 + text.lines().position(|line| line.contains("24 ours")).unwrap();
    assert_eq!(
        (facts["file"].as_str(), facts["line"].as_u64()),
        (Some("act_2020.toml"), u64::try_from(line).ok(),)
    );
    assert_eq!(law(&["diff", "builtin", at]).status.code(), Some(1), "no diff with what is wrong");
}

#[test]
fn the_pages_for_lawyers_are_printed_in_the_language_asked_for() {
    let day = ["--date", "2026-11-24"];
    let html = told(&law(&["render", "--format", "html", day[0], day[1]]));
    assert!(html.starts_with("<!DOCTYPE html>\n<html lang=\"zh-CN\">"));
    assert!(html.contains("<th>义务人</th>") && !html.contains("<script"));
    let english = told(&law(&["render", "--lang", "en", day[0], day[1]]));
    assert!(english.contains("| Duty | Owed by |"));
    let book = told(&law(&["render", "--rulebook", "prison_law_2026"]));
    assert!(book.starts_with("# prison") && book.contains("监狱法2026 32"));
    assert_eq!(law(&["render", "--rulebook", "none"]).status.code(), Some(2));
    let rows: Value = serde_json::from_str(&told(&law(&["rows", "--format", "json"]))).unwrap();
    assert_eq!(rows.as_array().unwrap().len(), 147);
}
