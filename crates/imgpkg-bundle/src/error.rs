//! What can go wrong between a directory and an image, in either direction.

use std::io;
use std::path::{Path, PathBuf};

use imgpkg_oci::{BlobError, Digest, SystemError};

/// Why an image could not be built from files, or not be written into a directory.
///
/// The texts of the checks on input are the reference's own (sections 1.6, 3.2, 3.3 and 8 of its description); scripts
/// match on them.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A label that only the program itself may set.
    #[error("label '{key}' is reserved and cannot be overriden. Please use a different key")]
    ReservedLabel {
        /// The label's key.
        key: &'static str,
    },
    /// A bundle without `.imgpkg`.
    #[error("This directory is not a bundle. It is missing .imgpkg/images.yml")]
    NotABundle,
    /// More than one `.imgpkg`.
    #[error(
        "This directory contains multiple bundle definitions. Only a single instance of .imgpkg/images.yml can be \
         provided and instead these were provided {}",
        joined(found)
    )]
    SeveralBundles {
        /// The absolute paths of all of them.
        found: Vec<PathBuf>,
    },
    /// `.imgpkg` is not directly below one of the given paths.
    #[error(
        "Expected '.imgpkg' directory, to be a direct child of one of: {}; was {}",
        joined(arguments),
        found.display()
    )]
    MisplacedBundle {
        /// The paths given, as they were typed.
        arguments: Vec<PathBuf>,
        /// The absolute path where `.imgpkg` is.
        found: PathBuf,
    },
    /// `.imgpkg` without a lock file.
    #[error("The bundle expected .imgpkg/images.yml to exist, but it wasn't found in the path {}", path.display())]
    NoImagesLock {
        /// Where it was expected.
        path: PathBuf,
    },
    /// A plain image made of what is a bundle.
    #[error("Images cannot be pushed with '.imgpkg' directories, consider using --bundle (-b) option")]
    BundleAsImage,
    /// The same name in the image comes from several places.
    #[error("Found duplicate paths: {}", joined(paths))]
    DuplicatePaths {
        /// All paths that share a name with another one, in the order of those names.
        paths: Vec<PathBuf>,
    },
    /// A path that was given, or met on the way, cannot be looked at. The cause is part of the text, in the reference's
    /// spelling.
    #[error("lstat {}: {cause}", path.display())]
    Inspect {
        /// The path.
        path: PathBuf,
        /// Why not.
        cause: SystemError,
    },
    /// Something that is neither a regular file nor a directory.
    #[error(
        "Adding file '{}' to tar: Expected file '{}' to be a regular file",
        argument.display(),
        path.display()
    )]
    Irregular {
        /// The path given, as it was typed.
        argument: PathBuf,
        /// What is no regular file.
        path: PathBuf,
    },
    /// The current directory is gone or closed to us, so that a relative path means nothing.
    #[error("finding the current directory")]
    CurrentDirectory(#[source] SystemError),
    /// A file cannot be opened or read.
    #[error("{operation} {}", path.display())]
    ReadFile {
        /// The operation that failed, `open` or `read`.
        operation: &'static str,
        /// The file.
        path: PathBuf,
        /// Why not.
        source: SystemError,
    },
    /// A file became longer or shorter while it was being read.
    #[error(
        "file '{}' changed while it was being read: it had {announced} bytes before (try again when nothing writes to it)",
        path.display()
    )]
    FileChanged {
        /// The file.
        path: PathBuf,
        /// Its size in bytes when the directory was listed.
        announced: u64,
    },
    /// A name or size that no tar can hold.
    #[error("adding '{}' to the layer", path.display())]
    Unrepresentable {
        /// The file or directory.
        path: PathBuf,
        /// What is wrong with it.
        source: imgpkg_formats::tar::Error,
    },
    /// The layer being built cannot be kept on disk.
    #[error("writing the layer to a temporary file in '{}' (set TMPDIR to use another place)", directory.display())]
    Spool {
        /// Where temporary files are made.
        directory: PathBuf,
        /// Why not.
        source: SystemError,
    },
    /// A freshly built image was asked for something that it does not consist of.
    #[error("the image built from files does not contain {wanted}")]
    Absent {
        /// The tag or digest asked for.
        wanted: String,
    },
    /// An output directory whose replacement would destroy more than output.
    #[error("Disallowed output directory (trying to avoid accidental deletion)")]
    DisallowedOutput,
    /// Something that no directory takes the place of, because it is not a pull's to delete.
    #[error("'{}' is {kind}, but the output has to be a directory (hint: {})", path.display(), instead(kind))]
    OutputNotADirectory {
        /// The output as it was typed.
        path: PathBuf,
        /// What it is, with an article.
        kind: &'static str,
    },
    /// The output directory, or what is made beside it, cannot be prepared or put into place. What was there before is
    /// there still.
    #[error("{operation} {}", path.display())]
    Output {
        /// The operation that failed, such as `mkdir`.
        operation: &'static str,
        /// On which path.
        path: PathBuf,
        /// Why it failed.
        source: SystemError,
    },
    /// The directory that the output is in cannot be written to.
    #[error(
        "mkdir {}: {cause} (hint: the new content is made beside the old, so '{}' has to be writable)",
        path.display(),
        parent.display()
    )]
    OutputParent {
        /// The output as it was typed.
        path: PathBuf,
        /// The directory that it is in.
        parent: PathBuf,
        /// Why it cannot be written to.
        cause: SystemError,
    },
    /// The output directory is a mount point, which nothing can take the place of. What is there stays.
    #[error(
        "rename {}: device or resource busy (hint: it is in use as a mount point; choose a directory below it)",
        path.display()
    )]
    OutputBusy {
        /// The output as it was typed.
        path: PathBuf,
    },
    /// The new output is in place, but what was there before it could not be deleted.
    #[error(
        "deleting the previous content of '{}' (the new content is complete; the rest of the old is in '{}')",
        output.display(),
        old.display()
    )]
    OldOutput {
        /// The output directory.
        output: PathBuf,
        /// Where the old content is now.
        old: PathBuf,
        /// Why it could not be deleted.
        source: SystemError,
    },
    /// The bytes of a layer did not come, or not the right ones.
    #[error("extracting layer '{layer}'")]
    LayerContent {
        /// The layer.
        layer: Digest,
        /// What was wrong.
        source: BlobError,
    },
    /// The bytes of a layer are the right ones, but are no gzip or no tar.
    #[error("reading layer '{layer}' as tar")]
    LayerFormat {
        /// The layer.
        layer: Digest,
        /// What was wrong.
        source: io::Error,
    },
    /// An entry of a layer that must not be written, whatever the reason.
    #[error("refusing entry '{entry}' of layer '{layer}': {reason}")]
    Refused {
        /// The layer.
        layer: Digest,
        /// The entry's name, what is not UTF-8 replaced.
        entry: String,
        /// Why.
        reason: &'static str,
    },
    /// An entry of a kind that has no place in a layer.
    #[error("Unsupported tar entry type '{kind}' for file '{entry}' (layer '{layer}')")]
    UnsupportedEntry {
        /// The layer.
        layer: Digest,
        /// The entry's name, what is not UTF-8 replaced.
        entry: String,
        /// The letter or digit of its type.
        kind: char,
    },
    /// More entries than a directory may get.
    #[error("layer '{layer}' brings the image to more than {limit} entries")]
    TooManyEntries {
        /// The layer where the limit was passed.
        layer: Digest,
        /// The limit.
        limit: u64,
    },
    /// An entry cannot be written: the disk is full, or access is denied.
    #[error("writing entry '{entry}' of layer '{layer}' into '{}'", directory.display())]
    WriteEntry {
        /// The layer.
        layer: Digest,
        /// The entry's name, what is not UTF-8 replaced.
        entry: String,
        /// The directory that the image is for, as it was typed.
        directory: PathBuf,
        /// Why not.
        source: SystemError,
    },
    /// The thread that reads the layer is gone, because the program is ending.
    #[error("extracting layer '{layer}' was interrupted")]
    Interrupted {
        /// The layer.
        layer: Digest,
    },
}

