//! From files to an image of one layer: [`Contents`] is what goes in, checked before anything is made, [`BuiltImage`]
//! what comes out (section 3 of the reference's description).
//!
//! The digest of the image depends on the files' names, contents and owner permissions and on the labels, and on
//! nothing else: not on owners, times, the machine, or the version of this program.

mod check;
mod contents;
mod image;
mod layer;
mod manifest;
mod spool;
mod walk;

pub use contents::{Contents, ImageKind};
pub use image::{BUNDLE_LABEL, BuiltImage, refuse_reserved_labels};

#[cfg(test)]
mod tests;
