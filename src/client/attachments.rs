//! Attachments (附件) on their way to the hub and back: in chunks, resumed where they broke off, never
//! altered; whoever receives one checks its digest.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use sha2::{Digest as _, Sha256};
use thiserror::Error;
use tokio::fs::File;
use tokio::io::{self, AsyncReadExt as _, AsyncSeekExt as _, AsyncWriteExt as _, SeekFrom};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use xianjie_core::limits::CHUNK_BYTES;

use super::connect::{Client, ProfileLacks, unary};
use super::error::CallError;
use super::observer::Observer;
use super::prepare::LocalFile;
use super::{disk, files};
use crate::identity::files::FileError;
use crate::wire::pb;

use pb::upload_attachment_request::Message;

/// Chunks read ahead of the network.
const CHUNKS_AHEAD: usize = 4;

/// An attachment that did not come through.
#[derive(Debug, Error)]
pub enum TransferError {
    /// The call failed; [`CallError::is_temporary`] says whether to go on later.
    #[error(transparent)]
    Call(#[from] CallError),
    /// The file can't be read or written.
    #[error(transparent)]
    File(#[from] FileError),
    /// The file is no longer what the document names.
    #[error("{} has changed since the document was signed", path.display())]
    Changed {
        /// The file.
        path: PathBuf,
    },
    /// What the hub sent is not what the document names.
    #[error("the hub sent other bytes than the document names: {}", path.display())]
    Altered {
        /// Where it would have come to lie.
        path: PathBuf,
    },
    /// The profile is no agency's.
    #[error(transparent)]
    Profile(#[from] ProfileLacks),
}

impl Client {
    /// Uploads a file, or what the hub does not hold of it yet.
    ///
    /// # Errors
    /// [`TransferError`]. Call again to go on after a temporary one.
    pub async fn upload(
        &self,
        file: &LocalFile,
        observer: &Arc<dyn Observer>,
    ) -> Result<(), TransferError> {
        let agency = self.agency()?.to_string();
        let sha256 = file.sha256.to_vec();
        let asked = pb::GetUploadRequest { agency: agency.clone(), sha256: sha256.clone() };
        let held = self.attachments().get_upload(unary(asked)).await;
        let held = held.map_err(CallError::from)?.into_inner();
        if held.complete {
            observer.uploaded(&file.path, file.size, file.size);
            return Ok(());
        }
        let source = File::open(&file.path).await.map_err(disk::failed("open", &file.path))?;
        let offset = held.bytes_held.min(file.size);
        let open = pb::UploadOpen { agency, sha256, size_bytes: file.size, offset };
        let (sender, requests) = mpsc::channel(CHUNKS_AHEAD);
        let reading = read_chunks(source, open, sender, file.clone(), Arc::clone(observer));
        let reading = tokio::spawn(reading);
        let answer = self.attachments().upload_attachment(ReceiverStream::new(requests)).await;
        // The reader ends when the call has: its channel is closed.
        if let Ok(Err(source)) = reading.await {
            return Err(disk::failed("read", &file.path)(source).into());
        }
        match answer.map_err(CallError::from) {
            Ok(answer) if answer.get_ref().complete => Ok(()),
            Ok(_) => Err(interrupted().into()),
            Err(error) => Err(self.upload_failed(file, error)?),
        }
    }

    /// A refusal for the digest is this side's fault if the file has changed.
    fn upload_failed(
        &self,
        file: &LocalFile,
        error: CallError,
    ) -> Result<TransferError, FileError> {
        let is_digest = error.refused().is_some_and(|refused| refused.reason == "DIGEST_MISMATCH");
        if is_digest && files::measure(&file.path)? != Some((file.size, file.sha256)) {
            return Ok(TransferError::Changed { path: file.path.clone() });
        }
        Ok(error.into())
    }

    /// Downloads an attachment of a document into a file, going on where an earlier attempt broke
    /// off, and checks its digest.
    ///
    /// # Errors
    /// [`TransferError`]. Call again to go on after a temporary one.
    pub async fn download(
        &self,
        document: &pb::DocumentRef,
        attachment: &pb::Attachment,
        path: &Path,
        observer: &dyn Observer,
    ) -> Result<(), TransferError> {
        let mut hasher = Sha256::new();
        let (mut file, offset) = open_partial(path, &mut hasher)
            .await
            .map_err(|source| disk::failed("write", path)(source))?;
        let request = pb::DownloadAttachmentRequest {
            agency: self.agency()?.to_string(),
            document: Some(document.clone()),
            sha256: attachment.sha256.clone(),
            offset,
            query: None,
        };
        let mut done = offset;
        if done < attachment.size_bytes {
            let answer = self.attachments().download_attachment(request).await;
            let mut chunks = answer.map_err(CallError::from)?.into_inner();
            while let Some(next) = chunks.message().await.map_err(CallError::from)? {
                done += next.chunk.len() as u64;
                if done > attachment.size_bytes {
                    break;
                }
                hasher.update(&next.chunk);
                let written = file.write_all(&next.chunk).await;
                written.map_err(disk::failed("write", path))?;
                observer.downloaded(path, done, attachment.size_bytes);
            }
        }
        file.sync_all().await.map_err(disk::failed("sync", path))?;
        if done < attachment.size_bytes {
            return Err(interrupted().into());
        }
        let digest: [u8; 32] = hasher.finalize().into();
        if done != attachment.size_bytes || digest != *attachment.sha256 {
            // Nothing may be built on it.
            tokio::fs::remove_file(path).await.map_err(disk::failed("remove", path))?;
            return Err(TransferError::Altered { path: path.to_owned() });
        }
        Ok(())
    }
}

/// Sends `open`, then the file's chunks from its offset on, until the end or until nobody listens.
async fn read_chunks(
    mut source: File,
    open: pb::UploadOpen,
    sender: mpsc::Sender<pb::UploadAttachmentRequest>,
    file: LocalFile,
    observer: Arc<dyn Observer>,
) -> io::Result<()> {
    let mut done = open.offset;
    source.seek(SeekFrom::Start(done)).await?;
    let send = async |message| {
        sender.send(pb::UploadAttachmentRequest { message: Some(message) }).await.is_ok()
    };
    let mut goes_on = send(Message::Open(open)).await;
    while goes_on {
        let mut chunk = Vec::with_capacity(CHUNK_BYTES);
        while chunk.len() < CHUNK_BYTES {
            let room = (CHUNK_BYTES - chunk.len()) as u64;
            if (&mut source).take(room).read_buf(&mut chunk).await? == 0 {
                break;
            }
        }
        if chunk.is_empty() {
            break;
        }
        done += chunk.len() as u64;
        goes_on = send(Message::Chunk(chunk.into())).await;
        observer.uploaded(&file.path, done, file.size);
    }
    Ok(())
}

/// Opens a file to be written on, with what it holds already in the hasher.
async fn open_partial(path: &Path, hasher: &mut Sha256) -> io::Result<(File, u64)> {
    let mut options = File::options();
    let mut file = options
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(disk::FILE_MODE)
        .open(path)
        .await?;
    let (mut done, mut buffer) = (0, vec![0; CHUNK_BYTES]);
    loop {
        match file.read(&mut buffer).await? {
            0 => return Ok((file, done)),
            length => {
                hasher.update(&buffer[..length]);
                done += length as u64;
            }
        }
    }
}

fn interrupted() -> CallError {
    let detail = "the transfer ended before the file did".to_owned();
    CallError::Unknown { code: tonic::Code::Aborted, detail }
}
