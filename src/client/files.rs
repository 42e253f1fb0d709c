//! The names and small formats of the files that inbox and outbox are made of.

use std::io::Read;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::disk;
use crate::identity::files::FileError;
use crate::wire::{pb, signature};

/// The exact bytes of the document.
pub const DOCUMENT: &str = "document.bin";
/// The document as JSON, for people.
pub const DOCUMENT_JSON: &str = "document.json";
/// The exact bytes of the `SignedDocument`.
pub const ENVELOPE: &str = "envelope.bin";
/// The signatures over the document, as JSON.
pub const SIGNATURES: &str = "signatures.json";
/// The receipt (存证) of the document's record.
pub const RECEIPT: &str = "receipt.tlog-proof";
/// A receipt that did not verify: evidence.
pub const DOUBTFUL_RECEIPT: &str = "doubtful.tlog-proof";
/// The receipt of the acknowledgement (签收) that settled the delivery.
pub const ACKNOWLEDGEMENT: &str = "acknowledgement.tlog-proof";
/// The receipt of the rejection (退件) that settled it instead.
pub const REJECTION: &str = "rejection.tlog-proof";
/// The receipt of the document that says that it was served on paper (另行送达) instead.
pub const SERVICE: &str = "service.tlog-proof";
/// The attachments (附件).
pub const ATTACHMENTS: &str = "attachments";
/// What the inbox says of a delivery (送达).
pub const DELIVERY: &str = "delivery.json";
/// How far a sent document has come.
pub const STATE: &str = "state.json";

/// The longest name that every file system takes with room for a number before it, in bytes.
const NAME_BYTES: usize = 200;

#[derive(Serialize, Deserialize)]
struct SignatureEntry {
    algorithm: String,
    certificate_sha256: String,
    value: String,
}

/// Signatures as the text of `signatures.json`.
#[must_use]
pub fn write_signatures(signatures: &[pb::Signature]) -> Vec<u8> {
    let entries = signatures.iter().map(|signature| SignatureEntry {
        algorithm: signature::algorithm(signature.algorithm)
            .map_or_else(|| signature.algorithm.to_string(), |algorithm| algorithm.to_string()),
        certificate_sha256: hex::encode(&signature.certificate_sha256),
        value: BASE64.encode(&signature.value),
    });
    to_json(&entries.collect::<Vec<_>>())
}

/// The signatures of a `signatures.json`. What can't be read comes out empty, and so does not verify.
#[must_use]
pub fn read_signatures(text: &[u8]) -> Vec<pb::Signature> {
    let entries: Vec<SignatureEntry> = serde_json::from_slice(text).unwrap_or_default();
    let read = |entry: SignatureEntry| {
        let algorithm = entry.algorithm.parse().map(signature::number).unwrap_or_default();
        pb::Signature {
            algorithm,
            certificate_sha256: hex::decode(entry.certificate_sha256).unwrap_or_default(),
            value: BASE64.decode(entry.value).unwrap_or_default(),
        }
    };
    entries.into_iter().map(read).collect()
}

/// The file names of a document's attachments, in its order: their own, unless a name is unsafe, too
/// long or taken already.
#[must_use]
pub fn attachment_names(attachments: &[pb::Attachment]) -> Vec<String> {
    let mut names: Vec<String> = Vec::with_capacity(attachments.len());
    for (place, attachment) in attachments.iter().enumerate() {
        let own = attachment.name.as_str();
        let has_bad = own.contains(|c: char| c.is_control() || matches!(c, '/' | '\\' | ':'));
        let is_safe = !has_bad && !own.starts_with('.') && (1..=NAME_BYTES).contains(&own.len());
        let number = place + 1;
        let name = if is_safe { own.to_owned() } else { format!("attachment-{number}") };
        names.push(if names.contains(&name) { format!("{number}-{name}") } else { name });
    }
    names
}

/// The inbox number that a folder of the inbox is named by.
#[must_use]
pub fn inbox_number(folder: &Path) -> Option<u64> {
    folder.file_name()?.to_str()?.parse().ok()
}

/// Size and SHA-256 of a file; none if there is no such file.
///
/// # Errors
/// The file can't be read.
pub fn measure(path: &Path) -> Result<Option<(u64, [u8; 32])>, FileError> {
    if !path.is_file() {
        return Ok(None);
    }
    let mut file = std::fs::File::open(path).map_err(disk::failed("open", path))?;
    let (mut hasher, mut size, mut buffer) = (Sha256::new(), 0, vec![0; 1 << 20]);
    loop {
        match file.read(&mut buffer).map_err(disk::failed("read", path))? {
            0 => return Ok(Some((size, hasher.finalize().into()))),
            length => {
                hasher.update(&buffer[..length]);
                size += length as u64;
            }
        }
    }
}

/// A value as the text of a JSON file.
#[must_use]
pub fn to_json(value: &impl Serialize) -> Vec<u8> {
    // Structs of texts and numbers always have a JSON form.
    let mut text = serde_json::to_vec_pretty(value).unwrap_or_default();
    text.push(b'\n');
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signatures_survive_their_file() {
        let signature = pb::Signature {
            algorithm: pb::Algorithm::Ed25519.into(),
            certificate_sha256: vec![7; 32],
            value: vec![9; 64],
        };
        let signatures = vec![signature];
        assert_eq!(read_signatures(&write_signatures(&signatures)), signatures);
        assert!(read_signatures(b"{}").is_empty());
    }

    #[test]
    fn no_attachment_leaves_its_folder_or_covers_another() {
        let named = |name: &str| pb::Attachment { name: name.to_owned(), ..Default::default() };
        let long = "长".repeat(100);
        let names = ["判决书.pdf", "../a", "判决书.pdf", "", ".x", "c:d", &long].map(named);
        let expected = [
            "判决书.pdf",
            "attachment-2",
            "3-判决书.pdf",
            "attachment-4",
            "attachment-5",
            "attachment-6",
            "attachment-7",
        ];
        assert_eq!(attachment_names(&names), expected);
    }
}
