//! A small certificate authority for those who have none: it issues the certificates of the hub,
//! of the systems that connect, of the agencies that sign and of the operators, and revokes them.
//!
//! It registers nothing: a certificate opens nothing until the directory knows its digest. Times
//! and serial numbers are passed in; only key generation draws on the system's randomness.

use std::fmt;
use std::path::Path;
use std::str::FromStr;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::Ed25519KeyPair;
use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, DistinguishedName,
    DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyIdMethod, KeyPair, KeyUsagePurpose,
    PublicKeyData, RevokedCertParams, SanType, SerialNumber,
};
use rustls_pki_types::{PrivatePkcs8KeyDer, ServerName, UnixTime};
use thiserror::Error;
use x509_parser::time::ASN1Time;

use super::files::{self, FileError, LoadError, PemError};
use super::peer::{BadSubjectUri, OID_DOCUMENT_SIGNING, SubjectUri, unix_time};
use super::signature::{Algorithm, certificate_digest};

/// File names of an authority in its folder.
const AUTHORITY_CERTIFICATE: &str = "authority.pem";
const AUTHORITY_KEY: &str = "authority.key";

/// A certificate or a revocation list that can't be made.
#[derive(Debug, Error)]
pub enum PkiError {
    /// A period that ends before it begins, or beyond the year 9999.
    #[error("the period ends before it begins, or after the year 9999")]
    BadPeriod,
    /// A certificate valid longer than the authority's own, or from before it.
    #[error("the certificate would be valid when its authority is not")]
    OutlivesAuthority,
    /// A server certificate without a name would serve nobody.
    #[error("a server certificate needs at least one DNS name or IP address")]
    NoServerName,
    /// A code or a name that can't stand in a certificate.
    #[error(transparent)]
    BadSubjectUri(#[from] BadSubjectUri),
    /// The authority's PEM text can't be read.
    #[error(transparent)]
    Pem(#[from] PemError),
    /// The certificate is not that of an authority, or not one that this program made.
    #[error("not the certificate of an authority")]
    NotAnAuthority,
    /// The authority's key does not belong to its certificate.
    #[error("the private key does not belong to the certificate")]
    Mismatch,
    /// A serial number that this authority did not give.
    #[error("not a serial number of 16 bytes (32 hexadecimal digits, the first of them 4 to 7)")]
    BadSerial,
    /// A certificate of another authority.
    #[error("another authority issued it")]
    Foreign,
    /// The system's generator of randomness failed.
    #[error("key generation failed")]
    KeyGeneration,
    /// Encoding or signing failed.
    #[error("the certificate can't be made")]
    Certificate(#[from] rcgen::Error),
}

/// A serial number: 16 bytes, unique within the authority (RFC 5280, 4.1.2.2).
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Serial([u8; 16]);

impl Serial {
    /// Makes a serial number of random bytes. Its two highest bits become 01, so that it is
    /// positive and always 16 bytes long; 126 random bits stay.
    #[must_use]
    pub fn from_random(mut bytes: [u8; 16]) -> Self {
        bytes[0] = bytes[0] & 0x3f | 0x40;
        Self(bytes)
    }

    fn from_bytes(bytes: &[u8]) -> Result<Self, PkiError> {
        let bytes: [u8; 16] = bytes.try_into().map_err(|_| PkiError::BadSerial)?;
        if bytes[0] & 0xc0 != 0x40 {
            return Err(PkiError::BadSerial);
        }
        Ok(Self(bytes))
    }

    fn to_rcgen(self) -> SerialNumber {
        SerialNumber::from_slice(&self.0)
    }
}

impl fmt::Display for Serial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for Serial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Serial({self})")
    }
}

impl FromStr for Serial {
    type Err = PkiError;

    fn from_str(text: &str) -> Result<Self, PkiError> {
        let bytes = hex::decode(text).map_err(|_| PkiError::BadSerial)?;
        Self::from_bytes(&bytes)
    }
}

/// The first and the last second of a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Validity {
    not_before: UnixTime,
    not_after: UnixTime,
}

