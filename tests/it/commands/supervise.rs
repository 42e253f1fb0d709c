//! `supervise`: what a procuratorate is shown, by command and live, over every trouble of the network.

use std::fs::File;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::path::PathBuf;
use std::process::{Child, ChildStdout, Stdio};

use pb::exchange_service_client::ExchangeServiceClient;
use rustix::fs::{Mode, OFlags};
use rustix::process::{Pid, Signal, kill_process};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use serde_json::{Value, json};
use xianjie::wire::pb;
use xianjie_core::domain::decide::Change;
use xianjie_core::limits;

use super::relay::Relay;
use super::{COURT, DONE, PERMISSION, POLICE, REFUSED, USAGE, done, ended, run};

use crate::hostile::documents::verdict;
use crate::people::{NOW, enrolment, wire_document};
use crate::process::{Process, point};

const CORRECTIONS: &str = "tianhe-corrections";
const PROCURATORATE: &str = "tianhe-procuratorate";
const MINUTE_MS: i64 = 60_000;

/// A hub that holds one verdict whose person has not reported in time, and the profile of the
/// procuratorate that supervises.
struct Watched {
    process: Process,
    home: tempfile::TempDir,
    profile: PathBuf,
    case: String,
    /// The index of the alarm that says so.
    missed: u64,
}

impl Watched {
    async fn start() -> Self {
        let process = Process::start().await;
        let case = submit(&process, COURT, verdict(1)).await;
        let home = tempfile::tempdir().unwrap();
        let profile = process.profile(home.path(), PROCURATORATE);
        let mut watched = Self { process, home, profile, case, missed: 0 };
        let mut follower = watched.follow(&["alarms", "--follow", "--json"]);
        watched.missed = follower.alarm("handover_missed");
        follower.interrupt().await;
        watched
    }

    fn command(&self, arguments: &[&str]) -> std::process::Command {
        let arguments = [&["supervise"], arguments].concat();
        self.process.client(&self.profile, &arguments)
    }

    fn values(&self, arguments: &[&str]) -> Vec<Value> {
        done(self.command(arguments).arg("--json")).values()
    }

    /// Starts a command that goes on until it is told to stop.
    fn follow(&self, arguments: &[&str]) -> Follower {
        let mut child = self.command(arguments).stdout(Stdio::piped()).spawn().unwrap();
        Follower { told: BufReader::new(child.stdout.take().unwrap()), child }
    }

    /// An hour later, when the search for the person is reminded of.
    fn an_hour_later(&self) {
        let clock = self.process.folder().join("clock");
        std::fs::write(clock, (NOW.0 + 61 * MINUTE_MS).to_string()).unwrap();
    }
}

/// Sends a document; its case.
async fn submit(process: &Process, sender: &str, fields: Value) -> String {
    let mut exchange = ExchangeServiceClient::new(process.connect(sender).await);
    let paper = process.people.document(sender, fields);
    let agency = sender.to_owned();
    let signed_document = Some(wire_document(&paper));
    let request = pb::SubmitDocumentRequest { agency, signed_document };
    exchange.submit_document(request).await.unwrap().into_inner().correction_case
}

/// A command that prints a value a line as things happen.
struct Follower {
    child: Child,
    told: BufReader<ChildStdout>,
}

impl Follower {
    fn value(&mut self) -> Value {
        let mut line = String::new();
        assert!(self.told.read_line(&mut line).unwrap() > 0, "it ended");
        serde_json::from_str(&line).unwrap()
    }

    /// The index of the next alarm of a kind.
    fn alarm(&mut self, kind: &str) -> u64 {
        loop {
            let value = self.value();
            let alarm = value.get("alarm").unwrap_or(&value);
            if alarm["kind"] == kind {
                return alarm["index"].as_str().unwrap().parse().unwrap();
            }
        }
    }

    /// Ctrl-C ends it, as it should.
    async fn interrupt(mut self) {
        kill_process(Pid::from_child(&self.child), Signal::INT).unwrap();
        assert_eq!(ended(&mut self.child).await.code(), Some(DONE));
    }
}

