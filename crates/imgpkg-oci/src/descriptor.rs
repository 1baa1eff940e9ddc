//! Descriptors (OCI image specification, "Content Descriptors"): what a manifest says about each thing it refers to.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer};

use crate::{Digest, MediaType};

/// What a manifest says about a blob or another manifest.
///
/// It is a view for looking inside; documents travel as the bytes they came in, so nothing is ever written back from it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", expecting = "a descriptor")]
pub struct Descriptor {
    /// What it is. Empty where the document says nothing.
    #[serde(default)]
    pub media_type: MediaType,
    /// Its digest.
    #[serde(deserialize_with = "digest")]
    pub digest: Digest,
    /// Its size in bytes.
    pub size: u64,
    /// Other places where it may be fetched, without credentials.
    #[serde(default, deserialize_with = "or_default")]
    pub urls: Vec<String>,
    /// What kind of artifact it is, where it is one.
    #[serde(default)]
    pub artifact_type: Option<String>,
    /// Free-form annotations.
    #[serde(default, deserialize_with = "or_default")]
    pub annotations: BTreeMap<String, String>,
    /// The platform that an index's child is for.
    #[serde(default)]
    pub platform: Option<Platform>,
}

impl Descriptor {
    /// A descriptor with the three fields that every descriptor has.
    pub fn new(media_type: MediaType, digest: Digest, size: u64) -> Self {
        Self {
            media_type,
            digest,
            size,
            urls: Vec::new(),
            artifact_type: None,
            annotations: BTreeMap::new(),
            platform: None,
        }
    }
}

/// What an image runs on (OCI image specification, "Image Index").
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(expecting = "a platform")]
pub struct Platform {
    /// Processor architecture, in Go's spelling: `amd64`, `arm64`.
    #[serde(default)]
    pub architecture: String,
    /// Operating system, in Go's spelling: `linux`, `windows`.
    #[serde(default)]
    pub os: String,
    /// Variant of the processor, such as `v8`.
    #[serde(default)]
    pub variant: Option<String>,
    /// Version of the operating system.
    #[serde(default, rename = "os.version")]
    pub os_version: Option<String>,
}

/// Go writes `null` for an empty list or map; it means the same as nothing at all.
pub(crate) fn or_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de> + Default,
{
    Ok(Option::<T>::deserialize(deserializer)?.unwrap_or_default())
}

fn digest<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Digest, D::Error> {
    let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
    Digest::parse(&text).map_err(serde::de::Error::custom)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn null_lists_and_maps_are_empty_ones() {
        let digest = Digest::sha256_of(b"");
        let json = format!(
            r#"{{"mediaType":"x/y","digest":"{digest}","size":0,"urls":null,"annotations":null,"platform":{{"os":"linux","os.version":"10"}}}}"#
        );
        let descriptor: Descriptor = serde_json::from_str(&json).unwrap();
        assert_eq!(descriptor.digest, digest);
        assert!(descriptor.urls.is_empty());
        assert_eq!(descriptor.platform.unwrap().os_version.as_deref(), Some("10"));
    }

    #[test]
    fn a_negative_size_or_a_bad_digest_is_refused() {
        let good = Digest::sha256_of(b"");
        for json in [
            format!(r#"{{"digest":"{good}","size":-1}}"#),
            r#"{"digest":"sha256:../../etc/passwd","size":1}"#.to_owned(),
        ] {
            assert!(serde_json::from_str::<Descriptor>(&json).is_err(), "{json}");
        }
    }
}
