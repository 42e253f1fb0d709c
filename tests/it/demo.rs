//! The whole story, by the real program: it checks each of its claims itself, and fails where one
//! does not hold. Then a client in Python, generated from `proto/` alone, goes on in its folder.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

const PROGRAM: &str = env!("CARGO_BIN_EXE_xianjie");

#[test]
fn the_story_is_told_to_its_end() {
    let folder = tempfile::tempdir().unwrap();
    let province = folder.path().join("province");
    let told = Command::new(PROGRAM).arg("demo").arg("--into").arg(&province).output().unwrap();
    let printed = succeeded(&told);
    let forgotten = ["is due soon", "nobody has taken the person over", "2 days and 15 hours late"];
    let ends = ["kill -9", "all 100 receipts verify offline", "[imprisoned]", "[released]"];
    let queried = ["case-handling, 社区矫正法 48", "found    discipline_record"];
    for word in forgotten.iter().chain(&queried).chain(&ends) {
        assert!(printed.contains(word), "{word} is not in\n{printed}");
    }
    assert_eq!(
        notices(&province),
        ["DUTY_FOREWARNED", "HANDOVER_MISSED", "DUTY_REMINDED", "DUTY_FOREWARNED"]
    );
    // What the law made of the story it makes of it again.
    let audit = ["audit", "--law", "--json", "--folder"];
    let audited = Command::new(PROGRAM).args(audit).arg(&province).output().unwrap();
    let audited: serde_json::Value = serde_json::from_str(&succeeded(&audited)).unwrap();
    let (judged, records) = (&audited["law"]["judged"], &audited["records"]);
    assert!(judged.as_u64() > records.as_u64().map(|records| records / 2), "{audited}");
    assert_eq!(audited["law"]["unjudged"], serde_json::json!([]));
    match std::env::var_os("XIANJIE_PYTHON_PROGRAM") {
        Some(python) => goes_on_in_python(Path::new(&python), &province),
        None => println!("no Python client is run: XIANJIE_PYTHON_PROGRAM does not name a python3"),
    }
}

/// What the hub told of in all the inboxes, in the order in which it happened: each notice once.
fn notices(province: &Path) -> Vec<String> {
    let mut found = BTreeMap::new();
    for profile in folders(&province.join("profiles")) {
        for delivery in folders(&profile.join("inbox")) {
            let Ok(text) = std::fs::read_to_string(delivery.join("document.json")) else {
                continue;
            };
            let document: serde_json::Value = serde_json::from_str(&text).unwrap();
            if let Some(kind) = document["hub_notice"]["notice_kind"].as_str() {
                let kind = kind.trim_start_matches("NOTICE_KIND_").to_owned();
                let id = document["document_id"].as_str().unwrap().to_owned();
                found.insert((document["create_time"].as_str().unwrap().to_owned(), id), kind);
            }
        }
    }
    found.into_values().collect()
}

fn folders(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten();
    entries.map(|entry| entry.unwrap().path()).filter(|path| path.is_dir()).collect()
}

/// A ping from the court, received, verified and signed for by the police, and the ledger's tiles
/// verified by code that shares nothing with the hub.
fn goes_on_in_python(python: &Path, province: &Path) {
    let clients = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients/python");
    let generated = province.join("generated");
    let made = Command::new("sh")
        .arg(clients.join("generate.sh"))
        .arg(&generated)
        .env("PYTHON", python)
        .output()
        .unwrap();
    succeeded(&made);
    let (_hub, http) = serve(province);
    let client = |agency: &str, words: &[&str]| {
        Command::new(python)
            .arg(clients.join("client.py"))
            .arg("--profile")
            .arg(province.join("profiles").join(agency))
            .args(words)
            .env("XIANJIE_PYTHON", &generated)
            .output()
            .unwrap()
    };
    succeeded(&client("gz-baiyun-court", &["ping", "gz-tianhe-police"]));
    let watched = succeeded(&client("gz-tianhe-police", &["watch", "--count", "1"]));
    assert!(watched.contains("ping"), "{watched}");
    assert!(watched.contains("signed for and settled"), "{watched}");
    let verified = Command::new(python)
        .arg(clients.join("verify.py"))
        .args(["log", &http, "--trust"])
        .arg(province.join("trust.json"))
        .output()
        .unwrap();
    assert!(succeeded(&verified).contains("every tile and leaf fits"));
}

/// The hub of the folder, running; it is killed when this is dropped.
struct Hub(Child);

impl Drop for Hub {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Runs the folder's hub, and says where it serves its tiles.
fn serve(province: &Path) -> (Hub, String) {
    let config = province.join("xianjie.toml");
    let text = std::fs::read_to_string(&config).unwrap();
    let http = text.lines().find_map(|line| line.strip_prefix("http = ")).unwrap();
    let http = http.split('#').next().unwrap().trim().trim_matches('"').to_owned();
    let hub = Command::new(PROGRAM)
        .arg("serve")
        .arg("--config")
        .arg(&config)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let hub = Hub(hub);
    for _ in 0..500 {
        if std::net::TcpStream::connect(&http).is_ok() {
            break;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    (hub, format!("http://{http}"))
}

/// What a program printed; it must have succeeded.
fn succeeded(output: &Output) -> String {
    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{printed}\n{said}");
    printed
}
