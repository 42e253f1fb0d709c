//! An open hub over a faulty store, and what is asked of it again and again.

use std::sync::Arc;

use xianjie::hub::published::Published;
use xianjie::hub::{Answer, Hub, Tasks};
use xianjie::store::sqlite::Sqlite;
use xianjie::store::{Entry, Store};
use xianjie::wire::signature::Signed;
use xianjie_core::ids::{Digest, InboxNumber, LedgerIndex};
use xianjie_core::ledger::{Leaf, receipt, verify_consistency};
use xianjie_core::refusal::{Reason, Refusal};

use super::faulty::FaultyStore;
use crate::house::House;
use crate::people::code;

/// An open hub.
pub(super) struct Running {
    pub(super) hub: Arc<Hub>,
    pub(super) tasks: Tasks,
    pub(super) store: Arc<FaultyStore>,
    pub(super) sqlite: Arc<Sqlite>,
}

impl Running {
    pub(super) async fn start(house: &House) -> Self {
        let sqlite = house.store().await;
        let store = FaultyStore::over(sqlite.clone());
        let (hub, tasks) = house.open(store.clone()).await.unwrap();
        store.calls();
        Self { hub, tasks, store, sqlite }
    }

    /// Submits in the name of the document's own sender.
    pub(super) async fn submit(
        &self,
        from: &'static str,
        signed: &Signed,
    ) -> Result<Answer, Refusal> {
        self.hub.submit(&code(from), signed.clone()).await
    }

    /// Waits for an answer, or for the store to meet its end: then there is none.
    pub(super) async fn unless_killed<T>(&self, answer: impl Future<Output = T>) -> Option<T> {
        tokio::select! {
            biased;
            answer = answer => Some(answer),
            () = self.store.struck() => None,
        }
    }

    /// The size of the ledger in the store, visible or not.
    pub(super) async fn size(&self) -> u64 {
        self.sqlite.head().await.unwrap().size
    }

    /// The whole inbox: number and record's index of each delivery.
    pub(super) async fn inbox(&self, agency: &'static str) -> Vec<(u64, u64)> {
        self.commitments(agency).await.iter().map(|(number, index, _)| (number.0, *index)).collect()
    }

    /// The whole inbox: number, index and the record's commitment of each delivery.
    pub(super) async fn commitments(
        &self,
        agency: &'static str,
    ) -> Vec<(InboxNumber, u64, Digest)> {
        let mut all = Vec::new();
        let mut after = InboxNumber(0);
        loop {
            let page = self.hub.deliveries(&code(agency), after, false, 1000).await.unwrap();
            let Some(last) = page.last() else { return all };
            after = last.number;
            all.extend(page.iter().map(|delivered| {
                let leaf = Leaf::parse(&delivered.entry.leaf).unwrap();
                (delivered.number, delivered.entry.index.0, Digest(leaf.commitment.0))
            }));
        }
    }

    /// The receipt of a record, verified with the ledger's key alone.
    pub(super) async fn receipt(&self, house: &House, index: u64) -> receipt::Opening {
        let entry: Entry = self.hub.entry(LedgerIndex(index)).await.unwrap();
        let published = self.hub.published();
        let parts = published.receipt(self.hub.store().as_ref(), &entry).await.unwrap();
        let verified = receipt::verify(&parts, &[house.signer().verifier().clone()]).unwrap();
        assert_eq!(verified.index, index);
        parts.opening
    }

    /// That today's ledger goes on from an earlier checkpoint.
    pub(super) async fn continues(&self, earlier: &Published) {
        let now = self.hub.published();
        let store = self.hub.store().as_ref();
        let path = now.consistency(store, earlier.size).await.unwrap();
        verify_consistency(earlier.size, &earlier.root, now.size, &now.root, &path).unwrap();
    }

    /// Closes the hub and waits until the store is free.
    pub(super) async fn stop(self) {
        let Self { hub, tasks, .. } = self;
        drop(hub);
        tasks.ended().await.unwrap();
    }
}

/// The index of the record that answers.
pub(super) fn index(answer: &Answer) -> u64 {
    match (&answer.entry, answer.known.as_slice()) {
        (Some((entry, _)), []) => entry.index.0,
        (None, [known]) => known.0,
        other => panic!("no single record answers: {other:?}"),
    }
}

/// That the answer is "later": nothing has happened, or nobody knows.
pub(super) fn is_later<T: std::fmt::Debug>(answer: Result<T, Refusal>) {
    assert_eq!(answer.unwrap_err().reason(), Reason::StoreUnavailable);
}
