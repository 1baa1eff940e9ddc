//! A lock file of either kind, as `copy --lock` takes it.

use std::path::Path;

use crate::bundle_lock::BundleLock;
use crate::error::Error;
use crate::file;
use crate::images_lock::ImagesLock;

/// A lock file of either kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AnyLock {
    /// It names a bundle.
    Bundle(BundleLock),
    /// It lists images.
    Images(ImagesLock),
}

impl AnyLock {
    /// Reads a lock file's bytes: as a BundleLock, and if it is none, as an ImagesLock.
    ///
    /// # Errors
    ///
    /// When it is neither; the chain says why it is no ImagesLock.
    pub fn parse(bytes: &[u8]) -> Result<Self, Error> {
        Self::parse_named(bytes, None)
    }

    /// Reads a lock file.
    ///
    /// # Errors
    ///
    /// As [`AnyLock::parse`], and when the file cannot be read or is larger than [`crate::MAX_BYTES`].
    pub fn read(path: &Path) -> Result<Self, Error> {
        let bytes = file::read(path).map_err(|source| Error::Any { source: Box::new(source) })?;
        Self::parse_named(&bytes, Some(path))
    }

    fn parse_named(bytes: &[u8], path: Option<&Path>) -> Result<Self, Error> {
        if let Ok(lock) = BundleLock::parse_named(bytes, path) {
            return Ok(Self::Bundle(lock));
        }
        match ImagesLock::parse_named(bytes, path) {
            Ok(lock) => Ok(Self::Images(lock)),
            Err(source) => Err(Error::Any { source: Box::new(source) }),
        }
    }

    /// The document as the reference writes it.
    #[must_use]
    pub fn to_yaml(&self) -> String {
        match self {
            Self::Bundle(lock) => lock.to_yaml(),
            Self::Images(lock) => lock.to_yaml(),
        }
    }

    /// Writes the document to a file, as [`BundleLock::write`] and [`ImagesLock::write`] do.
    ///
    /// # Errors
    ///
    /// When the file cannot be written.
    pub fn write(&self, path: &Path) -> Result<(), Error> {
        file::write(path, &self.to_yaml())
    }
}

#[cfg(test)]
mod tests;
