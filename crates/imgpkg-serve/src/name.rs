//! The names that clients send, checked before anything else sees them. They become parts of paths, so the grammar is the
//! distribution specification's ("Pulling manifests"), which has no way to write `..`, an absolute path or a hidden file.

use std::fmt;
use std::sync::Arc;

use imgpkg_oci::{Digest, Tag, TagOrDigest};

const MAX_NAME_BYTES: usize = 255;

/// A repository's name: components joined by slashes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct RepositoryName(Arc<str>);

impl RepositoryName {
    /// The name, if it is one.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        (text.len() <= MAX_NAME_BYTES && text.split('/').all(is_component)).then(|| Self(text.into()))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RepositoryName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Runs of lower-case letters and digits, with a dot, one or two underscores or any number of dashes between them.
fn is_component(text: &str) -> bool {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    text.starts_with(plain)
        && text.ends_with(plain)
        && text
            .split(plain)
            .filter(|run| !run.is_empty())
            .all(|run| matches!(run, "." | "_" | "__") || run.bytes().all(|b| b == b'-'))
}

/// The tag, if it is one. It does not start with a dot or a dash.
pub(crate) fn tag(text: &str) -> Option<Tag> {
    if text.starts_with(['.', '-']) { None } else { Tag::parse(text).ok() }
}

/// The tag or digest that a manifest is asked for by.
pub(crate) fn tag_or_digest(text: &str) -> Option<TagOrDigest> {
    match Digest::parse(text) {
        Ok(digest) => Some(digest.into()),
        Err(_) => tag(text).map(TagOrDigest::Tag),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_the_specification_are_names() {
        for name in ["a", "library/ubuntu", "a/b/c/d", "my-app", "a.b_c__d---e", "0/1", &"a".repeat(255)] {
            assert!(RepositoryName::parse(name).is_some(), "{name}");
        }
    }

    #[test]
    fn what_could_leave_a_directory_is_no_name() {
        for name in [
            "",
            "/",
            "/a",
            "a/",
            "a//b",
            ".",
            "..",
            "../a",
            "a/../b",
            "a/..",
            ".a",
            "a.",
            "a..b",
            "a._b",
            "a___b",
            "_blobs",
            "a/_tags",
            "-a",
            "A",
            "a\0b",
            "a\\b",
            "a b",
            "a%2fb",
            "ä",
            &"a".repeat(256),
        ] {
            assert!(RepositoryName::parse(name).is_none(), "{name}");
        }
    }

    #[test]
    fn a_reference_is_a_tag_or_a_digest() {
        let digest = Digest::sha256_of(b"");
        assert_eq!(tag_or_digest(digest.as_str()), Some(TagOrDigest::Digest(digest)));
        assert!(matches!(tag_or_digest("V1.0_a-b"), Some(TagOrDigest::Tag(_))));
        for text in ["", ".", "..", ".hidden", "-a", "a/b", "sha256:abc", "a b", "a\0", &"a".repeat(129)] {
            assert_eq!(tag_or_digest(text), None, "{text}");
        }
    }
}
