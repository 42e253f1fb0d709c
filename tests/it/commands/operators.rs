//! What operators run: `init`, `audit`, `doctor`, and the directory for programs.

use std::os::unix::fs::PermissionsExt as _;

use serde_json::Value;

use super::{COURT, DAMAGED, USAGE, done, run};
use crate::process::{Process, program};

const ORIGIN: &str = "hub.test.demo/ledger/1";

#[test]
fn a_founding_that_fails_leaves_nothing_and_takes_nothing() {
    let home = tempfile::tempdir().unwrap();
    let init = |folder: &str, server_name: &str| {
        let mut program = program(&["init", "--origin", ORIGIN, "--server-name", server_name]);
        program.arg("--folder").arg(home.path().join(folder));
        program
    };
    let failed = run(&mut init("new/hub", "no name"));
    assert_eq!(failed.code, USAGE, "{failed:#?}");
    assert!(!home.path().join("new").exists(), "what it made is gone");

    std::fs::create_dir(home.path().join("empty")).unwrap();
    run(&mut init("empty", "no name"));
    assert_eq!(std::fs::read_dir(home.path().join("empty")).unwrap().count(), 0);

    std::fs::create_dir_all(home.path().join("used/keys")).unwrap();
    std::fs::write(home.path().join("used/keys/own"), "mine").unwrap();
    let refused = run(&mut init("used", "localhost"));
    assert_eq!(refused.code, USAGE, "{refused:#?}");
    assert_eq!(std::fs::read(home.path().join("used/keys/own")).unwrap(), b"mine");

    done(&mut init("empty", "localhost"));
    let again = run(&mut init("empty", "localhost"));
    assert_eq!(again.code, USAGE, "{again:#?}");
    done(program(&["audit", "--folder"]).arg(home.path().join("empty")));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_store_has_a_code_of_its_own() {
    let mut process = Process::start().await;
    process.kill();
    assert!(process.audit().status.success());
    for file in ["ledger.db", "ledger.db-wal"] {
        let path = process.folder().join(file);
        let length = path.metadata().map_or(0, |found| found.len());
        std::fs::write(&path, vec![0x55; usize::try_from(length).unwrap()]).unwrap();
    }
    let audit = process.audit();
    assert_eq!(audit.status.code(), Some(DAMAGED), "{audit:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_demonstrations_clock_is_compared_with_none() {
    let process = Process::start().await;
    let home = tempfile::tempdir().unwrap();
    let court = process.profile(home.path(), COURT);
    // Two years on by this clock; certificates count until 2050.
    let clock = home.path().join("clock");
    std::fs::write(&clock, "1858554000000").unwrap();
    let mut doctor = program(&["doctor", "--json", "--profile"]);
    let report = done(doctor.arg(&court).arg("--clock").arg(&clock)).values().remove(0);
    let checks = report["checks"].as_array().unwrap();
    let check = checks.iter().find(|check| check["what"] == "clock").unwrap();
    assert_eq!(check["level"], "ok");
    assert!(check["found"]["en"].as_str().unwrap().starts_with("not compared"), "{check:#}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_directory_is_there_for_programs() {
    let process = Process::start().await;
    let operator = process.operator_profile();
    let values = |arguments: &[&str]| done(&mut process.client(&operator, arguments)).values();
    let has = |values: &[Value], code: &str| values.iter().any(|value| value["code"] == code);
    assert!(has(&values(&["agency", "list", "--json"]), COURT));
    assert!(has(&values(&["system", "list", "--json"]), COURT));
    let shown = values(&["agency", "show", COURT, "--json"]).remove(0);
    assert_eq!(shown["certificates"].as_array().unwrap().len(), 2);
    let shown = values(&["system", "show", COURT, "--json"]).remove(0);
    assert_eq!(shown["certificates"][0]["state"], "in force");
    let rights = shown["carries"][COURT].as_array().unwrap();
    assert_eq!(rights.len(), 5);
    assert!(values(&["system", "suspend", COURT, "--json"])[0]["record"].is_u64());
    assert_eq!(values(&["system", "show", COURT, "--json"])[0]["suspended"], true);
}

#[test]
fn the_law_is_there_for_programs() {
    let values = |arguments: &[&str]| done(&mut program(arguments)).values();
    let types = values(&["law", "list", "--json"]);
    assert!(types.iter().any(|value| value["type"] == "verdict_handover"));
    let explained = values(&["law", "explain", "verdict_handover", "--json"]).remove(0);
    assert_eq!(explained["type"], "verdict_handover");
    assert_ne!(explained["text"], explained["text_zh"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_profile_that_can_not_be_used_is_told_with_what_helps() {
    let process = Process::start().await;
    let home = tempfile::tempdir().unwrap();
    let court = process.profile(home.path(), COURT);
    let key = court.join("transport.key");
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o644)).unwrap();
    let refused = run(&mut process.client(&court, &["status"]));
    assert_eq!(refused.code, super::PERMISSION, "{refused:#?}");
    assert!(refused.complaint.contains("chmod 600"), "{refused:#?}");
    let nobody = run(&mut process.client(&home.path().join("nobody"), &["status"]));
    assert_eq!(nobody.code, USAGE, "{nobody:#?}");
    assert!(nobody.complaint.contains("there is no profile"), "{nobody:#?}");
}
