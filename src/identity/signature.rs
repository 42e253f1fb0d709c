//! Signatures over payloads, by the DSSE v1 protocol (secure-systems-lab/dsse, `protocol.md`):
//! what is signed is the pre-authentication encoding of the payload type and the exact bytes.
//!
//! The key comes from a certificate. Whether that certificate is registered, for whom and since
//! when, is the directory's question, and so is its validity: here neither chain nor dates are
//! looked at.

use std::fmt;
use std::path::Path;
use std::str::FromStr;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1, ECDSA_P256_SHA256_ASN1_SIGNING, ED25519, EcdsaKeyPair, Ed25519KeyPair,
    KeyPair, ParsedPublicKey,
};
use rustls_pki_types::PrivateKeyDer;
use sha2::{Digest, Sha256};
use thiserror::Error;
use x509_parser::x509::SubjectPublicKeyInfo;

use super::files::{self, LoadError, PemError};

/// Object identifiers of public keys and curves (RFC 5480, RFC 8410).
const OID_EC_PUBLIC_KEY: &str = "1.2.840.10045.2.1";
const OID_P256: &str = "1.2.840.10045.3.1.7";
const OID_ED25519: &str = "1.3.101.112";

/// An uncompressed P-256 point (SEC 1, 2.3.3): 0x04, then two coordinates of 32 bytes.
const P256_POINT_LENGTH: usize = 65;

/// An Ed25519 signature (RFC 8032): 64 bytes. r‖s of ECDSA P-256 has the same length.
const RAW_SIGNATURE_LENGTH: usize = 64;

/// SHA-256 of a certificate's DER bytes: the name under which the directory registers it.
#[must_use]
pub fn certificate_digest(der: &[u8]) -> [u8; 32] {
    Sha256::digest(der).into()
}

/// What kind of payload is signed. A signature over one kind never passes for another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PayloadType {
    /// A document (文书), signed by its sender.
    Document,
    /// An acknowledgement (签收), signed by the addressee.
    Acknowledgement,
    /// The refusal of one delivery by its addressee.
    Rejection,
    /// The hub's word about the last number of an inbox.
    InboxStatement,
    /// A change of the directory, signed by operators.
    DirectoryChange,
}

impl PayloadType {
    /// The media type that enters the signed bytes.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Document => "application/vnd.xianjie.document.v1+protobuf",
            Self::Acknowledgement => "application/vnd.xianjie.acknowledgement.v1+protobuf",
            Self::Rejection => "application/vnd.xianjie.rejection.v1+protobuf",
            Self::InboxStatement => "application/vnd.xianjie.inbox-statement.v1+protobuf",
            Self::DirectoryChange => "application/vnd.xianjie.directory-change.v1+protobuf",
        }
    }
}

/// A signature algorithm.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Algorithm {
    /// ECDSA on P-256 with SHA-256, the signature in ASN.1 DER (RFC 3279, 2.2.3).
    EcdsaP256Sha256,
    /// Ed25519 (RFC 8032).
    Ed25519,
}

impl Algorithm {
    /// The name in messages and on the command line.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::EcdsaP256Sha256 => "ecdsa-p256-sha256",
            Self::Ed25519 => "ed25519",
        }
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A name that is no algorithm of this hub.
#[derive(Debug, Error, PartialEq, Eq)]
#[error("unknown signature algorithm: want ecdsa-p256-sha256 or ed25519")]
pub struct UnknownAlgorithm;

impl FromStr for Algorithm {
    type Err = UnknownAlgorithm;

    fn from_str(name: &str) -> Result<Self, UnknownAlgorithm> {
        [Self::EcdsaP256Sha256, Self::Ed25519]
            .into_iter()
            .find(|algorithm| algorithm.as_str() == name)
            .ok_or(UnknownAlgorithm)
    }
}

/// The bytes that are signed: the DSSE v1 pre-authentication encoding of one payload.
///
/// It holds a copy of the payload; make it once and use it for all signatures of a message.
#[derive(Clone)]
pub struct Preauth(Vec<u8>);

impl Preauth {
    /// Encodes `DSSEv1 SP LEN(type) SP type SP LEN(payload) SP payload`.
    #[must_use]
    pub fn new(payload_type: PayloadType, payload: &[u8]) -> Self {
        Self(encode(payload_type.as_str(), payload))
    }

