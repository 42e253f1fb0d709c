//! `AttachmentService`: files of an agency, uploaded before the document that names them.

use std::sync::Arc;
use std::time::Duration;

use tonic::{Request, Response, Status, Streaming};
use xianjie_core::domain::policy::{self, Relation, Rpc};
use xianjie_core::ids::{AgencyCode, Digest};
use xianjie_core::limits;
use xianjie_core::refusal::{Reason, Refusal, Violation};

use super::peer::{Caller, agency};
use super::permit::Permit;
use super::protected::{Showing, Visible, visible};
use super::{Answers, Source, answers, encode, status, unary};
use crate::hub::Hub;
use crate::store::attachments::{AttachmentError, Held, Opening, Reader, Upload};
use crate::wire::pb;
use crate::wire::signature::attachments;
use pb::upload_attachment_request::Message;

/// The service.
pub(super) struct Attachment(Arc<Hub>);

impl Attachment {
    pub(super) fn new(hub: Arc<Hub>) -> Self {
        Self(hub)
    }
}

#[tonic::async_trait]
impl pb::attachment_service_server::AttachmentService for Attachment {
    async fn get_upload(
        &self,
        request: Request<pb::GetUploadRequest>,
    ) -> Result<Response<pb::GetUploadResponse>, Status> {
        let caller = Caller::of(&self.0, &request);
        unary(status_of(caller, request.into_inner())).await
    }

    async fn upload_attachment(
        &self,
        request: Request<Streaming<pb::UploadAttachmentRequest>>,
    ) -> Result<Response<pb::UploadAttachmentResponse>, Status> {
        let caller = Caller::of(&self.0, &request);
        let held = upload(caller, request.into_inner()).await?;
        Ok(Response::new(pb::UploadAttachmentResponse {
            bytes_held: held.bytes_held,
            complete: held.complete,
        }))
    }

    type DownloadAttachmentStream = Answers<pb::DownloadAttachmentResponse>;

    async fn download_attachment(
        &self,
        request: Request<pb::DownloadAttachmentRequest>,
    ) -> Result<Response<Self::DownloadAttachmentStream>, Status> {
        let caller = Caller::of(&self.0, &request);
        let opened = unary(download(caller, request.into_inner())).await?;
        Ok(opened.map(answers))
    }
}

async fn status_of(
    caller: Caller,
    request: pb::GetUploadRequest,
) -> Result<pb::GetUploadResponse, Refusal> {
    let agency = caller.agency(Rpc::GetUpload, &request.agency)?;
    let digest = digest(&request.sha256)?;
    let held = caller.hub.attachments().status(&agency, digest).await.map_err(refusal)?;
    Ok(pb::GetUploadResponse { bytes_held: held.bytes_held, complete: held.complete })
}

/// Takes an upload: what came stays, however it ends.
async fn upload(
    caller: Caller,
    mut incoming: Streaming<pb::UploadAttachmentRequest>,
) -> Result<Held, Status> {
    let open = match next(&mut incoming).await? {
        Some(Message::Open(open)) => open,
        _ => return Err(status::refused(&Violation::new(Reason::Required, "open").into())),
    };
    let refused = |refusal| status::refused(&refusal);
    let mut permit = Permit::new(&caller, Rpc::UploadAttachment, &open.agency).map_err(refused)?;
    let mut upload = match opened(&caller, permit.agency(), &open).await.map_err(refused)? {
        Opening::Complete(held) => return Ok(held),
        Opening::Ready(upload) => upload,
    };
    while let Some(message) = permit.during(next(&mut incoming)).await.map_err(refused)?? {
        upload = appended(upload, message).await.map_err(refused)?;
    }
    upload.finish().await.map_err(|error| refused(refusal(error)))
}

async fn next(
    incoming: &mut Streaming<pb::UploadAttachmentRequest>,
) -> Result<Option<Message>, Status> {
    let silence = Duration::from_secs(limits::SILENCE_SECONDS);
    match tokio::time::timeout(silence, incoming.message()).await {
        Ok(came) => Ok(came?.and_then(|request| request.message)),
        Err(_) => Err(status::silent()),
    }
}

async fn opened(
    caller: &Caller,
    agency: &AgencyCode,
    open: &pb::UploadOpen,
) -> Result<Opening, Refusal> {
    let digest = digest(&open.sha256)?;
    let attachments = caller.hub.attachments();
    attachments.upload(agency, digest, open.size_bytes, open.offset).await.map_err(refusal)
}

