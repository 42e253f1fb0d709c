//! The certificate of whoever is at the other end of a connection.
//!
//! It says what the certificate says. Which system it belongs to, what it carries and what it may
//! do is registered in the directory under [`PeerCertificate::sha256`]; a name in the certificate
//! can only disagree with that, never grant anything.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use rustls_pki_types::{CertificateDer, UnixTime};
use thiserror::Error;
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::GeneralName;
use x509_parser::time::ASN1Time;

use super::signature::certificate_digest;

/// The scheme of the names that certificates of this hub carry.
const SCHEME: &str = "xianjie:";

/// The longest code or operator name in a certificate, in bytes.
const NAME_LENGTH_MAX: usize = 64;

/// `id-kp-documentSigning` (RFC 9336): a signing key that opens no TLS connection.
pub(super) const OID_DOCUMENT_SIGNING: [u64; 9] = [1, 3, 6, 1, 5, 5, 7, 3, 36];

/// Whom a certificate names: a subject alternative name of type URI, `xianjie:<kind>/<name>`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum SubjectUri {
    /// A system (接入系统), by its code.
    System(String),
    /// An agency (单位), by its code.
    Agency(String),
    /// An operator of the hub, by name.
    Operator(String),
}

impl fmt::Display for SubjectUri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (kind, name) = match self {
            Self::System(code) => ("system", code),
            Self::Agency(code) => ("agency", code),
            Self::Operator(name) => ("operator", name),
        };
        write!(f, "{SCHEME}{kind}/{name}")
    }
}

/// A text that is no `xianjie:` name.
#[derive(Debug, Error, PartialEq, Eq)]
#[error(
    "not a name of the form xianjie:system/CODE, xianjie:agency/CODE or xianjie:operator/NAME, \
     of at most {NAME_LENGTH_MAX} letters, digits, '-', '.' and '_'"
)]
pub struct BadSubjectUri;

impl FromStr for SubjectUri {
    type Err = BadSubjectUri;

    fn from_str(uri: &str) -> Result<Self, BadSubjectUri> {
        let path = uri.strip_prefix(SCHEME).ok_or(BadSubjectUri)?;
        let (kind, name) = path.split_once('/').ok_or(BadSubjectUri)?;
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
        if name.is_empty() || name.len() > NAME_LENGTH_MAX || !name.bytes().all(plain) {
            return Err(BadSubjectUri);
        }
        match kind {
            "system" => Ok(Self::System(name.into())),
            "agency" => Ok(Self::Agency(name.into())),
            "operator" => Ok(Self::Operator(name.into())),
            _ => Err(BadSubjectUri),
        }
    }
}

/// What the key usages of a certificate allow: hints for whoever registers it, no right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Usages {
    /// It can open a TLS connection as a client.
    pub tls_client: bool,
    /// It can answer a TLS connection as a server.
    pub tls_server: bool,
    /// It can sign documents and acknowledgements.
    pub signing: bool,
}

/// A certificate that can't stand for a peer.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum PeerError {
    /// The connection carries no client certificate.
    #[error("no client certificate")]
    Missing,
    /// Not an X.509 certificate.
    #[error("not an X.509 certificate in DER")]
    Malformed,
    /// A `xianjie:` name that can't be read.
    #[error("subject alternative name")]
    BadSubjectUri(#[from] BadSubjectUri),
    /// More than one `xianjie:` name: whom the certificate names is not clear.
    #[error("{count} names of the scheme xianjie:, want at most one")]
    SeveralSubjectUris {
        /// How many.
        count: usize,
    },
    /// Its validity begins or ends before 1970.
    #[error("validity before 1970")]
    BadValidity,
}

/// A certificate with what the hub reads from it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PeerCertificate {
    /// The certificate, in DER.
    pub der: Vec<u8>,
    /// SHA-256 of `der`: the name under which the directory knows it.
    pub sha256: [u8; 32],
    /// Whom it names, if it carries a `xianjie:` name. URIs of other schemes are passed over.
    pub san_uri: Option<SubjectUri>,
    /// The subject's distinguished name, as text for people.
    pub subject: String,
    /// The first second of its validity.
    pub not_before: UnixTime,
    /// The last second of its validity.
    pub not_after: UnixTime,
    /// What its key usages allow.
    pub usages: Usages,
}

