//! The file system: which file stands where, and what makes it durable.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use xianjie_core::ids::{AgencyCode, Digest};

use super::super::{Reserve, Space};
use super::{AttachmentError, Key};

/// The folder of a hub's attachments.
pub(super) struct Disk {
    root: PathBuf,
}

/// A file that [`Disk`] found in a folder.
pub(super) struct Found {
    pub(super) digest: Digest,
    pub(super) bytes: u64,
    pub(super) modified: SystemTime,
}

impl Disk {
    /// Opens the folder. Whatever a process that died there renamed but did not sync is durable
    /// afterwards: from now on, what is seen counts.
    pub(super) fn open(root: PathBuf) -> Result<Self, AttachmentError> {
        let disk = Self { root };
        for folder in ["held", "waiting", "incoming"] {
            create_folder(&disk.root.join(folder))?;
        }
        let opened = File::open(&disk.root).map_err(failed("open the folder"))?;
        rustix::fs::syncfs(&opened).map_err(|error| failed("sync the disk")(error.into()))?;
        Ok(disk)
    }

    /// The size of a finished file.
    pub(super) fn held_size(&self, key: &Key) -> Result<Option<u64>, AttachmentError> {
        // In this order: it may be kept meanwhile, and never comes back.
        match size(&self.waiting_path(key))? {
            None => size(&self.held_path(key)),
            found => Ok(found),
        }
    }

    /// The size of an unfinished file.
    pub(super) fn partial_size(&self, key: &Key) -> Result<Option<u64>, AttachmentError> {
        size(&self.partial_path(key))
    }

    /// Makes a finished file as young as a new one, if it exists.
    pub(super) fn touch_held(&self, key: &Key) -> Result<(), AttachmentError> {
        match self.open_held(key)? {
            Some(file) => touch(&file),
            None => Ok(()),
        }
    }

    /// Opens a finished file to read it.
    pub(super) fn open_held(&self, key: &Key) -> Result<Option<File>, AttachmentError> {
        let open = |path| found(File::open(path)).map_err(failed("open an attachment"));
        match open(self.waiting_path(key))? {
            None => open(self.held_path(key)),
            found => Ok(found),
        }
    }

    /// Lays a finished file to those that documents name, if it waits for one. Not synced: after a power
    /// cut it stands in one place or the other, and is found in either.
    pub(super) fn keep(&self, key: &Key) -> Result<(), AttachmentError> {
        create_folder(&self.held(&key.agency).join(first_digits(&key.digest)))?;
        let kept = found(fs::rename(self.waiting_path(key), self.held_path(key)));
        kept.map_err(failed("keep an attachment")).map(drop)
    }

    /// Opens an unfinished file to read and write it, and makes it if need be.
    pub(super) fn open_partial(&self, key: &Key) -> Result<File, AttachmentError> {
        create_folder(&self.incoming(&key.agency))?;
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        let file = options.mode(0o600).open(self.partial_path(key));
        file.map_err(failed("open an upload"))
    }

    /// Makes the bytes of an unfinished file and its name durable. If that fails, what is on disk
    /// can't be known any more (a second sync could succeed and mean nothing), so it is removed.
    pub(super) fn sync_partial(&self, key: &Key, file: &File) -> Result<(), AttachmentError> {
        let synced = file.sync_all();
        let synced = synced.and_then(|()| sync_folder(&self.incoming(&key.agency)));
        synced.map_err(|error| {
            let _ = self.remove_partial(key);
            failed("sync an upload")(error)
        })
    }

    /// Makes a synced unfinished file a finished one: whole or not at all, whatever happens. If
    /// that fails, it is as if the file had not come.
    pub(super) fn finish(&self, key: &Key) -> Result<(), AttachmentError> {
        let folder = self.waiting(&key.agency);
        create_folder(&folder)?;
        let renamed = fs::rename(self.partial_path(key), self.waiting_path(key));
        renamed.map_err(failed("rename an upload"))?;
        sync_folder(&folder).map_err(|error| {
            let _ = self.remove_waiting(key);
            failed("sync a folder")(error)
        })
    }

    /// Removes a finished file that no document names, if it exists.
    pub(super) fn remove_waiting(&self, key: &Key) -> Result<(), AttachmentError> {
        remove(&self.waiting_path(key))
    }

    /// Removes an unfinished file, if it exists.
    pub(super) fn remove_partial(&self, key: &Key) -> Result<(), AttachmentError> {
        remove(&self.partial_path(key))
    }

    /// The agencies that have files which no document is known to name, finished or not.
    pub(super) fn agencies(&self) -> Result<Vec<AgencyCode>, AttachmentError> {
        let mut agencies = Vec::new();
        for folder in ["waiting", "incoming"] {
            let names = names(&self.root.join(folder))?;
            agencies.extend(names.iter().filter_map(|name| name.parse().ok()));
        }
        agencies.sort_unstable();
        agencies.dedup();
        Ok(agencies)
    }

    /// An agency's finished files that no document is known to name.
    pub(super) fn waiting_files(&self, agency: &AgencyCode) -> Result<Vec<Found>, AttachmentError> {
        files_in(&self.waiting(agency))
    }

