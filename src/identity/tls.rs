//! TLS of both ends: mutual authentication, HTTP/2 by ALPN, TLS 1.3.
//!
//! Nothing is ever resumed. A resumed session skips the check of the client's certificate, so a
//! revoked key would come back in through a ticket it got before.
//!
//! The server's certificate, the authorities and the revocation lists can be exchanged while it
//! serves; they hold for new connections. Cutting open ones is the accept loop's business.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use arc_swap::ArcSwap;
use rustls::client::Resumption;
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::server::{ClientHello, NoServerSessionStorage, ResolvesServerCert, ServerConfig};
use rustls::sign::CertifiedKey;
use rustls::time_provider::{DefaultTimeProvider, TimeProvider};
use rustls::version::{TLS12, TLS13};
use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, UnixTime};
use thiserror::Error;
use xianjie_core::domain::decide::RevocationsInput;

use super::files::{self, LoadError, PemError};
use super::trust::{ClientGate, ClientTrust, Pins, StaleList, TrustError};

/// The one application protocol of both ends: HTTP/2 (RFC 9113, 3.2).
const ALPN: &[u8] = b"h2";

/// A TLS configuration that can't be made.
#[derive(Debug, Error)]
pub enum TlsError {
    /// The certificate and its key can't be used: broken, unsupported, or of two pairs.
    #[error("the certificate and its private key can't be used")]
    Credential(#[source] rustls::Error),
    /// Authorities or revocation lists can't be used.
    #[error(transparent)]
    Trust(#[from] TrustError),
    /// A trusted authority, given to the client, that is no certificate.
    #[error("trusted authority {ordinal} is not an X.509 certificate")]
    BadRoot {
        /// Its place among the authorities, from 1.
        ordinal: usize,
    },
    /// The client trusts no authority, so it could reach no server.
    #[error("no trusted authority")]
    NoRoots,
    /// The library offers none of the protocol versions.
    #[error("the protocol versions are not available")]
    Versions(#[source] rustls::Error),
}

/// A certificate chain, leaf first, with the leaf's private key: what one end shows.
#[derive(Debug)]
pub struct Credential {
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
}

impl Credential {
    /// Reads a chain and a key from PEM texts. That they belong together is checked on use.
    ///
    /// # Errors
    /// [`PemError`].
    pub fn from_pem(chain: &str, key: &str) -> Result<Self, PemError> {
        let chain = files::certificates(chain)?;
        let key = files::private_key(key)?;
        Ok(Self { chain, key })
    }

    /// As [`from_pem`](Self::from_pem), from two files.
    ///
    /// # Errors
    /// As [`from_pem`](Self::from_pem), with the name of the file; and a key file that the group
    /// or others can read.
    pub fn load(chain: &Path, key: &Path) -> Result<Self, LoadError<PemError>> {
        let chain = files::load_public(chain, files::certificates)?;
        let key = files::load_key(key, files::private_key)?;
        Ok(Self { chain, key })
    }

    fn certify(self, provider: &CryptoProvider) -> Result<CertifiedKey, TlsError> {
        CertifiedKey::from_der(self.chain, self.key, provider).map_err(TlsError::Credential)
    }
}

/// What an operator may choose about the server's TLS.
#[derive(Clone)]
pub struct ServerTlsOptions {
    /// Whether TLS 1.2 is let in beside 1.3, for .NET on older Windows. Off by default.
    pub allow_tls12: bool,
    /// Whether unregistered and revoked keys fail the handshake, as they do by default. If not,
    /// the caller must refuse every request of theirs, and can tell them why: a TLS 1.3 client
    /// learns of a failed handshake only with its first request, and only as an alert.
    pub refuse_unregistered_in_handshake: bool,
    /// The time against which validity is judged; the system's by default.
    pub time: Arc<dyn TimeProvider>,
}

impl Default for ServerTlsOptions {
    fn default() -> Self {
        Self {
            allow_tls12: false,
            refuse_unregistered_in_handshake: true,
            time: Arc::new(DefaultTimeProvider),
        }
    }
}

/// The server's TLS: one configuration for all connections, whose parts can be exchanged.
pub struct ServerTls {
    provider: Arc<CryptoProvider>,
    config: Arc<ServerConfig>,
    certificate: Arc<CurrentCertificate>,
    gate: Arc<ClientGate>,
}

impl ServerTls {
    /// Makes the server's TLS from its certificate, the authorities of its clients and the pins.
    ///
    /// # Errors
    /// [`TlsError`].
    pub fn new(
        credential: Credential,
        trust: ClientTrust,
        pins: Arc<dyn Pins>,
        options: &ServerTlsOptions,
    ) -> Result<Self, TlsError> {
        let provider = Arc::new(aws_lc_rs::default_provider());
        let certificate = credential.certify(&provider)?;
        let certificate = Arc::new(CurrentCertificate(ArcSwap::from_pointee(certificate)));
        let pins = options.refuse_unregistered_in_handshake.then_some(pins);
        let gate = Arc::new(ClientGate::new(Arc::clone(&provider), trust, pins)?);

        let versions: &[_] = if options.allow_tls12 { &[&TLS13, &TLS12] } else { &[&TLS13] };
        let time = Arc::clone(&options.time);
        let mut config = ServerConfig::builder_with_details(Arc::clone(&provider), time)
            .with_protocol_versions(versions)
            .map_err(TlsError::Versions)?
            .with_client_cert_verifier(Arc::clone(&gate) as _)
            .with_cert_resolver(Arc::clone(&certificate) as _);
        config.alpn_protocols = vec![ALPN.to_vec()];
        config.send_tls13_tickets = 0;
        config.session_storage = Arc::new(NoServerSessionStorage {});
        Ok(Self { provider, config: Arc::new(config), certificate, gate })
    }

    /// The configuration for the acceptor. It stays the same over reloads.
    #[must_use]
    pub fn config(&self) -> Arc<ServerConfig> {
        Arc::clone(&self.config)
    }

    /// Shows another certificate to new connections.
    ///
    /// # Errors
    /// [`TlsError::Credential`]; the old certificate then stays.
    pub fn reload_server_certificate(&self, credential: Credential) -> Result<(), TlsError> {
        let certificate = credential.certify(&self.provider)?;
        self.certificate.0.store(Arc::new(certificate));
        Ok(())
    }

    /// Judges new connections by other authorities and revocation lists, and returns the lists
    /// that are stale at `now`: in force, but an alarm.
    ///
    /// # Errors
    /// [`TrustError`]; the old authorities and lists then stay.
    pub fn reload_client_roots(
        &self,
        trust: ClientTrust,
        now: UnixTime,
    ) -> Result<Vec<StaleList>, TrustError> {
        self.gate.reload(trust)?;
        Ok(self.stale_lists(now))
    }

    /// What the revocation lists in force say of these certificates (DER). It blocks: reading each
    /// certificate takes some microseconds for each list.
    #[must_use]
    pub fn revoked(&self, certificates: &[&[u8]]) -> Vec<RevocationsInput> {
        self.gate.revoked(certificates)
    }

    /// The revocation lists in force whose successor is overdue at `now`: alarm while there are
    /// any.
    #[must_use]
    pub fn stale_lists(&self, now: UnixTime) -> Vec<StaleList> {
        self.gate.stale_lists(now)
    }
}

impl fmt::Debug for ServerTls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServerTls").field("gate", &self.gate).finish_non_exhaustive()
    }
}

/// The client's TLS: TLS 1.3 to servers of the given authorities, with a client certificate.
///
/// With TLS 1.3 the handshake succeeds for the client even if the server then refuses its
/// certificate; a first request is needed to know.
///
/// # Errors
/// [`TlsError`].
pub fn client_config(
    authorities: &[CertificateDer<'static>],
    credential: Credential,
) -> Result<Arc<ClientConfig>, TlsError> {
    let mut roots = RootCertStore::empty();
    for (index, authority) in authorities.iter().enumerate() {
        let ordinal = index + 1;
        roots.add(authority.clone()).map_err(|_| TlsError::BadRoot { ordinal })?;
    }
    if roots.is_empty() {
        return Err(TlsError::NoRoots);
    }
    let mut config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_protocol_versions(&[&TLS13])
        .map_err(TlsError::Versions)?
        .with_root_certificates(roots)
        .with_client_auth_cert(credential.chain, credential.key)
        .map_err(TlsError::Credential)?;
    config.alpn_protocols = vec![ALPN.to_vec()];
    config.resumption = Resumption::disabled();
    Ok(Arc::new(config))
}

/// The certificate that the server shows now.
#[derive(Debug)]
struct CurrentCertificate(ArcSwap<CertifiedKey>);

impl ResolvesServerCert for CurrentCertificate {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.0.load_full())
    }
}

#[cfg(test)]
mod tests;