impl Validity {
    /// A period that ends after it begins.
    ///
    /// # Errors
    /// [`PkiError::BadPeriod`].
    pub fn new(not_before: UnixTime, not_after: UnixTime) -> Result<Self, PkiError> {
        if not_after <= not_before {
            return Err(PkiError::BadPeriod);
        }
        Ok(Self { not_before, not_after })
    }

    fn contains(self, inner: Self) -> bool {
        self.not_before <= inner.not_before && inner.not_after <= self.not_after
    }
}

/// What a certificate is for.
#[derive(Clone, Debug)]
pub enum Purpose {
    /// The hub's TLS, under these DNS names and IP addresses.
    Server(Vec<ServerName<'static>>),
    /// A system (接入系统), by its code, connecting to the hub.
    Transport(String),
    /// An agency (单位), by its code, signing documents (文书).
    Document(String),
    /// An agency, by its code, signing acknowledgements (签收).
    Acknowledgement(String),
    /// An operator, by name: connecting to the hub and signing changes of the directory.
    Operator(String),
}

impl Purpose {
    /// The subject's common name, for people. Programs read the alternative names.
    fn common_name(&self) -> String {
        match self {
            Self::Server(names) => {
                names.first().map_or_else(String::new, |name| name.to_str().into_owned())
            }
            Self::Transport(code) => format!("system {code}"),
            Self::Document(code) => format!("agency {code} document"),
            Self::Acknowledgement(code) => format!("agency {code} acknowledgement"),
            Self::Operator(name) => format!("operator {name}"),
        }
    }

    fn subject_alt_names(&self) -> Result<Vec<SanType>, PkiError> {
        let uri = match self {
            Self::Server(names) if names.is_empty() => return Err(PkiError::NoServerName),
            Self::Server(names) => return names.iter().map(server_alt_name).collect(),
            Self::Transport(code) => SubjectUri::System(code.clone()),
            Self::Document(code) | Self::Acknowledgement(code) => SubjectUri::Agency(code.clone()),
            Self::Operator(name) => SubjectUri::Operator(name.clone()),
        };
        let text = uri.to_string();
        // Only what can be read back may stand in a certificate.
        text.parse::<SubjectUri>()?;
        Ok(vec![SanType::URI(text.try_into()?)])
    }

    /// Signing keys get a purpose of their own: without any, TLS would take them.
    fn extended_key_usages(&self) -> Vec<ExtendedKeyUsagePurpose> {
        let signing = ExtendedKeyUsagePurpose::Other(OID_DOCUMENT_SIGNING.to_vec());
        match self {
            Self::Server(_) => vec![ExtendedKeyUsagePurpose::ServerAuth],
            Self::Transport(_) => vec![ExtendedKeyUsagePurpose::ClientAuth],
            Self::Document(_) | Self::Acknowledgement(_) => vec![signing],
            Self::Operator(_) => vec![ExtendedKeyUsagePurpose::ClientAuth, signing],
        }
    }
}

/// A certificate with the key that was made for it.
pub struct Issued {
    /// The certificate, as PEM text.
    pub certificate_pem: String,
    /// The private key in PKCS#8, as PEM text. Whoever keeps it can act under the certificate.
    pub key_pem: String,
    /// SHA-256 of the certificate: what the directory registers.
    pub sha256: [u8; 32],
}

impl Issued {
    /// Writes `<stem>.key` and `<stem>.pem` into a folder. An existing key is never overwritten.
    ///
    /// # Errors
    /// [`FileError`].
    pub fn save(&self, folder: &Path, stem: &str) -> Result<(), FileError> {
        files::write_key(&folder.join(format!("{stem}.key")), &self.key_pem)?;
        files::write_public(&folder.join(format!("{stem}.pem")), &self.certificate_pem)
    }
}

impl fmt::Debug for Issued {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Issued({})", hex::encode(self.sha256))
    }
}

