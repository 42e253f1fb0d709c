//! Acknowledgements (签收) with a mistake, and streams that ask for too much.

use pb::inbox_service_client::InboxServiceClient;
use pb::subscribe_request::Message as Ask;
use pb::subscribe_response::Message as Answer;
use prost::Message as _;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::transport::Channel;
use tonic::{Status, Streaming};
use xianjie::identity::signature::{PayloadType, SigningIdentity};
use xianjie::wire;
use xianjie::wire::pb;
use xianjie_core::refusal::Reason;

use super::documents::submit;
use super::{assert_refused, assert_unharmed};
use crate::people::{NOW, signed, wire_acknowledgement, wire_document};
use crate::process::Process;

const COURT: &str = "yuexiu-court";
const DETENTION: &str = "yuexiu-detention";
const POLICE: &str = "tianhe-police";

#[tokio::test(flavor = "multi_thread")]
async fn a_statement_must_fit() {
    let process = Process::start().await;
    let people = &process.people;
    let delivered = deliver(&process).await;
    let right = people.acknowledgement_key(POLICE);
    let items = |places: &[usize]| -> Vec<pb::AcknowledgedDelivery> {
        places.iter().map(|place| item(&delivered[*place])).collect()
    };
    let of = |agency: &str, items: Vec<pb::AcknowledgedDelivery>| pb::Acknowledgement {
        ledger: "hub.test.demo/ledger/1".to_owned(),
        agency: agency.to_owned(),
        items,
        stored_time: Some(wire::time::write_time(NOW)),
        signed_by: String::new(),
        seen: None,
    };
    let changed = |place: usize, change: fn(&mut pb::AcknowledgedDelivery)| {
        let mut items = items(&[place]);
        change(&mut items[0]);
        of(POLICE, items)
    };
    let elsewhere =
        pb::Acknowledgement { ledger: "hub.other.demo/ledger/1".into(), ..of(POLICE, items(&[0])) };
    let ahead = pb::Seen { size: 99_999, root: vec![7; 32] };
    let ahead = pb::Acknowledgement { seen: Some(ahead), ..of(POLICE, items(&[0])) };
    let unknown_field = [of(POLICE, items(&[0])).encode_to_vec(), vec![0xf8, 0x7f, 1]].concat();
    let rows: Vec<(&str, Vec<u8>, &SigningIdentity, Reason, &str)> = vec![
        (
            "of another inbox",
            changed(0, |i| i.inbox_number = 99).encode_to_vec(),
            &right,
            Reason::DeliveryUnknown,
            "items[0]",
        ),
        (
            "another record",
            changed(0, |i| i.commitment = vec![7; 32]).encode_to_vec(),
            &right,
            Reason::DeliveryUnknown,
            "items[0]",
        ),
        (
            "31 bytes",
            changed(0, |i| i.commitment.truncate(31)).encode_to_vec(),
            &right,
            Reason::Format,
            "items[0].commitment",
        ),
        (
            "of two senders",
            of(POLICE, items(&[0, 1])).encode_to_vec(),
            &right,
            Reason::MixedSenders,
            "items[1]",
        ),
        ("of nothing", of(POLICE, Vec::new()).encode_to_vec(), &right, Reason::TooLarge, "items"),
        ("of 257", of(POLICE, items(&[0; 257])).encode_to_vec(), &right, Reason::TooLarge, "items"),
        ("another ledger", elsewhere.encode_to_vec(), &right, Reason::WrongLedger, "ledger"),
        (
            "another's inbox",
            of(COURT, items(&[0])).encode_to_vec(),
            &right,
            Reason::NotCarried,
            "agency",
        ),
        (
            "a checkpoint that is not ours",
            ahead.encode_to_vec(),
            &right,
            Reason::SeenMismatch,
            "seen",
        ),
        ("an unknown field", unknown_field, &right, Reason::UnknownField, ""),
        ("noise", vec![0xff; 40], &right, Reason::Malformed, ""),
    ];
    let mut inbox = InboxServiceClient::new(process.connect(POLICE).await);
    for (what, payload, signer, reason, field) in rows {
        let statement = signed(PayloadType::Acknowledgement, payload, signer);
        let statement = wire_acknowledgement(&statement);
        assert_result(what, &mut inbox, statement, reason, field).await;
    }
    let whole = of(POLICE, items(&[0])).encode_to_vec();
    let keys = [people.document_key(POLICE), people.acknowledgement_key(COURT)];
    for key in &keys {
        let statement = signed(PayloadType::Acknowledgement, whole.clone(), key);
        let statement = wire_acknowledgement(&statement);
        assert_result("another key", &mut inbox, statement, Reason::SignerUnknown, "signatures[0]")
            .await;
    }
    let as_document = wire_acknowledgement(&signed(PayloadType::Document, whole, &right));
    let what = "signed as a document";
    assert_result(what, &mut inbox, as_document, Reason::SignatureInvalid, "signatures[0]").await;

    // Nothing of it settled anything.
    let open = list(&mut inbox, true).await;
    assert_eq!(open.len(), delivered.len());
    assert_unharmed(process);
}

