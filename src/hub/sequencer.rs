//! The sequencer: the only writer. It takes whatever has queued up while the last commit was on its
//! way to the disk (back-pressure, no timer), commits it, signs the committed head, and answers.

use std::sync::Arc;

use tokio::sync::{mpsc, oneshot};
use xianjie_core::domain::decide::{Change, Input};
use xianjie_core::domain::directory::Directory;
use xianjie_core::domain::record::Record;
use xianjie_core::domain::state::{Cache, EntryHead, Key, Row};
use xianjie_core::ids::{LedgerIndex, Time};
use xianjie_core::ledger::Edge;
use xianjie_core::limits;
use xianjie_core::refusal::{Reason, Refusal};

use super::Shared;
use super::fold::{BatchFold, Folded, Ground, Item, Outcome};
use super::guard::ClockGuard;
use super::published::{Published, load_edge};
use super::queue::{Lane, Share};
use crate::store::{Entry, Head, Store, StoreError};
use crate::wire;

/// Rows of inboxes and senders that the sequencer keeps in memory: a nation's agencies twice over.
const CACHED_ROWS: usize = 65_536;

/// An input on its way to the sequencer.
pub(super) struct Queued {
    pub(super) item: Item,
    pub(super) asker: Asker,
}

/// Who waits for an answer.
pub(super) struct Asker {
    pub(super) answer: oneshot::Sender<Result<Answer, Refusal>>,
    /// The stream in whose order it stands.
    pub(super) lane: Lane,
    /// The agency's share of the queue, given back when this is dropped.
    pub(super) _share: Share,
}

/// What was decided, committed and signed.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The new entry, unless everything was known before.
    pub entry: Option<(Arc<Entry>, Arc<Record>)>,
    /// Earlier records that answer all or a part.
    pub known: Vec<LedgerIndex>,
    /// A checkpoint that covers them.
    pub published: Arc<Published>,
}

/// Why the sequencer ends: the process must end with it.
#[derive(Debug, thiserror::Error)]
pub enum Fatal {
    /// The store failed or is damaged.
    #[error("the store failed: {0}")]
    Store(String),
    /// The store holds less than, or other than, what was published.
    #[error("the ledger is not the one that was published: {0}")]
    Fork(String),
}

/// The sequencer's own state: what it knows of the head without asking.
pub(super) struct Sequencer {
    shared: Arc<Shared>,
    edge: Edge,
    directory: Arc<Directory>,
    cache: Cache,
    guard: ClockGuard,
}

impl Sequencer {
    /// A sequencer that goes on where the ledger stands; the fence was passed.
    pub(super) fn new(shared: Arc<Shared>, directory: Directory, edge: Edge) -> Self {
        let guard = ClockGuard::new(shared.clock.now(), shared.origin.is_demo());
        Self { shared, edge, directory: Arc::new(directory), cache: Cache::new(CACHED_ROWS), guard }
    }

    /// Runs until the queue is closed and empty; what was published last.
    pub(super) async fn run(
        mut self,
        mut queue: mpsc::Receiver<Queued>,
    ) -> Result<Arc<Published>, Fatal> {
        let mut waiting = Vec::with_capacity(limits::BATCH);
        while queue.recv_many(&mut waiting, limits::BATCH).await > 0 {
            while !waiting.is_empty() {
                let rest = waiting.split_off(batch_length(&waiting));
                let mut left = self.batch(std::mem::replace(&mut waiting, rest)).await?;
                // What a batch left comes before what follows: the order of arrival stays.
                left.append(&mut waiting);
                waiting = left;
            }
        }
        Ok(self.shared.published.load_full())
    }

