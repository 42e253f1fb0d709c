//! What an authority's list revokes is in the ledger once, and is the directory's word from then on.

use prost::Message as _;
use xianjie::identity::pki::{Issued, Purpose as Use};
use xianjie::identity::signature::{PayloadType, SigningIdentity};
use xianjie::wire;
use xianjie::wire::pb;
use xianjie::wire::pb::effect::Effect;
use xianjie::wire::pb::ledger_record::Kind;
use xianjie_core::domain::agency::Purpose;
use xianjie_core::ids::Digest;

use crate::harness::{Agency, Hub, register};

#[tokio::test(flavor = "multi_thread")]
async fn what_a_list_revokes_is_recorded_once() {
    let mut hub = Hub::start().await;
    hub.revoke(&[]);
    let (mut a, b) = (hub.agency("a").await, hub.agency("b").await);
    let system = || Purpose::Transport("a-system".parse().unwrap());
    let [transport, spare] = [(); 2].map(|()| hub.issue(&Use::Transport("a-system".to_owned())));
    let signing = hub.issue(&Use::Document("a".to_owned()));
    let unregistered = hub.issue(&Use::Transport("a-system".to_owned()));
    let registered = [
        register(&transport, system()),
        register(&spare, system()),
        register(&signing, Purpose::Document(a.code.clone())),
    ];
    hub.change(&registered).await.unwrap();
    assert_eq!(signed_by(&a, &signing, &b).await, Ok(()));

    hub.revoke(&[&transport, &signing, &unregistered]);
    let both = revoked(&hub, &[&transport, &signing]).await;
    assert_eq!(recorded(&a).await, std::slice::from_ref(&both));
    // Not only the door is closed: the directory's word counts for signatures too.
    assert_eq!(signed_by(&a, &signing, &b).await, Err("SIGNER_UNKNOWN".to_owned()));

    // Only what the newer list adds is recorded, though it names the others still, and though it
    // came while the hub was closed.
    hub.stop().await;
    hub.revoke(&[&transport, &signing, &unregistered, &spare]);
    hub.restart().await;
    let third = revoked(&hub, &[&spare]).await;
    a.channel = hub.connect(&transport_of(&hub, &a).await).await;
    assert_eq!(recorded(&a).await, [both.clone(), third.clone()]);

    // What is registered although a list names it is revoked by that list.
    hub.change(&[register(&unregistered, system())]).await.unwrap();
    let late = revoked(&hub, &[&unregistered]).await;
    assert_eq!(recorded(&a).await, [both, third, late]);

    let report = hub.audit().await;
    assert_eq!((report.findings, report.notes), (Vec::new(), Vec::new()));
}

/// A further transport certificate of an agency's system: nothing is known of its first connection
/// once the hub was closed.
async fn transport_of(hub: &Hub, agency: &Agency) -> Issued {
    let system = format!("{}-system", agency.code);
    let issued = hub.issue(&Use::Transport(system.clone()));
    hub.change(&[register(&issued, Purpose::Transport(system.parse().unwrap()))]).await.unwrap();
    issued
}

/// Waits until the directory has these revoked; returns their digests, in order.
async fn revoked(hub: &Hub, issued: &[&Issued]) -> Vec<Vec<u8>> {
    let hub = hub.running().hub().unwrap();
    let mut changes = hub.directory_changes();
    let mut digests: Vec<Vec<u8>> = issued.iter().map(|issued| issued.sha256.to_vec()).collect();
    digests.sort();
    loop {
        let directory = hub.directory();
        let is_revoked = |issued: &&&Issued| {
            directory.certificate(&Digest(issued.sha256)).unwrap().revoked.is_some()
        };
        if issued.iter().filter(is_revoked).count() == issued.len() {
            return digests;
        }
        changes.changed().await.unwrap();
    }
}

/// What each record of a list revokes, as the agency reads it.
async fn recorded(agency: &Agency) -> Vec<Vec<Vec<u8>>> {
    let request = pb::ListRecordsRequest {
        agency: agency.code.to_string(),
        kinds: vec!["revocations".to_owned()],
        ..pb::ListRecordsRequest::default()
    };
    let receipts = agency.ledger().list_records(request).await.unwrap().into_inner().receipts;
    let record = |receipt: &pb::Receipt| {
        agency.verify(Some(receipt));
        pb::LedgerRecord::decode(&receipt.record[..]).unwrap()
    };
    receipts.iter().map(record).map(named).collect()
}

fn named(record: pb::LedgerRecord) -> Vec<Vec<u8>> {
    let Some(Kind::Revocations(list)) = record.kind else { panic!("another kind of record") };
    assert_eq!((list.issuer_sha256.len(), list.list_sha256.len()), (32, 32));
    assert!(!list.number.is_empty() && list.next_update_ms > list.this_update_ms);
    let digest = |effect: pb::Effect| match effect.effect {
        Some(Effect::CertificateRevoked(revoked)) => revoked.certificate_sha256,
        other => panic!("a list does nothing but revoke: {other:?}"),
    };
    record.effects.into_iter().map(digest).collect()
}

/// Submits a document under a certificate; if it is refused, why.
async fn signed_by(agency: &Agency, issued: &Issued, to: &Agency) -> Result<(), String> {
    let signer = SigningIdentity::from_pem(&issued.certificate_pem, &issued.key_pem).unwrap();
    let payload = agency.ping(&[to]).encode_to_vec();
    let signature = wire::signature::sign(PayloadType::Document, &payload, &signer);
    let signatures = vec![wire::signature::write(&signature)];
    let signed = pb::SignedDocument { document: payload.into(), signatures };
    match agency.submit(&signed).await {
        Ok(_) => Ok(()),
        Err(status) => {
            Err(status.metadata().get("xianjie-reason").unwrap().to_str().unwrap().to_owned())
        }
    }
}
