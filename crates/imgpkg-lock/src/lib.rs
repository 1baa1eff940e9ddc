//! Lock files and their relatives: which images a bundle refers to, which bundle is meant, and what a copy found out.
//!
//! Documents are read as strictly, and written with the same bytes, as by the reference. The three to know:
//!
//! * [`ImagesLock`] lists images by digest, as `.imgpkg/images.yml` does,
//! * [`BundleLock`] names one bundle,
//! * [`ImageLocations`] records next to a copied bundle which of its images are bundles.
//!
//! ```
//! use imgpkg_lock::ImagesLock;
//!
//! let lock = ImagesLock::parse(
//!     b"apiVersion: imgpkg.carvel.dev/v1alpha1
//! kind: ImagesLock
//! images:
//! - image: ubuntu@sha256:4c8b96d4fffdfae29258d94a22ae4ad1fe36139d47288b8960d9958d1e63a9d0
//! ",
//! )?;
//! assert!(lock.images[0].image.to_string().starts_with("index.docker.io/library/ubuntu@sha256:4c8b"));
//! assert!(lock.to_yaml().starts_with("---\napiVersion: "));
//! # Ok::<(), imgpkg_lock::Error>(())
//! ```

mod any_lock;
mod bundle_lock;
mod error;
mod fields;
mod file;
mod images_lock;
mod locations;
mod version;

pub use any_lock::AnyLock;
pub use bundle_lock::BundleLock;
pub use error::{Error, FileError, Invalid, Place, UnmarshalError, ValidationError};
pub use file::{MAX_BYTES, check_writable};
pub use images_lock::{ImageRef, ImagesLock};
pub use locations::{ImageLocations, Location};
pub use version::API_VERSION;
