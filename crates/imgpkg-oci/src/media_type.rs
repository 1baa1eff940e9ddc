//! Media types: what a blob or a manifest is. OCI's own names come from the image specification ("Media Types"), the
//! `docker` ones from Docker's image manifest version 2, schema 2.

use std::fmt;
use std::sync::Arc;

/// A media type, kept exactly as it was received; cheap to clone.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct MediaType(Arc<str>);

/// Docker image manifest, schema 2.
pub const DOCKER_MANIFEST: &str = "application/vnd.docker.distribution.manifest.v2+json";
/// Docker manifest list: the index of schema 2.
pub const DOCKER_MANIFEST_LIST: &str = "application/vnd.docker.distribution.manifest.list.v2+json";
/// Docker image manifest, schema 1: no longer supported by anybody.
pub const DOCKER_MANIFEST_1: &str = "application/vnd.docker.distribution.manifest.v1+json";
/// Docker image manifest, schema 1, signed.
pub const DOCKER_MANIFEST_1_SIGNED: &str = "application/vnd.docker.distribution.manifest.v1+prettyjws";
/// Docker image configuration.
pub const DOCKER_CONFIG: &str = "application/vnd.docker.container.image.v1+json";
/// Docker layer: a tar, gzipped.
pub const DOCKER_LAYER: &str = "application/vnd.docker.image.rootfs.diff.tar.gzip";
/// Docker layer that may not be distributed.
pub const DOCKER_FOREIGN_LAYER: &str = "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip";
/// Docker layer, not compressed.
pub const DOCKER_LAYER_TAR: &str = "application/vnd.docker.image.rootfs.diff.tar";
/// OCI image manifest.
pub const OCI_MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
/// OCI image index.
pub const OCI_INDEX: &str = "application/vnd.oci.image.index.v1+json";
/// OCI image configuration.
pub const OCI_CONFIG: &str = "application/vnd.oci.image.config.v1+json";
/// OCI layer that may not be distributed, not compressed.
pub const OCI_RESTRICTED_LAYER: &str = "application/vnd.oci.image.layer.nondistributable.v1.tar";
/// OCI layer that may not be distributed, gzipped.
pub const OCI_RESTRICTED_LAYER_GZIP: &str = "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip";
/// OCI layer that may not be distributed, compressed with zstd.
pub const OCI_RESTRICTED_LAYER_ZSTD: &str = "application/vnd.oci.image.layer.nondistributable.v1.tar+zstd";

impl MediaType {
    /// A media type with this name.
    pub fn new(name: &str) -> Self {
        Self(name.into())
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Is it a manifest that lists other manifests (an OCI index or a Docker manifest list)?
    pub fn is_index(&self) -> bool {
        matches!(self.as_str(), OCI_INDEX | DOCKER_MANIFEST_LIST)
    }

    /// Is it the manifest of one image (OCI, or Docker schema 2)?
    pub fn is_image(&self) -> bool {
        matches!(self.as_str(), OCI_MANIFEST | DOCKER_MANIFEST)
    }

    /// Is it Docker's schema 1, which nobody can copy any more?
    pub fn is_schema_1(&self) -> bool {
        matches!(self.as_str(), DOCKER_MANIFEST_1 | DOCKER_MANIFEST_1_SIGNED)
    }

    /// Is it a manifest of any kind?
    pub fn is_manifest(&self) -> bool {
        self.is_index() || self.is_image() || self.is_schema_1()
    }

    /// Is it a layer that its publisher does not allow to be passed on (a "foreign" or "restricted" layer)?
    pub fn is_non_distributable(&self) -> bool {
        matches!(
            self.as_str(),
            DOCKER_FOREIGN_LAYER
                | OCI_RESTRICTED_LAYER
                | OCI_RESTRICTED_LAYER_GZIP
                | OCI_RESTRICTED_LAYER_ZSTD
        )
    }

    /// Is it a file-system layer, which has an entry in the configuration's `diff_ids`? Signatures, charts and other
    /// artifacts have layers that are none.
    pub fn is_layer(&self) -> bool {
        let name = self.as_str();
        matches!(name, DOCKER_LAYER | DOCKER_LAYER_TAR | DOCKER_FOREIGN_LAYER)
            || name.starts_with("application/vnd.oci.image.layer.v1.tar")
            || name.starts_with(OCI_RESTRICTED_LAYER)
    }
}

impl fmt::Display for MediaType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for MediaType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<oci_spec::image::MediaType> for MediaType {
    fn from(value: oci_spec::image::MediaType) -> Self {
        Self::new(value.as_ref())
    }
}

impl<'de> serde::Deserialize<'de> for MediaType {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = Option::<std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        Ok(Self::new(name.as_deref().unwrap_or_default()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use oci_spec::image::MediaType as Spec;

    #[test]
    fn the_names_are_those_of_the_specification() {
        assert_eq!(MediaType::from(Spec::ImageManifest).as_str(), OCI_MANIFEST);
        assert_eq!(MediaType::from(Spec::ImageIndex).as_str(), OCI_INDEX);
        assert_eq!(MediaType::from(Spec::ImageConfig).as_str(), OCI_CONFIG);
        assert!(MediaType::from(Spec::ImageLayerNonDistributable).is_non_distributable());
        assert!(MediaType::from(Spec::ImageLayerNonDistributableGzip).is_non_distributable());
        assert!(MediaType::from(Spec::ImageLayerNonDistributableZstd).is_non_distributable());
    }

    #[test]
    fn only_file_system_layers_are_layers() {
        for spec in [
            Spec::ImageLayer,
            Spec::ImageLayerGzip,
            Spec::ImageLayerZstd,
            Spec::ImageLayerNonDistributableGzip,
        ] {
            assert!(MediaType::from(spec.clone()).is_layer(), "{spec}");
        }
        assert!(MediaType::new(DOCKER_FOREIGN_LAYER).is_layer());
        assert!(!MediaType::new("application/vnd.dev.cosign.simplesigning.v1+json").is_layer());
        assert!(!MediaType::new("application/vnd.cncf.helm.chart.content.v1.tar+gzip").is_layer());
    }
}
