//! `send`: what it is given goes to the hub once, whatever happens on the way.

use std::path::Path;
use std::process::Stdio;

use pb::exchange_service_client::ExchangeServiceClient;
use pb::submission::Outcome;
use tonic::transport::Channel;
use xianjie::wire::pb;

use super::relay::Relay;
use super::{COURT, POLICE, REFUSED, UNAVAILABLE, USAGE, done, ping, run, until};
use crate::process::{Process, point};

/// The ids of the documents in a profile's outbox.
fn outbox(profile: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(profile.join("outbox")).into_iter().flatten();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.filter(|name| !name.starts_with('.')).collect()
}

/// The index of a document's record, once the hub has taken it.
async fn taken(hub: &mut ExchangeServiceClient<Channel>, id: &str) -> Option<u64> {
    let request = pb::GetSubmissionRequest { agency: COURT.to_owned(), document_id: id.to_owned() };
    let answer = hub.get_submission(request).await.ok()?.into_inner();
    match answer.submission?.outcome? {
        Outcome::Accepted(accepted) => Some(accepted.index),
        Outcome::Refused(_) => None,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_document_waits_in_the_outbox_for_a_hub_that_is_away() {
    let mut process = Process::start().await;
    let home = tempfile::tempdir().unwrap();
    let court = process.profile(home.path(), COURT);
    let file = ping(home.path(), "ping.json", &["scan.pdf"]);
    process.kill();
    let kept = run(&mut process.client(&court, &["send", "--patience", "2", &file]));
    assert_eq!(kept.code, UNAVAILABLE, "{kept:#?}");
    assert_eq!((kept.told.as_str(), outbox(&court).len()), ("", 1), "{kept:#?}");

    process.restart();
    point(&court, process.address());
    let pending = ["send", "--pending", "--json"];
    let sent = done(&mut process.client(&court, &pending)).values();
    assert_eq!(sent.len(), 1);
    assert_eq!([sent[0]["document_id"].as_str().unwrap()], *outbox(&court));
    let again = done(&mut process.client(&court, &pending));
    assert_eq!(again.told, "", "nothing is left to be sent");
    let same = done(&mut process.client(&court, &["send", "--json", &file])).values();
    assert_eq!(same[0]["index"], sent[0]["index"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sender_killed_before_its_receipt_gets_that_of_the_same_record() {
    let process = Process::start().await;
    let home = tempfile::tempdir().unwrap();
    let court = process.profile(home.path(), COURT);
    let file = ping(home.path(), "ping.json", &[]);
    // Whatever the hub says once the document lies in the outbox is lost: the receipt.
    let profile = court.clone();
    let network = Relay::start(process.address(), move || !outbox(&profile).is_empty()).await;
    point(&court, network.address());
    let mut sender = process.client(&court, &["send", &file]);
    let mut sender = sender.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();

    let mut hub = ExchangeServiceClient::new(process.connect(COURT).await);
    let mut first = None;
    until("the hub takes the document", async || {
        if let [id] = outbox(&court).as_slice() {
            first = taken(&mut hub, id).await;
        }
        first.is_some()
    })
    .await;
    sender.kill().unwrap();
    sender.wait().unwrap();
    let [id] = <[String; 1]>::try_from(outbox(&court)).unwrap();
    assert!(!court.join("outbox").join(&id).join("receipt.tlog-proof").exists());

    point(&court, process.address());
    let pending = ["send", "--pending", "--json"];
    let sent = done(&mut process.client(&court, &pending)).values();
    assert_eq!(sent.len(), 1);
    assert_eq!((sent[0]["document_id"].as_str(), sent[0]["index"].as_u64()), (Some(&*id), first));
    assert_eq!(done(&mut process.client(&court, &pending)).told, "");
    let listed = done(&mut process.client(&court, &["status", "--json"])).values();
    assert_eq!(listed.len(), 1, "one document, one record");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_attachment_that_is_not_uploaded_yet_is_no_mistake() {
    let process = Process::start().await;
    let home = tempfile::tempdir().unwrap();
    let court = process.profile(home.path(), COURT);
    let file = ping(home.path(), "ping.json", &["scan.pdf"]);
    for command in [["send", "--check"], ["law", "check"]] {
        let mut checking = process.client(&court, &command);
        let checked = done(checking.arg(&file));
        assert!(checked.told.contains("发送时将先行上传的附件"), "{checked:#?}");
        assert!(!checked.told.contains("Wrong"), "{checked:#?}");
    }
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, text.replace(POLICE, "nobody")).unwrap();
    let wrong = run(&mut process.client(&court, &["send", "--check", &file]));
    assert_eq!(wrong.code, REFUSED, "{wrong:#?}");
    assert_eq!(outbox(&court), Vec::<String>::new(), "nothing is kept of a check");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_document_file_is_the_callers_mistake() {
    let process = Process::start().await;
    let home = tempfile::tempdir().unwrap();
    let court = process.profile(home.path(), COURT);
    std::fs::write(home.path().join("text"), "no JSON").unwrap();
    for name in ["", "text", "none.json"] {
        let file = home.path().join(name);
        let sent = run(process.client(&court, &["send", "--lang", "zh"]).arg(&file));
        assert_eq!(sent.code, USAGE, "{sent:#?}");
        assert!(
            sent.complaint.contains("错误：") && !sent.complaint.contains("error:"),
            "{sent:#?}"
        );
    }
}
