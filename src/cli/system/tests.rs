use super::*;
use crate::cli::issuing::{Issuing, Period, save};
use crate::identity::pki;
use crate::identity::signature::Algorithm;
use xianjie_core::ids::LedgerIndex;

const NOW: Time = Time(1_795_449_600_000);

fn registered() -> RegisteredSystem {
    let system = System {
        code: "court".parse().unwrap(),
        name: "案件系统".to_owned(),
        agencies: [carried("a=submit").unwrap(), carried("b").unwrap()].into(),
        gateway: false,
        suspended: false,
    };
    RegisteredSystem { system, certificates: Vec::new() }
}

fn certificates(count: u64) -> (tempfile::TempDir, Vec<Certificate>) {
    let home = tempfile::tempdir().unwrap();
    let period = Period::days(None, 10, NOW);
    Issuing::create(home.path(), "test", period).unwrap();
    let issuing = Issuing::load(home.path()).unwrap();
    let certificates = (0..count).map(|place| {
        let purpose = pki::Purpose::Transport("court".to_owned());
        let issued = issuing.issue(&purpose, Algorithm::Ed25519, period).unwrap();
        let path = save(&issued, home.path(), &place.to_string()).unwrap();
        let purpose = Purpose::Transport("court".parse().unwrap());
        let certificate = operating::certificate(&path, purpose, "").unwrap();
        Certificate { binding: LedgerIndex(place), ..certificate }
    });
    let certificates = certificates.collect();
    (home, certificates)
}

fn order(certificate: Option<PathBuf>, finish: bool) -> Rotate {
    Rotate { code: "court".parse().unwrap(), certificate, finish, label: String::new() }
}

#[test]
fn rights_are_all_unless_named() {
    assert_eq!(carried("a").unwrap().1.len(), 4);
    assert_eq!(carried("a=submit,receive").unwrap().1, [Right::Submit, Right::Receive].into());
    assert!(carried("a=").unwrap().1.is_empty());
    assert!(carried("a=read").unwrap_err().contains("no right"));
    assert!(carried("A").unwrap_err().contains("the agency's code"));
}

#[test]
fn a_grant_adds_changes_and_takes_away() {
    let carries = ["a=receive", "b=", "c"].map(|text| carried(text).unwrap());
    let system = granted(registered().system, carries.into());
    let codes: Vec<_> = system.agencies.keys().map(ToString::to_string).collect();
    assert_eq!(codes, ["a", "c"]);
    assert_eq!(system.agencies[&"a".parse().unwrap()], [Right::Receive].into());
}

#[test]
fn a_rotation_overlaps_until_it_is_finished() {
    let (home, certificates) = certificates(3);
    let mut registered = registered();
    registered.certificates = certificates[..2].to_vec();
    let revoke = |certificate: &Certificate| Change::RevokeCertificate {
        digest: certificate.digest,
        compromised_since: None,
    };
    let new = Some(home.path().join("2.crt"));

    let changes = rotate(&order(new.clone(), false), &registered, NOW).unwrap();
    assert!(matches!(changes.as_slice(), [Change::RegisterCertificate(_)]));
    let changes = rotate(&order(None, true), &registered, NOW).unwrap();
    assert_eq!(changes, [revoke(&certificates[0])]);
    let changes = rotate(&order(new, true), &registered, NOW).unwrap();
    assert_eq!(changes[1..], [revoke(&certificates[0]), revoke(&certificates[1])]);

    registered.certificates.truncate(1);
    rotate(&order(None, true), &registered, NOW).unwrap_err();
    assert!(describe(&registered, NOW).contains("in force 有效"));
}

#[test]
fn a_certificate_of_another_holder_or_purpose_is_not_registered() {
    let (home, _) = certificates(1);
    let path = home.path().join("0.crt");
    for purpose in
        [Purpose::Transport("other".parse().unwrap()), Purpose::Document("court".parse().unwrap())]
    {
        operating::certificate(&path, purpose, "").unwrap_err();
    }
}
