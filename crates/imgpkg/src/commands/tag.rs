//! `imgpkg tag list` and `imgpkg tag resolve`.

use futures_util::stream::{self, StreamExt as _, TryStreamExt as _};
use imgpkg_oci::{Source as _, TagOrDigest};

use super::CommandError;
use crate::args::tag::{TagArgs, TagCommand, TagListArgs, TagResolveArgs};
use crate::context::Context;
use crate::ui::table::{Column, Table};

/// What the tags end with that imgpkg sets to keep images from being collected as garbage.
const INTERNAL_SUFFIX: &str = ".imgpkg";

/// How many tags are looked up at a time. The client may allow fewer requests.
const LOOKUPS: usize = 32;

/// Runs one of the commands about tags.
pub(super) async fn run(args: &TagArgs, context: &Context) -> Result<(), CommandError> {
    match args.request()? {
        TagCommand::List(args) => list(args, context).await,
        TagCommand::Resolve(args) => resolve(args, context).await,
    }
}

async fn list(args: &TagListArgs, context: &Context) -> Result<(), CommandError> {
    let client = context.client(&args.registry, None)?;
    let reference = args.reference()?;
    let repository = client.repository(reference.repository());
    let mut tags = repository.tags().await?;
    tags.retain(|tag| args.imgpkg_internal_tags || !tag.as_str().ends_with(INTERNAL_SUFFIX));
    tags.sort();
    tags.dedup();
    let rows: Vec<Vec<String>> = stream::iter(tags)
        .map(|tag| {
            let repository = &repository;
            async move {
                let name = tag.as_str().to_owned();
                let digest = match args.digests {
                    true => repository.resolve(&TagOrDigest::Tag(tag)).await?.to_string(),
                    false => String::new(),
                };
                Ok::<_, CommandError>(vec![name, digest])
            }
        })
        .buffered(LOOKUPS)
        .try_collect()
        .await?;
    let columns =
        vec![Column { title: "Name", hidden: false }, Column { title: "Digest", hidden: !args.digests }];
    context.ui.table(&Table { title: "Tags", content: "tags", columns, rows })?;
    Ok(())
}

async fn resolve(args: &TagResolveArgs, context: &Context) -> Result<(), CommandError> {
    let client = context.client(&args.registry, None)?;
    let reference = args.reference()?;
    let digest = client.repository(reference.repository()).resolve(&reference.target()).await?;
    context.ui.block(&reference.repository().at(digest).to_string());
    Ok(())
}
