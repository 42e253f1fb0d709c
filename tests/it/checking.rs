//! `CheckDocument` over the real program: useful before anything is signed, and no way to ask about a
//! person without a trace.

use pb::exchange_service_client::ExchangeServiceClient;
use serde_json::{Value, json};
use xianjie::wire::json::document_from_json;
use xianjie::wire::pb;
use xianjie_core::domain::agency::{Kind, Right, System};
use xianjie_core::domain::decide::Change;

use crate::hostile::documents::{submit, verdict};
use crate::people::{agency, code, enrolment, wire_document};
use crate::process::Process;

const COURT: &str = "yuexiu-court";
const OTHER_COURT: &str = "liwan-court";
const CORRECTIONS: &str = "tianhe-corrections";
const DETENTION: &str = "yuexiu-detention";

/// The number of the person whose case there is, and that of one whom no case knows.
const KNOWN: &str = "11010519491231002X";
const UNKNOWN: &str = "440106199001010013";

/// A hub with a court more, which comes through the first one's system.
async fn with_another_court() -> Process {
    let process = Process::start().await;
    let agencies = [COURT, OTHER_COURT].map(|court| {
        let rights = Right::WORDS.iter().map(|(right, _)| *right).collect();
        (code(court), rights)
    });
    let system = System {
        code: COURT.parse().unwrap(),
        name: "示例法院系统".to_owned(),
        agencies: agencies.into(),
        gateway: true,
        suspended: false,
    };
    let court = agency(OTHER_COURT, Kind::BasicCourt, "440103", "yuexiu-procuratorate");
    process
        .change(&[Change::PutAgency(Box::new(court)), Change::PutSystem(Box::new(system))])
        .await;
    process
}

/// What is told of a document that is not signed yet.
async fn check(
    process: &Process,
    through: &str,
    agency: &str,
    fields: &Value,
) -> pb::CheckDocumentResponse {
    let mut json = process.people.header(agency);
    for (name, value) in fields.as_object().unwrap() {
        json[name] = value.clone();
    }
    let document = document_from_json(process.people.schema(), &json).unwrap();
    let signed_document = pb::SignedDocument { document: document.into(), signatures: Vec::new() };
    let request = pb::CheckDocumentRequest {
        agency: agency.to_owned(),
        signed_document: Some(signed_document),
    };
    let mut exchange = ExchangeServiceClient::new(process.connect(through).await);
    exchange.check_document(request).await.unwrap().into_inner()
}

/// What is told of the same document about another person; only its bytes differ.
async fn about(
    process: &Process,
    (through, agency): (&str, &str),
    mut fields: Value,
    number: &str,
) -> pb::CheckDocumentResponse {
    fields["subject"]["identity_number"] = number.into();
    fields["subject"].as_object_mut().unwrap().remove("birth_date");
    let checked = check(process, through, agency, &fields).await;
    pb::CheckDocumentResponse { document_sha256: Vec::new(), ..checked }
}

async fn send(process: &Process, sender: &str, fields: Value) -> pb::SubmitDocumentResponse {
    let paper = wire_document(&process.people.document(sender, fields));
    submit(&process.connect(sender).await, sender, &paper).await.unwrap()
}

/// The reasons told, but that nobody has signed yet.
fn reasons(checked: &pb::CheckDocumentResponse) -> Vec<&str> {
    let reasons = checked.violations.iter().map(|violation| violation.reason.as_str());
    reasons.filter(|reason| *reason != "SIGNATURE_MISSING").collect()
}

/// A person is brought (人员移送): whoever holds them is no party to the case yet.
fn transfer() -> Value {
    json!({
        "execution_place": "440106",
        "case_number": "（2026）粤0104刑初示例1号",
        "decision_date": "2026-11-02",
        "subject": {
            "name": "示例甲（虚构）",
            "identity_kind": "IDENTITY_KIND_RESIDENT_ID",
            "category": "CATEGORY_PROBATION",
            "juvenile": false,
        },
        "person_transfer": { "handover_time": "2026-11-24T08:30:00+08:00" },
    })
}

