//! The directory that a registry lives in. Calls block; handlers make them off the event loop.
//!
//! ```text
//! imgpkg-serve.lock                                  held while a server runs
//! blobs/<algorithm>/<hex>                            every blob and manifest, once
//! uploads/incoming-…                                 what is not verified yet; emptied at start-up
//! repositories/<name>/_blobs/<algorithm>/<hex>       empty: the repository has this blob
//! repositories/<name>/_manifests/<algorithm>/<hex>   the repository has this manifest; its media type
//! repositories/<name>/_tags/<tag>                    the digest tagged
//! repositories/<name>/_referrers/<subject>/<digest>  the descriptor of a manifest about another one
//! ```
//!
//! A file gets its name by a rename when its content is complete. In a directory that outlives the server a file is synced
//! before that, and the directories are synced before a manifest is confirmed: what a confirmed manifest needs survives a
//! crash of the machine. No component of a repository's name starts with an underscore, so names and links never meet.

mod blob;
mod durable;
mod layout;
mod lock;
mod manifest;
mod repository;

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use imgpkg_oci::Algorithm;
use tempfile::NamedTempFile;

pub(crate) use blob::OpenBlob;
use durable::Durability;
use layout::{INCOMING_PREFIX, Layout};
pub(crate) use manifest::{FoundManifest, NewManifest, PutManifestError, Referrer};

use crate::Error;

/// The directory that a registry lives in.
#[derive(Debug)]
pub(crate) struct Storage {
    layout: Layout,
    durability: Durability,
    /// Held for reading while links are made, for writing while they are removed and unused content with them.
    links: RwLock<()>,
    /// The open lock file: the lock is held as long as this lives.
    _lock: Option<File>,
}

impl Storage {
    /// Opens a directory that outlives the server. Unless it is only read, it is made if it is missing, and what earlier
    /// servers left in the middle of uploads is removed.
    ///
    /// # Errors
    /// When another server has it, when it holds something else, when it is no directory, or when it cannot be used.
    pub(crate) fn open(directory: &Path, read_only: bool) -> Result<Self, Error> {
        let failed = |action| {
            move |error: io::Error| Error::Storage {
                action,
                path: directory.to_owned(),
                source: error.into(),
            }
        };
        if fs::metadata(directory).is_ok_and(|metadata| !metadata.is_dir()) {
            return Err(Error::NotADirectory { path: directory.to_owned() });
        }
        if !read_only {
            fs::create_dir_all(directory).map_err(failed("creating the directory"))?;
        }
        let lock = lock::acquire(directory, read_only)?;
        let storage = Self::over(directory, true, lock);
        if !read_only {
            storage.create_directories().map_err(failed("preparing the directory"))?;
            storage.remove_stale_uploads().map_err(failed("removing unfinished uploads in"))?;
        }
        Ok(storage)
    }

    /// Uses an empty directory that nobody else knows of and that goes with the server.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(crate) fn open_temporary(directory: &Path) -> Result<Self, Error> {
        let storage = Self::over(directory, false, None);
        storage.create_directories().map_err(|error| Error::Storage {
            action: "preparing the directory",
            path: directory.to_owned(),
            source: error.into(),
        })?;
        Ok(storage)
    }

    fn over(directory: &Path, durable: bool, lock: Option<File>) -> Self {
        let durability = Durability::new(directory, durable);
        Self { layout: Layout::new(directory), durability, links: RwLock::new(()), _lock: lock }
    }

    fn create_directories(&self) -> io::Result<()> {
        for algorithm in [Algorithm::Sha256, Algorithm::Sha512] {
            fs::create_dir_all(self.layout.blobs(algorithm))?;
        }
        fs::create_dir_all(self.layout.uploads())?;
        fs::create_dir_all(self.layout.repositories())
    }

    fn remove_stale_uploads(&self) -> io::Result<()> {
        for entry in fs::read_dir(self.layout.uploads())? {
            let entry = entry?;
            if entry.file_name().to_string_lossy().starts_with(INCOMING_PREFIX) {
                fs::remove_file(entry.path())?;
            }
        }
        Ok(())
    }

    /// A new, empty file that has no name a client could ask for. It is removed unless it is given one.
    ///
    /// # Errors
    /// When it cannot be made.
    pub(crate) fn incoming(&self) -> io::Result<NamedTempFile> {
        let mut failure = None;
        let made = tempfile::Builder::new().prefix(INCOMING_PREFIX).rand_bytes(24).make_in(
            self.layout.uploads(),
            |path| {
                // With the usual mode of a new file instead of one for the owner alone.
                let opened = OpenOptions::new().read(true).write(true).create_new(true).open(path);
                opened.map_err(|error| {
                    let kind = error.kind();
                    failure = Some(error);
                    kind.into()
                })
            },
        );
        // The system's own error, without the path that it is wrapped with: clients are told what it says.
        made.map_err(|error| failure.unwrap_or(error))
    }

    /// Writes a small file that is to be at `path`.
    fn stage(&self, path: PathBuf, content: &[u8]) -> io::Result<Staged> {
        let mut file = self.incoming()?;
        file.write_all(content)?;
        Ok(Staged { file, path })
    }

    fn linking(&self) -> RwLockReadGuard<'_, ()> {
        // The lock guards files, which a panic elsewhere has not left half-changed.
        self.links.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn unlinking(&self) -> RwLockWriteGuard<'_, ()> {
        self.links.write().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A file that is written and does not have its name yet.
struct Staged {
    file: NamedTempFile,
    path: PathBuf,
}

impl Staged {
    /// Gives the file its name, in place of what has it.
    fn appear(self) -> io::Result<()> {
        create_parent(&self.path)?;
        self.file.persist(&self.path).map_err(|failed| failed.error)?;
        Ok(())
    }
}

fn create_parent(path: &Path) -> io::Result<()> {
    path.parent().map_or(Ok(()), fs::create_dir_all)
}

/// Removes a file; was it there?
fn remove(path: &Path) -> io::Result<bool> {
    found(fs::remove_file(path)).map(|removed| removed.is_some())
}

/// Nothing, where a file or directory does not exist.
fn found<T>(result: io::Result<T>) -> io::Result<Option<T>> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests;
