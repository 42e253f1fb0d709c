//! Real handshakes between both ends over memory. The server's clock stands still at [`NOW`]; the
//! server's certificates are valid for a century, because clients judge them by today's date.

use super::*;
use crate::identity::lists::issuer_digest;
use crate::identity::peer::{PeerCertificate, SubjectUri};
use crate::identity::pki::{Authority, Issued, Purpose, Serial, Validity};
use crate::identity::signature::Algorithm;
use rustls::{AlertDescription, CertificateError, Error, HandshakeKind, ProtocolVersion};
use rustls_pki_types::ServerName;
use std::collections::HashSet;
use std::sync::Mutex;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};
use tokio_rustls::{TlsAcceptor, TlsConnector};
use xianjie_core::ids::{Digest, Time};

const NOW: u64 = 1_800_000_000;
const DAY: u64 = 86_400;

fn at(seconds: u64) -> UnixTime {
    UnixTime::since_unix_epoch(Duration::from_secs(seconds))
}

/// 2020 to 2120.
fn century() -> Validity {
    Validity::new(at(1_577_836_800), at(4_733_510_400)).unwrap()
}

fn serial(number: u8) -> Serial {
    Serial::from_random([number; 16])
}

#[derive(Debug)]
struct FixedTime;

impl TimeProvider for FixedTime {
    fn current_time(&self) -> Option<UnixTime> {
        Some(at(NOW))
    }
}

#[derive(Default)]
struct Registered(Mutex<HashSet<[u8; 32]>>);

impl Pins for Registered {
    fn transport_allowed(&self, certificate_sha256: &[u8; 32]) -> bool {
        self.0.lock().unwrap().contains(certificate_sha256)
    }
}

/// A hub with its authority. Every certificate it gives out is registered, until it is not.
struct Hub {
    authority: Authority,
    pins: Arc<Registered>,
    tls: ServerTls,
}

impl Hub {
    fn new() -> Self {
        Self::with(|_| {})
    }

    fn with(change: impl FnOnce(&mut ServerTlsOptions)) -> Self {
        let authority = Authority::create("Test", serial(1), century()).unwrap();
        let pins = Arc::new(Registered::default());
        let mut options =
            ServerTlsOptions { time: Arc::new(FixedTime), ..ServerTlsOptions::default() };
        change(&mut options);
        let credential = server_credential(&authority);
        let trust = ClientTrust::from_pem(authority.certificate_pem(), "").unwrap();
        let tls = ServerTls::new(credential, trust, Arc::clone(&pins) as _, &options).unwrap();
        Self { authority, pins, tls }
    }

    fn issue(&self, purpose: &Purpose, number: u8, validity: Validity) -> Issued {
        let issued = self
            .authority
            .issue(purpose, Algorithm::EcdsaP256Sha256, serial(number), validity)
            .unwrap();
        self.pins.0.lock().unwrap().insert(issued.sha256);
        issued
    }

    fn system(&self, number: u8) -> Issued {
        self.issue(&Purpose::Transport("s-1".into()), number, century())
    }

    fn unregister(&self, issued: &Issued) {
        assert!(self.pins.0.lock().unwrap().remove(&issued.sha256));
    }

    /// Revokes certificates in a list whose successor is due `days` from now.
    fn revoke(&self, numbers: &[u8], next_update: u64) -> Vec<StaleList> {
        let revoked: Vec<_> = numbers.iter().map(|n| (serial(*n), at(NOW))).collect();
        let list =
            self.authority.revocation_list(&revoked, at(NOW - 90 * DAY), at(next_update)).unwrap();
        let trust = ClientTrust::from_pem(self.authority.certificate_pem(), &list).unwrap();
        self.tls.reload_client_roots(trust, at(NOW)).unwrap()
    }

    fn client(&self, issued: &Issued) -> Arc<ClientConfig> {
        let roots = files::certificates(self.authority.certificate_pem()).unwrap();
        client_config(&roots, credential(issued)).unwrap()
    }

