//! Attachments (附件) on disk, by agency and SHA-256: never altered, whole or not there.
//!
//! `incoming/<agency>/<hex>` holds files under way, `waiting/<agency>/<hex>` finished ones that no document
//! is known to name, `held/<agency>/<two hex digits>/<hex>` the others. A file moves from the first to the
//! second by a rename once its bytes are synced and have the digest that is its name, and to the third
//! when a document that names it is taken. Its name without a suffix says that it is stored as it came;
//! a sealed form would get a suffix.
//!
//! It is not `object_store`'s local file system: that syncs neither the file before its rename nor
//! the folder after it, so a power cut could leave a name without its bytes; and it can't go on
//! with an upload after a restart. All that touches the file system stands in `disk`.
//!
//! It knows no document: who may upload or download, and which documents name a file, is the
//! callers' business.

use std::future::Future;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use xianjie_core::ids::{AgencyCode, Digest};
use xianjie_core::limits;

use self::disk::Disk;
use self::leases::Leases;
use super::Reserve;

pub use self::orphans::Collected;
pub use self::read::Reader;
pub use self::upload::{Opening, Upload};

mod disk;
mod leases;
mod orphans;
mod read;
mod upload;

/// Files of one agency that no document names, finished or not: two documents with all their attachments.
const UPLOADS_PER_AGENCY: usize = 2 * limits::ATTACHMENTS;
/// Bytes of one agency's files that no document names: four of the largest attachments.
const UPLOAD_BYTES_PER_AGENCY: u64 = 4 * limits::ATTACHMENT_BYTES;

/// The bounds of attachments.
#[derive(Clone, Copy, Debug)]
pub struct AttachmentLimits {
    /// Bytes of one attachment.
    pub attachment_bytes: u64,
    /// Files of one agency that no document names, finished or not.
    pub uploads_per_agency: usize,
    /// Their bytes.
    pub upload_bytes_per_agency: u64,
    /// How much of the disk documents leave free: uploads leave twice that.
    pub reserve: Reserve,
}

impl Default for AttachmentLimits {
    fn default() -> Self {
        Self {
            attachment_bytes: limits::ATTACHMENT_BYTES,
            uploads_per_agency: UPLOADS_PER_AGENCY,
            upload_bytes_per_agency: UPLOAD_BYTES_PER_AGENCY,
            reserve: Reserve::default(),
        }
    }
}

/// Why an attachment was not taken, given or found.
#[derive(Debug, thiserror::Error)]
pub enum AttachmentError {
    /// Larger than an attachment may be: never.
    #[error("the attachment has {size} bytes, more than {max}")]
    TooLarge {
        /// The promised size.
        size: u64,
        /// The bound.
        max: u64,
    },
    /// Another upload of the same file of the same agency is under way: later.
    #[error("another upload of this attachment is under way")]
    Busy,
    /// An offset beyond what is held: ask again, and go on from there.
    #[error("the offset is beyond the {bytes_held} bytes held")]
    WrongOffset {
        /// Where to go on.
        bytes_held: u64,
    },
    /// The file with this digest has another size than promised.
    #[error("the attachment with this digest has {held} bytes")]
    WrongSize {
        /// Its size.
        held: u64,
    },
    /// More bytes came than promised.
    #[error("more bytes than the promised {size}")]
    PastEnd {
        /// The promised size.
        size: u64,
    },
    /// The whole file has another digest than promised; it was removed: begin again.
    #[error("the file has another digest than promised")]
    WrongDigest,
    /// The agency has as many files that no document names, or bytes of them, as it may: send the
    /// documents first, or later.
    #[error("the agency has too many uploads that no document names")]
    Quota,
    /// The disk is full but for its reserve: later.
    #[error("no disk space for attachments")]
    NoSpace,
    /// The disk failed.
    #[error("can't {action}")]
    Io {
        /// What was tried.
        action: &'static str,
        /// How it failed.
        #[source]
        source: io::Error,
    },
}

/// How much of an attachment is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Held {
    /// Bytes, from the start of the file.
    pub bytes_held: u64,
    /// Whether that is all, with the right digest, on stable storage.
    pub complete: bool,
}

/// The attachments of one hub; clones are the same.
#[derive(Clone)]
pub struct Attachments(Arc<Inner>);

struct Inner {
    disk: Disk,
    leases: Leases,
    limits: AttachmentLimits,
}

impl Attachments {
    /// Opens the attachments in a folder, which is made if need be.
    ///
    /// # Errors
    /// [`AttachmentError::Io`].
    pub async fn open(root: PathBuf, limits: AttachmentLimits) -> Result<Self, AttachmentError> {
        let disk = blocking(move || Disk::open(root)).await?;
        let leases = Leases::default();
        Ok(Self(Arc::new(Inner { disk, leases, limits })))
    }

