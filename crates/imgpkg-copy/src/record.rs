//! What makes a copy usable: locations images beside each bundle, the users' tags, and the lock file.

use std::sync::Arc;

use futures_util::stream::{self, StreamExt as _, TryStreamExt as _};
use imgpkg_archive::Item;
use imgpkg_bundle::locations;
use imgpkg_bundle::nested::Bundle;
use imgpkg_bundle::tags;
use imgpkg_lock::{AnyLock, BundleLock, ImageRef, ImagesLock};
use imgpkg_oci::{Destination, Repository, TagOrDigest};

use crate::Error;
use crate::copy::{Options, Outcome, ship};
use crate::discover::ImageSet;
use crate::event::{Event, Listener, silent};
use crate::plan::Shipment;

/// How many tags are written at once.
const TAGS_AT_ONCE: usize = 64;

/// Writes the locations image of the root bundle and of every bundle nested in it, if the copy is that of a bundle.
///
/// # Errors
/// When one cannot be written. A registry that does not let the tag be moved is forgiven when it has a locations image
/// for that bundle already.
pub async fn write_locations(
    set: &ImageSet,
    destination: &Arc<dyn Destination>,
    repository: &Repository,
    options: Options,
) -> Result<(), Error> {
    let Some(root) = &set.bundle else { return Ok(()) };
    stream::iter(root.all())
        .map(|bundle| write_location(bundle, destination, repository, options))
        .buffer_unordered(TAGS_AT_ONCE)
        .try_collect()
        .await
}

async fn write_location(
    bundle: Arc<Bundle>,
    destination: &Arc<dyn Destination>,
    repository: &Repository,
    options: Options,
) -> Result<(), Error> {
    let image = locations::build(&bundle).map_err(|source| Error::BuildLocations {
        bundle: bundle.reference.clone(),
        source: Box::new(source),
    })?;
    let tree = image.tree();
    let digest = tree.manifest.digest().clone();
    let tag = tags::locations_tag(bundle.reference.digest());
    let target = repository.tagged(tag.clone());
    let shipment = Shipment {
        name: repository.at(digest.clone()),
        tree,
        source: Arc::new(image),
        mount_from: None,
        targets: vec![TagOrDigest::Tag(tags::image_tag(&digest)), TagOrDigest::Tag(tag.clone())],
    };
    let Err(error) = ship(&[shipment], destination, options, &silent()).await else { return Ok(()) };
    let forgiven = is_immutable(&error)
        && destination.existing(&TagOrDigest::Tag(tag)).await.is_ok_and(|found| found.is_some());
    if forgiven {
        return Ok(());
    }
    let (bundle, target) = (bundle.reference.clone(), target.to_string());
    Err(Error::PushLocations { bundle, target, source: Box::new(error) })
}

/// Does the registry say that the tag cannot be moved?
fn is_immutable(error: &Error) -> bool {
    let mut cause: Option<&dyn std::error::Error> = Some(error);
    while let Some(error) = cause {
        if error.to_string().contains("immutable") {
            return true;
        }
        cause = error.source();
    }
    false
}

/// Writes the users' tags, the root bundle's last, so that whoever finds it finds everything else.
///
/// # Errors
/// When a tag cannot be written.
pub async fn write_tags(
    items: &[Item],
    destination: &dyn Destination,
    repository: &Repository,
    listener: &Listener,
) -> Result<(), Error> {
    for roots in [false, true] {
        let tagged = items.iter().filter(|item| item.root_bundle == roots);
        stream::iter(tagged)
            .map(|item| write_tag(item, destination, repository, listener))
            .buffer_unordered(TAGS_AT_ONCE)
            .try_collect::<()>()
            .await?;
    }
    Ok(())
}

async fn write_tag(
    item: &Item,
    destination: &dyn Destination,
    repository: &Repository,
    listener: &Listener,
) -> Result<(), Error> {
    let Some(tag) = &item.tag else { return Ok(()) };
    let target = repository.tagged(tag.clone());
    destination
        .put_manifest(&item.tree.manifest, &TagOrDigest::Tag(tag.clone()))
        .await
        .map_err(|source| Error::Tag { tag: target.to_string(), source })?;
    listener(Event::TagDone { tag: target });
    Ok(())
}

/// The lock file that describes what was copied: the root bundle, or all the images.
///
/// # Errors
/// When there is a bundle but no root, or when an image of the lock file that the copy began with is not there.
pub fn lock_output(set: &ImageSet, outcome: &Outcome) -> Result<AnyLock, Error> {
    if let Some(root) = outcome.copied.iter().find(|copied| copied.root_bundle) {
        let tag = root.tag.as_ref().map(ToString::to_string);
        return Ok(AnyLock::Bundle(BundleLock { image: root.destination.clone(), tag }));
    }
    if outcome.copied.iter().any(|copied| copied.bundle) {
        return Err(Error::NoRootBundle);
    }
    let images = match &set.lock {
        None => outcome
            .copied
            .iter()
            .map(|copied| ImageRef { image: copied.destination.clone(), annotations: Default::default() })
            .collect(),
        Some(lock) => lock.images.iter().map(|image| relocated(image, outcome)).collect::<Result<_, _>>()?,
    };
    Ok(AnyLock::Images(ImagesLock { images }))
}

fn relocated(image: &ImageRef, outcome: &Outcome) -> Result<ImageRef, Error> {
    let copied = outcome.copied.iter().find(|copied| copied.source == image.image);
    let copied = copied.ok_or_else(|| Error::NotCopied { reference: image.image.clone() })?;
    Ok(ImageRef { image: copied.destination.clone(), annotations: image.annotations.clone() })
}
