//! Verification of a folder of inbox or outbox: everything that lies in it.

use std::path::{Path, PathBuf};

use prost::Message as _;
use xianjie_core::ledger::receipt::ReceiptParts;

use super::report::{Report, Step};
use super::{verify_document, verify_receipt, verify_settlement, verify_signatures};
use crate::client::inbox::DeliveryNote;
use crate::client::outbox::{EntryState, Stored};
use crate::client::trust::Trust;
use crate::client::{bindings, disk, files};
use crate::identity::files::FileError;
use crate::wire::pb;

/// Verifies a fetched delivery or a sent document: receipt, document, signatures, attachments, and
/// what settled the delivery if it lies there. Bindings are looked for in the folder's own `bindings/` and
/// in that of its profile.
///
/// # Errors
/// A file that should be there can't be read.
pub fn verify_folder(trust: &Trust, folder: &Path) -> Result<Report, FileError> {
    let mut report = Report::default();
    let Some(parts) = read_folder_receipt(&folder.join(files::RECEIPT), &mut report)? else {
        return Ok(report);
    };
    let signed = read_signed(folder)?;
    let Some(verified) = verify_receipt(trust, &parts, &mut report) else { return Ok(report) };
    let Some(record) = verify_document(&parts, &signed.document, &mut report) else {
        return Ok(report);
    };
    let folders = bindings::folders_near(folder, &[]);
    let find = |index: u64| bindings::find(&folders, index);
    verify_signatures(trust, &record, &signed, &find, &mut report);
    verify_attachments(folder, &signed.document, &mut report)?;
    let number = files::inbox_number(folder);
    let covers = number.map(|number| (number, &parts.opening.leaf.commitment));
    for name in [files::ACKNOWLEDGEMENT, files::REJECTION, files::SERVICE] {
        if folder.join(name).exists()
            && let Some(settled) = read_folder_receipt(&folder.join(name), &mut report)?
            && verify_receipt(trust, &settled, &mut report).is_some()
        {
            verify_settlement(trust, &settled, covers, &find, &mut report);
        }
    }
    report.receipt = Some(verified);
    Ok(report)
}

/// Verifies the exact bytes of a document in a file, `document.bin` or, with signatures,
/// `envelope.bin`, by its receipt: the one given, or the one that lies beside it.
///
/// # Errors
/// A file can't be read.
pub fn verify_document_file(
    trust: &Trust,
    file: &Path,
    receipt: Option<&Path>,
    binding_folders: &[PathBuf],
) -> Result<Report, FileError> {
    let beside = file.with_file_name(files::RECEIPT);
    let mut report = Report::default();
    let Some(parts) = read_folder_receipt(receipt.unwrap_or(&beside), &mut report)? else {
        return Ok(report);
    };
    let bytes = disk::read(file)?;
    if verify_receipt(trust, &parts, &mut report).is_none() {
        return Ok(report);
    }
    // An envelope's payload fits the record's commitment; a bare document's "payload" does not.
    let envelope = pb::SignedDocument::decode(bytes.as_slice()).ok();
    let mut of_envelope = report.clone();
    if let Some(signed) = envelope
        && let Some(record) = verify_document(&parts, &signed.document, &mut of_envelope)
    {
        let folders = bindings::folders_near(file, binding_folders);
        let find = |index: u64| bindings::find(&folders, index);
        verify_signatures(trust, &record, &signed, &find, &mut of_envelope);
        return Ok(of_envelope);
    }
    verify_document(&parts, &bytes, &mut report);
    Ok(report)
}

/// The receipt in a file; none, with a finding in the report, if it is none.
///
/// # Errors
/// The file can't be read.
pub fn read_folder_receipt(
    path: &Path,
    report: &mut Report,
) -> Result<Option<ReceiptParts>, FileError> {
    match bindings::read_receipt(path)? {
        Ok(parts) => Ok(Some(parts)),
        Err(error) => {
            report.fails(Step::File, error.to_string(), "不是存证文件");
            Ok(None)
        }
    }
}

/// The document with its signatures, from the files of inbox or outbox.
fn read_signed(folder: &Path) -> Result<pb::SignedDocument, FileError> {
    let document = disk::read(&folder.join(files::DOCUMENT))?;
    let signatures = match disk::read_if_there(&folder.join(files::ENVELOPE))? {
        Some(envelope) => {
            pb::SignedDocument::decode(envelope.as_slice()).unwrap_or_default().signatures
        }
        None => files::read_signatures(&disk::read(&folder.join(files::SIGNATURES))?),
    };
    Ok(pb::SignedDocument { document: document.into(), signatures })
}

/// Compares the attachments that the document names with the files at hand.
fn verify_attachments(
    folder: &Path,
    document: &[u8],
    report: &mut Report,
) -> Result<bool, FileError> {
    let named = pb::Document::decode(document).unwrap_or_default().attachments;
    if named.is_empty() {
        return Ok(true);
    }
    let (sources, note) = (sources(folder)?, note(folder)?);
    let names = files::attachment_names(&named);
    for (place, (attachment, name)) in named.iter().zip(&names).enumerate() {
        let wanted = |(size, digest): (u64, [u8; 32])| {
            size == attachment.size_bytes && digest == *attachment.sha256
        };
        let found = files::measure(&folder.join(files::ATTACHMENTS).join(name))?;
        let source = sources.iter().find(|s| s.sha256 == hex::encode(&attachment.sha256));
        match (found, source) {
            (Some(found), _) if wanted(found) => {}
            (Some(_), _) => {
                let why = format!("attachments[{place}] has another size or digest");
                return Ok(report.fails(Step::Attachments, why, "附件的大小或摘要不符"));
            }
            // What a document was sent from is its owner's, who may have moved or changed it.
            (None, Some(source)) if files::measure(&source.path)?.is_some_and(wanted) => {}
            (None, _) if note.as_ref().is_some_and(|note| !note.carries(&attachment.kind)) => {}
            (None, _) => {
                let why = format!("attachments[{place}] is not at hand");
                return Ok(report.is_open(Step::Attachments, why, "缺少附件，无法核对"));
            }
        }
    }
    report.holds(Step::Attachments);
    Ok(true)
}

/// What is noted of a delivery; nothing in a folder of the outbox.
fn note(folder: &Path) -> Result<Option<DeliveryNote>, FileError> {
    let note = disk::read_if_there(&folder.join(files::DELIVERY))?;
    Ok(note.and_then(|note| serde_json::from_slice(&note).ok()))
}

/// Where the attachments of a folder of the outbox lie; none for a folder of the inbox.
fn sources(folder: &Path) -> Result<Vec<Stored>, FileError> {
    let state = disk::read_if_there(&folder.join(files::STATE))?;
    let state = state.and_then(|state| serde_json::from_slice::<EntryState>(&state).ok());
    Ok(state.map(|state| state.attachments).unwrap_or_default())
}
