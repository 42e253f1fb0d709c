//! What does not fit about a document (矛盾提示) over the real program: its addressees read the document's
//! record whole and learn nothing of it; who supervises, and whom the person concerns, do.

use pb::exchange_service_client::ExchangeServiceClient;
use pb::inbox_service_client::InboxServiceClient;
use pb::ledger_service_client::LedgerServiceClient;
use pb::supervision_service_client::SupervisionServiceClient;
use pb::watch_alarms_response::Message as Alarm;
use pb::{subscribe_request as asked, subscribe_response as answered};
use prost::Message;
use serde_json::json;
use tonic::{Code, Status};
use xianjie::wire;
use xianjie::wire::pb;
use xianjie_core::domain::explain::flag_phrase;
use xianjie_core::domain::record::Kind;

use crate::people::{enrolment, wire_document};
use crate::process::{Process, program};

const COURT: &str = "yuexiu-court";
const CORRECTIONS: &str = "tianhe-corrections";
const POLICE: &str = "tianhe-police";
const DETENTION: &str = "yuexiu-detention";
const SUPERVISORS: [&str; 2] = ["tianhe-procuratorate", "yuexiu-procuratorate"];

/// What does not fit: the term has a year to run.
const REASON: &str = "RELEASED_BEFORE_EXPIRY";

/// A hub that took a release of a person whose term is not over. The court and the police of the place
/// are its addressees, and the police are none of those whom the person concerns.
struct Released {
    process: Process,
    notice: pb::DocumentRef,
    index: u64,
    case: String,
}

impl Released {
    async fn start() -> Self {
        let process = Process::start().await;
        let case = submit(&process, enrolment()).await.1.correction_case;
        let (notice, taken) = submit(&process, release(&case)).await;
        let index = taken.receipt.unwrap().index;
        Self { process, notice, index, case }
    }

    /// Everything by which an agency can read what concerns the release, as bytes. A call that is
    /// refused gives its status.
    async fn all_that_is_read(&self, reader: &str) -> Vec<(&'static str, Vec<u8>)> {
        let agency = reader.to_owned();
        let channel = self.process.connect(reader).await;
        let mut exchange = ExchangeServiceClient::new(channel.clone());
        let mut inbox = InboxServiceClient::new(channel.clone());
        let mut ledger = LedgerServiceClient::new(channel.clone());
        let mut supervision = SupervisionServiceClient::new(channel);
        let document = Some(self.notice.clone());
        let get = pb::GetDocumentRequest { agency: agency.clone(), document, query: None };
        let submission = pb::GetSubmissionRequest {
            agency: agency.clone(),
            document_id: self.notice.document_id.clone(),
        };
        let deliveries = pb::ListDeliveriesRequest {
            agency: agency.clone(),
            ..pb::ListDeliveriesRequest::default()
        };
        let records = pb::ListRecordsRequest {
            agency: agency.clone(),
            page_size: 1000,
            ..pb::ListRecordsRequest::default()
        };
        let receipt = |index| pb::GetReceiptRequest { agency: agency.clone(), index };
        let custody = pb::GetCustodyRequest {
            agency: agency.clone(),
            correction_case: self.case.clone(),
            ..pb::GetCustodyRequest::default()
        };
        vec![
            ("GetDocument", bytes(exchange.get_document(get).await)),
            ("GetSubmission", bytes(exchange.get_submission(submission).await)),
            ("ListDeliveries", bytes(inbox.list_deliveries(deliveries).await)),
            ("Subscribe", self.streamed(reader).await),
            ("ListRecords", bytes(ledger.list_records(records).await)),
            ("GetReceipt", bytes(ledger.get_receipt(receipt(self.index)).await)),
            ("GetReceipt of the next", bytes(ledger.get_receipt(receipt(self.index + 1)).await)),
            ("GetCustody", bytes(supervision.get_custody(custody).await)),
            (
                "WatchAlarms",
                self.alarms(reader).await.iter().flat_map(Message::encode_to_vec).collect(),
            ),
        ]
    }

