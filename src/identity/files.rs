//! PEM files: reading them with errors that name the file, writing them so that a crash leaves
//! either the old file or the new one.
//!
//! Private keys are read only from files that nobody but the owner can read, and are never
//! overwritten. What stands in the files is the business of the other modules.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use rustls_pki_types::pem::{self, PemObject};
use rustls_pki_types::{CertificateDer, CertificateRevocationListDer, PrivateKeyDer};
use thiserror::Error;

/// Permission bits of a private key file: its owner reads and writes it.
const KEY_MODE: u32 = 0o600;

/// Permission bits of certificates and revocation lists: everybody reads them.
const PUBLIC_MODE: u32 = 0o644;

/// A file could not be read or written.
#[derive(Debug, Error)]
pub enum FileError {
    /// The operating system refused.
    #[error("cannot {action} {}", path.display())]
    Io {
        /// What was tried, as a verb.
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// Why it failed.
        #[source]
        source: io::Error,
    },
    /// The group or others can read, write or execute a private key file.
    #[error("{}: mode {mode:04o}, want {KEY_MODE:04o}", path.display())]
    Mode {
        /// The key file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
}

/// A file could not be read, or its content is not what it should be.
#[derive(Debug, Error)]
pub enum LoadError<E: std::error::Error + 'static> {
    /// The file itself is the problem.
    #[error(transparent)]
    File(#[from] FileError),
    /// The file was read, but what stands in it can't be used.
    #[error("cannot use {}", path.display())]
    Content {
        /// The file.
        path: PathBuf,
        /// What is wrong with its content.
        #[source]
        source: E,
    },
}

impl<E: std::error::Error + 'static> LoadError<E> {
    /// Names the file whose content is unusable.
    pub fn content(path: &Path, source: E) -> Self {
        let path = path.to_owned();
        Self::Content { path, source }
    }
}

/// PEM text that does not hold what it should.
#[derive(Debug, Error)]
pub enum PemError {
    /// Broken armour: a missing end line, or bad base64.
    #[error("malformed PEM")]
    Malformed(#[source] pem::Error),
    /// No `CERTIFICATE` block.
    #[error("no CERTIFICATE block")]
    NoCertificate,
    /// No unencrypted private key block.
    #[error("no PRIVATE KEY block (PKCS#8, not encrypted)")]
    NoKey,
}

/// All certificates of a PEM text, in its order.
///
/// # Errors
/// [`PemError::NoCertificate`] if there is none, [`PemError::Malformed`] if any block is broken.
pub fn certificates(pem: &str) -> Result<Vec<CertificateDer<'static>>, PemError> {
    let found: Vec<_> = CertificateDer::pem_slice_iter(pem.as_bytes())
        .collect::<Result<_, _>>()
        .map_err(PemError::Malformed)?;
    if found.is_empty() {
        return Err(PemError::NoCertificate);
    }
    Ok(found)
}

/// The first certificate of a PEM text: the leaf, if it holds a chain.
///
/// # Errors
/// As [`certificates`].
pub fn first_certificate(pem: &str) -> Result<CertificateDer<'static>, PemError> {
    match CertificateDer::from_pem_slice(pem.as_bytes()) {
        Ok(certificate) => Ok(certificate),
        Err(pem::Error::NoItemsFound) => Err(PemError::NoCertificate),
        Err(source) => Err(PemError::Malformed(source)),
    }
}

/// All revocation lists of a PEM text; a text without any gives an empty list.
///
/// # Errors
/// [`PemError::Malformed`] if any block is broken.
pub fn revocation_lists(pem: &str) -> Result<Vec<CertificateRevocationListDer<'static>>, PemError> {
    CertificateRevocationListDer::pem_slice_iter(pem.as_bytes())
        .collect::<Result<_, _>>()
        .map_err(PemError::Malformed)
}

/// The first private key of a PEM text, in whichever of the three plain encodings.
///
/// # Errors
/// [`PemError::NoKey`] if there is none, [`PemError::Malformed`] if its block is broken.
pub fn private_key(pem: &str) -> Result<PrivateKeyDer<'static>, PemError> {
    match PrivateKeyDer::from_pem_slice(pem.as_bytes()) {
        Ok(key) => Ok(key),
        Err(pem::Error::NoItemsFound) => Err(PemError::NoKey),
        Err(source) => Err(PemError::Malformed(source)),
    }
}

/// Reads a file that may be public and parses it.
///
/// # Errors
/// A file that can't be read, or whatever `parse` says of it, with the file's name.
pub fn load_public<T, E: std::error::Error>(
    path: &Path,
    parse: impl FnOnce(&str) -> Result<T, E>,
) -> Result<T, LoadError<E>> {
    let text = fs::read_to_string(path).map_err(failed("read", path))?;
    parse(&text).map_err(|source| LoadError::content(path, source))
}

