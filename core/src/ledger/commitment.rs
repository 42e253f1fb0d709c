//! What a leaf is, and what it commits to. A leaf is 41 opaque bytes: version, time and a salted
//! commitment to the record, so that leaves may be public while records are not.
//!
//! These bytes are frozen: golden values in the tests hold them fast.

#[cfg(test)]
mod tests;

use thiserror::Error;

use super::merkle::leaf_hash;
use super::{Hash, sha256, take_array};

/// The only version of leaves: one SHA-256 commitment.
const LEAF_VERSION: u8 = 0x01;

const RECORD_CONTEXT: &[u8] = b"xianjie/record/v1\0";
const DOCUMENT_CONTEXT: &[u8] = b"xianjie/document/v1\0";

/// The commitment C to a record: `H("xianjie/record/v1\0" ‖ salt ‖ record)`.
#[must_use]
pub fn record_commitment(salt: &[u8; 32], record: &[u8]) -> Hash {
    sha256(&[RECORD_CONTEXT, salt, record])
}

/// The commitment D to a document (文书): `H("xianjie/document/v1\0" ‖ salt ‖ H(document))`. It
/// stands in the record; once the document and its salt are erased it says nothing about them.
#[must_use]
pub fn document_commitment(document_salt: &[u8; 32], document: &[u8]) -> Hash {
    digest_commitment(document_salt, &sha256(&[document]))
}

/// The same commitment D, from the digest `H(document)`.
#[must_use]
pub fn digest_commitment(document_salt: &[u8; 32], document_sha256: &Hash) -> Hash {
    sha256(&[DOCUMENT_CONTEXT, document_salt, &document_sha256.0])
}

/// A leaf of the ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Leaf {
    /// The record's time, in milliseconds since 1970-01-01T00:00:00Z.
    pub time_ms: u64,
    /// The commitment C to the record.
    pub commitment: Hash,
}

/// What is wrong with the bytes of a leaf.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum LeafError {
    /// Not [`Leaf::LEN`] bytes.
    #[error("a leaf has {} bytes, not {bytes}", Leaf::LEN)]
    Length {
        /// The number of bytes.
        bytes: usize,
    },
    /// A version that this code does not know.
    #[error("leaf version {version:#04x} is unknown")]
    Version {
        /// The first byte.
        version: u8,
    },
}

impl Leaf {
    /// Bytes in a leaf.
    pub const LEN: usize = 41;

    /// The leaf as bytes: `0x01 ‖ time in ms (u64, big-endian) ‖ C`.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; Leaf::LEN] {
        let mut bytes = [LEAF_VERSION; Leaf::LEN];
        bytes[1..9].copy_from_slice(&self.time_ms.to_be_bytes());
        bytes[9..].copy_from_slice(&self.commitment.0);
        bytes
    }

    /// Reads what [`Leaf::to_bytes`] writes.
    ///
    /// # Errors
    /// All of [`LeafError`].
    pub fn parse(bytes: &[u8]) -> Result<Leaf, LeafError> {
        let wrong_length = LeafError::Length { bytes: bytes.len() };
        let mut rest = bytes;
        let [version] = take_array(&mut rest).ok_or(wrong_length)?;
        if version != LEAF_VERSION {
            return Err(LeafError::Version { version });
        }
        let time = take_array(&mut rest).ok_or(wrong_length)?;
        let commitment = rest.try_into().map_err(|_| wrong_length)?;
        Ok(Leaf { time_ms: u64::from_be_bytes(time), commitment: Hash(commitment) })
    }

    /// The leaf's hash in the tree.
    #[must_use]
    pub fn hash(&self) -> Hash {
        leaf_hash(&self.to_bytes())
    }
}
