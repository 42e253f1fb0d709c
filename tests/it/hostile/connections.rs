//! Connections that are no client's, and clients that ask for too much or vanish.

use std::io::{self, ErrorKind};
use std::sync::Arc;
use std::time::Duration;

use http::uri::PathAndQuery;
use pb::directory_service_client::DirectoryServiceClient;
use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::ServerName;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tonic::metadata::MetadataValue;
use tonic::transport::Channel;
use tonic::{Request, Status};
use xianjie::identity::files;
use xianjie::identity::pki::{Authority, Issued, Purpose as Use, Serial};
use xianjie::identity::tls::{Credential, client_config};
use xianjie::wire::pb;
use xianjie_core::domain::decide::Change;
use xianjie_core::ids::Digest;
use xianjie_core::refusal::Reason;

use super::documents::submit;
use super::{assert_refused, assert_unharmed};
use crate::people::{issue, validity, wire_document};
use crate::process::Process;

const COURT: &str = "yuexiu-court";
const POLICE: &str = "tianhe-police";
/// HTTP/2's connection preface and an empty SETTINGS frame (RFC 9113, 3.4).
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";

/// A certificate opens the hub only if it is the authority's, registered, for transport, and not
/// revoked.
#[tokio::test(flavor = "multi_thread")]
async fn only_registered_transport_certificates_open_the_hub() {
    let process = Process::start().await;
    let own = process.authority();
    let serial = Serial::from_random([9; 16]);
    let other = Authority::create("another authority", serial, validity()).unwrap();
    let transport = Use::Transport(COURT.to_owned());
    let document = issue(&own, &Use::Document(COURT.to_owned()));
    let rows = [
        ("another authority's", issue(&other, &transport)),
        ("not registered", issue(&own, &transport)),
        ("for documents", document),
    ];
    for (what, issued) in &rows {
        assert_shut_out(what, &process, issued).await;
    }
    let revoked = process.people.transport(POLICE);
    let living = process.connect(POLICE).await;
    hello(living.clone()).await.unwrap();
    let digest = Digest(revoked.sha256);
    process.change(&[Change::RevokeCertificate { digest, compromised_since: None }]).await;
    assert!(hello(living).await.is_err(), "a living connection is cut");
    assert_shut_out("revoked", &process, revoked).await;
    hello(process.connect(COURT).await).await.unwrap();
    assert_unharmed(process);
}

