//! A live store: it takes records while it is audited.

use std::sync::atomic::{AtomicU8, Ordering};

use async_trait::async_trait;
use xianjie_core::ids::{CaseRef, LedgerIndex, PersonKey};

use super::ledger::{Ledger, RECORDS};
use super::{audited, finds};
use crate::store::{Entry, Fold, Head, Loaded, RowPage, Space, Store, StoreError, Wants};

/// Takes documents just before rows are read: the first few times.
struct Moving {
    ledger: Ledger,
    taken: AtomicU8,
}

const DOCUMENTS: u8 = 4;

#[async_trait]
impl Store for Moving {
    async fn fence(&self) -> Result<Head, StoreError> {
        self.ledger.store.fence().await
    }

    async fn commit(&self, fold: &mut dyn Fold) -> Result<Option<Head>, StoreError> {
        self.ledger.store.commit(fold).await
    }

    async fn head(&self) -> Result<Head, StoreError> {
        self.ledger.store.head().await
    }

    async fn load(&self, wants: &Wants) -> Result<Loaded, StoreError> {
        self.ledger.store.load(wants).await
    }

    async fn scan(&self, from: &[u8], to: &[u8], limit: usize) -> Result<RowPage, StoreError> {
        let taken = self.taken.fetch_add(1, Ordering::SeqCst);
        if taken < DOCUMENTS {
            self.ledger.add_document(10 + taken).await;
        }
        self.ledger.store.scan(from, to, limit).await
    }

    async fn scan_persons(
        &self,
        from: (PersonKey, CaseRef),
        limit: usize,
    ) -> Result<Vec<(PersonKey, CaseRef)>, StoreError> {
        self.ledger.store.scan_persons(from, limit).await
    }

    async fn entries(&self, indexes: &[LedgerIndex]) -> Result<Vec<Entry>, StoreError> {
        self.ledger.store.entries(indexes).await
    }

    async fn entries_from(
        &self,
        from: LedgerIndex,
        limit: usize,
    ) -> Result<Vec<Entry>, StoreError> {
        self.ledger.store.entries_from(from, limit).await
    }

    async fn leaves_from(
        &self,
        from: LedgerIndex,
        limit: usize,
    ) -> Result<Vec<Vec<u8>>, StoreError> {
        self.ledger.store.leaves_from(from, limit).await
    }

    async fn tiles(&self, ids: &[(u8, u64)]) -> Result<Vec<Option<Vec<u8>>>, StoreError> {
        self.ledger.store.tiles(ids).await
    }

    async fn wal_bytes(&self) -> Result<u64, StoreError> {
        self.ledger.store.wal_bytes().await
    }

    async fn space(&self) -> Result<Space, StoreError> {
        self.ledger.store.space().await
    }
}

#[tokio::test]
async fn a_store_that_moves_meanwhile_is_clean() {
    let store = Moving { ledger: Ledger::small().await, taken: AtomicU8::new(0) };
    let report = audited(&store).await;
    finds(&report, &[]);
    assert!(store.taken.load(Ordering::SeqCst) > DOCUMENTS);
    assert_eq!(report.records, RECORDS + u64::from(DOCUMENTS));
}
