//! The commands as people and scripts meet them: the real program, what it prints, and the code that
//! it ends with.

use std::path::Path;
use std::process::{Child, Command, ExitStatus};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

mod attached;
mod folders;
mod inbox;
mod operators;
mod pki;
mod query;
mod relay;
mod send;
mod streams;
mod supervise;

/// An agency that sends, and one that receives.
const COURT: &str = "yuexiu-court";
const POLICE: &str = "tianhe-police";

/// Exit codes, as `xianjie --help` names them.
const DONE: i32 = 0;
const REFUSED: i32 = 1;
const USAGE: i32 = 2;
const DAMAGED: i32 = 65;
const UNAVAILABLE: i32 = 69;
const PERMISSION: i32 = 77;

/// Far more than anything here takes.
const PATIENCE: Duration = Duration::from_secs(60);

/// How a command ended.
#[derive(Debug)]
struct Ran {
    code: i32,
    told: String,
    complaint: String,
}

impl Ran {
    /// What it printed with `--json`, a value a line.
    fn values(&self) -> Vec<Value> {
        self.told.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

/// Runs a command to its end.
fn run(command: &mut Command) -> Ran {
    let output = command.output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (told, complaint) = (text(&output.stdout), text(&output.stderr));
    Ran { code: output.status.code().unwrap(), told, complaint }
}

/// Runs a command that must do what it is asked.
fn done(command: &mut Command) -> Ran {
    let ran = run(command);
    assert_eq!(ran.code, DONE, "{ran:#?}");
    ran
}

/// Waits until a condition holds.
async fn until(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let began = Instant::now();
    while !holds().await {
        assert!(began.elapsed() < PATIENCE, "{what}: not within {PATIENCE:?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// How a program ends that must end by itself.
async fn ended(child: &mut Child) -> ExitStatus {
    let mut status = None;
    until("the program ends", async || {
        status = child.try_wait().unwrap();
        status.is_some()
    })
    .await;
    status.unwrap()
}

/// A document file (连通测试) to the police, with these attachments beside it.
fn ping(folder: &Path, name: &str, attachments: &[&str]) -> String {
    for attachment in attachments {
        std::fs::write(folder.join(attachment), format!("{attachment}, an example")).unwrap();
    }
    let named = |name: &&str| json!({ "name": name, "kind": "扫描件" });
    let text = json!({
        "original_form": "ORIGINAL_FORM_ELECTRONIC",
        "classification": "CLASSIFICATION_UNCLASSIFIED",
        "chosen_agencies": [POLICE],
        "attachments": attachments.iter().map(named).collect::<Vec<_>>(),
        "ping": { "text": "连通测试" },
    });
    let path = folder.join(name);
    std::fs::write(&path, text.to_string()).unwrap();
    path.to_str().unwrap().to_owned()
}
