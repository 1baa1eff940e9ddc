//! `imgpkg tag list` and `imgpkg tag resolve`.

use clap::ArgAction;
use imgpkg_oci::Reference;

use super::ArgumentError;
use super::reference::required;
use super::registry::RegistryArgs;
use super::value;

const LONG: &str = "\
A tag is a name in a repository that can be moved from one image to another; a digest cannot. These commands list the tags
of a repository and find the digest that a tag stands for.";

const LIST_LONG: &str = "\
Lists the tags of a repository, sorted. Only the repository of the reference matters. The tags that imgpkg itself sets to
keep images from being collected as garbage are left out unless asked for.";

const LIST_EXAMPLES: &str = "  # List the tags of a repository
  imgpkg tag list -i registry.example/app-config

  # With the digests that they stand for, and with the tags that imgpkg sets
  imgpkg tag list -i registry.example/app-config --digests --imgpkg-internal-tags";

const RESOLVE_LONG: &str = "\
Prints the reference by digest that a reference by tag stands for at the moment. Off a terminal there is no newline behind
it, so that it can be put into other texts as it is.";

const RESOLVE_EXAMPLES: &str = "  # Which image is v1.0.0?
  imgpkg tag resolve -i registry.example/app-config:v1.0.0";

/// What was typed behind `imgpkg tag`.
#[derive(Debug, Clone, clap::Args)]
#[command(about = "Tag", long_about = LONG)]
pub(crate) struct TagArgs {
    #[command(subcommand)]
    pub(crate) command: Option<TagCommand>,
}

/// The commands about tags.
#[derive(Debug, Clone, clap::Subcommand)]
pub(crate) enum TagCommand {
    #[command(visible_alias = "ls")]
    List(TagListArgs),
    Resolve(TagResolveArgs),
}

/// What was typed behind `imgpkg tag list`.
#[derive(Debug, Clone, clap::Args)]
#[command(about = "List tags for image", long_about = LIST_LONG, after_long_help = LIST_EXAMPLES)]
pub(crate) struct TagListArgs {
    /// Set image (example: docker.io/dkalinin/test-content)
    #[arg(short, long)]
    pub(crate) image: Option<String>,
    /// Include digests
    #[arg(long, action = ArgAction::Set, value_parser = value::boolean, default_value = "false")]
    pub(crate) digests: bool,
    /// Include internal .imgpkg tags
    #[arg(long, action = ArgAction::Set, value_parser = value::boolean, default_value = "false")]
    pub(crate) imgpkg_internal_tags: bool,
    #[command(flatten)]
    pub(crate) registry: RegistryArgs,
}

/// What was typed behind `imgpkg tag resolve`.
#[derive(Debug, Clone, clap::Args)]
#[command(
    about = "Resolve tag to digest for image",
    long_about = RESOLVE_LONG,
    after_long_help = RESOLVE_EXAMPLES
)]
pub(crate) struct TagResolveArgs {
    /// Set image (example: docker.io/dkalinin/test-content)
    #[arg(short, long)]
    pub(crate) image: Option<String>,
    #[command(flatten)]
    pub(crate) registry: RegistryArgs,
}

impl TagListArgs {
    /// The reference whose repository is meant.
    ///
    /// # Errors
    /// When it does not parse.
    pub(crate) fn reference(&self) -> Result<Reference, ArgumentError> {
        named(&self.image)
    }
}

impl TagResolveArgs {
    /// The reference that is looked up.
    ///
    /// # Errors
    /// When it does not parse.
    pub(crate) fn reference(&self) -> Result<Reference, ArgumentError> {
        named(&self.image)
    }
}

fn named(image: &Option<String>) -> Result<Reference, ArgumentError> {
    let text = image.as_deref().unwrap_or_default();
    required("image", 'i', text, Reference::parse(text).map_err(ArgumentError::Named))
}
