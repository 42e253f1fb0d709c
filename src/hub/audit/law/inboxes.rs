//! What lay unsettled in an inbox when it was told of: the record names the last number alone.

use std::collections::BTreeMap;

use xianjie_core::domain::record::{Clock, Kind};
use xianjie_core::domain::state::{Inbox, Key, Row};
use xianjie_core::ids::{AgencyCode, InboxNumber, LedgerIndex};
use xianjie_core::limits;

use crate::hub::audit::entry::Examined;
use crate::store::{Store, StoreError, Wants};

/// The numbers, by the records that tell of them.
pub(in crate::hub::audit) type Numbers = BTreeMap<LedgerIndex, Vec<InboxNumber>>;

/// For each record of a step that tells of deliveries: those between what was told before and its last
/// that were not settled when the step began, or that the step itself delivers.
pub(in crate::hub::audit) async fn unsettled(
    scratch: &dyn Store,
    examined: &[Examined],
) -> Result<Numbers, StoreError> {
    let mut told: BTreeMap<&AgencyCode, InboxNumber> = BTreeMap::new();
    let mut found = Numbers::new();
    for one in examined {
        let Some(Kind::Clock(Clock::Unacknowledged { agency, number, .. })) =
            one.record.as_ref().map(|record| &record.kind)
        else {
            continue;
        };
        let inbox = inbox(scratch, agency).await?;
        let after = told.insert(agency, *number).unwrap_or(inbox.told);
        let mut numbers = indexed(scratch, agency, after, *number).await?;
        // A step delivers to an inbox at most once a record.
        let newest = number.0.min(inbox.last.0.saturating_add(examined.len() as u64));
        let first = inbox.last.0.max(after.0).saturating_add(1);
        numbers.extend((first..=newest).map(InboxNumber));
        // The last may have been settled just before it was told of.
        if numbers.last().is_some_and(|last| last < number) || numbers.is_empty() {
            numbers.push(*number);
        }
        found.insert(one.index, numbers);
    }
    Ok(found)
}

async fn inbox(scratch: &dyn Store, agency: &AgencyCode) -> Result<Inbox, StoreError> {
    let key = Key::Inbox(agency.clone());
    let wants = Wants { keys: [key.clone()].into(), ..Wants::default() };
    match scratch.load(&wants).await?.rows.remove(&key) {
        Some(Some(Row::Inbox(inbox))) => Ok(inbox),
        _ => Ok(Inbox::default()),
    }
}

/// The index of deliveries that are not settled, above one number and up to another.
async fn indexed(
    scratch: &dyn Store,
    agency: &AgencyCode,
    after: InboxNumber,
    last: InboxNumber,
) -> Result<Vec<InboxNumber>, StoreError> {
    let (mut from, to) = Key::unsettled_bounds(agency, after);
    let mut numbers = Vec::new();
    loop {
        let page = scratch.scan(&from, &to, limits::PAGE).await?;
        let Some((newest, _)) = page.last() else { return Ok(numbers) };
        from = newest.iter().copied().chain([0]).collect();
        for (key, _) in &page {
            match Key::from_bytes(key) {
                Ok(Key::Unsettled(_, number)) if number <= last => numbers.push(number),
                _ => return Ok(numbers),
            }
        }
    }
}
