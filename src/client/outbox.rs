//! The outbox: a document's bytes and signatures are on stable storage before the first attempt to
//! send them, and every attempt sends those. The receipt comes to lie beside them.
//!
//! `outbox/<document_id>/` holds `document.bin`, `envelope.bin`, `state.json` and in the end
//! `receipt.tlog-proof`; `outbox/.sources/` remembers which document a file became, so that the same
//! file is sent again and a changed one is noticed.

use std::fs::File;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use thiserror::Error;
use xianjie_core::ids::DocumentId;
use xianjie_core::ledger::TlogProof;
use xianjie_core::ledger::receipt::ReceiptParts;

use super::error::Refused;
use super::prepare::{DocumentFile, LocalFile, Prepared};
use super::{disk, files};
use crate::identity::files::FileError;

/// The folder in a profile.
const FOLDER: &str = "outbox";
/// Where files are remembered.
const SOURCES: &str = ".sources";

/// The outbox of a profile.
#[derive(Debug, Clone)]
pub struct Outbox {
    folder: PathBuf,
}

/// A document in the outbox.
#[derive(Debug, Clone)]
pub struct Entry {
    /// Its folder.
    pub folder: PathBuf,
    /// How far it has come.
    pub state: EntryState,
    /// Its exact bytes.
    pub document: Vec<u8>,
    /// The exact bytes of the `SignedDocument`.
    pub envelope: Vec<u8>,
}

/// The text of `state.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EntryState {
    /// How far it has come.
    pub stage: Stage,
    /// Its id.
    pub document_id: String,
    /// Its type.
    pub document_type: String,
    /// The file that it was made from.
    pub source: PathBuf,
    /// SHA-256 over that file and its attachments, in hexadecimal.
    pub fingerprint: String,
    /// The attachments that it needs, where they lie.
    pub attachments: Vec<Stored>,
    /// The correction case (矫正案件) that it belongs to, once receipted.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub correction_case: String,
    /// Why the hub refused it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refusal: Option<StoredRefusal>,
}

/// How far a document has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// To be sent until it is answered.
    Pending,
    /// The hub's receipt lies beside it.
    Receipted,
    /// The hub refused it for good.
    Refused,
}

/// An attachment where it lies.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stored {
    /// The file.
    pub path: PathBuf,
    /// Its size in bytes.
    pub size: u64,
    /// Its SHA-256 in hexadecimal.
    pub sha256: String,
}

/// A refusal in short.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredRefusal {
    /// The fixed word.
    pub reason: String,
    /// In English.
    pub message: String,
    /// In Chinese.
    pub message_zh: String,
}

/// The outbox can't take or find a document.
#[derive(Debug, Error)]
pub enum OutboxError {
    /// A file can't be read or written.
    #[error(transparent)]
    File(#[from] FileError),
    /// The file was sent before, and is another now.
    #[error(
        "{} has changed since it became document {document_id}; what was signed is never changed",
        path.display()
    )]
    Changed {
        /// The file.
        path: PathBuf,
        /// What it became.
        document_id: String,
        /// How far that has come.
        stage: Stage,
    },
    /// An entry of the outbox was tampered with or is not one.
    #[error("cannot use {}", path.display())]
    State {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: serde_json::Error,
    },
}

impl Outbox {
    /// The outbox of the profile in `folder`.
    #[must_use]
    pub fn of(folder: &Path) -> Self {
        Self { folder: folder.join(FOLDER) }
    }

    /// Keeps other processes from taking up the same file meanwhile, until the file is dropped.
    ///
    /// # Errors
    /// [`FileError`].
    pub fn lock(&self) -> Result<File, FileError> {
        disk::make_folder(&self.folder.join(SOURCES))?;
        let path = self.folder.join(".lock");
        let file = File::create(&path).map_err(disk::failed("create", &path))?;
        file.lock().map_err(disk::failed("lock", &path))?;
        Ok(file)
    }

    /// The document that a file became, to be sent again; none if it is new, or if it has changed
    /// since the hub refused what it was.
    ///
    /// # Errors
    /// [`OutboxError::Changed`], and what else can't be read.
    pub fn find(&self, file: &DocumentFile) -> Result<Option<Entry>, OutboxError> {
        let named = file.document_id().map(|id| id.to_string());
        let remembered = match &named {
            Some(_) => None,
            None => disk::read_if_there(&self.source(file.path()))?,
        };
        let remembered = remembered.map(|id| String::from_utf8_lossy(&id).into_owned());
        let Some(id) = named.clone().or(remembered) else { return Ok(None) };
        let Some(entry) = self.entry(&id)? else { return Ok(None) };
        if entry.state.fingerprint == hex::encode(file.fingerprint) {
            return Ok(Some(entry));
        }
        if named.is_none() && entry.state.stage == Stage::Refused {
            return Ok(None);
        }
        let (path, stage) = (file.path().to_owned(), entry.state.stage);
        Err(OutboxError::Changed { path, document_id: id, stage })
    }

