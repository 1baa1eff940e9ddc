//! Where everything goes in an archive that is to be written. All of it is known before the first layer comes, because
//! manifests and configurations stand in `manifest.json` and every layer's size in a manifest.

use std::collections::{BTreeMap, HashSet};

use imgpkg_formats::tar::{END, Entry, Mode};
use imgpkg_oci::{Descriptor, Digest};

use super::{BLOCK, MANIFEST_JSON, Span, document, entry_name};
use crate::{Defect, Error, Item};

/// The plan of an archive's bytes.
#[derive(Debug)]
pub(super) struct Layout {
    /// The first entry's header and content, with padding.
    pub(super) manifest_json: Vec<u8>,
    /// The layers' entries, ascending by digest, which is their order in the file.
    pub(super) slots: BTreeMap<Digest, Slot>,
    /// All manifests.
    pub(super) manifests: HashSet<Digest>,
    /// The size of the whole file in bytes.
    pub(super) size: u64,
}

/// The place of one layer.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Slot {
    /// The blocks before its content.
    pub(super) header: Vec<u8>,
    /// Its content.
    pub(super) content: Span,
}

impl Slot {
    /// Where its header begins.
    pub(super) fn start(&self) -> u64 {
        self.content.offset - self.header.len() as u64
    }
}

impl Layout {
    /// The layout of an archive of these items.
    pub(super) fn new(items: &[Item], include_non_distributable: bool) -> Result<Self, Error> {
        let mut layers: BTreeMap<Digest, u64> = BTreeMap::new();
        let mut manifests = HashSet::new();
        for item in items {
            manifests.extend(item.tree.manifests().into_iter().map(|tree| tree.manifest.digest().clone()));
            for layer in item.tree.layers() {
                if include_non_distributable || !layer.media_type.is_non_distributable() {
                    add(&mut layers, layer)
                        .map_err(|source| Error::Item { name: item.source.to_string(), source })?;
                }
            }
        }
        let document = document::write(items)?;
        Self::place(document, layers, manifests)
            .map_err(|source| Error::Item { name: MANIFEST_JSON.to_owned(), source })
    }

    fn place(
        document: Vec<u8>,
        layers: BTreeMap<Digest, u64>,
        manifests: HashSet<Digest>,
    ) -> Result<Self, Defect> {
        let mut manifest_json = header(MANIFEST_JSON, document.len() as u64)?;
        manifest_json.extend(document);
        manifest_json.resize(manifest_json.len().next_multiple_of(BLOCK as usize), 0);
        let mut position = manifest_json.len() as u64;
        let mut slots = BTreeMap::new();
        for (digest, size) in layers {
            let name = entry_name(&digest);
            let header = header(&name, size)?;
            let offset = position + header.len() as u64;
            let end = offset.checked_add(size).and_then(|end| end.checked_next_multiple_of(BLOCK));
            position = end
                .filter(|&end| i64::try_from(end).is_ok())
                .ok_or(imgpkg_formats::tar::Error::TooLarge { name, size })
                .map_err(|source| Defect::Header { source })?;
            slots.insert(digest, Slot { header, content: Span { offset, size } });
        }
        Ok(Self { manifest_json, slots, manifests, size: position + END.len() as u64 })
    }
}

fn header(name: &str, size: u64) -> Result<Vec<u8>, Defect> {
    Entry::file(name, Mode::ARCHIVE, size).header().map_err(|source| Defect::Header { source })
}

fn add(layers: &mut BTreeMap<Digest, u64>, layer: &Descriptor) -> Result<(), Defect> {
    let first = *layers.entry(layer.digest.clone()).or_insert(layer.size);
    if first == layer.size {
        return Ok(());
    }
    Err(Defect::LayerSizes { digest: layer.digest.clone(), first, second: layer.size })
}

#[cfg(test)]
mod tests;
