//! Discovery in an archive: its items are all known; what is left to find out is which of them are bundles.

use std::sync::Arc;

use imgpkg_archive::{Archive, Item};
use imgpkg_bundle::fetch::is_bundle;
use imgpkg_bundle::nested::{Explorer, read_lock};
use imgpkg_oci::Repositories;

use super::ImageSet;
use crate::Error;

/// Everything that an archive holds. Registries are not asked for anything.
///
/// The root bundle is the item that is marked so. Without a mark, an archive whose only item is a bundle has that as its
/// root: it was written by `save`, and may hold the bundle image without the images that the bundle names.
///
/// # Errors
/// When a bundle in it cannot be read, or a marked root bundle names images that the archive does not have.
pub async fn from_archive(archive: Archive) -> Result<ImageSet, Error> {
    let items = archive.items().to_vec();
    let archive = Arc::new(archive);
    let path = Some(archive.path().to_owned());
    let mut set = ImageSet { archive: path, ..ImageSet::new(items, archive.clone()) };
    let marked = set.items.iter().position(|item| item.root_bundle);
    let alone = (set.items.len() == 1 && is_bundle(&set.items[0].tree)).then_some(0);
    let Some(root) = marked.or(alone) else { return Ok(set) };
    let root = &mut set.items[root];
    root.root_bundle = true;
    let (reference, tree) = (root.source.clone(), Arc::new(root.tree.clone()));
    let missing = missing_images(&archive, root).await?;
    if let Some(first) = missing.first() {
        if marked.is_some() {
            let bundle = reference.digest().clone();
            return Err(Error::IncompleteArchive { bundle, missing: missing.len(), first: first.clone() });
        }
        set.left_out = missing.len();
        return Ok(set);
    }
    let explorer = Explorer::new(archive.clone());
    set.bundle = Some(
        explorer
            .bundle(&reference, tree)
            .await
            .map_err(|error| Error::of_archived_bundle(archive.path(), error))?,
    );
    Ok(set)
}

/// The images that the bundle's lock file names and the archive does not have, each digest once.
async fn missing_images(archive: &Archive, bundle: &Item) -> Result<Vec<String>, Error> {
    let source = archive.source(bundle.source.repository());
    let lock = read_lock(&*source, &bundle.tree)
        .await
        .map_err(|error| Error::of_archived_bundle(archive.path(), error))?
        .lock;
    let mut missing: Vec<_> = lock
        .images
        .iter()
        .filter(|image| {
            !archive.items().iter().any(|item| item.tree.manifest.digest() == image.image.digest())
        })
        .map(|image| (image.image.digest().clone(), image.image.to_string()))
        .collect();
    missing.sort();
    missing.dedup_by(|a, b| a.0 == b.0);
    Ok(missing.into_iter().map(|(_, reference)| reference).collect())
}

/// The only item of an archive that holds one; `None` if it holds none or several.
pub fn only_item(archive: &Archive) -> Option<&Item> {
    match archive.items() {
        [item] => Some(item),
        _ => None,
    }
}
