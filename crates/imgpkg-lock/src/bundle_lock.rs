//! `BundleLock`: one bundle.

use std::path::Path;

use imgpkg_formats::yaml::{self, Node, Value};
use imgpkg_oci::DigestReference;

use crate::error::Error;
use crate::fields::{Reader, Target, Text, Unknown, unmarshal};
use crate::file;
use crate::version::{API_VERSION, Origin, Version};

const DOCUMENT: &str = "bundle lock";
const KIND: &str = "BundleLock";

/// One bundle by digest, with the tag it was pushed or copied under.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BundleLock {
    /// Where the bundle is.
    pub image: DigestReference,
    /// The tag, if there was one.
    pub tag: Option<String>,
}

impl BundleLock {
    /// Reads a lock file's bytes.
    ///
    /// # Errors
    ///
    /// What is not YAML, has unknown fields or the wrong version or kind, and a bundle without a digest.
    pub fn parse(bytes: &[u8]) -> Result<Self, Error> {
        Self::parse_named(bytes, None)
    }

    /// Reads a lock file.
    ///
    /// # Errors
    ///
    /// As [`BundleLock::parse`], and when the file cannot be read or is larger than [`crate::MAX_BYTES`].
    pub fn read(path: &Path) -> Result<Self, Error> {
        Self::parse_named(&file::read(path)?, Some(path))
    }

    pub(crate) fn parse_named(bytes: &[u8], path: Option<&Path>) -> Result<Self, Error> {
        let raw = unmarshal(DOCUMENT, bytes, path, read_fields)?;
        let origin = Origin { document: DOCUMENT, bytes, file: path };
        raw.version.validate(KIND, &origin)?;
        let Ok(image) = DigestReference::parse(&raw.image.text) else {
            return Err(origin.not_digest(raw.image));
        };
        Ok(Self { image, tag: (!raw.tag.is_empty()).then_some(raw.tag) })
    }

    /// The document as the reference writes it.
    #[must_use]
    pub fn to_yaml(&self) -> String {
        let mut bundle = vec![("image", self.image.to_string())];
        if let Some(tag) = self.tag.as_ref().filter(|tag| !tag.is_empty()) {
            bundle.push(("tag", tag.clone()));
        }
        let document = Value::from_iter([
            ("apiVersion", Value::from(API_VERSION)),
            ("bundle", Value::from_iter(bundle)),
            ("kind", Value::from(KIND)),
        ]);
        format!("---\n{}", yaml::write(&document))
    }

    /// Writes the document to a file: a new one has mode 0600, an existing one keeps its mode and, until the new content
    /// is complete, its content.
    ///
    /// # Errors
    ///
    /// When the file cannot be written.
    pub fn write(&self, path: &Path) -> Result<(), Error> {
        file::write(path, &self.to_yaml())
    }
}

#[derive(Default)]
struct Raw {
    version: Version,
    image: Text,
    tag: String,
}

fn read_fields(reader: &mut Reader, node: &Node) -> Raw {
    let mut raw = Raw::default();
    let target = Target { field: "", kind: "lockconfig.BundleLock" };
    reader.fields(
        node,
        target,
        Unknown::Refuse,
        &["apiVersion", "kind", "bundle"],
        |reader, field, value| match field {
            0 => {
                raw.version.api_version =
                    reader.placed(value, Target { field: "BundleLock.apiVersion", kind: "string" })
            }
            1 => raw.version.kind = reader.placed(value, Target { field: "BundleLock.kind", kind: "string" }),
            _ => {
                let bundle = Target { field: "BundleLock.bundle", kind: "lockconfig.BundleRef" };
                reader.fields(value, bundle, Unknown::Refuse, &["image", "tag"], |reader, field, value| {
                    match field {
                        0 => {
                            raw.image = reader
                                .placed(value, Target { field: "BundleRef.bundle.image", kind: "string" })
                        }
                        _ => {
                            raw.tag =
                                reader.text(value, Target { field: "BundleRef.bundle.tag", kind: "string" })
                        }
                    }
                });
            }
        },
    );
    raw
}

#[cfg(test)]
mod tests;
