//! A real hub's ledger, with time passing over it, comes out the same when every record is decided
//! again.

use std::sync::Arc;

use xianjie::hub::audit::law::{LawParts, LawReport};
use xianjie::hub::audit::{AuditParts, audit};
use xianjie::hub::{Hub, Tasks};
use xianjie::store::Store as _;
use xianjie::store::sqlite::Sqlite;
use xianjie::wire;
use xianjie_core::domain::directory::Divisions;
use xianjie_core::domain::record::{Clock, Kind};
use xianjie_core::domain::reminders::Reminders;
use xianjie_core::domain::rulebook::Law;
use xianjie_core::ids::{Digest, InboxNumber, LedgerIndex, Time};
use xianjie_core::ledger::Leaf;

use crate::house::{House, origin};
use crate::people::{NOW, code, enrolment};

const DAY_MS: i64 = 24 * 3_600_000;

#[tokio::test]
async fn what_time_and_agencies_did_is_decided_again() {
    let house = House::found().await;
    let (hub, tasks) = house.open(house.store().await).await.unwrap();
    let corrections = code("tianhe-corrections");
    let enrolled = house.document("tianhe-corrections", enrolment());
    hub.submit(&corrections, enrolled).await.unwrap();
    // Two lie unsigned for a day; the third is signed for.
    for _ in 0..3 {
        let ping = house.ping("yuexiu-court", &["tianhe-police", "tianhe-corrections"]);
        hub.submit(&code("yuexiu-court"), ping).await.unwrap();
    }
    acknowledge(&house, &hub, "tianhe-police", 3).await;
    pass(&house, &hub, NOW.0 + 2 * DAY_MS).await;
    close(hub, tasks).await;

    // Away for months, until the term's end (2027-11-01) is near; then it passes, and passes again.
    house.clock.set(Time(NOW.0 + 340 * DAY_MS));
    let (hub, tasks) = house.open(house.store().await).await.unwrap();
    for days in [340, 341, 345, 360] {
        pass(&house, &hub, NOW.0 + days * DAY_MS).await;
    }
    acknowledge(&house, &hub, "tianhe-police", 1).await;
    close(hub, tasks).await;

    let store = house.store().await;
    let told = kinds(&store).await;
    for kind in ["outage", "unacknowledged", "Forewarned", "Missed", "document", "acknowledged"] {
        assert!(told.iter().any(|told| told == kind), "{kind}: {told:?}");
    }
    let noted = told.iter().filter(|told| ["opened", "outage"].contains(&told.as_str())).count();
    let report = decided_again(&store).await;
    let judged = (told.len() - noted) as u64;
    assert_eq!(report, LawReport { judged, ..LawReport::default() });
}

/// Sets the clock, and has the hub take what is due and send what it owes for it.
async fn pass(house: &House, hub: &Hub, time: i64) {
    house.clock.set(Time(time));
    loop {
        let made = hub.keep_time().await.unwrap() + hub.send_notices().await.unwrap();
        if made == 0 {
            return;
        }
    }
}

async fn acknowledge(house: &House, hub: &Hub, agency: &str, number: u64) {
    let before = InboxNumber(number - 1);
    let delivered = hub.deliveries(&code(agency), before, false, 1).await.unwrap().remove(0);
    let commitment = Leaf::parse(&delivered.entry.leaf).unwrap().commitment;
    let items = vec![(delivered.number, Digest(commitment.0))];
    let statement = house.acknowledgement(agency, items);
    hub.acknowledge(&code(agency), statement).await.unwrap();
}

async fn close(hub: Arc<Hub>, tasks: Tasks) {
    drop(hub);
    tasks.ended().await.unwrap();
}

/// Each record by its kind, and time's by its step.
async fn kinds(store: &Sqlite) -> Vec<String> {
    let entries = store.entries_from(LedgerIndex(0), 1000).await.unwrap();
    let kind = |record: &[u8]| match wire::record::decode(record).unwrap().kind {
        Kind::Clock(Clock::Duty { step, .. }) => format!("{step:?}"),
        Kind::Clock(Clock::Outage(_)) => "outage".to_owned(),
        Kind::Clock(Clock::Unacknowledged { .. }) => "unacknowledged".to_owned(),
        Kind::Opened(_) => "opened".to_owned(),
        Kind::Document(_) => "document".to_owned(),
        Kind::Acknowledged(_) => "acknowledged".to_owned(),
        other => format!("{other:?}"),
    };
    entries.iter().map(|entry| kind(&entry.record)).collect()
}

async fn decided_again(store: &Sqlite) -> LawReport {
    let folder = tempfile::tempdir().unwrap();
    let scratch = Sqlite::create(&folder.path().join("scratch.db"), &origin()).await.unwrap();
    let parts = AuditParts {
        origin: origin(),
        schema: Arc::new(wire::schema::Schema::built_in()),
        law: Arc::new(Law::built_in()),
        scratch: &scratch,
        checkpoint: None,
        verifiers: Vec::new(),
        floor: None,
        attachments: None,
        decide_again: Some(LawParts {
            divisions: Arc::new(Divisions::built_in()),
            reminders: Some(Reminders::default()),
        }),
    };
    let report = audit(store, parts, |_, _| {}).await.unwrap();
    assert_eq!(report.findings, []);
    report.law.unwrap()
}
