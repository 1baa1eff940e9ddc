//! A directory that nothing can step out of: every path is opened from its handle, name by name, and no link is
//! followed. The kernel does that in one call where it can (`openat2`).

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustix::fs::{AtFlags, Dir, Mode, OFlags};
use rustix::io::Errno;

use super::entry;
use super::staging::Staging;
use crate::Error;
use crate::error::output;

/// The flags to open a directory with, and nothing else that may have its name.
const DIRECTORY: OFlags =
    OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);

/// The flags to make a file with. What is there already is not opened.
const NEW_FILE: OFlags =
    OFlags::WRONLY.union(OFlags::CREATE).union(OFlags::EXCL).union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);

/// The permissions of new directories, before the umask.
const DIRECTORY_MODE: Mode = Mode::from_raw_mode(0o777);

/// A directory that images are extracted into. Cheap to clone; a directory that is still beside its final place lives at
/// least as long as its clones.
#[derive(Debug, Clone)]
pub struct Directory {
    handle: Arc<OwnedFd>,
    path: PathBuf,
    /// What messages call it: where it will be, as the user typed that.
    typed: PathBuf,
    /// Whether files made here belong to root, which may give them away.
    owned_by_root: bool,
    /// Keeps the directory from being cleaned up while somebody writes into it.
    staging: Option<Arc<Staging>>,
}

impl Directory {
    /// Opens a directory that exists.
    ///
    /// # Errors
    /// When there is none, or it is closed to us.
    pub fn open(path: &Path) -> Result<Self, Error> {
        Self::open_called(path, path)
    }

    /// Opens the directory beside an output, which messages call `typed`.
    pub(super) fn open_staged(staging: Arc<Staging>, typed: &Path) -> Result<Self, Error> {
        let directory = Self::open_called(staging.path(), typed)?;
        Ok(Self { staging: Some(staging), ..directory })
    }

    fn open_called(path: &Path, typed: &Path) -> Result<Self, Error> {
        let open = || -> io::Result<_> {
            let handle = File::open(path)?;
            let metadata = handle.metadata()?;
            if !metadata.is_dir() {
                return Err(io::ErrorKind::NotADirectory.into());
            }
            Ok((handle, metadata.uid() == 0))
        };
        let (handle, owned_by_root) = open().map_err(output("open", typed))?;
        let (path, typed) = (path.to_owned(), typed.to_owned());
        Ok(Self { handle: Arc::new(handle.into()), path, typed, owned_by_root, staging: None })
    }

    /// Where it is now. While it is beside its final place, this is the place beside.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What messages call it: the place where it will be, as the user typed that.
    pub fn typed(&self) -> &Path {
        &self.typed
    }

    /// A new, empty directory below this one, with its parents. What had this name is deleted.
    ///
    /// # Errors
    /// When the name is empty or steps out of this directory, or when it cannot be made.
    pub fn subdirectory(&self, relative: &str) -> Result<Self, Error> {
        let (path, typed) = (self.path.join(relative), self.typed.join(relative));
        let make = || -> io::Result<_> {
            let steps = entry::components(relative.as_bytes())
                .map_err(|reason| io::Error::new(io::ErrorKind::InvalidInput, reason))?;
            let (last, parents) = steps.split_last().ok_or(io::ErrorKind::InvalidInput)?;
            let parent = self.make(parents)?;
            remove(&parent, last)?;
            rustix::fs::mkdirat(&parent, *last, DIRECTORY_MODE)?;
            Ok(rustix::fs::openat(&parent, *last, DIRECTORY, Mode::empty())?)
        };
        let handle = make().map_err(output("mkdir", &typed))?;
        let Self { owned_by_root, staging, .. } = self.clone();
        Ok(Self { handle: Arc::new(handle), path, typed, owned_by_root, staging })
    }

    /// Deletes everything that is in it.
    ///
    /// # Errors
    /// When something of it cannot be deleted.
    pub fn clear(&self) -> Result<(), Error> {
        remove_all_in(&*self.handle).map_err(output("unlinkat", &self.typed))
    }

    pub(super) fn owned_by_root(&self) -> bool {
        self.owned_by_root
    }