/// Reads a private key file and parses it.
///
/// # Errors
/// As [`load_public`], and [`FileError::Mode`] if anybody but its owner has access to the file.
pub fn load_key<T, E: std::error::Error>(
    path: &Path,
    parse: impl FnOnce(&str) -> Result<T, E>,
) -> Result<T, LoadError<E>> {
    let mut file = File::open(path).map_err(failed("open", path))?;
    let metadata = file.metadata().map_err(failed("inspect", path))?;
    let mode = metadata.permissions().mode() & 0o7777;
    if mode & 0o077 != 0 {
        let path = path.to_owned();
        return Err(FileError::Mode { path, mode }.into());
    }
    let mut text = String::new();
    file.read_to_string(&mut text).map_err(failed("read", path))?;
    parse(&text).map_err(|source| LoadError::content(path, source))
}

/// Writes a private key to a new file with mode 0600. An existing file is left as it is.
///
/// # Errors
/// [`FileError::Io`], of kind `AlreadyExists` if the file is there.
pub fn write_key(path: &Path, text: &str) -> Result<(), FileError> {
    let temporary = write_temporary(path, text, KEY_MODE)?;
    // A link, unlike a rename, fails when the name is taken: a key is never lost by a second run.
    let linked = fs::hard_link(&temporary, path).map_err(failed("create", path));
    fs::remove_file(&temporary).map_err(failed("remove", &temporary))?;
    linked?;
    sync_folder(path)
}

/// Writes a certificate or a revocation list with mode 0644, replacing an older file.
///
/// # Errors
/// [`FileError::Io`].
pub fn write_public(path: &Path, text: &str) -> Result<(), FileError> {
    let temporary = write_temporary(path, text, PUBLIC_MODE)?;
    fs::rename(&temporary, path).map_err(failed("replace", path))?;
    sync_folder(path)
}

/// Writes and syncs a hidden file beside `path`. Its name holds the process id, so that two
/// processes never write the same one; what a crash left behind under that name is removed first.
fn write_temporary(path: &Path, text: &str, mode: u32) -> Result<PathBuf, FileError> {
    let mut name = std::ffi::OsString::from(".");
    name.push(path.file_name().unwrap_or_default());
    name.push(format!(".{}.new", std::process::id()));
    let temporary = path.with_file_name(name);
    match fs::remove_file(&temporary) {
        Err(source) if source.kind() != io::ErrorKind::NotFound => {
            return Err(failed("remove", &temporary)(source));
        }
        _ => {}
    }
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(mode)
        .open(&temporary)
        .and_then(|mut file| {
            file.write_all(text.as_bytes())?;
            file.sync_all()
        })
        .map_err(failed("write", &temporary))?;
    Ok(temporary)
}

/// Makes the new name in the folder of `path` survive a power cut.
fn sync_folder(path: &Path) -> Result<(), FileError> {
    let folder = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(failed("sync", folder))
}

/// Turns an error of the operating system into one that names the file.
fn failed(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> FileError {
    let path = path.to_owned();
    move |source| FileError::Io { action, path, source }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o7777
    }

    #[test]
    fn a_key_is_private_and_never_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.key");
        write_key(&path, "first").unwrap();
        assert_eq!(mode(&path), 0o600);

        let FileError::Io { source, .. } = write_key(&path, "second").unwrap_err() else {
            panic!("not about the file system");
        };
        assert_eq!(source.kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(fs::read_to_string(&path).unwrap(), "first");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_public_file_is_replaced_and_a_left_over_is_swept() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.pem");
        let left_over = format!(".a.pem.{}.new", std::process::id());
        fs::write(folder.path().join(left_over), "half").unwrap();
        write_public(&path, "first").unwrap();
        write_public(&path, "second").unwrap();
        assert_eq!(mode(&path), 0o644);
        assert_eq!(fs::read_to_string(&path).unwrap(), "second");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_key_that_others_can_read_is_refused_by_name_and_mode() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.key");
        write_key(&path, "text").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();

        let refused = load_key(&path, |_| Ok::<(), PemError>(())).unwrap_err();
        let text = refused.to_string();
        assert!(text.ends_with("a.key: mode 0640, want 0600"), "{text}");
    }

    #[test]
    fn what_is_missing_is_named() {
        assert!(matches!(certificates(""), Err(PemError::NoCertificate)));
        assert!(matches!(private_key("text"), Err(PemError::NoKey)));
        assert!(revocation_lists("").unwrap().is_empty());
        let broken = certificates("-----BEGIN CERTIFICATE-----\nAAAA\n");
        assert!(matches!(broken, Err(PemError::Malformed(_))));

        let missing = load_public(Path::new("/nowhere/a.pem"), certificates).unwrap_err();
        assert_eq!(missing.to_string(), "cannot read /nowhere/a.pem");
    }
}
