//! Reads over what there is: how far an inbox reached, how many documents an agency sent, which
//! attachments documents name, how much is still open.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use xianjie_core::domain::state::{Delivery, Key, Row};
use xianjie_core::ids::{AgencyCode, Digest, InboxNumber, LedgerIndex, SenderNumber};
use xianjie_core::limits;
use xianjie_core::refusal::Refusal;

use super::Hub;
use super::submit::unavailable;
use crate::store::{Loaded, Wants};
use crate::wire;

/// What is open over all inboxes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct OpenDeliveries {
    /// Deliveries that are not settled.
    pub unsettled: u64,
    /// The record of the oldest of them.
    pub oldest: Option<LedgerIndex>,
    /// Notices that the hub owes, at most a page.
    pub notices_owed: usize,
}

impl Hub {
    /// The last number of an inbox in the ledger's first `size` records.
    ///
    /// # Errors
    /// The store can't be read now.
    pub async fn last_number_at(
        &self,
        agency: &AgencyCode,
        size: u64,
    ) -> Result<InboxNumber, Refusal> {
        let mut number = self.inbox_state(agency).await?.last;
        // Few steps: what was committed since `size` was read.
        while number.0 > 0 {
            match self.row(Key::Delivery(agency.clone(), number)).await? {
                Some(Row::Delivery(delivery)) if delivery.index.0 < size => break,
                _ => number = InboxNumber(number.0 - 1),
            }
        }
        Ok(number)
    }

    /// How many documents an agency has sent: the number of its last.
    ///
    /// # Errors
    /// The store can't be read now.
    pub async fn last_sent(&self, agency: &AgencyCode) -> Result<SenderNumber, Refusal> {
        match self.row(Key::Sender(agency.clone())).await? {
            Some(Row::Sender(number)) => Ok(number),
            _ => Ok(SenderNumber(0)),
        }
    }

    /// Deliveries as they stand, those that exist, each by its inbox and number.
    ///
    /// # Errors
    /// The store can't be read now.
    pub async fn deliveries_of(
        &self,
        numbers: impl IntoIterator<Item = (AgencyCode, InboxNumber)>,
    ) -> Result<BTreeMap<(AgencyCode, InboxNumber), Delivery>, Refusal> {
        let mut wants = Wants::default();
        wants
            .keys
            .extend(numbers.into_iter().map(|(agency, number)| Key::Delivery(agency, number)));
        let found = self.load(&wants).await?.rows.into_iter();
        let delivery = |(key, row)| match (key, row) {
            (Key::Delivery(agency, number), Some(Row::Delivery(delivery))) => {
                Some(((agency, number), delivery))
            }
            _ => None,
        };
        Ok(found.filter_map(delivery).collect())
    }

    /// What is open over all inboxes.
    ///
    /// # Errors
    /// The store can't be read now.
    pub async fn open_deliveries(&self) -> Result<OpenDeliveries, Refusal> {
        let mut open = OpenDeliveries::default();
        let agencies: Vec<AgencyCode> =
            self.directory().agencies().map(|agency| agency.code.clone()).collect();
        for page in agencies.chunks(limits::PAGE_MAX) {
            let mut wants = Wants::default();
            wants.keys.extend(page.iter().cloned().map(Key::Inbox));
            let loaded = self.load(&wants).await?;
            for agency in page {
                let key = Key::Inbox(agency.clone());
                let Some(Some(Row::Inbox(inbox))) = loaded.rows.get(&key) else { continue };
                if inbox.unsettled > 0 {
                    open.unsettled += inbox.unsettled;
                    let first = self.deliveries(agency, InboxNumber(0), true, 1).await?;
                    let index = first.first().map(|delivered| delivered.delivery.index);
                    open.oldest = open.oldest.into_iter().chain(index).min();
                }
            }
        }
        let (from, to) = Key::notice_bounds();
        let owed = self.shared.store.scan(&from, &to, limits::PAGE_MAX).await;
        open.notices_owed = owed.map_err(unavailable)?.len();
        Ok(open)
    }

    /// Which of these digests documents of an agency name as attachments: reads all of its documents
    /// if need be.
    ///
    /// # Errors
    /// The store can't be read now.
    pub async fn attachments_named(
        &self,
        agency: &AgencyCode,
        mut wanted: BTreeSet<Digest>,
    ) -> Result<HashSet<Digest>, Refusal> {
        let mut named = HashSet::new();
        let mut after = SenderNumber(0);
        while !wanted.is_empty() {
            let (from, to) = Key::sent_bounds(agency, after);
            let page = self.shared.store.scan(&from, &to, limits::PAGE).await;
            let page = page.map_err(unavailable)?;
            if page.is_empty() {
                break;
            }
            let mut wants = Wants::default();
            for (key, row) in &page {
                let key = Key::from_bytes(key).map_err(unavailable)?;
                let row = Row::from_bytes(row).map_err(unavailable)?;
                if let (Key::Sent(_, number), Row::Sent(document)) = (key, row) {
                    after = number;
                    wants.keys.insert(Key::Document(document));
                }
            }
            for digest in self.attachments_of(&wants).await? {
                if wanted.remove(&digest) {
                    named.insert(digest);
                }
            }
        }
        Ok(named)
    }

    async fn attachments_of(&self, documents: &Wants) -> Result<Vec<Digest>, Refusal> {
        let loaded = self.load(documents).await?;
        let mut digests = Vec::new();
        for row in loaded.rows.values().flatten() {
            let Row::Document(row) = row else { continue };
            let entries = self.shared.store.entries(&[row.index]).await.map_err(unavailable)?;
            for entry in entries {
                let named = wire::signature::attachments(&entry.signed_document);
                digests.extend(named.into_iter().map(|(digest, _)| digest));
            }
        }
        Ok(digests)
    }

    pub(super) async fn row(&self, key: Key) -> Result<Option<Row>, Refusal> {
        let mut wants = Wants::default();
        wants.keys.insert(key.clone());
        Ok(self.load(&wants).await?.rows.remove(&key).flatten())
    }

    async fn load(&self, wants: &Wants) -> Result<Loaded, Refusal> {
        self.shared.store.load(wants).await.map_err(unavailable)
    }
}
