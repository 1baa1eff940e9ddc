//! Encoders whose bytes are frozen because digests depend on them.
//!
//! A bundle is addressed by a digest of bytes that this project makes itself: a tar of configuration, compressed with
//! gzip, described by JSON. The formats leave an encoder much freedom; these encoders use it exactly as the reference
//! does, so that both arrive at the same digests, and will go on doing so whatever compiler or library is used. Nothing
//! here reads files or knows about registries. The three to know:
//!
//! * [`gzip::Encoder`] compresses a stream into the bytes of a layer,
//! * [`tar::Entry`] makes the header of one file or directory in that layer or in an archive of images,
//! * [`json::escape`] writes a string into a configuration or manifest.
//!
//! ```
//! use imgpkg_formats::{gzip, tar};
//! use std::io::Write;
//!
//! let mut layer = gzip::Encoder::new(Vec::new());
//! layer.write_all(&tar::Entry::directory(".", tar::Mode::DIRECTORY).header()?)?;
//! layer.write_all(&tar::END)?;
//! let layer = layer.finish()?;
//! assert_eq!(layer.len(), 88);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub mod gzip;
pub mod json;
pub mod tar;
pub mod yaml;
