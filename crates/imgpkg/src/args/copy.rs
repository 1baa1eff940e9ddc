//! `imgpkg copy`.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::ArgAction;
use imgpkg_oci::Repository;

use super::ArgumentError;
use super::concurrency::concurrency;
use super::reference::{TypedReference, given};
use super::registry::RegistryArgs;
use super::value;

const LONG: &str = "\
Copies bundles and images from a registry to another one, to a tar file, or from a tar file to a registry. A bundle is
copied with all images that it refers to, those of bundles within it included, and indexes with the images of all
platforms. What the destination has already is not sent again. Digests stay what they are, and a registry that a bundle was
copied to needs no other one.";

const EXAMPLES: &str = "  # Copy a bundle with its images from one registry to another
  imgpkg copy -b registry.example/app-config:v1.0.0 --to-repo internal.example/app-config

  # Across an air gap: write a bundle with its images to a tar file ...
  imgpkg copy -b registry.example/app-config:v1.0.0 --to-tar app.tar

  # ... and on the other side read it into the registry there, noting the digest in a lock file
  imgpkg copy --tar app.tar --to-repo internal.example/app-config --lock-output app.lock.yml

  # See how much that would move before it is begun
  imgpkg copy -b registry.example/app-config:v1.0.0 --to-tar app.tar --dry-run

  # Bring a tar file up to the next version, fetching only the layers that it does not have
  imgpkg copy -b registry.example/app-config:v2.0.0 --to-tar app.tar --resume

  # Copy a single image
  imgpkg copy -i registry.example/app:v1.0.0 --to-repo internal.example/app";

/// What was typed behind `imgpkg copy`.
#[derive(Debug, Clone, clap::Args)]
#[command(
    about = "Copy a bundle from one location to another",
    long_about = LONG,
    after_long_help = EXAMPLES
)]
pub(crate) struct CopyArgs {
    /// Bundle reference for copying (happens thickly, i.e. bundle image + all referenced images)
    #[arg(short, long)]
    pub(crate) bundle: Option<String>,
    /// Image reference for copying a generic image (example: docker.io/dkalinin/test-content)
    #[arg(short, long)]
    pub(crate) image: Option<String>,
    /// Lock file with asset references to copy to destination
    #[arg(long, value_parser = value::path())]
    pub(crate) lock: Option<PathBuf>,
    /// Path to tar file which contains assets to be copied to a registry
    #[arg(long, value_parser = value::path())]
    pub(crate) tar: Option<PathBuf>,
    /// Location to upload assets
    #[arg(long)]
    pub(crate) to_repo: Option<String>,
    /// Location to write a tar file containing assets
    #[arg(long, value_parser = value::path())]
    pub(crate) to_tar: Option<PathBuf>,
    /// Location to output the generated lockfile. Option only available when using --bundle or --lock flags
    #[arg(long, value_parser = value::path())]
    pub(crate) lock_output: Option<PathBuf>,
    /// Concurrency: at most this many requests at a time per registry (default: as many as the registry takes well)
    #[arg(long, value_parser = value::integer)]
    pub(crate) concurrency: Option<i64>,
    /// Find and copy cosign signatures for images
    #[arg(long, action = ArgAction::Set, value_parser = value::boolean, default_value = "false")]
    pub(crate) cosign_signatures: bool,
    /// Include non-distributable layers when copying an image/bundle
    #[arg(long, action = ArgAction::Set, value_parser = value::boolean, default_value = "false")]
    pub(crate) include_non_distributable_layers: bool,
    /// Allow imgpkg to use repository-based tags for convenience
    #[arg(long, action = ArgAction::Set, value_parser = value::boolean, default_value = "false")]
    pub(crate) repo_based_tags: bool,
    /// Resume the copy to tar. When set to true will try to read the tar and only download the missing blobs. What an interrupted copy left in TAR.partial is used in any case
    #[arg(long, action = ArgAction::Set, value_parser = value::boolean, default_value = "false")]
    pub(crate) resume: bool,
    /// Print what would be copied: images, blobs and bytes to fetch, to send, to mount and already there; write nothing
    #[arg(long, action = ArgAction::Set, value_parser = value::boolean, default_value = "false")]
    pub(crate) dry_run: bool,
    #[command(flatten)]
    pub(crate) registry: RegistryArgs,
}

