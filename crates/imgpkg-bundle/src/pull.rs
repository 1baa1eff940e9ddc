//! Pulling: an image's files into a directory; for a bundle also where its images are now, and the bundles nested in it.
//!
//! Everything is fetched and verified into a directory beside the output first. A nested bundle's files go to
//! `.imgpkg/bundles/sha256-<hex>` of the root's directory, however deep it is nested.

mod error;

use std::collections::HashSet;
use std::sync::Arc;

use futures_util::future::{BoxFuture, FutureExt as _};
use futures_util::stream::{self, StreamExt as _, TryStreamExt as _};
use imgpkg_lock::ImagesLock;
use imgpkg_oci::{
    BlobProgress, Digest, DigestReference, ErrorKind, ManifestTree, Reference, Repositories, Repository,
    Source, TagOrDigest, TreeContent,
};

use crate::extract::{Directory, Extraction, OutputDirectory};
use crate::fetch::{fetch_tree, is_bundle};
use crate::locations::{self, Marks};

pub use error::Error;

/// A bundle's lock file, below its directory.
const LOCK_FILE: &str = ".imgpkg/images.yml";

/// How many images are asked for at once.
const CHECKS_AT_ONCE: usize = 16;

/// What the reference has to be, and what is done with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted {
    /// A bundle; with the bundles nested in it, if `recursive`.
    Bundle {
        /// Are nested bundles pulled too?
        recursive: bool,
    },
    /// A bundle, of which only the files are wanted.
    BundleFiles,
    /// An image that is no bundle.
    Image,
    /// An image, whatever it is.
    AnyImage,
}

impl Wanted {
    /// What messages call it: `bundle`, or `image` where only files are wanted.
    pub fn noun(self) -> &'static str {
        match self {
            Self::Bundle { .. } => "bundle",
            Self::BundleFiles | Self::Image | Self::AnyImage => "image",
        }
    }
}

/// What happens during a pull, for telling the user. `depth` is how deep a bundle is nested, 0 for the root.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Event {
    /// The root's files are about to be fetched.
    Pulling {
        /// What is pulled.
        reference: DigestReference,
        /// Is it pulled as a bundle?
        bundle: bool,
    },
    /// The first nested bundle comes now.
    NestedBundles,
    /// A nested bundle's files are about to be fetched.
    PullingNested {
        /// Where it was found.
        reference: DigestReference,
        /// How deep it is nested.
        depth: usize,
    },
    /// A nested bundle had been fetched before.
    Skipped {
        /// Its reference in the lock file.
        reference: DigestReference,
        /// How deep it is nested.
        depth: usize,
    },
    /// A layer is about to be unpacked.
    Extracting {
        /// The layer.
        digest: Digest,
        /// Its position, from 1.
        position: usize,
        /// How many layers there are.
        count: usize,
        /// How deep its bundle is nested.
        depth: usize,
        /// Is it a bundle's layer?
        bundle: bool,
    },
    /// The images of the root bundle have been looked for.
    Located {
        /// The root bundle's repository.
        repository: Repository,
        /// Does it have every image of the bundle?
        relocated: bool,
    },
}

/// Told about events as they happen.
pub type Listener = Arc<dyn Fn(Event) + Send + Sync>;

/// Pulls an image into `output`, which appears when everything is there.
///
/// `name` is what the user calls the reference, for messages. Returns how many links, devices and pipes in the layers were
/// not created.
///
/// # Errors
/// When the image is not what is wanted, or something cannot be fetched, verified or written. The output directory is then
/// as it was before.
pub async fn pull(
    repositories: Arc<dyn Repositories>,
    name: &str,
    reference: &Reference,
    wanted: Wanted,
    output: OutputDirectory,
    listener: Listener,
) -> Result<u64, Error> {
    let source = repositories.source(reference.repository());
    let tree = fetch_tree(&*source, &reference.target())
        .await
        .map_err(|source| Error::Check { reference: name.to_owned(), source: Box::new(source) })?;
    check(&tree, wanted)?;
    let root = reference.repository().at(tree.manifest.digest().clone());
    let mut pull = Pull { repositories, listener, wanted, output, skipped: 0, seen: HashSet::new() };
    let directory = pull.output.directory().clone();
    let Wanted::Bundle { recursive } = wanted else {
        (pull.listener)(Event::Pulling { reference: root.clone(), bundle: false });
        pull.extract(&root, &tree, &directory, Level::Image).await?;
        return pull.finish();
    };
    (pull.listener)(Event::Pulling { reference: root.clone(), bundle: true });
    let relocated = pull.bundle(root.clone(), tree, directory, recursive, 0).await?;
    (pull.listener)(Event::Located { repository: root.repository().clone(), relocated });
    pull.finish()
}

