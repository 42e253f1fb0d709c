//! A store that fails as it is told to: before it does anything, after all is done, or as a kill
//! would have it. Whatever it does do, the store inside does.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use tokio::sync::watch;
use xianjie::store::{Entry, Fold, Head, Loaded, RowPage, Space, Store, StoreError, Wants};
use xianjie_core::ids::{CaseRef, LedgerIndex, PersonKey};

/// What a store is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Op {
    Fence,
    Commit,
    Load,
    Read,
}

/// How one call goes wrong.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Fault {
    /// Nothing is done; the caller gets this error.
    Before(fn(String) -> StoreError),
    /// All is done; the caller gets this error.
    After(fn(String) -> StoreError),
    /// All is done; the caller waits for ever: the instant at which a kill strikes.
    Killed,
}

/// A store that fails as told.
pub(crate) struct FaultyStore {
    inner: Arc<dyn Store>,
    plan: Mutex<VecDeque<(Op, Fault)>>,
    away: AtomicBool,
    calls: Mutex<Vec<Op>>,
    killed: watch::Sender<bool>,
}

impl FaultyStore {
    /// A store that works until it is told otherwise.
    pub(crate) fn over(inner: Arc<dyn Store>) -> Arc<Self> {
        Arc::new(Self {
            inner,
            plan: Mutex::default(),
            away: AtomicBool::new(false),
            calls: Mutex::default(),
            killed: watch::Sender::new(false),
        })
    }

    /// The next call of `op` that no earlier fault is meant for goes wrong.
    pub(crate) fn fail(&self, op: Op, fault: Fault) {
        self.plan.lock().unwrap().push_back((op, fault));
    }

    /// From now on no call gets through; or each does again.
    pub(crate) fn set_away(&self, away: bool) {
        self.away.store(away, Ordering::SeqCst);
    }

    /// What was asked for since this was last asked, in order; reads but for loads are one.
    pub(crate) fn calls(&self) -> Vec<Op> {
        std::mem::take(&mut self.calls.lock().unwrap())
    }

    /// How many faults did not happen yet.
    pub(crate) fn faults_left(&self) -> usize {
        self.plan.lock().unwrap().len()
    }

    /// Returns once [`Fault::Killed`] has struck.
    pub(crate) async fn struck(&self) {
        self.killed.subscribe().wait_for(|killed| *killed).await.unwrap();
    }

    async fn run<T>(
        &self,
        op: Op,
        call: impl Future<Output = Result<T, StoreError>> + Send,
    ) -> Result<T, StoreError> {
        self.calls.lock().unwrap().push(op);
        if self.away.load(Ordering::SeqCst) {
            return Err(StoreError::Unavailable("told to be away".to_owned()));
        }
        match self.next_fault(op) {
            None => call.await,
            Some(Fault::Before(error)) => Err(error("told to fail".to_owned())),
            Some(Fault::After(error)) => {
                call.await?;
                Err(error("told to lose the answer".to_owned()))
            }
            Some(Fault::Killed) => {
                call.await?;
                self.killed.send_replace(true);
                std::future::pending().await
            }
        }
    }

    fn next_fault(&self, op: Op) -> Option<Fault> {
        let mut plan = self.plan.lock().unwrap();
        let place = plan.iter().position(|(planned, _)| *planned == op)?;
        plan.remove(place).map(|(_, fault)| fault)
    }
}

#[async_trait]
impl Store for FaultyStore {
    async fn fence(&self) -> Result<Head, StoreError> {
        self.run(Op::Fence, self.inner.fence()).await
    }

    async fn commit(&self, fold: &mut dyn Fold) -> Result<Option<Head>, StoreError> {
        self.run(Op::Commit, self.inner.commit(fold)).await
    }

    async fn head(&self) -> Result<Head, StoreError> {
        self.run(Op::Read, self.inner.head()).await
    }

    async fn load(&self, wants: &Wants) -> Result<Loaded, StoreError> {
        self.run(Op::Load, self.inner.load(wants)).await
    }

    async fn scan(&self, from: &[u8], to: &[u8], limit: usize) -> Result<RowPage, StoreError> {
        self.run(Op::Read, self.inner.scan(from, to, limit)).await
    }

    async fn scan_persons(
        &self,
        from: (PersonKey, CaseRef),
        limit: usize,
    ) -> Result<Vec<(PersonKey, CaseRef)>, StoreError> {
        self.run(Op::Read, self.inner.scan_persons(from, limit)).await
    }

    async fn entries(&self, indexes: &[LedgerIndex]) -> Result<Vec<Entry>, StoreError> {
        self.run(Op::Read, self.inner.entries(indexes)).await
    }

    async fn entries_from(
        &self,
        from: LedgerIndex,
        limit: usize,
    ) -> Result<Vec<Entry>, StoreError> {
        self.run(Op::Read, self.inner.entries_from(from, limit)).await
    }

    async fn leaves_from(
        &self,
        from: LedgerIndex,
        limit: usize,
    ) -> Result<Vec<Vec<u8>>, StoreError> {
        self.run(Op::Read, self.inner.leaves_from(from, limit)).await
    }

    async fn tiles(&self, ids: &[(u8, u64)]) -> Result<Vec<Option<Vec<u8>>>, StoreError> {
        self.run(Op::Read, self.inner.tiles(ids)).await
    }

    async fn wal_bytes(&self) -> Result<u64, StoreError> {
        self.run(Op::Read, self.inner.wal_bytes()).await
    }

    async fn space(&self) -> Result<Space, StoreError> {
        self.run(Op::Read, self.inner.space()).await
    }
}
