//! A document file (JSON, for people) made into a document's bytes, once: values in the file win;
//! what it leaves open is filled in, and attachments are measured where they lie beside it.

use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use jiff::Timestamp;
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};
use thiserror::Error;
use xianjie_core::ids::{AgencyCode, DocumentId, DocumentType, Origin, Time};
use xianjie_core::refusal::Refusal;

use super::{disk, files};
use crate::entropy::{self, NoEntropy};
use crate::identity::files::FileError;
use crate::wire::document::{MEDIA_TYPES, Seen, read_document};
use crate::wire::json::{JsonError, document_from_json};
use crate::wire::schema::Schema;

/// A document file that can't become a document.
#[derive(Debug, Error)]
pub enum PrepareError {
    /// The file, or an attachment, can't be read.
    #[error(transparent)]
    File(#[from] FileError),
    /// Not a JSON object.
    #[error("{} is not a JSON object", path.display())]
    Json {
        /// The file.
        path: PathBuf,
        /// Why, if it is no JSON at all.
        #[source]
        source: Option<serde_json::Error>,
    },
    /// Names or values that no document has.
    #[error("{} is not a document", path.display())]
    Document {
        /// The file.
        path: PathBuf,
        /// Which.
        #[source]
        source: JsonError,
    },
    /// An attachment is not where its name says.
    #[error("attachments[{place}]: there is no file {}", path.display())]
    NoAttachment {
        /// Its place, from 0.
        place: usize,
        /// Where it should be.
        path: PathBuf,
    },
    /// An attachment without a name, or an entry that is no object.
    #[error("attachments[{place}] needs a name: the path of a file beside the document")]
    AttachmentName {
        /// Its place, from 0.
        place: usize,
    },
    /// An attachment has another digest or size than the file says.
    #[error(
        "attachments[{place}]: the `{field}` in the document file is not that of the attachment"
    )]
    AttachmentDiffers {
        /// Its place, from 0.
        place: usize,
        /// The field.
        field: &'static str,
    },
    /// The extension does not tell the media type.
    #[error("attachments[{place}]: name its `media_type`, one of {}", MEDIA_TYPES.join(", "))]
    MediaType {
        /// Its place, from 0.
        place: usize,
    },
    /// Fields are missing or malformed.
    #[error("the document is not complete")]
    Form(#[source] Refusal),
    /// No id could be made.
    #[error(transparent)]
    Entropy(#[from] NoEntropy),
}

/// A document file as read, with its attachments measured; nothing is filled in yet.
#[derive(Debug)]
pub struct DocumentFile {
    path: PathBuf,
    fields: Map<String, Value>,
    /// The attachments that lie beside the file.
    pub attachments: Vec<LocalFile>,
    /// SHA-256 over the file and its attachments: another one, and the file has changed.
    pub fingerprint: [u8; 32],
}

/// A file to be uploaded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LocalFile {
    /// Where it lies.
    pub path: PathBuf,
    /// Its size in bytes.
    pub size: u64,
    /// Its digest.
    pub sha256: [u8; 32],
}

/// What is filled in where the file leaves it open.
#[derive(Debug, Clone)]
pub struct Filling<'a> {
    /// The ledger.
    pub ledger: &'a Origin,
    /// The sender.
    pub sender: &'a AgencyCode,
    /// The time of making.
    pub now: Time,
    /// The last checkpoint verified.
    pub seen: Option<Seen>,
}

/// A document, ready to be signed.
#[derive(Debug, Clone)]
pub struct Prepared {
    /// Its id.
    pub id: DocumentId,
    /// Its type.
    pub document_type: DocumentType,
    /// Its bytes: signed, kept and sent as they are.
    pub bytes: Vec<u8>,
}

impl DocumentFile {
    /// Reads a document file and measures its attachments.
    ///
    /// # Errors
    /// [`PrepareError`].
    pub fn read(path: &Path) -> Result<Self, PrepareError> {
        let text = disk::read(path)?;
        let path = path.canonicalize().map_err(disk::failed("find", path))?;
        let not_json = |source| PrepareError::Json { path: path.clone(), source };
        let mut fields = match serde_json::from_slice(&text) {
            Ok(Value::Object(fields)) => fields,
            Ok(_) => return Err(not_json(None)),
            Err(error) => return Err(not_json(Some(error))),
        };
        let mut attachments = Vec::new();
        if let Some(Value::Array(items)) = fields.get_mut("attachments") {
            items.retain(|item| !is_blank(item));
            for (place, item) in items.iter_mut().enumerate() {
                attachments.extend(measure(path.parent(), place, item)?);
            }
        }
        let mut hasher = Sha256::new();
        hasher.update(&text);
        attachments.iter().for_each(|file| hasher.update(file.sha256));
        let fingerprint = hasher.finalize().into();
        Ok(Self { path, fields, attachments, fingerprint })
    }