fn check(tree: &ManifestTree, wanted: Wanted) -> Result<(), Error> {
    let is_image = matches!(tree.content, TreeContent::Image { .. });
    match (wanted, is_bundle(tree)) {
        (Wanted::Bundle { .. } | Wanted::BundleFiles, false) => Err(Error::NotABundle),
        (Wanted::Image, true) => Err(Error::IsABundle),
        (Wanted::Image | Wanted::AnyImage, _) if !is_image => Err(Error::NotAnImage),
        _ => Ok(()),
    }
}

/// What an image is unpacked as.
#[derive(Clone, Copy)]
enum Level {
    Image,
    Bundle(usize),
}

struct Pull {
    repositories: Arc<dyn Repositories>,
    listener: Listener,
    wanted: Wanted,
    output: OutputDirectory,
    /// Entries of layers that were not created.
    skipped: u64,
    /// The references of lock files that have been dealt with.
    seen: HashSet<DigestReference>,
}

impl Pull {
    fn finish(self) -> Result<u64, Error> {
        self.output.commit().map_err(|error| Error::of_output(self.wanted, error))?;
        Ok(self.skipped)
    }

    /// Pulls a bundle into its directory; whether its repository has all of its images.
    fn bundle(
        &mut self,
        reference: DigestReference,
        tree: ManifestTree,
        directory: Directory,
        recursive: bool,
        depth: usize,
    ) -> BoxFuture<'_, Result<bool, Error>> {
        async move {
            self.extract(&reference, &tree, &directory, Level::Bundle(depth)).await?;
            let mut lock = read_lock(&reference, &directory)?;
            let source = self.repositories.source(reference.repository());
            let locations = locations::read(&*source, &reference)
                .await
                .map_err(|error| Error::Locations(Box::new(error)))?;
            let relocated = match locations {
                Some(_) => true,
                None => self.has_all(reference.repository(), &lock).await?,
            };
            if recursive {
                let marks = locations.map(|locations| locations.marks).unwrap_or_default();
                self.nested(&reference, &lock, &marks, relocated, depth).await?;
            }
            if relocated {
                for image in &mut lock.images {
                    image.image = reference.repository().at(image.image.digest().clone());
                }
                write_lock(&lock, &reference, &directory)?;
            }
            Ok(relocated)
        }
        .boxed()
    }

    /// Unpacks an image's layers into a directory that nothing else is in yet.
    async fn extract(
        &mut self,
        reference: &DigestReference,
        tree: &ManifestTree,
        directory: &Directory,
        level: Level,
    ) -> Result<(), Error> {
        match self.extract_once(reference, tree, directory, level).await {
            // Bytes can be damaged on their way, once. What has been made of them may be anything.
            Err(Error::Extract { source, .. }) if source.is_damage() => {
                directory.clear().map_err(|error| Error::of_output(self.wanted, error))?;
                self.extract_once(reference, tree, directory, level).await
            }
            result => result,
        }
    }

    async fn extract_once(
        &mut self,
        reference: &DigestReference,
        tree: &ManifestTree,
        directory: &Directory,
        level: Level,
    ) -> Result<(), Error> {
        let (what, bundle, depth) = match level {
            Level::Image => ("image", false, 0),
            Level::Bundle(depth) => ("bundle", true, depth),
        };
        let layers: Vec<_> = tree.layers().collect();
        let source = self.repositories.source(reference.repository());
        let mut extraction = Extraction::new(directory.clone());
        for (index, layer) in layers.iter().enumerate() {
            let (digest, count) = (layer.digest.clone(), layers.len());
            (self.listener)(Event::Extracting { digest, position: index + 1, count, depth, bundle });
            let blob = source
                .blob(layer, BlobProgress::start(&layer.digest))
                .await
                .map_err(|source| Error::Layer { what, digest: layer.digest.clone(), source })?;
            extraction =
                extraction.apply_blob(blob).await.map_err(|source| Error::Extract { what, source })?;
        }
        self.skipped += extraction.skipped();
        Ok(())
    }

    /// Does the repository have every image of the lock file?
    async fn has_all(&self, repository: &Repository, lock: &ImagesLock) -> Result<bool, Error> {
        let source = self.repositories.source(repository);
        let checks: Vec<_> =
            lock.images.iter().map(|image| has(source.clone(), image.image.digest().clone())).collect();
        stream::iter(checks).buffer_unordered(CHECKS_AT_ONCE).try_all(std::future::ready).await
    }

    /// Pulls the bundles among the lock file's images, in its order.
    async fn nested(
        &mut self,
        bundle: &DigestReference,
        lock: &ImagesLock,
        marks: &Marks,
        relocated: bool,
        depth: usize,
    ) -> Result<(), Error> {
        let found = self.bundles_of(bundle, lock, marks, relocated).await?;
        let mut first = depth == 0;
        for (image, found) in lock.images.iter().zip(found) {
            let Some((reference, tree)) = found else { continue };
            if std::mem::take(&mut first) {
                (self.listener)(Event::NestedBundles);
            }
            let depth = depth + 1;
            if !self.seen.insert(image.image.clone()) {
                (self.listener)(Event::Skipped { reference: image.image.clone(), depth });
                continue;
            }
            (self.listener)(Event::PullingNested { reference: reference.clone(), depth });
            let directory = self.output.directory().subdirectory(&nested_path(reference.digest()));
            let directory = directory.map_err(|error| Error::of_output(self.wanted, error))?;
            self.bundle(reference, tree, directory, true, depth).await?;
        }
        Ok(())
    }

    /// For each image of the lock file where it is and what it is, if it is a bundle.
    async fn bundles_of(
        &self,
        bundle: &DigestReference,
        lock: &ImagesLock,
        marks: &Marks,
        relocated: bool,
    ) -> Result<Vec<Option<(DigestReference, ManifestTree)>>, Error> {
        let found: Vec<_> = lock
            .images
            .iter()
            .map(|image| {
                let is_known_image = marks.get(&image.image.to_string()) == Some(&false);
                let reference = match relocated {
                    true => bundle.repository().at(image.image.digest().clone()),
                    false => image.image.clone(),
                };
                let source = self.repositories.source(reference.repository());
                async move { if is_known_image { Ok(None) } else { bundle_at(source, reference).await } }
            })
            .collect();
        stream::iter(found).buffered(CHECKS_AT_ONCE).try_collect().await
    }
}

