//! `imgpkg pull`.

use std::path::{Path, PathBuf};

use clap::ArgAction;

use super::ArgumentError;
use super::reference::{TypedReference, given};
use super::registry::RegistryArgs;
use super::value;

const LONG: &str = "\
Fetches a bundle or an image and extracts its files into a directory, which is replaced by them. Where all images that a
bundle refers to are in the bundle's own repository, as they are after `imgpkg copy --to-repo`, its lock file is rewritten
to point there. With --recursive the bundles that a bundle refers to are fetched too, into .imgpkg/bundles.";

const EXAMPLES: &str = "  # Extract the bundle app-config into the directory config
  imgpkg pull -b registry.example/app-config:v1.0.0 -o config/

  # The bundle that a lock file names, and every bundle in it
  imgpkg pull --lock app.lock.yml -o config/ --recursive

  # Extract a plain image
  imgpkg pull -i registry.example/assets -o static/";

/// What was typed behind `imgpkg pull`.
#[derive(Debug, Clone, clap::Args)]
#[command(
    about = "Pull files from bundle, image, or bundle lock file",
    long_about = LONG,
    after_long_help = EXAMPLES
)]
pub(crate) struct PullArgs {
    /// Set bundle (example: docker.io/dkalinin/test-content)
    #[arg(short, long)]
    pub(crate) bundle: Option<String>,
    /// Set image (example: docker.io/dkalinin/test-content)
    #[arg(short, long)]
    pub(crate) image: Option<String>,
    /// Lock file with asset references to copy to destination
    #[arg(long, value_parser = value::path())]
    pub(crate) lock: Option<PathBuf>,
    /// Output directory path
    #[arg(short, long, value_parser = value::path())]
    pub(crate) output: Option<PathBuf>,
    /// Recursively iterate and fetch content of every bundle
    #[arg(short, long, action = ArgAction::Set, value_parser = value::boolean, default_value = "false")]
    pub(crate) recursive: bool,
    /// Error when image is a bundle (disable pulling bundles via -i)
    #[arg(long, action = ArgAction::Set, value_parser = value::boolean, default_value = "true")]
    pub(crate) image_is_bundle_check: bool,
    #[command(flatten)]
    pub(crate) registry: RegistryArgs,
}

/// What `pull` is to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PullRequest {
    /// What is pulled.
    pub(crate) source: PullSource,
    /// Where its files go.
    pub(crate) output: PathBuf,
    /// Are the bundles within a bundle pulled too?
    pub(crate) recursive: bool,
    /// Is a bundle refused where an image is meant? Without it, what a lock file names is pulled as a plain image.
    pub(crate) bundle_check: bool,
}

/// What is pulled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum PullSource {
    /// A bundle.
    Bundle(TypedReference),
    /// An image.
    Image(TypedReference),
    /// The bundle that a BundleLock file names.
    Lock(PathBuf),
}

impl PullArgs {
    /// Checks the arguments, in the reference's order. What the output directory really is has to be found out later.
    ///
    /// # Errors
    /// When they contradict each other or a reference does not parse.
    pub(crate) fn request(&self) -> Result<PullRequest, ArgumentError> {
        let output = self.output.clone().ok_or(ArgumentError::Required { flag: "output" })?;
        if output.as_os_str().is_empty() {
            return Err(ArgumentError::Empty { flag: "output" });
        }
        if ["/", ".", ".."].iter().any(|dear| output.as_os_str() == Path::new(dear).as_os_str()) {
            return Err(ArgumentError::OutputDirectory);
        }
        let lock = self.lock.as_ref().filter(|path| !path.as_os_str().is_empty());
        let (bundle, image) = (given(&self.bundle), given(&self.image));
        match usize::from(bundle.is_some()) + usize::from(image.is_some()) + usize::from(lock.is_some()) {
            0 => return Err(ArgumentError::NothingToPull),
            1 => {}
            _ => return Err(ArgumentError::SeveralToPull),
        }
        if self.recursive && image.is_some() {
            return Err(ArgumentError::RecursiveImage);
        }
        if !self.image_is_bundle_check && bundle.is_some() {
            return Err(ArgumentError::UncheckedBundle);
        }
        let source = match (bundle, image, lock) {
            (Some(text), _, _) => PullSource::Bundle(TypedReference::checked(text)?),
            (_, Some(text), _) => PullSource::Image(TypedReference::checked(text)?),
            (_, _, Some(path)) => PullSource::Lock(path.clone()),
            _ => return Err(ArgumentError::NothingToPull),
        };
        Ok(PullRequest {
            source,
            output,
            recursive: self.recursive,
            bundle_check: self.image_is_bundle_check,
        })
    }
}
