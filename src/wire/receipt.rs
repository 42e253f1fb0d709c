//! Receipts (存证) between the ledger's parts and protobuf.

use xianjie_core::ledger::receipt::{Opening, ReceiptParts};
use xianjie_core::ledger::{Hash, Leaf, LeafError};

use super::pb;

/// Why a message is no receipt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ReceiptFormError {
    /// The leaf has another length or version.
    #[error("the receipt's leaf is malformed")]
    Leaf(#[from] LeafError),
    /// A salt or a hash has other than 32 bytes.
    #[error("`{0}` must have 32 bytes")]
    Length(&'static str),
}

/// The message of a receipt.
#[must_use]
pub fn message(parts: &ReceiptParts) -> pb::Receipt {
    let opening = &parts.opening;
    pb::Receipt {
        leaf: opening.leaf.to_bytes().to_vec(),
        salt: opening.salt.to_vec(),
        document_salt: opening.document_salt.to_vec(),
        record: opening.record.clone().into(),
        index: parts.index,
        path: parts.path.iter().map(|hash| hash.0.to_vec()).collect(),
        checkpoint: parts.checkpoint.clone(),
    }
}

/// The receipt of a message, unverified.
///
/// # Errors
/// [`ReceiptFormError`]: parts that cannot be a receipt's.
pub fn parts(message: &pb::Receipt) -> Result<ReceiptParts, ReceiptFormError> {
    let path = message.path.iter().map(|hash| hash32(hash, "path").map(Hash));
    Ok(ReceiptParts {
        opening: Opening {
            leaf: Leaf::parse(&message.leaf)?,
            salt: hash32(&message.salt, "salt")?,
            document_salt: hash32(&message.document_salt, "document_salt")?,
            record: message.record.to_vec(),
        },
        index: message.index,
        path: path.collect::<Result<_, _>>()?,
        checkpoint: message.checkpoint.clone(),
    })
}

fn hash32(bytes: &[u8], field: &'static str) -> Result<[u8; 32], ReceiptFormError> {
    bytes.try_into().map_err(|_| ReceiptFormError::Length(field))
}

#[cfg(test)]
mod tests;
