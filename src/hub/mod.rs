//! The hub: takes documents, decides, commits, hands over, and can prove it all.
//!
//! [`Hub`] is what the services call. Each of its operations is a file: `submit`, `statements`
//! (acknowledgements and rejections), `inbox`, `directory`; `published` makes the receipts. Behind them
//! stands the `sequencer`, the only writer.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use arc_swap::ArcSwap;
use tokio::sync::oneshot;
use xianjie_core::domain::directory::{Directory, Divisions};
use xianjie_core::domain::reminders::Reminders;
use xianjie_core::domain::rulebook::Law;
use xianjie_core::domain::state::{Key, Row};
use xianjie_core::ids::Origin;
use xianjie_core::ledger::{Edge, NoteSigner};
use xianjie_core::limits;

use crate::clock::Clock;
use crate::identity::signature::SigningIdentity;
use crate::store::attachments::Attachments;
use crate::store::{Head, Reserve, Store, StoreError};
use crate::wire::schema::Schema;

mod access;
pub mod audit;
pub mod bell;
mod check;
mod directory;
pub mod floor;
mod fold;
pub mod found;
mod guard;
mod history;
mod inbox;
mod keys;
pub mod laws;
mod notices;
mod protection;
pub mod published;
mod queue;
mod refusals;
mod room;
mod sequencer;
mod statements;
mod submissions;
mod submit;
mod supervise;
mod timekeeper;
mod troubles;
mod watchers;
mod word;

pub use access::MadeQuery;
pub use check::Checked;
pub use history::OpenDeliveries;
pub use inbox::{Delivered, InboxState};
pub use protection::Protection;
pub use queue::Lane;
pub use sequencer::{Answer, Fatal};
pub use statements::Settlement;
pub use submissions::{Progress, Submission};
pub use submit::Prepared;
pub(crate) use submit::unavailable;
pub use troubles::Troubles;
pub use watchers::Watcher;

use access::Accesses;
use bell::Bell;
use floor::{Floor, FloorKeeper};
use keys::Keys;
use laws::Laws;
use published::{Published, load_edge};
use queue::Queue;
use refusals::Refusals;
use room::Room;
use sequencer::Sequencer;
use timekeeper::Watch;
use watchers::Watchers;

/// What a hub is made of.
pub struct Parts {
    /// Its ledger's origin.
    pub origin: Origin,
    /// The document types.
    pub schema: Arc<Schema>,
    /// The rulebooks of the program.
    pub law: Arc<Law>,
    /// A folder of others, which operators may put in force.
    pub rulebooks: Option<PathBuf>,
    /// The divisions.
    pub divisions: Arc<Divisions>,
    /// Stable storage.
    pub store: Arc<dyn Store>,
    /// Attachments.
    pub attachments: Arc<Attachments>,
    /// When the hub reminds.
    pub reminders: Reminders,
    /// Statutory time.
    pub clock: Arc<dyn Clock>,
    /// Signs checkpoints and nothing else.
    pub signer: NoteSigner,
    /// Signs the hub's own notices and inbox statements.
    pub service: SigningIdentity,
    /// The highest size published.
    pub floor: Floor,
    /// How much of the store's disk documents leave free.
    pub reserve: Reserve,
}

/// What all of the hub's operations share.
pub(crate) struct Shared {
    pub(crate) origin: Origin,
    pub(crate) schema: Arc<Schema>,
    pub(crate) laws: Laws,
    pub(crate) divisions: Arc<Divisions>,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) attachments: Arc<Attachments>,
    pub(crate) reminders: Reminders,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) signer: NoteSigner,
    pub(crate) service: SigningIdentity,
    pub(crate) bell: Arc<Bell>,
    pub(crate) published: ArcSwap<Published>,
    pub(crate) directory: ArcSwap<Directory>,
    pub(crate) keys: Keys,
    pub(crate) watch: Watch,
    pub(crate) troubles: Troubles,
    stopped: AtomicBool,
    changed: tokio::sync::watch::Sender<u64>,
    commits: AtomicU64,
}

/// A running hub.
pub struct Hub {
    pub(crate) shared: Arc<Shared>,
    queue: Queue,
    refusals: Refusals,
    accesses: Accesses,
    watchers: Watchers,
    room: Room,
}

/// The tasks behind a hub: end when the hub is dropped and its queue is empty.
pub struct Tasks {
    sequencer: oneshot::Receiver<Result<Arc<Published>, Fatal>>,
    floor: FloorKeeper,
}