    /// Opens the directory at these steps, which are made where they are missing; what is in the way is deleted.
    pub(super) fn make(&self, steps: &[&[u8]]) -> io::Result<OwnedFd> {
        if let Some(directory) = self.open_at_once(steps) {
            return Ok(directory);
        }
        let mut directory = self.handle.try_clone()?;
        for step in steps {
            directory = match rustix::fs::openat(&directory, *step, DIRECTORY, Mode::empty()) {
                Ok(next) => next,
                Err(Errno::NOENT) => make_one(&directory, step)?,
                Err(Errno::NOTDIR | Errno::LOOP) => {
                    remove(&directory, step)?;
                    make_one(&directory, step)?
                }
                Err(error) => return Err(error.into()),
            };
        }
        Ok(directory)
    }

    /// Opens the directory at these steps; `None` where there is none.
    pub(super) fn existing(&self, steps: &[&[u8]]) -> io::Result<Option<OwnedFd>> {
        if let Some(directory) = self.open_at_once(steps) {
            return Ok(Some(directory));
        }
        let mut directory = self.handle.try_clone()?;
        for step in steps {
            match open_directory(&directory, step)? {
                Some(next) => directory = next,
                None => return Ok(None),
            }
        }
        Ok(Some(directory))
    }

    /// Leaves the whole path to the kernel. `None` for whatever reason it does not work: going step by step finds out.
    #[cfg(target_os = "linux")]
    fn open_at_once(&self, steps: &[&[u8]]) -> Option<OwnedFd> {
        use rustix::fs::ResolveFlags;

        if steps.is_empty() {
            return None;
        }
        let confined = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS;
        rustix::fs::openat2(&*self.handle, steps.join(&b'/'), DIRECTORY, Mode::empty(), confined).ok()
    }

    #[cfg(not(target_os = "linux"))]
    fn open_at_once(&self, _steps: &[&[u8]]) -> Option<OwnedFd> {
        None
    }
}

fn make_one(parent: &OwnedFd, name: &[u8]) -> io::Result<OwnedFd> {
    rustix::fs::mkdirat(parent, name, DIRECTORY_MODE)?;
    Ok(rustix::fs::openat(parent, name, DIRECTORY, Mode::empty())?)
}

/// Opens a directory in another one; `None` where there is none of that name.
pub(super) fn open_directory(parent: impl AsFd, name: &[u8]) -> io::Result<Option<OwnedFd>> {
    match rustix::fs::openat(parent, name, DIRECTORY, Mode::empty()) {
        Ok(directory) => Ok(Some(directory)),
        Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Makes a file. What had this name before is deleted, whatever it was. True if something was.
pub(super) fn create_file(parent: impl AsFd, name: &[u8], mode: u32) -> io::Result<(File, bool)> {
    // Nine permission bits fit the platform's type everywhere.
    let mode = Mode::from_bits_truncate(mode as _);
    match rustix::fs::openat(parent.as_fd(), name, NEW_FILE, mode) {
        Err(Errno::EXIST) => {
            remove(parent.as_fd(), name)?;
            Ok((rustix::fs::openat(parent, name, NEW_FILE, mode)?.into(), true))
        }
        result => Ok((result?.into(), false)),
    }
}

/// Deletes whatever has this name, a directory with all that is in it. That there is nothing is no error.
pub(super) fn remove(parent: impl AsFd, name: &[u8]) -> io::Result<()> {
    let error = match rustix::fs::unlinkat(parent.as_fd(), name, AtFlags::empty()) {
        Ok(()) | Err(Errno::NOENT) => return Ok(()),
        Err(error) => error,
    };
    let Some(directory) = open_directory(parent.as_fd(), name)? else {
        return Err(error.into());
    };
    remove_all_in(&directory)?;
    Ok(rustix::fs::unlinkat(parent, name, AtFlags::REMOVEDIR)?)
}

/// Deletes everything that is in a directory.
pub(super) fn remove_all_in(directory: impl AsFd) -> io::Result<()> {
    let directory = directory.as_fd();
    names(directory)?.iter().try_for_each(|name| remove(directory, name))
}

/// The names of all that is in a directory.
pub(super) fn names(directory: impl AsFd) -> io::Result<Vec<Vec<u8>>> {
    let mut names = Vec::new();
    for entry in Dir::read_from(directory)? {
        let name = entry?.file_name().to_bytes().to_vec();
        if name != b"." && name != b".." {
            names.push(name);
        }
    }
    Ok(names)
}