/// What `copy` is to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CopyRequest {
    /// What is copied.
    pub(crate) source: CopySource,
    /// Where it goes.
    pub(crate) destination: CopyDestination,
    /// The most requests at a time, where the user set a limit.
    pub(crate) concurrency: Option<NonZeroUsize>,
    /// Are cosign's signatures copied along?
    pub(crate) cosign_signatures: bool,
    /// Are layers copied that their makers do not want distributed?
    pub(crate) include_non_distributable_layers: bool,
    /// Are tags made from the names of the origins' repositories?
    pub(crate) repo_based_tags: bool,
    /// Is only said what would be copied?
    pub(crate) dry_run: bool,
}

/// What is copied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum CopySource {
    /// A bundle and everything that it refers to.
    Bundle(TypedReference),
    /// An image or an index.
    Image(TypedReference),
    /// What a lock file names.
    Lock(PathBuf),
    /// What an archive holds.
    Tar(PathBuf),
}

/// Where a copy goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum CopyDestination {
    /// To a repository.
    Repository {
        /// The repository.
        repository: Repository,
        /// Where a lock file is written.
        lock_output: Option<PathBuf>,
    },
    /// To an archive.
    Tar {
        /// The archive.
        path: PathBuf,
        /// Are the layers used that a finished archive there has?
        resume: bool,
    },
}

impl CopyArgs {
    /// Checks the arguments, in the reference's order.
    ///
    /// # Errors
    /// When they contradict each other or a reference does not parse.
    pub(crate) fn request(&self) -> Result<CopyRequest, ArgumentError> {
        let (lock, tar) = (some_path(&self.lock), some_path(&self.tar));
        let source = match (lock, tar, given(&self.bundle), given(&self.image)) {
            (Some(path), None, None, None) => Ok(CopySource::Lock(path)),
            (None, Some(path), None, None) => Ok(CopySource::Tar(path)),
            (None, None, Some(text), None) => TypedReference::checked(text).map(CopySource::Bundle),
            (None, None, None, Some(text)) => TypedReference::checked(text).map(CopySource::Image),
            _ => return Err(ArgumentError::CopySource),
        };
        let from_tar = matches!(source, Ok(CopySource::Tar(_)));
        let destination = match (some_path(&self.to_tar), given(&self.to_repo)) {
            (Some(path), None) => self.to_tar(path, from_tar)?,
            (None, Some(text)) => self.to_repository(text)?,
            _ => return Err(ArgumentError::CopyDestination),
        };
        Ok(CopyRequest {
            concurrency: concurrency(self.concurrency)?,
            source: source?,
            destination,
            cosign_signatures: self.cosign_signatures,
            include_non_distributable_layers: self.include_non_distributable_layers,
            repo_based_tags: self.repo_based_tags,
            dry_run: self.dry_run,
        })
    }

    fn to_tar(&self, path: PathBuf, from_tar: bool) -> Result<CopyDestination, ArgumentError> {
        if from_tar {
            return Err(ArgumentError::TarToTar);
        }
        if some_path(&self.lock_output).is_some() {
            return Err(ArgumentError::LockOfTar);
        }
        Ok(CopyDestination::Tar { path, resume: self.resume })
    }

    fn to_repository(&self, text: &str) -> Result<CopyDestination, ArgumentError> {
        if self.resume {
            return Err(ArgumentError::ResumeToRepository);
        }
        let repository = Repository::parse(text).map_err(ArgumentError::Repository)?;
        Ok(CopyDestination::Repository { repository, lock_output: some_path(&self.lock_output) })
    }
}

fn some_path(flag: &Option<PathBuf>) -> Option<PathBuf> {
    flag.clone().filter(|path| !path.as_os_str().is_empty())
}
