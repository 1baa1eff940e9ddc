//! The whole copy: a set of images into a repository, or into an archive.

use std::collections::HashSet;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use imgpkg_archive::{Archive, ArchiveWriter, Forecast, Item, WriteOptions};
use imgpkg_bundle::fetch::is_bundle;
use imgpkg_bundle::tags;
use imgpkg_oci::{BlobPut, Destination, Digest, DigestReference, Repository, Source, Tag, TagOrDigest};

use crate::Error;
use crate::budget::Budget;
use crate::discover::{ImageSet, KeptLayers};
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
    /// Take the layers that a finished archive has, where one is to be replaced by another version of it.
    pub resume: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            layers: LayerChoice::Distributable,
            repository_based_tags: false,
            concurrency: None,
            resume: false,
        }
    }
}

impl Options {
    pub(crate) fn archive(self) -> WriteOptions {
        WriteOptions { include_non_distributable: self.layers == LayerChoice::All }
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
    listener(discovered(set));
    listener(Event::Importing { items: set.items.len() });
    let shipments = shipments(set, repository, options);
    ship(&shipments, &destination, options, &listener)
        .await
        .map_err(|error| error.on_the_way(set.archive.as_deref(), repository))?;
    record::write_locations(set, &destination, repository, options).await?;
    listener(Event::TaggingImages);
    record::write_tags(&set.items, &*destination, repository, &listener).await?;
    Ok(outcome(set, options, |item| repository.at(item.source.digest().clone())))
}

/// Copies a set of images into an archive at `path`, which appears there only when it is whole. What an earlier run for
/// it left unfinished is used; what a finished archive there has, where the options say so.
///
/// # Errors
/// When something cannot be read or written. What was at `path` before stays as it was.
pub async fn to_archive(
    set: &ImageSet,
    path: &Path,
    options: Options,
    listener: Listener,
) -> Result<Outcome, Error> {
    listener(discovered(set));
    let started = Instant::now();
    let write = options.archive();
    let previous = previous_archive(path, options).await?;
    let left_over = archive_forecast(path, &set.items, write).await?;
    let writer = ArchiveWriter::create(path, &set.items, write).await?;
    let elapsed = started.elapsed();
    reuse(&writer, left_over, previous.as_ref(), &listener).await?;
    listener(Event::WritingLayers);
    listener(Event::FileWritten { name: "manifest.json".to_owned(), elapsed });
    let shipments = archived(set);
    let destination: Arc<dyn Destination> = Arc::new(writer.clone());
    ship(&shipments, &destination, options, &files_of(listener)).await?;
    writer.finish().await?;
    Ok(outcome(set, options, |item| item.source.clone()))
}

/// The finished archive that layers are to be taken from; `None` where there is none.
pub(crate) async fn previous_archive(path: &Path, options: Options) -> Result<Option<Archive>, Error> {
    if !options.resume || !path.is_file() {
        return Ok(None);
    }
    match Archive::open(path).await {
        Ok(archive) => Ok(Some(archive)),
        Err(imgpkg_archive::Error::Defective { path, source }) => {
            Err(Error::PreviousArchive { path, source: Box::new(source) })
        }
        Err(error) => Err(error.into()),
    }
}

/// What the archive would be, and what unfinished files have of it.
pub(crate) async fn archive_forecast(
    path: &Path,
    items: &[Item],
    options: WriteOptions,
) -> Result<Forecast, Error> {
    let (path, items) = (path.to_owned(), items.to_vec());
    let forecast =
        tokio::task::spawn_blocking(move || Forecast::of(&path, &items, options).map_err(Error::from));
    forecast.await.map_err(Error::Task)?
}

/// Takes what is on the disk already. Layers of unfinished files are verified when their turn comes, those of a finished
/// archive now.
async fn reuse(
    writer: &ArchiveWriter,
    left_over: Forecast,
    previous: Option<&Archive>,
    listener: &Listener,
) -> Result<(), Error> {
    let elsewhere = |digest: &Digest| previous.is_some_and(|archive| archive.has_layer(digest));
    let mut layers =
        left_over.layers().filter(|(digest, layer)| layer.is_whole() && !elsewhere(digest)).count();
    if let Some(archive) = previous {
        let shared: Vec<u64> =
            left_over.layers().filter(|(digest, _)| elsewhere(digest)).map(|(_, layer)| layer.size).collect();
        listener(Event::Verifying { layers: shared.len(), bytes: shared.iter().sum() });
        layers += writer.reuse(archive).await?.layers;
    }
    if layers > 0 {
        listener(Event::Reusing { layers });
    }
    Ok(())
}

fn discovered(set: &ImageSet) -> Event {
    let trees = set.items.iter().flat_map(|item| item.tree.manifests());
    let manifests: HashSet<_> = trees.map(|tree| tree.manifest.digest()).collect();
    Event::Discovered { images: set.items.len(), manifests: manifests.len() }
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
    listener(Event::Planned {
        blobs: plan.blobs.len(),
        bytes: plan.bytes(),
        manifests: plan.manifests.len(),
        present: plan.present,
    });
    transfer(plan, destination.clone(), Budget::new(options.concurrency), listener.clone()).await
}

/// Every image on its way to a repository.
pub(crate) fn shipments(set: &ImageSet, repository: &Repository, options: Options) -> Vec<Shipment> {
    let kept = KeptLayers::of(set);
    let repository_based_tags = options.repository_based_tags;
    let items = set.items.iter();
    items.map(|item| shipment(item, kept.source(set, item), repository, repository_based_tags)).collect()
}

fn shipment(
    item: &Item,
    source: Arc<dyn Source>,
    repository: &Repository,
    repository_based_tags: bool,
) -> Shipment {
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
        source,
        mount_from: (origin.registry() == repository.registry() && origin != repository)
            .then(|| origin.clone()),
        targets: vec![TagOrDigest::Tag(tag)],
    }
}

/// Every image on its way into an archive.
pub(crate) fn archived(set: &ImageSet) -> Vec<Shipment> {
    let kept = KeptLayers::of(set);
    let shipment = |item: &Item| Shipment {
        name: item.source.clone(),
        tree: item.tree.clone(),
        source: kept.source(set, item),
        mount_from: None,
        targets: vec![TagOrDigest::Digest(item.tree.manifest.digest().clone())],
    };
    set.items.iter().map(shipment).collect()
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
