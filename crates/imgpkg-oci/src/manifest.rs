//! Manifests and indexes (OCI image specification, "Image Manifest" and "Image Index"). A manifest is its bytes: it is
//! parsed to look inside and passed on untouched, because its digest depends on every byte.

use bytes::Bytes;
use serde::Deserialize;

use crate::descriptor::or_default;
use crate::{Descriptor, Digest, MediaType, media_type};

/// The largest manifest that is read: the limit that the distribution specification asks registries to support.
pub const MAX_MANIFEST_BYTES: u64 = 4 * 1024 * 1024;

/// The largest image configuration that is read.
pub const MAX_CONFIG_BYTES: u64 = 8 * 1024 * 1024;

/// Why a manifest cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ManifestError {
    /// The bytes are not the ones that were asked for.
    #[error("manifest digest: \"{actual}\" does not match requested digest: \"{expected}\"")]
    Digest {
        /// The digest asked for.
        expected: Digest,
        /// The digest of what came.
        actual: Digest,
    },
    /// The bytes are no JSON of the right shape.
    #[error("reading manifest {digest}")]
    Syntax {
        /// The digest of the bytes.
        digest: Digest,
        /// What is wrong with them.
        source: serde_json::Error,
    },
    /// A document that claims to be an image and an index at once, which two readers could take for different things.
    #[error("manifest {digest} has both 'manifests' and 'layers', so it is neither an index nor an image")]
    Ambiguous {
        /// The digest of the bytes.
        digest: Digest,
    },
    /// A kind of manifest that cannot be copied.
    #[error(
        "unsupported MediaType: \"{media_type}\" (only OCI and Docker schema 2 images and indexes can be read)"
    )]
    Unsupported {
        /// What the registry, or the document, says it is.
        media_type: MediaType,
    },
}

/// A manifest as it was received: its exact bytes, what it is, and the digest of the bytes. Cheap to clone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Manifest {
    bytes: Bytes,
    media_type: MediaType,
    digest: Digest,
}

/// What is inside a manifest.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(
    clippy::large_enum_variant,
    reason = "made once a manifest and looked at in place; a box would only be in the way"
)]
pub enum Document {
    /// One image: a configuration and layers.
    Image(ImageManifest),
    /// A list of other manifests.
    Index(IndexManifest),
}

/// A view of an image manifest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageManifest {
    /// The configuration.
    pub config: Descriptor,
    /// The layers, lowest first.
    pub layers: Vec<Descriptor>,
    /// The manifest that this one is about, where it is a referrer.
    pub subject: Option<Box<Descriptor>>,
}

/// A view of an index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IndexManifest {
    /// The children, in the document's order.
    pub manifests: Vec<Descriptor>,
    /// The manifest that this one is about, where it is a referrer.
    pub subject: Option<Box<Descriptor>>,
}

impl Manifest {
    /// A manifest of these bytes, with the SHA-256 digest they have.
    ///
    /// `media_type` is what the registry said. Where it said nothing useful (nothing, or `application/json`), the
    /// document's own `mediaType` decides, and failing that its shape.
    pub fn new(bytes: Bytes, media_type: &str) -> Self {
        let digest = Digest::sha256_of(&bytes);
        Self::with_digest(bytes, media_type, digest)
    }

    /// A manifest of these bytes, if they are the ones the digest stands for.
    ///
    /// # Errors
    /// [`ManifestError::Digest`] when they are not.
    pub fn verified(bytes: Bytes, media_type: &str, expected: &Digest) -> Result<Self, ManifestError> {
        if expected.matches(&bytes) {
            return Ok(Self::with_digest(bytes, media_type, expected.clone()));
        }
        Err(ManifestError::Digest { expected: expected.clone(), actual: Digest::sha256_of(&bytes) })
    }

    fn with_digest(bytes: Bytes, media_type: &str, digest: Digest) -> Self {
        let said = MediaType::new(media_type.split(';').next().unwrap_or_default().trim());
        let media_type = if said.is_manifest() { said } else { guessed(&bytes).unwrap_or(said) };
        Self { bytes, media_type, digest }
    }

    /// The exact bytes.
    pub fn bytes(&self) -> &Bytes {
        &self.bytes
    }

    /// What it is.
    pub fn media_type(&self) -> &MediaType {
        &self.media_type
    }

    /// The digest of the bytes.
    pub fn digest(&self) -> &Digest {
        &self.digest
    }

    /// A descriptor of this manifest.
    pub fn descriptor(&self) -> Descriptor {
        Descriptor::new(self.media_type.clone(), self.digest.clone(), self.bytes.len() as u64)
    }

