//! Why a copy failed.

use std::path::PathBuf;

use imgpkg_oci::{Digest, DigestReference, StoreError};

/// Why a copy failed. Wordings that the reference tool has too are its own.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A plain image where a bundle is wanted.
    #[error("Expected bundle image but found plain image (hint: Did you use -i instead of -b?)")]
    NotABundle,
    /// A bundle where a plain image is wanted.
    #[error("Expected bundle flag when copying a bundle (hint: Use -b instead of -i for bundles)")]
    IsABundle,
    /// A bundle in a list of images.
    #[error("Unable to copy bundles using an Images Lock file (hint: Create a bundle with these images)")]
    BundleInImagesLock,
    /// Finding out what the named image is failed.
    #[error("Unable to check if {reference} is a bundle")]
    Check {
        /// What the user named.
        reference: String,
        /// What went wrong.
        source: Box<imgpkg_bundle::nested::Error>,
    },
    /// A bundle's images could not be found out.
    #[error("Reading Images from Bundle")]
    Bundle(#[source] Box<imgpkg_bundle::nested::Error>),
    /// An image could not be fetched.
    #[error("Collecting packaging metadata: Working with {reference}")]
    Image {
        /// The image.
        reference: DigestReference,
        /// What went wrong.
        source: Box<imgpkg_bundle::nested::Error>,
    },
    /// Looking for a signature failed.
    #[error("Fetching signature for image '{reference}'")]
    Signature {
        /// The signed image.
        reference: DigestReference,
        /// What went wrong.
        source: Box<imgpkg_bundle::nested::Error>,
    },
    /// A bundle in an archive names images that the archive does not have, although it says it has.
    #[error(
        "bundle {bundle} in the archive names {missing} images that are not in it, the first of them {first} \
         (hint: the archive is not complete; write it again with 'imgpkg copy -b … --to-tar')"
    )]
    IncompleteArchive {
        /// The bundle.
        bundle: Digest,
        /// How many images are missing.
        missing: usize,
        /// One of them.
        first: String,
    },
    /// The archive itself is not usable.
    #[error(transparent)]
    Archive(Box<imgpkg_archive::Error>),
    /// The archive that layers are to be taken from is none.
    #[error("Reading previously created tar '{}'", path.display())]
    PreviousArchive {
        /// The archive.
        path: PathBuf,
        /// What is wrong with it.
        source: Box<imgpkg_archive::Defect>,
    },
    /// The destination could not be asked what it has.
    #[error("Checking whether {name} is in the destination already")]
    Checking {
        /// The image.
        name: DigestReference,
        /// What went wrong.
        source: StoreError,
    },
    /// A blob could not be copied.
    #[error("Copying blob {digest} of {name}")]
    Blob {
        /// The blob.
        digest: Digest,
        /// An image that needs it.
        name: DigestReference,
        /// What went wrong.
        source: StoreError,
    },
    /// A manifest could not be written.
    #[error("Writing manifest of {name} under '{target}'")]
    Manifest {
        /// The tag or digest it was to be written under.
        target: String,
        /// The image it belongs to.
        name: DigestReference,
        /// What went wrong.
        source: StoreError,
    },
    /// A locations image could not be built.
    #[error("Creating copy information for bundle {bundle}")]
    BuildLocations {
        /// The bundle.
        bundle: DigestReference,
        /// What went wrong.
        source: Box<imgpkg_bundle::Error>,
    },
    /// A locations image could not be written.
    #[error("Creating copy information for bundle {bundle}: Pushing locations image to '{target}'")]
    PushLocations {
        /// The bundle.
        bundle: DigestReference,
        /// Where it was to go.
        target: String,
        /// What went wrong.
        source: Box<Error>,
    },
    /// A user's tag could not be written.
    #[error("Writing Tag '{tag}': Tagging image")]
    Tag {
        /// The tag, with its repository.
        tag: String,
        /// What went wrong.
        source: StoreError,
    },
    /// The copied images do not say which of them is the bundle that a lock file should name.
    #[error(
        "Unable to determine correct root bundle to use for lock-output. hint: if copying from a tarball, try \
         re-generating the tarball"
    )]
    NoRootBundle,
    /// An image of the given lock file is not among those copied.
    #[error("Expected image '{reference}' to have been copied but was not")]
    NotCopied {
        /// The image.
        reference: DigestReference,
    },
    /// One of the engine's own tasks ended abnormally.
    #[error("a task of the copy ended abnormally; this is a defect of this program")]
    Task(#[source] tokio::task::JoinError),
}

impl Error {
    pub(crate) fn of_bundle(error: imgpkg_bundle::nested::Error) -> Self {
        Self::Bundle(Box::new(error))
    }
}

impl From<imgpkg_archive::Error> for Error {
    fn from(error: imgpkg_archive::Error) -> Self {
        Self::Archive(Box::new(error))
    }
}