    /// Decides and answers a batch; returns what had to be left for the next.
    async fn batch(&mut self, queued: Vec<Queued>) -> Result<Vec<Queued>, Fatal> {
        // An earlier one of their stream was not committed: none overtakes it.
        let (queued, late): (Vec<Queued>, Vec<Queued>) =
            queued.into_iter().partition(|queued| !queued.asker.lane.is_broken());
        refuse(late.into_iter().map(|queued| queued.asker));
        if queued.is_empty() {
            return Ok(Vec::new());
        }
        let (mut items, mut askers): (Vec<Item>, Vec<Asker>) =
            queued.into_iter().map(|queued| (queued.item, queued.asker)).unzip();
        let now = self.shared.clock.now();
        let believed = self.guard.believes(now);
        self.shared.troubles.clock_leapt(!believed);
        if !believed {
            tracing::error!("the clock leapt ahead of the monotonic clock; commits pause");
            refuse(askers);
            return Ok(Vec::new());
        }
        let mut left = Vec::new();
        match self.commit(&items, now).await {
            Ok(Some((folded, head))) => {
                let published = self.publish(&folded, head)?;
                self.remember(&folded);
                let taken = folded.outcomes.len();
                let rest = items.split_off(taken).into_iter().zip(askers.split_off(taken));
                left.extend(rest.map(|(item, asker)| Queued { item, asker }));
                for (asker, outcome) in askers.into_iter().zip(folded.outcomes) {
                    let _ = asker.answer.send(self.answer(outcome, &published));
                }
            }
            Ok(None) => {}
            Err(StoreError::Fatal(why)) => return Err(Fatal::Store(why)),
            Err(StoreError::Unknown(why)) => {
                tracing::warn!(why, "it is unknown whether a batch was written; passing the fence");
                self.fence().await?;
                refuse(askers);
            }
            Err(error) => {
                tracing::warn!(%error, "the store can't write now");
                refuse(askers);
            }
        }
        Ok(left)
    }

    /// Commits a batch at `now`, the very reading of the clock that was believed.
    async fn commit(
        &mut self,
        items: &[Item],
        now: Time,
    ) -> Result<Option<(Folded, Head)>, StoreError> {
        let law = self.shared.laws.current();
        let ground = Ground {
            divisions: &self.shared.divisions,
            law: &law,
            reminders: self.shared.reminders,
            now,
        };
        let mut fold = BatchFold::new(
            ground,
            items,
            Arc::clone(&self.directory),
            self.edge.clone(),
            &self.cache,
        );
        let head = self.shared.store.commit(&mut fold).await?;
        if fold.has_set_aside() {
            self.shared.troubles.set_aside();
        }
        let Some(folded) = fold.into_folded() else { return Ok(None) };
        let size = self.edge.size();
        Ok(Some((folded, head.unwrap_or(Head { size, ..Head::default() }))))
    }

    /// Signs the committed head: never before it is committed.
    fn publish(&mut self, folded: &Folded, head: Head) -> Result<Arc<Published>, Fatal> {
        if head.size == self.edge.size() {
            return Ok(self.shared.published.load_full());
        }
        let edge = folded.edge.clone();
        let published = Published::sign(edge, self.shared.origin.as_str(), &self.shared.signer)
            .map_err(Fatal::Fork)?;
        let published = Arc::new(published);
        self.shared.publish(Arc::clone(&published));
        Ok(published)
    }

    /// What the next batch need not ask for again.
    fn remember(&mut self, folded: &Folded) {
        self.edge = folded.edge.clone();
        if !Arc::ptr_eq(&self.directory, &folded.directory) {
            self.directory = Arc::clone(&folded.directory);
            self.shared.set_directory(Arc::clone(&folded.directory));
        }
        if let Some(Some(Row::Rulebook(digest))) = folded.batch.rows.get(&Key::Rulebook) {
            self.shared.laws.take_effect(*digest);
            self.shared.watch.has_new_calendar();
        }
        self.cache.age();
        for (key, row) in &folded.batch.rows {
            self.cache.remember(key, row.as_ref());
        }
        for outcome in &folded.outcomes {
            let Outcome::Recorded(written, _) = outcome else { continue };
            for (entry, _) in written {
                let (leaf, document_salt) = (entry.leaf.clone(), entry.document_salt);
                self.cache.append(entry.index, EntryHead { leaf, document_salt });
            }
        }
    }

    fn answer(&self, outcome: Outcome, published: &Arc<Published>) -> Result<Answer, Refusal> {
        let published = Arc::clone(published);
        match outcome {
            Outcome::Recorded(written, known) => {
                for (entry, record) in &written {
                    self.shared.bell.ring(entry, record);
                }
                Ok(Answer { entry: written.into_iter().next(), known, published })
            }
            Outcome::Known(known) => Ok(Answer { entry: None, known, published }),
            Outcome::Refused(refusal) => Err(refusal),
        }
    }

