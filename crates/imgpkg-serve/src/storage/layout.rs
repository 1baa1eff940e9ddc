//! Which file is where. Everything that goes into a path here is a checked name, tag or digest.

use std::path::{Path, PathBuf};

use imgpkg_oci::{Algorithm, Digest, Tag};

use crate::name::RepositoryName;

/// What the names of files start with that are being written.
pub(crate) const INCOMING_PREFIX: &str = "incoming-";

/// The directories of one repository that hold its links.
pub(crate) const BLOB_LINKS: &str = "_blobs";
pub(crate) const MANIFEST_LINKS: &str = "_manifests";
const TAGS: &str = "_tags";
const REFERRERS: &str = "_referrers";

/// Where everything is in a registry's directory.
#[derive(Debug)]
pub(crate) struct Layout {
    root: PathBuf,
}

impl Layout {
    pub(crate) fn new(root: &Path) -> Self {
        Self { root: root.to_owned() }
    }

    pub(crate) fn uploads(&self) -> PathBuf {
        self.root.join("uploads")
    }

    pub(crate) fn repositories(&self) -> PathBuf {
        self.root.join("repositories")
    }

    pub(crate) fn blobs(&self, algorithm: Algorithm) -> PathBuf {
        self.root.join("blobs").join(algorithm.name())
    }

    pub(crate) fn blob(&self, digest: &Digest) -> PathBuf {
        self.blobs(digest.algorithm()).join(digest.hex())
    }

    pub(crate) fn repository(&self, name: &RepositoryName) -> PathBuf {
        self.repositories().join(name.as_str())
    }

    pub(crate) fn blob_link(&self, name: &RepositoryName, digest: &Digest) -> PathBuf {
        self.repository(name).join(BLOB_LINKS).join(digest.algorithm().name()).join(digest.hex())
    }

    pub(crate) fn manifest_link(&self, name: &RepositoryName, digest: &Digest) -> PathBuf {
        self.repository(name).join(MANIFEST_LINKS).join(digest.algorithm().name()).join(digest.hex())
    }

    pub(crate) fn tags(&self, name: &RepositoryName) -> PathBuf {
        self.repository(name).join(TAGS)
    }

    pub(crate) fn tag(&self, name: &RepositoryName, tag: &Tag) -> PathBuf {
        self.tags(name).join(tag.as_str())
    }

    pub(crate) fn referrers(&self, name: &RepositoryName, subject: &Digest) -> PathBuf {
        self.repository(name).join(REFERRERS).join(file_name(subject))
    }

    pub(crate) fn referrer(&self, name: &RepositoryName, subject: &Digest, digest: &Digest) -> PathBuf {
        self.referrers(name, subject).join(file_name(digest))
    }
}

fn file_name(digest: &Digest) -> String {
    format!("{}-{}", digest.algorithm().name(), digest.hex())
}
