//! Which images a bundle has, through all bundles nested in it, and where each of them is.
//!
//! An image is looked for in the bundle's own repository first, because that is where a copy puts it, and then where
//! the lock file says. A locations image, where the bundle has one, tells which images are bundles.

mod error;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use futures_util::future::{BoxFuture, FutureExt as _, try_join, try_join_all};
use imgpkg_lock::{ImageRef, ImagesLock};
use imgpkg_oci::{Digest, DigestReference, ErrorKind, ManifestTree, Repositories, Source, TagOrDigest};
use tokio::sync::OnceCell;

use crate::document::{only_layer, read_document};
use crate::fetch::{fetch_tree, is_bundle};
use crate::locations::{self, Marks};

pub use error::{Error, ReadError};

/// How deep bundles may contain bundles.
const MAX_DEPTH: usize = 64;

/// A bundle and the images that its lock file names.
#[derive(Debug)]
pub struct Bundle {
    /// Where it was found.
    pub reference: DigestReference,
    /// Its manifest and configuration.
    pub tree: Arc<ManifestTree>,
    /// The images, in the lock file's order, each digest once.
    pub images: Vec<BundleImage>,
    /// Its locations image, if it has been copied here.
    pub locations: Option<ManifestTree>,
    /// The bytes of its layer, if it is small: they were read for the lock file, and need not be fetched again.
    pub layer: Option<Bytes>,
}

/// An image that a bundle's lock file names.
#[derive(Debug, Clone)]
pub struct BundleImage {
    /// The reference in the lock file.
    pub original: DigestReference,
    /// Its annotations in the lock file.
    pub annotations: BTreeMap<String, String>,
    /// Where it was found.
    pub source: DigestReference,
    /// Its manifest and what is below.
    pub tree: Arc<ManifestTree>,
    /// What it contains, if it is a bundle itself.
    pub bundle: Option<Arc<Bundle>>,
}

impl Bundle {
    /// This bundle and all nested ones, each once, this one first.
    pub fn all(self: &Arc<Self>) -> Vec<Arc<Bundle>> {
        fn collect(bundle: &Arc<Bundle>, seen: &mut HashSet<Digest>, list: &mut Vec<Arc<Bundle>>) {
            if !seen.insert(bundle.reference.digest().clone()) {
                return;
            }
            list.push(bundle.clone());
            bundle
                .images
                .iter()
                .filter_map(|image| image.bundle.as_ref())
                .for_each(|nested| collect(nested, seen, list));
        }
        let mut list = Vec::new();
        collect(self, &mut HashSet::new(), &mut list);
        list
    }
}

/// Finds out what bundles contain. What it has found it keeps, so that an image shared by several bundles is asked for
/// once.
pub struct Explorer {
    repositories: Arc<dyn Repositories>,
    bundles: Once<DigestReference, Arc<Bundle>>,
    images: Once<DigestReference, Found>,
    trees: Once<Digest, Arc<ManifestTree>>,
}

/// Where an image was found, and what it is.
#[derive(Debug, Clone)]
struct Found {
    source: DigestReference,
    tree: Arc<ManifestTree>,
    bundle: Option<Arc<Bundle>>,
}

impl Explorer {
    /// An explorer of these repositories.
    pub fn new(repositories: Arc<dyn Repositories>) -> Self {
        Self { repositories, bundles: Once::default(), images: Once::default(), trees: Once::default() }
    }

    /// The bundle at `reference`, whose manifest has been fetched already, and everything in it.
    ///
    /// # Errors
    /// When a lock file cannot be read, or an image is nowhere to be found.
    pub async fn bundle(
        &self,
        reference: &DigestReference,
        tree: Arc<ManifestTree>,
    ) -> Result<Arc<Bundle>, Error> {
        self.visit(reference.clone(), tree, Vec::new()).await
    }