/// The person's coercive measure (强制措施) is told of: the type seeks their case, and opens none.
fn measure() -> Value {
    json!({
        "subject": {
            "name": "示例甲（虚构）",
            "identity_kind": "IDENTITY_KIND_RESIDENT_ID",
            "category": "CATEGORY_PROBATION",
        },
        "coercive_measure_notice": {
            "measure": "MEASURE_KIND_JUDICIAL_DETENTION",
            "measure_time": "2026-11-23T09:00:00+08:00",
        },
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn before_it_is_signed_all_is_told_but_that_nobody_signed() {
    let process = Process::start().await;
    let checked = check(&process, COURT, COURT, &verdict(1)).await;
    let told: Vec<&str> = checked.violations.iter().map(|v| v.reason.as_str()).collect();
    assert_eq!(told, ["SIGNATURE_MISSING"]);
    let to: Vec<&str> = checked.addressees.iter().map(|to| to.agency.as_str()).collect();
    assert!(to.contains(&CORRECTIONS), "{to:?}");
    assert!(checked.opens.iter().any(|duty| duty.name == "报到"), "{:?}", checked.opens);
    assert!(checked.custody.is_some());
    // What else is wrong is told as well.
    let mut wrong = verdict(1);
    wrong["execution_place"] = json!("440103");
    let checked = check(&process, COURT, COURT, &wrong).await;
    assert!(reasons(&checked).contains(&"NO_AGENCY"), "{:?}", checked.violations);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_its_own_case_an_agency_is_told_what_would_become_of_its_document() {
    let process = Process::start().await;
    send(&process, COURT, verdict(1)).await;
    let registered = json!({
        "subject": enrolment()["subject"],
        "registration_record": { "reported_date": "2026-11-20" },
    });
    let checked = check(&process, CORRECTIONS, CORRECTIONS, &registered).await;
    assert_eq!(reasons(&checked), Vec::<&str>::new());
    assert!(checked.closes.iter().any(|duty| duty.name == "报到"), "{:?}", checked.closes);
    let step = checked.custody.unwrap().step();
    assert_eq!(step, pb::CustodyStep::Accept);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stranger_cant_tell_whether_a_person_has_a_case_or_how_it_stands() {
    let process = with_another_court().await;
    let (detention, other) = ((DETENTION, DETENTION), (COURT, OTHER_COURT));
    let answers = async || {
        let mut answers = Vec::new();
        for number in [KNOWN, UNKNOWN] {
            let transfer = about(&process, detention, transfer(), number).await;
            answers.push((transfer, about(&process, other, measure(), number).await));
        }
        let [known, unknown] = <[_; 2]>::try_from(answers).unwrap();
        assert_eq!(known, unknown);
        unknown
    };
    // Nobody has a case; the person is awaited; is under correction; is released, and sealed.
    let (transfer, measure) = answers().await;
    assert!(!transfer.addressees.is_empty(), "what would open a case is told whole");
    assert_eq!(reasons(&measure), Vec::<&str>::new(), "whether there is a case is not told");
    let mut judged = verdict(1);
    judged["subject"]["juvenile"] = true.into();
    let case = send(&process, COURT, judged).await.correction_case;
    assert_eq!(answers().await, (transfer.clone(), measure.clone()));
    let subject = json!({ "correction_case": case });
    let registered = json!({ "reported_date": "2026-11-20" });
    let registered = json!({ "subject": subject, "registration_record": registered });
    send(&process, CORRECTIONS, registered).await;
    assert_eq!(answers().await, (transfer.clone(), measure.clone()));
    let released =
        json!({ "release_ground": "RELEASE_GROUND_EXPIRY", "release_date": "2026-11-24" });
    let released = json!({
        "subject": subject,
        "issue_date": "2026-11-23",
        "release_notice": released,
    });
    send(&process, CORRECTIONS, released.clone()).await;
    assert_eq!(answers().await, (transfer, measure));
    // Sealed, it is closed to its own agencies too: the form alone is told, and it is right.
    let again = check(&process, CORRECTIONS, CORRECTIONS, &released).await;
    assert_eq!(reasons(&again), Vec::<&str>::new());
    assert!(again.addressees.is_empty() && again.custody.is_none() && again.flags.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_case_is_told_whole_whatever_others_have_of_the_person() {
    let process = with_another_court().await;
    send(&process, COURT, verdict(1)).await;
    let other = (COURT, OTHER_COURT);
    let known = about(&process, other, verdict(2), KNOWN).await;
    assert!(!known.addressees.is_empty() && !known.opens.is_empty());
    assert_eq!(known, about(&process, other, verdict(2), UNKNOWN).await);
}
