//! The tags that an image gets besides the ones a user chooses (sections 3.6, 5 and 6.4 of the reference's description).

use imgpkg_oci::{Digest, Tag};

/// What every tag ends with that is not a user's.
const INTERNAL: &str = ".imgpkg";

/// How much of a repository's name a tag holds; with `-`, `sha256-<hex>` and `.imgpkg` that makes the 128 characters
/// that a tag may have.
const MAX_BASE: usize = 49;

/// The tag that every pushed and every copied image gets, so that registries never take it for garbage:
/// `sha256-<hex>.imgpkg`.
///
/// ```
/// let tag = imgpkg_bundle::tags::image_tag(&imgpkg_oci::Digest::sha256_of(b""));
/// assert_eq!(tag.as_str(), "sha256-e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855.imgpkg");
/// ```
pub fn image_tag(digest: &Digest) -> Tag {
    tag(&format!("{}{INTERNAL}", spelled(digest)))
}

/// The tag of the locations image of the bundle with this digest: `sha256-<hex>.image-locations.imgpkg`.
pub fn locations_tag(bundle: &Digest) -> Tag {
    tag(&format!("{}.image-locations{INTERNAL}", spelled(bundle)))
}

/// The tag under which cosign keeps the signatures of the image with this digest: `sha256-<hex>.sig`.
pub fn signature_tag(image: &Digest) -> Tag {
    tag(&format!("{}.sig", spelled(image)))
}

/// Is it a tag of the program's own, as opposed to one that a user chose?
pub fn is_internal(tag: &str) -> bool {
    tag.ends_with(INTERNAL)
}

/// The tag that takes the place of [`image_tag`] with `--repo-based-tags`: it also tells where the image came from.
///
/// `base` is the reference that the image was first known by, with or without a tag or digest, and with its registry.
///
/// ```
/// # let digest = imgpkg_oci::Digest::sha256_of(b"");
/// let tag = imgpkg_bundle::tags::repository_based_tag("localhost:5001/apps/web/front@sha256:…", &digest);
/// assert!(tag.as_str().starts_with("apps-web-front-sha256-e3b0c442"));
/// ```
pub fn repository_based_tag(base: &str, digest: &Digest) -> Tag {
    let base = base.split('@').next().unwrap_or_default();
    let path = base.split_once('/').map_or("", |(_registry, path)| path);
    let name = acceptable(&path.replace('/', "-"));
    // Only ASCII is left, so a character is a byte.
    let end = acceptable(&name[name.len().saturating_sub(MAX_BASE)..]);
    let separator = if end.is_empty() { "" } else { "-" };
    tag(&format!("{end}{separator}{}{INTERNAL}", spelled(digest)))
}

/// The text without what a tag cannot hold, and without what it cannot start with.
fn acceptable(text: &str) -> String {
    text.trim_start_matches(|c: char| !c.is_ascii_alphanumeric() && c != '_')
        .chars()
        .filter(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-'))
        .collect()
}

/// `sha256-<hex>`. Of a longer hash only the first 64 digits, because a tag has room for no more.
fn spelled(digest: &Digest) -> String {
    let hex = digest.hex();
    format!("{}-{}", digest.algorithm().name(), hex.get(..64).unwrap_or(hex))
}

#[expect(
    clippy::expect_used,
    reason = "all callers join at most 128 characters that a tag may consist of: see the test with the longest"
)]
fn tag(text: &str) -> Tag {
    Tag::parse(text).expect("a valid tag by construction")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digest() -> Digest {
        Digest::sha256_of(b"image")
    }

    #[test]
    fn the_tags_are_made_of_the_digest() {
        let hex = digest().hex().to_owned();
        assert_eq!(image_tag(&digest()).as_str(), format!("sha256-{hex}.imgpkg"));
        assert_eq!(locations_tag(&digest()).as_str(), format!("sha256-{hex}.image-locations.imgpkg"));
        assert_eq!(signature_tag(&digest()).as_str(), format!("sha256-{hex}.sig"));
    }

    #[test]
    fn a_tag_that_ends_in_imgpkg_is_internal() {
        assert!(is_internal(image_tag(&digest()).as_str()));
        assert!(is_internal(locations_tag(&digest()).as_str()));
        assert!(!is_internal(signature_tag(&digest()).as_str()));
        assert!(!is_internal("imgpkg"));
        assert!(!is_internal("v1.imgpkg.0"));
    }

    #[test]
    fn a_sha512_digest_has_tags_too() {
        let digest = Digest::parse(&format!("sha512:{}", "0123456789abcdef".repeat(8))).unwrap();
        let expected = format!("sha512-{}.imgpkg", "0123456789abcdef".repeat(4));
        assert_eq!(image_tag(&digest).as_str(), expected);
        assert_eq!(repository_based_tag(&"r/x".repeat(60), &digest).as_str().len(), 128);
    }

    #[test]
    fn a_repository_based_tag_starts_with_the_end_of_the_repository() {
        let cases = [
            ("localhost:5001/spec/src/inner", "spec-src-inner"),
            ("index.docker.io/_test-repo/simple-app-test", "_test-repo-simple-app-test"),
            ("index.docker.io/.test-repo/simple-app-test", "test-repo-simple-app-test"),
            ("localhost:5001/spec/q/a__b/c.d/e-f", "spec-q-a__b-c.d-e-f"),
            (
                "index.docker.io/test-path/sample-path/verification-path/sample-path/test-repo/test-repo/simple-app-test",
                "h-sample-path-test-repo-test-repo-simple-app-test",
            ),
            (
                "index.docker.io/test-path/dev-pkg-ap.extensions-storageversion-cmd-migrate-test-image",
                "extensions-storageversion-cmd-migrate-test-image",
            ),
            (
                "index.docker.io/test-path/dev-pkg-api_extensions-storageversion-cmd-migrate-test-image",
                "_extensions-storageversion-cmd-migrate-test-image",
            ),
        ];
        for (base, start) in cases {
            let expected = format!("{start}-sha256-{}.imgpkg", digest().hex());
            assert_eq!(repository_based_tag(base, &digest()).as_str(), expected);
            let with_digest = format!("{base}@{}", digest());
            assert_eq!(repository_based_tag(&with_digest, &digest()).as_str(), expected);
        }
    }

    #[test]
    fn without_a_repository_the_repository_based_tag_is_the_plain_one() {
        for base in
            ["", "registry.example", "registry.example/", "registry.example/...", "registry.example/äöü"]
        {
            assert_eq!(repository_based_tag(base, &digest()), image_tag(&digest()), "{base}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_text_gives_a_tag(base in "\\PC*") {
            proptest::prop_assert!(repository_based_tag(&base, &digest()).as_str().len() <= 128);
        }
    }
}
