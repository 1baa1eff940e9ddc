//! `ImageLocations`: which images of a copied bundle are bundles.

use std::collections::HashSet;
use std::path::Path;

use imgpkg_formats::yaml::{self, Node, Scalar, Value};

use crate::error::Error;
use crate::fields::{Reader, Target, Unknown, unmarshal};
use crate::file;
use crate::version::{API_VERSION, Origin, Version};

const DOCUMENT: &str = "image locations config";
const KIND: &str = "ImageLocations";

/// What a copy found out about the images that a bundle lists, so that nobody has to probe them again.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ImageLocations {
    /// The images. A copy writes each digest once, in the order of the references' bytes: see [`ImageLocations::new`].
    pub images: Vec<Location>,
}

/// One image of [`ImageLocations`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Location {
    /// The reference in the bundle's lock file, printed in full; not where the image was copied to.
    pub image: String,
    /// Whether the image is a bundle.
    pub is_bundle: bool,
}

impl ImageLocations {
    /// The locations of a bundle's images: sorted, and of several references with one digest only the first.
    #[must_use]
    pub fn new(mut images: Vec<Location>) -> Self {
        let mut digests = HashSet::new();
        images.retain(|location| {
            let digest =
                location.image.rsplit_once('@').map_or(location.image.as_str(), |(_, digest)| digest);
            digests.insert(digest.to_owned())
        });
        images.sort_by(|a, b| a.image.cmp(&b.image));
        Self { images }
    }

    /// Reads a locations document's bytes. Fields that are not known are ignored: later versions may add some.
    ///
    /// # Errors
    ///
    /// What is not YAML, has values of the wrong type, or the wrong version or kind.
    pub fn parse(bytes: &[u8]) -> Result<Self, Error> {
        Self::parse_named(bytes, None)
    }

    /// Reads a locations document from a file.
    ///
    /// # Errors
    ///
    /// As [`ImageLocations::parse`], and when the file cannot be read or is larger than [`crate::MAX_BYTES`].
    pub fn read(path: &Path) -> Result<Self, Error> {
        Self::parse_named(&file::read(path)?, Some(path))
    }

    fn parse_named(bytes: &[u8], path: Option<&Path>) -> Result<Self, Error> {
        let (version, images) = unmarshal(DOCUMENT, bytes, path, read_fields)?;
        version.validate(KIND, &Origin { document: DOCUMENT, bytes, file: path })?;
        Ok(Self { images })
    }

    /// The document as the reference writes it, the images in their order here.
    #[must_use]
    pub fn to_yaml(&self) -> String {
        let images = match self.images.as_slice() {
            [] => Value::from(Scalar::Null),
            images => images.iter().map(Location::to_value).collect(),
        };
        let document = Value::from_iter([
            ("apiVersion", Value::from(API_VERSION)),
            ("images", images),
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

impl Location {
    fn to_value(&self) -> Value {
        Value::from_iter([
            ("image", Value::from(self.image.as_str())),
            ("isBundle", Value::from(self.is_bundle)),
        ])
    }
}

fn read_fields(reader: &mut Reader, node: &Node) -> (Version, Vec<Location>) {
    let mut version = Version::default();
    let mut images = Vec::new();
    let target = Target { field: "", kind: "bundle.ImageLocationsConfig" };
    reader.fields(
        node,
        target,
        Unknown::Ignore,
        &["apiVersion", "kind", "images"],
        |reader, field, value| match field {
            0 => {
                version.api_version =
                    reader.placed(value, Target { field: "ImageLocationsConfig.apiVersion", kind: "string" });
            }
            1 => {
                version.kind =
                    reader.placed(value, Target { field: "ImageLocationsConfig.kind", kind: "string" })
            }
            _ => {
                let list = Target { field: "ImageLocationsConfig.images", kind: "[]bundle.ImageLocation" };
                images = reader.items(value, list).iter().map(|item| read_location(reader, item)).collect();
            }
        },
    );
    (version, images)
}

fn read_location(reader: &mut Reader, node: &Node) -> Location {
    let mut location = Location { image: String::new(), is_bundle: false };
    let target = Target { field: "ImageLocationsConfig.images", kind: "bundle.ImageLocation" };
    reader.fields(
        node,
        target,
        Unknown::Ignore,
        &["image", "isBundle"],
        |reader, field, value| match field {
            0 => {
                location.image =
                    reader.text(value, Target { field: "ImageLocation.images.image", kind: "string" })
            }
            _ => {
                location.is_bundle =
                    reader.truth(value, Target { field: "ImageLocation.images.isBundle", kind: "bool" })
            }
        },
    );
    location
}

#[cfg(test)]
mod tests;
