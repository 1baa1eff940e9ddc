//! `imgpkg push`.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use imgpkg_archive::{Archive, Item};
use imgpkg_bundle::fetch::is_bundle;
use imgpkg_copy::{ImageSet, Options, copy, discover};
use imgpkg_oci::{Repository, TagReference};
use imgpkg_registry::Client;

use super::CommandError;
use super::copy::left_out_warning;
use super::lock_output::LockOutput;
use super::pack::pack;
use crate::args::content::{Content, ImageKind};
use crate::args::push::{ArchiveDestination, PushArgs, PushRequest};
use crate::context::Context;
use crate::ui::error::message;

/// Builds an image, or takes one from an archive, and pushes it.
pub(super) async fn run(args: &PushArgs, context: &Context) -> Result<(), CommandError> {
    let client = context.client(&args.registry, None)?;
    match args.request()? {
        PushRequest::Files { content, destination, lock_output } => {
            push_files(content, destination, lock_output.as_deref(), &client, context).await
        }
        PushRequest::Archive { tar, destination, lock_output } => {
            push_archive(tar, destination, lock_output.as_deref(), &client, context).await
        }
    }
}

async fn push_files(
    content: Content,
    destination: TagReference,
    lock_output: Option<&Path>,
    client: &Client,
    context: &Context,
) -> Result<(), CommandError> {
    let bundle = content.kind == ImageKind::Bundle;
    let image = pack(content, context).await?;
    let repository = destination.repository();
    let (tree, source) = (image.tree(), repository.at(image.digest().clone()));
    let mut set = discover::from_built(Arc::new(image), tree, source, Some(destination.tag().clone()));
    set.items.iter_mut().for_each(|item| item.root_bundle = bundle);
    push_set(&set, repository, lock_output, client, context).await
}

async fn push_archive(
    tar: PathBuf,
    destination: ArchiveDestination,
    lock_output: Option<&Path>,
    client: &Client,
    context: &Context,
) -> Result<(), CommandError> {
    let archive = Archive::open(&tar).await?;
    let Some(item) = discover::only_item(&archive) else {
        return Err(CommandError::SeveralItems { tar, count: archive.items().len() });
    };
    let bundle = is_bundle(&item.tree);
    let item = Item { root_bundle: bundle, ..item.clone() };
    let (repository, item) = match destination {
        ArchiveDestination::Repository(repository) => (repository, item),
        ArchiveDestination::Tag { kind, reference } => {
            match (kind, bundle) {
                (ImageKind::Bundle, false) => return Err(imgpkg_copy::Error::NotABundle.into()),
                (ImageKind::Image, true) => return Err(imgpkg_copy::Error::IsABundle.into()),
                _ => {}
            }
            let tag = Some(reference.tag().clone());
            (reference.repository().clone(), Item { tag, ..item })
        }
    };
    let left_out = if bundle { left_out(&archive, context).await } else { 0 };
    let set = ImageSet { left_out, archive: Some(tar), ..ImageSet::new(vec![item], Arc::new(archive)) };
    push_set(&set, &repository, lock_output, client, context).await
}

/// How many images the bundle in the archive names that are not in it. A bundle that cannot be read is pushed all the
/// same, as it would be from its directory; that is said.
async fn left_out(archive: &Archive, context: &Context) -> usize {
    match discover::from_archive(archive.clone()).await {
        Ok(set) => set.left_out,
        Err(error) => {
            let problem = message(&error);
            context.ui.alert(&format!("imgpkg: Warning: copy and pull will refuse this bundle: {problem}"));
            0
        }
    }
}

/// Pushes the one image of the set.
async fn push_set(
    set: &ImageSet,
    repository: &Repository,
    lock_output: Option<&Path>,
    client: &Client,
    context: &Context,
) -> Result<(), CommandError> {
    let lock_output = LockOutput::checked(lock_output, "push", set)?;
    let destination = client.repository(repository);
    let listener = context.progress.listener("push");
    let outcome = copy::to_repository(set, destination, repository, Options::default(), listener)
        .await
        .map_err(|error| push_error(error, set, repository))?;
    // What comes now is no whole line.
    context.progress.rest();
    if let Some(warning) = left_out_warning(outcome.left_out_images) {
        context.ui.warning(&format!("Warning: {warning}\n"));
    }
    for copied in &outcome.copied {
        context.ui.line(&format!("Pushed '{}'", copied.destination));
    }
    if let Some(lock_output) = lock_output {
        lock_output.write(set, &outcome)?;
    }
    Ok(())
}

/// The error in the reference's words. What goes wrong with a tag says so itself.
fn push_error(error: imgpkg_copy::Error, set: &ImageSet, repository: &Repository) -> CommandError {
    let pushed = |item: &Item| match &item.tag {
        Some(tag) => repository.tagged(tag.clone()).to_string(),
        None => repository.at(item.source.digest().clone()).to_string(),
    };
    match (error, set.items.first()) {
        (error @ imgpkg_copy::Error::Tag { .. }, _) | (error, None) => error.into(),
        (error, Some(item)) => CommandError::Push { target: pushed(item), source: Box::new(error) },
    }
}
