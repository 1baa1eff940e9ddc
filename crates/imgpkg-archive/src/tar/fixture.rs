//! Images, archives and content for the tests of this crate.

use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use bytes::Bytes;
use futures_util::future::{BoxFuture, FutureExt as _};
use futures_util::stream::{self, StreamExt as _};
use imgpkg_formats::tar::{END, Entry, Mode, padding};
use imgpkg_oci::{
    BlobOpener, BlobProgress, BlobReader, Descriptor, Destination, Digest, Document, Manifest, ManifestTree,
    MediaType, Repository, StoreResult, TreeContent, media_type,
};

use crate::{Archive, ArchiveWriter, Defect, Error, Item, WriteOptions};

pub(crate) const LAYER: &str = "application/vnd.oci.image.layer.v1.tar+gzip";

/// The archive that the reference made.
pub(crate) fn nested_bundle() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/golden/tar/nested-bundle.tar")
}

/// An image with these layers.
pub(crate) fn image(layers: &[&[u8]]) -> ManifestTree {
    let typed: Vec<_> = layers.iter().map(|layer| (LAYER, *layer)).collect();
    let diff_ids: Vec<_> = layers.iter().map(|layer| format!("\"{}\"", Digest::sha256_of(layer))).collect();
    image_with(&typed, &format!(r#"{{"rootfs":{{"diff_ids":[{}]}}}}"#, diff_ids.join(",")))
}

/// An image with these layers, each with its media type, and this configuration.
pub(crate) fn image_with(layers: &[(&str, &[u8])], config: &str) -> ManifestTree {
    let layers: Vec<_> = layers.iter().map(|(media_type, layer)| json_of(media_type, layer)).collect();
    let json = format!(
        r#"{{"schemaVersion":2,"config":{},"layers":[{}]}}"#,
        json_of(media_type::OCI_CONFIG, config.as_bytes()),
        layers.join(",")
    );
    let manifest = Manifest::new(json.into(), media_type::OCI_MANIFEST);
    let Document::Image(image) = manifest.parse().unwrap() else { panic!("an image") };
    let config = Bytes::copy_from_slice(config.as_bytes());
    ManifestTree { manifest, content: TreeContent::Image { image: Box::new(image), config } }
}

/// An index of these children.
pub(crate) fn index(children: Vec<ManifestTree>) -> ManifestTree {
    let listed: Vec<_> = children
        .iter()
        .map(|child| json_of(child.manifest.media_type().as_str(), child.manifest.bytes()))
        .collect();
    let json = format!(r#"{{"schemaVersion":2,"manifests":[{}]}}"#, listed.join(","));
    let manifest = Manifest::new(json.into(), media_type::OCI_INDEX);
    ManifestTree { manifest, content: TreeContent::Index { children } }
}

fn json_of(media_type: &str, content: &[u8]) -> String {
    format!(
        r#"{{"mediaType":"{media_type}","digest":"{}","size":{}}}"#,
        Digest::sha256_of(content),
        content.len()
    )
}

/// An item of this repository at `localhost:5000/test`.
pub(crate) fn item(repository: &str, tree: ManifestTree) -> Item {
    let repository = Repository::parse(&format!("localhost:5000/test/{repository}")).unwrap();
    Item::new(repository.at(tree.manifest.digest().clone()), tree)
}

pub(crate) fn layer(content: &[u8]) -> Descriptor {
    Descriptor::new(MediaType::new(LAYER), Digest::sha256_of(content), content.len() as u64)
}

/// A tar of these entries.
pub(crate) fn tar(entries: &[(&str, &[u8])]) -> Vec<u8> {
    let mut tar = Vec::new();
    for (name, content) in entries {
        tar.extend(Entry::file(*name, Mode::ARCHIVE, content.len() as u64).header().unwrap());
        tar.extend_from_slice(content);
        tar.resize(tar.len() + padding(content.len() as u64), 0);
    }
    tar.extend_from_slice(&END);
    tar
}

/// A file with this content, and what keeps it there.
pub(crate) fn file(content: &[u8]) -> (tempfile::TempDir, PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("x.tar");
    std::fs::write(&path, content).unwrap();
    (directory, path)
}

/// An archive with this content, opened.
pub(crate) async fn open(content: &[u8]) -> Result<Archive, Error> {
    let (_directory, path) = file(content);
    Archive::open(&path).await
}

/// What is wrong with an archive of this content.
pub(crate) async fn defect(content: &[u8]) -> Defect {
    match open(content).await {
        Err(Error::Defective { source, .. }) => source,
        Err(other) => panic!("not about the content: {other}"),
        Ok(_) => panic!("an archive without defect"),
    }
}

/// An error with its causes, as the command line prints it.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        text = format!("{text}: {cause}");
        next = cause.source();
    }
    text
}

/// Content in memory, handed out in small pieces; it records the offsets it was opened at.
pub(crate) struct Memory {
    content: Vec<u8>,
    piece: usize,
    /// After how many bytes the stream breaks, where it does.
    breaks_at: Option<usize>,
    pub(crate) opened_at: Mutex<Vec<u64>>,
    blob: Descriptor,
}

impl Memory {
    pub(crate) fn new(content: &[u8]) -> Self {
        Self {
            content: content.to_vec(),
            piece: 1000,
            breaks_at: None,
            opened_at: Mutex::default(),
            blob: layer(content),
        }
    }

    /// A stream that breaks after so many bytes.
    pub(crate) fn breaking(content: &[u8], breaks_at: usize) -> Self {
        Self { breaks_at: Some(breaks_at), ..Self::new(content) }
    }

    /// Other bytes than the ones announced.
    pub(crate) fn corrupt(announced: &[u8], content: &[u8]) -> Self {
        Self { blob: layer(announced), ..Self::new(content) }
    }
}

impl BlobOpener for Memory {
    fn open(&self, from: BlobProgress) -> BoxFuture<'_, StoreResult<BlobReader>> {
        self.opened_at.lock().unwrap().push(from.offset());
        let offset = usize::try_from(from.offset()).unwrap();
        let end = self.breaks_at.unwrap_or(self.content.len());
        let mut pieces: Vec<io::Result<Bytes>> = self.content[offset..end]
            .chunks(self.piece)
            .map(|piece| Ok(Bytes::copy_from_slice(piece)))
            .collect();
        if self.breaks_at.is_some() {
            pieces.push(Err(io::Error::other("connection reset")));
        }
        let reader = BlobReader::resumed(self.blob.clone(), from, stream::iter(pieces).boxed());
        futures_util::future::ready(Ok(reader)).boxed()
    }
}

