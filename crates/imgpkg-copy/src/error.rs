//! Why a copy failed.

use std::path::{Path, PathBuf};

use imgpkg_bundle::nested::ReadError;
use imgpkg_oci::{Digest, DigestReference, ErrorKind, Repository, StoreError};

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
    /// A bundle in an archive cannot be read.
    #[error("Reading archive '{}'{hint}", path.display())]
    ArchivedBundle {
        /// The archive.
        path: PathBuf,
        /// What to do about it, in parentheses; empty where its cause says that.
        hint: &'static str,
        /// What went wrong.
        source: Box<Error>,
    },
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
    #[error("Checking whether {name} is there already")]
    Checking {
        /// The image, in the destination where that is a repository.
        name: DigestReference,
        /// What went wrong.
        source: StoreError,
    },
    /// A blob could not be copied.
    #[error("Copying blob {digest} of {name}{}", route.as_deref().unwrap_or_default())]
    Blob {
        /// The blob.
        digest: Digest,
        /// An image that needs it.
        name: DigestReference,
        /// Where it was to come from and go to, as the end of a sentence, with what to do about it.
        route: Option<Box<str>>,
        /// What went wrong.
        source: StoreError,
    },
    /// A manifest could not be written.
    #[error("Writing manifest of {name} under '{target}'")]
    Manifest {
        /// The tag or digest it was to be written under.
        target: String,
        /// The image it belongs to, in the destination where that is a repository.
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
    /// The same error, about a copy to this repository, from this archive if it is from one. What went wrong in the
    /// destination names it; what may be the fault of either names both.
    pub(crate) fn on_the_way(self, archive: Option<&Path>, repository: &Repository) -> Self {
        let there = |name: DigestReference| repository.at(name.digest().clone());
        match self {
            Self::Checking { name, source } => Self::Checking { name: there(name), source },
            Self::Manifest { target, name, source } => Self::Manifest { target, name: there(name), source },
            Self::Blob { digest, name, source, .. } => {
                let mut route = match archive {
                    Some(archive) => format!(" from archive '{}' to {repository}", archive.display()),
                    None => format!(" to {repository}"),
                };
                if is_damage(&source) {
                    route.push_str(match archive {
                        Some(_) => " (hint: the archive is damaged, get it again; nothing that needs this blob was written)",
                        None => " (hint: nothing that needs this blob was written)",
                    });
                }
                Self::Blob { digest, name, route: Some(route.into()), source }
            }
            error => error,
        }
    }

    /// What went wrong with a bundle in an archive.
    pub(crate) fn of_archived_bundle(path: &Path, error: imgpkg_bundle::nested::Error) -> Self {
        let hint = if is_damage(&error) { " (hint: the archive is damaged, get it again)" } else { "" };
        Self::ArchivedBundle { path: path.to_owned(), hint, source: Box::new(Self::of_bundle(error)) }
    }

    pub(crate) fn of_bundle(error: imgpkg_bundle::nested::Error) -> Self {
        Self::Bundle(Box::new(error))
    }
}

impl From<imgpkg_archive::Error> for Error {
    fn from(error: imgpkg_archive::Error) -> Self {
        Self::Archive(Box::new(error))
    }
}

/// Is it that bytes are not the ones that their digest stands for?
fn is_damage(error: &(dyn std::error::Error + 'static)) -> bool {
    let mut cause = Some(error);
    while let Some(error) = cause {
        let of_store = error.downcast_ref::<StoreError>().map(StoreError::kind);
        let of_layer = error.downcast_ref::<ReadError>();
        if of_store == Some(ErrorKind::Corrupt) || matches!(of_layer, Some(ReadError::Blob(_))) {
            return true;
        }
        cause = error.source();
    }
    false
}
