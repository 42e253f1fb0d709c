//! Rulebooks (规则) that operators put in force: from a folder, by a signed record, without a restart.

use std::path::Path;
use std::process::Output;

use pb::exchange_service_client::ExchangeServiceClient;
use pb::supervision_service_client::SupervisionServiceClient;
use xianjie::hub::laws;
use xianjie::wire::pb;
use xianjie::wire::schema::Schema;
use xianjie_core::domain::decide::Change;
use xianjie_core::domain::rulebook::Law;
use xianjie_core::ids::Digest;

use crate::hostile::documents::verdict;
use crate::people::wire_document;
use crate::process::{Process, program};

const COURT: &str = "yuexiu-court";
const CORRECTIONS: &str = "tianhe-corrections";

/// The built-in rulebooks in the hub's folder, with another limit for the return receipt; a hub that
/// is told of them, and their digest.
async fn with_rulebooks() -> (Process, Digest) {
    let mut process = Process::start().await;
    let digest = lay_down(&mut process, changed);
    (process, digest)
}

/// Lays the built-in rulebooks, with a change of the Act's, into a hub's folder, and starts it anew with
/// them at hand; their digest.
pub(crate) fn lay_down(process: &mut Process, change: impl Fn(&str) -> String) -> Digest {
    let folder = process.folder().join("rulebooks");
    std::fs::create_dir(&folder).unwrap();
    for (name, text) in Law::built_in_files() {
        let text = match name {
            "act_2020.toml" => change(text),
            _ => text.to_owned(),
        };
        std::fs::write(folder.join(name), text).unwrap();
    }
    let config = process.folder().join("xianjie.toml");
    let text = std::fs::read_to_string(&config).unwrap();
    std::fs::write(config, format!("{text}\n[law]\nrulebooks = \"rulebooks\"\n")).unwrap();
    process.stop();
    process.restart();
    Digest(laws::read(&folder, &Schema::built_in()).unwrap().digest())
}

fn changed(text: &str) -> String {
    let (before, after) = text.split_once("name = \"送达回执\"").unwrap();
    format!("{before}name = \"送达回执\"{}", after.replacen("\"5 days\"", "\"7 days\"", 1))
}

/// What `law diff` says of the changed rulebooks and the hub's documents of the last days.
fn diff(process: &Process, new: &Path, arguments: &[&str]) -> Output {
    let mut diff = program(&["law", "diff", "builtin"]);
    diff.arg(new).args(["--days", "30", "--folder"]).arg(process.folder());
    diff.arg("--clock").arg(process.folder().join("clock")).args(arguments).output().unwrap()
}

/// The limit of the return receipt that this verdict asks for.
async fn limit(process: &Process, number: u32) -> String {
    let mut exchange = ExchangeServiceClient::new(process.connect(COURT).await);
    let paper = process.people.document(COURT, verdict(number));
    let request = pb::SubmitDocumentRequest {
        agency: COURT.to_owned(),
        signed_document: Some(wire_document(&paper)),
    };
    let case = exchange.submit_document(request).await.unwrap().into_inner().correction_case;
    let mut supervision = SupervisionServiceClient::new(process.connect(CORRECTIONS).await);
    let request = pb::ListDutiesRequest {
        agency: CORRECTIONS.to_owned(),
        correction_case: case,
        ..pb::ListDutiesRequest::default()
    };
    let duties = supervision.list_duties(request).await.unwrap().into_inner().duties;
    duties.into_iter().find(|duty| duty.name == "送达回执").unwrap().limit
}