/// Whose inbox it is, and how far it goes.
#[tokio::test(flavor = "multi_thread")]
async fn a_stream_must_be_opened_rightly() {
    let process = Process::start().await;
    deliver(&process).await;
    let channel = process.connect(POLICE).await;
    let open = |agency: &str, after| {
        Ask::Open(pb::SubscribeOpen {
            agency: agency.to_owned(),
            after_inbox_number: after,
            credits: 1,
            consumer: String::new(),
        })
    };
    let long = Ask::Open(pb::SubscribeOpen {
        agency: POLICE.to_owned(),
        consumer: "长".repeat(65),
        ..pb::SubscribeOpen::default()
    });
    let rows = [
        ("another's inbox", open(COURT, None), Reason::NotCarried, "agency"),
        (
            "above the last number",
            open(POLICE, Some(99)),
            Reason::InboxAhead,
            "open.after_inbox_number",
        ),
        ("credits first", Ask::AddCredits(1), Reason::Required, "open"),
        ("a long name", long, Reason::TooLarge, "open.consumer"),
    ];
    for (what, ask, reason, field) in rows {
        let (_asks, mut answers) = subscribe(&channel, ask).await;
        let status = answers.message().await.unwrap_err();
        assert_refused(what, &status, reason, field);
    }
    let (asks, mut answers) = subscribe(&channel, open(POLICE, None)).await;
    assert!(matches!(next(&mut answers).await, Ok(Answer::Opened(_))));
    asks.send(message(open(POLICE, None))).await.unwrap();
    let status = loop {
        match next(&mut answers).await {
            Ok(_) => {}
            Err(status) => break status,
        }
    };
    assert_refused("opened twice", &status, Reason::DuplicateField, "open");
    assert_unharmed(process);
}

/// One credit is one delivery; more than there may be count as many as may be.
#[tokio::test(flavor = "multi_thread")]
async fn credits_bound_what_is_sent() {
    let process = Process::start().await;
    let delivered = deliver(&process).await;
    let channel = process.connect(POLICE).await;
    let open =
        pb::SubscribeOpen { agency: POLICE.to_owned(), credits: 1, ..pb::SubscribeOpen::default() };
    let (asks, mut answers) = subscribe(&channel, Ask::Open(open)).await;
    assert!(matches!(next(&mut answers).await, Ok(Answer::Opened(_))));
    assert!(matches!(next(&mut answers).await, Ok(Answer::Delivery(_))));
    let more = tokio::time::timeout(std::time::Duration::from_millis(300), answers.message());
    assert!(more.await.is_err(), "a delivery without a credit");
    for _ in 0..3 {
        asks.send(message(Ask::AddCredits(u32::MAX))).await.unwrap();
    }
    for _ in 1..delivered.len() {
        assert!(matches!(next(&mut answers).await, Ok(Answer::Delivery(_))));
    }
    assert_unharmed(process);
}

