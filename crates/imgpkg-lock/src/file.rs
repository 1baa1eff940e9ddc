//! Files: read up to a limit, replaced only when their successor is complete.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use crate::error::{Error, FileError};

/// The largest file that is read, in bytes. A lock of ten thousand images with annotations has a tenth of it.
pub const MAX_BYTES: u64 = 16 << 20;

/// As many links as the system itself follows.
const MAX_LINKS: usize = 40;

/// The content of a file of at most [`MAX_BYTES`].
pub(crate) fn read(path: &Path) -> Result<Vec<u8>, Error> {
    let failed = |operation, error| Error::Read {
        path: path.to_owned(),
        source: FileError::new(operation, path, error),
    };
    let file = File::open(path).map_err(|error| failed("open", error))?;
    let mut bytes = Vec::new();
    file.take(MAX_BYTES + 1).read_to_end(&mut bytes).map_err(|error| failed("read", error))?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err(Error::TooLarge { path: path.to_owned(), limit: MAX_BYTES });
    }
    Ok(bytes)
}

/// Makes `text` the content of a file.
///
/// The text is written beside the file and takes its place when it is safely stored, so that whatever fails leaves the
/// old content. A new file has mode 0600, an old one keeps its mode; a link is followed; what is not a regular file,
/// such as a pipe, is written to.
pub(crate) fn write(path: &Path, text: &str) -> Result<(), Error> {
    let failed = |error: io::Error| {
        let operation = match error.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::PermissionDenied | io::ErrorKind::IsADirectory => "open",
            _ => "write",
        };
        Error::Write { path: path.to_owned(), source: FileError::new(operation, path, error) }
    };
    let target = follow_links(path).map_err(failed)?;
    replace(&target, text).map_err(failed)
}

/// Makes sure, as far as that can be known before, that a document can be written to this path. Nothing is left there.
///
/// # Errors
///
/// [`Error::Write`], as writing would fail: when the directory is not there or takes no new files, or when the path is
/// that of a directory.
pub fn check_writable(path: &Path) -> Result<(), Error> {
    let failed = |error| Error::Write { path: path.to_owned(), source: FileError::new("open", path, error) };
    let target = follow_links(path).map_err(failed)?;
    match fs::metadata(&target) {
        Ok(metadata) if metadata.is_dir() => return Err(failed(io::ErrorKind::IsADirectory.into())),
        // A pipe would be opened, and its reader see an end.
        Ok(metadata) if !metadata.is_file() => return Ok(()),
        Ok(_) | Err(_) => {}
    }
    temporary_beside(&target).map(drop).map_err(failed)
}

fn temporary_beside(target: &Path) -> io::Result<NamedTempFile> {
    tempfile::Builder::new().prefix(".imgpkg-lock-").tempfile_in(directory_of(target))
}

fn follow_links(path: &Path) -> io::Result<PathBuf> {
    let mut target = path.to_owned();
    for _ in 0..MAX_LINKS {
        match fs::read_link(&target) {
            Ok(link) => target = directory_of(&target).join(link),
            Err(_) => return Ok(target),
        }
    }
    Err(io::Error::other("too many levels of symbolic links"))
}

fn directory_of(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

fn replace(target: &Path, text: &str) -> io::Result<()> {
    let existing = match fs::metadata(target) {
        Ok(metadata) if metadata.is_dir() => return Err(io::ErrorKind::IsADirectory.into()),
        Ok(metadata) if !metadata.is_file() => return fs::write(target, text),
        Ok(metadata) => Some(metadata),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => return Err(error),
    };
    let directory = directory_of(target);
    let mut temporary = temporary_beside(target)?;
    temporary.write_all(text.as_bytes())?;
    if let Some(existing) = existing {
        temporary.as_file().set_permissions(existing.permissions())?;
    }
    temporary.as_file().sync_all()?;
    temporary.persist(target).map_err(|failed| failed.error)?;
    sync_directory(directory)
}

/// Makes the renaming as durable as the content. Elsewhere than on Unix a directory cannot be opened for that.
#[cfg(unix)]
fn sync_directory(directory: &Path) -> io::Result<()> {
    File::open(directory)?.sync_all()
}

#[cfg(not(unix))]
fn sync_directory(_directory: &Path) -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests;