    /// A client that resumes whenever the server lets it, and speaks the given version.
    fn resuming_client(
        &self,
        issued: &Issued,
        version: &'static rustls::SupportedProtocolVersion,
    ) -> Arc<ClientConfig> {
        let mut roots = RootCertStore::empty();
        let root = files::first_certificate(self.authority.certificate_pem()).unwrap();
        roots.add(root).unwrap();
        let Credential { chain, key } = credential(issued);
        let provider = Arc::new(aws_lc_rs::default_provider());
        let mut config = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(&[version])
            .unwrap()
            .with_root_certificates(roots)
            .with_client_auth_cert(chain, key)
            .unwrap();
        config.alpn_protocols = vec![ALPN.to_vec()];
        Arc::new(config)
    }

    async fn connect(&self, client: &Arc<ClientConfig>) -> Result<Connected, Refused> {
        connect(self.tls.config(), client).await
    }
}

fn server_credential(authority: &Authority) -> Credential {
    let names = vec![ServerName::try_from("hub.example").unwrap()];
    let purpose = Purpose::Server(names);
    let issued =
        authority.issue(&purpose, Algorithm::EcdsaP256Sha256, serial(2), century()).unwrap();
    credential(&issued)
}

fn credential(issued: &Issued) -> Credential {
    Credential::from_pem(&issued.certificate_pem, &issued.key_pem).unwrap()
}

/// What both ends saw of a connection that carried a byte each way.
#[derive(Debug)]
struct Connected {
    peer: PeerCertificate,
    version: ProtocolVersion,
    alpn: Option<Vec<u8>>,
    kind: HandshakeKind,
    server_certificate: Vec<u8>,
}

/// Why the server refused, and what the client learned of it.
#[derive(Debug)]
struct Refused {
    server: Error,
    client: Error,
}

impl Refused {
    fn certificate(&self) -> &CertificateError {
        match &self.server {
            Error::InvalidCertificate(error) => error,
            other => panic!("not about the certificate: {other:?}"),
        }
    }
}

fn tls_error(error: std::io::Error) -> Error {
    let inner = error.into_inner().expect("an error of TLS");
    *inner.downcast::<Error>().expect("an error of TLS")
}

async fn connect(
    server: Arc<ServerConfig>,
    client: &Arc<ClientConfig>,
) -> Result<Connected, Refused> {
    let (near, far) = duplex(64 * 1024);
    let serve = async {
        let mut stream = TlsAcceptor::from(server).accept(far).await?;
        let byte = stream.read_u8().await?;
        stream.write_u8(byte).await?;
        stream.flush().await?;
        let (_, session) = stream.get_ref();
        let peer = PeerCertificate::from_chain(session.peer_certificates()).unwrap();
        Ok(peer)
    };
    let call = async {
        let name = ServerName::try_from("hub.example").unwrap();
        let connector = TlsConnector::from(Arc::clone(client));
        let mut stream = connector.connect(name, near).await?;
        stream.write_u8(7).await?;
        stream.flush().await?;
        assert_eq!(stream.read_u8().await?, 7);
        let (_, session) = stream.get_ref();
        Ok((
            session.protocol_version().unwrap(),
            session.alpn_protocol().map(<[u8]>::to_vec),
            session.handshake_kind().unwrap(),
            session.peer_certificates().unwrap()[0].to_vec(),
        ))
    };
    match tokio::join!(serve, call) {
        (Ok(peer), Ok((version, alpn, kind, server_certificate))) => {
            Ok(Connected { peer, version, alpn, kind, server_certificate })
        }
        (Err(server), Err(client)) => {
            Err(Refused { server: tls_error(server), client: tls_error(client) })
        }
        (server, client) => panic!("the ends disagree: {server:?}, {client:?}"),
    }
}

#[tokio::test]
async fn a_registered_client_is_let_in() {
    let hub = Hub::new();
    let issued = hub.system(10);
    let connected = hub.connect(&hub.client(&issued)).await.unwrap();
    assert_eq!(connected.version, ProtocolVersion::TLSv1_3);
    assert_eq!(connected.alpn.as_deref(), Some(ALPN));
    assert_eq!(connected.kind, HandshakeKind::Full);
    assert_eq!(connected.peer.sha256, issued.sha256);
    let name = SubjectUri::System("s-1".into());
    assert_eq!(connected.peer.san_uri, Some(name));
}

