//! What the engine tells its caller while it works. A terminal, a plain log and a machine-readable stream each render
//! the same events; the engine itself never prints.

use std::sync::Arc;
use std::time::Duration;

use imgpkg_oci::{BlobPut, Digest};

/// Something that has happened.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Event {
    /// Everything to be moved is known.
    Planned {
        /// How many blobs may have to be moved.
        blobs: usize,
        /// How many bytes they have.
        bytes: u64,
        /// How many manifests the destination has already.
        present: usize,
    },
    /// Manifests and blobs begin to be written to a repository.
    Importing {
        /// How many items.
        items: usize,
    },
    /// Layers begin to be written to an archive.
    WritingLayers,
    /// A file of an archive has been written.
    FileWritten {
        /// Its name in the archive.
        name: String,
        /// How long it took.
        elapsed: Duration,
    },
    /// More of a blob has been read.
    BlobAdvanced {
        /// The blob.
        digest: Digest,
        /// How many more bytes.
        bytes: u64,
    },
    /// A blob is in the destination.
    BlobDone {
        /// The blob.
        digest: Digest,
        /// Its size in bytes.
        size: u64,
        /// How it came there.
        put: BlobPut,
        /// How long it took.
        elapsed: Duration,
    },
    /// A manifest is in the destination.
    ManifestDone {
        /// The manifest.
        digest: Digest,
    },
    /// All content is in place; the users' tags are written now.
    TaggingImages,
}

/// Where events go. Called from several threads at once; must not block for long.
pub type Listener = Arc<dyn Fn(Event) + Send + Sync>;

/// A listener that hears nothing.
pub fn silent() -> Listener {
    Arc::new(|_| {})
}
