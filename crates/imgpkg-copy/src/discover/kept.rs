//! Layers that discovery had to read anyway, and that are small enough to be kept until they are sent.

use std::collections::HashMap;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use imgpkg_archive::Item;
use imgpkg_oci::{
    BlobProgress, BlobReader, Descriptor, Digest, Manifest, Repository, Source, StoreResult, TagOrDigest,
};

use super::ImageSet;

/// The bundles' layers that are in memory.
pub(crate) struct KeptLayers(Arc<HashMap<Digest, Bytes>>);

impl KeptLayers {
    /// Those of the set's bundle and of all that is nested in it.
    pub(crate) fn of(set: &ImageSet) -> Self {
        let bundles = set.bundle.as_ref().map(|bundle| bundle.all()).unwrap_or_default();
        let layers = bundles.iter().filter_map(|bundle| {
            let digest = bundle.tree.layers().next()?.digest.clone();
            Some((digest, bundle.layer.clone()?))
        });
        Self(Arc::new(layers.collect()))
    }

    /// Is this layer one of them?
    pub(crate) fn has(&self, layer: &Digest) -> bool {
        self.0.contains_key(layer)
    }

    /// Where an item's layers are read from: from memory, if that is where they are.
    pub(crate) fn source(&self, set: &ImageSet, item: &Item) -> Arc<dyn Source> {
        let source = set.repositories.source(item.source.repository());
        match item.tree.layers().any(|layer| self.has(&layer.digest)) {
            true => Arc::new(KeptSource { layers: self.0.clone(), source }),
            false => source,
        }
    }
}

/// A source of which some layers are in memory.
struct KeptSource {
    layers: Arc<HashMap<Digest, Bytes>>,
    source: Arc<dyn Source>,
}

impl Source for KeptSource {
    fn manifest<'a>(&'a self, target: &'a TagOrDigest) -> BoxFuture<'a, StoreResult<Manifest>> {
        self.source.manifest(target)
    }

    fn resolve<'a>(&'a self, target: &'a TagOrDigest) -> BoxFuture<'a, StoreResult<Digest>> {
        self.source.resolve(target)
    }

    fn blob<'a>(
        &'a self,
        blob: &'a Descriptor,
        from: BlobProgress,
    ) -> BoxFuture<'a, StoreResult<BlobReader>> {
        match self.layers.get(&blob.digest) {
            Some(bytes) => Box::pin(std::future::ready(Ok(BlobReader::of_bytes(blob.clone(), bytes, from)))),
            None => self.source.blob(blob, from),
        }
    }

    fn repository(&self) -> Option<&Repository> {
        self.source.repository()
    }
}
