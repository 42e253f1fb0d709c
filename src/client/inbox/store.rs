//! One delivery onto stable storage, and its verification there.

use prost::Message as _;
use xianjie_core::ledger::TlogProof;
use xianjie_core::ledger::receipt::ReceiptParts;

use super::{DeliveryNote, Inbox, InboxError, stage_word};
use crate::client::attachments::TransferError;
use crate::client::backoff::Backoff;
use crate::client::disk::NewFolder;
use crate::client::error::CallError;
use crate::client::verify::{Report, verify_folder};
use crate::client::{disk, files};
use crate::wire::json::document_to_json;
use crate::wire::{pb, receipt};

impl Inbox<'_> {
    /// Stores a delivery with its attachments, verifies it from its files, and remembers its number.
    /// One that is here already is compared.
    pub(super) async fn store(&self, delivery: &pb::Delivery) -> Result<DeliveryNote, InboxError> {
        let parts = receipt::parts(&delivery.receipt.clone().unwrap_or_default())
            .map_err(|error| InboxError::Call(not_a_delivery(&error.to_string())))?;
        let folder = self.delivery_folder(delivery.inbox_number);
        if folder.exists() {
            return self.compare(delivery, &parts);
        }
        let mut note = note_of(delivery, &parts);
        let new = NewFolder::begin(&self.folder, &note.number.to_string())?;
        new.write(files::RECEIPT, TlogProof::from(&parts).to_text().as_bytes())?;
        if let Some(signed) = &delivery.signed_document {
            self.store_document(&new, signed, &note).await?;
        }
        new.write(files::DELIVERY, &files::to_json(&note))?;
        let folder = new.finish()?;

        let report = self.verify(&note, &parts).await?;
        note.verified = report.is_proven();
        self.write_note(&note)?;
        self.observer.stored(&note, &folder, &report);
        Ok(note)
    }

    async fn store_document(
        &self,
        new: &NewFolder,
        signed: &pb::SignedDocument,
        note: &DeliveryNote,
    ) -> Result<(), InboxError> {
        new.write(files::DOCUMENT, &signed.document)?;
        new.write(files::SIGNATURES, &files::write_signatures(&signed.signatures))?;
        // A document of a later version may have no JSON here; its bytes are what counts.
        if let Ok(json) = document_to_json(self.client.schema(), &signed.document) {
            new.write(files::DOCUMENT_JSON, json.as_bytes())?;
        }
        let document = pb::Document::decode(signed.document.clone()).unwrap_or_default();
        if document.attachments.is_empty() {
            return Ok(());
        }
        let folder = new.unfinished().join(files::ATTACHMENTS);
        disk::make_folder(&folder)?;
        let sender = note.sender.clone();
        let of = pb::DocumentRef { sender, document_id: note.document_id.clone() };
        let names = files::attachment_names(&document.attachments);
        let named = document.attachments.iter().zip(names);
        for (attachment, name) in named.filter(|(named, _)| note.carries(&named.kind)) {
            self.fetch_attachment(&of, attachment, &folder.join(name)).await?;
        }
        Ok(disk::sync_folder(&folder)?)
    }

    /// Downloads one attachment, as often as it takes. One that comes altered, or that the hub does
    /// not give, is left out: verification then says so, and nothing behind it waits.
    async fn fetch_attachment(
        &self,
        of: &pb::DocumentRef,
        attachment: &pb::Attachment,
        path: &std::path::Path,
    ) -> Result<(), InboxError> {
        let mut backoff = Backoff::default();
        loop {
            let observer = self.observer.as_ref();
            match self.client.download(of, attachment, path, observer).await {
                Ok(()) | Err(TransferError::Altered { .. } | TransferError::Changed { .. }) => {
                    return Ok(());
                }
                Err(TransferError::Call(error)) if error.is_temporary() => {
                    let wait = backoff.next(error.refused().and_then(|r| r.retry_after));
                    observer.waiting(&error, wait);
                    tokio::time::sleep(wait).await;
                }
                // Not the attachment's fault: what is begun is begun anew once the hub takes this
                // client again.
                Err(TransferError::Call(error)) if error.shuts_out() => return Err(error.into()),
                Err(TransferError::Call(_)) => return Ok(()),
                Err(TransferError::File(error)) => return Err(error.into()),
                Err(TransferError::Profile(error)) => return Err(error.into()),
            }
        }
    }

    /// Verifies a stored delivery from its files, with the bindings fetched that it needs.
    async fn verify(
        &self,
        note: &DeliveryNote,
        parts: &ReceiptParts,
    ) -> Result<Report, InboxError> {
        if note.erased || note.withheld {
            return Ok(Report::default());
        }
        // If they can't be had, verification says so.
        let _ = self.client.keep_bindings(&parts.opening.record).await;
        let folder = self.delivery_folder(note.number);
        Ok(verify_folder(&self.client.profile().trust, &folder)?)
    }

    /// A delivery that is here already: the same record, or the hub has used a number twice.
    fn compare(
        &self,
        delivery: &pb::Delivery,
        parts: &ReceiptParts,
    ) -> Result<DeliveryNote, InboxError> {
        let mut note = self.note(delivery.inbox_number)?;
        if note.commitment != hex::encode(parts.opening.leaf.commitment.0) {
            let folder = self.delivery_folder(note.number);
            let text = TlogProof::from(parts).to_text();
            disk::write(&folder.join(files::DOUBTFUL_RECEIPT), text.as_bytes())?;
            return Err(InboxError::Contradiction { number: note.number, folder });
        }
        note.stage = stage_word(delivery.stage());
        self.write_note(&note)?;
        Ok(note)
    }
}

fn note_of(delivery: &pb::Delivery, parts: &ReceiptParts) -> DeliveryNote {
    let signed = delivery.signed_document.as_ref();
    let read = signed.map(|signed| pb::Document::decode(signed.document.clone()));
    let document = read.and_then(Result::ok).unwrap_or_default();
    DeliveryNote {
        number: delivery.inbox_number,
        copy: delivery.copy,
        sender: document.sender,
        document_id: document.document_id,
        document_type: delivery.document_type.clone(),
        articles: delivery.articles.clone(),
        stage: stage_word(delivery.stage()),
        correction_case: delivery.correction_case.clone(),
        in_lieu: delivery.in_lieu,
        index: parts.index,
        commitment: hex::encode(parts.opening.leaf.commitment.0),
        verified: false,
        erased: delivery.signed_document.is_none() && !delivery.withheld,
        withheld: delivery.withheld,
        carries: carried(delivery, parts),
    }
}

/// What the record says that the delivery carries: that it carries less is not believed of the hub's word.
fn carried(delivery: &pb::Delivery, parts: &ReceiptParts) -> Vec<String> {
    let record = pb::LedgerRecord::decode(parts.opening.record.as_slice()).unwrap_or_default();
    let opened = record.effects.into_iter().find_map(|effect| match effect.effect {
        Some(pb::effect::Effect::DeliveryOpened(opened))
            if opened.agency == delivery.agency && opened.inbox_number == delivery.inbox_number =>
        {
            Some(opened.carries)
        }
        _ => None,
    });
    opened.unwrap_or_default()
}

fn not_a_delivery(why: &str) -> CallError {
    let detail = format!("the hub sent a delivery without a receipt: {why}");
    CallError::Unknown { code: tonic::Code::DataLoss, detail }
}
