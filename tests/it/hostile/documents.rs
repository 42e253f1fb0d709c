//! Documents with a mistake.

use std::collections::BTreeSet;

use pb::exchange_service_client::ExchangeServiceClient;
use serde_json::{Value, json};
use tonic::Status;
use tonic::transport::Channel;
use tonic_types::StatusExt as _;
use xianjie::wire::json::document_from_json;
use xianjie::wire::pb;
use xianjie_core::refusal::Reason;

use super::{assert_refused, assert_unharmed, fields};
use crate::people::{People, wire_document};
use crate::process::Process;

const COURT: &str = "yuexiu-court";
const POLICE: &str = "tianhe-police";
const PROCURATORATE: &str = "tianhe-procuratorate";

/// One mistake in a verdict: where it is, what stands there, and what it is called.
type Mistake = (&'static str, Value, Reason, &'static str);

#[tokio::test(flavor = "multi_thread")]
async fn every_mistake_is_named() {
    let process = Process::start().await;
    let people = &process.people;
    let channel = process.connect(COURT).await;
    for (path, value, reason, field) in mistakes() {
        let document = wire_document(&people.document(COURT, with(verdict(1), path, value)));
        let what = format!("{path} ({})", reason.name());
        let status = submit(&channel, COURT, &document).await.unwrap_err();
        assert_refused(&what, &status, reason, field);
        assert_checked(&what, &channel, &document, reason, field).await;
    }
    // Tomorrow may be a clock that is ahead.
    let right = with(verdict(1), "issue_date", json!("2026-11-25"));
    let right = wire_document(&people.document(COURT, right));
    submit(&channel, COURT, &right).await.unwrap();
    assert_unharmed(process);
}

fn mistakes() -> Vec<Mistake> {
    use Reason::*;
    let long = "长".repeat(8193);
    let attachment = |field: &str, value: Value| {
        let mut attachment = json!({
            "name": "判决书.pdf",
            "kind": "判决书",
            "media_type": "application/pdf",
            "size_bytes": "3",
            "sha256": "CQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQk=",
        });
        attachment[field] = value;
        json!([attachment])
    };
    vec![
        ("document_id", json!("4f1c2a34-5b6c-4d7e-8f90-a1b2c3d4e5f6"), Format, "document_id"),
        ("document_id", json!(null), Required, "document_id"),
        ("ledger", json!("hub.other.demo/ledger/1"), WrongLedger, "ledger"),
        ("sender", json!("tianhe-police"), NotCarried, "sender"),
        ("sender", json!("No Such Agency"), Format, "sender"),
        ("create_time", json!("1750-01-01T00:00:00Z"), ImpossibleDate, "create_time"),
        ("classification", json!(null), Required, "classification"),
        ("original_form", json!(null), Required, "original_form"),
        ("case_number", json!(null), Required, "case_number"),
        ("case_number", json!("一\u{7}二"), Format, "case_number"),
        ("case_number", json!(long), TooLarge, "case_number"),
        ("handled_by", json!("经办\u{0}人"), Format, "handled_by"),
        ("decision_date", json!("2026年11月2日"), Format, "decision_date"),
        ("decision_date", json!("2026-02-30"), ImpossibleDate, "decision_date"),
        ("effective_date", json!("0026-11-02"), ImpossibleDate, "effective_date"),
        ("issue_date", json!("2026-11-26"), ImpossibleDate, "issue_date"),
        ("execution_place", json!("天河区"), Format, "execution_place"),
        ("execution_place", json!("440103"), NoAgency, ""),
        ("chosen_agencies", json!(["天河区社区矫正机构"]), Format, "chosen_agencies[0]"),
        ("chosen_agencies", json!(["yuexiu-detention"]), ChoiceUnfit, "chosen_agencies[0]"),
        ("subject.identity_number", json!("110105194912310021"), CheckDigit, NUMBER),
        ("subject.identity_number", json!("110105194913310022"), ImpossibleDate, NUMBER),
        ("subject.identity_number", json!("1101051949"), Format, NUMBER),
        ("subject.identity_kind", json!(null), Required, "subject.identity_kind"),
        ("subject.birth_date", json!("1950-01-01"), ImpossibleDate, "subject.birth_date"),
        ("subject.birth_date", json!("2027-01-01"), ImpossibleDate, "subject.birth_date"),
        ("subject.juvenile", json!(null), Required, "subject.juvenile"),
        ("subject.category", json!(null), Required, "subject.category"),
        ("subject.name", json!(null), Required, "subject.name"),
        ("subject.correction_case", json!("第一号"), Format, "subject.correction_case"),
        ("seen", json!({ "size": "99999", "root": ROOT }), SeenMismatch, "seen"),
        ("seen", json!({ "size": "1", "root": ROOT }), SeenMismatch, "seen"),
        ("seen", json!({ "size": "1", "root": "CQk=" }), Format, "seen.root"),
        ("in_reply_to", json!({ "document_id": ID }), Required, "in_reply_to.sender"),
        (
            "after_documents",
            json!([{ "sender": COURT, "document_id": ID }]),
            PredecessorMissing,
            "after_documents[0]",
        ),
        ("replaces", json!({ "sender": COURT, "document_id": ID }), ReplacesNothing, "replaces"),
        (
            "attachments",
            attachment("kind", json!("判决书")),
            AttachmentMissing,
            "attachments[0].sha256",
        ),
        ("attachments", attachment("name", json!("../判决书.pdf")), Format, "attachments[0].name"),
        ("attachments", attachment("name", json!(null)), Required, "attachments[0].name"),
        (
            "attachments",
            attachment("media_type", json!("application/zip")),
            AttachmentUnfit,
            "attachments[0].media_type",
        ),
        (
            "attachments",
            attachment("size_bytes", json!("0")),
            AttachmentUnfit,
            "attachments[0].size_bytes",
        ),
        (
            "attachments",
            attachment("sha256", json!("CQk=")),
            AttachmentUnfit,
            "attachments[0].sha256",
        ),
        ("verdict_handover", json!(null), Required, "body"),
        (
            "verdict_handover.term_start_date",
            json!("2026-11-31"),
            ImpossibleDate,
            "term_start_date",
        ),
        ("verdict_handover.custodian", json!("看守所"), Format, "custodian"),
    ]
}

