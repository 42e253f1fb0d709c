//! Revocation lists: they revoke what their authority issued, once, and their numbers rise.

use xianjie_core::domain::record::{Effect, Kind, Revocations, RuledEffect};
use xianjie_core::ids::{Digest, Time};

use super::copied::Copied;
use super::{Report, audited, copy, has, ledger, said};
use crate::identity::lists::issuer_digest;

/// Makes a record of a list that revokes these; each is one that was registered.
fn revoke(copy: &mut Copied, index: u64, issuer: Digest, number: &[u8], digests: &[Digest]) {
    copy.change(index, |record| {
        record.kind = Kind::Revocations(Revocations {
            issuer,
            number: number.to_vec(),
            list: Digest([7; 32]),
            this_update: Time(1),
            next_update: None,
        });
        let revoked = |digest: &Digest| RuledEffect {
            rule: "hub/revocation_list".to_owned(),
            articles: Vec::new(),
            effect: Effect::CertificateRevoked { digest: *digest, compromised_since: None },
        };
        record.effects = digests.iter().map(revoked).collect();
    });
}

/// The issuer of the ledger's certificates.
fn issuer() -> Digest {
    issuer_digest(&ledger::hub_signer().certificate_der).unwrap()
}

/// What was found but for rows, which the copied store never had.
fn said_of_records(report: &Report) -> Vec<String> {
    said(report).into_iter().filter(|line| !line.starts_with("P9 a row")).collect()
}

#[tokio::test]
async fn lists_that_revoke_what_was_registered_are_clean() {
    let mut copy = copy().await;
    let (one, other) = (copy.signer(ledger::ACKNOWLEDGED), Digest(ledger::hub_signer().digest));
    revoke(&mut copy, ledger::LAST - 1, issuer(), &[1, 0], &[one]);
    revoke(&mut copy, ledger::LAST, issuer(), &[0, 1, 1], &[other]);
    copy.seal();
    let report = audited(&copy).await;
    assert_eq!(said_of_records(&report), Vec::<String>::new());
    assert_eq!(report.noted, 0);
}

#[tokio::test]
async fn a_list_that_may_not_revoke_is_found() {
    let mut copy = copy().await;
    let one = copy.signer(ledger::ACKNOWLEDGED);
    revoke(&mut copy, ledger::LAST - 2, issuer(), &[2], &[one]);
    revoke(&mut copy, ledger::LAST - 1, issuer(), &[1], &[one]);
    let unknown = Digest([8; 32]);
    revoke(&mut copy, ledger::LAST, Digest([9; 32]), &[1], &[one, unknown]);
    copy.seal();
    let report = audited(&copy).await;
    let (second, third) = (ledger::LAST - 1, ledger::LAST);
    let foreign = "a list revokes a certificate that its authority did not issue";
    let twice = "a certificate is revoked that was revoked before";
    has(
        &report,
        &[
            &format!("P6 {second} {twice}: {one}"),
            &format!("P6 {third} {foreign}: {one}"),
            &format!("P6 {third} {twice}: {one}"),
        ],
    );
    let unfit = format!("P9 {third} the record does not apply to the state");
    assert!(said(&report).iter().any(|line| line.starts_with(&unfit)));
    let notes: Vec<_> = report.notes.iter().map(|note| (note.index.unwrap().0, &note.en)).collect();
    let lower = format!("a list's number is lower than that of an earlier list: {}", issuer());
    assert_eq!(notes, [(second, &lower)]);
}

#[tokio::test]
async fn a_list_that_does_more_than_revoke_is_found() {
    let mut copy = copy().await;
    let named = copy.record(ledger::NAMED);
    revoke(&mut copy, ledger::LAST, issuer(), &[1], &[]);
    copy.change(ledger::LAST, |record| record.effects.push(named.effects[0].clone()));
    copy.seal();
    let words = "the directory is changed by a record that may not change it";
    has(&audited(&copy).await, &[&format!("P6 {} {words}", ledger::LAST)]);
}
