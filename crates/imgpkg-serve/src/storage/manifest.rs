//! Manifests, the tags that name them and the referrers that are about them.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use imgpkg_oci::{Digest, Tag, TagOrDigest};

use super::{Staged, Storage, found, remove};
use crate::name::{self, RepositoryName};

/// A manifest to be stored. Its bytes have been verified against its digest.
#[derive(Debug)]
pub(crate) struct NewManifest {
    pub(crate) digest: Digest,
    /// What the client says it is, word for word.
    pub(crate) content_type: String,
    pub(crate) bytes: Bytes,
    /// The blobs and manifests that the repository must have for it.
    pub(crate) needs: Vec<Digest>,
    /// What to list it with where it is about another manifest.
    pub(crate) referrer: Option<Referrer>,
}

/// What a manifest about another one is listed with.
#[derive(Debug, Clone)]
pub(crate) struct Referrer {
    /// The manifest that it is about, which need not exist.
    pub(crate) subject: Digest,
    /// Its descriptor, as JSON.
    pub(crate) descriptor: Vec<u8>,
}

/// A manifest that a repository has.
#[derive(Debug)]
pub(crate) struct FoundManifest {
    pub(crate) digest: Digest,
    pub(crate) content_type: String,
    /// The file with its bytes.
    pub(crate) path: PathBuf,
    /// Its size in bytes.
    pub(crate) size: u64,
}

/// Why a manifest was not stored.
#[derive(Debug)]
pub(crate) enum PutManifestError {
    /// The repository lacks something that the manifest needs.
    Missing(Digest),
    Io(io::Error),
}

impl From<io::Error> for PutManifestError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl Storage {
    /// Stores a manifest and, if it comes with one, sets the tag.
    ///
    /// # Errors
    /// When the repository lacks what the manifest needs, or when the disk says so; then the tag is as it was.
    pub(crate) fn put_manifest(
        &self,
        name: &RepositoryName,
        tag: Option<&Tag>,
        manifest: &NewManifest,
    ) -> Result<(), PutManifestError> {
        let _linking = self.linking();
        for digest in &manifest.needs {
            // An index may list blobs: build caches do.
            if !self.has_blob(name, digest)? && !self.layout.manifest_link(name, digest).try_exists()? {
                return Err(PutManifestError::Missing(digest.clone()));
            }
        }
        let content = self.stage_content(name, manifest)?;
        let tag = match tag {
            Some(tag) => Some(self.stage(self.layout.tag(name, tag), manifest.digest.as_str().as_bytes())?),
            None => None,
        };
        self.durability.sync_files(content.iter().chain(&tag).map(|staged| staged.file.as_file()))?;
        let mut directories = self.directories_of(name, &manifest.needs);
        directories.push(self.layout.blobs(manifest.digest.algorithm()));
        directories.extend(content.iter().map(|staged| parent(&staged.path)));
        content.into_iter().try_for_each(Staged::appear)?;
        self.durability.sync_directories(directories)?;
        if let Some(tag) = tag {
            tag.appear()?;
            self.durability.sync_directories([self.layout.tags(name)])?;
        }
        Ok(())
    }

    /// The files of a manifest, in the order in which they are to appear.
    fn stage_content(&self, name: &RepositoryName, manifest: &NewManifest) -> io::Result<Vec<Staged>> {
        let NewManifest { digest, content_type, bytes, referrer, .. } = manifest;
        let mut staged = Vec::new();
        if !self.has_content(digest, bytes.len() as u64)? {
            staged.push(self.stage(self.layout.blob(digest), bytes)?);
        }
        staged.push(self.stage(self.layout.manifest_link(name, digest), content_type.as_bytes())?);
        if let Some(Referrer { subject, descriptor }) = referrer {
            staged.push(self.stage(self.layout.referrer(name, subject, digest), descriptor)?);
        }
        Ok(staged)
    }

