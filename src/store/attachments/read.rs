//! Reading a finished file in chunks.

use std::io::{Seek, SeekFrom};

use bytes::Bytes;
use tokio::fs::File;
use tokio::io::AsyncReadExt;
use xianjie_core::limits::CHUNK_BYTES;

use super::disk::{Disk, failed};
use super::{AttachmentError, Key};

/// A finished file, read from some offset to its end. It can be read even if it is collected
/// meanwhile.
#[derive(Debug)]
pub struct Reader {
    file: File,
    size: u64,
}

impl Reader {
    /// Blocks.
    pub(super) fn open(
        disk: &Disk,
        key: &Key,
        offset: u64,
    ) -> Result<Option<Self>, AttachmentError> {
        let Some(mut file) = disk.open_held(key)? else {
            return Ok(None);
        };
        let size = file.metadata().map_err(failed("read an attachment"))?.len();
        if offset > size {
            return Err(AttachmentError::WrongOffset { bytes_held: size });
        }
        let sought = file.seek(SeekFrom::Start(offset));
        sought.map_err(failed("read an attachment"))?;
        Ok(Some(Self { file: File::from_std(file), size }))
    }

    /// The size of the whole file, in bytes.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The next [`CHUNK_BYTES`] bytes, less only at the end of the file; none after it.
    ///
    /// # Errors
    /// [`AttachmentError::Io`].
    pub async fn chunk(&mut self) -> Result<Option<Bytes>, AttachmentError> {
        let mut chunk = Vec::with_capacity(CHUNK_BYTES);
        let mut part = (&mut self.file).take(CHUNK_BYTES as u64);
        let read = part.read_to_end(&mut chunk).await;
        read.map_err(failed("read an attachment"))?;
        Ok((!chunk.is_empty()).then(|| chunk.into()))
    }
}
