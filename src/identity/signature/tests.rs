use super::*;
use crate::identity::pki::{Authority, Purpose, Serial, Validity};
use rcgen::{CertificateParams, KeyPair as RcgenKey};
use rustls_pki_types::UnixTime;
use std::time::Duration;

const ALGORITHMS: [Algorithm; 2] = [Algorithm::EcdsaP256Sha256, Algorithm::Ed25519];

fn identity(algorithm: Algorithm) -> SigningIdentity {
    let at = |seconds| UnixTime::since_unix_epoch(Duration::from_secs(seconds));
    let validity = Validity::new(at(1_700_000_000), at(1_900_000_000)).unwrap();
    let serial = Serial::from_random([7; 16]);
    let authority = Authority::create("Test", serial, validity).unwrap();
    let purpose = Purpose::Document("agency-1".into());
    let issued = authority.issue(&purpose, algorithm, serial, validity).unwrap();
    let identity = SigningIdentity::from_pem(&issued.certificate_pem, &issued.key_pem).unwrap();
    assert_eq!(identity.digest, issued.sha256);
    assert_eq!(identity.algorithm, algorithm);
    identity
}

/// Turns a DER signature into r‖s: both numbers in 32 bytes.
fn raw(der: &[u8]) -> Vec<u8> {
    let mut raw = Vec::new();
    let mut rest = &der[2..];
    for _ in 0..2 {
        let (number, tail) = rest[2..].split_at(usize::from(rest[1]));
        let number = &number[number.len().saturating_sub(32)..];
        raw.extend(std::iter::repeat_n(0, 32 - number.len()));
        raw.extend_from_slice(number);
        rest = tail;
    }
    raw
}

/// The example of the DSSE specification (`protocol.md`, test vectors).
#[test]
fn encoding_is_that_of_the_specification() {
    let encoded = encode("http://example.com/HelloWorld", b"hello world");
    let expected = b"DSSEv1 29 http://example.com/HelloWorld 11 hello world";
    assert_eq!(encoded, expected);
    assert_eq!(encoded.capacity(), encoded.len());
    assert_eq!(encode("", b""), b"DSSEv1 0  0 ");
}

/// Lengths are in bytes, and binary payloads pass as they are.
#[test]
fn encoding_counts_bytes() {
    let encoded = Preauth::new(PayloadType::Rejection, "司法".as_bytes());
    let expected = "DSSEv1 45 application/vnd.xianjie.rejection.v1+protobuf 6 司法";
    assert_eq!(encoded.as_bytes(), expected.as_bytes());
}

#[test]
fn payload_types_differ() {
    let names = [
        PayloadType::Document,
        PayloadType::Acknowledgement,
        PayloadType::Rejection,
        PayloadType::InboxStatement,
        PayloadType::DirectoryChange,
    ]
    .map(PayloadType::as_str);
    let distinct: std::collections::HashSet<_> = names.iter().collect();
    assert_eq!(distinct.len(), names.len());
    for name in names {
        assert!(name.starts_with("application/vnd.xianjie.") && name.ends_with(".v1+protobuf"));
    }
}

#[test]
fn algorithms_have_names() {
    for algorithm in ALGORITHMS {
        assert_eq!(algorithm.as_str().parse(), Ok(algorithm));
    }
    assert_eq!("sm2-sm3".parse::<Algorithm>(), Err(UnknownAlgorithm));
}

#[test]
fn a_signature_holds_for_its_type_and_bytes_only() {
    for algorithm in ALGORITHMS {
        let identity = identity(algorithm);
        let key = PublicKey::from_certificate_der(&identity.certificate_der).unwrap();
        assert_eq!(key.algorithm(), algorithm);
        let payload = b"exactly these bytes";
        let signature = identity.sign(PayloadType::Document, payload);
        let check = |kind, payload: &[u8]| key.verify(kind, payload, &signature);

        check(PayloadType::Document, payload).unwrap();
        let mismatch = Err(SignatureError::Mismatch);
        assert_eq!(check(PayloadType::Acknowledgement, payload), mismatch);
        assert_eq!(check(PayloadType::Document, b""), mismatch);
        for bit in 0..payload.len() * 8 {
            let mut flipped = *payload;
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(check(PayloadType::Document, &flipped), mismatch, "{bit}");
        }
    }
}

#[test]
fn no_bit_of_a_signature_can_be_flipped() {
    for algorithm in ALGORITHMS {
        let identity = identity(algorithm);
        let key = PublicKey::from_certificate_der(&identity.certificate_der).unwrap();
        let preauth = Preauth::new(PayloadType::Document, b"payload");
        let signature = identity.sign(PayloadType::Document, b"payload");
        key.verify_preauth(&preauth, &signature).unwrap();
        for bit in 0..signature.len() * 8 {
            let mut flipped = signature.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert!(key.verify_preauth(&preauth, &flipped).is_err(), "{bit}");
        }
        for length in 0..signature.len() {
            let cut = &signature[..length];
            assert!(key.verify_preauth(&preauth, cut).is_err(), "{length}");
        }
        let longer = [signature.as_slice(), &[0]].concat();
        assert!(key.verify_preauth(&preauth, &longer).is_err());
    }
}

