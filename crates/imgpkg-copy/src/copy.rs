//! The whole copy: a set of images into a repository, or into an archive.

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use imgpkg_archive::{ArchiveWriter, Item, WriteOptions};
use imgpkg_bundle::fetch::is_bundle;
use imgpkg_bundle::tags;
use imgpkg_oci::{BlobPut, Destination, Digest, DigestReference, Repository, Tag, TagOrDigest};

use crate::Error;
use crate::budget::Budget;
use crate::discover::ImageSet;
use crate::event::{Event, Listener};
use crate::plan::{LayerChoice, Plan, Shipment};
use crate::record;
use crate::transfer::transfer;

/// How to copy.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// Which layers are moved.
    pub layers: LayerChoice,
    /// Name the copied images' tags after their origin, not after their digest alone.
    pub repository_based_tags: bool,
    /// The most blobs and manifests under way at once; without it, the engine decides.
    pub concurrency: Option<usize>,
}

impl Default for Options {
    fn default() -> Self {
        Self { layers: LayerChoice::Distributable, repository_based_tags: false, concurrency: None }
    }
}

/// An image that has been copied.
#[derive(Debug, Clone)]
pub struct Copied {
    /// Where it came from.
    pub source: DigestReference,
    /// Where it is now; the same as `source` for an archive.
    pub destination: DigestReference,
    /// The tag that the user's choice gave it.
    pub tag: Option<Tag>,
    /// Is it the bundle that all the others belong to?
    pub root_bundle: bool,
    /// Is it a bundle at all?
    pub bundle: bool,
}

/// What a copy has done.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// The images, in ascending order of their sources.
    pub copied: Vec<Copied>,
    /// Layers that were left out because their publisher does not allow them to be passed on, by image.
    pub left_out_layers: Vec<(DigestReference, Vec<Digest>)>,
    /// Has any image such a layer, left out or not?
    pub has_non_distributable: bool,
    /// How many images the root bundle names that were not part of the copy.
    pub left_out_images: usize,
}

/// Copies a set of images into `repository`, which `destination` writes to: content, locations images, then tags.
///
/// # Errors
/// When something cannot be read or written. What has been written stays, and is not sent again by the next run; no tag
/// of the user has been moved.
pub async fn to_repository(
    set: &ImageSet,
    destination: Arc<dyn Destination>,
    repository: &Repository,
    options: Options,
    listener: Listener,
) -> Result<Outcome, Error> {
    listener(Event::Importing { items: set.items.len() });
    let shipments: Vec<_> =
        set.items.iter().map(|item| shipment(set, item, repository, options.repository_based_tags)).collect();
    ship(&shipments, &destination, options, &listener).await?;
    record::write_locations(set, &destination, repository, options).await?;
    listener(Event::TaggingImages);
    record::write_tags(&set.items, &*destination, repository).await?;
    Ok(outcome(set, options, |item| repository.at(item.source.digest().clone())))
}

/// Copies a set of images into an archive at `path`, which appears there only when it is whole.
///
/// # Errors
/// When something cannot be read or written. What was at `path` before stays as it was.
pub async fn to_archive(
    set: &ImageSet,
    path: &Path,
    options: Options,
    listener: Listener,
) -> Result<Outcome, Error> {
    listener(Event::WritingLayers);
    let started = Instant::now();
    let include_non_distributable = options.layers == LayerChoice::All;
    let writer = ArchiveWriter::create(path, &set.items, WriteOptions { include_non_distributable }).await?;
    listener(Event::FileWritten { name: "manifest.json".to_owned(), elapsed: started.elapsed() });
    let shipments: Vec<_> = set.items.iter().map(|item| archived(set, item)).collect();
    let destination: Arc<dyn Destination> = Arc::new(writer.clone());
    ship(&shipments, &destination, options, &files_of(listener)).await?;
    writer.finish().await?;
    Ok(outcome(set, options, |item| item.source.clone()))
}

/// A listener that hears of a blob in an archive as of the file that it is there. What is no file of its own, because
/// `manifest.json` contains it, counts as present.
fn files_of(listener: Listener) -> Listener {
    Arc::new(move |event| {
        if let Event::BlobDone { digest, put: BlobPut::Sent, elapsed, .. } = &event {
            let name = format!("{}-{}.tar.gz", digest.algorithm().name(), digest.hex());
            listener(Event::FileWritten { name, elapsed: *elapsed });
        }
        listener(event);
    })
}

/// Plans the way of these shipments and carries the plan out.
pub(crate) async fn ship(
    shipments: &[Shipment],
    destination: &Arc<dyn Destination>,
    options: Options,
    listener: &Listener,
) -> Result<(), Error> {
    let plan = Plan::make(shipments, &**destination, options.layers).await?;
    listener(Event::Planned { blobs: plan.blobs.len(), bytes: plan.bytes(), present: plan.present });
    transfer(plan, destination.clone(), Budget::new(options.concurrency), listener.clone()).await
}

fn shipment(set: &ImageSet, item: &Item, repository: &Repository, repository_based_tags: bool) -> Shipment {
    let digest = item.tree.manifest.digest();
    let tag = match repository_based_tags {
        true => {
            let base = item.original.clone().unwrap_or_else(|| item.source.to_string());
            tags::repository_based_tag(&base, digest)
        }
        false => tags::image_tag(digest),
    };
    let origin = item.source.repository();
    Shipment {
        name: item.source.clone(),
        tree: item.tree.clone(),
        source: set.repositories.source(origin),
        mount_from: (origin.registry() == repository.registry() && origin != repository)
            .then(|| origin.clone()),
        targets: vec![TagOrDigest::Tag(tag)],
    }
}

fn archived(set: &ImageSet, item: &Item) -> Shipment {
    Shipment {
        name: item.source.clone(),
        tree: item.tree.clone(),
        source: set.repositories.source(item.source.repository()),
        mount_from: None,
        targets: vec![TagOrDigest::Digest(item.tree.manifest.digest().clone())],
    }
}

fn outcome(set: &ImageSet, options: Options, destination: impl Fn(&Item) -> DigestReference) -> Outcome {
    let copied = set.items.iter().map(|item| Copied {
        source: item.source.clone(),
        destination: destination(item),
        tag: item.tag.clone(),
        root_bundle: item.root_bundle,
        bundle: is_bundle(&item.tree),
    });
    let restricted: Vec<(DigestReference, Vec<Digest>)> = set
        .items
        .iter()
        .map(|item| (destination(item), restricted_layers(item)))
        .filter(|(_, layers)| !layers.is_empty())
        .collect();
    Outcome {
        copied: copied.collect(),
        has_non_distributable: !restricted.is_empty(),
        left_out_layers: if options.layers == LayerChoice::All { Vec::new() } else { restricted },
        left_out_images: set.left_out,
    }
}

fn restricted_layers(item: &Item) -> Vec<Digest> {
    let restricted = item.tree.layers().filter(|layer| layer.media_type.is_non_distributable());
    restricted.map(|layer| layer.digest.clone()).collect()
}