    /// The encoded bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

/// A certificate or a private key that can't be used for signatures.
#[derive(Debug, Error)]
pub enum KeyError {
    /// Not an X.509 certificate.
    #[error("not an X.509 certificate in DER")]
    Malformed,
    /// Bytes follow the certificate.
    #[error("{count} bytes follow the certificate")]
    Trailing {
        /// How many.
        count: usize,
    },
    /// A key of another algorithm, by its object identifier.
    #[error("public key algorithm {} is not supported: want ECDSA P-256 or Ed25519", describe(oid))]
    UnsupportedAlgorithm {
        /// Dotted object identifier.
        oid: String,
    },
    /// An elliptic curve other than P-256, by its object identifier.
    #[error("elliptic curve {} is not supported: want P-256", describe(oid))]
    UnsupportedCurve {
        /// Dotted object identifier, or "unnamed".
        oid: String,
    },
    /// The key bits are no point of the curve, or are compressed.
    #[error("the public key is not a valid {algorithm} key (P-256 points must be uncompressed)")]
    BadPoint {
        /// What the certificate says it is.
        algorithm: Algorithm,
    },
    /// The PEM text holds no certificate or no key.
    #[error(transparent)]
    Pem(#[from] PemError),
    /// A private key in another encoding than PKCS#8.
    #[error("found {label}, want PKCS#8 (a PRIVATE KEY block, not encrypted)")]
    NotPkcs8 {
        /// The PEM label found.
        label: &'static str,
    },
    /// A private key of another algorithm or curve, or a broken one.
    #[error("the private key is neither ECDSA P-256 nor Ed25519")]
    UnsupportedPrivateKey,
    /// The private key does not belong to the certificate.
    #[error("the private key does not belong to the certificate")]
    Mismatch,
}

/// A signature that does not hold.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum SignatureError {
    /// An ECDSA signature of 64 bytes that are not ASN.1 DER.
    #[error(
        "64 bytes that are not ASN.1 DER: this looks like r‖s (IEEE P1363); encode it as a DER \
         SEQUENCE of two INTEGERs (.NET: Rfc3279DerSequence; Java: SHA256withECDSA)"
    )]
    RawEcdsa,
    /// An ECDSA signature that is not ASN.1 DER.
    #[error("an ECDSA signature of {length} bytes that is not ASN.1 DER")]
    NotDer {
        /// Its length in bytes.
        length: usize,
    },
    /// An Ed25519 signature of a wrong length.
    #[error("an Ed25519 signature of {length} bytes, want 64")]
    Length {
        /// Its length in bytes.
        length: usize,
    },
    /// Well formed, but not made by this key over this payload as this type.
    #[error("the signature does not match the key, the payload type and the payload")]
    Mismatch,
}

/// A certificate's public key, parsed once.
#[derive(Clone, Debug)]
pub struct PublicKey {
    algorithm: Algorithm,
    key: ParsedPublicKey,
}

impl PublicKey {
    /// Takes the key out of a certificate. Nothing else of the certificate is judged.
    ///
    /// # Errors
    /// [`KeyError`]: not a certificate, or a key of an algorithm or curve that is not supported.
    pub fn from_certificate_der(der: &[u8]) -> Result<Self, KeyError> {
        let (rest, certificate) =
            x509_parser::parse_x509_certificate(der).map_err(|_| KeyError::Malformed)?;
        if !rest.is_empty() {
            let count = rest.len();
            return Err(KeyError::Trailing { count });
        }
        Self::from_spki(certificate.public_key())
    }

