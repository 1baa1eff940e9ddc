//! `imgpkg push`.

use std::path::PathBuf;

use imgpkg_oci::{Repository, TagReference};

use super::ArgumentError;
use super::content::{Content, ContentArgs, ImageKind};
use super::reference::{destination, given};
use super::registry::RegistryArgs;
use super::value;

const LONG: &str = "\
Packs files and directories into an image of one layer and pushes it to a registry, under the tag given and under a tag
made from its digest. With -b the files are a bundle: they hold a directory .imgpkg with a file images.yml that lists the
images which the configuration refers to. The same files always make the same digest, on every machine.

With --tar an image that `imgpkg save` wrote to a file is pushed instead.";

const EXAMPLES: &str = "  # Push the directory config as a bundle, tagged v1.0.0
  imgpkg push -b registry.example/app-config:v1.0.0 -f config/

  # Push two directories as a plain image, leaving out two files
  imgpkg push -i registry.example/assets -f static/ -f docs/ --file-exclusion drafts,notes.txt

  # Push a bundle and note its digest in a lock file, from which others pull and copy
  imgpkg push -b registry.example/app-config:v1.0.0 -f config/ --lock-output app.lock.yml

  # Push a bundle that was saved where there was no registry
  imgpkg push --tar app.tar --to-repo registry.example/app-config";

/// What was typed behind `imgpkg push`.
#[derive(Debug, Clone, clap::Args)]
#[command(about = "Push files as image", long_about = LONG, after_long_help = EXAMPLES)]
pub(crate) struct PushArgs {
    /// Set bundle (example: docker.io/dkalinin/test-content)
    #[arg(short, long)]
    pub(crate) bundle: Option<String>,
    /// Set image (example: docker.io/dkalinin/test-content)
    #[arg(short, long)]
    pub(crate) image: Option<String>,
    #[command(flatten)]
    pub(crate) content: ContentArgs,
    /// Location to output the generated lockfile. Option only available when using --bundle flag
    #[arg(long, value_parser = value::path())]
    pub(crate) lock_output: Option<PathBuf>,
    /// Path to tar file, written by save, with the image to be pushed
    #[arg(long, value_parser = value::path())]
    pub(crate) tar: Option<PathBuf>,
    /// Location to upload the image in the tar file to, under the tag it was saved with
    #[arg(long)]
    pub(crate) to_repo: Option<String>,
    #[command(flatten)]
    pub(crate) registry: RegistryArgs,
}

/// What `push` is to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum PushRequest {
    /// Build an image and push it.
    Files {
        /// What goes into it.
        content: Content,
        /// Where it goes.
        destination: TagReference,
        /// Where a lock file is written; for bundles only.
        lock_output: Option<PathBuf>,
    },
    /// Push the one image that an archive holds.
    Archive {
        /// The archive.
        tar: PathBuf,
        /// Where it goes.
        destination: ArchiveDestination,
        /// Where a lock file is written.
        lock_output: Option<PathBuf>,
    },
}

/// Where an image out of an archive goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ArchiveDestination {
    /// To this repository, under the tag that the archive names.
    Repository(Repository),
    /// To this tag; and what the user says that it is.
    Tag {
        /// Is it said to be a bundle?
        kind: ImageKind,
        /// The tag.
        reference: TagReference,
    },
}

impl PushArgs {
    /// Checks the arguments, in the reference's order.
    ///
    /// # Errors
    /// When they contradict each other or a reference does not parse.
    pub(crate) fn request(&self) -> Result<PushRequest, ArgumentError> {
        let labels = self.content.checked_labels()?;
        if self.tar.is_some() {
            return self.archive_request();
        }
        if given(&self.to_repo).is_some() {
            return Err(ArgumentError::RepositoryWithoutTar);
        }
        let (kind, text) = match (given(&self.bundle), given(&self.image)) {
            (Some(_), Some(_)) => return Err(ArgumentError::ImageAndBundle),
            (None, None) => return Err(ArgumentError::NeitherImageNorBundle),
            (Some(bundle), None) => (ImageKind::Bundle, bundle),
            (None, Some(image)) => (ImageKind::Image, image),
        };
        let lock_output = self.checked_lock_output(kind)?;
        let destination = destination(text)?;
        Ok(PushRequest::Files { content: self.content.content(kind, labels), destination, lock_output })
    }

    fn archive_request(&self) -> Result<PushRequest, ArgumentError> {
        let tar = self.tar.clone().filter(|path| !path.as_os_str().is_empty());
        let tar = tar.ok_or(ArgumentError::Empty { flag: "tar" })?;
        if let Some(flag) = self.content.first_given() {
            return Err(ArgumentError::FilesAndTar { flag });
        }
        let (kind, destination) = match (given(&self.bundle), given(&self.image), given(&self.to_repo)) {
            (Some(text), None, None) => (ImageKind::Bundle, tagged(ImageKind::Bundle, text)?),
            (None, Some(text), None) => (ImageKind::Image, tagged(ImageKind::Image, text)?),
            (None, None, Some(text)) => {
                let repository = Repository::parse(text).map_err(ArgumentError::Repository)?;
                (ImageKind::Bundle, ArchiveDestination::Repository(repository))
            }
            _ => return Err(ArgumentError::DestinationOfTar),
        };
        let lock_output = self.checked_lock_output(kind)?;
        Ok(PushRequest::Archive { tar, destination, lock_output })
    }

    fn checked_lock_output(&self, kind: ImageKind) -> Result<Option<PathBuf>, ArgumentError> {
        let lock_output = self.lock_output.clone().filter(|path| !path.as_os_str().is_empty());
        match (kind, lock_output) {
            (ImageKind::Image, Some(_)) => Err(ArgumentError::LockOfImage),
            (_, lock_output) => Ok(lock_output),
        }
    }
}

fn tagged(kind: ImageKind, text: &str) -> Result<ArchiveDestination, ArgumentError> {
    Ok(ArchiveDestination::Tag { kind, reference: destination(text)? })
}
