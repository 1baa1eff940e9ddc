//! `imgpkg tag list` and `imgpkg tag resolve`.

use futures_util::stream::{self, StreamExt as _, TryStreamExt as _};
use imgpkg_oci::{Source as _, Tag, TagOrDigest};
use imgpkg_registry::RepositoryClient;

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
    let mut names = repository.tags().await?;
    names.retain(|name| args.imgpkg_internal_tags || !name.ends_with(INTERNAL_SUFFIX));
    names.sort();
    names.dedup();
    let rows: Vec<Vec<String>> = stream::iter(names)
        .map(|name| row(&repository, name, args.digests))
        .buffered(LOOKUPS)
        .try_collect()
        .await?;
    let columns =
        vec![Column { title: "Name", hidden: false }, Column { title: "Digest", hidden: !args.digests }];
    context.ui.table(&Table { title: "Tags", content: "tags", columns, rows })?;
    Ok(())
}

/// A row of the list. Control characters, which no tag has but a registry could send, do not reach the terminal.
async fn row(repository: &RepositoryClient, name: String, digest: bool) -> Result<Vec<String>, CommandError> {
    let digest = if digest {
        let tag = Tag::parse(&name).map_err(|source| CommandError::Tag { name: name.clone(), source })?;
        repository.resolve(&TagOrDigest::Tag(tag)).await?.to_string()
    } else {
        String::new()
    };
    let shown = if name.chars().any(char::is_control) { name.escape_debug().to_string() } else { name };
    Ok(vec![shown, digest])
}

async fn resolve(args: &TagResolveArgs, context: &Context) -> Result<(), CommandError> {
    let client = context.client(&args.registry, None)?;
    let reference = args.reference()?;
    let digest = client.repository(reference.repository()).resolve(&reference.target()).await?;
    context.ui.block(&reference.repository().at(digest).to_string());
    Ok(())
}