    /// Puts a signed document in, on stable storage.
    ///
    /// # Errors
    /// [`OutboxError::File`].
    pub fn put(
        &self,
        file: &DocumentFile,
        prepared: &Prepared,
        envelope: Vec<u8>,
    ) -> Result<Entry, OutboxError> {
        let id = prepared.id.to_string();
        let state = EntryState {
            stage: Stage::Pending,
            document_id: id.clone(),
            document_type: prepared.document_type.to_string(),
            source: file.path().to_owned(),
            fingerprint: hex::encode(file.fingerprint),
            attachments: file.attachments.iter().map(Stored::from).collect(),
            correction_case: String::new(),
            refusal: None,
        };
        // The file is remembered first: after a crash in between, its id was never used.
        disk::make_folder(&self.folder.join(SOURCES))?;
        disk::write(&self.source(file.path()), id.as_bytes())?;
        let folder = disk::NewFolder::begin(&self.folder, &id)?;
        folder.write(files::DOCUMENT, &prepared.bytes)?;
        folder.write(files::ENVELOPE, &envelope)?;
        folder.write(files::STATE, &files::to_json(&state))?;
        let (folder, document) = (folder.finish()?, prepared.bytes.clone());
        Ok(Entry { folder, state, document, envelope })
    }

    /// The document of this id.
    ///
    /// # Errors
    /// [`OutboxError`].
    pub fn entry(&self, id: &str) -> Result<Option<Entry>, OutboxError> {
        // A name that is no id must not lead out of the outbox.
        if id.parse::<DocumentId>().is_err() {
            return Ok(None);
        }
        let folder = self.folder.join(id);
        let path = folder.join(files::STATE);
        let Some(state) = disk::read_if_there(&path)? else { return Ok(None) };
        let state =
            serde_json::from_slice(&state).map_err(|source| OutboxError::State { path, source })?;
        let document = disk::read(&folder.join(files::DOCUMENT))?;
        let envelope = disk::read(&folder.join(files::ENVELOPE))?;
        Ok(Some(Entry { folder, state, document, envelope }))
    }

    /// The documents that are not answered yet, oldest first.
    ///
    /// # Errors
    /// [`OutboxError`].
    pub fn pending(&self) -> Result<Vec<Entry>, OutboxError> {
        let mut pending = Vec::new();
        // UUIDs of version 7 sort by time.
        for name in disk::names(&self.folder)? {
            let entry = self.entry(&name)?;
            pending.extend(entry.filter(|entry| entry.state.stage == Stage::Pending));
        }
        Ok(pending)
    }

    /// Where it is remembered what a file became.
    fn source(&self, path: &Path) -> PathBuf {
        let digest = Sha256::digest(path.as_os_str().as_encoded_bytes());
        self.folder.join(SOURCES).join(hex::encode(digest))
    }
}

impl Entry {
    /// Lays a verified receipt beside the document.
    ///
    /// # Errors
    /// [`FileError`].
    pub fn receipted(
        &mut self,
        parts: &ReceiptParts,
        correction_case: &str,
    ) -> Result<(), FileError> {
        let text = TlogProof::from(parts).to_text();
        disk::write(&self.folder.join(files::RECEIPT), text.as_bytes())?;
        self.state.stage = Stage::Receipted;
        correction_case.clone_into(&mut self.state.correction_case);
        self.state.refusal = None;
        self.write_state()
    }

    /// Notes that the hub refused it for good.
    ///
    /// # Errors
    /// [`FileError`].
    pub fn refused(&mut self, refused: &Refused) -> Result<(), FileError> {
        self.state.stage = Stage::Refused;
        self.state.refusal = Some(StoredRefusal {
            reason: refused.reason.clone(),
            message: refused.message.clone(),
            message_zh: refused.message_zh.clone(),
        });
        self.write_state()
    }

    /// Its attachments as files to be uploaded.
    #[must_use]
    pub fn attachments(&self) -> Vec<LocalFile> {
        let local = |stored: &Stored| {
            let mut sha256 = [0; 32];
            hex::decode_to_slice(&stored.sha256, &mut sha256).ok()?;
            Some(LocalFile { path: stored.path.clone(), size: stored.size, sha256 })
        };
        self.state.attachments.iter().filter_map(local).collect()
    }

    fn write_state(&self) -> Result<(), FileError> {
        disk::write(&self.folder.join(files::STATE), &files::to_json(&self.state))
    }
}

impl From<&LocalFile> for Stored {
    fn from(file: &LocalFile) -> Self {
        Self { path: file.path.clone(), size: file.size, sha256: hex::encode(file.sha256) }
    }
}

#[cfg(test)]
mod tests;
