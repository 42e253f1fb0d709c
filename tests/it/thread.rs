//! One document from end to end: submitted, proven, delivered, acknowledged, seen by its sender.

use pb::submission::Outcome;
use xianjie::wire::pb;

use crate::harness::Hub;

#[tokio::test(flavor = "multi_thread")]
async fn a_ping_arrives_and_its_sender_sees_it_acknowledged() {
    let mut hub = Hub::start().await;
    let (a, b) = (hub.agency("a").await, hub.agency("b").await);
    let mut inbox = b.subscribe(None).await.unwrap();
    assert_eq!(inbox.opened.next_inbox_number, 1);

    let document = a.ping(&[&b]);
    let signed = a.sign(&document);
    let submitted = a.submit(&signed).await.unwrap();
    let proven = a.verify(submitted.receipt.as_ref());

    let delivery = inbox.delivery().await;
    assert_eq!(delivery.inbox_number, 1);
    assert_eq!(delivery.document_type, "ping");
    assert_eq!(delivery.stage(), pb::Stage::Accepted);
    assert_eq!(delivery.signed_document.as_ref(), Some(&signed));
    assert_eq!(b.verify(delivery.receipt.as_ref()).index, proven.index);

    let statement = b.acknowledgement(std::slice::from_ref(&delivery));
    let result = inbox.acknowledge(statement.clone()).await;
    assert_eq!(result.refusal, None);
    let [settled] = &result.settlements[..] else { panic!("{result:?}") };
    assert_eq!((&settled.inbox_numbers[..], settled.stage()), (&[1][..], pb::Stage::Acknowledged));
    let acknowledged = b.verify(settled.receipt.as_ref());
    assert!(acknowledged.index > proven.index);

    // The same again is the same record.
    let again = inbox.acknowledge(statement).await;
    assert_eq!(b.verify(again.settlements[0].receipt.as_ref()).index, acknowledged.index);
    let again = a.submit(&signed).await.unwrap();
    assert_eq!(a.verify(again.receipt.as_ref()).index, proven.index);

    let submission = a.submission(&document.document_id).await.unwrap();
    let Some(Outcome::Accepted(accepted)) = submission.outcome else { panic!("not accepted") };
    let [progress] = &accepted.deliveries[..] else { panic!("{accepted:?}") };
    assert_eq!((progress.agency.as_str(), progress.stage()), ("b", pb::Stage::Acknowledged));
    assert_eq!(a.verify(progress.receipt.as_ref()).index, acknowledged.index);
    assert_eq!(progress.settled_by, acknowledged.index);
    hub.stop().await;
}
