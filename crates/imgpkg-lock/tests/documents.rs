//! Whole lock files against the reference's verdicts, and its output against ours.

#![expect(clippy::expect_used, reason = "a test fails by panicking")]

use std::collections::BTreeMap;
use std::error::Error as _;
use std::fs;
use std::path::PathBuf;

use imgpkg_lock::{Error, ImageRef, ImagesLock};
use imgpkg_oci::DigestReference;
use proptest::prelude::*;

/// Documents that are refused with another text than recorded.
const WORDED_DIFFERENTLY: [(&str, &str); 1] = [(
    "deep",
    "200 nested lists exceed the depth that is read; the reference goes on to find that a list is no annotation",
)];

fn golden(name: &str) -> String {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/golden/yaml").join(name);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The lock after a copy to `repository`.
fn copied(text: &[u8], repository: &str) -> Result<String, Error> {
    let mut lock = ImagesLock::parse(text)?;
    for image in &mut lock.images {
        let text = format!("localhost:5001/eco/{repository}@{}", image.image.digest());
        image.image = DigestReference::parse(&text).expect("a reference");
    }
    Ok(lock.to_yaml())
}

fn chain(error: &Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(&format!(": {error}"));
        cause = error.source();
    }
    text
}

#[derive(serde::Deserialize)]
struct Document {
    doc: String,
    ok: bool,
    ann: Option<String>,
    err: String,
}

#[test]
fn every_document_is_accepted_or_refused_as_by_the_reference() {
    let documents: BTreeMap<String, Document> =
        serde_yaml::from_str(&golden("documents.json")).expect("JSON");
    assert_eq!(documents.len(), 75);
    let mut worded_differently = Vec::new();
    for (name, document) in &documents {
        let bytes: Vec<u8> = document.doc.chars().map(|byte| u8::try_from(byte).expect("Latin-1")).collect();
        let result = copied(&bytes, "docs2");
        assert_eq!(result.is_ok(), document.ok, "{name}: {result:?}");
        match result {
            Ok(text) => assert!(text.contains(document.ann.as_deref().unwrap_or_default()), "{name}: {text}"),
            Err(error) if agrees(&chain(&error), &document.err) => {}
            Err(error) => worded_differently.push((name.as_str(), chain(&error))),
        }
    }
    let names: Vec<&str> = worded_differently.iter().map(|(name, _)| *name).collect();
    assert_eq!(names, WORDED_DIFFERENTLY.map(|(name, _)| name), "{worded_differently:#?}");
}

/// Whether our text contains the recorded one. Of type errors only the beginning is compared: how they name the place
/// depends on the Go that the reference was built with, and they were cut short.
fn agrees(ours: &str, recorded: &str) -> bool {
    let recorded = recorded.trim();
    match recorded.split_once(" into ") {
        Some((beginning, _)) => ours.contains(beginning),
        None => ours.contains(recorded),
    }
}

#[test]
fn unquoted_scalars_are_rewritten_as_by_the_reference() {
    assert_eq!(
        copied(golden("read-input.yml").as_bytes(), "copied").expect("valid"),
        golden("read-expected.yml")
    );
}

#[test]
fn our_own_output_is_a_valid_lock() {
    let once = copied(golden("write-input.yml").as_bytes(), "copied").expect("valid");
    assert_eq!(copied(once.as_bytes(), "copied").expect("valid"), once);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn annotations_of_any_kind_survive_being_written(
        annotations in prop::collection::btree_map(any::<String>(), any::<String>(), 0..8)
    ) {
        let image = DigestReference::parse(&format!("gcr.io/a/b@sha256:{}", "0".repeat(64))).expect("a reference");
        let lock = ImagesLock { images: vec![ImageRef { image, annotations }] };
        let text = lock.to_yaml();
        let read = ImagesLock::parse(text.as_bytes()).map_err(|error| TestCaseError::fail(format!("{error:?}\n{text}")))?;
        prop_assert_eq!(read, lock);
    }
}
