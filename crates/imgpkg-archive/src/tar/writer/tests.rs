use std::fs;

use futures_util::future::join_all;
use imgpkg_oci::{BlobProgress, MediaType, Source as _, Tag};

use super::super::fixture::*;
use super::*;
use crate::Archive;

/// An archive's layers, as something to copy from.
struct FromArchive<'a>(&'a Archive, &'a Descriptor);

impl BlobOpener for FromArchive<'_> {
    fn open(&self, from: BlobProgress) -> BoxFuture<'_, StoreResult<BlobReader>> {
        self.0.blob(self.1, from)
    }
}

/// Copies an archive layer by layer, all at once, in an order that depends on the seed.
async fn copied(from: &Path, seed: u64) -> Vec<u8> {
    let archive = Archive::open(from).await.unwrap();
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("copy.tar");
    let mut items = archive.items().to_vec();
    let mut layers: Vec<_> = archive.items().iter().flat_map(|item| item.tree.layers()).collect();
    let by_seed = |digest: &Digest| Digest::sha256_of(format!("{seed}{digest}").as_bytes());
    items.sort_by_key(|item| by_seed(item.source.digest()));
    layers.sort_by_key(|layer| by_seed(&layer.digest));
    let writer = ArchiveWriter::create(&path, &items, WriteOptions::default()).await.unwrap();
    let puts = layers.iter().map(|layer| {
        let writer = writer.clone();
        let content = FromArchive(&archive, layer);
        async move { writer.put_blob(layer, &content).await.unwrap() }
    });
    let sent = join_all(puts).await.into_iter().filter(|put| *put == BlobPut::Sent).count();
    assert_eq!(sent, writer.shared.layout.slots.len());
    assert_eq!(writer.size(), fs::metadata(writer.partial_path()).unwrap().len());
    writer.finish().await.unwrap();
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
    fs::read(path).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_references_archive_is_written_byte_for_byte_in_any_order() {
    let expected = fs::read(nested_bundle()).unwrap();
    assert_eq!(
        Digest::sha256_of(&expected).hex(),
        "002895fa0a829220d0e5299ad51bf0ff9a6ec608667eef205e73713ea3fc870d"
    );
    for seed in 0..8 {
        assert!(copied(&nested_bundle(), seed).await == expected, "order {seed}");
    }
}

#[tokio::test]
async fn indexes_of_indexes_empty_layers_and_repeated_ones_make_the_round_trip() {
    let large = noise(7, 1_000_000);
    let inner = index(vec![image(&[b"", b"x"]), index(vec![image(&[&large])]), image(&[b"", b"x"])]);
    let mut tagged = item("a", index(vec![inner, image(&[b"x", b"x", b""])]));
    tagged.tag = Some(Tag::parse("v1").unwrap());
    tagged.original = Some("example.com/<a>:v1".to_owned());
    let items = vec![tagged, item("b", image(&[&large, b"y"])), item("c", image(&[&large, b"y"]))];
    let tar = written(&items, &[&large, b"y", b"", b"x"]).await;
    let (_directory, path) = file(&tar);
    let archive = Archive::open(&path).await.unwrap();
    let mut read = archive.items().to_vec();
    read.sort_by_key(|item| item.source.repository().to_string());
    assert_eq!(read, items);
    assert!(copied(&path, 1).await == tar);
}

#[tokio::test]
async fn an_archive_cannot_be_finished_without_all_of_its_layers() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("x.tar");
    fs::write(&path, b"old").unwrap();
    let items = [item("a", image(&[b"one", b"two"]))];
    let writer = ArchiveWriter::create(&path, &items, WriteOptions::default()).await.unwrap();
    writer.put_blob(&layer(b"one"), &Memory::new(b"one")).await.unwrap();
    let error = writer.finish().await.unwrap_err();
    assert!(
        error.to_string().contains(&format!(
            "cannot be finished: 1 layers have not been written, {} first",
            Digest::sha256_of(b"two")
        )),
        "{error}"
    );
    assert_eq!(fs::read(&path).unwrap(), b"old");
    assert!(Archive::open(&path).await.is_err(), "the old file is no archive");
}