/// Bytes that are no TLS, no certificate, no HTTP/2: the connection ends, and no other is harmed.
#[tokio::test(flavor = "multi_thread")]
async fn noise_ends_its_own_connection_only() {
    let process = Process::start().await;
    let court = process.connect(COURT).await;
    let mut frames = PREFACE.to_vec();
    // A HEADERS frame on stream 0, a DATA frame on an idle stream, then noise.
    frames.extend([0, 0, 1, 1, 4, 0, 0, 0, 0, 0x83]);
    frames.extend([0, 0, 1, 0, 0, 0, 0, 0, 9, 0]);
    frames.extend([0xff; 4096]);
    let plain: [(&str, &[u8]); 3] = [
        ("HTTP/1 without TLS", b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"),
        ("HTTP/2 without TLS", PREFACE),
        ("noise", &[0x16, 0x03, 0x01, 0xff, 0xff, 0x01, 0x02]),
    ];
    for (what, bytes) in plain {
        let mut stream = TcpStream::connect(process.address()).await.unwrap();
        stream.write_all(bytes).await.unwrap();
        assert_ends(what, stream).await;
    }
    let inside: [(&str, &[u8]); 3] = [
        ("HTTP/1 inside TLS", b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"),
        ("frames that break the rules", &frames),
        ("noise inside TLS", &[0xff; 4096]),
    ];
    for (what, bytes) in inside {
        let mut stream = tls(&process, COURT).await;
        let _ = stream.write_all(bytes).await;
        assert_ends(what, stream).await;
    }
    let stream = TcpStream::connect(process.address()).await.unwrap();
    let name = ServerName::try_from("localhost").unwrap();
    // TLS 1.3 lets the client believe that it is connected: the first read tells.
    if let Ok(stream) = TlsConnector::from(anonymous(&process)).connect(name, stream).await {
        assert_ends("no client certificate", stream).await;
    }
    hello(court).await.unwrap();
    assert_unharmed(process);
}

/// A client that opens more streams than it may has the surplus refused, not served.
#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_and_twenty_ninth_stream_is_refused() {
    let process = Process::start().await;
    let mut stream = tls(&process, COURT).await;
    let mut bytes = PREFACE.to_vec();
    for number in 0..129u32 {
        bytes.extend(open_stream(2 * number + 1));
    }
    stream.write_all(&bytes).await.unwrap();
    let mut refused = Vec::new();
    let mut limit = None;
    while refused.is_empty() {
        let (kind, id, payload) = timeout(SOON, frame(&mut stream)).await.unwrap().unwrap();
        match kind {
            SETTINGS => limit = limit.or_else(|| setting(&payload, MAX_CONCURRENT_STREAMS)),
            RST_STREAM | GOAWAY => refused.push(id),
            _ => {}
        }
    }
    assert_eq!(limit, Some(128));
    assert!(refused == [257] || refused == [0], "{refused:?}");
    hello(process.connect(COURT).await).await.unwrap();
    assert_unharmed(process);
}

/// Requests over their limits end as errors; metadata far over its limit ends its connection too.
#[tokio::test(flavor = "multi_thread")]
async fn large_requests_are_errors() {
    let process = Process::start().await;
    let channel = process.connect(COURT).await;
    let mut request = Request::new(pb::GetHubRequest {});
    let large = MetadataValue::try_from("a".repeat(64 * 1024)).unwrap();
    request.metadata_mut().insert("x-large", large);
    let answer = DirectoryServiceClient::new(channel.clone()).get_hub(request).await;
    assert!(answer.is_err(), "64 KiB of metadata");
    let huge = process.people.sign(COURT, vec![0; 2 * 1024 * 1024]);
    let status = submit(&channel, COURT, &wire_document(&huge)).await.unwrap_err();
    assert_refused("2 MiB", &status, Reason::TooLarge, "");
    hello(channel).await.unwrap();
    assert_unharmed(process);
}

/// What no service ever sees is refused like everything else: without a reason a client would send
/// the same bytes for ever.
#[tokio::test(flavor = "multi_thread")]
async fn what_the_transport_refuses_has_a_reason() {
    let process = Process::start().await;
    let channel = process.connect(COURT).await;
    // A number where each of these messages has a text or a message.
    let wrong = || Request::new(7_u64);
    let codec = tonic_prost::ProstCodec::<u64, ()>::default;
    let mut client = tonic::client::Grpc::new(channel.clone());
    let path = PathAndQuery::from_static;
    let unary = [
        ("no message", "/xianjie.v1.ExchangeService/SubmitDocument", Reason::Malformed),
        ("no method", "/xianjie.v1.ExchangeService/BurnDocument", Reason::Unsupported),
        ("no service", "/xianjie.v1.ShredderService/SubmitDocument", Reason::Unsupported),
        ("operators' only", "/xianjie.v1.OperatorService/GetStatus", Reason::Unsupported),
    ];
    for (what, method, reason) in unary {
        client.ready().await.unwrap();
        let status = client.unary(wrong(), path(method), codec()).await.unwrap_err();
        assert_refused(what, &status, reason, "");
    }
    for method in [
        "/xianjie.v1.ExchangeService/SubmitDocuments",
        "/xianjie.v1.InboxService/Subscribe",
        "/xianjie.v1.AttachmentService/UploadAttachment",
    ] {
        client.ready().await.unwrap();
        let wrong = Request::new(tokio_stream::once(7_u64));
        let answer = client.streaming(wrong, path(method), codec()).await;
        let status = match answer {
            Ok(answer) => answer.into_inner().message().await.unwrap_err(),
            Err(status) => status,
        };
        assert_refused(method, &status, Reason::Malformed, "");
    }
    hello(channel).await.unwrap();
    assert_unharmed(process);
}

/// Clients that vanish in the middle of a call: the same bytes afterwards get one record each.
#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_vanishes_harms_nobody() {
    let process = Process::start().await;
    let papers: Vec<_> =
        (0..20).map(|_| wire_document(&process.people.ping(COURT, &[POLICE]))).collect();
    for (place, paper) in papers.iter().enumerate() {
        let (channel, paper) = (process.connect(COURT).await, paper.clone());
        let call = tokio::spawn(async move { submit(&channel, COURT, &paper).await.map(drop) });
        tokio::time::sleep(Duration::from_millis(place as u64)).await;
        call.abort();
    }
    let channel = process.connect(COURT).await;
    let mut indexes = Vec::new();
    for paper in &papers {
        let first = submit(&channel, COURT, paper).await.unwrap().receipt.unwrap().index;
        let again = submit(&channel, COURT, paper).await.unwrap().receipt.unwrap().index;
        assert_eq!(first, again);
        indexes.push(first);
    }
    indexes.sort_unstable();
    indexes.dedup();
    assert_eq!(indexes.len(), papers.len());
    assert_unharmed(process);
}

const SOON: Duration = Duration::from_secs(10);

// Frame types and a setting (RFC 9113, 6).
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const GOAWAY: u8 = 7;
const MAX_CONCURRENT_STREAMS: u16 = 3;

