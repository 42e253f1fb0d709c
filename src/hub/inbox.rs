//! Inboxes: pages of deliveries in the order of their numbers, whatever their state.

use std::sync::Arc;

use xianjie_core::domain::record::Record;
use xianjie_core::domain::state::{Delivery, Inbox, Key, Row};
use xianjie_core::ids::{AgencyCode, InboxNumber, LedgerIndex};
use xianjie_core::limits;
use xianjie_core::refusal::{Reason, Refusal};

use super::Hub;
use super::published::Published;
use super::submit::unavailable;
use crate::store::{Entry, Wants};
use crate::wire;

/// How many rows of a list of unsettled deliveries are read at once: each stands for
/// [`SPAN`](xianjie_core::domain::state::SPAN) numbers.
const SPANS: usize = 16;

/// One delivery, with all that a recipient gets.
#[derive(Debug, Clone)]
pub struct Delivered {
    /// Its number.
    pub number: InboxNumber,
    /// How it stands.
    pub delivery: Delivery,
    /// Its entry.
    pub entry: Arc<Entry>,
    /// Its record.
    pub record: Arc<Record>,
    /// A checkpoint that covers it.
    pub published: Arc<Published>,
}

/// An inbox as a whole, as of now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InboxState {
    /// Its last number; zero if nothing ever came.
    pub last: InboxNumber,
    /// The lowest number that is not settled; zero if there is none.
    pub lowest_unsettled: InboxNumber,
    /// How many are not settled.
    pub unsettled: u64,
}

impl Hub {
    /// Deliveries above `after`, in order, at most `limit` and about a page's bytes; only unsettled
    /// ones if so asked. Never more than what is published: what is visible may not be durable.
    ///
    /// # Errors
    /// The store can't be read now, or an entry is damaged.
    pub async fn deliveries(
        &self,
        agency: &AgencyCode,
        after: InboxNumber,
        only_unsettled: bool,
        limit: usize,
    ) -> Result<Vec<Delivered>, Refusal> {
        let published = self.published();
        let limit = limit.clamp(1, limits::PAGE_MAX);
        let found = if only_unsettled {
            self.unsettled(agency, after, limit).await?
        } else {
            self.numbered(agency, after, limit).await?
        };
        let durable: Vec<(InboxNumber, Delivery)> =
            found.into_iter().filter(|(_, d)| d.index.0 < published.size).collect();
        let indexes: Vec<LedgerIndex> = durable.iter().map(|(_, d)| d.index).collect();
        let mut delivered = Vec::with_capacity(durable.len());
        let mut bytes = 0;
        for (place, (number, delivery)) in durable.into_iter().enumerate() {
            // A page is cut by bytes after its first delivery; what follows is the next page's.
            if place > 0 && bytes > limits::PAGE_BYTES {
                break;
            }
            let entry = self.entry(indexes[place]).await?;
            bytes += entry.record.len() + entry.signed_document.len();
            let record = Arc::new(wire::record::decode(&entry.record).map_err(unavailable)?);
            delivered.push(Delivered {
                number,
                delivery,
                entry: Arc::new(entry),
                record,
                published: Arc::clone(&published),
            });
        }
        Ok(delivered)
    }

    /// One entry of the ledger.
    ///
    /// # Errors
    /// It does not exist, is not published yet, or the store can't be read now.
    pub async fn entry(&self, index: LedgerIndex) -> Result<Entry, Refusal> {
        if index.0 >= self.published().size {
            return Err(Reason::NotFound.into());
        }
        let found = self.shared.store.entries(&[index]).await.map_err(unavailable)?;
        found.into_iter().next().ok_or_else(|| Reason::NotFound.into())
    }

    /// An inbox as a whole.
    ///
    /// # Errors
    /// The store can't be read now.
    pub async fn inbox_state(&self, agency: &AgencyCode) -> Result<InboxState, Refusal> {
        let key = Key::Inbox(agency.clone());
        let mut wants = Wants::default();
        wants.keys.insert(key.clone());
        let loaded = self.shared.store.load(&wants).await.map_err(unavailable)?;
        let inbox = match loaded.rows.get(&key) {
            Some(Some(Row::Inbox(inbox))) => *inbox,
            _ => Inbox::default(),
        };
        let lowest = if inbox.unsettled == 0 {
            InboxNumber(0)
        } else {
            let numbers = self.unsettled_numbers(agency, InboxNumber(0), 1).await?;
            numbers.first().copied().unwrap_or_default()
        };
        Ok(InboxState { last: inbox.last, lowest_unsettled: lowest, unsettled: inbox.unsettled })
    }

    async fn numbered(
        &self,
        agency: &AgencyCode,
        after: InboxNumber,
        limit: usize,
    ) -> Result<Vec<(InboxNumber, Delivery)>, Refusal> {
        let (from, to) = Key::inbox_bounds(agency, after);
        let page = self.shared.store.scan(&from, &to, limit).await.map_err(unavailable)?;
        page.iter()
            .map(|(key, row)| match Row::from_bytes(row).map_err(unavailable)? {
                Row::Delivery(delivery) => Ok((number_of(key), delivery)),
                _ => Err(unavailable("an inbox holds a row that is no delivery")),
            })
            .collect()
    }

    async fn unsettled(
        &self,
        agency: &AgencyCode,
        after: InboxNumber,
        limit: usize,
    ) -> Result<Vec<(InboxNumber, Delivery)>, Refusal> {
        let numbers = self.unsettled_numbers(agency, after, limit).await?;
        let mut wants = Wants::default();
        wants.keys.extend(numbers.iter().map(|n| Key::Delivery(agency.clone(), *n)));
        let mut loaded = self.shared.store.load(&wants).await.map_err(unavailable)?;
        let deliveries = numbers.into_iter().filter_map(|number| {
            match loaded.rows.remove(&Key::Delivery(agency.clone(), number)) {
                Some(Some(Row::Delivery(delivery))) => Some((number, delivery)),
                _ => None,
            }
        });
        Ok(deliveries.collect())
    }

    /// The numbers above `after` of deliveries that are not settled, in order, at most `limit`.
    pub(super) async fn unsettled_numbers(
        &self,
        agency: &AgencyCode,
        after: InboxNumber,
        limit: usize,
    ) -> Result<Vec<InboxNumber>, Refusal> {
        let (mut from, to) = Key::unsettled_bounds(agency, after);
        let mut numbers = Vec::new();
        while numbers.len() < limit {
            let page = self.shared.store.scan(&from, &to, SPANS).await.map_err(unavailable)?;
            let Some((last, _)) = page.last() else { break };
            from = [&last[..], &[0]].concat();
            for (key, row) in &page {
                let (Ok(Key::Unsettled(_, span)), Ok(Row::Unsettled(open))) =
                    (Key::from_bytes(key), Row::from_bytes(row))
                else {
                    return Err(unavailable("a list of unsettled deliveries is damaged"));
                };
                numbers.extend(open.numbers(span).filter(|number| *number > after));
            }
        }
        numbers.truncate(limit);
        Ok(numbers)
    }
}

/// The number at the end of a delivery's key.
fn number_of(key: &[u8]) -> InboxNumber {
    match Key::from_bytes(key) {
        Ok(Key::Delivery(_, number)) => number,
        _ => InboxNumber(0),
    }
}
