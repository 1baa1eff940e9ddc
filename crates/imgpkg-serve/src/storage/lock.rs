//! One server to a directory.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::Path;

use rustix::fs::FlockOperation;

use super::found;
use crate::Error;

const LOCK_FILE: &str = "imgpkg-serve.lock";

/// Locks a directory for a server: alone if it writes, together with other readers if it only reads. The lock lasts as
/// long as the file is open. The file stays: it says that the directory is a registry's. Readers of a directory that they
/// cannot write, and in which no server has been yet, do without.
///
/// # Errors
/// When another server has it, or when it holds something that is no registry.
pub(super) fn acquire(directory: &Path, read_only: bool) -> Result<Option<File>, Error> {
    let failed = |error: io::Error| Error::Storage {
        action: "locking",
        path: directory.to_owned(),
        source: error.into(),
    };
    let path = directory.join(LOCK_FILE);
    if found(fs::symlink_metadata(&path)).map_err(failed)?.is_none()
        && let Some(entry) = foreign_entry(directory).map_err(failed)?
    {
        let (directory, entry) = (directory.to_owned(), entry.to_string_lossy().into_owned());
        return Err(Error::ForeignDirectory { directory, entry, lock_file: LOCK_FILE });
    }
    let file = match read_only {
        false => OpenOptions::new().create(true).truncate(false).write(true).open(&path).map_err(failed)?,
        true => match found(File::open(&path)).map_err(failed)? {
            Some(file) => file,
            None => return Ok(None),
        },
    };
    let operation = match read_only {
        false => FlockOperation::NonBlockingLockExclusive,
        true => FlockOperation::NonBlockingLockShared,
    };
    match rustix::fs::flock(&file, operation) {
        Ok(()) => Ok(Some(file)),
        Err(rustix::io::Errno::WOULDBLOCK) => Err(Error::Locked { directory: directory.to_owned() }),
        Err(errno) => Err(failed(errno.into())),
    }
}

/// Something in the directory that a new registry would have to live beside. Hidden files do not count, nor does what a
/// file system's own check puts into its root.
fn foreign_entry(directory: &Path) -> io::Result<Option<OsString>> {
    for entry in fs::read_dir(directory)? {
        let name = entry?.file_name();
        if name != "lost+found" && !name.to_string_lossy().starts_with('.') {
            return Ok(Some(name));
        }
    }
    Ok(None)
}
