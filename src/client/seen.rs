//! The last checkpoint that this client has verified (`seen.json`), and the step to the next one:
//! only over a consistency proof. A hub that shows two histories is caught here.
//!
//! The signed note is kept verbatim: together with a second note that does not continue it, it
//! convicts the hub. Both are then written to a file of their own.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use thiserror::Error;
use xianjie_core::ledger::{Checkpoint, Hash, ProofError, verify_consistency};

use super::disk;
use super::error::CallError;
use super::trust::{Trust, UntrustedCheckpoint};
use crate::identity::files::FileError;
use crate::wire::document::Seen;

/// The file in a profile's folder.
const FILE: &str = "seen.json";

/// Why the next checkpoint is not taken.
#[derive(Debug, Error)]
pub enum SeenError {
    /// The file can't be read or written.
    #[error(transparent)]
    File(#[from] FileError),
    /// The file holds something else.
    #[error("cannot use {}: it should hold the last checkpoint seen", path.display())]
    Content {
        /// The file.
        path: PathBuf,
    },
    /// A checkpoint that is not this ledger's.
    #[error(transparent)]
    Untrusted(#[from] UntrustedCheckpoint),
    /// Two checkpoints that the hub signed are not of one history.
    #[error(
        "THE HUB HAS SHOWN TWO HISTORIES: its signed checkpoints of sizes {old} and {new} contradict \
         each other; the evidence is in {}", evidence.display()
    )]
    Fork {
        /// The smaller tree's size.
        old: u64,
        /// The larger tree's size.
        new: u64,
        /// The file with both notes and the proof that fails.
        evidence: PathBuf,
        /// Why the proof fails; none if two roots of one size differ.
        #[source]
        source: Option<ProofError>,
    },
    /// The proof could not be fetched.
    #[error("no consistency proof")]
    Call(#[from] CallError),
}

/// What becomes of another checkpoint beside the one that is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// It says the same: nothing to prove.
    Same,
    /// A proof is needed, from the smaller size to the larger.
    Prove {
        /// The smaller size.
        old: u64,
        /// The larger size.
        new: u64,
    },
    /// Another root for the same size.
    Fork,
}

/// The last checkpoint verified, and where it is kept.
#[derive(Debug)]
pub struct LastSeen {
    path: PathBuf,
    /// The note and what it says.
    last: Option<(String, Checkpoint)>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SeenFile {
    checkpoint: String,
}

#[derive(Serialize)]
struct Evidence<'a> {
    checkpoints: [&'a str; 2],
    consistency_path: Vec<String>,
}

impl LastSeen {
    /// Reads what the profile in `folder` has seen; the note is verified again.
    ///
    /// # Errors
    /// [`SeenError::File`], [`SeenError::Content`], [`SeenError::Untrusted`].
    pub fn load(folder: &Path, trust: &Trust) -> Result<Self, SeenError> {
        let path = folder.join(FILE);
        let Some(bytes) = disk::read_if_there(&path)? else {
            return Ok(Self { path, last: None });
        };
        let file: SeenFile = serde_json::from_slice(&bytes)
            .map_err(|_| SeenError::Content { path: path.clone() })?;
        let checkpoint = trust.open(&file.checkpoint)?;
        Ok(Self { path, last: Some((file.checkpoint, checkpoint)) })
    }

    /// Size and root of the last checkpoint verified, as signed messages name it.
    #[must_use]
    pub fn seen(&self) -> Option<Seen> {
        let (_, checkpoint) = self.last.as_ref()?;
        // An empty tree says nothing.
        (checkpoint.size > 0).then_some(Seen { size: checkpoint.size, root: checkpoint.root.0 })
    }

    /// What is to be done about another checkpoint.
    #[must_use]
    pub fn step(&self, other: &Checkpoint) -> Step {
        let Some((_, last)) = &self.last else { return Step::Same };
        if last.size == other.size {
            return if last.root == other.root { Step::Same } else { Step::Fork };
        }
        let (old, new) = (last.size.min(other.size), last.size.max(other.size));
        if old == 0 { Step::Same } else { Step::Prove { old, new } }
    }

    /// Takes another checkpoint over its proof, in the order of RFC 6962, which is empty where
    /// [`LastSeen::step`] asks for none. The larger of the two is kept from now on.
    ///
    /// # Errors
    /// [`SeenError::Fork`], after both notes were written beside `seen.json`; [`SeenError::File`].
    pub fn advance(
        &mut self,
        note: &str,
        other: Checkpoint,
        path: &[Hash],
    ) -> Result<(), SeenError> {
        let Some((_, last)) = &self.last else { return self.keep(note, other) };
        match self.step(&other) {
            Step::Fork => return Err(self.fork(note, &other, path, None)),
            Step::Prove { old, new } => {
                let (older, newer) = if last.size == old { (last, &other) } else { (&other, last) };
                if let Err(source) = verify_consistency(old, &older.root, new, &newer.root, path) {
                    return Err(self.fork(note, &other, path, Some(source)));
                }
            }
            Step::Same => {}
        }
        if other.size > last.size { self.keep(note, other) } else { Ok(()) }
    }

    fn keep(&mut self, note: &str, checkpoint: Checkpoint) -> Result<(), SeenError> {
        let file = SeenFile { checkpoint: note.to_owned() };
        disk::write(&self.path, &json(&file))?;
        self.last = Some((note.to_owned(), checkpoint));
        Ok(())
    }

    fn fork(
        &self,
        note: &str,
        other: &Checkpoint,
        path: &[Hash],
        source: Option<ProofError>,
    ) -> SeenError {
        let (known, last) = match &self.last {
            Some((known, last)) => (known.as_str(), last.size),
            None => ("", 0),
        };
        let (old, new) = (last.min(other.size), last.max(other.size));
        let evidence = self.path.with_file_name(format!("fork-{old}-{new}.json"));
        let content = Evidence {
            checkpoints: [known, note],
            consistency_path: path.iter().map(Hash::to_base64).collect(),
        };
        match disk::write(&evidence, &json(&content)) {
            Ok(()) => SeenError::Fork { old, new, evidence, source },
            Err(error) => error.into(),
        }
    }
}

fn json(value: &impl Serialize) -> Vec<u8> {
    // Maps with text keys always have a JSON form.
    serde_json::to_vec_pretty(value).unwrap_or_default()
}

#[cfg(test)]
mod tests;