/// Why a hub does not open.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The store holds another ledger than the configuration names.
    #[error("the store holds the ledger {found}, the configuration names {wanted}")]
    Origin {
        /// What the store holds.
        found: String,
        /// What the configuration names.
        wanted: String,
    },
    /// The store was never given its record 0.
    #[error("the store holds no ledger yet: run `xianjie init`")]
    Empty,
    /// The tree's edge can't be built, or is not the one of the head.
    #[error("the ledger in the store is damaged: {0}")]
    Damaged(String),
    /// The floor.
    #[error(transparent)]
    Floor(#[from] floor::FloorError),
    /// The ledger stands below what was published, or differs from it.
    #[error(
        "the ledger has {size} records, but {floor} were published, or others: lost history never \
         goes on under its origin; restore the newest backup"
    )]
    BelowFloor {
        /// The store's size.
        size: u64,
        /// The highest size published.
        floor: u64,
    },
    /// The checkpoint can't be signed.
    #[error("the checkpoint can't be signed: {0}")]
    Sign(String),
    /// The sequencer's thread can't be started.
    #[error("the sequencer can't be started")]
    Thread(#[from] std::io::Error),
}

impl Hub {
    /// Opens the hub: passes the fence, compares the floor, signs the head, and starts the sequencer.
    ///
    /// # Errors
    /// [`OpenError`]: nothing was written.
    pub async fn open(parts: Parts) -> Result<(Arc<Self>, Tasks), OpenError> {
        let (head, edge) = load_tree(&*parts.store).await?;
        let published = Published::sign(edge.clone(), parts.origin.as_str(), &parts.signer)
            .map_err(OpenError::Sign)?;
        floor::check(&parts, &published).await?;
        check_origin(&parts).await?;
        let directory = load_directory(&*parts.store).await?;
        let in_force = laws::in_force(&*parts.store).await?;
        let laws = Laws::open(parts.law, parts.rulebooks, Arc::clone(&parts.schema), in_force);
        let alive = parts.floor.alive()?.unwrap_or_default().max(head.time);
        let outage = timekeeper::last_outage(&*parts.store).await?;
        let watch = Watch::new(alive, outage);
        let shared = Arc::new(Shared {
            origin: parts.origin,
            schema: parts.schema,
            laws,
            divisions: parts.divisions,
            store: parts.store,
            attachments: parts.attachments,
            reminders: parts.reminders,
            clock: parts.clock,
            signer: parts.signer,
            service: parts.service,
            bell: Arc::default(),
            published: ArcSwap::from_pointee(published),
            directory: ArcSwap::from_pointee(directory.clone()),
            keys: Keys::default(),
            watch,
            troubles: Troubles::default(),
            stopped: AtomicBool::new(false),
            changed: tokio::sync::watch::Sender::new(0),
            commits: AtomicU64::new(0),
        });
        let (queue, receiver) = Queue::new();
        let sequencer = Sequencer::new(Arc::clone(&shared), directory, edge);
        let tasks = Tasks {
            sequencer: on_its_own_thread(sequencer.run(receiver))?,
            floor: FloorKeeper::spawn(Arc::downgrade(&shared), parts.floor),
        };
        let (refusals, accesses) = (Refusals::default(), Accesses::default());
        let watchers = Watchers::default();
        let room = Room::new(parts.reserve);
        let hub = Arc::new(Self { shared, queue, refusals, accesses, watchers, room });
        if let Err(refusal) = hub.measure_room().await {
            tracing::warn!(%refusal, "the room on the disk is not known yet");
        }
        Ok((hub, tasks))
    }

    /// The ledger's origin.
    #[must_use]
    pub fn origin(&self) -> &Origin {
        &self.shared.origin
    }

    /// The document types.
    #[must_use]
    pub fn schema(&self) -> &Arc<Schema> {
        &self.shared.schema
    }

    /// The rulebooks that decide now.
    #[must_use]
    pub fn law(&self) -> Arc<Law> {
        self.shared.laws.current()
    }

    /// Statutory time.
    #[must_use]
    pub fn clock(&self) -> &Arc<dyn Clock> {
        &self.shared.clock
    }

    /// The directory as of now.
    #[must_use]
    pub fn directory(&self) -> Arc<Directory> {
        self.shared.directory.load_full()
    }

    /// The newest signed state of the ledger.
    #[must_use]
    pub fn published(&self) -> Arc<Published> {
        self.shared.published.load_full()
    }

    /// Stable storage.
    #[must_use]
    pub fn store(&self) -> &Arc<dyn Store> {
        &self.shared.store
    }

