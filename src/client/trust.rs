//! The trust file (`trust.json`): what a client verifies a hub and its ledger with. It is handed out
//! by the hub's operators, on another way than the hub's own answers.

use std::path::Path;

use rustls_pki_types::CertificateDer;
use serde::Deserialize;
use thiserror::Error;
use xianjie_core::ids::{IdError, Origin};
use xianjie_core::ledger::{Checkpoint, CheckpointError, NoteError, NoteVerifier};

use crate::identity::files::{self, LoadError, PemError};

/// What a hub is recognised by.
#[derive(Debug, Clone)]
pub struct Trust {
    /// The origin of its ledger.
    pub origin: Origin,
    /// The keys that sign, or signed, its checkpoints, and those of witnesses.
    pub keys: Vec<NoteVerifier>,
    /// The authorities of its TLS certificate.
    pub authorities: Vec<CertificateDer<'static>>,
}

/// A trust file that can't be used.
#[derive(Debug, Error)]
pub enum TrustFileError {
    /// Not the JSON object that it should be.
    #[error("not a trust file in JSON")]
    Json(#[from] serde_json::Error),
    /// The origin is none.
    #[error("`origin` {0}")]
    Origin(IdError),
    /// A key is none.
    #[error("`checkpoint_keys[{place}]` is no verifier key")]
    Key {
        /// Its place, from 0.
        place: usize,
        /// What is wrong with it.
        #[source]
        source: NoteError,
    },
    /// No key is the ledger's own.
    #[error("`checkpoint_keys` has none of the ledger itself")]
    NoKey,
    /// The authorities can't be read.
    #[error("`ca` has no usable certificate")]
    Authorities(#[from] PemError),
}

/// A checkpoint that is not this ledger's.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum UntrustedCheckpoint {
    /// It is not signed by a key of the trust file.
    #[error("the checkpoint does not verify under the keys of the trust file")]
    Signature(#[from] CheckpointError),
    /// It is of another ledger.
    #[error("the checkpoint is of the ledger `{found}`, not of `{wanted}`")]
    Origin {
        /// The ledger it names.
        found: String,
        /// The ledger of the trust file.
        wanted: Origin,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TrustFile {
    origin: String,
    checkpoint_keys: Vec<String>,
    ca: String,
}

impl Trust {
    /// Reads a trust file.
    ///
    /// # Errors
    /// A file that can't be read, or [`TrustFileError`], with the file's name.
    pub fn load(path: &Path) -> Result<Self, LoadError<TrustFileError>> {
        files::load_public(path, Self::parse)
    }

    /// Reads the text of a trust file.
    ///
    /// # Errors
    /// [`TrustFileError`].
    pub fn parse(text: &str) -> Result<Self, TrustFileError> {
        let file: TrustFile = serde_json::from_str(text)?;
        let origin: Origin = file.origin.parse().map_err(TrustFileError::Origin)?;
        let parse = |(place, key): (usize, &String)| {
            NoteVerifier::parse(key).map_err(|source| TrustFileError::Key { place, source })
        };
        let keys = file.checkpoint_keys.iter().enumerate().map(parse);
        let keys = keys.collect::<Result<Vec<_>, _>>()?;
        if !keys.iter().any(|key| key.name() == origin.as_str()) {
            return Err(TrustFileError::NoKey);
        }
        Ok(Self { origin, keys, authorities: files::certificates(&file.ca)? })
    }

    /// Reads a signed checkpoint of this ledger.
    ///
    /// # Errors
    /// [`UntrustedCheckpoint`].
    pub fn open(&self, note: &str) -> Result<Checkpoint, UntrustedCheckpoint> {
        let (checkpoint, _) = Checkpoint::open(note, &self.keys)?;
        if checkpoint.origin != self.origin.as_str() {
            let (found, wanted) = (checkpoint.origin, self.origin.clone());
            return Err(UntrustedCheckpoint::Origin { found, wanted });
        }
        Ok(checkpoint)
    }
}
