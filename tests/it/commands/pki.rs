//! `pki`: the authority of a hub's folder, as the README has its operators use it.

use super::{COURT, PERMISSION, USAGE, done, run, until};
use crate::process::{Process, program};

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_in_the_revocation_list_is_let_in_no_more() {
    let process = Process::start().await;
    let home = tempfile::tempdir().unwrap();
    let court = process.profile(home.path(), COURT);
    done(&mut process.client(&court, &["status"]));
    let certificate = court.join("transport.pem");
    let revoked = done(
        program(&["pki", "revoke", "--json", "--certificate"])
            .arg(&certificate)
            .arg("--folder")
            .arg(process.folder()),
    );
    let list = process.folder().join("ca/clients.crl");
    assert_eq!(revoked.values()[0]["list"], list.to_str().unwrap());
    process.hang_up();
    until("the hub has read the list", async || {
        run(&mut process.client(&court, &["status"])).code == PERMISSION
    })
    .await;
    let refused = run(&mut process.client(&court, &["status", "--lang", "en"]));
    assert!(refused.complaint.contains("CertificateRevoked"), "{refused:#?}");
}

#[test]
fn an_authority_revokes_only_what_it_issued() {
    let home = tempfile::tempdir().unwrap();
    let pki = |authority: &str, arguments: &[&str]| {
        let mut program = program(&["pki"]);
        program.args(arguments).arg("--authority").arg(home.path().join(authority));
        program
    };
    for authority in ["own", "other"] {
        done(&mut pki(authority, &["authority", "--name", "of one name"]));
    }
    let issue = ["issue", "--purpose", "transport", "--code", "court", "--json"];
    let issued = done(pki("other", &issue).arg("--out").arg(home.path().join("keys"))).values();
    let revoke = ["revoke", "--certificate", issued[0]["certificate"].as_str().unwrap()];
    let refused = run(&mut pki("own", &revoke));
    assert_eq!(refused.code, USAGE, "{refused:#?}");
    assert!(refused.complaint.contains("did not issue"), "{refused:#?}");
    assert!(!home.path().join("own/clients.crl").exists());
    let first = done(pki("other", &revoke).arg("--json")).values().remove(0);
    let again = done(pki("other", &revoke).arg("--json")).values().remove(0);
    assert_eq!([&first["new"], &again["new"]], [true, false]);
    let listed = done(&mut pki("other", &["list", "--json"])).values().remove(0);
    assert_eq!(listed["revoked"].as_array().unwrap().len(), 1);
    assert_eq!(listed["revoked"][0]["serial"], first["revoked"]);
}
