//! Why a bundle's images could not be found out.

use imgpkg_oci::{BlobError, DigestReference, ManifestError, StoreError};

/// Why a bundle's images could not be found out. Wordings that the reference tool has too are its own.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A manifest could not be fetched.
    #[error("Fetching image")]
    Fetch(#[source] StoreError),
    /// A manifest or a configuration is not what it should be.
    #[error("Working with {name}")]
    Manifest {
        /// Which image.
        name: String,
        /// What is wrong with it.
        source: ManifestError,
    },
    /// A configuration could not be read.
    #[error("Fetching configuration of image {digest}")]
    Config {
        /// The image.
        digest: imgpkg_oci::Digest,
        /// What went wrong.
        source: ReadError,
    },
    /// Indexes in indexes, deeper than anybody means it.
    #[error("index {digest} is nested more than {limit} levels deep, which is refused")]
    IndexDepth {
        /// The innermost index looked at.
        digest: imgpkg_oci::Digest,
        /// The deepest level that is accepted.
        limit: usize,
    },
    /// A bundle with a number of layers other than one.
    #[error("Expected bundle to only have a single layer, got {0}")]
    BundleLayers(usize),
    /// A locations image with a number of layers other than one.
    #[error("Expected locations OCI Image to only have a single layer, got {0}")]
    LocationsLayers(usize),
    /// The one layer is of a kind that bundles do not have.
    #[error("Expected layer to have docker layer media type, was {0}")]
    LayerType(imgpkg_oci::MediaType),
    /// The layer has no lock file.
    #[error("Expected to find .imgpkg/images.yml in bundle image")]
    NoLock,
    /// The layer has no locations document.
    #[error("Expected to find image-locations.yml in location image")]
    NoLocations,
    /// A layer could not be read.
    #[error("Reading layer {digest}")]
    Layer {
        /// The layer.
        digest: imgpkg_oci::Digest,
        /// What went wrong.
        source: ReadError,
    },
    /// The lock file in a bundle is not a valid one.
    #[error("Unmarshalling ImagesLock from image with Digest '{digest}'")]
    Lock {
        /// The bundle.
        digest: imgpkg_oci::Digest,
        /// What is wrong with it.
        source: Box<imgpkg_lock::Error>,
    },
    /// A bundle's lock file could not be read.
    #[error("Reading ImagesLock file")]
    ReadLock(#[source] Box<Error>),
    /// A bundle's locations image could not be fetched.
    #[error("Fetching location image")]
    FetchLocations(#[source] Box<Error>),
    /// A bundle's locations image is not a valid one.
    #[error("Reading fetched location image")]
    Locations(#[source] Box<imgpkg_lock::Error>),
    /// An image is nowhere to be found.
    #[error("Checking image existence")]
    Missing(#[source] Box<Error>),
    /// A nested bundle could not be explored.
    #[error("Retrieving images for bundle '{reference}'")]
    Nested {
        /// The nested bundle.
        reference: DigestReference,
        /// What went wrong.
        source: Box<Error>,
    },
    /// Bundles in bundles, deeper than anybody means it.
    #[error("bundles are nested more than {limit} levels deep, which is refused: {path}")]
    Depth {
        /// The deepest level that is accepted.
        limit: usize,
        /// The bundles on the way, outermost first.
        path: String,
    },
}

/// Why the bytes of a blob could not be had.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// The store did not give it.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// It came broken.
    #[error(transparent)]
    Blob(#[from] BlobError),
    /// It is no gzipped tar.
    #[error("the layer is no readable tar (compressed with gzip, or not at all)")]
    Tar(#[source] std::io::Error),
    /// The file looked for is larger than such a file may be.
    #[error("'{name}' has {size} bytes; the most that is read is {limit}")]
    TooLarge {
        /// The file's name in the layer.
        name: String,
        /// Its size in bytes.
        size: u64,
        /// The limit in bytes.
        limit: u64,
    },
    /// The thread that reads the tar is gone.
    #[error("reading the layer was interrupted")]
    Interrupted,
}

impl ReadError {
    /// Did other bytes come than the digest stands for? They can be damaged on their way, once; twice, and they are
    /// damaged where they come from.
    pub(crate) fn is_damage(&self) -> bool {
        matches!(self, Self::Blob(error) if !error.is_broken_stream())
    }
}

impl Error {
    /// The kind of the store's failure at the bottom, where there is one.
    pub fn kind(&self) -> Option<imgpkg_oci::ErrorKind> {
        match self {
            Self::Fetch(error) => Some(error.kind()),
            Self::Config { source: ReadError::Store(error), .. }
            | Self::Layer { source: ReadError::Store(error), .. } => Some(error.kind()),
            Self::ReadLock(error) | Self::FetchLocations(error) | Self::Missing(error) => error.kind(),
            Self::Nested { source, .. } => source.kind(),
            _ => None,
        }
    }
}
