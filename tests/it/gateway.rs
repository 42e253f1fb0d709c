//! A gateway: one system, one connection, several agencies. What it does for one of them ends when
//! that agency is suspended or taken away from it, in the middle of whatever it is; what it does for
//! the others goes on.

use std::time::Duration;

use pb::submit_result::Outcome;
use pb::upload_attachment_request::Message as Part;
use pb::watch_submissions_response::Message as Watched;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Response, Status, Streaming};
use xianjie::identity::pki::Purpose as Use;
use xianjie::wire::pb;
use xianjie_core::domain::agency::{Purpose, Right, System};
use xianjie_core::domain::decide::Change;
use xianjie_core::ids::SystemCode;
use xianjie_core::ledger::sha256;

use crate::harness::{Agency, Hub, Subscription, register};

/// Far less than a long poll lasts, far more than anything here takes.
const SOON: Duration = Duration::from_secs(10);
/// More than a connection holds on its way.
const FILE: usize = 12 * 1024 * 1024;
const CHUNK: usize = 256 * 1024;

#[tokio::test(flavor = "multi_thread")]
async fn a_suspended_agency_of_a_gateway_is_cut_off_alone() {
    let mut hub = Hub::start().await;
    let mut gateway = Gateway::of(&hub).await;
    hub.change(&[Change::SuspendAgency(gateway.b.agency.code.clone(), true)]).await.unwrap();
    gateway.assert_only_c_goes_on("UNKNOWN_SENDER").await;
    hub.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agency_taken_away_from_a_gateway_is_cut_off_alone() {
    let mut hub = Hub::start().await;
    let mut gateway = Gateway::of(&hub).await;
    hub.change(&[carries(&[&gateway.c.agency])]).await.unwrap();
    gateway.assert_only_c_goes_on("NOT_CARRIED").await;
    hub.stop().await;
}

/// Two agencies of one gateway, with every kind of long call under way, and one that stands outside.
struct Gateway {
    a: Agency,
    b: Calls,
    c: Calls,
    bulk: mpsc::Sender<pb::SubmitDocumentsRequest>,
    results: Streaming<pb::SubmitDocumentsResponse>,
}

/// The long calls of one agency.
struct Calls {
    agency: Agency,
    inbox: Subscription,
    watch: Streaming<pb::WatchSubmissionsResponse>,
    download: Streaming<pb::DownloadAttachmentResponse>,
    parts: mpsc::Sender<pb::UploadAttachmentRequest>,
    upload: JoinHandle<Result<Response<pb::UploadAttachmentResponse>, Status>>,
    poll: JoinHandle<Result<Response<pb::ListDeliveriesResponse>, Status>>,
}

impl Gateway {
    async fn of(hub: &Hub) -> Self {
        let (a, mut b, mut c) =
            (hub.agency("a").await, hub.agency("b").await, hub.agency("c").await);
        let file: Vec<u8> = (0..FILE).map(|byte| byte as u8).collect();
        a.upload(&file, 0, FILE).await;
        let document = with_file(a.ping(&[&b, &c]), &file);
        a.submit(&a.sign(&document)).await.unwrap();

        // When it comes in it carries one agency; a connection stays for those that are added.
        let transport = hub.issue(&Use::Transport(system().to_string()));
        let register = register(&transport, Purpose::Transport(system()));
        hub.change(&[carries(&[&b]), register]).await.unwrap();
        let channel = hub.connect(&transport).await;
        (b.channel, c.channel) = (channel.clone(), channel);
        b.submission(&document.document_id).await.unwrap_err();
        hub.change(&[carries(&[&b, &c])]).await.unwrap();

        let (bulk, requests) = mpsc::channel(4);
        let requests = ReceiverStream::new(requests);
        let results = b.exchange().submit_documents(requests).await.unwrap().into_inner();
        let b = Calls::open(b, &document).await;
        let c = Calls::open(c, &document).await;
        // Each subscribes and polls.
        let bell = hub.running().hub().unwrap().bell();
        while bell.listeners() < 4 {
            tokio::task::yield_now().await;
        }
        Self { a, b, c, bulk, results }
    }

    async fn assert_only_c_goes_on(&mut self, reason: &str) {
        let (a, b, c) = (&self.a, &mut self.b, &mut self.c);
        b.assert_ended(reason).await;
        for agency in [&b.agency, &c.agency] {
            let signed_document = Some(agency.sign(&agency.ping(&[a])));
            let agency = agency.code.to_string();
            let item = agency.len() as u64;
            let request = pb::SubmitDocumentsRequest { agency, item, signed_document };
            self.bulk.send(request).await.unwrap();
        }
        let mut outcomes = Vec::new();
        while outcomes.len() < 2 {
            let answer = soon(self.results.message()).await.unwrap().unwrap();
            outcomes.extend(answer.results.into_iter().filter_map(|result| result.outcome));
        }
        assert!(matches!(&outcomes[0], Outcome::Refusal(refusal) if refusal.reason == reason));
        assert!(matches!(&outcomes[1], Outcome::Receipt(_)), "{outcomes:?}");

        a.submit(&a.sign(&a.ping(&[&c.agency]))).await.unwrap();
        c.assert_goes_on().await;
    }
}

impl Calls {
    async fn open(agency: Agency, document: &pb::Document) -> Self {
        let code = agency.code.to_string();
        let inbox = agency.subscribe(Some(1)).await.unwrap();
        let request = pb::WatchSubmissionsRequest { agency: code.clone(), after_index: None };
        let mut watch = agency.exchange().watch_submissions(request).await.unwrap().into_inner();
        soon(watch.message()).await.unwrap().unwrap();

        let request = pb::DownloadAttachmentRequest {
            agency: code.clone(),
            document: Some(pb::DocumentRef {
                sender: document.sender.clone(),
                document_id: document.document_id.clone(),
            }),
            sha256: document.attachments[0].sha256.clone(),
            offset: 0,
            query: None,
        };
        let download = agency.attachments().download_attachment(request).await.unwrap();

        let (parts, requests) = mpsc::channel(4);
        let mut service = agency.attachments();
        let upload =
            tokio::spawn(
                async move { service.upload_attachment(ReceiverStream::new(requests)).await },
            );
        let half = [7; CHUNK].to_vec();
        let sha256 = sha256(&[&half, &half]).0.to_vec();
        let open = pb::UploadOpen {
            agency: code.clone(),
            sha256: sha256.clone(),
            size_bytes: 2 * CHUNK as u64,
            offset: 0,
        };
        for part in [Part::Open(open), Part::Chunk(half.into())] {
            parts.send(pb::UploadAttachmentRequest { message: Some(part) }).await.unwrap();
        }
        loop {
            let request = pb::GetUploadRequest { agency: code.clone(), sha256: sha256.clone() };
            let held = agency.attachments().get_upload(request).await.unwrap().into_inner();
            if held.bytes_held == CHUNK as u64 {
                break;
            }
        }

        let request = pb::ListDeliveriesRequest {
            agency: code,
            after_inbox_number: 1,
            wait_seconds: 20,
            ..pb::ListDeliveriesRequest::default()
        };
        let mut service = agency.inbox();
        let poll = tokio::spawn(async move { service.list_deliveries(request).await });
        let download = download.into_inner();
        Self { agency, inbox, watch, download, parts, upload, poll }
    }

    async fn assert_ended(&mut self, reason: &str) {
        let is_told = |what: &str, status: Status| {
            let told = status.metadata().get("xianjie-reason").map(|told| told.to_str().unwrap());
            assert_eq!(told, Some(reason), "{what}: {status:?}");
        };
        is_told("subscription", self.inbox.next().await.unwrap_err());
        is_told("upload", soon(&mut self.upload).await.unwrap().unwrap_err());
        is_told("poll", soon(&mut self.poll).await.unwrap().unwrap_err());
        is_told("watch", soon(self.watch.message()).await.unwrap_err());
        let (read, end) = self.read().await;
        assert!(read < FILE, "the whole file came");
        is_told("download", end.unwrap_err());
    }

    async fn assert_goes_on(&mut self) {
        assert_eq!(self.inbox.delivery().await.inbox_number, 2);
        let page = soon(&mut self.poll).await.unwrap().unwrap().into_inner();
        assert_eq!(page.deliveries.len(), 1);
        let part = Part::Chunk([7; CHUNK].to_vec().into());
        self.parts.send(pb::UploadAttachmentRequest { message: Some(part) }).await.unwrap();
        self.parts = mpsc::channel(1).0;
        assert!(soon(&mut self.upload).await.unwrap().unwrap().into_inner().complete);
        let (read, end) = self.read().await;
        assert_eq!(read, FILE);
        end.unwrap();
        loop {
            match soon(self.watch.message()).await.unwrap().unwrap().message {
                Some(Watched::Progress(progress)) => break assert_eq!(progress.documents.len(), 1),
                _ => continue,
            }
        }
    }

    /// The bytes that still come of the download, and its end.
    async fn read(&mut self) -> (usize, Result<(), Status>) {
        let mut read = 0;
        loop {
            match soon(self.download.message()).await {
                Ok(Some(part)) => read += part.chunk.len(),
                Ok(None) => return (read, Ok(())),
                Err(status) => return (read, Err(status)),
            }
        }
    }
}

fn with_file(mut document: pb::Document, file: &[u8]) -> pb::Document {
    document.attachments.push(pb::Attachment {
        name: "判决书.pdf".to_owned(),
        kind: "判决书".to_owned(),
        media_type: "application/pdf".to_owned(),
        size_bytes: file.len() as u64,
        sha256: sha256(&[file]).0.to_vec(),
    });
    document
}

fn system() -> SystemCode {
    "gateway".parse().unwrap()
}

/// The change by which the gateway carries these agencies, with every right.
fn carries(agencies: &[&Agency]) -> Change {
    let rights = || Right::WORDS.iter().map(|(right, _)| *right).collect();
    Change::PutSystem(Box::new(System {
        code: system(),
        name: "示例网关".to_owned(),
        agencies: agencies.iter().map(|agency| (agency.code.clone(), rights())).collect(),
        gateway: true,
        suspended: false,
    }))
}

async fn soon<T>(future: impl Future<Output = T>) -> T {
    timeout(SOON, future).await.unwrap()
}
