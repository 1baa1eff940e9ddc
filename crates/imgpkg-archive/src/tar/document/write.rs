//! Writing `manifest.json`: compact JSON, all fields in their order, nothing omitted, `null` for what is empty.

use std::collections::BTreeMap;
use std::str;

use bytes::Bytes;
use imgpkg_formats::json::write_string;
use imgpkg_oci::{Digest, ImageConfig, ImageManifest, Manifest, ManifestTree, TreeContent};

use crate::item::ROOT_BUNDLE_LABEL;
use crate::{Defect, Error, Item};

/// The document for these items.
pub(in crate::tar) fn write(items: &[Item]) -> Result<Vec<u8>, Error> {
    if items.is_empty() {
        return Ok(b"null".to_vec());
    }
    let mut sorted: Vec<(String, &Item)> = items.iter().map(|item| (key(&item.tree), item)).collect();
    // Stable: the same image from two repositories is written in the order in which it was given.
    sorted.sort_by(|(one, _), (other, _)| one.cmp(other));
    let mut out = Vec::new();
    list(&mut out, &sorted, |out, (_, item)| {
        let of_item = |source| Error::Item { name: item.source.to_string(), source };
        Writer { out, item }.item().map_err(of_item)
    })?;
    Ok(out)
}

fn key(tree: &ManifestTree) -> String {
    match &tree.content {
        TreeContent::Image { image, .. } => format!("{}/{}", tree.manifest.digest(), image.config.digest),
        TreeContent::Index { .. } => tree.manifest.digest().to_string(),
    }
}

/// `[…]`, or `null` where there is nothing, as Go writes a slice that nothing was appended to.
fn list<T, E>(
    out: &mut Vec<u8>,
    elements: &[T],
    mut write: impl FnMut(&mut Vec<u8>, &T) -> Result<(), E>,
) -> Result<(), E> {
    if elements.is_empty() {
        out.extend_from_slice(b"null");
        return Ok(());
    }
    for (position, element) in elements.iter().enumerate() {
        out.push(if position == 0 { b'[' } else { b',' });
        write(out, element)?;
    }
    out.push(b']');
    Ok(())
}

/// Writes one item; what its children inherit is taken from it.
struct Writer<'a> {
    out: &'a mut Vec<u8>,
    item: &'a Item,
}