/// Writes an archive of these items and layers.
pub(crate) async fn written(items: &[Item], layers: &[&[u8]]) -> Vec<u8> {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("x.tar");
    let writer = ArchiveWriter::create(&path, items, WriteOptions::default()).await.unwrap();
    for content in layers {
        writer.put_blob(&layer(content), &Memory::new(content)).await.unwrap();
    }
    writer.finish().await.unwrap();
    std::fs::read(path).unwrap()
}

/// Bytes that do not repeat, the same for the same seed.
pub(crate) fn noise(seed: u64, length: usize) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut bytes = Vec::with_capacity(length);
    while bytes.len() < length {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes.extend_from_slice(&state.to_le_bytes());
    }
    bytes.truncate(length);
    bytes
}

/// The JSON of `manifest.json` for these items, to be spoilt by a test.
pub(crate) fn manifest_json(items: &[Item]) -> String {
    String::from_utf8(super::document::write(items).unwrap()).unwrap()
}

/// The entry name of a layer with this content.
pub(crate) fn entry(content: &[u8]) -> String {
    super::entry_name(&Digest::sha256_of(content))
}

/// All manifests of the items by digest, with how often each occurs.
pub(crate) fn manifests(items: &[Item]) -> HashMap<Digest, usize> {
    let mut counted = HashMap::new();
    for tree in items.iter().flat_map(|item| item.tree.manifests()) {
        *counted.entry(tree.manifest.digest().clone()).or_default() += 1;
    }
    counted
}