/// A certificate authority with its private key.
pub struct Authority {
    certificate_pem: String,
    validity: Validity,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    /// Makes an authority with a new ECDSA P-256 key; its certificate is signed by itself and
    /// allows no authorities below.
    ///
    /// # Errors
    /// [`PkiError`].
    pub fn create(name: &str, serial: Serial, validity: Validity) -> Result<Self, PkiError> {
        let mut params = parameters(name, serial, validity)?;
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let key = KeyPair::generate()?;
        let certificate = params.self_signed(&key)?;
        Ok(Self { certificate_pem: certificate.pem(), validity, issuer: Issuer::new(params, key) })
    }

    /// Takes up an authority from its certificate and key, both as PEM text.
    ///
    /// # Errors
    /// [`PkiError`], and [`PkiError::Mismatch`] if the two do not belong together.
    pub fn from_pem(certificate: &str, key: &str) -> Result<Self, PkiError> {
        let key = KeyPair::try_from(&files::private_key(key)?)?;
        Self::join(certificate.to_owned(), key)
    }

    /// Takes up an authority from the folder into which it was [saved](Self::save).
    ///
    /// # Errors
    /// As [`from_pem`](Self::from_pem), with the name of the file; and a key file that the group
    /// or others can read.
    pub fn load(folder: &Path) -> Result<Self, LoadError<PkiError>> {
        let key = files::load_key(&folder.join(AUTHORITY_KEY), |pem| {
            Ok(KeyPair::try_from(&files::private_key(pem)?)?)
        })?;
        files::load_public(&folder.join(AUTHORITY_CERTIFICATE), |pem| {
            Self::join(pem.to_owned(), key)
        })
    }

    /// Writes key and certificate into a folder. An existing key is never overwritten.
    ///
    /// # Errors
    /// [`FileError`].
    pub fn save(&self, folder: &Path) -> Result<(), FileError> {
        let key = self.issuer.key().serialize_pem();
        files::write_key(&folder.join(AUTHORITY_KEY), &key)?;
        files::write_public(&folder.join(AUTHORITY_CERTIFICATE), &self.certificate_pem)
    }

    /// The authority's certificate, as PEM text: what the other end trusts.
    #[must_use]
    pub fn certificate_pem(&self) -> &str {
        &self.certificate_pem
    }

    /// Issues a certificate for a new key of the given algorithm.
    ///
    /// # Errors
    /// [`PkiError`].
    pub fn issue(
        &self,
        purpose: &Purpose,
        algorithm: Algorithm,
        serial: Serial,
        validity: Validity,
    ) -> Result<Issued, PkiError> {
        if !self.validity.contains(validity) {
            return Err(PkiError::OutlivesAuthority);
        }
        let mut params = parameters(&purpose.common_name(), serial, validity)?;
        params.subject_alt_names = purpose.subject_alt_names()?;
        params.is_ca = IsCa::ExplicitNoCa;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = purpose.extended_key_usages();
        params.use_authority_key_identifier_extension = true;
        let key = generate(algorithm)?;
        let certificate = params.signed_by(&key, &self.issuer)?;
        Ok(Issued {
            certificate_pem: certificate.pem(),
            key_pem: key.serialize_pem(),
            sha256: certificate_digest(certificate.der()),
        })
    }

    /// The serial number of a certificate that this authority issued.
    ///
    /// # Errors
    /// [`PkiError::Pem`]; [`PkiError::Foreign`] for a certificate that another one issued.
    pub fn serial_of(&self, certificate: &str) -> Result<Serial, PkiError> {
        let (own, other) = (
            files::first_certificate(&self.certificate_pem)?,
            files::first_certificate(certificate)?,
        );
        let parse = |der| x509_parser::parse_x509_certificate(der).map_err(|_| PkiError::Foreign);
        let ((_, own), (_, other)) = (parse(&own)?, parse(&other)?);
        let is_issued = other.issuer().as_raw() == own.subject().as_raw()
            && other.verify_signature(Some(own.public_key())).is_ok();
        if is_issued { Serial::from_bytes(other.raw_serial()) } else { Err(PkiError::Foreign) }
    }

