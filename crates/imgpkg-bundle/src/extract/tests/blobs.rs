//! Layers that are verified while they are applied.

use std::io::{self, Write as _};
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures_util::StreamExt as _;
use imgpkg_oci::{BlobError, BlobReader, Descriptor, Digest, MediaType};
use tar::EntryType;

use super::{Place, Tar};
use crate::Error;
use crate::extract::{Directory, Extraction, OutputDirectory, with_blocking_reader};

fn gzip(content: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}

/// A reader of `content` that claims to be the blob `announced`, in pieces of seven bytes.
fn blob(content: &[u8], announced: &[u8]) -> BlobReader {
    let descriptor =
        Descriptor::new(MediaType::default(), Digest::sha256_of(announced), announced.len() as u64);
    let pieces: Vec<io::Result<Bytes>> =
        content.chunks(7).map(|piece| Ok(Bytes::copy_from_slice(piece))).collect();
    BlobReader::new(descriptor, futures_util::stream::iter(pieces).boxed())
}

#[tokio::test]
async fn a_layer_is_applied_while_it_arrives() {
    let place = Place::new();
    let layer = gzip(&Tar::default().file("a", "1").entry("l", EntryType::Symlink, b"").bytes());
    let extraction = Extraction::new(Directory::open(&place.output).unwrap());
    let extraction = extraction.apply_blob(blob(&layer, &layer)).await.unwrap();
    assert_eq!(extraction.skipped(), 1);
    assert_eq!(place.found(), ["a=1"]);
}

#[tokio::test]
async fn what_follows_the_tar_counts_for_the_digest() {
    let layer = Tar::default().file("a", "1").bytes();
    let padded = [&layer[..], &[0; 5000]].concat();
    let place = Place::new();
    let extraction = Extraction::new(Directory::open(&place.output).unwrap());
    let extraction = extraction.apply_blob(blob(&padded, &padded)).await.unwrap();

    let mut changed = padded.clone();
    changed[6000] = 1;
    let error = extraction.apply_blob(blob(&changed, &padded)).await.unwrap_err();
    assert!(matches!(&error, Error::LayerContent { source: BlobError::Checksum { .. }, .. }), "{error}");
}

#[tokio::test]
async fn a_damaged_layer_is_reported_as_damaged_even_when_it_cannot_be_unpacked() {
    let layer = gzip(&Tar::default().file("a", &"some text ".repeat(1000)).bytes());
    let mut damaged = layer.clone();
    damaged[layer.len() / 2] ^= 0xff;
    let place = Place::new();
    let extraction = Extraction::new(Directory::open(&place.output).unwrap());
    let error = extraction.apply_blob(blob(&damaged, &layer)).await.unwrap_err();
    assert!(matches!(&error, Error::LayerContent { source: BlobError::Checksum { .. }, .. }), "{error}");
}

#[tokio::test]
async fn a_layer_that_is_what_it_should_be_but_no_tar_is_a_format_error() {
    let place = Place::new();
    for content in [&b"\x28\xb5\x2f\xfdzstd"[..], b"\x1f\x8bgzip", b"text"] {
        let extraction = Extraction::new(Directory::open(&place.output).unwrap());
        let error = extraction.apply_blob(blob(content, content)).await.unwrap_err();
        assert!(matches!(error, Error::LayerFormat { .. }), "{error}");
    }
}

#[tokio::test]
async fn a_document_is_read_from_a_blob_only_when_the_blob_is_right() {
    let content = gzip(b"document");
    let read = |content: &mut dyn io::Read| {
        let mut start = [0; 3];
        content.read_exact(&mut start).map(|()| start)
    };
    let start = with_blocking_reader(blob(&content, &content), read).await.unwrap().unwrap();
    assert_eq!(&start, b"doc");
    let error = with_blocking_reader(blob(&content[1..], &content), read).await.unwrap_err();
    assert!(matches!(error, BlobError::Size { .. }), "{error}");
}

#[tokio::test]
async fn a_pull_that_is_cancelled_leaves_nothing_once_its_thread_has_stopped() {
    let root = tempfile::tempdir().unwrap();
    let output = OutputDirectory::prepare(&root.path().join("output"), None).unwrap();
    let extraction = Extraction::new(output.directory().clone());
    let layer = Tar::default().file("a", "1").bytes();
    let start = futures_util::stream::once(async move { Ok(Bytes::from(layer)) });
    let endless = start.chain(futures_util::stream::pending()).boxed();
    let descriptor = Descriptor::new(MediaType::default(), Digest::sha256_of(b"longer"), 1 << 20);
    let applying = extraction.apply_blob(BlobReader::new(descriptor, endless));
    tokio::time::timeout(Duration::from_millis(50), applying).await.unwrap_err();
    drop(output);
    let deadline = Instant::now() + Duration::from_secs(10);
    while std::fs::read_dir(root.path()).unwrap().next().is_some() {
        assert!(Instant::now() < deadline, "the directory beside the output is still there");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
