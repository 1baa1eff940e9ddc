//! What is built and extracted again is what it was.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeMap;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use imgpkg_bundle::build::{BuiltImage, Contents, ImageKind};
use imgpkg_bundle::extract::{Extraction, OutputDirectory};
use imgpkg_oci::{BlobProgress, Source as _};
use proptest::collection::{btree_map, vec};
use proptest::prelude::*;

/// A tree: `None` is a directory.
type Tree = BTreeMap<String, Option<(bool, Vec<u8>)>>;

/// Names with everything that is special somewhere: spaces, dots, letters beyond ASCII, and lengths that no header
/// field holds.
fn name() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => "[a-zA-Z0-9 ._äß€-]{1,12}",
        1 => "[a-c]{90,110}",
        1 => "[öx]{60,80}",
    ]
    .prop_filter("names that mean something else", |name| {
        !matches!(name.as_str(), "." | "..") && !name.starts_with(".wh.") && name != ".imgpkg"
    })
}

fn tree() -> impl Strategy<Value = Tree> {
    let content = prop_oneof![vec(any::<u8>(), 0..1500), Just(vec![7; 300_000])];
    let node = prop_oneof![1 => Just(None), 3 => (any::<bool>(), content).prop_map(Some)];
    btree_map(vec(name(), 1..4).prop_map(|steps| steps.join("/")), node, 0..12)
}

/// Writes as much of the tree as can be together: what lies below a file is left out.
fn write(root: &Path, tree: &Tree) {
    for (name, node) in tree {
        let path = root.join(name);
        if fs::create_dir_all(path.parent().unwrap()).is_err() {
            continue;
        }
        match node {
            None => fs::create_dir_all(&path).unwrap_or_default(),
            Some((is_executable, content)) if !path.exists() => {
                fs::write(&path, content).unwrap();
                let mode = if *is_executable { 0o700 } else { 0o600 };
                fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
            }
            Some(_) => {}
        }
    }
}

fn read(root: &Path) -> Tree {
    let entries = walkdir::WalkDir::new(root).min_depth(1);
    entries
        .into_iter()
        .map(|entry| {
            let entry = entry.unwrap();
            let name = entry.path().strip_prefix(root).unwrap().to_str().unwrap().to_owned();
            if entry.file_type().is_dir() {
                return (name, None);
            }
            let is_executable = entry.metadata().unwrap().permissions().mode() & 0o100 != 0;
            (name, Some((is_executable, fs::read(entry.path()).unwrap())))
        })
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]
    #[test]
    fn a_tree_that_is_built_and_extracted_is_the_same(tree in tree()) {
        let root = tempfile::tempdir().unwrap();
        let (files, output) = (root.path().join("files"), root.path().join("output"));
        fs::create_dir(&files).unwrap();
        write(&files, &tree);

        let contents = Contents::scan(ImageKind::Plain, std::slice::from_ref(&files), &[], false).unwrap();
        let image = BuiltImage::build(&contents, BTreeMap::new()).unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let destination = OutputDirectory::prepare(&output, None).unwrap();
            let layer = image.layer();
            let layer = image.blob(layer, BlobProgress::start(&layer.digest)).await.unwrap();
            let extraction = Extraction::new(destination.directory().clone());
            assert_eq!(extraction.apply_blob(layer).await.unwrap().skipped(), 0);
            destination.commit().unwrap();
        });
        prop_assert_eq!(read(&output), read(&files));
        prop_assert_eq!(contents.listing().count(), read(&files).len() + 1);

        let again = Contents::scan(ImageKind::Plain, &[output], &[], false).unwrap();
        let again = BuiltImage::build(&again, BTreeMap::new()).unwrap();
        prop_assert_eq!(again.digest(), image.digest());
    }
}
