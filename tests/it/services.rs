//! The services over real connections: bulk, visibility, attachments, suspension, proofs, tiles.

use std::time::Duration;

use pb::submit_result::Outcome;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tonic::Code;
use xianjie::identity::pki::Purpose as Use;
use xianjie::wire::pb;
use xianjie_core::domain::agency::Purpose;
use xianjie_core::domain::decide::Change;
use xianjie_core::ids::Digest;
use xianjie_core::ledger::tile::parse_entry_bundle;
use xianjie_core::ledger::{Checkpoint, Hash, leaf_hash, sha256, verify_consistency};

use crate::harness::{Agency, Hub};

fn reason(status: &tonic::Status) -> &str {
    status.metadata().get("xianjie-reason").map_or("", |value| value.to_str().unwrap())
}

fn item(agency: &Agency, item: u64, signed: pb::SignedDocument) -> pb::SubmitDocumentsRequest {
    pb::SubmitDocumentsRequest {
        agency: agency.code.to_string(),
        item,
        signed_document: Some(signed),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn many_documents_keep_their_order_and_one_refusal_stops_no_other() {
    let mut hub = Hub::start().await;
    let (a, b) = (hub.agency("a").await, hub.agency("b").await);
    let mut before: Option<pb::Document> = None;
    let mut requests = Vec::new();
    for number in 0..300 {
        let mut document = a.ping(&[&b]);
        // Each names the one before, in this stream, as earlier.
        document.after_documents.extend(before.map(|earlier| pb::DocumentRef {
            sender: earlier.sender,
            document_id: earlier.document_id,
        }));
        let mut signed = a.sign(&document);
        if number == 299 {
            signed.signatures.clear();
        }
        before = Some(document);
        requests.push(item(&a, number, signed));
    }
    requests.push(item(&b, 300, requests[0].signed_document.clone().unwrap()));
    let mut answers =
        a.exchange().submit_documents(tokio_stream::iter(requests)).await.unwrap().into_inner();
    let mut results = Vec::new();
    while let Some(answer) = answers.message().await.unwrap() {
        results.extend(answer.results);
    }
    assert_eq!(results.iter().map(|r| r.item).collect::<Vec<_>>(), (0..301).collect::<Vec<_>>());
    let mut last = 0;
    for result in &results[..299] {
        let Some(Outcome::Receipt(receipt)) = &result.outcome else { panic!("{result:?}") };
        let index = a.verify(Some(receipt)).index;
        assert!(index > last);
        last = index;
    }
    for (place, reason) in [(299, "SIGNATURE_MISSING"), (300, "NOT_CARRIED")] {
        let Some(Outcome::Refusal(refusal)) = &results[place].outcome else { panic!() };
        assert_eq!(refusal.reason, reason);
    }
    let mut inbox = b.subscribe(Some(0)).await.unwrap();
    for number in 1..=64 {
        assert_eq!(inbox.delivery().await.inbox_number, number);
    }
    hub.stop().await;
}

/// What can't be taken for now ends the stream: whatever the client has sent behind it, or sends
/// still, must come after it (P10).
#[tokio::test(flavor = "multi_thread")]
async fn a_stream_ends_with_what_cannot_be_taken_for_now() {
    let mut hub = Hub::start().await;
    let (a, b) = (hub.agency("a").await, hub.agency("b").await);
    let (requests, receiver) = tokio::sync::mpsc::channel(4);
    let receiver = tokio_stream::wrappers::ReceiverStream::new(receiver);
    let mut answers = a.exchange().submit_documents(receiver).await.unwrap().into_inner();
    requests.send(item(&a, 1, a.sign(&a.ping(&[&b])))).await.unwrap();
    let first = answers.message().await.unwrap().unwrap().results.remove(0);
    assert!(matches!(first.outcome, Some(Outcome::Receipt(_))), "{first:?}");
    hub.running().hub().unwrap().drain();
    requests.send(item(&a, 2, a.sign(&a.ping(&[&b])))).await.unwrap();
    let second = answers.message().await.unwrap().unwrap().results.remove(0);
    assert!(matches!(&second.outcome, Some(Outcome::Refusal(it)) if it.reason == "DRAINING"));
    // The client has said nothing of an end.
    let end = tokio::time::timeout(Duration::from_secs(10), answers.message()).await;
    assert_eq!(end.unwrap().unwrap(), None);
    hub.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn credits_bound_deliveries_and_pages_meet_the_living_tail() {
    let mut hub = Hub::start().await;
    let (a, b) = (hub.agency("a").await, hub.agency("b").await);
    for _ in 0..3 {
        a.submit(&a.sign(&a.ping(&[&b]))).await.unwrap();
    }
    let mut inbox = b.subscribe(Some(1)).await.unwrap();
    assert_eq!(inbox.delivery().await.inbox_number, 2);
    assert_eq!(inbox.delivery().await.inbox_number, 3);
    for number in 4..=70 {
        a.submit(&a.sign(&a.ping(&[&b]))).await.unwrap();
        if number <= 65 {
            assert_eq!(inbox.delivery().await.inbox_number, number);
        }
    }
    // 64 credits are used up; one more brings one more.
    inbox.ask(pb::subscribe_request::Message::AddCredits(1)).await;
    assert_eq!(inbox.delivery().await.inbox_number, 66);
    let ahead = b.subscribe(Some(71)).await.err().unwrap();
    assert_eq!((ahead.code(), reason(&ahead)), (Code::FailedPrecondition, "INBOX_AHEAD"));
    let list = pb::ListDeliveriesRequest {
        agency: "b".to_owned(),
        after_inbox_number: 60,
        page_size: 4,
        wait_seconds: 5,
        ..pb::ListDeliveriesRequest::default()
    };
    let page = b.inbox().list_deliveries(list).await.unwrap().into_inner();
    let numbers: Vec<u64> = page.deliveries.iter().map(|d| d.inbox_number).collect();
    assert_eq!((numbers, page.more), (vec![61, 62, 63, 64], true));
    assert_eq!(page.heartbeat.unwrap().unacknowledged_count, 70);
    hub.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn not_visible_and_not_existing_are_one_answer() {
    let mut hub = Hub::start().await;
    let (a, b, c) = (hub.agency("a").await, hub.agency("b").await, hub.agency("c").await);
    let document = a.ping(&[&b]);
    let submitted = a.submit(&a.sign(&document)).await.unwrap();
    let ask = |reader: &Agency, id: &str| pb::GetDocumentRequest {
        agency: reader.code.to_string(),
        document: Some(pb::DocumentRef { sender: "a".into(), document_id: id.to_owned() }),
        query: None,
    };
    for reader in [&a, &b] {
        let seen = reader.exchange().get_document(ask(reader, &document.document_id)).await;
        assert_eq!(seen.unwrap().into_inner().document_type, "ping");
    }
    let hidden = c.exchange().get_document(ask(&c, &document.document_id)).await.unwrap_err();
    let other = a.ping(&[&b]).document_id;
    let absent = c.exchange().get_document(ask(&c, &other)).await.unwrap_err();
    assert_eq!(reason(&hidden), "NOT_FOUND");
    assert_eq!(
        (hidden.code(), hidden.message(), hidden.details()),
        (absent.code(), absent.message(), absent.details())
    );
    // Records, too: the document's is shown to two, the directory's to all.
    let index = a.verify(submitted.receipt.as_ref()).index;
    for (reader, documents) in [(&a, 1), (&b, 1), (&c, 0)] {
        let request = pb::ListRecordsRequest {
            agency: reader.code.to_string(),
            ..pb::ListRecordsRequest::default()
        };
        let records = reader.ledger().list_records(request).await.unwrap().into_inner();
        let indexes: Vec<u64> =
            records.receipts.iter().map(|r| reader.verify(Some(r)).index).collect();
        assert_eq!(indexes.iter().filter(|i| **i == index).count(), documents);
        assert!(indexes.starts_with(&[0, 1, 2, 3]));
    }
    // In another's name nothing is seen at all.
    let carried = c.exchange().get_document(ask(&a, &document.document_id)).await.unwrap_err();
    assert_eq!((carried.code(), reason(&carried)), (Code::PermissionDenied, "NOT_CARRIED"));
    hub.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_refused_is_told_with_its_proof() {
    let hub = Hub::start().await;
    let a = hub.agency("a").await;
    let nobody = a.ping(&[]);
    let refused = a.submit(&a.sign(&nobody)).await.unwrap_err();
    assert_eq!(reason(&refused), "MUST_NAME");
    hub.running().hub().unwrap().write_refusals().await;
    let told = a.submission(&nobody.document_id).await.unwrap();
    let Some(pb::submission::Outcome::Refused(told)) = told.outcome else { panic!("{told:?}") };
    assert_eq!(told.reasons, ["MUST_NAME chosen_agencies"]);
    a.verify(told.receipt.as_ref());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_attachment_goes_with_its_document_and_to_nobody_else() {
    let mut hub = Hub::start().await;
    let (a, b, c) = (hub.agency("a").await, hub.agency("b").await, hub.agency("c").await);
    let file: Vec<u8> = (0..600_000_u32).map(|byte| byte as u8).collect();
    let digest = sha256(&[&file]).0;
    let mut document = a.ping(&[&b]);
    document.attachments.push(pb::Attachment {
        name: "判决书.pdf".to_owned(),
        kind: "判决书".to_owned(),
        media_type: "application/pdf".to_owned(),
        size_bytes: file.len() as u64,
        sha256: digest.to_vec(),
    });
    let signed = a.sign(&document);
    let missing = a.submit(&signed).await.unwrap_err();
    assert_eq!(reason(&missing), "ATTACHMENT_MISSING");
    assert_eq!(missing.metadata().get("xianjie-advice").unwrap(), "UPLOAD_THEN_RESEND");

    let half = 262_144;
    assert_eq!(a.upload(&file, 0, half).await.bytes_held, half as u64);
    assert!(a.upload(&file, half, file.len()).await.complete);
    a.submit(&signed).await.unwrap();
    let reference = pb::DocumentRef { sender: "a".into(), document_id: document.document_id };
    assert_eq!(b.download(&reference, &digest, 100).await.unwrap(), &file[100..]);
    let denied = c.download(&reference, &digest, 0).await.unwrap_err();
    assert_eq!(reason(&denied), "NOT_FOUND");
    hub.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn suspension_ends_open_streams_at_once() {
    let mut hub = Hub::start().await;
    let (a, b) = (hub.agency("a").await, hub.agency("b").await);
    let mut inbox = b.subscribe(None).await.unwrap();
    hub.change(&[Change::SuspendAgency(b.code.clone(), true)]).await.unwrap();
    assert!(inbox.next().await.is_err());
    // The inbox of a suspended agency goes on filling.
    a.submit(&a.sign(&a.ping(&[&b]))).await.unwrap();
    let refused = b.submit(&b.sign(&b.ping(&[&a]))).await.unwrap_err();
    assert_eq!(reason(&refused), "UNKNOWN_SENDER");
    hub.change(&[Change::SuspendAgency(b.code.clone(), false)]).await.unwrap();
    let mut inbox = b.subscribe(None).await.unwrap();
    assert_eq!(inbox.delivery().await.inbox_number, 1);
    hub.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revoked_certificate_is_cut_and_does_not_come_back() {
    let mut hub = Hub::start().await;
    let (a, mut b) = (hub.agency("a").await, hub.agency("b").await);
    let second = hub.issue(&Use::Transport("b-system".to_owned()));
    let purpose = Purpose::Transport("b-system".parse().unwrap());
    hub.change(&[crate::harness::register(&second, purpose)]).await.unwrap();
    b.channel = hub.connect(&second).await;
    let mut inbox = b.subscribe(None).await.unwrap();
    let digest = Digest(second.sha256);
    hub.change(&[Change::RevokeCertificate { digest, compromised_since: None }]).await.unwrap();
    assert!(inbox.next().await.is_err());
    assert!(b.submit(&b.sign(&b.ping(&[&a]))).await.is_err());
    hub.stop().await;
}

/// A list that comes while the hub runs acts on those who are in already.
#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_on_a_new_list_is_cut() {
    let mut hub = Hub::start().await;
    hub.revoke(&[]);
    let (a, mut b) = (hub.agency("a").await, hub.agency("b").await);
    let second = hub.issue(&Use::Transport("b-system".to_owned()));
    let purpose = Purpose::Transport("b-system".parse().unwrap());
    hub.change(&[crate::harness::register(&second, purpose)]).await.unwrap();
    let first = std::mem::replace(&mut b.channel, hub.connect(&second).await);
    let mut inbox = b.subscribe(None).await.unwrap();
    hub.revoke(&[&second]);
    // The file is looked at every ten seconds, and the inbox says that it lives every fifteen.
    while !matches!(inbox.next().await, Err(_) | Ok(None)) {}
    assert!(b.submit(&b.sign(&b.ping(&[&a]))).await.is_err());
    b.channel = first;
    b.submit(&b.sign(&b.ping(&[&a]))).await.unwrap();
    hub.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_ledger_proves_itself_over_grpc_and_http() {
    let mut hub = Hub::start().await;
    let (a, b) = (hub.agency("a").await, hub.agency("b").await);
    let earlier = a.submit(&a.sign(&a.ping(&[&b]))).await.unwrap();
    let earlier = a.verify(earlier.receipt.as_ref()).checkpoint;
    for _ in 0..270 {
        a.submit(&a.sign(&a.ping(&[&b]))).await.unwrap();
    }
    let request = pb::GetConsistencyProofRequest { old_size: earlier.size, new_size: 0 };
    let proof = a.ledger().get_consistency_proof(request).await.unwrap().into_inner();
    let (newest, _) = Checkpoint::open(&proof.checkpoint, &hub.keys).unwrap();
    let path: Vec<Hash> =
        proof.path.iter().map(|hash| Hash(hash.as_slice().try_into().unwrap())).collect();
    verify_consistency(earlier.size, &earlier.root, newest.size, &newest.root, &path).unwrap();

    let (status, checkpoint) = get(&hub, "/checkpoint").await;
    assert_eq!((status, checkpoint), (200, proof.checkpoint.into_bytes()));
    let (_, bundle) = get(&hub, "/tile/entries/000").await;
    let (_, tile) = get(&hub, "/tile/0/000").await;
    let leaves = parse_entry_bundle(&bundle).unwrap();
    assert_eq!((leaves.len(), tile.len()), (256, 256 * 32));
    for (leaf, hash) in leaves.iter().zip(tile.chunks(32)) {
        assert_eq!(leaf_hash(leaf).0, hash);
    }
    let partial = newest.size - 256;
    assert_eq!(get(&hub, &format!("/tile/0/001.p/{partial}")).await.1.len() as u64, partial * 32);
    assert_eq!(get(&hub, &format!("/tile/0/001.p/{}", partial + 1)).await.0, 404);
    assert_eq!(get(&hub, "/health").await.0, 200);
    let (_, metrics) = get(&hub, "/metrics").await;
    let size = format!("xianjie_ledger_size {}\n", newest.size);
    assert!(String::from_utf8(metrics).unwrap().contains(&size));
    hub.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hub_says_how_it_is() {
    let mut hub = Hub::start().await;
    let a = hub.agency("a").await;
    let mut directory =
        pb::directory_service_client::DirectoryServiceClient::new(a.channel.clone());
    let told = directory.get_hub(pb::GetHubRequest {}).await.unwrap().into_inner();
    assert_eq!(told.features, ["ordered_streams", "disk_reserve"]);
    let mut operators =
        pb::operator_service_client::OperatorServiceClient::new(hub.operators().await);
    let status = operators.get_status(pb::GetStatusRequest {}).await.unwrap().into_inner();
    assert!(status.free_bytes > 0);
    let (_, metrics) = get(&hub, "/metrics").await;
    assert!(String::from_utf8(metrics).unwrap().contains("xianjie_free_bytes "));
    hub.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_agency_has_eight_watchers_at_most() {
    let mut hub = Hub::start().await;
    let a = hub.agency("a").await;
    let mut watchers = Vec::new();
    let request = || pb::WatchSubmissionsRequest { agency: "a".to_owned(), after_index: None };
    for _ in 0..8 {
        watchers.push(a.exchange().watch_submissions(request()).await.unwrap());
    }
    let ninth = a.exchange().watch_submissions(request()).await.unwrap_err();
    assert_eq!((ninth.code(), reason(&ninth)), (Code::Unavailable, "QUOTA"));
    hub.stop().await;
}

/// One request over HTTP/1.1: status and body.
async fn get(hub: &Hub, path: &str) -> (u16, Vec<u8>) {
    let address = hub.running().addresses().http;
    let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nHost: hub\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut response = Vec::new();
    stream.read_to_end(&mut response).await.unwrap();
    let end = response.windows(4).position(|four| four == b"\r\n\r\n").unwrap();
    let head = String::from_utf8(response[..end].to_vec()).unwrap();
    (head[9..12].parse().unwrap(), response[end + 4..].to_vec())
}
