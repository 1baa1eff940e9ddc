//! The image that was built, which everything that reads images can read from.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Write as _};
use std::os::unix::fs::FileExt as _;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use futures_util::stream::BoxStream;
use futures_util::{FutureExt as _, StreamExt as _};
use imgpkg_formats::{gzip, tar};
use imgpkg_oci::{
    BlobProgress, BlobReader, Descriptor, Digest, ErrorKind, ImageManifest, Manifest, ManifestTree,
    MediaType, Source, StoreError, StoreResult, TagOrDigest, TreeContent, media_type,
};

use super::contents::{Contents, ImageKind};
use super::{layer, manifest};
use crate::Error;

/// The label that marks a bundle. No user can set it.
pub const BUNDLE_LABEL: &str = "dev.carvel.imgpkg.bundle";

/// How much of the layer is read from disk at once.
const CHUNK: u64 = 256 * 1024;

/// An image of one layer, made of files. It is a [`Source`] of its manifest, its configuration and its layer.
///
/// The layer is in an unnamed temporary file, which is gone with the last copy of this value; cloning is cheap.
#[derive(Debug, Clone)]
pub struct BuiltImage {
    manifest: Manifest,
    config_descriptor: Descriptor,
    config: Bytes,
    layer: Descriptor,
    layer_bytes: LayerBytes,
}

#[derive(Debug, Clone)]
enum LayerBytes {
    Memory(Bytes),
    File(Arc<File>),
}

/// Refuses labels that would make an image pass for something that it is not.
///
/// # Errors
/// [`Error::ReservedLabel`] when there is such a label.
pub fn refuse_reserved_labels(labels: &BTreeMap<String, String>) -> Result<(), Error> {
    if labels.contains_key(BUNDLE_LABEL) {
        return Err(Error::ReservedLabel { key: BUNDLE_LABEL });
    }
    Ok(())
}

impl BuiltImage {
    /// Builds the image. Files are read once, and memory does not depend on their sizes.
    ///
    /// It reads and compresses until it is done, so asynchronous code calls it where blocking is allowed. `labels` are
    /// those that the user wants; a bundle gets its own in addition.
    ///
    /// # Errors
    /// When a label is reserved, when a file cannot be read or changes meanwhile, or when there is no room for the layer.
    pub fn build(contents: &Contents, mut labels: BTreeMap<String, String>) -> Result<Self, Error> {
        refuse_reserved_labels(&labels)?;
        if contents.kind() == ImageKind::Bundle {
            labels.insert(BUNDLE_LABEL.to_owned(), "true".to_owned());
        }
        let layer = layer::write(contents.entries())?;
        let bytes = LayerBytes::File(Arc::new(layer.file));
        Ok(Self::describe(bytes, layer.digest, layer.size, &layer.diff_id, &labels))
    }

    /// Builds a small plain image in memory: its root directory, and files given as name, content and Unix mode.
    ///
    /// ```
    /// let image = imgpkg_bundle::build::BuiltImage::from_entries(&[("motd", b"hello", 0o600)])?;
    /// assert_eq!(image.layer().digest, image.tree().layers().next().expect("one layer").digest);
    /// # Ok::<(), imgpkg_bundle::Error>(())
    /// ```
    ///
    /// # Errors
    /// When a name is none that a tar can hold.
    pub fn from_entries(entries: &[(&str, &[u8], u32)]) -> Result<Self, Error> {
        let root = tar::Entry::directory(".", tar::Mode::DIRECTORY);
        let mut archive = root.header().map_err(unrepresentable("."))?;
        for &(name, content, mode) in entries {
            let size = content.len() as u64;
            let entry = tar::Entry::file(name, tar::Mode::owner(mode), size);
            archive.extend(entry.header().map_err(unrepresentable(name))?);
            archive.extend_from_slice(content);
            archive.resize(archive.len() + tar::padding(size), 0);
        }
        archive.extend_from_slice(&tar::END);
        let layer = Bytes::from(compressed(&archive));
        let digest = Digest::sha256_of(&layer);
        let size = layer.len() as u64;
        let diff_id = Digest::sha256_of(&archive);
        Ok(Self::describe(LayerBytes::Memory(layer), digest, size, &diff_id, &BTreeMap::new()))
    }

    fn describe(
        layer_bytes: LayerBytes,
        digest: Digest,
        size: u64,
        diff_id: &Digest,
        labels: &BTreeMap<String, String>,
    ) -> Self {
        let layer = Descriptor::new(MediaType::new(media_type::DOCKER_LAYER), digest, size);
        let config = Bytes::from(manifest::config(diff_id, labels));
        let config_descriptor = Descriptor::new(
            MediaType::new(media_type::DOCKER_CONFIG),
            Digest::sha256_of(&config),
            config.len() as u64,
        );
        let manifest = Bytes::from(manifest::manifest(&config_descriptor, &layer));
        let manifest = Manifest::new(manifest, media_type::DOCKER_MANIFEST);
        Self { manifest, config_descriptor, config, layer, layer_bytes }
    }

