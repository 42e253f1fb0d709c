//! `query`: what a court asks about a person, and what a script gets of it.

use pb::exchange_service_client::ExchangeServiceClient;
use serde_json::json;
use xianjie::wire::pb;

use super::{COURT, POLICE, REFUSED, USAGE, done, run};
use crate::people::{enrolment, wire_document};
use crate::process::Process;

const CORRECTIONS: &str = "tianhe-corrections";
const NUMBER: &str = "11010519491231002X";
const GROUND: [&str; 4] = ["--purpose", "case-handling", "--article", "刑诉法 286"];

/// A hub that holds a juvenile's enrolment and warning; the case.
async fn juvenile(process: &Process) -> String {
    let mut exchange = ExchangeServiceClient::new(process.connect(CORRECTIONS).await);
    let mut send = async |fields| {
        let paper = process.people.document(CORRECTIONS, fields);
        let agency = CORRECTIONS.to_owned();
        let signed_document = Some(wire_document(&paper));
        let request = pb::SubmitDocumentRequest { agency, signed_document };
        exchange.submit_document(request).await.unwrap().into_inner().correction_case
    };
    let mut enrolled = enrolment();
    enrolled["subject"]["juvenile"] = true.into();
    let case = send(enrolled).await;
    let body = json!({
        "discipline_kind": "DISCIPLINE_KIND_WARNING",
        "given_date": "2026-11-20",
        "facts": "未报告",
    });
    send(json!({ "subject": { "correction_case": case }, "discipline_record": body })).await;
    case
}

#[tokio::test(flavor = "multi_thread")]
async fn a_query_tells_what_there_is_and_shows_it_if_asked() {
    let process = Process::start().await;
    let case = juvenile(&process).await;
    let home = tempfile::tempdir().unwrap();
    let court = process.profile(home.path(), COURT);
    let number = home.path().join("number.txt");
    std::fs::write(&number, format!("{NUMBER}\n")).unwrap();
    let number = number.to_str().unwrap();

    let by_number = [&["query", "supervision", "--person", number], &GROUND[..]].concat();
    let answer = done(process.client(&court, &by_number).arg("--json")).values().remove(0);
    let document = &answer["documents"][0];
    assert_eq!(document["document_type"], "discipline_record");
    assert_eq!((&document["correction_case"], &document["content"]), (&json!(case), &json!(null)));

    let by_case = [&["query", "supervision", "--case", &case, "--show"], &GROUND[..]].concat();
    let shown = done(process.client(&court, &by_case).arg("--json")).values().remove(0);
    assert_eq!(shown["documents"][0]["content"]["discipline_record"]["facts"], "未报告");
    // The query, and the showing of what concerns a juvenile.
    let next = shown["query"].as_u64().unwrap() + 1;
    let again = done(process.client(&court, &by_case).arg("--json")).values().remove(0);
    assert_eq!(again["query"].as_u64().unwrap(), next + 1);

    let told = done(process.client(&court, &by_number).args(["--lang", "zh"])).told;
    assert!(told.contains("查询已入账") && told.contains("discipline_record"), "{told}");
    assert!(!told.contains(NUMBER));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_query_is_told_before_anything_is_asked() {
    let process = Process::start().await;
    let home = tempfile::tempdir().unwrap();
    let police = process.profile(home.path(), POLICE);
    let case = "0".repeat(32);
    let usage = [
        vec!["query", "supervision", "--purpose", "supervision", "--article", "社区矫正法 8"],
        vec!["query", "supervision", "--case", &case, "--article", "社区矫正法 8"],
        vec!["query", "supervision", "--case", &case, "--purpose", "gossip", "--article", "8"],
        vec![
            "query",
            "supervision",
            "--case",
            &case,
            "--purpose",
            "supervision",
            "--article",
            NUMBER,
        ],
        vec![
            "query",
            "supervision",
            "--person",
            "/nowhere",
            "--purpose",
            "supervision",
            "--article",
            "8",
        ],
    ];
    for arguments in usage {
        let ran = run(&mut process.client(&police, &arguments));
        assert_eq!(ran.code, USAGE, "{arguments:?}: {ran:?}");
    }
    let gossip = [&["query", "gossip", "--case", &case], &GROUND[..]].concat();
    let ran = run(&mut process.client(&police, &gossip));
    assert_eq!(ran.code, REFUSED);
    assert!(ran.complaint.contains("lost_supervision"), "{ran:?}");
}
