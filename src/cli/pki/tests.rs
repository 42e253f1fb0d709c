use std::os::unix::fs::PermissionsExt as _;

use super::*;
use crate::identity::peer::{PeerCertificate, SubjectUri};

const NOW: Time = Time(1_795_449_600_000);

fn order(out: &Path, purpose: PurposeWord, code: Option<&str>) -> Issue {
    Issue {
        purpose,
        code: code.map(str::to_owned),
        server_name: Vec::new(),
        out: out.to_owned(),
        stem: None,
        algorithm: Algorithm::EcdsaP256Sha256,
        days: 100_000,
        from: None,
    }
}

fn certificate(path: &Path) -> PeerCertificate {
    let der = files::load_public(path, files::first_certificate).unwrap();
    PeerCertificate::from_der(&der).unwrap()
}

#[test]
fn what_is_issued_is_cut_at_the_end_of_its_authority_and_its_key_is_private() {
    let home = tempfile::tempdir().unwrap();
    let ca = home.path().join("ca");
    Issuing::create(&ca, "test", Period::days(None, 10, NOW)).unwrap();
    issue(order(home.path(), PurposeWord::Transport, Some("court")), &ca, NOW, &Globals::default())
        .unwrap();

    let issued = certificate(&home.path().join("transport.crt"));
    assert_eq!(issued.san_uri, Some(SubjectUri::System("court".to_owned())));
    let own = Issuing::load(&ca).unwrap();
    let own = files::first_certificate(own.authority().certificate_pem()).unwrap();
    assert_eq!(issued.not_after, PeerCertificate::from_der(&own).unwrap().not_after);
    assert!(issued.is_valid_at(dates::unix_time(NOW)));
    let key = home.path().join("transport.key");
    assert_eq!(key.metadata().unwrap().permissions().mode() & 0o777, 0o600);
}

#[test]
fn a_key_is_never_overwritten() {
    let home = tempfile::tempdir().unwrap();
    let period = Period::days(None, 10, NOW);
    Issuing::create(home.path(), "test", period).unwrap();
    Issuing::create(home.path(), "test", period).unwrap_err();
    let again = || order(home.path(), PurposeWord::Document, Some("court"));
    issue(again(), home.path(), NOW, &Globals::default()).unwrap();
    issue(again(), home.path(), NOW, &Globals::default()).unwrap_err();
}

#[test]
fn a_purpose_without_its_name_is_refused() {
    let home = tempfile::tempdir().unwrap();
    Issuing::create(home.path(), "test", Period::days(None, 10, NOW)).unwrap();
    issue(order(home.path(), PurposeWord::Operator, None), home.path(), NOW, &Globals::default())
        .unwrap_err();
    issue(order(home.path(), PurposeWord::Server, None), home.path(), NOW, &Globals::default())
        .unwrap_err();
}

#[test]
fn a_list_keeps_what_was_revoked_before() {
    let home = tempfile::tempdir().unwrap();
    Issuing::create(home.path(), "test", Period::days(None, 10, NOW)).unwrap();
    let mut serials = Vec::new();
    for code in ["a", "b"] {
        let stem = Some(code.to_owned());
        let order = Issue { stem, ..order(home.path(), PurposeWord::Transport, Some(code)) };
        issue(order, home.path(), NOW, &Globals::default()).unwrap();
        let path = home.path().join(format!("{code}.crt"));
        let authority = Issuing::load(home.path()).unwrap();
        let serial = files::load_public(&path, |pem| authority.authority().serial_of(pem));
        serials.push(serial.unwrap());
        for _ in 0..2 {
            let certificate = Some(path.clone());
            let args = Revoke { certificate, serial: None, list: None, next_update_days: 30 };
            revoke(args, home.path(), NOW, &Globals::default()).unwrap();
        }
    }
    let list = read_list(&list_path(home.path())).unwrap();
    let listed: Vec<_> = list.revoked.iter().map(|(serial, _)| *serial).collect();
    assert_eq!(listed, serials);
    assert_eq!(list.next_update.map(dates::date_of).unwrap().to_string(), "2026-12-24");
    assert!(describe(&list).contains("revoked 已吊销: 2"));
}
