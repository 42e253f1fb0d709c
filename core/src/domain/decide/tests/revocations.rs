//! A revocation list revokes what is registered and not revoked yet.

use super::*;
use crate::domain::agency::Revocation;
use crate::domain::record::Revocations;

#[test]
fn a_list_revokes_what_is_registered_and_still_stands() {
    let mut nation = Nation::new();
    let of = |agency: &str| certificate(Purpose::Document(testing::code(agency)));
    let (standing, mut revoked) = (of("liwan-court"), of("yuexiu-court"));
    revoked.revoked = Some(Revocation { at: nation.time, compromised_since: None });
    nation.directory.put_certificate(revoked.clone());
    let list = Revocations {
        issuer: Digest([1; 32]),
        number: vec![7],
        list: Digest([2; 32]),
        this_update: nation.time,
        next_update: None,
    };
    let since = Some(Time(5));
    let certificates = [(standing.digest, since), (revoked.digest, None), (Digest([9; 32]), None)];
    let input = RevocationsInput { list: list.clone(), certificates: certificates.into() };
    let loaded = Loaded::default();
    let view = View::new(&loaded);
    let decide = |nation: &Nation| {
        decide(&view, &nation.world(), &Input::Revocations(input.clone())).unwrap()
    };
    let Decision::Record(decided) = decide(&nation) else { panic!("no record") };
    assert_eq!(decided.record.kind, Kind::Revocations(list));
    let effects: Vec<_> = decided.record.effects.into_iter().map(|ruled| ruled.effect).collect();
    let expected = Effect::CertificateRevoked { digest: standing.digest, compromised_since: since };
    assert_eq!(effects, [expected]);

    let at = nation.time;
    nation.directory.put_certificate(Certificate {
        revoked: Some(Revocation { at, compromised_since: since }),
        ..standing
    });
    assert!(matches!(decide(&nation), Decision::Known(known) if known.is_empty()));
}
