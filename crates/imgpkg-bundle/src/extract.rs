//! From layers to a directory (section 8 of the reference's description).
//!
//! [`OutputDirectory`] is where the result will be: a directory beside it is filled first, and takes its place only when
//! everything is there and verified. [`Extraction`] applies layers to a [`Directory`], which nothing that a layer says
//! can leave: every step of a path is opened by itself and never through a link.
//!
//! Two faults of the reference are not repeated: layers are applied from the lowest to the highest, with the deletions
//! that they ask for, and no name reaches out of the directory.

mod compression;
mod directory;
mod entry;
mod forbidden;
mod incoming;
mod layer;
mod output;
mod staging;
mod swap;
mod whiteout;

pub use directory::Directory;
pub use incoming::with_blocking_reader;
pub use layer::Extraction;
pub use output::OutputDirectory;

#[cfg(test)]
mod tests;
