//! Queries of persons (查询), and what is protected of a juvenile, over the real program.

use base64::prelude::{BASE64_STANDARD, Engine as _};
use pb::attachment_service_client::AttachmentServiceClient;
use pb::exchange_service_client::ExchangeServiceClient;
use pb::inbox_service_client::InboxServiceClient;
use pb::ledger_service_client::LedgerServiceClient;
use pb::query_person_request::Person;
use pb::query_service_client::QueryServiceClient;
use pb::supervision_service_client::SupervisionServiceClient;
use pb::upload_attachment_request::Message;
use prost::Message as _;
use serde_json::{Value, json};
use tonic::{Code, Status};
use xianjie::wire;
use xianjie::wire::pb;
use xianjie_core::domain::access::{Access, Purpose};
use xianjie_core::domain::agency::{Right, System};
use xianjie_core::domain::decide::Change;
use xianjie_core::domain::record::{Kind, Record};
use xianjie_core::ids::{Digest, InboxNumber};
use xianjie_core::ledger::sha256;

use crate::people::{code, enrolment, wire_acknowledgement};
use crate::process::{Process, program};
use crate::rulebooks::lay_down;

mod juveniles;

const COURT: &str = "yuexiu-court";
const CORRECTIONS: &str = "tianhe-corrections";
const PROCURATORATE: &str = "tianhe-procuratorate";
const OTHER_PROCURATORATE: &str = "yuexiu-procuratorate";
const POLICE: &str = "tianhe-police";
const DETENTION: &str = "yuexiu-detention";

/// A small file.
const FILE: &[u8] = b"%PDF-1.7\n\xe7\xa4\xba\xe4\xbe\x8b";

/// A hub that holds one person's papers.
struct Queried {
    process: Process,
    case: String,
}

/// What an agency asks, and how.
#[derive(Clone, Copy)]
struct Ask {
    agency: &'static str,
    topic: &'static str,
    purpose: pb::QueryPurpose,
}

/// A court that handles a case asks how the person is supervised.
const BY_COURT: Ask =
    Ask { agency: COURT, topic: "supervision", purpose: pb::QueryPurpose::CaseHandling };

impl Queried {
    /// A person under correction, with a warning and an admonition that went to nobody.
    async fn start(juvenile: bool) -> Self {
        let mut hub = Self { process: Process::start().await, case: String::new() };
        let mut enrolment = enrolment();
        enrolment["subject"]["juvenile"] = juvenile.into();
        hub.case = hub.process.submit(CORRECTIONS, enrolment).await.1;
        for (kind, facts) in [("ADMONITION", "迟到"), ("WARNING", "未报告")] {
            let kind = format!("DISCIPLINE_KIND_{kind}");
            let body =
                json!({ "discipline_kind": kind, "given_date": "2026-11-20", "facts": facts });
            hub.process.submit(CORRECTIONS, hub.about("discipline_record", body)).await;
        }
        hub
    }

    /// A paper of the case.
    fn about(&self, kind: &str, body: Value) -> Value {
        let subject = json!({ "correction_case": self.case });
        json!({ "subject": subject, "issue_date": "2026-11-23", kind: body })
    }

    /// Ends the correction: the court, the procuratorate and the police of the place are told.
    async fn release(&self) -> pb::DocumentRef {
        let body =
            json!({ "release_ground": "RELEASE_GROUND_EXPIRY", "release_date": "2026-11-24" });
        self.process.submit(CORRECTIONS, self.about("release_notice", body)).await.0
    }

