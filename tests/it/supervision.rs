//! Supervision (检察监督) over the real program: who sees what is owed, what was missed, and who answers.

use pb::CustodyStep as Step;
use pb::supervision_service_client::SupervisionServiceClient;
use pb::watch_alarms_response::Message;
use serde_json::{Value, json};
use tonic::transport::Channel;
use xianjie::wire::pb;
use xianjie_core::domain::agency::Kind;
use xianjie_core::domain::decide::Change;
use xianjie_core::ids::Time;

use crate::hostile::documents::verdict;
use crate::people::{NOW, agency, code, enrolment};
use crate::process::Process;

mod missing;
mod receiving;

const COURT: &str = "yuexiu-court";
const CORRECTIONS: &str = "tianhe-corrections";
const PROCURATORATE: &str = "tianhe-procuratorate";
const POLICE: &str = "tianhe-police";
const DETENTION: &str = "yuexiu-detention";
const HOUR_MS: i64 = 3_600_000;

struct Watched {
    process: Process,
    case: String,
}

impl Watched {
    /// A hub that holds one verdict, whose person has not reported in time.
    async fn start() -> Self {
        Self::holding(COURT, verdict(1)).await
    }

    /// A hub that holds one document that opened a case.
    async fn holding(sender: &str, fields: Value) -> Self {
        let mut hub = Self { process: Process::start().await, case: String::new() };
        (_, hub.case) = hub.submit(sender, fields).await;
        hub
    }

    /// Sends a document; its reference, for a reply, and its case.
    async fn submit(&self, sender: &str, fields: Value) -> (Value, String) {
        let (document, case) = self.process.submit(sender, fields).await;
        let pb::DocumentRef { sender, document_id } = document;
        (json!({ "sender": sender, "document_id": document_id }), case)
    }

    /// Who answers, as an agency sees it, with the steps on pages of this size.
    async fn custody(&self, agency: &str, page_size: u32) -> (pb::CustodyNow, Vec<Step>) {
        let mut client = self.client(agency).await;
        let mut request = pb::GetCustodyRequest {
            agency: agency.to_owned(),
            correction_case: self.case.clone(),
            page_size,
            ..pb::GetCustodyRequest::default()
        };
        let mut steps = Vec::new();
        loop {
            let page = client.get_custody(request.clone()).await.unwrap().into_inner();
            steps.extend(page.steps.iter().map(pb::PastStep::step));
            if page.next_page_token.is_empty() {
                return (page.custody.unwrap_or_default(), steps);
            }
            request.page_token = page.next_page_token;
        }
    }

    /// The person is arrested until the ruling on a proposal to revoke.
    async fn arrest(&self) {
        let subject = json!({ "correction_case": self.case });
        let proposal = json!({
            "case_number": "穗天矫撤缓建字〔2026〕示例1号",
            "decision_date": "2026-11-23",
            "subject": subject,
            "revocation_proposal": {
                "ground": "GROUND_SUPERVISION_VIOLATION",
                "reasons": "经两次警告仍不改正",
                "original_court": COURT,
            },
        });
        self.submit(CORRECTIONS, proposal).await;
        let asked = json!({ "subject": subject, "arrest_request": { "reasons": "可能逃跑" } });
        let (asked, _) = self.submit(CORRECTIONS, asked).await;
        let decided = json!({
            "case_number": "（2026）粤0104刑更示例2号",
            "decision_date": "2026-11-24",
            "in_reply_to": asked,
            "arrest_decision": { "outcome": "OUTCOME_ARREST", "reasons": "可能逃跑" },
        });
        let (decided, _) = self.submit(COURT, decided).await;
        let executed = json!({
            "in_reply_to": decided,
            "arrest_executed": { "arrest_time": "2026-11-24T08:30:00+08:00", "guard": POLICE },
        });
        self.submit(POLICE, executed).await;
    }

    /// The duties of an agency as another sees them, page by page.
    async fn duties_of(&self, agency: &str, of_agency: &str, page_size: u32) -> Vec<String> {
        let request = pb::ListDutiesRequest {
            agency: agency.to_owned(),
            of_agency: of_agency.to_owned(),
            page_size,
            ..pb::ListDutiesRequest::default()
        };
        self.named(request).await
    }