async fn has(source: Arc<dyn Source>, digest: Digest) -> Result<bool, Error> {
    match source.resolve(&TagOrDigest::Digest(digest)).await {
        Ok(_) => Ok(true),
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::Denied) => Ok(false),
        Err(error) => Err(Error::Existence(error)),
    }
}

/// What is at the reference, if it is a bundle.
async fn bundle_at(
    source: Arc<dyn Source>,
    reference: DigestReference,
) -> Result<Option<(DigestReference, ManifestTree)>, Error> {
    let target = TagOrDigest::Digest(reference.digest().clone());
    let tree = fetch_tree(&*source, &target)
        .await
        .map_err(|source| Error::Check { reference: reference.to_string(), source: Box::new(source) })?;
    Ok(is_bundle(&tree).then_some((reference, tree)))
}

/// The lock file as it was unpacked. Errors name the place where it would have been.
fn read_lock(bundle: &DigestReference, directory: &Directory) -> Result<ImagesLock, Error> {
    let (path, bundle) = (directory.typed().join(LOCK_FILE), bundle.clone());
    match std::fs::read(directory.path().join(LOCK_FILE)) {
        Ok(bytes) => {
            ImagesLock::parse(&bytes).map_err(|cause| Error::Lock { path, bundle, cause: Box::new(cause) })
        }
        Err(error) => Err(Error::OpenLock { path, bundle, cause: error.into() }),
    }
}

fn write_lock(lock: &ImagesLock, bundle: &DigestReference, directory: &Directory) -> Result<(), Error> {
    lock.write(&directory.path().join(LOCK_FILE)).map_err(|error| {
        // The place beside the output, whose random name stands nowhere else, means nothing to the user.
        let (beside, typed) =
            (directory.path().display().to_string(), directory.typed().display().to_string());
        Error::WriteLock { bundle: bundle.clone(), reason: error::chain(&error).replace(&beside, &typed) }
    })
}

fn nested_path(bundle: &Digest) -> String {
    format!(".imgpkg/bundles/{}-{}", bundle.algorithm().name(), bundle.hex())
}
