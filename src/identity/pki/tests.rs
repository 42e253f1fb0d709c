use super::*;
use crate::identity::peer::{PeerCertificate, Usages};
use crate::identity::signature::{PayloadType, PublicKey, SigningIdentity};
use std::time::Duration;
use x509_parser::prelude::{CertificateRevocationList, FromDer};

const NOW: u64 = 1_800_000_000;
const DAY: u64 = 86_400;

fn at(seconds: u64) -> UnixTime {
    UnixTime::since_unix_epoch(Duration::from_secs(seconds))
}

fn days(from: u64, until: u64) -> Validity {
    Validity::new(at(NOW + from * DAY), at(NOW + until * DAY)).unwrap()
}

fn serial(number: u8) -> Serial {
    Serial::from_random([number; 16])
}

fn authority() -> Authority {
    Authority::create("测试 CA", serial(1), days(0, 3650)).unwrap()
}

fn issue(purpose: Purpose, algorithm: Algorithm) -> (Issued, PeerCertificate) {
    let issued = authority().issue(&purpose, algorithm, serial(2), days(1, 365)).unwrap();
    let der = files::first_certificate(&issued.certificate_pem).unwrap();
    let read = PeerCertificate::from_der(&der).unwrap();
    assert_eq!(read.sha256, issued.sha256);
    (issued, read)
}

#[test]
fn each_purpose_gives_its_name_and_usages() {
    let server = vec![
        ServerName::try_from("hub.example").unwrap(),
        ServerName::try_from("192.0.2.1").unwrap(),
    ];
    let table = [
        (Purpose::Server(server), None, [false, true, false]),
        (Purpose::Transport("s-1".into()), Some("xianjie:system/s-1"), [true, false, false]),
        (Purpose::Document("110105".into()), Some("xianjie:agency/110105"), [false, false, true]),
        (
            Purpose::Acknowledgement("110105".into()),
            Some("xianjie:agency/110105"),
            [false, false, true],
        ),
        (Purpose::Operator("op-1".into()), Some("xianjie:operator/op-1"), [true, false, true]),
    ];
    for (purpose, uri, [tls_client, tls_server, signing]) in table {
        let (_, read) = issue(purpose, Algorithm::EcdsaP256Sha256);
        let name = read.san_uri.as_ref().map(ToString::to_string);
        assert_eq!(name.as_deref(), uri);
        let expected = Usages { tls_client, tls_server, signing };
        assert_eq!(read.usages, expected, "{}", read.subject);
        assert_eq!(read.not_before, at(NOW + DAY));
        assert_eq!(read.not_after, at(NOW + 365 * DAY));
        assert!(read.is_valid_at(at(NOW + 365 * DAY)));
        assert!(!read.is_valid_at(at(NOW + 365 * DAY + 1)));
    }
}

#[test]
fn issued_keys_sign() {
    for algorithm in [Algorithm::EcdsaP256Sha256, Algorithm::Ed25519] {
        let (issued, _) = issue(Purpose::Document("a".into()), algorithm);
        let identity = SigningIdentity::from_pem(&issued.certificate_pem, &issued.key_pem).unwrap();
        assert_eq!(identity.algorithm, algorithm);
        let key = PublicKey::from_certificate_der(&identity.certificate_der).unwrap();
        let signature = identity.sign(PayloadType::Document, b"payload");
        key.verify(PayloadType::Document, b"payload", &signature).unwrap();
    }
}

/// Version 2 of PKCS#8 (RFC 5958) is not read by older Java and OpenSSL.
#[test]
fn ed25519_keys_are_pkcs8_version_1() {
    let (issued, _) = issue(Purpose::Document("a".into()), Algorithm::Ed25519);
    let key = files::private_key(&issued.key_pem).unwrap();
    let der = key.secret_der();
    assert_eq!(der.len(), 48);
    assert_eq!(der[2..5], [0x02, 0x01, 0x00]);
}

#[test]
fn what_can_not_be_is_refused() {
    let authority = authority();
    let algorithm = Algorithm::EcdsaP256Sha256;
    let issue = |purpose, validity| authority.issue(&purpose, algorithm, serial(2), validity);
    let refused = issue(Purpose::Transport("a b".into()), days(1, 2));
    assert!(matches!(refused, Err(PkiError::BadSubjectUri(_))));
    let refused = issue(Purpose::Server(vec![]), days(1, 2));
    assert!(matches!(refused, Err(PkiError::NoServerName)));
    let refused = issue(Purpose::Operator("a".into()), days(1, 3651));
    assert!(matches!(refused, Err(PkiError::OutlivesAuthority)));
    assert!(matches!(Validity::new(at(NOW), at(NOW)), Err(PkiError::BadPeriod)));
    let beyond = Validity::new(at(NOW), at(u64::MAX)).unwrap();
    assert!(matches!(Authority::create("a", serial(1), beyond), Err(PkiError::BadPeriod)));
}

