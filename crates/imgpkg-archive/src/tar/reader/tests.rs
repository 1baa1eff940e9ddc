//! Reading whole archives, and using them as a source.

use imgpkg_oci::{Digest, DigestReference};

use super::super::fixture::*;
use super::*;

const ROOT: &str = "sha256:f3d4f013bfe85af92feae7bb8db08932af08a215bad6c4d33b65b6429647f045";
const INDEX: &str = "sha256:c6b79d328b03fb4c72e0451adecbb0e0104261996f4a8ebec5505c6ba894884a";

fn digest(text: &str) -> TagOrDigest {
    Digest::parse(text).unwrap().into()
}

#[tokio::test]
async fn the_references_archive_is_read_whole() {
    let archive = Archive::open(&nested_bundle()).await.unwrap();
    assert_eq!(archive.items().len(), 8);
    let roots: Vec<_> = archive.items().iter().filter(|item| item.root_bundle).collect();
    let [root] = roots[..] else { panic!("one root") };
    assert_eq!(root.source, DigestReference::parse(&format!("localhost:5117/vec/outer@{ROOT}")).unwrap());
    assert_eq!(root.tag.as_ref().map(Tag::as_str), Some("2.0"));
    assert_eq!(root.original.as_deref(), Some(root.source.to_string().as_str()));
    assert!(root.labels.is_empty());
    assert!(archive.items().iter().filter(|item| !item.root_bundle).all(|item| item.tag.is_none()));
    let indexes = archive.items().iter().filter(|item| item.tree.manifest.media_type().is_index());
    assert_eq!(indexes.count(), 2);
    assert_eq!(manifests(archive.items()).len(), 12);
}

#[tokio::test]
async fn manifests_children_and_tags_are_found_in_any_repository() {
    let archive = Archive::open(&nested_bundle()).await.unwrap();
    let source = archive.source(&Repository::parse("elsewhere.example/x/y").unwrap());
    for digest in manifests(archive.items()).keys() {
        let target = TagOrDigest::from(digest.clone());
        let manifest = source.manifest(&target).await.unwrap();
        assert!(digest.matches(manifest.bytes()));
        assert_eq!(source.resolve(&target).await.unwrap(), *digest);
    }
    assert!(source.manifest(&digest(INDEX)).await.unwrap().media_type().is_index());
    let tag = Tag::parse("2.0").unwrap().into();
    assert_eq!(source.resolve(&tag).await.unwrap().as_str(), ROOT);
    assert!(source.repository().is_none());
}

