//! Reading one small document out of an image's layer: a bundle's lock file, or the list of a locations image.

use std::io::Read;

use bytes::Bytes;
use imgpkg_oci::{BlobProgress, BlobReader, Descriptor, ManifestTree, Source, TreeContent, media_type};

use crate::nested::{Error, ReadError};

/// The largest document that is read.
const MAX_DOCUMENT_BYTES: u64 = 16 * 1024 * 1024;

/// The largest layer that is kept in memory when it has been read. Configuration is rarely larger, and a copy would have to
/// fetch it again.
const MAX_KEPT_BYTES: u64 = 4 * 1024 * 1024;

/// A document found in a layer.
pub(crate) struct Document {
    /// What it says.
    pub(crate) content: Vec<u8>,
    /// The whole layer as it was fetched, if it is small enough to be kept.
    pub(crate) layer: Option<Bytes>,
}

/// The only layer of an image that must have exactly one, and that one a Docker layer.
///
/// # Errors
/// `wrong_count` with the number of layers, or that the layer has another media type.
pub(crate) fn only_layer(
    tree: &ManifestTree,
    wrong_count: impl FnOnce(usize) -> Error,
) -> Result<&Descriptor, Error> {
    let layers = match &tree.content {
        TreeContent::Image { image, .. } => image.layers.as_slice(),
        TreeContent::Index { .. } => &[],
    };
    match layers {
        [layer] if layer.media_type.as_str() == media_type::DOCKER_LAYER => Ok(layer),
        [layer] => Err(Error::LayerType(layer.media_type.clone())),
        _ => Err(wrong_count(layers.len())),
    }
}

/// The first file in the layer whose name is the wanted one; `None` if there is none. The whole layer is
/// read, in constant memory, because only then is its digest proven.
///
/// # Errors
/// When the layer cannot be fetched, is not what its digest says, is no tar, or when the file is too large.
pub(crate) async fn read_document(
    source: &dyn Source,
    layer: &Descriptor,
    wanted: fn(&str) -> bool,
) -> Result<Option<Document>, ReadError> {
    match read_once(source, layer, wanted).await {
        Err(error) if error.is_damage() => read_once(source, layer, wanted).await,
        result => result,
    }
}

async fn read_once(
    source: &dyn Source,
    layer: &Descriptor,
    wanted: fn(&str) -> bool,
) -> Result<Option<Document>, ReadError> {
    let start = BlobProgress::start(&layer.digest);
    let reader = source.blob(layer, start.clone()).await?;
    let (reader, kept) = match layer.size <= MAX_KEPT_BYTES {
        true => {
            let bytes = reader.collect(MAX_KEPT_BYTES).await?;
            (BlobReader::of_bytes(layer.clone(), &bytes, start), Some(bytes))
        }
        false => (reader, None),
    };
    let content =
        crate::extract::with_blocking_reader(reader, move |content| find(content, wanted)).await??;
    Ok(content.map(|content| Document { content, layer: kept }))
}

fn find(content: &mut dyn Read, wanted: fn(&str) -> bool) -> Result<Option<Vec<u8>>, ReadError> {
    let mut archive = tar::Archive::new(content);
    for entry in archive.entries().map_err(ReadError::Tar)? {
        let mut entry = entry.map_err(ReadError::Tar)?;
        let name = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        if !entry.header().entry_type().is_file() || !wanted(&name) {
            continue;
        }
        let size = entry.size();
        if size > MAX_DOCUMENT_BYTES {
            return Err(ReadError::TooLarge { name, size, limit: MAX_DOCUMENT_BYTES });
        }
        let mut found = Vec::new();
        entry.read_to_end(&mut found).map_err(ReadError::Tar)?;
        return Ok(Some(found));
    }
    Ok(None)
}