const NUMBER: &str = "subject.identity_number";
const ROOT: &str = "CQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQk=";
const ID: &str = "01932f4e-7a3b-7c4d-8e5f-0123456789aa";

#[tokio::test(flavor = "multi_thread")]
async fn the_wrong_agency_is_told_so() {
    let process = Process::start().await;
    let people = &process.people;
    let channel = process.connect(PROCURATORATE).await;
    let verdict = wire_document(&people.document(PROCURATORATE, verdict(1)));
    let status = submit(&channel, PROCURATORATE, &verdict).await.unwrap_err();
    assert_refused("a procuratorate sends no verdict", &status, Reason::WrongRole, "sender");
    let answers = [
        ("yuexiu-court", Reason::NotCarried),
        ("no-such-agency", Reason::UnknownSender),
        ("", Reason::Required),
        ("No Agency", Reason::Format),
    ];
    for (agency, reason) in answers {
        let status = submit(&channel, agency, &verdict).await.unwrap_err();
        assert_refused(&format!("as `{agency}`"), &status, reason, "agency");
    }
    let receipt =
        json!({ "return_receipt": { "received_date": "2026-11-24", "receiver": "示例" } });
    let nothing = wire_document(&people.document("tianhe-corrections", receipt.clone()));
    let replies = process.connect("tianhe-corrections").await;
    let status = submit(&replies, "tianhe-corrections", &nothing).await.unwrap_err();
    assert_refused("answers nothing", &status, Reason::ReplyToNothing, "in_reply_to");
    let unknown = json!({ "sender": COURT, "document_id": ID });
    let unknown = people.document("tianhe-corrections", with(receipt, "in_reply_to", unknown));
    let status = submit(&replies, "tianhe-corrections", &wire_document(&unknown)).await;
    let status = status.unwrap_err();
    assert_refused("answers what is not there", &status, Reason::ReplyToNothing, "in_reply_to");
    assert_unharmed(process);
}