#[tokio::test]
async fn what_an_archive_does_not_have_is_not_found() {
    let archive = Archive::open(&nested_bundle()).await.unwrap();
    let absent = TagOrDigest::from(Digest::sha256_of(b"absent"));
    let error = archive.manifest(&absent).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert!(error.to_string().contains("nested-bundle.tar' has no manifest sha256:"), "{error}");
    let error = archive.resolve(&Tag::latest().into()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    let error =
        archive.blob(&layer(b"absent"), BlobProgress::start(&layer(b"absent").digest)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    let text = chain(&error);
    let expected = format!("file {} not found in tar (hint: This may be because", entry(b"absent"));
    assert!(text.contains(&expected), "{text}");
}

#[tokio::test]
async fn every_layer_and_configuration_streams_verified() {
    let archive = Archive::open(&nested_bundle()).await.unwrap();
    let mut read = 0;
    for tree in archive.items().iter().flat_map(|item| item.tree.manifests()) {
        let TreeContent::Image { image, config } = &tree.content else { continue };
        for blob in image.layers.iter().chain([&image.config]) {
            let reader = archive.blob(blob, BlobProgress::start(&blob.digest)).await.unwrap();
            let content = reader.collect(1 << 20).await.unwrap();
            assert!(blob.digest != image.config.digest || content == config);
            read += 1;
        }
    }
    assert_eq!(read, 30);
}

#[tokio::test]
async fn a_blob_is_continued_from_any_offset() {
    let content = noise(1, 700_000);
    let archive = open(&written(&[item("a", image(&[&content]))], &[&content]).await).await.unwrap();
    let blob = layer(&content);
    for offset in [0, 1, 262_143, 262_144, 262_145, 699_999, 700_000] {
        let mut from = BlobProgress::start(&blob.digest);
        from.advance(&content[..offset]);
        let rest = archive.blob(&blob, from).await.unwrap().collect(1 << 20).await.unwrap();
        assert!(rest == content[offset..], "from {offset}");
    }
}

#[tokio::test]
async fn a_layer_that_was_changed_fails_at_its_end() {
    let content = noise(2, 300_000);
    let mut tar = written(&[item("a", image(&[&content]))], &[&content]).await;
    let end = tar.len();
    tar[end - 2000] ^= 1;
    let archive = open(&tar).await.unwrap();
    let blob = layer(&content);
    let mut reader = archive.blob(&blob, BlobProgress::start(&blob.digest)).await.unwrap();
    let error = loop {
        match reader.next().await {
            Ok(chunk) => assert!(chunk.is_some(), "an error before the end"),
            Err(error) => break error,
        }
    };
    assert!(error.to_string().starts_with("error verifying sha256 checksum"), "{error}");
}

#[tokio::test]
async fn a_file_cut_while_it_is_read_is_a_broken_stream() {
    let content = noise(3, 600_000);
    let (_directory, path) = file(&written(&[item("a", image(&[&content]))], &[&content]).await);
    let archive = Archive::open(&path).await.unwrap();
    File::options().write(true).open(&path).unwrap().set_len(400_000).unwrap();
    let blob = layer(&content);
    let reader = archive.blob(&blob, BlobProgress::start(&blob.digest)).await.unwrap();
    assert!(reader.collect(1 << 20).await.unwrap_err().is_broken_stream());
}

#[tokio::test]
async fn manifest_json_may_stand_anywhere_and_the_first_one_counts() {
    let items = [item("a", image(&[b"one", b"two"]))];
    let json = manifest_json(&items);
    let (one, two) = (entry(b"one"), entry(b"two"));
    let archive = open(&tar(&[
        ("x/manifest.json", b"{}"),
        (&two, b"two"),
        ("readme", b"hello"),
        ("manifest.json", json.as_bytes()),
        ("manifest.json", b"broken"),
        (&one, b"one"),
        (&one, b"another"),
    ]))
    .await
    .unwrap();
    assert_eq!(archive.items(), items);
    let blob = layer(b"one");
    let reader = archive.blob(&blob, BlobProgress::start(&blob.digest)).await.unwrap();
    assert_eq!(&reader.collect(9).await.unwrap()[..], b"one");
}

#[tokio::test]
async fn an_archive_of_nothing_has_no_items() {
    assert!(open(&tar(&[("manifest.json", b"null")])).await.unwrap().items().is_empty());
    assert!(open(&tar(&[("manifest.json", b"[]")])).await.unwrap().items().is_empty());
}

#[tokio::test]
async fn old_archives_without_tag_origin_and_labels_are_read() {
    let items = [item("a", image(&[b"one"]))];
    let json = manifest_json(&items);
    let old = json.replace(r#","Tag":"","OrigRef":"","Labels":null"#, "").replace("\"Refs\"", "\"REFS\"");
    assert!(!old.contains("Labels"));
    let archive = open(&tar(&[("manifest.json", old.as_bytes()), (&entry(b"one"), b"one")])).await.unwrap();
    assert_eq!(archive.items(), items);
}

#[tokio::test]
async fn the_first_usable_reference_counts() {
    let items = [item("a", image(&[]))];
    let json = manifest_json(&items).replace(r#""Refs":["#, r#""Refs":["not a reference","a:latest","#);
    let archive = open(&tar(&[("manifest.json", json.as_bytes())])).await.unwrap();
    assert_eq!(archive.items(), items);
}

#[tokio::test]
async fn a_tag_of_two_images_has_to_be_replaced_by_a_digest() {
    let tagged = |content| Item { tag: Some(Tag::latest()), ..item("a", image(&[content])) };
    let (one, two) = (tagged(&b"one"[..]), tagged(b"two"));
    let archive = open(&written(&[one.clone(), two], &[b"one", b"two"]).await).await.unwrap();
    let error = archive.resolve(&Tag::latest().into()).await.unwrap_err();
    assert!(error.to_string().contains("have the tag latest"), "{error}");
    let archive = open(
        &written(&[one.clone(), Item { tag: Some(Tag::latest()), ..item("b", one.tree) }], &[b"one"]).await,
    )
    .await
    .unwrap();
    archive.resolve(&Tag::latest().into()).await.unwrap();
}

#[tokio::test]
async fn labels_other_than_the_roots_are_kept() {
    let mut marked = item("a", image(&[]));
    marked.root_bundle = true;
    marked.labels.insert("a<b".to_owned(), "c".to_owned());
    let items = [marked];
    assert!(
        manifest_json(&items)
            .ends_with(r#""Labels":{"a\u003cb":"c","dev.carvel.imgpkg.copy.root-bundle":""}}}]"#)
    );
    assert_eq!(open(&written(&items, &[]).await).await.unwrap().items(), items);
}

mod bad_input;
mod properties;
