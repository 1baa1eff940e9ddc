//! The nouns of the OCI specifications, as values that cannot be wrong: a [`Digest`] is always a digest, a [`Reference`]
//! always names something a registry can answer for, and a [`Manifest`] is the exact bytes that its digest stands for.
//! On top of them stand two small traits, [`Source`] and [`Destination`]: where content is read from, and where it is
//! written to. This crate does no I/O of its own; [`SystemError`] is how the failed I/O of others is put in words.
//!
//! ```
//! use imgpkg_oci::{Digest, Reference};
//!
//! let reference = Reference::parse("ubuntu:24.04")?;
//! assert_eq!(reference.to_string(), "index.docker.io/library/ubuntu:24.04");
//! assert_eq!(Digest::sha256_of(b"abc").hex().len(), 64);
//! # Ok::<(), imgpkg_oci::ReferenceError>(())
//! ```

pub mod blob;
pub mod config;
pub mod descriptor;
pub mod digest;
pub mod manifest;
pub mod media_type;
pub mod reference;
pub mod store;
pub mod system_error;
pub mod tree;

pub use blob::{BlobError, BlobProgress, BlobReader};
pub use config::{ConfigError, ImageConfig};
pub use descriptor::{Descriptor, Platform};
pub use digest::{Algorithm, Digest, DigestError, Digester};
pub use manifest::{Beginning, Document, ImageManifest, IndexManifest, Manifest, ManifestError};
pub use media_type::MediaType;
pub use reference::{
    DigestReference, Reference, ReferenceError, Registry, Repository, Tag, TagOrDigest, TagReference,
};
pub use store::{BlobOpener, BlobPut, Destination, ErrorKind, Repositories, Source, StoreError, StoreResult};
pub use system_error::SystemError;
pub use tree::{ManifestTree, TreeContent};
