//! One repository of a registry, as the copy engine sees it.

use std::fmt;
use std::sync::Arc;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use imgpkg_oci::{
    BlobOpener, BlobProgress, BlobPut, BlobReader, Descriptor, Destination, Digest, Manifest, Repository,
    Source, StoreError, StoreResult, TagOrDigest,
};

use crate::auth::Access;
use crate::download;
use crate::error::Error;
use crate::session::Session;

/// A repository of a registry. Nothing is asked of the registry before the first request.
///
/// A blob that is being read counts among the requests that its host gets at a time, until it has been read to its end
/// or is dropped.
pub struct RepositoryClient {
    session: Arc<Session>,
}

impl RepositoryClient {
    pub(crate) fn new(session: Session) -> Self {
        Self { session: Arc::new(session) }
    }

    /// The repository's name.
    pub fn name(&self) -> &Repository {
        &self.session.repository
    }

    /// All tags, in the order in which the registry lists them.
    ///
    /// # Errors
    /// When the repository is not there or may not be read.
    pub async fn tags(&self) -> Result<Vec<String>, Error> {
        self.session.tags().await
    }
}

impl Source for RepositoryClient {
    fn manifest<'a>(&'a self, target: &'a TagOrDigest) -> BoxFuture<'a, StoreResult<Manifest>> {
        async move { self.session.manifest(target, Access::Pull).await.map_err(StoreError::from) }.boxed()
    }

    fn resolve<'a>(&'a self, target: &'a TagOrDigest) -> BoxFuture<'a, StoreResult<Digest>> {
        async move { self.session.resolve(target, Access::Pull).await.map_err(StoreError::from) }.boxed()
    }

    fn blob<'a>(
        &'a self,
        blob: &'a Descriptor,
        from: BlobProgress,
    ) -> BoxFuture<'a, StoreResult<BlobReader>> {
        async move { download::open(&self.session, blob, from).await.map_err(StoreError::from) }.boxed()
    }

    fn repository(&self) -> Option<&Repository> {
        Some(self.name())
    }
}

impl Destination for RepositoryClient {
    fn existing<'a>(&'a self, target: &'a TagOrDigest) -> BoxFuture<'a, StoreResult<Option<Digest>>> {
        async move { self.session.existing(target, Access::Push).await.map_err(StoreError::from) }.boxed()
    }

    fn is_new(&self) -> BoxFuture<'_, bool> {
        self.session.has_no_tags().boxed()
    }

    fn put_blob<'a>(
        &'a self,
        blob: &'a Descriptor,
        content: &'a dyn BlobOpener,
    ) -> BoxFuture<'a, StoreResult<BlobPut>> {
        async move { self.session.put_blob(blob, content).await.map_err(StoreError::from) }.boxed()
    }

    fn put_manifest<'a>(
        &'a self,
        manifest: &'a Manifest,
        target: &'a TagOrDigest,
    ) -> BoxFuture<'a, StoreResult<()>> {
        async move { self.session.put_manifest(manifest, target).await.map_err(StoreError::from) }.boxed()
    }
}

impl fmt::Debug for RepositoryClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("RepositoryClient").field(self.name()).finish()
    }
}
