//! From what `manifest.json` says to items that can be trusted: every manifest and configuration is verified against
//! its digest, and what the archive records about them is compared with what they say themselves.

use std::collections::{BTreeMap, HashMap};

use bytes::Bytes;
use imgpkg_oci::{
    Digest, DigestReference, Document, ImageManifest, Manifest, ManifestError, ManifestTree, ReferenceError,
    Tag, TreeContent,
};

use super::document::{self, Image, Index};
use crate::item::ROOT_BUNDLE_LABEL;
use crate::{Defect, Item};

/// The items of an archive, in the order of its `manifest.json`.
pub(super) fn read(manifest_json: &[u8]) -> Result<Vec<Item>, Defect> {
    let mut items: Vec<Item> = Vec::new();
    let mut root: Option<DigestReference> = None;
    for (position, entry) in document::parse(manifest_json)?.into_iter().enumerate() {
        let wrong = |what| Defect::Entry { position: position + 1, what };
        let item = match (entry.image, entry.index) {
            (Some(image), None) => image_item(image)?,
            (None, Some(index)) => index_item(index)?,
            (None, None) => return Err(wrong("neither")),
            (Some(_), Some(_)) => return Err(wrong("both")),
        };
        if item.root_bundle
            && let Some(first) = root.replace(item.source.clone())
        {
            return Err(Defect::TwoRoots { first: first.to_string(), second: item.source.to_string() });
        }
        items.push(item);
    }
    Ok(items)
}

fn image_item(image: Image) -> Result<Item, Defect> {
    let record =
        Record::new(&image.refs, &image.manifest.digest, &image.tag, &image.original, &image.labels)?;
    let tree = image_tree(image)?;
    let mut item = record.item(tree)?;
    item.root_bundle = item.labels.remove(ROOT_BUNDLE_LABEL).is_some();
    Ok(item)
}

fn index_item(index: Index) -> Result<Item, Defect> {
    let record = Record::new(&index.refs, &index.digest, &index.tag, &index.original, &index.labels)?;
    let tree = index_tree(index)?;
    record.item(tree)
}

/// What is recorded of an item besides its content.
struct Record {
    source: DigestReference,
    tag: Option<Tag>,
    original: Option<String>,
    labels: BTreeMap<String, String>,
}

impl Record {
    fn new(
        refs: &[String],
        digest: &str,
        tag: &str,
        original: &str,
        labels: &BTreeMap<String, String>,
    ) -> Result<Self, Defect> {
        let name = name(refs, digest);
        let source =
            first_reference(refs).map_err(|source| Defect::NoReference { name: name.clone(), source })?;
        let tag = match tag {
            "" => None,
            tag => Some(Tag::parse(tag).map_err(|source| Defect::Tag { name, source })?),
        };
        let original = (!original.is_empty()).then(|| original.to_owned());
        Ok(Self { source, tag, original, labels: labels.clone() })
    }

    fn item(self, tree: ManifestTree) -> Result<Item, Defect> {
        let Self { source, tag, original, labels } = self;
        if source.digest() != tree.manifest.digest() {
            return Err(Defect::Disagreement {
                name: source.to_string(),
                detail: format!("the manifest has the digest {}", tree.manifest.digest()),
            });
        }
        Ok(Item { source, tag, original, root_bundle: false, labels, tree })
    }
}

/// The first that can be read; the error is that of the first one.
fn first_reference(refs: &[String]) -> Result<DigestReference, Option<ReferenceError>> {
    let mut failure = None;
    for reference in refs {
        match DigestReference::parse(reference) {
            Ok(reference) => return Ok(reference),
            Err(error) => failure = failure.or(Some(error)),
        }
    }
    Err(failure)
}

/// What a message calls it.
fn name(refs: &[String], digest: &str) -> String {
    let name = refs.first().map_or(digest, String::as_str);
    if name.is_empty() { "an image without name and digest".to_owned() } else { name.to_owned() }
}