/// Eight streams mirror an inbox; the ninth is told to come later, and the eight live on.
#[tokio::test(flavor = "multi_thread")]
async fn a_ninth_mirror_waits() {
    let process = Process::start().await;
    let channel = process.connect(POLICE).await;
    let open = || {
        Ask::Open(pb::SubscribeOpen {
            agency: POLICE.to_owned(),
            credits: 8,
            ..pb::SubscribeOpen::default()
        })
    };
    let mut mirrors = Vec::new();
    for _ in 0..8 {
        let (asks, mut answers) = subscribe(&channel, open()).await;
        assert!(matches!(next(&mut answers).await, Ok(Answer::Opened(_))));
        mirrors.push((asks, answers));
    }
    let (_asks, mut ninth) = subscribe(&channel, open()).await;
    assert_refused("ninth", &ninth.message().await.unwrap_err(), Reason::Quota, "");
    let delivered = deliver(&process).await;
    for (_, answers) in &mut mirrors {
        for expected in &delivered {
            let Ok(Answer::Delivery(delivery)) = next(answers).await else { panic!("nothing") };
            assert_eq!(delivery.inbox_number, expected.inbox_number);
        }
    }
    assert_unharmed(process);
}

/// Two documents of two senders lie in the inbox of the police.
async fn deliver(process: &Process) -> Vec<pb::Delivery> {
    for from in [COURT, DETENTION] {
        let ping = wire_document(&process.people.ping(from, &[POLICE]));
        submit(&process.connect(from).await, from, &ping).await.unwrap();
    }
    list(&mut InboxServiceClient::new(process.connect(POLICE).await), false).await
}

async fn list(inbox: &mut InboxServiceClient<Channel>, only_open: bool) -> Vec<pb::Delivery> {
    let request = pb::ListDeliveriesRequest {
        agency: POLICE.to_owned(),
        only_unacknowledged: only_open,
        ..pb::ListDeliveriesRequest::default()
    };
    inbox.list_deliveries(request).await.unwrap().into_inner().deliveries
}

fn item(delivery: &pb::Delivery) -> pb::AcknowledgedDelivery {
    let parts = wire::receipt::parts(delivery.receipt.as_ref().unwrap()).unwrap();
    pb::AcknowledgedDelivery {
        inbox_number: delivery.inbox_number,
        commitment: parts.opening.leaf.commitment.0.to_vec(),
    }
}

async fn assert_result(
    what: &str,
    inbox: &mut InboxServiceClient<Channel>,
    statement: pb::SignedAcknowledgement,
    reason: Reason,
    field: &str,
) {
    let request = pb::AcknowledgeDeliveriesRequest {
        agency: POLICE.to_owned(),
        acknowledgements: vec![statement],
    };
    let answer = inbox.acknowledge_deliveries(request).await.unwrap().into_inner();
    let [result] = &answer.results[..] else { panic!("{what}: one result for each") };
    let refusal = result.refusal.as_ref().unwrap_or_else(|| panic!("{what}: it was taken"));
    let violation = &refusal.violations[0];
    let told = (refusal.reason.as_str(), violation.field.as_str());
    assert_eq!(told, (reason.name(), field), "{what}");
    let advice = refusal.advice().as_str_name().trim_start_matches("ADVICE_");
    assert_eq!(advice, reason.advice().name(), "{what}");
    assert!(result.settlements.is_empty(), "{what}: all or nothing");
}

type Asks = mpsc::Sender<pb::SubscribeRequest>;

async fn subscribe(channel: &Channel, first: Ask) -> (Asks, Streaming<pb::SubscribeResponse>) {
    let (asks, requests) = mpsc::channel(16);
    asks.send(message(first)).await.unwrap();
    let mut inbox = InboxServiceClient::new(channel.clone());
    let answers = inbox.subscribe(ReceiverStream::new(requests)).await.unwrap();
    (asks, answers.into_inner())
}

async fn next(answers: &mut Streaming<pb::SubscribeResponse>) -> Result<Answer, Status> {
    Ok(answers.message().await?.unwrap().message.unwrap())
}

fn message(ask: Ask) -> pb::SubscribeRequest {
    pb::SubscribeRequest { message: Some(ask) }
}
