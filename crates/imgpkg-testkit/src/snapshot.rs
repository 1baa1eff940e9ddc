//! What a repository holds, for comparison with what it should hold.

use std::collections::{BTreeMap, BTreeSet};

use imgpkg_oci::Digest;

use crate::registry::Registry;

/// A repository's tags, and everything that can be reached from them. Every byte of it has been fetched and checked.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Snapshot {
    /// The digest that each tag stands for.
    pub tags: BTreeMap<String, String>,
    /// The manifests' bytes, by digest.
    pub manifests: BTreeMap<String, Vec<u8>>,
    /// The blobs' digests.
    pub blobs: BTreeSet<String>,
}

impl Snapshot {
    /// Looks at a repository. A manifest or blob that is missing or not what its digest stands for is a failure.
    #[track_caller]
    pub fn of(registry: &Registry, repository: &str) -> Self {
        let mut snapshot = Self::default();
        for tag in registry.tags(repository) {
            let digest = Digest::sha256_of(&registry.manifest(repository, &tag)).to_string();
            snapshot.add_manifest(registry, repository, &digest);
            snapshot.tags.insert(tag, digest);
        }
        snapshot
    }

    fn add_manifest(&mut self, registry: &Registry, repository: &str, digest: &str) {
        if self.manifests.contains_key(digest) {
            return;
        }
        let bytes = registry.manifest(repository, digest);
        assert_eq!(Digest::sha256_of(&bytes).as_str(), digest, "a manifest of {repository}");
        let manifest: serde_json::Value = serde_json::from_slice(&bytes).expect("JSON");
        self.manifests.insert(digest.to_owned(), bytes);
        let of = |name: &str| manifest[name].as_array().cloned().unwrap_or_default();
        for child in of("manifests") {
            self.add_manifest(registry, repository, child["digest"].as_str().expect("a digest"));
        }
        for blob in of("layers").iter().chain(manifest.get("config")) {
            self.add_blob(registry, repository, blob["digest"].as_str().expect("a digest"));
        }
    }

    fn add_blob(&mut self, registry: &Registry, repository: &str, digest: &str) {
        if !self.blobs.insert(digest.to_owned()) {
            return;
        }
        let response = registry.request("GET", &format!("/v2/{repository}/blobs/{digest}"), &[], b"");
        assert_eq!(response.status, 200, "blob {digest} of {repository}");
        assert_eq!(Digest::sha256_of(&response.body).as_str(), digest, "a blob of {repository}");
    }
}
