//! What is protected of a juvenile at the edges: before there is a case, on a second stream, where lists
//! and streams tell of what is sealed, and where many ask.

use pb::submission::Outcome;
use pb::watch_alarms_response::Message as Alarm;
use pb::watch_submissions_response::Message as Progress;
use pb::{subscribe_request as asked, subscribe_response as answered};
use tokio_stream::wrappers::ReceiverStream;
use xianjie_core::limits;

use super::*;
use crate::people::NOW;

impl Queried {
    /// The ids of the documents that an agency's list of its own names.
    async fn listed(&self, agency: &str) -> Vec<String> {
        let mut exchange = ExchangeServiceClient::new(self.process.connect(agency).await);
        let request = pb::ListSubmissionsRequest {
            agency: agency.to_owned(),
            ..pb::ListSubmissionsRequest::default()
        };
        let page = exchange.list_submissions(request).await.unwrap().into_inner();
        let accepted = page
            .submissions
            .into_iter()
            .filter(|submission| matches!(submission.outcome, Some(Outcome::Accepted(_))));
        accepted.map(|submission| submission.document_id).collect()
    }

    /// The documents that a stream of an agency's own tells of from its beginning, once for each record.
    async fn watched(&self, agency: &str) -> Vec<String> {
        let mut exchange = ExchangeServiceClient::new(self.process.connect(agency).await);
        let request = pb::WatchSubmissionsRequest { agency: agency.to_owned(), after_index: None };
        let mut stream = exchange.watch_submissions(request).await.unwrap().into_inner();
        let mut documents = Vec::new();
        // A paper of no case comes last.
        let last = self.process.submit(agency, notification()).await.0.document_id;
        while !documents.contains(&last) {
            if let Some(Progress::Progress(progress)) =
                stream.message().await.unwrap().unwrap().message
            {
                documents.extend(progress.documents.into_iter().map(|it| it.document_id));
            }
        }
        documents.pop();
        documents
    }

    /// The kinds of the alarms up to now.
    async fn alarms(&self, agency: &str) -> Vec<String> {
        let mut client = SupervisionServiceClient::new(self.process.connect(agency).await);
        let request = pb::WatchAlarmsRequest { agency: agency.to_owned(), after_index: None };
        let mut stream = client.watch_alarms(request).await.unwrap().into_inner();
        let (mut kinds, mut beats) = (Vec::new(), 0);
        // The first sign of life may come before anything was looked at, the second when all was.
        while beats < 2 {
            match stream.message().await.unwrap().unwrap().message.unwrap() {
                Alarm::Alarm(alarm) => kinds.push(alarm.kind),
                Alarm::Heartbeat(_) => beats += 1,
            }
        }
        kinds
    }
}

fn notification() -> Value {
    let body = json!({ "title": "通报", "content": "内容" });
    json!({ "chosen_agencies": [DETENTION], "general_notification": body })
}

