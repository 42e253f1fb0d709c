//! Supervision (检察监督) over the real program: who sees what is owed, what was missed, and who answers.

use pb::exchange_service_client::ExchangeServiceClient;
use pb::supervision_service_client::SupervisionServiceClient;
use pb::watch_alarms_response::Message;
use tonic::transport::Channel;
use xianjie::wire::pb;
use xianjie_core::ids::Time;

use crate::hostile::documents::verdict;
use crate::people::{NOW, wire_document};
use crate::process::Process;

const COURT: &str = "yuexiu-court";
const CORRECTIONS: &str = "tianhe-corrections";
const PROCURATORATE: &str = "tianhe-procuratorate";
const POLICE: &str = "tianhe-police";
const HOUR_MS: i64 = 3_600_000;

struct Watched {
    process: Process,
    case: String,
}

impl Watched {
    /// A hub that holds one verdict, whose person has not reported in time.
    async fn start() -> Self {
        let process = Process::start().await;
        let mut exchange = ExchangeServiceClient::new(process.connect(COURT).await);
        let paper = process.people.document(COURT, verdict(1));
        let request = pb::SubmitDocumentRequest {
            agency: COURT.to_owned(),
            signed_document: Some(wire_document(&paper)),
        };
        let taken = exchange.submit_document(request).await.unwrap().into_inner();
        Self { process, case: taken.correction_case }
    }

    async fn client(&self, agency: &str) -> SupervisionServiceClient<Channel> {
        SupervisionServiceClient::new(self.process.connect(agency).await)
    }

    /// The names of the duties that an agency sees, page by page.
    async fn duties(&self, agency: &str, missed: bool, page_size: u32) -> Vec<String> {
        let mut client = self.client(agency).await;
        let (mut names, mut page_token) = (Vec::new(), String::new());
        loop {
            let request = pb::ListDutiesRequest {
                agency: agency.to_owned(),
                missed,
                page_size,
                page_token,
                ..pb::ListDutiesRequest::default()
            };
            let page = client.list_duties(request).await.unwrap().into_inner();
            assert!(page.duties.len() <= page_size as usize);
            names.extend(page.duties.into_iter().map(|duty| duty.name));
            page_token = page.next_page_token;
            if page_token.is_empty() {
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
    };
    let now = client.get_custody(custody(None, PROCURATORATE)).await.unwrap().into_inner();
    assert_eq!(now.custody.unwrap().state(), pb::CustodyState::Awaiting);
    assert_eq!(now.steps.len(), 1);
    let before = custody(Some(Time(NOW.0 - HOUR_MS)), PROCURATORATE);
    let before = client.get_custody(before).await.unwrap().into_inner();
    assert_eq!(before.custody.unwrap().state(), pb::CustodyState::None);
    assert!(before.steps.is_empty());
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
    let request = |month: &str| pb::GetStatisticsRequest {
        agency: PROCURATORATE.to_owned(),
        month: month.to_owned(),
    };
    let mut client = hub.client(PROCURATORATE).await;
    let november = client.get_statistics(request("2026-11")).await.unwrap().into_inner();
    assert!(!november.truncated);
    for row in &november.rows {
        let sum = row.met + row.met_late + row.missed + row.running + row.ended_otherwise;
        assert_eq!(row.opened, sum, "{row:?}");
        assert_eq!(row.division, "440106");
        assert!(row.force() == pb::DutyForce::Binding || row.missed == 0, "{row:?}");
    }
    let missed: Vec<_> = november.rows.iter().filter(|row| row.missed > 0).collect();
    assert_eq!(missed.iter().map(|row| &*row.duty).collect::<Vec<_>>(), ["报到"]);
    let searched = november.rows.iter().find(|row| row.duty == "立即组织查找").unwrap();
    assert_eq!((searched.opened, searched.running), (1, 1));
    let october = client.get_statistics(request("2026-10")).await.unwrap().into_inner();
    assert!(october.rows.is_empty());
    let wrong = client.get_statistics(request("2026-13")).await.unwrap_err();
    assert_eq!(wrong.code(), tonic::Code::InvalidArgument);
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
