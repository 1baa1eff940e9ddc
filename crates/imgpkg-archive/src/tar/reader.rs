//! Reading an archive: an index of where everything lies, and all manifests and configurations verified in memory;
//! layers stay in the file until they are asked for.

use std::collections::HashMap;
use std::fs::File;
use std::io;
use std::os::unix::fs::{FileExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use futures_util::future::{BoxFuture, FutureExt as _};
use futures_util::stream::{self, BoxStream, StreamExt as _};
use imgpkg_oci::{
    BlobProgress, BlobReader, Descriptor, Digest, ErrorKind, Manifest, Repositories, Repository, Source,
    StoreError, StoreResult, Tag, TagOrDigest, TreeContent,
};

use super::index::TarIndex;
use super::partial::kind;
use super::{MANIFEST_JSON, Span, entry_name, items};
use crate::{Defect, Error, Item};

/// The largest `manifest.json` that is read.
const MAX_MANIFEST_JSON: u64 = 256 * 1024 * 1024;

/// How many bytes of a layer are read at a time. Two such pieces are on their way at once.
const CHUNK_BYTES: u64 = 256 * 1024;

/// An archive opened for reading: a [`Source`] for everything in it, whatever repository it came from. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Archive {
    items: Arc<[Item]>,
    content: Arc<Content>,
}

/// What is in an archive, by digest.
#[derive(Debug)]
struct Content {
    path: PathBuf,
    file: Arc<File>,
    layers: HashMap<Digest, Span>,
    configs: HashMap<Digest, Bytes>,
    manifests: HashMap<Digest, Manifest>,
    tags: HashMap<Tag, Vec<Digest>>,
}

impl Archive {
    /// Opens an archive and proves everything about it that can be proven without reading its layers: manifests and
    /// configurations are the ones their digests stand for, and every layer that has to be there is, in its full size.
    ///
    /// # Errors
    /// [`Error::Open`] and [`Error::NotAFile`] when there is no file to read, [`Error::Defective`] when it is no archive
    /// or is not whole.
    pub async fn open(path: &Path) -> Result<Self, Error> {
        let owned = path.to_owned();
        match tokio::task::spawn_blocking(move || Self::read(owned)).await {
            Ok(archive) => archive,
            Err(_) => Err(Error::Interrupted { path: path.to_owned() }),
        }
    }

    /// The images and indexes at its top level, in the archive's order.
    pub fn items(&self) -> &[Item] {
        &self.items
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.content.path
    }

    /// Does it have this layer's bytes? Only layers that may not be distributed can be absent.
    pub fn has_layer(&self, layer: &Digest) -> bool {
        self.content.layers.contains_key(layer)
    }

    fn read(path: PathBuf) -> Result<Self, Error> {
        let open = |error: io::Error| Error::Open { path: path.clone(), source: error.into() };
        // Without waiting for a writer, should it be a pipe.
        let flags = rustix::fs::OFlags::NONBLOCK.bits().cast_signed();
        let file = File::options().read(true).custom_flags(flags).open(&path).map_err(open)?;
        let metadata = file.metadata().map_err(open)?;
        if let Some(kind) = kind(metadata.file_type()) {
            return Err(Error::NotAFile { path, kind });
        }
        match read_items(&file, metadata.len()) {
            Ok((items, layers)) => {
                let content = Arc::new(Content::new(path, file, layers, &items));
                Ok(Self { items: items.into(), content })
            }
            Err(source) => Err(Error::Defective { path, source }),
        }
    }
}

fn read_items(file: &File, length: u64) -> Result<(Vec<Item>, HashMap<Digest, Span>), Defect> {
    if length == 0 {
        return Err(Defect::Empty);
    }
    let index = TarIndex::read(file, length)?;
    let Some(Span { offset, size }) = index.manifest_json else {
        return Err(Defect::Absent { file: MANIFEST_JSON.to_owned() });
    };
    let limit = MAX_MANIFEST_JSON;
    let Some(size) = usize::try_from(size).ok().filter(|_| size <= limit) else {
        return Err(Defect::TooLarge { size, limit });
    };
    // The entry was found to lie within the file, and below the limit.
    let mut manifest_json = vec![0; size];
    let unreadable = |error: io::Error| Defect::Unreadable { offset, source: error.into() };
    file.read_exact_at(&mut manifest_json, offset).map_err(unreadable)?;
    let items = items::read(&manifest_json)?;
    check_layers(&items, &index.layers)?;
    Ok((items, index.layers))
}

/// Every layer is there in the size that its manifest says, unless it may not be distributed, and is absent.
fn check_layers(items: &[Item], layers: &HashMap<Digest, Span>) -> Result<(), Defect> {
    for item in items {
        for layer in item.tree.layers() {
            let (file, image) = (entry_name(&layer.digest), item.source.to_string());
            match layers.get(&layer.digest) {
                Some(span) if span.size == layer.size => {}
                Some(span) => {
                    let (actual, expected) = (span.size, layer.size);
                    return Err(Defect::LayerSize { file, image, actual, expected });
                }
                None if layer.media_type.is_non_distributable() => {}
                None => return Err(Defect::LayerAbsent { file, image }),
            }
        }
    }
    Ok(())
}

