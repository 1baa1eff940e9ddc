//! One file that holds images: the tar that imgpkg writes with `copy --to-tar` and reads with `copy --tar`.
//!
//! The three types to know: an [`Archive`] is such a file opened for reading, a source of manifests and blobs; an
//! [`ArchiveWriter`] is one being written, a destination that takes blobs in any order; an [`Item`] is one image or
//! index at its top level, with what the archive says about it. Nothing here knows about networks or bundles.
//!
//! ```no_run
//! use imgpkg_archive::{Archive, ArchiveWriter, WriteOptions};
//! use imgpkg_oci::Source as _;
//! use std::path::Path;
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let archive = Archive::open(Path::new("bundle.tar")).await?;
//! for item in archive.items() {
//!     println!("{} {:?}", item.source, item.tag);
//! }
//! let copy = ArchiveWriter::create(Path::new("copy.tar"), archive.items(), WriteOptions::default()).await?;
//! // … `copy.put_blob(…)` for every layer, then:
//! copy.finish().await?;
//! # Ok(())
//! # }
//! ```

pub mod defect;
pub mod error;
pub mod item;
pub mod tar;

pub use defect::Defect;
pub use error::Error;
pub use item::Item;
pub use tar::forecast::{Forecast, LayerForecast};
pub use tar::reader::Archive;
pub use tar::writer::{ArchiveWriter, Reused, Unfinished, WriteOptions};