#[tokio::test]
async fn an_ed25519_client_is_let_in() {
    let hub = Hub::new();
    let purpose = Purpose::Operator("op-1".into());
    let issued = hub.authority.issue(&purpose, Algorithm::Ed25519, serial(10), century()).unwrap();
    hub.pins.0.lock().unwrap().insert(issued.sha256);
    let connected = hub.connect(&hub.client(&issued)).await.unwrap();
    assert_eq!(connected.peer.sha256, issued.sha256);
}

#[tokio::test]
async fn an_unregistered_client_is_refused() {
    let hub = Hub::new();
    let issued = hub.system(10);
    hub.unregister(&issued);
    let refused = hub.connect(&hub.client(&issued)).await.unwrap_err();
    let reason = CertificateError::ApplicationVerificationFailure;
    assert_eq!(refused.certificate(), &reason);
    let alert = Error::AlertReceived(AlertDescription::AccessDenied);
    assert_eq!(refused.client, alert);
}

#[tokio::test]
async fn an_unregistered_client_reaches_the_services_if_so_chosen() {
    let hub = Hub::with(|options| options.refuse_unregistered_in_handshake = false);
    let issued = hub.system(10);
    hub.unregister(&issued);
    let connected = hub.connect(&hub.client(&issued)).await.unwrap();
    assert_eq!(connected.peer.sha256, issued.sha256);
}

/// The trap: by default a client resumes its session, and its certificate is not looked at again.
#[tokio::test]
async fn a_revoked_client_does_not_come_back_by_resumption() {
    for version in [&TLS13, &TLS12] {
        let hub = Hub::with(|options| options.allow_tls12 = true);
        let issued = hub.system(10);
        let client = hub.resuming_client(&issued, version);
        assert_eq!(hub.tls.config().send_tls13_tickets, 0);
        for _ in 0..2 {
            let connected = hub.connect(&client).await.unwrap();
            assert_eq!(connected.kind, HandshakeKind::Full);
        }
        hub.unregister(&issued);
        let refused = hub.connect(&client).await.unwrap_err();
        let reason = CertificateError::ApplicationVerificationFailure;
        assert_eq!(refused.certificate(), &reason);
    }
}

/// The control of the test above: with rustls's defaults the same client does resume.
#[tokio::test]
async fn the_resuming_client_would_resume() {
    let hub = Hub::with(|options| options.allow_tls12 = true);
    for version in [&TLS13, &TLS12] {
        let mut careless = (*hub.tls.config()).clone();
        careless.send_tls13_tickets = 2;
        careless.session_storage = rustls::server::ServerSessionMemoryCache::new(8);
        let careless = Arc::new(careless);
        let issued = hub.system(10);
        let client = hub.resuming_client(&issued, version);
        let first = connect(Arc::clone(&careless), &client).await.unwrap();
        assert_eq!(first.kind, HandshakeKind::Full);
        hub.unregister(&issued);
        let second = connect(careless, &client).await.unwrap();
        assert_eq!(second.kind, HandshakeKind::Resumed);
    }
}

#[tokio::test]
async fn a_listed_client_is_refused_and_others_are_not() {
    let hub = Hub::new();
    let [revoked, other] = [hub.system(10), hub.system(11)];
    let client = hub.client(&revoked);
    hub.connect(&client).await.unwrap();
    assert_eq!(hub.revoke(&[10], NOW + DAY), []);

    let refused = hub.connect(&client).await.unwrap_err();
    assert_eq!(refused.certificate(), &CertificateError::Revoked);
    hub.connect(&hub.client(&other)).await.unwrap();
}