    /// How much is held of an agency's file: where an upload goes on.
    ///
    /// # Errors
    /// [`AttachmentError::Io`].
    pub async fn status(
        &self,
        agency: &AgencyCode,
        digest: Digest,
    ) -> Result<Held, AttachmentError> {
        let key = Key::new(agency, digest);
        self.run(move |inner| {
            let held = inner.disk.held_size(&key)?;
            let bytes_held = match held {
                Some(size) => size,
                None => inner.disk.partial_size(&key)?.unwrap_or(0),
            };
            Ok(Held { bytes_held, complete: held.is_some() })
        })
        .await
    }

    /// Which of an agency's files, by digest and size, are not held whole.
    ///
    /// # Errors
    /// [`AttachmentError::Io`].
    pub async fn missing(
        &self,
        agency: &AgencyCode,
        files: &[(Digest, u64)],
    ) -> Result<Vec<Digest>, AttachmentError> {
        let (agency, files) = (agency.clone(), files.to_vec());
        self.run(move |inner| inner.missing(&agency, &files)).await
    }

    /// As [`missing`](Self::missing), and what is held stays for at least the time after which
    /// orphans are collected, a day. Called before a document that names the files is submitted:
    /// once it is committed, the document keeps them.
    ///
    /// # Errors
    /// [`AttachmentError::Io`].
    pub async fn claim(
        &self,
        agency: &AgencyCode,
        files: &[(Digest, u64)],
    ) -> Result<Vec<Digest>, AttachmentError> {
        let (agency, files) = (agency.clone(), files.to_vec());
        self.run(move |inner| {
            let _collector_waits = inner.leases.lock();
            for (digest, _) in &files {
                inner.disk.touch_held(&Key::new(&agency, *digest))?;
            }
            inner.missing(&agency, &files)
        })
        .await
    }

    /// Keeps an agency's files for good: a document that names them was taken. What isn't here, or kept
    /// already, is left out.
    ///
    /// # Errors
    /// [`AttachmentError::Io`]; the collector keeps what is not kept yet, once it finds it named.
    pub async fn keep(
        &self,
        agency: &AgencyCode,
        digests: Vec<Digest>,
    ) -> Result<(), AttachmentError> {
        let agency = agency.clone();
        self.run(move |inner| {
            digests.iter().try_for_each(|digest| inner.disk.keep(&Key::new(&agency, *digest)))
        })
        .await
    }

    /// Opens an upload of `size` bytes that goes on at `offset`; bytes held beyond it are dropped.
    /// One upload of a file at a time.
    ///
    /// What is held before `offset` is read once, for the digest.
    ///
    /// # Errors
    /// [`AttachmentError`]. What is held before `offset` stays.
    pub async fn upload(
        &self,
        agency: &AgencyCode,
        digest: Digest,
        size: u64,
        offset: u64,
    ) -> Result<Opening, AttachmentError> {
        let key = Key::new(agency, digest);
        self.run(move |inner| Upload::open(inner, key, size, offset)).await
    }

    /// Reads an agency's file from `offset` on; none if it is not held whole.
    ///
    /// # Errors
    /// [`AttachmentError::WrongOffset`] beyond the end; [`AttachmentError::Io`].
    pub async fn read(
        &self,
        agency: &AgencyCode,
        digest: Digest,
        offset: u64,
    ) -> Result<Option<Reader>, AttachmentError> {
        let key = Key::new(agency, digest);
        self.run(move |inner| Reader::open(&inner.disk, &key, offset)).await
    }

    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Arc<Inner>) -> Result<T, AttachmentError> + Send + 'static,
    ) -> Result<T, AttachmentError> {
        let inner = Arc::clone(&self.0);
        blocking(move || work(&inner)).await
    }
}

impl Inner {
    fn missing(
        &self,
        agency: &AgencyCode,
        files: &[(Digest, u64)],
    ) -> Result<Vec<Digest>, AttachmentError> {
        let mut missing = Vec::new();
        for (digest, size) in files {
            if self.disk.held_size(&Key::new(agency, *digest))? != Some(*size) {
                missing.push(*digest);
            }
        }
        Ok(missing)
    }
}

/// What an attachment belongs to and is called.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
struct Key {
    agency: AgencyCode,
    digest: Digest,
}

impl Key {
    fn new(agency: &AgencyCode, digest: Digest) -> Self {
        Self { agency: agency.clone(), digest }
    }
}

/// Does blocking work beside the runtime. It goes on if the caller is dropped meanwhile.
fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, AttachmentError> + Send + 'static,
) -> impl Future<Output = Result<T, AttachmentError>> {
    let task = tokio::task::spawn_blocking(work);
    async {
        task.await.unwrap_or_else(|error| {
            Err(AttachmentError::Io {
                action: "finish work on the disk",
                source: io::Error::other(error),
            })
        })
    }
}

#[cfg(test)]
mod tests;