    /// The manifest.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// The image's digest, which is its manifest's.
    pub fn digest(&self) -> &Digest {
        self.manifest.digest()
    }

    /// The bytes of the configuration.
    pub fn config(&self) -> &Bytes {
        &self.config
    }

    /// The layer.
    pub fn layer(&self) -> &Descriptor {
        &self.layer
    }

    /// The manifest and what hangs below it, as it would be fetched from a registry.
    pub fn tree(&self) -> ManifestTree {
        let image = ImageManifest {
            config: self.config_descriptor.clone(),
            layers: vec![self.layer.clone()],
            subject: None,
        };
        let content = TreeContent::Image { image: Box::new(image), config: self.config.clone() };
        ManifestTree { manifest: self.manifest.clone(), content }
    }

    fn read_layer(&self, from: BlobProgress) -> BlobReader {
        match &self.layer_bytes {
            LayerBytes::Memory(bytes) => read_memory(&self.layer, bytes, from),
            LayerBytes::File(file) => {
                let stream = file_from(file.clone(), from.offset(), self.layer.size);
                BlobReader::resumed(self.layer.clone(), from, stream)
            }
        }
    }
}

/// Makes an error out of what is wrong with an entry of that name.
fn unrepresentable(name: &str) -> impl FnOnce(tar::Error) -> Error {
    let path = name.into();
    move |source| Error::Unrepresentable { path, source }
}

fn compressed(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = gzip::Encoder::new(Vec::new());
    #[expect(
        clippy::expect_used,
        reason = "the encoder fails only where its writer does, and a vector never does"
    )]
    encoder.write_all(bytes).and_then(|()| encoder.finish()).expect("a vector takes all bytes")
}

fn read_memory(descriptor: &Descriptor, bytes: &Bytes, from: BlobProgress) -> BlobReader {
    let offset = usize::try_from(from.offset()).map_or(bytes.len(), |offset| offset.min(bytes.len()));
    let rest = bytes.slice(offset..);
    BlobReader::resumed(descriptor.clone(), from, futures_util::stream::once(async { Ok(rest) }).boxed())
}

/// The file's content from an offset on. Each piece is read where blocking is allowed.
fn file_from(file: Arc<File>, offset: u64, size: u64) -> BoxStream<'static, io::Result<Bytes>> {
    futures_util::stream::try_unfold(offset, move |offset| {
        let file = file.clone();
        async move {
            let wanted = size.saturating_sub(offset).min(CHUNK);
            if wanted == 0 {
                return Ok(None);
            }
            let read = tokio::task::spawn_blocking(move || read_at(&file, offset, wanted));
            let piece = read.await.map_err(io::Error::other)??;
            let next = offset + piece.len() as u64;
            Ok((!piece.is_empty()).then_some((piece, next)))
        }
    })
    .boxed()
}

fn read_at(file: &File, offset: u64, wanted: u64) -> io::Result<Bytes> {
    // At most a chunk, so the cast keeps the value.
    let mut piece = vec![0; wanted as usize];
    let count = loop {
        match file.read_at(&mut piece, offset) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            result => break result?,
        }
    };
    piece.truncate(count);
    Ok(piece.into())
}

impl Source for BuiltImage {
    fn manifest<'a>(&'a self, target: &'a TagOrDigest) -> BoxFuture<'a, StoreResult<Manifest>> {
        async move {
            match target {
                TagOrDigest::Digest(digest) if digest == self.digest() => Ok(self.manifest.clone()),
                _ => Err(absent(target.as_str())),
            }
        }
        .boxed()
    }

    fn resolve<'a>(&'a self, target: &'a TagOrDigest) -> BoxFuture<'a, StoreResult<Digest>> {
        async move { Ok(Source::manifest(self, target).await?.digest().clone()) }.boxed()
    }

    fn blob<'a>(
        &'a self,
        blob: &'a Descriptor,
        from: BlobProgress,
    ) -> BoxFuture<'a, StoreResult<BlobReader>> {
        let reader = if blob.digest == self.layer.digest {
            Ok(self.read_layer(from))
        } else if blob.digest == self.config_descriptor.digest {
            Ok(read_memory(&self.config_descriptor, &self.config, from))
        } else {
            Err(absent(blob.digest.as_str()))
        };
        async move { reader }.boxed()
    }
}

fn absent(wanted: &str) -> StoreError {
    StoreError::new(ErrorKind::NotFound, Error::Absent { wanted: wanted.to_owned() })
}