    /// The file, by its full path.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The id that the file itself gives the document.
    #[must_use]
    pub fn document_id(&self) -> Option<DocumentId> {
        self.fields.get("document_id")?.as_str()?.parse().ok()
    }

    /// Fills in what the file leaves open, and makes the document's bytes.
    ///
    /// # Errors
    /// [`PrepareError`]; [`PrepareError::Form`] names all that is missing or malformed at once.
    pub fn fill(&self, schema: &Schema, with: &Filling<'_>) -> Result<Prepared, PrepareError> {
        let mut fields = self.fields.clone();
        let mut fill = |name: &str, value: Value| {
            if fields.get(name).is_none_or(is_blank) {
                fields.insert(name.to_owned(), value);
            }
        };
        fill("document_id", entropy::document_id(with.now)?.to_string().into());
        fill("ledger", with.ledger.as_str().into());
        fill("sender", with.sender.as_str().into());
        fill("create_time", written_time(with.now).into());
        if let Some(seen) = with.seen {
            let root = BASE64.encode(seen.root);
            fill("seen", json!({"size": seen.size.to_string(), "root": root}));
        }
        let bytes = document_from_json(schema, &Value::Object(fields))
            .map_err(|source| PrepareError::Document { path: self.path.clone(), source })?;
        let heard = read_document(schema, with.ledger, &bytes).map_err(PrepareError::Form)?;
        Ok(Prepared { id: heard.document.id, document_type: heard.document.kind, bytes })
    }
}

/// An instant as JSON writes it (RFC 3339).
fn written_time(time: Time) -> String {
    Timestamp::from_millisecond(time.0).unwrap_or_default().to_string()
}

/// Measures the attachment that an entry names, and completes the entry. None if it does not lie
/// there but the entry says everything: it is with the hub already.
fn measure(
    folder: Option<&Path>,
    place: usize,
    item: &mut Value,
) -> Result<Option<LocalFile>, PrepareError> {
    let entry = item.as_object_mut().ok_or(PrepareError::AttachmentName { place })?;
    let name = entry.get("name").and_then(Value::as_str).unwrap_or_default();
    let path = folder.unwrap_or(Path::new(".")).join(name);
    let file_name = path.file_name().and_then(|name| name.to_str()).map(ToOwned::to_owned);
    let file_name = file_name.filter(|_| !name.is_empty());
    let file_name = file_name.ok_or(PrepareError::AttachmentName { place })?;
    if entry.get("media_type").is_none_or(is_blank) {
        let media_type = media_type(&path).ok_or(PrepareError::MediaType { place })?;
        entry.insert("media_type".to_owned(), media_type.into());
    }
    entry.insert("name".to_owned(), file_name.into());
    let Some((size, sha256)) = files::measure(&path)? else {
        let is_whole = ["size_bytes", "sha256"].iter().all(|n| !entry.get(*n).is_none_or(is_blank));
        return if is_whole { Ok(None) } else { Err(PrepareError::NoAttachment { place, path }) };
    };
    for (field, measured) in [("size_bytes", size.to_string()), ("sha256", BASE64.encode(sha256))] {
        let stated = entry.get(field).filter(|value| !is_blank(value));
        let stated = stated.map(|value| value.as_str().map_or(value.to_string(), str::to_owned));
        if stated.is_some_and(|stated| stated != measured) {
            return Err(PrepareError::AttachmentDiffers { place, field });
        }
        entry.insert(field.to_owned(), measured.into());
    }
    Ok(Some(LocalFile { path, size, sha256 }))
}

fn media_type(path: &Path) -> Option<&'static str> {
    let extension = path.extension()?.to_str()?.to_ascii_lowercase();
    Some(match extension.as_str() {
        "ofd" => "application/ofd",
        "pdf" => "application/pdf",
        "xml" => "application/xml",
        "jpg" | "jpeg" => "image/jpeg",
        "png" => "image/png",
        "tif" | "tiff" => "image/tiff",
        "txt" => "text/plain",
        _ => return None,
    })
}

/// Whether a value states nothing: forms are full of such.
fn is_blank(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.iter().all(is_blank),
        Value::Object(fields) => {
            fields.iter().all(|(name, value)| name.starts_with('#') || is_blank(value))
        }
        Value::Bool(_) | Value::Number(_) => false,
    }
}

#[cfg(test)]
mod tests;
