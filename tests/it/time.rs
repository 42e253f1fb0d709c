//! What passing time does in a running hub: who is told, once, also across restarts and outages.

use std::sync::Arc;

use jiff::civil::date;
use prost::Message as _;
use xianjie::hub::Hub;
use xianjie::store::Store;
use xianjie::wire::pb;
use xianjie_core::domain::record::{Clock, DutyStep, Kind};
use xianjie_core::domain::term::shanghai_midnight_ms;
use xianjie_core::ids::{InboxNumber, LedgerIndex, Time};
use xianjie_core::refusal::Reason;

use crate::hostile::documents::verdict;
use crate::house::House;
use crate::people::{NOW, code};

mod away;

const COURT: &str = "yuexiu-court";
const CORRECTIONS: &str = "tianhe-corrections";
const PROCURATORATE: &str = "tianhe-procuratorate";
const MINUTE_MS: i64 = 60_000;
const DAY_MS: i64 = 24 * 60 * MINUTE_MS;

fn days(count: i64) -> Time {
    Time(NOW.0 + count * DAY_MS)
}

/// The steps of duties that the ledger tells of, by the duty's name.
async fn steps(hub: &Hub) -> Vec<(String, DutyStep)> {
    let mut steps = Vec::new();
    for index in 0..hub.published().size {
        let (_, record) = hub.recorded(LedgerIndex(index)).await.unwrap();
        if let Kind::Clock(Clock::Duty { duty, step, .. }) = &record.kind {
            let (_, opened) = hub.recorded(duty.index).await.unwrap();
            let effect = &opened.effects.iter().map(|ruled| &ruled.effect);
            let mut duties = effect.clone();
            let opened = duties.nth(duty.ordinal as usize);
            let Some(xianjie_core::domain::record::Effect::DutyOpened(opened)) = opened else {
                panic!("{duty:?} names no duty")
            };
            steps.push((opened.name.clone(), *step));
        }
    }
    steps
}

async fn outages(hub: &Hub) -> usize {
    let mut count = 0;
    for index in 0..hub.published().size {
        let (_, record) = hub.recorded(LedgerIndex(index)).await.unwrap();
        count += usize::from(matches!(record.kind, Kind::Clock(Clock::Outage(_))));
    }
    count
}

/// The notices in an inbox: kind and duty.
async fn notices(hub: &Hub, agency: &str) -> Vec<(pb::NoticeKind, String)> {
    let found = bodies(hub, agency).await.into_iter();
    found.map(|notice| (notice.notice_kind(), notice.duty)).collect()
}

/// The notices in an inbox, in its order.
async fn bodies(hub: &Hub, agency: &str) -> Vec<pb::HubNotice> {
    let delivered = hub.deliveries(&code(agency), InboxNumber(0), false, 100).await.unwrap();
    let notice = |bytes: &[u8]| {
        let signed = pb::SignedDocument::decode(bytes).unwrap();
        match pb::Document::decode(&signed.document[..]).unwrap().body {
            Some(pb::document::Body::HubNotice(notice)) => Some(notice),
            _ => None,
        }
    };
    delivered.iter().filter_map(|one| notice(&one.entry.signed_document)).collect()
}

async fn keep_time(hub: &Hub) -> usize {
    let made = hub.keep_time().await.unwrap();
    hub.send_notices().await.unwrap();
    made
}

fn of(steps: &[(String, DutyStep)], name: &str) -> Vec<DutyStep> {
    steps.iter().filter(|(duty, _)| duty == name).map(|(_, step)| *step).collect()
}

/// A hub whose ledger holds one verdict, served and never answered.
async fn forgotten() -> (House, Arc<Hub>, xianjie::hub::Tasks) {
    let house = House::found().await;
    let (hub, tasks) = house.open(house.store().await).await.unwrap();
    hub.submit(&code(COURT), house.document(COURT, verdict(1))).await.unwrap();
    (house, hub, tasks)
}

#[tokio::test]
async fn who_forgets_is_warned_and_whoever_waits_or_supervises_is_told() {
    let (house, hub, tasks) = forgotten().await;
    // The person must report by 23 November, a Monday: the hub was told too late for a warning.
    keep_time(&hub).await;
    let missed = (pb::NoticeKind::HandoverMissed, "报到".to_owned());
    for agency in [COURT, CORRECTIONS, PROCURATORATE] {
        assert!(notices(&hub, agency).await.contains(&missed), "{agency}");
    }
    assert!(!notices(&hub, "tianhe-police").await.contains(&missed));
    // An hour later the search that follows is reminded of, to whoever has to search.
    house.clock.set(Time(NOW.0 + 61 * MINUTE_MS));
    keep_time(&hub).await;
    let search = (pb::NoticeKind::DutyReminded, "立即组织查找".to_owned());
    assert!(notices(&hub, CORRECTIONS).await.contains(&search));
    assert!(!notices(&hub, COURT).await.contains(&search));
    // A day later the court hears that nobody has signed for its verdict.
    house.clock.set(days(2));
    keep_time(&hub).await;
    let lain = (pb::NoticeKind::DeliveryUnacknowledged, String::new());
    assert!(notices(&hub, COURT).await.contains(&lain));
    // Asked again, nothing happens.
    let size = hub.published().size;
    assert_eq!(keep_time(&hub).await, 0);
    assert_eq!(hub.published().size, size);
    drop(hub);
    tasks.ended().await.unwrap();
}

