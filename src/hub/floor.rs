//! The floor (`head.floor`): the highest ledger size published, kept beside the key. A store that
//! stands below it was restored from before, and must never go on under its origin: two histories
//! would carry one name.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Weak};
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::task::{JoinHandle, spawn_blocking};
use xianjie_core::ids::Time;
use xianjie_core::ledger::Hash;

use super::published::Published;
use super::{OpenError, Parts, Shared};

/// The floor's file.
#[derive(Debug, Clone)]
pub struct Floor {
    path: PathBuf,
}

/// Why the floor can't be read.
#[derive(Debug, thiserror::Error)]
pub enum FloorError {
    /// The file can't be read or written.
    #[error("can't use {path}")]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The file does not hold a size and a root.
    #[error("{0} is not a floor: it must hold a size and a root")]
    Form(PathBuf),
}

impl Floor {
    /// The floor beside the checkpoint key.
    #[must_use]
    pub fn beside(key: &Path) -> Self {
        Self { path: key.with_file_name("head.floor") }
    }

    /// The highest size published, with its root; none before the first.
    ///
    /// # Errors
    /// [`FloorError`].
    pub fn read(&self) -> Result<Option<(u64, Hash)>, FloorError> {
        let text = match std::fs::read_to_string(&self.path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(FloorError::Io { path: self.path.clone(), source }),
        };
        let form = || FloorError::Form(self.path.clone());
        let (size, root) = text.trim().split_once(' ').ok_or_else(form)?;
        let size = size.parse().map_err(|_| form())?;
        let root = Hash::from_base64(root).ok_or_else(form)?;
        Ok(Some((size, root)))
    }

    /// When the hub was last known to be in service; none before the first time.
    ///
    /// # Errors
    /// [`FloorError`].
    pub fn alive(&self) -> Result<Option<Time>, FloorError> {
        let path = self.path.with_extension("alive");
        match std::fs::read_to_string(&path) {
            Ok(text) => match text.trim().parse() {
                Ok(ms) => Ok(Some(Time(ms))),
                Err(_) => Ok(None),
            },
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(source) => Err(FloorError::Io { path, source }),
        }
    }

    /// Notes that the hub is in service. Not synced: an older time is a longer outage, and no worse.
    ///
    /// # Errors
    /// [`FloorError`].
    pub fn mark_alive(&self, time: Time) -> Result<(), FloorError> {
        let path = self.path.with_extension("alive");
        let io = |source| FloorError::Io { path: path.clone(), source };
        let aside = self.path.with_extension("alive.new");
        std::fs::write(&aside, format!("{}\n", time.0)).map_err(io)?;
        std::fs::rename(&aside, &path).map_err(io)
    }

    /// Raises the floor: written aside, synced, and renamed into place.
    ///
    /// # Errors
    /// [`FloorError`].
    pub fn raise(&self, size: u64, root: &Hash) -> Result<(), FloorError> {
        let io = |source| FloorError::Io { path: self.path.clone(), source };
        let aside = self.path.with_extension("floor.new");
        let mut file =
            OpenOptions::new().create(true).write(true).truncate(true).open(&aside).map_err(io)?;
        writeln!(file, "{size} {}", root.to_base64()).map_err(io)?;
        file.sync_all().map_err(io)?;
        std::fs::rename(&aside, &self.path).map_err(io)?;
        if let Some(folder) = self.path.parent() {
            File::open(folder).and_then(|folder| folder.sync_all()).map_err(io)?;
        }
        Ok(())
    }
}

/// Checks that the store has not come back from before the floor.
///
/// # Errors
/// It has, or floor or store can't be read.
pub(super) async fn check(parts: &Parts, published: &Published) -> Result<(), OpenError> {
    let Some((floor, root)) = parts.floor.read()? else { return Ok(()) };
    let below = OpenError::BelowFloor { size: published.size, floor };
    if floor > published.size {
        return Err(below);
    }
    let then = published
        .root_at(&*parts.store, floor)
        .await
        .map_err(|error| OpenError::Damaged(error.to_string()))?;
    if then == root { Ok(()) } else { Err(below) }
}

/// Raises the floor in the background: a weaker guard while it lags, never a wrong one. Beside it stands
/// when the hub was last known to be in service.
pub(super) struct FloorKeeper {
    task: JoinHandle<()>,
    end: oneshot::Sender<Arc<Published>>,
}

impl FloorKeeper {
    /// How far the floor may lag behind a running hub.
    const EVERY: Duration = Duration::from_millis(500);
    const ALIVE_EVERY_MS: i64 = 30_000;

    /// Keeps the floor of a hub while there is one.
    pub(super) fn spawn(shared: Weak<Shared>, floor: Floor) -> Self {
        let (end, ended) = oneshot::channel();
        Self { task: tokio::spawn(Self::keep(shared, floor, ended)), end }
    }

    /// Ends with the floor at what was published last.
    pub(super) async fn end(self, last: Arc<Published>) {
        // A keeper that ended by itself had nothing more to keep.
        let _ = self.end.send(last);
        let _ = self.task.await;
    }

    async fn keep(
        shared: Weak<Shared>,
        floor: Floor,
        mut ended: oneshot::Receiver<Arc<Published>>,
    ) {
        let (mut kept, mut marked) = (0, Time(i64::MIN));
        loop {
            let last = tokio::select! {
                () = tokio::time::sleep(Self::EVERY) => None,
                last = &mut ended => match last {
                    Ok(last) => Some(last),
                    Err(_) => return,
                },
            };
            let is_last = last.is_some();
            let (published, alive) = match (last, shared.upgrade()) {
                (Some(last), _) => (last, None),
                (None, Some(shared)) => (shared.published.load_full(), Some(shared.watch.alive())),
                (None, None) => continue,
            };
            let is_due = |alive: &Time| alive.0.saturating_sub(marked.0) >= Self::ALIVE_EVERY_MS;
            let (size, alive) = (published.size, alive.filter(is_due));
            let raised = (size > kept).then_some(published);
            match write(floor.clone(), raised, alive).await {
                Ok(()) => (kept, marked) = (size.max(kept), alive.unwrap_or(marked)),
                Err(error) => tracing::warn!(%error, "the floor is not raised"),
            }
            if is_last {
                return;
            }
        }
    }
}

async fn write(
    floor: Floor,
    raised: Option<Arc<Published>>,
    alive: Option<Time>,
) -> Result<(), FloorError> {
    let path = floor.path.clone();
    let written = spawn_blocking(move || {
        if let Some(published) = raised {
            floor.raise(published.size, &published.root)?;
        }
        alive.map_or(Ok(()), |alive| floor.mark_alive(alive))
    });
    written
        .await
        .unwrap_or_else(|error| Err(FloorError::Io { path, source: std::io::Error::other(error) }))
}
