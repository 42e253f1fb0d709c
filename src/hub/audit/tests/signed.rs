//! Who signed, and what.

use xianjie_core::domain::record::{Effect, Kind};
use xianjie_core::ids::{Digest, LedgerIndex, Time};

use super::{audited, copy, finds, has, ledger, said};
use crate::identity::signature::PayloadType;
use crate::wire;

#[tokio::test]
async fn a_forged_acknowledgement_is_found() {
    let mut copy = copy().await;
    copy.change(ledger::ACKNOWLEDGED, |record| {
        if let Kind::Acknowledged(kind) = &mut record.kind {
            // The hub signs in the recipient's name: its own certificate is for another purpose.
            let hub = ledger::hub_signer();
            let payload = &kind.statement.payload;
            kind.statement.signatures =
                vec![wire::signature::sign(PayloadType::Acknowledgement, payload, hub)];
            kind.statement.bindings = vec![LedgerIndex(0)];
        }
    });
    copy.seal();
    let digest = Digest(ledger::hub_signer().digest);
    finds(
        &audited(&copy).await,
        &[&format!("P6 4 a signer's certificate is for another purpose: {digest}")],
    );
}

#[tokio::test]
async fn a_signature_that_does_not_verify_is_found() {
    let mut copy = copy().await;
    copy.change(ledger::ACKNOWLEDGED, |record| {
        if let Kind::Acknowledged(kind) = &mut record.kind {
            let last = kind.statement.signatures[0].value.len() - 1;
            kind.statement.signatures[0].value[last] ^= 1;
        }
    });
    copy.seal();
    finds(&audited(&copy).await, &["P6 4 a signature does not verify"]);
}

#[tokio::test]
async fn an_acknowledgement_of_other_bytes_is_found() {
    // The record that was acknowledged is changed, and all that commits to it is made anew.
    let mut copy = copy().await;
    copy.change(ledger::VERDICT, |record| record.effects[0].rule.push('x'));
    copy.seal();
    has(
        &audited(&copy).await,
        &["P6 4 the statement commits to another record than the delivery's: \
                 tianhe-corrections 1"],
    );
}

#[tokio::test]
async fn a_change_that_no_operator_signed_is_found() {
    let mut copy = copy().await;
    copy.change(ledger::NAMED, |record| {
        let extra = record.effects[0].clone();
        record.effects.push(extra);
    });
    copy.seal();
    finds(&audited(&copy).await, &["P6 1 the signed statement says other than the record"]);
}

#[tokio::test]
async fn a_certificate_under_anothers_digest_is_found() {
    let mut copy = copy().await;
    copy.change(0, |record| {
        for ruled in &mut record.effects {
            if let Effect::CertificatePut(certificate) = &mut ruled.effect {
                certificate.digest = Digest([1; 32]);
            }
        }
    });
    copy.seal();
    let said = said(&audited(&copy).await);
    let digest = "01".repeat(32);
    assert_eq!(
        said[0],
        format!("P6 0 a certificate is registered under another's digest: {digest}")
    );
    assert!(said.iter().any(|line| line.starts_with("P6 1 a signer's certificate was not")));
}

#[tokio::test]
async fn a_directory_that_other_records_change_is_found() {
    let mut copy = copy().await;
    let named = copy.record(ledger::NAMED);
    copy.change(ledger::LAST, |record| record.effects.push(named.effects[0].clone()));
    copy.seal();
    let words = "the directory is changed by a record that may not change it";
    finds(&audited(&copy).await, &[&format!("P6 {} {words}", ledger::LAST)]);
}

#[tokio::test]
async fn too_few_operators_are_found() {
    let mut copy = copy().await;
    copy.change(0, |record| {
        if let Kind::Opened(opened) = &mut record.kind {
            opened.quorum = 2;
        }
    });
    copy.seal();
    has(&audited(&copy).await, &["P6 1 fewer operators signed than the change needs"]);
}

#[tokio::test]
async fn a_revoked_certificate_and_a_wrong_binding_are_found() {
    let mut copy = copy().await;
    let digest = copy.signer(ledger::ACKNOWLEDGED);
    copy.change(ledger::NAMED, |record| {
        for ruled in &mut record.effects {
            if let Effect::CertificatePut(certificate) = &mut ruled.effect
                && certificate.digest == digest
            {
                certificate.valid_until = Time(1);
            }
        }
    });
    copy.change(ledger::ACKNOWLEDGED, |record| {
        if let Kind::Acknowledged(kind) = &mut record.kind {
            kind.statement.bindings = vec![LedgerIndex(ledger::VERDICT)];
        }
    });
    copy.seal();
    has(
        &audited(&copy).await,
        &[
            &format!(
                "P6 4 the binding is not the record that registered the certificate: {digest}"
            ),
            &format!("P6 4 a signer's certificate did not count at that time: {digest}"),
        ],
    );
}
