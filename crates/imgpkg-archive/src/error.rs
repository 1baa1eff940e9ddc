//! What can go wrong with an archive as a file.

use std::path::PathBuf;

use imgpkg_oci::{Digest, SystemError};

use crate::Defect;

/// Why an archive cannot be read or written. It prints one line; what is below it is in `source()`.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file cannot be opened.
    #[error("open {}", path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// Why.
        source: SystemError,
    },
    /// The path is something else than a regular file, which neither a reader nor a writer of archives can use.
    #[error(
        "open {}: is {kind}, but an archive has to be a regular file (hint: give the path of a file)",
        path.display()
    )]
    NotAFile {
        /// The path.
        path: PathBuf,
        /// What it is, with an article.
        kind: &'static str,
    },
    /// The archive cannot be used.
    #[error("Reading archive '{}'", path.display())]
    Defective {
        /// The archive.
        path: PathBuf,
        /// What is wrong with it.
        source: Defect,
    },
    /// A new archive cannot be begun.
    #[error("Creating file '{}'", path.display())]
    Create {
        /// The archive.
        path: PathBuf,
        /// Why.
        source: Box<Error>,
    },
    /// An image cannot be described in an archive.
    #[error("Collecting packaging metadata: Working with {name}")]
    Item {
        /// The image's reference.
        name: String,
        /// What is wrong with it.
        source: Defect,
    },
    /// Another process is writing the same archive.
    #[error(
        "'{}' is being written by another process (hint: wait until it has finished, or write to another file)",
        path.display()
    )]
    Locked {
        /// The unfinished file.
        path: PathBuf,
    },
    /// The file system has no room for the archive.
    #[error(
        "not enough room for '{}': {needed} bytes are needed and {available} are free (hint: make room, or write to another file system)",
        path.display()
    )]
    Full {
        /// The unfinished file.
        path: PathBuf,
        /// How many bytes the file needs.
        needed: u64,
        /// How many bytes the file system has left.
        available: u64,
    },
    /// An unfinished file of an earlier run cannot be read.
    #[error("read {}", path.display())]
    Read {
        /// The unfinished file.
        path: PathBuf,
        /// Why.
        source: SystemError,
    },
    /// Writing failed.
    #[error("write {}", path.display())]
    Write {
        /// The unfinished file.
        path: PathBuf,
        /// Why.
        source: SystemError,
    },
    /// The archive is to be finished, but layers are missing.
    #[error("the archive '{}' cannot be finished: {count} layers have not been written, {digest} first", path.display())]
    Incomplete {
        /// The archive.
        path: PathBuf,
        /// How many layers are missing.
        count: usize,
        /// The first of them.
        digest: Digest,
    },
    /// Something is to be written that was not announced when the archive was begun.
    #[error("{digest} is not among the images that the archive '{}' was begun with", path.display())]
    Unannounced {
        /// The archive.
        path: PathBuf,
        /// The manifest.
        digest: Digest,
    },
    /// The archive has several items with this tag.
    #[error("several images in the archive '{}' have the tag {tag} (hint: give the digest)", path.display())]
    AmbiguousTag {
        /// The archive.
        path: PathBuf,
        /// The tag.
        tag: String,
    },
    /// The archive does not have a manifest.
    #[error("the archive '{}' has no manifest {target}", path.display())]
    NoManifest {
        /// The archive.
        path: PathBuf,
        /// The digest or tag asked for.
        target: String,
    },
    /// A task of ours was stopped from outside.
    #[error("work on '{}' was interrupted", path.display())]
    Interrupted {
        /// The archive.
        path: PathBuf,
    },
}
