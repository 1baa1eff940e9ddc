//! What can be wrong inside an archive, or with an image that is to go into one.

use imgpkg_oci::{ConfigError, Digest, ManifestError, ReferenceError, SystemError};

/// The hint of the reference for every file that an archive should have but does not.
pub(crate) const ABSENT: &str = "(hint: This may be because when copying to a tarball, the --include-non-distributable-layers flag should have been provided.)";

/// What is wrong with the content of an archive.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Defect {
    /// The file cannot be read.
    #[error("reading at byte {offset}")]
    Unreadable {
        /// Where.
        offset: u64,
        /// Why.
        source: SystemError,
    },
    /// The bytes are no tar.
    #[error("it is no tar archive: {reason} at byte {offset} (hint: {hint})")]
    NotATar {
        /// What was found.
        reason: &'static str,
        /// Where.
        offset: u64,
        /// What to do about it.
        hint: &'static str,
    },
    /// An entry of the tar goes on beyond the end of the file.
    #[error(
        "unexpected EOF: it is truncated, its entry '{name}' ends at byte {end} but the file has only {length} bytes (hint: transfer the file again, or create it again)"
    )]
    Truncated {
        /// The entry's name, shortened where it is long.
        name: String,
        /// Where it should end.
        end: u64,
        /// The length of the file.
        length: u64,
    },
    /// There are too many entries, in the tar or in its `manifest.json`.
    #[error(
        "it has more than {limit} {what} (hint: no tool writes such archives; check where it comes from)"
    )]
    TooMany {
        /// What there are too many of.
        what: &'static str,
        /// How many are allowed.
        limit: u64,
    },
    /// Its `manifest.json` is too large.
    #[error(
        "its manifest.json has {size} bytes, the most that is read is {limit} (hint: no tool writes such archives; check where it comes from)"
    )]
    TooLarge {
        /// Its size in bytes.
        size: u64,
        /// The limit in bytes.
        limit: u64,
    },
    /// The file has no bytes at all.
    #[error(
        "the file is empty: file manifest.json not found in tar (hint: it was not written or not transferred; create it again, or transfer it again)"
    )]
    Empty,
    /// An entry that every archive has is absent.
    #[error("file {file} not found in tar {ABSENT}")]
    Absent {
        /// The entry's name.
        file: String,
    },
    /// A layer that every archive of this image has is absent.
    #[error(
        "file {file} not found in tar (hint: it is a layer of {image}; the archive is incomplete, create it again)"
    )]
    LayerAbsent {
        /// The entry's name.
        file: String,
        /// The image.
        image: String,
    },
    /// A layer's entry has another size than its image says.
    #[error(
        "file {file} has {actual} bytes, but {image} has it as a layer of {expected} bytes (hint: the archive is damaged, create it again)"
    )]
    LayerSize {
        /// The entry's name.
        file: String,
        /// The image.
        image: String,
        /// The entry's size.
        actual: u64,
        /// The size that the manifest says.
        expected: u64,
    },
    /// Its `manifest.json` is not what it should be.
    #[error("its manifest.json cannot be understood (hint: it was not written by imgpkg, or is damaged)")]
    Syntax {
        /// What is wrong with it.
        source: serde_json::Error,
    },
    /// An entry of `manifest.json` is neither an image nor an index, or both.
    #[error(
        "entry {position} of its manifest.json has {what}, where exactly one of Image and ImageIndex is expected (hint: the archive is damaged, create it again)"
    )]
    Entry {
        /// Its position, from 1.
        position: usize,
        /// What it has.
        what: &'static str,
    },
    /// No reference says where an image came from.
    #[error("{name} has no usable reference in its Refs (hint: the archive is damaged, create it again)")]
    NoReference {
        /// The image or index.
        name: String,
        /// Why the first of them is not usable, where there is one.
        source: Option<ReferenceError>,
    },
    /// A recorded tag is none.
    #[error("the Tag of {name} is not usable")]
    Tag {
        /// The image or index.
        name: String,
        /// Why.
        source: ReferenceError,
    },
    /// A digest is none.
    #[error(
        "the digest of the {what} of {name} is not usable (hint: the archive is damaged, create it again)"
    )]
    Digest {
        /// The image or index.
        name: String,
        /// What the digest is of.
        what: &'static str,
        /// What is wrong with it.
        source: imgpkg_oci::DigestError,
    },
    /// Bytes are not the ones that their digest stands for.
    #[error(
        "the {what} of {name} has been changed: its digest is {actual}, not {expected} (hint: the archive is damaged, create it again)"
    )]
    Changed {
        /// The image or index.
        name: String,
        /// What was changed.
        what: &'static str,
        /// The digest it should have.
        expected: Digest,
        /// The digest it has.
        actual: Digest,
    },
    /// A manifest cannot be used.
    #[error("the manifest of {name} cannot be used")]
    Manifest {
        /// The image or index.
        name: String,
        /// Why.
        source: ManifestError,
    },
    /// What the archive records and what the manifest says are two different things.
    #[error(
        "manifest.json and the manifest of {name} disagree: {detail} (hint: the archive is damaged, create it again)"
    )]
    Disagreement {
        /// The image or index.
        name: String,
        /// About what.
        detail: String,
    },
    /// Two items are marked as the bundle that was copied.
    #[error(
        "expected only 1 root bundle, but {first} and {second} are both marked as one (hint: create the archive again)"
    )]
    TwoRoots {
        /// The first.
        first: String,
        /// The second.
        second: String,
    },
    /// A document cannot stand in `manifest.json`, whose strings are text.
    #[error(
        "its {what} is not valid UTF-8, so that an archive cannot hold it (hint: copy it to a repository instead)"
    )]
    NotText {
        /// Which document.
        what: &'static str,
    },
    /// An image has file-system layers, but not as many as its configuration says.
    #[error("mismatched fs layers ({layers}) and diff ids ({diff_ids})")]
    DiffIds {
        /// How many layers the manifest has.
        layers: usize,
        /// How many the configuration has.
        diff_ids: usize,
    },
    /// A configuration cannot be used.
    #[error("its configuration cannot be used")]
    Config {
        /// Why.
        source: ConfigError,
    },
    /// Two images have the same layer with different sizes.
    #[error("layer {digest} has {first} bytes in one image and {second} in another")]
    LayerSizes {
        /// The layer.
        digest: Digest,
        /// One size.
        first: u64,
        /// The other size.
        second: u64,
    },
    /// An entry cannot be written.
    #[error("its layers do not fit into a tar archive")]
    Header {
        /// Why.
        source: imgpkg_formats::tar::Error,
    },
}
