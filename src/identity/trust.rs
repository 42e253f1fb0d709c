//! Which client certificates are let in: trusted authorities, their revocation lists, and the
//! pins, which are the directory's word that a certificate is registered.
//!
//! A revocation list past its `nextUpdate` is an alarm, not an outage: it stays in force and
//! closes nothing (`ARCHITECTURE.md`).

use std::collections::HashSet;
use std::fmt;
use std::sync::Arc;

use arc_swap::ArcSwap;
use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::CryptoProvider;
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::server::{VerifierBuilderError, WebPkiClientVerifier};
use rustls::{
    CertificateError, DigitallySignedStruct, DistinguishedName, RootCertStore, SignatureScheme,
};
use rustls_pki_types::{CertificateDer, CertificateRevocationListDer, UnixTime};
use thiserror::Error;
use xianjie_core::domain::decide::RevocationsInput;

use super::files::{self, PemError};
use super::lists::List;
use super::signature::certificate_digest;

/// The directory's word about transport keys, asked once in every handshake.
pub trait Pins: Send + Sync {
    /// Whether the certificate with this SHA-256 is registered for transport and not revoked or
    /// suspended. It must answer from memory: the handshake waits for it.
    fn transport_allowed(&self, certificate_sha256: &[u8; 32]) -> bool;
}

/// Authorities or revocation lists that can't be used.
#[derive(Debug, Error)]
pub enum TrustError {
    /// The PEM text can't be read, or holds no authority.
    #[error(transparent)]
    Pem(#[from] PemError),
    /// A trusted authority that is no certificate.
    #[error("trusted authority {ordinal} is not an X.509 certificate")]
    BadRoot {
        /// Its place in the file, from 1.
        ordinal: usize,
    },
    /// Something that is no revocation list.
    #[error("revocation list {ordinal} can't be read, or has no nextUpdate")]
    BadList {
        /// Its place in the file, from 1.
        ordinal: usize,
    },
    /// Two lists of one issuer: which one is in force would not be clear.
    #[error("more than one revocation list of {issuer}")]
    SeveralLists {
        /// The issuer's distinguished name.
        issuer: String,
    },
    /// A list that no trusted authority has signed. It would protect nothing.
    #[error("the revocation list of {issuer} is not signed by a trusted authority")]
    ForeignList {
        /// The issuer's distinguished name, as the list says.
        issuer: String,
    },
    /// rustls does not accept them.
    #[error("the authorities or revocation lists can't be used")]
    Refused(#[from] VerifierBuilderError),
}

/// A revocation list past the time at which its issuer promised the next one. It stays in force.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StaleList {
    /// The issuer's distinguished name.
    pub issuer: String,
    /// When the next list was due.
    pub next_update: UnixTime,
}

/// The authorities that client certificates may come from, and their revocation lists.
///
/// Authorities without a list are allowed: revocation in the directory works for all.
#[derive(Debug)]
pub struct ClientTrust {
    roots: RootCertStore,
    lists: Vec<CertificateRevocationListDer<'static>>,
    /// What each list says.
    read: Vec<List>,
}

impl ClientTrust {
    /// Takes trusted authorities and revocation lists: at most one list an issuer, each signed by
    /// one of the authorities. An intermediate authority with a list of its own is given as a
    /// trusted authority too.
    ///
    /// # Errors
    /// [`TrustError`].
    pub fn new(
        authorities: &[CertificateDer<'static>],
        lists: Vec<CertificateRevocationListDer<'static>>,
    ) -> Result<Self, TrustError> {
        let mut roots = RootCertStore::empty();
        for (index, der) in authorities.iter().enumerate() {
            let ordinal = index + 1;
            roots.add(der.clone()).map_err(|_| TrustError::BadRoot { ordinal })?;
        }
        let mut issuers = HashSet::new();
        let mut read = Vec::with_capacity(lists.len());
        for (index, der) in lists.iter().enumerate() {
            let list = List::read(der, index + 1, authorities)?;
            if !issuers.insert(list.issuer.clone()) {
                let issuer = list.issuer;
                return Err(TrustError::SeveralLists { issuer });
            }
            read.push(list);
        }
        Ok(Self { roots, lists, read })
    }

    /// As [`new`](Self::new), from PEM texts; the second may be empty.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn from_pem(authorities: &str, lists: &str) -> Result<Self, TrustError> {
        Self::new(&files::certificates(authorities)?, files::revocation_lists(lists)?)
    }

    fn into_trusted(self, provider: &Arc<CryptoProvider>) -> Result<Trusted, TrustError> {
        let roots = Arc::new(self.roots);
        let verifier = WebPkiClientVerifier::builder_with_provider(roots, Arc::clone(provider))
            .with_crls(self.lists)
            .allow_unknown_revocation_status()
            .build()?;
        Ok(Trusted { verifier, lists: self.read })
    }
}

/// What one load of authorities and lists gives.
#[derive(Debug)]
struct Trusted {
    verifier: Arc<dyn ClientCertVerifier>,
    lists: Vec<List>,
}

/// The verifier of client certificates: chain, dates and revocation by what was loaded last, then
/// the pins.
pub(super) struct ClientGate {
    provider: Arc<CryptoProvider>,
    trusted: ArcSwap<Trusted>,
    /// Absent: whoever is not registered is let in here and told why later.
    pins: Option<Arc<dyn Pins>>,
}

impl ClientGate {
    pub(super) fn new(
        provider: Arc<CryptoProvider>,
        trust: ClientTrust,
        pins: Option<Arc<dyn Pins>>,
    ) -> Result<Self, TrustError> {
        let trusted = ArcSwap::from_pointee(trust.into_trusted(&provider)?);
        Ok(Self { provider, trusted, pins })
    }

    /// Puts other authorities and lists in force; if they can't be used, the old ones stay.
    pub(super) fn reload(&self, trust: ClientTrust) -> Result<(), TrustError> {
        let trusted = trust.into_trusted(&self.provider)?;
        self.trusted.store(Arc::new(trusted));
        Ok(())
    }

    /// What the lists in force say of these certificates (DER).
    pub(super) fn revoked(&self, certificates: &[&[u8]]) -> Vec<RevocationsInput> {
        let trusted = self.trusted.load();
        trusted.lists.iter().filter_map(|list| list.names(certificates)).collect()
    }

    pub(super) fn stale_lists(&self, now: UnixTime) -> Vec<StaleList> {
        let trusted = self.trusted.load();
        let stale = trusted.lists.iter().filter(|list| list.next_update < now);
        stale
            .map(|list| StaleList { issuer: list.issuer.clone(), next_update: list.next_update })
            .collect()
    }
}

impl fmt::Debug for ClientGate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientGate")
            .field("trusted", &self.trusted)
            .field("pinned", &self.pins.is_some())
            .finish_non_exhaustive()
    }
}

impl ClientCertVerifier for ClientGate {
    /// None: they can't follow a reload, and outsiders need not learn whom the hub trusts.
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, rustls::Error> {
        let verifier = &self.trusted.load().verifier;
        let verified = verifier.verify_client_cert(end_entity, intermediates, now)?;
        match &self.pins {
            Some(pins) if !pins.transport_allowed(&certificate_digest(end_entity)) => {
                // The peer sees the alert `access_denied`.
                Err(CertificateError::ApplicationVerificationFailure.into())
            }
            _ => Ok(verified),
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let verifier = &self.trusted.load().verifier;
        verifier.verify_tls12_signature(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let verifier = &self.trusted.load().verifier;
        verifier.verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.trusted.load().verifier.supported_verify_schemes()
    }
}
