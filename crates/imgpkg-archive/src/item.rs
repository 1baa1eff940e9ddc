//! One image or index at the top level of an archive.

use std::collections::BTreeMap;

use imgpkg_oci::{DigestReference, ManifestTree, Tag};

/// The archive label that marks the bundle which was copied, as opposed to what came along with it.
pub const ROOT_BUNDLE_LABEL: &str = "dev.carvel.imgpkg.copy.root-bundle";

/// One image or index with what an archive records about it: the unit that is copied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// Where its bytes came from (`Refs`).
    pub source: DigestReference,
    /// The user's tag, to be restored where it is imported.
    pub tag: Option<Tag>,
    /// The reference as a lock file spelled it (`OrigRef`).
    pub original: Option<String>,
    /// Is it the bundle that was copied? Always false for an index.
    pub root_bundle: bool,
    /// The archive's labels for it, without the one that marks the root bundle. They are not the image's labels.
    pub labels: BTreeMap<String, String>,
    /// The manifest and everything below it.
    pub tree: ManifestTree,
}

impl Item {
    /// An item that nothing but its origin is recorded of.
    pub fn new(source: DigestReference, tree: ManifestTree) -> Self {
        Self { source, tag: None, original: None, root_bundle: false, labels: BTreeMap::new(), tree }
    }
}
