//! What goes along with a copy: who needs no report on the person gets none, and its program is content.

use std::path::{Path, PathBuf};

use pb::attachment_service_client::AttachmentServiceClient;
use prost::Message as _;
use serde_json::json;
use tonic::Code;
use xianjie::wire::pb;

use super::{COURT, POLICE, done};
use crate::hostile::documents::verdict;
use crate::process::Process;

const CORRECTIONS: &str = "tianhe-corrections";
const PROCURATORATE: &str = "tianhe-procuratorate";
const KINDS: [&str; 3] = ["判决书、裁定书、决定书", "执行通知书", "社会调查报告"];

/// A juvenile's verdict with its files beside it.
fn verdict_file(folder: &Path) -> String {
    let mut file = verdict(1);
    file["subject"]["juvenile"] = true.into();
    file["original_form"] = "ORIGINAL_FORM_ELECTRONIC".into();
    file["classification"] = "CLASSIFICATION_UNCLASSIFIED".into();
    let attachment = |(place, kind): (usize, &&str)| {
        let name = format!("{place}.txt");
        std::fs::write(folder.join(&name), format!("{kind}（示例）")).unwrap();
        json!({ "name": name, "kind": kind })
    };
    file["attachments"] = KINDS.iter().enumerate().map(attachment).collect();
    let path = folder.join("verdict.json");
    std::fs::write(&path, file.to_string()).unwrap();
    path.to_str().unwrap().to_owned()
}

/// Fetches the one delivery of an agency: the files that came with it.
fn fetched(process: &Process, home: &Path, agency: &str) -> (PathBuf, usize) {
    let profile = process.profile(home, agency);
    let told = done(&mut process.client(&profile, &["inbox", "fetch", "--json"])).values();
    assert_eq!(told[0]["stored"]["verified"], true, "{told:?}");
    assert!(told.iter().any(|line| line.get("settled").is_some()), "it is signed for: {told:?}");
    let folder = PathBuf::from(told[0]["folder"].as_str().unwrap());
    let files = std::fs::read_dir(folder.join("attachments")).unwrap().count();
    (folder, files)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_comes_without_what_its_addressee_does_not_need() {
    let process = Process::start().await;
    let home = tempfile::tempdir().unwrap();
    let court = process.profile(home.path(), COURT);
    let file = verdict_file(home.path());
    done(&mut process.client(&court, &["send", &file]));

    let (folder, files) = fetched(&process, home.path(), CORRECTIONS);
    assert_eq!(files, 3);
    let document = std::fs::read(folder.join("document.bin")).unwrap();
    let document = pb::Document::decode(document.as_slice()).unwrap();
    assert_eq!(fetched(&process, home.path(), POLICE).1, 2);

    // Not even by its digest, which the document names.
    let download = async |agency: &str| {
        let reference = pb::DocumentRef {
            sender: document.sender.clone(),
            document_id: document.document_id.clone(),
        };
        let request = pb::DownloadAttachmentRequest {
            agency: agency.to_owned(),
            document: Some(reference),
            sha256: document.attachments[2].sha256.clone(),
            offset: 0,
            query: None,
        };
        let channel = process.connect(agency).await;
        AttachmentServiceClient::new(channel).download_attachment(request).await.map(drop)
    };
    assert_eq!(download(POLICE).await.unwrap_err().code(), Code::NotFound);
    // Who executes has it, and so has who supervises that by law.
    for agency in [CORRECTIONS, PROCURATORATE, COURT] {
        download(agency).await.unwrap();
    }
}
