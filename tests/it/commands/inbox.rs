//! `inbox watch` goes on for ever, unless no waiting helps.

use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, ChildStderr, ChildStdout, Stdio};

use xianjie_core::domain::decide::Change;
use xianjie_core::ids::Digest;

use super::relay::Relay;
use super::{COURT, PERMISSION, POLICE, done, ended, ping};
use crate::process::{Process, point};

/// A watcher that has stored and acknowledged one document.
struct Watcher {
    child: Child,
    told: BufReader<ChildStdout>,
    complaint: BufReader<ChildStderr>,
}

impl Watcher {
    /// One that reaches its hub by `address`.
    fn start(process: &Process, home: &Path, address: SocketAddr) -> Self {
        let [court, police] = [COURT, POLICE].map(|agency| process.profile(home, agency));
        point(&police, address);
        let file = ping(home, "ping.json", &[]);
        done(&mut process.client(&court, &["send", &file]));
        let mut child = process
            .client(&police, &["inbox", "watch", "--lang", "en"])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let told = BufReader::new(child.stdout.take().unwrap());
        let complaint = BufReader::new(child.stderr.take().unwrap());
        let mut watcher = Self { child, told, complaint };
        while !watcher.line().contains("settled: 1") {}
        watcher
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        assert!(self.told.read_line(&mut line).unwrap() > 0, "it ended");
        line
    }

    /// The next word of trouble; none if it has ended.
    fn complaint(&mut self) -> Option<String> {
        let mut line = String::new();
        (self.complaint.read_line(&mut line).unwrap() > 0).then_some(line)
    }

    /// It ends, with the code and the words of a client that is not let in.
    async fn ends_turned_away(mut self) {
        let status = ended(&mut self.child).await;
        let complaints: Vec<_> = std::iter::from_fn(|| self.complaint()).collect();
        let complaints = complaints.concat();

        assert_eq!(status.code(), Some(PERMISSION), "{complaints}");
        assert!(complaints.contains("ask the"), "{complaints}");
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_watcher_whose_system_is_suspended_ends() {
    let process = Process::start().await;
    let home = tempfile::tempdir().unwrap();
    let watcher = Watcher::start(&process, home.path(), process.address());
    process.change(&[Change::SuspendSystem(POLICE.parse().unwrap(), true)]).await;
    watcher.ends_turned_away().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_watcher_whose_certificate_is_revoked_ends() {
    let process = Process::start().await;
    let home = tempfile::tempdir().unwrap();
    let watcher = Watcher::start(&process, home.path(), process.address());
    let digest = Digest(process.people.transport(POLICE).sha256);
    process.change(&[Change::RevokeCertificate { digest, compromised_since: None }]).await;
    watcher.ends_turned_away().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_watcher_whose_network_is_away_goes_on_until_it_hears_that_it_is_shut_out() {
    let process = Process::start().await;
    let home = tempfile::tempdir().unwrap();
    let network = Relay::start(process.address(), || false).await;
    let mut watcher = Watcher::start(&process, home.path(), network.address());
    network.break_down();
    for _ in 0..3 {
        let complaint = watcher.complaint().unwrap();
        assert!(complaint.contains("again in"), "{complaint}");
    }
    assert!(watcher.child.try_wait().unwrap().is_none());
    process.change(&[Change::SuspendSystem(POLICE.parse().unwrap(), true)]).await;
    network.mend();
    watcher.ends_turned_away().await;
}
