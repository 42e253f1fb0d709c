//! What became of what an agency sent: its own documents with the stages of their deliveries.

use std::sync::Arc;

use xianjie_core::domain::record::{Kind, Record, RefusedItem, Settled};
use xianjie_core::domain::state::{Delivery, DocumentRow, Key, Row};
use xianjie_core::ids::{AgencyCode, DocumentRef, InboxNumber, LedgerIndex, SenderNumber};
use xianjie_core::limits;
use xianjie_core::refusal::{Reason, Refusal};

use super::Hub;
use super::submit::unavailable;
use crate::store::{Entry, Wants};
use crate::wire;

/// One document that was taken, and how far it has come.
#[derive(Debug, Clone)]
pub struct Submission {
    /// The document.
    pub document: DocumentRef,
    /// What the state remembers of it.
    pub row: DocumentRow,
    /// Its deliveries.
    pub deliveries: Vec<Progress>,
}

/// How far one delivery has come.
#[derive(Debug, Clone)]
pub struct Progress {
    /// The addressee.
    pub agency: AgencyCode,
    /// The number in its inbox.
    pub number: InboxNumber,
    /// Copy rather than primary.
    pub copy: bool,
    /// How it ended, and the record that says so.
    pub settled: Option<(Settled, LedgerIndex)>,
}

impl Hub {
    /// What became of one document.
    ///
    /// # Errors
    /// There is none that `agency` sent under this id.
    pub async fn submission(&self, document: &DocumentRef) -> Result<Submission, Refusal> {
        let key = Key::Document(document.clone());
        let mut wants = Wants::default();
        wants.keys.insert(key.clone());
        let mut loaded = self.shared.store.load(&wants).await.map_err(unavailable)?;
        match loaded.rows.remove(&key) {
            Some(Some(Row::Document(row))) if row.index.0 < self.published().size => {
                self.progress(document.clone(), *row).await
            }
            _ => Err(Reason::NotFound.into()),
        }
    }

    /// The newest refusal of a document that was never taken, as the ledger keeps it.
    ///
    /// # Errors
    /// There is none under this id, or none in the ledger yet: refusals are written once a minute.
    pub async fn refused(
        &self,
        document: &DocumentRef,
    ) -> Result<(Arc<Entry>, RefusedItem), Refusal> {
        let key = Key::Refused(document.clone());
        let mut wants = Wants::default();
        wants.keys.insert(key.clone());
        let loaded = self.shared.store.load(&wants).await.map_err(unavailable)?;
        let Some(Some(Row::Refused(index))) = loaded.rows.get(&key) else {
            return Err(Reason::NotFound.into());
        };
        let (entry, record) = self.recorded(*index).await?;
        let Kind::Refusals(refusals) = &record.kind else { return Err(Reason::NotFound.into()) };
        let item = refusals.items.iter().rfind(|item| item.id == Some(document.id));
        item.map(|item| (entry, item.clone())).ok_or_else(|| Reason::NotFound.into())
    }

    /// What became of an agency's documents above `after`, in the order it sent them.
    ///
    /// # Errors
    /// The store can't be read now.
    pub async fn submissions(
        &self,
        agency: &AgencyCode,
        after: SenderNumber,
        limit: usize,
    ) -> Result<Vec<(SenderNumber, Submission)>, Refusal> {
        let (from, to) = Key::sent_bounds(agency, after);
        let limit = limit.clamp(1, limits::PAGE_MAX);
        let page = self.shared.store.scan(&from, &to, limit).await.map_err(unavailable)?;
        let mut submissions = Vec::with_capacity(page.len());
        for (key, row) in &page {
            let key = Key::from_bytes(key).map_err(unavailable)?;
            let row = Row::from_bytes(row).map_err(unavailable)?;
            let (Key::Sent(_, number), Row::Sent(document)) = (key, row) else { continue };
            match self.submission(&document).await {
                Ok(submission) => submissions.push((number, submission)),
                Err(refusal) if refusal.reason() == Reason::NotFound => break,
                Err(refusal) => return Err(refusal),
            }
        }
        Ok(submissions)
    }

    /// One entry with its record.
    ///
    /// # Errors
    /// It does not exist, is not published yet, or the store can't be read now.
    pub async fn recorded(&self, index: LedgerIndex) -> Result<(Arc<Entry>, Arc<Record>), Refusal> {
        let entry = self.entry(index).await?;
        let record = wire::record::decode(&entry.record).map_err(unavailable)?;
        Ok((Arc::new(entry), Arc::new(record)))
    }

    async fn progress(
        &self,
        document: DocumentRef,
        row: DocumentRow,
    ) -> Result<Submission, Refusal> {
        let mut wants = Wants::default();
        wants.keys.extend(
            row.addressed
                .iter()
                .map(|addressee| Key::Delivery(addressee.agency.clone(), addressee.number)),
        );
        let loaded = self.shared.store.load(&wants).await.map_err(unavailable)?;
        let settled = |agency: &AgencyCode, number| match loaded
            .rows
            .get(&Key::Delivery(agency.clone(), number))
        {
            Some(Some(Row::Delivery(Delivery { settled, .. }))) => *settled,
            _ => None,
        };
        let deliveries = row
            .addressed
            .iter()
            .map(|addressee| Progress {
                agency: addressee.agency.clone(),
                number: addressee.number,
                copy: addressee.copy,
                settled: settled(&addressee.agency, addressee.number),
            })
            .collect();
        Ok(Submission { document, row, deliveries })
    }
}
