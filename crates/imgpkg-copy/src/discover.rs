//! Discovery: from what a user names to every image that has to be moved. Nothing is written here.

mod archive;
mod kept;
mod signature;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use futures_util::stream::{self, StreamExt as _, TryStreamExt as _};
use imgpkg_archive::Item;
use imgpkg_bundle::fetch::{fetch_tree, is_bundle};
use imgpkg_bundle::nested::{Bundle, Explorer};
use imgpkg_lock::ImagesLock;
use imgpkg_oci::{
    DigestReference, ManifestTree, Reference, Repositories, Repository, Source, Tag, TagOrDigest,
};

use crate::Error;

pub use archive::{from_archive, only_item};
pub(crate) use kept::KeptLayers;
pub use signature::add_signatures;

/// How many images are fetched at once. Their hosts' own budgets are the tighter bound.
const FETCHES_AT_ONCE: usize = 64;

/// Everything that has to be moved.
pub struct ImageSet {
    /// The images, in ascending order of their source references.
    pub items: Vec<Item>,
    /// The repositories that the items' sources are in.
    pub repositories: Arc<dyn Repositories>,
    /// The root bundle with all that is nested in it, where the copy is that of a bundle.
    pub bundle: Option<Arc<Bundle>>,
    /// The lock file that the images come from, where it lists images.
    pub lock: Option<ImagesLock>,
    /// How many images the root bundle's lock file names that are not part of the set: an archive that holds a bundle
    /// image alone.
    pub left_out: usize,
    /// The archive that the images come from, where they come from one.
    pub archive: Option<PathBuf>,
}

impl ImageSet {
    /// A set of these items, sorted, and each source and tag once.
    pub fn new(mut items: Vec<Item>, repositories: Arc<dyn Repositories>) -> Self {
        items.sort_by_cached_key(|item| (item.source.to_string(), item.tag.clone()));
        items.dedup_by(|b, a| a.source == b.source && a.tag == b.tag);
        Self { items, repositories, bundle: None, lock: None, left_out: 0, archive: None }
    }

    /// The source references, in order.
    pub fn references(&self) -> Vec<DigestReference> {
        self.items.iter().map(|item| item.source.clone()).collect()
    }
}

/// One image or index, which must not be a bundle. `name` is what the user calls it, for messages.
///
/// # Errors
/// When it cannot be fetched, or is a bundle.
pub async fn from_image(
    repositories: Arc<dyn Repositories>,
    name: &str,
    reference: &Reference,
) -> Result<ImageSet, Error> {
    let (source, tree) = open(&*repositories, name, reference).await?;
    if is_bundle(&tree) {
        return Err(Error::IsABundle);
    }
    let item = item(source, reference.tag().cloned(), None, tree);
    Ok(ImageSet::new(vec![item], repositories))
}

/// A bundle with all its images, through all bundles nested in it. `name` is what the user calls it, for messages.
///
/// `originals` says whether the references of the lock files are recorded with the images: they are when the user names
/// the bundle, and are not when a lock file does, as in the reference tool.
///
/// # Errors
/// When it is no bundle, or one of its images cannot be found.
pub async fn from_bundle(
    repositories: Arc<dyn Repositories>,
    name: &str,
    reference: &Reference,
    tag: Option<Tag>,
    originals: bool,
) -> Result<ImageSet, Error> {
    let (source, tree) = open(&*repositories, name, reference).await?;
    if !is_bundle(&tree) {
        return Err(Error::NotABundle);
    }
    let explorer = Explorer::new(repositories.clone());
    let bundle = explorer.bundle(&source, Arc::new(tree)).await.map_err(Error::of_bundle)?;
    Ok(of_bundle(bundle, tag, originals, repositories))
}

fn of_bundle(
    bundle: Arc<Bundle>,
    tag: Option<Tag>,
    originals: bool,
    repositories: Arc<dyn Repositories>,
) -> ImageSet {
    let mut items = BTreeMap::new();
    for nested in bundle.all() {
        for image in &nested.images {
            items.entry(image.source.clone()).or_insert_with(|| {
                let original = originals.then(|| image.original.to_string());
                item(image.source.clone(), None, original, ManifestTree::clone(&image.tree))
            });
        }
    }
    let original = originals.then(|| bundle.reference.to_string());
    let root = Item {
        root_bundle: true,
        ..item(bundle.reference.clone(), tag, original, ManifestTree::clone(&bundle.tree))
    };
    let items = std::iter::once(root).chain(items.into_values()).collect();
    ImageSet { bundle: Some(bundle), ..ImageSet::new(items, repositories) }
}

/// The images that a lock file lists, none of which may be a bundle.
///
/// # Errors
/// When one of them cannot be fetched, or is a bundle.
pub async fn from_images_lock(
    repositories: Arc<dyn Repositories>,
    lock: ImagesLock,
) -> Result<ImageSet, Error> {
    let items = stream::iter(&lock.images)
        .map(|image| {
            let repositories = &repositories;
            async move {
                let reference = image.image.clone();
                let source = repositories.source(reference.repository());
                let target = TagOrDigest::Digest(reference.digest().clone());
                let tree = fetch_tree(&*source, &target).await.map_err(|source| Error::Image {
                    reference: reference.clone(),
                    source: Box::new(source),
                })?;
                match is_bundle(&tree) {
                    true => Err(Error::BundleInImagesLock),
                    false => Ok(item(reference, None, None, tree)),
                }
            }
        })
        .buffered(FETCHES_AT_ONCE)
        .try_collect()
        .await?;
    Ok(ImageSet { lock: Some(lock), ..ImageSet::new(items, repositories) })
}

/// An image that has just been built and is nowhere yet. `source` is the name it is recorded under.
pub fn from_built(
    image: Arc<dyn Source>,
    tree: ManifestTree,
    source: DigestReference,
    tag: Option<Tag>,
) -> ImageSet {
    ImageSet::new(vec![item(source, tag, None, tree)], Arc::new(Only(image)))
}

/// A single source that stands in for every repository.
struct Only(Arc<dyn Source>);

impl Repositories for Only {
    fn source(&self, _repository: &Repository) -> Arc<dyn Source> {
        self.0.clone()
    }
}

async fn open(
    repositories: &dyn Repositories,
    name: &str,
    reference: &Reference,
) -> Result<(DigestReference, ManifestTree), Error> {
    let source = repositories.source(reference.repository());
    let tree = fetch_tree(&*source, &reference.target())
        .await
        .map_err(|source| Error::Check { reference: name.to_owned(), source: Box::new(source) })?;
    Ok((reference.repository().at(tree.manifest.digest().clone()), tree))
}

fn item(source: DigestReference, tag: Option<Tag>, original: Option<String>, tree: ManifestTree) -> Item {
    Item { tag, original, ..Item::new(source, tree) }
}
