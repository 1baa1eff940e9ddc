//! The directory that a pull writes: made beside its final place, and moved there when it is whole.

use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::directory::Directory;
use super::forbidden::Protected;
use super::swap;
use crate::Error;
use crate::error::output;

/// How much of the output's name is in the name of the directory beside it; names of 255 bytes are the longest.
const MAX_NAME: usize = 50;

/// An output directory in the making.
///
/// It is filled through [`OutputDirectory::directory`] and appears with [`OutputDirectory::commit`]. If it is dropped
/// before that, what was made is deleted, and what was there before stays as it was.
#[derive(Debug)]
pub struct OutputDirectory {
    directory: Directory,
    staging: Arc<Staging>,
    location: PathBuf,
}

/// The directory beside the output, which is deleted when nobody uses it any more.
#[derive(Debug)]
pub(super) struct Staging {
    path: PathBuf,
    /// The parents of the output that did not exist before, outermost first.
    parents: Vec<PathBuf>,
    is_done: AtomicBool,
}

impl OutputDirectory {
    /// Prepares the replacement of `path`, with an empty directory in the same parent directory. Missing parents are
    /// made. `home` is the user's home directory, if there is one.
    ///
    /// # Errors
    /// [`Error::DisallowedOutput`] when `path` is the root, the home directory, the current directory, or contains one of
    /// them, under whatever name; otherwise when the parent directory cannot be written to.
    pub fn prepare(path: &Path, home: Option<&Path>) -> Result<Self, Error> {
        let protected = Protected { current: std::env::current_dir().ok(), home: home.map(Path::to_owned) };
        let location = protected.location(path)?;
        let staging = Arc::new(Staging::create(&location)?);
        let directory = Directory::open_staged(&staging.path, Some(staging.clone()))?;
        Ok(Self { directory, staging, location })
    }

    /// The directory to fill.
    pub fn directory(&self) -> &Directory {
        &self.directory
    }

    /// Where the directory will be.
    pub fn location(&self) -> &Path {
        &self.location
    }

    /// Puts the directory into its place, and deletes what was there before: a directory with all that is in it, a link,
    /// or a file.
    ///
    /// # Errors
    /// When that fails; then everything is as it was before, except for [`Error::OldOutput`].
    pub fn commit(self) -> Result<(), Error> {
        let old = swap::replace(&self.staging.path, &self.location)
            .map_err(output("replacing output directory", &self.location))?;
        self.staging.is_done.store(true, Ordering::Release);
        match old {
            None => Ok(()),
            Some(old) => swap::remove(&old).map_err(|source| Error::OldOutput {
                output: self.location.clone(),
                old,
                source,
            }),
        }
    }
}

impl Staging {
    fn create(location: &Path) -> Result<Self, Error> {
        let parent = location.parent().unwrap_or(Path::new("/"));
        let missing: Vec<_> = parent.ancestors().take_while(|path| !path.exists()).collect();
        let mut staging = Self { path: PathBuf::new(), parents: Vec::new(), is_done: AtomicBool::new(false) };
        for path in missing.into_iter().rev() {
            match fs::create_dir(path) {
                Ok(()) => staging.parents.push(path.to_owned()),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists && path.is_dir() => {}
                Err(error) => return Err(output("creating directory", path)(error)),
            }
        }
        let name = location.file_name().unwrap_or_default().to_string_lossy();
        let end = (0..=MAX_NAME.min(name.len())).rev().find(|end| name.is_char_boundary(*end)).unwrap_or(0);
        staging.path = tempfile::Builder::new()
            .prefix(&format!(".{}.imgpkg-", &name[..end]))
            .permissions(Permissions::from_mode(0o777))
            .tempdir_in(parent)
            .map_err(output("creating a temporary directory in", parent))?
            .keep();
        Ok(staging)
    }
}

impl Drop for Staging {
    fn drop(&mut self) {
        if *self.is_done.get_mut() {
            return;
        }
        // Best effort: whatever led here is the error that matters, and the name says what it is.
        if !self.path.as_os_str().is_empty() {
            let _ignored = fs::remove_dir_all(&self.path);
        }
        for parent in self.parents.iter().rev() {
            let _ignored = fs::remove_dir(parent);
        }
    }
}