    /// What a stream gives of an inbox from its beginning.
    async fn streamed(&self, reader: &str) -> Vec<u8> {
        let mut inbox = InboxServiceClient::new(self.process.connect(reader).await);
        let open = pb::SubscribeOpen {
            agency: reader.to_owned(),
            after_inbox_number: Some(0),
            credits: 100,
            ..pb::SubscribeOpen::default()
        };
        let open = pb::SubscribeRequest { message: Some(asked::Message::Open(open)) };
        let (ask, asks) = tokio::sync::mpsc::channel(1);
        ask.send(open).await.unwrap();
        let asks = tokio_stream::wrappers::ReceiverStream::new(asks);
        let mut answers = inbox.subscribe(asks).await.unwrap().into_inner();
        let (mut read, mut last) = (Vec::new(), u64::MAX);
        let mut next = 1;
        while next <= last {
            match answers.message().await.unwrap().unwrap().message.unwrap() {
                answered::Message::Opened(opened) => {
                    last = opened.heartbeat.unwrap().head_inbox_number
                }
                answered::Message::Delivery(delivery) => {
                    next = delivery.inbox_number + 1;
                    delivery.encode(&mut read).unwrap();
                }
                _ => {}
            }
        }
        read
    }

    /// The alarms of what does not fit, up to the ledger's head.
    async fn alarms(&self, reader: &str) -> Vec<pb::AlarmRaised> {
        let mut client = SupervisionServiceClient::new(self.process.connect(reader).await);
        let request = pb::WatchAlarmsRequest { agency: reader.to_owned(), after_index: None };
        let mut stream = client.watch_alarms(request).await.unwrap().into_inner();
        let mut alarms = Vec::new();
        loop {
            match stream.message().await.unwrap().unwrap().message.unwrap() {
                Alarm::Alarm(alarm) if alarm.kind == "contradiction" => alarms.push(*alarm),
                Alarm::Alarm(_) => {}
                Alarm::Heartbeat(at) if at.ledger_size > self.index + 1 => return alarms,
                Alarm::Heartbeat(_) => {}
            }
        }
    }

    /// The text of the hub's notice, once an agency has it.
    async fn told(&self, reader: &str) -> String {
        let mut inbox = InboxServiceClient::new(self.process.connect(reader).await);
        let mut request = pb::ListDeliveriesRequest {
            agency: reader.to_owned(),
            wait_seconds: 20,
            ..pb::ListDeliveriesRequest::default()
        };
        loop {
            let page = inbox.list_deliveries(request.clone()).await.unwrap().into_inner();
            for delivery in page.deliveries {
                request.after_inbox_number = delivery.inbox_number;
                let signed = delivery.signed_document.unwrap();
                let document = pb::Document::decode(signed.document).unwrap();
                if let Some(pb::document::Body::HubNotice(notice)) = document.body {
                    return notice.text;
                }
            }
        }
    }

    /// What would be flagged of a document.
    async fn checked(&self, sender: &str, fields: serde_json::Value) -> pb::CheckDocumentResponse {
        let paper = self.process.people.document(sender, fields);
        let request = pb::CheckDocumentRequest {
            agency: sender.to_owned(),
            signed_document: Some(wire_document(&paper)),
        };
        let mut exchange = ExchangeServiceClient::new(self.process.connect(sender).await);
        exchange.check_document(request).await.unwrap().into_inner()
    }
}

fn release(case: &str) -> serde_json::Value {
    let body = json!({ "release_ground": "RELEASE_GROUND_EXPIRY", "release_date": "2026-11-24" });
    let subject = json!({ "correction_case": case });
    json!({ "subject": subject, "issue_date": "2026-11-23", "release_notice": body })
}

async fn submit(
    process: &Process,
    fields: serde_json::Value,
) -> (pb::DocumentRef, pb::SubmitDocumentResponse) {
    let paper = process.people.document(CORRECTIONS, fields);
    let document = pb::Document::decode(&paper.payload[..]).unwrap();
    let request = pb::SubmitDocumentRequest {
        agency: CORRECTIONS.to_owned(),
        signed_document: Some(wire_document(&paper)),
    };
    let mut exchange = ExchangeServiceClient::new(process.connect(CORRECTIONS).await);
    let taken = exchange.submit_document(request).await.unwrap().into_inner();
    let (sender, document_id) = (document.sender, document.document_id);
    (pb::DocumentRef { sender, document_id }, taken)
}