#[tokio::test]
async fn an_unfinished_archive_is_an_empty_one_to_every_reader() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("x.tar");
    let items = [item("a", image(&[b"one"]))];
    let writer = ArchiveWriter::create(&path, &items, WriteOptions::default()).await.unwrap();
    writer.put_blob(&layer(b"one"), &Memory::new(b"one")).await.unwrap();
    let error = Archive::open(writer.partial_path()).await.unwrap_err();
    assert!(chain(&error).contains("file manifest.json not found in tar"), "{error}");
}

#[tokio::test]
async fn wrong_bytes_never_complete_a_layer_and_right_ones_do_afterwards() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("x.tar");
    let content = noise(8, 600_000);
    let mut flipped = content.clone();
    flipped[300_000] ^= 1;
    let items = [item("a", image(&[&content]))];
    let writer = ArchiveWriter::create(&path, &items, WriteOptions::default()).await.unwrap();
    let blob = layer(&content);
    let error = writer.put_blob(&blob, &Memory::corrupt(&content, &flipped)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corrupt);
    assert!(matches!(writer.clone().finish().await, Err(Error::Incomplete { count: 1, .. })));
    let broken = Memory::breaking(&content, 500_000);
    let error = writer.put_blob(&blob, &broken).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Other);
    assert!(chain(&error).ends_with("bytes: connection reset"), "{}", chain(&error));
    assert_eq!(writer.put_blob(&blob, &Memory::new(&content)).await.unwrap(), BlobPut::Sent);
    assert_eq!(writer.put_blob(&blob, &Memory::new(&content)).await.unwrap(), BlobPut::Present);
    writer.finish().await.unwrap();
    assert!(fs::read(&path).unwrap() == written(&items, &[&content]).await);
}

#[tokio::test]
async fn content_that_is_described_as_something_else_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let items = [item("a", image(&[b"one"]))];
    let writer = ArchiveWriter::create(&directory.path().join("x.tar"), &items, WriteOptions::default())
        .await
        .unwrap();
    for other in [&b"two"[..], b"four"] {
        let error = writer.put_blob(&layer(b"one"), &Memory::new(other)).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Corrupt, "{error}");
    }
}

#[tokio::test]
async fn configurations_and_manifests_are_there_from_the_start() {
    let directory = tempfile::tempdir().unwrap();
    let tree = image(&[]);
    let writer = ArchiveWriter::create(
        &directory.path().join("x.tar"),
        &[item("a", tree.clone())],
        WriteOptions::default(),
    )
    .await
    .unwrap();
    let config = Descriptor::new(MediaType::default(), Digest::sha256_of(b"anything"), 8);
    assert_eq!(writer.put_blob(&config, &Memory::new(b"")).await.unwrap(), BlobPut::Present);
    let target = TagOrDigest::from(Tag::latest());
    assert_eq!(writer.existing(&target).await.unwrap(), None);
    writer.put_manifest(&tree.manifest, &target).await.unwrap();
    let error = writer.put_manifest(&image(&[b"x"]).manifest, &target).await.unwrap_err();
    assert!(error.to_string().contains("is not among the images that the archive"), "{error}");
    writer.finish().await.unwrap();
}

#[tokio::test]
async fn an_image_that_cannot_be_described_leaves_nothing_behind() {
    let directory = tempfile::tempdir().unwrap();
    let items = [item("a", image_with(&[(LAYER, b"x")], "{}"))];
    let error = ArchiveWriter::create(&directory.path().join("x.tar"), &items, WriteOptions::default()).await;
    assert!(matches!(error, Err(Error::Item { .. })));
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 0);
}

#[tokio::test]
async fn layers_that_may_not_be_distributed_are_written_when_wanted() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("x.tar");
    let foreign = [(imgpkg_oci::media_type::DOCKER_FOREIGN_LAYER, &b"foreign"[..])];
    let items = [item("a", image_with(&foreign, r#"{"rootfs":{"diff_ids":["sha256:1"]}}"#))];
    let options = WriteOptions { include_non_distributable: true };
    let writer = ArchiveWriter::create(&path, &items, options).await.unwrap();
    writer.put_blob(&layer(b"foreign"), &Memory::new(b"foreign")).await.unwrap();
    writer.finish().await.unwrap();
    assert!(Archive::open(&path).await.unwrap().has_layer(&Digest::sha256_of(b"foreign")));
}