    /// The same, with [`FILE`] and its digest.
    async fn release_with_a_file(&self) -> (pb::DocumentRef, Vec<u8>) {
        let sha256 = sha256(&[FILE]).0.to_vec();
        let channel = self.process.connect(CORRECTIONS).await;
        let open = pb::UploadOpen {
            agency: CORRECTIONS.to_owned(),
            sha256: sha256.clone(),
            size_bytes: FILE.len() as u64,
            offset: 0,
        };
        let messages = [Message::Open(open), Message::Chunk(FILE.to_vec().into())];
        let messages =
            messages.map(|message| pb::UploadAttachmentRequest { message: Some(message) });
        let mut attachments = AttachmentServiceClient::new(channel);
        attachments.upload_attachment(tokio_stream::iter(messages)).await.unwrap();
        let body =
            json!({ "release_ground": "RELEASE_GROUND_EXPIRY", "release_date": "2026-11-24" });
        let mut fields = self.about("release_notice", body);
        fields["attachments"] = json!([{
            "name": "解除通知书.pdf",
            "kind": "解除社区矫正通知书",
            "media_type": "application/pdf",
            "size_bytes": FILE.len().to_string(),
            "sha256": BASE64_STANDARD.encode(&sha256),
        }]);
        (self.process.submit(CORRECTIONS, fields).await.0, sha256)
    }

    /// The court fetches a file of a document.
    async fn download(
        &self,
        document: &pb::DocumentRef,
        sha256: &[u8],
        query: Option<u64>,
    ) -> Result<Vec<u8>, Status> {
        let request = pb::DownloadAttachmentRequest {
            agency: COURT.to_owned(),
            document: Some(document.clone()),
            sha256: sha256.to_vec(),
            offset: 0,
            query,
        };
        let channel = self.process.connect(COURT).await;
        let mut chunks = AttachmentServiceClient::new(channel).download_attachment(request).await?;
        chunks.get_mut().message().await.map(|chunk| chunk.unwrap().chunk.to_vec())
    }

    fn request(ask: Ask) -> pb::QueryPersonRequest {
        pb::QueryPersonRequest {
            agency: ask.agency.to_owned(),
            topic: ask.topic.to_owned(),
            ground: Some(pb::LegalGround {
                purpose: ask.purpose.into(),
                article: "刑诉法 286".to_owned(),
            }),
            person: Some(Person::Identity(pb::PersonNumber {
                kind: pb::IdentityKind::ResidentId.into(),
                number: "11010519491231002X".to_owned(),
            })),
            ..pb::QueryPersonRequest::default()
        }
    }

    async fn query(&self, request: pb::QueryPersonRequest) -> Result<Found, Status> {
        let channel = self.process.connect(&request.agency).await;
        let answer = QueryServiceClient::new(channel).query_person(request).await?.into_inner();
        let receipt = answer.query.unwrap();
        let record = wire::record::decode(&receipt.record).unwrap();
        let types = answer.documents.iter().map(|found| found.document_type.clone()).collect();
        let (documents, next) = (answer.documents, answer.next_page_token);
        Ok(Found { index: receipt.index, access: access(record), documents, types, next })
    }

    async fn get(
        &self,
        agency: &str,
        document: &pb::DocumentRef,
        query: Option<u64>,
    ) -> Result<pb::GetDocumentResponse, Status> {
        let (agency, document) = (agency.to_owned(), Some(document.clone()));
        let mut exchange = ExchangeServiceClient::new(self.process.connect(&agency).await);
        let request = pb::GetDocumentRequest { agency, document, query };
        exchange.get_document(request).await.map(tonic::Response::into_inner)
    }

    /// Every record that an agency may list.
    async fn records(&self, agency: &str) -> Vec<Record> {
        let mut ledger = LedgerServiceClient::new(self.process.connect(agency).await);
        let request = pb::ListRecordsRequest {
            agency: agency.to_owned(),
            page_size: 1000,
            ..pb::ListRecordsRequest::default()
        };
        let page = ledger.list_records(request).await.unwrap().into_inner();
        let records = page.receipts.iter();
        records.map(|receipt| wire::record::decode(&receipt.record).unwrap()).collect()
    }

    /// The accesses that an agency may see, in the order of the ledger.
    async fn accesses(&self, agency: &str) -> Vec<Access> {
        let records = self.records(agency).await.into_iter();
        records.filter(|it| matches!(it.kind, Kind::Access(_))).map(access).collect()
    }

