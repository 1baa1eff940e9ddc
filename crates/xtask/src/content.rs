//! Bytes that nothing can compress, always the same ones.

use flate2::{Compression, write::GzEncoder};
use imgpkg_oci::Digest;

use crate::error::Error;

/// A layer: a gzipped tar with one file of random bytes in it.
#[derive(Debug)]
pub(crate) struct Layer {
    /// The gzipped bytes.
    pub(crate) bytes: Vec<u8>,
    /// The digest of the tar within.
    pub(crate) diff_id: Digest,
}

impl Layer {
    /// The layer of this number, around so many random bytes. It is stored, not deflated: the bytes are random, and it
    /// is as good as deflated to whoever copies it.
    pub(crate) fn make(number: u64, bytes: usize) -> Result<Self, Error> {
        let mut content = vec![0; bytes];
        fastrand::Rng::with_seed(number).fill(&mut content);
        let mut header = tar::Header::new_gnu();
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        header.set_mtime(0);
        let wrong = || Error::system("Making a layer");
        let mut builder = tar::Builder::new(Vec::new());
        builder.append_data(&mut header, "content", content.as_slice()).map_err(wrong())?;
        let tar = builder.into_inner().map_err(wrong())?;
        let mut encoder = GzEncoder::new(Vec::new(), Compression::none());
        std::io::Write::write_all(&mut encoder, &tar).map_err(wrong())?;
        let bytes = encoder.finish().map_err(wrong())?;
        Ok(Self { diff_id: Digest::sha256_of(&tar), bytes })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_layer_depends_on_its_number_only_and_is_hardly_larger_than_its_content() {
        let layer = Layer::make(7, 65536).unwrap();
        assert_eq!(layer.bytes, Layer::make(7, 65536).unwrap().bytes);
        assert_ne!(layer.bytes, Layer::make(8, 65536).unwrap().bytes);
        assert!((65536..65536 + 4096).contains(&layer.bytes.len()), "{}", layer.bytes.len());
        assert_ne!(layer.diff_id, Digest::sha256_of(&layer.bytes));
    }
}
