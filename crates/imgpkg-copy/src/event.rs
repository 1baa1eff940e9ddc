//! What the engine tells its caller while it works. A terminal, a plain log and a machine-readable stream each render
//! the same events; the engine itself never prints.

use std::sync::Arc;
use std::time::Duration;

use imgpkg_oci::{BlobPut, Digest, TagReference};

/// Something that has happened.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Event {
    /// All images are known.
    Discovered {
        /// How many images and indexes there are at the top level.
        images: usize,
        /// How many manifests they have, each counted once: their own and those below them.
        manifests: usize,
    },
    /// Everything to be moved is known.
    Planned {
        /// How many blobs may have to be moved.
        blobs: usize,
        /// How many bytes they have.
        bytes: u64,
        /// How many manifests have to be written.
        manifests: usize,
        /// How many manifests the destination has already, with everything below them.
        present: usize,
    },
    /// Manifests and blobs begin to be written to a repository.
    Importing {
        /// How many items.
        items: usize,
    },
    /// Layers of a finished archive begin to be verified and taken over into a new one.
    Verifying {
        /// How many layers.
        layers: usize,
        /// How many bytes they have.
        bytes: u64,
    },
    /// What is on the disk already of an archive to be written: in an unfinished file, or in the finished one of an
    /// earlier version.
    Reusing {
        /// How many layers are there in full.
        layers: usize,
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
    /// A blob is about to be moved, unless it turns out to be in the destination.
    BlobStarted {
        /// The blob.
        digest: Digest,
        /// Its size in bytes.
        size: u64,
    },
    /// More of a blob has been read.
    BlobAdvanced {
        /// The blob.
        digest: Digest,
        /// How many more bytes. A blob that has to be read again after a failure is counted again.
        bytes: u64,
    },
    /// A blob is in the destination. Told again of a blob that the destination has lost and got once more.
    BlobDone {
        /// The blob.
        digest: Digest,
        /// Its size in bytes.
        size: u64,
        /// How it came there: it was sent, mounted, or there before.
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
    /// A user's tag stands for what it should.
    TagDone {
        /// The tag, with its repository.
        tag: TagReference,
    },
}

/// Where events go. Called from several threads at once; must not block for long.
pub type Listener = Arc<dyn Fn(Event) + Send + Sync>;

/// A listener that hears nothing.
pub fn silent() -> Listener {
    Arc::new(|_| {})
}
