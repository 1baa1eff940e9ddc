//! `manifest.json`: what an archive says about its images, read tolerantly and written byte for byte as the reference.

mod read;
mod write;

pub(super) use read::{Image, Index, Layer, parse};
pub(super) use write::write;