impl Error {
    /// Is it that other bytes came than a layer's digest stands for?
    pub fn is_damage(&self) -> bool {
        matches!(self, Self::LayerContent { source, .. } if !source.is_broken_stream())
    }

    /// Is it that there is no room left on the disk (or in the quota)?
    pub fn is_disk_full(&self) -> bool {
        match self {
            Self::Spool { source, .. } | Self::Output { source, .. } | Self::WriteEntry { source, .. } => {
                source.is_full()
            }
            _ => false,
        }
    }
}

fn joined(paths: &[PathBuf]) -> String {
    let paths: Vec<_> = paths.iter().map(|path| path.display().to_string()).collect();
    paths.join(", ")
}

/// What to do about an output of this kind.
fn instead(kind: &str) -> &'static str {
    match kind {
        "a file" => "remove it first, or choose another name",
        _ => "choose another name",
    }
}

/// Makes an [`Error::Output`] out of an I/O error.
pub(crate) fn output(operation: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Error {
    let path = path.to_owned();
    move |error| Error::Output { operation, path, source: error.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_path_is_reported_as_the_reference_does() {
        let error = Error::Inspect {
            path: "no/such".into(),
            cause: std::fs::symlink_metadata("no/such").unwrap_err().into(),
        };
        assert_eq!(error.to_string(), "lstat no/such: no such file or directory");
    }

    #[test]
    fn a_full_disk_is_recognised() {
        let source = io::Error::from(io::ErrorKind::StorageFull).into();
        assert!(Error::Spool { directory: "/tmp".into(), source }.is_disk_full());
        assert!(!Error::NotABundle.is_disk_full());
    }
}
