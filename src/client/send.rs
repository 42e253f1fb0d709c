//! Sending a document: into the outbox, attachments up, submitted, and sent again until the hub's
//! receipt is here and verifies.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use prost::Message as _;
use thiserror::Error;
use tokio::time::Instant;
use xianjie_core::ledger::TlogProof;
use xianjie_core::ledger::receipt::VerifiedReceipt;
use xianjie_core::refusal::Advice;

use super::attachments::TransferError;
use super::backoff::Backoff;
use super::connect::{Client, ProfileLacks, unary};
use super::error::{CallError, Refused};
use super::observer::Observer;
use super::outbox::{Entry, Outbox, OutboxError};
use super::prepare::{DocumentFile, Filling, PrepareError, Prepared};
use super::seen::SeenError;
use super::verify::{Report, verify_document, verify_receipt};
use super::{disk, files};
use crate::identity::files::FileError;
use crate::wire::pb;
use crate::wire::receipt::{self, ReceiptFormError};
use crate::wire::signature::Signed;

/// A document that is not receipted.
#[derive(Debug, Error)]
pub enum SendError {
    /// The file can't become a document.
    #[error(transparent)]
    Prepare(#[from] PrepareError),
    /// The outbox does not take it.
    #[error(transparent)]
    Outbox(#[from] OutboxError),
    /// A file of the outbox can't be written.
    #[error(transparent)]
    File(#[from] FileError),
    /// The profile can't send documents.
    #[error(transparent)]
    Profile(#[from] ProfileLacks),
    /// The hub refused it: these bytes, or until a person has acted.
    #[error(transparent)]
    Refused(Box<Refused>),
    /// The hub does not take this client; the document stays in the outbox.
    #[error("the document stays in the outbox")]
    TurnedAway(#[source] CallError),
    /// An attachment does not come through.
    #[error(transparent)]
    Transfer(TransferError),
    /// What the hub gave is no receipt.
    #[error("what the hub gave is no receipt")]
    ReceiptForm(#[from] ReceiptFormError),
    /// The hub's receipt does not verify: it is not believed, and kept as evidence.
    #[error("the hub's receipt does not verify; it is kept in {}", evidence.display())]
    DoubtfulReceipt {
        /// What was found.
        report: Box<Report>,
        /// The file.
        evidence: PathBuf,
    },
    /// The checkpoint of the receipt contradicts one seen before.
    #[error(transparent)]
    Seen(#[from] SeenError),
    /// There was no answer in the time given; it stays in the outbox.
    #[error("no receipt in the time given; the document stays in the outbox")]
    GaveUp(#[source] CallError),
}

/// A document with its receipt.
#[derive(Debug, Clone)]
pub struct Sent {
    /// What the receipt proves.
    pub receipt: VerifiedReceipt,
    /// The correction case (矫正案件) that it belongs to; empty if to none.
    pub correction_case: String,
}

impl Client {
    /// The outbox of this client's profile.
    #[must_use]
    pub fn outbox(&self) -> Outbox {
        Outbox::of(&self.profile().folder)
    }

    /// Makes a document file into a signed document in the outbox, or finds what it became before.
    /// With `anew` it becomes another document even if it became one before.
    ///
    /// # Errors
    /// [`SendError`]; nothing is sent yet.
    pub async fn enqueue(&self, path: &Path, anew: bool) -> Result<Entry, SendError> {
        let file = DocumentFile::read(path)?;
        let seen = self.seen().await;
        let outbox = self.outbox();
        let _lock = outbox.lock()?;
        if !anew && let Some(entry) = outbox.find(&file)? {
            return Ok(entry);
        }
        let (prepared, signed) = self.sign(&file, seen)?;
        Ok(outbox.put(&file, &prepared, signed.envelope)?)
    }

    /// Asks what submitting a document file would do. Nothing is kept and nothing is sent.
    ///
    /// # Errors
    /// [`SendError`].
    pub async fn check(&self, path: &Path) -> Result<pb::CheckDocumentResponse, SendError> {
        let file = DocumentFile::read(path)?;
        let (_, signed) = self.sign(&file, self.seen().await)?;
        let request = pb::CheckDocumentRequest {
            agency: self.agency()?.to_string(),
            signed_document: Some(read_envelope(&signed.envelope)),
        };
        let answer = self.exchange().check_document(unary(request)).await;
        Ok(answer.map_err(|status| failed(CallError::from(status)))?.into_inner())
    }

    /// Sends a document of the outbox until it is receipted, with waits of up to a minute, for ever or
    /// for `patience`.
    ///
    /// # Errors
    /// [`SendError`]. A refusal for good is noted in the outbox.
    pub async fn deliver(
        &self,
        entry: &mut Entry,
        observer: &Arc<dyn Observer>,
        patience: Option<Duration>,
    ) -> Result<Sent, SendError> {
        let give_up = patience.map(|patience| Instant::now() + patience);
        let mut backoff = Backoff::default();
        loop {
            let error = match self.attempt(entry, observer).await {
                Ok(answer) => return self.take_receipt(entry, answer).await,
                Err(TransferError::Call(error)) => error,
                Err(error) => return Err(SendError::Transfer(error)),
            };
            if let CallError::TurnedAway { .. } = error {
                return Err(SendError::TurnedAway(error));
            }
            if let Some(refused) = error.refused().filter(|refused| ends_retries(refused, entry)) {
                if refused.advice == Advice::NewDocument {
                    entry.refused(refused)?;
                }
                return Err(SendError::Refused(Box::new(refused.clone())));
            }
            let wait = backoff.next(error.refused().and_then(|refused| refused.retry_after));
            if give_up.is_some_and(|give_up| Instant::now() + wait > give_up) {
                return Err(SendError::GaveUp(error));
            }
            observer.waiting(&error, wait);
            tokio::time::sleep(wait).await;
        }
    }

    /// One attempt: what the hub lacks of the attachments, then the document.
    async fn attempt(
        &self,
        entry: &Entry,
        observer: &Arc<dyn Observer>,
    ) -> Result<pb::SubmitDocumentResponse, TransferError> {
        for file in entry.attachments() {
            self.upload(&file, observer).await?;
        }
        Ok(self.submit(&entry.envelope).await?)
    }

    /// Submits a signed document once, as it stands in an envelope. The receipt is not verified.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn submit(&self, envelope: &[u8]) -> Result<pb::SubmitDocumentResponse, CallError> {
        let agency = self.agency().map(ToString::to_string).unwrap_or_default();
        let signed_document = Some(read_envelope(envelope));
        let request = pb::SubmitDocumentRequest { agency, signed_document };
        Ok(self.exchange().submit_document(unary(request)).await?.into_inner())
    }

    /// Believes a receipt only if it verifies, and lays it beside the document.
    async fn take_receipt(
        &self,
        entry: &mut Entry,
        answer: pb::SubmitDocumentResponse,
    ) -> Result<Sent, SendError> {
        let parts = receipt::parts(&answer.receipt.unwrap_or_default())?;
        let mut report = Report::default();
        let verified = verify_receipt(&self.profile().trust, &parts, &mut report);
        let of_document =
            verified.as_ref().and_then(|_| verify_document(&parts, &entry.document, &mut report));
        let (Some(receipt), Some(_)) = (verified, of_document) else {
            let evidence = entry.folder.join(files::DOUBTFUL_RECEIPT);
            disk::write(&evidence, TlogProof::from(&parts).to_text().as_bytes())?;
            return Err(SendError::DoubtfulReceipt { report: Box::new(report), evidence });
        };
        entry.receipted(&parts, &answer.correction_case)?;
        self.advance_if_reached(&parts.checkpoint).await?;
        // Only offline verification of the own signature wants it; `verify` says if it is missing.
        let _ = self.keep_bindings(&parts.opening.record).await;
        Ok(Sent { receipt, correction_case: answer.correction_case })
    }

    /// Moves on to a checkpoint; if the hub can't be reached for the proof now, the next connection
    /// asks for it.
    pub(super) async fn advance_if_reached(&self, note: &str) -> Result<(), SeenError> {
        match self.advance(note).await {
            Err(SeenError::Call(_)) => Ok(()),
            result => result,
        }
    }

    fn sign(
        &self,
        file: &DocumentFile,
        seen: Option<crate::wire::document::Seen>,
    ) -> Result<(Prepared, Signed), SendError> {
        let sender = self.agency()?;
        let signer = self.profile().document.as_ref().ok_or(ProfileLacks::DocumentKey)?;
        let ledger = &self.profile().trust.origin;
        let filling = Filling { ledger, sender, now: self.now(), seen };
        let prepared = file.fill(self.schema(), &filling)?;
        let signed = Signed::sign_document(prepared.bytes.clone(), signer);
        Ok((prepared, signed))
    }
}

/// Whether sending the same bytes again is of no use: as the hub advises, or for want of the
/// attachments that it asks for.
fn ends_retries(refused: &Refused, entry: &Entry) -> bool {
    match refused.advice {
        Advice::Resend => false,
        Advice::UploadThenResend => entry.state.attachments.is_empty(),
        Advice::NewDocument | Advice::AskOperator => true,
    }
}

fn failed(error: CallError) -> SendError {
    match error {
        CallError::Refused(refused) => SendError::Refused(refused),
        error @ CallError::TurnedAway { .. } => SendError::TurnedAway(error),
        error @ CallError::Unknown { .. } => SendError::GaveUp(error),
    }
}

/// The message of an envelope of our own making. One that was tampered with becomes empty, and is
/// refused.
fn read_envelope(envelope: &[u8]) -> pb::SignedDocument {
    pb::SignedDocument::decode(envelope).unwrap_or_default()
}
