//! An agency's own system: signs, submits, reads its inbox, acknowledges.

use std::sync::Arc;

use prost::Message as _;
use tonic::transport::Channel;
use tonic::{Response, Status};
use xianjie::clock::{Clock as _, ManualClock};
use xianjie::entropy::document_id;
use xianjie::identity::signature::{PayloadType, SigningIdentity};
use xianjie::wire;
use xianjie::wire::pb;
use xianjie::wire::statement::{AcknowledgementText, write_acknowledgement};
use xianjie::wire::time::write_time;
use xianjie_core::ids::{AgencyCode, Digest, InboxNumber, Origin};
use xianjie_core::ledger::{NoteVerifier, VerifiedReceipt, sha256, verify};
use xianjie_core::limits;

use super::Subscription;

/// An agency with its keys and its connection.
pub(crate) struct Agency {
    /// Its code.
    pub(crate) code: AgencyCode,
    /// Its connection.
    pub(crate) channel: Channel,
    pub(super) origin: Origin,
    pub(super) keys: Vec<NoteVerifier>,
    pub(super) clock: Arc<ManualClock>,
    pub(super) document: SigningIdentity,
    pub(super) acknowledgement: SigningIdentity,
}

impl Agency {
    /// The header of a new document with this body.
    pub(crate) fn document(&self, body: pb::document::Body) -> pb::Document {
        pb::Document {
            document_id: document_id(self.clock.now()).unwrap().to_string(),
            ledger: self.origin.to_string(),
            sender: self.code.to_string(),
            original_form: pb::OriginalForm::Electronic.into(),
            classification: pb::Classification::Unclassified.into(),
            create_time: Some(write_time(self.clock.now())),
            body: Some(body),
            ..pb::Document::default()
        }
    }

    /// A connection test for these agencies.
    pub(crate) fn ping(&self, to: &[&Agency]) -> pb::Document {
        let body = pb::document::Body::Ping(pb::Ping { text: "你好".to_owned() });
        let chosen_agencies = to.iter().map(|agency| agency.code.to_string()).collect();
        pb::Document { chosen_agencies, ..self.document(body) }
    }

    /// Encodes and signs a document: once.
    pub(crate) fn sign(&self, document: &pb::Document) -> pb::SignedDocument {
        let payload = document.encode_to_vec();
        let signature = wire::signature::sign(PayloadType::Document, &payload, &self.document);
        pb::SignedDocument {
            document: payload.into(),
            signatures: vec![wire::signature::write(&signature)],
        }
    }

    /// Submits signed bytes.
    pub(crate) async fn submit(
        &self,
        signed: &pb::SignedDocument,
    ) -> Result<pb::SubmitDocumentResponse, Status> {
        let request = pb::SubmitDocumentRequest {
            agency: self.code.to_string(),
            signed_document: Some(signed.clone()),
        };
        self.exchange().submit_document(request).await.map(Response::into_inner)
    }

    /// What became of a document of this agency.
    pub(crate) async fn submission(&self, id: &str) -> Result<pb::Submission, Status> {
        let request =
            pb::GetSubmissionRequest { agency: self.code.to_string(), document_id: id.to_owned() };
        let answer = self.exchange().get_submission(request).await?;
        Ok(answer.into_inner().submission.unwrap())
    }

    /// Opens its inbox as a stream, above a number or from the lowest that is not settled.
    pub(crate) async fn subscribe(&self, after: Option<u64>) -> Result<Subscription, Status> {
        let open = pb::SubscribeOpen {
            agency: self.code.to_string(),
            after_inbox_number: after,
            credits: 64,
            consumer: "test".to_owned(),
        };
        Subscription::open(self.inbox(), open).await
    }

    /// A signed acknowledgement of deliveries of one sender.
    pub(crate) fn acknowledgement(&self, deliveries: &[pb::Delivery]) -> pb::SignedAcknowledgement {
        let item = |delivery: &pb::Delivery| {
            let leaf = &delivery.receipt.as_ref().unwrap().leaf;
            (InboxNumber(delivery.inbox_number), Digest(leaf[9..].try_into().unwrap()))
        };
        let text = AcknowledgementText {
            ledger: self.origin.clone(),
            agency: self.code.clone(),
            items: deliveries.iter().map(item).collect(),
            stored: self.clock.now(),
            signed_by: "测试系统".to_owned(),
            seen: None,
        };
        let payload = write_acknowledgement(&text);
        let kind = PayloadType::Acknowledgement;
        let signature = wire::signature::sign(kind, &payload, &self.acknowledgement);
        pb::SignedAcknowledgement {
            acknowledgement: payload,
            signatures: vec![wire::signature::write(&signature)],
        }
    }

    /// Verifies a receipt offline.
    pub(crate) fn verify(&self, receipt: Option<&pb::Receipt>) -> VerifiedReceipt {
        let parts = wire::receipt::parts(receipt.unwrap()).unwrap();
        let verified = verify(&parts, &self.keys).unwrap();
        assert_eq!(verified.checkpoint.origin, self.origin.as_str());
        verified
    }

    /// The exchange.
    pub(crate) fn exchange(&self) -> pb::exchange_service_client::ExchangeServiceClient<Channel> {
        pb::exchange_service_client::ExchangeServiceClient::new(self.channel.clone())
    }

    /// The inbox.
    pub(crate) fn inbox(&self) -> pb::inbox_service_client::InboxServiceClient<Channel> {
        pb::inbox_service_client::InboxServiceClient::new(self.channel.clone())
    }

    /// The ledger.
    pub(crate) fn ledger(&self) -> pb::ledger_service_client::LedgerServiceClient<Channel> {
        pb::ledger_service_client::LedgerServiceClient::new(self.channel.clone())
    }

    /// Attachments.
    pub(crate) fn attachments(
        &self,
    ) -> pb::attachment_service_client::AttachmentServiceClient<Channel> {
        pb::attachment_service_client::AttachmentServiceClient::new(self.channel.clone())
    }

    /// Uploads a part of a file, from one offset to another.
    pub(crate) async fn upload(
        &self,
        file: &[u8],
        from: usize,
        to: usize,
    ) -> pb::UploadAttachmentResponse {
        use pb::upload_attachment_request::Message;
        let open = pb::UploadOpen {
            agency: self.code.to_string(),
            sha256: sha256(&[file]).0.to_vec(),
            size_bytes: file.len() as u64,
            offset: from as u64,
        };
        let chunks = file[from..to].chunks(limits::CHUNK_BYTES);
        let chunks = chunks.map(|chunk| Message::Chunk(chunk.to_vec().into()));
        let messages: Vec<_> = [Message::Open(open)]
            .into_iter()
            .chain(chunks)
            .map(|message| pb::UploadAttachmentRequest { message: Some(message) })
            .collect();
        let answer = self.attachments().upload_attachment(tokio_stream::iter(messages)).await;
        answer.unwrap().into_inner()
    }

    /// Downloads a document's attachment from an offset on.
    pub(crate) async fn download(
        &self,
        document: &pb::DocumentRef,
        sha256: &[u8],
        offset: u64,
    ) -> Result<Vec<u8>, Status> {
        let request = pb::DownloadAttachmentRequest {
            agency: self.code.to_string(),
            document: Some(document.clone()),
            sha256: sha256.to_vec(),
            offset,
            query: None,
        };
        let mut chunks = self.attachments().download_attachment(request).await?.into_inner();
        let mut bytes = Vec::new();
        while let Some(chunk) = chunks.message().await? {
            assert_eq!(chunk.offset, offset + bytes.len() as u64);
            bytes.extend(chunk.chunk);
        }
        Ok(bytes)
    }
}
