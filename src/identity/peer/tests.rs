use super::*;
use rcgen::{CertificateParams, KeyPair, SanType};

fn certificate(uris: &[&str]) -> Vec<u8> {
    let mut params = CertificateParams::default();
    params.subject_alt_names =
        uris.iter().map(|uri| SanType::URI((*uri).try_into().unwrap())).collect();
    let key = KeyPair::generate().unwrap();
    params.self_signed(&key).unwrap().der().to_vec()
}

#[test]
fn names_are_read_back() {
    for uri in
        ["xianjie:system/court-gateway.1", "xianjie:agency/110105-jz_1", "xianjie:operator/op-1"]
    {
        assert_eq!(uri.parse::<SubjectUri>().unwrap().to_string(), uri);
    }
    let longest = format!("xianjie:agency/{}", "a".repeat(NAME_LENGTH_MAX));
    longest.parse::<SubjectUri>().unwrap();
}

#[test]
fn other_names_are_refused() {
    let long = format!("xianjie:agency/{}", "a".repeat(NAME_LENGTH_MAX + 1));
    for uri in [
        "",
        "xianjie:",
        "xianjie:agency",
        "xianjie:agency/",
        "xianjie:agency/a/b",
        "xianjie:agency/a b",
        "xianjie:agency/县",
        "xianjie:judge/a",
        "XIANJIE:agency/a",
        "https:agency/a",
        &long,
    ] {
        assert_eq!(uri.parse::<SubjectUri>(), Err(BadSubjectUri), "{uri}");
    }
}

#[test]
fn a_certificate_names_one_peer_at_most() {
    let read = |uris: &[&str]| PeerCertificate::from_der(&certificate(uris));
    assert_eq!(read(&[]).unwrap().san_uri, None);
    assert_eq!(read(&["spiffe://example.com/a"]).unwrap().san_uri, None);
    assert_eq!(
        read(&["https://example.com", "xianjie:agency/a"]).unwrap().san_uri,
        Some(SubjectUri::Agency("a".into()))
    );
    assert_eq!(
        read(&["xianjie:agency/a", "xianjie:agency/a"]),
        Err(PeerError::SeveralSubjectUris { count: 2 })
    );
    assert_eq!(read(&["xianjie:agency/"]), Err(PeerError::BadSubjectUri(BadSubjectUri)));
}

#[test]
fn what_is_no_certificate_is_refused() {
    assert_eq!(PeerCertificate::from_chain(None), Err(PeerError::Missing));
    assert_eq!(PeerCertificate::from_chain(Some(&[])), Err(PeerError::Missing));
    let der = certificate(&[]);
    for length in [0, 1, der.len() - 1] {
        let cut = PeerCertificate::from_der(&der[..length]);
        assert_eq!(cut, Err(PeerError::Malformed));
    }
    let longer = [der.as_slice(), &[0]].concat();
    assert_eq!(PeerCertificate::from_der(&longer), Err(PeerError::Malformed));
}

#[test]
fn a_certificate_without_usages_allows_all() {
    let peer = PeerCertificate::from_der(&certificate(&[])).unwrap();
    let all = Usages { tls_client: true, tls_server: true, signing: true };
    assert_eq!(peer.usages, all);
    assert_eq!(peer.sha256, certificate_digest(&peer.der));
    assert_eq!(peer.subject, "CN=rcgen self signed cert");
}
