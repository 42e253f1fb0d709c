//! What lies in inbox and outbox, and what became of it: `verify folder` and `status`.

use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use super::{COURT, POLICE, REFUSED, done, ping, run};
use crate::hostile::documents::verdict;
use crate::process::{Process, program};

fn verify(folder: &Path) -> Command {
    let mut program = program(&["verify", "folder", "--json"]);
    program.arg(folder).arg("--trust").arg(folder.join("../../trust.json"));
    program
}

/// What a step of a verification found.
fn found(report: &Value, step: &str) -> Option<String> {
    let steps = report["steps"].as_array().unwrap();
    let step = steps.iter().find(|found| found["step"] == step)?;
    Some(step["result"].as_str().unwrap().to_owned())
}

fn trust(process: &Process, profile: &Path) {
    std::fs::copy(process.folder().join("trust.json"), profile.join("trust.json")).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_attachment_that_is_gone_leaves_the_verification_incomplete() {
    let process = Process::start().await;
    let home = tempfile::tempdir().unwrap();
    let [court, police] = [COURT, POLICE].map(|agency| process.profile(home.path(), agency));
    let file = ping(home.path(), "ping.json", &["scan.pdf"]);
    let sent = done(&mut process.client(&court, &["send", "--json", &file])).values();
    done(&mut process.client(&police, &["inbox", "fetch"]));
    let outbox = Path::new(sent[0]["folder"].as_str().unwrap()).to_owned();
    let sides = [
        (&court, outbox, home.path().join("scan.pdf")),
        (&police, police.join("inbox/1"), police.join("inbox/1/attachments/scan.pdf")),
    ];
    for (profile, folder, attachment) in sides {
        trust(&process, profile);
        let whole = done(&mut verify(&folder)).values();
        assert_eq!(found(&whole[0], "attachments").as_deref(), Some("ok"));
        std::fs::remove_file(attachment).unwrap();
        let lacking = run(&mut verify(&folder));
        assert_eq!(lacking.code, REFUSED, "{lacking:#?}");
        assert_eq!(found(&lacking.values()[0], "attachments").as_deref(), Some("open"));
        assert!(lacking.complaint.contains("not complete"), "{lacking:#?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_delivery_that_was_rejected_verifies_as_what_it_is() {
    let process = Process::start().await;
    let home = tempfile::tempdir().unwrap();
    let [court, police] = [COURT, POLICE].map(|agency| process.profile(home.path(), agency));
    done(&mut process.client(&court, &["send", &ping(home.path(), "ping.json", &[])]));
    done(&mut process.client(&police, &["inbox", "fetch", "--no-ack"]));
    done(&mut process.client(&police, &["inbox", "reject", "1", "--reason", "not-for-us"]));
    trust(&process, &police);
    let folder = police.join("inbox/1");
    let report = done(&mut verify(&folder)).values().remove(0);
    assert_eq!(found(&report, "rejection").as_deref(), Some("ok"), "{report:#}");
    assert_eq!(found(&report, "acknowledgement"), None);
    // The proof of another delivery's rejection proves nothing of this one.
    std::fs::rename(&folder, police.join("inbox/2")).unwrap();
    assert_eq!(run(&mut verify(&police.join("inbox/2"))).code, REFUSED);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_withdrawn_or_replaced_is_told_as_such() {
    let process = Process::start().await;
    let home = tempfile::tempdir().unwrap();
    let court = process.profile(home.path(), COURT);
    let send = |name: &str, fields: Value| {
        let mut document = json!({
            "original_form": "ORIGINAL_FORM_ELECTRONIC",
            "classification": "CLASSIFICATION_UNCLASSIFIED",
        });
        for (name, value) in fields.as_object().unwrap() {
            document[name] = value.clone();
        }
        let path = home.path().join(name);
        std::fs::write(&path, document.to_string()).unwrap();
        let sent = done(process.client(&court, &["send", "--json"]).arg(&path)).values();
        let of = |name: &str| sent[0][name].clone();
        (of("document_id").as_str().unwrap().to_owned(), of("index"))
    };
    let status = |id: &str, more: &[&str]| done(process.client(&court, &["status", id]).args(more));
    let reference = |id: &str| json!({ "sender": COURT, "document_id": id });

    let (withdrawn, _) = send("verdict.json", verdict(1));
    let told = status(&withdrawn, &["--lang", "en"]).told;
    assert!(!told.contains("withdrawn") && !told.contains("replaced"), "{told}");
    let withdrawal =
        json!({ "in_reply_to": reference(&withdrawn), "withdrawal": { "reasons": "示例" } });
    let (_, by) = send("withdrawal.json", withdrawal);
    let told = status(&withdrawn, &["--lang", "en"]).told;
    assert!(told.contains(&format!("withdrawn, by record {by}")), "{told}");
    let value = status(&withdrawn, &["--json"]).values().remove(0);
    assert_eq!(number(&value["accepted"]["withdrawn_by"]), by.as_u64(), "{value:#}");

    let (replaced, _) = send("again.json", verdict(2));
    let mut better = verdict(2);
    better["replaces"] = reference(&replaced);
    let (_, by) = send("better.json", better);
    let told = status(&replaced, &["--lang", "zh"]).told;
    assert!(told.contains(&format!("已更正，账本记录 {by}")), "{told}");
    let value = status(&replaced, &["--json"]).values().remove(0);
    assert_eq!(number(&value["accepted"]["replaced_by"]), by.as_u64(), "{value:#}");
}

/// A 64-bit number, which protobuf's JSON writes as a text.
fn number(value: &Value) -> Option<u64> {
    value.as_u64().or_else(|| value.as_str()?.parse().ok())
}
