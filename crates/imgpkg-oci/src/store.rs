//! Where content is read from and written to. A registry's repository, an archive and a freshly built image are all
//! [`Source`]s; a repository and an archive being written are [`Destination`]s. The copy engine knows only these traits.
//!
//! The traits are used behind `dyn`, hence the boxed futures.

use std::error::Error;
use std::fmt;
use std::sync::Arc;

use futures_util::future::BoxFuture;

use crate::{BlobProgress, BlobReader, Descriptor, Digest, Manifest, Repository, TagOrDigest};

/// What a failure means to the engine, whatever store it comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The store does not have it.
    NotFound,
    /// The store does not let us.
    Denied,
    /// The bytes are not what their digest or their description says.
    Corrupt,
    /// A manifest was refused because something that it refers to is not there.
    MissingContent,
    /// There is no room left.
    Full,
    /// Anything else.
    Other,
}

/// A failure of a store. It prints as the store's own error and keeps that error's causes.
pub struct StoreError {
    kind: ErrorKind,
    error: Box<dyn Error + Send + Sync>,
}

impl StoreError {
    /// A failure of this kind.
    pub fn new(kind: ErrorKind, error: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self { kind, error: error.into() }
    }

    /// What it means.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(f)
    }
}

impl fmt::Debug for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoreError").field("kind", &self.kind).field("error", &self.error).finish()
    }
}

impl Error for StoreError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.error.source()
    }
}

/// The result of asking a store.
pub type StoreResult<T> = Result<T, StoreError>;

/// Where manifests and blobs are read from.
pub trait Source: Send + Sync {
    /// Fetches a manifest. Its bytes are verified where it is asked for by digest.
    fn manifest<'a>(&'a self, target: &'a TagOrDigest) -> BoxFuture<'a, StoreResult<Manifest>>;

    /// The digest that a tag stands for now, or proof that the digest is there. Nothing is downloaded if that can be
    /// avoided.
    fn resolve<'a>(&'a self, target: &'a TagOrDigest) -> BoxFuture<'a, StoreResult<Digest>>;

    /// Opens a blob, at the offset that `from` has reached.
    fn blob<'a>(&'a self, blob: &'a Descriptor, from: BlobProgress)
    -> BoxFuture<'a, StoreResult<BlobReader>>;

    /// The repository it is, where it is one in a registry; its blobs can then be mounted into others there.
    fn repository(&self) -> Option<&Repository> {
        None
    }
}

/// A set of repositories, opened by name: registries, or an archive that stands in for all of them.
pub trait Repositories: Send + Sync {
    /// The repository of this name. It is not contacted before something is asked of it.
    fn source(&self, repository: &Repository) -> Arc<dyn Source>;
}

/// Content on its way to a destination, which can be opened again when a transfer has to be repeated.
pub trait BlobOpener: Send + Sync {
    /// Opens the content at the offset that `from` has reached.
    fn open(&self, from: BlobProgress) -> BoxFuture<'_, StoreResult<BlobReader>>;

    /// A repository that has this blob, so that the same registry can mount it instead of receiving it.
    fn mount_from(&self) -> Option<&Repository> {
        None
    }
}

/// How a blob came to be in its destination.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum BlobPut {
    /// It had been there before.
    Present,
    /// The registry took it over from another of its repositories.
    Mounted,
    /// It was sent.
    Sent,
}

/// Where manifests and blobs are written to.
pub trait Destination: Send + Sync {
    /// The digest that this tag or digest has in the destination now; `None` if it is not there.
    fn existing<'a>(&'a self, target: &'a TagOrDigest) -> BoxFuture<'a, StoreResult<Option<Digest>>>;

    /// Is it certain that no manifest is here yet, so that [`Destination::existing`] need not be asked? In doubt it is not.
    fn is_new(&self) -> BoxFuture<'_, bool> {
        Box::pin(std::future::ready(false))
    }

    /// Makes sure that the destination has this blob, whole and verified.
    fn put_blob<'a>(
        &'a self,
        blob: &'a Descriptor,
        content: &'a dyn BlobOpener,
    ) -> BoxFuture<'a, StoreResult<BlobPut>>;

    /// Writes a manifest, whose blobs and children are there already, under a tag or its own digest.
    fn put_manifest<'a>(
        &'a self,
        manifest: &'a Manifest,
        target: &'a TagOrDigest,
    ) -> BoxFuture<'a, StoreResult<()>>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_store_error_prints_as_the_error_it_carries() {
        let inner = std::io::Error::other("no route");
        let error = StoreError::new(ErrorKind::Other, inner);
        assert_eq!(error.to_string(), "no route");
        assert_eq!(error.kind(), ErrorKind::Other);
    }
}
