//! That all that the agencies of the story hold can be proved, with the trust file alone.

use std::fs;
use std::path::{Path, PathBuf};

use super::DemoError;
use crate::client::verify::verify_folder;
use crate::client::{Trust, files};

/// Verifies every receipt that the agencies in a demo's folder hold; how many there are.
///
/// # Errors
/// [`DemoError`]: a file can't be read, or a receipt is no proof.
pub(super) fn verify(folder: &Path) -> Result<usize, DemoError> {
    let trust = folder.join("trust.json");
    let trust = Trust::load(&trust).map_err(|e| DemoError::Story(e.to_string()))?;
    let held = held(&folder.join("profiles"))?;
    for folder in &held {
        let report = verify_folder(&trust, folder).map_err(|e| DemoError::Story(e.to_string()))?;
        if !report.is_proven() {
            let doubt = report.first_doubt().map(|finding| format!("{finding:?}"));
            return Err(DemoError::Other {
                step: "verify".to_owned(),
                expected: format!("a proof in {}", folder.display()),
                found: doubt.unwrap_or_default(),
            });
        }
    }
    Ok(held.len())
}

/// The folders of all that the agencies hold: sent documents and fetched deliveries.
fn held(profiles: &Path) -> Result<Vec<PathBuf>, DemoError> {
    let list = |folder: &Path| -> Result<Vec<PathBuf>, DemoError> {
        if !folder.is_dir() {
            return Ok(Vec::new());
        }
        let entries = fs::read_dir(folder).map_err(|e| DemoError::file(folder, e))?;
        Ok(entries.flatten().map(|entry| entry.path()).collect())
    };
    let mut held = Vec::new();
    for profile in list(profiles)? {
        for room in ["outbox", "inbox"] {
            let folders = list(&profile.join(room))?;
            held.extend(folders.into_iter().filter(|folder| folder.join(files::RECEIPT).exists()));
        }
    }
    held.sort();
    Ok(held)
}
