//! Bindings: the receipts of the records that registered signing certificates. With them the
//! signature over a document is verified offline, by the ledger alone: the certificate stands in the
//! record, the record in the ledger.
//!
//! They are kept in `bindings/` of a profile, each fetched once.

use std::path::{Path, PathBuf};

use thiserror::Error;
use xianjie_core::ledger::receipt::{ReceiptError, ReceiptParts, verify};
use xianjie_core::ledger::{ProofFileError, TlogProof};

use super::connect::{Client, ProfileLacks, unary};
use super::disk;
use super::error::CallError;
use crate::identity::files::FileError;
use crate::wire::pb;
use crate::wire::receipt::{self, ReceiptFormError};

/// The folder in a profile.
pub const FOLDER: &str = "bindings";

/// What a receipt's file is called after its name.
pub const EXTENSION: &str = "tlog-proof";

/// A receipt that can't be had, or does not hold.
#[derive(Debug, Error)]
pub enum BindingError {
    /// The hub does not give it.
    #[error("the hub gives no receipt of record {index}")]
    Call {
        /// The record.
        index: u64,
        /// Why.
        #[source]
        source: CallError,
    },
    /// What it gives is no receipt.
    #[error("what the hub gives as the receipt of record {index} is none")]
    Form {
        /// The record.
        index: u64,
        /// Why.
        #[source]
        source: ReceiptFormError,
    },
    /// What it gives does not verify.
    #[error("the receipt of record {index} does not verify")]
    Receipt {
        /// The record.
        index: u64,
        /// Why.
        #[source]
        source: ReceiptError,
    },
    /// The file can't be read or written.
    #[error(transparent)]
    File(#[from] FileError),
    /// The profile is no agency's.
    #[error(transparent)]
    Profile(#[from] ProfileLacks),
}

impl Client {
    /// Fetches the bindings of the signers of a record, as far as they are not kept already.
    ///
    /// # Errors
    /// [`BindingError`].
    pub async fn keep_bindings(&self, record: &[u8]) -> Result<(), BindingError> {
        for index in super::verify::bindings_of(record) {
            let path = path(&self.profile().folder.join(FOLDER), index);
            if !path.exists() {
                let parts = self.fetch_receipt(index).await?;
                disk::make_folder(&self.profile().folder.join(FOLDER))?;
                disk::write(&path, TlogProof::from(&parts).to_text().as_bytes())?;
            }
        }
        Ok(())
    }

    /// The receipt of one record that this agency may see, verified.
    ///
    /// # Errors
    /// [`BindingError`].
    pub async fn fetch_receipt(&self, index: u64) -> Result<ReceiptParts, BindingError> {
        let request = pb::GetReceiptRequest { agency: self.agency()?.to_string(), index };
        let answer = self.ledger().get_receipt(unary(request)).await;
        let answer =
            answer.map_err(|status| BindingError::Call { index, source: status.into() })?;
        let message = answer.into_inner().receipt.unwrap_or_default();
        let parts =
            receipt::parts(&message).map_err(|source| BindingError::Form { index, source })?;
        verify(&parts, &self.profile().trust.keys)
            .map_err(|source| BindingError::Receipt { index, source })?;
        Ok(parts)
    }
}

/// The binding `index` in one of `folders`, unverified; none if it is nowhere, or no receipt.
#[must_use]
pub fn find(folders: &[PathBuf], index: u64) -> Option<ReceiptParts> {
    folders.iter().find_map(|folder| read_receipt(&path(folder, index)).ok()?.ok())
}

/// Where bindings are looked for beside a file or folder of inbox or outbox: the folders given, its
/// own `bindings/`, that of the folder it lies in, and that of its profile.
#[must_use]
pub fn folders_near(path: &Path, given: &[PathBuf]) -> Vec<PathBuf> {
    let path = path.canonicalize().unwrap_or_default();
    let near = path.ancestors().take(4).map(|folder| folder.join(FOLDER));
    given.iter().cloned().chain(near).collect()
}

/// The receipt in a file, unverified.
///
/// # Errors
/// The file can't be read; or, within, what stands in it is no receipt.
pub fn read_receipt(path: &Path) -> Result<Result<ReceiptParts, ProofFileError>, FileError> {
    let bytes = disk::read(path)?;
    let text = String::from_utf8_lossy(&bytes);
    Ok(TlogProof::parse(&text).and_then(ReceiptParts::try_from))
}

fn path(folder: &Path, index: u64) -> PathBuf {
    folder.join(format!("{index}.{EXTENSION}"))
}
