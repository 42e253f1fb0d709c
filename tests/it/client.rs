//! The client against a hub that runs: a file sent, delivered, acknowledged, verified offline; what is
//! changed or unknown is told.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use xianjie::client::inbox::Start;
use xianjie::client::outbox::Stage;
use xianjie::client::status::submission_text;
use xianjie::client::verify::verify_folder;
use xianjie::client::{Client, ConnectError, Observer, Profile, Silent};
use xianjie::identity::pki::Purpose as Use;
use xianjie_core::domain::agency::{Purpose, Right, System};
use xianjie_core::domain::decide::Change;
use xianjie_core::ids::SystemCode;

use crate::harness::{Hub, county_police, register};

/// A test that can't send fails: it doesn't wait for better days.
const PATIENCE: Option<Duration> = Some(Duration::from_secs(30));

fn silent() -> Arc<dyn Observer> {
    Arc::new(Silent)
}

/// Registers an agency with a system and keys, and writes its profile.
async fn profile(hub: &Hub, home: &Path, code: &str) -> PathBuf {
    let folder = home.join(code);
    std::fs::create_dir_all(&folder).unwrap();
    let registered = county_police(code);
    let (agency, system) = (registered.code.clone(), code.parse::<SystemCode>().unwrap());
    let rights = Right::WORDS.iter().map(|(right, _)| *right).collect();
    let carries = System {
        code: system.clone(),
        name: code.to_owned(),
        agencies: [(agency.clone(), rights)].into(),
        gateway: false,
        suspended: false,
    };
    let mut changes =
        vec![Change::PutAgency(Box::new(registered)), Change::PutSystem(Box::new(carries))];
    let hub_address = hub.running().addresses().agencies;
    let mut text = format!(
        "agency = \"{code}\"\nhub = \"https://{hub_address}\"\nserver_name = \"localhost\"\n\
         trust = \"trust.json\"\n"
    );
    for (section, issued_for, purpose) in [
        ("transport", Use::Transport(code.to_owned()), Purpose::Transport(system)),
        ("document", Use::Document(code.to_owned()), Purpose::Document(agency.clone())),
        (
            "acknowledgement",
            Use::Acknowledgement(code.to_owned()),
            Purpose::Acknowledgement(agency),
        ),
    ] {
        let issued = hub.issue(&issued_for);
        issued.save(&folder, section).unwrap();
        changes.push(register(&issued, purpose));
        text += &format!("[{section}]\ncertificate = \"{section}.pem\"\nkey = \"{section}.key\"\n");
    }
    hub.change(&changes).await.unwrap();
    std::fs::write(folder.join("trust.json"), hub.trust()).unwrap();
    std::fs::write(folder.join("profile.toml"), text).unwrap();
    folder
}

async fn client(hub: &Hub, folder: &Path) -> Client {
    Client::connect(Profile::load(folder).unwrap(), hub.clock.clone()).await.unwrap()
}

fn write_ping(folder: &Path, to: &str) -> PathBuf {
    let path = folder.join("ping.json");
    std::fs::write(folder.join("scan.pdf"), vec![7; 700_000]).unwrap();
    let text = serde_json::json!({
        "original_form": "ORIGINAL_FORM_ELECTRONIC",
        "classification": "CLASSIFICATION_UNCLASSIFIED",
        "chosen_agencies": [to],
        "attachments": [{"name": "scan.pdf", "kind": "扫描件"}],
        "ping": {"text": "连通测试"},
    });
    std::fs::write(&path, text.to_string()).unwrap();
    path
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_is_sent_delivered_acknowledged_and_verified_offline() {
    let mut hub = Hub::start().await;
    let home = tempfile::tempdir().unwrap();
    let (a, b) = (profile(&hub, home.path(), "a").await, profile(&hub, home.path(), "b").await);
    let sender = client(&hub, &a).await;
    let file = write_ping(home.path(), "b");

    let mut entry = sender.enqueue(&file, false).await.unwrap();
    let sent = sender.deliver(&mut entry, &silent(), PATIENCE).await.unwrap();
    assert_eq!(entry.state.stage, Stage::Receipted);
    let mut again = sender.enqueue(&file, false).await.unwrap();
    let same = sender.deliver(&mut again, &silent(), PATIENCE).await.unwrap();
    assert_eq!(same.receipt.index, sent.receipt.index);
    let report = verify_folder(&sender.profile().trust, &entry.folder).unwrap();
    assert!(report.is_proven(), "{report}");

    let receiver = client(&hub, &b).await;
    let inbox = receiver.open_inbox(silent()).unwrap();
    let fetched = inbox.fetch(Start::Resume, true).await.unwrap();
    assert_eq!(fetched.len(), 1);
    assert_eq!(inbox.note(1).unwrap().stage, "acknowledged");
    assert!(inbox.fetch(Start::Resume, true).await.unwrap().is_empty());
    let folder = inbox.delivery_folder(1);
    let attachment = folder.join("attachments/scan.pdf").metadata().unwrap();
    assert_eq!(attachment.permissions().mode() & 0o777, 0o600, "it is its owner's alone");
    let report = verify_folder(&receiver.profile().trust, &folder).unwrap();
    assert!(report.is_proven(), "{report}");

    let submission = sender.submission(&entry.state.document_id).await.unwrap();
    assert_eq!(submission_text(&submission).deliveries[0].stage, "acknowledged");

    std::fs::write(&file, std::fs::read_to_string(&file).unwrap() + " ").unwrap();
    let changed = sender.enqueue(&file, false).await.unwrap_err();
    assert!(changed.to_string().contains("has changed"), "{changed}");
    hub.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_watcher_stores_and_acknowledges_what_comes_later() {
    let mut hub = Hub::start().await;
    let home = tempfile::tempdir().unwrap();
    let (a, b) = (profile(&hub, home.path(), "a").await, profile(&hub, home.path(), "b").await);
    let (sender, receiver) = (client(&hub, &a).await, client(&hub, &b).await);
    let watching = tokio::spawn(async move {
        let inbox = receiver.open_inbox(silent()).unwrap();
        inbox.watch(Start::Resume, true).await
    });
    let file = write_ping(home.path(), "b");
    let mut entry = sender.enqueue(&file, false).await.unwrap();
    sender.deliver(&mut entry, &silent(), PATIENCE).await.unwrap();
    let settled = b.join("inbox/1/acknowledgement.tlog-proof");
    for _ in 0..200 {
        if settled.exists() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert!(settled.exists());
    assert!(!watching.is_finished());
    watching.abort();
    hub.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_that_nobody_registered_is_told_at_once() {
    let mut hub = Hub::start().await;
    let home = tempfile::tempdir().unwrap();
    let folder = profile(&hub, home.path(), "a").await;
    let stranger = hub.issue(&Use::Transport("stranger".to_owned()));
    std::fs::remove_file(folder.join("transport.key")).unwrap();
    stranger.save(&folder, "transport").unwrap();
    let refused = Client::connect(Profile::load(&folder).unwrap(), hub.clock.clone()).await;
    let error = refused.map(|_| ()).unwrap_err();
    assert!(matches!(error, ConnectError::CertificateRefused { .. }), "{error:?}");
    hub.stop().await;
}