    async fn statistics(&self, month: &str, page_size: u32) -> Vec<pb::StatisticsRow> {
        let mut client = self.client(PROCURATORATE).await;
        let mut request = pb::GetStatisticsRequest {
            agency: PROCURATORATE.to_owned(),
            month: month.to_owned(),
            page_size,
            page_token: String::new(),
        };
        let mut rows = Vec::new();
        loop {
            let page = client.get_statistics(request.clone()).await.unwrap().into_inner();
            assert_eq!(page.truncated, !page.next_page_token.is_empty());
            assert!(page_size == 0 || page.rows.len() <= page_size as usize);
            rows.extend(page.rows);
            if page.next_page_token.is_empty() {
                return rows;
            }
            request.page_token = page.next_page_token;
        }
    }

    async fn client(&self, agency: &str) -> SupervisionServiceClient<Channel> {
        SupervisionServiceClient::new(self.process.connect(agency).await)
    }

    /// The names of the duties that an agency sees, page by page.
    async fn duties(&self, agency: &str, missed: bool, page_size: u32) -> Vec<String> {
        let request = pb::ListDutiesRequest {
            agency: agency.to_owned(),
            missed,
            page_size,
            ..pb::ListDutiesRequest::default()
        };
        self.named(request).await
    }

    async fn named(&self, mut request: pb::ListDutiesRequest) -> Vec<String> {
        let mut client = self.client(&request.agency).await;
        let mut names = Vec::new();
        loop {
            let page = client.list_duties(request.clone()).await.unwrap().into_inner();
            assert!(page.duties.len() <= request.page_size as usize);
            names.extend(page.duties.into_iter().map(|duty| duty.name));
            request.page_token = page.next_page_token;
            if request.page_token.is_empty() {
                names.sort();
                return names;
            }
        }
    }

