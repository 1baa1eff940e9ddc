//! Why an image could not be pulled.

use std::io::ErrorKind;
use std::path::PathBuf;

use imgpkg_oci::{DigestReference, StoreError, SystemError};

use super::Wanted;
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
    /// The output must not be replaced, whatever is pulled.
    #[error(transparent)]
    Refused(crate::Error),
    /// The bundle's lock file could not be read. The cause is part of the text, before what to do about it.
    #[error(
        "Reading path {}: open {}: {cause} (hint: {})",
        path.display(), path.display(), what_to_do(bundle, cause)
    )]
    OpenLock {
        /// Where it is, or would have been.
        path: PathBuf,
        /// The bundle.
        bundle: DigestReference,
        /// Why not.
        cause: SystemError,
    },
    /// The bundle's lock file is not a valid one. The causes are part of the text, before what to do about it.
    #[error(
        "Reading path {}: {} (hint: this file is part of the bundle '{bundle}', which has to be pushed again with a \
         correct one)",
        path.display(),
        chain(&**cause)
    )]
    Lock {
        /// Where it would have been.
        path: PathBuf,
        /// The bundle.
        bundle: DigestReference,
        /// What is wrong with it.
        cause: Box<imgpkg_lock::Error>,
    },
    /// The lock file with the images' new places could not be written.
    #[error("Writing the lock file of bundle '{bundle}': {reason}")]
    WriteLock {
        /// The bundle.
        bundle: DigestReference,
        /// What went wrong, with the file's name below the output.
        reason: String,
    },
    /// The bundle's locations image is there but cannot be used.
    #[error(transparent)]
    Locations(Box<nested::Error>),
    /// An image of the bundle could not be asked for.
    #[error("Checking image existence")]
    Existence(#[source] StoreError),
}

impl Error {
    /// The error that the output of a pull cannot be prepared, filled or put into its place, with the reference's words
    /// about what was going on (section 8.2 of its description).
    pub fn of_output(wanted: Wanted, source: crate::Error) -> Self {
        match source {
            refused @ (crate::Error::DisallowedOutput | crate::Error::OutputNotADirectory { .. }) => {
                Self::Refused(refused)
            }
            source => Self::Extract { what: wanted.noun(), source },
        }
    }
}

fn what_to_do(bundle: &DigestReference, cause: &SystemError) -> String {
    match cause.kind() {
        ErrorKind::NotFound => {
            format!("the bundle '{bundle}' does not have this file; push it again with 'imgpkg push -b'")
        }
        _ => format!("this file is part of the bundle '{bundle}'"),
    }
}

/// An error and its causes on one line.
pub(super) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        next = cause.source();
    }
    text
}