#[test]
fn another_key_is_refused() {
    for algorithm in ALGORITHMS {
        let signature = identity(algorithm).sign(PayloadType::Document, b"payload");
        let other = identity(algorithm);
        let key = PublicKey::from_certificate_der(&other.certificate_der).unwrap();
        let refused = key.verify(PayloadType::Document, b"payload", &signature);
        assert_eq!(refused, Err(SignatureError::Mismatch));
    }
}

#[test]
fn malformed_signatures_say_how() {
    let ecdsa = identity(Algorithm::EcdsaP256Sha256);
    let key = PublicKey::from_certificate_der(&ecdsa.certificate_der).unwrap();
    let check = |signature: &[u8]| key.verify(PayloadType::Document, b"payload", signature);
    let raw = raw(&ecdsa.sign(PayloadType::Document, b"payload"));
    let refused = check(&raw).unwrap_err();
    assert_eq!(refused, SignatureError::RawEcdsa);
    assert!(refused.to_string().contains("r‖s"));
    assert_eq!(check(b""), Err(SignatureError::NotDer { length: 0 }));

    let ed25519 = identity(Algorithm::Ed25519);
    let key = PublicKey::from_certificate_der(&ed25519.certificate_der).unwrap();
    let refused = key.verify(PayloadType::Document, b"payload", &[0; 70]);
    assert_eq!(refused, Err(SignatureError::Length { length: 70 }));
}

#[test]
fn other_keys_are_refused_by_name() {
    let key = RcgenKey::generate_for(&rcgen::PKCS_ECDSA_P384_SHA384).unwrap();
    let p384 = CertificateParams::default().self_signed(&key).unwrap();
    let refused = PublicKey::from_certificate_der(p384.der()).unwrap_err();
    assert_eq!(
        refused.to_string(),
        "elliptic curve P-384 (1.3.132.0.34) is not supported: want P-256"
    );
    let refused = SigningKey::from_pkcs8_pem(&key.serialize_pem()).unwrap_err();
    assert!(matches!(refused, KeyError::UnsupportedPrivateKey));

    let key = RcgenKey::generate_for(&rcgen::PKCS_RSA_SHA256).unwrap();
    let rsa = CertificateParams::default().self_signed(&key).unwrap();
    let refused = PublicKey::from_certificate_der(rsa.der()).unwrap_err();
    assert!(refused.to_string().contains("RSA"), "{refused}");

    let good = identity(Algorithm::Ed25519).certificate_der;
    let longer = [good.as_slice(), &[0, 0]].concat();
    assert!(matches!(
        PublicKey::from_certificate_der(&longer),
        Err(KeyError::Trailing { count: 2 })
    ));
    assert!(matches!(PublicKey::from_certificate_der(&good[..50]), Err(KeyError::Malformed)));
}

#[test]
fn a_key_must_be_pkcs8_and_belong_to_its_certificate() {
    let sec1 = "-----BEGIN EC PRIVATE KEY-----\nMAA=\n-----END EC PRIVATE KEY-----\n";
    let refused = SigningKey::from_pkcs8_pem(sec1).unwrap_err();
    assert!(refused.to_string().starts_with("found EC PRIVATE KEY"));

    let keys = [(); 2].map(|()| RcgenKey::generate().unwrap());
    let certificate = CertificateParams::default().self_signed(&keys[0]).unwrap();
    let refused = SigningIdentity::from_pem(&certificate.pem(), &keys[1].serialize_pem());
    assert!(matches!(refused, Err(KeyError::Mismatch)));
    SigningIdentity::from_pem(&certificate.pem(), &keys[0].serialize_pem()).unwrap();
}

#[test]
fn a_signing_identity_loads_from_files_and_keeps_its_key_to_itself() {
    let folder = tempfile::tempdir().unwrap();
    let (certificate, path) = (folder.path().join("a.pem"), folder.path().join("a.key"));
    let key = RcgenKey::generate().unwrap();
    let pem = CertificateParams::default().self_signed(&key).unwrap().pem();
    files::write_public(&certificate, &pem).unwrap();
    files::write_key(&path, &key.serialize_pem()).unwrap();

    let identity = SigningIdentity::load(&certificate, &path).unwrap();
    assert_eq!(format!("{:?}", identity.key), "SigningKey(ecdsa-p256-sha256)");

    let swapped = SigningIdentity::load(&path, &path).unwrap_err();
    assert!(swapped.to_string().ends_with("a.key"), "{swapped}");
}
