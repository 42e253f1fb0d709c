//! Clients in other languages, made from `proto/` alone, against the real program: what they sign the
//! hub takes, and what the hub proves they verify.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use pb::exchange_service_client::ExchangeServiceClient;
use pb::inbox_service_client::InboxServiceClient;
use pb::ledger_service_client::LedgerServiceClient;
use serde_json::{Value, json};
use xianjie::wire::{self, pb};
use xianjie_core::domain::record::Kind;

use crate::people::{enrolment, wire_document};
use crate::process::Process;

const COURT: &str = "yuexiu-court";
const POLICE: &str = "tianhe-police";
const CORRECTIONS: &str = "tianhe-corrections";

/// `XIANJIE_PYTHON_PROGRAM` names a Python that has what the client's `requirements.txt` says.
#[tokio::test(flavor = "multi_thread")]
async fn a_client_in_python_sends_and_receives() {
    let Some(program) = std::env::var_os("XIANJIE_PYTHON_PROGRAM") else {
        eprintln!("not run: XIANJIE_PYTHON_PROGRAM names no Python with grpcio");
        return;
    };
    let generated = tempfile::tempdir().unwrap();
    let python = Python { program: program.into(), generated: generated.path().to_owned() };
    python.generate();
    let attachments = json!([{ "name": "judgment.pdf", "kind": "判决书" }]);
    sends_and_receives(|| python.client("client.py"), attachments).await;
    queries(|| python.client("query.py"), &[]).await;
}

/// `XIANJIE_JAVA_CLIENT` names the program that `tests/clients/java/build.sh` made.
#[tokio::test(flavor = "multi_thread")]
async fn a_client_in_java_sends_and_receives() {
    let Some(program) = std::env::var_os("XIANJIE_JAVA_CLIENT") else {
        eprintln!("not run: XIANJIE_JAVA_CLIENT names no client");
        return;
    };
    sends_and_receives(|| Command::new(&program), json!([])).await;
    queries(|| Command::new(&program), &["query"]).await;
}

/// A court sends a connection test, and a document from a file twice; the police receive and sign.
async fn sends_and_receives(client: impl Fn() -> Command, attachments: Value) {
    let process = Process::start().await;
    let folder = tempfile::tempdir().unwrap();
    let [court, police] = [COURT, POLICE].map(|agency| process.profile(folder.path(), agency));
    let run = |profile: &Path, arguments: &[&str]| run(client(), profile, arguments);

    let told = run(&court, &["ping", POLICE]);
    assert!(told.contains("record "), "{told}");
    let paper = folder.path().join("verdict.json");
    std::fs::write(folder.path().join("judgment.pdf"), b"%PDF-1.7 an example").unwrap();
    std::fs::write(&paper, paper_text(attachments)).unwrap();
    let paper = paper.to_str().unwrap();
    let first = run(&court, &["send", paper]);
    let again = run(&court, &["send", paper]);
    assert_eq!(record(&first), record(&again), "the same file is the same record");

    let told = run(&police, &["watch", "--count", "2"]);
    for number in [1, 2] {
        assert!(told.contains(&format!("{number}: signed for and settled")), "{told}");
    }
    let request = pb::ListDeliveriesRequest {
        agency: POLICE.to_owned(),
        only_unacknowledged: true,
        ..pb::ListDeliveriesRequest::default()
    };
    let mut inbox = InboxServiceClient::new(process.connect(POLICE).await);
    let open = inbox.list_deliveries(request).await.unwrap().into_inner();
    assert_eq!(open.deliveries, []);
    assert_eq!(open.heartbeat.unwrap().head_inbox_number, 2);
}

/// A court queries how a person is supervised, reads what it finds, and its query stands in the ledger.
async fn queries(client: impl Fn() -> Command, command: &[&str]) {
    let process = Process::start().await;
    let folder = tempfile::tempdir().unwrap();
    let court = process.profile(folder.path(), COURT);
    let case = submit(&process, enrolment()).await;
    let warning = json!({
        "subject": { "correction_case": case },
        "issue_date": "2026-11-23",
        "discipline_record": {
            "discipline_kind": "DISCIPLINE_KIND_WARNING",
            "given_date": "2026-11-20",
            "facts": "未报告",
        },
    });
    submit(&process, warning).await;
    let asked = ["supervision", &case, "case_handling", "刑诉法 286"];
    let told = run(client(), &court, &[command, &asked].concat());
    let lines: Vec<&str> = told.lines().collect();
    let [query, found] = lines[..] else { panic!("{told}") };
    assert!(found.ends_with(" discipline_record 2026-11-23"), "{told}");

    let index = query.strip_prefix("query ").unwrap().strip_suffix(": 1 found").unwrap();
    let mut ledger = LedgerServiceClient::new(process.connect(COURT).await);
    let (agency, index) = (COURT.to_owned(), index.parse().unwrap());
    let receipt = ledger.get_receipt(pb::GetReceiptRequest { agency, index }).await.unwrap();
    let record = wire::record::decode(&receipt.into_inner().receipt.unwrap().record).unwrap();
    let Kind::Access(access) = record.kind else { panic!("{record:?}") };
    assert_eq!(access.query.unwrap().ground.article.as_str(), "刑诉法 286");
}

/// Has the corrections agency send a document; its case.
async fn submit(process: &Process, fields: Value) -> String {
    let paper = process.people.document(CORRECTIONS, fields);
    let agency = CORRECTIONS.to_owned();
    let signed_document = Some(wire_document(&paper));
    let request = pb::SubmitDocumentRequest { agency, signed_document };
    let mut exchange = ExchangeServiceClient::new(process.connect(CORRECTIONS).await);
    exchange.submit_document(request).await.unwrap().into_inner().correction_case
}

/// Runs a client; what it printed.
fn run(mut client: Command, profile: &Path, arguments: &[&str]) -> String {
    client.arg("--profile").arg(profile).args(arguments).stdin(Stdio::null());
    let ran = client.output().unwrap();
    let told = String::from_utf8_lossy(&ran.stdout).into_owned();
    let errors = String::from_utf8_lossy(&ran.stderr);
    assert!(ran.status.success(), "{arguments:?}:\n{told}\n{errors}");
    told
}

/// The client's program and what is generated for it.
struct Python {
    program: PathBuf,
    generated: PathBuf,
}

impl Python {
    /// Makes messages and stubs from `proto/`.
    fn generate(&self) {
        let mut command = Command::new(clients().join("generate.sh"));
        command.arg(&self.generated).env("PYTHON", &self.program).stdin(Stdio::null());
        let made = command.output().unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    }

    /// One of the client's programs, ready to be told what to do.
    fn client(&self, name: &str) -> Command {
        let mut command = Command::new(&self.program);
        command.arg(clients().join(name)).env("XIANJIE_PYTHON", &self.generated);
        command
    }
}

fn clients() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients/python")
}

/// A document file: the client fills in the rest.
fn paper_text(attachments: Value) -> String {
    json!({
        "#": "a comment is left out",
        "original_form": "ORIGINAL_FORM_ELECTRONIC",
        "classification": "CLASSIFICATION_UNCLASSIFIED",
        "chosen_agencies": [POLICE],
        "attachments": attachments,
        "ping": { "text": "你好" },
    })
    .to_string()
}

/// The record that the client says it got.
fn record(told: &str) -> &str {
    let line = told.lines().find(|line| line.starts_with("record ")).unwrap();
    line.split([' ', ',']).nth(1).unwrap()
}
