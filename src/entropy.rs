//! Randomness: salts, case references, ids. The only place that asks the operating system for it.

use uuid::Uuid;
use xianjie_core::ids::{DocumentId, Time};

/// The operating system's generator failed: nothing can be salted any more.
#[derive(Debug, thiserror::Error)]
#[error("the operating system gives no randomness")]
pub struct NoEntropy;

/// Random bytes from the operating system.
///
/// # Errors
/// The operating system gives none.
pub fn random<const N: usize>() -> Result<[u8; N], NoEntropy> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|_| NoEntropy)?;
    Ok(bytes)
}

/// A new id: a UUID of version 7 (RFC 9562 section 5.7) of that time.
///
/// # Errors
/// The operating system gives no randomness.
pub fn document_id(time: Time) -> Result<DocumentId, NoEntropy> {
    let millis = u64::try_from(time.0).unwrap_or_default();
    let uuid = uuid::Builder::from_unix_timestamp_millis(millis, &random::<10>()?).into_uuid();
    Ok(DocumentId(*Uuid::as_bytes(&uuid)))
}
