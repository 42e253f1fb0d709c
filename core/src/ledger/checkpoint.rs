//! Checkpoints (C2SP tlog-checkpoint): the head of the tree as text, and as a note signed by the
//! ledger's key, whose name is the ledger's origin.
//!
//! Stricter than the specification: the origin is a valid key name, and there are no extension
//! lines.

#[cfg(test)]
mod tests;

use thiserror::Error;

use super::note::{self, NoteError, NoteSigner, NoteVerifier, SignedNote, check_name};
use super::{Hash, parse_decimal};

/// The head of a ledger's tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// The ledger: `<host>/ledger/<n>`.
    pub origin: String,
    /// Leaves in the tree.
    pub size: u64,
    /// The tree's root.
    pub root: Hash,
}

/// What is wrong with a checkpoint.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum CheckpointError {
    /// Lines below the root, which no log monitor could check.
    #[error("the checkpoint has extension lines")]
    Extensions,
    /// Fewer than three lines, or no newline at the end.
    #[error("the checkpoint is not three lines")]
    Lines,
    /// The note around it is malformed or does not verify.
    #[error("the checkpoint's note does not verify")]
    Note(#[from] NoteError),
    /// A signature is there, but none by a key of the ledger itself.
    #[error("the checkpoint is not signed by `{origin}`")]
    NotByOrigin {
        /// The ledger that the checkpoint names.
        origin: String,
    },
    /// The origin is empty, or has white space or `+` in it.
    #[error("the checkpoint's origin is malformed")]
    Origin,
    /// The root is not 32 bytes in base64.
    #[error("the checkpoint's root is malformed")]
    Root,
    /// The size is not a decimal number, has leading zeros or exceeds 64 bits.
    #[error("the checkpoint's size is malformed")]
    Size,
}

impl Checkpoint {
    /// The three lines that are signed.
    #[must_use]
    pub fn to_text(&self) -> String {
        format!("{}\n{}\n{}\n", self.origin, self.size, self.root.to_base64())
    }

    /// Reads what [`Checkpoint::to_text`] writes, and nothing else.
    ///
    /// # Errors
    /// Those that speak of malformed checkpoints.
    pub fn parse(text: &str) -> Result<Checkpoint, CheckpointError> {
        let body = text.strip_suffix('\n').ok_or(CheckpointError::Lines)?;
        let mut lines = body.split('\n');
        let (Some(origin), Some(size), Some(root)) = (lines.next(), lines.next(), lines.next())
        else {
            return Err(CheckpointError::Lines);
        };
        if lines.next().is_some() {
            return Err(CheckpointError::Extensions);
        }
        check_name(origin).map_err(|_| CheckpointError::Origin)?;
        Ok(Checkpoint {
            origin: origin.to_owned(),
            size: parse_decimal(size).ok_or(CheckpointError::Size)?,
            root: Hash::from_base64(root).ok_or(CheckpointError::Root)?,
        })
    }

    /// The checkpoint as a note signed by the ledger's keys: one, or two while they change over.
    ///
    /// # Errors
    /// [`CheckpointError::NotByOrigin`] if a key's name is not the origin;
    /// [`CheckpointError::Note`] if there is no key.
    pub fn sign(&self, signers: &[&NoteSigner]) -> Result<String, CheckpointError> {
        if signers.iter().any(|signer| signer.name() != self.origin) {
            return Err(CheckpointError::NotByOrigin { origin: self.origin.clone() });
        }
        Ok(note::sign(&self.to_text(), signers)?)
    }

    /// Reads and verifies a signed checkpoint. Gives with it the known keys that signed: at least
    /// one whose name is the origin, and any witnesses among `known`. Whether the origin is the one
    /// expected, and the witnesses enough, the caller decides.
    ///
    /// # Errors
    /// All of [`CheckpointError`].
    pub fn open<'v>(
        note: &str,
        known: &'v [NoteVerifier],
    ) -> Result<(Checkpoint, Vec<&'v NoteVerifier>), CheckpointError> {
        let note = SignedNote::parse(note)?;
        let (text, signers) = note.open(known)?;
        let checkpoint = Checkpoint::parse(text)?;
        if !signers.iter().any(|signer| signer.name() == checkpoint.origin) {
            return Err(CheckpointError::NotByOrigin { origin: checkpoint.origin });
        }
        Ok((checkpoint, signers))
    }
}
