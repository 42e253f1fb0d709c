//! One upload: bytes go to the disk and into the digest as they come.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Read, Seek, Write};
use std::sync::Arc;

use bytes::Bytes;
use sha2::{Digest as _, Sha256};

use super::disk::{failed, touch};
use super::leases::Lease;
use super::{AttachmentError, AttachmentLimits, Held, Inner, Key, blocking};

/// How an upload begins.
#[derive(Debug)]
pub enum Opening {
    /// The file is held already: nothing need be sent.
    Complete(Held),
    /// Send the bytes from the offset on.
    Ready(Upload),
}

/// An upload under way. Dropped, it leaves what has come, to go on with later.
///
/// Each step consumes it and gives it back if it went well: after an error there is none to go on
/// with.
pub struct Upload {
    inner: Arc<Inner>,
    lease: Lease,
    file: File,
    hasher: Sha256,
    size: u64,
    written: u64,
}

impl Upload {
    /// Blocks.
    pub(super) fn open(
        inner: &Arc<Inner>,
        key: Key,
        size: u64,
        offset: u64,
    ) -> Result<Opening, AttachmentError> {
        let max = inner.limits.attachment_bytes;
        if size > max {
            return Err(AttachmentError::TooLarge { size, max });
        }
        let lease = inner.leases.take(&key, size).ok_or(AttachmentError::Busy)?;
        if let Some(held) = inner.disk.held_size(&key)? {
            return open_held(inner, &key, held, size);
        }
        let bytes_held = inner.disk.partial_size(&key)?.unwrap_or(0).min(size);
        if offset > bytes_held {
            return Err(AttachmentError::WrongOffset { bytes_held });
        }
        check_quota(inner, &key, size)?;
        if inner.disk.room(inner.limits.reserve)? < size - offset {
            return Err(AttachmentError::NoSpace);
        }
        let mut file = inner.disk.open_partial(&key)?;
        let hasher = resume(&mut file, offset).map_err(failed("read an upload"))?;
        Ok(Opening::Ready(Self {
            inner: Arc::clone(inner),
            lease,
            file,
            hasher,
            size,
            written: offset,
        }))
    }

    /// Adds the next bytes.
    ///
    /// # Errors
    /// [`AttachmentError::PastEnd`], [`AttachmentError::NoSpace`], [`AttachmentError::Io`]. What
    /// came before stays.
    pub async fn append(mut self, chunk: Bytes) -> Result<Self, AttachmentError> {
        let Some(written) =
            self.written.checked_add(chunk.len() as u64).filter(|written| *written <= self.size)
        else {
            return Err(AttachmentError::PastEnd { size: self.size });
        };
        blocking(move || {
            let reserve = self.inner.limits.reserve;
            if self.inner.disk.room(reserve)? < chunk.len() as u64 {
                return Err(AttachmentError::NoSpace);
            }
            let wrote = self.file.write_all(&chunk);
            wrote.map_err(failed("write an upload"))?;
            self.hasher.update(&chunk);
            self.written = written;
            Ok(self)
        })
        .await
    }

    /// Ends the upload. What came is on stable storage afterwards: the file, if it is whole, or
    /// the part to go on from.
    ///
    /// # Errors
    /// [`AttachmentError::WrongDigest`]; [`AttachmentError::NoSpace`]; [`AttachmentError::Io`].
    pub async fn finish(self) -> Result<Held, AttachmentError> {
        blocking(move || self.finish_blocking()).await
    }

    fn finish_blocking(self) -> Result<Held, AttachmentError> {
        let (disk, key) = (&self.inner.disk, self.lease.key());
        let complete = self.written == self.size;
        if complete && self.hasher.finalize()[..] != key.digest.0 {
            disk.remove_partial(key)?;
            return Err(AttachmentError::WrongDigest);
        }
        // Its day begins now, even if the bytes came long ago.
        touch(&self.file)?;
        disk.sync_partial(key, &self.file)?;
        if complete {
            disk.finish(key)?;
        }
        Ok(Held { bytes_held: self.written, complete })
    }
}

impl std::fmt::Debug for Upload {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Upload({} of {} bytes)", self.written, self.size)
    }
}

fn open_held(inner: &Inner, key: &Key, held: u64, size: u64) -> Result<Opening, AttachmentError> {
    if held != size {
        return Err(AttachmentError::WrongSize { held });
    }
    inner.disk.touch_held(key)?;
    Ok(Opening::Complete(Held { bytes_held: held, complete: true }))
}

/// Counts the agency's other files that no document names, those under way with their promised sizes.
fn check_quota(inner: &Inner, key: &Key, size: u64) -> Result<(), AttachmentError> {
    let AttachmentLimits { uploads_per_agency, upload_bytes_per_agency, .. } = inner.limits;
    let mut on_disk = inner.disk.partial_files(&key.agency)?;
    on_disk.extend(inner.disk.waiting_files(&key.agency)?);
    let leases = inner.leases.lock();
    let mut uploads: HashMap<_, u64> = leases
        .iter()
        .filter(|(other, _)| other.agency == key.agency)
        .map(|(other, promised)| (other.digest, *promised))
        .collect();
    drop(leases);
    for file in on_disk {
        let bytes = uploads.entry(file.digest).or_default();
        *bytes = file.bytes.max(*bytes);
    }
    uploads.insert(key.digest, size);
    let bytes = uploads.values().fold(0, |sum: u64, bytes| sum.saturating_add(*bytes));
    if uploads.len() > uploads_per_agency || bytes > upload_bytes_per_agency {
        return Err(AttachmentError::Quota);
    }
    Ok(())
}

/// Cuts the file at `offset`, reads what is before, and stands at its end.
fn resume(file: &mut File, offset: u64) -> io::Result<Sha256> {
    file.set_len(offset)?;
    file.rewind()?;
    let mut hasher = Sha256::new();
    let mut buffer = vec![0; xianjie_core::limits::CHUNK_BYTES];
    loop {
        match file.read(&mut buffer) {
            Ok(0) => return Ok(hasher),
            Ok(read) => hasher.update(&buffer[..read]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}
