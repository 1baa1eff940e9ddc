//! Fetching a manifest with everything below it that is kept in memory: configurations and an index's children.

use futures_util::future::{BoxFuture, FutureExt as _, try_join_all};
use imgpkg_oci::manifest::MAX_CONFIG_BYTES;
use imgpkg_oci::{
    BlobProgress, Descriptor, Document, ImageConfig, Manifest, ManifestTree, Source, TagOrDigest, TreeContent,
};

use crate::build::BUNDLE_LABEL;
use crate::nested::{Error, ReadError};

/// How deep indexes may contain indexes. Real ones have one level, a few have two.
const MAX_INDEX_DEPTH: usize = 8;

/// Fetches a manifest, its configuration or all its children, and theirs.
///
/// # Errors
/// When something of it cannot be fetched, is not what its digest says, or is of a kind that cannot be copied.
pub async fn fetch_tree(source: &dyn Source, target: &TagOrDigest) -> Result<ManifestTree, Error> {
    let manifest = source.manifest(target).await.map_err(Error::Fetch)?;
    complete(source, manifest, 0).await
}

fn complete(
    source: &dyn Source,
    manifest: Manifest,
    depth: usize,
) -> BoxFuture<'_, Result<ManifestTree, Error>> {
    async move {
        let named = |error| Error::Manifest { name: manifest.digest().to_string(), source: error };
        let content = match manifest.parse().map_err(named)? {
            Document::Image(image) => {
                let config = fetch_config(source, &image.config)
                    .await
                    .map_err(|source| Error::Config { digest: manifest.digest().clone(), source })?;
                TreeContent::Image { image: Box::new(image), config }
            }
            Document::Index(_) if depth == MAX_INDEX_DEPTH => {
                return Err(Error::IndexDepth { digest: manifest.digest().clone(), limit: MAX_INDEX_DEPTH });
            }
            Document::Index(index) => {
                let children = index.manifests.iter().map(|child| async move {
                    let target = TagOrDigest::Digest(child.digest.clone());
                    let manifest = source.manifest(&target).await.map_err(Error::Fetch)?;
                    complete(source, manifest, depth + 1).await
                });
                TreeContent::Index { children: try_join_all(children).await? }
            }
        };
        Ok(ManifestTree { manifest, content })
    }
    .boxed()
}

async fn fetch_config(source: &dyn Source, config: &Descriptor) -> Result<bytes::Bytes, ReadError> {
    match fetch_config_once(source, config).await {
        Err(error) if error.is_damage() => fetch_config_once(source, config).await,
        result => result,
    }
}

async fn fetch_config_once(source: &dyn Source, config: &Descriptor) -> Result<bytes::Bytes, ReadError> {
    let reader = source.blob(config, BlobProgress::start(&config.digest)).await?;
    Ok(reader.collect(MAX_CONFIG_BYTES).await?)
}

/// Is it a bundle: one image whose configuration has the bundle label? A configuration that is no image configuration,
/// as artifacts of other kinds have them, makes it none.
pub fn is_bundle(tree: &ManifestTree) -> bool {
    match &tree.content {
        TreeContent::Image { config, .. } => {
            ImageConfig::parse(config).is_ok_and(|config| config.labels().contains_key(BUNDLE_LABEL))
        }
        TreeContent::Index { .. } => false,
    }
}