    async fn inbox(&self, agency: &str) -> Vec<pb::Delivery> {
        let mut inbox = InboxServiceClient::new(self.process.connect(agency).await);
        let request = pb::ListDeliveriesRequest {
            agency: agency.to_owned(),
            ..pb::ListDeliveriesRequest::default()
        };
        inbox.list_deliveries(request).await.unwrap().into_inner().deliveries
    }

    async fn acknowledge(&self, agency: &str, delivery: &pb::Delivery) {
        let leaf = &delivery.receipt.as_ref().unwrap().leaf;
        let item = (InboxNumber(delivery.inbox_number), Digest(leaf[9..].try_into().unwrap()));
        let statement = self.process.people.acknowledgement(agency, vec![item]);
        let request = pb::AcknowledgeDeliveriesRequest {
            agency: agency.to_owned(),
            acknowledgements: vec![wire_acknowledgement(&statement)],
        };
        let mut inbox = InboxServiceClient::new(self.process.connect(agency).await);
        let answer = inbox.acknowledge_deliveries(request).await.unwrap().into_inner();
        assert_eq!(answer.results[0].refusal, None);
    }

    async fn custody(&self, agency: &str) -> Result<pb::GetCustodyResponse, Status> {
        let request = pb::GetCustodyRequest {
            agency: agency.to_owned(),
            correction_case: self.case.clone(),
            ..pb::GetCustodyRequest::default()
        };
        let channel = self.process.connect(agency).await;
        let answer = SupervisionServiceClient::new(channel).get_custody(request).await;
        answer.map(tonic::Response::into_inner)
    }

    /// The stopped hub's ledger is whole, and every record what the law makes of it.
    fn audit(mut self) {
        self.process.stop();
        let audit = program(&["audit", "--law", "--folder"]).arg(self.process.folder()).output();
        let audit = audit.unwrap();
        assert!(audit.status.success(), "{}", String::from_utf8_lossy(&audit.stdout));
    }
}

/// A page of an answer.
#[derive(Debug)]
struct Found {
    index: u64,
    access: Access,
    documents: Vec<pb::FoundDocument>,
    types: Vec<String>,
    next: String,
}

fn access(record: Record) -> Access {
    match record.kind {
        Kind::Access(access) => *access,
        other => panic!("{other:?}"),
    }
}