/// A court has a juvenile assessed before it decides: there is no case yet.
async fn assessed(hub: &Queried) -> (pb::DocumentRef, pb::DocumentRef) {
    let mut subject = enrolment()["subject"].clone();
    subject["juvenile"] = true.into();
    let commission = json!({
        "subject": subject,
        "chosen_agencies": [CORRECTIONS],
        "assessment_commission": { "intended_place": "440106", "case_summary": "盗窃" },
    });
    let (commission, case) = hub.process.submit(COURT, commission).await;
    assert_eq!(case, "");
    let opinion = json!({
        "in_reply_to": { "sender": COURT, "document_id": commission.document_id },
        "assessment_opinion": { "suitability": "SUITABILITY_SUITABLE", "opinion": "表现良好" },
    });
    let (opinion, case) = hub.process.submit(CORRECTIONS, opinion).await;
    assert_eq!(case, "");
    (commission, opinion)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_paper_before_there_is_a_case_is_protected_as_its_thread_and_sealed_with_its_case() {
    let mut hub = Queried { process: Process::start().await, case: String::new() };
    let (commission, opinion) = assessed(&hub).await;
    hub.acknowledge(CORRECTIONS, &hub.inbox(CORRECTIONS).await.remove(0)).await;
    // The opinion names nobody; the commission that it answers does.
    let delivered = hub.inbox(COURT).await.remove(0);
    assert!(delivered.signed_document.is_some());
    hub.acknowledge(COURT, &delivered).await;
    assert!(hub.inbox(COURT).await[0].withheld);
    hub.get(COURT, &opinion, None).await.unwrap();
    let [shown] = &hub.accesses(COURT).await[..] else { panic!() };
    assert_eq!(
        (&*shown.method, shown.document.unwrap().0),
        ("GetDocument", delivered.receipt.unwrap().index)
    );
    // The case to which it led opens, and ends.
    let mut enrolment = enrolment();
    enrolment["subject"]["juvenile"] = true.into();
    hub.case = hub.process.submit(CORRECTIONS, enrolment).await.1;
    hub.get(COURT, &opinion, None).await.unwrap();
    assert_eq!(hub.listed(COURT).await, [&*commission.document_id]);
    hub.release().await;
    assert_eq!(hub.listed(COURT).await, [] as [&str; 0]);
    let before = hub.records(COURT).await.len();
    for paper in [&commission, &opinion] {
        let refused = hub.get(COURT, paper, None).await.unwrap_err();
        assert_eq!(reason(&refused), "SEALED");
    }
    assert_eq!(hub.records(COURT).await.len(), before, "what is refused is no access");
    hub.audit();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_adults_assessment_stays_open_whatever_else_the_person_once_did() {
    let hub = Queried::start(true).await;
    hub.release().await;
    // Years later: the record of the youth is sealed, and the new thread is none of it.
    let commission = json!({
        "subject": enrolment()["subject"],
        "chosen_agencies": [CORRECTIONS],
        "assessment_commission": { "intended_place": "440106", "case_summary": "盗窃" },
    });
    let (commission, _) = hub.process.submit(COURT, commission).await;
    hub.get(COURT, &commission, None).await.unwrap();
    assert_eq!(hub.accesses(COURT).await, []);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_stream_that_was_behind_gets_what_is_settled_without_its_content() {
    let hub = Queried::start(true).await;
    let mut inbox = InboxServiceClient::new(hub.process.connect(CORRECTIONS).await);
    let open = pb::SubscribeOpen {
        agency: CORRECTIONS.to_owned(),
        after_inbox_number: Some(0),
        credits: 0,
        ..pb::SubscribeOpen::default()
    };
    let (ask, asks) = tokio::sync::mpsc::channel(2);
    let say = async |message| {
        ask.send(pb::SubscribeRequest { message: Some(message) }).await.unwrap();
    };
    say(asked::Message::Open(open)).await;
    let mut stream = inbox.subscribe(ReceiverStream::new(asks)).await.unwrap().into_inner();
    let opened = stream.message().await.unwrap().unwrap().message;
    assert!(matches!(opened, Some(answered::Message::Opened(_))), "{opened:?}");
    // It came while the stream listened, and another signed for it.
    let body = json!({ "measure_time": "2026-11-24T08:00:00+08:00", "guard": POLICE,
        "measure": "MEASURE_KIND_ADMINISTRATIVE_DETENTION" });
    hub.process.submit(POLICE, hub.about("coercive_measure_notice", body)).await;
    hub.acknowledge(CORRECTIONS, &hub.inbox(CORRECTIONS).await.remove(0)).await;
    say(asked::Message::AddCredits(1)).await;
    let delivery = loop {
        match stream.message().await.unwrap().unwrap().message.unwrap() {
            answered::Message::Delivery(delivery) => break delivery,
            answered::Message::Heartbeat(_) => {}
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(delivery.stage(), pb::Stage::Acknowledged);
    assert!(delivery.withheld && delivery.signed_document.is_none());
    assert!(delivery.receipt.is_some(), "the proof stays");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agency_has_so_many_accesses_a_minute_and_the_ledger_no_more_records() {
    let hub = Queried::start(true).await;
    let found = hub.query(Queried::request(BY_COURT)).await.unwrap();
    let paper = found.documents[0].document.clone().unwrap();
    for _ in 1..limits::ACCESSES_PER_MINUTE {
        hub.get(COURT, &paper, Some(found.index)).await.unwrap();
    }
    let refused = hub.get(COURT, &paper, Some(found.index)).await.unwrap_err();
    assert_eq!((reason(&refused), refused.code()), ("QUOTA", Code::Unavailable));
    assert_eq!(reason(&hub.query(Queried::request(BY_COURT)).await.unwrap_err()), "QUOTA");
    assert_eq!(hub.accesses(COURT).await.len(), limits::ACCESSES_PER_MINUTE);
    // Another agency has its own, and the next minute is another.
    hub.custody(CORRECTIONS).await.unwrap();
    let clock = hub.process.folder().join("clock");
    std::fs::write(clock, (NOW.0 + 60_000).to_string()).unwrap();
    hub.get(COURT, &paper, Some(found.index)).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_query_opens_the_custody_that_its_documents_tell_and_no_more() {
    let hub = Queried::start(true).await;
    hub.release().await;
    let custody = async |agency: &'static str, query: u64| {
        let request = pb::GetCustodyRequest {
            agency: agency.to_owned(),
            correction_case: hub.case.clone(),
            query: Some(query),
            ..pb::GetCustodyRequest::default()
        };
        let mut client = SupervisionServiceClient::new(hub.process.connect(agency).await);
        client.get_custody(request).await.map(tonic::Response::into_inner)
    };
    let steps = |answer: pb::GetCustodyResponse| {
        answer.steps.iter().map(pb::PastStep::step).collect::<Vec<_>>()
    };
    let supervision = hub.query(Queried::request(BY_COURT)).await.unwrap();
    let shown = custody(COURT, supervision.index).await.unwrap();
    assert_eq!(shown.custody.as_ref().unwrap().state(), pb::CustodyState::Released);
    assert_eq!(steps(shown), [pb::CustodyStep::Release]);
    let last = hub.accesses(COURT).await.pop().unwrap();
    assert_eq!((&*last.method, last.by_query.unwrap().0), ("GetCustody", supervision.index));
    // The handover's papers took another step.
    let handover =
        hub.query(Queried::request(Ask { topic: "handover", ..BY_COURT })).await.unwrap();
    let shown = custody(COURT, handover.index).await.unwrap();
    assert_eq!(steps(shown), [pb::CustodyStep::Accept]);
    // A query for what the statute does not except finds no case, and another's query opens nothing.
    let idle = Ask { purpose: pb::QueryPurpose::Supervision, ..BY_COURT };
    let idle = hub.query(Queried::request(idle)).await.unwrap();
    assert_eq!(reason(&custody(COURT, idle.index).await.unwrap_err()), "SEALED");
    assert_eq!(reason(&custody(CORRECTIONS, supervision.index).await.unwrap_err()), "SEALED");
    assert_eq!(reason(&custody(DETENTION, supervision.index).await.unwrap_err()), "NOT_FOUND");
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_and_streams_tell_of_a_sealed_record_no_more_than_what_is_under_way() {
    let hub = Queried::start(true).await;
    let body = json!({ "measure_time": "2026-11-24T08:00:00+08:00", "guard": POLICE,
        "measure": "MEASURE_KIND_ADMINISTRATIVE_DETENTION" });
    let measure =
        hub.process.submit(POLICE, hub.about("coercive_measure_notice", body)).await.0.document_id;
    let mut told = 1;
    for agency in [CORRECTIONS, PROCURATORATE, OTHER_PROCURATORATE, COURT] {
        let inbox = hub.inbox(agency).await.into_iter();
        for delivery in inbox.filter(|it| it.document_type == "coercive_measure_notice") {
            hub.acknowledge(agency, &delivery).await;
            told += 1;
        }
    }
    let times = |watched: Vec<String>, id: &str| watched.iter().filter(|it| *it == id).count();
    assert_eq!(times(hub.watched(POLICE).await, &measure), told, "taken, and signed for by each");
    assert!(hub.listed(POLICE).await.contains(&measure));
    let notice = hub.release().await.document_id;
    // The release is on its way to three, of whom the court signs for it.
    hub.acknowledge(COURT, &hub.inbox(COURT).await.remove(0)).await;
    assert_eq!(hub.listed(CORRECTIONS).await, [&*notice], "not settled everywhere");
    assert_eq!(times(hub.watched(CORRECTIONS).await, &notice), 2);
    assert_eq!(times(hub.watched(POLICE).await, &measure), 0);
    assert!(!hub.listed(POLICE).await.contains(&measure));
    // That the term had a year to run is about the end itself.
    assert!(hub.alarms(PROCURATORATE).await.contains(&"contradiction".to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_lost_leaves_no_record_that_it_was_shown() {
    let hub = Queried::start(true).await;
    let (notice, sha256) = hub.release_with_a_file().await;
    hub.acknowledge(COURT, &hub.inbox(COURT).await.remove(0)).await;
    let found = hub.query(Queried::request(BY_COURT)).await.unwrap();
    std::fs::remove_dir_all(hub.process.folder().join("attachments")).unwrap();
    let refused = hub.download(&notice, &sha256, Some(found.index)).await.unwrap_err();
    assert_eq!(reason(&refused), "NOT_FOUND");
    assert_eq!(hub.accesses(COURT).await, [found.access]);
}
