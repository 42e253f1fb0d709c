//! Acknowledgements (签收) and rejections (退件): signed once, kept, and sent until the hub's receipt for
//! them is here and verifies.

use std::collections::BTreeMap;
use std::path::PathBuf;

use prost::Message as _;
use sha2::{Digest as _, Sha256};
use xianjie_core::ids::{Digest, InboxNumber};
use xianjie_core::ledger::{Hash, TlogProof};
use xianjie_core::limits::ACKNOWLEDGED_ITEMS;
use xianjie_core::refusal::Advice;

use super::{DeliveryNote, Inbox, InboxError, stage_word};
use crate::client::backoff::Backoff;
use crate::client::connect::{ProfileLacks, unary};
use crate::client::error::{CallError, Refused};
use crate::client::verify::{Report, verify_receipt, verify_settlement};
use crate::client::{bindings, disk, files};
use crate::identity::signature::{PayloadType, SigningIdentity};
use crate::wire::statement::{AcknowledgementText, write_acknowledgement, write_seen};
use crate::wire::time::write_time;
use crate::wire::{pb, receipt, signature};

/// Where signed statements lie until they are answered.
const STATEMENTS: &str = ".statements";
/// Statements in one call.
const STATEMENTS_PER_CALL: usize = 16;

/// Why a delivery can't be taken. To refuse a person (不予接收, 不予收监) is a document, not this.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RejectionReason {
    /// It is plainly meant for someone else.
    NotForUs,
    /// Its signature does not verify.
    SignatureInvalid,
    /// An attachment can't be opened.
    AttachmentUnreadable,
}

