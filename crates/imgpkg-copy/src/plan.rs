//! The plan: which blobs and manifests must come to the destination, and in which order. It is made before the first
//! byte moves, from what discovery found and from what the destination says it has.

use std::collections::HashMap;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::future::{BoxFuture, FutureExt as _};
use futures_util::stream::{self, StreamExt as _, TryStreamExt as _};
use imgpkg_oci::{
    Descriptor, Destination, Digest, DigestReference, ErrorKind, ImageManifest, Manifest, ManifestTree,
    Repository, Source, TagOrDigest, TreeContent,
};

use crate::Error;

/// How many existence checks are under way at once. Where they go to one host, its own budget is the tighter bound.
const CHECKS_AT_ONCE: usize = 64;

/// With more manifests than this it is worth asking first whether the destination has any at all.
const FEW: usize = 4;

/// One top-level manifest on its way: what it is, where its bytes are, and the names it gets.
#[derive(Clone)]
pub struct Shipment {
    /// The reference it is known by to the user, for messages.
    pub name: DigestReference,
    /// The manifest and everything below it.
    pub tree: ManifestTree,
    /// Where its layers are read from.
    pub source: Arc<dyn Source>,
    /// A repository that may have its blobs, for a destination in the same registry.
    pub mount_from: Option<Repository>,
    /// The tags it gets, the first of them before the others.
    pub targets: Vec<TagOrDigest>,
}

/// Where a blob's bytes are.
#[derive(Clone)]
pub enum BlobOrigin {
    /// Here: a configuration.
    Memory(Bytes),
    /// In one of these, tried in order.
    Sources(Vec<Arc<dyn Source>>),
}

/// A blob that the destination must have.
#[derive(Clone)]
pub struct BlobStep {
    /// The blob.
    pub descriptor: Descriptor,
    /// Where it is read from.
    pub origin: BlobOrigin,
    /// A repository of the destination's registry that may have it.
    pub mount_from: Option<Repository>,
    /// An image that needs it, for messages.
    pub needed_by: DigestReference,
}

/// A manifest that the destination must have.
#[derive(Clone)]
pub struct ManifestStep {
    /// The manifest.
    pub manifest: Manifest,
    /// The names it is written under, in this order.
    pub targets: Vec<TagOrDigest>,
    /// The blobs that must be there first, as positions in [`Plan::blobs`].
    pub blobs: Vec<usize>,
    /// The manifests that must be there first, as positions in [`Plan::manifests`].
    pub children: Vec<usize>,
    /// The image it belongs to, for messages.
    pub needed_by: DigestReference,
}

/// Everything that has to be done, each blob and each manifest once.
#[derive(Default)]
pub struct Plan {
    /// The blobs, in the order in which they were met.
    pub blobs: Vec<BlobStep>,
    /// The manifests, children before their parents.
    pub manifests: Vec<ManifestStep>,
    /// How many manifests the destination has already, with everything below them.
    pub present: usize,
    /// For each shipment, in their order: is its manifest there, with everything below it?
    pub in_place: Vec<bool>,
}

impl Plan {
    /// Makes the plan. The destination is asked about each top-level manifest once, and about an index's children only
    /// where the index is not there: a manifest that is there proves everything below it. A destination that has nothing
    /// yet is asked for that alone.
    ///
    /// # Errors
    /// When the destination cannot be asked.
    pub async fn make(
        shipments: &[Shipment],
        destination: &dyn Destination,
        layers: LayerChoice,
    ) -> Result<Self, Error> {
        let is_new = shipments.len() > FEW && destination.is_new().await;
        let inventory = &Inventory { destination, is_new };
        let missing: Vec<Missing> =
            stream::iter(shipments.iter().map(|shipment| missing_of_shipment(shipment, inventory)))
                .buffered(CHECKS_AT_ONCE)
                .try_collect()
                .await?;
        let mut draft =
            Draft { plan: Self::default(), blobs: HashMap::new(), manifests: HashMap::new(), layers };
        draft.plan.in_place = missing.iter().map(|missing| missing.below.is_none()).collect();
        for (shipment, missing) in shipments.iter().zip(&missing) {
            draft.add(shipment, &shipment.tree, missing);
        }
        Ok(draft.plan)
    }

    /// The sum of the blobs' sizes in bytes.
    pub fn bytes(&self) -> u64 {
        self.blobs.iter().map(|blob| blob.descriptor.size).sum()
    }
}

/// Which layers are moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LayerChoice {
    /// All of them.
    All,
    /// Not those whose publisher does not allow it (foreign or restricted layers).
    Distributable,
}

impl LayerChoice {
    /// Is this layer moved?
    pub fn takes(self, layer: &Descriptor) -> bool {
        self == Self::All || !layer.media_type.is_non_distributable()
    }
}

/// What the destination lacks of a manifest.
struct Missing {
    /// The names under which it has to be written.
    targets: Vec<TagOrDigest>,
    /// What is lacking below it; `None` when the destination has the manifest, under whatever name.
    below: Option<Vec<Missing>>,
}

async fn missing_of_shipment(shipment: &Shipment, inventory: &Inventory<'_>) -> Result<Missing, Error> {
    let digest = shipment.tree.manifest.digest();
    let mut targets = Vec::new();
    let mut present = false;
    for target in &shipment.targets {
        match inventory.existing(target, &shipment.name).await? {
            Some(found) if found == *digest => present = true,
            _ => targets.push(target.clone()),
        }
    }
    let below = if present { None } else { Some(missing_below(shipment, &shipment.tree, inventory).await?) };
    Ok(Missing { targets, below })
}

