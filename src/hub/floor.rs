//! The floor (`head.floor`): the highest ledger size published, kept beside the key. A store that
//! stands below it was restored from before, and must never go on under its origin: two histories
//! would carry one name.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Weak;
use std::time::Duration;

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
pub(super) async fn keep(shared: Weak<Shared>, floor: Floor) {
    const EVERY: Duration = Duration::from_millis(500);
    const ALIVE_EVERY_MS: i64 = 30_000;
    let (mut kept, mut marked) = (0, Time(i64::MIN));
    loop {
        tokio::time::sleep(EVERY).await;
        let Some(shared) = shared.upgrade() else { return };
        let (published, alive) = (shared.published.load_full(), shared.watch.alive());
        drop(shared);
        let raises = published.size > kept;
        let marks = alive.0.saturating_sub(marked.0) >= ALIVE_EVERY_MS;
        let floor = floor.clone();
        let (size, root) = (published.size, published.root);
        let written = tokio::task::spawn_blocking(move || {
            if raises {
                floor.raise(size, &root)?;
            }
            if marks { floor.mark_alive(alive) } else { Ok(()) }
        });
        match written.await {
            Ok(Ok(())) => {
                kept = size.max(kept);
                marked = if marks { alive } else { marked };
            }
            Ok(Err(error)) => tracing::warn!(%error, "the floor is not raised"),
            Err(error) => tracing::warn!(%error, "the floor is not raised"),
        }
    }
}
