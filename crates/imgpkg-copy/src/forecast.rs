//! A copy that is only talked about: what it would move, and what it would find. Nothing is written anywhere.

use std::collections::HashMap;
use std::path::Path;

use imgpkg_oci::{
    Destination, Digest, DigestReference, ImageManifest, ManifestTree, Repository, TreeContent,
};

use crate::Error;
use crate::copy::{Options, archive_forecast, archived, previous_archive, shipments};
use crate::discover::{ImageSet, KeptLayers};
use crate::plan::{BlobOrigin, LayerChoice, Plan, Shipment};

/// How many blobs, and how large they are together.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Amount {
    /// How many blobs, each counted once.
    pub blobs: usize,
    /// How many bytes they have.
    pub bytes: u64,
}

impl Amount {
    fn add(&mut self, bytes: u64) {
        self.blobs += 1;
        self.bytes += bytes;
    }
}

/// An image that would be copied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageForecast {
    /// Where it comes from.
    pub source: DigestReference,
    /// Is it in the destination, with everything below it?
    pub in_place: bool,
}

/// What a copy would do.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Forecast {
    /// The images, in ascending order of their sources.
    pub images: Vec<ImageForecast>,
    /// Blobs that are in the destination, or on the disk beside it, and are not moved again.
    pub there: Amount,
    /// Blobs that would be read from a registry. Where the destination is a repository, the most that could be: it is not
    /// asked about single blobs.
    pub fetch: Amount,
    /// Blobs that would be sent to the destination, likewise the most that could be.
    pub send: Amount,
    /// How many of these have more than [`LARGE_BYTES`].
    pub send_large: usize,
    /// Blobs that the destination's registry could take over from another of its repositories. One that it does not take
    /// over is read and sent.
    pub mount: Amount,
    /// Layers that would be left out, because their publisher does not allow them to be passed on.
    pub left_out: Amount,
    /// How many times a manifest would be written, under whatever name.
    pub manifests: usize,
    /// How many tags of the user would be written.
    pub tags: usize,
    /// For how many bundles a locations image would be written.
    pub locations: usize,
    /// The size in bytes of the archive that would be written.
    pub archive_bytes: Option<u64>,
    /// Of the blobs to be fetched, the number of those that finding out what there is to copy has fetched already.
    pub at_hand: usize,
    /// Of the blobs to be fetched, the bytes that the disk has: beginnings of layers in an unfinished archive.
    pub begun_bytes: u64,
}

/// Blobs of more bytes than this do not go to a registry in a single request.
pub const LARGE_BYTES: u64 = 1024 * 1024;

impl Forecast {
    /// What [`to_repository`](crate::copy::to_repository) would do. The destination is asked which manifests it has.
    ///
    /// # Errors
    /// When the destination cannot be asked.
    pub async fn of_repository(
        set: &ImageSet,
        destination: &dyn Destination,
        repository: &Repository,
        options: Options,
    ) -> Result<Self, Error> {
        let shipments = shipments(set, repository, options);
        let plan = Plan::make(&shipments, destination, options.layers)
            .await
            .map_err(|error| error.on_the_way(set.archive.as_deref(), repository))?;
        let mut forecast = Self::of_plan(&shipments, &plan, options.layers);
        let kept = KeptLayers::of(set);
        for step in &plan.blobs {
            let size = step.descriptor.size;
            if step.mount_from.is_some() {
                forecast.mount.add(size);
                continue;
            }
            forecast.send.add(size);
            forecast.send_large += usize::from(size > LARGE_BYTES);
            if is_remote(&step.origin) {
                forecast.fetch.add(size);
                forecast.at_hand += usize::from(kept.has(&step.descriptor.digest));
            }
        }
        forecast.manifests = plan.manifests.iter().map(|step| step.targets.len()).sum();
        forecast.tags = set.items.iter().filter(|item| item.tag.is_some()).count();
        forecast.locations = set.bundle.as_ref().map_or(0, |root| root.all().len());
        Ok(forecast)
    }

    /// What [`to_archive`](crate::copy::to_archive) would do. Unfinished files are looked for, and a finished archive
    /// where the options say that its layers are used.
    ///
    /// # Errors
    /// When there could be no archive at `path`, or the finished one there is to be used and cannot be read.
    pub async fn of_archive(set: &ImageSet, path: &Path, options: Options) -> Result<Self, Error> {
        let previous = previous_archive(path, options).await?;
        let archive = archive_forecast(path, &set.items, options.archive()).await?;
        let archive = match &previous {
            Some(previous) => archive.with(previous),
            None => archive,
        };
        let shipments = archived(set);
        let mut forecast = Self::of_plan(&shipments, &Plan::default(), options.layers);
        forecast.archive_bytes = Some(archive.size());
        // Configurations are in `manifest.json`, and fetched by now.
        forecast.there = Amount::default();
        let kept = KeptLayers::of(set);
        for (digest, layer) in archive.layers() {
            if layer.is_whole() {
                forecast.there.add(layer.size);
            } else {
                forecast.fetch.add(layer.size);
                forecast.at_hand += usize::from(kept.has(digest));
                forecast.begun_bytes += layer.there;
            }
        }
        Ok(forecast)
    }

    /// The images, and of their blobs those that the plan leaves where they are.
    fn of_plan(shipments: &[Shipment], plan: &Plan, layers: LayerChoice) -> Self {
        let in_place = |position: usize| plan.in_place.get(position).copied().unwrap_or(false);
        let images = shipments.iter().enumerate().map(|(position, shipment)| ImageForecast {
            source: shipment.name.clone(),
            in_place: in_place(position),
        });
        let mut forecast = Self { images: images.collect(), ..Self::default() };
        let (mut blobs, mut left_out): (HashMap<&Digest, u64>, HashMap<&Digest, u64>) = Default::default();
        for shipment in shipments {
            for image in images_of(&shipment.tree) {
                blobs.insert(&image.config.digest, image.config.size);
                for layer in &image.layers {
                    let place = if layers.takes(layer) { &mut blobs } else { &mut left_out };
                    place.insert(&layer.digest, layer.size);
                }
            }
        }
        for step in &plan.blobs {
            blobs.remove(&step.descriptor.digest);
        }
        blobs.values().for_each(|size| forecast.there.add(*size));
        left_out.values().for_each(|size| forecast.left_out.add(*size));
        forecast
    }
}

fn images_of(tree: &ManifestTree) -> impl Iterator<Item = &ImageManifest> {
    tree.manifests().into_iter().filter_map(|tree| match &tree.content {
        TreeContent::Image { image, .. } => Some(&**image),
        TreeContent::Index { .. } => None,
    })
}

/// Do the bytes have to be asked of a registry?
fn is_remote(origin: &BlobOrigin) -> bool {
    match origin {
        BlobOrigin::Memory(_) => false,
        BlobOrigin::Sources(sources) => sources.iter().all(|source| source.repository().is_some()),
    }
}

#[cfg(test)]
mod tests;
