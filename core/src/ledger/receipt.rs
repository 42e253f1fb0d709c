//! A receipt (存证) opens one leaf and proves it to be in the ledger. It is verified here with
//! nothing but the ledger's public keys.
//!
//! The signature of the document's sender and the certificates behind it (steps 4 and 5 of a full
//! verification) need the record's meaning, and are not known here; of step 4 only the document's
//! commitment is.

#[cfg(test)]
mod tests;

use thiserror::Error;

use super::checkpoint::{Checkpoint, CheckpointError};
use super::commitment::{Leaf, LeafError, document_commitment, record_commitment};
use super::merkle::{ProofError, root_from_inclusion};
use super::note::NoteVerifier;
use super::{Hash, take_array};

/// The longest record, in bytes.
pub const RECORD_BYTES_MAX: usize = 262_144;

/// What opens a leaf.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opening {
    /// The leaf.
    pub leaf: Leaf,
    /// The salt of the commitment to the record.
    pub salt: [u8; 32],
    /// The salt of the commitment to the document; zeros if the record is not about one, or the
    /// document has been erased.
    pub document_salt: [u8; 32],
    /// The record, as first encoded.
    pub record: Vec<u8>,
}

/// What is wrong with the bytes of an opening.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum OpeningError {
    /// The leaf is malformed.
    #[error("the opening's leaf is malformed")]
    Leaf(#[from] LeafError),
    /// The record is longer than [`RECORD_BYTES_MAX`].
    #[error("the opening's record has more than {RECORD_BYTES_MAX} bytes")]
    RecordTooLong,
    /// The bytes end before the record.
    #[error("the opening is cut off")]
    Truncated,
}

impl Opening {
    /// The opening as bytes: `leaf ‖ salt ‖ document_salt ‖ record`.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let leaf = self.leaf.to_bytes();
        [&leaf[..], &self.salt, &self.document_salt, &self.record].concat()
    }

    /// Reads what [`Opening::to_bytes`] writes.
    ///
    /// # Errors
    /// All of [`OpeningError`].
    pub fn parse(mut bytes: &[u8]) -> Result<Opening, OpeningError> {
        let leaf: [u8; Leaf::LEN] = take_array(&mut bytes).ok_or(OpeningError::Truncated)?;
        let opening = Opening {
            leaf: Leaf::parse(&leaf)?,
            salt: take_array(&mut bytes).ok_or(OpeningError::Truncated)?,
            document_salt: take_array(&mut bytes).ok_or(OpeningError::Truncated)?,
            record: bytes.to_vec(),
        };
        if opening.record.len() > RECORD_BYTES_MAX {
            return Err(OpeningError::RecordTooLong);
        }
        Ok(opening)
    }
}

/// A receipt in its parts, as they came, unverified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReceiptParts {
    /// What opens the leaf.
    pub opening: Opening,
    /// The leaf's position in the ledger, from 0.
    pub index: u64,
    /// The inclusion path, from the leaf's sibling up.
    pub path: Vec<Hash>,
    /// The signed checkpoint whose tree the path leads to.
    pub checkpoint: String,
}

/// What a receipt that holds proves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifiedReceipt {
    /// The ledger's head against which the leaf is proven.
    pub checkpoint: Checkpoint,
    /// The leaf's position in the ledger, from 0.
    pub index: u64,
    /// The record's time, in milliseconds since 1970-01-01T00:00:00Z.
    pub time_ms: u64,
}

/// The first step of verification that failed.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ReceiptError {
    /// Step 1: the leaf commits to another record or another salt.
    #[error("step 1: the leaf does not commit to this record")]
    Commitment,
    /// Step 2: the path does not fit the leaf's position in the checkpoint's tree.
    #[error("step 2: the inclusion path does not fit the checkpoint")]
    Path(#[source] ProofError),
    /// Step 2: the path leads to another root than the checkpoint's.
    #[error("step 2: the leaf is not in the checkpoint's tree")]
    Root,
    /// Step 3: the checkpoint is malformed or not signed by a known key of its ledger.
    #[error("step 3: the checkpoint does not verify")]
    Checkpoint(#[source] CheckpointError),
}

/// Verifies a receipt against the known keys: (1) the leaf commits to the record; (2) the path
/// leads from the leaf to the checkpoint's root; (3) the checkpoint is signed by its ledger. Step 3
/// is taken before step 2, because a checkpoint that is not verified says nothing. Whether the
/// ledger is the expected one the caller sees from [`VerifiedReceipt::checkpoint`].
///
/// # Errors
/// [`ReceiptError`], which names the step.
pub fn verify(
    parts: &ReceiptParts,
    known: &[NoteVerifier],
) -> Result<VerifiedReceipt, ReceiptError> {
    let Opening { leaf, salt, record, .. } = &parts.opening;
    if record_commitment(salt, record) != leaf.commitment {
        return Err(ReceiptError::Commitment);
    }
    let (checkpoint, _) =
        Checkpoint::open(&parts.checkpoint, known).map_err(ReceiptError::Checkpoint)?;
    let root = root_from_inclusion(parts.index, checkpoint.size, &leaf.hash(), &parts.path)
        .map_err(ReceiptError::Path)?;
    if root != checkpoint.root {
        return Err(ReceiptError::Root);
    }
    Ok(VerifiedReceipt { checkpoint, index: parts.index, time_ms: leaf.time_ms })
}

/// The part of step 4 that needs no more than bytes: whether the commitment D that stands in the
/// record is to this document (文书).
#[must_use]
pub fn document_matches(commitment: &Hash, document_salt: &[u8; 32], document: &[u8]) -> bool {
    document_commitment(document_salt, document) == *commitment
}