#[tokio::test(flavor = "multi_thread")]
async fn they_decide_once_operators_put_them_in_force_and_after_a_restart() {
    let (mut process, digest) = with_rulebooks().await;
    assert_eq!(limit(&process, 1).await, "5 days");
    process.change(&[Change::ActivateRulebooks(digest)]).await;
    assert_eq!(limit(&process, 2).await, "7 days");
    assert!(process.stop().success());
    process.restart();
    assert_eq!(limit(&process, 3).await, "7 days");
    let built_in = Digest(Law::built_in().digest());
    process.change(&[Change::ActivateRulebooks(built_in)]).await;
    assert_eq!(limit(&process, 4).await, "5 days");
    process.kill();
    assert!(process.audit().status.success());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_at_hand_or_does_not_stand_alone_is_refused() {
    let (process, digest) = with_rulebooks().await;
    let unknown = process.try_change(&[Change::ActivateRulebooks(Digest([7; 32]))]).await;
    assert_eq!(unknown.unwrap_err().code(), tonic::Code::FailedPrecondition);
    let activate = Change::ActivateRulebooks(digest);
    let two = process.try_change(&[activate.clone(), activate]).await;
    assert_eq!(two.unwrap_err().code(), tonic::Code::FailedPrecondition);
    assert_eq!(limit(&process, 1).await, "5 days");
}

/// Nothing is decided under rulebooks that no operator has put in force: neither when the folder is gone,
/// nor when the configuration names none any more.
#[tokio::test(flavor = "multi_thread")]
async fn a_hub_whose_rulebooks_in_force_are_gone_takes_no_documents() {
    let (mut process, digest) = with_rulebooks().await;
    process.change(&[Change::ActivateRulebooks(digest)]).await;
    assert_eq!(limit(&process, 1).await, "7 days");
    let config = process.folder().join("xianjie.toml");
    let named = std::fs::read_to_string(&config).unwrap();
    assert!(process.stop().success());
    std::fs::write(&config, named.replace("[law]\nrulebooks = \"rulebooks\"\n", "")).unwrap();
    let doctor = doctor(&process);
    assert!(doctor.contains("not at hand"), "{doctor}");
    process.restart();
    let mut exchange = ExchangeServiceClient::new(process.connect(COURT).await);
    let paper = process.people.document(COURT, verdict(2));
    let request = pb::SubmitDocumentRequest {
        agency: COURT.to_owned(),
        signed_document: Some(wire_document(&paper)),
    };
    let refused = exchange.submit_document(request.clone()).await.unwrap_err();
    let reason = refused.metadata().get("xianjie-reason").unwrap().to_str().unwrap();
    assert_eq!(reason, "RULEBOOKS_NOT_IN_FORCE");
    // What was taken before still has its receipt, and operators can put in force what there is.
    let built_in = Digest(Law::built_in().digest());
    process.change(&[Change::ActivateRulebooks(built_in)]).await;
    exchange.submit_document(request).await.unwrap();
    assert_eq!(limit(&process, 3).await, "5 days");
    assert!(process.stop().success());
    assert!(process.audit().status.success());
}

fn doctor(process: &Process) -> String {
    let mut doctor = program(&["doctor", "--lang", "en", "--folder"]);
    let doctor = doctor.arg(process.folder()).output().unwrap();
    String::from_utf8_lossy(&doctor.stdout).into_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_they_would_change_for_recent_documents_is_told_before() {
    let (mut process, _) = with_rulebooks().await;
    limit(&process, 1).await;
    let new = process.folder().join("rulebooks");
    let running = diff(&process, &new, &["--lang", "en"]);
    assert_eq!(running.status.code(), Some(69));
    let told = String::from_utf8_lossy(&running.stderr).into_owned();
    assert!(told.contains("stop it, or take a copy of the folder"), "{told}");
    assert!(process.stop().success());

    let changed = diff(&process, &new, &["--lang", "zh"]);
    let told = String::from_utf8(changed.stdout).unwrap();
    assert!(changed.status.success(), "{told}");
    let (counted, document) = told.split_once("\n记录 ").unwrap();
    expect_test::expect![[r"
        近30日文书: 1
        处理不同: 1

        verdict_handover  法律文书送达
          期限义务: 1
    "]]
    .assert_eq(counted);
    let difference: Vec<_> = document.lines().skip(1).map(str::trim_start).collect();
    let expected = [
        "~ 期限义务: duty_opened 送达回执 (2020办法 16)",
        "届满: 2026-12-01 00:00 → 2026-12-02 00:00",
        "期限: 5日内 → 7日内",
    ];
    assert_eq!(difference, expected);

    let told = diff(&process, &new, &["--json"]).stdout;
    let told: serde_json::Value = serde_json::from_slice(&told).unwrap();
    assert_eq!((&told["tried"], &told["otherwise"]), (&1.into(), &1.into()));
    assert_eq!(told["documents"][0]["differences"][0]["fields"][1]["new"], "7 days");

    let same = diff(&process, Path::new("builtin"), &["--lang", "en"]);
    let told = String::from_utf8(same.stdout).unwrap();
    assert_eq!(told, "documents of the last 30 days: 1\nno difference\n");
    // Before the Act there was no such type.
    let then = diff(&process, &new, &["--lang", "en", "--date", "2000-01-01"]);
    let told = String::from_utf8(then.stdout).unwrap();
    assert!(told.contains("not decided by the old rulebooks, or unreadable: 1\n"), "{told}");
    assert!(process.audit().status.success());
}
