//! A hub's folder while the hub stands still: its store, read and never written, and a scratch store
//! into which its records are folded.

use std::path::{Path, PathBuf};

use xianjie_core::ids::Origin;

use super::error::{Exit, chain};
use super::{CliError, Globals};
use crate::config::Config;
use crate::hub::audit::AuditError;
use crate::store::StoreError;
use crate::store::sqlite::Sqlite;

/// The ledger of a hub that stands still.
pub(super) struct Still {
    /// The hub's configuration.
    pub(super) config: Config,
    /// The ledger's origin.
    pub(super) origin: Origin,
    /// Its store.
    pub(super) store: Sqlite,
    /// An empty store.
    pub(super) scratch: Scratch,
}

impl Still {
    /// Opens the hub's store, and a scratch store in `folder` or else where the system has its
    /// temporary files.
    ///
    /// # Errors
    /// [`CliError`]: no hub's folder, a hub that runs, a store that is damaged or not of this version.
    pub(super) async fn open(globals: &Globals, folder: Option<&Path>) -> Result<Self, CliError> {
        let config = Config::load(&globals.config_path());
        let config = config.map_err(|error| impossible(&chain(&error)))?;
        let origin = config.origin().map_err(|error| impossible(&chain(&error)))?;
        let store = Sqlite::open(&config.store.path).await.map_err(|error| unopened(&error))?;
        let scratch = Scratch::create(folder, &origin).await?;
        Ok(Self { config, origin, store, scratch })
    }
}

/// A store in a folder that goes with it.
pub(super) struct Scratch {
    store: Sqlite,
    _folder: Folder,
}

impl Scratch {
    async fn create(parent: Option<&Path>, origin: &Origin) -> Result<Self, CliError> {
        let folder = Folder::create(parent)?;
        let store = Sqlite::create(&folder.0.join("scratch.db"), origin).await;
        let store = store.map_err(|error| impossible(&chain(&error)))?;
        Ok(Self { store, _folder: folder })
    }

    /// The store.
    pub(super) fn store(&self) -> &Sqlite {
        &self.store
    }
}

struct Folder(PathBuf);

impl Folder {
    fn create(parent: Option<&Path>) -> Result<Self, CliError> {
        let parent = parent.map_or_else(std::env::temp_dir, Path::to_owned);
        let path = parent.join(format!("xianjie-scratch-{}", std::process::id()));
        std::fs::create_dir_all(&path).map_err(|error| impossible(&chain(&error)))?;
        Ok(Self(path))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // What is left lies in a temporary folder and tells nothing: it is only in the way.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Why a ledger can't be read through.
pub(super) fn unread(error: &AuditError) -> CliError {
    match error {
        AuditError::Store(source) => unopened(source),
        _ => impossible(&chain(error)),
    }
}

/// Why the store can't be opened or read.
pub(super) fn unopened(error: &StoreError) -> CliError {
    let cause = error.to_string();
    if let StoreError::Fatal(_) = error {
        return CliError::new(
            Exit::Damaged,
            format!("the store is damaged, or its disk is: {cause}"),
            format!("存储或其磁盘损坏：{cause}"),
        )
        .help("keep it as it is, and restore the newest backup", "请保留现状，并恢复最新备份");
    }
    CliError::unavailable(
        format!("the store can't be read: {cause}"),
        format!("无法读取存储：{cause}"),
    )
    .help(
        "a running hub keeps its store to itself: stop it, or take a copy of the folder",
        "运行中的平台独占存储：请停机，或使用目录的副本",
    )
}

/// Without this there is nothing to be read.
pub(super) fn impossible(cause: &str) -> CliError {
    CliError::usage(format!("the ledger can't be read: {cause}"), format!("无法读取账本：{cause}"))
}
