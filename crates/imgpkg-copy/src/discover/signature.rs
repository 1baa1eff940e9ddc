//! Cosign signatures: images under a tag that names the digest of what they sign.

use futures_util::stream::{self, StreamExt as _, TryStreamExt as _};
use imgpkg_archive::Item;
use imgpkg_bundle::fetch::fetch_tree;
use imgpkg_bundle::nested;
use imgpkg_bundle::tags;
use imgpkg_oci::{ErrorKind, Repositories, TagOrDigest};

use super::{FETCHES_AT_ONCE, ImageSet, item};
use crate::Error;

/// Adds the signature of each item that has one, looked for in the item's own repository.
///
/// # Errors
/// When a repository cannot be asked. One that does not let us see the tag counts as having none.
pub async fn add_signatures(set: ImageSet) -> Result<ImageSet, Error> {
    let found: Vec<Option<Item>> = stream::iter(&set.items)
        .map(|signed| signature_of(&*set.repositories, signed))
        .buffered(FETCHES_AT_ONCE)
        .try_collect()
        .await?;
    let ImageSet { mut items, repositories, bundle, lock, left_out, archive } = set;
    items.extend(found.into_iter().flatten());
    Ok(ImageSet { bundle, lock, left_out, archive, ..ImageSet::new(items, repositories) })
}

async fn signature_of(repositories: &dyn Repositories, signed: &Item) -> Result<Option<Item>, Error> {
    let repository = signed.source.repository();
    let tag = tags::signature_tag(signed.source.digest());
    let source = repositories.source(repository);
    match fetch_tree(&*source, &TagOrDigest::Tag(tag.clone())).await {
        Ok(tree) => Ok(Some(item(repository.at(tree.manifest.digest().clone()), Some(tag), None, tree))),
        Err(nested::Error::Fetch(error))
            if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::Denied) =>
        {
            Ok(None)
        }
        Err(source) => Err(Error::Signature { reference: signed.source.clone(), source: Box::new(source) }),
    }
}
