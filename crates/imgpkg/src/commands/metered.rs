//! Repositories that tell about every blob that is read from them, for commands that read without the copy engine.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use futures_util::future::{BoxFuture, FutureExt as _};
use imgpkg_copy::{Event, Listener};
use imgpkg_oci::{
    BlobProgress, BlobPut, BlobReader, Descriptor, Digest, Manifest, Repositories, Repository, Source,
    StoreResult, TagOrDigest,
};

/// The repositories that are read from, and who is told.
pub(super) struct Metered {
    inner: Arc<dyn Repositories>,
    listener: Listener,
}

impl Metered {
    /// The same repositories; `listener` is told when a blob is begun, with every piece of it that comes, and when all
    /// of it has come.
    pub(super) fn new(inner: Arc<dyn Repositories>, listener: Listener) -> Self {
        Self { inner, listener }
    }
}

impl Repositories for Metered {
    fn source(&self, repository: &Repository) -> Arc<dyn Source> {
        Arc::new(MeteredSource { inner: self.inner.source(repository), listener: self.listener.clone() })
    }
}

struct MeteredSource {
    inner: Arc<dyn Source>,
    listener: Listener,
}

impl Source for MeteredSource {
    fn manifest<'a>(&'a self, target: &'a TagOrDigest) -> BoxFuture<'a, StoreResult<Manifest>> {
        self.inner.manifest(target)
    }

    fn resolve<'a>(&'a self, target: &'a TagOrDigest) -> BoxFuture<'a, StoreResult<Digest>> {
        self.inner.resolve(target)
    }

    fn blob<'a>(
        &'a self,
        blob: &'a Descriptor,
        from: BlobProgress,
    ) -> BoxFuture<'a, StoreResult<BlobReader>> {
        async move {
            let begun = Instant::now();
            let (digest, size) = (blob.digest.clone(), blob.size);
            let come = AtomicU64::new(from.offset());
            (self.listener)(Event::BlobStarted { digest: digest.clone(), size });
            let reader = self.inner.blob(blob, from).await?;
            let listener = self.listener.clone();
            Ok(reader.observed(Arc::new(move |bytes| {
                listener(Event::BlobAdvanced { digest: digest.clone(), bytes });
                if come.fetch_add(bytes, Ordering::Relaxed) + bytes == size {
                    let (digest, elapsed) = (digest.clone(), begun.elapsed());
                    listener(Event::BlobDone { digest, size, put: BlobPut::Sent, elapsed });
                }
            })))
        }
        .boxed()
    }

    fn repository(&self) -> Option<&Repository> {
        self.inner.repository()
    }
}