    /// The algorithm of every signature under this key.
    #[must_use]
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// The key itself: an uncompressed P-256 point (65 bytes) or an Ed25519 key (32 bytes).
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        self.key.as_ref()
    }

    /// Checks one signature over a payload.
    ///
    /// # Errors
    /// [`SignatureError`], which tells apart what is malformed and what does not match.
    pub fn verify(
        &self,
        payload_type: PayloadType,
        payload: &[u8],
        signature: &[u8],
    ) -> Result<(), SignatureError> {
        self.verify_preauth(&Preauth::new(payload_type, payload), signature)
    }

    /// As [`verify`](Self::verify), for messages with several signatures: encode once.
    ///
    /// # Errors
    /// As [`verify`](Self::verify).
    pub fn verify_preauth(
        &self,
        preauth: &Preauth,
        signature: &[u8],
    ) -> Result<(), SignatureError> {
        check_form(self.algorithm, signature)?;
        self.key.verify_sig(preauth.as_bytes(), signature).map_err(|_| SignatureError::Mismatch)
    }

    fn from_spki(spki: &SubjectPublicKeyInfo<'_>) -> Result<Self, KeyError> {
        let bytes: &[u8] = &spki.subject_public_key.data;
        let algorithm = match spki.algorithm.algorithm.to_id_string().as_str() {
            OID_ED25519 => Algorithm::Ed25519,
            OID_EC_PUBLIC_KEY => match curve(spki).as_str() {
                OID_P256 => Algorithm::EcdsaP256Sha256,
                oid => return Err(KeyError::UnsupportedCurve { oid: oid.into() }),
            },
            oid => return Err(KeyError::UnsupportedAlgorithm { oid: oid.into() }),
        };
        let key = match algorithm {
            Algorithm::Ed25519 => ParsedPublicKey::new(&ED25519, bytes),
            // A compressed point would be a second spelling of the same key.
            Algorithm::EcdsaP256Sha256 if bytes.len() != P256_POINT_LENGTH => {
                return Err(KeyError::BadPoint { algorithm });
            }
            Algorithm::EcdsaP256Sha256 => ParsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, bytes),
        };
        let key = key.map_err(|_| KeyError::BadPoint { algorithm })?;
        Ok(Self { algorithm, key })
    }
}

/// A private key for signatures. It never shows itself in `Debug` output.
pub struct SigningKey(KeyKind);

enum KeyKind {
    Ecdsa(EcdsaKeyPair),
    Ed25519(Ed25519KeyPair),
}

impl SigningKey {
    /// Reads an unencrypted PKCS#8 key, version 1 or 2, from PEM text.
    ///
    /// # Errors
    /// [`KeyError`]: no key, another encoding, or another algorithm or curve.
    pub fn from_pkcs8_pem(pem: &str) -> Result<Self, KeyError> {
        let der = match files::private_key(pem)? {
            PrivateKeyDer::Pkcs8(der) => der,
            PrivateKeyDer::Sec1(_) => {
                let label = "EC PRIVATE KEY";
                return Err(KeyError::NotPkcs8 { label });
            }
            _ => {
                let label = "RSA PRIVATE KEY";
                return Err(KeyError::NotPkcs8 { label });
            }
        };
        let der = der.secret_pkcs8_der();
        if let Ok(pair) = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, der) {
            return Ok(Self(KeyKind::Ecdsa(pair)));
        }
        match Ed25519KeyPair::from_pkcs8(der) {
            Ok(pair) => Ok(Self(KeyKind::Ed25519(pair))),
            Err(_) => Err(KeyError::UnsupportedPrivateKey),
        }
    }

    /// The algorithm of the signatures this key makes.
    #[must_use]
    pub fn algorithm(&self) -> Algorithm {
        match self.0 {
            KeyKind::Ecdsa(_) => Algorithm::EcdsaP256Sha256,
            KeyKind::Ed25519(_) => Algorithm::Ed25519,
        }
    }

    /// Signs a payload as the given type. ECDSA signatures differ from call to call.
    #[must_use]
    pub fn sign(&self, payload_type: PayloadType, payload: &[u8]) -> Vec<u8> {
        let preauth = Preauth::new(payload_type, payload);
        let signature = match &self.0 {
            KeyKind::Ecdsa(pair) => pair.sign(&SystemRandom::new(), preauth.as_bytes()),
            KeyKind::Ed25519(pair) => pair.try_sign(preauth.as_bytes()),
        };
        #[expect(clippy::expect_used, reason = "the key pair was checked when it was parsed")]
        let signature = signature.expect("a checked key pair signs any message");
        signature.as_ref().to_vec()
    }

    fn public_key_bytes(&self) -> &[u8] {
        match &self.0 {
            KeyKind::Ecdsa(pair) => pair.public_key().as_ref(),
            KeyKind::Ed25519(pair) => pair.public_key().as_ref(),
        }
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey({})", self.algorithm())
    }
}