impl PeerCertificate {
    /// Reads the peer's certificate from what a handshaken connection shows
    /// (`peer_certificates()` of rustls, or tonic's `peer_certs()`): the first of the chain.
    ///
    /// # Errors
    /// [`PeerError::Missing`] if there is none; otherwise as [`from_der`](Self::from_der).
    pub fn from_chain(chain: Option<&[CertificateDer<'_>]>) -> Result<Self, PeerError> {
        let leaf = chain.and_then(<[_]>::first).ok_or(PeerError::Missing)?;
        Self::from_der(leaf)
    }

    /// Reads one certificate.
    ///
    /// # Errors
    /// [`PeerError`]: not a certificate, or names or dates that can't be.
    pub fn from_der(der: &[u8]) -> Result<Self, PeerError> {
        let (rest, certificate) =
            x509_parser::parse_x509_certificate(der).map_err(|_| PeerError::Malformed)?;
        if !rest.is_empty() {
            return Err(PeerError::Malformed);
        }
        let validity = certificate.validity();
        Ok(Self {
            der: der.to_vec(),
            sha256: certificate_digest(der),
            san_uri: subject_uri(&certificate)?,
            subject: certificate.subject().to_string(),
            not_before: unix_time(validity.not_before).ok_or(PeerError::BadValidity)?,
            not_after: unix_time(validity.not_after).ok_or(PeerError::BadValidity)?,
            usages: usages(&certificate)?,
        })
    }

    /// Whether the certificate is within its validity, both ends included (RFC 5280, 4.1.2.5).
    #[must_use]
    pub fn is_valid_at(&self, now: UnixTime) -> bool {
        self.not_before <= now && now <= self.not_after
    }
}

/// A time of ASN.1, if it is not before 1970.
pub(super) fn unix_time(time: ASN1Time) -> Option<UnixTime> {
    let seconds = u64::try_from(time.timestamp()).ok()?;
    Some(UnixTime::since_unix_epoch(Duration::from_secs(seconds)))
}

fn subject_uri(certificate: &X509Certificate<'_>) -> Result<Option<SubjectUri>, PeerError> {
    let extension = certificate.subject_alternative_name().map_err(|_| PeerError::Malformed)?;
    let Some(extension) = extension else {
        return Ok(None);
    };
    let ours: Vec<&str> = extension
        .value
        .general_names
        .iter()
        .filter_map(|name| match name {
            GeneralName::URI(uri) if uri.starts_with(SCHEME) => Some(*uri),
            _ => None,
        })
        .collect();
    match ours.as_slice() {
        [] => Ok(None),
        [uri] => Ok(Some(uri.parse()?)),
        several => Err(PeerError::SeveralSubjectUris { count: several.len() }),
    }
}

/// An absent extension allows everything (RFC 5280, 4.2.1.3 and 4.2.1.12).
fn usages(certificate: &X509Certificate<'_>) -> Result<Usages, PeerError> {
    let key_usage = certificate.key_usage().map_err(|_| PeerError::Malformed)?;
    let extended = certificate.extended_key_usage().map_err(|_| PeerError::Malformed)?;
    let signs = key_usage.is_none_or(|usage| usage.value.digital_signature());
    let Some(extended) = extended.map(|extension| extension.value) else {
        return Ok(Usages { tls_client: signs, tls_server: signs, signing: signs });
    };
    let document_signing = extended
        .other
        .iter()
        .any(|oid| oid.iter().is_some_and(|arcs| arcs.eq(OID_DOCUMENT_SIGNING)));
    Ok(Usages {
        tls_client: signs && (extended.any || extended.client_auth),
        tls_server: signs && (extended.any || extended.server_auth),
        signing: signs && (extended.any || document_signing),
    })
}

#[cfg(test)]
mod tests;
