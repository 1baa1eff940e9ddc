//! Manifests and indexes (OCI image specification, "Image Manifest" and "Image Index"). A manifest is its bytes: it is
//! parsed to look inside and passed on untouched, because its digest depends on every byte.

use std::fmt;

use bytes::Bytes;
use serde::Deserialize;
use serde_json::error::Category;

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
    /// The bytes are no JSON at all.
    #[error("reading manifest {digest}: not a JSON document; {beginning}")]
    NotJson {
        /// The digest of the bytes.
        digest: Digest,
        /// How they begin.
        beginning: Beginning,
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
            if let Some(error) = self.page() {
                return Err(error);
            }
            return Err(ManifestError::Unsupported { media_type: self.media_type.clone() });
        }
        let wire: Wire = serde_json::from_slice(&self.bytes).map_err(|error| self.syntax(error))?;
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
            return Err(self.syntax(serde::de::Error::missing_field("config")));
        };
        let layers = wire.layers.unwrap_or_default();
        Ok(Document::Image(ImageManifest { config, layers, subject: wire.subject }))
    }

    fn syntax(&self, source: serde_json::Error) -> ManifestError {
        let digest = self.digest.clone();
        match source.classify() {
            Category::Syntax | Category::Eof => {
                ManifestError::NotJson { digest, beginning: Beginning::of(&self.bytes), source }
            }
            Category::Data | Category::Io => ManifestError::Syntax { digest, source },
        }
    }

    /// The error where a web page came instead of a manifest, whatever it was said to be.
    fn page(&self) -> Option<ManifestError> {
        let is_page = self.bytes.trim_ascii_start().starts_with(b"<");
        let error = serde_json::from_slice::<serde::de::IgnoredAny>(&self.bytes).err()?;
        is_page.then(|| self.syntax(error))
    }
}

/// How a document begins that is not what it should be, as a message shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Beginning {
    shown: String,
    cut: bool,
}

impl Beginning {
    /// The first characters of these bytes; what could play tricks with a terminal is escaped.
    fn of(bytes: &[u8]) -> Self {
        const SHOWN: usize = 40;
        // Four times as many bytes hold at least so many characters.
        let text = String::from_utf8_lossy(&bytes[..bytes.len().min(4 * SHOWN)]);
        let shown = text.trim_start().chars().take(SHOWN).flat_map(char::escape_debug).collect();
        Self { shown, cut: text.trim_start().chars().count() > SHOWN }
    }
}

impl fmt::Display for Beginning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { shown, cut } = self;
        if shown.is_empty() {
            return f.write_str("it is empty");
        }
        write!(f, "the beginning is '{shown}{}'", if *cut { "…" } else { "" })?;
        match shown.starts_with('<') {
            true => f.write_str(" (hint: perhaps a login page of a proxy)"),
            false => Ok(()),
        }
    }
}

/// Both documents at once: which of the two it is depends on the media type, and what is in the other's place must be seen.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", expecting = "an image manifest or index")]
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

    /// The error and its cause.
    fn refused(bytes: &'static str, media_type: &str) -> String {
        let error = Manifest::new(Bytes::from_static(bytes.as_bytes()), media_type).parse().unwrap_err();
        let cause = std::error::Error::source(&error).map(ToString::to_string).unwrap_or_default();
        format!("{error}: {cause}")
    }

    #[test]
    fn what_is_no_json_is_shown_from_its_beginning() {
        let page = "\n<html><head><title>Sign in, please, before you go on</title>";
        for media_type in [media_type::OCI_MANIFEST, "text/html"] {
            let text = refused(page, media_type);
            let expected = ": not a JSON document; the beginning is '<html><head><title>Sign in, please, befo…' \
                            (hint: perhaps a login page of a proxy): expected value at line 2 column 1";
            assert!(text.ends_with(expected), "{text}");
        }
        let text = refused("\u{1b}[2J{", media_type::OCI_INDEX);
        assert!(text.contains("the beginning is '\\u{1b}[2J{': "), "{text}");
        assert!(refused("", media_type::OCI_INDEX).contains("not a JSON document; it is empty: EOF"));
    }

    #[test]
    fn what_is_another_document_is_refused_in_words_of_the_specification() {
        for (json, expected) in [
            ("null", "invalid type: null, expected an image manifest or index at line 1 column 4"),
            (r#"{"config":5}"#, "invalid type: integer `5`, expected a descriptor at line 1 column 11"),
            (r#"{"config":{"platform":5}}"#, "expected a platform at line 1 column 23"),
            (r#"{"layers":{}}"#, "invalid type: map, expected a sequence at line 1 column 10"),
        ] {
            let text = refused(json, media_type::OCI_MANIFEST);
            assert!(text.contains(expected), "{text}");
        }
    }

    #[test]
    fn schema_1_is_refused_by_name() {
        let error = manifest("{}".to_owned(), media_type::DOCKER_MANIFEST_1_SIGNED).parse().unwrap_err();
        assert!(error.to_string().contains("v1+prettyjws"), "{error}");
    }
}