    /// An agency's unfinished files.
    pub(super) fn partial_files(&self, agency: &AgencyCode) -> Result<Vec<Found>, AttachmentError> {
        files_in(&self.incoming(agency))
    }

    /// When a finished file that no document is known to name was made or touched.
    pub(super) fn waiting_modified(
        &self,
        key: &Key,
    ) -> Result<Option<SystemTime>, AttachmentError> {
        modified(&self.waiting_path(key))
    }

    /// When an unfinished file was last written.
    pub(super) fn partial_modified(
        &self,
        key: &Key,
    ) -> Result<Option<SystemTime>, AttachmentError> {
        modified(&self.partial_path(key))
    }

    /// Bytes that uploads may still take, with the reserve kept.
    pub(super) fn room(&self, reserve: Reserve) -> Result<u64, AttachmentError> {
        let space = Space::of_disk(&self.root).map_err(failed("ask for disk space"))?;
        Ok(space.for_attachments(reserve))
    }

    fn held(&self, agency: &AgencyCode) -> PathBuf {
        self.root.join("held").join(agency.as_str())
    }

    fn held_path(&self, key: &Key) -> PathBuf {
        let folder = self.held(&key.agency).join(first_digits(&key.digest));
        folder.join(hex::encode(key.digest.0))
    }

    fn waiting(&self, agency: &AgencyCode) -> PathBuf {
        self.root.join("waiting").join(agency.as_str())
    }

    fn waiting_path(&self, key: &Key) -> PathBuf {
        self.waiting(&key.agency).join(hex::encode(key.digest.0))
    }

    fn incoming(&self, agency: &AgencyCode) -> PathBuf {
        self.root.join("incoming").join(agency.as_str())
    }

    fn partial_path(&self, key: &Key) -> PathBuf {
        self.incoming(&key.agency).join(hex::encode(key.digest.0))
    }
}

/// Says what failed; a full disk is told apart.
pub(super) fn failed(action: &'static str) -> impl Fn(io::Error) -> AttachmentError {
    move |source| match source.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => AttachmentError::NoSpace,
        _ => AttachmentError::Io { action, source },
    }
}

/// Makes a file as young as a new one.
#[expect(clippy::disallowed_methods, reason = "a file's age is the file system's, not the law's")]
pub(super) fn touch(file: &File) -> Result<(), AttachmentError> {
    let touched = file.set_modified(SystemTime::now());
    touched.map_err(failed("touch an attachment"))
}

fn first_digits(digest: &Digest) -> String {
    hex::encode(&digest.0[..1])
}

/// Makes a folder and those above it, durably.
fn create_folder(path: &Path) -> Result<(), AttachmentError> {
    if path.is_dir() {
        return Ok(());
    }
    let parent = path.parent().filter(|parent| *parent != Path::new(""));
    if let Some(parent) = parent {
        create_folder(parent)?;
    }
    match DirBuilder::new().mode(0o700).create(path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
            return Err(failed("make a folder")(error));
        }
        _ => {}
    }
    sync_folder(parent.unwrap_or(Path::new("."))).map_err(failed("sync a folder"))
}

fn sync_folder(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

fn remove(path: &Path) -> Result<(), AttachmentError> {
    found(fs::remove_file(path)).map_err(failed("remove an attachment"))?;
    Ok(())
}

fn size(path: &Path) -> Result<Option<u64>, AttachmentError> {
    let metadata = found(fs::metadata(path)).map_err(failed("look for an attachment"))?;
    Ok(metadata.map(|metadata| metadata.len()))
}

fn modified(path: &Path) -> Result<Option<SystemTime>, AttachmentError> {
    let modified = fs::metadata(path).and_then(|metadata| metadata.modified());
    found(modified).map_err(failed("look for an attachment"))
}

/// The names in a folder that are UTF-8, as all of ours are; none if there is no folder.
fn names(folder: &Path) -> Result<Vec<String>, AttachmentError> {
    let entries = found(fs::read_dir(folder)).map_err(failed("list a folder"))?;
    let mut names = Vec::new();
    for entry in entries.into_iter().flatten() {
        let name = entry.map_err(failed("list a folder"))?.file_name();
        names.extend(name.into_string().ok());
    }
    Ok(names)
}

fn files_in(folder: &Path) -> Result<Vec<Found>, AttachmentError> {
    let mut files = Vec::new();
    for name in names(folder)? {
        let mut digest = [0; 32];
        if hex::decode_to_slice(&name, &mut digest).is_err() {
            continue;
        }
        let look = || {
            let metadata = fs::metadata(folder.join(&name))?;
            Ok((metadata.len(), metadata.modified()?))
        };
        // It may be finished or collected meanwhile.
        let file = found(look()).map_err(failed("look for an attachment"))?;
        files.extend(file.map(|(bytes, modified)| Found {
            digest: Digest(digest),
            bytes,
            modified,
        }));
    }
    Ok(files)
}

/// None for what does not exist.
fn found<T>(result: io::Result<T>) -> io::Result<Option<T>> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}
