//! Everything at once: documents and acknowledgements while commits fail, lose their answers and
//! die, in an order that a seed gives. In the end each document has one record, each inbox is
//! gapless, and the ledger is one.

use std::collections::BTreeMap;

use xianjie::hub::published::Published;
use xianjie::store::StoreError;
use xianjie::wire::signature::Signed;
use xianjie_core::ids::InboxNumber;

use super::faulty::{Fault, Op};
use super::running::{Running, index};
use crate::house::House;
use crate::people::code;
use crate::random::Random;

const SENDERS: [&str; 3] = ["yuexiu-court", "yuexiu-detention", "tianhe-corrections"];
const RECIPIENTS: [&str; 2] = ["tianhe-police", "tianhe-procuratorate"];
const ROUNDS: usize = 12;

/// What outsiders hold: it must stay true, whatever happens to the hub.
#[derive(Default)]
struct Held {
    sent: Vec<(&'static str, Signed)>,
    receipts: BTreeMap<usize, u64>,
    checkpoints: Vec<Published>,
    acknowledged: BTreeMap<&'static str, u64>,
}

#[tokio::test]
async fn a_storm_leaves_one_record_of_each_document() {
    let mut house = House::found().await;
    let mut random = Random(20_261_124);
    let mut held = Held::default();
    for _ in 0..ROUNDS {
        let running = Running::start(&house).await;
        check(&running, &house, &held).await;
        let dies = round(&running, &house, &mut held, &mut random).await;
        held.checkpoints.push((*running.hub.published()).clone());
        if dies {
            house = house.killed();
        } else {
            running.stop().await;
        }
    }
    let running = Running::start(&house).await;
    for (place, (from, signed)) in held.sent.iter().enumerate() {
        let answer = index(&running.submit(from, signed).await.unwrap());
        assert_eq!(*held.receipts.entry(place).or_insert(answer), answer);
    }
    check(&running, &house, &held).await;
    let mut records: Vec<u64> = held.receipts.values().copied().collect();
    records.sort_unstable();
    records.dedup();
    assert_eq!(records.len(), held.sent.len(), "each document has a record of its own");
    for agency in RECIPIENTS {
        let indexes: Vec<u64> = running.inbox(agency).await.iter().map(|(_, i)| *i).collect();
        assert_eq!(indexes, records, "{agency} got every document, in the ledger's order");
    }
    running.stop().await;
}

/// New documents, old ones again, acknowledgements, and faults in between; whether the hub died.
async fn round(running: &Running, house: &House, held: &mut Held, random: &mut Random) -> bool {
    for _ in 0..random.below(3) {
        let fault = match random.below(3) {
            0 => Fault::Before(StoreError::Unavailable),
            1 => Fault::Before(StoreError::Unknown),
            _ => Fault::After(StoreError::Unknown),
        };
        running.store.fail(Op::Commit, fault);
    }
    for _ in 0..1 + random.below(8) {
        let from = random.one_of(&SENDERS);
        held.sent.push((from, house.ping(from, &RECIPIENTS)));
    }
    let dies = random.below(2) == 0;
    let at = random.below(held.sent.len() as u64) as usize;
    for place in 0..held.sent.len() {
        if held.receipts.contains_key(&place) && random.below(4) > 0 {
            continue;
        }
        if dies && place >= at {
            running.store.fail(Op::Commit, Fault::Killed);
        }
        let (from, signed) = &held.sent[place];
        match running.unless_killed(running.submit(from, signed)).await {
            Some(Ok(answer)) => {
                assert_eq!(*held.receipts.entry(place).or_insert(index(&answer)), index(&answer));
            }
            Some(Err(_)) => {}
            None => return true,
        }
        let agency = random.one_of(&RECIPIENTS);
        if random.below(3) == 0 && !acknowledge(running, house, held, agency).await {
            return true;
        }
    }
    // A hub that was to die and met no commit lives on.
    false
}

/// Acknowledges one delivery, if there is one; whether the hub lives.
async fn acknowledge(
    running: &Running,
    house: &House,
    held: &mut Held,
    agency: &'static str,
) -> bool {
    let inbox = running.commitments(agency).await;
    let settled = held.acknowledged.entry(agency).or_default();
    let next = InboxNumber(*settled + 1);
    let Some((number, _, commitment)) = inbox.iter().find(|(number, ..)| *number == next) else {
        return true;
    };
    let statement = house.acknowledgement(agency, vec![(*number, *commitment)]);
    let agency = code(agency);
    let answer = running.unless_killed(running.hub.acknowledge(&agency, statement)).await;
    if let Some(Ok(_)) = answer {
        *settled = number.0;
    }
    answer.is_some()
}

/// Everything that outsiders hold is still so.
async fn check(running: &Running, house: &House, held: &Held) {
    for index in held.receipts.values() {
        running.receipt(house, *index).await;
    }
    for earlier in &held.checkpoints {
        running.continues(earlier).await;
    }
    for agency in RECIPIENTS {
        let inbox = running.inbox(agency).await;
        let numbers: Vec<u64> = inbox.iter().map(|(number, _)| *number).collect();
        assert_eq!(numbers, (1..=inbox.len() as u64).collect::<Vec<_>>());
        assert!(inbox.is_sorted_by_key(|(_, index)| *index));
        let settled = held.acknowledged.get(agency).copied().unwrap_or_default();
        let state = running.hub.inbox_state(&code(agency)).await.unwrap();
        let lowest = state.lowest_unsettled.0;
        assert!(lowest == 0 || lowest > settled, "{agency}: {lowest} came back as unacknowledged");
    }
}
