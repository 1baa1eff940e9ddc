use imgpkg_oci::{Document, Manifest, ManifestTree, TreeContent, media_type};

use super::super::fixture::*;
use super::*;

/// An image that says it has a layer of this size.
fn image_of_size(size: u64) -> ManifestTree {
    let mut json = String::from_utf8(image(&[b"x"]).manifest.bytes().to_vec()).unwrap();
    json = json.replace(r#""size":1}"#, &format!(r#""size":{size}}}"#));
    let manifest = Manifest::new(json.into(), media_type::OCI_MANIFEST);
    let Document::Image(parsed) = manifest.parse().unwrap() else { panic!("an image") };
    let TreeContent::Image { config, .. } = image(&[b"x"]).content else { panic!("an image") };
    ManifestTree { manifest, content: TreeContent::Image { image: Box::new(parsed), config } }
}

#[test]
fn a_layer_of_8_gib_has_its_size_in_a_record() {
    let size = 8 * 1024 * 1024 * 1024;
    let layout = Layout::new(&[item("a", image_of_size(size))], false).unwrap();
    let slot = &layout.slots[&Digest::sha256_of(b"x")];
    assert_eq!(slot.header.len(), 3 * 512);
    assert_eq!(slot.header[156], b'x');
    assert!(slot.header[512..].starts_with(b"19 size=8589934592\n"));
    assert_eq!(slot.start(), layout.manifest_json.len() as u64);
    assert_eq!(layout.size, slot.content.offset + size + 1024);
    let below = Layout::new(&[item("a", image_of_size(size - 1))], false).unwrap();
    assert_eq!(below.slots[&Digest::sha256_of(b"x")].header.len(), 512);
}

#[test]
fn what_no_tar_can_hold_is_refused() {
    for size in [u64::MAX, u64::MAX - 511, 1 << 63, i64::MAX as u64] {
        let error = Layout::new(&[item("a", image_of_size(size))], false).unwrap_err();
        assert!(chain(&error).contains("is too large"), "{}", chain(&error));
    }
}

#[test]
fn layers_ascend_by_digest_and_come_once() {
    let shared = image(&[b"b", b"a", b"b"]);
    let layout = Layout::new(&[item("a", shared), item("b", image(&[b"a", b"c", b""]))], false).unwrap();
    let mut expected: Vec<_> = [&b"a"[..], b"b", b"c", b""].map(Digest::sha256_of).into();
    expected.sort();
    assert_eq!(layout.slots.keys().cloned().collect::<Vec<_>>(), expected);
    let mut position = layout.manifest_json.len() as u64;
    for slot in layout.slots.values() {
        assert_eq!(slot.start(), position);
        position = (slot.content.offset + slot.content.size).next_multiple_of(512);
    }
    assert_eq!(layout.size, position + 1024);
}

#[test]
fn layers_that_may_not_be_distributed_are_left_out_unless_wanted() {
    let config = r#"{"rootfs":{"diff_ids":["sha256:1"]}}"#;
    let foreign = || item("a", image_with(&[(media_type::DOCKER_FOREIGN_LAYER, b"f")], config));
    assert!(Layout::new(&[foreign()], false).unwrap().slots.is_empty());
    assert_eq!(Layout::new(&[foreign()], true).unwrap().slots.len(), 1);
    let both = Layout::new(&[foreign(), item("b", image(&[b"f"]))], false).unwrap();
    assert_eq!(both.slots.len(), 1, "it is a distributable layer of the other image");
}

#[test]
fn one_layer_of_two_sizes_is_refused() {
    let error = Layout::new(&[item("a", image(&[b"x"])), item("b", image_of_size(5))], false).unwrap_err();
    let text = chain(&error);
    assert!(
        text.starts_with("Collecting packaging metadata: Working with localhost:5000/test/b@sha256:"),
        "{text}"
    );
    assert!(text.ends_with("has 1 bytes in one image and 5 in another"), "{text}");
}

#[test]
fn an_image_whose_layers_and_diff_ids_do_not_match_is_refused() {
    let error = Layout::new(&[item("a", image_with(&[(LAYER, b"x")], "{}"))], false).unwrap_err();
    assert!(chain(&error).ends_with(": mismatched fs layers (1) and diff ids (0)"), "{}", chain(&error));
    let mixed = image_with(&[(LAYER, b"x"), ("text/plain", b"y")], r#"{"rootfs":{"diff_ids":["a"]}}"#);
    let error = Layout::new(&[item("a", mixed)], false).unwrap_err();
    assert!(chain(&error).ends_with(": mismatched fs layers (2) and diff ids (1)"), "{}", chain(&error));
}

#[test]
fn an_artifact_has_no_diff_ids_and_any_configuration() {
    let artifact = image_with(&[("text/plain", b"x")], "not JSON");
    let json = manifest_json(&[item("a", artifact)]);
    assert!(json.contains(r#","DiffID":"","Size":1}"#), "{json}");
    let broken = image_with(&[(LAYER, b"x")], "not JSON");
    let error = Layout::new(&[item("a", broken)], false).unwrap_err();
    assert!(chain(&error).contains("its configuration cannot be used: reading image configuration"));
}

#[test]
fn a_document_that_is_no_text_is_refused() {
    let mut tree = image(&[]);
    let mut bytes = tree.manifest.bytes().to_vec();
    let at = bytes.len() - 2;
    bytes.splice(at..at, *b"\"\xff\"");
    tree.manifest = Manifest::new(bytes.into(), media_type::OCI_MANIFEST);
    let error = Layout::new(&[item("a", tree)], false).unwrap_err();
    assert!(chain(&error).contains("its manifest is not valid UTF-8"), "{}", chain(&error));
}

#[test]
fn an_item_whose_parts_do_not_belong_together_is_refused() {
    let mut wrong = item("a", image(&[]));
    wrong.source = item("a", image(&[b"x"])).source;
    assert!(
        chain(&Layout::new(&[wrong], false).unwrap_err()).contains("disagree: the manifest has the digest")
    );
    let mut tree = image(&[]);
    if let TreeContent::Image { config, .. } = &mut tree.content {
        *config = bytes::Bytes::from_static(b"{}");
    }
    assert!(chain(&Layout::new(&[item("a", tree)], false).unwrap_err()).contains("the configuration of"));
}

#[test]
fn nothing_is_written_as_null() {
    let layout = Layout::new(&[], false).unwrap();
    assert_eq!(&layout.manifest_json[512..517], b"null\0");
    assert_eq!(layout.size, 2048);
    let json = manifest_json(&[item("a", index(vec![index(vec![]), image(&[])]))]);
    assert!(json.starts_with(r#"[{"ImageIndex":{"Refs":["localhost:5000/test/a@sha256:"#), "{json}");
    assert!(json.contains(r#""Images":null,"Indexes":null,"MediaType":"#), "{json}");
    assert!(json.contains(r#""Layers":null,"Config":{"#), "{json}");
    assert!(json.ends_with(r#""Tag":"","OrigRef":"","Labels":null},"Image":null}]"#), "{json}");
}