    /// Attachments.
    #[must_use]
    pub fn attachments(&self) -> &Arc<Attachments> {
        &self.shared.attachments
    }

    /// What only its operator can put right.
    #[must_use]
    pub fn troubles(&self) -> &Troubles {
        &self.shared.troubles
    }

    /// The bell.
    #[must_use]
    pub fn bell(&self) -> &Arc<Bell> {
        &self.shared.bell
    }

    /// Counts up whenever the directory changes: who must act on a suspension at once listens here.
    #[must_use]
    pub fn directory_changes(&self) -> tokio::sync::watch::Receiver<u64> {
        self.shared.changed.subscribe()
    }

    /// How many transactions have written something since the hub opened.
    #[must_use]
    pub fn commits(&self) -> u64 {
        self.shared.commits.load(Ordering::Relaxed)
    }

    /// How many inputs wait for the sequencer.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.queue.waiting()
    }

    /// Stops taking anything: what is queued is still decided.
    pub fn drain(&self) {
        self.shared.stopped.store(true, Ordering::SeqCst);
    }

    /// Whether the hub is closing.
    #[must_use]
    pub fn is_draining(&self) -> bool {
        self.shared.stopped.load(Ordering::SeqCst)
    }
}

impl Tasks {
    /// Waits until the sequencer ends: when every handle to the hub is gone, or when the store failed.
    /// After an orderly end the floor is what was published last.
    ///
    /// # Errors
    /// [`Fatal`]: the process must end.
    pub async fn ended(self) -> Result<(), Fatal> {
        let ended = self.sequencer.await;
        let panicked = |_| Err(Fatal::Store("the sequencer panicked".to_owned()));
        self.floor.end(ended.unwrap_or_else(panicked)?).await;
        Ok(())
    }
}

impl Shared {
    pub(crate) fn publish(&self, published: Arc<Published>) {
        self.commits.fetch_add(1, Ordering::Relaxed);
        self.published.store(published);
    }

    pub(crate) fn set_directory(&self, directory: Arc<Directory>) {
        self.directory.store(directory);
        self.changed.send_modify(|count| *count += 1);
    }
}

/// Runs the sequencer on a thread of its own: a commit blocks, and nobody else may wait behind it.
fn on_its_own_thread(
    sequencer: impl Future<Output = Result<Arc<Published>, Fatal>> + Send + 'static,
) -> Result<oneshot::Receiver<Result<Arc<Published>, Fatal>>, OpenError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let (ended, end) = oneshot::channel();
    std::thread::Builder::new().name("sequencer".to_owned()).spawn(move || {
        // Nobody may wait for it any more.
        let _ = ended.send(runtime.block_on(sequencer));
    })?;
    Ok(end)
}

/// What the store holds, once it is durable: its head, and the tree's edge, which must have the head's root.
async fn load_tree(store: &dyn Store) -> Result<(Head, Edge), OpenError> {
    let head = store.fence().await?;
    if head.size == 0 {
        return Err(OpenError::Empty);
    }
    let edge = load_edge(store, head.size).await;
    let edge = edge.map_err(|error| OpenError::Damaged(error.to_string()))?;
    if edge.root().0 != head.root {
        return Err(OpenError::Damaged("its root is not the head's".to_owned()));
    }
    Ok((head, edge))
}

async fn check_origin(parts: &Parts) -> Result<(), OpenError> {
    let mut wants = crate::store::Wants::default();
    wants.keys.insert(Key::Hub);
    let loaded = parts.store.load(&wants).await?;
    match loaded.rows.get(&Key::Hub) {
        Some(Some(Row::Hub(opened))) if opened.origin == parts.origin => Ok(()),
        Some(Some(Row::Hub(opened))) => Err(OpenError::Origin {
            found: opened.origin.to_string(),
            wanted: parts.origin.to_string(),
        }),
        _ => Err(OpenError::Empty),
    }
}

/// Folds the directory's rows out of the store.
pub(crate) async fn load_directory(store: &dyn Store) -> Result<Directory, StoreError> {
    let mut directory = Directory::default();
    let (from, to) = Key::directory_bounds();
    let mut from = from;
    loop {
        let page = store.scan(&from, &to, limits::PAGE_MAX).await?;
        let Some((last, _)) = page.last() else { break };
        from = last.iter().copied().chain([0]).collect();
        for (_, row) in &page {
            let row = Row::from_bytes(row)
                .map_err(|error| StoreError::Fatal(format!("directory: {error}")))?;
            fold::put(&mut directory, &row);
        }
    }
    Ok(directory)
}
