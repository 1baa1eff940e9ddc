//! The copy engine: discover → plan → transfer → record, between any source and any destination.
//!
//! [`discover`] turns what a user names into an [`ImageSet`]: every image with its manifest and
//! configuration, nested bundles included. [`plan`] asks the destination what it has and makes a
//! [`Plan`], each blob and each manifest once. [`transfer()`](transfer::transfer) moves the bytes, and
//! [`record`] writes what makes the result usable: locations images, tags, lock files. The [`copy`] module puts the
//! four together for the two kinds of destination; [`forecast`] tells what it would do, and writes nothing.
//!
//! Everything below is a [`Source`](imgpkg_oci::Source) or a [`Destination`](imgpkg_oci::Destination), so copying from
//! a registry, from an archive and from a directory that has just been packed are the same code.
//!
//! ```
//! use imgpkg_copy::plan::LayerChoice;
//! use imgpkg_oci::{Descriptor, Digest, MediaType, media_type};
//!
//! let foreign = MediaType::new(media_type::DOCKER_FOREIGN_LAYER);
//! let layer = Descriptor::new(foreign, Digest::sha256_of(b"windows"), 7);
//! assert!(!LayerChoice::Distributable.takes(&layer));
//! ```

pub mod budget;
pub mod copy;
pub mod discover;
mod error;
pub mod event;
pub mod forecast;
#[cfg(test)]
mod memory;
pub mod plan;
pub mod record;
mod schedule;
pub mod transfer;

pub use copy::{Copied, Options, Outcome};
pub use discover::ImageSet;
pub use error::Error;
pub use event::{Event, Listener};
pub use forecast::Forecast;
pub use plan::{LayerChoice, Plan};
