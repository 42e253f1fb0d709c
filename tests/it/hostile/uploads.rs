//! Attachments (附件) that break off, lie about themselves, or come where they should not.

use pb::attachment_service_client::AttachmentServiceClient;
use pb::upload_attachment_request::Message as Part;
use serde_json::json;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::Status;
use tonic::transport::Channel;
use xianjie::wire::document::digest;
use xianjie::wire::pb;
use xianjie_core::refusal::Reason;

use super::documents::submit;
use super::{assert_refused, assert_unharmed};
use crate::people::wire_document;
use crate::process::Process;

const COURT: &str = "yuexiu-court";
const POLICE: &str = "tianhe-police";
const FILE: &[u8] = b"a judgment, or something like it";

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_must_be_what_it_says() {
    let process = Process::start().await;
    let channel = process.connect(COURT).await;
    let size = FILE.len() as u64;
    let open = |change: fn(&mut pb::UploadOpen)| {
        let mut open = opening(FILE, 0);
        change(&mut open);
        Part::Open(open)
    };
    let chunk = |bytes: &[u8]| Part::Chunk(bytes.to_vec().into());
    let right = open(|_| {});
    let rows: Vec<(&str, Vec<Part>, Reason, &str)> = vec![
        ("no opening", vec![chunk(FILE)], Reason::Required, "open"),
        ("nothing at all", vec![], Reason::Required, "open"),
        ("opened twice", vec![right.clone(), right.clone()], Reason::DuplicateField, "open"),
        ("31 bytes", vec![open(|o| o.sha256.truncate(31))], Reason::Format, "sha256"),
        ("another agency", vec![open(|o| o.agency = POLICE.into())], Reason::NotCarried, "agency"),
        ("too large", vec![open(|o| o.size_bytes = 1 << 40)], Reason::TooLarge, "open.size_bytes"),
        (
            "beyond what is held",
            vec![open(|o| o.offset = 9)],
            Reason::OffsetMismatch,
            "open.offset",
        ),
        (
            "a large chunk",
            vec![right.clone(), chunk(&[7; 256 * 1024 + 1])],
            Reason::TooLarge,
            "chunk",
        ),
        (
            "more than said",
            vec![right.clone(), chunk(FILE), chunk(b"!")],
            Reason::AttachmentUnfit,
            "chunk",
        ),
        (
            "other bytes",
            vec![right.clone(), chunk(&[7; FILE.len()])],
            Reason::DigestMismatch,
            "open.sha256",
        ),
    ];
    for (what, parts, reason, field) in rows {
        let status = upload(&channel, parts).await.unwrap_err();
        assert_refused(what, &status, reason, field);
    }
    let held = upload(&channel, vec![right, chunk(FILE)]).await.unwrap();
    assert_eq!((held.bytes_held, held.complete), (size, true));
    assert_unharmed(process);
}

/// A file that broke off is as good as what came of it; the document waits for the rest.
#[tokio::test(flavor = "multi_thread")]
async fn an_upload_goes_on_where_it_broke_off() {
    let process = Process::start().await;
    let channel = process.connect(COURT).await;
    let document = json!({
        "chosen_agencies": [POLICE],
        "ping": {},
        "attachments": [{
            "name": "判决书.pdf",
            "kind": "判决书",
            "media_type": "application/pdf",
            "size_bytes": FILE.len().to_string(),
            "sha256": base64(&digest(FILE).0),
        }],
    });
    let document = wire_document(&process.people.document(COURT, document));
    let first = vec![Part::Open(opening(FILE, 0)), Part::Chunk(FILE[..10].to_vec().into())];
    let held = upload(&channel, first).await.unwrap();
    assert_eq!((held.bytes_held, held.complete), (10, false));
    let status = submit(&channel, COURT, &document).await.unwrap_err();
    assert_refused("half a file", &status, Reason::AttachmentMissing, "attachments[0].sha256");

    // The client vanishes in the middle of the next part: what came by then stays.
    let (parts, requests) = mpsc::channel(4);
    let mut service = AttachmentServiceClient::new(process.connect(COURT).await);
    let vanishing = tokio::spawn(async move {
        service.upload_attachment(ReceiverStream::new(requests)).await.map(drop)
    });
    parts.send(part(Part::Open(opening(FILE, 10)))).await.unwrap();
    parts.send(part(Part::Chunk(FILE[10..20].to_vec().into()))).await.unwrap();
    tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    vanishing.abort();
    let _ = vanishing.await;

    let held = loop {
        let request =
            pb::GetUploadRequest { agency: COURT.to_owned(), sha256: digest(FILE).0.to_vec() };
        let mut service = AttachmentServiceClient::new(channel.clone());
        let held = service.get_upload(request).await.unwrap().into_inner();
        assert!(!held.complete && (10..=20).contains(&held.bytes_held));
        let offset = usize::try_from(held.bytes_held).unwrap();
        let rest = vec![
            Part::Open(opening(FILE, held.bytes_held)),
            Part::Chunk(FILE[offset..].to_vec().into()),
        ];
        match upload(&channel, rest).await {
            Ok(held) => break held,
            // The hub has not noticed yet that the other is gone.
            Err(status) => assert_refused("busy", &status, Reason::Busy, ""),
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    };
    assert!(held.complete);
    submit(&channel, COURT, &document).await.unwrap();
    assert_unharmed(process);
}

/// A file is there for those who got a document that names it, and for nobody else.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_visible_is_not_found() {
    let process = Process::start().await;
    let court = process.connect(COURT).await;
    let ping = process.people.ping(COURT, &["yuexiu-detention"]);
    let id = document_id(&ping.payload);
    submit(&court, COURT, &wire_document(&ping)).await.unwrap();
    let mut service = AttachmentServiceClient::new(process.connect(POLICE).await);
    for document_id in [id, "01932f4e-7a3b-7c4d-8e5f-0123456789aa".to_owned()] {
        let request = pb::DownloadAttachmentRequest {
            agency: POLICE.to_owned(),
            document: Some(pb::DocumentRef { sender: COURT.to_owned(), document_id }),
            sha256: vec![7; 32],
            offset: 0,
            query: None,
        };
        let status = service.download_attachment(request).await.unwrap_err();
        assert_refused("not visible", &status, Reason::NotFound, "");
    }
    assert_unharmed(process);
}

fn opening(file: &[u8], offset: u64) -> pb::UploadOpen {
    pb::UploadOpen {
        agency: COURT.to_owned(),
        sha256: digest(file).0.to_vec(),
        size_bytes: file.len() as u64,
        offset,
    }
}

async fn upload(
    channel: &Channel,
    parts: Vec<Part>,
) -> Result<pb::UploadAttachmentResponse, Status> {
    let requests = tokio_stream::iter(parts.into_iter().map(part).collect::<Vec<_>>());
    let answer = AttachmentServiceClient::new(channel.clone()).upload_attachment(requests).await;
    answer.map(tonic::Response::into_inner)
}

fn part(message: Part) -> pb::UploadAttachmentRequest {
    pb::UploadAttachmentRequest { message: Some(message) }
}

fn document_id(payload: &[u8]) -> String {
    use prost::Message as _;
    pb::Document::decode(payload).unwrap().document_id
}

fn base64(bytes: &[u8]) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(bytes)
}