    /// The first alarm of this kind above an index.
    async fn alarm(&self, agency: &str, kind: &str, after_index: Option<u64>) -> pb::AlarmRaised {
        let request = pb::WatchAlarmsRequest { agency: agency.to_owned(), after_index };
        let mut alarms =
            self.client(agency).await.watch_alarms(request).await.unwrap().into_inner();
        while let Some(answer) = alarms.message().await.unwrap() {
            if let Some(Message::Alarm(alarm)) = answer.message
                && alarm.kind == kind
            {
                return *alarm;
            }
        }
        panic!("the stream ended")
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn those_concerned_see_what_is_owed_and_nobody_else() {
    let hub = Watched::start().await;
    let missed = hub.alarm(PROCURATORATE, "handover_missed", None).await;
    assert_eq!(missed.duty.as_ref().unwrap().name, "报到");
    assert_eq!(missed.duty.unwrap().articles, ["社区矫正法 21"]);
    assert!(missed.receipt.is_some());

    let all = hub.duties(PROCURATORATE, false, 100).await;
    assert!(all.contains(&"送达回执".to_owned()) && all.contains(&"报到".to_owned()), "{all:?}");
    assert_eq!(hub.duties(PROCURATORATE, false, 1).await, all);
    assert_eq!(hub.duties(CORRECTIONS, false, 2).await, all);
    assert_eq!(hub.duties(COURT, true, 100).await, ["报到"]);
    // The police have a copy of the verdict and owe nothing for it.
    assert!(hub.duties(POLICE, false, 100).await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gap_says_what_is_missing_and_custody_who_answers() {
    let hub = Watched::start().await;
    hub.alarm(PROCURATORATE, "handover_missed", None).await;
    let mut client = hub.client(PROCURATORATE).await;
    let request = pb::ListGapsRequest {
        agency: PROCURATORATE.to_owned(),
        missed: true,
        ..pb::ListGapsRequest::default()
    };
    let gaps = client.list_gaps(request).await.unwrap().into_inner().gaps;
    let [gap] = &gaps[..] else { panic!("{gaps:?}") };
    assert_eq!(gap.kind(), pb::GapKind::NotReported);
    assert_eq!(gap.custody.as_ref().unwrap().answers, COURT);

    let custody = |at: Option<Time>, agency: &str| pb::GetCustodyRequest {
        agency: agency.to_owned(),
        correction_case: hub.case.clone(),
        at_time: at.map(xianjie::wire::time::write_time),
        ..pb::GetCustodyRequest::default()
    };
    let now = client.get_custody(custody(None, PROCURATORATE)).await.unwrap().into_inner();
    assert_eq!(now.custody.unwrap().state(), pb::CustodyState::Awaiting);
    assert_eq!(now.steps.len(), 1);
    // The court answers until the person reports; the procuratorate of where they go sees only what
    // came there.
    for (reader, state) in [(COURT, Some(pb::CustodyState::None)), (PROCURATORATE, None)] {
        let before = custody(Some(Time(NOW.0 - HOUR_MS)), reader);
        let mut client = hub.client(reader).await;
        let before = client.get_custody(before).await.unwrap().into_inner();
        assert_eq!(before.custody.map(|custody| custody.state()), state, "{reader}");
        assert!(before.steps.is_empty());
    }
    // A case that is none of one's own is the same as none.
    let mut stranger = hub.client("yuexiu-detention").await;
    let refused = stranger.get_custody(custody(None, "yuexiu-detention")).await.unwrap_err();
    assert_eq!(refused.code(), tonic::Code::NotFound);
}

#[tokio::test(flavor = "multi_thread")]
async fn statistics_count_each_duty_once_and_reminders_never_as_missed() {
    let hub = Watched::start().await;
    hub.alarm(PROCURATORATE, "handover_missed", None).await;
    let clock = hub.process.folder().join("clock");
    std::fs::write(clock, (NOW.0 + 2 * HOUR_MS).to_string()).unwrap();
    hub.alarm(CORRECTIONS, "duty_reminded", None).await;
    let november = hub.statistics("2026-11", 0).await;
    for row in &november {
        let sum = counted(row);
        assert_eq!(row.opened, sum, "{row:?}");
        assert_eq!(row.division, "440106");
        assert!(row.force() == pb::DutyForce::Binding || row.missed == 0, "{row:?}");
    }
    let missed: Vec<_> = november.iter().filter(|row| row.missed > 0).collect();
    assert_eq!(missed.iter().map(|row| &*row.duty).collect::<Vec<_>>(), ["报到"]);
    let searched = november.iter().find(|row| row.duty == "立即组织查找").unwrap();
    assert_eq!((searched.opened, searched.running), (1, 1));
    // Pages of a month, added up, are the month.
    let mut pages = hub.statistics("2026-11", 1).await;
    assert!(pages.len() > 2);
    pages.sort_by_key(line);
    pages.dedup_by(|next, row| {
        let same = line(next) == line(row);
        if same {
            row.opened += next.opened;
            row.running += next.running;
            row.missed += next.missed;
        }
        same
    });
    let mut whole = november.clone();
    whole.sort_by_key(line);
    assert_eq!(pages, whole);
    assert!(hub.statistics("2026-10", 0).await.is_empty());
    let wrong = pb::GetStatisticsRequest {
        agency: PROCURATORATE.to_owned(),
        month: "2026-13".to_owned(),
        ..pb::GetStatisticsRequest::default()
    };
    let wrong = hub.client(PROCURATORATE).await.get_statistics(wrong).await.unwrap_err();
    assert_eq!(wrong.code(), tonic::Code::InvalidArgument);
}

/// What a row counts, by which it is told from others.
fn line(row: &pb::StatisticsRow) -> (String, String, String, Vec<String>, i32) {
    let pb::StatisticsRow { division, document_type, duty, articles, force, .. } = row.clone();
    (division, document_type, duty, articles, force)
}

fn counted(row: &pb::StatisticsRow) -> u64 {
    row.met + row.met_late + row.missed + row.running + row.ended_otherwise + row.missed_then_ended
}

#[tokio::test(flavor = "multi_thread")]
async fn alarms_go_on_where_they_were_left() {
    let hub = Watched::start().await;
    let first = hub.alarm(CORRECTIONS, "handover_missed", None).await;
    let clock = hub.process.folder().join("clock");
    std::fs::write(clock, (NOW.0 + 2 * HOUR_MS).to_string()).unwrap();
    let next = hub.alarm(CORRECTIONS, "duty_reminded", Some(first.index)).await;
    assert!(next.index > first.index);
    assert_eq!(next.duty.unwrap().name, "立即组织查找");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_missed_stays_missed_when_it_is_owed_no_longer() {
    let hub = Watched::start().await;
    hub.alarm(PROCURATORATE, "handover_missed", None).await;
    let dead = json!({
        "subject": { "correction_case": hub.case },
        "death_notice": { "death_date": "2026-11-24", "discovery_date": "2026-11-24" },
    });
    hub.submit(CORRECTIONS, dead).await;
    let rows = hub.statistics("2026-11", 0).await;
    let reported = rows.iter().find(|row| row.duty == "报到").unwrap();
    assert_eq!((reported.opened, reported.missed_then_ended), (1, 1), "{reported:?}");
    let missed = hub.alarm(PROCURATORATE, "handover_missed", None).await.duty.unwrap();
    assert_eq!(missed.standing(), pb::DutyStanding::Ended);
    assert_eq!(missed.outcome(), pb::DutyOutcome::Cancelled);
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_once_sent_a_paper_is_not_warned_of_an_arrest() {
    let hub = Watched::holding(CORRECTIONS, enrolment()).await;
    let doubt = json!({
        "subject": {
            "name": "示例甲（虚构）",
            "identity_kind": "IDENTITY_KIND_RESIDENT_ID",
            "identity_number": "11010519491231002X",
        },
        "chosen_agencies": ["yuexiu-procuratorate"],
        "judgment_doubt": { "reasons": "判决可能有错误" },
    });
    let (_, case) = hub.submit(DETENTION, doubt).await;
    assert_eq!(case, hub.case, "it is found by the person's number");
    let before = hub.custody(DETENTION, 100).await;
    hub.arrest().await;

    assert_eq!(hub.custody(DETENTION, 100).await, before);
    assert!(hub.custody(DETENTION, 1).await.1.is_empty(), "no step is its own");
    for (reader, past) in [(DETENTION, true), (CORRECTIONS, false)] {
        let request = pb::GetCustodyRequest {
            agency: reader.to_owned(),
            correction_case: hub.case.clone(),
            ..pb::GetCustodyRequest::default()
        };
        let answer = hub.client(reader).await.get_custody(request).await.unwrap().into_inner();
        assert_eq!(answer.past, past, "{reader}");
    }
    for concerned in [CORRECTIONS, COURT, POLICE, PROCURATORATE] {
        let (custody, steps) = hub.custody(concerned, 100).await;
        assert!(custody.arrested && custody.proposal, "{concerned}");
        assert_eq!((&*custody.answers, &*custody.guard), (CORRECTIONS, POLICE), "{concerned}");
        assert_eq!(hub.custody(concerned, 1).await, (custody, steps), "{concerned}");
    }
    let (_, steps) = hub.custody(CORRECTIONS, 100).await;
    assert_eq!(steps, [Step::Accept, Step::Pending, Step::Arrest]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_owed_to_an_agency_is_found_under_it_and_under_its_successor() {
    let hub = Watched::holding(CORRECTIONS, enrolment()).await;
    let asked = json!({
        "subject": { "correction_case": hub.case },
        "on_scene_request": { "facts": "示例", "incident_address": "示例路1号（虚构）" },
    });
    hub.submit(CORRECTIONS, asked).await;
    let owed = "到场处置".to_owned();
    for size in [1, 100] {
        for (reader, of) in [
            (PROCURATORATE, CORRECTIONS),
            (PROCURATORATE, POLICE),
            (POLICE, CORRECTIONS),
            (CORRECTIONS, POLICE),
        ] {
            assert!(hub.duties_of(reader, of, size).await.contains(&owed), "{reader} {of}");
        }
        assert!(!hub.duties_of(POLICE, COURT, size).await.contains(&owed));
    }
    // The police pass to others, whom another procuratorate supervises.
    let heir = "yuexiu-new-police";
    let of_heir = "yuexiu-procuratorate";
    let mut old = agency(POLICE, Kind::Police, "440106", PROCURATORATE);
    old.successor = Some(code(heir));
    let put = |agency| Change::PutAgency(Box::new(agency));
    let changes = [put(agency(heir, Kind::Police, "440104", of_heir)), put(old)];
    hub.process.change(&changes).await;
    assert!(hub.duties_of(of_heir, heir, 1).await.contains(&owed));
    assert!(hub.duties_of(CORRECTIONS, heir, 1).await.contains(&owed));
    assert!(!hub.duties_of(PROCURATORATE, POLICE, 1).await.contains(&owed));
}
