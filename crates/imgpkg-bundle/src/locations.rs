//! The locations image: what a copy leaves beside each bundle, so that later runs know which of its images are bundles
//! without asking for each.

use std::collections::HashMap;

use imgpkg_lock::{ImageLocations, Location};
use imgpkg_oci::{DigestReference, ErrorKind, ManifestTree, Source, TagOrDigest};

use crate::build::BuiltImage;
use crate::document::{only_layer, read_document};
use crate::fetch::fetch_tree;
use crate::nested::{Bundle, Error};
use crate::tags;

const FILE_NAME: &str = "image-locations.yml";

/// For each reference of a bundle's lock file, whether it is a bundle.
pub type Marks = HashMap<String, bool>;

/// A bundle's locations image, read.
#[derive(Debug)]
pub struct Locations {
    /// The image itself.
    pub tree: ManifestTree,
    /// What it says.
    pub marks: Marks,
}

/// Reads the locations image of the bundle at `bundle`, from the same repository; `None` where there is none, or none
/// that we may see.
///
/// # Errors
/// When the repository cannot be asked, or what it has is no locations image.
pub async fn read(source: &dyn Source, bundle: &DigestReference) -> Result<Option<Locations>, Error> {
    let tag = TagOrDigest::Tag(tags::locations_tag(bundle.digest()));
    let tree = match fetch_tree(source, &tag).await {
        Ok(tree) => tree,
        Err(Error::Fetch(error)) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::Denied) => {
            return Ok(None);
        }
        Err(error) => return Err(Error::FetchLocations(Box::new(error))),
    };
    let layer = only_layer(&tree, Error::LocationsLayers)?;
    let document = read_document(source, layer, |name| name.rsplit('/').next() == Some(FILE_NAME))
        .await
        .map_err(|source| Error::Layer { digest: layer.digest.clone(), source })?
        .ok_or(Error::NoLocations)?;
    let locations =
        ImageLocations::parse(&document.content).map_err(|error| Error::Locations(Box::new(error)))?;
    let marks = locations.images.into_iter().map(|location| (location.image, location.is_bundle)).collect();
    Ok(Some(Locations { tree, marks }))
}

/// The locations image of a bundle: the same bytes wherever and whenever it is made.
///
/// # Errors
/// When the image cannot be built.
pub fn build(bundle: &Bundle) -> Result<BuiltImage, crate::Error> {
    let images = bundle
        .images
        .iter()
        .map(|image| Location { image: image.original.to_string(), is_bundle: image.bundle.is_some() });
    let document = ImageLocations::new(images.collect()).to_yaml();
    BuiltImage::from_entries(&[(FILE_NAME, document.as_bytes(), 0o600)])
}
