//! A bundle with everything in it that a copy meets: a bundle within, an index, a shared layer, a large one.

use imgpkg_oci::Digest;

use crate::bundle::BundleDirectory;
use crate::image::{Image, push_index};
use crate::registry::Registry;
use crate::tool::Tool;

/// The size of the large layer before compression, which does not make it smaller: more than an uploader puts into one
/// part, and more than an archive's journal lets pass unnoted.
const LARGE_BYTES: usize = 5 * 1024 * 1024;

/// An outer bundle that names an image with a large layer and an inner bundle, which names an image that shares a layer
/// with it, and an index of two images. All of it is in one repository, so that nothing is read from anywhere else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NestedBundle {
    /// Its repository in the registry.
    pub repository: String,
    /// The digest of the outer bundle.
    pub digest: String,
    /// The image with the large layer.
    pub image: Digest,
    /// The digest and the size of the large layer.
    pub large: (Digest, u64),
    /// How many different layers there are, those of the bundles included.
    pub layers: usize,
}

impl NestedBundle {
    /// The tag of the outer bundle.
    pub const TAG: &str = "1.0";

    /// The tag of the image with the large layer, in the repository `src/app`.
    pub const IMAGE_TAG: &str = "v1";

    /// Makes it, always the same for the same seed but for the registry's address in the lock files, and copies it to
    /// the repository `all/<seed>`.
    pub fn push(imgpkg: &Tool, registry: &Registry, seed: u64) -> Self {
        let named =
            |name: &str, digest: &dyn std::fmt::Display| registry.reference(&format!("{name}@{digest}"));
        let shared = ("base", noise(seed, 40_000));
        let shared = (shared.0, shared.1.as_slice());
        let image = Image::of_files(&[shared]).with_layer(&[("app", &noise(seed + 1, LARGE_BYTES))]);
        let large = image.layers().last().expect("a layer");
        let large = (Digest::sha256_of(large), large.len() as u64);
        let image = image.push(registry, "src/app", Self::IMAGE_TAG);
        let of = |arch: &'static str| {
            Image::of_files(&[shared]).with_layer(&[("tool", arch.as_bytes())]).for_architecture(arch)
        };
        let children = ["amd64", "arm64"].map(|arch| of(arch).push(registry, "src/tool", arch));
        let index =
            push_index(registry, "src/tool", "v1", &[(&children[0], "amd64"), (&children[1], "arm64")]);
        let other = Image::of_files(&[shared]).with_layer(&[("other", &noise(seed + 2, 700_000))]);
        let other = other.push(registry, "src/other", "v1");
        let inner = BundleDirectory::of_images(&[&named("src/other", &other), &named("src/tool", &index)]);
        let inner = push(imgpkg, registry, "src/inner", &inner);
        let outer = BundleDirectory::of_images(&[&named("src/app", &image), &named("src/inner", &inner)])
            .write("outer.yml", "outer: true\n");
        let digest = push(imgpkg, registry, &format!("src/outer:{}", Self::TAG), &outer);
        let repository = format!("all/{seed}");
        let (from, to) =
            (registry.reference(&format!("src/outer:{}", Self::TAG)), registry.reference(&repository));
        imgpkg.run(&["copy", "-b", &from, "--to-repo", &to]).success();
        // The shared one, the large one, the other, two tools, two bundles.
        Self { repository, digest, image, large, layers: 7 }
    }
}

fn push(imgpkg: &Tool, registry: &Registry, name: &str, bundle: &BundleDirectory) -> String {
    let reference = registry.reference(name);
    imgpkg.run(&["push", "-b", &reference, "-f", bundle.argument(), "--tty"]).success().digest()
}

/// Bytes that do not compress, always the same for the same seed.
pub fn noise(seed: u64, length: usize) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut bytes = Vec::with_capacity(length + 8);
    while bytes.len() < length {
        // Xorshift.
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes.extend_from_slice(&state.to_le_bytes());
    }
    bytes.truncate(length);
    bytes
}