impl Writer<'_> {
    fn item(&mut self) -> Result<(), Defect> {
        let tree = &self.item.tree;
        if self.item.source.digest() != tree.manifest.digest() {
            return Err(Defect::Disagreement {
                name: self.item.source.to_string(),
                detail: format!("the manifest has the digest {}", tree.manifest.digest()),
            });
        }
        self.raw(br#"{"ImageIndex":"#);
        match &tree.content {
            TreeContent::Index { children } => {
                self.index(&tree.manifest, children)?;
                self.raw(br#","Image":null}"#);
            }
            TreeContent::Image { image, config } => {
                self.raw(br#"null,"Image":"#);
                self.image(&tree.manifest, image, config)?;
                self.raw(b"}");
            }
        }
        Ok(())
    }

    fn index(&mut self, manifest: &Manifest, children: &[ManifestTree]) -> Result<(), Defect> {
        let item = self.item;
        self.refs(manifest.digest());
        self.raw(br#","Images":"#);
        let images: Vec<_> = children
            .iter()
            .filter_map(|child| match &child.content {
                TreeContent::Image { image, config } => Some((&child.manifest, image, config)),
                TreeContent::Index { .. } => None,
            })
            .collect();
        list(self.out, &images, |out, (manifest, image, config)| {
            Writer { out, item }.image(manifest, image, config)
        })?;
        self.raw(br#","Indexes":"#);
        let indexes: Vec<_> = children
            .iter()
            .filter_map(|child| match &child.content {
                TreeContent::Image { .. } => None,
                TreeContent::Index { children } => Some((&child.manifest, children)),
            })
            .collect();
        list(self.out, &indexes, |out, (manifest, children)| Writer { out, item }.index(manifest, children))?;
        self.text(br#","MediaType":"#, manifest.media_type().as_str());
        self.text(br#","Digest":"#, manifest.digest().as_str());
        self.text(br#","Raw":"#, text_of(manifest.bytes(), "index")?);
        self.tail();
        Ok(())
    }

    fn image(&mut self, manifest: &Manifest, image: &ImageManifest, config: &Bytes) -> Result<(), Defect> {
        if !image.config.digest.matches(config) {
            return Err(Defect::Changed {
                name: self.item.source.to_string(),
                what: "configuration",
                expected: image.config.digest.clone(),
                actual: Digest::sha256_of(config),
            });
        }
        self.refs(manifest.digest());
        self.raw(br#","Layers":"#);
        self.layers(image, config)?;
        self.text(br#","Config":{"Digest":"#, image.config.digest.as_str());
        self.text(br#","Raw":"#, text_of(config, "configuration")?);
        self.text(br#"},"Manifest":{"MediaType":"#, manifest.media_type().as_str());
        self.text(br#","Digest":"#, manifest.digest().as_str());
        self.text(br#","Raw":"#, text_of(manifest.bytes(), "manifest")?);
        self.raw(b"}");
        self.tail();
        Ok(())
    }

    fn layers(&mut self, image: &ImageManifest, config: &Bytes) -> Result<(), Defect> {
        let diff_ids = diff_ids(image, config)?;
        let mut position = 0;
        list(self.out, &image.layers, |out, layer| {
            out.extend_from_slice(br#"{"MediaType":"#);
            write_string(out, layer.media_type.as_str());
            out.extend_from_slice(br#","Digest":"#);
            write_string(out, layer.digest.as_str());
            out.extend_from_slice(br#","DiffID":"#);
            let diff_id = diff_ids.get(position).filter(|_| layer.media_type.is_layer());
            write_string(out, diff_id.map_or("", String::as_str));
            out.extend_from_slice(format!(r#","Size":{}}}"#, layer.size).as_bytes());
            position += 1;
            Ok(())
        })
    }

    fn refs(&mut self, digest: &Digest) {
        let reference = self.item.source.repository().at(digest.clone()).to_string();
        self.text(br#"{"Refs":["#, &reference);
        self.raw(b"]");
    }

    /// The last three fields of images and indexes.
    fn tail(&mut self) {
        let item = self.item;
        self.text(br#","Tag":"#, item.tag.as_ref().map_or("", |tag| tag.as_str()));
        self.text(br#","OrigRef":"#, item.original.as_deref().unwrap_or_default());
        self.raw(br#","Labels":"#);
        let mut labels: BTreeMap<&str, &str> =
            item.labels.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        if item.root_bundle {
            labels.insert(ROOT_BUNDLE_LABEL, "");
        }
        if labels.is_empty() {
            self.raw(b"null}");
            return;
        }
        for (position, (name, value)) in labels.into_iter().enumerate() {
            self.text(if position == 0 { b"{" } else { b"," }, name);
            self.text(b":", value);
        }
        self.raw(b"}}");
    }

    fn raw(&mut self, json: &[u8]) {
        self.out.extend_from_slice(json);
    }

    fn text(&mut self, before: &[u8], text: &str) {
        self.raw(before);
        write_string(self.out, text);
    }
}

fn text_of<'a>(bytes: &'a [u8], what: &'static str) -> Result<&'a str, Defect> {
    str::from_utf8(bytes).map_err(|_| Defect::NotText { what })
}

/// The digests of the layers before compression. An image without any file-system layer (a signature, a chart) has
/// none, and nothing is asked of its configuration, which may be anything.
fn diff_ids(image: &ImageManifest, config: &Bytes) -> Result<Vec<String>, Defect> {
    if !image.layers.iter().any(|layer| layer.media_type.is_layer()) {
        return Ok(Vec::new());
    }
    let config = ImageConfig::parse(config).map_err(|source| Defect::Config { source })?;
    let (layers, diff_ids) = (image.layers.len(), config.diff_ids());
    if layers != diff_ids.len() {
        return Err(Defect::DiffIds { layers, diff_ids: diff_ids.len() });
    }
    Ok(diff_ids.to_vec())
}