/// What is said late is said as it was, with the last day as people count it; what is said again says so.
#[tokio::test]
async fn a_notice_tells_of_its_own_step_and_of_how_often() {
    let (house, hub, tasks) = forgotten().await;
    hub.keep_time().await.unwrap();
    house.clock.set(days(8));
    hub.keep_time().await.unwrap();
    hub.send_notices().await.unwrap();
    let mut told = bodies(&hub, COURT).await;
    told.retain(|notice| notice.duty == "报到");
    let texts: Vec<_> = told.iter().map(|notice| notice.text.as_str()).collect();
    let [first, again] = texts[..] else { panic!("{texts:?}") };
    assert!(
        first.contains("截至2026-11-23当日") && first.contains("last day 2026-11-23"),
        "{first}"
    );
    assert!(!first.contains("第2次提示") && again.contains("第2次提示"), "{again}");
    let due = told[0].due_time.as_ref().unwrap().seconds * 1000;
    assert_eq!(due, shanghai_midnight_ms(date(2026, 11, 24)), "exclusive");
    drop(hub);
    tasks.ended().await.unwrap();
}

#[tokio::test]
async fn a_step_is_taken_once_whoever_asks_and_however_often() {
    let (_house, hub, tasks) = forgotten().await;
    let asked = (0..8).map(|_| hub.keep_time());
    let made: usize = futures::future::join_all(asked).await.into_iter().map(Result::unwrap).sum();
    assert!(made > 0);
    assert_eq!(of(&steps(&hub).await, "报到"), [DutyStep::HandoverMissed]);
    drop(hub);
    tasks.ended().await.unwrap();
}

#[tokio::test]
async fn after_an_outage_nothing_is_missed_for_half_an_hour_and_then_once() {
    let (house, hub, tasks) = forgotten().await;
    drop(hub);
    tasks.ended().await.unwrap();
    house.clock.set(days(3));
    let (hub, tasks) = house.open(house.store().await).await.unwrap();
    keep_time(&hub).await;
    assert_eq!(outages(&hub).await, 1);
    house.clock.set(Time(days(3).0 + 29 * MINUTE_MS));
    keep_time(&hub).await;
    assert!(steps(&hub).await.is_empty());
    house.clock.set(Time(days(3).0 + 31 * MINUTE_MS));
    keep_time(&hub).await;
    assert_eq!(of(&steps(&hub).await, "报到"), [DutyStep::HandoverMissed]);
    drop(hub);
    tasks.ended().await.unwrap();
    // A short restart is no outage, and repeats nothing.
    let store = house.store().await;
    let size = store.head().await.unwrap().size;
    let (hub, tasks) = house.open(store).await.unwrap();
    assert_eq!(keep_time(&hub).await, 0);
    assert_eq!((outages(&hub).await, hub.published().size), (1, size));
    drop(hub);
    tasks.ended().await.unwrap();
}

#[tokio::test]
async fn what_is_missed_is_told_again_each_week_until_it_is_done() {
    let (house, hub, tasks) = forgotten().await;
    for day in [0, 3, 7, 8, 14, 15] {
        house.clock.set(Time(days(day).0 + MINUTE_MS));
        keep_time(&hub).await;
    }
    assert_eq!(of(&steps(&hub).await, "报到"), [DutyStep::HandoverMissed; 3]);
    drop(hub);
    tasks.ended().await.unwrap();
}

/// A ledger can't come back from the future: what a leaping clock would date is not written at all.
#[tokio::test]
async fn a_clock_that_leaps_ahead_pauses_commits_until_it_is_put_right() {
    let house = House::found_in_earnest().await;
    let (hub, tasks) = house.open(house.store().await).await.unwrap();
    let ping = || house.ping(COURT, &[CORRECTIONS]);
    hub.submit(&code(COURT), ping()).await.unwrap();
    let size = hub.published().size;
    house.clock.set(days(1));
    let refusal = hub.submit(&code(COURT), ping()).await.unwrap_err();
    assert_eq!(refusal.reason(), Reason::StoreUnavailable);
    assert!(hub.troubles().has_clock_leapt());
    assert_eq!(hub.published().size, size);
    house.clock.set(NOW);
    hub.submit(&code(COURT), ping()).await.unwrap();
    assert!(!hub.troubles().has_clock_leapt());
    drop(hub);
    tasks.ended().await.unwrap();
}