    /// Signs a revocation list, as PEM text: every revoked certificate, with the time at which it
    /// was revoked. Its number is `this_update` in seconds, so that a later list has a higher one.
    ///
    /// # Errors
    /// [`PkiError`]: `next_update` must be after `this_update`.
    pub fn revocation_list(
        &self,
        revoked: &[(Serial, UnixTime)],
        this_update: UnixTime,
        next_update: UnixTime,
    ) -> Result<String, PkiError> {
        let revoked_certs = revoked
            .iter()
            .map(|(serial, time)| {
                Ok(RevokedCertParams {
                    serial_number: serial.to_rcgen(),
                    revocation_time: date(*time)?.to_datetime(),
                    reason_code: None,
                    invalidity_date: None,
                })
            })
            .collect::<Result<_, PkiError>>()?;
        let params = CertificateRevocationListParams {
            this_update: date(this_update)?.to_datetime(),
            next_update: date(next_update)?.to_datetime(),
            crl_number: SerialNumber::from(this_update.as_secs()),
            issuing_distribution_point: None,
            revoked_certs,
            key_identifier_method: KeyIdMethod::Sha256,
        };
        Ok(params.signed_by(&self.issuer)?.pem()?)
    }

    fn join(certificate_pem: String, key: KeyPair) -> Result<Self, PkiError> {
        let der = files::first_certificate(&certificate_pem)?;
        let (_, certificate) =
            x509_parser::parse_x509_certificate(&der).map_err(|_| PkiError::NotAnAuthority)?;
        if !certificate.is_ca() {
            return Err(PkiError::NotAnAuthority);
        }
        if certificate.public_key().raw != key.subject_public_key_info() {
            return Err(PkiError::Mismatch);
        }
        let dates = certificate.validity();
        let validity = Validity::new(
            unix_time(dates.not_before).ok_or(PkiError::BadPeriod)?,
            unix_time(dates.not_after).ok_or(PkiError::BadPeriod)?,
        )?;
        let issuer = Issuer::from_ca_cert_der(&der, key)?;
        Ok(Self { certificate_pem, validity, issuer })
    }
}

impl fmt::Debug for Authority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Authority")
            .field("validity", &self.validity)
            .field("issuer", &self.issuer)
            .finish_non_exhaustive()
    }
}

fn parameters(
    common_name: &str,
    serial: Serial,
    validity: Validity,
) -> Result<CertificateParams, PkiError> {
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, common_name);
    params.serial_number = Some(serial.to_rcgen());
    params.not_before = date(validity.not_before)?.to_datetime();
    params.not_after = date(validity.not_after)?.to_datetime();
    Ok(params)
}

fn server_alt_name(name: &ServerName<'static>) -> Result<SanType, PkiError> {
    Ok(match name {
        ServerName::IpAddress(address) => SanType::IpAddress((*address).into()),
        name => SanType::DnsName(name.to_str().into_owned().try_into()?),
    })
}

/// A new key. Ed25519 keys are written as PKCS#8 version 1: many libraries read no other.
fn generate(algorithm: Algorithm) -> Result<KeyPair, PkiError> {
    match algorithm {
        Algorithm::EcdsaP256Sha256 => Ok(KeyPair::generate()?),
        Algorithm::Ed25519 => {
            let document = Ed25519KeyPair::generate_pkcs8v1(&SystemRandom::new())
                .map_err(|_| PkiError::KeyGeneration)?;
            let der = PrivatePkcs8KeyDer::from(document.as_ref());
            Ok(KeyPair::from_pkcs8_der_and_sign_algo(&der, &rcgen::PKCS_ED25519)?)
        }
    }
}

/// A time that a certificate can hold. `to_datetime` then gives the type that rcgen wants, which
/// this package does not name.
fn date(time: UnixTime) -> Result<ASN1Time, PkiError> {
    let seconds = i64::try_from(time.as_secs()).map_err(|_| PkiError::BadPeriod)?;
    ASN1Time::from_timestamp(seconds).map_err(|_| PkiError::BadPeriod)
}

#[cfg(test)]
mod tests;
