//! Proof files (C2SP tlog-proof): an index, an inclusion path and a signed checkpoint as text,
//! which standard tools verify. A receipt is such a file with its opening as the extra data.

#[cfg(test)]
mod tests;

use thiserror::Error;

use super::merkle::PATH_MAX;
use super::receipt::{Opening, OpeningError, ReceiptParts};
use super::{Hash, decode_base64, encode_base64, parse_decimal};

/// The longest file that is read, in bytes: the longest record and the longest note in base64, and
/// the path, come to less.
pub const PROOF_BYTES_MAX: usize = 1024 * 1024;

const HEADER: &str = "c2sp.org/tlog-proof@v1";

/// A proof file, unverified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlogProof {
    /// Data of the application's own, covered by no signature; empty if there is none.
    pub extra: Vec<u8>,
    /// The leaf's position in the log, from 0.
    pub index: u64,
    /// The inclusion path, from the leaf's sibling up.
    pub path: Vec<Hash>,
    /// The signed checkpoint, verbatim.
    pub checkpoint: String,
}

/// What is wrong with a proof file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum ProofFileError {
    /// The extra data is empty or not base64.
    #[error("the extra line is malformed")]
    Extra,
    /// The first line is not that of a proof file of version 1.
    #[error("the first line is not `{HEADER}`")]
    Header,
    /// The index is missing, or not a decimal number without leading zeros.
    #[error("the index line is malformed")]
    Index,
    /// The extra data is not a receipt's opening.
    #[error("the extra line does not hold an opening")]
    Opening(#[from] OpeningError),
    /// A hash of the path is not 32 bytes in base64, or no empty line ends the path.
    #[error("hash {position} of the path is malformed")]
    Path {
        /// The hash's position in the path, from 0.
        position: usize,
    },
    /// More hashes than the tallest tree has levels.
    #[error("the path has more than {PATH_MAX} hashes")]
    PathTooLong,
    /// Longer than [`PROOF_BYTES_MAX`].
    #[error("the proof has more than {PROOF_BYTES_MAX} bytes")]
    TooLong,
}

impl TlogProof {
    /// The file's text.
    #[must_use]
    pub fn to_text(&self) -> String {
        let mut text = format!("{HEADER}\n");
        if !self.extra.is_empty() {
            text += &format!("extra {}\n", encode_base64(&self.extra));
        }
        text += &format!("index {}\n", self.index);
        for hash in &self.path {
            text += &hash.to_base64();
            text.push('\n');
        }
        text.push('\n');
        text += &self.checkpoint;
        text
    }

    /// Reads what [`TlogProof::to_text`] writes, and nothing else. The checkpoint is not looked at.
    ///
    /// # Errors
    /// [`ProofFileError`], except for [`ProofFileError::Opening`].
    pub fn parse(text: &str) -> Result<TlogProof, ProofFileError> {
        if text.len() > PROOF_BYTES_MAX {
            return Err(ProofFileError::TooLong);
        }
        let rest = text.strip_prefix(HEADER).and_then(|rest| rest.strip_prefix('\n'));
        let (extra, rest) = parse_extra(rest.ok_or(ProofFileError::Header)?)?;
        let rest = rest.strip_prefix("index ").ok_or(ProofFileError::Index)?;
        let (index, rest) = rest.split_once('\n').ok_or(ProofFileError::Index)?;
        let index = parse_decimal(index).ok_or(ProofFileError::Index)?;
        let (path, checkpoint) = parse_path(rest)?;
        Ok(TlogProof { extra, index, path, checkpoint: checkpoint.to_owned() })
    }
}

impl From<&ReceiptParts> for TlogProof {
    fn from(receipt: &ReceiptParts) -> TlogProof {
        TlogProof {
            extra: receipt.opening.to_bytes(),
            index: receipt.index,
            path: receipt.path.clone(),
            checkpoint: receipt.checkpoint.clone(),
        }
    }
}

impl TryFrom<TlogProof> for ReceiptParts {
    type Error = ProofFileError;

    fn try_from(proof: TlogProof) -> Result<ReceiptParts, ProofFileError> {
        Ok(ReceiptParts {
            opening: Opening::parse(&proof.extra)?,
            index: proof.index,
            path: proof.path,
            checkpoint: proof.checkpoint,
        })
    }
}

/// The extra data, empty if the line is not there, and what follows.
fn parse_extra(text: &str) -> Result<(Vec<u8>, &str), ProofFileError> {
    let Some(rest) = text.strip_prefix("extra ") else {
        return Ok((Vec::new(), text));
    };
    let (extra, rest) = rest.split_once('\n').ok_or(ProofFileError::Extra)?;
    let extra = decode_base64(extra).filter(|extra| !extra.is_empty());
    Ok((extra.ok_or(ProofFileError::Extra)?, rest))
}

/// The hashes up to the empty line, and what follows it.
fn parse_path(mut text: &str) -> Result<(Vec<Hash>, &str), ProofFileError> {
    let mut path = Vec::new();
    loop {
        let malformed = ProofFileError::Path { position: path.len() };
        let (line, rest) = text.split_once('\n').ok_or(malformed)?;
        text = rest;
        if line.is_empty() {
            return Ok((path, text));
        }
        if path.len() == PATH_MAX {
            return Err(ProofFileError::PathTooLong);
        }
        path.push(Hash::from_base64(line).ok_or(malformed)?);
    }
}
