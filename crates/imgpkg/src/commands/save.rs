//! `imgpkg save`.

use std::sync::Arc;

use imgpkg_copy::{Options, copy, discover};
use imgpkg_oci::{Repository, Tag};

use super::CommandError;
use super::pack::{name_of, pack};
use crate::args::save::{ORIGIN_REGISTRY, SaveArgs};
use crate::context::Context;

/// Builds an image and writes it into an archive. No registry has a part in it.
pub(super) async fn run(args: &SaveArgs, context: &Context) -> Result<(), CommandError> {
    let request = args.request()?;
    let (repository, tag) = match request.name {
        Some(name) => (name.repository().clone(), name.tag().clone()),
        None => {
            let name = name_of(request.content.files.clone()).await?;
            let repository = Repository::parse(&format!("{ORIGIN_REGISTRY}/{name}"));
            (repository.map_err(CommandError::SavedName)?, Tag::latest())
        }
    };
    let image = pack(request.content, context).await?;
    let (tree, source) = (image.tree(), repository.at(image.digest().clone()));
    let set = discover::from_built(Arc::new(image), tree, source.clone(), Some(tag));
    let listener = context.progress.listener("save");
    copy::to_archive(&set, &request.tar, Options::default(), listener).await?;
    // What comes now is no whole line.
    context.progress.rest();
    context.ui.line(&format!("Saved '{}' to '{}'", source.digest(), request.tar.display()));
    Ok(())
}
