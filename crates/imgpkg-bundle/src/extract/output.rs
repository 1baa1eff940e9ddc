//! The directory that a pull writes: made beside its final place, and moved there when it is whole.

use std::fs::{self, FileType};
use std::io;
use std::os::unix::fs::FileTypeExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::directory::Directory;
use super::forbidden::Protected;
use super::staging::{self, Staging};
use super::swap;
use crate::Error;
use crate::error::output;

/// An output directory in the making.
///
/// It is filled through [`OutputDirectory::directory`] and appears with [`OutputDirectory::commit`]. If it is dropped
/// before that, what was made is deleted, and what was there before stays as it was.
#[derive(Debug)]
pub struct OutputDirectory {
    directory: Directory,
    staging: Arc<Staging>,
    location: PathBuf,
    typed: PathBuf,
}

impl OutputDirectory {
    /// Prepares the replacement of `path`, with an empty directory in the same parent directory. Missing parents are
    /// made. `home` is the user's home directory, if there is one. What pulls to the same output that were killed have
    /// left beside it is deleted.
    ///
    /// Only a directory or a link can be replaced. The reference replaces whatever is there (section 8.2 of its
    /// description), so that a mistyped file is lost and a device becomes a directory.
    ///
    /// # Errors
    /// [`Error::DisallowedOutput`] when `path` is the root, the home directory, the current directory, or contains one of
    /// them, under whatever name; [`Error::OutputNotADirectory`] when it is a file, a device, a pipe or a socket;
    /// otherwise when the parent directory cannot be written to.
    pub fn prepare(path: &Path, home: Option<&Path>) -> Result<Self, Error> {
        let protected = Protected { current: std::env::current_dir().ok(), home: home.map(Path::to_owned) };
        let location = protected.location(path)?;
        check_kind(&location, path)?;
        let staging = Arc::new(Staging::create(&location, path)?);
        let directory = Directory::open_staged(staging.clone(), path)?;
        Ok(Self { directory, staging, location, typed: path.to_owned() })
    }

    /// The directory to fill.
    pub fn directory(&self) -> &Directory {
        &self.directory
    }

    /// Puts the directory into its place, and deletes what was there before: a directory with all that is in it, or a
    /// link.
    ///
    /// # Errors
    /// When that fails; then everything is as it was before, except for [`Error::OldOutput`].
    pub fn commit(self) -> Result<(), Error> {
        let Self { staging, location, typed, .. } = &self;
        check_kind(location, typed)?;
        let lock = staging::lock(location);
        let old = swap::replace(staging.path(), location).map_err(|error| match error.kind() {
            io::ErrorKind::ResourceBusy => Error::OutputBusy { path: typed.clone() },
            _ => output("rename", typed)(error),
        })?;
        staging.set_done();
        let removed = match &old {
            None => Ok(()),
            Some(old) => swap::remove(old),
        };
        drop(lock);
        removed.map_err(|error| Error::OldOutput {
            output: typed.clone(),
            old: old.unwrap_or_default(),
            source: error.into(),
        })
    }
}

/// Refuses what must not be replaced by a directory.
fn check_kind(location: &Path, typed: &Path) -> Result<(), Error> {
    // What cannot be looked at cannot be replaced either, which has its own error.
    let kind = fs::symlink_metadata(location).ok().and_then(|metadata| irreplaceable(metadata.file_type()));
    kind.map_or(Ok(()), |kind| Err(Error::OutputNotADirectory { path: typed.to_owned(), kind }))
}

/// What something is, with an article, that is neither a directory nor a link.
fn irreplaceable(kind: FileType) -> Option<&'static str> {
    if kind.is_dir() || kind.is_symlink() {
        None
    } else if kind.is_file() {
        Some("a file")
    } else if kind.is_fifo() {
        Some("a pipe")
    } else if kind.is_socket() {
        Some("a socket")
    } else {
        Some("a device")
    }
}
