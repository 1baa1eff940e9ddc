use std::sync::Mutex;
use std::sync::atomic::Ordering;

use imgpkg_oci::{Digest, ManifestTree, Tag, TagOrDigest};

use super::*;
use crate::event::silent;
use crate::memory::{LAYER, Memory, image, index, name};
use crate::plan::{LayerChoice, Shipment};

fn shipment(tree: ManifestTree, source: &Arc<Memory>, tag: &str) -> Shipment {
    Shipment {
        name: name(&tree),
        tree,
        source: source.clone(),
        mount_from: None,
        targets: vec![TagOrDigest::Tag(Tag::parse(tag).unwrap())],
    }
}

async fn run(shipments: &[Shipment], destination: &Arc<Memory>, budget: Budget) -> Result<(), Error> {
    let plan = Plan::make(shipments, &**destination, LayerChoice::Distributable).await?;
    transfer(plan, destination.clone(), budget, silent()).await
}

#[tokio::test]
async fn blobs_come_before_their_manifest_and_children_before_their_index() {
    let source = Arc::new(Memory::holding(&[b"one", b"two"]));
    let child = image(b"{}", &[(LAYER, b"one"), (LAYER, b"two")]);
    let tree = index(vec![child.clone()]);
    let destination = Arc::new(Memory::default());
    run(&[shipment(tree, &source, "top")], &destination, Budget::new(None)).await.unwrap();
    let log = destination.log();
    let at = |what: &str| log.iter().position(|entry| entry == what).unwrap();
    for blob in [&b"one"[..], b"two", b"{}"] {
        assert!(at(Digest::sha256_of(blob).as_str()) < at(child.manifest.digest().as_str()), "{log:?}");
    }
    assert!(at(child.manifest.digest().as_str()) < at("top"));
    assert_eq!(log.len(), 5);
}

#[tokio::test]
async fn no_manifest_is_written_whose_blob_could_not_be() {
    let source = Arc::new(Memory::holding(&[b"good", b"bad"]));
    let destination = Arc::new(Memory::default());
    destination.refused.lock().unwrap().insert(Digest::sha256_of(b"bad"));
    let shipments = [shipment(image(b"{}", &[(LAYER, b"good"), (LAYER, b"bad")]), &source, "broken")];
    let error = run(&shipments, &destination, Budget::new(None)).await.unwrap_err();
    assert!(matches!(error, Error::Blob { .. }), "{error}");
    assert!(destination.manifests.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_blob_that_the_destination_has_lost_is_sent_again() {
    let source = Arc::new(Memory::holding(&[b"one", b"two"]));
    let destination = Arc::new(Memory::default());
    let tree = image(b"{}", &[(LAYER, b"one"), (LAYER, b"two")]);
    destination.lost.lock().unwrap().insert(tree.manifest.digest().clone());
    let shipments = [shipment(tree, &source, "a")];
    run(&shipments, &destination, Budget::new(None)).await.unwrap();
    assert!(destination.blobs.lock().unwrap().contains_key(&Digest::sha256_of(b"two")));
    assert_eq!(destination.log().last().unwrap(), "a");
}

#[tokio::test]
async fn a_blob_that_no_source_has_is_named() {
    let empty = Arc::new(Memory::default());
    let destination = Arc::new(Memory::default());
    let shipments = [shipment(image(b"{}", &[(LAYER, b"gone")]), &empty, "a")];
    let error = run(&shipments, &destination, Budget::new(None)).await.unwrap_err();
    assert!(error.to_string().contains(Digest::sha256_of(b"gone").as_str()), "{error}");
}

#[tokio::test]
async fn a_blob_is_read_from_the_second_source_when_the_first_lacks_it() {
    let (empty, full) = (Arc::new(Memory::default()), Arc::new(Memory::holding(&[b"x"])));
    let tree = image(b"{}", &[(LAYER, b"x")]);
    let shipments = [shipment(tree.clone(), &empty, "a"), shipment(tree, &full, "b")];
    let destination = Arc::new(Memory::default());
    run(&shipments, &destination, Budget::new(None)).await.unwrap();
    assert!(destination.blobs.lock().unwrap().contains_key(&Digest::sha256_of(b"x")));
    assert!(destination.log().contains(&"b".to_owned()));
}

#[tokio::test]
async fn no_more_runs_at_once_than_the_budget_allows() {
    let blobs: Vec<&'static [u8]> = vec![b"1", b"2", b"3", b"4", b"5", b"6", b"7", b"8"];
    let source = Arc::new(Memory::holding(&blobs));
    let layers: Vec<_> = blobs.iter().map(|blob| (LAYER, *blob)).collect();
    let destination = Arc::new(Memory::default());
    run(&[shipment(image(b"{}", &layers), &source, "a")], &destination, Budget::new(Some(3))).await.unwrap();
    assert_eq!(destination.most_at_once.load(Ordering::SeqCst), 3);
}

#[tokio::test]
async fn every_byte_read_is_reported() {
    let source = Arc::new(Memory::holding(&[b"hello"]));
    let destination = Arc::new(Memory::default());
    let shipments = [shipment(image(b"{}", &[(LAYER, b"hello")]), &source, "a")];
    let plan = Plan::make(&shipments, &*destination, LayerChoice::Distributable).await.unwrap();
    let heard = Arc::new(Mutex::new((0, 0)));
    let counts = heard.clone();
    let listener: Listener = Arc::new(move |event| {
        let mut counts = counts.lock().unwrap();
        match event {
            Event::BlobAdvanced { bytes, .. } => counts.0 += bytes,
            Event::BlobDone { .. } => counts.1 += 1,
            _ => {}
        }
    });
    transfer(plan, destination, Budget::new(None), listener).await.unwrap();
    assert_eq!(*heard.lock().unwrap(), (7, 2));
}
