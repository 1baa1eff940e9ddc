//! A manifest with everything below it that is kept in memory while it is moved: an image's configuration, an index's
//! children. Layers are only described; their bytes stay where they are.

use bytes::Bytes;

use crate::{Descriptor, Document, ImageManifest, Manifest};

/// A manifest and what hangs below it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ManifestTree {
    /// The manifest itself.
    pub manifest: Manifest,
    /// What is below it.
    pub content: TreeContent,
}

/// What is below a manifest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TreeContent {
    /// It is one image.
    Image {
        /// The view of the manifest.
        image: Box<ImageManifest>,
        /// The exact bytes of the configuration.
        config: Bytes,
    },
    /// It is an index.
    Index {
        /// Its children, in the document's order.
        children: Vec<ManifestTree>,
    },
}

impl ManifestTree {
    /// Every manifest of the tree, children before their parents.
    pub fn manifests(&self) -> Vec<&ManifestTree> {
        let mut all = Vec::new();
        self.collect(&mut all);
        all
    }

    fn collect<'a>(&'a self, all: &mut Vec<&'a ManifestTree>) {
        if let TreeContent::Index { children } = &self.content {
            for child in children {
                child.collect(all);
            }
        }
        all.push(self);
    }

    /// The first child of an index that its document says to be for this operating system and processor; `None` if there
    /// is none, or if it is no index.
    pub fn for_platform(&self, os: &str, architecture: &str) -> Option<&ManifestTree> {
        let TreeContent::Index { children } = &self.content else { return None };
        let Ok(Document::Index(index)) = self.manifest.parse() else { return None };
        let wanted = index.manifests.iter().find(|child| {
            child.platform.as_ref().is_some_and(|p| p.os == os && p.architecture == architecture)
        })?;
        children.iter().find(|child| *child.manifest.digest() == wanted.digest)
    }

    /// The layers of all images in the tree, in the documents' order, repetitions included.
    pub fn layers(&self) -> impl Iterator<Item = &Descriptor> {
        self.manifests().into_iter().flat_map(|tree| match &tree.content {
            TreeContent::Image { image, .. } => image.layers.as_slice(),
            TreeContent::Index { .. } => &[],
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Digest, MediaType, media_type};

    fn image(name: &'static str) -> ManifestTree {
        let described =
            |text: &str| Descriptor::new(MediaType::default(), Digest::sha256_of(text.as_bytes()), 1);
        ManifestTree {
            manifest: Manifest::new(Bytes::from_static(name.as_bytes()), media_type::OCI_MANIFEST),
            content: TreeContent::Image {
                image: Box::new(ImageManifest {
                    config: described("config"),
                    layers: vec![described(name)],
                    subject: None,
                }),
                config: Bytes::new(),
            },
        }
    }

    #[test]
    fn children_come_before_their_parents() {
        let index = |name: &'static str, children| ManifestTree {
            manifest: Manifest::new(Bytes::from_static(name.as_bytes()), media_type::OCI_INDEX),
            content: TreeContent::Index { children },
        };
        let tree = index("top", vec![image("a"), index("inner", vec![image("b")])]);
        let names: Vec<_> = tree.manifests().iter().map(|tree| tree.manifest.bytes().clone()).collect();
        assert_eq!(names, ["a", "b", "inner", "top"]);
        let layers: Vec<_> = tree.layers().map(|layer| layer.digest.clone()).collect();
        assert_eq!(layers, [Digest::sha256_of(b"a"), Digest::sha256_of(b"b")]);
    }

    #[test]
    fn the_child_for_a_platform_is_found_by_what_the_index_says() {
        let (arm, amd) = (image("arm"), image("amd"));
        let listed = |child: &ManifestTree, architecture: &str| {
            let Descriptor { digest, size, .. } = child.manifest.descriptor();
            format!(
                r#"{{"digest":"{digest}","size":{size},"platform":{{"os":"linux","architecture":"{architecture}"}}}}"#
            )
        };
        let json = format!(r#"{{"manifests":[{},{}]}}"#, listed(&arm, "arm64"), listed(&amd, "amd64"));
        let tree = ManifestTree {
            manifest: Manifest::new(json.into(), media_type::OCI_INDEX),
            content: TreeContent::Index { children: vec![arm, amd.clone()] },
        };
        assert_eq!(tree.for_platform("linux", "amd64"), Some(&amd));
        assert_eq!(tree.for_platform("windows", "amd64"), None);
        assert_eq!(amd.for_platform("linux", "amd64"), None);
    }
}
