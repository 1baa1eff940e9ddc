//! Blobs: stored once, linked into every repository that has them.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::Path;

use imgpkg_oci::Digest;
use tempfile::TempPath;

use super::{Storage, create_parent, found, remove};
use crate::name::RepositoryName;

/// A blob opened for reading. It can be read to its end even if it is deleted meanwhile.
#[derive(Debug)]
pub(crate) struct OpenBlob {
    pub(crate) file: File,
    /// Its size in bytes.
    pub(crate) size: u64,
}

impl Storage {
    /// Opens a blob that the repository has.
    ///
    /// # Errors
    /// When the disk says so.
    pub(crate) fn open_blob(&self, name: &RepositoryName, digest: &Digest) -> io::Result<Option<OpenBlob>> {
        if !self.has_blob(name, digest)? {
            return Ok(None);
        }
        let Some(file) = found(File::open(self.layout.blob(digest)))? else { return Ok(None) };
        let size = file.metadata()?.len();
        Ok(Some(OpenBlob { file, size }))
    }

    /// Does the repository have the blob?
    ///
    /// # Errors
    /// When the disk says so.
    pub(crate) fn has_blob(&self, name: &RepositoryName, digest: &Digest) -> io::Result<bool> {
        self.layout.blob_link(name, digest).try_exists()
    }

    /// Gives a blob its name and the repository a link to it. The bytes have been verified, `size` is their number.
    ///
    /// # Errors
    /// When the disk says so; then the repository does not have the blob.
    pub(crate) fn store_blob(
        &self,
        name: &RepositoryName,
        digest: &Digest,
        content: TempPath,
        size: u64,
    ) -> io::Result<()> {
        let _linking = self.linking();
        if !self.has_content(digest, size)? {
            self.durability.sync_files([&File::open(&content)?])?;
            content.persist(self.layout.blob(digest)).map_err(|failed| failed.error)?;
        }
        self.link_blob(name, digest)
    }

    /// Links a blob of another repository. Says whether that has it.
    ///
    /// # Errors
    /// When the disk says so.
    pub(crate) fn mount_blob(
        &self,
        from: &RepositoryName,
        to: &RepositoryName,
        digest: &Digest,
    ) -> io::Result<bool> {
        let _linking = self.linking();
        if !self.has_blob(from, digest)? || !self.layout.blob(digest).try_exists()? {
            return Ok(false);
        }
        self.link_blob(to, digest)?;
        Ok(true)
    }

    /// Removes a blob from a repository. Says whether it was there.
    ///
    /// # Errors
    /// When the disk says so.
    pub(crate) fn delete_blob(&self, name: &RepositoryName, digest: &Digest) -> io::Result<bool> {
        let _unlinking = self.unlinking();
        let removed = remove(&self.layout.blob_link(name, digest))?;
        if removed {
            self.remove_if_unused(digest)?;
        }
        Ok(removed)
    }

    /// Is this content where its digest says already?
    pub(super) fn has_content(&self, digest: &Digest, size: u64) -> io::Result<bool> {
        Ok(found(fs::metadata(self.layout.blob(digest)))?.is_some_and(|present| present.len() == size))
    }

    fn link_blob(&self, name: &RepositoryName, digest: &Digest) -> io::Result<()> {
        let link = self.layout.blob_link(name, digest);
        create_parent(&link)?;
        touch(&link)
    }

    /// Removes content that no repository has a link to any more. The caller keeps new links from being made.
    pub(super) fn remove_if_unused(&self, digest: &Digest) -> io::Result<()> {
        for name in self.repositories()? {
            if self.has_blob(&name, digest)? || self.layout.manifest_link(&name, digest).try_exists()? {
                return Ok(());
            }
        }
        remove(&self.layout.blob(digest))?;
        Ok(())
    }
}

fn touch(path: &Path) -> io::Result<()> {
    OpenOptions::new().create(true).truncate(false).write(true).open(path)?;
    Ok(())
}