async fn appended(upload: Upload, message: Message) -> Result<Upload, Refusal> {
    match message {
        Message::Chunk(chunk) if chunk.len() <= limits::CHUNK_BYTES => {
            upload.append(chunk).await.map_err(refusal)
        }
        Message::Chunk(_) => {
            let help = format!("at most {} bytes", limits::CHUNK_BYTES);
            Err(Violation::new(Reason::TooLarge, "chunk").help(help).into())
        }
        Message::Open(_) => Err(Violation::new(Reason::DuplicateField, "open").into()),
    }
}

/// A file on its way out.
struct Download {
    permit: Permit,
    reader: Reader,
    offset: u64,
}

async fn download(
    caller: Caller,
    request: pb::DownloadAttachmentRequest,
) -> Result<Download, Refusal> {
    let agency = agency(&request.agency)?;
    let document = encode::document_ref(request.document.as_ref())?;
    let digest = digest(&request.sha256)?;
    let rpc = Rpc::DownloadAttachment;
    let visible = visible(&caller, rpc, &agency, &document, request.query).await?;
    let entry = caller.hub.entry(visible.submission.row.index).await?;
    let named = attachments(&entry.signed_document);
    let goes_along = |(named, kind): &(Digest, String)| {
        *named == digest && carries(&caller, &agency, &visible, kind)
    };
    if !named.iter().any(goes_along) {
        return Err(Reason::NotFound.into());
    }
    let Visible { submission, relations, by_query } = visible;
    let permit = Permit::about(&caller, rpc, agency, relations)?;
    // A file that can't be given leaves no record that it was.
    let attachments = caller.hub.attachments();
    let opened = attachments.read(&document.sender, digest, request.offset).await;
    let reader = opened.map_err(refusal)?.ok_or_else(|| Refusal::from(Reason::NotFound))?;
    let showing = Showing { caller: &caller, rpc, reader: permit.agency(), by_query };
    showing.document(&submission, &entry).await?;
    Ok(Download { permit, reader, offset: request.offset })
}

/// Whether the reader may have a document's attachments of this kind: who only received it needs those that
/// its delivery carries.
fn carries(caller: &Caller, reader: &AgencyCode, visible: &Visible, kind: &str) -> bool {
    let mut otherwise = visible.relations.clone();
    otherwise.remove(&Relation::Received);
    let directory = caller.hub.directory();
    let mut addressed = visible.submission.row.addressed.iter();
    policy::sees(&caller.rights(reader), &otherwise)
        || addressed.any(|to| directory.stands_for(reader, &to.agency) && to.carries(kind))
}

impl Source for Download {
    type Message = pb::DownloadAttachmentResponse;

    async fn next(&mut self) -> Option<Result<Self::Message, Status>> {
        let read = self.permit.during(self.reader.chunk()).await;
        match read.and_then(|chunk| chunk.map_err(refusal)) {
            Ok(chunk) => {
                let chunk = chunk?;
                let offset = self.offset;
                self.offset += chunk.len() as u64;
                let size_bytes = self.reader.size();
                Some(Ok(pb::DownloadAttachmentResponse { offset, chunk, size_bytes }))
            }
            Err(refusal) => Some(Err(status::refused(&refusal))),
        }
    }
}

fn digest(bytes: &[u8]) -> Result<Digest, Refusal> {
    let digest = bytes.try_into().map(Digest);
    digest.map_err(|_| Violation::new(Reason::Format, "sha256").help("32 bytes").into())
}

fn refusal(error: AttachmentError) -> Refusal {
    let help = error.to_string();
    let (reason, field) = match &error {
        AttachmentError::TooLarge { .. } => (Reason::TooLarge, "open.size_bytes"),
        AttachmentError::Busy => (Reason::Busy, ""),
        AttachmentError::WrongOffset { .. } => (Reason::OffsetMismatch, "open.offset"),
        AttachmentError::WrongSize { .. } => (Reason::AttachmentUnfit, "open.size_bytes"),
        AttachmentError::PastEnd { .. } => (Reason::AttachmentUnfit, "chunk"),
        AttachmentError::WrongDigest => (Reason::DigestMismatch, "open.sha256"),
        AttachmentError::Quota => (Reason::Quota, ""),
        AttachmentError::NoSpace | AttachmentError::Io { .. } => return encode::unavailable(error),
    };
    Violation::new(reason, field).help(help).into()
}