#[tokio::test]
async fn a_stale_list_alarms_and_stays_in_force() {
    let hub = Hub::new();
    let [revoked, other] = [hub.system(10), hub.system(11)];
    let stale = StaleList { issuer: "CN=Test".into(), next_update: at(NOW - DAY) };
    assert_eq!(hub.revoke(&[10], NOW - DAY), [stale]);

    let refused = hub.connect(&hub.client(&revoked)).await.unwrap_err();
    assert_eq!(refused.certificate(), &CertificateError::Revoked);
    hub.connect(&hub.client(&other)).await.unwrap();

    hub.revoke(&[10], NOW);
    assert_eq!(hub.tls.stale_lists(at(NOW)), []);
    assert_eq!(hub.tls.stale_lists(at(NOW + 1)).len(), 1);
}

#[tokio::test]
async fn an_expired_and_a_future_client_are_refused() {
    let hub = Hub::new();
    let purpose = Purpose::Transport("s-1".into());
    let expired = Validity::new(at(NOW - 2 * DAY), at(NOW - DAY)).unwrap();
    let refused = hub.connect(&hub.client(&hub.issue(&purpose, 10, expired))).await.unwrap_err();
    assert!(matches!(
        refused.certificate(),
        CertificateError::ExpiredContext { time, .. } if *time == at(NOW)
    ));

    let future = Validity::new(at(NOW + DAY), at(NOW + 2 * DAY)).unwrap();
    let refused = hub.connect(&hub.client(&hub.issue(&purpose, 11, future))).await.unwrap_err();
    assert!(matches!(
        refused.certificate(),
        CertificateError::NotValidYetContext { time, .. } if *time == at(NOW)
    ));
}

/// Even if it were registered for transport by mistake.
#[tokio::test]
async fn a_signing_certificate_opens_no_connection() {
    let hub = Hub::new();
    let issued = hub.issue(&Purpose::Document("a".into()), 10, century());
    let refused = hub.connect(&hub.client(&issued)).await.unwrap_err();
    let text = refused.certificate().to_string();
    assert!(text.contains("extended key usage"), "{text}");
}

#[tokio::test]
async fn a_client_of_another_authority_is_refused_until_it_is_trusted() {
    let hub = Hub::new();
    let other = Authority::create("Other", serial(1), century()).unwrap();
    let purpose = Purpose::Transport("s-2".into());
    let issued = other.issue(&purpose, Algorithm::EcdsaP256Sha256, serial(10), century()).unwrap();
    hub.pins.0.lock().unwrap().insert(issued.sha256);
    let client = hub.client(&issued);
    let refused = hub.connect(&client).await.unwrap_err();
    assert_eq!(refused.certificate(), &CertificateError::UnknownIssuer);

    // An authority without a revocation list stands beside one that has a list.
    let both = [hub.authority.certificate_pem(), other.certificate_pem()].concat();
    let list = hub.authority.revocation_list(&[], at(NOW), at(NOW + DAY)).unwrap();
    let trust = ClientTrust::from_pem(&both, &list).unwrap();
    hub.tls.reload_client_roots(trust, at(NOW)).unwrap();
    hub.connect(&client).await.unwrap();
}

#[tokio::test]
async fn a_client_without_a_certificate_is_refused() {
    let hub = Hub::new();
    let mut roots = RootCertStore::empty();
    let root = files::first_certificate(hub.authority.certificate_pem()).unwrap();
    roots.add(root).unwrap();
    let provider = Arc::new(aws_lc_rs::default_provider());
    let mut client = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&TLS13])
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    client.alpn_protocols = vec![ALPN.to_vec()];
    let refused = hub.connect(&Arc::new(client)).await.unwrap_err();
    assert_eq!(refused.server, Error::NoCertificatesPresented);
}

#[tokio::test]
async fn a_new_server_certificate_is_shown_to_new_connections() {
    let hub = Hub::new();
    let client = hub.client(&hub.system(10));
    let before = hub.connect(&client).await.unwrap().server_certificate;
    hub.tls.reload_server_certificate(server_credential(&hub.authority)).unwrap();
    let after = hub.connect(&client).await.unwrap().server_certificate;
    assert_ne!(before, after);

    // What can't be used changes nothing.
    let mut mixed = server_credential(&hub.authority);
    mixed.key = server_credential(&hub.authority).key;
    let refused = hub.tls.reload_server_certificate(mixed).unwrap_err();
    assert!(matches!(refused, TlsError::Credential(_)));
    let still = hub.connect(&client).await.unwrap().server_certificate;
    assert_eq!(after, still);
}