fn bytes<M: Message>(answer: Result<tonic::Response<M>, Status>) -> Vec<u8> {
    match answer {
        Ok(answer) => answer.into_inner().encode_to_vec(),
        Err(status) => format!("{status:?}").into_bytes(),
    }
}

fn tells(read: &[u8], what: &str) -> bool {
    read.windows(what.len()).any(|window| window == what.as_bytes())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_addressee_reads_nothing_of_what_does_not_fit_by_any_call() {
    let hub = Released::start().await;
    for reader in [POLICE, DETENTION] {
        for (call, read) in hub.all_that_is_read(reader).await {
            for word in [REASON, "hub/plausible"] {
                assert!(!tells(&read, word), "{reader} reads {word} by {call}");
            }
        }
        assert!(hub.alarms(reader).await.is_empty(), "{reader}");
        let mut ledger = LedgerServiceClient::new(hub.process.connect(reader).await);
        let request = pb::GetReceiptRequest { agency: reader.to_owned(), index: hub.index + 1 };
        let refused = ledger.get_receipt(request).await.unwrap_err();
        assert_eq!(refused.code(), Code::NotFound, "{reader}");
    }
    // The police did get the release, and its record whole.
    let got = hub.all_that_is_read(POLICE).await;
    for (call, read) in
        got.iter().filter(|(call, _)| ["ListDeliveries", "Subscribe"].contains(call))
    {
        assert!(tells(read, &hub.notice.document_id), "{call}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_supervises_and_whom_the_person_concerns_see_it_and_its_proof() {
    let mut hub = Released::start().await;
    for reader in SUPERVISORS.into_iter().chain([CORRECTIONS, COURT]) {
        let alarms = hub.alarms(reader).await;
        let [alarm] = &alarms[..] else { panic!("{reader}: {alarms:?}") };
        assert_eq!(
            (&alarm.contradictions[..], alarm.index),
            (&[REASON.to_owned()][..], hub.index + 1)
        );
        assert_eq!(alarm.document.as_ref(), Some(&hub.notice));
        let record = wire::record::decode(&alarm.receipt.as_ref().unwrap().record).unwrap();
        assert!(matches!(record.kind, Kind::Flagged(_)), "{record:?}");
        let mut ledger = LedgerServiceClient::new(hub.process.connect(reader).await);
        let request = pb::GetReceiptRequest { agency: reader.to_owned(), index: alarm.index };
        assert!(ledger.get_receipt(request).await.is_ok(), "{reader}");
    }
    // The document's own record says it to nobody, not to the sender either.
    for (call, read) in hub.all_that_is_read(CORRECTIONS).await {
        let own = ["GetReceipt", "GetDocument", "GetSubmission"].contains(&call);
        assert!(!(own && tells(&read, REASON)), "{call}");
    }
    // The supervising procuratorates get the hub's notice besides, in words.
    let words = flag_phrase(REASON).unwrap();
    for supervisor in SUPERVISORS {
        let told = hub.told(supervisor).await;
        assert!(told.contains(&words.english) || told.contains(&words.chinese), "{told}");
    }
    hub.process.stop();
    let audit = program(&["audit", "--law", "--folder"]).arg(hub.process.folder()).output();
    let audit = audit.unwrap();
    assert!(audit.status.success(), "{}", String::from_utf8_lossy(&audit.stdout));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_check_tells_what_would_be_flagged_to_whom_the_person_concerns_alone() {
    let process = Process::start().await;
    let case = submit(&process, enrolment()).await.1.correction_case;
    let hub = Released { process, notice: pb::DocumentRef::default(), index: 0, case };
    let checked = hub.checked(CORRECTIONS, release(&hub.case)).await;
    assert!(checked.violations.is_empty(), "{checked:?}");
    let told: Vec<&str> = checked.flags.iter().map(|flag| &*flag.help).collect();
    assert_eq!(told, [REASON]);
}
