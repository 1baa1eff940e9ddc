//! imgpkg's tar: `manifest.json`, which holds all manifests and configurations, then every distinct layer once.

mod document;
#[cfg(test)]
mod fixture;
pub mod forecast;
mod header;
mod index;
mod items;
mod journal;
mod layout;
mod partial;
pub mod reader;
mod resume;
pub mod writer;

use imgpkg_oci::Digest;

/// The entry that describes everything else.
pub(crate) const MANIFEST_JSON: &str = "manifest.json";

/// The length of a tar's header, and what every entry's content is padded to.
pub(crate) const BLOCK: u64 = 512;

/// The name of a layer's entry. The suffix is the same whatever the layer really is.
pub(crate) fn entry_name(layer: &Digest) -> String {
    format!("{}-{}.tar.gz", layer.algorithm().name(), layer.hex())
}

/// The layer whose entry has this name.
pub(crate) fn layer_of_entry(name: &str) -> Option<Digest> {
    let (algorithm, hex) = name.strip_suffix(".tar.gz")?.split_once('-')?;
    Digest::parse(&format!("{algorithm}:{hex}")).ok()
}

/// Where something lies in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Span {
    /// The position of its first byte.
    pub(crate) offset: u64,
    /// Its size in bytes.
    pub(crate) size: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_an_entry_gives_the_digest_back() {
        let digest = Digest::sha256_of(b"layer");
        assert_eq!(layer_of_entry(&entry_name(&digest)), Some(digest));
        assert_eq!(layer_of_entry("sha256-abc.tar.gz"), None);
        assert_eq!(layer_of_entry("manifest.json"), None);
    }
}