    fn visit(
        &self,
        reference: DigestReference,
        tree: Arc<ManifestTree>,
        path: Vec<DigestReference>,
    ) -> BoxFuture<'_, Result<Arc<Bundle>, Error>> {
        async move {
            if path.len() == MAX_DEPTH {
                let path: Vec<_> = path.iter().map(ToString::to_string).collect();
                return Err(Error::Depth { limit: MAX_DEPTH, path: path.join(" > ") });
            }
            let cell = self.bundles.cell(&reference);
            cell.get_or_try_init(|| self.explore(&reference, tree, path)).await.cloned()
        }
        .boxed()
    }

    async fn explore(
        &self,
        reference: &DigestReference,
        tree: Arc<ManifestTree>,
        mut path: Vec<DigestReference>,
    ) -> Result<Arc<Bundle>, Error> {
        path.push(reference.clone());
        let source = self.repositories.source(reference.repository());
        let (LockFile { lock, layer }, locations) =
            try_join(read_lock(&*source, &tree), locations::read(&*source, reference)).await?;
        let (locations, marks) =
            locations.map_or((None, Marks::new()), |found| (Some(found.tree), found.marks));
        let images = distinct(&lock).map(|entry| {
            let (path, marks) = (&path, &marks);
            async move {
                let found = self.find(reference, &entry.image, marks, path).await?;
                Ok::<_, Error>(BundleImage {
                    original: entry.image.clone(),
                    annotations: entry.annotations.clone(),
                    source: found.source,
                    tree: found.tree,
                    bundle: found.bundle,
                })
            }
        });
        let images = try_join_all(images).await?;
        Ok(Arc::new(Bundle { reference: reference.clone(), tree, images, locations, layer }))
    }

    /// Finds an image of the bundle at `bundle`: in the bundle's repository, or where the lock file says.
    async fn find(
        &self,
        bundle: &DigestReference,
        original: &DigestReference,
        marks: &Marks,
        path: &[DigestReference],
    ) -> Result<Found, Error> {
        let beside = bundle.repository().at(original.digest().clone());
        let cell = self.images.cell(&beside);
        let known_image = marks.get(&original.to_string()) == Some(&false);
        let found = cell.get_or_try_init(|| async {
            let (source, tree) = self.locate(&beside, original, known_image).await?;
            let bundle = match !known_image && is_bundle(&tree) {
                true => Some(self.nested(&source, tree.clone(), path).await?),
                false => None,
            };
            Ok(Found { source, tree, bundle })
        });
        found.await.cloned()
    }

    async fn nested(
        &self,
        source: &DigestReference,
        tree: Arc<ManifestTree>,
        path: &[DigestReference],
    ) -> Result<Arc<Bundle>, Error> {
        self.visit(source.clone(), tree, path.to_vec())
            .await
            .map_err(|error| Error::Nested { reference: source.clone(), source: Box::new(error) })
    }

    /// The first of the two places that has the image. An image that a locations image says has been copied is only
    /// looked for elsewhere if it is gone, not if its registry is in trouble.
    async fn locate(
        &self,
        beside: &DigestReference,
        original: &DigestReference,
        copied: bool,
    ) -> Result<(DigestReference, Arc<ManifestTree>), Error> {
        match self.tree(beside).await {
            Ok(tree) => return Ok((beside.clone(), tree)),
            Err(error) if beside == original || copied && error.kind() != Some(ErrorKind::NotFound) => {
                return Err(Error::Missing(Box::new(error)));
            }
            Err(_) => {}
        }
        let tree = self.tree(original).await.map_err(|error| Error::Missing(Box::new(error)))?;
        Ok((original.clone(), tree))
    }

    /// Proves that the reference is there and returns what it is. The same digest is downloaded once, wherever it is.
    async fn tree(&self, reference: &DigestReference) -> Result<Arc<ManifestTree>, Error> {
        let source = self.repositories.source(reference.repository());
        let target = TagOrDigest::Digest(reference.digest().clone());
        let cell = self.trees.cell(reference.digest());
        let mut proven = false;
        let tree = cell
            .get_or_try_init(|| {
                proven = true;
                async { fetch_tree(&*source, &target).await.map(Arc::new) }
            })
            .await?
            .clone();
        if !proven {
            source.resolve(&target).await.map_err(Error::Fetch)?;
        }
        Ok(tree)
    }
}

/// A bundle's lock file, read out of its layer.
#[derive(Debug)]
pub struct LockFile {
    /// What it says.
    pub lock: ImagesLock,
    /// The whole layer, if it is small enough to be kept in memory.
    pub layer: Option<Bytes>,
}

/// Reads the lock file of the bundle that `tree` is.
///
/// # Errors
/// When the bundle's layer cannot be fetched, is not what it should be, or its lock file is not valid.
pub async fn read_lock(source: &dyn Source, tree: &ManifestTree) -> Result<LockFile, Error> {
    let read = async {
        let layer = only_layer(tree, Error::BundleLayers)?;
        let document = read_document(source, layer, |name| {
            name.strip_prefix("./").unwrap_or(name) == ".imgpkg/images.yml"
        })
        .await
        .map_err(|source| Error::Layer { digest: layer.digest.clone(), source })?
        .ok_or(Error::NoLock)?;
        let lock = ImagesLock::parse(&document.content).map_err(|error| Error::Lock {
            digest: tree.manifest.digest().clone(),
            source: Box::new(error),
        })?;
        Ok(LockFile { lock, layer: document.layer })
    };
    read.await.map_err(|error| Error::ReadLock(Box::new(error)))
}

/// The lock's entries, each digest once: the first one counts.
fn distinct(lock: &ImagesLock) -> impl Iterator<Item = &ImageRef> {
    let mut seen = HashSet::new();
    lock.images.iter().filter(move |entry| seen.insert(entry.image.digest()))
}

/// Values made once per key, however many ask for them at the same time.
struct Once<K, V>(Mutex<HashMap<K, Arc<OnceCell<V>>>>);

impl<K, V> Default for Once<K, V> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<K: Clone + Eq + Hash, V> Once<K, V> {
    fn cell(&self, key: &K) -> Arc<OnceCell<V>> {
        // A map of cells is whole at every moment, so a panic elsewhere cannot have left it broken.
        let mut cells = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        cells.entry(key.clone()).or_default().clone()
    }
}