impl Drop for Follower {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn duties_and_gaps_are_shown_to_whom_they_concern() {
    let hub = Watched::start().await;
    let missed = hub.values(&["duties", "--missed"]);
    let [duty] = &missed[..] else { panic!("{missed:?}") };
    assert_eq!(duty["name"], "报到");
    assert_eq!(duty["person_watched_by"], CORRECTIONS);
    let case = hub.case.as_str();
    assert_eq!(hub.values(&["duties", "--case", case]).len(), hub.values(&["duties"]).len());
    assert!(hub.values(&["duties", "--of", POLICE]).is_empty());

    let table = done(&mut hub.command(&["duties", "--lang", "zh"])).told;
    let lines: Vec<&str> = table.lines().collect();
    assert!(lines[1].starts_with("交接逾期") && lines[1].contains("报到"), "{table}");
    assert!(table.contains("不是认定结论"), "{table}");

    let gaps = hub.values(&["gaps", "--missed"]);
    let [gap] = &gaps[..] else { panic!("{gaps:?}") };
    assert_eq!(gap["kind"], "GAP_KIND_NOT_REPORTED");
    assert_eq!(gap["custody"]["answers"], COURT);
    let table = done(&mut hub.command(&["gaps", "--lang", "en"])).told;
    assert!(table.contains("not reported") && table.contains("never a finding"), "{table}");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_missing_is_listed_and_counted_without_being_between_two_agencies() {
    let process = Process::start().await;
    let case = submit(&process, CORRECTIONS, enrolment()).await;
    let home = tempfile::tempdir().unwrap();
    let profile = process.profile(home.path(), PROCURATORATE);
    let hub = Watched { process, home, profile, case, missed: 0 };
    assert!(hub.values(&["missing"]).is_empty());
    let lost = json!({
        "subject": { "correction_case": hub.case },
        "lost_contact_notice": { "search": "实地查访，均无下落（示例）" },
    });
    submit(&hub.process, CORRECTIONS, lost).await;

    let missing = hub.values(&["missing"]);
    let [person] = &missing[..] else { panic!("{missing:?}") };
    assert_eq!(person["correction_case"], hub.case.as_str());
    assert_eq!(person["since_time"], "2026-11-24T01:00:00Z");
    assert_eq!(person["custody"]["answers"], CORRECTIONS);
    let table = done(&mut hub.command(&["missing", "--lang", "zh"])).told;
    assert!(table.contains("在矫, 下落不明") && table.contains("2026-11-24 09:00"), "{table}");
    let mut overview = hub.follow(&["--json"]);
    let counts = overview.value()["counts"].clone();
    assert_eq!((&counts["missing_persons"], &counts["gaps"]), (&json!(1), &json!(0)));
    overview.interrupt().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn custody_is_told_as_of_any_time_and_a_month_in_numbers() {
    let hub = Watched::start().await;
    let now = hub.values(&["custody", &hub.case]);
    assert_eq!(now[0]["custody"]["answers"], COURT);
    assert!(!now[0]["steps"].as_array().unwrap().is_empty());
    let before = ["custody", &hub.case, "--at", "2026-11-24T08:59:00+08:00"];
    assert_eq!(hub.values(&before)[0]["custody"].get("answers"), None);
    let wrong = run(&mut hub.command(&["custody", &hub.case, "--at", "yesterday"]));
    assert_eq!(wrong.code, USAGE, "{wrong:#?}");

    let rows = hub.values(&["statistics", "2026-11"]);
    let report = rows.iter().find(|row| row["duty"] == "报到").unwrap();
    assert_eq!((&report["opened"], &report["missed"]), (&"1".into(), &"1".into()));
    let table = done(&mut hub.command(&["statistics", "2026-11", "--lang", "zh"])).told;
    assert!(table.contains("逾期未见") && table.contains("报到"), "{table}");
    assert!(hub.values(&["statistics", "2026-10"]).is_empty());

    let stranger = hub.process.profile(hub.home.path(), "yuexiu-detention");
    let custody = ["supervise", "custody", &hub.case];
    let refused = run(&mut hub.process.client(&stranger, &custody));
    assert!([REFUSED, PERMISSION].contains(&refused.code), "{refused:#?}");
    assert!(refused.told.is_empty() && !refused.complaint.contains(COURT), "{refused:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn alarms_so_far_end_at_the_head_and_go_on_from_an_index() {
    let hub = Watched::start().await;
    let begun = std::time::Instant::now();
    let told = hub.values(&["alarms"]);
    let waited = begun.elapsed().as_secs();
    assert!(waited < limits::HEARTBEAT_SECONDS, "the head is told of at once: {waited} s");
    let index = hub.missed.to_string();
    assert!(told.iter().any(|alarm| alarm["index"] == index.as_str()), "{told:?}");
    let after = hub.values(&["alarms", "--after", &index]);
    assert!(after.iter().all(|alarm| alarm["index"] != index.as_str()), "{after:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_follower_goes_on_after_a_break_and_ends_when_it_is_shut_out() {
    let hub = Watched::start().await;
    let network = Relay::start(hub.process.address(), || false).await;
    point(&hub.profile, network.address());
    let mut follower = hub.follow(&["alarms", "--follow", "--json"]);
    assert_eq!(follower.alarm("handover_missed"), hub.missed);
    network.break_down();
    hub.an_hour_later();
    network.mend();
    // From where it was, and nothing twice.
    let mut last = hub.missed;
    loop {
        let alarm = follower.value();
        let index = alarm["index"].as_str().unwrap().parse().unwrap();
        assert!(index > last, "{alarm}");
        last = index;
        if alarm["kind"] == "duty_reminded" {
            break;
        }
    }
    hub.process.change(&[Change::SuspendSystem(PROCURATORATE.parse().unwrap(), true)]).await;
    assert_eq!(ended(&mut follower.child).await.code(), Some(PERMISSION));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_overview_tells_numbers_and_new_alarms_where_there_is_no_terminal() {
    let hub = Watched::start().await;
    let mut overview = hub.follow(&["--every", "5", "--json"]);
    let counts = overview.value()["counts"].clone();
    for (name, count) in [("missed", 1), ("gaps", 1), ("gaps_missed", 1), ("missing_persons", 0)] {
        assert_eq!(counts[name], count, "{name}: {counts}");
    }
    hub.an_hour_later();
    overview.alarm("duty_reminded");
    overview.interrupt().await;

    let wrong = run(&mut hub.command(&["--every", "5", "gaps"]));
    assert_eq!(wrong.code, USAGE, "{wrong:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_terminal_shows_the_overview_until_q_and_is_given_back() {
    let hub = Watched::start().await;
    let (mut terminal, program) = terminal();
    let mut child = hub
        .command(&["--lang", "zh"])
        .stdin(program.try_clone().unwrap())
        .stdout(program)
        .spawn()
        .unwrap();
    let mut shown = Vec::new();
    let sees = |shown: &[u8], what: &str| String::from_utf8_lossy(shown).contains(what);
    while !sees(&shown, "交接逾期") || !sees(&shown, "不是认定结论") {
        assert!(read_more(&mut terminal, &mut shown), "{}", String::from_utf8_lossy(&shown));
    }
    assert!(sees(&shown, ENTER_SCREEN) && !sees(&shown, LEAVE_SCREEN));
    terminal.write_all(b"q").unwrap();
    while read_more(&mut terminal, &mut shown) {}
    assert_eq!(ended(&mut child).await.code(), Some(DONE));
    assert!(sees(&shown, LEAVE_SCREEN));
}

/// To another screen of the terminal, and back (xterm, 1049).
const ENTER_SCREEN: &str = "\u{1b}[?1049h";
const LEAVE_SCREEN: &str = "\u{1b}[?1049l";

/// A terminal as its user has it, and as a program does.
fn terminal() -> (File, File) {
    let user = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&user).unwrap();
    unlockpt(&user).unwrap();
    let name = ptsname(&user, Vec::new()).unwrap();
    let flags = OFlags::RDWR | OFlags::NOCTTY;
    (user.into(), rustix::fs::open(name, flags, Mode::empty()).unwrap().into())
}

/// Whether the terminal showed anything more: no program has it open any longer.
fn read_more(terminal: &mut File, shown: &mut Vec<u8>) -> bool {
    let mut buffer = [0; 4096];
    let length = terminal.read(&mut buffer).unwrap_or_default();
    shown.extend(&buffer[..length]);
    length > 0
}