fn reason(status: &Status) -> &str {
    status.metadata().get("xianjie-reason").map_or("", |value| value.to_str().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_query_is_in_the_ledger_and_opens_what_it_found() {
    let hub = Queried::start(false).await;
    let found = hub.query(Queried::request(BY_COURT)).await.unwrap();
    assert_eq!(found.types, ["discipline_record", "discipline_record"]);
    assert!(found.documents[0].index > found.documents[1].index, "newest first");
    assert_eq!(found.documents[0].issue_date, "2026-11-23");
    assert_eq!(found.documents[0].correction_case, hub.case);
    let Access { agency, system, method, cases, query, .. } = &found.access;
    assert_eq!((agency.as_str(), system.as_str(), &**method), (COURT, COURT, "QueryPerson"));
    assert!(cases.iter().map(ToString::to_string).eq([&*hub.case]));
    let allowed = query.as_ref().unwrap();
    let query = &allowed.query;
    assert_eq!(
        (query.topic.as_str(), query.ground.purpose),
        ("supervision", Purpose::CaseHandling)
    );
    assert!(allowed.opens.iter().any(|kind| kind.as_str() == "discipline_record"));
    // Those who supervise the court and the place see that it was made; the agency itself does not.
    for supervisor in [OTHER_PROCURATORATE, PROCURATORATE, COURT] {
        let seen = hub.accesses(supervisor).await;
        assert_eq!(seen, std::slice::from_ref(&found.access), "{supervisor}");
    }
    for other in [CORRECTIONS, POLICE, DETENTION] {
        assert_eq!(hub.accesses(other).await, [], "{other}");
    }
    // By the query, and by no other way and for nobody else, the court sees a paper that nobody got.
    let paper = found.documents[0].document.clone().unwrap();
    let shown = hub.get(COURT, &paper, Some(found.index)).await.unwrap();
    let signed = shown.signed_document.unwrap();
    let document = pb::Document::decode(signed.document).unwrap();
    let Some(pb::document::Body::DisciplineRecord(body)) = document.body else { panic!() };
    assert_eq!(body.facts, "未报告");
    for (agency, query) in [(COURT, None), (COURT, Some(0)), (POLICE, Some(found.index))] {
        let refused = hub.get(agency, &paper, query).await.unwrap_err();
        assert_eq!(refused.code(), Code::NotFound, "{agency} {query:?}");
    }
    // The query of one topic opens no other's papers, and none that came after it.
    let handover = Ask { topic: "handover", ..BY_COURT };
    let other = hub.query(Queried::request(handover)).await.unwrap();
    assert_eq!(other.types, ["case_enrolment"]);
    assert_eq!(hub.get(COURT, &paper, Some(other.index)).await.unwrap_err().code(), Code::NotFound);
    let later = hub.release().await;
    let refused = hub.get(DETENTION, &later, Some(found.index)).await.unwrap_err();
    assert_eq!(refused.code(), Code::NotFound);
    hub.audit();
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_of_a_query_cost_one_record_and_show_what_there_was() {
    let hub = Queried::start(false).await;
    let mut request = Queried::request(BY_COURT);
    request.page_size = 1;
    let first = hub.query(request.clone()).await.unwrap();
    hub.release().await;
    request.page_token = first.next.clone();
    let second = hub.query(request.clone()).await.unwrap();
    assert_eq!((second.index, second.types.len()), (first.index, 1));
    assert!(second.documents[0].index < first.documents[0].index);
    // What is left of the case belongs to no page of this topic.
    request.page_token = second.next.clone();
    let last = hub.query(request.clone()).await.unwrap();
    assert_eq!((last.types.len(), &*last.next), (0, ""));
    assert_eq!(hub.accesses(COURT).await.len(), 1);
    // Nobody goes on with another's query.
    request.agency = POLICE.to_owned();
    let refused = hub.query(request.clone()).await.unwrap_err();
    assert_eq!((reason(&refused), refused.code()), ("NOT_FOUND", Code::NotFound));
    // Asked anew, the release is there.
    let again = hub.query(Queried::request(BY_COURT)).await.unwrap();
    assert_eq!(again.types[0], "release_notice");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_query_opens_what_its_topic_held_when_it_was_made() {
    let mut hub = Queried::start(false).await;
    let digest = lay_down(&mut hub.process, |text| {
        let (before, topic) = text.split_once("[topic.supervision]").unwrap();
        let without = topic.replacen("  \"discipline_record\",\n", "", 1);
        assert_ne!(without, topic);
        format!("{before}[topic.supervision]{without}")
    });
    let mut request = Queried::request(BY_COURT);
    request.page_size = 1;
    let first = hub.query(request.clone()).await.unwrap();
    hub.process.change(&[Change::ActivateRulebooks(digest)]).await;
    // The rest of the answer, and what it opens, are those of then.
    request.page_token = first.next.clone();
    let second = hub.query(request).await.unwrap();
    assert_eq!(second.types, ["discipline_record"]);
    let paper = second.documents[0].document.clone().unwrap();
    assert!(hub.get(COURT, &paper, Some(first.index)).await.is_ok());
    let anew = hub.query(Queried::request(BY_COURT)).await.unwrap();
    assert_eq!(anew.types, [] as [&str; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_right_topic_or_ground_nothing_is_asked_and_nothing_recorded() {
    let hub = Queried::start(false).await;
    let by = |change: &dyn Fn(&mut pb::QueryPersonRequest)| {
        let mut request = Queried::request(BY_COURT);
        change(&mut request);
        request
    };
    let article = |article: &'static str| {
        by(&move |request| request.ground.as_mut().unwrap().article = article.to_owned())
    };
    let wrong = [
        (by(&|request| request.ground = None), "REQUIRED", "ground"),
        (by(&|request| request.ground.as_mut().unwrap().purpose = 0), "REQUIRED", "ground.purpose"),
        (
            by(&|request| request.ground.as_mut().unwrap().purpose = 9),
            "UNKNOWN_FIELD",
            "ground.purpose",
        ),
        (article(""), "REQUIRED", "ground.article"),
        (article("11010519491231002X"), "FORMAT", "ground.article"),
        (by(&|request| request.topic = "gossip".to_owned()), "FORMAT", "topic"),
        (by(&|request| request.person = None), "REQUIRED", "person"),
        (
            by(&|request| {
                let kind = pb::IdentityKind::ResidentId.into();
                let number = "110105194912310021".to_owned();
                request.person = Some(Person::Identity(pb::PersonNumber { kind, number }));
            }),
            "CHECK_DIGIT",
            "identity.number",
        ),
    ];
    for (request, why, field) in wrong {
        let refused = hub.query(request).await.unwrap_err();
        assert_eq!(reason(&refused), why, "{field}");
        let details = tonic_types::StatusExt::get_details_bad_request(&refused).unwrap();
        assert_eq!(details.field_violations[0].field, field);
        assert!(!format!("{refused:?}").contains("11010519491231"), "no value is repeated");
    }
    // A system without the right.
    let rights = [Right::Submit, Right::Receive, Right::Acknowledge, Right::Supervise].into();
    let system = System {
        code: COURT.parse().unwrap(),
        name: COURT.to_owned(),
        agencies: [(code(COURT), rights)].into(),
        gateway: false,
        suspended: false,
    };
    hub.process.change(&[Change::PutSystem(Box::new(system))]).await;
    let refused = hub.query(Queried::request(BY_COURT)).await.unwrap_err();
    assert_eq!(reason(&refused), "NOT_CARRIED");
    assert_eq!(hub.accesses(COURT).await, []);
    // Nobody of that number: asked, recorded, nothing found.
    let mut nobody = Queried::request(Ask { agency: POLICE, ..BY_COURT });
    nobody.person = Some(Person::CorrectionCase("0".repeat(32)));
    let found = hub.query(nobody).await.unwrap();
    assert!(found.documents.is_empty() && found.access.cases.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn each_further_showing_of_a_juveniles_paper_is_recorded_before() {
    let hub = Queried::start(true).await;
    let body = json!({ "measure_time": "2026-11-24T08:00:00+08:00", "guard": POLICE,
        "measure": "MEASURE_KIND_ADMINISTRATIVE_DETENTION" });
    let (paper, _) = hub.process.submit(POLICE, hub.about("coercive_measure_notice", body)).await;
    // It is delivered once, and that is no access.
    let delivered = hub.inbox(CORRECTIONS).await.remove(0);
    assert!(delivered.signed_document.is_some() && !delivered.withheld);
    hub.acknowledge(CORRECTIONS, &delivered).await;
    assert_eq!(hub.accesses(CORRECTIONS).await, []);
    // Settled, it comes again without its content; the proof stays.
    let again = hub.inbox(CORRECTIONS).await.remove(0);
    assert!(again.signed_document.is_none() && again.withheld);
    assert_eq!(again.receipt.unwrap().index, delivered.receipt.as_ref().unwrap().index);
    // Whoever needs it again has it, on record.
    hub.get(CORRECTIONS, &paper, None).await.unwrap();
    hub.custody(CORRECTIONS).await.unwrap();
    let [shown, custody] = &hub.accesses(PROCURATORATE).await[..] else { panic!() };
    assert_eq!((&*shown.method, &*custody.method), ("GetDocument", "GetCustody"));
    assert_eq!(shown.document.unwrap().0, delivered.receipt.unwrap().index);
    assert_eq!((shown.agency.as_str(), custody.document), (CORRECTIONS, None));
    // Who may not see it leaves no record.
    assert_eq!(hub.get(DETENTION, &paper, None).await.unwrap_err().code(), Code::NotFound);
    assert_eq!(hub.accesses(POLICE).await, []);
    assert_eq!(hub.accesses(PROCURATORATE).await.len(), 2);
    hub.audit();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_recorded_is_not_shown() {
    let mut hub = Queried::start(true).await;
    let found = hub.query(Queried::request(BY_COURT)).await.unwrap();
    let paper = found.documents[0].document.clone().unwrap();
    assert!(hub.get(CORRECTIONS, &paper, None).await.is_ok());
    let before = hub.accesses(CORRECTIONS).await.len();
    // Of the disk only the reserve is left.
    hub.process.stop();
    let config = hub.process.folder().join("xianjie.toml");
    let text = std::fs::read_to_string(&config).unwrap();
    let reserve = text.lines().find(|line| line.starts_with("reserve_bytes")).unwrap();
    let all = text.replace(reserve, "reserve_bytes = 9000000000000000000");
    std::fs::write(&config, all).unwrap();
    hub.process.restart();
    for refused in [
        hub.get(CORRECTIONS, &paper, None).await.unwrap_err(),
        hub.custody(CORRECTIONS).await.unwrap_err(),
        hub.query(Queried::request(BY_COURT)).await.map(drop).unwrap_err(),
    ] {
        assert_eq!(refused.code(), Code::Unavailable, "{refused:?}");
    }
    assert_eq!(hub.accesses(CORRECTIONS).await.len(), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn from_the_end_of_correction_a_juveniles_record_is_sealed_for_everyone() {
    let hub = Queried::start(true).await;
    let before = hub.records(CORRECTIONS).await.len();
    let notice = hub.release().await;
    // Nothing is lost: what is on its way still arrives, once.
    let delivered = hub.inbox(COURT).await.remove(0);
    assert!(delivered.signed_document.is_some());
    assert!(hub.get(COURT, &notice, None).await.is_ok());
    hub.acknowledge(COURT, &delivered).await;
    assert!(hub.inbox(COURT).await[0].withheld);
    for agency in [COURT, CORRECTIONS] {
        let refused = hub.get(agency, &notice, None).await.unwrap_err();
        assert_eq!(
            (reason(&refused), refused.code()),
            ("SEALED", Code::PermissionDenied),
            "{agency}"
        );
        assert_eq!(reason(&hub.custody(agency).await.unwrap_err()), "SEALED", "{agency}");
    }
    assert!(hub.records(CORRECTIONS).await.len() < before, "lists leave it out");
    // To strangers nothing is sealed: it does not exist.
    assert_eq!(reason(&hub.get(DETENTION, &notice, None).await.unwrap_err()), "NOT_FOUND");
    // A query for anything but what the statute excepts finds nothing; one for that opens it, on record.
    let idle = Ask { purpose: pb::QueryPurpose::Supervision, ..BY_COURT };
    let found = hub.query(Queried::request(idle)).await.unwrap();
    assert!(found.documents.is_empty() && found.access.cases.is_empty());
    assert_eq!(reason(&hub.get(COURT, &notice, Some(found.index)).await.unwrap_err()), "SEALED");
    let found = hub.query(Queried::request(BY_COURT)).await.unwrap();
    assert_eq!(found.types, ["release_notice", "discipline_record", "discipline_record"]);
    hub.get(COURT, &notice, Some(found.index)).await.unwrap();
    let last = hub.accesses(OTHER_PROCURATORATE).await.pop().unwrap();
    assert_eq!(last.by_query.unwrap().0, found.index);
    hub.audit();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_of_a_sealed_record_is_sealed_too() {
    let hub = Queried::start(true).await;
    let (notice, sha256) = hub.release_with_a_file().await;
    // With its delivery it comes, and that is no access.
    assert_eq!(hub.download(&notice, &sha256, None).await.unwrap(), FILE[..]);
    assert_eq!(hub.accesses(COURT).await, []);
    hub.acknowledge(COURT, &hub.inbox(COURT).await.remove(0)).await;
    assert_eq!(reason(&hub.download(&notice, &sha256, None).await.unwrap_err()), "SEALED");
    let found = hub.query(Queried::request(BY_COURT)).await.unwrap();
    assert_eq!(hub.download(&notice, &sha256, Some(found.index)).await.unwrap(), FILE[..]);
    let last = hub.accesses(COURT).await.pop().unwrap();
    assert_eq!((&*last.method, last.by_query.unwrap().0), ("DownloadAttachment", found.index));
}
