//! What a bundle is made of, as a value: its images and nested bundles, where they are and where they came from, their
//! signatures and layers.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use futures_util::stream::{self, StreamExt as _, TryStreamExt as _};
use imgpkg_oci::{
    Digest, DigestReference, ErrorKind, ManifestTree, Reference, Repositories, TagOrDigest, TagReference,
    TreeContent,
};

use crate::fetch::{fetch_tree, is_bundle};
use crate::nested::{self, Bundle, BundleImage, Explorer};
use crate::tags;

/// How many signatures are looked for at once.
const LOOKUPS_AT_ONCE: usize = 32;

/// Why a bundle could not be described.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// It could not be found out whether it is a bundle.
    #[error("Unable to check if {name} is a bundle")]
    Check {
        /// What the user calls it.
        name: String,
        /// What went wrong.
        source: nested::Error,
    },
    /// It is none.
    #[error("Only bundles can be described, and {name} is not a bundle")]
    NotABundle {
        /// What the user calls it.
        name: String,
    },
    /// Its images could not be found out.
    #[error("Retrieving Images from bundle")]
    Images(#[source] nested::Error),
    /// A signature could not be looked for.
    #[error("Fetching signature for image '{image}'")]
    Signature {
        /// The image.
        image: DigestReference,
        /// What went wrong.
        source: nested::Error,
    },
}

/// What is part of a description.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// Are signatures looked for?
    pub signatures: bool,
    /// Are layers listed?
    pub layers: bool,
}

/// A bundle, described.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Description {
    /// Where it was found.
    pub image: DigestReference,
    /// Its reference in the lock file; for the root the same as `image`.
    pub origin: DigestReference,
    /// Its annotations in the lock file.
    pub annotations: BTreeMap<String, String>,
    /// Its layers; empty where they are not wanted.
    pub layers: Vec<Digest>,
    /// The bundles that it names, by digest.
    pub bundles: BTreeMap<Digest, Description>,
    /// The other images that belong to it, by digest; one that must not be seen by its tag reference.
    pub images: BTreeMap<String, Entry>,
}

/// An image that belongs to a bundle, described.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// What it is.
    pub kind: Kind,
    /// Where it was found; `None` if it must not be seen.
    pub image: Option<DigestReference>,
    /// Its reference in the lock file, if it is in one.
    pub origin: Option<DigestReference>,
    /// Its annotations.
    pub annotations: BTreeMap<String, String>,
    /// Its layers; empty where they are not wanted.
    pub layers: Vec<Digest>,
    /// Why it could not be looked at.
    pub error: Option<&'static str>,
}

/// What an image is to its bundle.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// One that its lock file names.
    Image,
    /// A cosign signature of the bundle or of one of its images.
    Signature,
    /// What a copy has left beside the bundle.
    Internal,
}

impl Kind {
    /// Its name in descriptions.
    pub fn name(self) -> &'static str {
        match self {
            Self::Image => "Image",
            Self::Signature => "Signature",
            Self::Internal => "Internal",
        }
    }
}

/// Describes the bundle at `reference`, which the user calls `name`.
///
/// # Errors
/// When it is no bundle, or something that belongs to it cannot be found.
pub async fn describe(
    repositories: Arc<dyn Repositories>,
    name: &str,
    reference: &Reference,
    options: Options,
) -> Result<Description, Error> {
    let source = repositories.source(reference.repository());
    let tree = fetch_tree(&*source, &reference.target())
        .await
        .map_err(|source| Error::Check { name: name.to_owned(), source })?;
    if !is_bundle(&tree) {
        return Err(Error::NotABundle { name: name.to_owned() });
    }
    let root = reference.repository().at(tree.manifest.digest().clone());
    let explorer = Explorer::new(repositories.clone());
    let bundle = explorer.bundle(&root, Arc::new(tree)).await.map_err(Error::Images)?;
    let signatures =
        if options.signatures { signatures(&*repositories, &bundle).await? } else { HashMap::new() };
    let describer = Describer { signatures, layers: options.layers };
    Ok(describer.bundle(&bundle, &root, BTreeMap::new()))
}

/// What was found where a signature would be.
enum Signature {
    Found(DigestReference, ManifestTree),
    Denied(TagReference),
}

