//! The ledger's arithmetic: the Merkle tree (RFC 6962), its tiles, its signed heads and the
//! receipts that prove a leaf to be in it (C2SP tlog-tiles, signed-note, tlog-checkpoint,
//! tlog-proof).
//!
//! Bytes in, hashes out. Nothing here knows what a record means, reads a clock, draws randomness or
//! touches storage; whoever stores tiles hands them in through [`HashReader`].
//!
//! - [`merkle`]: hashes, roots, inclusion and consistency proofs.
//! - [`edge`]: the right edge of the growing tree, all that appending needs.
//! - [`tile`]: names and contents of stored tiles and entry bundles.
//! - [`note`], [`checkpoint`]: signed text, and the tree head as signed text.
//! - [`commitment`]: what a leaf commits to.
//! - [`receipt`], [`proof`]: offline verification of one leaf, and its file format.

pub mod checkpoint;
pub mod commitment;
pub mod edge;
pub mod merkle;
pub mod note;
pub mod proof;
pub mod receipt;
pub mod tile;

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

pub use checkpoint::{Checkpoint, CheckpointError};
pub use commitment::{Leaf, LeafError, document_commitment, record_commitment};
pub use edge::{Edge, EdgeError};
pub use merkle::{
    HashReader, ProofError, consistency_path, empty_root, inclusion_path, leaf_hash, node_hash,
    root, root_from_inclusion, verify_consistency,
};
pub use note::{NoteError, NoteSigner, NoteVerifier, SignedNote};
pub use proof::{ProofFileError, TlogProof};
pub use receipt::{Opening, ReceiptError, ReceiptParts, VerifiedReceipt, document_matches, verify};
pub use tile::{Tile, TileId, TilePath, TileSet, TileWidth};

/// A SHA-256 digest: of a leaf, of a node of the tree, of a record or of a document.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Hash(pub [u8; 32]);

impl Hash {
    /// Bytes in a digest.
    pub const LEN: usize = 32;

    /// The digest in padded standard base64 (RFC 4648 §4), as notes and proofs write it.
    #[must_use]
    pub fn to_base64(&self) -> String {
        encode_base64(&self.0)
    }

    /// Reads what [`Hash::to_base64`] writes; `None` for anything else.
    #[must_use]
    pub fn from_base64(text: &str) -> Option<Hash> {
        let bytes = decode_base64(text)?;
        bytes.try_into().ok().map(Hash)
    }
}

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// SHA-256 of the parts, one after another, with nothing between them.
#[must_use]
pub fn sha256(parts: &[&[u8]]) -> Hash {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update(part);
    }
    Hash(hasher.finalize().into())
}

fn encode_base64(bytes: &[u8]) -> String {
    BASE64.encode(bytes)
}

/// Canonical base64 alone: padding present, unused bits zero, no white space.
fn decode_base64(text: &str) -> Option<Vec<u8>> {
    BASE64.decode(text).ok()
}

/// A number in ASCII decimal without sign or leading zeros: one text for each number, so that two
/// different texts never mean the same signed head.
fn parse_decimal(text: &str) -> Option<u64> {
    let canonical = text == "0" || !text.starts_with('0');
    if !canonical || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    text.parse().ok()
}

/// Cuts the next `N` bytes off the front.
fn take_array<const N: usize>(bytes: &mut &[u8]) -> Option<[u8; N]> {
    let (head, tail) = bytes.split_first_chunk::<N>()?;
    *bytes = tail;
    Some(*head)
}
