//! Image configurations (OCI image specification, "Image Configuration"), as far as this program looks into them.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::descriptor::or_default;

/// A configuration that is not the JSON object it should be.
#[derive(Debug, thiserror::Error)]
#[error("reading image configuration")]
pub struct ConfigError(#[from] serde_json::Error);

/// A tolerant view of an image's configuration: what is absent or `null` is empty.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(expecting = "an image configuration")]
pub struct ImageConfig {
    /// The processor architecture it was built for.
    #[serde(default, deserialize_with = "or_default")]
    pub architecture: String,
    /// The operating system it was built for.
    #[serde(default, deserialize_with = "or_default")]
    pub os: String,
    #[serde(default, deserialize_with = "or_default")]
    rootfs: RootFs,
    #[serde(default, deserialize_with = "or_default")]
    config: Execution,
}

#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(expecting = "a list of layers")]
struct RootFs {
    #[serde(default, deserialize_with = "or_default")]
    diff_ids: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(expecting = "parameters of a container")]
struct Execution {
    #[serde(default, rename = "Labels", deserialize_with = "or_default")]
    labels: BTreeMap<String, String>,
}

impl ImageConfig {
    /// Reads a configuration.
    ///
    /// # Errors
    /// When the bytes are no JSON object, or a field has another type than the specification gives it.
    pub fn parse(bytes: &[u8]) -> Result<Self, ConfigError> {
        Ok(serde_json::from_slice(bytes)?)
    }

    /// The labels of the image.
    pub fn labels(&self) -> &BTreeMap<String, String> {
        &self.config.labels
    }

    /// The digests of the layers before compression, lowest layer first, as the document spells them.
    pub fn diff_ids(&self) -> &[String] {
        &self.rootfs.diff_ids
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_and_diff_ids_are_found() {
        let json = br#"{"architecture":"","config":{"Labels":{"a":"b"}},"rootfs":{"type":"layers","diff_ids":["sha256:1"]}}"#;
        let config = ImageConfig::parse(json).unwrap();
        assert_eq!(config.labels()["a"], "b");
        assert_eq!(config.diff_ids(), ["sha256:1"]);
    }

    #[test]
    fn what_is_absent_or_null_is_empty() {
        for json in [
            &br#"{}"#[..],
            br#"{"config":null,"rootfs":null}"#,
            br#"{"config":{"Labels":null},"rootfs":{"diff_ids":null}}"#,
        ] {
            let config = ImageConfig::parse(json).unwrap();
            assert!(config.labels().is_empty() && config.diff_ids().is_empty());
        }
    }

    #[test]
    fn what_is_no_object_is_refused() {
        assert!(ImageConfig::parse(b"nope").is_err());
        assert!(ImageConfig::parse(b"").is_err());
    }
}
