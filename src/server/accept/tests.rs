//! Real clients over TCP and TLS on the loopback, with bounds of milliseconds.

use super::*;
use crate::identity::files;
use crate::identity::pki::{Authority, Issued, Purpose, Serial, Validity};
use crate::identity::signature::Algorithm;
use crate::identity::tls::{Credential, ServerTls, ServerTlsOptions, client_config};
use crate::identity::trust::{ClientTrust, Pins};
use axum::routing::get;
use rustls::ClientConfig;
use rustls_pki_types::{ServerName, UnixTime};
use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::sync::Mutex;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::task::JoinHandle;
use tokio_rustls::TlsConnector;
use tokio_stream::StreamExt;
use tonic::service::Routes;
use tonic::transport::{Channel, Endpoint};
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;

/// Far more than anything here takes, far less than a person waits.
const SOON: Duration = Duration::from_secs(5);

#[derive(Clone)]
struct Peer(&'static str);

type Directory = HashMap<[u8; 32], (Peer, Quota)>;

struct Unpinned;

impl Pins for Unpinned {
    fn transport_allowed(&self, _: &[u8; 32]) -> bool {
        true
    }
}

struct Hub {
    authority: Authority,
    address: SocketAddr,
    directory: Arc<Mutex<Directory>>,
    connections: Connections,
    metrics: Arc<AcceptMetrics>,
    /// Cancelled when a request of `/pending` is dropped.
    abandoned: CancellationToken,
    shutdown: CancellationToken,
    served: JoinHandle<()>,
}

impl Hub {
    async fn start(change: impl FnOnce(&mut AcceptLimits)) -> Self {
        let mut limits = AcceptLimits::default();
        change(&mut limits);
        let authority = Authority::create("Test", Serial::from_random([1; 16]), century()).unwrap();
        let directory: Arc<Mutex<Directory>> = Arc::default();
        let known = Arc::clone(&directory);
        let abandoned = CancellationToken::new();
        let front = Front {
            tls: server_tls(&authority),
            service: routes(&abandoned),
            identify: move |certificate: &PeerCertificate| {
                known.lock().unwrap().get(&certificate.sha256).cloned()
            },
            connections: Connections::new(limits),
            limits,
            metrics: Arc::default(),
        };
        let (connections, metrics) = (front.connections.clone(), Arc::clone(&front.metrics));
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let shutdown = CancellationToken::new();
        let served = tokio::spawn(front.serve(listener, shutdown.clone()));
        Self { authority, address, directory, connections, metrics, abandoned, shutdown, served }
    }

    /// A client whose certificate is not registered.
    fn stranger(&self) -> Issued {
        let number = Serial::from_random([7; 16]);
        let purpose = Purpose::Transport("s-1".into());
        let algorithm = Algorithm::EcdsaP256Sha256;
        self.authority.issue(&purpose, algorithm, number, century()).unwrap()
    }

    fn register(&self, name: &'static str, quota: Quota) -> Issued {
        let issued = self.stranger();
        let mut directory = self.directory.lock().unwrap();
        directory.insert(issued.sha256, (Peer(name), quota));
        issued
    }

    fn client(&self) -> Issued {
        self.register("one", Quota::default())
    }

    fn client_tls(&self, issued: &Issued) -> Arc<ClientConfig> {
        let roots = files::certificates(self.authority.certificate_pem()).unwrap();
        client_config(&roots, credential(issued)).unwrap()
    }

    async fn channel(&self, issued: &Issued) -> Result<Channel, tonic::transport::Error> {
        let (address, tls) = (self.address, self.client_tls(issued));
        let connect = tower::service_fn(move |_| {
            let tls = Arc::clone(&tls);
            async move { Ok::<_, io::Error>(TokioIo::new(dial(address, tls).await?)) }
        });
        let endpoint = Endpoint::from_static("http://localhost");
        endpoint.connect_with_connector(connect).await
    }

    /// A channel that has made a request: so the hub has let it in.
    async fn connect(&self, issued: &Issued) -> Option<Channel> {
        let channel = self.channel(issued).await.ok()?;
        fetch(&channel, "/peer").await.ok()?;
        Some(channel)
    }

    /// Waits until a condition holds that other tasks bring about.
    async fn until(&self, condition: impl Fn(&Self) -> bool) {
        let wait = async {
            while !condition(self) {
                sleep(Duration::from_millis(5)).await;
            }
        };
        timeout(SOON, wait).await.unwrap();
    }

    /// Shuts down, and tells how long that took.
    async fn shut_down(self) -> Duration {
        let began = Instant::now();
        self.shutdown.cancel();
        timeout(SOON, self.served).await.unwrap().unwrap();
        began.elapsed()
    }
}

fn century() -> Validity {
    let at = |seconds| UnixTime::since_unix_epoch(Duration::from_secs(seconds));
    Validity::new(at(1_577_836_800), at(4_733_510_400)).unwrap()
}

fn credential(issued: &Issued) -> Credential {
    Credential::from_pem(&issued.certificate_pem, &issued.key_pem).unwrap()
}

fn server_tls(authority: &Authority) -> Arc<ServerConfig> {
    let purpose = Purpose::Server(vec![ServerName::try_from("localhost").unwrap()]);
    let serial = Serial::from_random([2; 16]);
    let issued = authority.issue(&purpose, Algorithm::EcdsaP256Sha256, serial, century()).unwrap();
    let trust = ClientTrust::from_pem(authority.certificate_pem(), "").unwrap();
    let options = ServerTlsOptions::default();
    let tls = ServerTls::new(credential(&issued), trust, Arc::new(Unpinned), &options);
    tls.unwrap().config()
}

/// tonic's health service, whose `Watch` is a stream that never ends, and some plain paths.
fn routes(abandoned: &CancellationToken) -> Routes {
    let (_, health) = tonic_health::server::health_reporter();
    let peer = |axum::Extension(peer): axum::Extension<Peer>| async move { [("peer", peer.0)] };
    let slow = || sleep(Duration::from_secs(1));
    let abandoned = abandoned.clone();
    let pending = || async move {
        let _guard = abandoned.drop_guard();
        std::future::pending::<()>().await;
    };
    let retiring = |axum::Extension(retiring): axum::Extension<Retiring>| async move {
        retiring.wait().await;
    };
    let router = Routes::new(health)
        .into_axum_router()
        .route("/peer", get(peer))
        .route("/pending", get(pending))
        .route("/slow", get(slow))
        .route("/retiring", get(retiring));
    router.into()
}

async fn dial(
    address: SocketAddr,
    tls: Arc<ClientConfig>,
) -> io::Result<tokio_rustls::client::TlsStream<TcpStream>> {
    let stream = TcpStream::connect(address).await?;
    let name = ServerName::try_from("localhost").unwrap();
    TlsConnector::from(tls).connect(name, stream).await
}

async fn fetch(channel: &Channel, path: &str) -> Result<Response<Body>, tonic::transport::Error> {
    let request = Request::get(path).body(Body::empty()).unwrap();
    channel.clone().oneshot(request).await
}

type Watch = tonic::Streaming<tonic_health::pb::HealthCheckResponse>;

/// Opens a stream that stays open, and reads its first message.
async fn watch(channel: &Channel) -> Watch {
    let request = HealthCheckRequest::default();
    let mut client = HealthClient::new(channel.clone());
    let mut watch = client.watch(request).await.unwrap().into_inner();
    watch.next().await.unwrap().unwrap();
    watch
}

/// Reads until the other end closes, and tells how long that took.
async fn closed(mut stream: impl tokio::io::AsyncRead + Unpin) -> Duration {
    let began = Instant::now();
    let mut bytes = Vec::new();
    // An end without a TLS goodbye is an end, too.
    let _ = timeout(SOON, stream.read_to_end(&mut bytes)).await.unwrap();
    began.elapsed()
}

fn of_agency(code: &str) -> Quota {
    Quota { agency: Some(code.parse().unwrap()), ..Quota::default() }
}

#[tokio::test]
async fn a_request_carries_its_peer() {
    let hub = Hub::start(|_| {}).await;
    let one = hub.connect(&hub.register("one", Quota::default())).await.unwrap();
    let two = hub.connect(&hub.register("two", Quota::default())).await.unwrap();
    for (channel, name) in [(&one, "one"), (&two, "two"), (&one, "one")] {
        assert_eq!(fetch(channel, "/peer").await.unwrap().headers()["peer"], name);
    }
    assert_eq!(hub.connections.len(), 2);
    drop((one, two));
    hub.until(|hub| hub.connections.is_empty()).await;
}

#[tokio::test]
async fn a_stranger_is_not_served() {
    let hub = Hub::start(|_| {}).await;
    assert!(hub.connect(&hub.stranger()).await.is_none());
    assert!(hub.metrics.strangers.get() >= 1);
    assert_eq!(hub.metrics.admitted.get(), 0);
}

#[tokio::test]
async fn streams_are_bounded_and_more_for_a_gateway() {
    let hub = Hub::start(|limits| (limits.streams, limits.streams_of_gateway) = (2, 4)).await;
    let gateway = Quota { gateway: true, ..Quota::default() };
    for (issued, streams) in [(hub.client(), 2), (hub.register("gateway", gateway), 4)] {
        let channel = hub.connect(&issued).await.unwrap();
        let mut watches = Vec::new();
        for _ in 0..streams {
            watches.push(watch(&channel).await);
        }
        let mut more = pin!(fetch(&channel, "/peer"));
        let patience = Duration::from_millis(100);
        assert!(timeout(patience, &mut more).await.is_err());
        watches.pop();
        timeout(SOON, more).await.unwrap().unwrap();
    }
}

#[tokio::test]
async fn the_kill_switch_cuts_open_streams_of_that_key_alone() {
    let hub = Hub::start(|_| {}).await;
    let (bad, good) = (hub.client(), hub.client());
    let (bad_channel, good_channel) = (hub.connect(&bad).await, hub.connect(&good).await);
    let mut bad_watch = watch(&bad_channel.unwrap()).await;
    let mut good_watch = watch(&good_channel.unwrap()).await;
    hub.directory.lock().unwrap().remove(&bad.sha256);
    assert_eq!(hub.connections.cut(&bad.sha256), 1);
    let ended = timeout(SOON, bad_watch.next()).await.unwrap();
    assert!(ended.is_none_or(|message| message.is_err()));
    hub.until(|hub| hub.connections.len() == 1).await;
    assert!(hub.connect(&bad).await.is_none());
    let patience = Duration::from_millis(100);
    assert!(timeout(patience, good_watch.next()).await.is_err());
    assert_eq!(hub.metrics.cut.get(), 1);
}

#[tokio::test]
async fn the_kill_switch_ends_requests_in_progress() {
    let hub = Hub::start(|_| {}).await;
    let issued = hub.client();
    let channel = hub.connect(&issued).await.unwrap();
    let request = tokio::spawn(async move { fetch(&channel, "/pending").await });
    sleep(Duration::from_millis(100)).await;
    assert!(!request.is_finished() && !hub.abandoned.is_cancelled());
    hub.connections.cut(&issued.sha256);
    timeout(SOON, hub.abandoned.cancelled()).await.unwrap();
    assert!(timeout(SOON, request).await.unwrap().unwrap().is_err());
}

#[tokio::test]
async fn the_kill_switch_cuts_a_system() {
    let hub = Hub::start(|_| {}).await;
    let of_system = |code: &str| Quota { system: Some(code.parse().unwrap()), ..Quota::default() };
    for system in ["s-1", "s-1", "s-2"] {
        let channel = hub.connect(&hub.register("one", of_system(system))).await;
        std::mem::forget(channel);
    }
    assert_eq!(hub.connections.cut_system(&"s-1".parse().unwrap()), 2);
    hub.until(|hub| hub.connections.len() == 1).await;
}

#[tokio::test]
async fn a_key_has_so_many_connections() {
    let hub = Hub::start(|limits| limits.connections_per_key = 2).await;
    let issued = hub.client();
    let one = hub.connect(&issued).await.unwrap();
    let two = hub.connect(&issued).await.unwrap();
    assert!(hub.connect(&issued).await.is_none());
    assert!(hub.metrics.over_key.get() >= 1);
    assert!(hub.connect(&hub.client()).await.is_some());
    drop(one);
    hub.until(|hub| hub.connections.len() == 1).await;
    assert!(hub.connect(&issued).await.is_some());
    fetch(&two, "/peer").await.unwrap();
}

#[tokio::test]
async fn an_agency_has_so_many_connections_over_all_keys() {
    let hub = Hub::start(|limits| limits.connections_per_agency = 1).await;
    let (one, two) = (of_agency("a-1"), of_agency("a-2"));
    let held = hub.connect(&hub.register("one", one.clone())).await;
    assert!(held.is_some());
    assert!(hub.connect(&hub.register("one", one)).await.is_none());
    assert!(hub.metrics.over_agency.get() >= 1);
    assert!(hub.connect(&hub.register("two", two)).await.is_some());
}

#[tokio::test]
async fn the_hub_has_so_many_connections() {
    let hub = Hub::start(|limits| limits.connections = 1).await;
    let held = hub.connect(&hub.client()).await;
    assert!(held.is_some());
    assert!(hub.connect(&hub.client()).await.is_none());
    assert!(hub.metrics.over_all.get() >= 1);
}

#[tokio::test]
async fn a_slow_handshake_is_dropped_and_holds_up_nobody() {
    let limit = Duration::from_secs(1);
    let hub = Hub::start(|limits| limits.handshake = limit).await;
    let slow = TcpStream::connect(hub.address).await.unwrap();
    let slow = tokio::spawn(closed(slow));
    assert!(hub.connect(&hub.client()).await.is_some());
    assert!(!slow.is_finished());
    assert!(slow.await.unwrap() > limit / 2);
    assert_eq!(hub.metrics.handshakes_late.get(), 1);
}

#[tokio::test]
async fn a_source_has_so_many_handshakes_under_way() {
    let hub = Hub::start(|limits| limits.pending_per_source = 2).await;
    let _one = TcpStream::connect(hub.address).await.unwrap();
    let _two = TcpStream::connect(hub.address).await.unwrap();
    let three = TcpStream::connect(hub.address).await.unwrap();
    closed(three).await;
    assert_eq!(hub.metrics.crowded.get(), 1);
}

#[tokio::test]
async fn handshakes_in_all_wait_for_room() {
    let limit = Duration::from_millis(300);
    let hub = Hub::start(|limits| (limits.pending, limits.handshake) = (1, limit)).await;
    let _slow = TcpStream::connect(hub.address).await.unwrap();
    hub.until(|hub| hub.metrics.accepted.get() == 1).await;
    let began = Instant::now();
    assert!(hub.connect(&hub.client()).await.is_some());
    assert!(began.elapsed() > limit / 2);
}

#[tokio::test]
async fn a_client_without_preface_is_dropped() {
    let limit = Duration::from_millis(300);
    let hub = Hub::start(|limits| limits.first_request = limit).await;
    let stream = dial(hub.address, hub.client_tls(&hub.client())).await.unwrap();
    assert!(closed(stream).await > limit / 2);
    hub.until(|hub| hub.connections.is_empty()).await;
    assert_eq!(hub.metrics.silent.get(), 1);
}

#[tokio::test]
async fn a_client_with_preface_but_no_request_is_dropped() {
    let hub = Hub::start(|limits| limits.first_request = Duration::from_millis(300)).await;
    let channel = hub.channel(&hub.client()).await.unwrap();
    hub.until(|hub| hub.metrics.silent.get() == 1).await;
    assert!(hub.connections.is_empty());
    drop(channel);
}

#[tokio::test]
async fn a_client_that_does_not_speak_http2_is_dropped() {
    let hub = Hub::start(|_| {}).await;
    let mut stream = dial(hub.address, hub.client_tls(&hub.client())).await.unwrap();
    stream.write_all(b"GET / HTTP/1.1\r\nHost: hub\r\n\r\n").await.unwrap();
    closed(stream).await;
    hub.until(|hub| hub.connections.is_empty()).await;
    assert_eq!(hub.metrics.broken.get(), 1);
}

#[tokio::test]
async fn a_client_that_answers_no_ping_is_dropped() {
    let ping = Duration::from_millis(100);
    let hub = Hub::start(|limits| (limits.ping_interval, limits.ping_timeout) = (ping, ping)).await;
    let mut stream = dial(hub.address, hub.client_tls(&hub.client())).await.unwrap();
    let empty_settings = [0, 0, 0, 4, 0, 0, 0, 0, 0];
    stream.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").await.unwrap();
    stream.write_all(&empty_settings).await.unwrap();
    assert!(closed(stream).await >= ping);
    hub.until(|hub| hub.connections.is_empty()).await;
    assert_eq!((hub.metrics.broken.get(), hub.metrics.silent.get()), (1, 0));
}

#[tokio::test]
async fn headers_are_bounded() {
    let hub = Hub::start(|_| {}).await;
    let channel = hub.connect(&hub.client()).await.unwrap();
    let request = Request::get("/peer").header("long", "x".repeat(9 * 1024));
    let request = request.body(Body::empty()).unwrap();
    let answer = channel.clone().oneshot(request).await;
    assert!(answer.is_ok_and(|answer| answer.status() == 431));
    fetch(&channel, "/peer").await.unwrap();
}

#[tokio::test]
async fn an_old_connection_finishes_its_requests_and_new_ones_take_another() {
    let hub = Hub::start(|limits| limits.age = Duration::from_millis(100)).await;
    let channel = hub.connect(&hub.client()).await.unwrap();
    let slow_channel = channel.clone();
    let slow = tokio::spawn(async move { fetch(&slow_channel, "/slow").await });
    hub.until(|hub| hub.metrics.retired.get() == 1).await;
    assert!(!slow.is_finished());
    // A request given to the client just as the connection closes is not sent, and fails there.
    let again = async { while fetch(&channel, "/peer").await.is_err() {} };
    timeout(SOON, again).await.unwrap();
    assert_eq!(slow.await.unwrap().unwrap().status(), 200);
    assert!(hub.metrics.admitted.get() >= 2);
    assert_eq!((hub.metrics.overdue.get(), hub.metrics.broken.get()), (0, 0));
}

#[tokio::test]
async fn a_request_learns_that_its_connection_retires() {
    let hub = Hub::start(|limits| limits.age = Duration::from_millis(100)).await;
    let channel = hub.connect(&hub.client()).await.unwrap();
    timeout(SOON, fetch(&channel, "/retiring")).await.unwrap().unwrap();
    assert_eq!(hub.metrics.retired.get(), 1);
}

#[tokio::test]
async fn a_shutdown_lets_requests_finish() {
    let hub = Hub::start(|_| {}).await;
    let channel = hub.connect(&hub.client()).await.unwrap();
    let slow = tokio::spawn(async move { fetch(&channel, "/slow").await });
    sleep(Duration::from_millis(200)).await;
    let (address, metrics) = (hub.address, Arc::clone(&hub.metrics));
    assert!(hub.shut_down().await > Duration::from_millis(300));
    assert_eq!(slow.await.unwrap().unwrap().status(), 200);
    assert!(TcpStream::connect(address).await.is_err());
    assert_eq!((metrics.retired.get(), metrics.overdue.get()), (1, 0));
}

#[tokio::test]
async fn a_shutdown_cuts_what_stays() {
    let grace = Duration::from_millis(300);
    let hub = Hub::start(|limits| limits.grace = grace).await;
    let channel = hub.connect(&hub.client()).await.unwrap();
    let mut watch = watch(&channel).await;
    let metrics = Arc::clone(&hub.metrics);
    assert!(hub.shut_down().await >= grace);
    assert!(timeout(SOON, watch.next()).await.unwrap().is_none_or(|end| end.is_err()));
    assert_eq!(metrics.overdue.get(), 1);
}

#[tokio::test]
async fn a_shutdown_waits_neither_for_handshakes_nor_for_prefaces() {
    let hub = Hub::start(|limits| limits.first_request = Duration::from_millis(300)).await;
    let _handshake = TcpStream::connect(hub.address).await.unwrap();
    let _silent = dial(hub.address, hub.client_tls(&hub.client())).await.unwrap();
    hub.until(|hub| hub.connections.len() == 1).await;
    assert!(hub.shut_down().await < Duration::from_secs(2));
}

#[test]
fn ages_spread() {
    let base = Duration::from_secs(1800);
    let ages: Vec<_> = (0..1000).map(|number| age(base, number)).collect();
    assert!(ages.iter().all(|age| (base..2 * base).contains(age)));
    for minute in 0..30 {
        let from = base + Duration::from_secs(60 * minute);
        let within =
            ages.iter().filter(|age| (from..from + Duration::from_secs(60)).contains(*age));
        assert!((30..=37).contains(&within.count()));
    }
}