#[tokio::test]
async fn tls_1_2_is_refused_unless_allowed() {
    let hub = Hub::new();
    let client = hub.resuming_client(&hub.system(10), &TLS12);
    let refused = hub.connect(&client).await.unwrap_err();
    assert!(matches!(refused.server, Error::PeerIncompatible(_)));

    let hub = Hub::with(|options| options.allow_tls12 = true);
    let issued = hub.system(10);
    let client = hub.resuming_client(&issued, &TLS12);
    let connected = hub.connect(&client).await.unwrap();
    assert_eq!(connected.version, ProtocolVersion::TLSv1_2);
    let connected = hub.connect(&hub.client(&issued)).await.unwrap();
    assert_eq!(connected.version, ProtocolVersion::TLSv1_3);
}

#[test]
fn lists_must_be_signed_by_an_authority_and_one_each() {
    let hub = Hub::new();
    // The same name with another key: the signature tells them apart.
    let impostor = Authority::create("Test", serial(1), century()).unwrap();
    let list =
        |authority: &Authority| authority.revocation_list(&[], at(NOW), at(NOW + DAY)).unwrap();
    let trust = |lists: &str| ClientTrust::from_pem(hub.authority.certificate_pem(), lists);
    assert!(matches!(
        trust(&list(&impostor)),
        Err(TrustError::ForeignList { issuer }) if issuer == "CN=Test"
    ));
    let own = list(&hub.authority);
    assert!(matches!(trust(&[own.as_str(), &own].concat()), Err(TrustError::SeveralLists { .. })));
    let garbage = "-----BEGIN X509 CRL-----\nMAA=\n-----END X509 CRL-----\n";
    assert!(matches!(trust(garbage), Err(TrustError::BadList { ordinal: 1 })));
    assert!(matches!(ClientTrust::from_pem("", ""), Err(TrustError::Pem(PemError::NoCertificate))));
    trust(&own).unwrap();
}

/// Of a list all that its own authority issued is told, whatever it is for; of another authority's
/// certificate under the same name and number nothing.
#[test]
fn a_list_names_what_its_authority_issued() {
    let hub = Hub::new();
    let signing = hub.issue(&Purpose::Document("court".to_owned()), 10, century());
    let standing = hub.system(11);
    let impostor = Authority::create("Test", serial(1), century()).unwrap();
    let purpose = Purpose::Transport("system".to_owned());
    let foreign = impostor.issue(&purpose, Algorithm::EcdsaP256Sha256, serial(10), century());
    let ders = [&signing, &standing, &foreign.unwrap()]
        .map(|issued| files::first_certificate(&issued.certificate_pem).unwrap());
    let ders = ders.each_ref().map(|der| der.as_ref());
    assert!(hub.tls.revoked(&ders).is_empty());
    hub.revoke(&[10], NOW - DAY);
    let said = hub.tls.revoked(&ders);
    assert_eq!(said.len(), 1);
    assert_eq!(said[0].certificates, [(Digest(signing.sha256), None)].into());
    let list = &said[0].list;
    assert_eq!(Some(list.issuer), issuer_digest(ders[0]));
    assert_eq!(list.number, u32::try_from(NOW - 90 * DAY).unwrap().to_be_bytes());
    assert_eq!(list.next_update, Some(Time(i64::try_from(NOW - DAY).unwrap() * 1000)));
}

#[test]
fn a_client_needs_authorities() {
    let hub = Hub::new();
    let refused = client_config(&[], credential(&hub.system(10))).unwrap_err();
    assert!(matches!(refused, TlsError::NoRoots));
    let garbage = [CertificateDer::from(vec![0x30, 0x00])];
    let refused = client_config(&garbage, credential(&hub.system(11))).unwrap_err();
    assert!(matches!(refused, TlsError::BadRoot { ordinal: 1 }));
}