/// Everything that is wrong is told at once, in less than 4 KiB.
#[tokio::test(flavor = "multi_thread")]
async fn all_mistakes_are_named_at_once() {
    let process = Process::start().await;
    let channel = process.connect(COURT).await;
    let mistakes = [
        ("ledger", json!("hub.other.demo/ledger/1")),
        ("decision_date", json!("2026-02-30")),
        ("execution_place", json!("天河区")),
        ("subject.identity_number", json!("110105194912310021")),
        ("chosen_agencies", json!(["甲", "乙"])),
        ("verdict_handover.custodian", json!("看守所")),
    ];
    let mut document = verdict(1);
    for (path, value) in mistakes {
        document = with(document, path, value);
    }
    let document = wire_document(&process.people.document(COURT, document));
    let status = submit(&channel, COURT, &document).await.unwrap_err();
    let named: BTreeSet<String> = fields(&status).into_iter().map(|(field, _)| field).collect();
    let expected = [
        "chosen_agencies[0]",
        "chosen_agencies[1]",
        "custodian",
        "decision_date",
        "execution_place",
        "ledger",
        "subject.identity_number",
    ];
    assert_eq!(named.iter().map(String::as_str).collect::<Vec<_>>(), expected);
    assert!(status.details().len() < 4096);

    // A flood of mistakes stays as small.
    let flood: Vec<String> = (0..500).map(|place| format!("非代码{place}")).collect();
    let flood = with(verdict(1), "chosen_agencies", json!(flood));
    let flood = wire_document(&process.people.document(COURT, flood));
    let status = submit(&channel, COURT, &flood).await.unwrap_err();
    assert_refused("flood", &status, Reason::Format, "chosen_agencies[0]");
    assert_eq!(fields(&status).len(), 16);
    assert_unharmed(process);
}