/// The signatures of the bundle, its images, and those of all nested bundles.
async fn signatures(
    repositories: &dyn Repositories,
    bundle: &Arc<Bundle>,
) -> Result<HashMap<DigestReference, Signature>, Error> {
    let mut signed: Vec<_> = bundle
        .all()
        .iter()
        .flat_map(|bundle| {
            let images = bundle.images.iter().map(|image| image.source.clone());
            images.chain([bundle.reference.clone()]).collect::<Vec<_>>()
        })
        .collect();
    signed.sort();
    signed.dedup();
    let found: Vec<_> = stream::iter(signed.into_iter().map(|image| signature(repositories, image)))
        .buffer_unordered(LOOKUPS_AT_ONCE)
        .try_collect()
        .await?;
    Ok(found.into_iter().filter_map(|(image, found)| Some((image, found?))).collect())
}

async fn signature(
    repositories: &dyn Repositories,
    image: DigestReference,
) -> Result<(DigestReference, Option<Signature>), Error> {
    let tag = tags::signature_tag(image.digest());
    let source = repositories.source(image.repository());
    let found = match fetch_tree(&*source, &TagOrDigest::Tag(tag.clone())).await {
        Ok(tree) => Some(Signature::Found(image.repository().at(tree.manifest.digest().clone()), tree)),
        Err(error) => match error.kind() {
            Some(ErrorKind::NotFound) => None,
            Some(ErrorKind::Denied) => Some(Signature::Denied(image.repository().tagged(tag))),
            _ => return Err(Error::Signature { image, source: error }),
        },
    };
    Ok((image, found))
}

struct Describer {
    signatures: HashMap<DigestReference, Signature>,
    layers: bool,
}

impl Describer {
    fn bundle(
        &self,
        bundle: &Bundle,
        origin: &DigestReference,
        annotations: BTreeMap<String, String>,
    ) -> Description {
        let mut bundles = BTreeMap::new();
        let mut images = BTreeMap::new();
        for image in &bundle.images {
            let digest = image.source.digest().clone();
            match &image.bundle {
                Some(nested) => {
                    bundles.insert(digest, self.bundle(nested, &image.original, image.annotations.clone()));
                }
                None => drop(images.insert(digest.to_string(), self.image(image))),
            }
        }
        let sources = bundle.images.iter().map(|image| &image.source);
        for signed in sources.chain([&bundle.reference]) {
            if let Some((key, entry)) = self.signature_of(signed) {
                images.entry(key).or_insert(entry);
            }
        }
        if let Some(tree) = &bundle.locations {
            let image = bundle.reference.repository().at(tree.manifest.digest().clone());
            let entry = self.entry(Kind::Internal, image, tree);
            images.insert(tree.manifest.digest().to_string(), entry);
        }
        Description {
            image: bundle.reference.clone(),
            origin: origin.clone(),
            annotations,
            layers: self.layers_of(&bundle.tree),
            bundles,
            images,
        }
    }

    fn image(&self, image: &BundleImage) -> Entry {
        Entry {
            origin: Some(image.original.clone()),
            annotations: image.annotations.clone(),
            ..self.entry(Kind::Image, image.source.clone(), &image.tree)
        }
    }

    fn signature_of(&self, signed: &DigestReference) -> Option<(String, Entry)> {
        match self.signatures.get(signed)? {
            Signature::Found(image, tree) => {
                let tag = tags::signature_tag(signed.digest()).to_string();
                let annotations = BTreeMap::from([("tag".to_owned(), tag)]);
                let entry = Entry { annotations, ..self.entry(Kind::Signature, image.clone(), tree) };
                Some((image.digest().to_string(), entry))
            }
            Signature::Denied(tag) => {
                let entry = Entry {
                    kind: Kind::Signature,
                    image: None,
                    origin: None,
                    annotations: BTreeMap::new(),
                    layers: Vec::new(),
                    error: Some("access denied"),
                };
                Some((tag.to_string(), entry))
            }
        }
    }

    fn entry(&self, kind: Kind, image: DigestReference, tree: &ManifestTree) -> Entry {
        Entry {
            kind,
            image: Some(image),
            origin: None,
            annotations: BTreeMap::new(),
            layers: self.layers_of(tree),
            error: None,
        }
    }

    /// The layers of an image; of an index those of its image for linux on amd64, if it has one.
    fn layers_of(&self, tree: &ManifestTree) -> Vec<Digest> {
        if !self.layers {
            return Vec::new();
        }
        match &tree.content {
            TreeContent::Image { image, .. } => {
                image.layers.iter().map(|layer| layer.digest.clone()).collect()
            }
            TreeContent::Index { .. } => {
                tree.for_platform("linux", "amd64").map_or_else(Vec::new, |child| self.layers_of(child))
            }
        }
    }
}
