//! Why an image could not be pulled.

use std::path::PathBuf;

use imgpkg_oci::{DigestReference, StoreError};

use crate::nested;

/// Why an image could not be pulled. Wordings that the reference tool has too are its own.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A plain image where a bundle is wanted.
    #[error("Expected bundle image but found plain image (hint: Did you use -i instead of -b?)")]
    NotABundle,
    /// A bundle where a plain image is wanted.
    #[error("Expected bundle flag when pulling a bundle (hint: Use -b instead of -i for bundles)")]
    IsABundle,
    /// An index, which has no files of its own.
    #[error(
        "Unable to pull non-images, such as image indexes. (hint: provide a specific digest to the image instead)"
    )]
    NotAnImage,
    /// Finding out what the reference is failed.
    #[error("Unable to check if {reference} is a bundle")]
    Check {
        /// The reference.
        reference: String,
        /// What went wrong.
        source: Box<nested::Error>,
    },
    /// A layer could not be fetched.
    #[error("Extracting {what} into directory: Fetching layer {digest}")]
    Layer {
        /// `bundle` or `image`.
        what: &'static str,
        /// The layer.
        digest: imgpkg_oci::Digest,
        /// What went wrong.
        source: StoreError,
    },
    /// A layer could not be unpacked.
    #[error("Extracting {what} into directory")]
    Extract {
        /// `bundle` or `image`.
        what: &'static str,
        /// What went wrong.
        source: crate::Error,
    },
    /// The finished directory could not be put in its place.
    #[error(transparent)]
    Output(#[from] crate::Error),
    /// The bundle's lock file could not be read.
    #[error("Reading path {}: open {}: {reason}", path.display(), path.display())]
    OpenLock {
        /// Where it is, or would have been.
        path: PathBuf,
        /// Why not.
        reason: String,
    },
    /// The bundle's lock file is not a valid one.
    #[error("Reading path {}", path.display())]
    Lock {
        /// Where it would have been.
        path: PathBuf,
        /// What is wrong with it.
        source: Box<imgpkg_lock::Error>,
    },
    /// The lock file with the images' new places could not be written.
    #[error("Writing the lock file of bundle {bundle}")]
    WriteLock {
        /// The bundle.
        bundle: DigestReference,
        /// What went wrong.
        source: Box<imgpkg_lock::Error>,
    },
    /// The bundle's locations image is there but cannot be used.
    #[error(transparent)]
    Locations(Box<nested::Error>),
    /// An image of the bundle could not be asked for.
    #[error("Checking image existence")]
    Existence(#[source] StoreError),
}