    /// After an unknown outcome: what is visible is made durable, and the ledger is taken up there.
    async fn fence(&mut self) -> Result<(), Fatal> {
        let head = loop {
            match self.shared.store.fence().await {
                Ok(head) => break head,
                Err(StoreError::Unavailable(why)) => {
                    tracing::warn!(why, "the fence is not passed yet");
                    tokio::time::sleep(std::time::Duration::from_millis(200)).await;
                }
                Err(error) => return Err(Fatal::Store(error.to_string())),
            }
        };
        self.edge = load_edge(&*self.shared.store, head.size)
            .await
            .map_err(|error| Fatal::Store(error.to_string()))?;
        self.directory = Arc::new(
            super::load_directory(&*self.shared.store)
                .await
                .map_err(|error| Fatal::Store(error.to_string()))?,
        );
        let in_force = super::laws::in_force(&*self.shared.store).await;
        self.shared.laws.take_effect(in_force.map_err(|error| Fatal::Store(error.to_string()))?);
        self.shared.watch.has_new_calendar();
        self.cache.clear();
        self.shared.set_directory(Arc::clone(&self.directory));
        let edge = self.edge.clone();
        let published = Published::sign(edge, self.shared.origin.as_str(), &self.shared.signer)
            .map_err(Fatal::Fork)?;
        let before = self.shared.published.load_full();
        check_continues(&before, &published, &*self.shared.store).await?;
        let before = before.size;
        self.shared.publish(Arc::new(published));
        self.ring_from(LedgerIndex(before)).await
    }

    /// Wakes those who listen for what an unknown outcome turned out to have written.
    async fn ring_from(&self, mut from: LedgerIndex) -> Result<(), Fatal> {
        let published = self.shared.published.load_full();
        while from.0 < published.size {
            let entries = self.shared.store.entries_from(from, limits::PAGE).await;
            let entries = entries.map_err(|error| Fatal::Store(error.to_string()))?;
            let Some(last) = entries.last() else { break };
            from = last.index.next();
            for entry in entries {
                let record = wire::record::decode(&entry.record)
                    .map_err(|error| Fatal::Store(error.to_string()))?;
                self.shared.bell.ring(&Arc::new(entry), &Arc::new(record));
            }
        }
        Ok(())
    }
}

/// A ledger that came back shorter than what was published, or other, never goes on.
async fn check_continues(
    before: &Published,
    after: &Published,
    store: &dyn Store,
) -> Result<(), Fatal> {
    if after.size < before.size {
        return Err(Fatal::Fork(format!("{} records, {} published", after.size, before.size)));
    }
    let then = after.root_at(store, before.size).await;
    let then = then.map_err(|error| Fatal::Store(error.to_string()))?;
    if then == before.root {
        return Ok(());
    }
    Err(Fatal::Fork(format!("another root at size {}", before.size)))
}

/// How many of those that wait make one transaction: at least one, and about a batch's bytes. An
/// acknowledgement changes as many rows as it has deliveries: a crowd of large ones must not hold up
/// everybody's documents.
fn batch_length(waiting: &[Queued]) -> usize {
    let (mut bytes, mut settled, mut ended) = (0, 0, false);
    let fits = |queued: &&Queued| {
        // What follows new rulebooks is decided under them.
        if std::mem::replace(&mut ended, activates(&queued.item.input)) {
            return false;
        }
        bytes += queued.item.signed_document.len();
        if let Input::Acknowledgement(acknowledgement) = &queued.item.input {
            settled += acknowledgement.items.len();
        }
        bytes <= limits::BATCH_BYTES && settled <= limits::BATCH
    };
    waiting.iter().take_while(fits).count().max(1)
}

fn activates(input: &Input) -> bool {
    match input {
        Input::Directory(input) => {
            input.changes.iter().any(|change| matches!(change, Change::ActivateRulebooks(_)))
        }
        _ => false,
    }
}

/// Nothing of this is written now. What follows in the same streams must not be either; so all
/// streams are broken before anybody is answered.
fn refuse(askers: impl IntoIterator<Item = Asker>) {
    let askers: Vec<Asker> = askers.into_iter().collect();
    for asker in &askers {
        asker.lane.break_off();
    }
    for asker in askers {
        let _ = asker.answer.send(Err(Reason::StoreUnavailable.into()));
    }
}
