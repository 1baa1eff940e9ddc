//! `ImagesLock`: the images a bundle refers to.

use std::collections::BTreeMap;
use std::path::Path;

use imgpkg_formats::yaml::{self, Node, Value};
use imgpkg_oci::DigestReference;

use crate::error::Error;
use crate::fields::{Reader, Target, Text, Unknown, unmarshal};
use crate::file;
use crate::version::{API_VERSION, Origin, Version};

const DOCUMENT: &str = "images lock";
const KIND: &str = "ImagesLock";

/// The images a bundle refers to, by digest: `.imgpkg/images.yml`, and the lock files of commands.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ImagesLock {
    /// The images in the order of the file. The same one may be listed twice.
    pub images: Vec<ImageRef>,
}

/// One image of an [`ImagesLock`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageRef {
    /// Where the image is. Printed in full, whatever the file said: `index.docker.io/library/ubuntu@sha256:…`.
    pub image: DigestReference,
    /// What the author noted about the image.
    pub annotations: BTreeMap<String, String>,
}

impl ImagesLock {
    /// Reads a lock file's bytes.
    ///
    /// # Errors
    ///
    /// What is not YAML, has unknown fields or the wrong version or kind, and images without a digest.
    pub fn parse(bytes: &[u8]) -> Result<Self, Error> {
        Self::parse_named(bytes, None)
    }

    /// Reads a lock file.
    ///
    /// # Errors
    ///
    /// As [`ImagesLock::parse`], and when the file cannot be read or is larger than [`crate::MAX_BYTES`].
    pub fn read(path: &Path) -> Result<Self, Error> {
        Self::parse_named(&file::read(path)?, Some(path))
    }

    pub(crate) fn parse_named(bytes: &[u8], path: Option<&Path>) -> Result<Self, Error> {
        let (version, images) = unmarshal(DOCUMENT, bytes, path, read_fields)?;
        let origin = Origin { document: DOCUMENT, bytes, file: path };
        version.validate(KIND, &origin)?;
        let images =
            images.into_iter().map(|(image, annotations)| match DigestReference::parse(&image.text) {
                Ok(image) => Ok(ImageRef { image, annotations }),
                Err(_) => Err(origin.not_digest(image)),
            });
        Ok(Self { images: images.collect::<Result<_, _>>()? })
    }

    /// The document as the reference writes it.
    #[must_use]
    pub fn to_yaml(&self) -> String {
        let mut fields = vec![("apiVersion", Value::from(API_VERSION)), ("kind", Value::from(KIND))];
        if !self.images.is_empty() {
            fields.push(("images", self.images.iter().map(ImageRef::to_value).collect()));
        }
        format!("---\n{}", yaml::write(&Value::from_iter(fields)))
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

impl ImageRef {
    fn to_value(&self) -> Value {
        let mut fields = vec![("image", Value::from(self.image.to_string()))];
        if !self.annotations.is_empty() {
            fields.push(("annotations", self.annotations.clone().into_iter().collect()));
        }
        Value::from_iter(fields)
    }
}

type RawImage = (Text, BTreeMap<String, String>);

fn read_fields(reader: &mut Reader, node: &Node) -> (Version, Vec<RawImage>) {
    let mut version = Version::default();
    let mut images = Vec::new();
    let target = Target { field: "", kind: "lockconfig.ImagesLock" };
    reader.fields(
        node,
        target,
        Unknown::Refuse,
        &["apiVersion", "kind", "images"],
        |reader, field, value| match field {
            0 => {
                version.api_version =
                    reader.placed(value, Target { field: "ImagesLock.apiVersion", kind: "string" })
            }
            1 => version.kind = reader.placed(value, Target { field: "ImagesLock.kind", kind: "string" }),
            _ => {
                let list = Target { field: "ImagesLock.images", kind: "[]lockconfig.ImageRef" };
                images = reader.items(value, list).iter().map(|item| read_image(reader, item)).collect();
            }
        },
    );
    (version, images)
}

fn read_image(reader: &mut Reader, node: &Node) -> RawImage {
    let mut image = Text { at: Some(node.at), ..Text::default() };
    let mut annotations = BTreeMap::new();
    let target = Target { field: "ImagesLock.images", kind: "lockconfig.ImageRef" };
    reader.fields(
        node,
        target,
        Unknown::Refuse,
        &["image", "annotations"],
        |reader, field, value| match field {
            0 => image = reader.placed(value, Target { field: "ImageRef.images.image", kind: "string" }),
            _ => {
                let map = Target { field: "ImageRef.images.annotations", kind: "map[string]string" };
                for entry in reader.entries(value, map) {
                    let text = reader.text(&entry.value, Target { kind: "string", ..map });
                    annotations.insert(entry.key.clone(), text);
                }
            }
        },
    );
    (image, annotations)
}

#[cfg(test)]
mod tests;