/// Bytes that decoders would read, each in its own way.
#[tokio::test(flavor = "multi_thread")]
async fn bytes_have_one_reading() {
    let process = Process::start().await;
    let people = &process.people;
    let channel = process.connect(COURT).await;
    let whole = document_from_json(people.schema(), &full(people)).unwrap();
    let appended = |more: &[u8]| [&whole[..], more].concat();
    let element = |count: usize| {
        // Field 16, `chosen_agencies`, of one letter.
        appended(&[0x82, 0x01, 0x01, b'a'].repeat(count))
    };
    let deep = (0..200)
        .fold(Vec::new(), |inner: Vec<u8>, _| [&[0x0a][..], &varint(inner.len()), &inner].concat());
    let rows: Vec<(&str, Vec<u8>, Reason, &str)> = vec![
        ("an unknown field", appended(&[0xf8, 0x7f, 0x01]), Reason::UnknownField, ""),
        ("another body", appended(&[0xa2, 0x16, 0x00]), Reason::DuplicateField, "ping"),
        ("the ledger twice", appended(b"\x12\x01a"), Reason::DuplicateField, "ledger"),
        ("an unknown word", appended(&[0x30 + 8, 0x63]), Reason::DuplicateField, "original_form"),
        ("no text", appended(&[0x2a, 0x02, 0xc3, 0x28]), Reason::Malformed, "handled_by"),
        ("a group", appended(&[0x0b, 0x0c]), Reason::Malformed, ""),
        ("a number for a text", appended(&[0x28, 0x01]), Reason::Malformed, "handled_by"),
        ("cut off", whole[..whole.len() - 1].to_vec(), Reason::Malformed, ""),
        ("4,097 elements", element(4097), Reason::TooLarge, ""),
        (
            "deep",
            appended(&[&[0xfa, 0x7f][..], &varint(deep.len()), &deep].concat()),
            Reason::UnknownField,
            "",
        ),
        ("noise", vec![0xff; 64], Reason::Malformed, ""),
        ("nothing", Vec::new(), Reason::Required, "document_id"),
        (
            "too many bytes",
            appended(&[&[0x2a][..], &varint(300_000), &[b'a'; 300_000]].concat()),
            Reason::TooLarge,
            "",
        ),
    ];
    for (what, bytes, reason, field) in rows {
        let document = wire_document(&people.sign(COURT, bytes));
        let status = submit(&channel, COURT, &document).await.unwrap_err();
        assert_refused(what, &status, reason, field);
    }
    assert_unharmed(process);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signature_must_hold() {
    let process = Process::start().await;
    let people = &process.people;
    let channel = process.connect(COURT).await;
    let right = wire_document(&people.document(COURT, verdict(1)));
    let changed = |change: fn(&mut pb::Signature)| {
        let mut document = right.clone();
        change(&mut document.signatures[0]);
        document
    };
    let by = |signer: &xianjie::identity::signature::SigningIdentity| {
        let signed = xianjie::wire::signature::Signed::sign_document;
        wire_document(&signed(right.document.to_vec(), signer))
    };
    let signatures = |count: usize| pb::SignedDocument {
        signatures: vec![right.signatures[0].clone(); count],
        ..right.clone()
    };
    let other_bytes = wire_document(&people.document(COURT, verdict(2)));
    let rows = [
        ("flipped", changed(|s| *s.value.last_mut().unwrap() ^= 1), Reason::SignatureInvalid),
        ("r and s side by side", changed(|s| s.value = vec![7; 64]), Reason::SignatureInvalid),
        ("empty", changed(|s| s.value.clear()), Reason::SignatureInvalid),
        ("another algorithm", changed(|s| s.algorithm = 2), Reason::SignatureInvalid),
        ("no algorithm", changed(|s| s.algorithm = 0), Reason::SignatureInvalid),
        (
            "over other bytes",
            pb::SignedDocument { signatures: other_bytes.signatures, ..right.clone() },
            Reason::SignatureInvalid,
        ),
        ("an unknown key", changed(|s| s.certificate_sha256 = vec![7; 32]), Reason::SignerUnknown),
        ("another agency's key", by(&people.document_key(POLICE)), Reason::SignerUnknown),
        ("the key of receipts", by(&people.acknowledgement_key(COURT)), Reason::SignerUnknown),
    ];
    for (what, document, reason) in rows {
        let status = submit(&channel, COURT, &document).await.unwrap_err();
        assert_refused(what, &status, reason, "signatures[0]");
    }
    let status = submit(&channel, COURT, &changed(|s| s.value = vec![7; 64])).await.unwrap_err();
    assert!(format!("{:?}", fields_help(&status)).contains("DER"), "it says what to do");
    let short = changed(|s| s.certificate_sha256.truncate(31));
    let status = submit(&channel, COURT, &short).await.unwrap_err();
    assert_refused("31 bytes", &status, Reason::Format, "signatures[0].certificate_sha256");
    for count in [0, 5] {
        let status = submit(&channel, COURT, &signatures(count)).await.unwrap_err();
        assert_refused(&format!("{count}"), &status, Reason::SignatureMissing, "signatures");
    }
    submit(&channel, COURT, &right).await.unwrap();
    assert_unharmed(process);
}

/// The same id with other bytes, the same paper under another id, and the same bytes again.
#[tokio::test(flavor = "multi_thread")]
async fn an_id_is_bound_once() {
    let process = Process::start().await;
    let people = &process.people;
    let channel = process.connect(COURT).await;
    let id = people.next_id();
    let first = with(verdict(1), "document_id", json!(id));
    let taken = wire_document(&people.document(COURT, first.clone()));
    let receipt = submit(&channel, COURT, &taken).await.unwrap().receipt.unwrap();
    let other = with(first, "handled_by", json!("另一经办人"));
    let other = wire_document(&people.document(COURT, other));
    let status = submit(&channel, COURT, &other).await.unwrap_err();
    assert_refused("other bytes", &status, Reason::DocumentIdReused, "document_id");
    let again = wire_document(&people.document(COURT, verdict(1)));
    let status = submit(&channel, COURT, &again).await.unwrap_err();
    assert_refused("the same paper", &status, Reason::DuplicateOf, "");
    // Known bytes get their receipt, whatever their signature is now.
    let mut unsigned = taken.clone();
    unsigned.signatures[0].value = vec![7; 64];
    for document in [taken, unsigned] {
        let again = submit(&channel, COURT, &document).await.unwrap().receipt.unwrap();
        assert_eq!((again.index, &again.record), (receipt.index, &receipt.record));
    }
    assert_unharmed(process);
}

/// What is classified is refused before anything is kept of it, whatever else is wrong with it.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_classified_leaves_no_trace() {
    let process = Process::start().await;
    let people = &process.people;
    let channel = process.connect(COURT).await;
    const SECRET: &str = "绝密内容不得留存";
    for (path, value) in [("handled_by", json!(SECRET)), ("decision_date", json!(SECRET))] {
        let document = with(verdict(1), "classification", json!("CLASSIFICATION_SECRET"));
        let document = people.document(COURT, with(document, path, value));
        let status = submit(&channel, COURT, &wire_document(&document)).await.unwrap_err();
        assert_refused("classified", &status, Reason::Classified, "");
        assert!(!format!("{status:?}").contains(SECRET));
    }
    assert!(!process.log().contains(SECRET));
    for file in ["ledger.db", "ledger.db-wal"] {
        let bytes = std::fs::read(process.folder().join(file)).unwrap_or_default();
        let found = bytes.windows(SECRET.len()).any(|part| part == SECRET.as_bytes());
        assert!(!found, "{file} holds it");
    }
    assert_unharmed(process);
}

