//! Files and folders that survive a crash: either the old content or the new, never half of one.
//!
//! Calls block until the bytes are on stable storage; they are few and small, and nothing may go on
//! before them.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use crate::identity::files::FileError;

/// Documents name people: nobody but the account that the client runs under reads them.
pub(super) const FILE_MODE: u32 = 0o600;
const FOLDER_MODE: u32 = 0o700;

/// What a folder under way is called until it is whole.
const UNFINISHED: &str = ".unfinished-";

/// Writes a file that its owner alone reads, replacing an older one.
///
/// # Errors
/// [`FileError::Io`].
pub fn write(path: &Path, bytes: &[u8]) -> Result<(), FileError> {
    let mut name = std::ffi::OsString::from(".");
    name.push(path.file_name().unwrap_or_default());
    name.push(format!(".{}.new", std::process::id()));
    let temporary = path.with_file_name(name);
    write_synced(&temporary, bytes)?;
    fs::rename(&temporary, path).map_err(failed("replace", path))?;
    sync_folder(parent(path))
}

/// A file's bytes.
///
/// # Errors
/// [`FileError::Io`].
pub fn read(path: &Path) -> Result<Vec<u8>, FileError> {
    fs::read(path).map_err(failed("read", path))
}

/// A file's bytes, if there is such a file.
///
/// # Errors
/// [`FileError::Io`].
pub fn read_if_there(path: &Path) -> Result<Option<Vec<u8>>, FileError> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(source) if source.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(failed("read", path)(source)),
    }
}

/// Removes a file, if it is there.
///
/// # Errors
/// [`FileError::Io`].
pub fn remove(path: &Path) -> Result<(), FileError> {
    match fs::remove_file(path) {
        Err(source) if source.kind() != io::ErrorKind::NotFound => {
            Err(failed("remove", path)(source))
        }
        _ => Ok(()),
    }
}

/// Makes a folder and all above it; those that are new are their owner's alone.
///
/// # Errors
/// [`FileError::Io`].
pub fn make_folder(path: &Path) -> Result<(), FileError> {
    let made = DirBuilder::new().recursive(true).mode(FOLDER_MODE).create(path);
    made.map_err(failed("create", path))
}

/// The names in a folder, sorted; none if there is no such folder.
///
/// # Errors
/// [`FileError::Io`].
pub fn names(folder: &Path) -> Result<Vec<String>, FileError> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(source) if source.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(source) => return Err(failed("list", folder)(source)),
    };
    let mut names = Vec::new();
    for entry in entries {
        let entry = entry.map_err(failed("list", folder))?;
        names.extend(entry.file_name().into_string().ok());
    }
    names.sort_unstable();
    Ok(names)
}

/// A folder that appears under its name whole, or not at all.
#[derive(Debug)]
pub struct NewFolder {
    unfinished: PathBuf,
    path: PathBuf,
}

impl NewFolder {
    /// Begins the folder `name` in `parent`, which is made if need be. What a crash left behind of
    /// it is removed.
    ///
    /// # Errors
    /// [`FileError::Io`].
    pub fn begin(parent: &Path, name: &str) -> Result<Self, FileError> {
        make_folder(parent)?;
        let unfinished = parent.join(format!("{UNFINISHED}{name}"));
        match fs::remove_dir_all(&unfinished) {
            Err(source) if source.kind() != io::ErrorKind::NotFound => {
                return Err(failed("remove", &unfinished)(source));
            }
            _ => {}
        }
        let made = DirBuilder::new().mode(FOLDER_MODE).create(&unfinished);
        made.map_err(failed("create", &unfinished))?;
        Ok(Self { unfinished, path: parent.join(name) })
    }

    /// Where its files are meanwhile.
    #[must_use]
    pub fn unfinished(&self) -> &Path {
        &self.unfinished
    }

    /// Writes one of its files.
    ///
    /// # Errors
    /// [`FileError::Io`].
    pub fn write(&self, name: &str, bytes: &[u8]) -> Result<(), FileError> {
        write_synced(&self.unfinished.join(name), bytes)
    }

    /// Gives it its name, and returns where it is.
    ///
    /// # Errors
    /// [`FileError::Io`]; also if there is a folder of that name with something in it.
    pub fn finish(self) -> Result<PathBuf, FileError> {
        sync_folder(&self.unfinished)?;
        fs::rename(&self.unfinished, &self.path).map_err(failed("create", &self.path))?;
        sync_folder(parent(&self.path))?;
        Ok(self.path)
    }
}

/// Turns an error of the operating system into one that names the file.
pub(super) fn failed(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> FileError {
    let path = path.to_owned();
    move |source| FileError::Io { action, path, source }
}

/// Makes new names in a folder survive a power cut.
pub(super) fn sync_folder(folder: &Path) -> Result<(), FileError> {
    let synced = File::open(folder).and_then(|folder| folder.sync_all());
    synced.map_err(failed("sync", folder))
}

fn write_synced(path: &Path, bytes: &[u8]) -> Result<(), FileError> {
    let mut options = OpenOptions::new();
    let opened = options.write(true).create(true).truncate(true).mode(FILE_MODE).open(path);
    let written = opened.and_then(|mut file| {
        file.write_all(bytes)?;
        file.sync_all()
    });
    written.map_err(failed("write", path))
}

fn parent(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_appears_whole() {
        let home = tempfile::tempdir().unwrap();
        let left_over = NewFolder::begin(home.path(), "1").unwrap();
        left_over.write("half", b"x").unwrap();

        let folder = NewFolder::begin(home.path(), "1").unwrap();
        folder.write("whole", b"y").unwrap();
        assert!(!home.path().join("1").exists());
        let path = folder.finish().unwrap();
        assert_eq!(names(&path).unwrap(), ["whole"]);
        assert_eq!(names(home.path()).unwrap(), ["1"]);
    }

    #[test]
    fn nobody_else_reads_what_is_written() {
        use std::os::unix::fs::PermissionsExt;
        let home = tempfile::tempdir().unwrap();
        let inbox = home.path().join("inbox");
        let folder = NewFolder::begin(&inbox, "1").unwrap();
        folder.write("document", b"x").unwrap();
        let folder = folder.finish().unwrap();
        write(&folder.join("state"), b"y").unwrap();
        let mode = |path: &Path| path.metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&inbox), mode(&folder)), (0o700, 0o700));
        assert_eq!(mode(&folder.join("document")), 0o600);
        assert_eq!(mode(&folder.join("state")), 0o600);
    }

    #[test]
    fn a_file_is_replaced() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("a");
        assert_eq!(read_if_there(&path).unwrap(), None);
        write(&path, b"first").unwrap();
        write(&path, b"second").unwrap();
        assert_eq!(read(&path).unwrap(), b"second");
        assert_eq!(names(home.path()).unwrap(), ["a"]);
        assert_eq!(names(&home.path().join("none")).unwrap(), Vec::<String>::new());
    }
}
