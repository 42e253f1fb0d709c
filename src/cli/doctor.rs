//! `xianjie doctor`: looks for what keeps a hub, or a client, from working, and says what to do.

use std::fmt::Write as _;
use std::path::Path;

use serde_json::{Value, json};
use xianjie_core::ids::Time;

use super::error::chain;
use super::{CliError, Globals};
use crate::client::doctor::{Check, Level, Use, Words, certificate};
use crate::identity::files;
use crate::identity::peer::PeerCertificate;

mod hub;
mod profile;

const EXAMPLES: &str = "\
Examples 示例:
  xianjie doctor --folder /srv/xianjie           a hub: configuration, keys, store, ports
  xianjie doctor --profile gz-baiyun-court       a client: certificates, connection, registration
  xianjie doctor --as gz-baiyun-court --json

Exit code 0: nothing fails; 1: something does (0 无故障，1 有故障).";

/// Look for what keeps a hub or a client from working (诊断).
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {}

/// Runs the command.
///
/// # Errors
/// [`CliError`]: something fails.
pub async fn run(_: Args, globals: &Globals) -> Result<(), CliError> {
    let checks = match globals.profile_folder() {
        Ok(folder) => profile::examine(&folder, globals).await,
        Err(_) => hub::examine(globals).await,
    };
    globals.print(|| to_json(&checks), || describe(&checks, globals));
    let failed = checks.iter().filter(|check| check.level == Level::Fail).count();
    if failed == 0 {
        return Ok(());
    }
    Err(CliError::refused(format!("checks that failed: {failed}"), format!("{failed}项检查未通过")))
}

fn describe(checks: &[Check], globals: &Globals) -> String {
    let mut text = String::new();
    for check in checks {
        let found = globals.words(&check.found.en, &check.found.zh);
        // Writing to a string can't fail.
        let _ = writeln!(text, "{:<4}  {}: {found}", check.level.word(), check.what);
        if let Some(help) = &check.help {
            let _ = writeln!(text, "      → {}", globals.words(&help.en, &help.zh));
        }
    }
    text
}

fn to_json(checks: &[Check]) -> Value {
    let words = |words: &Words| json!({"en": words.en, "zh": words.zh});
    let check = |check: &Check| {
        json!({
            "what": check.what,
            "level": check.level.word(),
            "found": words(&check.found),
            "help": check.help.as_ref().map(words),
        })
    };
    json!({"checks": checks.iter().map(check).collect::<Vec<_>>()})
}

/// A check that failed with an error; `help` says what to do.
fn failed(what: &str, error: &dyn std::error::Error, en: &str, zh: &str) -> Check {
    let cause = chain(error);
    Check::fail(what, Words::new(cause.clone(), cause), Words::new(en, zh))
}

/// Looks at the certificate of a file.
fn certificate_file(what: &str, path: &Path, used: Use, now: Time) -> Check {
    let read = files::load_public(path, files::first_certificate);
    match read.map(|der| PeerCertificate::from_der(&der)) {
        Ok(Ok(peer)) => certificate(what, &peer, used, now),
        Ok(Err(error)) => unreadable(what, &error),
        Err(error) => unreadable(what, &error),
    }
}

fn unreadable(what: &str, error: &dyn std::error::Error) -> Check {
    failed(
        &format!("certificate {what}"),
        error,
        "put the certificate (PEM) in this place",
        "请将证书（PEM）放到该处",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_says_what_to_do() {
        let checks = [
            Check::ok("clock", "in time", "准时"),
            Check::fail("ports", Words::new("in use", "被占用"), Words::new("free it", "请释放")),
        ];
        let text = describe(&checks, &Globals::default());
        assert_eq!(
            text,
            "ok    clock: in time 准时\nfail  ports: in use 被占用\n      → free it 请释放\n"
        );
        let json = to_json(&checks);
        assert_eq!(json["checks"][1]["help"]["en"], "free it");
        assert!(json["checks"][0]["help"].is_null());
    }
}