    /// The directories that know a repository's blobs and manifests.
    fn directories_of(&self, name: &RepositoryName, digests: &[Digest]) -> Vec<PathBuf> {
        let of = |digest: &Digest| {
            [
                self.layout.blobs(digest.algorithm()),
                parent(&self.layout.blob_link(name, digest)),
                parent(&self.layout.manifest_link(name, digest)),
            ]
        };
        digests.iter().flat_map(of).collect()
    }

    /// Finds a manifest.
    ///
    /// # Errors
    /// When the disk says so.
    pub(crate) fn find_manifest(
        &self,
        name: &RepositoryName,
        reference: &TagOrDigest,
    ) -> io::Result<Option<FoundManifest>> {
        let digest = match reference {
            TagOrDigest::Digest(digest) => digest.clone(),
            TagOrDigest::Tag(tag) => match self.tagged(name, tag)? {
                Some(digest) => digest,
                None => return Ok(None),
            },
        };
        let Some(content_type) = found(fs::read_to_string(self.layout.manifest_link(name, &digest)))? else {
            return Ok(None);
        };
        let path = self.layout.blob(&digest);
        let metadata = found(fs::metadata(&path))?;
        Ok(metadata.map(|metadata| FoundManifest { digest, content_type, path, size: metadata.len() }))
    }

    fn tagged(&self, name: &RepositoryName, tag: &Tag) -> io::Result<Option<Digest>> {
        let Some(text) = found(fs::read_to_string(self.layout.tag(name, tag)))? else { return Ok(None) };
        Digest::parse(text.trim())
            .map(Some)
            .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))
    }

    /// Removes a tag. Says whether it was there.
    ///
    /// # Errors
    /// When the disk says so.
    pub(crate) fn delete_tag(&self, name: &RepositoryName, tag: &Tag) -> io::Result<bool> {
        remove(&self.layout.tag(name, tag))
    }

    /// Removes a manifest from a repository, with the tags that name it; `subject` is what it was about, if anything.
    /// Says whether it was there.
    ///
    /// # Errors
    /// When the disk says so.
    pub(crate) fn delete_manifest(
        &self,
        name: &RepositoryName,
        digest: &Digest,
        subject: Option<&Digest>,
    ) -> io::Result<bool> {
        let _unlinking = self.unlinking();
        if !remove(&self.layout.manifest_link(name, digest))? {
            return Ok(false);
        }
        for tag in self.tags(name)?.iter().filter_map(|text| name::tag(text)) {
            if self.tagged(name, &tag)?.as_ref() == Some(digest) {
                remove(&self.layout.tag(name, &tag))?;
            }
        }
        if let Some(subject) = subject {
            remove(&self.layout.referrer(name, subject, digest))?;
        }
        self.remove_if_unused(digest)?;
        Ok(true)
    }

    /// The repository's tags, in no particular order.
    ///
    /// # Errors
    /// When the disk says so.
    pub(crate) fn tags(&self, name: &RepositoryName) -> io::Result<Vec<String>> {
        file_names(&self.layout.tags(name))
    }

    /// The descriptors of the manifests that are about another one, as JSON, in the order of their digests.
    ///
    /// # Errors
    /// When the disk says so.
    pub(crate) fn referrers(&self, name: &RepositoryName, subject: &Digest) -> io::Result<Vec<Vec<u8>>> {
        let directory = self.layout.referrers(name, subject);
        let mut names = file_names(&directory)?;
        names.sort_unstable();
        names.iter().filter_map(|name| found(fs::read(directory.join(name))).transpose()).collect()
    }
}

fn parent(path: &Path) -> PathBuf {
    path.parent().map(Path::to_owned).unwrap_or_default()
}

fn file_names(directory: &Path) -> io::Result<Vec<String>> {
    let Some(entries) = found(fs::read_dir(directory))? else { return Ok(Vec::new()) };
    entries.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned())).collect()
}