/// A HEADERS frame that opens a stream of submissions and leaves it open.
fn open_stream(id: u32) -> Vec<u8> {
    let path = b"/xianjie.v1.ExchangeService/SubmitDocuments";
    // POST and https from the static table; path, content type and te as literals (RFC 7541).
    let mut block = vec![0x83, 0x87, 0x04, u8::try_from(path.len()).unwrap()];
    block.extend(path);
    block.extend([0x01, 9]);
    block.extend(b"localhost");
    block.extend([0x0f, 0x10, 16]);
    block.extend(b"application/grpc");
    block.extend([0x00, 2]);
    block.extend(b"te");
    block.push(8);
    block.extend(b"trailers");
    let mut frame = vec![0, 0, u8::try_from(block.len()).unwrap(), 1, 4];
    frame.extend(id.to_be_bytes());
    frame.extend(block);
    frame
}

/// The next frame: its type, its stream and its payload.
async fn frame(stream: &mut TlsStream<TcpStream>) -> io::Result<(u8, u32, Vec<u8>)> {
    let mut head = [0; 9];
    stream.read_exact(&mut head).await?;
    let length = u32::from_be_bytes([0, head[0], head[1], head[2]]);
    let mut payload = vec![0; usize::try_from(length).unwrap()];
    stream.read_exact(&mut payload).await?;
    let id = u32::from_be_bytes([head[5], head[6], head[7], head[8]]);
    Ok((head[3], id, payload))
}

fn setting(payload: &[u8], wanted: u16) -> Option<u32> {
    let mut settings = payload.chunks_exact(6).map(|setting| {
        let (name, value) = (u16::from_be_bytes([setting[0], setting[1]]), &setting[2..]);
        (name, u32::from_be_bytes(value.try_into().unwrap()))
    });
    settings.find(|(name, _)| *name == wanted).map(|(_, value)| value)
}

/// Connects with the certificate, or calls with it: one of them fails.
async fn assert_shut_out(what: &str, process: &Process, issued: &Issued) {
    let roots = files::certificates(process.authority().certificate_pem()).unwrap();
    let credential = Credential::from_pem(&issued.certificate_pem, &issued.key_pem).unwrap();
    let stream = TcpStream::connect(process.address()).await.unwrap();
    let connector = TlsConnector::from(client_config(&roots, credential).unwrap());
    let name = ServerName::try_from("localhost").unwrap();
    let Ok(mut stream) = connector.connect(name, stream).await else { return };
    let _ = stream.write_all(PREFACE).await;
    let mut bytes = [0; 64];
    if timeout(SOON, stream.read(&mut bytes)).await.unwrap().unwrap_or(0) == 0 {
        return;
    }
    // It was let in as far as HTTP/2: then every call is refused.
    let status = hello(process.connect_as(issued).await).await.unwrap_err();
    assert_refused(what, &status, Reason::UnknownPeer, "");
}

/// The other end closes, soon.
async fn assert_ends(what: &str, mut stream: impl tokio::io::AsyncRead + Unpin) {
    let mut bytes = vec![0; 4096];
    loop {
        match timeout(SOON, stream.read(&mut bytes)).await {
            Ok(Ok(0)) => return,
            Ok(Ok(_)) => {}
            Ok(Err(error)) if error.kind() != ErrorKind::WouldBlock => return,
            other => panic!("{what}: {other:?}"),
        }
    }
}

async fn hello(channel: Channel) -> Result<(), Status> {
    DirectoryServiceClient::new(channel).get_hub(pb::GetHubRequest {}).await.map(drop)
}

/// A bare TLS stream under an agency's certificate.
async fn tls(process: &Process, agency: &str) -> TlsStream<TcpStream> {
    let issued = process.people.transport(agency);
    let roots = files::certificates(process.authority().certificate_pem()).unwrap();
    let credential = Credential::from_pem(&issued.certificate_pem, &issued.key_pem).unwrap();
    let connector = TlsConnector::from(client_config(&roots, credential).unwrap());
    let stream = TcpStream::connect(process.address()).await.unwrap();
    connector.connect(ServerName::try_from("localhost").unwrap(), stream).await.unwrap()
}

/// TLS without a client certificate.
fn anonymous(process: &Process) -> Arc<ClientConfig> {
    let mut roots = RootCertStore::empty();
    for root in files::certificates(process.authority().certificate_pem()).unwrap() {
        roots.add(root).unwrap();
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(provider);
    let versions = builder.with_protocol_versions(&[&rustls::version::TLS13]).unwrap();
    let mut config = versions.with_root_certificates(roots).with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec()];
    Arc::new(config)
}