fn image_tree(record: Image) -> Result<ManifestTree, Defect> {
    let name = name(&record.refs, &record.manifest.digest);
    let manifest =
        verified(record.manifest.raw, &record.manifest.media_type, &record.manifest.digest, &name)?;
    let image = match manifest.parse() {
        Ok(Document::Image(image)) => image,
        Ok(Document::Index(_)) => return Err(disagreement(&name, "it is an index, recorded as an image")),
        Err(source) => return Err(Defect::Manifest { name, source }),
    };
    let digest = digest(&record.config.digest, "configuration", &name)?;
    if digest != image.config.digest {
        let detail = format!("the configuration is {}, recorded is {digest}", image.config.digest);
        return Err(disagreement(&name, detail));
    }
    let config = Bytes::from(record.config.raw);
    if !digest.matches(&config) {
        let actual = Digest::sha256_of(&config);
        return Err(Defect::Changed { name, what: "configuration", expected: digest, actual });
    }
    if image.config.size != config.len() as u64 {
        let (said, is) = (image.config.size, config.len());
        return Err(disagreement(&name, format!("the configuration has {is} bytes, not {said}")));
    }
    compare_layers(&image, &record.layers, &name)?;
    Ok(ManifestTree { manifest, content: TreeContent::Image { image: Box::new(image), config } })
}

fn compare_layers(image: &ImageManifest, recorded: &[document::Layer], name: &str) -> Result<(), Defect> {
    if image.layers.len() != recorded.len() {
        let (said, is) = (image.layers.len(), recorded.len());
        return Err(disagreement(name, format!("it has {said} layers, recorded are {is}")));
    }
    for (layer, recorded) in image.layers.iter().zip(recorded) {
        if layer.digest.as_str() != recorded.digest || layer.size != recorded.size {
            let detail = format!(
                "it has the layer {} of {} bytes, recorded is {} of {} bytes",
                layer.digest, layer.size, recorded.digest, recorded.size
            );
            return Err(disagreement(name, detail));
        }
    }
    Ok(())
}

fn index_tree(record: Index) -> Result<ManifestTree, Defect> {
    let name = name(&record.refs, &record.digest);
    let manifest = verified(record.raw, &record.media_type, &record.digest, &name)?;
    let index = match manifest.parse() {
        Ok(Document::Index(index)) => index,
        Ok(Document::Image(_)) => return Err(disagreement(&name, "it is an image, recorded as an index")),
        Err(source) => return Err(Defect::Manifest { name, source }),
    };
    // Each recorded child is used once, as it is written: looking children up again and again would let a small archive
    // describe a tree without end.
    let mut recorded: HashMap<Digest, Vec<ManifestTree>> = HashMap::new();
    for image in record.images {
        let tree = image_tree(image)?;
        recorded.entry(tree.manifest.digest().clone()).or_default().push(tree);
    }
    for index in record.indexes {
        let tree = index_tree(index)?;
        recorded.entry(tree.manifest.digest().clone()).or_default().push(tree);
    }
    let mut children = Vec::with_capacity(index.manifests.len());
    for child in &index.manifests {
        let Some(tree) = recorded.get_mut(&child.digest).and_then(Vec::pop) else {
            return Err(disagreement(&name, format!("it lists {}, which is not recorded", child.digest)));
        };
        children.push(tree);
    }
    if let Some(extra) = recorded.into_values().flatten().next() {
        let digest = extra.manifest.digest();
        return Err(disagreement(&name, format!("{digest} is recorded, which it does not list")));
    }
    Ok(ManifestTree { manifest, content: TreeContent::Index { children } })
}

fn verified(raw: String, media_type: &str, expected: &str, name: &str) -> Result<Manifest, Defect> {
    let expected = digest(expected, "manifest", name)?;
    Manifest::verified(Bytes::from(raw), media_type, &expected).map_err(|error| match error {
        ManifestError::Digest { expected, actual } => {
            Defect::Changed { name: name.to_owned(), what: "manifest", expected, actual }
        }
        source => Defect::Manifest { name: name.to_owned(), source },
    })
}

fn digest(text: &str, what: &'static str, name: &str) -> Result<Digest, Defect> {
    Digest::parse(text).map_err(|source| Defect::Digest { name: name.to_owned(), what, source })
}

fn disagreement(name: &str, detail: impl Into<String>) -> Defect {
    Defect::Disagreement { name: name.to_owned(), detail: detail.into() }
}