fn missing_below<'a>(
    shipment: &'a Shipment,
    tree: &'a ManifestTree,
    inventory: &'a Inventory<'a>,
) -> BoxFuture<'a, Result<Vec<Missing>, Error>> {
    let TreeContent::Index { children } = &tree.content else {
        return futures_util::future::ready(Ok(Vec::new())).boxed();
    };
    stream::iter(children)
        .map(move |child| async move {
            let target = TagOrDigest::Digest(child.manifest.digest().clone());
            if inventory.existing(&target, &shipment.name).await?.is_some() {
                return Ok(Missing { targets: Vec::new(), below: None });
            }
            let below = missing_below(shipment, child, inventory).await?;
            Ok(Missing { targets: vec![target], below: Some(below) })
        })
        .buffered(CHECKS_AT_ONCE)
        .try_collect()
        .boxed()
}

/// What the destination says it has.
struct Inventory<'a> {
    destination: &'a dyn Destination,
    is_new: bool,
}

impl Inventory<'_> {
    async fn existing(&self, target: &TagOrDigest, name: &DigestReference) -> Result<Option<Digest>, Error> {
        if self.is_new {
            return Ok(None);
        }
        match self.destination.existing(target).await {
            Ok(found) => Ok(found),
            // Who may not look may still be allowed to write; and if not, the answer to that says why.
            Err(error) if error.kind() == ErrorKind::Denied => Ok(None),
            Err(source) => Err(Error::Checking { name: name.clone(), source }),
        }
    }
}

/// The plan in the making, with what it has met already.
struct Draft {
    plan: Plan,
    blobs: HashMap<Digest, usize>,
    manifests: HashMap<Digest, usize>,
    layers: LayerChoice,
}

impl Draft {
    /// Adds a manifest and what is lacking below it; its position, where it has to be written.
    fn add(&mut self, shipment: &Shipment, tree: &ManifestTree, missing: &Missing) -> Option<usize> {
        let Some(below) = &missing.below else {
            self.plan.present += 1;
            return (!missing.targets.is_empty())
                .then(|| self.manifest(shipment, tree, &missing.targets, Vec::new(), Vec::new()));
        };
        let (blobs, children) = match &tree.content {
            TreeContent::Image { image, config } => (self.image_blobs(shipment, image, config), Vec::new()),
            TreeContent::Index { children } => {
                let added = children
                    .iter()
                    .zip(below)
                    .filter_map(|(child, missing)| self.add(shipment, child, missing));
                (Vec::new(), added.collect())
            }
        };
        Some(self.manifest(shipment, tree, &missing.targets, blobs, children))
    }

    /// The step that writes this manifest: the one there is, with more targets, or a new one.
    fn manifest(
        &mut self,
        shipment: &Shipment,
        tree: &ManifestTree,
        targets: &[TagOrDigest],
        blobs: Vec<usize>,
        children: Vec<usize>,
    ) -> usize {
        let digest = tree.manifest.digest();
        if let Some(&position) = self.manifests.get(digest) {
            let step = &mut self.plan.manifests[position];
            for target in targets {
                if !step.targets.contains(target) {
                    step.targets.push(target.clone());
                }
            }
            return position;
        }
        let position = self.plan.manifests.len();
        self.plan.manifests.push(ManifestStep {
            manifest: tree.manifest.clone(),
            targets: targets.to_vec(),
            blobs,
            children,
            needed_by: shipment.name.clone(),
        });
        self.manifests.insert(digest.clone(), position);
        position
    }

    fn image_blobs(&mut self, shipment: &Shipment, image: &ImageManifest, config: &Bytes) -> Vec<usize> {
        let mut positions = vec![self.blob(shipment, &image.config, BlobOrigin::Memory(config.clone()))];
        let choice = self.layers;
        for layer in image.layers.iter().filter(|layer| choice.takes(layer)) {
            let position = self.blob(shipment, layer, BlobOrigin::Sources(vec![shipment.source.clone()]));
            if !positions.contains(&position) {
                positions.push(position);
            }
        }
        positions
    }

    fn blob(&mut self, shipment: &Shipment, descriptor: &Descriptor, origin: BlobOrigin) -> usize {
        if let Some(&position) = self.blobs.get(&descriptor.digest) {
            let step = &mut self.plan.blobs[position];
            step.mount_from = step.mount_from.take().or_else(|| shipment.mount_from.clone());
            if let (BlobOrigin::Sources(known), BlobOrigin::Sources(more)) = (&mut step.origin, origin) {
                known.extend(more.into_iter().filter(|new| !known_already(known, new)).collect::<Vec<_>>());
            }
            return position;
        }
        let position = self.plan.blobs.len();
        self.blobs.insert(descriptor.digest.clone(), position);
        self.plan.blobs.push(BlobStep {
            descriptor: descriptor.clone(),
            origin,
            mount_from: shipment.mount_from.clone(),
            needed_by: shipment.name.clone(),
        });
        position
    }
}

fn known_already(known: &[Arc<dyn Source>], new: &Arc<dyn Source>) -> bool {
    known.iter().any(|old| {
        Arc::ptr_eq(old, new) || (old.repository().is_some() && old.repository() == new.repository())
    })
}

#[cfg(test)]
mod tests;
