//! A store in memory, for tests: it keeps what it is given, and the order in which it was given.

use std::collections::{HashMap, HashSet};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::{BoxFuture, FutureExt as _};
use imgpkg_oci::{
    BlobOpener, BlobProgress, BlobPut, BlobReader, Descriptor, Destination, Digest, DigestReference,
    Document, ErrorKind, Manifest, ManifestTree, Source, StoreError, StoreResult, TagOrDigest, TreeContent,
    media_type,
};

#[derive(Default)]
pub(crate) struct Memory {
    pub(crate) blobs: Mutex<HashMap<Digest, Bytes>>,
    pub(crate) manifests: Mutex<HashMap<String, Manifest>>,
    /// What was written, in order.
    pub(crate) log: Mutex<Vec<String>>,
    /// What was asked for by `existing`.
    pub(crate) asked: Mutex<Vec<String>>,
    /// The blobs that were opened for reading, in order.
    opened: Mutex<Vec<Digest>>,
    pub(crate) most_at_once: AtomicUsize,
    at_once: AtomicUsize,
    pub(crate) refused: Mutex<HashSet<Digest>>,
    /// Manifests whose blobs are lost, once, when they are written.
    pub(crate) lost: Mutex<HashSet<Digest>>,
}

impl Memory {
    pub(crate) fn holding(blobs: &[&'static [u8]]) -> Self {
        let memory = Self::default();
        for blob in blobs {
            memory.blobs.lock().unwrap().insert(Digest::sha256_of(blob), Bytes::from_static(blob));
        }
        memory
    }

    pub(crate) fn read(&self) -> Vec<Digest> {
        self.opened.lock().unwrap().clone()
    }

    pub(crate) fn log(&self) -> Vec<String> {
        self.log.lock().unwrap().clone()
    }
}

fn not_found(what: &str) -> StoreError {
    StoreError::new(ErrorKind::NotFound, format!("{what} is not here"))
}

impl Source for Memory {
    fn manifest<'a>(&'a self, target: &'a TagOrDigest) -> BoxFuture<'a, StoreResult<Manifest>> {
        let found = self.manifests.lock().unwrap().get(target.as_str()).cloned();
        std::future::ready(found.ok_or_else(|| not_found(target.as_str()))).boxed()
    }

    fn resolve<'a>(&'a self, target: &'a TagOrDigest) -> BoxFuture<'a, StoreResult<Digest>> {
        async move { Ok(self.manifest(target).await?.digest().clone()) }.boxed()
    }

    fn blob<'a>(
        &'a self,
        blob: &'a Descriptor,
        from: BlobProgress,
    ) -> BoxFuture<'a, StoreResult<BlobReader>> {
        self.opened.lock().unwrap().push(blob.digest.clone());
        let found = self.blobs.lock().unwrap().get(&blob.digest).cloned();
        let reader = found.map(|bytes| BlobReader::of_bytes(blob.clone(), &bytes, from));
        std::future::ready(reader.ok_or_else(|| not_found(blob.digest.as_str()))).boxed()
    }
}

impl Destination for Memory {
    fn existing<'a>(&'a self, target: &'a TagOrDigest) -> BoxFuture<'a, StoreResult<Option<Digest>>> {
        self.asked.lock().unwrap().push(target.as_str().to_owned());
        let found =
            self.manifests.lock().unwrap().get(target.as_str()).map(|manifest| manifest.digest().clone());
        std::future::ready(Ok(found)).boxed()
    }

    fn is_new(&self) -> BoxFuture<'_, bool> {
        let is_new = self.manifests.lock().unwrap().is_empty();
        std::future::ready(is_new).boxed()
    }

    fn put_blob<'a>(
        &'a self,
        blob: &'a Descriptor,
        content: &'a dyn BlobOpener,
    ) -> BoxFuture<'a, StoreResult<BlobPut>> {
        async move {
            let at_once = self.at_once.fetch_add(1, Ordering::SeqCst) + 1;
            self.most_at_once.fetch_max(at_once, Ordering::SeqCst);
            tokio::time::sleep(Duration::from_millis(2)).await;
            self.at_once.fetch_sub(1, Ordering::SeqCst);
            if self.refused.lock().unwrap().contains(&blob.digest) {
                return Err(StoreError::new(ErrorKind::Denied, "denied"));
            }
            let reader = content.open(BlobProgress::start(&blob.digest)).await?;
            let bytes =
                reader.collect(u64::MAX).await.map_err(|error| StoreError::new(ErrorKind::Corrupt, error))?;
            self.blobs.lock().unwrap().insert(blob.digest.clone(), bytes);
            self.log.lock().unwrap().push(blob.digest.to_string());
            Ok(BlobPut::Sent)
        }
        .boxed()
    }

    fn put_manifest<'a>(
        &'a self,
        manifest: &'a Manifest,
        target: &'a TagOrDigest,
    ) -> BoxFuture<'a, StoreResult<()>> {
        let mut lost = self.lost.lock().unwrap();
        if let Some(blob) = lost.take(manifest.digest()) {
            self.blobs.lock().unwrap().clear();
            let error =
                StoreError::new(ErrorKind::MissingContent, format!("the blobs of {blob} are not here"));
            return std::future::ready(Err(error)).boxed();
        }
        self.log.lock().unwrap().push(target.as_str().to_owned());
        let mut manifests = self.manifests.lock().unwrap();
        manifests.insert(target.as_str().to_owned(), manifest.clone());
        manifests.insert(manifest.digest().to_string(), manifest.clone());
        std::future::ready(Ok(())).boxed()
    }
}

/// An image of these layers.
pub(crate) fn image(config: &'static [u8], layers: &[(&str, &'static [u8])]) -> ManifestTree {
    let described = |media_type: &str, bytes: &[u8]| {
        format!(
            r#"{{"mediaType":"{media_type}","digest":"{}","size":{}}}"#,
            Digest::sha256_of(bytes),
            bytes.len()
        )
    };
    let layers: Vec<_> = layers.iter().map(|(media_type, bytes)| described(media_type, bytes)).collect();
    let json = format!(
        r#"{{"schemaVersion":2,"config":{},"layers":[{}]}}"#,
        described(media_type::OCI_CONFIG, config),
        layers.join(",")
    );
    let manifest = Manifest::new(json.into(), media_type::OCI_MANIFEST);
    let Document::Image(image) = manifest.parse().unwrap() else { panic!("an image") };
    ManifestTree {
        manifest,
        content: TreeContent::Image { image: Box::new(image), config: Bytes::from_static(config) },
    }
}

/// An index of these manifests.
pub(crate) fn index(children: Vec<ManifestTree>) -> ManifestTree {
    let listed: Vec<_> = children
        .iter()
        .map(|child| {
            let Descriptor { media_type, digest, size, .. } = child.manifest.descriptor();
            format!(r#"{{"mediaType":"{media_type}","digest":"{digest}","size":{size}}}"#)
        })
        .collect();
    let json = format!(r#"{{"schemaVersion":2,"manifests":[{}]}}"#, listed.join(","));
    ManifestTree {
        manifest: Manifest::new(json.into(), media_type::OCI_INDEX),
        content: TreeContent::Index { children },
    }
}

/// The reference that an image has in a test.
pub(crate) fn name(tree: &ManifestTree) -> DigestReference {
    DigestReference::parse(&format!("registry.example/app@{}", tree.manifest.digest())).unwrap()
}

/// A layer's media type.
pub(crate) const LAYER: &str = "application/vnd.oci.image.layer.v1.tar+gzip";