impl Inbox<'_> {
    /// Acknowledges deliveries that are stored here and verified: statements of up to 256 of one
    /// sender, each sent until it is answered.
    ///
    /// # Errors
    /// [`InboxError`]; statements without an answer stay, and are sent again first.
    pub async fn acknowledge(&self, numbers: &[u64]) -> Result<(), InboxError> {
        let mut by_sender: BTreeMap<String, Vec<DeliveryNote>> = BTreeMap::new();
        for number in numbers {
            let note = self.note(*number)?;
            if !note.verified {
                return Err(InboxError::NotVerified { number: *number });
            }
            by_sender.entry(note.sender.clone()).or_default().push(note);
        }
        let mut statements = Vec::new();
        for notes in by_sender.values() {
            for notes in notes.chunks(ACKNOWLEDGED_ITEMS) {
                statements.push(self.sign_acknowledgement(notes).await?);
            }
        }
        self.send_statements(statements).await
    }

    /// Sends again what was signed and not answered before.
    ///
    /// # Errors
    /// [`InboxError`].
    pub async fn resend_statements(&self) -> Result<(), InboxError> {
        let folder = self.folder.join(STATEMENTS);
        let mut statements = Vec::new();
        for name in disk::names(&folder)?.iter().filter(|name| !name.starts_with('.')) {
            let bytes = disk::read(&folder.join(name))?;
            statements.extend(pb::SignedAcknowledgement::decode(bytes.as_slice()).ok());
        }
        self.send_statements(statements).await
    }

    /// Rejects a delivery, for good.
    ///
    /// # Errors
    /// [`InboxError`].
    pub async fn reject(&self, number: u64, reason: RejectionReason) -> Result<(), InboxError> {
        let note = self.note(number)?;
        let request = pb::RejectDeliveryRequest {
            agency: self.client.agency()?.to_string(),
            rejection: Some(self.sign_rejection(&note, reason).await?),
        };
        let mut backoff = Backoff::default();
        loop {
            let answer = self.client.inbox().reject_delivery(unary(request.clone())).await;
            match answer.map_err(CallError::from) {
                Ok(answer) => {
                    return self.settle(answer.into_inner().settlement.unwrap_or_default()).await;
                }
                Err(error) => self.wait(error, &mut backoff).await?,
            }
        }
    }

    /// Signs a statement over deliveries of one sender, and keeps it until it is answered.
    async fn sign_acknowledgement(
        &self,
        notes: &[DeliveryNote],
    ) -> Result<pb::SignedAcknowledgement, InboxError> {
        let profile = self.client.profile();
        let items = notes.iter().map(|note| (InboxNumber(note.number), commitment(note)));
        let payload = write_acknowledgement(&AcknowledgementText {
            ledger: profile.trust.origin.clone(),
            agency: self.client.agency()?.clone(),
            items: items.collect(),
            stored: self.client.now(),
            signed_by: profile.signed_by.clone(),
            seen: self.client.seen().await,
        });
        let signed = signature::sign(PayloadType::Acknowledgement, &payload, self.signer()?);
        let signatures = vec![signature::write(&signed)];
        let statement = pb::SignedAcknowledgement { acknowledgement: payload, signatures };
        disk::make_folder(&self.folder.join(STATEMENTS))?;
        disk::write(&self.statement_path(&statement), &statement.encode_to_vec())?;
        Ok(statement)
    }

    async fn sign_rejection(
        &self,
        note: &DeliveryNote,
        reason: RejectionReason,
    ) -> Result<pb::SignedRejection, InboxError> {
        let reason = match reason {
            RejectionReason::NotForUs => pb::RejectionReason::NotForUs,
            RejectionReason::SignatureInvalid => pb::RejectionReason::SignatureInvalid,
            RejectionReason::AttachmentUnreadable => pb::RejectionReason::AttachmentUnreadable,
        };
        let rejection = pb::Rejection {
            ledger: self.client.profile().trust.origin.to_string(),
            agency: self.client.agency()?.to_string(),
            inbox_number: note.number,
            commitment: commitment(note).0.to_vec(),
            reason: reason.into(),
            reject_time: Some(write_time(self.client.now())),
            signed_by: self.client.profile().signed_by.clone(),
            seen: self.client.seen().await.map(write_seen),
        };
        let rejection = rejection.encode_to_vec();
        let signed = signature::sign(PayloadType::Rejection, &rejection, self.signer()?);
        let signed = pb::SignedRejection { rejection, signatures: vec![signature::write(&signed)] };
        let folder = self.delivery_folder(note.number);
        disk::write(&folder.join("rejection.bin"), &signed.encode_to_vec())?;
        Ok(signed)
    }

    async fn send_statements(
        &self,
        mut open: Vec<pb::SignedAcknowledgement>,
    ) -> Result<(), InboxError> {
        let mut backoff = Backoff::default();
        while !open.is_empty() {
            let count = open.len().min(STATEMENTS_PER_CALL);
            let request = pb::AcknowledgeDeliveriesRequest {
                agency: self.client.agency()?.to_string(),
                acknowledgements: open[..count].to_vec(),
            };
            let answer = self.client.inbox().acknowledge_deliveries(unary(request)).await;
            let error = match answer.map_err(CallError::from) {
                Ok(answer) => self.take_results(&mut open, answer.into_inner().results).await?,
                Err(error) => Some(error),
            };
            match error {
                Some(error) => self.wait(error, &mut backoff).await?,
                None => backoff = Backoff::default(),
            }
        }
        Ok(())
    }

    /// Takes what the hub says of statements; those that are answered leave `open`. Gives the
    /// refusal that asks for patience, if there is one.
    async fn take_results(
        &self,
        open: &mut Vec<pb::SignedAcknowledgement>,
        results: Vec<pb::AcknowledgementResult>,
    ) -> Result<Option<CallError>, InboxError> {
        let mut later = None;
        let before = open.len();
        for result in results {
            let is_it = |s: &pb::SignedAcknowledgement| digest(s) == result.payload_sha256;
            let Some(place) = open.iter().position(is_it) else { continue };
            if let Some(refusal) = &result.refusal {
                let refused = Refused::from(refusal);
                if refused.advice == Advice::Resend {
                    later = Some(CallError::from(refused));
                    continue;
                }
                disk::remove(&self.statement_path(&open[place]))?;
                return Err(InboxError::Refused(Box::new(refused)));
            }
            for settlement in result.settlements {
                self.settle(settlement).await?;
            }
            disk::remove(&self.statement_path(&open[place]))?;
            open.remove(place);
        }
        if later.is_none() && open.len() == before {
            let detail = "the hub did not answer the statement".to_owned();
            later = Some(CallError::Unknown { code: tonic::Code::DataLoss, detail });
        }
        Ok(later)
    }

    /// Lays the proof of a settlement into the deliveries' folders, if it is one.
    async fn settle(&self, settlement: pb::Settlement) -> Result<(), InboxError> {
        let mut report = Report::default();
        let doubt = |report: Report| InboxError::DoubtfulReceipt(Box::new(report));
        let Ok(parts) = receipt::parts(&settlement.receipt.clone().unwrap_or_default()) else {
            return Err(doubt(report));
        };
        let trust = &self.client.profile().trust;
        if verify_receipt(trust, &parts, &mut report).is_none() {
            return Err(doubt(report));
        }
        // If they can't be had, verification says so.
        let _ = self.client.keep_bindings(&parts.opening.record).await;
        let folders = [self.client.profile().folder.join(bindings::FOLDER)];
        let find = |index: u64| bindings::find(&folders, index);
        let text = TlogProof::from(&parts).to_text();
        for number in &settlement.inbox_numbers {
            let mut note = self.note(*number)?;
            let covers = Some((*number, &Hash(commitment(&note).0)));
            if !verify_settlement(trust, &parts, covers, &find, &mut report) {
                return Err(doubt(report));
            }
            let name = match settlement.stage() {
                pb::Stage::Rejected => files::REJECTION,
                pb::Stage::ServedOtherwise => files::SERVICE,
                _ => files::ACKNOWLEDGEMENT,
            };
            disk::write(&self.delivery_folder(*number).join(name), text.as_bytes())?;
            note.stage = stage_word(settlement.stage());
            self.write_note(&note)?;
        }
        self.client.advance_if_reached(&parts.checkpoint).await?;
        self.observer.settled(&settlement.inbox_numbers);
        Ok(())
    }

    /// Waits before the same bytes are sent again; an error if that would not help.
    async fn wait(&self, error: CallError, backoff: &mut Backoff) -> Result<(), InboxError> {
        if !error.is_temporary() {
            return Err(error.into());
        }
        let wait = backoff.next(error.refused().and_then(|refused| refused.retry_after));
        self.observer.waiting(&error, wait);
        tokio::time::sleep(wait).await;
        Ok(())
    }

    fn signer(&self) -> Result<&SigningIdentity, ProfileLacks> {
        self.client.profile().acknowledgement.as_ref().ok_or(ProfileLacks::AcknowledgementKey)
    }

    fn statement_path(&self, statement: &pb::SignedAcknowledgement) -> PathBuf {
        let name = format!("{}.bin", hex::encode(digest(statement)));
        self.folder.join(STATEMENTS).join(name)
    }
}

fn digest(statement: &pb::SignedAcknowledgement) -> Vec<u8> {
    Sha256::digest(&statement.acknowledgement).to_vec()
}

/// The commitment C that a note names; zeros, which no delivery has, if it was tampered with.
fn commitment(note: &DeliveryNote) -> Digest {
    let mut bytes = [0; 32];
    // The slice stays zero if the text has another length or is none.
    let _ = hex::decode_to_slice(&note.commitment, &mut bytes);
    Digest(bytes)
}