#[test]
fn serial_numbers_are_positive_and_of_one_length() {
    for byte in 0..=u8::MAX {
        let serial = serial(byte);
        assert_eq!(serial.to_string().len(), 32);
        assert!(matches!(serial.0[0], 0x40..=0x7f));
        assert_eq!(serial.to_string().parse::<Serial>().unwrap(), serial);
    }
    for text in ["", "00", "zz", &"ff".repeat(16), &"00".repeat(16)] {
        assert!(text.parse::<Serial>().is_err(), "{text}");
    }
    let authority = authority();
    let algorithm = Algorithm::Ed25519;
    let issued =
        authority.issue(&Purpose::Document("a".into()), algorithm, serial(2), days(1, 2)).unwrap();
    assert_eq!(authority.serial_of(&issued.certificate_pem).unwrap(), serial(2));
    // Of the same name, with another key.
    let other = self::authority();
    assert!(matches!(other.serial_of(&issued.certificate_pem), Err(PkiError::Foreign)));
}

#[test]
fn a_revocation_list_names_what_is_revoked() {
    let authority = authority();
    let revoked = [(serial(2), at(NOW + 5)), (serial(9), at(NOW + 6))];
    let pem = authority.revocation_list(&revoked, at(NOW + 10), at(NOW + 20)).unwrap();
    let der = files::revocation_lists(&pem).unwrap().remove(0);
    let (_, list) = CertificateRevocationList::from_der(&der).unwrap();
    let read: Vec<_> = list
        .iter_revoked_certificates()
        .map(|entry| (Serial::from_bytes(entry.raw_serial()).unwrap(), entry.revocation_date))
        .map(|(serial, time)| (serial, unix_time(time).unwrap()))
        .collect();
    assert_eq!(read, revoked);
    assert_eq!(unix_time(list.last_update()), Some(at(NOW + 10)));
    assert_eq!(list.next_update().and_then(unix_time), Some(at(NOW + 20)));
    assert_eq!(list.crl_number().unwrap().to_string(), (NOW + 10).to_string());

    let backwards = authority.revocation_list(&[], at(NOW), at(NOW));
    assert!(matches!(backwards, Err(PkiError::Certificate(_))));
}

#[test]
fn an_authority_survives_its_folder() {
    let folder = tempfile::tempdir().unwrap();
    let authority = authority();
    authority.save(folder.path()).unwrap();
    let loaded = Authority::load(folder.path()).unwrap();
    assert_eq!(loaded.certificate_pem(), authority.certificate_pem());
    assert_eq!(loaded.validity, authority.validity);

    let issued = loaded
        .issue(&Purpose::Transport("s".into()), Algorithm::Ed25519, serial(3), days(0, 1))
        .unwrap();
    issued.save(folder.path(), "s").unwrap();
    let root = files::first_certificate(authority.certificate_pem()).unwrap();
    let (_, root) = x509_parser::parse_x509_certificate(&root).unwrap();
    let leaf = files::first_certificate(&issued.certificate_pem).unwrap();
    let (_, leaf) = x509_parser::parse_x509_certificate(&leaf).unwrap();
    leaf.verify_signature(Some(root.public_key())).unwrap();
    assert_eq!(leaf.issuer().as_raw(), root.subject().as_raw());

    let again = Authority::create("other", serial(4), days(0, 1)).unwrap();
    assert!(again.save(folder.path()).is_err(), "an authority is never overwritten");
    assert_eq!(
        Authority::load(folder.path()).unwrap().certificate_pem(),
        authority.certificate_pem()
    );
}

#[test]
fn an_authority_needs_its_own_key_and_the_right_to_sign() {
    let [first, second] = [authority(), authority()];
    let key = second.issuer.key().serialize_pem();
    let refused = Authority::from_pem(first.certificate_pem(), &key).unwrap_err();
    assert!(matches!(refused, PkiError::Mismatch));

    let (leaf, _) = issue(Purpose::Operator("a".into()), Algorithm::EcdsaP256Sha256);
    let refused = Authority::from_pem(&leaf.certificate_pem, &leaf.key_pem).unwrap_err();
    assert!(matches!(refused, PkiError::NotAnAuthority));
}

#[test]
fn keys_do_not_show_in_debug_output() {
    let authority = authority();
    let (issued, _) = issue(Purpose::Operator("a".into()), Algorithm::EcdsaP256Sha256);
    let shown = format!("{authority:?} {issued:?}");
    assert!(!shown.contains("PRIVATE"), "{shown}");
    assert!(shown.contains("[elided]"), "{shown}");
}
