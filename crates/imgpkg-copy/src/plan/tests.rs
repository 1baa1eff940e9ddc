use std::sync::Arc;

use super::*;
use crate::memory::{LAYER, Memory, image, index, name};
use imgpkg_oci::{Tag, media_type};

fn shipment(tree: ManifestTree, tag: &str) -> Shipment {
    Shipment {
        name: name(&tree),
        tree,
        source: Arc::new(Memory::default()),
        mount_from: None,
        targets: vec![TagOrDigest::Tag(Tag::parse(tag).unwrap())],
    }
}

async fn plan(shipments: &[Shipment], destination: &Memory) -> Plan {
    Plan::make(shipments, destination, LayerChoice::Distributable).await.unwrap()
}

#[tokio::test]
async fn a_blob_of_several_images_is_planned_once() {
    let first = image(b"{}", &[(LAYER, b"shared"), (LAYER, b"one")]);
    let second = image(b"{ }", &[(LAYER, b"shared"), (LAYER, b"two")]);
    let plan = plan(&[shipment(first, "a"), shipment(second, "b")], &Memory::default()).await;
    assert_eq!(plan.blobs.len(), 5);
    assert_eq!(plan.bytes(), 2 + 6 + 3 + 3 + 3);
    assert_eq!(plan.manifests.len(), 2);
}

#[tokio::test]
async fn a_layer_that_an_image_has_twice_is_waited_for_once() {
    let plan =
        plan(&[shipment(image(b"{}", &[(LAYER, b"x"), (LAYER, b"x")]), "a")], &Memory::default()).await;
    assert_eq!(plan.blobs.len(), 2);
    assert_eq!(plan.manifests[0].blobs, [0, 1]);
}

#[tokio::test]
async fn the_children_of_an_index_come_before_it_and_go_by_digest() {
    let child = image(b"{}", &[(LAYER, b"x")]);
    let tree = index(vec![child.clone(), index(vec![child.clone()])]);
    let plan = plan(&[shipment(tree, "a")], &Memory::default()).await;
    assert_eq!(plan.manifests.len(), 3);
    assert_eq!(plan.manifests[0].targets, [TagOrDigest::Digest(child.manifest.digest().clone())]);
    assert_eq!(plan.manifests[1].children, [0]);
    assert_eq!(plan.manifests[2].children, [0, 1]);
}

#[tokio::test]
async fn an_index_that_is_there_proves_everything_below_it() {
    let tree = index(vec![image(b"{}", &[(LAYER, b"x")])]);
    let destination = Memory::default();
    let tag = TagOrDigest::Tag(Tag::parse("a").unwrap());
    destination.put_manifest(&tree.manifest, &tag).await.unwrap();
    let plan = plan(&[shipment(tree, "a")], &destination).await;
    assert!(plan.blobs.is_empty() && plan.manifests.is_empty());
    assert_eq!(plan.present, 1);
    assert_eq!(*destination.asked.lock().unwrap(), ["a"]);
}

#[tokio::test]
async fn a_tag_that_stands_for_something_else_is_moved() {
    let (old, new) = (image(b"{}", &[]), image(b"{ }", &[]));
    let destination = Memory::default();
    destination.put_manifest(&old.manifest, &TagOrDigest::Tag(Tag::parse("a").unwrap())).await.unwrap();
    let plan = plan(&[shipment(new, "a")], &destination).await;
    assert_eq!(plan.manifests.len(), 1);
    assert_eq!(plan.blobs.len(), 1);
}

#[tokio::test]
async fn a_manifest_that_lacks_only_a_tag_needs_no_blob() {
    let tree = image(b"{}", &[(LAYER, b"x")]);
    let destination = Memory::default();
    destination.put_manifest(&tree.manifest, &TagOrDigest::Tag(Tag::parse("a").unwrap())).await.unwrap();
    let both = Shipment {
        targets: ["a", "b"].map(|tag| TagOrDigest::Tag(Tag::parse(tag).unwrap())).to_vec(),
        ..shipment(tree, "a")
    };
    let plan = plan(&[both], &destination).await;
    assert!(plan.blobs.is_empty());
    assert_eq!(plan.manifests[0].targets, [TagOrDigest::Tag(Tag::parse("b").unwrap())]);
}

#[tokio::test]
async fn a_foreign_layer_is_only_planned_when_all_layers_are_wanted() {
    let tree = image(b"{}", &[(media_type::DOCKER_FOREIGN_LAYER, b"windows"), (LAYER, b"x")]);
    let shipments = [shipment(tree, "a")];
    assert_eq!(plan(&shipments, &Memory::default()).await.blobs.len(), 2);
    let all = Plan::make(&shipments, &Memory::default(), LayerChoice::All).await.unwrap();
    assert_eq!(all.blobs.len(), 3);
}

#[tokio::test]
async fn a_destination_that_has_nothing_is_not_asked_for_each() {
    let configs: [&'static [u8]; 6] = [b"1", b"2", b"3", b"4", b"5", b"6"];
    let shipments: Vec<_> = configs.iter().map(|config| shipment(image(config, &[]), "a")).collect();
    let destination = Memory::default();
    assert_eq!(plan(&shipments, &destination).await.manifests.len(), 6);
    assert!(destination.asked.lock().unwrap().is_empty());
    let other = TagOrDigest::Tag(Tag::parse("other").unwrap());
    destination.put_manifest(&shipments[0].tree.manifest, &other).await.unwrap();
    assert_eq!(plan(&shipments, &destination).await.manifests.len(), 6);
    assert_eq!(destination.asked.lock().unwrap().len(), 6);
}