    /// Looks inside.
    ///
    /// # Errors
    /// When the bytes are no image manifest or index, when they could be read as either, or when they are of a kind
    /// that is not supported (Docker schema 1).
    pub fn parse(&self) -> Result<Document, ManifestError> {
        if !self.media_type.is_index() && !self.media_type.is_image() {
            return Err(ManifestError::Unsupported { media_type: self.media_type.clone() });
        }
        let syntax = |source| ManifestError::Syntax { digest: self.digest.clone(), source };
        let wire: Wire = serde_json::from_slice(&self.bytes).map_err(syntax)?;
        if wire.manifests.as_ref().is_some_and(|list| !list.is_empty())
            && (wire.layers.is_some() || wire.config.is_some())
            || wire.manifests.is_some() && wire.layers.as_ref().is_some_and(|list| !list.is_empty())
        {
            return Err(ManifestError::Ambiguous { digest: self.digest.clone() });
        }
        if self.media_type.is_index() {
            let manifests = wire.manifests.unwrap_or_default();
            return Ok(Document::Index(IndexManifest { manifests, subject: wire.subject }));
        }
        let Some(config) = wire.config else {
            return Err(syntax(serde::de::Error::missing_field("config")));
        };
        let layers = wire.layers.unwrap_or_default();
        Ok(Document::Image(ImageManifest { config, layers, subject: wire.subject }))
    }
}

/// Both documents at once: which of the two it is depends on the media type, and what is in the other's place must be seen.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Wire {
    #[serde(default, deserialize_with = "or_default")]
    media_type: MediaType,
    config: Option<Descriptor>,
    layers: Option<Vec<Descriptor>>,
    manifests: Option<Vec<Descriptor>>,
    subject: Option<Box<Descriptor>>,
}

/// What the document says of itself, or what its shape says.
fn guessed(bytes: &[u8]) -> Option<MediaType> {
    let wire: Wire = serde_json::from_slice(bytes).ok()?;
    if wire.media_type.is_manifest() {
        return Some(wire.media_type);
    }
    match (wire.manifests, wire.config) {
        (Some(_), None) => Some(MediaType::new(media_type::OCI_INDEX)),
        (None, Some(_)) => Some(MediaType::new(media_type::OCI_MANIFEST)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn descriptor(media_type: &str) -> String {
        format!(r#"{{"mediaType":"{media_type}","digest":"{}","size":0}}"#, Digest::sha256_of(b""))
    }

    fn manifest(json: String, media_type: &str) -> Manifest {
        Manifest::new(json.into(), media_type)
    }

    #[test]
    fn an_image_manifest_with_null_layers_has_none() {
        let json =
            format!(r#"{{"schemaVersion":2,"config":{},"layers":null}}"#, descriptor(media_type::OCI_CONFIG));
        let Document::Image(image) = manifest(json, media_type::OCI_MANIFEST).parse().unwrap() else {
            panic!("an image")
        };
        assert!(image.layers.is_empty());
    }

    #[test]
    fn a_document_that_is_both_is_refused() {
        let child = descriptor(media_type::OCI_MANIFEST);
        let json = format!(r#"{{"manifests":[{child}],"layers":[{child}],"config":{child}}}"#);
        for media_type in [media_type::OCI_INDEX, media_type::OCI_MANIFEST] {
            let error = manifest(json.clone(), media_type).parse().unwrap_err();
            assert!(matches!(error, ManifestError::Ambiguous { .. }), "{error}");
        }
    }

    #[test]
    fn bytes_that_are_not_the_ones_asked_for_are_refused() {
        let asked = Digest::sha256_of(b"{}");
        let error =
            Manifest::verified(Bytes::from_static(b"{ }"), media_type::OCI_INDEX, &asked).unwrap_err();
        assert!(error.to_string().contains("does not match requested digest"), "{error}");
    }

    #[test]
    fn without_a_useful_content_type_the_document_decides() {
        let config = descriptor(media_type::DOCKER_CONFIG);
        let said =
            format!(r#"{{"mediaType":"{}","config":{config},"layers":[]}}"#, media_type::DOCKER_MANIFEST);
        assert_eq!(manifest(said, "application/json").media_type().as_str(), media_type::DOCKER_MANIFEST);
        let shaped = format!(r#"{{"manifests":[{config}]}}"#);
        assert_eq!(manifest(shaped, "").media_type().as_str(), media_type::OCI_INDEX);
    }

    #[test]
    fn parameters_of_a_content_type_are_dropped() {
        let manifest = manifest("{}".to_owned(), &format!("{}; charset=utf-8", media_type::OCI_INDEX));
        assert_eq!(manifest.media_type().as_str(), media_type::OCI_INDEX);
    }

    #[test]
    fn schema_1_is_refused_by_name() {
        let error = manifest("{}".to_owned(), media_type::DOCKER_MANIFEST_1_SIGNED).parse().unwrap_err();
        assert!(error.to_string().contains("v1+prettyjws"), "{error}");
    }
}