/// A certificate with its private key: what an agency, an operator or the hub signs with.
#[derive(Debug)]
pub struct SigningIdentity {
    /// The certificate, in DER.
    pub certificate_der: Vec<u8>,
    /// SHA-256 of the certificate, the key under which it is registered.
    pub digest: [u8; 32],
    /// The algorithm of the key.
    pub algorithm: Algorithm,
    /// The private key.
    pub key: SigningKey,
}

impl SigningIdentity {
    /// Joins a certificate and its key, both as PEM text. Of a chain the first certificate counts.
    ///
    /// # Errors
    /// [`KeyError`], and [`KeyError::Mismatch`] if the two do not belong together.
    pub fn from_pem(certificate: &str, key: &str) -> Result<Self, KeyError> {
        Self::join(leaf_certificate(certificate)?, SigningKey::from_pkcs8_pem(key)?)
    }

    /// As [`from_pem`](Self::from_pem), from two files.
    ///
    /// # Errors
    /// As [`from_pem`](Self::from_pem), with the name of the file; and a key file that the group
    /// or others can read.
    pub fn load(certificate: &Path, key: &Path) -> Result<Self, LoadError<KeyError>> {
        Self::join(
            files::load_public(certificate, leaf_certificate)?,
            files::load_key(key, SigningKey::from_pkcs8_pem)?,
        )
        .map_err(|source| LoadError::content(key, source))
    }

    fn join((certificate_der, public): Leaf, key: SigningKey) -> Result<Self, KeyError> {
        if public.as_bytes() != key.public_key_bytes() {
            return Err(KeyError::Mismatch);
        }
        Ok(Self {
            digest: certificate_digest(&certificate_der),
            algorithm: key.algorithm(),
            certificate_der,
            key,
        })
    }

    /// Signs a payload as the given type.
    #[must_use]
    pub fn sign(&self, payload_type: PayloadType, payload: &[u8]) -> Vec<u8> {
        self.key.sign(payload_type, payload)
    }
}

/// A certificate in DER with the key that it holds.
type Leaf = (Vec<u8>, PublicKey);

fn leaf_certificate(pem: &str) -> Result<Leaf, KeyError> {
    let certificate = files::first_certificate(pem)?;
    let public = PublicKey::from_certificate_der(&certificate)?;
    Ok((certificate.to_vec(), public))
}

fn encode(payload_type: &str, payload: &[u8]) -> Vec<u8> {
    let head = format!("DSSEv1 {} {payload_type} {} ", payload_type.len(), payload.len());
    let mut encoded = Vec::with_capacity(head.len() + payload.len());
    encoded.extend_from_slice(head.as_bytes());
    encoded.extend_from_slice(payload);
    encoded
}

/// Tells a malformed signature from one that does not match: the cure is another.
fn check_form(algorithm: Algorithm, signature: &[u8]) -> Result<(), SignatureError> {
    let length = signature.len();
    match algorithm {
        Algorithm::Ed25519 if length == RAW_SIGNATURE_LENGTH => Ok(()),
        Algorithm::Ed25519 => Err(SignatureError::Length { length }),
        Algorithm::EcdsaP256Sha256 if is_short_sequence(signature) => Ok(()),
        Algorithm::EcdsaP256Sha256 if length == RAW_SIGNATURE_LENGTH => {
            Err(SignatureError::RawEcdsa)
        }
        Algorithm::EcdsaP256Sha256 => Err(SignatureError::NotDer { length }),
    }
}

/// Whether the bytes are one DER SEQUENCE of at most 127 bytes; P-256 signatures have up to 70.
fn is_short_sequence(bytes: &[u8]) -> bool {
    matches!(bytes, [0x30, length, content @ ..]
        if *length < 0x80 && usize::from(*length) == content.len())
}

fn curve(spki: &SubjectPublicKeyInfo<'_>) -> String {
    spki.algorithm
        .parameters
        .as_ref()
        .and_then(|parameters| parameters.as_oid().ok())
        .map_or_else(|| "unnamed".into(), |oid| oid.to_id_string())
}

/// The identifiers that integrators meet, by name.
fn describe(oid: &str) -> String {
    let name = match oid {
        "1.2.840.113549.1.1.1" => "RSA",
        "1.2.156.10197.1.301" => "SM2",
        "1.3.132.0.34" => "P-384",
        "1.3.132.0.35" => "P-521",
        "1.3.101.113" => "Ed448",
        _ => return oid.into(),
    };
    format!("{name} ({oid})")
}

#[cfg(test)]
mod tests;
