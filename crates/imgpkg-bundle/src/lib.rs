//! From a directory to an image and back; nested bundles and their locations.
//!
//! The types to know: [`build::Contents`] is what the user's files hold, checked; [`build::BuiltImage`] is the image made
//! of them, which anything that reads images can read; [`extract::OutputDirectory`] is where an image's files are written.
//!
//! ```
//! use imgpkg_bundle::build::{BuiltImage, Contents, ImageKind};
//! use imgpkg_bundle::extract::{Extraction, OutputDirectory};
//! use imgpkg_oci::{BlobProgress, Source as _};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let temporary = tempfile::tempdir()?;
//! # let (files, output) = (temporary.path().join("config"), temporary.path().join("output"));
//! # std::fs::create_dir(&files)?;
//! # std::fs::write(files.join("config.yml"), "a: b\n")?;
//! let contents = Contents::scan(ImageKind::Plain, &[files], &[], false)?;
//! assert_eq!(contents.listing().collect::<Vec<_>>(), ["dir: .", "file: config.yml"]);
//! let image = BuiltImage::build(&contents, Default::default())?;
//!
//! let destination = OutputDirectory::prepare(&output, None)?;
//! let layer = image.blob(image.layer(), BlobProgress::start(&image.layer().digest)).await?;
//! Extraction::new(destination.directory().clone()).apply_blob(layer).await?;
//! destination.commit()?;
//! assert_eq!(std::fs::read_to_string(output.join("config.yml"))?, "a: b\n");
//! # Ok(())
//! # }
//! ```

pub mod build;
pub mod describe;
mod document;
pub mod error;
pub mod extract;
pub mod fetch;
pub mod locations;
pub mod nested;
pub mod pull;
pub mod tags;

pub use error::Error;
