//! A store that is away while its hub stands: an outage like any other, and a quiet night is none.

use serde_json::Value;
use xianjie_core::domain::record::Outage;
use xianjie_core::refusal::{Reason, Refusal};

use super::*;
use crate::faults::faulty::FaultyStore;

/// The person must report by 24 November: in fifteen hours.
const DUE: Time = Time(NOW.0 + 15 * HOUR_MS);
const HOUR_MS: i64 = 60 * MINUTE_MS;

fn minutes_after_due(minutes: i64) -> Time {
    Time(DUE.0 + minutes * MINUTE_MS)
}

/// A verdict that took effect a day later than the others'.
fn late_verdict() -> Value {
    let mut fields = verdict(1);
    fields["effective_date"] = "2026-11-14".into();
    fields
}

/// A hub whose clock is guarded, at ten minutes before a limit passes, over a store that can go away.
struct Standing {
    house: House,
    hub: Arc<Hub>,
    tasks: xianjie::hub::Tasks,
    store: Arc<FaultyStore>,
}

impl Standing {
    async fn start() -> Self {
        let house = House::found_guarded().await;
        let begin = minutes_after_due(-10);
        house.floor().mark_alive(begin).unwrap();
        // The guard believes no leap from the time at which the hub opened; a day ahead, there is none
        // when the clock is moved by hand on the day before.
        house.clock.set(Time(begin.0 + DAY_MS));
        let store = FaultyStore::over(house.store().await);
        let (hub, tasks) = house.open(store.clone()).await.unwrap();
        house.clock.set(begin);
        hub.submit(&code(COURT), house.document(COURT, late_verdict())).await.unwrap();
        keep_time(&hub).await;
        Self { house, hub, tasks, store }
    }

    /// What the timekeeper does in its round at that time.
    async fn round_at(&self, time: Time) -> Result<usize, Refusal> {
        self.house.clock.set(time);
        self.hub.keep_time().await
    }

    async fn outages(&self) -> Vec<Outage> {
        let mut outages = Vec::new();
        for index in 0..self.hub.published().size {
            let (_, record) = self.hub.recorded(LedgerIndex(index)).await.unwrap();
            if let Kind::Clock(Clock::Outage(outage)) = record.kind {
                outages.push(outage);
            }
        }
        outages
    }

    async fn end(self) {
        let Self { hub, tasks, .. } = self;
        drop(hub);
        tasks.ended().await.unwrap();
    }
}

#[tokio::test]
async fn a_store_that_is_away_under_a_standing_hub_is_an_outage_and_nothing_is_lost() {
    let standing = Standing::start().await;
    let (house, hub) = (&standing.house, &standing.hub);
    let before = hub.published().size;
    let delivered = inbox(hub).await;
    assert!(!delivered.is_empty());

    standing.store.set_away(true);
    let ping = house.ping(COURT, &[CORRECTIONS]);
    let is_later = |refused: Refusal| assert_eq!(refused.reason(), Reason::StoreUnavailable);
    for minutes in [-5, 0, 5] {
        is_later(standing.round_at(minutes_after_due(minutes)).await.unwrap_err());
        is_later(hub.submit(&code(COURT), ping.clone()).await.unwrap_err());
    }
    assert_eq!(hub.published().size, before);

    standing.store.set_away(false);
    let back = minutes_after_due(6);
    standing.round_at(back).await.unwrap();
    let outage = Outage { from: minutes_after_due(-10), until: back };
    assert_eq!(standing.outages().await, [outage]);
    // The limit passed meanwhile, and half an hour long that is said to nobody, whoever asks.
    for minutes in (7..36).step_by(4) {
        standing.round_at(minutes_after_due(minutes)).await.unwrap();
        assert!(of(&steps(hub).await, "报到").is_empty(), "{minutes}");
    }
    // Then once.
    for minutes in [36, 37] {
        standing.round_at(minutes_after_due(minutes)).await.unwrap();
        assert_eq!(of(&steps(hub).await, "报到"), [DutyStep::HandoverMissed], "{minutes}");
    }
    assert_eq!(standing.outages().await, [outage], "it is recorded once");

    // What was refused is sent again and comes in once; what had been delivered still is.
    let answer = hub.submit(&code(COURT), ping.clone()).await.unwrap();
    let index = answer.entry.unwrap().0.index;
    let again = hub.submit(&code(COURT), ping).await.unwrap();
    assert_eq!((again.entry.is_none(), &again.known[..]), (true, &[index][..]));
    let after = inbox(hub).await;
    assert_eq!(after[..delivered.len()], delivered);
    assert_eq!(after.last().unwrap().1, index);
    let numbers: Vec<u64> = after.iter().map(|(number, _)| number.0).collect();
    assert_eq!(numbers, (1..=after.len() as u64).collect::<Vec<_>>());
    standing.end().await;
}

#[tokio::test]
async fn a_hub_that_ends_while_its_store_is_away_knows_since_when() {
    let standing = Standing::start().await;
    let (begin, back) = (minutes_after_due(-10), minutes_after_due(20));
    standing.store.set_away(true);
    standing.round_at(minutes_after_due(10)).await.unwrap_err();
    // It is what stands beside the floor that the next hub goes by: no later than the last good round.
    let Standing { house, hub, tasks, store } = standing;
    drop((hub, store));
    let _ = tasks.ended().await;
    assert_eq!(house.floor().alive().unwrap(), Some(begin));
    house.clock.set(back);
    let (hub, tasks) = house.open(house.store().await).await.unwrap();
    hub.keep_time().await.unwrap();
    let (_, last) = hub.recorded(LedgerIndex(hub.published().size - 1)).await.unwrap();
    assert_eq!(last.kind, Kind::Clock(Clock::Outage(Outage { from: begin, until: back })));
    drop(hub);
    tasks.ended().await.unwrap();
}

#[tokio::test]
async fn a_quiet_night_is_no_outage() {
    let standing = Standing::start().await;
    let size = standing.hub.published().size;
    for minutes in [-8, -6] {
        assert_eq!(standing.round_at(minutes_after_due(minutes)).await.unwrap(), 0);
    }
    assert_eq!(standing.hub.published().size, size);
    for minutes in [-5, -1, 0] {
        standing.round_at(minutes_after_due(minutes)).await.unwrap();
    }
    // What is due is said at once.
    let told = of(&steps(&standing.hub).await, "报到");
    assert_eq!(told, [DutyStep::Forewarned, DutyStep::HandoverMissed]);
    assert!(standing.outages().await.is_empty());
    standing.end().await;
}

/// The inbox of who was to receive the person: number and record of each delivery.
async fn inbox(hub: &Hub) -> Vec<(InboxNumber, LedgerIndex)> {
    let page = hub.deliveries(&code(CORRECTIONS), InboxNumber(0), false, 100).await.unwrap();
    page.iter().map(|delivered| (delivered.number, delivered.entry.index)).collect()
}