/// In a bulk stream one refusal stops no other; results come in the order of requests.
#[tokio::test(flavor = "multi_thread")]
async fn one_refusal_stops_no_other() {
    let process = Process::start().await;
    let people = &process.people;
    let channel = process.connect(COURT).await;
    let papers = [
        people.ping(COURT, &[POLICE]),
        people.document(COURT, with(verdict(1), "case_number", json!(null))),
        people.ping(COURT, &["Kein Amt"]),
        people.sign(COURT, vec![0xff; 9]),
        people.ping(COURT, &[POLICE]),
    ];
    let requests = (7..).zip(&papers).map(|(item, paper)| pb::SubmitDocumentsRequest {
        agency: COURT.to_owned(),
        item,
        signed_document: Some(wire_document(paper)),
    });
    let requests = tokio_stream::iter(requests.collect::<Vec<_>>());
    let answers = ExchangeServiceClient::new(channel).submit_documents(requests).await.unwrap();
    let (mut answers, mut results) = (answers.into_inner(), Vec::new());
    while let Some(answer) = answers.message().await.unwrap() {
        results.extend(answer.results);
    }
    let told: Vec<(u64, String)> = results
        .into_iter()
        .map(|result| match result.outcome.unwrap() {
            pb::submit_result::Outcome::Receipt(_) => (result.item, "taken".to_owned()),
            pb::submit_result::Outcome::Refusal(refusal) => (result.item, refusal.reason),
        })
        .collect();
    let expected = ["taken", "REQUIRED", "FORMAT", "MALFORMED", "taken"];
    assert_eq!(told, (7..).zip(expected.map(str::to_owned)).collect::<Vec<_>>());
    assert_unharmed(process);
}

pub(crate) async fn submit(
    channel: &Channel,
    agency: &str,
    document: &pb::SignedDocument,
) -> Result<pb::SubmitDocumentResponse, Status> {
    let request = pb::SubmitDocumentRequest {
        agency: agency.to_owned(),
        signed_document: Some(document.clone()),
    };
    let answer = ExchangeServiceClient::new(channel.clone()).submit_document(request).await;
    answer.map(tonic::Response::into_inner)
}

/// `CheckDocument` says the same beforehand.
async fn assert_checked(
    what: &str,
    channel: &Channel,
    document: &pb::SignedDocument,
    reason: Reason,
    field: &str,
) {
    let request = pb::CheckDocumentRequest {
        agency: COURT.to_owned(),
        signed_document: Some(document.clone()),
    };
    let checked = ExchangeServiceClient::new(channel.clone()).check_document(request).await;
    let violations = checked.unwrap().into_inner().violations;
    let named = violations
        .iter()
        .any(|v| v.reason == reason.name() && (field.is_empty() || v.field == field));
    assert!(named, "{what}: {violations:?}");
}

fn fields_help(status: &Status) -> Vec<String> {
    let violations = status.get_details_bad_request().unwrap().field_violations;
    violations.into_iter().map(|violation| violation.description).collect()
}

fn full(people: &People) -> Value {
    let mut document = people.header(COURT);
    for (name, value) in verdict(1).as_object().unwrap() {
        document[name] = value.clone();
    }
    document
}

/// A verdict (法律文书送达) without a mistake.
pub(crate) fn verdict(number: u32) -> Value {
    json!({
        "case_number": format!("（2026）粤0104刑初示例{number}号"),
        "decision_date": "2026-11-02",
        "effective_date": "2026-11-13",
        "subject": {
            "name": "示例甲（虚构）",
            "identity_kind": "IDENTITY_KIND_RESIDENT_ID",
            "identity_number": "11010519491231002X",
            "birth_date": "1949-12-31",
            "category": "CATEGORY_PROBATION",
            "juvenile": false,
        },
        "execution_place": "440106",
        "verdict_handover": {
            "judgment": {
                "charges": ["危险驾驶罪"],
                "sentence_kind": "SENTENCE_KIND_CRIMINAL_DETENTION",
                "penalty": "拘役二个月，缓刑四个月",
                "probation_period": "四个月",
            },
            "term_start_date": "2026-11-13",
            "term_expiry_date": "2027-03-12",
            "notice_signed_date": "2026-11-13",
        },
    })
}

/// The same with another value at a path; null takes the field away.
fn with(mut document: Value, path: &str, value: Value) -> Value {
    let mut place = &mut document;
    for name in path.split('.') {
        place = &mut place[name];
    }
    *place = value;
    document
}

fn varint(mut number: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    loop {
        let low = u8::try_from(number & 0x7f).unwrap();
        number >>= 7;
        if number == 0 {
            bytes.push(low);
            return bytes;
        }
        bytes.push(low | 0x80);
    }
}