impl Content {
    fn new(path: PathBuf, file: File, layers: HashMap<Digest, Span>, items: &[Item]) -> Self {
        let (mut configs, mut manifests) = (HashMap::new(), HashMap::new());
        let mut tags: HashMap<Tag, Vec<Digest>> = HashMap::new();
        for item in items {
            for tree in item.tree.manifests() {
                manifests.insert(tree.manifest.digest().clone(), tree.manifest.clone());
                if let TreeContent::Image { image, config } = &tree.content {
                    configs.insert(image.config.digest.clone(), config.clone());
                }
            }
            if let Some(tag) = &item.tag {
                let digests = tags.entry(tag.clone()).or_default();
                if !digests.contains(item.tree.manifest.digest()) {
                    digests.push(item.tree.manifest.digest().clone());
                }
            }
        }
        Self { path, file: Arc::new(file), layers, configs, manifests, tags }
    }

    fn find(&self, target: &TagOrDigest) -> StoreResult<&Manifest> {
        let digest = match target {
            TagOrDigest::Digest(digest) => Some(digest),
            TagOrDigest::Tag(tag) => match self.tags.get(tag).map(Vec::as_slice) {
                None => None,
                Some([digest]) => Some(digest),
                Some(_) => {
                    let error = Error::AmbiguousTag { path: self.path.clone(), tag: tag.as_str().to_owned() };
                    return Err(StoreError::new(ErrorKind::Other, error));
                }
            },
        };
        digest.and_then(|digest| self.manifests.get(digest)).ok_or_else(|| {
            let target = target.as_str().to_owned();
            StoreError::new(ErrorKind::NotFound, Error::NoManifest { path: self.path.clone(), target })
        })
    }

    fn open_blob(&self, blob: &Descriptor, from: BlobProgress) -> StoreResult<BlobReader> {
        if let Some(span) = self.layers.get(&blob.digest) {
            let stream = self.stream(*span, from.offset());
            return Ok(BlobReader::resumed(blob.clone(), from, stream));
        }
        if let Some(config) = self.configs.get(&blob.digest) {
            let offset = usize::try_from(from.offset()).unwrap_or(usize::MAX).min(config.len());
            let rest = config.slice(offset..);
            return Ok(BlobReader::resumed(blob.clone(), from, stream::iter([Ok(rest)]).boxed()));
        }
        let source = Defect::Absent { file: entry_name(&blob.digest) };
        let error = Error::Defective { path: self.path.clone(), source };
        Err(StoreError::new(ErrorKind::NotFound, error))
    }

    /// The bytes of a span from an offset on.
    fn stream(&self, span: Span, from: u64) -> BoxStream<'static, io::Result<Bytes>> {
        let (file, end) = (self.file.clone(), span.offset.saturating_add(span.size));
        let start = span.offset.saturating_add(from).min(end);
        let pieces = (0..(end - start).div_ceil(CHUNK_BYTES)).map(move |piece| {
            let offset = start + piece * CHUNK_BYTES;
            (offset, CHUNK_BYTES.min(end - offset))
        });
        stream::iter(pieces)
            .map(move |(offset, size)| {
                let file = file.clone();
                let reading = tokio::task::spawn_blocking(move || {
                    let mut bytes = vec![0; usize::try_from(size).map_err(io::Error::other)?];
                    file.read_exact_at(&mut bytes, offset)?;
                    Ok(Bytes::from(bytes))
                });
                reading.map(|read| read.unwrap_or_else(|stopped| Err(io::Error::other(stopped))))
            })
            .buffered(2)
            .boxed()
    }
}

impl Source for Content {
    fn manifest<'a>(&'a self, target: &'a TagOrDigest) -> BoxFuture<'a, StoreResult<Manifest>> {
        futures_util::future::ready(self.find(target).cloned()).boxed()
    }

    fn resolve<'a>(&'a self, target: &'a TagOrDigest) -> BoxFuture<'a, StoreResult<Digest>> {
        futures_util::future::ready(self.find(target).map(|found| found.digest().clone())).boxed()
    }

    fn blob<'a>(
        &'a self,
        blob: &'a Descriptor,
        from: BlobProgress,
    ) -> BoxFuture<'a, StoreResult<BlobReader>> {
        futures_util::future::ready(self.open_blob(blob, from)).boxed()
    }
}

/// Layers are verified while they are read, everything else when the archive was opened.
impl Source for Archive {
    fn manifest<'a>(&'a self, target: &'a TagOrDigest) -> BoxFuture<'a, StoreResult<Manifest>> {
        self.content.manifest(target)
    }

    fn resolve<'a>(&'a self, target: &'a TagOrDigest) -> BoxFuture<'a, StoreResult<Digest>> {
        self.content.resolve(target)
    }

    fn blob<'a>(
        &'a self,
        blob: &'a Descriptor,
        from: BlobProgress,
    ) -> BoxFuture<'a, StoreResult<BlobReader>> {
        self.content.blob(blob, from)
    }
}

/// The archive stands in for every repository, so that an import asks no registry for anything.
impl Repositories for Archive {
    fn source(&self, _repository: &Repository) -> Arc<dyn Source> {
        self.content.clone()
    }
}

#[cfg(test)]
mod tests;
