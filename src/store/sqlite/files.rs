//! The store's files: the database, its write-ahead log and the lock beside it.
//!
//! Closing any handle of a file drops every POSIX lock that the process has on it, so the database
//! file is never opened here while SQLite has it open.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use crate::store::StoreError;

/// Only the hub's own user reads or writes: the store holds documents. SQLite gives the log and its
/// index the database's mode.
const MODE: u32 = 0o600;

/// The file beside `path` whose name has this ending too, as SQLite names its own.
pub(super) fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    name.into()
}

/// Takes the store for this process: two hubs on one store would be two ledgers under one name. The
/// lock goes with the handle, at the latest with the process.
pub(super) fn lock(path: &Path) -> Result<File, StoreError> {
    let lock = beside(path, ".lock");
    let file = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .mode(MODE)
        .open(&lock)
        .map_err(|error| setup(&lock, &error))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(StoreError::Setup(format!(
            "{}: another process has this store open",
            path.display()
        ))),
        Err(TryLockError::Error(error)) => Err(setup(&lock, &error)),
    }
}

/// Makes an empty file that only we may read, in place of an earlier attempt's.
pub(super) fn create_empty(path: &Path) -> Result<(), StoreError> {
    for ending in ["", "-wal", "-shm", "-journal"] {
        match fs::remove_file(beside(path, ending)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(setup(path, &error));
            }
            _ => {}
        }
    }
    OpenOptions::new()
        .create_new(true)
        .write(true)
        .mode(MODE)
        .open(path)
        .map(drop)
        .map_err(|error| setup(path, &error))
}

/// Gives the finished file its name, durably: synced, renamed, and its folder synced.
pub(super) fn publish(made: &Path, path: &Path) -> Result<(), StoreError> {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    File::open(made)
        .and_then(|file| file.sync_all())
        .and_then(|()| fs::rename(made, path))
        .and_then(|()| File::open(folder)?.sync_all())
        .map_err(|error| setup(path, &error))
}

fn setup(path: &Path, error: &io::Error) -> StoreError {
    StoreError::Setup(format!("{}: {error}", path.display()))
}
